"""Which language each document is in, and which languages stay."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from codemill import languages
from codemill.errors import RecipeError
from codemill.machine.table import step

LANGUAGE = {
    "language": pa.string(),
    "doc_type": pa.string(),
    "is_vendored": pa.bool_(),
    "is_generated": pa.bool_(),
}


@step(version=1, reads=("path", "content"), adds=LANGUAGE)
def language(batch: pa.RecordBatch, *, table: str = languages.fingerprint()) -> pa.RecordBatch:
    """Measures the language of each document; drops nothing.

    `table` identifies what detection knows, so that a changed entry rebuilds what it labelled.
    Raises: RecipeError if it is not what this process knows (another version on another node).

    Shape: reads path and content; adds language, doc_type (null where no strategy knows the file), is_vendored and
    is_generated.
    """
    if table != languages.fingerprint():
        raise RecipeError(f"the language table here is {languages.fingerprint()}, the recipe's is {table}")
    return languages.detect(batch["path"], batch["content"]).drop_columns(["strategy"])


def _check(*, kept: Sequence[str] | None) -> None:
    for name in kept or ():
        languages.get(name)


@step(
    version=1,
    reads=("language",),
    adds={"reason": pa.string(), "value": pa.string()},
    check=_check,
    drops={
        "unknown_language": "in a language that was not recognised",
        "language_not_kept": "in a language that the recipe does not keep",
    },
)
def keep(batch: pa.RecordBatch, *, kept: Sequence[str] | None = None) -> pa.RecordBatch:
    """Keeps the documents whose language is in `kept`, or with None all whose language is known.

    Shape: reads language; adds reason and value. The reasons: `unknown_language` (no strategy knows the file) and
    `language_not_kept`, with the language as the value.
    Raises: RecipeError if `kept` names an unknown language.
    """
    found = batch["language"].cast(pa.string())
    unknown = pc.is_null(found)
    wanted = pc.is_in(found, pa.array(list(kept), pa.string())) if kept is not None else pc.is_valid(found)
    other = pc.and_not(pc.is_valid(found), wanted)
    reason = pc.if_else(
        unknown, "unknown_language", pc.if_else(other, "language_not_kept", pa.scalar(None, pa.string()))
    )
    value = pc.if_else(other, found, pa.scalar(None, pa.string()))
    return pa.record_batch({"reason": reason.cast(pa.string()), "value": value})
