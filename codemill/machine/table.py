"""Step and Table: what is to be done, as plain values. Nothing in this file touches a disk.

A **step** is a pure function. Decorated, it becomes a verb of recipes: calling it with tables and keyword parameters
runs nothing and returns a **Table**, a handle on what would be built. Tables and their inputs are a graph.

A step either adds a layer to its first input or begins a table. A table is a stack of row-aligned layers; a layer with
a `reason` drops the rows where it is not null. Content never moves: a step that decides writes a few bytes for each
row, and a step that changes content writes the new content as a column of its layer, which hides the older one.

    ingest.documents   id repo path … content   reason      ← begins
    detect.language    language doc_type …                   ← layers beside it, row for row
    dedup.exact        reason kept_id similarity

Further inputs are read and enter identity; they are never stacked.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import pickle
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pyarrow as pa

from codemill.errors import RecipeError
from codemill.machine.identity import canonical, digest
from codemill.machine.kinds import (
    ADDS_A_LAYER,
    KEY_BYTES,
    Adds,
    Columns,
    Exchange,
    Folder,
    Group,
    Kind,
    Layer,
    Opened,
    Params,
    Published,
    Reads,
    Rows,
    Source,
)
from codemill.machine.modules import load_module

if TYPE_CHECKING:
    from codemill.machine.progress import Forecast
    from codemill.machine.reading import Around, Reading

Resolve: TypeAlias = Callable[[tuple["Table", ...], dict[str, Any]], dict[str, Any]]
S = TypeVar("S", bound="Step")
USES = ("core", "connections", "machine")
MADE: Columns = {"id": pa.string(), "parent": pa.string(), "size": pa.int64()}
"""The columns of every rows step that the machine fills in."""

CRASHED = "it crashed the process that worked on it, so it was set aside"


@dataclass(frozen=True, eq=False)
class Step:
    """A verb of recipes: a pure function with what the machine must know to run it.

    Made by the decorators of this file. Calling it with tables returns a Table; `step.function` is the plain function,
    for tests and notebooks.
    """

    name: str  # "dedup.exact": last part of the module, then the function
    version: int
    function: Callable[..., Any]
    how: Kind
    reads: Reads = ()  # columns the function sees of its first input (a group: of each)
    adds: Adds = field(default_factory=dict)  # columns of what it makes
    uses: str = "core"  # what a task of it needs: "core" | "connections" (all in one process) | "machine" (alone on it)
    drops: Mapping[str, str] = field(default_factory=dict)  # its reasons, each as a phrase for people
    ledger: Columns = field(default_factory=dict)  # of its columns those that the ledger shows
    check: Callable[..., None] | None = None  # parameters → RecipeError, before any work
    resolve: Resolve | None = None  # inputs and parameters → parameters as they are recorded
    notes: Callable[..., Sequence[str]] | None = None  # parameters → lines that `plan` shows under the step
    listed: Callable[..., Sequence[str]] | None = None  # repositories listed, parameters → lines about the inputs
    tells: tuple[str, ...] = ()  # parameters that decide nothing: they tell the readers of the manifest
    knows: Callable[[], Any] | None = None  # identifies what it knows besides its parameters: tables, prompts, kernels
    file: str = ""

    def __call__(self, *inputs: Table, **params: Any) -> Table:
        """Checks the parameters and returns the Table that would be built."""
        for given in inputs:
            if not isinstance(given, Table):
                raise RecipeError(
                    f"{self.name} takes tables as positional arguments, got {type(given).__name__}",
                    remedy=f"parameters are keyword-only; to run it on a batch at once use {self.name}.function(batch)",
                )
        self._check_inputs(inputs)
        bound = self.bind(params)
        if self.resolve is not None:
            bound = self.resolve(inputs, bound)
            canonical(bound, where=self.name)
        return Table(self, inputs, bound)

    def _check_inputs(self, inputs: Sequence[Table]) -> None:
        least, most = self._inputs()
        if len(inputs) < least or (most is not None and len(inputs) > most):
            wanted = (
                f"{least} or more tables"
                if most is None
                else {0: "no table", 1: "one table"}.get(most, f"{most} tables")
            )
            raise RecipeError(f"{self.name} takes {wanted}, got {len(inputs)}")
        if inputs and isinstance(self.how, (*ADDS_A_LAYER, Rows)) and isinstance(inputs[0].step.how, Folder):
            raise RecipeError(f"{self.name} takes a table of rows first, {inputs[0].step.name} makes files")

    def _inputs(self) -> tuple[int, int | None]:
        """How few and how many tables it takes; None = any number."""
        if isinstance(self.how, Source | Opened):
            return 0, 0
        if isinstance(self.how, Group):
            return 1, None
        if isinstance(self.how, Exchange):
            return 1, None if self.how.other_keys else 1
        kinds = [p.kind for p in inspect.signature(self.function).parameters.values()]
        named = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD) + kinds.count(inspect.Parameter.POSITIONAL_ONLY)
        return named, None if inspect.Parameter.VAR_POSITIONAL in kinds else named

    def bind(self, params: Params) -> dict[str, Any]:
        """Parameters with defaults filled in, checked to be known and plain."""
        given_by_machine = {"before"} if isinstance(self.how, Group) and self.how.before else set()
        given_by_machine |= {"out"} if isinstance(self.how, Folder) else set()
        given_by_machine |= {"around"} if getattr(self.how, "streams", False) else set()
        known = {
            name: p
            for name, p in inspect.signature(self.function).parameters.items()
            if p.kind is inspect.Parameter.KEYWORD_ONLY and name not in given_by_machine
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

    def check_settings(self, params: Params, settings: Params) -> None:
        """Raises: RecipeError if the settings of a run promise what the step cannot keep. Asked before any work."""

    def forecast(self, params: Params, rows: Reading, read: Sequence[Reading], around: Around) -> Forecast | None:
        """What a step that streams will take for these `rows`, those of its first input that are not done yet, and
        `read`, its further ones. Asked before it begins; None: nothing worth a word."""
        return None

    @property
    def kind(self) -> str:
        """The kind of step in one word: "source", "layer", "exchange", "rows", "group", "folder" or "opened"."""
        return type(self.how).__name__.lower()

    @functools.cached_property
    def code(self) -> str:
        """Hash of the source of its functions: a warning is given when it changed and the version did not."""
        hash = hashlib.sha256()
        parts = [getattr(self.how, name, None) for name in ("emit", "gather", "merge", "other_keys")]
        for function in (self.function, *parts):
            with contextlib.suppress(OSError, TypeError):  # none, or typed at a prompt: there is no source
                hash.update(inspect.getsource(function).encode())  # type: ignore[arg-type]
        return hash.hexdigest()[:16]

    def words(self, reasons: Iterable[str]) -> dict[str, Any]:
        """For the manifest: what it does (the first line of its docstring), and what reasons mean that it gave."""
        known = {"crashed": CRASHED, **self.drops}
        says = (inspect.getdoc(self.function) or "").partition("\n")[0]
        return {"says": says, "drops": {reason: known[reason] for reason in sorted(reasons) if reason in known}}

    def identity(self) -> dict[str, Any]:
        """Name, version and what it knows; of a user's own step its code as well, for two files can have one name."""
        ours = self.function.__module__.startswith("codemill.")
        known = {} if self.knows is None else {"knows": self.knows()}
        return {"step": self.name, "version": self.version, **known, **({} if ours else {"code": self.code})}

    def __reduce__(self) -> tuple[Any, ...]:
        # A step travels to workers by name, never by value.
        return (_load_step, (self.function.__module__, self.function.__qualname__, self.file))


