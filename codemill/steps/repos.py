"""Near-deduplication of repositories: sketches all files together, and gives every file the verdict of its repository.

A repository is all files with one `source`, `repo` and `revision`. Two snapshots of it are two units; if they are
near-copies, the better one stays. The first document by path represents the repository from `sketch` to `spread`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core
from codemill.columns import one
from codemill.document import TIME
from codemill.machine.keys import Pieces
from codemill.machine.table import exchange
from codemill.steps._evidence import HELD_BYTES, check_sketch, curve_notes
from codemill.steps._index import sketch_version

Rows = npt.NDArray[np.int64]

UNIT = ("source", "repo", "revision")
_NOTHING = np.uint32(0xFFFFFFFF)  # each value of a sketch without shingles: neutral when minima are taken


def units(documents: pa.RecordBatch) -> pa.Array:
    """16 bytes that identify a document's repository, as document ids identify documents."""
    source, repo, revision = (documents[name] for name in UNIT)
    ids = _core.document_ids(source, repo, pa.nulls(len(repo), pa.string()), revision).dictionary_encode()
    keys = [bytes.fromhex(text) for text in ids.dictionary.to_pylist()]
    return pa.array(keys, pa.binary(16)).take(ids.indices)


def _emit(
    documents: pa.RecordBatch, numbers: Rows, *, bands: int, rows: int, ngram: int, unit: str, seed: int
) -> tuple[pa.RecordBatch, Rows]:
    """One row for each repository of a batch, at the place of the document that represents it."""
    hashes = bands * rows
    sketches = _core.sketch(documents["content"], hashes=hashes, ngram=ngram, unit=unit, seed=seed)
    table = pa.table(
        {
            "unit": units(documents),
            "path": documents["path"],
            "stars": documents["stars"],
            "commit_time": documents["commit_time"],
            "row": pa.array(numbers),
            "sketch": _filled(sketches),
        }
    )
    table = _together(table, hashes)
    places = table["row"].to_numpy()
    table = table.drop_columns(["row"]).combine_chunks()
    return pa.RecordBatch.from_arrays([one(column) for column in table.columns], names=table.schema.names), places


def _filled(sketches: pa.FixedSizeBinaryArray) -> pa.Array:
    """Replaces null sketches by the sketch without shingles."""
    width = sketches.type.byte_width
    return pc.fill_null(sketches, pa.scalar(b"\xff" * width, sketches.type))


def _together(table: pa.Table, hashes: int) -> pa.Table:
    """Merges the rows of a unit: the first by path, with the most stars, the latest time, and the minima of all."""
    places = [(name, "ascending") for name in ("unit", "path", "part", "row") if name in table.schema.names]
    table = table.take(pc.sort_indices(table, sort_keys=places)).combine_chunks()
    if not table.num_rows:
        return table
    units = one(table["unit"])
    new = np.ones(len(units), dtype=bool)
    new[1:] = pc.not_equal(units[1:], units[:-1]).to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(new)
    best = table.select(["unit", "stars", "commit_time"]).group_by("unit", use_threads=False)
    # Arrow numbers groups as it likes: sorted, they are in the order of the starts.
    best = best.aggregate([("stars", "max"), ("commit_time", "max")]).sort_by("unit")
    minima = np.minimum.reduceat(_numbers(one(table["sketch"]), hashes), starts, axis=0)
    sketches = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(4 * hashes), len(starts), [None, pa.py_buffer(minima.tobytes())]
    )
    columns = dict(zip(table.schema.names, table.take(pa.array(starts)).columns, strict=True))
    columns |= {"stars": best["stars_max"], "commit_time": best["commit_time_max"], "sketch": sketches}
    return pa.table(columns)


def _numbers(sketches: pa.FixedSizeBinaryArray, hashes: int) -> npt.NDArray[np.uint32]:
    flat = np.frombuffer(sketches.buffers()[1], dtype="<u4")
    return flat[sketches.offset * hashes : (sketches.offset + len(sketches)) * hashes].reshape(-1, hashes)


