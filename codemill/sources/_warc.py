"""The records of a WARC file, from a stream, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from codemill.sources._decompress import Broken
from codemill.sources._http import fields

MAX_LINE = 1 << 14
MAX_LINES = 200
"""A header with longer or more lines is none."""


@dataclass(frozen=True)
class Record:
    """A record: its type, its headers by their names in lower case, its length, and its bytes if they are not too many.

    A record of the type "malformed" is a place at which none begins, however much of the file is so from there on, and
    "truncated" one that the file does not hold all of.
    """

    type: str
    headers: dict[str, str]
    size: int
    data: bytes | None


class _Buffered:
    """A stream with lines, by a function that gives its next bytes."""

    def __init__(self, more: Callable[[], bytes]) -> None:
        self._more, self._held, self._at, self._ended = more, b"", 0, False

    def _fill(self) -> bool:
        more = b"" if self._ended else self._more()
        self._held, self._at, self._ended = self._held[self._at :] + more, 0, not more
        return bool(more)

    def line(self) -> bytes:
        """The next line with its end; nothing at the end of the stream; a part of a line that is too long."""
        while True:
            end = self._held.find(b"\n", self._at, self._at + MAX_LINE)
            if end < 0 and len(self._held) - self._at < MAX_LINE and self._fill():
                continue
            stop = end + 1 if end >= 0 else min(len(self._held), self._at + MAX_LINE)
            found = self._held[self._at : stop]
            self._at = stop
            return found

    def take(self, size: int, keep: bool) -> tuple[bytes, int]:
        """The next bytes, if they are to be kept, and how many there were."""
        pieces, left = [], size
        while left and (self._at < len(self._held) or self._fill()):
            piece = self._held[self._at : self._at + left]
            self._at += len(piece)
            left -= len(piece)
            if keep:
                pieces.append(piece)
        return b"".join(pieces), size - left


def records(more: Callable[[], bytes], most: int) -> Iterator[Record]:
    """All records in order, of a stream: `more` gives its next bytes, and none at its end.

    The bytes of a record with more than `most` are not kept.

    Raises: Broken where the stream cannot be read on.
    """
    buffered = _Buffered(more)
    skipped, damaged = 0, False
    while line := buffered.line():
        if not line.startswith(b"WARC/"):
            skipped += len(line) if line.strip() else 0
            continue
        if skipped and not damaged:
            yield Record("malformed", {}, skipped, None)
            damaged = True
        skipped = 0
        lines: list[str] = []
        while (line := buffered.line()) and line.strip() and len(lines) < MAX_LINES:
            lines.append(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
        headers = fields(lines)
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 16):
            if not damaged:
                yield Record("malformed", headers, 0, None)
            damaged = True
            continue
        size, damaged = int(length), False
        data, found = buffered.take(size, size <= most)
        if found < size:
            yield Record("truncated", headers, found, None)
            return
        yield Record(headers.get("warc-type", "").lower(), headers, size, data if size <= most else None)
    if skipped and not damaged:
        yield Record("malformed", {}, skipped, None)


__all__ = ["Broken", "Record", "records"]
