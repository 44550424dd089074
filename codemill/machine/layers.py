"""Reading a table: parts, each a stack of row-aligned files, streamed side by side.

A newer column hides an older one, row for row where it is an edit: null then means "as it was". A column that a
source left in place is read from the input itself.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from codemill import _core
from codemill.columns import damaged
from codemill.errors import BuildError, InputError
from codemill.machine.identity import digest_of
from codemill.machine.store import ROW_GROUP_BYTES, Damaged, Place

Mask = npt.NDArray[np.bool_]

READ_WHOLE = 1 << 20
"""Files up to this size are read at once and held against their hash; of larger ones pages have checksums."""


@dataclass(frozen=True)
class Piece:
    """One file of a part: the columns of one layer. Plain data: it travels to workers."""

    id: str
    step: str
    file: Place
    columns: tuple[str, ...]
    rows: int
    bytes: int
    sha256: str
    edits: tuple[str, ...] = ()  # columns in which null means "as the older layers have it"
    drops: bool = False  # whether it drops a row
    external: Mapping[str, Any] | None = None  # an External as a dict: columns that stayed in the input
    nulls: pa.Schema | None = None  # there is no file: every value of these columns is null
    mapped: bool = False  # an Arrow file that was published: its batches have checksums

    @property
    def holds(self) -> str:
        """Identifies what is read of it: the hash of its bytes, and of what stayed in the input the source's word."""
        if self.nulls is not None:
            return f"null {self.rows} {self.id if self.external else ''}"
        return self.sha256 if self.external is None else f"{self.id}{self.sha256}"

    def read(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        """Columns of it: from its own file and, where that has none, from the input they were left in."""
        outside = [n for n in names if self.external and n in self.external["columns"]]
        if self.external is None or not outside:
            yield from self._own(names)
            return
        hashes = {n: h for n, h in self.external.get("hashes", {}).items() if n in outside and h in self.columns}
        own = self._own(list(dict.fromkeys([*names, *hashes.values()])))
        for mine, theirs in _aligned([own, _external_batches(self.external, outside)], where=self.file.uri):
            columns = {n: mine.column(n) for n in names}
            for name in outside:
                here = columns[name]  # decoded content, for the few rows that were not plain UTF-8
                if name in hashes:
                    _check_hashes(name, here, theirs[name], mine[hashes[name]], self.external["path"])
                columns[name] = theirs[name] if here.null_count == len(here) else pc.coalesce(here, theirs[name])
            yield pa.RecordBatch.from_arrays(list(columns.values()), names=names)

    def _own(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        if self.nulls is not None:
            columns = [pa.nulls(self.rows, self.nulls.field(name).type) for name in names]
            yield pa.RecordBatch.from_arrays(columns, names=names)
            return
        filesystem, path = self.file.open()
        try:
            with contextlib.ExitStack() as stack:
                if self.bytes <= READ_WHOLE or (self.file.name.endswith(".arrow") and not self.mapped):
                    with filesystem.open_input_stream(path) as stream:
                        data = stream.read_buffer()
                    if hashlib.sha256(data).hexdigest() != self.sha256:
                        raise OSError("its bytes are not those that were written")
                    opened: Any = pa.BufferReader(data)
                else:
                    opened = stack.enter_context(filesystem.open_input_file(path))
                    if opened.size() != self.bytes:
                        raise OSError(f"it has {opened.size()} bytes instead of {self.bytes}")
                if self.file.name.endswith(".arrow"):
                    yield from self._arrow(opened, names)
                    return
                file = pq.ParquetFile(opened, page_checksum_verification=True, pre_buffer=False)
                if file.metadata.num_rows != self.rows:
                    raise OSError(f"it has {file.metadata.num_rows} rows instead of {self.rows}")
                if not file.num_row_groups:
                    yield _no_rows(file.schema_arrow, names)
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group, columns=names, use_threads=False)
                    yield from table.select(names).combine_chunks().to_batches()
        except (pa.ArrowInvalid, OSError) as error:
            raise Damaged(self.file, str(error)) from error

    def _arrow(self, opened: Any, names: list[str]) -> Iterator[pa.RecordBatch]:
        """Columns of an Arrow file, without reading the others, each batch held against its checksums if it has any."""
        wanted = set(names)
        places = [i for i, name in enumerate(self.columns) if name in wanted]
        options = ipc.IpcReadOptions(included_fields=places, use_threads=False)
        reader = ipc.open_file(opened, options=options)
        rows = 0
        for number in range(reader.num_record_batches):
            batch, said = reader.get_batch_with_custom_metadata(number)
            if self.mapped and not said:
                raise OSError(f"batch {number} has no checksums")
            if wrong := damaged(batch, said):
                raise OSError(f"batch {number} is not what was written in {', '.join(wrong)}")
            rows += batch.num_rows
            yield batch.select(names)
        if rows != self.rows:
            raise OSError(f"it has {rows} rows instead of {self.rows}")
        if not reader.num_record_batches:
            yield _no_rows(reader.schema, names)


@dataclass(frozen=True)
class Part:
    """Row-aligned pieces, oldest first: a part of a table once it is built. A newer column hides an older one."""

    name: str  # "part-00007"
    pieces: tuple[Piece, ...]
    verdict: tuple[str, ...] = ()  # columns that say something of a dropped row, each piece for itself
    required: tuple[str, ...] = ()  # columns that every living row has

    def with_piece(self, piece: Piece) -> Part:
        """The same with one more layer."""
        return replace(self, pieces=(*self.pieces, piece))

    @property
    def rows(self) -> int:
        """Rows, living or not."""
        return self.pieces[0].rows

    def columns(self) -> list[str]:
        """All columns that can be read, verdicts apart."""
        hidden = {"reason", *self.verdict}
        return [name for name in self._homes() if name not in hidden]

    def homes(self, column: str) -> tuple[int, ...]:
        """The pieces that a column is read from, newest first: edits of it, down to the first that has it whole."""
        return self._homes().get(column, ())

    def _homes(self) -> Mapping[str, tuple[int, ...]]:
        return _homes_in(tuple((piece.columns, piece.edits) for piece in self.pieces))

    def depends(self, columns: Iterable[str]) -> str:
        """Identifies what is read when the living rows of these columns are: nothing else of the part matters."""
        homes = self._homes()
        used = {0, *(i for c in columns for i in homes.get(c, ()))}
        used |= {i for i, piece in enumerate(self.pieces) if piece.drops}
        return digest_of(self.pieces[i].holds for i in sorted(used))

    def batches(
        self, columns: Iterable[str], verdicts: Iterable[str] = ("reason",)
    ) -> Iterator[tuple[pa.RecordBatch, list[pa.RecordBatch | None]]]:
        """Streams all rows, living or not: the columns asked for, and the verdict columns of each piece.

        The second value has one batch per piece; None: it drops nothing, and was not opened to ask. Memory: a batch of
        every piece that is read.
        """
        columns, verdicts = list(columns), list(verdicts)
        all_homes = self._homes()
        homes = {c: all_homes.get(c, ()) for c in columns}
        own = [[v for v in verdicts if v in p.columns] if p.drops else [] for p in self.pieces]
        names: list[list[str]] = [[] for _ in self.pieces]
        for column, places in homes.items():
            for i in places:
                names[i].append(column)
        names = [[*some, *verdict] for some, verdict in zip(names, own, strict=True)]
        read = [i for i in range(len(self.pieces)) if names[i] or i == 0]
        streams = [self.pieces[i].read(names[i] or list(self.pieces[i].columns[:1])) for i in read]
        for slices in _aligned(streams, where=f"{self.name} of {self.pieces[-1].step}"):
            at = dict(zip(read, slices, strict=True))
            data = [_newest([at[i].column(c) for i in homes[c]]) for c in columns]
            rows = slices[0].num_rows
            batch = pa.RecordBatch.from_arrays(data, names=columns) if columns else _empty(rows)
            yield batch, [at[i].select(own[i]) if own[i] else None for i in range(len(self.pieces))]

    def living(self, columns: Iterable[str]) -> Iterator[tuple[pa.RecordBatch, Mask]]:
        """Streams all rows with the columns, and which of them no piece drops."""
        for batch, verdicts in self.batches(columns):
            yield batch, living(verdicts, batch.num_rows)


@functools.lru_cache(maxsize=256)
def _homes_in(pieces: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]) -> Mapping[str, tuple[int, ...]]:
    """For each column, oldest first, the pieces that it is read from, newest first. The same for all parts of a table,
    and asked for each of them: with 256 parts it was a twentieth of a run."""
    homes: dict[str, tuple[int, ...]] = {}
    for i, (columns, edits) in enumerate(pieces):
        over = set(edits)
        homes.update({name: (i, *homes.get(name, ())) if name in over else (i,) for name in columns})
    return homes


