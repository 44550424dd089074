"""Removes copies, keeping the best one.

Nearly three quarters of the files of a large crawl are exact copies of others (OpenCoder 2.1.1), so `exact` comes
before anything that is expensive per file; `fuzzy` then finds near-copies among the rest.

    exact   groups rows with equal SHA-256 → drops all but the best
    fuzzy   band_keys → cluster → elect → evidence → compare → guard → drop      of files
            repos.sketch → cluster → elect → compare → repos.spread → guard → drop
            chunks.band_keys → cluster → elect → evidence → compare → guard → drop, all of `chunks`

Both can compare new documents with earlier corpora, whose copies are kept: see `known`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core
from codemill.document import SHA256, TIME, VERDICT
from codemill.errors import RecipeError, did_you_mean
from codemill.machine.components import mixed
from codemill.machine.keys import Pieces, group_by_key
from codemill.machine.kinds import KEY_BYTES
from codemill.machine.table import Table, exchange, step
from codemill.steps import _guard, _index, chunks, known, repos
from codemill.steps._clusters import BEST_FIRST, COPY_BYTES, elected, keeper_numbers, linked
from codemill.steps._evidence import bands_of, check_sketch, check_verify, curve_notes, evidence_of, held

Rows = npt.NDArray[np.int64]

_DECIDE = ("id", "stars", "commit_time", "repo", "path")
_EXACT = pa.schema(
    {
        "content_sha256": SHA256,
        "id": pa.string(),
        "stars": pa.int64(),
        "commit_time": TIME,
        "repo": pa.string(),
        "path": pa.string(),
    }
)


def _check_earlier(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    if len(inputs) > 1 and params["hash"] != "content_sha256":
        raise RecipeError(f"an earlier corpus has content_sha256, not {params['hash']!r}", where="dedup.exact")
    return params


def _earlier_keys(documents: pa.RecordBatch, **_: Any) -> pa.RecordBatch:
    """Hashes and ids of earlier documents, with nulls for the other columns."""
    names = set(documents.schema.names)
    columns = [documents[f.name] if f.name in names else pa.nulls(documents.num_rows, f.type) for f in _EXACT]
    return pa.RecordBatch.from_arrays(columns, schema=_EXACT)


@exchange(
    version=3,
    reads=lambda params: (params["hash"], *_DECIDE),
    key="$hash",
    adds={name: VERDICT[name] for name in ("reason", "kept_id", "similarity")},
    other_reads=("content_sha256", "id"),
    other_keys=_earlier_keys,
    bytes_per_key=COPY_BYTES,
    resolve=_check_earlier,
    drops={
        "duplicate": "a byte-for-byte copy of a file that was kept",
        "clean_duplicate": "the same as a file that was kept, once both were cleaned",
    },
)
def exact(keys: pa.Table, *, hash: str = "content_sha256") -> pa.Table:
    """Drops all but the best of the documents whose `hash` is equal (reason `duplicate`).

    If `hash` is not the hash of the original content, the reason is `clean_duplicate`.

    Shape: one key row per living document in; one verdict row per dropped document out. `kept_id` names the copy
    that was kept, `similarity` is 1.0. Further inputs are earlier corpora: every copy of a document in them is dropped.
    From: OpenCoder 2.1.1 (SHA-256; highest stars, then latest commit time). What decides among equals is ours.
    """
    keys = keys.append_column("new", pc.greater_equal(keys["part"], 0).cast(pa.int8()))
    table, first = group_by_key(keys, hash, [("new", "ascending"), *BEST_FIRST])
    lost = (first != np.arange(table.num_rows)) & (table["part"].to_numpy() >= 0)
    dropped = table.filter(pa.array(lost))
    rows = dropped.num_rows
    reason = "duplicate" if hash == "content_sha256" else "clean_duplicate"
    return pa.table(
        {
            "part": dropped["part"],
            "row": dropped["row"],
            "reason": pa.array([reason] * rows, pa.string()),
            "kept_id": table["id"].take(pa.array(first[lost])),
            "similarity": pa.array(np.ones(rows, dtype=np.float32)),
        }
    )


LEVELS = ("file", "repo", "chunk")


def fuzzy(
    documents: Table,
    *earlier: Table,
    level: str = "file",
    chunk_words: int = 4096,
    bands: int = 16,
    rows: int = 128,
    ngram: int = 5,
    unit: str = "word",
    seed: int = 0,
    verify: str = "sketch",
    at_least: float = 0.95,
    by: Sequence[str] = ("source",),
    largest: int = 10_000,
    most_lost: float = 1.0,
    index: bool = False,
) -> Table:
    """Drops all but the best of every cluster of near-copies (reason `near_duplicate`).

    Two documents are candidates if one of `bands` bands of `rows` MinHash values is equal; candidates are joined into
    clusters; each cluster keeps its best. `verify` says how a member is compared with the kept copy before it is
    dropped: not at all ("none"), by their sketches ("sketch", the ledger has the estimate), or by their exact Jaccard
    similarity ("exact"). Members below `at_least` stay. Documents without a word are left to `exact`. For `by`,
    `largest` and `most_lost` see `guard`.

    `level` says what is compared. "file": each file. "repo": each repository, whose files stay or go together (see
    `repos.sketch`). "chunk": each run of `chunk_words` words, which is cut out of its document (see `chunks`); a
    document without chunks left is dropped.

    `earlier` are indexes of earlier runs (`ingest.published`). Near-copies of their documents are dropped first; the
    guard does not count them. With `index` or `earlier` the table has the columns of an index (`known.index`), so that
    later runs can be compared with this one.

    From: OpenCoder 2.1.1 (5-grams, 2048 functions, 16 bands of 128 rows, the best copy kept; files). It does not
    verify. Raises: RecipeError for values out of range.
    """
    if level not in LEVELS:
        raise RecipeError(f"there is no level {level!r}", remedy=did_you_mean(level, LEVELS))
    check_verify(verify=verify, at_least=at_least)
    sketch = {"ngram": ngram, "unit": unit, "seed": seed}
    banded = {"bands": bands, "rows": rows, **sketch}
    if earlier or index:
        _index.check_level(level, verify if earlier else "none")
        _index.check_index(earlier, banded)
    if level != "chunk" and chunk_words != 4096:
        raise RecipeError(f"there are no chunks at level {level!r}", remedy='give level="chunk", or no chunk_words')
    if level == "repo" and verify == "exact":
        raise RecipeError("repositories are compared by their sketches", remedy='give verify="sketch" or "none"')
    guarding = {"by": by, "largest": largest, "most_lost": most_lost, "verify": verify, "at_least": at_least}
    recorded = {"level": level, "hashes": bands * rows, "ngram": ngram, "unit": unit}
    dropping = {"verify": verify, "at_least": at_least, **recorded}
    if level == "chunk":
        compared = _chunks_compared(documents, chunk_words, verify, banded, sketch)
        return chunks.drop(chunks.guard(compared, **guarding), words=chunk_words, **dropping)
    if level == "repo":
        compared = _repositories_compared(documents, verify, banded)
    else:
        keyed = band_keys(documents, **banded)
        if earlier:
            candidates = known.meet(keyed, *earlier, bands=bands)
            candidates = known.fold(candidates, hashes=bands * rows, **sketch)
            keyed = known.drop(candidates, *earlier, hashes=bands * rows, verify=verify, at_least=at_least)
        compared = _files_compared(keyed, verify, banded, sketch)
    dropped = drop(guard(compared, **guarding), **dropping)
    return known.index(dropped, **banded) if earlier or index else dropped


def _files_compared(keyed: Table, verify: str, banded: Mapping[str, Any], sketch: Mapping[str, Any]) -> Table:
    clusters = elect(cluster(keyed))
    if verify == "none":
        return clusters
    return compare(evidence(clusters, verify=verify, hashes=banded["bands"] * banded["rows"], **sketch), verify=verify)


def _repositories_compared(documents: Table, verify: str, banded: Mapping[str, Any]) -> Table:
    clusters = elect(cluster(repos.sketch(documents, **banded)), stars="repo_stars", commit_time="repo_commit_time")
    return repos.spread(clusters if verify == "none" else compare(clusters, verify=verify), verify=verify)


def _chunks_compared(
    documents: Table, words: int, verify: str, banded: Mapping[str, Any], sketch: Mapping[str, Any]
) -> Table:
    keyed = chunks.band_keys(documents, words=words, **banded)
    clusters = chunks.elect(chunks.cluster(keyed, words=words, bands=banded["bands"]), words=words)
    if verify == "none":
        return clusters
    hashes = banded["bands"] * banded["rows"]
    return chunks.compare(
        chunks.evidence(clusters, words=words, verify=verify, hashes=hashes, **sketch), words=words, verify=verify
    )


@step(
    version=1,
    reads=("content",),
    adds={"band_keys": pa.binary()},
    check=check_sketch,
    notes=curve_notes,
    knows=_index.sketch_version,
)
def band_keys(documents: pa.RecordBatch, *, bands: int, rows: int, ngram: int, unit: str, seed: int) -> pa.RecordBatch:
    """Sketches each document and digests each band of its sketch to 8 bytes.

    Shape: content in; 8 x `bands` bytes out. Null: a document without a word.
    """
    keys = _core.band_keys(documents["content"], bands=bands, rows=rows, ngram=ngram, unit=unit, seed=seed)
    return pa.record_batch({"band_keys": keys.cast(pa.binary())})


def _each_band(documents: pa.RecordBatch, rows: Rows) -> tuple[pa.RecordBatch, Rows]:
    """One key for each band of each document: 16 x 8 bytes."""
    keys, rows = bands_of(documents["band_keys"], rows)
    return pa.record_batch({"band_key": keys}), rows


def _clusters(labels: Iterator[pa.Table]) -> pa.Table:
    """A cluster's number for each document that has a candidate: its smallest member, mixed."""
    table = pa.concat_tables(labels)
    place, root = table["a"].to_numpy(), table["b"].to_numpy()
    return pa.table(
        {
            "part": pa.array((place >> np.uint64(32)).astype(np.int32)),
            "row": pa.array((place & np.uint64(0xFFFFFFFF)).astype(np.int32)),
            "cluster": pa.array(mixed(root)),
        }
    )


