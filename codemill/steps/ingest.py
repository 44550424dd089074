"""Turns raw files into documents: identifies, hashes and decodes them. The first step of every recipe.

Every file that a source lists becomes a row. A file that cannot be used (unreadable, too large, binary, empty, in no
known encoding) is a row too, with a reason and without content.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core
from codemill.document import COMMON_LEDGER, DOCUMENT, VERDICT
from codemill.errors import RecipeError
from codemill.machine.kinds import Published
from codemill.machine.table import opened, source
from codemill.sources import REASONS, Metadata, Source
from codemill.sources import Published as Earlier

DETECTED = ("language", "doc_type", "is_vendored", "is_generated")
BASE = {f.name: f.type for f in DOCUMENT if f.name not in DETECTED}


def _check(*, sources: Sequence[Source], metadata: Metadata | None) -> None:
    labels = [source.label for source in sources]
    for label in labels:
        if labels.count(label) > 1:
            # The label is part of a document's id: two files of one repo and path would be taken for one document.
            raise RecipeError(
                f"{labels.count(label)} sources have the label {label!r}", remedy="give each its own label="
            )


DOCUMENTS = Published(
    DOCUMENT, COMMON_LEDGER, tuple(name for name in VERDICT if name != "reason"), required=("content",)
)
"""The columns of a published table of documents."""


@source(
    version=2,
    adds={**BASE, "reason": pa.string(), "value": pa.string()},
    published=DOCUMENTS,
    check=_check,
    drops={
        **REASONS,
        "empty": "nothing in it",
        "binary": "not text",
        "undecodable": "in no encoding that decodes cleanly",
    },
)
def documents(
    raw: pa.RecordBatch, source: Source, *, sources: Sequence[Source], metadata: Metadata | None = None
) -> pa.RecordBatch:
    """Decodes raw files and makes Documents of them.

    Shape: `document.RAW` rows in; as many rows out, `document.DOCUMENT` without the columns of detection. `metadata`
    fills stars, licences and commit times by repository name where the source has none.
    From: OpenCoder 2.1.1, preprocessing.
    """
    facts = {name: raw[name] for name in ("stars", "commit_time", "license", "meta")}
    if metadata is not None:
        facts = metadata.fill(raw["repo"], facts)
    decoded = _core.decode(raw["raw"])
    label = pa.array([source.label]).take(pa.nulls(raw.num_rows, pa.int64()).fill_null(0))
    reason = pc.coalesce(raw["reason"], decoded["reason"])
    columns = {
        "id": _core.document_ids(label, raw["repo"], raw["path"], raw["revision"]),
        "source": label,
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


@opened(version=1, adds=lambda params: params["source"].columns())
def published(*, source: Earlier) -> pa.RecordBatch:
    """The output of an earlier run (`sources.Published`), read in place: nothing is copied."""
    raise NotImplementedError("the files of an earlier run are read in place")
