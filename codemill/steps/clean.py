"""Changes documents: notebooks become text.

A step that changes content writes only what it changed; null means "as it was".
"""

from __future__ import annotations

import pyarrow as pa

from codemill import notebooks as nb
from codemill.errors import InputError, RecipeError, did_you_mean
from codemill.table import step

NOTEBOOK = "jupyter notebook"


def _check_notebooks(*, form: str, output_chars: int) -> None:
    if form not in nb.FORMS:
        raise RecipeError(f"there is no form of notebooks {form!r}", remedy=did_you_mean(form, nb.FORMS))
    if output_chars < 0:
        raise RecipeError(f"output_chars is a number of characters, got {output_chars}")


@step(
    version=1,
    reads=("content", "language"),
    adds={"content": pa.large_string(), "reason": pa.string(), "value": pa.string()},
    edits=("content",),
    check=_check_notebooks,
)
def notebooks(documents: pa.RecordBatch, *, form: str = "structured", output_chars: int = 1000) -> pa.RecordBatch:
    """Turns Jupyter notebooks into text (see `codemill.notebooks.convert`); other documents stay as they are.

    Drops what is no notebook (reason `broken_notebook`, the value says why).
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
