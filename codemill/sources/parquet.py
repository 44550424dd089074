"""Parquet files whose rows are files: The Stack, RefineCode's metadata, a table of one's own, our own corpus.

A text column stays where it is (`External`): batches carry its bytes to be hashed and checked, but it is not copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from codemill.errors import InputError
from codemill.machine.layers import READ_BUFFER, row_group_batches
from codemill.machine.source import External, Listing, Shard
from codemill.machine.store import Place
from codemill.sources._batches import BATCH_BYTES, BATCH_ROWS
from codemill.sources._columns import is_content, is_text, mapping, plain, to_raw
from codemill.sources._names import escape_text
from codemill.sources._notes import count, some
from codemill.sources._places import Input, files
from codemill.sources._shards import Fingerprint, cut, fingerprint

SUFFIXES = (".parquet", ".pq")

MAX_CORRUPT_ROWS = 50_000_000
"""A damaged row group that claims more rows than this is not believed."""

_MIN_ROW = 1 << 10  # bytes that a row counts at least when shards are cut: 65,536 rows a shard

Damage = (pa.ArrowException, OSError)


@dataclass(frozen=True)
class Parquet:
    """Parquet files whose rows are files: one, or all below a directory or address.

    `columns`: the name of a preset ("the_stack_v2", "the_stack", "refinecode_meta"), a mapping from our names to
    theirs (`{"content": "text"}`), or None to guess by the usual names. Other columns go to `meta` as JSON.
    Reasons: `no_content`, `too_large`, `corrupt`.
    """

    path: str
    label: str = "parquet"
    columns: str | Mapping[str, str] | None = None
    max_file_bytes: int = 8_000_000
    keep_in_place: bool = True  # False copies text columns as well, so that the input may go away

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def list(self) -> Listing:
        """Reads the footers. Raises: InputError for a file that is not Parquet, or lacks a mapped column."""
        places, notes = files(self.path, SUFFIXES)
        made = tuple(shard for place in places for shard in self._shards(place))
        note = f"parquet: {count(len(places), 'file')}: {some([escape_text(place.name) for place in places])}"
        return Listing(fingerprint(made, *self._parameters()), made, (note, *notes))

    def _parameters(self) -> tuple[object, ...]:
        """What decides on the rows, apart from the input."""
        return ("parquet", 3, self.label, plain(self.columns), self.max_file_bytes, self.keep_in_place)

    def _shards(self, place: Input) -> Iterator[Shard]:
        with _opened(place.uri, place.size, place.mtime_ns) as file:
            if not file.schema_arrow.names:
                raise InputError("the file has no columns", where=place.uri, remedy="move it away")
            ours = mapping(self.columns, file.schema_arrow.names, place.uri)
            content = ours.get("content")
            kind = file.schema_arrow.field(content).type if content else None
            if kind is not None and not is_content(kind):
                raise InputError(
                    f"column {content!r} is {kind}, not text or bytes",
                    where=place.uri,
                    remedy='say which column is the content: columns={"content": …}',
                )
            external = self.keep_in_place and kind is not None and is_text(kind)
            groups = [_group(file.metadata, i, content) for i in range(file.num_row_groups)]
        row = 0
        weights = ((i, max(held, rows * _MIN_ROW)) for i, (rows, held) in enumerate(groups))
        for run, _ in cut(weights):
            first, last = run[0], run[-1] + 1
            rows, held = sum(groups[i][0] for i in run), sum(groups[i][1] for i in run)
            whole = len(run) == len(groups)
            yield Shard(
                place.name if whole else f"{place.name} (row groups {first} to {last - 1})",
                rows,
                held,
                (place.name, place.uri, place.size, place.mtime_ns, first, last, row),
                Fingerprint(*self._parameters(), place.name, place.size, place.mtime_ns, first, last).hex(),
                External(
                    place.uri,
                    (first, last),
                    {"content": content},
                    place.size,
                    place.mtime_ns,
                    {"content": "content_sha256"},
                )
                if external and content
                else None,
            )
            row += rows

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """Reads one shard's row groups in order, a row for every row of the file, so `External` lines up.

        Where a row group is damaged its rows are `corrupt`, with what can still be read of their names.

        Raises: InputError if the file has changed since it was listed.
        """
        name, uri, size, mtime_ns, first, last, row = shard.what
        with _opened(uri, size, mtime_ns) as file:
            for group in range(first, last):
                yield from self._group(file, group, name, row)
                row += file.metadata.row_group(group).num_rows

    def _group(self, file: pq.ParquetFile, group: int, name: str, first: int) -> Iterator[pa.RecordBatch]:
        """One row group. Content is read by itself, as it is when read in place: what is damaged is the same."""
        ours = mapping(self.columns, file.schema_arrow.names, name)
        content = [theirs for our, theirs in ours.items() if our == "content"]
        others = [theirs for theirs in file.schema_arrow.names if theirs not in content]
        row = first
        for texts, keys, rows, damage in _side_by_side(_column(file, group, content), _column(file, group, others)):
            columns = {n: b.column(n) for b in (texts, keys) if b is not None for n in b.schema.names}
            yield from self._pieces(columns, rows, ours, name, row, damage)
            row += rows

    def _pieces(
        self,
        columns: Mapping[str, pa.Array],
        rows: int,
        ours: Mapping[str, str],
        name: str,
        row: int,
        corrupt: str | None,
    ) -> Iterator[pa.RecordBatch]:
        """Columns as `document.RAW`, in slices of at most `BATCH_BYTES` of content."""
        theirs = set(ours.values())
        raw = to_raw(
            {our: columns[n] for our, n in ours.items() if n in columns and not (corrupt and our == "content")},
            {n: column for n, column in columns.items() if n not in theirs},
            rows,
            names=_names(name),
            first_row=row,
            most=self.max_file_bytes,
            corrupt=corrupt,
        )
        if raw.num_rows <= BATCH_ROWS and (pc.sum(pc.binary_length(raw["raw"])).as_py() or 0) <= BATCH_BYTES:
            yield raw  # nearly always, and walking every row in Python is slow
            return
        sizes = pc.fill_null(pc.binary_length(raw["raw"]), 0).to_pylist()
        start = 0
        for run, _ in cut(enumerate(sizes), most_bytes=BATCH_BYTES, most_items=BATCH_ROWS):
            yield raw.slice(start, len(run))
            start += len(run)


def _opened(uri: str, size: int, mtime_ns: int) -> pq.ParquetFile:
    """The file, with its footer read. Raises: InputError if it is not Parquet, or not the file that was listed."""
    filesystem, path = Place.of(uri).open()
    try:
        info = filesystem.get_file_info(path)
        if info.size != size or (info.mtime_ns or 0) != mtime_ns:
            raise InputError("an input changed while the run was using it", where=uri, remedy="run again")
        return pq.ParquetFile(
            filesystem.open_input_file(path),
            pre_buffer=False,
            buffer_size=READ_BUFFER,
            page_checksum_verification=True,
        )
    except UnicodeEncodeError as error:
        raise InputError("the file's name is not UTF-8", where=repr(uri), remedy="rename it") from error
    except Damage as error:
        raise InputError(
            f"this is not a whole Parquet file: {_one_line(error)}", where=uri, remedy="get it again, or move it away"
        ) from error


def _group(metadata: pq.FileMetaData, index: int, content: str | None) -> tuple[int, int]:
    """A row group's rows, and its bytes of content as stored before compression."""
    group = metadata.row_group(index)
    chunks = (group.column(i) for i in range(group.num_columns))
    held = [c.total_uncompressed_size for c in chunks if c.path_in_schema == content]
    return group.num_rows, held[0] if held else 0


