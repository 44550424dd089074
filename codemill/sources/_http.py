"""The answer of a web server as a WARC record holds it: status, headers, and the body without its transfer codings."""

from __future__ import annotations

import codecs
import re
import zlib
from typing import NamedTuple

MAX_HEADERS = 1 << 16
"""An answer with longer headers (bytes) is none."""

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([-\w.:]+)", re.IGNORECASE)
_WEB_NAMES = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "cp1252",
    "gb2312": "gb18030",
}
"""What pages mean by names of encodings, where that is more than the names say (WHATWG Encoding, 4.2)."""


class Answer(NamedTuple):
    """A status, headers by their names in lower case, and a body."""

    status: int
    headers: dict[str, str]
    body: bytes


def answer(data: bytes) -> Answer | None:
    """Parses an answer. None: it is none."""
    end = re.search(rb"\r?\n\r?\n", data[:MAX_HEADERS])
    lines = data[: end.start() if end else 0].decode("latin-1").splitlines()
    found = re.match(r"HTTP/\S+\s+(\d{3})", lines[0]) if lines else None
    if end is None or found is None:
        return None
    return Answer(int(found[1]), fields(lines[1:]), data[end.end() :])


def fields(lines: list[str]) -> dict[str, str]:
    """`Name: value` lines, names in lower case; of two with one name the first."""
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def body(answer: Answer, most: int) -> bytes | str:
    """The body without chunks and compression; or the word for why it is not read.

    At most `most` bytes are unfolded. A body that claims a coding but is not in it is taken as it stands, as crawlers
    often keep the headers of what they have decoded already.
    """
    data = answer.body
    if "chunked" in answer.headers.get("transfer-encoding", "").lower():
        data = _joined(data)
    coding = answer.headers.get("content-encoding", "").lower().strip()
    if coding in ("", "identity"):
        return data
    if coding in ("gzip", "x-gzip", "deflate"):
        return _inflated(data, coding, most)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "unsupported"
    return data  # decoded already


def _joined(data: bytes) -> bytes:
    pieces: list[bytes] = []
    at = 0
    while True:
        end = data.find(b"\n", at, at + 64)
        size = data[at : max(end, at)].split(b";")[0].strip()
        if end < 0 or not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
            return data if not pieces else b"".join(pieces)
        length = int(size, 16)
        if not length:
            return b"".join(pieces)
        pieces.append(data[end + 1 : end + 1 + length])
        at = end + 1 + length
        at += 2 if data[at : at + 2] == b"\r\n" else 1


def _inflated(data: bytes, coding: str, most: int) -> bytes | str:
    if coding != "deflate" and not data.startswith(b"\x1f\x8b"):
        return data
    for bits in (47, -15):  # gzip or zlib; deflate as some servers understand it
        engine = zlib.decompressobj(bits)
        try:
            made = engine.decompress(data, most + 1)
        except zlib.error:
            continue
        if len(made) > most:
            return "too_large"
        return made if made or engine.eof else data
    return data if coding == "deflate" else "corrupt"


def as_utf8(data: bytes, content_type: str) -> bytes:
    """The body as UTF-8 where its headers name another encoding and it is in that. Otherwise as it is.

    What a page says of itself, and what its bytes look like, comes later: the headers count for more.
    """
    found = _CHARSET.search(content_type)
    if found is None or data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return data
    name = _WEB_NAMES.get(found[1].lower(), found[1].lower())
    try:
        if codecs.lookup(name).name == "utf-8" or not codecs.lookup(name)._is_text_encoding:
            return data
        data.decode("utf-8")
    except LookupError:
        return data
    except UnicodeDecodeError:
        try:
            return data.decode(name).encode()
        except (UnicodeError, ValueError):
            return data
    return data  # it is UTF-8, whatever the headers say
