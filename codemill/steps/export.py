"""Writes documents into files of a size and format that other tools want, besides the corpus itself.

The corpus of a run lies in Parquet parts that are aligned with its ledger and working tables, which report, `explain`
and later runs read. `shards` cuts the same documents in another way, for what comes after.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from codemill.columns import hexed
from codemill.document import DOCUMENT, SHA256
from codemill.errors import RecipeError, did_you_mean
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import folder

FORMATS = ("parquet", "jsonl.zst")
SLICE_BYTES = 4 << 20
"""Content that is written at once: a file ends at most so far, or one document, beyond its size."""


def _check(*, format: str, shard_bytes: int) -> None:
    if format not in FORMATS:
        raise RecipeError(f"there is no format {format!r}", remedy=did_you_mean(format, FORMATS))
    if shard_bytes < 1:
        raise RecipeError(f"the size of a shard is at least 1 byte, got {shard_bytes}", remedy="such as 256MB")


@folder(version=1, check=_check)
def shards(documents: Reading, *, out: OutFolder, format: str, shard_bytes: int) -> dict[str, int]:
    """Writes all documents, in the order of the corpus, into `documents-NNNNN.parquet` or `.jsonl.zst`.

    A file holds documents with about `shard_bytes` of content, counted before compression; one document is never cut.
    The columns are `document.DOCUMENT`; in JSON `content_sha256` is hex and times are ISO 8601.
    Returns: how many documents and bytes of content there are. Memory: one batch; it is written by one process.
    Raises: RecipeError for an unknown format, or a size below 1.
    """
    names = [name for name in DOCUMENT.names if _has(documents, name)]
    number, held, counts = 0, 0, {"documents": 0, "content_bytes": 0}
    with contextlib.ExitStack() as stack:
        writer: Writer | None = None
        for piece in _pieces(documents.batches(names), min(SLICE_BYTES, shard_bytes)):
            if writer is None:
                writer = stack.enter_context(_open(out.path / f"documents-{number:05d}.{format}", format, piece.schema))
            writer.write(piece)
            size = int(pc.sum(pc.binary_length(piece["content"])).as_py() or 0)
            counts["documents"] += piece.num_rows
            counts["content_bytes"] += size
            held += size
            if held >= shard_bytes:
                stack.close()
                writer, number, held = None, number + 1, 0
        if writer is None and number == 0:
            schema = pa.schema([DOCUMENT.field(name) for name in names or DOCUMENT.names])
            stack.enter_context(_open(out.path / f"documents-{number:05d}.{format}", format, schema))
    return counts


def _has(documents: Reading, name: str) -> bool:
    return not documents.parts or name in documents.parts[0].columns()


def _pieces(batches: Iterator[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """Rows in pieces of about `most` bytes of content."""
    for batch in batches:
        start, held = 0, 0
        for row, length in enumerate(pc.binary_length(batch["content"]).to_pylist()):
            held += length or 0
            if held >= most:
                yield batch.slice(start, row + 1 - start)
                start, held = row + 1, 0
        if start < batch.num_rows:
            yield batch.slice(start)


class Writer(Protocol):
    """What a file of some format takes."""

    def write(self, batch: pa.RecordBatch) -> Any:
        """Adds rows."""


@contextlib.contextmanager
def _open(path: Path, format: str, schema: pa.Schema) -> Iterator[Writer]:
    if format == "parquet":
        with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
            yield writer
    else:
        with open(path, "wb") as file, zstandard.ZstdCompressor(level=3).stream_writer(file) as stream:
            yield _Lines(stream)


class _Lines:
    """JSON lines, a document each."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, batch: pa.RecordBatch) -> None:
        """Adds a line for each row."""
        import polars as pl  # here, because importing it takes time and most processes do not need it

        columns = {name: batch[name] for name in batch.schema.names}
        columns |= {f.name: hexed(batch[f.name]) for f in batch.schema if f.type == SHA256}
        columns |= {
            f.name: pc.strftime(batch[f.name], format="%Y-%m-%dT%H:%M:%SZ")
            for f in batch.schema
            if pa.types.is_timestamp(f.type)
        }
        frame = pl.from_arrow(pa.table(columns))
        assert isinstance(frame, pl.DataFrame)
        self.stream.write(frame.write_ndjson().encode())
