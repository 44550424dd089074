"""Compares new documents with the index of an earlier corpus, and makes the index of this one.

    meet    matches bands of new documents and of the index → candidates    exchange of both
    fold    content of documents with candidates → one bit of each value    no exchange
    drop    compares new documents with their candidates → verdicts         exchange of candidates and the index
    index   content of the remaining documents → one bit of each value      no exchange

The earlier corpus is never changed, and its documents always win. An index takes 8 bytes a band and one bit a value:
with 16 bands and 2048 values about 450 bytes a document, of which only the ids compress.
From: Li and König 2010, "b-Bit Minwise Hashing" (one bit of each minimum is enough for texts that are much alike).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core
from codemill.columns import hexed, one, unhexed
from codemill.document import VERDICT
from codemill.machine.table import exchange, step
from codemill.steps._evidence import bands_of, check_sketch, check_verify
from codemill.steps._index import sketch_version

Rows = npt.NDArray[np.int64]

CANDIDATES = 16
"""The most indexed documents that a new one is compared with, and that one band offers. Bounds the work where
thousands are much alike. Those with most bands in common come first."""

_AT_A_TIME = 1024  # documents whose sketches, or pairs whose bits, are in memory: 8 MiB of sketches of 2048 values
_ONES = np.array([bin(i).count("1") for i in range(256)], dtype=np.uint8)


def _fixed(flat: bytes, count: int) -> pa.Array:
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(flat)])


# ── candidates ────────────────────────────────────────────────────────────────────────────────────────────────────


def _new_bands(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    keys, rows = bands_of(documents["band_keys"], rows)
    return pa.record_batch({"band_key": keys, "indexed_id": pa.nulls(len(keys), pa.binary(16))}), rows


def _indexed_bands(index: pa.RecordBatch, **_: Any) -> pa.RecordBatch:
    keys, rows = bands_of(index["band_keys"], np.arange(index.num_rows))
    return pa.record_batch({"band_key": keys, "indexed_id": unhexed(index["id"], 16).take(pa.array(rows))})


def _best_candidates(candidates: pa.Table) -> pa.Table:
    """Joins the candidates of each row into one value: most bands in common first, then the smallest ids."""
    counted = candidates.group_by(["part", "row", "candidates"], use_threads=False).aggregate([([], "count_all")])
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
    """Whether each row differs from the one before it in one of these columns (numbers or fixed-size bytes)."""
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
    other_reads=("band_keys", "id"),
    other_keys=_indexed_bands,
    merge=_best_candidates,
    bytes_per_key=lambda params: params["bands"] * 96,  # bytes: 8 + 16 + 8 a band, held in three forms
)
def meet(keys: pa.Table, *, bands: int) -> pa.Table:
    """Finds, for each new document, the indexed ones it shares a band with.

    Shape: band keys in; a row for each new document, band and candidate out, which are merged into one value of 16
    bytes a candidate. Null: no candidate. If more than `CANDIDATES` indexed documents share a band, those with the
    smallest ids are compared.
    """
    is_new = keys["part"].to_numpy() >= 0
    new, indexed = keys.filter(pa.array(is_new)), keys.filter(pa.array(~is_new))
    wanted = np.unique(new["band_key"].to_numpy())
    indexed = indexed.filter(pa.array(np.isin(indexed["band_key"].to_numpy(), wanted)))
    indexed = indexed.sort_by([("band_key", "ascending"), ("indexed_id", "ascending")]).combine_chunks()
    indexed = _first_of_each(indexed, ("band_key",), CANDIDATES)
    offered, asked = indexed["band_key"].to_numpy(), new["band_key"].to_numpy()
    low = np.searchsorted(offered, asked, "left")
    counts = np.searchsorted(offered, asked, "right") - low
    which = np.repeat(np.arange(len(asked)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    candidates = indexed["indexed_id"].take(pa.array(low[which] + within))
    places = new.take(pa.array(which))
    return pa.table({"part": places["part"], "row": places["row"], "candidates": candidates})


# ── one bit of each value ─────────────────────────────────────────────────────────────────────────────────────────


def bits_of(content: pa.Array, *, hashes: int, ngram: int, unit: str, seed: int) -> pa.Array:
    """Folds the sketch of each text to one bit per value: `hashes` / 8 bytes. Makes a few sketches at a time.

    Null: a text shorter than one shingle. Why values are mixed first: minima of many shingles are small numbers, and
    the last bit of a minimum is that of its shingle for every function.
    """
    columns = []
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
        columns.append(made.take(pa.array(where, mask=~there.to_numpy(zero_copy_only=False))))
    return pa.concat_arrays(columns) if columns else pa.array([], pa.binary())


def _mixed(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Mixes values so that each of the 32 bits depends on all (the finalizer of MurmurHash3)."""
    values = (values ^ (values >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    values = (values ^ (values >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))


def alike(a: pa.Array, b: pa.Array, *, hashes: int) -> npt.NDArray[np.float32]:
    """Estimates the similarity of two columns of bits row by row: 1 - 2 x differing bits / `hashes`, at least 0.

    Standard error: `sqrt((1 - J^2) / hashes)`, 0.007 at 0.95 with 2048 (0.005 for whole values).
    """
    similarities = [np.empty(0, dtype=np.float32)]
    for start in range(0, len(a), _AT_A_TIME):
        pair = [b"".join(side.slice(start, _AT_A_TIME).to_pylist()) for side in (a, b)]
        left, right = (np.frombuffer(flat, dtype=np.uint8).reshape(-1, -(-hashes // 8)) for flat in pair)
        differing = _ONES[left ^ right].sum(axis=1, dtype=np.int64)
        similarities.append(np.maximum(1 - 2 * differing / hashes, 0).astype(np.float32))
    return np.concatenate(similarities)


@step(version=1, reads=("candidates", "content"), adds={"candidate_bits": pa.binary()}, knows=sketch_version)
def fold(documents: pa.RecordBatch, *, hashes: int, ngram: int, unit: str, seed: int) -> pa.RecordBatch:
    """Folds the sketches of documents with candidates to one bit per value. Null: the other documents."""
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
    """Makes the index that later runs are compared with. It is published as `OUT/index` for the kept documents.

    Shape: content in; one bit of each value of its sketch out, `bands` x `rows` / 8 bytes. Null: a document shorter
    than one shingle. `version` is recorded because keys and bits of different sketch versions do not match.
    """
    return pa.record_batch(
        {"sketch_bits": bits_of(documents["content"], hashes=bands * rows, ngram=ngram, unit=unit, seed=seed)}
    )


# ── verdicts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _new_candidates(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    """A row for each candidate of each document."""
    there = documents["candidates"].is_valid()
    candidates, bits = documents["candidates"].filter(there), documents["candidate_bits"].filter(there)
    counts = pc.binary_length(candidates).to_numpy(zero_copy_only=False).astype(np.int64) // 16
    which = np.repeat(np.arange(len(candidates)), counts)
    keys = _fixed(b"".join(candidates.to_pylist()), len(which))
    rows = rows[there.to_numpy(zero_copy_only=False)][which]
    return pa.record_batch({"candidate": keys, "bits": bits.take(pa.array(which))}), rows


def _indexed_bits(index: pa.RecordBatch, **_: Any) -> pa.RecordBatch:
    index = index.filter(index["sketch_bits"].is_valid())
    return pa.record_batch({"candidate": unhexed(index["id"], 16), "bits": index["sketch_bits"]})


def _nearest(compared: pa.Table) -> pa.Table:
    order = [("part", "ascending"), ("row", "ascending"), ("similarity", "descending"), ("kept_id", "ascending")]
    return _first_of_each(compared.sort_by(order).combine_chunks(), ("part", "row"), 1)


@exchange(
    version=1,
    reads=("candidates", "candidate_bits"),
    key="candidate",
    adds={name: VERDICT[name] for name in ("reason", "kept_id", "similarity")},
    emit=_new_candidates,
    other_reads=("id", "sketch_bits"),
    other_keys=_indexed_bits,
    merge=_nearest,
    bytes_per_key=lambda params: params["hashes"] // 2 + 256,  # bytes: the bits and 32 more, held in four forms
    check=check_verify,
    drops={"near_duplicate": "nearly the same words in the same order as a file it was held against"},
)
def drop(keys: pa.Table, *, hashes: int, verify: str, at_least: float) -> pa.Table:
    """Drops new documents that are near copies of an indexed one (reason `near_duplicate`).

    `kept_id` is the nearest candidate, and `similarity` the estimate from their bits (`verify="sketch"`). With "none"
    every document with a candidate is dropped, and `similarity` is null.
    """
    is_new = keys["part"].to_numpy() >= 0
    new = keys.filter(pa.array(is_new)).combine_chunks()
    indexed = keys.filter(pa.array(~is_new))
    indexed = indexed.filter(pc.is_in(indexed["candidate"], value_set=new["candidate"].combine_chunks()))
    # An id in two indexes is one document. If it was cleaned by other rules, either text will do.
    indexed = indexed.sort_by([("candidate", "ascending"), ("bits", "ascending")]).combine_chunks()
    indexed = _first_of_each(indexed, ("candidate",), 1)
    where = pc.index_in(new["candidate"].combine_chunks(), value_set=indexed["candidate"].combine_chunks())
    new, where = new.filter(where.is_valid()).combine_chunks(), where.drop_null()
    if verify == "none":
        similarity = pa.nulls(new.num_rows, pa.float32())
    else:
        measured = alike(one(new["bits"]), one(indexed["bits"]).take(where), hashes=hashes)
        near = pa.array(measured >= np.float32(at_least))
        new, similarity = new.filter(near).combine_chunks(), pa.array(measured).filter(near)
    return pa.table(
        {
            "part": new["part"],
            "row": new["row"],
            "reason": pa.array(["near_duplicate"] * new.num_rows, pa.string()),
            "kept_id": hexed(one(new["candidate"])),
            "similarity": similarity,
        }
    )
