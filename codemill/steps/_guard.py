"""Counts what near-deduplication would drop, and stops the build if it is too much."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill.columns import one
from codemill.errors import BuildError

log = logging.getLogger("codemill")

Numbers: TypeAlias = npt.NDArray[np.int64] | pa.Array


def counted(
    documents: pa.RecordBatch, by: Sequence[str], *, lost: Numbers, of: Numbers, largest: Numbers
) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]]:
    """Key rows of a batch: for each value of `by` how much would be lost, of how much, and the largest cluster."""
    table = pa.table({**{name: documents[name] for name in by}, "lost": lost, "of": of, "largest": largest})
    counts = table.group_by(list(by)).aggregate([("lost", "sum"), ("of", "sum"), ("largest", "max")])
    counts = counts.rename_columns([*by, "lost", "of", "largest"])
    numbers = np.arange(counts.num_rows)
    arrays = {name: one(counts[name]) for name in counts.schema.names}
    return pa.record_batch({**arrays, "key": pa.array(numbers.astype(np.uint64))}), numbers * 0


def judged(counts: Iterator[pa.Table], *, by: Sequence[str], largest: int, most_lost: float, unit: str) -> pa.Table:
    """Checks the counts of all batches; returns no verdicts. `unit` names what was counted ("files").

    Warns of clusters with more than `largest` members. Raises: BuildError if more than `most_lost` of one value of `by`
    would go.
    """
    table = pa.concat_tables(counts).group_by(list(by))
    table = table.aggregate([("lost", "sum"), ("of", "sum"), ("largest", "max")])
    for row in table.sort_by([(name, "ascending") for name in by]).to_pylist():
        name = ", ".join(row[column] or f"no {column}" for column in by)
        lost, total = row["lost_sum"], row["of_sum"]
        if row["largest_max"] > largest:
            log.warning("dedup.guard: a cluster of %s has %d members", name, row["largest_max"])
        if lost > most_lost * total:
            raise BuildError(
                f"near-duplicates are {lost / total:.0%} of {name} ({lost:,} of {total:,} {unit})",
                where="dedup.guard",
                remedy=f"look at some, then raise most_lost (now {most_lost:g}) or use more rows in fewer bands",
            )
    return pa.table({"part": pa.array([], pa.int32()), "row": pa.array([], pa.int32())})
