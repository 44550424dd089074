"""Benchmark: what is known of a published format. An entry is a file of this package with a `BENCHMARK` in it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from codemill import catalog
from codemill.benchmarks import _files
from codemill.benchmarks._row import Row
from codemill.benchmarks.protocol import Protocol
from codemill.benchmarks.task import Task
from codemill.errors import InputError, RecipeError, did_you_mean


@dataclass(frozen=True)
class File:
    """A published file: its address, and the SHA-256 of what is in it, unpacked, where that is known."""

    address: str
    sha256: str = ""


@dataclass(frozen=True)
class Benchmark:
    """A benchmark and how its published files are read. Nothing of it is part of codemill."""

    name: str  # key: "humaneval"
    title: str  # as its authors write it
    languages: str  # what its programs are in, for people
    published: str  # address of the data
    licence: str  # of the data, as published
    shapes: tuple[frozenset[str], ...]  # fields that a row has, of each published form
    read: Callable[[Row], Task]
    begins: str = ""  # of the task's id, where forms of two benchmarks have the same fields
    counts: tuple[int, ...] = ()  # tasks of complete files
    members: Callable[[Path], Iterator[Task] | None] | None = None  # reads a folder or an archive as a whole
    protocols: Mapping[str, Protocol] = field(
        default_factory=dict
    )  # how it is asked and judged, by the name of what is asked
    files: tuple[File, ...] = ()  # what `codemill benchmarks --fetch` gets
    note: str = ""  # what one should know before using it


@functools.cache
def all() -> tuple[Benchmark, ...]:
    """Every benchmark, sorted by name.

    >>> "humaneval" in {benchmark.name for benchmark in all()}
    True
    """
    found = [getattr(module, "BENCHMARK", None) for module in catalog.modules("codemill.benchmarks")]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.name))


def get(name: str) -> Benchmark:
    """The benchmark of that name. Raises: RecipeError with the nearest names."""
    known = {one.name: one for one in all()}
    if name not in known:
        raise RecipeError(f"there is no benchmark {name!r}", remedy=did_you_mean(name, known))
    return known[name]


def recognise(row: Mapping[str, Any]) -> Benchmark | None:
    """The benchmark whose published rows have these fields; the form with most fields if several fit.

    >>> recognise({"code": "", "input": "", "output": "", "id": "sample_0"}).name
    'cruxeval'
    """
    best, most = None, 0
    for one in all():
        if one.begins and not str(row.get("task_id", row.get("id", ""))).startswith(one.begins):
            continue
        for shape in one.shapes:
            if len(shape) > most and shape <= row.keys():
                best, most = one, len(shape)
    return best


def read(path: Path | str, *, benchmark: str | None = None) -> Iterator[Task]:
    """The tasks of a published file, in order: JSON lines, a JSON list or Parquet, packed or not, or an archive.

    The format is recognised by the fields of the first row; `benchmark` names it instead. Fields that are not known are
    carried in `Task.more`. Raises: InputError for a file that is none of the formats, and for a row that is malformed,
    with its number.
    """
    path = Path(path)
    chosen = get(benchmark) if benchmark else None
    for one in [chosen] if chosen else all():
        whole = one.members(path) if one.members else None
        if whole is not None:
            yield from (replace(task, benchmark=one.name) for task in whole)
            return
    for number, row in enumerate(_files.rows(path), start=1):
        chosen = chosen or recognise(row)
        if chosen is None:
            raise InputError(
                f"no known benchmark has rows with the fields {', '.join(sorted(row)) or '(none)'}",
                where=path,
                remedy="`codemill benchmarks` lists the formats; give a file of your own the form of `own`",
            )
        yield replace(chosen.read(Row(row, f"{path}, row {number}")), benchmark=chosen.name)


def find(folder: Path | str) -> dict[Path, Benchmark | None]:
    """The files below a folder that could hold tasks, sorted, and which benchmark each is of. None: of none.

    A file can be given instead of a folder. Only first rows are read. Raises: InputError if there is no such folder or
    file, and for a file that is damaged.
    """
    folder = Path(folder)
    return {path: _kind(path) for path in _files.candidates(folder)}


def _kind(path: Path) -> Benchmark | None:
    for one in all():
        if one.members is not None and one.members(path) is not None:
            return one
    first = next(_files.rows(path), None) if _files.holds_rows(path) else None
    return None if first is None else recognise(first)