@exchange(
    version=2,
    reads=(*UNIT, "path", "stars", "commit_time", "content"),
    key="unit",
    adds={
        "band_keys": pa.binary(),
        "evidence": pa.large_binary(),
        "repo_stars": pa.int64(),
        "repo_commit_time": TIME,
    },
    emit=_emit,
    piecewise=True,
    bytes_per_key=1024,  # a file's part in the sketch of its repository, of 8 KiB for eight files
    check=check_sketch,
    notes=curve_notes,
    knows=sketch_version,
)
def sketch(pieces: Pieces, *, bands: int, rows: int, ngram: int, unit: str, seed: int) -> pa.Table:
    """Sketches each repository. Its sketch is the minimum of the sketches of its files, value by value.

    Shape: files in; for the document that represents a repository the digests of the bands (8 x `bands` bytes), the
    sketch (`evidence`, 4 x `bands` x `rows` bytes), the most stars and the latest commit of its files out.
    Null: other documents; a repository whose files are all shorter than a shingle has no sketch.
    Memory: a sketch for each repository of a partition, twice. Why not join the files in the order of paths: that
    would add `ngram` - 1 shingles at each border, which depend on the names of files and not on their content.
    From: Broder 1997 (the sketch of a union is the minimum of the sketches).
    """
    hashes = bands * rows
    table = _folded(pieces, hashes)
    sketches = one(table["sketch"])
    empty = (_numbers(sketches, hashes) == _NOTHING).all(axis=1) if len(sketches) else np.zeros(0, dtype=bool)
    sketches = sketches.take(pa.array(np.arange(len(sketches)), mask=empty))
    digests = _core.band_digests(sketches, bands=bands, rows=rows, seed=seed)
    return pa.table(
        {
            "part": table["part"],
            "row": table["row"],
            "band_keys": digests.cast(pa.binary()),
            "evidence": sketches.cast(pa.large_binary()),
            "repo_stars": table["stars"],
            "repo_commit_time": table["commit_time"],
        }
    )


def _folded(pieces: Pieces, hashes: int) -> pa.Table:
    """Folds all pieces into one row per unit. Folds whenever as many bytes are waiting as were folded, so that a
    piece is copied a few times and not once for every later piece."""
    folded: pa.Table | None = None
    waiting: list[pa.Table] = []
    held = 0
    for piece in pieces:
        waiting.append(piece)
        held += piece.nbytes
        if held > max(HELD_BYTES, folded.nbytes if folded is not None else 0):
            folded = _together(pa.concat_tables([*([folded] if folded else []), *waiting]), hashes)
            waiting, held = [], 0
    return _together(pa.concat_tables([*([folded] if folded else []), *waiting]), hashes)


def _with_unit(documents: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    names = [n for n in documents.schema.names if n not in UNIT]
    return documents.select(names).append_column("unit", units(documents)), rows


_SPREAD = {"keeper": pa.string(), "is_keeper": pa.bool_(), "keeper_similarity": pa.float32()}


@exchange(
    version=1,
    reads=lambda params: (
        *UNIT,
        "keeper",
        "is_keeper",
        *(("keeper_similarity",) if params["verify"] != "none" else ()),
    ),
    key="unit",
    adds=_SPREAD,
    emit=_with_unit,
)
def spread(keys: pa.Table, *, verify: str) -> pa.Table:
    """Gives all files of a repository the result of the document that represents it.

    Shape: files in; one row for each file of a repository that is in a cluster out.
    """
    columns = ["unit", *(name for name in _SPREAD if name in keys.schema.names)]
    results = keys.filter(keys["is_keeper"].is_valid()).select(columns)
    where = pc.index_in(one(keys["unit"]), value_set=one(results["unit"]))
    files = pa.table({"part": keys["part"], "row": keys["row"], "at": where}).drop_null()
    verdicts = results.drop_columns(["unit"]).take(files["at"])
    table = pa.table([files["part"], files["row"], *verdicts.columns], names=["part", "row", *verdicts.schema.names])
    if verify == "none":
        table = table.append_column("keeper_similarity", pa.nulls(table.num_rows, pa.float32()))
    return table