@exchange(
    version=1,
    reads=("band_keys",),
    key="band_key",
    adds={"cluster": pa.uint64()},
    emit=_each_band,
    finds_pairs=True,
    gather=_clusters,
    bytes_per_key=16 * 64,  # bytes of memory: 16 bands of 8 + 8 bytes, held in four forms
)
def cluster(keys: pa.Table) -> pa.Table:
    """Joins documents that share a band into clusters. Null: a document without a candidate.

    Every member of a bucket is linked to one of them, never to all: a bucket of a million copies is a million edges.
    The numbers of clusters depend on how the input was cut into parts, so only `elect` reads them. The members of a
    cluster do not depend on it.
    """
    nodes = keys["part"].to_numpy().astype(np.uint64) << np.uint64(32) | keys["row"].to_numpy().astype(np.uint64)
    return linked(keys, nodes)


def _in_clusters(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    there = documents["cluster"].is_valid()
    return documents.filter(there), rows[there.to_numpy(zero_copy_only=False)]


def _by_keeper(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    """The members of clusters, with a cluster number derived from the best document."""
    there = documents["keeper"].is_valid()
    members = documents.filter(there)
    keys = members.drop_columns(["keeper"]).append_column("cluster", keeper_numbers(members["keeper"]))
    return keys, rows[there.to_numpy(zero_copy_only=False)]


@exchange(
    version=2,
    reads=lambda params: ("cluster", "id", params["stars"], params["commit_time"], "repo", "path"),
    key="cluster",
    adds={"keeper": pa.string(), "is_keeper": pa.bool_(), "cluster_size": pa.int64()},
    emit=_in_clusters,
    bytes_per_key=COPY_BYTES,
)
def elect(keys: pa.Table, *, stars: str = "stars", commit_time: str = "commit_time") -> pa.Table:
    """Gives each member of a cluster the best document of the cluster. Null: a document in no cluster.

    `stars` and `commit_time` name the columns that decide. Memory: the members of one cluster are in one partition,
    about 700 bytes each.
    """
    table, first, sizes = elected(keys.rename_columns({stars: "stars", commit_time: "commit_time"}))
    return pa.table(
        {
            "part": table["part"],
            "row": table["row"],
            "keeper": table["id"].take(pa.array(first)),
            "is_keeper": pa.array(first == np.arange(table.num_rows)),
            "cluster_size": pa.array(sizes),
        }
    )


def _goes(documents: pa.RecordBatch, *, verify: str, at_least: float) -> pa.Array:
    """Whether each document is similar enough to the elected one of its cluster to be dropped."""
    member = pc.fill_null(pc.invert(documents["is_keeper"]), False)
    if verify == "none":
        return member
    near = pc.greater_equal(documents["keeper_similarity"], np.float32(at_least))
    return pc.and_(member, pc.fill_null(near, False))


def _judged(params: Mapping[str, Any]) -> tuple[str, ...]:
    return ("is_keeper", *(("keeper_similarity",) if params["verify"] != "none" else ()))


def _counted(
    documents: pa.RecordBatch, rows: Rows, *, by: Sequence[str], verify: str, at_least: float, **_: Any
) -> tuple[pa.RecordBatch, Rows]:
    return _guard.counted(
        documents,
        by,
        lost=_goes(documents, verify=verify, at_least=at_least).cast(pa.int64()),
        of=np.ones(documents.num_rows, dtype=np.int64),
        largest=pc.fill_null(documents["cluster_size"], 0),
    )


def _judge(counts: Iterator[pa.Table], *, by: Sequence[str], largest: int, most_lost: float, **_: Any) -> pa.Table:
    return _guard.judged(counts, by=by, largest=largest, most_lost=most_lost, unit="files")


@exchange(
    version=2,
    reads=lambda params: (*params["by"], "cluster_size", *_judged(params)),
    key="key",
    adds={},
    emit=_counted,
    gather=_judge,
)
def guard(
    counts: pa.Table, *, by: Sequence[str], largest: int, most_lost: float, verify: str, at_least: float
) -> pa.Table:
    """Counts what would be dropped, before anything is dropped.

    Warns of clusters with more than `largest` members. Raises: BuildError if more than `most_lost` of the files of
    one value of `by` (a source, a language of a source) would be dropped.
    Why: elsewhere, merging removed 98 % of a source before anyone noticed.
    """
    return counts


@step(
    version=1,
    reads=("keeper", "content"),
    adds={"evidence": pa.large_binary()},
    check=check_verify,
    knows=_index.sketch_version,
)
def evidence(
    documents: pa.RecordBatch, *, verify: str, hashes: int, ngram: int, unit: str, seed: int
) -> pa.RecordBatch:
    """Computes the evidence by which the members of clusters are compared.

    Shape: content in; a sketch (`verify="sketch"`, 4 x `hashes` bytes) or the shingles ("exact", 8 bytes each) out.
    Null: a document in no cluster.
    Why `band_keys` does not store it: for all documents it would take as much room as the documents.
    """
    there = documents["keeper"].is_valid()
    made = evidence_of(
        documents["content"].filter(there), verify=verify, hashes=hashes, ngram=ngram, unit=unit, seed=seed
    )
    places = np.cumsum(there.to_numpy(zero_copy_only=False)) - 1
    return pa.record_batch({"evidence": made.take(pa.array(places, mask=~there.to_numpy(zero_copy_only=False)))})


@exchange(
    version=1,
    reads=("keeper", "is_keeper", "evidence"),
    key="cluster",
    adds={"keeper_similarity": pa.float32()},
    emit=_by_keeper,
    piecewise=True,
    bytes_per_key=KEY_BYTES,
    check=check_verify,
)
def compare(pieces: Pieces, *, verify: str) -> pa.Table:
    """Compares the members of clusters with the elected document.

    Shape: members of clusters in; one row per compared member out. Memory: see `held`.
    """
    tables = [pa.table({"part": [], "row": [], "keeper_similarity": []}, schema=_COMPARED)]
    for members, similarity in held(pieces, verify=verify):
        tables.append(pa.table([members["part"], members["row"], similarity], schema=_COMPARED))
    return pa.concat_tables(tables)


_COMPARED = pa.schema({"part": pa.int32(), "row": pa.int32(), "keeper_similarity": pa.float32()})


@step(
    version=2,
    reads=lambda params: ("keeper", *_judged(params)),
    adds={name: VERDICT[name] for name in ("reason", "kept_id", "similarity")},
    check=check_verify,
    tells=("level", "hashes", "ngram", "unit"),
    drops={"near_duplicate": "nearly the same words in the same order as a file that was kept"},
)
def drop(
    documents: pa.RecordBatch, *, verify: str, at_least: float, level: str, hashes: int, ngram: int, unit: str
) -> pa.RecordBatch:
    """Drops the members of clusters that are similar enough to the elected document (see `fuzzy`).

    `level`, `hashes`, `ngram` and `unit` have no effect here: the manifest records them for its readers.
    """
    goes = _goes(documents, verify=verify, at_least=at_least)
    similarity = documents["keeper_similarity"] if verify != "none" else pa.nulls(documents.num_rows, pa.float32())
    return pa.record_batch(
        {
            "reason": pc.if_else(goes, "near_duplicate", pa.scalar(None, pa.string())),
            "kept_id": pc.if_else(goes, documents["keeper"], pa.scalar(None, pa.string())),
            "similarity": pc.if_else(goes, similarity, pa.scalar(None, pa.float32())),
        }
    )
