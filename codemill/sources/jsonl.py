"""JSON lines whose lines are files: plain, gz, bz2, xz or zst.

A plain file is cut into shards at line boundaries; a compressed one is a shard. A line that cannot be used is a row
with a reason; empty lines are nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, BinaryIO, ClassVar

import pyarrow as pa

from codemill.errors import InputError
from codemill.machine.source import Listing, Shard
from codemill.sources._batches import Row, batches
from codemill.sources._columns import iso_time, mapping, plain, preset
from codemill.sources._decompress import Broken, Decompressed, Stream, compression
from codemill.sources._names import escape_text
from codemill.sources._notes import count, some
from codemill.sources._places import Input, files, is_unchanged, open_binary
from codemill.sources._shards import SHARD_BYTES, Fingerprint, fingerprint

_PLAIN = (".jsonl", ".ndjson", ".jsonlines")
SUFFIXES = _PLAIN + tuple(plain + end for plain in _PLAIN for end in (".gz", ".bz2", ".xz", ".zst"))

CHUNK = 1 << 20


@dataclass(frozen=True)
class Jsonl:
    """JSON lines whose lines are files: one file, or all below a directory or address.

    `columns`: the name of a preset, a mapping from our names to theirs, or None to guess by the usual names, line
    by line. Other keys go to `meta`. Reasons: `malformed` (not a JSON object, or content that is no text),
    `no_content`, `too_large`; for a compressed file as a whole, in a row of its own: `truncated`, `corrupt`, `bomb`.
    """

    path: str
    label: str = "jsonl"
    columns: str | Mapping[str, str] | None = None
    max_file_bytes: int = 8_000_000
    max_line_bytes: int = 64 << 20  # a longer line is skipped without being held
    max_ratio: int = 1000  # unfolded to stored bytes, beyond 64 MiB

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def list(self) -> Listing:
        """Finds the files, and the line boundaries at which plain ones are cut.

        Raises: InputError if there is no such file.
        """
        places, notes = files(self.path, SUFFIXES)
        mapping(
            self.columns, (preset(self.columns) if isinstance(self.columns, str) else self.columns or {}).values(), ""
        )
        made = tuple(shard for place in places for shard in self._shards(place))
        note = f"jsonl: {count(len(places), 'file')}: {some([escape_text(place.name) for place in places])}"
        return Listing(fingerprint(made, *self._parameters()), made, (note, *notes))

    def _parameters(self) -> tuple[object, ...]:
        """What decides on the rows, apart from the input."""
        limits = (self.max_file_bytes, self.max_line_bytes, self.max_ratio)
        return ("jsonl", 3, self.label, plain(self.columns), *limits)

    def _shards(self, place: Input) -> Iterator[Shard]:
        try:
            with open_binary(place.uri) as file:
                kind = compression(file.read(8))
                cuts = [0, place.size] if kind else _cuts(file, place.size)
        except OSError as error:
            raise InputError(f"cannot read this file: {error.strerror}", where=place.uri) from error
        for start, stop in pairwise(cuts):
            label = place.name if len(cuts) == 2 else f"{place.name} (bytes {start} to {stop})"
            what = (place.name, place.uri, place.size, place.mtime_ns, kind, start, stop)
            identity = Fingerprint(*self._parameters(), place.name, place.size, place.mtime_ns, start, stop).hex()
            yield Shard(label, max(1, (stop - start) // 8192), stop - start, what, identity)

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """Reads one shard's lines in order. Raises: InputError if the file has changed since it was listed."""
        return batches(self._rows(*shard.what))

    def _rows(self, name: str, uri: str, size: int, mtime_ns: int, kind: str, start: int, stop: int) -> Iterator[Row]:
        if not is_unchanged(Input(name, uri, size, mtime_ns)):
            raise InputError("an input changed while the run was using it", where=uri, remedy="run again")
        name = escape_text(name)
        first = PurePosixPath(name).name.partition(".")[0] or name
        with open_binary(uri) as file:
            file.seek(start)
            stream: Stream = Decompressed(file, kind, ratio=self.max_ratio) if kind else _Part(file, stop - start)
            number, earlier = 0, None
            try:
                for offset, line, length in _lines(stream, self.max_line_bytes):
                    number += 1
                    place = f"{name}@{start + offset}"
                    if line is None:
                        yield Row(first, place, size=length, reason="too_large", detail=str(length))
                    elif line.strip():
                        row = self._row(line, first, place)
                        if isinstance(row, str):
                            if earlier is None:
                                earlier = _count_lines(uri, start)
                            row = Row(
                                first, place, size=length, reason="malformed", detail=f"line {earlier + number}: {row}"
                            )
                        yield row
            except Broken as broken:
                yield Row(first, name, size=size, reason=broken.reason, detail=broken.detail)

    def _row(self, line: bytes, repo: str, place: str) -> Row | str:
        """The row of a line, or what is wrong with it."""
        try:
            value = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            return str(error)[:200]
        if not isinstance(value, dict):
            return f"not an object but {type(value).__name__}"
        columns = self.columns if self.columns is None else _wanted(self.columns)
        ours = mapping(None, value, place) if columns is None else columns
        found = {our: value.pop(theirs, None) for our, theirs in ours.items()}
        content, reason, detail = found.get("content"), None, None
        try:
            raw = None if content is None else content.encode()
            meta = json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None
            if meta is not None:
                meta.encode()
            strings = {n: _text(found.get(n)) for n in ("repo", "path", "revision")}
            license = _licenses(found.get("license"))
        except (AttributeError, UnicodeEncodeError, RecursionError) as error:
            return f"content is {type(content).__name__}" if isinstance(error, AttributeError) else str(error)[:200]
        size = _integer(found.get("size")) if raw is None else len(raw)
        if raw is None:
            reason = "no_content"
        elif len(raw) > self.max_file_bytes:
            raw, reason, detail = None, "too_large", str(size)
        return Row(
            strings["repo"] or repo,
            (strings["path"] or "").lstrip("/") or place,
            strings["revision"],
            _integer(found.get("stars")),
            _time(found.get("commit_time")),
            license,
            size or 0,
            raw,
            reason,
            detail,
            meta,
        )


