"""The store of paid calls: every answer and every outcome of an execution, under the hash of what was asked.

    CALLS/00000.calls …   records, appended and never changed
    CALLS/wanted.jsonl    requests that wait for a batch: see `codemill calls export`
    CALLS/lock            held by the one process that writes; anybody may read

A record is a header (magic, kind, length, key, checksum of the frame, checksum of the header) and a zstd frame of JSON.
Of an answer:

    path      below the base address: /chat/completions or /completions
    body      of the request, as it was sent
    sample    which of several answers to the same body
    response  the body of the answer, as it came
    at        when it was stored (seconds since 1970)
    seconds   that it took; 0 if it came with a batch
    by        who gave it: the address, `local`, `scripted` or `batch`

Of an execution: `execute` (program, tests, language, entry_point, limits, and `by`, what the runner says of itself),
`outcome` (the fields of the runner's outcome) and `at`. The key is the SHA-256 of the canonical JSON of what was asked:
of path, body and sample, or of `execute`, and of nothing else.

A record is written with one call of the system before anybody sees the answer, so a kill loses nothing that was
answered; a crash of the machine loses at most what was not synced, a second's worth, and the torn tail is cut off and
named when the store is opened to write. A record that is damaged is as good as absent: it is named, and asked again.

Memory: 32 to 64 bytes for each record, whatever its size.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from codemill.errors import EnvironmentProblem, InputError

log = logging.getLogger("codemill")

ANSWER, OUTCOME = 1, 2
KINDS = {ANSWER: "answer", OUTCOME: "outcome"}

_MAGIC = b"cmc1"
_HEADER = struct.Struct("<4sBxxxI32s8sI")  # magic, kind, length, key, checksum of the frame, checksum of all before
SEGMENT = 1 << 28
"""Bytes of a file after which the next is begun: `prune` rewrites one at a time."""
_PLACE = 40  # bits of a place that are the offset; those above are the number of the segment
MOST = 1 << 28
"""Bytes of one record's JSON at most."""


def key_of(what: Any) -> bytes:
    """SHA-256 of the canonical JSON of what was asked: 32 bytes."""
    return hashlib.sha256(_CANONICAL(what).encode("utf-8", "surrogatepass")).digest()


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class _Index:
    """Where the record of a key is: an open hash table in two arrays, 16 bytes a slot.

    Keys are hashes, of which 8 bytes are held; the record itself says whether it is the one that was meant.
    """

    def __init__(self) -> None:
        self.used = 0
        self._keys, self._places = self._empty(1 << 10)

    @staticmethod
    def _empty(slots: int) -> tuple[Any, Any]:
        return np.zeros(slots, np.uint64), np.zeros(slots, np.uint64)  # a place of 0 is a free slot

    def slots(self, key: bytes) -> Iterator[tuple[int, int]]:
        """The slots and places of records that may be of this key; last a free slot, with the place -1."""
        short, mask = int.from_bytes(key[:8], "little"), len(self._keys) - 1
        slot = short & mask
        while place := int(self._places[slot]):
            if int(self._keys[slot]) == short:
                yield slot, place - 1
            slot = (slot + 1) & mask
        yield slot, -1

    def put(self, slot: int, key: bytes, place: int) -> None:
        """Fills a slot that `slots` gave."""
        self.used += not self._places[slot]
        self._keys[slot], self._places[slot] = int.from_bytes(key[:8], "little"), place + 1
        if self.used * 2 > len(self._keys):
            self._grow()

    def last(self, most: int) -> list[int]:
        """The places of the last records that were written, at most so many, newest first."""
        places = np.sort(self._places[self._places > 0])[-most:][::-1]
        return [int(place) - 1 for place in places]

    def _grow(self) -> None:
        keys, places = self._keys, self._places
        self._keys, self._places = self._empty(2 * len(keys))
        mask = len(self._keys) - 1
        for i in np.flatnonzero(places):
            slot = int(keys[i]) & mask
            while self._places[slot]:
                slot = (slot + 1) & mask
            self._keys[slot], self._places[slot] = keys[i], places[i]


