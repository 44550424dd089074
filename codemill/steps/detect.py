"""Which language each document is in, and which languages stay."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from codemill import languages


def language(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Measures the language of each document; drops nothing.

    Shape: reads path and content; adds language, doc_type (null where no strategy knows the file), is_vendored and
    is_generated.
    """
    return languages.detect(batch["path"], batch["content"]).drop_columns(["strategy"])


def keep(batch: pa.RecordBatch, *, kept: Sequence[str]) -> pa.RecordBatch:
    """Keeps the documents whose language is in `kept`.

    Shape: reads language; adds reason and value. The reasons: `unknown_language` (no strategy knows the file) and
    `language_not_kept`, with the language as the value.
    Raises: RecipeError if `kept` names an unknown language.
    """
    for name in kept:
        languages.get(name)
    found = batch["language"].cast(pa.string())
    unknown = pc.is_null(found)
    other = pc.and_not(pc.is_valid(found), pc.is_in(found, pa.array(list(kept), pa.string())))
    reason = pc.if_else(
        unknown, "unknown_language", pc.if_else(other, "language_not_kept", pa.scalar(None, pa.string()))
    )
    value = pc.if_else(other, found, pa.scalar(None, pa.string()))
    return pa.record_batch({"reason": reason.cast(pa.string()), "value": value})
