"""Columns from what people pass: a list, an Arrow array, or one value for all rows. And their checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codemill.errors import RecipeError

Column: TypeAlias = Sequence[Any] | pa.Array | pa.ChunkedArray


def column(values: Column, kind: pa.DataType, *, repeat: int | None = None) -> pa.Array:
    """The values as one Arrow array of a type.

    `repeat`: one string is allowed, and stands for that many rows.
    Raises: TypeError for one string where many values are expected; RecipeError for values of another type.

    >>> column(["a", None], pa.large_string()).to_pylist()
    ['a', None]
    >>> column("c", pa.string(), repeat=2).to_pylist()
    ['c', 'c']
    """
    if isinstance(values, str | bytes):
        if repeat is None:
            raise TypeError("expected many texts: a list or an Arrow array, got one string. Hint: [text]")
        return pa.repeat(pa.scalar(values, kind), repeat)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise RecipeError(f"a column should be {kind}: {error}") from error


def hexed(values: pa.FixedSizeBinaryArray) -> pa.StringArray:
    """Bytes as lower-case hex digits, two a byte. Null: where a value is.

    >>> hexed(pa.array([b"ab", None], pa.binary(2))).to_pylist()
    ['6162', None]
    """
    width, flat = values.type.byte_width, values.buffers()[1]
    text = flat[values.offset * width : (values.offset + len(values)) * width].to_pybytes().hex().encode()
    offsets = np.arange(len(values) + 1, dtype=np.int32) * (2 * width)
    mask = None if not values.null_count else values.is_valid().buffers()[1]
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(text), mask)


def unhexed(values: pa.StringArray, width: int) -> pa.FixedSizeBinaryArray:
    """Hex digits as `width` bytes each. Raises: ValueError for a null, or for other than 2 x `width` hex digits.

    >>> unhexed(pa.array(["6162"]), 2).to_pylist()
    [b'ab']
    """
    if pc.equal(pc.binary_length(values), 2 * width).true_count < len(values):
        raise ValueError(f"expected {2 * width} hex digits in every value")
    flat = bytes.fromhex("".join(values.to_pylist()))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, pa.py_buffer(flat)])


def one(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column of a table as one array."""
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def checksums(batch: pa.RecordBatch) -> dict[str, str]:
    """Of each column the SHA-256 of the batch with that column alone, as an Arrow IPC message, by `sha256 NAME`."""
    found = {}
    for name in batch.schema.names:
        message = batch.select([name]).replace_schema_metadata(None).serialize()
        found[f"sha256 {name}"] = hashlib.sha256(message).hexdigest()
    return found


def damaged(batch: pa.RecordBatch, said: Mapping[bytes, bytes] | None) -> list[str]:
    """The columns of a batch that are not what its checksums say, if it has any."""
    if not said:
        return []
    names = [f"sha256 {name}" for name in batch.schema.names]
    found = checksums(batch)
    return [name.partition(" ")[2] for name in names if said.get(name.encode()) != found[name].encode()]