class Calls:
    """An open store. A context manager; not for several threads at once.

    Raises on opening: EnvironmentProblem if another process writes to it, or the folder cannot be made; InputError if
    it is opened to read and is not there.
    """

    def __init__(self, folder: str | os.PathLike[str], *, write: bool = False, patience: float = 5.0) -> None:
        self.folder, self.write = Path(folder), write
        self.lost: list[str] = []  # what was damaged, for people
        self._index, self._files = _Index(), dict[int, int]()
        self._compressor, self._decompressor = zstandard.ZstdCompressor(level=1), zstandard.ZstdDecompressor()
        self._lock: int | None = None
        self._tail, self._size, self._unsynced = 0, 0, False
        if write:
            self._take(patience)
        elif not self.folder.is_dir():
            raise InputError("there is no store of calls here", where=self.folder, remedy="it lies at OUT.calls")
        self._load()

    # ── what is asked of it ───────────────────────────────────────────────────────────────────────────────────────

    def get(self, key: bytes) -> dict[str, Any] | None:
        """The record of a key; null: it is not there, or it is damaged, which is said once."""
        for _, place in self._index.slots(key):
            if place >= 0 and (found := self._read(place)) is not None and found[1] == key:
                return self._open(place, found)
        return None

    def __contains__(self, key: bytes) -> bool:
        return any(
            place >= 0 and (found := self._read(place)) is not None and found[1] == key
            for _, place in self._index.slots(key)
        )

    def __len__(self) -> int:
        return self._index.used

    def put(self, key: bytes, record: Mapping[str, Any], kind: int = ANSWER) -> None:
        """Appends a record; one of the same key that is there is no longer found.

        Raises: EnvironmentProblem if it cannot be written: the store is as it was then.
        """
        assert self.write
        text = _COMPACT(record).encode("utf-8", "surrogatepass")
        frame = self._compressor.compress(text)
        if self._size + len(frame) > SEGMENT and self._size:
            self._begin(self._tail + 1)
        data = _header(kind, key, frame) + frame
        try:
            written = os.write(self._files[self._tail], data)
            if written != len(data):
                os.truncate(self._files[self._tail], self._size)
                raise OSError(28, "No space left on device")
        except OSError as error:
            raise EnvironmentProblem(f"an answer cannot be stored: {error.strerror}", where=self.folder) from error
        self._note(key, self._tail << _PLACE | self._size)
        self._size += len(data)
        self._unsynced = True

    def records(self, kind: int | None = None) -> Iterator[tuple[bytes, int, dict[str, Any]]]:
        """Every record that can be found by its key, in the order of writing: key, kind, record."""
        for number in sorted(self._files):
            for offset, (its, key, _, _) in _scan(self._files[number], 0, lambda _: None):
                place = number << _PLACE | offset
                if (kind is None or kind == its) and self._place(key) == place and (record := self.get(key)):
                    yield key, its, record

    def recent(self, most: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """The last records that can be found, at most so many, newest first: kind, record."""
        for place in self._index.last(most):
            if (header := self._read(place)) is not None and (record := self._open(place, header)) is not None:
                yield header[0], record

    def sync(self) -> None:
        """Makes the disk remember what was written. Called every second or two, from any thread."""
        if self._unsynced:
            self._unsynced = False
            os.fdatasync(self._files[self._tail])

    def close(self) -> None:
        """Syncs, and lets another process write."""
        if self.write and self._files:
            self.sync()
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files = {}
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Calls:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def prune(self, gone: Callable[[int, Mapping[str, Any]], bool]) -> tuple[int, int]:
        """Removes the records of which `gone(kind, record)` is true, and those that are damaged or no longer found.

        Each file is written anew beside the old one and takes its place. Returns: records removed, bytes given back.
        """
        assert self.write
        removed = freed = 0
        before = len(self)
        for number in sorted(self._files):
            path, descriptor = self._segment(number), self._files[number]
            kept = path.with_suffix(".tmp")
            with open(kept, "wb") as out:
                for offset, (kind, key, length, _) in _scan(descriptor, 0, lambda _: None):
                    if self._place(key) != number << _PLACE | offset:
                        continue
                    record = self.get(key)
                    if record is not None and not gone(kind, record):
                        out.write(os.pread(descriptor, _HEADER.size + length, offset))
                out.flush()
                os.fsync(out.fileno())
            freed += path.stat().st_size - kept.stat().st_size
            kept.replace(path)
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files, self._index = {}, _Index()
        self._load()
        removed = before - len(self)
        return removed, freed

    # ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, patience: float) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EnvironmentProblem(
                f"the store of calls cannot be made: {error.strerror}",
                where=self.folder,
                remedy="choose another --calls",
            ) from error
        until = time.monotonic() + patience  # a run that was killed a moment ago may still be ending
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if time.monotonic() > until:
                    os.close(self._lock)
                    self._lock = None
                    raise EnvironmentProblem(
                        "another process is writing to this store of calls",
                        where=self.folder,
                        remedy="wait for it, or choose another --calls",
                    ) from error
                time.sleep(0.05)

    def _segment(self, number: int) -> Path:
        return self.folder / f"{number:05d}.calls"

    def _begin(self, number: int) -> None:
        if self._files:
            self.sync()
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT if self.write else 0)
        self._files[number] = os.open(self._segment(number), flags if self.write else os.O_RDONLY | os.O_CLOEXEC, 0o600)
        self._tail, self._size = number, os.fstat(self._files[number]).st_size

    def _load(self) -> None:
        numbers = sorted(int(path.stem) for path in self.folder.glob("*.calls") if path.stem.isdigit())
        for number in numbers or ([0] if self.write else []):
            self._begin(number)
            descriptor, whole = self._files[number], 0
            holes: list[tuple[int, int]] = []
            for offset, (_, key, length, _) in _scan(descriptor, 0, holes.append):
                self._note(key, number << _PLACE | offset)
                whole = offset + _HEADER.size + length
            for hole in holes:
                self._say(number, hole)
            if self.write and number == (numbers or [0])[-1]:
                self._cut(number, whole)

    def _say(self, number: int, hole: tuple[int, int]) -> None:
        self.lost.append(f"bytes {hole[0]:,} to {hole[1]:,} of {self._segment(number).name}")
        log.warning("%s: %s are damaged: answers there are lost, and asked again", self.folder, self.lost[-1])

    def _cut(self, number: int, whole: int) -> None:
        """Cuts off what a crash left half written at the end of the last file, and says so."""
        torn = self._size - whole
        if torn:
            self.lost.append(f"the last {torn:,} bytes of {self._segment(number).name}")
            log.warning("%s: the last answer was torn by a crash and is lost (%d bytes)", self.folder, torn)
            os.truncate(self._files[number], whole)
            self._size = whole

    def _note(self, key: bytes, place: int) -> None:
        for slot, held in self._index.slots(key):
            if held < 0 or ((found := self._read(held)) is not None and found[1] == key):
                self._index.put(slot, key, place)
                return

    def _place(self, key: bytes) -> int:
        for _, place in self._index.slots(key):
            if place >= 0 and (found := self._read(place)) is not None and found[1] == key:
                return place
        return -1

    def _read(self, place: int) -> tuple[int, bytes, int, bytes] | None:
        return _parsed(os.pread(self._files[place >> _PLACE], _HEADER.size, place & ((1 << _PLACE) - 1)))

    def _open(self, place: int, header: tuple[int, bytes, int, bytes]) -> dict[str, Any] | None:
        number, offset = place >> _PLACE, (place & ((1 << _PLACE) - 1)) + _HEADER.size
        frame = os.pread(self._files[number], header[2], offset)
        if _checksum(frame) == header[3]:
            with contextlib.suppress(zstandard.ZstdError, ValueError):
                if zstandard.frame_content_size(frame) <= MOST:
                    value = json.loads(self._decompressor.decompress(frame).decode("utf-8", "surrogatepass"))
                    return value if isinstance(value, dict) else None
        hole = (offset - _HEADER.size, offset + header[2])
        if f"bytes {hole[0]:,} to {hole[1]:,} of {self._segment(number).name}" not in self.lost:
            self._say(number, hole)
        return None


