"""Reading a table: a stack of row-aligned layers, streamed side by side.

A newer column hides an older one, row for row where it is an edit: null then means "as it was". A column that a
source left in place is read from the input itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from codemill.errors import BuildError, InputError
from codemill.machine.store import ROW_GROUP_BYTES, Place


@dataclass(frozen=True)
class Layer:
    """One built layer of a stack, as workers see it. Plain data."""

    step: str
    folder: Place
    columns: tuple[str, ...]
    externals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # part name → External as a dict
    edits: tuple[str, ...] = ()  # columns in which null means "as the older layers have it"


def edits_of(folder: Place) -> tuple[str, ...]:
    """The `edits` of a layer that was built, as its manifest says."""
    facts = folder.at("manifest.json").read_json()
    return tuple(facts.get("edits", ())) if isinstance(facts, dict) else ()


@dataclass(frozen=True)
class Stack:
    """Row-aligned layers, oldest first: what a Table is once it is built. A newer column hides an older one."""

    layers: tuple[Layer, ...]

    def columns(self) -> set[str]:
        """All columns that can be read, the verdicts apart."""
        return {c for layer in self.layers for c in layer.columns}

    def homes(self, column: str) -> list[int]:
        """The layers that a column is read from, newest first: edits of it, down to the first that has it whole."""
        homes = []
        for i in reversed(range(len(self.layers))):
            if column in self.layers[i].columns:
                homes.append(i)
                if column not in self.layers[i].edits:
                    break
        return homes

    def batches(
        self, part: str, columns: Iterable[str], verdicts: Iterable[str] = ("reason",)
    ) -> Iterator[tuple[pa.RecordBatch, list[pa.RecordBatch]]]:
        """Streams all rows of a part, living or not: the columns asked for, and each layer's verdict columns.

        The second value has one batch per layer. Memory: a batch of every layer.
        """
        columns, verdicts = list(columns), list(verdicts)
        homes = {c: self.homes(c) for c in columns}
        own = [[v for v in verdicts if v in layer.columns] for layer in self.layers]
        streams = [
            _part_batches(layer, part, [*(c for c in columns if i in homes[c]), *own[i]])
            for i, layer in enumerate(self.layers)
        ]
        for slices in _aligned(streams, where=f"{self.layers[0].folder.uri}/{part}"):
            data = [_newest([slices[i].column(c) for i in homes[c]]) for c in columns]
            batch = pa.RecordBatch.from_arrays(data, names=columns)
            yield batch, [piece.select(names) for piece, names in zip(slices, own, strict=True)]


def _newest(columns: list[pa.Array]) -> pa.Array:
    """For each row the first value that is not null."""
    told = [c for c in columns[:-1] if c.null_count < len(c)]
    return pc.coalesce(*told, columns[-1]) if told else columns[-1]


def _part_batches(layer: Layer, part: str, names: list[str]) -> Iterator[pa.RecordBatch]:
    """One layer's columns of one part: from its own file and, where that has none, from the input left in place."""
    own = _file_batches(layer.folder.at(f"{part}.parquet"), names)
    external = layer.externals.get(part)
    outside = [n for n in names if external and n in external["columns"]]
    if not external or not outside:
        yield from own
        return
    for mine, theirs in _aligned([own, _external_batches(external, outside)], where=f"{layer.folder.uri}/{part}"):
        columns = {n: mine.column(n) for n in names}
        for name in outside:
            here = columns[name]  # decoded content, for the few rows that were not plain UTF-8
            columns[name] = theirs[name] if here.null_count == len(here) else pc.coalesce(here, theirs[name])
        yield pa.RecordBatch.from_arrays(list(columns.values()), names=names)


def _file_batches(place: Place, names: list[str]) -> Iterator[pa.RecordBatch]:
    filesystem, path = place.open()
    try:
        with filesystem.open_input_file(path) as stream:
            file = pq.ParquetFile(stream, page_checksum_verification=True, pre_buffer=False)
            if not file.num_row_groups:
                yield _no_rows(file.schema_arrow, names)
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=names, use_threads=False)
                yield from table.select(names).combine_chunks().to_batches()
    except (pa.ArrowInvalid, OSError) as error:
        raise BuildError(
            f"a part was damaged while it was in use: {error}",
            where=path,
            remedy="run again: it will be rebuilt",
        ) from error


def _external_batches(external: Mapping[str, Any], names: list[str]) -> Iterator[pa.RecordBatch]:
    """Columns that stayed in the user's own Parquet file, as `large_string`; null where a row group is damaged.

    (Ingest dropped those rows as `corrupt`; that no living row lacks its content is checked where it is used.)
    """
    filesystem, path = Place.of(external["path"]).open()
    info = filesystem.get_file_info(path)
    if info.size != external["size"] or (info.mtime_ns or 0) != external["mtime_ns"]:
        raise InputError("an input changed while the run was using it", where=path, remedy="run again")
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
