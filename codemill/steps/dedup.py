"""Removes copies, keeping the best one.

Nearly three quarters of the files of a large crawl are exact copies of others (OpenCoder 2.1.1), so `exact` comes
before anything that is expensive per file; `fuzzy` then finds the near-copies among what is left.

    exact   rows with equal SHA-256 meet → all but the best are dropped
    fuzzy   band_keys → cluster → elect → evidence → compare → guard → drop      of files
            repos.sketch → cluster → elect → compare → repos.spread → guard → drop

Both can hold new documents `against` an earlier corpus, whose copies are kept: see `known`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core
from codemill.components import mixed
from codemill.document import SHA256, TIME
from codemill.errors import BuildError, RecipeError, did_you_mean
from codemill.exchange import Pieces, group_by_key
from codemill.steps import _index, known, repos
from codemill.steps._evidence import HELD_BYTES, bands_of, check_sketch, check_verify, curve_notes, evidence_of
from codemill.steps._evidence import against as held_against
from codemill.steps._index import Index as Index  # recipes call it dedup.Index
from codemill.steps._index import indexes
from codemill.table import KEY_BYTES, VERDICT, Table, exchange, step

log = logging.getLogger("codemill")

Rows = npt.NDArray[np.int64]

BEST_FIRST = (
    ("stars", "descending"),
    ("commit_time", "descending"),
    ("id", "ascending"),
    ("part", "ascending"),  # two rows can have one id if an input is given twice
    ("row", "ascending"),
)
"""Which copy is kept: most stars, then latest commit, unknown last; then an order that depends on nothing else."""


_EXACT = pa.schema({"content_sha256": SHA256, "id": pa.string(), "stars": pa.int64(), "commit_time": TIME})


def _check_exact(*, hash: str, against: Index | Sequence[Index]) -> None:
    if indexes(against) and hash != "content_sha256":
        raise RecipeError(f"an earlier corpus has content_sha256, not {hash!r}", where="dedup.exact")


@exchange(
    version=1,
    reads=lambda params: (params["hash"], "id", "stars", "commit_time"),
    key="$hash",
    adds={name: VERDICT[name] for name in ("reason", "kept_id", "similarity")},
    beside=lambda params: _index.equal_keys(indexes(params["against"]), _EXACT),
    check=_check_exact,
)
def exact(keys: pa.Table, *, hash: str = "content_sha256", against: Index | Sequence[Index] = ()) -> pa.Table:
    """Drops all but the best of the documents whose `hash` is equal (reason `duplicate`).

    Shape: one key row per living document in; one verdict row per dropped document out. `kept_id` names the copy
    that was kept, `similarity` is 1.0. Of what is `against` too (an earlier corpus, or several) every copy goes.
    From: OpenCoder 2.1.1 (SHA-256; highest stars, then latest commit time).
    """
    keys = keys.append_column("new", pc.greater_equal(keys["part"], 0).cast(pa.int8()))
    table, first = group_by_key(keys, hash, [("new", "ascending"), *BEST_FIRST])
    lost = (first != np.arange(table.num_rows)) & (table["part"].to_numpy() >= 0)
    dropped = table.filter(pa.array(lost))
    rows = dropped.num_rows
    return pa.table(
        {
            "part": dropped["part"],
            "row": dropped["row"],
            "reason": pa.array(["duplicate"] * rows, pa.string()),
            "kept_id": table["id"].take(pa.array(first[lost])),
            "similarity": pa.array(np.ones(rows, dtype=np.float32)),
        }
    )


LEVELS = ("file", "repo")


def fuzzy(
    documents: Table,
    *,
    level: str = "file",
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
    against: Index | Sequence[Index] = (),
    index: bool = False,
) -> Table:
    """Drops all but the best of every cluster of near-copies (reason `near_duplicate`).

    Two documents are candidates if one of `bands` bands of `rows` MinHash values is equal; candidates are joined to
    clusters; each cluster keeps its best. `verify` decides how a member is held against the copy that is kept before
    it is dropped: not at all ("none"), by their sketches ("sketch", the ledger has the estimate), or by their exact
    Jaccard similarity ("exact"); members below `at_least` stay. Documents shorter than one shingle of `ngram` words
    are left to `exact`. `by`, `largest` and `most_lost`: see `guard`.

    `level` says what is compared: each "file"; each "repo", whose files stay or go together (see `repos.sketch`).

    `against` is one earlier corpus or several: near copies of what they have go first, the guard does not count them.
    With `index` or `against` the run publishes `OUT/index`, for later runs to be held against what this one keeps.

    From: OpenCoder 2.1.1 (5-grams, 2048 functions, 16 bands of 128 rows, the best copy kept; files). It does not
    verify. Raises: RecipeError for values that cannot be.
    """
    if level not in LEVELS:
        raise RecipeError(f"there is no level {level!r}", remedy=did_you_mean(level, LEVELS))
    sketch = {"ngram": ngram, "unit": unit, "seed": seed}
    measured = {"verify": verify, "level": level, "hashes": bands * rows, "ngram": ngram, "unit": unit}
    check_verify(verify=verify, at_least=at_least)
    earlier = indexes(against)
    banded = {"bands": bands, "rows": rows, **sketch}
    if earlier or index:
        _index.check_level(level, verify if earlier else "none")
        _index.check_index(earlier, banded)
    if level == "repo":
        if verify == "exact":
            raise RecipeError("repositories are compared by their sketches", remedy='give verify="sketch" or "none"')
        sketched = repos.sketch(documents, **banded)
        found = elect(cluster(sketched), stars="repo_stars", commit_time="repo_commit_time")
    else:
        keyed = band_keys(documents, **banded)
        if earlier:
            met = known.fold(known.meet(keyed, against=earlier, bands=bands), hashes=bands * rows, **sketch)
            keyed = known.drop(met, against=earlier, hashes=bands * rows, verify=verify, at_least=at_least)
        found = elect(cluster(keyed))
        if verify != "none":
            found = evidence(found, verify=verify, hashes=bands * rows, **sketch)
    if verify != "none":
        found = compare(found, verify=verify)
    if level == "repo":
        found = repos.spread(found, verify=verify)
    guarded = guard(found, by=by, largest=largest, most_lost=most_lost, verify=verify, at_least=at_least)
    dropped = drop(guarded, at_least=at_least, **measured)
    return known.index(dropped, **banded) if earlier or index else dropped


@step(version=1, reads=("content",), adds={"band_keys": pa.binary()}, check=check_sketch, notes=curve_notes)
def band_keys(documents: pa.RecordBatch, *, bands: int, rows: int, ngram: int, unit: str, seed: int) -> pa.RecordBatch:
    """Sketches each document and digests each band of its sketch to 8 bytes.

    Shape: content in; 8 x `bands` bytes out. Null: a document shorter than one shingle.
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
    connects=True,
    gather=_clusters,
    weight=16 * 64,  # bytes of memory: 16 bands of 8 + 8 bytes, held in four forms
)
def cluster(keys: pa.Table) -> pa.Table:
    """Joins documents that share a band to clusters. Null: a document without a candidate.

    Every member of a bucket is linked to one of it, never to all: a bucket of a million copies is a million edges.
    The numbers of clusters depend on how the input was cut into parts; which documents are together does not.
    """
    where = keys["part"].to_numpy().astype(np.uint64) << np.uint64(32) | keys["row"].to_numpy().astype(np.uint64)
    table = pa.table({"band_key": keys["band_key"], "node": pa.array(where), "part": keys["part"]})
    table, first = group_by_key(table, "band_key", [("node", "ascending")])
    nodes = table["node"].to_numpy()
    linked = first != np.arange(len(first))
    return pa.table({"a": pa.array(nodes[linked]), "b": pa.array(nodes[first[linked]])})


