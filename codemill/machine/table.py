"""Step and Table: what is to be done, as plain values. Nothing in this file touches a disk.

A **step** is a pure function. Decorated with `@step` it becomes a verb of recipes: calling it with tables and
keyword parameters runs nothing and returns a **Table**, a handle on what would be built.

A Table is a stack of row-aligned *layers*. The first layer has one row per file found (`ingest`); every later
step adds a layer of columns beside it, one row for one row. A layer with a `reason` column drops the rows where
it is not null. So content never moves: a step that decides writes a few bytes per row, and a step that changes
content writes the new content as a column of its layer, which hides the older one.

    ingest.documents   id repo path … content   reason      ← base layer
    detect.language    language doc_type …                   ← layers beside it, row for row
    dedup.exact        reason kept_id similarity

Identity. A table's fingerprint is a hash of: the step's name and version, its parameters, and the fingerprints
of its inputs. Never a path, host, engine, worker count or device. (From: Marin's lazy artifacts, and the rule
that a permissive encoder forks identities in silence: `canonical` raises on anything that is not plain data.)
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib
import importlib.util
import inspect
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from codemill.errors import RecipeError

Columns = Mapping[str, pa.DataType]
Reads = tuple[str, ...] | Callable[[Mapping[str, Any]], tuple[str, ...]]
Adds = Columns | Callable[[Mapping[str, Any]], Columns]
Resolve = Callable[[tuple["Table", ...], dict[str, Any]], dict[str, Any]]


CRASHED = "it crashed the process that worked on it, so it was set aside"
"""What the reason `crashed` means, which any step may give."""


@dataclass(frozen=True, eq=False)
class Step:
    """A verb of recipes: a pure function with what the machine must know to run it.

    Made by `@step` and `@exchange`. Calling it with tables returns a Table; `step.function` is the plain function,
    for tests and notebooks.
    """

    name: str  # "dedup.exact": last part of the module, then the function
    version: int
    kind: str  # "ingest" | "batch" | "exchange"
    function: Callable[..., Any]
    reads: Reads  # columns the function sees
    adds: Adds  # columns of its layer
    key: str | None = None  # exchange: the column that rows are brought together by; "$name" = the parameter's value
    emit: Callable[..., Any] | None = None  # exchange: batch → keys; None = the columns read are the keys
    gather: Callable[..., Any] | None = None  # exchange: what all partitions found → verdicts
    beside: Callable[[Mapping[str, Any]], Sequence[Any]] | None = None  # exchange: parameters → `exchange.Beside`s
    settle: Callable[..., Any] | None = None  # exchange: several verdicts for a row → one
    connects: bool = False  # exchange: what partitions find are pairs of nodes; `gather` gets connected components
    piecewise: bool = False  # exchange: the function gets `exchange.Pieces` instead of one table
    keys: Callable[[Mapping[str, Any], int, int], int] | None = None  # exchange: parameters, rows, bytes → key rows
    weight: int | Callable[[Mapping[str, Any]], int] = 0  # exchange: memory of one key row, bytes
    check: Callable[..., None] | None = None  # parameters → RecipeError, before any work
    resolve: Resolve | None = None  # inputs and parameters → parameters as they are recorded
    edits: tuple[str, ...] = ()  # columns of its layer in which null means "as it was"
    notes: Callable[..., Sequence[str]] | None = None  # parameters → lines that `plan` shows under the step
    drops: Mapping[str, str] = field(default_factory=dict)  # reasons it gives → what they mean
    file: str = ""

    def __call__(self, *inputs: Table, **params: Any) -> Table:
        """Checks the parameters and returns the Table that would be built."""
        for given in inputs:
            if not isinstance(given, Table):
                raise RecipeError(
                    f"{self.name} takes tables as positional arguments, got {type(given).__name__}",
                    remedy=f"parameters are keyword-only; to run it on a batch at once use {self.name}.function(batch)",
                )
        if self.kind != "ingest" and len(inputs) != 1:
            raise RecipeError(f"{self.name} takes one table, got {len(inputs)}")
        bound = self.bind(params)
        if self.resolve is not None:
            bound = self.resolve(inputs, bound)
            canonical(bound, where=self.name)
        return Table(self, inputs, bound)

    def bind(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters with defaults filled in, checked to be known and plain."""
        known = {
            name: p
            for name, p in inspect.signature(self.function).parameters.items()
            if p.kind is inspect.Parameter.KEYWORD_ONLY
        }
        for name in params:
            if name not in known:
                raise RecipeError(
                    f"{self.name} has no parameter {name!r}", remedy=f"it has: {', '.join(known) or 'none'}"
                )
        bound = {}
        for name, parameter in known.items():
            if name in params:
                bound[name] = params[name]
            elif parameter.default is not inspect.Parameter.empty:
                bound[name] = parameter.default
            else:
                raise RecipeError(f"{self.name} needs the parameter {name!r}")
            canonical(bound[name], where=f"{self.name}({name}=…)")
        if self.check is not None:
            self.check(**bound)
        return bound

    def columns_read(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """The columns the function sees, which may depend on its parameters."""
        return self.reads(params) if callable(self.reads) else self.reads

    def columns_added(self, params: Mapping[str, Any]) -> Columns:
        """The columns of its layer, which may depend on its parameters."""
        return self.adds(params) if callable(self.adds) else self.adds

    def key_rows(self, params: Mapping[str, Any], rows: int, size: int) -> int:
        """About how many rows of keys an exchange has of so many rows with so many bytes of content."""
        return self.keys(params, rows, size) if self.keys else rows

    def weight_of(self, params: Mapping[str, Any]) -> int:
        """Bytes of memory that one key row of an exchange takes while it is resolved."""
        return self.weight(params) if callable(self.weight) else self.weight

    @functools.cached_property
    def code(self) -> str:
        """Hash of the source of its functions: a warning is given when it changed and the version did not."""
        hash = hashlib.sha256()
        for function in (self.function, self.emit, self.gather, self.settle):
            with contextlib.suppress(OSError, TypeError):  # none, or typed at a prompt: there is no source
                hash.update(inspect.getsource(function).encode())  # type: ignore[arg-type]
        return hash.hexdigest()[:16]

    def words(self, reasons: Iterable[str]) -> dict[str, Any]:
        """For the manifest: what it does (the first line of its docstring), and what reasons mean that it gave."""
        known = {"crashed": CRASHED, **self.drops}
        says = (inspect.getdoc(self.function) or "").partition("\n")[0]
        return {"says": says, "drops": {reason: known[reason] for reason in sorted(reasons) if reason in known}}

    def identity(self) -> dict[str, Any]:
        """Name and version; of a user's own step its code as well, for two files can have one name."""
        ours = self.function.__module__.startswith("codemill.")
        return {"step": self.name, "version": self.version, **({} if ours else {"code": self.code})}

    def __reduce__(self) -> tuple[Any, ...]:
        # A step travels to workers by name, never by value.
        return (_load_step, (self.function.__module__, self.function.__qualname__, self.file))


@dataclass(frozen=True, eq=False)
class Table:
    """A handle on what a step would build from its inputs. Making one runs nothing."""

    step: Step
    inputs: tuple[Table, ...]
    params: Mapping[str, Any]

    def layers(self) -> list[Table]:
        """The stack from the base layer to this one."""
        return [*(self.inputs[0].layers() if self.inputs else ()), self]

    def __repr__(self) -> str:
        return " → ".join(t.step.name for t in self.layers())


def step(
    *,
    version: int,
    reads: Reads = (),
    adds: Adds,
    kind: str = "batch",
    check: Callable[..., None] | None = None,
    resolve: Resolve | None = None,
    edits: tuple[str, ...] = (),
    notes: Callable[..., Sequence[str]] | None = None,
    drops: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], Step]:
    """Makes a *batchwise* step of a function `(record batch, *, params) -> record batch`.

    The function sees the living rows of `reads` and returns `adds`, row for row. To drop rows it returns a
    `reason` (see `VERDICT`). `check` gets the parameters when the step is called and raises RecipeError on wrong
    values, so that no work is done for nothing. `resolve(inputs, params) -> params` turns parameters as people write
    them into what is recorded and identifies the table: names completed by versions, say. `reads` and `adds` may be
    functions of the parameters. A column of `adds` named in `edits` changes an older one where it is not null.
    `notes` gets the parameters when a plan is shown, and returns lines: what the values mean, where the numbers alone
    do not say it. `drops` says what the reasons mean, to complete "dropped because it is …" for those who read the
    report.

    >>> @step(version=1, reads=("size",), adds={"reason": pa.string()}, drops={"tiny": "smaller than it may be"})
    ... def tiny(batch, *, below: int = 100):
    ...     small = pa.compute.less(batch["size"], below)
    ...     return pa.record_batch({"reason": pa.compute.if_else(small, "tiny", None)})
    >>> tiny.version, tiny.kind
    (1, 'batch')
    """

    if kind not in ("batch", "ingest"):
        raise RecipeError(f"there is no kind of step {kind!r}", remedy='kinds are "batch", "ingest", and @exchange')

    return _made(version, kind, reads, adds, check=check, resolve=resolve, edits=edits, notes=notes, drops=drops or {})


