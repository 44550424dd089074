"""Gathers rows into record batches of `document.RAW` of bounded size, whatever the files are like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from codemill.document import RAW

BATCH_BYTES = 16 << 20
BATCH_ROWS = 2048
"""A batch ends before it would hold more than either. One row alone may be larger: a source's `max_file_bytes`."""

MAX_SECONDS = 253_402_300_800
"""The first second of the year 10000: no `datetime` can say more, and no commit was made then."""

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"


class Row(NamedTuple):
    """One row of `document.RAW`, in its order. A file that was not read has `raw` None and a `reason`."""

    repo: str
    path: str
    revision: str | None = None
    stars: int | None = None
    commit_time: int | None = None
    """Unit: microseconds since 1970, UTC."""
    license: list[str] | None = None
    size: int = 0
    raw: bytes | None = None
    reason: str | None = None
    detail: str | None = None
    meta: str | None = None


def batches(rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
    """Record batches of at most `BATCH_ROWS` rows and `BATCH_BYTES` of content and text, in the rows' order."""
    waiting: list[Row] = []
    held = 0
    for row in rows:
        weight = len(row.raw or b"") + len(row.path) + len(row.meta or "") + len(row.detail or "")
        if waiting and (len(waiting) == BATCH_ROWS or held + weight > BATCH_BYTES):
            yield batch(waiting)
            waiting, held = [], 0
        waiting.append(row)
        held += weight
    if waiting:
        yield batch(waiting)


def batch(rows: Sequence[Row]) -> pa.RecordBatch:
    """One record batch of all the rows given."""
    columns = [_array(values, field) for values, field in zip(zip(*rows, strict=True), RAW, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=RAW)


def _array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    if field.nullable and all(v is None for v in values):
        return pa.nulls(len(values), field.type)
    if pa.types.is_timestamp(field.type):
        return pa.array(values, pa.int64()).cast(field.type)
    return pa.array(values, field.type)


def microseconds(seconds: float | None) -> int | None:
    """Unix seconds as the microseconds of a `Row`. Null: for none, zero or less, or later than the year 9999."""
    if seconds is None or not 0 < seconds < MAX_SECONDS:
        return None
    return int(seconds * 1_000_000)


def lfs_size(raw: bytes) -> str | None:
    """The size in bytes of the large file that `raw` is a Git LFS pointer to, as text. Null: not a pointer."""
    if len(raw) > 1024 or not raw.startswith(LFS_POINTER):
        return None
    sizes = [line[5:] for line in raw.split(b"\n") if line.startswith(b"size ")]
    return sizes[0].decode("ascii", "replace") if sizes else None