def living(verdicts: Iterable[pa.RecordBatch | None], rows: int) -> Mask:
    """Which rows have no reason in any of the verdicts."""
    alive = np.ones(rows, dtype=bool)
    for verdict in verdicts:
        if verdict is not None and verdict["reason"].null_count < rows:
            alive &= verdict["reason"].is_null().to_numpy(zero_copy_only=False)
    return alive


def _empty(rows: int) -> pa.RecordBatch:
    """A batch without columns that still knows how many rows it has."""
    return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))


def _newest(columns: list[pa.Array]) -> pa.Array:
    """For each row the first value that is not null."""
    told = [c for c in columns[:-1] if c.null_count < len(c)]
    return pc.coalesce(*told, columns[-1]) if told else columns[-1]


def _external_batches(external: Mapping[str, Any], names: list[str]) -> Iterator[pa.RecordBatch]:
    """Columns that stayed in the user's own Parquet file, as `large_string`; null where a row group is damaged.

    (Ingest dropped those rows as `corrupt`; that no living row lacks its content is checked where it is used.)
    """
    filesystem, path = Place.of(external["path"]).open()
    info = filesystem.get_file_info(path)
    if info.size != external["size"] or (info.mtime_ns or 0) != external["mtime_ns"]:
        what = "its text was left in an input that has changed since, or is gone"
        raise InputError(what, where=path, remedy="run again")
    theirs = [external["columns"][n] for n in names]
    with filesystem.open_input_file(path) as stream:
        file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=READ_BUFFER, page_checksum_verification=True)
        if not any(file.metadata.row_group(g).num_rows for g in range(*external["row_groups"])):
            yield _no_rows(pa.schema([(n, pa.large_string()) for n in names]), names)
        for group in range(*external["row_groups"]):
            left = file.metadata.row_group(group).num_rows
            with contextlib.suppress(pa.ArrowException, OSError):
                for batch in row_group_batches(file, group, theirs):
                    columns = [batch.column(t).cast(pa.large_string()) for t in theirs]
                    left -= batch.num_rows
                    yield pa.RecordBatch.from_arrays(columns, names=names)
            if left:
                yield pa.RecordBatch.from_arrays([pa.nulls(left, pa.large_string())] * len(names), names=names)


