"""Near-deduplication of chunks: cuts out of a document what it shares with a better one.

    band_keys   content → the digests of the bands of each chunk             no exchange
    cluster     chunks with a band in common → a cluster's number            exchange
    elect       a cluster → its best chunk                                   exchange
    evidence    chunks in clusters → their sketches or shingles              no exchange
    compare     chunks held against the elected one → similarity             exchange
    guard       counts the chunks that would go, by source and language      a few rows a batch
    drop        chunks that go → what is left of the document, or a verdict  no exchange

A chunk is `words` consecutive words of one document; the last chunk has the rest. Chunks are rows only in exchanges.
Between exchanges, a document has a list of its chunks that are in a cluster (`MEMBER`), and each exchange rewrites the
list with its result. A document of one chunk is treated as at level file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core, near
from codemill.columns import one
from codemill.document import CHUNKS, VERDICT
from codemill.errors import BuildError, RecipeError
from codemill.machine.components import mixed
from codemill.machine.keys import Pieces
from codemill.machine.kinds import KEY_BYTES
from codemill.machine.table import exchange, step
from codemill.steps import _guard
from codemill.steps._clusters import elected, keeper_numbers, linked
from codemill.steps._evidence import bands_of, check_sketch, check_verify, curve_notes, evidence_of, held
from codemill.steps._index import sketch_version

Rows = npt.NDArray[np.int64]

MEMBER = pa.struct(
    {
        "chunk": pa.int32(),  # its number in the document, from 0
        "cluster": pa.uint64(),
        "keeper": pa.string(),  # the id of the document whose chunk was elected
        "keeper_chunk": pa.int32(),
        "is_keeper": pa.bool_(),
        "cluster_size": pa.int64(),  # chunks
        "similarity": pa.float32(),  # to the elected one; null for that one itself, or if it was not measured
    }
)
"""A chunk that is in a cluster. A field is null until the step that computes it."""

_PART, _ROW, _CHUNK = 22, 26, 16  # bits of a node: 256 TiB in parts of 64 MiB; rows of a part; chunks of a document
MOST_CHUNKS = 1 << _CHUNK
"""Chunks of a document that are compared. Later ones (beyond 268 million words at 4,096 a chunk) stay."""

FEWEST_WORDS = 64  # of a chunk: an ingested document of 8 MB has fewer than `MOST_CHUNKS` of these


def _check(*, words: int, **sketch: Any) -> None:
    check_sketch(**sketch)
    if words < max(FEWEST_WORDS, sketch["ngram"]):
        raise RecipeError(f"a chunk has at least {max(FEWEST_WORDS, sketch['ngram'])} words, got {words}")


def cut(content: pa.Array, *, words: int, ngram: int) -> tuple[pa.Array, Rows]:
    """Cuts texts into chunks without copying. Returns all chunks, and how many each text has (0 for a null).

    A rest shorter than a shingle belongs to the chunk before it, because alone it could not be compared.
    """
    ends = _core.chunk_ends(content, words=words, least=ngram)
    counts = pc.fill_null(pc.list_value_length(ends), 0).to_numpy().astype(np.int64)
    texts = content.drop_null()
    if not len(texts):
        return pa.array([], pa.large_string()), counts
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts)]
    edges = np.append(starts[:1], ends.flatten().to_numpy() + np.repeat(starts, counts[counts > 0]))
    return pa.LargeStringArray.from_buffers(len(edges) - 1, pa.py_buffer(edges.tobytes()), data), counts


def _numbers(counts: Rows) -> Rows:
    """Numbers the elements of groups of these sizes, from 0 in each group."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _lists(counts: Rows, values: pa.Array) -> pa.Array:
    """Groups neighbouring values into lists of these sizes."""
    return pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(counts)).astype(np.int32)), values)


def _plan_notes(*, bands: int, rows: int, words: int, **_: Any) -> list[str]:
    limit = near.effective_threshold(bands, rows)
    return [
        f"chunks of {words:,} words: with k words more at the beginning of a document, J of its chunks is "
        f"({words:,} - k) / ({words:,} + k), or {limit:.3f} at k = {words * (1 - limit) / (1 + limit):.0f}",
        *curve_notes(bands=bands, rows=rows),
    ]


