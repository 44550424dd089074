"""Sequences laid out one after another, for trainers that read nothing else: Megatron's bin and idx, or Parquet."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from codemill.tokens.loader import Sequence

FORMATS = ("megatron", "parquet")

_HEADER = b"MMIDIDX\x00\x00"
_CODES = {2: (8, np.uint16), 4: (4, np.int32)}  # bytes of an id → Megatron's code of the type, and the type

ROWS_AT_ONCE = 1024


def megatron(sequences: Iterable[Sequence], stem: Path, dtype: np.dtype[Any]) -> int:
    """Writes `stem`.bin, the tokens, and `stem`.idx: each sequence is a document of Megatron's. Padding is left out.

    Returns: tokens written. From: megatron/core/datasets/indexed_dataset.py, version 1 of the index.
    """
    code, kind = _CODES[dtype.itemsize]
    lengths: list[int] = []
    with open(stem.with_suffix(".bin"), "wb") as file:
        for sequence in sequences:
            file.write(sequence.tokens[: sequence.real].astype(kind).tobytes())
            lengths.append(sequence.real)
    counts = np.array(lengths, np.int32)
    ends = np.append(0, np.cumsum(counts, dtype=np.int64))
    with open(stem.with_suffix(".idx"), "wb") as file:
        file.write(_HEADER + struct.pack("<QBQQ", 1, code, len(counts), len(counts) + 1))
        file.write(counts.tobytes())
        file.write((ends[:-1] * dtype.itemsize).tobytes())
        file.write(np.arange(len(counts) + 1, dtype=np.int64).tobytes())
    return int(ends[-1])


def parquet(sequences: Iterable[Sequence], stem: Path, dtype: np.dtype[Any]) -> int:
    """Writes `stem`.parquet: `input_ids` of equal length, how many of them are `real`, and where documents begin in
    `starts`.

    Returns: tokens written, padding apart.
    """
    kind = pa.from_numpy_dtype(dtype)
    schema = pa.schema(
        [
            pa.field("input_ids", pa.list_(kind)),
            pa.field("real", pa.int32()),
            pa.field("starts", pa.list_(pa.int32())),
        ]
    )
    written = 0
    with pq.ParquetWriter(stem.with_suffix(".parquet"), schema, compression="zstd", compression_level=1) as writer:
        for some in _batched(sequences, ROWS_AT_ONCE):
            real = [one.real for one in some]
            columns = [_lists([one.tokens for one in some], kind), pa.array(real, pa.int32())]
            columns.append(_lists([one.starts for one in some], pa.int32()))
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            written += sum(real)
    return written


def _lists(values: list[Any], kind: pa.DataType) -> pa.ListArray:
    offsets = np.append(0, np.cumsum([len(one) for one in values])).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(values)).cast(kind))


def _batched(items: Iterable[Sequence], count: int) -> Iterator[list[Sequence]]:
    waiting = iter(items)
    while some := list(islice(waiting, count)):
        yield some
