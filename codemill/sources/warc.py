"""WARC and WET files of web crawls: each answer of a web server is a row, its host the repository, its URL the path.

A file is a shard. Requests and notes of the crawler are nothing; an answer that is no page is a row with a reason.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO, ClassVar

import pyarrow as pa

from codemill.errors import InputError
from codemill.machine.source import Listing, Shard
from codemill.sources._batches import Row, batches
from codemill.sources._columns import iso_time
from codemill.sources._decompress import CHUNK, Broken, Decompressed, compression
from codemill.sources._http import answer, as_utf8, body
from codemill.sources._names import escape_text
from codemill.sources._notes import count, some
from codemill.sources._places import Input, files, is_unchanged, open_binary
from codemill.sources._shards import Fingerprint, fingerprint
from codemill.sources._warc import Record, records
from codemill.web.urls import host_of

SUFFIXES = (".warc", ".warc.gz", ".warc.zst", ".wet", ".wet.gz")

HTML = ("text/html", "application/xhtml+xml")
TEXT = ("text/plain", "text/markdown")
NOT_PAGES = ("request", "metadata", "warcinfo", "revisit", "continuation")

MAX_URL = 1 << 13
TRIED = 1 << 10  # bytes of a gzip member that are unfolded to see whether it holds a record
_GZIP = b"\x1f\x8b\x08"
_DUMP = re.compile(rb"(?im)^isPartOf:\s*(\S{1,200})")


@dataclass(frozen=True)
class Warc:
    """WARC files, plain or compressed: one, or all below a directory or address. WET files too, which hold text.

    The content type of a page, the dump and what else is known of it go to `meta`. A page is read up to
    `max_file_bytes`, unfolded. Reasons: `not_a_page`, `http_error`, `too_large`, `malformed`, `truncated`, `corrupt`,
    `bomb`, `unsupported`.
    """

    path: str
    label: str = "warc"
    max_file_bytes: int = 8_000_000
    max_ratio: int = 1000  # a compressed file that unfolds to more than this many times its bytes is a bomb

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def list(self) -> Listing:
        """The files. Raises: InputError if there are none."""
        places, notes = files(self.path, SUFFIXES)
        parameters = ("warc", 2, self.label, self.max_file_bytes, self.max_ratio)
        shards = tuple(
            Shard(
                place.name,
                max(1, place.size >> 14),
                place.size,
                (place.name, place.uri, place.size, place.mtime_ns),
                Fingerprint(*parameters, place.name, place.size, place.mtime_ns).hex(),
            )
            for place in places
        )
        note = f"warc: {count(len(places), 'file')}: {some([escape_text(place.name) for place in places])}"
        return Listing(fingerprint(shards, *parameters), shards, (note, *notes))

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """Reads one file's records in order. Raises: InputError if it has changed since it was listed."""
        return batches(self._rows(*shard.what))

    def _rows(self, name: str, uri: str, size: int, mtime_ns: int) -> Iterator[Row]:
        if not is_unchanged(Input(name, uri, size, mtime_ns)):
            raise InputError("an input changed while the run was using it", where=uri, remedy="run again")
        name = escape_text(name)
        stem = PurePosixPath(name).name.partition(".")[0] or name
        dump: str | None = None
        number = 0
        with open_binary(uri) as file:
            for record in self._records(file, size):
                number += 1
                if isinstance(record, Broken):
                    yield Row(stem, f"{name}#{number}", size=size, reason=record.reason, detail=record.detail)
                    continue
                if record.type == "warcinfo" and (found := _DUMP.search(record.data or b"")):
                    dump = found[1].decode("ascii", "replace")
                if record.type not in NOT_PAGES:
                    yield self._row(record, stem, f"{name}#{number}", dump)

    def _records(self, file: BinaryIO, size: int) -> Iterator[Record | Broken]:
        """The records of a file. After a damaged gzip member it goes on with the next one.

        Members in a row that hold no record are one region, and one `Broken`. The longer such a region is, the more of
        it is skipped at once: each try reads a chunk, and a member could be claimed every few bytes.
        """
        most = self.max_file_bytes + (1 << 16)
        kind = compression(file.read(8))
        start: int | None = 0
        skip = 0  # bytes behind what is damaged; 0: nothing is
        while start is not None and start < size:
            file.seek(start)
            stream = Decompressed(file, kind, ratio=self.max_ratio) if kind else None
            try:
                for record in records(stream.some if stream else partial(file.read, CHUNK), most):
                    skip = 0
                    yield record
                return
            except Broken as broken:
                if not skip:
                    yield broken
                if stream is None or kind != "gz" or broken.reason != "corrupt":
                    return
                skip = min(max(1, 2 * skip), CHUNK)
                start = _next_member(file, start + stream.at + skip)

    def _row(self, record: Record, stem: str, place: str, dump: str | None) -> Row:
        url = record.headers.get("warc-target-uri", "").strip().removeprefix("<").removesuffix(">")
        host = host_of(url) if len(url) <= MAX_URL else None
        time = iso_time(record.headers.get("warc-date"))
        reason, detail, raw, content_type = self._page(record)
        language = record.headers.get("warc-identified-content-language")
        facts = {"content_type": content_type, "dump": dump, "language": language}
        meta = json.dumps({k: v for k, v in facts.items() if v}, ensure_ascii=False, separators=(",", ":"))
        # A page whose URL is none has no host: it counts as one of the file that it is in.
        path = (escape_text(url) if host else "") or place
        size = record.size if raw is None else len(raw)
        return Row(host or stem, path, None, None, time, None, size, raw, reason, detail, meta)

    def _page(self, record: Record) -> tuple[str | None, str | None, bytes | None, str]:
        """Why it is not read and the value behind that, or its bytes; and its content type."""
        given = record.headers.get("content-type", "")
        if record.type in ("malformed", "truncated"):
            return record.type, str(record.size), None, ""
        if record.data is None:
            return "too_large", str(record.size), None, ""
        data: bytes | str = record.data
        if record.type == "response" and given.lower().startswith("application/http"):
            found = answer(record.data)
            if found is None:
                return "malformed", "not an answer of HTTP", None, ""
            given = found.headers.get("content-type", "")
            if not 200 <= found.status < 300:
                return "http_error", str(found.status), None, ""
            data = body(found, self.max_file_bytes)
        kind = given.partition(";")[0].strip().lower() or "text/html"  # pages without one are looked at all the same
        if kind not in (*HTML, *TEXT):
            return "not_a_page", kind[:100], None, ""
        if isinstance(data, str):
            return data, None, None, ""
        if len(data) > self.max_file_bytes:
            return "too_large", str(len(data)), None, ""
        return None, None, as_utf8(data, given), "text/html" if kind in HTML else kind


def _next_member(file: BinaryIO, start: int) -> int | None:
    """Where the next gzip member begins that holds a record, from a place on."""
    file.seek(start)
    held, more = b"", True
    while more:
        chunk = file.read(CHUNK)
        held, more = held + chunk, bool(chunk)
        end = len(held) - TRIED if more else len(held)  # from here on there is too little to tell
        at = held.find(_GZIP)
        while 0 <= at < end:
            if _holds_record(held[at : at + TRIED]):
                return start + at
            at = held.find(_GZIP, at + 1)
        start, held = start + max(0, end), held[max(0, end) :]
    return None


def _holds_record(begin: bytes) -> bool:
    """Whether what unfolds from here begins like a record."""
    try:
        return zlib.decompressobj(31).decompress(begin, 5) == b"WARC/"
    except zlib.error:
        return False