def _wanted(columns: str | Mapping[str, str]) -> Mapping[str, str]:
    return preset(columns) if isinstance(columns, str) else columns


def _no_constant(name: str) -> None:
    """NaN and Infinity, which are not JSON, as null."""


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict | list):
        return None
    text = str(value)
    text.encode()  # lone surrogates are no text
    return text


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else None


def _time(value: Any) -> int | None:
    number = _integer(value)
    if number is None:
        return iso_time(value)
    return number * (10**6 if number < 10**11 else 10**3 if number < 10**14 else 1)


def _licenses(value: Any) -> list[str] | None:
    values = value if isinstance(value, list) else [value]
    return [text for v in values if (text := _text(v))] or None


# ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Part:
    """The next bytes of a file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


def _lines(stream: Stream, most: int) -> Iterator[tuple[int, bytes | None, int]]:
    """Offset, bytes and length of every line; None for one longer than `most`, which is never held."""
    offset = length = 0
    held: list[bytes] = []
    while True:
        chunk = stream.read(CHUNK)
        position = 0
        while (end := chunk.find(b"\n", position)) >= 0:
            piece = chunk[position:end]
            length += len(piece)
            yield offset, b"".join([*held, piece]) if length <= most else None, length
            offset, length, position = offset + length + 1, 0, end + 1
            held = []
        rest = chunk[position:]
        length += len(rest)
        held = [*held, rest] if length <= most else []
        if not chunk:
            if length:
                yield offset, b"".join(held) if length <= most else None, length
            return


def _cuts(file: BinaryIO, size: int) -> list[int]:
    """Where a plain file is cut: at the first line boundary after every `SHARD_BYTES`. [0] for an empty file."""
    cuts = [0]
    while cuts[-1] < size:
        position = cuts[-1] + SHARD_BYTES
        if position >= size:
            cuts.append(size)
            break
        file.seek(position)
        while True:
            chunk = file.read(CHUNK)
            end = chunk.find(b"\n")
            if end >= 0 or not chunk:
                cuts.append(min(size, position + (end + 1 if end >= 0 else 0)))
                break
            position += len(chunk)
    return cuts


def _count_lines(uri: str, stop: int) -> int:
    """Lines before an offset. Only counted once a shard has a line to complain about."""
    count = 0
    with open_binary(uri) as file:
        part = _Part(file, stop)
        while chunk := part.read(CHUNK):
            count += chunk.count(b"\n")
    return count
