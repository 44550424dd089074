"""What listings share: cutting files into shards, packing their names, and fingerprints."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from typing import TypeVar

SHARD_BYTES = 64 << 20
SHARD_FILES = 8192
"""A shard ends before it would hold more than either: the work of one task, a few seconds. Never depends on workers."""

Item = TypeVar("Item")


def cut(
    items: Iterable[tuple[Item, int]], *, most_bytes: int = SHARD_BYTES, most_items: int = SHARD_FILES
) -> Iterator[tuple[list[Item], int]]:
    """Cuts `(item, bytes)` in their order into runs, each given with its bytes. An item is never split."""
    run: list[Item] = []
    held = 0
    for item, size in items:
        if run and (len(run) == most_items or held + size > most_bytes):
            yield run, held
            run, held = [], 0
        run.append(item)
        held += size
    if run:
        yield run, held


def pack(names: Iterable[tuple[bytes, int]]) -> bytes:
    """At least one name and size, as compressed bytes: 10 to 20 bytes a file, where tuples take about 200."""
    return zlib.compress(b"\0".join(b"%d/%b" % (size, name) for name, size in names), 1)


def unpack(packed: bytes) -> Iterator[tuple[bytes, int]]:
    """What `pack` was given."""
    for item in zlib.decompress(packed).split(b"\0"):
        size, _, name = item.partition(b"/")
        yield name, int(size)


class Fingerprint:
    """A SHA-256 over length-prefixed fields, so that no two lists of fields look alike."""

    def __init__(self, *fields: object) -> None:
        self._hash = hashlib.sha256()
        self.add(*fields)

    def add(self, *fields: object) -> None:
        """Adds fields: bytes as they are, everything else as its `repr`."""
        for field in fields:
            data = field if isinstance(field, bytes) else repr(field).encode("utf-8", "backslashreplace")
            self._hash.update(b"%d:%b" % (len(data), data))

    def hex(self) -> str:
        """64 hex digits."""
        return self._hash.hexdigest()
