"""Copies of what an earlier corpus has: the index that a run publishes, and new documents held against it.

    meet    bands of new documents meet bands of the index → candidates     exchange of both
    fold    content → one bit of each value, of those with candidates       no exchange
    drop    new documents meet their candidates → verdicts                  exchange of candidates and the index
    index   content → one bit of each value, of what is left                no exchange

The earlier corpus is never touched, and whatever it has wins. An index takes 8 bytes a band and one bit a value: with
16 bands and 2048 values about 450 bytes a document, of which only the ids compress.
From: Li and König 2010, "b-Bit Minwise Hashing" (one bit of each minimum is enough where texts are much alike).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core
from codemill.columns import one
from codemill.document import VERDICT
from codemill.machine.exchange import Beside
from codemill.machine.table import exchange, step
from codemill.steps._evidence import bands_of, check_sketch, check_verify
from codemill.steps._index import Index

Rows = npt.NDArray[np.int64]

CANDIDATES = 16
"""Indexed documents that a new one is held against at most, and that one band offers: bounds the work where thousands
are much alike. Those with most bands in common first."""

_AT_A_TIME = 1024  # documents whose sketches, or pairs whose bits, are in memory: 8 MiB of sketches of 2048 values
_ONES = np.array([bin(i).count("1") for i in range(256)], dtype=np.uint8)


def _numbers(ids: pa.Array) -> pa.Array:
    """Ids of 32 hex digits as 16 bytes."""
    return _fixed(bytes.fromhex("".join(ids.to_pylist())), len(ids))


def _hex(ids: pa.Array) -> pa.Array:
    """The other way around."""
    text = b"".join(ids.to_pylist()).hex().encode()
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets.tobytes()), pa.py_buffer(text))


def _fixed(flat: bytes, count: int) -> pa.Array:
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(flat)])


def _beside(against: Sequence[Index], made_of: Callable[..., Iterator[pa.RecordBatch]], *columns: str) -> list[Beside]:
    """Keys that are made of columns of indexes."""
    return [Beside(rows, partial(made_of, read)) for index in against for rows, read in index.read(*columns)]


# ── candidates ────────────────────────────────────────────────────────────────────────────────────────────────────


def _new_bands(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    keys, rows = bands_of(documents["band_keys"], rows)
    return pa.record_batch({"band_key": keys, "known": pa.nulls(len(keys), pa.binary(16))}), rows


def _indexed_bands(read: partial[Iterator[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
    for batch in read():
        keys, rows = bands_of(batch["band_keys"], np.arange(batch.num_rows))
        yield pa.record_batch({"band_key": keys, "known": _numbers(batch["id"]).take(pa.array(rows))})


def _best_candidates(found: pa.Table) -> pa.Table:
    """For each row its candidates as one value: those with most bands in common first, then the smallest ids."""
    counted = found.group_by(["part", "row", "candidates"], use_threads=False).aggregate([([], "count_all")])
    order = [("part", "ascending"), ("row", "ascending"), ("count_all", "descending"), ("candidates", "ascending")]
    counted = _first_of_each(counted.sort_by(order).combine_chunks(), ("part", "row"), CANDIDATES)
    starts = np.flatnonzero(_new(counted, ("part", "row")))
    flat = b"".join(counted["candidates"].to_pylist())
    offsets = np.append(starts, counted.num_rows).astype(np.int32) * 16
    joined = pa.BinaryArray.from_buffers(
        pa.binary(), len(starts), [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(flat)]
    )
    first = counted.take(pa.array(starts))
    return pa.table({"part": first["part"], "row": first["row"], "candidates": joined})


def _new(table: pa.Table, names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Where a row differs from the one before it in a column of numbers or fixed-size bytes."""
    new = np.zeros(table.num_rows, dtype=bool)
    new[:1] = True
    for name in names:
        column = table[name].combine_chunks()
        new[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False).astype(bool)
    return new


def _first_of_each(table: pa.Table, names: Sequence[str], most: int) -> pa.Table:
    """The first `most` rows of each group of neighbours that are equal in `names`."""
    rows = np.arange(table.num_rows)
    begins = np.maximum.accumulate(np.where(_new(table, names), rows, 0)) if len(rows) else rows
    return table.filter(pa.array(rows - begins < most)).combine_chunks()