_WRITTEN: list[tuple[Params, bytes]] = []
"""The parameters that tasks are being sent with, and how they travel."""

_CHECKED: set[str] = set()
"""Identities that are those of this process: a worker has many parts of one table to do."""


@dataclass(frozen=True)
class Call:
    """A step with its parameters, as it travels to workers. `identity` is that of the recipe's process."""

    step: Step
    params: Params
    identity: str

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker does many parts of one table: rules and prompts are written and read once, not for each of them.
        if not _WRITTEN or _WRITTEN[0][0] is not self.params:
            _WRITTEN[:] = [(self.params, pickle.dumps((self.step, dict(self.params))))]
        return (_load_call, (self.identity, _WRITTEN[0][1]))

    @staticmethod
    def of(table: Table) -> Call:
        """What is called to build a table. Sources are no part of its identity: each part has that of its own."""
        left_out = {*table.step.tells, *(("sources",) if isinstance(table.step.how, Source) else ())}
        params = {name: value for name, value in table.params.items() if name not in left_out}
        return Call(table.step, table.params, digest([table.step.identity(), params]))

    def check(self) -> None:
        """Raises: RecipeError if this process knows other tables than the recipe's (another version on a node)."""
        if self.identity in _CHECKED:
            return
        here = Call.of(Table(self.step, (), self.params)).identity
        _CHECKED.add(here)
        if here != self.identity:
            raise RecipeError(
                f"{self.step.name} is not the same here as where the recipe was read",
                remedy="is another version of codemill or of a signal's file on this node?",
            )

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns the function sees, which may depend on its parameters."""
        return self.step.reads(self.params) if callable(self.step.reads) else self.step.reads

    @property
    def adds(self) -> Columns:
        """The columns of what it makes, which may depend on its parameters."""
        return self.step.adds(self.params) if callable(self.step.adds) else self.step.adds

    @property
    def schema(self) -> pa.Schema:
        """The columns of a layer. Every layer can drop rows: any document may crash a worker."""
        return pa.schema([pa.field(n, t) for n, t in {**self.adds, "reason": pa.string()}.items()])

    @property
    def key(self) -> str:
        """The column that rows are brought together by."""
        assert isinstance(self.step.how, Exchange | Group)
        key = self.step.how.key
        return str(self.params[key[1:]]) if key.startswith("$") else key


@dataclass(frozen=True, eq=False)
class Table:
    """A handle on what a step would build from its inputs. Making one runs nothing."""

    step: Step
    inputs: tuple[Table, ...]
    params: Params

    @functools.cached_property
    def call(self) -> Call:
        """What is called to build it."""
        return Call.of(self)

    def layers(self) -> list[Table]:
        """The stack from the table that was begun to this one."""
        below = self.inputs[0].layers() if isinstance(self.step.how, ADDS_A_LAYER) else []
        return [*below, self]

    def graph(self) -> list[Table]:
        """Every table it is made of, itself last, each once, inputs first."""
        seen: dict[int, Table] = {}

        def visit(table: Table) -> None:
            waiting = [(table, iter(table.inputs))]
            while waiting:
                top, inputs = waiting[-1]
                following = next((t for t in inputs if id(t) not in seen), None)
                if following is None:
                    seen.setdefault(id(top), top)
                    waiting.pop()
                else:
                    waiting.append((following, iter(following.inputs)))

        visit(self)
        return list(seen.values())

    @property
    def published(self) -> Published:
        """What its rows look like when they are published: what the step that began it says."""
        first = self.layers()[0].step.how
        assert not isinstance(first, Layer | Exchange)
        return Published() if isinstance(first, Folder) else first.published

    def __repr__(self) -> str:
        return " → ".join(t.step.name for t in self.layers())


@dataclass(frozen=True)
class Output:
    """Something a build publishes: the rows of a table that are kept, or (`ledger`) all of them with their verdicts.

    `columns` chooses columns of the rows kept; by default those that the step which began the table names.
    """

    table: Table
    ledger: bool = False
    columns: pa.Schema | None = None

    @property
    def schema(self) -> pa.Schema | None:
        """The columns of its files; None: all that the table has. A ledger has the common columns, then those that the
        steps of its table publish."""
        if not self.ledger:
            return self.columns if self.columns is not None else self.table.published.rows
        schema = self.table.published.ledger
        for layer in self.table.layers():
            for name, kind in layer.step.ledger.items():
                if name not in schema.names:
                    schema = schema.append(pa.field(name, kind))
        return schema


Outputs: TypeAlias = Mapping[str, Table | Output]


def ledger(table: Table) -> Output:
    """All rows of a table with their verdicts: kept, or dropped by which step for which reason."""
    return Output(table, ledger=True)


def outputs_of(wanted: Table | Outputs) -> dict[str, Output]:
    """What is to be published, by name; a bare table means its rows as "corpus" and its "ledger".

    Raises: RecipeError for names that cannot be those of folders, or things that are no tables.
    """
    if isinstance(wanted, Table):
        wanted = (
            {"corpus": wanted} if isinstance(wanted.step.how, Folder) else {"corpus": wanted, "ledger": ledger(wanted)}
        )
    if not isinstance(wanted, Mapping) or not wanted:
        raise RecipeError(
            f"a recipe returns a Table or a dict of outputs, got {type(wanted).__name__}",
            remedy='such as {"corpus": documents, "ledger": cm.ledger(documents)}',
        )
    found = {}
    for name, value in wanted.items():
        if not isinstance(name, str) or not name.replace("_", "").isalnum() or not name.isascii():
            raise RecipeError(f"an output cannot be called {name!r}", remedy="use letters, digits and underscores")
        if not isinstance(value, Table | Output):
            raise RecipeError(f"the output {name!r} is a {type(value).__name__}, not a Table")
        found[name] = value if isinstance(value, Output) else Output(value)
        if found[name].ledger and isinstance(found[name].table.step.how, Folder):
            raise RecipeError(f"{found[name].table.step.name} makes files, of which there is no ledger")
    return found


# ── decorators ────────────────────────────────────────────────────────────────────────────────────────────────────


def step(
    *,
    version: int,
    reads: Reads = (),
    adds: Adds,
    edits: tuple[str, ...] = (),
    **more: Any,
) -> Callable[[Callable[..., Any]], Step]:
    """Makes a *layer* of a function `(batch, *read, **params) -> batch`, row for row.

    The function sees the living rows of `reads` and returns `adds`. To drop rows it returns a `reason`, a short
    snake_case word; `drops` says what its reasons mean. `check` gets the parameters when the step is called and raises
    RecipeError on wrong values, so that no work is done for nothing. `resolve(inputs, params) -> params` turns
    parameters as people write them into what is recorded and identifies the table: names completed by versions, say.
    `reads` and `adds` may be functions of the parameters. A column of `adds` named in `edits` changes an older one
    where it is not null. `ledger` names columns of `adds` that the ledger shows. `knows()` identifies what the step
    knows besides its parameters. `notes` gets the parameters when a plan is shown, and returns lines. Further inputs
    arrive as `reading.Reading`.

    >>> @step(version=1, reads=("size",), adds={"reason": pa.string()}, drops={"tiny": "smaller than it may be"})
    ... def tiny(batch, *, below: int = 100):
    ...     small = pa.compute.less(batch["size"], below)
    ...     return pa.record_batch({"reason": pa.compute.if_else(small, "tiny", None)})
    >>> tiny.version, tiny.kind
    (1, 'layer')
    """
    return _made(version, Layer(edits), reads, adds, **more)


def source(
    *, version: int, adds: Adds, published: Published | None = None, **more: Any
) -> Callable[[Callable[..., Any]], Step]:
    """Makes a *source* of a function `(raw batch, source, *, sources, **params) -> batch`, row for row.

    It begins a table with a row for every row of the `sources`: what cannot be used has a `reason`.
    `listed(repositories, **params)` returns lines about the inputs that `plan` and `run` show, once they are listed.
    """
    return _made(version, Source(published or Published()), (), adds, **more)


def opened(
    *, version: int, adds: Adds, published: Published | None = None, **more: Any
) -> Callable[[Callable[..., Any]], Step]:
    """Makes a step that opens the files of an earlier run in place: nothing runs, `source.pieces()` names them."""
    return _made(version, Opened(published or Published()), (), adds, **more)


def exchange(
    *,
    version: int,
    reads: Reads,
    key: str,
    adds: Adds,
    emit: Callable[..., Any] | None = None,
    other_reads: Reads = (),
    other_keys: Callable[..., Any] | None = None,
    gather: Callable[..., Any] | None = None,
    merge: Callable[..., Any] | None = None,
    finds_pairs: bool = False,
    piecewise: bool = False,
    estimate_keys: Callable[[Params, int, int], int] | None = None,
    bytes_per_key: int | Callable[[Params], int] = KEY_BYTES,
    edits: tuple[str, ...] = (),
    dropped_too: bool = False,
    **more: Any,
) -> Callable[[Callable[..., Any]], Step]:
    """Makes an *exchange* of a function `(keys table, **params) -> verdict table`.

    All rows with equal `key` (a uniformly distributed hash: fixed-size binary of 8 bytes or more, or uint64) meet in
    one call, with many other keys. The function sees the columns emitted and two more, `part` and `row`, which say
    where the row lives; it returns `part`, `row` and `adds` for the rows it has something to say about, at most once
    each. `key="$name"` takes the column that the parameter `name` names.

    `emit(batch, rows, **params) -> (keys, rows)` turns living rows into keys, as many as it likes for each; without it
    the columns read are the keys. `other_keys(batch, **params) -> keys` makes keys of the columns `other_reads` of
    further inputs: they have the part -1, and nothing can be said about them. With `gather(tables, **params) -> verdict
    table` the function may return anything, and `gather` makes verdicts of what all partitions found, in one process.
    With `finds_pairs` what is found are pairs of nodes (`a`, `b`: uint64) of a graph of any size, and `gather` gets
    every node as `a` with the smallest node it is connected with as `b`: all at once, or in as many calls as there are
    partitions. `piecewise` hands the function `exchange.Pieces` instead of a table, for keys too large to hold at once.
    With `merge(verdicts) -> verdicts` partitions may find several verdicts for one row, and it makes one of them.
    `bytes_per_key` sizes the partitions: memory for each row of keys, of which there is one for each living row, or
    what `estimate_keys(params, rows, bytes)` says of so many rows with so many bytes. A column named in `edits` changes
    an older one where it is not null. With `dropped_too` rows that were dropped before have keys like living ones.
    """
    how = Exchange(
        key,
        emit,
        other_reads,
        other_keys,
        gather,
        merge,
        finds_pairs,
        piecewise,
        estimate_keys,
        bytes_per_key,
        edits,
        dropped_too,
    )
    return _made(version, how, reads, adds, **more)


def rows(
    *, version: int, reads: Reads, adds: Adds, published: Published | None = None, **more: Any
) -> Callable[[Callable[..., Any]], Step]:
    """Makes a step that begins a table with 0…n rows for each row: `(batch, *read, **params) -> batch`.

    Each row that the function returns says in `of` which row of the batch it is made of, and may have a `reason`: then
    it is dropped, and says why. A row of the batch that nothing was made of must have such a row. The machine adds
    `parent`, the id of that row, and `id`, a hash of the step with its parameters, the parent and an ordinal: the
    number of the row among those of its parent, or the column `ordinal` (int64) where the author has a better one. It
    adds `size`, 0, where the function gives none.
    """
    full: Adds = (lambda params: {**MADE, **adds(params)}) if callable(adds) else {**MADE, **adds}
    return _made(version, Rows(published or Published()), reads, full, **more)


def group(
    *,
    version: int,
    reads: Reads,
    key: str,
    adds: Adds,
    emit: Callable[..., Any] | None = None,
    before: tuple[str, ...] = (),
    published: Published | None = None,
    **more: Any,
) -> Callable[[Callable[..., Any]], Step]:
    """Makes a step that begins a table with rows per key: `(keys table, **params) -> batch`.

    The keys of one part come sorted by `key` (as for an exchange, a uniformly distributed hash), then by where they
    live: `input`, `part`, `row`. The rows returned must be sorted by `key` too, which is a column of them. The parts
    together are sorted, and follow from the number of rows alone. `emit(batch, **params) -> keys` makes keys of the
    living rows of each input: one for each, or several, each of which says in `of` which row of the batch it is made
    of; without `emit` the columns read are the keys. With `before=("tokens",)` the function gets
    `before={"tokens": n}`: the sums of these columns over all smaller keys. The machine adds `id`, a hash of the step
    with its parameters, the key and the number of the row among those of the key, and `size`, 0, where the function
    gives none.
    """
    columns = {"id": pa.string(), "size": pa.int64()}
    full: Adds = (lambda params: {**columns, **adds(params)}) if callable(adds) else {**columns, **adds}
    return _made(version, Group(key, emit, before, published or Published()), reads, full, **more)


def folder(*, version: int, **more: Any) -> Callable[[Callable[..., Any]], Step]:
    """Makes a step that writes files: `(*read, out, **params) -> counts`.

    `out` is a `reading.OutFolder`. What is in it is not swept when a run is resumed, so that what the function runs can
    resume itself; `out.seal(name)` gives a file that is complete its receipt. Counts are numbers for the books.
    """
    return _made(version, Folder(), (), {}, **more)


@functools.lru_cache(maxsize=8)
def _load_call(identity: str, data: bytes) -> Call:
    step, params = pickle.loads(data)
    return Call(step, params, identity)


def _made(version: int, how: Kind, reads: Reads, adds: Adds, **more: Any) -> Callable[[Callable[..., Any]], Step]:
    if more.get("uses", "core") not in USES:
        raise RecipeError(f"a step cannot use {more['uses']!r}", remedy=f"one of: {', '.join(USES)}")
    return lambda function: made_as(Step, function, version, how, reads, adds, **more)


def made_as(
    kind: type[S], function: Callable[..., Any], version: int, how: Kind, reads: Reads, adds: Adds, **more: Any
) -> S:
    """A step of this class made of a function, whose name and file it takes. For decorators in other rooms.

    The function of a rows step must promise `id`, `parent` and `size` too, which the machine fills in.
    """
    columns = adds if callable(adds) else dict(adds)
    made = kind(_name(function), version, function, how, reads, columns, file=_file(function), **more)
    if not callable(made.ledger) and not isinstance(made.ledger, Mapping):
        known = columns if not callable(columns) else {}
        return replace(made, ledger={name: known[name] for name in made.ledger})
    return made


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


def _file(function: Callable[..., Any]) -> str:
    return getattr(sys.modules.get(function.__module__), "__file__", None) or ""


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