def _check_hashes(name: str, here: pa.Array, there: pa.Array, known: pa.Array, path: str) -> None:
    """Values that were left in an input are those that were read first: most Parquet files have no checksums, and size
    and time say nothing of a disk that forgets. (SHA-256 takes 0.7 ms for a MB.)

    Raises: InputError if one is not.
    """
    same = pc.equal(_core.sha256(there), known).fill_null(True)  # null: it was not read then, or cannot be now
    wrong = pc.and_not(here.is_null(), same)
    if wrong.true_count:
        raise InputError(
            f"the {name} of {wrong.true_count} rows is not what it was when it was read first: the file is damaged",
            where=path,
            remedy="get the file again, and run again",
        )


def _no_rows(schema: pa.Schema, names: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=pa.schema([schema.field(n) for n in names]))


READ_BUFFER = 1 << 20
"""Bytes read ahead in each column. Without it a column of a whole row group is held."""


def row_group_batches(file: pq.ParquetFile, group: int, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    """One row group of anybody's Parquet file in batches of about `ROW_GROUP_BYTES`, whatever its size.

    A value of a dictionary is stored once and may stand in every row, so sizes are not known beforehand: rows are
    decoded few at a time and gathered. (As they come, they would be many calls for few rows.)
    """
    facts = file.metadata.row_group(group)
    per_row = max(1, facts.total_byte_size // max(1, facts.num_rows))
    few = max(1, min(256, ROW_GROUP_BYTES // per_row))
    waiting: list[pa.RecordBatch] = []
    held = rows = 0
    for batch in file.iter_batches(few, row_groups=[group], columns=columns, use_threads=False):
        waiting.append(batch)
        held += batch.nbytes
        rows += batch.num_rows
        if held >= ROW_GROUP_BYTES // 2 or rows >= 2048:
            yield _joined(waiting)
            waiting, held, rows = [], 0, 0
    if waiting:
        yield _joined(waiting)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _aligned(streams: list[Iterator[pa.RecordBatch]], *, where: str) -> Iterator[list[pa.RecordBatch]]:
    """Walks streams of equal length in step, cutting (without copying) at every stream's batch ends.

    Streams without rows yield once, so that the columns are known. Raises: BuildError if a stream ends before the
    others: layers that are out of line must never be zipped.
    """
    current = [next(stream, None) for stream in streams]
    if all(c is not None and not c.num_rows for c in current):
        yield [c for c in current if c is not None]
    while True:
        for i, stream in enumerate(streams):
            while (batch := current[i]) is not None and not batch.num_rows:
                current[i] = next(stream, None)
        ready = [c for c in current if c is not None]
        if not ready:
            return
        if len(ready) < len(streams):
            raise BuildError("layers of one table have different numbers of rows", where=where)
        rows = min(c.num_rows for c in ready)
        yield [c.slice(0, rows) for c in ready]
        current = [c.slice(rows) for c in ready]