def _made(version: int, kind: str, reads: Reads, adds: Adds, **more: Any) -> Callable[[Callable[..., Any]], Step]:
    def decorate(function: Callable[..., Any]) -> Step:
        columns = adds if callable(adds) else dict(adds)
        return Step(_name(function), version, kind, function, reads, columns, file=_file(function), **more)

    return decorate


KEY_BYTES = 400
"""Memory of a key row of about 100 bytes while its partition is resolved: it is held in four forms."""


def exchange(
    *,
    version: int,
    reads: Reads,
    key: str,
    adds: Adds,
    emit: Callable[..., Any] | None = None,
    gather: Callable[..., Any] | None = None,
    beside: Callable[[Mapping[str, Any]], Sequence[Any]] | None = None,
    settle: Callable[..., Any] | None = None,
    connects: bool = False,
    piecewise: bool = False,
    keys: Callable[[Mapping[str, Any], int, int], int] | None = None,
    weight: int | Callable[[Mapping[str, Any]], int] = KEY_BYTES,
    check: Callable[..., None] | None = None,
    notes: Callable[..., Sequence[str]] | None = None,
    drops: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], Step]:
    """Makes an *exchange* step of a function `(keys table, *, params) -> verdict table`.

    All rows with equal `key` (a uniformly distributed hash: fixed-size binary of 8 bytes or more, or uint64) meet in
    one call, with many other keys. The function sees the columns emitted and two more, `part` and `row`, which say
    where the row lives; it returns `part`, `row` and `adds` for the rows it has something to say about, at most once
    each. `key="$name"` takes the column that the parameter `name` names.

    `emit(batch, rows, **params) -> (keys, rows)` turns living rows into keys, as many as it likes for each; without it
    the columns read are the keys. With `gather(tables, **params) -> verdict table` the function may return anything,
    and `gather` makes verdicts of what all partitions found, in one process. With `connects=True` what is found are
    pairs of nodes (`a`, `b`: uint64) of a graph of any size, and `gather` gets every node as `a` with the smallest node
    it is connected with as `b`: all at once, or in as many calls as there are partitions. `piecewise` hands the
    function `exchange.Pieces` instead of a table, for keys too large to hold at once. `weight` sizes the partitions:
    memory for each row of keys, of which there is one for each living row, or what `keys(params, rows, bytes)` says of
    so many rows with so many bytes of content.
    `beside(params)` names keys from elsewhere that take part (`exchange.Beside`). With `settle(verdicts) -> verdicts`
    partitions may find several verdicts for one row, and it makes one of them.
    """

    return _made(
        version,
        "exchange",
        reads,
        adds,
        key=key,
        emit=emit,
        gather=gather,
        beside=beside,
        settle=settle,
        connects=connects,
        piecewise=piecewise,
        keys=keys,
        weight=weight,
        check=check,
        notes=notes,
        drops=drops or {},
    )


