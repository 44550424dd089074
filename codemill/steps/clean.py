"""Cleans documents before they are judged: turns notebooks into text, removes notices, and replaces personal data and
secrets by placeholders.

A step that changes content writes only what it changed; null means "unchanged".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core, cleaning, languages
from codemill.cleaning import notebooks as nb
from codemill.document import KINDS, REDACTED, SHA256, VERDICT
from codemill.errors import InputError, RecipeError, did_you_mean
from codemill.machine.table import step

NOTEBOOK = "jupyter notebook"


def _check_notebooks(*, form: str, output_chars: int) -> None:
    if form not in nb.FORMS:
        raise RecipeError(f"there is no form of notebooks {form!r}", remedy=did_you_mean(form, nb.FORMS))
    if output_chars < 0:
        raise RecipeError(f"output_chars is a number of characters, got {output_chars}")


@step(
    version=2,
    reads=("content", "language"),
    adds={"content": pa.large_string(), "reason": pa.string(), "value": pa.string()},
    edits=("content",),
    check=_check_notebooks,
    knows=languages.fingerprint,
    drops={"broken_notebook": "a notebook that cannot be read"},
)
def notebooks(documents: pa.RecordBatch, *, form: str = "structured", output_chars: int = 1000) -> pa.RecordBatch:
    """Turns Jupyter notebooks into text (see `codemill.cleaning.notebooks.convert`); others stay as they are.

    Drops a document that cannot be read as a notebook (reason `broken_notebook`; the value says why).
    Shape: reads content and language; adds content, null where nothing changed, reason and value.
    From: OpenCoder appendix C.3.
    """
    content: list[str | None] = [None] * documents.num_rows
    why: list[str | None] = [None] * documents.num_rows
    for row, language in enumerate(documents["language"].to_pylist()):
        if language != NOTEBOOK:
            continue
        try:
            content[row] = nb.convert(documents["content"][row].as_py(), form=form, output_chars=output_chars)
        except InputError as error:
            why[row] = error.what
    return pa.record_batch(
        {
            "content": pa.array(content, pa.large_string()),
            "reason": pa.array(["broken_notebook" if text else None for text in why], pa.string()),
            "value": pa.array(why, pa.string()),
        }
    )


@step(
    version=5,
    reads=("content", "language"),
    edits=("content",),
    adds={"content": pa.large_string(), "header_chars_removed": pa.uint32()},
    ledger=("header_chars_removed",),
    knows=languages.fingerprint,
)
def headers(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Removes the copyright and licence notices before the first code of each document (see docs/headers.md).

    Shape: reads content and language; adds content, null where nothing was removed, and header_chars_removed.
    Unit: code points.
    Null: header_chars_removed where the language is unknown or the document could not be read through.
    From: OpenCoder, section 2.1.1: over 15 % of code files begin with a notice.
    """
    stripped = _core.strip_headers(documents["content"], documents["language"], languages.syntaxes())
    return pa.record_batch(
        {"content": stripped.field("content"), "header_chars_removed": stripped.field("chars_removed")}
    )


def _check_redact(*, patterns: Sequence[Mapping[str, Any]]) -> None:
    cleaning.check_patterns(patterns)


@step(
    version=1,
    reads=("language", "content"),
    adds={
        "content": pa.large_string(),
        "clean_sha256": SHA256,
        "redacted": REDACTED,
        "reason": VERDICT["reason"],
    },
    edits=("content",),
    check=_check_redact,
    ledger=("redacted",),
    knows=cleaning.fingerprint,
)
def redact(
    documents: pa.RecordBatch,
    *,
    patterns: Sequence[Mapping[str, Any]] = (),
) -> pa.RecordBatch:
    """Replaces personal data and secrets by placeholders.

    `patterns` are custom ones, besides the rules and the table of key formats: see `cleaning.redact`.

    Shape: adds the new content, null where nothing was replaced; `clean_sha256`, the SHA-256 of the new content in
    UTF-8, which is equal for documents that differ only in what was replaced; and `redacted`, the number of
    placeholders of each kind, which the ledger publishes. A text on which the native code fails is dropped as
    `crashed`: it must not pass uncleaned.
    Raises: RecipeError naming a pattern that does not compile.
    From: OpenCoder 2.1.1, transformation (its expressions are not published).
    """
    content = documents["content"]
    done = pa.RecordBatch.from_struct_array(cleaning.redact_array(content, documents["language"], patterns))
    crashed = pc.and_(content.is_valid(), done["content"].is_null())
    counts = pa.StructArray.from_arrays([done[kind] for kind in KINDS], fields=list(REDACTED))
    return pa.record_batch(
        {
            "content": pc.if_else(
                pc.equal(done["content"], content), pa.scalar(None, pa.large_string()), done["content"]
            ),
            "clean_sha256": _core.sha256(done["content"]).cast(SHA256),
            "redacted": counts,
            "reason": pc.if_else(crashed, pa.scalar("crashed"), pa.scalar(None, pa.string())),
        }
    )
