"""Files of keys: rows cut into partitions by key on their way in, verdicts by part and row on their way back.

    map     living rows → keys, cut into P partitions by key       map-00000.arrow
    reduce  all keys of a partition → verdicts by (part, row)      reduce-00000.arrow
    align   the verdicts of some parts, in order of their rows

A key is about 100 bytes. The number of partitions changes no verdict, because all rows of a key are in one partition
and a partition is resolved independently of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc

from codemill.columns import one
from codemill.errors import BuildError
from codemill.machine.engine import EVERYTHING, Scope
from codemill.machine.store import Place, Receipt, atomic, write_receipt

PLACE = {"part": pa.int32(), "row": pa.int32()}
"""Where a row lives: added to the keys that `emit` makes, and returned with each verdict."""

RUN_BYTES = 64 << 20
"""Keys that a map task gathers before it sorts them by partition and writes them: bounds its memory."""

_OPTIONS = ipc.IpcWriteOptions(compression="lz4")


KeyRows = tuple[pa.RecordBatch, int, npt.NDArray[np.int64]]  # keys, their part, their rows in it
Cut = Callable[[pa.Table], npt.NDArray[np.int64]]  # keys → the partition of each


def write_keys(
    target: Place, batches: Iterator[KeyRows], *, cut: Cut, partitions: int, sums: Sequence[str] = ()
) -> Receipt:
    """Map: writes runs of one record batch per partition. The receipt counts the sum in each partition of the columns
    named in `sums`."""
    pieces: list[pa.RecordBatch] = []
    held = 0
    counts = {name: np.zeros(partitions, dtype=np.int64) for name in sums}

    def run() -> tuple[pa.Table, list[int]]:
        table = pa.Table.from_batches(pieces)
        del pieces[:-1]
        pieces[-1] = pieces[-1].slice(0, 0)
        where = cut(table)
        for name in sums:
            values = pc.fill_null(one(table[name]), 0).to_numpy(zero_copy_only=False)
            np.add.at(counts[name], where, values.astype(np.int64))
        return by_partition(table, where, partitions)

    def runs() -> Iterator[tuple[pa.Table, list[int]]]:
        nonlocal held
        for batch, part, rows in batches:
            columns = {name: batch.column(name) for name in batch.schema.names}
            columns["part"] = pa.array(np.full(len(rows), part, dtype=np.int32))
            columns["row"] = pa.array(rows.astype(np.int32))
            pieces.append(pa.record_batch(columns))
            held += pieces[-1].nbytes
            if held > RUN_BYTES:
                yield run()
                held = 0
        yield run()

    receipt = write_runs(target, runs())
    return replace(receipt, counts={name: n.tolist() for name, n in counts.items()})


def by_partition(table: pa.Table, where: npt.NDArray[np.int64], partitions: int) -> tuple[pa.Table, list[int]]:
    """Rows sorted by the partition that `where` gives each, and where each partition begins and ends."""
    order = np.argsort(where, kind="stable")
    ends = np.cumsum(np.bincount(where, minlength=partitions))
    return table.take(pa.array(order)), [0, *ends.tolist()]


@dataclass(frozen=True)
class Pieces:
    """One partition's keys in bounded pieces, as often as they are iterated: for keys too large to hold at once."""

    sources: Sequence[Place]
    partition: int
    partitions: int
    scope: Scope = EVERYTHING  # of rows numbered through all pieces: those that it blocks are left out

    def __iter__(self) -> Iterator[pa.Table]:
        start = 0
        for source in self.sources:
            for piece in read_pieces(source, self.partition, self.partitions):
                blocked = self.scope.blocks(start, piece.num_rows)
                start += piece.num_rows
                yield piece if not blocked else piece.filter(pa.array(~np.isin(np.arange(piece.num_rows), blocked)))

    def left_out(self) -> list[list[int]]:
        """Where the rows live that are left out: `[part, row]` each."""
        start, found = 0, []
        for piece in replace(self, scope=EVERYTHING) if self.scope.skip else ():
            places = piece.select(list(PLACE)).take(pa.array(self.scope.blocks(start, piece.num_rows), pa.int64()))
            start += piece.num_rows
            found += [[row["part"], row["row"]] for row in places.to_pylist() if row["part"] >= 0]
        return found

    def rows(self) -> int:
        """How many rows there are, those left out too."""
        return sum(piece.num_rows for piece in replace(self, scope=EVERYTHING))

    def whole(self) -> pa.Table:
        """All of them in one table."""
        return pa.concat_tables(self).combine_chunks()


