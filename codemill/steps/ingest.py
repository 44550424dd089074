"""Raw files become Documents: identified, hashed, decoded. The first step of every recipe.

Every file a source finds becomes a row. What cannot be used (unreadable, too large, binary, empty, in no known
encoding) is a row too, with a reason and without content.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core
from codemill.document import DOCUMENT
from codemill.errors import RecipeError
from codemill.table import step

if TYPE_CHECKING:
    from codemill.sources import Metadata, Source

FOUND_BY_DETECT = ("language", "doc_type", "is_vendored", "is_generated")
BASE = {f.name: f.type for f in DOCUMENT if f.name not in FOUND_BY_DETECT}


def _check(*, sources: Sequence[Source], metadata: Metadata | None) -> None:
    labels = [source.label for source in sources]
    for label in labels:
        if labels.count(label) > 1:
            # The label is part of a document's id: two files of one repo and path would be taken for one document.
            raise RecipeError(
                f"{labels.count(label)} sources have the label {label!r}", remedy="give each its own label="
            )


@step(version=2, kind="ingest", adds={**BASE, "reason": pa.string(), "value": pa.string()}, check=_check)
def documents(
    raw: pa.RecordBatch, source: Source, *, sources: Sequence[Source], metadata: Metadata | None = None
) -> pa.RecordBatch:
    """Turns a batch of raw files of one source into Documents.

    Shape: `document.RAW` rows in; as many rows out, `document.DOCUMENT` without what detection finds. `metadata`
    fills stars, licences and commit times by repository name where the source does not know them.
    From: OpenCoder 2.1.1, preprocessing.
    """
    known = {name: raw[name] for name in ("stars", "commit_time", "license", "meta")}
    if metadata is not None:
        known = metadata.fill(raw["repo"], known)
    decoded = _core.decode(raw["raw"])
    label = pa.array([source.label]).take(pa.nulls(raw.num_rows, pa.int64()).fill_null(0))
    reason = pc.coalesce(raw["reason"], decoded["reason"])
    columns = {
        "id": _core.document_ids(label, raw["repo"], raw["path"], raw["revision"]),
        "source": label,
        "repo": raw["repo"],
        "path": raw["path"],
        "revision": raw["revision"],
        **known,
        "size": raw["size"],
        "content_sha256": decoded["content_sha256"],
        "content": decoded["content"],
        "encoding": decoded["encoding"],
        "encoding_confidence": decoded["encoding_confidence"],
        "reason": reason,
        "value": pc.coalesce(raw["detail"], decoded["detail"]),
    }
    return pa.record_batch({name: columns[name] for name in (*BASE, "reason", "value")})