@exchange(
    version=1,
    reads=("band_keys",),
    key="band_key",
    adds={"candidates": pa.binary()},
    emit=_new_bands,
    beside=lambda params: _beside(params["against"], _indexed_bands, "band_keys", "id"),
    settle=_best_candidates,
    weight=lambda params: params["bands"] * 96,  # bytes: 8 + 16 + 8 a band, held in three forms
)
def meet(keys: pa.Table, *, against: Sequence[Index], bands: int) -> pa.Table:
    """Finds, for each new document, the indexed ones it shares a band with.

    Shape: band keys in; a row for each new document, band and candidate out, which are settled to one value of 16
    bytes a candidate. Null: no candidate. Of a band that more than `CANDIDATES` indexed documents have, those with the
    smallest ids are looked at.
    """
    ours = keys["part"].to_numpy() >= 0
    mine, theirs = keys.filter(pa.array(ours)), keys.filter(pa.array(~ours))
    wanted = np.unique(mine["band_key"].to_numpy())
    theirs = theirs.filter(pa.array(np.isin(theirs["band_key"].to_numpy(), wanted)))
    theirs = theirs.sort_by([("band_key", "ascending"), ("known", "ascending")]).combine_chunks()
    theirs = _first_of_each(theirs, ("band_key",), CANDIDATES)
    offered, asked = theirs["band_key"].to_numpy(), mine["band_key"].to_numpy()
    low = np.searchsorted(offered, asked, "left")
    counts = np.searchsorted(offered, asked, "right") - low
    which = np.repeat(np.arange(len(asked)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    found = theirs["known"].take(pa.array(low[which] + within))
    places = mine.take(pa.array(which))
    return pa.table({"part": places["part"], "row": places["row"], "candidates": found})


# ── one bit of each value ─────────────────────────────────────────────────────────────────────────────────────────


def bits_of(content: pa.Array, *, hashes: int, ngram: int, unit: str, seed: int) -> pa.Array:
    """One bit of each value of each text's sketch, a few sketches at a time: `hashes` / 8 bytes.

    Null: a text shorter than one shingle. Why mixed: minima of many shingles are small numbers, and the last bit of
    one is that of its shingle for every function.
    """
    found = []
    for start in range(0, len(content), _AT_A_TIME):
        some = content.slice(start, _AT_A_TIME)
        sketches = _core.sketch(some, hashes=hashes, ngram=ngram, unit=unit, seed=seed)
        there = sketches.is_valid()
        sketches = sketches.drop_null()
        flat = np.frombuffer(sketches.buffers()[1], dtype="<u4") if len(sketches) else np.empty(0, dtype=np.uint32)
        values = flat[sketches.offset * hashes : (sketches.offset + len(sketches)) * hashes].reshape(-1, hashes)
        packed = np.packbits(_mixed(values) >> np.uint32(31), axis=1)
        made = pa.array([row.tobytes() for row in packed], pa.binary())
        where = np.cumsum(there.to_numpy(zero_copy_only=False)) - 1
        found.append(made.take(pa.array(where, mask=~there.to_numpy(zero_copy_only=False))))
    return pa.concat_arrays(found) if found else pa.array([], pa.binary())


def _mixed(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """32 bits of which each depends on all (the finalizer of MurmurHash3)."""
    values = (values ^ (values >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    values = (values ^ (values >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))


def alike(a: pa.Array, b: pa.Array, *, hashes: int) -> npt.NDArray[np.float32]:
    """Row by row, the similarity that two columns of bits tell: 1 - 2 x differing bits / `hashes`, 0 at least.

    Standard error: `sqrt((1 - J^2) / hashes)`, 0.007 at 0.95 with 2048 (0.005 for whole values).
    """
    found = [np.empty(0, dtype=np.float32)]
    for start in range(0, len(a), _AT_A_TIME):
        pair = [b"".join(side.slice(start, _AT_A_TIME).to_pylist()) for side in (a, b)]
        mine, theirs = (np.frombuffer(flat, dtype=np.uint8).reshape(-1, -(-hashes // 8)) for flat in pair)
        differing = _ONES[mine ^ theirs].sum(axis=1, dtype=np.int64)
        found.append(np.maximum(1 - 2 * differing / hashes, 0).astype(np.float32))
    return np.concatenate(found)


@step(version=1, reads=("candidates", "content"), adds={"candidate_bits": pa.binary()})
def fold(documents: pa.RecordBatch, *, hashes: int, ngram: int, unit: str, seed: int) -> pa.RecordBatch:
    """Makes one bit of each value of the sketches of documents with candidates. Null: the others."""
    there = documents["candidates"].is_valid()
    made = bits_of(documents["content"].filter(there), hashes=hashes, ngram=ngram, unit=unit, seed=seed)
    living = there.to_numpy(zero_copy_only=False)
    return pa.record_batch({"candidate_bits": made.take(pa.array(np.cumsum(living) - 1, mask=~living))})


@step(version=1, reads=("content",), adds={"sketch_bits": pa.binary()}, check=check_sketch)
def index(
    documents: pa.RecordBatch,
    *,
    bands: int,
    rows: int,
    ngram: int,
    unit: str,
    seed: int,
    version: int = _core.SKETCH_VERSION,
) -> pa.RecordBatch:
    """Makes what later documents will be held against, which is published as `OUT/index` with what is kept.

    Shape: content in; one bit of each value of its sketch out, `bands` x `rows` / 8 bytes. Null: a document shorter
    than one shingle. `version` is recorded because keys and bits of another version of sketches never meet these.
    """
    return pa.record_batch(
        {"sketch_bits": bits_of(documents["content"], hashes=bands * rows, ngram=ngram, unit=unit, seed=seed)}
    )


# ── verdicts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _new_candidates(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    """A row for each candidate of each document."""
    there = documents["candidates"].is_valid()
    found, bits = documents["candidates"].filter(there), documents["candidate_bits"].filter(there)
    counts = pc.binary_length(found).to_numpy(zero_copy_only=False).astype(np.int64) // 16
    which = np.repeat(np.arange(len(found)), counts)
    keys = _fixed(b"".join(found.to_pylist()), len(which))
    rows = rows[there.to_numpy(zero_copy_only=False)][which]
    return pa.record_batch({"candidate": keys, "bits": bits.take(pa.array(which))}), rows


def _indexed_bits(read: partial[Iterator[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
    for batch in read():
        batch = batch.filter(batch["sketch_bits"].is_valid())
        yield pa.record_batch({"candidate": _numbers(batch["id"]), "bits": batch["sketch_bits"]})


def _nearest(found: pa.Table) -> pa.Table:
    order = [("part", "ascending"), ("row", "ascending"), ("similarity", "descending"), ("kept_id", "ascending")]
    return _first_of_each(found.sort_by(order).combine_chunks(), ("part", "row"), 1)


@exchange(
    version=1,
    reads=("candidates", "candidate_bits"),
    key="candidate",
    adds={name: VERDICT[name] for name in ("reason", "kept_id", "similarity")},
    emit=_new_candidates,
    beside=lambda params: _beside(params["against"], _indexed_bits, "id", "sketch_bits"),
    settle=_nearest,
    weight=lambda params: params["hashes"] // 2 + 256,  # bytes: the bits and 32 more, held in four forms
    check=check_verify,
    drops={"near_duplicate": "nearly the same words in the same order as a file of an earlier corpus"},
)
def drop(keys: pa.Table, *, against: Sequence[Index], hashes: int, verify: str, at_least: float) -> pa.Table:
    """Drops new documents that are near copies of an indexed one.

    `kept_id` is the nearest of its candidates, `similarity` what their bits tell (`verify="sketch"`); with "none"
    every document with a candidate goes, and no similarity is told.
    """
    ours = keys["part"].to_numpy() >= 0
    mine = keys.filter(pa.array(ours)).combine_chunks()
    theirs = keys.filter(pa.array(~ours))
    theirs = theirs.filter(pc.is_in(theirs["candidate"], value_set=mine["candidate"].combine_chunks()))
    # An id that is in two indexes is one document; if it was changed in between, either text will do.
    theirs = theirs.sort_by([("candidate", "ascending"), ("bits", "ascending")]).combine_chunks()
    theirs = _first_of_each(theirs, ("candidate",), 1)
    where = pc.index_in(mine["candidate"].combine_chunks(), value_set=theirs["candidate"].combine_chunks())
    mine, where = mine.filter(where.is_valid()).combine_chunks(), where.drop_null()
    if verify == "none":
        similarity = pa.nulls(mine.num_rows, pa.float32())
    else:
        measured = alike(one(mine["bits"]), one(theirs["bits"]).take(where), hashes=hashes)
        near = pa.array(measured >= np.float32(at_least))
        mine, similarity = mine.filter(near).combine_chunks(), pa.array(measured).filter(near)
    return pa.table(
        {
            "part": mine["part"],
            "row": mine["row"],
            "reason": pa.array(["near_duplicate"] * mine.num_rows, pa.string()),
            "kept_id": _hex(mine["candidate"]),
            "similarity": similarity,
        }
    )