def canonical(value: Any, *, where: str) -> Any:
    """Plain data in one form only, ready for JSON: the alphabet in which identities are written.

    None, bool, int, finite float, str, lists and tuples, dicts with string keys, frozen dataclasses of these.
    Raises: RecipeError on anything else.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise RecipeError(f"a parameter must be finite, got {value}", where=where)
        return value
    if isinstance(value, list | tuple):
        return [canonical(v, where=f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, Mapping):
        for k in value:
            if not isinstance(k, str):
                raise RecipeError(f"keys of a parameter must be strings, got {k!r}", where=where)
        return {k: canonical(v, where=f"{where}[{k!r}]") for k, v in sorted(value.items())}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **canonical(fields, where=where)}
    raise RecipeError(
        f"a parameter must be plain data, got {type(value).__name__}",
        where=where,
        remedy="pass numbers, strings, lists, dicts or frozen dataclasses of these",
    )


def digest(value: Any) -> str:
    """Fingerprint of plain data: 20 hex digits (80 bits) of the SHA-256 of its canonical JSON."""
    text = json.dumps(canonical(value, where="fingerprint"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


def _file(function: Callable[..., Any]) -> str:
    return getattr(sys.modules.get(function.__module__), "__file__", None) or ""


def load_module(name: str, file: str) -> ModuleType:
    """Imports a module by name or, for a user's own file, from where it is, under a name of its own."""
    if name in sys.modules and name != "__main__":
        return sys.modules[name]
    if name != "__main__" and importlib.util.find_spec(name.partition(".")[0]) is not None:
        return importlib.import_module(name)
    return module_from_file(Path(file))


def module_from_file(path: Path) -> ModuleType:
    """Imports `path/to/file.py` as a module named after it. Raises: RecipeError if it cannot be imported."""
    alias = f"codemill_user_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}.{path.stem}"
    if alias in sys.modules:
        return sys.modules[alias]
    spec = importlib.util.spec_from_file_location(alias, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise RecipeError("no such Python file", where=path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[alias]
        raise RecipeError(f"the file cannot be imported: {type(error).__name__}: {error}", where=path) from error
    return module


def _load_step(module: str, qualname: str, file: str) -> Step:
    found: Any = load_module(module, file)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, Step):
        raise RecipeError(
            f"a worker cannot find the step {qualname}",
            where=module,
            remedy="define steps at the top of a module",
        )
    return found
