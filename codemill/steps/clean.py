"""Mends documents before they are judged: notebooks become text, personal data and secrets become placeholders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core, cleaning
from codemill.document import SHA256
from codemill.errors import RecipeError, did_you_mean
from codemill.table import VERDICT, step

FORMS = ("structured", "script")


def _check_notebooks(*, form: str, output_chars: int) -> None:
    if form not in FORMS:
        raise RecipeError(f"there is no form {form!r}", remedy=did_you_mean(form, FORMS))
    if not isinstance(output_chars, int) or output_chars < 0:
        raise RecipeError(f"output_chars: expected a number of characters, at least 0, got {output_chars!r}")


@step(
    version=1,
    reads=("path", "content"),
    adds={"content": pa.large_string(), "reason": VERDICT["reason"], "value": VERDICT["value"]},
    check=_check_notebooks,
)
def notebooks(documents: pa.RecordBatch, *, form: str = "structured", output_chars: int = 1000) -> pa.RecordBatch:
    """Turns Jupyter notebooks (`.ipynb`) into text in reading order; other documents pass as they are.

    "structured": `<jupyter_start>`, then `<jupyter_text>`, `<jupyter_code>` and `<jupyter_output>` before each part.
    "script": a program, markdown as comments, magics commented out, no output. Of a cell's outputs the text is kept,
    the first `output_chars` characters of it; images, HTML, attachments and tracebacks are left out.

    Dropped: what is no notebook (reason `malformed`, value where it breaks) and what has no text in it (`empty`).
    From: OpenCoder, appendix C.3; the markers are those of StarCoder's structured notebooks. The paper names neither
    a budget for outputs nor the markers.
    """
    content = documents["content"]
    are = pc.fill_null(pc.match_substring_regex(documents["path"].cast(pa.string()), r"(?i)\.ipynb$"), False)
    rows = pa.array(pc.indices_nonzero(are))
    found = pa.RecordBatch.from_struct_array(_core.notebooks(content.take(rows), form=form, output_chars=output_chars))
    columns = {
        "content": pc.replace_with_mask(content, are, found["content"]),
        "reason": pc.replace_with_mask(pa.nulls(len(content), pa.string()), are, found["reason"]),
        "value": pc.replace_with_mask(pa.nulls(len(content), pa.string()), are, found["value"]),
    }
    return pa.record_batch(columns)


def _check_redact(*, patterns: Sequence[Mapping[str, Any]], table: str) -> None:
    cleaning.check_patterns(patterns)


@step(
    version=1,
    reads=("language", "content"),
    adds={
        "content": pa.large_string(),
        "clean_sha256": SHA256,
        "redacted": cleaning.COUNTS,
        "reason": VERDICT["reason"],
    },
    check=_check_redact,
)
def redact(
    documents: pa.RecordBatch,
    *,
    patterns: Sequence[Mapping[str, Any]] = (),
    table: str = cleaning.fingerprint(),
) -> pa.RecordBatch:
    """Puts placeholders in the place of personal data and secrets.

    `patterns` are a recipe's own, besides the rules and the table of key formats: see `cleaning.redact`. `table`
    identifies the rules and the formats, so that a changed one rebuilds what it cleaned.

    Shape: adds the new content, `clean_sha256`, the SHA-256 of its UTF-8 (documents that differed only in what was
    replaced are equal in it), and `redacted`, how many placeholders of each kind there are. A text that the native
    code fails on is dropped as `crashed`: it must not pass uncleaned.
    Raises: RecipeError naming a pattern that does not compile; if `table` is not what this process knows.
    From: OpenCoder 2.1.1, transformation (its expressions are not published).
    """
    if table != cleaning.fingerprint():
        raise RecipeError(f"the rules of redaction here are {cleaning.fingerprint()}, the recipe's are {table}")
    content = documents["content"]
    done = pa.RecordBatch.from_struct_array(cleaning.redact_array(content, documents["language"], patterns))
    crashed = pc.and_(content.is_valid(), done["content"].is_null())
    counts = pa.StructArray.from_arrays([done[kind] for kind in cleaning.KINDS], fields=list(cleaning.COUNTS))
    return pa.record_batch(
        {
            "content": done["content"],
            "clean_sha256": _core.sha256(done["content"]).cast(SHA256),
            "redacted": counts,
            "reason": pc.if_else(crashed, pa.scalar("crashed"), pa.scalar(None, pa.string())),
        }
    )
