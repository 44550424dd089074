"""Custom signals: decorated Python functions in a file of the user.

They are measured in the same pass as the built-in ones, and slower.

    # my_signals.py
    import codemill as cm

    @cm.signal(version=1)
    def tabs(document):
        \"\"\"Share of characters that are tabs. …\"\"\"

A recipe names it `"my_signals.py:tabs"`. The code of the file is part of the identity of a table; its location is not.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from codemill.errors import RecipeError, did_you_mean
from codemill.machine.modules import module_from_file
from codemill.signals.catalogue import SECTIONS, Signal, example, parse

DOC_TYPES = ("code", "data", "text")


@dataclass(frozen=True)
class Document:
    """A document as a custom signal sees it."""

    content: str
    language: str = ""
    doc_type: str = "code"  # code | data | text
    path: str = ""
    size: int | None = None  # bytes as found


@dataclass(frozen=True)
class CustomSignal:
    """A function `(Document) -> float | None` with its documentation; made by `signal`."""

    function: Callable[[Document], float | None]
    version: int
    documents: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the function and of its column."""
        return self.function.__name__

    @property
    def facts(self) -> Signal:
        """Its catalogue entry, read from its docstring."""
        doc = parse(self.function.__doc__ or "")
        return Signal(self.name, "custom", self.version, self.documents, *doc.values())

    def __call__(self, document: Document) -> float | None:
        """Measures one document. None where the signal does not apply to its type or language."""
        if document.doc_type not in self.documents and document.language not in self.documents:
            return None
        value = self.function(document)
        return None if value is None or not math.isfinite(value) else float(value)


def signal(*, version: int, documents: Sequence[str] = DOC_TYPES) -> Callable[..., CustomSignal]:
    """Turns a function `(document) -> float | None` into a signal. It applies to the types or languages in `documents`.

    Raises: RecipeError if `documents` is a string.

    >>> @signal(version=1)
    ... def tabs(document):
    ...     return document.content.count("\\t")
    >>> tabs(Document("a\\tb")), tabs.name
    (1.0, 'tabs')
    """
    if isinstance(documents, str):
        raise RecipeError(f"documents must be a list, got {documents!r}", remedy=f'write documents=["{documents}"]')
    return lambda function: CustomSignal(function, version, tuple(documents))


@dataclass(frozen=True)
class Custom:
    """A custom signal as a recipe records it. `code` is the hash of its file: after an edit it is measured again."""

    name: str
    version: int
    code: str
    file: str
    PLACES: ClassVar[tuple[str, ...]] = ("file",)

    def load(self) -> CustomSignal:
        """Imports the signal. Raises: RecipeError if its file is gone or has changed."""
        current = resolve(f"{self.file}:{self.name}")
        if current.code != self.code:
            raise RecipeError("a custom signal changed during the run", where=self.file, remedy="run again")
        return getattr(module_from_file(Path(self.file)), self.name)  # type: ignore[no-any-return]


def resolve(spec: str) -> Custom:
    """The signal at `path/to/file.py:name`. Raises: RecipeError if the file or the signal does not exist."""
    path, _, name = spec.rpartition(":")
    if not path.endswith(".py"):
        raise RecipeError(f"a custom signal is written path/to/file.py:name, got {spec!r}")
    module = module_from_file(Path(path))
    signals = {key: value for key, value in vars(module).items() if isinstance(value, CustomSignal)}
    if name not in signals:
        remedy = did_you_mean(name, signals) if signals else "put @cm.signal(version=1) above the function"
        raise RecipeError(f"there is no signal {name!r}", where=path, remedy=remedy)
    code = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    return Custom(name, signals[name].version, code, str(Path(path).resolve()))


def measure_custom(signals: Sequence[Custom], batch: pa.RecordBatch) -> tuple[dict[str, pa.Array], list[int]]:
    """Measures custom signals of a batch with content, language, doc_type, path and size.

    Returns their columns, and for each row how many signals raised. A signal that raises is null for that row.
    """
    loaded = [custom.load() for custom in signals]
    columns: dict[str, list[float | None]] = {signal.name: [] for signal in loaded}
    failed = [0] * batch.num_rows
    rows: list[dict[str, Any]] = batch.to_pylist() if loaded else []
    for i, row in enumerate(rows):
        complete = row["content"] is not None and row["language"] is not None and row["doc_type"] is not None
        fields = {key: "" if row[key] is None else row[key] for key in ("content", "language", "doc_type", "path")}
        document = Document(**fields, size=row["size"])
        for signal in loaded:
            value = None
            if complete:
                try:
                    value = signal(document)
                except Exception:  # counted in signal_errors: failure is a value, never a number
                    failed[i] += 1
            columns[signal.name].append(value)
    return {name: pa.array(values, pa.float64()) for name, values in columns.items()}, failed


DEPTH, HUGE = 20_000, 2_000_000
HOSTILE = {
    "empty": "",
    "a newline": "\n",
    "binary-like": "\x00\x01\ufffd\u202e" * 500,
    "no newline": "x" * HUGE,
    "only newlines": "\n" * HUGE,
    "many words": "ab cd " * (HUGE // 6),
    "deep brackets": "(" * DEPTH + ")" * DEPTH,
    "unclosed brackets": "[{(" * DEPTH,
    "deep signs": "-" * DEPTH + "1",
    "deep tags": "<a>" * DEPTH,
    "unclosed strings": "'\"" * DEPTH,
    "unclosed comments": "/*" * DEPTH + '"""',
    "astral": "𝕏é" * 1_000,
}
"""Texts on which a signal must not fail, and must give the same value each time."""


def check(signal: CustomSignal) -> list[str]:
    """Tests a custom signal. Returns its problems as sentences; an empty list if there are none.

    The docstring must have the sections Unit, Null, Why, From and Example, and the example must run. On every text of
    `HOSTILE` the signal must return a number or None, and the same value twice.
    """
    facts = signal.facts
    values = {"Unit": facts.unit, "Null": facts.null, "Why": facts.why, "From": facts.source, "Example": facts.example}
    problems = [f"{signal.name}: the docstring has no section {name}:" for name in SECTIONS if not values[name]]
    if problems and all(f"{name}:" in (signal.function.__doc__ or "") for name in SECTIONS):
        hint = 'if an example has a backslash, write r""" before the docstring; each section begins a line'
        problems = [f"{signal.name}: the sections of the docstring cannot be told apart. Hint: {hint}"]
    kind = signal.documents[0] if signal.documents else ""
    as_type = kind if kind in DOC_TYPES else "code"
    language = "" if kind in DOC_TYPES else kind
    if facts.example:
        try:
            shown = example(facts.example)
            got = signal(Document(shown.text, shown.language, as_type))
            if got != shown.value:
                problems.append(f"{signal.name}: the example gives {got}, not {shown.value}")
        except Exception as error:
            problems.append(f"{signal.name}: the example cannot be run: {type(error).__name__}: {error}")
    for name, text in HOSTILE.items():
        document = Document(text, language, as_type, "a", len(text))
        try:
            first, second = signal(document), signal(document)
        except Exception as error:
            problems.append(f"{signal.name}: on {name} it raises {type(error).__name__}: {error}")
            continue
        if first != second:
            problems.append(f"{signal.name}: on {name} it gives {first}, then {second}")
    return problems
