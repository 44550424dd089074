"""A source made of literals and steps that misbehave: for testing the machine without files."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from codemill.document import RAW
from codemill.machine.identity import digest
from codemill.machine.keys import Pieces
from codemill.machine.source import Listing, Shard
from codemill.machine.table import exchange, step


@dataclass(frozen=True)
class Literals:
    """Yields the texts it was given, `per_part` of them in a part and `per_batch` in a batch."""

    texts: tuple[str, ...]
    per_part: int = 10
    per_batch: int = 4
    stars: tuple[int | None, ...] = ()
    repos: tuple[str, ...] = ()  # of each text; "name@revision"
    label: str = "literals"
    max_file_bytes: int = 8_000_000
    PLACES: ClassVar[tuple[str, ...]] = ()

    def list(self) -> Listing:
        starts = range(0, len(self.texts), self.per_part)
        shards = []
        for start in starts:
            mine = self.texts[start : start + self.per_part]
            facts = [self.per_batch, list(mine), list(self.stars), list(self.repos), start]
            identity = digest(facts)
            shards.append(Shard(f"literals {start}", len(mine), sum(map(len, mine)), start, identity=identity))
        fingerprint = hashlib.sha256(repr((self.texts, self.stars, self.repos)).encode()).hexdigest()
        return Listing(fingerprint, tuple(shards))

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        mine = range(shard.what, min(shard.what + self.per_part, len(self.texts)))
        for start in range(mine.start, mine.stop, self.per_batch):
            rows = []
            for i in range(start, min(start + self.per_batch, mine.stop)):
                raw = self.texts[i].encode()
                stars = self.stars[i] if self.stars else None
                repo, _, revision = (self.repos[i] if self.repos else "toy").partition("@")
                row = {"repo": repo, "revision": revision or None, "path": f"f{i:05d}.py", "stars": stars}
                rows.append({**row, "size": len(raw), "raw": raw})
            yield pa.RecordBatch.from_pylist(rows, schema=RAW)


def hashes(rows: int) -> pa.Array:
    """So many hashes of content, all different."""
    return pa.array([hashlib.sha256(b"%d" % i).digest() for i in range(rows)], pa.binary(32))


REASON = {"reason": pa.string()}


@step(version=1, reads=("content",), adds=REASON)
def deadly(documents: pa.RecordBatch, *, word: str = "KILL") -> pa.RecordBatch:
    """Kills its own process when it sees the word, as a fault in native code would."""
    for text in documents["content"].to_pylist():
        if word in text:
            os.kill(os.getpid(), signal.SIGSEGV)
    return pa.record_batch({"reason": pa.nulls(documents.num_rows, pa.string())})


@step(version=1, reads=("content",), adds=REASON)
def deadly_once(documents: pa.RecordBatch, *, flag: str) -> pa.RecordBatch:
    """Kills its process the first time only, as a kernel short of memory would."""
    if not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return pa.record_batch({"reason": pa.nulls(documents.num_rows, pa.string())})


@step(version=1, reads=("content",), adds=REASON)
def deadly_together(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Kills its process when it sees two documents at once, as one that needs too much memory would."""
    if documents.num_rows > 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return pa.record_batch({"reason": pa.nulls(documents.num_rows, pa.string())})


@step(version=1, reads=("content",), adds={"length": pa.int64(), **REASON})
def length(documents: pa.RecordBatch, *, at_most: int = 1000) -> pa.RecordBatch:
    """Measures the length in code points and drops what is longer than `at_most`."""
    lengths = [len(text) for text in documents["content"].to_pylist()]
    return pa.record_batch(
        {
            "length": pa.array(lengths, pa.int64()),
            "reason": pa.array(["long" if n > at_most else None for n in lengths], pa.string()),
        }
    )


@step(version=1, reads=("content",), adds={"content": pa.large_string()})
def upper(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Changes the content."""
    return pa.record_batch({"content": pa.compute.utf8_upper(documents["content"])})


@step(version=1, reads=("content",), adds=REASON)
def forgetful(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Breaks its promise: returns a row too few."""
    return pa.record_batch({"reason": pa.nulls(documents.num_rows - 1, pa.string())})


@step(version=1, reads=("content",), adds=REASON)
def failing(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Raises."""
    raise ZeroDivisionError("as asked")


@step(version=1, reads=("no_such_column",), adds=REASON)
def misreading(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Reads what nobody makes."""
    return documents


def _rows_of_the_largest(found: Iterator[pa.Table]) -> pa.Table:
    counted = pa.concat_tables(found)
    most = pa.compute.max(counted["copies"]).as_py()
    rare = counted.filter(pa.compute.field("copies") < most)
    return rare.append_column("reason", pa.array(["rare"] * rare.num_rows, pa.string()))


@exchange(
    version=1, reads=("content_sha256",), key="content_sha256", adds=REASON, gather=_rows_of_the_largest, piecewise=True
)
def only_most_copied(pieces: Pieces) -> pa.Table:
    """Drops documents that have fewer copies than the most copied one: no partition knows which that is."""
    keys = pieces.whole()
    counts = keys.group_by("content_sha256").aggregate([("row", "count")]).rename_columns(["content_sha256", "copies"])
    return keys.join(counts, "content_sha256").select(["part", "row", "copies"])


def interrupted(*args: object) -> dict[str, object]:
    """Stands in for a task whose run was interrupted."""
    raise RuntimeError("interrupted")


def _verdicts(keys: pa.Table) -> pa.Table:
    return pa.table({"part": keys["part"], "row": keys["row"], "reason": ["no"] * keys.num_rows})


@exchange(version=1, reads=("content_sha256",), key="content_sha256", adds=REASON)
def wrong_part(keys: pa.Table) -> pa.Table:
    """Speaks of parts that are not there."""
    return _verdicts(keys).set_column(0, "part", pa.array(range(99, 99 + keys.num_rows), pa.int32()))


@exchange(version=1, reads=("content_sha256",), key="content_sha256", adds=REASON)
def wrong_row(keys: pa.Table) -> pa.Table:
    """Speaks of rows that are not there."""
    return _verdicts(keys).set_column(1, "row", pa.array(range(1000, 1000 + keys.num_rows), pa.int32()))


@exchange(version=1, reads=("content_sha256",), key="content_sha256", adds=REASON)
def twice(keys: pa.Table) -> pa.Table:
    """Says everything twice."""
    return pa.concat_tables([_verdicts(keys), _verdicts(keys)])


@step(version=1, reads=("content",), adds={"content": pa.large_string()}, edits=("content",))
def marked(documents: pa.RecordBatch, *, digit: str) -> pa.RecordBatch:
    """Appends a mark to the content of documents with that digit in them, and leaves the others as they are."""
    texts = documents["content"].to_pylist()
    edited = [f"{text}!" if digit in text else None for text in texts]
    return pa.record_batch({"content": pa.array(edited, pa.large_string())})


@step(version=1, reads=("content",), adds={"content": pa.large_string()})
def contentless(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Loses the content of what it lets live."""
    return pa.record_batch({"content": pa.nulls(documents.num_rows, pa.large_string())})


@step(version=1, reads=("content",), adds=REASON)
def leaving(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Ends its process in an orderly way."""
    raise SystemExit("no model")