def _checksum(frame: bytes) -> bytes:
    return hashlib.blake2b(frame, digest_size=8).digest()


def _header(kind: int, key: bytes, frame: bytes) -> bytes:
    start = _HEADER.pack(_MAGIC, kind, len(frame), key, _checksum(frame), 0)[:-4]
    return start + struct.pack("<I", zlib.crc32(start))


def _parsed(data: bytes) -> tuple[int, bytes, int, bytes] | None:
    """Kind, key, length and checksum of the frame; null: this is no header."""
    if len(data) < _HEADER.size or data[:4] != _MAGIC or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        return None
    _, kind, length, key, checksum, _ = _HEADER.unpack(data)
    return kind, key, length, checksum


def _scan(
    descriptor: int, start: int, hole: Callable[[tuple[int, int]], None]
) -> Iterator[tuple[int, tuple[int, bytes, int, bytes]]]:
    """The headers of a file with their offsets. What lies between them is a `hole`; a torn tail is left out."""
    size = os.fstat(descriptor).st_size
    offset = start
    while offset + _HEADER.size <= size:
        header = _parsed(os.pread(descriptor, _HEADER.size, offset))
        if header is not None and offset + _HEADER.size + header[2] <= size:
            yield offset, header
            offset += _HEADER.size + header[2]
            continue
        after = _next(descriptor, offset + 1, size)
        if after is None:
            return
        hole((offset, after))
        offset = after


def _next(descriptor: int, offset: int, size: int) -> int | None:
    """The offset of the next whole record; null: there is none."""
    step = 1 << 20
    while offset < size:
        data = os.pread(descriptor, step + _HEADER.size, offset)
        at = data.find(_MAGIC)
        while 0 <= at < step:
            header = _parsed(data[at : at + _HEADER.size])
            if header is not None and offset + at + _HEADER.size + header[2] <= size:
                return offset + at
            at = data.find(_MAGIC, at + 1)
        offset += step
    return None
