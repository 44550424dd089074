"""Evidence of similarity: the sketch or the shingles of a document, and how two of them are compared.

Both are stored as `large_binary`, so that one column holds either: a sketch as 32-bit numbers, shingles as ascending
64-bit numbers, little-endian.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core, near
from codemill.columns import one
from codemill.errors import RecipeError, did_you_mean
from codemill.machine.keys import Pieces

HELD_BYTES = 64 << 20
"""Bytes of evidence that are compared or held at a time. Bounds memory, whatever is elected."""

VERIFICATIONS = ("none", "sketch", "exact")


def check_sketch(*, bands: int, rows: int, ngram: int, unit: str, seed: int, **_: Any) -> None:
    """Checks the parameters of a sketch. Raises: RecipeError if one is out of range."""
    for name, value in (("bands", bands), ("rows", rows), ("ngram", ngram)):
        if value < 1:
            raise RecipeError(f"{name} must be at least 1, got {value}")
    if bands * rows > 1 << 16:
        raise RecipeError(f"bands x rows must be at most 65,536, got {bands * rows:,}")
    if unit not in ("word", "char"):
        raise RecipeError(f"there is no unit {unit!r}", remedy=did_you_mean(unit, ["word", "char"]))


def curve_notes(*, bands: int, rows: int, **_: Any) -> list[str]:
    """The lines that `codemill plan` prints for a step that makes bands."""
    return near.curve(bands, rows)


def check_verify(*, verify: str, at_least: float = 0.0, **_: Any) -> None:
    """Checks the parameters of verification. Raises: RecipeError for an unknown one or a similarity out of range."""
    if verify not in VERIFICATIONS:
        raise RecipeError(f"there is no verification {verify!r}", remedy=did_you_mean(verify, VERIFICATIONS))
    if not 0 <= at_least <= 1:
        raise RecipeError(f"at_least is a Jaccard similarity between 0 and 1, got {at_least}")


def bands_of(keys: pa.Array, rows: npt.NDArray[np.int64]) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Each band of each document as a number, with the row of its document. Nulls are skipped."""
    there = keys.is_valid()
    keys, rows = keys.filter(there), rows[there.to_numpy(zero_copy_only=False)]
    if not len(keys):
        return pa.array([], pa.uint64()), rows[:0]
    bands = len(keys[0].as_buffer()) // 8
    return pa.array(np.frombuffer(b"".join(keys.to_pylist()), dtype="<u8")), np.repeat(rows, bands)


def evidence_of(content: pa.Array, *, verify: str, hashes: int, ngram: int, unit: str, seed: int) -> pa.Array:
    """The sketch (`verify="sketch"`) or the shingles ("exact") of each text, as `large_binary`.

    Null: a text shorter than one shingle.
    """
    if verify == "sketch":
        return _core.sketch(content, hashes=hashes, ngram=ngram, unit=unit, seed=seed).cast(pa.large_binary())
    sets = _core.shingles(content, ngram=ngram, unit=unit, seed=seed)
    offsets = np.frombuffer(sets.buffers()[1], dtype=np.int64) * 8  # what the core returns begins at 0
    buffers = [sets.buffers()[0], pa.py_buffer(offsets.tobytes()), sets.values.buffers()[1]]
    return pa.Array.from_buffers(pa.large_binary(), len(sets), buffers)


def compare(a: pa.Array, b: pa.Array, *, verify: str) -> pa.Array:
    """Compares two columns of evidence row by row. Shape: float32. Null: where either column is."""
    if not len(a):
        return pa.array([], pa.float32())
    if verify == "exact":
        return _core.jaccard(_as_sets(a), _as_sets(b))
    width = pc.max(pc.binary_length(a)).as_py()
    if width is None:
        return pa.nulls(len(a), pa.float32())
    kind = pa.binary(width)
    return _core.sketch_similarity(a.cast(pa.binary()).cast(kind), b.cast(pa.binary()).cast(kind))


def _as_sets(evidence: pa.Array) -> pa.Array:
    _, starts, data = evidence.buffers()
    window = np.frombuffer(starts, dtype=np.int64)[evidence.offset : evidence.offset + len(evidence) + 1]
    low, high = int(window[0]), int(window[-1])
    flat = data.slice(low, high - low) if data is not None else pa.py_buffer(b"")
    values = pa.Array.from_buffers(pa.uint64(), (high - low) // 8, [None, flat])
    mask = evidence.is_null() if evidence.null_count else None
    return pa.LargeListArray.from_arrays(pa.array((window - low) // 8), values, mask=mask)


def against(members: pa.Array, keepers: pa.Array, where: npt.NDArray[np.int64], *, verify: str) -> pa.Array:
    """Compares each of `members` with `keepers[where]`, a bounded number of bytes at a time.

    Why: a thousand small files can be compared with one of 8 MB, which must not be in memory a thousand times.
    """
    sizes = pc.fill_null(pc.binary_length(keepers), 0).to_numpy(zero_copy_only=False)[where]
    similarities = []
    for low, high in _slices(sizes):
        chosen = keepers.take(pa.array(where[low:high]))
        similarities.append(compare(members.slice(low, high - low), chosen, verify=verify))
    return pa.concat_arrays(similarities) if similarities else pa.array([], pa.float32())


def _slices(sizes: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Splits rows into runs of about `HELD_BYTES`, with at least one row each."""
    ends = np.cumsum(sizes)
    low = 0
    while low < len(sizes):
        before = ends[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(ends, before + HELD_BYTES, side="right")))
        yield low, high
        low = high


def held(pieces: Pieces, *, verify: str) -> Iterator[tuple[pa.Table, pa.Array]]:
    """Compares the members of clusters with the elected member of their cluster.

    Shape: pieces with `cluster`, `is_keeper`, `evidence` and other columns in; for each piece the members whose
    elected one is in the partition out, with a float32 similarity each.
    Memory: the evidence of elected members and that of one piece, `HELD_BYTES` each. If a partition has more elected
    members than that, its pieces are read again.
    """
    for keepers in _elected(pieces):
        order = np.argsort(keepers["cluster"].to_numpy(), kind="stable")
        keepers = keepers.take(pa.array(order)).combine_chunks()
        clusters, evidence = keepers["cluster"].to_numpy(), one(keepers["evidence"])
        for piece in pieces:
            members = piece.filter(~pc.field("is_keeper")).combine_chunks()
            where = np.searchsorted(clusters, members["cluster"].to_numpy())
            here = where < len(clusters)
            here[here] = clusters[where[here]] == members["cluster"].to_numpy()[here]
            members = members.filter(pa.array(here)).combine_chunks()
            if members.num_rows:
                yield members, against(one(members["evidence"]), evidence, where[here], verify=verify)


def _elected(pieces: Pieces) -> Iterator[pa.Table]:
    """The elected members of a partition, about `HELD_BYTES` at a time."""
    waiting: list[pa.Table] = []
    for piece in pieces:
        waiting.append(piece.filter(pc.field("is_keeper")).combine_chunks())
        if sum(table.nbytes for table in waiting) > HELD_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
