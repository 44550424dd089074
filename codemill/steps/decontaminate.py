"""Drops documents that have tasks of benchmarks in them: by 10-grams of words and of code, of chat rows also by name.

    items   files of benchmarks → the parts of their tasks (prompt, answer, tests)     files
    drop    a document that has a share of a part's n-grams → verdict                  layer

From: OpenCoder, section 4.4 (arXiv 2411.04905), which drops rows with an entry point or a 10-gram of a test set. A bare
name is no evidence here: the entry points of HumanEval and MBPP are defined in 8.5 % of ordinary Python files.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from codemill import _core, benchmarks, languages
from codemill.columns import one
from codemill.errors import InputError, RecipeError
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import Table, folder, step
from codemill.steps import _parts

log = logging.getLogger("codemill")

PARTS = "parts.parquet"
FAILED = "benchmark_failed"
_BETWEEN = pa.scalar("\n\n", pa.large_string())
_AT_A_TIME = 1024  # parts that are in memory before they are written


@dataclass(frozen=True)
class Files:
    """Files of benchmarks: a folder or one file. Their identity is their content.

    Raises: InputError if there is none, or one given by name is of no known form. In a folder, a file of no known form
    is named in a warning.
    """

    path: str
    files: tuple[tuple[str, str], ...] = field(init=False)  # name of the benchmark, SHA-256

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def __post_init__(self) -> None:
        found = benchmarks.find(self.path)
        known = {path: benchmark for path, benchmark in found.items() if benchmark is not None}
        if not known:
            raise InputError(
                "there are no tasks of benchmarks in a known form",
                where=self.path,
                remedy="`codemill benchmarks` lists the forms, and where each is published",
            )
        for path in sorted(found.keys() - known.keys()):
            log.warning("decontaminate: %s is of no known form and is not read", path)
        object.__setattr__(self, "files", tuple((one.name, _sha256(path)) for path, one in known.items()))

    def tasks(self) -> Sequence[Path]:
        """The files that are of a known form, sorted."""
        return [path for path, benchmark in benchmarks.find(self.path).items() if benchmark is not None]


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def clear_of(
    documents: Table,
    *,
    benchmarks: Sequence[str],
    columns: Sequence[str] = ("content",),
    language: str | None = "language",
    names: bool = False,
    ngram: int = 10,
    words_share: float = 0.7,
    code_share: float = 0.9,
    least: int = 4,
    common: int = 256,
    shortest: int = 12,
) -> Table:
    """Documents without tasks of the benchmarks whose folders or files are given; the same table if none is.

    See `drop` for the parameters. The defaults are measured: docs/decontamination.md.
    """
    if not benchmarks:
        return documents
    parts = items(benchmarks=tuple(Files(path) for path in benchmarks))
    return drop(
        documents,
        parts,
        columns=tuple(columns),
        language=language,
        names=names,
        ngram=ngram,
        words_share=words_share,
        code_share=code_share,
        least=least,
        common=common,
        shortest=shortest,
    )


@folder(version=3)
def items(*, out: OutFolder, benchmarks: tuple[Files, ...]) -> dict[str, int]:
    """The parts of all tasks that documents are compared with. They stay in the working folder: nothing publishes them.

    Raises: InputError for a row that is malformed, with its file and number.
    """
    counts = {"files": 0, "tasks": 0, "parts": 0}
    with pq.ParquetWriter(out.path / PARTS, _SCHEMA, compression="zstd") as writer:
        rows: list[dict[str, str]] = []
        for path in [path for files in benchmarks for path in files.tasks()]:
            counts["files"] += 1
            for task in _read(path):
                counts["tasks"] += 1
                rows += [_row(part, task) for part in _parts.parts(task)]
                if len(rows) >= _AT_A_TIME:
                    counts["parts"] += len(rows)
                    writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))
                    rows = []
        writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))
        counts["parts"] += len(rows)
    return counts


_read = benchmarks.read  # `items` has a parameter of that room's name

_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("view", "reason", "language", "name", "benchmark", "task")),
        ("text", pa.large_string()),
        ("tests", pa.large_string()),
    ]
)


def _row(part: _parts.Part, task: benchmarks.Task) -> dict[str, str]:
    about = {"language": task.language, "benchmark": task.benchmark, "task": task.id}
    return {**part.__dict__, **about}


def _check(*, ngram: int, words_share: float, code_share: float, **_: Any) -> None:
    if not 1 <= ngram <= 16:
        raise RecipeError(f"an n-gram has 1 to 16 words, got {ngram}", remedy="10 is the paper's")
    for name, share in (("words_share", words_share), ("code_share", code_share)):
        if not 0 < share <= 1:
            raise RecipeError(f"{name} is a share above 0 and up to 1, got {share}")


def _reads(params: Any) -> tuple[str, ...]:
    more = (params["language"],) if params["language"] is not None else ()
    return tuple(dict.fromkeys((*params["columns"], *more)))


@step(
    version=1,
    reads=_reads,
    adds={
        "reason": pa.string(),
        "value": pa.string(),
        "benchmark": pa.string(),
        "benchmark_task": pa.string(),
        "benchmark_share": pa.float32(),
    },
    ledger=("benchmark", "benchmark_task", "benchmark_share"),
    check=_check,
    knows=lambda: [_core.OVERLAP_VERSION, languages.fingerprint()],
    drops={
        _parts.PROMPT: "it has the prompt of a benchmark's task",
        _parts.SOLUTION: "it has the answer of a benchmark's task",
        _parts.TESTS: "it has the tests of a benchmark's task",
        FAILED: "it could not be compared with the benchmarks, so it was set aside",
        _parts.NAME: "it names the function of a benchmark's task, with its parameters or with its tests",
    },
)
def drop(
    documents: pa.RecordBatch,
    items: Reading,
    *,
    columns: tuple[str, ...],
    language: str | None,
    names: bool,
    ngram: int,
    words_share: float,
    code_share: float,
    least: int,
    common: int,
    shortest: int,
) -> pa.RecordBatch:
    """Drops documents that have a part of a benchmark's task: most of its n-grams, within a stretch of its length.

    N-grams of `ngram` words as they stand, and of `ngram` tokens of code in which names, comments, white space and how
    literals are written do not count. `words_share` and `code_share` say how many of a part's different n-grams are
    enough, at least `least`; those in more than `common` parts count for none. Parts of fewer than two n-grams of
    tokens, and at least `shortest` tokens, are found if all their tokens stand in a row with the same names. With
    `names`, which is for chat rows, an entry point counts too: with its parameters if its name has two words, or with
    arguments of its tests.

    Shape: `columns` of text, of lists of texts or of lists of messages (structs with `content`) in. A document whose
    `language` is that of a program is read as one; any other by its fenced blocks. Null: no reason; then no task, no
    share.
    """
    about, index = _index(str(items.folder / PARTS), ngram, words_share, code_share, least, common, shortest)
    found = index.find(_texts(documents, columns), _kinds(documents, language), syntaxes=_syntaxes(), names=names)
    part, share = found.field("part"), found.field("share")
    hit = about.take(part)
    shares = [None if value is None else f", {value:.0%}" for value in share.to_pylist()]
    return pa.record_batch(
        {
            "reason": pc.if_else(found.field("failed"), FAILED, one(hit["reason"])),
            "value": pc.binary_join_element_wise(one(hit["task"]), pa.array(shares, pa.string()), ""),
            "benchmark": one(hit["benchmark"]),
            "benchmark_task": one(hit["task"]),
            "benchmark_share": share,
        }
    )


@functools.lru_cache(maxsize=2)
def _index(
    path: str, ngram: int, words_share: float, code_share: float, least: int, common: int, shortest: int
) -> tuple[pa.Table, _core.Overlap]:
    """The parts, and their index: made once a process."""
    parts = pq.read_table(path)
    index = _core.Overlap(
        *(one(parts[name]) for name in ("view", "text", "language", "name", "tests")),
        ngram=ngram,
        words_share=words_share,
        code_share=code_share,
        least=least,
        common=common,
        shortest=shortest,
        aliases=_fences(),
        syntaxes=_syntaxes(),
    )
    return parts.select(["reason", "benchmark", "task"]), index


def _syntaxes() -> _core.Syntaxes:
    return languages.syntaxes()


def _fences() -> dict[str, str]:
    """The word behind a fence → a language."""
    return benchmarks.language_keys()


def _texts(documents: pa.RecordBatch, columns: Sequence[str]) -> pa.Array:
    """One text a row: that of all columns, with empty lines between."""
    texts = [_text(documents[name], name) for name in columns]
    return texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, _BETWEEN, null_handling="skip")


def _text(column: pa.Array, name: str) -> pa.Array:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.large_string())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        rows = column.to_pylist()
        return pa.array([None if row is None else "\n\n".join(map(_said, row)) for row in rows], pa.large_string())
    raise RecipeError(f"the column {name} has {kind}, no text", remedy="name columns of texts or of messages")


def _said(entry: Any) -> str:
    """A text, or what a message says: `content`, or `value` as sharegpt has it."""
    if isinstance(entry, dict):
        entry = entry.get("content", entry.get("value"))
    return entry if isinstance(entry, str) else ""


def _kinds(documents: pa.RecordBatch, language: str | None) -> pa.Array:
    """The language of each document that is a program; null for prose, pages, notebooks and what is not known."""
    if language is None:
        return pa.nulls(documents.num_rows, pa.string())
    column = documents[language].cast(pa.string())
    programs = pa.array(sorted(_programs()), pa.string())
    return pc.if_else(pc.fill_null(pc.is_in(column, value_set=programs), False), column, pa.scalar(None, pa.string()))


@functools.cache
def _programs() -> frozenset[str]:
    return frozenset(one.name for one in languages.all() if one.doc_type != "text") - {"jupyter notebook"}
