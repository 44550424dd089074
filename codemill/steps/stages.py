"""Sets of rows put together in stated proportions: the stages of post-training.

shares   how many rows of each set, by their weights                        files
take     the rows of a set with the smallest draws, so many as its share    a layer
join     the rows of all sets as one table                                  rows per key
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codemill import chance
from codemill.errors import RecipeError
from codemill.machine.kinds import Published
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import Table, folder, group, step
from codemill.synthetic import CHAT, LEDGER


def stage(*sets: Table, names: Sequence[str], weights: Sequence[float], seed: int = 0) -> tuple[Table, Table]:
    """The rows of sets in the proportion of their weights, and the table of `shares`, which says how many of each."""
    parts = shares(*sets, names=list(names), weights=[float(w) for w in weights], seed=seed)
    taken = [take(one, parts, name=name, seed=seed) for one, name in zip(sets, names, strict=True)]
    return join(*taken), parts


def _check(*, names: Sequence[str], weights: Sequence[float], seed: int) -> None:
    if len(names) != len(weights) or len(set(names)) != len(names):
        raise RecipeError(
            f"sets {list(names)} have the weights {list(weights)}", remedy="one for each, by its own name"
        )
    for weight in weights:
        if not weight > 0:
            raise RecipeError(f"a weight must be above 0, got {weight!r}", remedy="leave the set out")


@folder(version=1, check=_check)
def shares(*sets: Reading, out: OutFolder, names: Sequence[str], weights: Sequence[float], seed: int) -> dict[str, int]:
    """Works out how many rows of each set are taken, and writes it to shares.json.

    As many as can be had with the weights holding: the scarcest set is taken whole. A set without a row is left out,
    and shares.json says so; if all are empty, so is the stage: the ledgers of the sets have the reasons.
    """
    drawn = [np.sort(_drawn(one, seed)) for one in sets]
    there = {name: (len(rows), weight) for name, rows, weight in zip(names, drawn, weights, strict=True) if len(rows)}
    scale = min((rows / weight for rows, weight in there.values()), default=0.0)
    entries: list[dict[str, Any]] = []
    for name, rows, weight in zip(names, drawn, weights, strict=True):
        count = min(len(rows), round(scale * weight)) if name in there else 0
        limit = int(rows[count]) if count < len(rows) else 1 << 64
        entries.append({"name": name, "weight": weight, "rows": len(rows), "taken": count, "limit": f"{limit:x}"})
    total = sum(entry["taken"] for entry in entries)
    for entry in entries:
        entry["share"] = round(entry["taken"] / total, 6) if total else 0.0
    (out.path / "shares.json").write_text(json.dumps({"rows": total, "sets": entries}, indent=1) + "\n", "utf-8")
    return {"rows": total}


def _drawn(one: Reading, seed: int) -> chance.Bits:
    found = [_of(batch, seed) for batch in one.batches(["id"])]
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def _of(batch: pa.RecordBatch, seed: int) -> chance.Bits:
    """64 bits for each row, by its id."""
    return chance.bits(chance.of_names(batch["id"]), seed=seed, purpose="stages.take")


@step(
    version=1,
    reads=("id",),
    adds={"reason": pa.string()},
    drops={"over_share": "the stage has enough of its set"},
)
def take(rows: pa.RecordBatch, shares: Reading, *, name: str, seed: int) -> pa.RecordBatch:
    """Keeps the rows of a set with the smallest draws, as many as its share."""
    facts = json.loads((shares.folder / "shares.json").read_text("utf-8"))
    limit = next(int(entry["limit"], 16) for entry in facts["sets"] if entry["name"] == name)
    gone = [int(bits) >= limit for bits in _of(rows, seed)]
    return pa.record_batch({"reason": pa.array(["over_share" if lost else None for lost in gone], pa.string())})


_NAMES = tuple(name for name in CHAT.names if name not in ("id", "parent"))


def _whole(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Each row under 64 bits of its id, with its id as `parent`."""
    columns = {name: rows[name] for name in _NAMES}
    return pa.record_batch({"row_key": pa.array(chance.of_names(rows["id"])), "parent": rows["id"], **columns})


@group(
    version=1,
    reads=("id", *_NAMES),
    key="row_key",
    adds={"row_key": pa.uint64(), "parent": pa.string(), **{name: CHAT.field(name).type for name in _NAMES}},
    emit=_whole,
    published=Published(rows=CHAT, ledger=LEDGER, verdict=()),
)
def join(keys: pa.Table) -> pa.Table:
    """The rows of all inputs in one table, in an order that has nothing to do with their sets.

    Shape: the columns of `synthetic.CHAT`; `parent` is the row's id in its set.
    """
    table = keys.select(["row_key", "parent", *_NAMES])
    return table.take(pc.sort_indices(table, [("row_key", "ascending"), ("parent", "ascending")]))
