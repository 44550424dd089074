"""Detects the language of each document, and keeps the languages that a recipe wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codemill import languages
from codemill.machine.table import Table, step

LANGUAGE = {
    "language": pa.string(),
    "doc_type": pa.string(),
    "is_vendored": pa.bool_(),
    "is_generated": pa.bool_(),
}


@step(version=1, reads=("path", "content"), adds=LANGUAGE, knows=languages.fingerprint)
def language(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Detects the language of each document; drops nothing.

    Shape: reads path and content; adds language and doc_type (null if no strategy recognises the file), is_vendored and
    is_generated.
    """
    return languages.detect(batch["path"], batch["content"]).drop_columns(["strategy"])


def _by_key(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    """Languages by their keys, however they were named. Raises: RecipeError for an unknown one."""
    kept = params["kept"]
    return {"kept": None if kept is None else tuple(dict.fromkeys(languages.get(name).name for name in kept))}


@step(
    version=1,
    reads=("language",),
    adds={"reason": pa.string(), "value": pa.string()},
    resolve=_by_key,
    drops={
        "unknown_language": "in a language that was not recognised",
        "language_not_kept": "in a language that the recipe does not keep",
    },
)
def keep(batch: pa.RecordBatch, *, kept: Sequence[str] | None = None) -> pa.RecordBatch:
    """Keeps the documents in the languages of `kept`; with None, those in any known language.

    Shape: reads language; adds reason and value. The reasons: `unknown_language` (no strategy recognises the file) and
    `language_not_kept`, with the language as the value.
    Raises: RecipeError if `kept` names an unknown language.
    """
    language = batch["language"].cast(pa.string())
    unknown = pc.is_null(language)
    wanted = pc.is_in(language, pa.array(list(kept), pa.string())) if kept is not None else pc.is_valid(language)
    other = pc.and_not(pc.is_valid(language), wanted)
    reason = pc.if_else(
        unknown, "unknown_language", pc.if_else(other, "language_not_kept", pa.scalar(None, pa.string()))
    )
    value = pc.if_else(other, language, pa.scalar(None, pa.string()))
    return pa.record_batch({"reason": reason.cast(pa.string()), "value": value})