def write_found(target: Place, found: pa.Table) -> Receipt:
    """Reduce, where a gather follows: whatever the step found in a partition, for `gather` to read."""
    return write_runs(target, iter([(found, [0, found.num_rows])]))


def read_found(sources: Sequence[Place]) -> Iterator[pa.Table]:
    """Gather: what was found in each partition, in order."""
    return (table for source in sources for table in read_pieces(source, 0, 1))


def write_verdicts(
    target: Place, verdicts: pa.Table, *, group_starts: Sequence[int], adds: Sequence[pa.Field]
) -> Receipt:
    """Writes verdicts sorted by (part, row), one record batch per group of parts.

    Raises: BuildError if the step's function returned a row twice, or without the columns it promised.
    """
    schema = pa.schema([pa.field(n, t) for n, t in PLACE.items()] + list(adds))
    missing = set(schema.names) - set(verdicts.schema.names)
    if missing:
        raise BuildError(f"the verdicts lack the columns {sorted(missing)}", where=target.uri)
    verdicts = verdicts.select(schema.names).cast(schema)
    verdicts = verdicts.sort_by([("part", "ascending"), ("row", "ascending")]).combine_chunks()
    part = verdicts.column("part").to_numpy()
    if len(part) and part[0] < 0:
        raise BuildError("an exchange gave a verdict for a part that is not there", where=target.uri)
    edges = [*np.searchsorted(part, group_starts).tolist(), len(part)]
    return write_runs(target, iter([(verdicts, edges)]))


def read_verdicts(
    sources: Sequence[Place], group: int, groups: int, merge: Callable[[pa.Table], pa.Table] | None = None
) -> pa.Table:
    """Align: the verdicts for one group of parts from all partitions, sorted by (part, row).

    `merge` makes one of several that partitions found for one row. Raises: BuildError if there are two for one row
    after that: which of them would hold is not for chance to decide.
    """
    table = pa.concat_tables(t for source in sources for t in read_pieces(source, group, groups))
    table = merge(table) if merge else table
    table = table.sort_by([("part", "ascending"), ("row", "ascending")]).combine_chunks()
    part, row = (table.column(c).to_numpy() for c in PLACE)
    if bool(np.any((part[1:] == part[:-1]) & (row[1:] == row[:-1]))):
        raise BuildError("an exchange gave two verdicts for one row", where=sources[0].uri)
    return table


def spread(verdicts: pa.Table, part: int, rows: int) -> pa.Table:
    """The verdicts of one part as a layer: one row for each of its `rows` rows, null where there is none.

    Raises: BuildError if a verdict is for a row that the part does not have.
    """
    numbers = verdicts.column("part").to_numpy()
    low, high = np.searchsorted(numbers, [part, part + 1])
    mine = verdicts.slice(low, high - low).combine_chunks()
    where = mine.column("row").to_numpy()
    if len(where) and not 0 <= where[0] <= where[-1] < rows:
        raise BuildError(f"an exchange gave a verdict for a row that part {part} does not have")
    index = np.full(rows, -1, dtype=np.int64)
    index[where] = np.arange(mine.num_rows)
    return mine.drop_columns(list(PLACE)).take(pa.array(index, mask=index < 0))


def is_key(kind: pa.DataType) -> bool:
    """Whether a column of this type can be an exchange key: a hash of at least 8 bytes."""
    return bool(pa.types.is_uint64(kind) or (pa.types.is_fixed_size_binary(kind) and kind.byte_width >= 8))


def partition_of(keys: pa.ChunkedArray, partitions: int) -> npt.NDArray[np.int64]:
    """The partition of each key: its leading 8 bytes, read as a number, modulo `partitions`.

    Keys are uniformly distributed hashes: uint64, or fixed-size binary of 8 bytes or more. Raises: BuildError.
    """
    array = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    if array.null_count:
        raise BuildError("an exchange key may not be null: drop or leave out such rows in `emit`")
    if pa.types.is_uint64(array.type):
        leading = array.to_numpy()
    elif is_key(array.type):
        width = array.type.byte_width
        flat = np.frombuffer(array.buffers()[1], dtype=np.uint8)
        raw = flat[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)
        leading = np.ascontiguousarray(raw[:, :8]).view("<u8").ravel()
    else:
        raise BuildError(f"an exchange key must be a hash of at least 8 bytes, got {array.type}")
    where: npt.NDArray[np.int64] = (leading % np.uint64(partitions)).astype(np.int64)
    return where


