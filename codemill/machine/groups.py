"""Begins a table with rows per key: keys of all inputs are cut into ranges, each of which becomes one part.

    map     one task per some parts of an input: living rows → keys, cut into P ranges      map-00000.arrow
    reduce  one task per range: its keys, sorted, → rows, sorted                            <id>.parquet

P follows from the number of rows alone, so how the table is cut is the same for any memory and any workers. The parts
together are sorted by key.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codemill.columns import one
from codemill.errors import BuildError
from codemill.machine import keys
from codemill.machine.books import Books
from codemill.machine.engine import Scope, Task
from codemill.machine.fill import Site, fill, intact_files, working_files
from codemill.machine.identity import digest_of
from codemill.machine.kinds import GROUP_ROWS, Group
from codemill.machine.layers import Part
from codemill.machine.store import PartWriter, Place, Receipt, sweep
from codemill.machine.table import Call
from codemill.machine.tasks import complete, ids, key_rows, numbers_within

AT_A_TIME = 16  # parts of an input that one map task takes
PLACES = ("input", "part", "row")


def group(
    site: Site, call: Call, inputs: Sequence[Sequence[Part]], rows: int, key: str, folder: Place, work: Place
) -> list[Receipt]:
    """Runs a group: `folder` gets its parts; `work` is for files on the way. `rows`: living rows of all inputs; `key`
    identifies the table. Returns: the receipts of the parts, in order."""
    how = call.step.how
    assert isinstance(how, Group)
    if not any(inputs):
        return []
    partitions = max(1, -(-rows // GROUP_ROWS))
    work.make()
    sweep(work)
    tasks: dict[str, Task] = {}
    for number, parts in enumerate(inputs):
        for start in range(0, len(parts), AT_A_TIME):
            name = f"map-{len(tasks):05d}"
            some = dict(enumerate(parts[start : start + AT_A_TIME], start))
            arguments = (call, number, some, work.at(f"{name}.arrow"), partitions)
            tasks[name] = Task(map_group, arguments, f"{call.step.name} {name}", isolates=True, uses=call.step.uses)
    maps = fill(site, tasks, intact_files(work, list(tasks)))
    sums = {name: np.sum([r.counts["sums"][name] for r in maps.values()], axis=0) for name in how.before}
    before = {name: [0, *accumulate(totals.tolist())] for name, totals in sums.items()}
    lost = sum(len(r.counts["crashed"]) for r in maps.values())
    parents = sum(r.counts["parents"] for r in maps.values()) + lost
    places = [work.at(f"{name}.arrow") for name in tasks]
    names = [digest_of([key, str(i), str(partitions)]) for i in range(partitions)]
    made = fill(
        site,
        {
            name: Task(
                reduce_range,
                (
                    call,
                    places,
                    folder,
                    name,
                    (i, partitions),
                    {b: sums[i] for b, sums in before.items()},
                    (parents, lost) if i == 0 else (0, 0),
                ),
                f"{call.step.name} part {i}",
                isolates=True,
                uses=call.step.uses,
            )
            for i, name in enumerate(names)
        },
        working_files(folder, names),
    )
    return [made[name] for name in names]


def map_group(
    call: Call, number: int, parts: Mapping[int, Part], target: Place, partitions: int, *, scope: Scope
) -> dict[str, Any]:
    """Keys of the living rows of some parts of one input, with the number of the input."""
    call.check()
    how = call.step.how
    assert isinstance(how, Group)
    emit = partial(how.emit, **call.params) if how.emit else None
    crashed: list[list[int]] = []
    parents = 0

    def make(batch: pa.RecordBatch, rows: Any) -> tuple[pa.RecordBatch, Any]:
        nonlocal parents
        parents += len(rows)
        made = emit(batch) if emit else batch
        made, rows = _several(made, rows) if "of" in made.schema.names else (made, rows)
        if made.num_rows != len(rows):
            raise BuildError("emit made more keys than rows, or fewer, without a column `of`", where=call.step.name)
        return made.append_column("input", pa.array(np.full(len(rows), number, dtype=np.int32))), rows

    made = key_rows(parts, call.reads, scope, crashed, make)
    if scope.probing:
        deque(made, maxlen=0)
        return {"rows": sum(part.rows for part in parts.values())}
    cut = partial(_ranges, key=call.key, partitions=partitions)
    receipt = keys.write_keys(target, made, cut=cut, partitions=partitions, sums=how.before)
    return keys.kept(
        target, replace(receipt, counts={"sums": dict(receipt.counts), "crashed": crashed, "parents": parents})
    )


def _several(made: pa.RecordBatch, rows: Any) -> tuple[pa.RecordBatch, Any]:
    """Keys that say in `of` which row each is made of, and where those live. Raises: BuildError if a row has none."""
    of = made["of"].cast(pa.int64()).to_numpy()
    if len(np.unique(of)) != len(rows):
        raise BuildError("a row of a group has one key or several: emit made none of some rows")
    return made.drop_columns(["of"]), rows[of]


def _ranges(table: pa.Table, *, key: str, partitions: int) -> Any:
    return keys.range_of(table.column(key), partitions)


def reduce_range(
    call: Call,
    maps: Sequence[Place],
    folder: Place,
    name: str,
    partition: tuple[int, int],
    before: Mapping[str, int],
    counted: tuple[int, int],
    *,
    scope: Scope,
) -> dict[str, Any]:
    """The sorted keys of one range become rows. `counted`: for the books, living rows of all inputs, and those of them
    that killed a worker when keys were made of them; one range has them for all."""
    call.check()
    how = call.step.how
    assert isinstance(how, Group)
    pieces = keys.Pieces(maps, *partition, scope)
    more = {"before": dict(before)} if how.before else {}
    if scope.window is not None and scope.window[0] >= scope.window[1]:
        return {"rows": pieces.rows()}
    table = pieces.whole()
    order = [(call.key, "ascending"), *((place, "ascending") for place in PLACES)]
    table = table.take(pc.sort_indices(table, sort_keys=order)).combine_chunks()
    made = call.step.function(table, **call.params, **more)
    if scope.probing:
        return {"rows": pieces.rows()}
    rows = _named(call, made)
    books = Books()
    books.add(rows["size"], rows["reason"])
    with PartWriter(folder, name, call.schema) as writer:
        writer.write(rows)
        parents, crashed = counted
        counts = books.counts(parents=parents, crashed=len(pieces.left_out()) + crashed)
        return {"receipts": [writer.close(counts, call.step.code)]}


def _named(call: Call, made: pa.RecordBatch | pa.Table) -> pa.RecordBatch:
    """Rows with `id`. Raises: BuildError if they are not sorted by key, or lack a column."""
    promised = {*call.adds, call.key} - {"id", "size"}
    missing = promised - set(made.schema.names)
    if missing:
        raise BuildError(f"the step did not return the columns {sorted(missing)}", where=call.step.name)
    key = one(made[call.key])
    if len(key) > 1 and not pc.all(pc.less_equal(key[:-1], key[1:])).as_py():
        raise BuildError(f"the rows of a group must be sorted by {call.key!r}", where=call.step.name)
    coded = key.dictionary_encode()
    ordinals = pa.array(numbers_within(coded.indices.to_numpy().astype(np.int64)))
    names = [value.hex() if isinstance(value, bytes) else str(value) for value in coded.dictionary.to_pylist()]
    columns = {name: one(made[name]) for name in made.schema.names}
    columns["id"] = ids(call, pa.array(names, pa.string()).take(coded.indices), ordinals)
    columns.setdefault("size", pa.array(np.zeros(len(key), dtype=np.int64)))
    return complete(pa.record_batch(columns), call.schema)