def _in_clusters(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    there = documents["cluster"].is_valid()
    return documents.filter(there), rows[there.to_numpy(zero_copy_only=False)]


@exchange(
    version=1,
    reads=lambda params: ("cluster", "id", params["stars"], params["commit_time"]),
    key="cluster",
    adds={"keeper": pa.string(), "is_keeper": pa.bool_(), "cluster_size": pa.int64()},
    emit=_in_clusters,
)
def elect(keys: pa.Table, *, stars: str = "stars", commit_time: str = "commit_time") -> pa.Table:
    """Names each cluster's best document, for every member of it. Null: a document in no cluster.

    `stars` and `commit_time` name the columns that decide. Memory: the members of one cluster are in one partition,
    about 400 bytes each.
    """
    keys = keys.rename_columns({stars: "stars", commit_time: "commit_time"})
    table, first = group_by_key(keys, "cluster", BEST_FIRST)
    sizes = np.bincount(first, minlength=table.num_rows)[first]
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
    """Which documents are near enough to the elected one of their cluster to be dropped."""
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
    """A batch's files, members that would go and largest cluster, for each value of `by`: a few rows."""
    goes = _goes(documents, verify=verify, at_least=at_least)
    table = pa.table(
        {
            **{name: documents[name] for name in by},
            "lost": goes.cast(pa.int64()),
            "largest": pc.fill_null(documents["cluster_size"], 0),
        }
    )
    counts = table.group_by(list(by)).aggregate([("lost", "sum"), ("lost", "count"), ("largest", "max")])
    counts = counts.rename_columns([*by, "lost", "files", "largest"]).combine_chunks()
    arrays = {name: _flat(counts[name]) for name in counts.schema.names}
    numbers = np.arange(counts.num_rows)
    return pa.record_batch({**arrays, "key": pa.array(numbers.astype(np.uint64))}), numbers * 0


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _judge(found: Iterator[pa.Table], *, by: Sequence[str], largest: int, most_lost: float, **_: Any) -> pa.Table:
    table = pa.concat_tables(found).group_by(list(by))
    table = table.aggregate([("lost", "sum"), ("files", "sum"), ("largest", "max")])
    for row in table.sort_by([(name, "ascending") for name in by]).to_pylist():
        name = ", ".join(row[column] or f"no {column}" for column in by)
        lost, files = row["lost_sum"], row["files_sum"]
        if row["largest_max"] > largest:
            log.warning("dedup.guard: a cluster of %s has %d members", name, row["largest_max"])
        if lost > most_lost * files:
            raise BuildError(
                f"near-duplicates are {lost / files:.0%} of {name} ({lost:,} of {files:,} files)",
                where="dedup.guard",
                remedy=f"look at some, then raise most_lost (now {most_lost:g}) or use more rows in fewer bands",
            )
    return pa.table({"part": pa.array([], pa.int32()), "row": pa.array([], pa.int32())})


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
    """Looks at what would go before anything is dropped.

    Warns of clusters with more than `largest` members. Raises: BuildError if more than `most_lost` of the files of
    one value of `by` (a source, a language of a source) would be dropped.
    Why: elsewhere 98 % of a source were lost to merging before anyone noticed.
    """
    return counts


@step(
    version=1,
    reads=("cluster", "content"),
    adds={"evidence": pa.large_binary()},
    check=check_verify,
)
def evidence(
    documents: pa.RecordBatch, *, verify: str, hashes: int, ngram: int, unit: str, seed: int
) -> pa.RecordBatch:
    """Makes again, of the members of clusters alone, what they are held against each other by.

    Shape: content in; a sketch (`verify="sketch"`, 4 x `hashes` bytes) or the shingles ("exact", 8 bytes each) out.
    Null: a document in no cluster. Why again: of all documents it would take as much room as the documents.
    """
    there = documents["cluster"].is_valid()
    made = evidence_of(
        documents["content"].filter(there), verify=verify, hashes=hashes, ngram=ngram, unit=unit, seed=seed
    )
    places = np.cumsum(there.to_numpy(zero_copy_only=False)) - 1
    return pa.record_batch({"evidence": made.take(pa.array(places, mask=~there.to_numpy(zero_copy_only=False)))})


@exchange(
    version=1,
    reads=("cluster", "is_keeper", "evidence"),
    key="cluster",
    adds={"keeper_similarity": pa.float32()},
    emit=_in_clusters,
    piecewise=True,
    weight=KEY_BYTES,
    check=check_verify,
)
def compare(pieces: Pieces, *, verify: str) -> pa.Table:
    """Holds the members of clusters against the document that was elected: their similarity, where both are known.

    Shape: members of clusters in; one row per member that was compared out. Memory: evidence of elected documents,
    and of one piece, `HELD_BYTES` each; where a partition has more of the former its pieces are read again.
    """
    found = [pa.table({"part": [], "row": [], "keeper_similarity": []}, schema=_COMPARED)]
    for keepers in _held(pieces):
        order = np.argsort(keepers["cluster"].to_numpy(), kind="stable")
        keepers = keepers.take(pa.array(order)).combine_chunks()
        numbers, theirs = keepers["cluster"].to_numpy(), keepers["evidence"].combine_chunks()
        for piece in pieces:
            members = piece.filter(~pc.field("is_keeper")).combine_chunks()
            where = np.searchsorted(numbers, members["cluster"].to_numpy())
            here = where < len(numbers)
            here[here] = numbers[where[here]] == members["cluster"].to_numpy()[here]
            members = members.filter(pa.array(here)).combine_chunks()
            if members.num_rows:
                similarity = held_against(members["evidence"].combine_chunks(), theirs, where[here], verify=verify)
                columns = [members["part"], members["row"], similarity]
                found.append(pa.table(columns, schema=_COMPARED))
    return pa.concat_tables(found)


_COMPARED = pa.schema({"part": pa.int32(), "row": pa.int32(), "keeper_similarity": pa.float32()})


def _held(pieces: Pieces) -> Iterator[pa.Table]:
    """The elected documents of a partition, as many at a time as there is room for."""
    waiting: list[pa.Table] = []
    for piece in pieces:
        waiting.append(piece.filter(pc.field("is_keeper")).combine_chunks())
        if sum(table.nbytes for table in waiting) > HELD_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


@step(
    version=2,
    reads=lambda params: ("keeper", *_judged(params)),
    adds={name: VERDICT[name] for name in ("reason", "kept_id", "similarity")},
    check=check_verify,
)
def drop(
    documents: pa.RecordBatch, *, verify: str, at_least: float, level: str, hashes: int, ngram: int, unit: str
) -> pa.RecordBatch:
    """Drops the members of clusters that are near enough to the document that was elected (see `fuzzy`).

    `level`, `hashes`, `ngram` and `unit` decide nothing here: they tell the readers of the manifest what was measured.
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
