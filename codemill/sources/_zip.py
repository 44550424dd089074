"""Zip, by its directory. The standard library reads it; what it declares is checked before anything is unfolded."""

from __future__ import annotations

import calendar
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from codemill.sources._decompress import Broken
from codemill.sources._members import Limits, Member

MAX_DIRECTORY = 48 << 20
"""Bytes of the directory. An entry takes about 100 here and 600 in memory: 0.3 GB at worst."""

SMALL = 1 << 20
"""A member up to this size may have any ratio: 1 MB of zeros is no bomb."""

_LOCAL_HEADER = 30
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflate"}
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error, NotImplementedError, OverflowError)


class _Guarded(io.RawIOBase):
    """A file that refuses to be read in pieces larger than the directory may be."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, MAX_DIRECTORY + 1) if size >= 0 else MAX_DIRECTORY + 1)
        if len(data) > MAX_DIRECTORY:
            raise Broken("too_many_members", f"its directory takes more than {MAX_DIRECTORY} bytes")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def zip_members(file: BinaryIO, limits: Limits) -> Iterator[Member]:
    """Members in the order of the directory, directories left out.

    Raises: Broken if the directory cannot be read or exceeds a limit.
    """
    try:
        archive = zipfile.ZipFile(cast(BinaryIO, _Guarded(file)))
        infos = archive.infolist()
    except _DAMAGE as error:
        raise Broken("corrupt", f"zip: {error}") from error
    if len(infos) > limits.members:
        raise Broken("too_many_members", f"{len(infos)}, more than {limits.members}")
    overlapping = _overlapping(infos, archive.start_dir)
    total = 0
    for info in infos:
        path = _name(info)
        if path.endswith("/"):
            continue
        total += info.file_size
        if total > limits.total_bytes:
            raise Broken("too_much", f"its members hold more than {limits.total_bytes} bytes")
        time = _time(info)
        reason, detail = _refused(info, limits)
        if id(info) in overlapping:
            reason, detail = "overlap", f"shares the bytes from {info.header_offset} on with another member"
        if reason is not None:
            yield Member(path, info.file_size, None, reason, detail, time)
            continue
        try:
            with archive.open(info) as member:
                raw = member.read(info.file_size + 1)
        except _DAMAGE as error:
            yield Member(path, info.file_size, None, "corrupt", f"zip: {error}", time)
            continue
        if len(raw) != info.file_size:
            yield Member(path, info.file_size, None, "corrupt", f"holds {len(raw)} bytes or more", time)
            continue
        yield Member(path, len(raw), raw, time=time)


def _refused(info: zipfile.ZipInfo, limits: Limits) -> tuple[str | None, str | None]:
    mode = info.external_attr >> 16 if info.create_system == 3 else 0
    if stat.S_ISLNK(mode):
        return "link", None
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "special", oct(stat.S_IFMT(mode))
    if info.flag_bits & 0x41:
        return "encrypted", None
    if info.compress_type not in _METHODS:
        return "unsupported", f"compression method {info.compress_type}"
    if info.file_size > limits.file_bytes:
        return "too_large", str(info.file_size)
    if info.file_size > SMALL and info.file_size > limits.ratio * max(1, info.compress_size):
        return "bomb", f"{info.compress_size} bytes unfold to {info.file_size}"
    return None, None


def _overlapping(infos: list[zipfile.ZipInfo], directory: int) -> set[int]:
    """Identities of the members that share bytes with another one or with the directory."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    found: set[int] = set()
    end, last = 0, None
    for info in ordered:
        if info.header_offset < end:
            found.add(id(info))
            if last is not None:
                found.add(id(last))
        stop = info.header_offset + _LOCAL_HEADER + info.compress_size
        if stop > directory:
            found.add(id(info))
        if stop > end:
            end, last = stop, info
    return found


def _name(info: zipfile.ZipInfo) -> str:
    """The name as stored. UTF-8 if it is that, marked or not; else code page 437, as the format has it."""
    name = info.orig_filename
    if info.flag_bits & 0x800:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return name


def _time(info: zipfile.ZipInfo) -> float | None:
    try:
        return float(calendar.timegm((*info.date_time, 0, 0, 0)))
    except (ValueError, OverflowError):
        return None
