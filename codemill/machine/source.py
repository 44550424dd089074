"""What a source is: something that lists itself cheaply, then yields raw rows shard by shard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa


@dataclass(frozen=True)
class External:
    """Columns that stay where they are: `row_groups` of `path` hold them, row-aligned with the shard's batches.

    Nothing is copied that can be read in place: a Parquet input whose text is UTF-8 already is only referred to.
    """

    path: str  # as understood by `store.Place`
    row_groups: tuple[int, int]  # [first, last) row groups of the Parquet file
    columns: dict[str, str]  # our column -> theirs
    size: int  # bytes of the file and its mtime, so that a change is noticed
    mtime_ns: int
    hashes: dict[str, str] = field(default_factory=dict)  # our column -> the column with the SHA-256 of its bytes


@dataclass(frozen=True)
class Shard:
    """A piece of a source that one task reads: it never depends on workers, and never crosses a repository unless
    it holds several whole."""

    label: str  # for people: "repo-name (1 of 3)"
    files: int  # how many files the listing knows of; an estimate where that is not known without reading
    bytes: int  # likewise
    what: Any  # plain data (tuples, str, int), understood by the source's own `read`
    identity: str  # hex digest of all that decides on the rows: what the shard holds and how it is read, never where
    external: External | None = None


@dataclass(frozen=True)
class Listing:
    """A source's contents without reading them. `fingerprint` changes when, and only when, they do.

    A shard that holds the same as in another listing has the same identity there, whatever else the listings hold.
    """

    fingerprint: str
    shards: tuple[Shard, ...]
    notes: tuple[str, ...] = field(default=())  # what people should know, e.g. "2 links point out of the root"
    repositories: tuple[str, ...] = ()  # their names, as documents have them, where they are known without reading


class Source(Protocol):
    """A frozen dataclass of plain data (it travels to workers and into the manifest).

    Fields that say where it is, not what it is, are named in a class variable `PLACES`.
    """

    @property
    def label(self) -> str:
        """What the `source` column says."""

    def list(self) -> Listing:
        """Lists without reading content. Deterministic: sorted, whatever the file system's order.

        Raises: InputError if the input is missing or is not what this source reads.
        """

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """Yields batches of raw rows for one shard, each of bounded size, in a fixed order.

        A file that cannot be read is a row with a `reason`, never an exception.
        """
