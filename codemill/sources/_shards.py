"""What listings share: cutting files into shards, packing their names, fingerprints, and who shares a shard with whom.

More input later costs only the new. So a shard's identity is what it holds and nothing else, and a repository more
changes the shard that it comes into and no other. A large repository has shards of its own. Small ones share: a hash
of the name says with whom, and a shard that has become too full is split by the hash's next bit (extendible hashing,
Fagin et al. 1979), which moves nothing between the others.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from codemill.machine.source import Shard

SHARD_BYTES = 64 << 20
SHARD_FILES = 8192
"""A shard ends before it would hold more than either: the work of one task, a few seconds. Never depends on workers."""

SMALL_BYTES = SHARD_BYTES // 8
SMALL_FILES = SHARD_FILES // 8
"""A repository with more than either has shards of its own: few tasks are small, and little is done again beside it."""

EARLY_BITS = 7
"""Small repositories are parted into 128 slots however small they are: so one more of a hundred repositories makes one
part of about seventy anew, whatever their sizes. What small parts cost: `python -m bench.parts`."""

_HASH_BITS = 128

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive files of one repository, never split: at most a shard of them."""

    what: tuple[Any, ...]  # plain data for the source's `read`; places may be in it
    digest: str  # of what it holds; places are not in it
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Unit:
    """What must not be in two shards by chance: a repository, or one archive. It has at least one run."""

    name: str
    runs: tuple[Run, ...]

    @property
    def files(self) -> int:
        """The files of all runs."""
        return sum(run.files for run in self.runs)

    @property
    def bytes(self) -> int:
        """The bytes of all runs."""
        return sum(run.bytes for run in self.runs)


@dataclass(frozen=True)
class Sizes:
    """How much a shard holds at most, and from where on a unit is no longer small."""

    bytes: int = SHARD_BYTES
    files: int = SHARD_FILES
    small_bytes: int = SMALL_BYTES
    small_files: int = SMALL_FILES

    def is_small(self, unit: Unit) -> bool:
        """Whether a unit shares its shard."""
        return unit.files <= self.small_files and unit.bytes <= self.small_bytes

    def are_one(self, units: Sequence[Unit], bits: int) -> bool:
        """Whether units whose hashes agree in so many bits share a shard."""
        if bits < EARLY_BITS:
            return len(units) == 1
        return sum(unit.files for unit in units) <= self.files and sum(unit.bytes for unit in units) <= self.bytes


REPOSITORIES = Sizes()


def shards(units: Iterable[Unit], *parameters: object, sizes: Sizes = REPOSITORIES) -> tuple[Shard, ...]:
    """Units as shards, whose `what` is a tuple of the runs' `what`.

    `parameters`: what else decides on the rows that are read. With names and digests it makes the identity.
    """
    found = []
    for group in arrange(units, sizes):
        runs = [unit.runs[ordinal] for unit, ordinal in group]
        (first, ordinal), (last, _) = group[0], group[-1]
        label = first.name if first.name == last.name else f"{first.name} … {last.name}"
        if len(first.runs) > len(group):
            label = f"{label} ({ordinal + 1} of {len(first.runs)})"
        identity = Fingerprint(*parameters)
        for (unit, _), run in zip(group, runs, strict=True):
            identity.add(unit.name, run.digest)
        files, held = sum(run.files for run in runs), sum(run.bytes for run in runs)
        found.append(Shard(label, files, held, tuple(run.what for run in runs), identity.hex()))
    return tuple(found)


def arrange(units: Iterable[Unit], sizes: Sizes = REPOSITORIES) -> list[list[tuple[Unit, int]]]:
    """Which runs (a unit and the number of the run) share a shard, each run once.

    Runs of a large unit are alone; small units share by the hash of their names. Shards are sorted by hash, and within
    one by name: a unit more is put in somewhere, and all others keep their order.
    """
    placed: list[tuple[int, bool, int, list[tuple[Unit, int]]]] = []
    small: list[tuple[int, Unit]] = []
    for unit in units:
        hashed = _hash(unit.name)
        if sizes.is_small(unit):
            small.append((hashed, unit))
        else:
            placed += [(hashed, True, i, [(unit, i)]) for i in range(len(unit.runs))]
    for bits, group in _split(small, 0, sizes):
        start = group[0][0] >> (_HASH_BITS - bits) << (_HASH_BITS - bits)  # of the slot, whoever is in it
        together = sorted((unit for _, unit in group), key=lambda unit: unit.name)
        placed.append((start, False, 0, [(unit, i) for unit in together for i in range(len(unit.runs))]))
    return [group for *_, group in sorted(placed, key=lambda item: item[:3])]


def _split(units: list[tuple[int, Unit]], bits: int, sizes: Sizes) -> Iterator[tuple[int, list[tuple[int, Unit]]]]:
    """Units whose hashes agree in so many bits, parted by the next ones until each group fits into a shard.

    A group that gets more is only ever parted further. Units of one name cannot be: they stay together.
    """
    if len(units) <= 1 or bits == _HASH_BITS or sizes.are_one([unit for _, unit in units], bits):
        if units:
            yield bits, units
        return
    sides: tuple[list[tuple[int, Unit]], list[tuple[int, Unit]]] = ([], [])
    for item in units:
        sides[item[0] >> (_HASH_BITS - 1 - bits) & 1].append(item)
    for side in sides:
        yield from _split(side, bits + 1, sizes)


def _hash(name: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=_HASH_BITS // 8).digest()
    )


def fits(files: int, bytes: int) -> bool:
    """Whether one shard may hold so much."""
    return files <= SHARD_FILES and bytes <= SHARD_BYTES


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


def fingerprint(shards: Iterable[Shard], *parameters: object) -> str:
    """A listing's: of its shards, and of the parameters for one that has none."""
    return Fingerprint(*parameters, *(shard.identity for shard in shards)).hex()