def range_of(keys: pa.ChunkedArray, partitions: int) -> npt.NDArray[np.int64]:
    """The same so that partitions are ranges: keys of an earlier one are smaller, byte by byte.

    The leading 32 bits (of binary keys the first four bytes, most significant first) times `partitions` over 2^32.
    """
    array = one(keys)
    if array.null_count:
        raise BuildError("a key of a group may not be null: drop or leave out such rows in `emit`")
    if pa.types.is_uint64(array.type):
        leading = array.to_numpy() >> np.uint64(32)
    elif is_key(array.type):
        width = array.type.byte_width
        flat = np.frombuffer(array.buffers()[1], dtype=np.uint8)
        raw = flat[array.offset * width : (array.offset + len(array)) * width].reshape(-1, width)
        leading = np.ascontiguousarray(raw[:, :4]).view(">u4").ravel().astype(np.uint64)
    else:
        raise BuildError(f"a key of a group must be a hash of at least 8 bytes, got {array.type}")
    where: npt.NDArray[np.int64] = ((leading * np.uint64(partitions)) >> np.uint64(32)).astype(np.int64)
    return where


def write_runs(target: Place, runs: Iterator[tuple[pa.Table, list[int]]]) -> Receipt:
    """For each run one record batch for each pair of neighbouring edges, empty ones too, so that batch i of a run is
    piece i."""
    rows = 0
    with atomic(target) as stream:
        writer: ipc.RecordBatchFileWriter | None = None
        for table, edges in runs:
            writer = writer or ipc.new_file(pa.PythonFile(stream, mode="w"), table.schema, options=_OPTIONS)
            rows += table.num_rows
            for low, high in pairwise(edges):
                batches = table.slice(low, high - low).combine_chunks().to_batches()
                writer.write_batch(batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema))
        assert writer is not None
        writer.close()
    return stream.receipt(target.name, rows)


def read_pieces(source: Place, index: int, stride: int) -> Iterator[pa.Table]:
    """Piece `index` of each run of `stride` pieces. Raises: BuildError if the file is damaged."""
    filesystem, path = source.open()
    try:
        with filesystem.open_input_file(path) as stream:
            reader = ipc.open_file(stream)
            for i in range(index, reader.num_record_batches, stride):
                yield pa.Table.from_batches([reader.get_batch(i)])
    except (pa.ArrowException, OSError) as error:
        raise BuildError(
            f"a file of an exchange was damaged while it was in use: {error}", where=path, remedy="run again"
        ) from error


def group_by_key(
    keys: pa.Table, key: str, best_first: Sequence[tuple[str, str]]
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Sorts keys so that equal ones are neighbours, the best of each first, unknown values last.

    Returns the sorted table and, for each row, the index of the first row of its group. Only groups of two or more
    are returned: most rows of a real corpus are alone, and sorting them by many columns is nine tenths of the cost.
    """
    order = np.argsort(partition_of(keys.column(key), 1 << 63), kind="stable")
    leading = partition_of(keys.column(key), 1 << 63)[order]
    same = leading[1:] == leading[:-1]
    shared = np.zeros(len(order), dtype=bool)
    shared[1:] |= same
    shared[:-1] |= same
    table = keys.take(pa.array(order[shared]))
    table = table.take(
        pc.sort_indices(table, sort_keys=[(name, order, "at_end") for name, order in [(key, "ascending"), *best_first]])
    ).combine_chunks()
    if table.num_rows == 0:
        return table, np.empty(0, dtype=np.int64)
    column = table.column(key).combine_chunks()
    starts = np.ones(table.num_rows, dtype=bool)
    starts[1:] = pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return table, np.maximum.accumulate(np.where(starts, np.arange(table.num_rows), 0))


def kept(target: Place, receipt: Receipt) -> dict[str, Any]:
    """A task's result: the receipt of the file it wrote, which is written too."""
    write_receipt(target.parent(), receipt)
    return {"receipts": [receipt]}
