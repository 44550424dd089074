"""What is in token shards: documents, bytes and tokens by language, and how long documents are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc

from codemill.machine.store import Place
from codemill.report.facts.ledger import Row
from codemill.run import Run

LANGUAGES = 40  # shown by name


@dataclass(frozen=True)
class Tokens:
    """Totals of a folder of token shards; languages with most tokens first."""

    documents: int
    bytes: int
    tokens: int
    languages: tuple[Row, ...]  # language, documents, bytes, tokens
    others: Row | None  # the rest of them together
    lengths: tuple[Row, ...]  # bits (tokens of a document in [2**(bits-1), 2**bits)), documents, tokens


def gather(run: Run) -> Tokens | None:
    """Adds up the shards, a batch at a time, without reading the tokens; None if the run made no shards, or no tokens.

    Raises: InputError if a shard cannot be read.
    """
    folder = run.folder.at("tokens")
    files = [folder.at(name) for name in sorted(folder.names()) if name.endswith(".arrow")]
    if not files:
        return None
    with run.readable():
        frames = [_counted(batch) for file in files for batch in _batches(file)]
    if not frames:  # shards without a document, of a set that a teacher wrote in vain
        return None
    frame = pl.concat(frames).group_by("language", "bits").agg(pl.col("documents", "bytes", "tokens").sum())
    languages = frame.group_by("language").agg(pl.col("documents", "bytes", "tokens").sum())
    rows = languages.sort("tokens", "language", descending=[True, False], nulls_last=True).to_dicts()
    lengths = frame.group_by("bits").agg(pl.col("documents", "tokens").sum()).sort("bits").to_dicts()
    rest = rows[LANGUAGES:]
    return Tokens(
        **_sum(rows),
        languages=tuple(rows[:LANGUAGES]),
        others=_sum(rest) if rest else None,
        lengths=tuple(lengths),
    )


def _sum(rows: list[Row]) -> dict[str, int]:
    return {name: sum(int(row[name]) for row in rows) for name in ("documents", "bytes", "tokens")}


def _batches(file: Place) -> Iterator[pa.RecordBatch]:
    """The narrow columns of a shard: those of the tokens stay where they are."""
    filesystem, path = file.open()
    with filesystem.open_input_file(path) as stream:
        names = ipc.open_file(stream).schema.names
        narrow = [names.index(name) for name in ("language", "size", "num_tokens")]
        reader = ipc.open_file(stream, options=ipc.IpcReadOptions(included_fields=narrow))
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _counted(batch: pa.RecordBatch) -> pl.DataFrame:
    frame = pl.DataFrame(pl.from_arrow(batch)).with_columns(pl.col("language").cast(pl.String))
    tokens = pl.col("num_tokens").cast(pl.Int64)
    bits = tokens.bitwise_leading_zeros().cast(pl.Int64)
    return frame.group_by("language", bits=64 - bits).agg(
        documents=pl.len().cast(pl.Int64), bytes=pl.col("size").cast(pl.Int64).sum(), tokens=tokens.sum()
    )
