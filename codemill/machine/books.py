"""The books: rows and bytes that came in, went out, and were dropped for which reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codemill.errors import BuildError

UNITS = ("rows", "bytes")


class Books:
    """Counts rows and bytes in, out, and dropped by reason."""

    def __init__(self) -> None:
        self.rows_in = self.bytes_in = self.rows_out = self.bytes_out = 0
        self.dropped: dict[str, Counter[str]] = {}

    def add(self, sizes: pa.Array, reasons: pa.Array | None) -> None:
        """Counts one batch of rows that came in; `reasons` is null where a row stays."""
        total = int(pc.sum(sizes).as_py() or 0)
        self.rows_in += len(sizes)
        self.bytes_in += total
        lost_rows = lost_bytes = 0
        if reasons is not None and reasons.null_count < len(reasons):
            gone = reasons.is_valid()
            coded = reasons.filter(gone).dictionary_encode()
            lost = sizes.filter(gone).fill_null(0).to_numpy()
            for code, reason in enumerate(coded.dictionary.to_pylist()):
                its = lost[coded.indices.to_numpy() == code]
                self.dropped.setdefault(reason, Counter()).update(rows=len(its), bytes=int(its.sum()))
                lost_rows += len(its)
                lost_bytes += int(its.sum())
        self.rows_out += len(sizes) - lost_rows
        self.bytes_out += total - lost_bytes

    def counts(self, **more: int) -> dict[str, Any]:
        """As they go into a receipt."""
        numbers = {k: getattr(self, k) for k in ("rows_in", "bytes_in", "rows_out", "bytes_out")}
        return {**numbers, "dropped": {reason: dict(c) for reason, c in sorted(self.dropped.items())}, **more}


def added_up(counts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts of many receipts as those of one table; reasons with most rows first."""
    dropped: dict[str, Counter[str]] = {}
    totals: Counter[str] = Counter()
    for one in counts:
        totals.update({name: n for name, n in one.items() if name != "dropped"})
        for reason, amount in one["dropped"].items():
            dropped.setdefault(reason, Counter()).update(amount)
    by_rows = sorted(dropped.items(), key=lambda item: (-item[1]["rows"], item[0]))
    known = ("rows_in", "bytes_in", "rows_out", "bytes_out")
    return {
        **{name: totals[name] for name in known},
        **{name: n for name, n in totals.items() if name not in known},
        "dropped": {reason: {"rows": d["rows"], "bytes": d["bytes"]} for reason, d in by_rows},
    }


def check(entry: Mapping[str, Any], came: Mapping[str, int | None], *, where: str) -> None:
    """Holds a table's counts against each other, and against what the table below it let through (`came`).

    Raises: BuildError if they do not add up.
    """
    for unit in UNITS:
        seen, kept = entry[f"{unit}_in"], entry[f"{unit}_out"]
        lost = sum(d[unit] for d in entry["dropped"].values())
        expected = came.get(unit)
        expected = seen if expected is None else expected
        if not expected == seen == kept + lost:
            raise BuildError(
                f"the books do not add up: {expected} {unit} came, {seen} were seen, {kept} kept, {lost} dropped",
                where=where,
            )
