"""Tar as a stream. The standard library parses the headers; the way through the file is ours, as it must be bounded:
`tarfile` reads a long name or a pax header of any size that is claimed, and seeks.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from codemill.sources._decompress import Broken, Decompressed, Stream
from codemill.sources._members import Limits, Member

BLOCK = 512
MAX_EXTENSION = 1 << 20
"""Bytes of a pax header or of a long name. Paths end at 4 KiB."""

MAX_EXTENSIONS = 16  # before one member
MAX_SIZE = 1 << 62

_PAX = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_EXTENSIONS = (*_PAX, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)


def tar_members(file: BinaryIO, compression: str, limits: Limits) -> Iterator[Member]:
    """Members in their order, directories left out.

    Raises: Broken if the archive cannot be read on, or exceeds a limit.
    """
    stream: Stream = Decompressed(file, compression, ratio=limits.ratio) if compression else file
    numbered = 0
    for header, extra, left in _headers(stream, limits):
        if header.type == tarfile.DIRTYPE:
            _skip(stream, left)
            continue
        numbered += 1
        if numbered > limits.members:
            raise Broken("too_many_members", f"more than {limits.members}")
        path = extra.get("GNU.sparse.name") or extra.get("path") or header.name
        time = _number(extra.get("mtime")) if "mtime" in extra else float(header.mtime)
        if header.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse") for key in extra):
            outcome: tuple[str, str | None] = ("sparse", None)
        elif header.type in _LINKS:
            outcome = ("link", extra.get("linkpath") or header.linkname)
        elif header.type not in _FILES:
            outcome = ("special", f"tar type {header.type.decode('ascii', 'backslashreplace')}")
        elif header.size > limits.file_bytes:
            outcome = ("too_large", str(header.size))
        else:
            raw = stream.read(header.size)
            if len(raw) < header.size:
                raise Broken("truncated", f"ends within {path}")
            yield Member(path, header.size, raw, time=time)
            _skip(stream, left - header.size)
            continue
        yield Member(path, header.size, None, *outcome, time=time)
        _skip(stream, left)


def _headers(stream: Stream, limits: Limits) -> Iterator[tuple[tarfile.TarInfo, dict[str, str], int]]:
    """Each member's header, what extended headers say of it, and the bytes up to the next one, for the caller."""
    common: dict[str, str] = {}
    extra: dict[str, str] = {}
    extensions = total = 0
    started = False
    while True:
        block = stream.read(BLOCK)
        if not block and started:
            return  # without the two empty blocks that should end it: usual, and harmless
        if len(block) < BLOCK:
            if not started:
                raise Broken("corrupt", "this is not a tar archive")
            raise Broken("truncated", "ends within a header")
        if block == bytes(BLOCK) and (started or not any(stream.read(BLOCK))):
            return
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except (tarfile.HeaderError, ValueError, OverflowError) as error:
            raise Broken("corrupt", f"bad tar header: {error}") from error
        started = True
        size = header.size
        if header.type in _EXTENSIONS:
            extensions += 1
            if not 0 <= size <= MAX_EXTENSION or extensions > MAX_EXTENSIONS:
                raise Broken("corrupt", f"an extended header of {size} bytes, number {extensions} for one member")
            data = stream.read(_padded(size))
            if len(data) < _padded(size):
                raise Broken("truncated", "ends within a header")
            data = data[:size]
            if header.type == tarfile.GNUTYPE_LONGNAME:
                extra["path"] = _text(data)
            elif header.type == tarfile.GNUTYPE_LONGLINK:
                extra["linkpath"] = _text(data)
            elif header.type == tarfile.XGLTYPE:
                common = _pax(data)
            else:
                extra |= _pax(data)
            continue
        extra = common | extra
        if "size" in extra:
            size = int(_number(extra["size"]) or -1)
        if header.type in (*_LINKS, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            size = 0  # whatever is claimed, no data follows
        if not 0 <= size < MAX_SIZE:
            raise Broken("corrupt", f"a member of {size} bytes")
        header.size = size
        if header.type == tarfile.GNUTYPE_SPARSE:
            _skip_sparse_map(stream, block)
        total += size
        if total > limits.total_bytes:
            raise Broken("too_much", f"its members hold more than {limits.total_bytes} bytes")
        yield header, extra, _padded(size)
        extra, extensions = {}, 0


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _pax(data: bytes) -> dict[str, str]:
    """The records "LENGTH KEY=VALUE\\n" of a pax header. Raises: Broken."""
    found, position = {}, 0
    while position < len(data):
        space = data.find(b" ", position, position + 20)
        digits = data[position:space] if space > 0 else b""
        length = int(digits) if digits.isdigit() else 0
        record = data[space + 1 : position + length]
        key, equals, value = record.partition(b"=")
        if not equals or not record.endswith(b"\n") or position + length > len(data):
            raise Broken("corrupt", "bad extended header")
        found[key.decode("utf-8", "surrogateescape")] = value[:-1].decode("utf-8", "surrogateescape")
        position += length
    return found


def _skip(stream: Stream, size: int) -> None:
    while size:
        data = stream.read(min(size, 1 << 18))
        if not data:
            raise Broken("truncated", "ends within a member")
        size -= len(data)


def _skip_sparse_map(stream: Stream, block: bytes) -> None:
    """Blocks that continue the map of an old GNU sparse member."""
    extended = block[482]
    for _ in range(10_000):
        if not extended:
            return
        block = stream.read(BLOCK)
        if len(block) < BLOCK:
            raise Broken("truncated", "ends within a header")
        extended = block[504]
    raise Broken("corrupt", "a sparse map without end")
