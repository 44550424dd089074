"""Reading compressed streams in bounded memory, whatever they claim or unfold to."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

import zstandard

CHUNK = 1 << 18
"""Bytes decompressed at once."""

ZSTD_PIECE = 1 << 11
"""Bytes given to zstd at once. A block of 4 bytes can unfold to 128 KiB: 64 MiB at worst, and usually 10 KiB."""

XZ_MEMORY = 256 << 20
ZSTD_WINDOW = 128 << 20
"""Dictionaries larger than this are refused. `xz -9` needs 65 MiB; `zstd --ultra` 128 MiB, unless --long is given."""

ALWAYS_ALLOWED = 64 << 20
"""A stream may unfold to this many bytes whatever its ratio is."""


class Broken(Exception):
    """A stream that cannot be read on. `reason` is a word for the ledger, the text its detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Stream(Protocol):
    """What is read from: at most `size` bytes, fewer only at the end."""

    def read(self, size: int, /) -> bytes: ...


_MAGIC = {"gz": b"\x1f\x8b", "bz2": b"BZh", "xz": b"\xfd7zXZ\0", "zst": b"\x28\xb5\x2f\xfd"}


def compression(head: bytes) -> str:
    """How a file is compressed, by its first bytes: "gz", "bz2", "xz", "zst", or "" (not at all)."""
    return next((kind for kind, magic in _MAGIC.items() if head.startswith(magic)), "")


class Decompressed:
    """The decompressed bytes of a file, of all its members or frames. Memory: a chunk and the dictionary.

    Raises: Broken, when reading: "truncated", "corrupt", or "bomb" once more than `ratio` times the bytes read so
    far have come out.
    """

    def __init__(self, file: BinaryIO, kind: str, *, ratio: int) -> None:
        self._file, self._kind, self._ratio = file, kind, ratio
        self._start = _STARTS[kind]
        self._engine: Any = None
        self._input = b""
        self._output, self._position = b"", 0
        self.read_in = self.given_out = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        pieces, missing = [], size
        while missing:
            if self._position == len(self._output):
                self._output, self._position = self._more(), 0
                if not self._output:
                    break
            piece = self._output[self._position : self._position + missing]
            self._position += len(piece)
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def some(self) -> bytes:
        """The next bytes as they come, nothing at the end. None is lost that stands before a break, as by `read`."""
        if self._position == len(self._output):
            self._output, self._position = self._more(), 0
        piece, self._position = self._output[self._position :], len(self._output)
        return piece

    @property
    def at(self) -> int:
        """How many bytes of the file have been used; after a break, where what could not be read begins, or before."""
        return self.read_in - len(self._input)

    def _more(self) -> bytes:
        while True:
            if not self._input and (self._engine is None or _needs_input(self._engine)):
                self._input = self._file.read(ZSTD_PIECE if self._kind == "zst" else CHUNK)
                self.read_in += len(self._input)
                if not self._input:
                    if self._engine is None:
                        return b""
                    raise Broken("truncated", f"ends after {self.read_in} bytes in the middle of its {self._kind} data")
            if self._engine is None:
                if self._between_members():
                    continue
                self._engine = self._start()
            try:
                data, self._input = self._engine.decompress(self._input, CHUNK)
            except (OSError, EOFError, ValueError, MemoryError, zlib.error, lzma.LZMAError, zstandard.ZstdError) as e:
                raise Broken("corrupt", f"{self._kind}: {e}") from e
            if self._engine.eof:
                self._engine = None
            self.given_out += len(data)
            if self.given_out > max(ALWAYS_ALLOWED, self._ratio * self.read_in):
                raise Broken("bomb", f"{self.read_in} bytes unfold to more than {self.given_out}")
            if data:
                return bytes(data)

    def _between_members(self) -> bool:
        """Skips the zeros that may pad the end of a file; whether there was nothing else."""
        if self.read_in > len(self._input):
            self._input = self._input.lstrip(b"\0")
        return not self._input


def _needs_input(engine: Any) -> bool:
    return bool(engine.needs_input)


class _Engine:
    """One member: gives at most `most` bytes at a time, and back the input that it did not use."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.eof = False
        self.needs_input = True

    def decompress(self, data: bytes, most: int) -> tuple[bytes, bytes]:
        output = self._inner.decompress(data, most)
        self.eof = self._inner.eof
        self.needs_input = self._inner.needs_input
        return output, self._inner.unused_data if self.eof else b""


class _Zlib:
    """A gzip member. zlib hands back the input that it has not looked at yet."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)
        self.eof = False
        self.needs_input = True

    def decompress(self, data: bytes, most: int) -> tuple[bytes, bytes]:
        output = self._inner.decompress(data, most)
        self.eof = self._inner.eof
        self.needs_input = len(output) < most
        return output, self._inner.unused_data if self.eof else self._inner.unconsumed_tail


class _Zstd:
    """A zstd frame. The library has no limit on the output of a call, which is why `ZSTD_PIECE` is small."""

    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
        self.eof = False
        self.needs_input = True

    def decompress(self, data: bytes, _most: int) -> tuple[bytes, bytes]:
        output = self._inner.decompress(data)
        self.eof = self._inner.eof
        return output, self._inner.unused_data if self.eof else b""


_STARTS: dict[str, Callable[[], Any]] = {
    "gz": _Zlib,
    "bz2": lambda: _Engine(bz2.BZ2Decompressor()),
    "xz": lambda: _Engine(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)),
    "zst": _Zstd,
}
