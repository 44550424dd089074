"""Turns raw files into documents: hashes, decodes and identifies them. The first step of every recipe.

    files   raw files → rows of documents                                        begins a table
    twins   rows equal in repository, path and content → an ordinal in their ids exchange of narrow keys

Every file that a source lists becomes a row. A file that cannot be used (unreadable, too large, binary, empty, in no
known encoding) is a row too, with a reason and without content.

A document's **id** is a hash of its repository, its path and its content (of a file that was not read: its size and
why). So it outlives commits that do not touch the file, and does not depend on the order or the place of inputs.
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
from codemill.document import COMMON_LEDGER, DOCUMENT, VERDICT
from codemill.errors import RecipeError
from codemill.machine.keys import group_by_key
from codemill.machine.kinds import Published
from codemill.machine.table import Table, exchange, opened, source
from codemill.sources import REASONS, Metadata, Source
from codemill.sources import Published as Earlier

Rows = npt.NDArray[np.int64]

DETECTED = ("language", "doc_type", "is_vendored", "is_generated")
BASE = {f.name: f.type for f in DOCUMENT if f.name not in DETECTED}


def check_labels(*, sources: Sequence[Source]) -> None:
    """Raises: RecipeError if two sources have one label."""
    labels = [source.label for source in sources]
    for label in labels:
        if labels.count(label) > 1:
            # The ledger tells two files of one repository and path apart by nothing else.
            raise RecipeError(
                f"{labels.count(label)} sources have the label {label!r}", remedy="give each its own label="
            )


DOCUMENTS = Published(
    DOCUMENT, COMMON_LEDGER, tuple(name for name in VERDICT if name != "reason"), required=("content",)
)
"""The columns of a published table of documents."""


def documents(*, sources: Sequence[Source], metadata: Metadata | None = None) -> Table:
    """Documents from sources: every file that is found is a row. See `files` and `twins`.

    Raises: RecipeError if two sources have one label.
    """
    return twins(files(sources=sources, metadata=metadata))


def _matched(repositories: Sequence[str], *, metadata: Metadata | None, **_: Any) -> list[str]:
    """How many of the repositories that were listed the metadata knows: none is nearly always a mistake."""
    return [str(metadata.matched(repositories))] if repositories and metadata is not None else []


@source(
    version=3,
    adds={**BASE, "reason": pa.string(), "value": pa.string()},
    published=DOCUMENTS,
    check=lambda sources, metadata: check_labels(sources=sources),
    listed=_matched,
    drops={
        **REASONS,
        "empty": "nothing in it",
        "binary": "not text",
        "undecodable": "in no encoding that decodes cleanly",
    },
)
def files(
    raw: pa.RecordBatch, source: Source, *, sources: Sequence[Source], metadata: Metadata | None = None
) -> pa.RecordBatch:
    """Decodes raw files and makes rows of documents of them.

    Shape: `document.RAW` rows in; as many rows out, `document.DOCUMENT` without the columns of detection. `metadata`
    fills stars, licences and commit times by repository name where the source has none.
    From: OpenCoder 2.1.1, preprocessing.
    """
    facts = {name: raw[name] for name in ("stars", "commit_time", "license", "meta")}
    if metadata is not None:
        facts = metadata.fill(raw["repo"], facts)
    decoded = _core.decode(raw["raw"])
    reason = pc.coalesce(raw["reason"], decoded["reason"])
    columns = {
        "id": ids(raw["repo"], raw["path"], decoded["content_sha256"], raw["size"], reason),
        "source": pa.array([source.label]).take(pa.nulls(raw.num_rows, pa.int64()).fill_null(0)),
        "repo": raw["repo"],
        "path": raw["path"],
        "revision": raw["revision"],
        **facts,
        "size": raw["size"],
        "content_sha256": decoded["content_sha256"],
        "content": decoded["content"],
        "encoding": decoded["encoding"],
        "encoding_confidence": decoded["encoding_confidence"],
        "reason": reason,
        "value": pc.coalesce(raw["detail"], decoded["detail"]),
    }
    # Text that was UTF-8 already can be read from a Parquet input as it is.
    columns["content_in_place"] = pc.fill_null(pc.equal(decoded["encoding"], "utf-8"), True)
    return pa.record_batch(columns)


def ids(repo: pa.Array, path: pa.Array, sha256: pa.Array, size: pa.Array, reason: pa.Array) -> pa.Array:
    """32 hex digits for each file: of its repository, its path and the SHA-256 of its content.

    What was not read has no content to hash: its size and the reason stand in. Two rows have one id only if they are
    equal in all three, which `twins` looks after.
    """
    unread = pc.binary_join_element_wise(size.cast(pa.string()), reason, " ")
    return _core.document_ids(repo, path, pc.coalesce(hexed(sha256), unread), pa.nulls(len(repo), pa.string()))


def _by_id(files: pa.RecordBatch, rows: Rows) -> tuple[pa.RecordBatch, Rows]:
    keys = {"same": unhexed(files["id"], 16), "revision": files["revision"], "source": files["source"]}
    return pa.record_batch(keys), rows


@exchange(
    version=1,
    reads=("id", "revision", "source"),
    key="same",
    adds={"id": pa.string()},
    edits=("id",),
    emit=_by_id,
    dropped_too=True,
)
def twins(keys: pa.Table) -> pa.Table:
    """Numbers rows that are equal in repository, path and content, so that no two rows have one id.

    Such rows come where one repository is given by two inputs or in two revisions, an archive has a member twice, or a
    table has a row twice. They are numbered by revision, then source, then place: the first keeps the id that it has
    alone, and each other gets the hash of that and its number. Which ids there are depends on nothing but how many
    twins there are.

    Shape: a row for every file in, dropped or not; the new ids of second, third … twins out.
    """
    order = [(name, "ascending") for name in ("revision", "source", "part", "row")]
    table, first = group_by_key(keys, "same", order)
    number = np.arange(table.num_rows) - first
    later = number > 0
    named = table.filter(pa.array(later))
    none = pa.nulls(named.num_rows, pa.string())
    numbers = pa.array(number[later].astype(str).tolist(), pa.string())
    return pa.table(
        {
            "part": named["part"],
            "row": named["row"],
            "id": _core.document_ids(hexed(one(named["same"])), numbers, none, none),
        }
    )


@opened(version=1, adds=lambda params: params["source"].columns())
def published(*, source: Earlier) -> pa.RecordBatch:
    """The output of an earlier run (`sources.Published`), read in place: nothing is copied."""
    raise NotImplementedError("the files of an earlier run are read in place")
