"""What a step sees of its further inputs, and where a folder step writes."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from codemill.errors import EnvironmentProblem, RecipeError
from codemill.machine.engine import tell
from codemill.machine.layers import Part
from codemill.machine.store import Place, Receipt, intact


@dataclass(frozen=True)
class Reading:
    """A table as a further input: read as a small table, in batches, or as a folder of files. Travels to workers."""

    name: str  # of the step that made it
    parts: tuple[Part, ...] = ()
    place: Place | None = None  # of a folder step
    columns: Mapping[str, pa.DataType] = field(default_factory=dict)  # for a table without parts

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The living rows, in order, a bounded batch at a time; all columns by default."""
        for part in self.parts:
            names = part.columns() if columns is None else list(columns)
            for batch, alive in part.living(names):
                yield batch if alive.all() else batch.filter(pa.array(alive))

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All living rows in memory: for small tables."""
        if self.place is not None:
            raise RecipeError(f"{self.name} makes files, not rows", remedy="read its .folder")
        if not self.parts:
            names = self.columns if columns is None else columns
            return pa.schema([(name, self.columns.get(name, pa.null())) for name in names]).empty_table()
        return pa.Table.from_batches(list(self.batches(columns)))

    def rows(self) -> int:
        """How many living rows there are."""
        return sum(int(np.count_nonzero(alive)) for part in self.parts for _, alive in part.living([]))

    @property
    def folder(self) -> Path:
        """Where a folder step's files are. Raises: RecipeError if the table has rows instead."""
        if self.place is None:
            raise RecipeError(f"{self.name} makes rows, not files", remedy="read its .table() or .batches()")
        return local(self.place)


@dataclass(frozen=True)
class Around:
    """What a step that streams is told besides its parameters: where and how this run goes. It never enters identity,
    so it may not change what the step makes."""

    out: str  # where the result of the run goes
    settings: Mapping[str, Any]  # those that `build` was given
    label: str  # of the task: step and part
    told: Mapping[str, float] = field(default_factory=dict)  # what steps of this run told last; for forecasts only

    def tell(self, **facts: float) -> None:
        """Tells whoever watches the run how it goes. To be called by the thread that the step was called in."""
        tell(self.label, facts)


@dataclass(frozen=True)
class OutFolder:
    """Where a folder step writes. A file that `seal` was called for is known to be whole when the step is resumed."""

    place: Place

    @property
    def path(self) -> Path:
        """The folder on this machine's disk."""
        return local(self.place)

    def seal(self, *names: str, counts: Mapping[str, Any] | None = None) -> None:
        """Gives files that are complete their receipts. Call it when a checkpoint is written."""
        for name in names:
            target = self._receipt(name)
            target.parent().make()
            target.write_json(receipt_of(self.path, name, counts or {}).__dict__)

    def sealed(self, name: str) -> Receipt | None:
        """The receipt of a file, if it has one and is what it says; None: it must be made again."""
        value = self._receipt(name).read_json()
        with contextlib.suppress(TypeError):
            if isinstance(value, dict) and intact(self.place.at(name), receipt := Receipt(**value)):
                return receipt
        return None

    def _receipt(self, name: str) -> Place:
        return self.place.at(RECEIPTS, f"{name}.json")


RECEIPTS = ".receipts"
"""Below a folder step's folder: receipts of files that were sealed. They are not published."""


def local(place: Place) -> Path:
    """The path of a place. Raises: EnvironmentProblem if it is not on this machine's disk."""
    if place.local is None:
        raise EnvironmentProblem(
            "a step that makes files needs a disk", where=place.uri, remedy="choose a local --out and copy it after"
        )
    return place.local


def files_of(folder: Path) -> Iterable[str]:
    """The names of all files below a folder, receipts apart, sorted."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(str(name) for name in found if name.parts[0] != RECEIPTS)


def receipt_of(folder: Path, name: str, counts: Mapping[str, Any]) -> Receipt:
    """A receipt of a file that is there."""
    hash, size = hashlib.sha256(), 0
    with contextlib.closing(open(folder / name, "rb")) as stream:
        while chunk := stream.read(1 << 20):
            hash.update(chunk)
            size += len(chunk)
    return Receipt(name.rpartition("/")[2], 0, size, hash.hexdigest(), dict(counts))
