"""The signals of a run by place: each is read from the working tables when it is first asked for, and then held."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill.document import DOCUMENT, VERDICT
from codemill.errors import CodemillError, RecipeError, did_you_mean
from codemill.rules import Values, values_of
from codemill.run import Documents, Run
from codemill.view.rows import Mask

BINS = 48
HELD = 64  # signals; 8 bytes a file each


@dataclass(frozen=True)
class Axis:
    """How values lie on an axis from 0 to 1: evenly, or by doublings where they reach far."""

    low: float
    high: float
    doubling: bool

    @classmethod
    def of(cls, values: Values) -> Axis:
        """An axis that all values lie on: from 0 to 1 for shares. NaN is no value."""
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        if low >= 0:
            return cls(0.0, 1.0, False) if high <= 1 else cls(0.0, high, high > 16)
        return cls(low, max(high, low + 1), False)

    def place(self, values: Any) -> Any:
        """Where values lie; what is beyond lies at the end."""
        values = np.asarray(values, dtype=np.float64)
        if self.doubling:
            share = np.log2(1 + np.maximum(values, 0)) / np.log2(1 + self.high)
        else:
            share = (values - self.low) / (self.high - self.low)
        return np.clip(share, 0, 1)

    def value(self, place: float) -> float:
        """The inverse of `place`."""
        if self.doubling:
            return float(2 ** (place * np.log2(1 + self.high)) - 1)
        return self.low + place * (self.high - self.low)


@dataclass(frozen=True)
class Histogram:
    """How many files have a value in each class of an axis, and how many of these were kept. Shape: (BINS,) each."""

    axis: Axis
    found: npt.NDArray[np.int64]
    kept: npt.NDArray[np.int64]

    @classmethod
    def of(cls, values: Values, among: Mask, kept: Mask, bins: int = BINS) -> Histogram:
        """Counts the files `among` others, on the axis of all."""
        axis = Axis.of(values)
        known = among & ~np.isnan(values)
        classes = np.minimum((axis.place(values[known]) * bins).astype(np.int64), bins - 1)
        return cls(axis, np.bincount(classes, minlength=bins), np.bincount(classes[kept[known]], minlength=bins))


@dataclass
class Signals:
    """The numbers that were measured on the files of a run. `why` says why there are none."""

    documents: Documents | None
    names: tuple[str, ...]
    rows: int
    why: str | None = None
    _held: OrderedDict[str, Values] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, run: Run, rows: int) -> Signals:
        """What the steps of a run measured: columns of floats. Nothing is read yet but schemas."""
        if not run.files("ledger"):
            return cls(None, (), rows, "there is no ledger")
        try:
            found = [(i, name) for i in range(len(run.steps)) for name in _floats(run.schema(i))]
            if not found:
                return cls(None, (), rows, "nothing was measured in this run")
            names = tuple(dict.fromkeys(name for _, name in found))
            return cls(run.documents(max(i for i, _ in found) + 1), names, rows)
        except CodemillError as error:
            return cls(None, (), rows, error.what)

    def values(self, name: str) -> Values:
        """A signal of every file, NaN where it has none. Shape: (rows,).

        Raises: RecipeError for an unknown one; InputError if a working table is damaged.
        """
        if self.documents is None or name not in self.names:
            raise RecipeError(f"there is no signal {name!r}", where=self.why, remedy=did_you_mean(name, self.names))
        with self._lock:
            if name not in self._held:
                values = np.full(self.rows, np.nan)
                for batch in self.documents.batches([name], rows=1):
                    values[batch["place"].to_numpy()] = values_of(batch, name)
                self._held[name] = values
                if len(self._held) > HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end(name)
            return self._held[name]


def _floats(columns: pa.Schema) -> list[str]:
    """The columns that are signals: floats that are no part of a document or of a verdict."""
    return [f.name for f in columns if pa.types.is_floating(f.type) and f.name not in {*DOCUMENT.names, *VERDICT}]