_Block = tuple[pa.RecordBatch | None, int, str | None]  # a batch if there is one, its rows, what is damaged


def _column(file: pq.ParquetFile, group: int, names: list[str]) -> Iterator[_Block]:
    """Some columns of a row group; from where they cannot be read on, the rows that are left without them."""
    left, damage = file.metadata.row_group(group).num_rows, None
    if names:
        try:
            for batch in row_group_batches(file, group, names):
                left -= batch.num_rows
                yield batch, batch.num_rows, None
        except Damage as error:
            damage = f"row group {group}: {_one_line(error)}"
        damage = damage or f"row group {group} ends {left} rows early"
        if left > MAX_CORRUPT_ROWS:
            raise InputError(f"{damage}; it claims {left} more rows", remedy="get the file again, or move it away")
    while left:
        rows = min(left, BATCH_ROWS)
        yield None, rows, damage
        left -= rows


def _side_by_side(
    first: Iterator[_Block], second: Iterator[_Block]
) -> Iterator[tuple[pa.RecordBatch | None, pa.RecordBatch | None, int, str | None]]:
    """Two streams of the same rows, cut alike."""
    one, other = next(first, None), next(second, None)
    while one is not None and other is not None:
        rows = min(one[1], other[1])
        yield one[0] and one[0].slice(0, rows), other[0] and other[0].slice(0, rows), rows, one[2] or other[2]
        one = _rest(one, rows) or next(first, None)
        other = _rest(other, rows) or next(second, None)


def _rest(block: _Block, rows: int) -> _Block | None:
    batch, held, damage = block
    return None if held == rows else (batch and batch.slice(rows), held - rows, damage)


def _names(name: str) -> tuple[str, str]:
    return PurePosixPath(name).stem, name


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