@step(
    version=1,
    reads=("content",),
    adds={"chunk_keys": pa.list_(pa.binary())},
    check=_check,
    notes=_plan_notes,
    knows=sketch_version,
)
def band_keys(
    documents: pa.RecordBatch, *, words: int, bands: int, rows: int, ngram: int, unit: str, seed: int
) -> pa.RecordBatch:
    """Sketches each chunk of `words` words and digests each band of its sketch to 8 bytes.

    Shape: content in; for each chunk 8 x `bands` bytes out. Null: a chunk shorter than one shingle, which only a
    document without others has.
    """
    chunks, counts = cut(documents["content"], words=words, ngram=ngram)
    keys = _core.band_keys(chunks, bands=bands, rows=rows, ngram=ngram, unit=unit, seed=seed)
    return pa.record_batch({"chunk_keys": _lists(counts, keys.cast(pa.binary()))})


def _most(params: Mapping[str, Any], rows: int, size: int) -> int:
    """The largest number of chunks in `rows` documents of `size` bytes together, at two bytes a word."""
    return rows + size // (2 * int(params["words"]))


def _each_band(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    """One key for each band of each chunk."""
    lists = documents["chunk_keys"]
    counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    chunk = _numbers(counts)
    keys, which = bands_of(lists.flatten(), np.arange(len(chunk)))
    chunk, rows = chunk[which], np.repeat(rows, counts)[which]
    some = chunk < MOST_CHUNKS
    keys = keys if some.all() else keys.filter(pa.array(some))
    return pa.record_batch({"band_key": keys, "chunk": pa.array(chunk[some].astype(np.int32))}), rows[some]


def _clusters(labels: Iterator[pa.Table], **_: Any) -> pa.Table:
    """A cluster's number for each chunk that has a candidate: its smallest member, mixed."""
    table = pa.concat_tables(labels)
    node, root = table["a"].to_numpy(), table["b"].to_numpy()
    return _members_of(
        (node >> np.uint64(_ROW + _CHUNK)).astype(np.int32),
        (node >> np.uint64(_CHUNK) & np.uint64((1 << _ROW) - 1)).astype(np.int32),
        chunk=(node & np.uint64(MOST_CHUNKS - 1)).astype(np.int32),
        cluster=mixed(root),
    )


def _members_of(part: Any, row: Any, **fields: Any) -> pa.Table:
    """Rows with a list of one `MEMBER` each; fields that are not given are null. `_joined` joins the lists."""
    count = len(part)
    values = [fields[f.name] if f.name in fields else pa.nulls(count, f.type) for f in MEMBER]
    arrays = [one(v) if isinstance(v, pa.Array | pa.ChunkedArray) else pa.array(v) for v in values]
    members = pa.StructArray.from_arrays(
        [array.cast(f.type) for array, f in zip(arrays, MEMBER, strict=True)], fields=list(MEMBER)
    )
    return pa.table({"part": part, "row": row, "chunk_members": _lists(np.ones(count, dtype=np.int64), members)})


def _joined(rows: pa.Table) -> pa.Table:
    """Joins lists of one member into one list for each document, in the order of chunks."""
    members = one(rows["chunk_members"]).flatten()
    part, row = rows["part"].to_numpy(), rows["row"].to_numpy()
    order = np.lexsort((members.field("chunk").to_numpy(), row, part))
    part, row = part[order], row[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (part[1:] != part[:-1]) | (row[1:] != row[:-1])
    starts = np.flatnonzero(new)
    lists = _lists(np.diff(np.append(starts, len(order))), members.take(pa.array(order)))
    return pa.table({"part": part[starts], "row": row[starts], "chunk_members": lists})


_ADDS = {"chunk_members": pa.list_(MEMBER)}


@exchange(
    version=1,
    reads=("chunk_keys",),
    key="band_key",
    adds=_ADDS,
    emit=_each_band,
    finds_pairs=True,
    gather=_clusters,
    merge=_joined,
    estimate_keys=_most,
    bytes_per_key=lambda params: params["bands"] * 72,  # bytes of memory: 8 + 8 + 2, held in four forms
)
def cluster(keys: pa.Table, *, words: int, bands: int) -> pa.Table:
    """Joins chunks that share a band into clusters. Null: no chunk of the document has a candidate."""
    part, row = (keys[name].to_numpy().astype(np.uint64) for name in ("part", "row"))
    for name, numbers, bits in (("parts", part, _PART), ("rows of a part", row, _ROW)):
        if len(numbers) and int(numbers.max()) >> bits:
            raise BuildError(f"there are more than {1 << bits:,} {name}, too many for chunks", where="chunks.cluster")
    node = part << np.uint64(_ROW + _CHUNK) | row << np.uint64(_CHUNK) | keys["chunk"].to_numpy().astype(np.uint64)
    return linked(keys, node)


def _members(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    """A row for each chunk that is in a cluster, with its fields and those of its document."""
    lists = documents["chunk_members"]
    which = pc.list_parent_indices(lists)
    names = [name for name in documents.schema.names if name not in ("chunk_members", "chunk_evidence")]
    fields = documents.select(names).take(which)
    members = lists.flatten()
    columns = {f.name: members.field(f.name) for f in MEMBER}
    columns |= {name: fields[name] for name in names}
    if "chunk_evidence" in documents.schema.names:
        columns["evidence"] = documents["chunk_evidence"].flatten()
    return pa.record_batch(columns), rows[which.to_numpy()]


@exchange(
    version=2,
    reads=("chunk_members", "id", "stars", "commit_time", "repo", "path"),
    key="cluster",
    adds=_ADDS,
    emit=_members,
    merge=_joined,
    estimate_keys=_most,
)
def elect(keys: pa.Table, *, words: int) -> pa.Table:
    """Gives each member of a cluster the best chunk of the cluster: the first chunk of the best document."""
    table, first, sizes = elected(keys, "chunk")
    best = pa.array(first)
    keeper, chunk = one(table["id"].take(best)), one(table["chunk"].take(best))
    return _members_of(
        table["part"],
        table["row"],
        chunk=table["chunk"],
        cluster=keeper_numbers(keeper).to_numpy() ^ mixed(chunk.to_numpy().astype(np.uint64)),  # see keeper_numbers
        keeper=keeper,
        keeper_chunk=chunk,
        is_keeper=first == np.arange(table.num_rows),
        cluster_size=sizes,
    )


@step(
    version=1,
    reads=("content", "chunk_members"),
    adds={"chunk_evidence": pa.large_list(pa.large_binary())},
    check=check_verify,
    knows=sketch_version,
)
def evidence(
    documents: pa.RecordBatch, *, words: int, verify: str, hashes: int, ngram: int, unit: str, seed: int
) -> pa.RecordBatch:
    """Computes the evidence of chunks that are in a cluster: see `dedup.evidence`.

    Shape: content in; one value for each of `chunk_members` out. Null: a document without members.
    """
    lists = documents["chunk_members"]
    there = pc.fill_null(pc.greater(pc.list_value_length(lists), 0), False)
    lists, content = lists.filter(there), documents["content"].filter(there)
    chunks, counts = cut(content, words=words, ngram=ngram)
    first = (np.cumsum(counts) - counts)[pc.list_parent_indices(lists).to_numpy()]
    chunks = chunks.take(pa.array(first + lists.flatten().field("chunk").to_numpy()))
    made = evidence_of(chunks, verify=verify, hashes=hashes, ngram=ngram, unit=unit, seed=seed)
    ends = np.append(0, np.cumsum(pc.list_value_length(lists).to_numpy())).astype(np.int64)
    values = pa.LargeListArray.from_arrays(pa.array(ends), made)
    living = there.to_numpy(zero_copy_only=False)
    return pa.record_batch({"chunk_evidence": values.take(pa.array(np.cumsum(living) - 1, mask=~living))})


@exchange(
    version=1,
    reads=("chunk_members", "chunk_evidence"),
    key="cluster",
    adds=_ADDS,
    emit=_members,
    merge=_joined,
    piecewise=True,
    estimate_keys=_most,
    bytes_per_key=KEY_BYTES,
    check=check_verify,
)
def compare(pieces: Pieces, *, words: int, verify: str) -> pa.Table:
    """Compares the members of clusters with the elected chunk.

    Shape: chunks in clusters in; all of them out. Memory: see `held`.
    """
    names = [f.name for f in MEMBER if f.name != "similarity"]
    tables = []
    for piece in pieces:
        table = piece.filter(pc.field("is_keeper"))
        tables.append(_members_of(table["part"], table["row"], **{name: table[name] for name in names}))
    for table, similarity in held(pieces, verify=verify):
        columns = {name: table[name] for name in names}
        tables.append(_members_of(table["part"], table["row"], **columns, similarity=similarity))
    return pa.concat_tables(tables)


def goes(members: pa.StructArray, *, verify: str, at_least: float) -> npt.NDArray[np.bool_]:
    """Whether each chunk is similar enough to the elected one of its cluster to be cut out."""
    member = pc.invert(members.field("is_keeper"))
    if verify != "none":
        near_enough = pc.greater_equal(members.field("similarity"), np.float32(at_least))
        member = pc.and_(member, pc.fill_null(near_enough, False))
    cut_out: npt.NDArray[np.bool_] = member.to_numpy(zero_copy_only=False)
    return cut_out


def _counted(
    documents: pa.RecordBatch, rows: Rows, *, by: Sequence[str], verify: str, at_least: float, **_: Any
) -> tuple[pa.RecordBatch, Rows]:
    lists = documents["chunk_members"]
    which, members = pc.list_parent_indices(lists).to_numpy(), lists.flatten()
    lost = np.bincount(which[goes(members, verify=verify, at_least=at_least)], minlength=len(lists))
    largest = np.zeros(len(lists), dtype=np.int64)
    np.maximum.at(largest, which, members.field("cluster_size").to_numpy())
    chunks = pc.list_value_length(documents["chunk_keys"]).to_numpy().astype(np.int64)
    return _guard.counted(documents, by, lost=lost, of=chunks, largest=largest)


def _judge(counts: Iterator[pa.Table], *, by: Sequence[str], largest: int, most_lost: float, **_: Any) -> pa.Table:
    return _guard.judged(counts, by=by, largest=largest, most_lost=most_lost, unit="chunks")


@exchange(
    version=1,
    reads=lambda params: (*params["by"], "chunk_keys", "chunk_members"),
    key="key",
    adds={},
    emit=_counted,
    gather=_judge,
)
def guard(
    counts: pa.Table, *, by: Sequence[str], largest: int, most_lost: float, verify: str, at_least: float
) -> pa.Table:
    """Looks at what would go before anything is cut out: see `dedup.guard`. Here chunks are counted, not files."""
    return counts


@step(
    version=1,
    reads=("content", "chunk_keys", "chunk_members"),
    adds={
        "content": pa.large_string(),
        "chunks": CHUNKS,
        **{name: VERDICT[name] for name in ("reason", "kept_id", "similarity")},
    },
    edits=("content",),
    check=check_verify,
    ledger=("chunks",),
    tells=("level", "hashes", "unit"),
    drops={"near_duplicate": "nearly the same words in the same order as parts of files that were kept"},
)
def drop(
    documents: pa.RecordBatch,
    *,
    words: int,
    verify: str,
    at_least: float,
    level: str,
    hashes: int,
    ngram: int,
    unit: str,
) -> pa.RecordBatch:
    """Cuts out the chunks that are similar enough to the elected one of their cluster.

    A document without chunks left is dropped.

    Shape: adds the new content (the remaining chunks joined; null if none was removed); `chunks` (how many there were,
    how many were removed, and their bytes); and the verdict (reason `near_duplicate`). `kept_id` is the document with
    the elected chunks of most of the removed ones, the first of equals; `similarity` is the smallest of theirs.
    `level`, `hashes` and `unit` have no effect here: the manifest records them for its readers.
    """
    lists, content = documents["chunk_members"], documents["content"]
    which, members = pc.list_parent_indices(lists).to_numpy(), lists.flatten()
    gone = goes(members, verify=verify, at_least=at_least)
    which, members = which[gone], members.filter(pa.array(gone))
    total = pc.list_value_length(documents["chunk_keys"]).to_numpy().astype(np.int64)
    removed = np.bincount(which, minlength=len(total))
    bytes_removed = np.zeros(len(total), dtype=np.int64)
    left: list[str | None] = [None] * len(total)
    kept_id: list[str | None] = [None] * len(total)
    similarity: list[float | None] = [None] * len(total)
    for row in np.flatnonzero(removed):
        cut_out = members.filter(pa.array(which == row))
        whole = removed[row] == total[row]
        text = content[int(row)].as_buffer().to_pybytes()
        if whole:
            bytes_removed[row] = len(text)
            kept_id[row], similarity[row] = _instead(cut_out)
            continue
        ends = _core.chunk_ends(content.slice(row, 1), words=words, least=ngram)[0].values.to_numpy()
        stays = np.ones(len(ends), dtype=bool)
        stays[cut_out.field("chunk").to_numpy()] = False
        begins = np.append(0, ends[:-1])
        rest = b"".join(text[begins[i] : ends[i]] for i in np.flatnonzero(stays))
        bytes_removed[row] = len(text) - len(rest)
        left[row] = rest.decode()
    counts = (total.astype(np.int32), removed.astype(np.int32), bytes_removed)
    return pa.record_batch(
        {
            "content": pa.array(left, pa.large_string()),
            "chunks": pa.StructArray.from_arrays([pa.array(c) for c in counts], fields=list(CHUNKS)),
            "reason": pa.array(["near_duplicate" if id else None for id in kept_id], pa.string()),
            "kept_id": pa.array(kept_id, pa.string()),
            "similarity": pa.array(similarity, pa.float32()),
        }
    )


def _instead(members: pa.StructArray) -> tuple[str, float | None]:
    """The document with the elected chunks of most of these members, and the smallest similarity."""
    keepers = members.field("keeper").to_pylist()
    return max(keepers, key=keepers.count), pc.min(members.field("similarity")).as_py()
