"""The kinds of step, one dataclass each: what the machine must know of a step besides its function.

Source     rows from outside                                              begins a table
Opened     parts that are there already, read in place                    begins a table
Layer      row for row; a `reason` drops                                  adds to its first input
Exchange   rows of a key meet; further inputs may emit keys too           adds to its first input
Rows       0…n rows for each row, part by part                            begins a table
Group      rows per key, sorted by key                                    begins a table
Folder     files                                                          begins a table
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa

Params: TypeAlias = Mapping[str, Any]
Columns: TypeAlias = Mapping[str, pa.DataType]
Reads: TypeAlias = tuple[str, ...] | Callable[[Params], tuple[str, ...]]
Adds: TypeAlias = Columns | Callable[[Params], Columns]

KEY_BYTES = 400
"""Memory of a key row of about 100 bytes while its partition is resolved: it is held in four forms."""

GROUP_ROWS = 1 << 20
"""Key rows of one part of a group, on average. It never depends on memory: how a table is cut is part of what it is."""


@dataclass(frozen=True)
class Published:
    """What the rows of a table look like when they are published.

    `ledger` has a row for every row of the table, also for those that were dropped. Of its columns those named in
    `verdict` are what the step that dropped a row says of it; `step`, `reason` and `verdict` are filled by the machine.
    """

    rows: pa.Schema | None = None  # columns of the rows that are kept; None: all that the table has
    ledger: pa.Schema = field(
        default_factory=lambda: pa.schema(
            [
                pa.field("id", pa.string()),
                pa.field("parent", pa.string()),
                pa.field("size", pa.int64()),
                pa.field("verdict", pa.string()),
                pa.field("step", pa.string()),
                pa.field("reason", pa.string()),
                pa.field("value", pa.string()),
            ]
        )
    )
    verdict: tuple[str, ...] = ("value",)
    required: tuple[str, ...] = ()  # columns that every living row has: a row that lost one stops the build
    mapped: bool = False  # rows go into uncompressed Arrow files, for readers that map them into memory


@dataclass(frozen=True)
class Source:
    """`function(raw batch, source, *, sources, …) -> batch`: reads the shards of the parameter `sources`."""

    published: Published = field(default_factory=Published)


@dataclass(frozen=True)
class Opened:
    """Files of an earlier run, read where they are. The parameter `source` says which, by `pieces()`."""

    published: Published = field(default_factory=Published)


@dataclass(frozen=True)
class Layer:
    """`function(batch, *read, …) -> batch`, row for row."""

    edits: tuple[str, ...] = ()  # columns in which null means "as it was"
    streams: bool = False  # `function(batches, *read, around, …) -> batches`: it may read ahead of what it returns


@dataclass(frozen=True)
class Exchange:
    """`function(keys, …) -> verdicts`: all rows with an equal key meet in one call."""

    key: str  # the column that rows are brought together by; "$name": the one that the parameter names
    emit: Callable[..., Any] | None = (
        None  # (batch, rows, **params) → (keys, rows); None: the columns read are the keys
    )
    other_reads: Reads = ()  # columns of further inputs
    other_keys: Callable[..., Any] | None = None  # (batch, **params) → keys of further inputs; they live nowhere
    gather: Callable[..., Any] | None = None  # what all partitions found → verdicts
    merge: Callable[..., Any] | None = None  # several verdicts for a row → one
    finds_pairs: bool = False  # partitions find pairs of nodes; `gather` gets connected components
    piecewise: bool = False  # the function gets `exchange.Pieces` instead of one table
    estimate_keys: Callable[[Params, int, int], int] | None = None  # parameters, rows, bytes → key rows
    bytes_per_key: int | Callable[[Params], int] = KEY_BYTES  # memory of one key row while it is resolved
    edits: tuple[str, ...] = ()  # columns in which null means "as it was"
    dropped_too: bool = False  # rows that an earlier step dropped have keys too: nothing more is decided about them

    def keys_of(self, params: Params, rows: int, size: int) -> int:
        """About how many rows of keys so many rows with so many bytes have."""
        return self.estimate_keys(params, rows, size) if self.estimate_keys else rows

    def weight(self, params: Params) -> int:
        """Bytes of memory that one key row takes while it is resolved."""
        return self.bytes_per_key(params) if callable(self.bytes_per_key) else self.bytes_per_key


@dataclass(frozen=True)
class Rows:
    """`function(batch, *read, …) -> batch` with a column `of`, the number of the row that each row is made of."""

    published: Published = field(default_factory=Published)
    streams: bool = False  # as of a layer


@dataclass(frozen=True)
class Group:
    """`function(keys, …) -> batch`: the keys of one part come sorted; so do the rows that are made of them."""

    key: str
    emit: Callable[..., Any] | None = None  # (batch, **params) → keys, for each input; None: the columns read
    # Keys with a column "of", the number of the row that each is made of, may be several for a row.
    before: tuple[str, ...] = ()  # columns of keys of which the function gets the sums over all smaller keys
    published: Published = field(default_factory=Published)


@dataclass(frozen=True)
class Folder:
    """`function(*read, out, …) -> counts`: writes files below `out.path`."""


Kind: TypeAlias = Source | Opened | Layer | Exchange | Rows | Group | Folder
"""What a step is."""

ADDS_A_LAYER = (Layer, Exchange)
