"""Chooses rows by one thing that is said of them.

kinds      documents of a kind: code, text, web …
share      a share of them, by a draw of their content
draw       so many of them, by the same
at_least   a number that an earlier step adds
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.chance import draws
from codemill.errors import RecipeError
from codemill.machine.table import exchange, step

Rows = npt.NDArray[np.int64]
NONE = pa.scalar(None, pa.string())


@step(
    version=1,
    reads=("doc_type",),
    adds={"reason": pa.string(), "value": pa.string()},
    drops={"other_kind": "not of the kind that is asked about"},
)
def kinds(documents: pa.RecordBatch, *, of: Sequence[str]) -> pa.RecordBatch:
    """Keeps documents whose doc_type is one of `of`."""
    gone = pc.invert(pc.fill_null(pc.is_in(documents["doc_type"], pa.array(list(of), pa.string())), False))
    value = pc.if_else(gone, documents["doc_type"], NONE)
    return pa.record_batch({"reason": pc.if_else(gone, "other_kind", NONE), "value": value})


def _check_share(*, of: float, seed: int) -> None:
    if not 0 <= of <= 1:
        raise RecipeError(f"a share is between 0 and 1, got {of!r}")


@step(
    version=1,
    reads=("content_sha256",),
    adds={"reason": pa.string()},
    check=_check_share,
    drops={"not_sampled": "left out by the sample"},
)
def share(documents: pa.RecordBatch, *, of: float = 1.0, seed: int = 0) -> pa.RecordBatch:
    """Keeps about a share of the documents, each by a draw of its content: a larger share holds a smaller one."""
    gone = draws(documents["content_sha256"], seed=seed, purpose="choose.share") >= of
    return pa.record_batch({"reason": pc.if_else(pa.array(gone), "not_sampled", NONE)})


def _check_most(*, most: int, seed: int) -> None:
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise RecipeError(f"most is a number of documents, got {most!r}", remedy="0 keeps them all")


def _by_content(documents: pa.RecordBatch, rows: Rows, *, seed: int, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    drawn = draws(documents["content_sha256"], seed=seed, purpose="choose.draw")
    return pa.record_batch({"content_sha256": documents["content_sha256"], "draw": drawn}), rows


def _beyond(found: Sequence[pa.Table], *, most: int, seed: int) -> pa.Table:
    keys = pa.concat_tables(found)
    order = [(name, "ascending") for name in ("draw", "content_sha256", "part", "row")]
    gone = keys.sort_by(order).slice(most if most else keys.num_rows)
    reasons = pa.array(["over_sample"] * gone.num_rows, pa.string())
    values = pa.array([str(most)] * gone.num_rows, pa.string())
    return pa.table({"part": gone["part"], "row": gone["row"], "reason": reasons, "value": values})


@exchange(
    version=1,
    reads=("content_sha256",),
    key="content_sha256",
    adds={"reason": pa.string(), "value": pa.string()},
    emit=_by_content,
    gather=_beyond,
    bytes_per_key=200,
    check=_check_most,
    drops={"over_sample": "left out by the sample"},
)
def draw(keys: pa.Table, *, most: int = 0, seed: int = 0) -> pa.Table:
    """Keeps the `most` documents with the smallest draws of their content; 0 keeps them all.

    A larger sample holds a smaller one, so that asking for more seeds asks nothing again. Memory: a key of about 50
    bytes for each document.
    """
    return keys.select(["part", "row", "content_sha256", "draw"])


def _check_least(*, column: str, least: float) -> None:
    if not isinstance(least, int | float) or isinstance(least, bool):
        raise RecipeError(f"least is a number, got {least!r}")


def _column(params: Any) -> tuple[str, ...]:
    return (str(params["column"]),)


@step(
    version=1,
    reads=_column,
    adds={"reason": pa.string(), "value": pa.string()},
    check=_check_least,
    drops={"below_least": "its number is lower than asked for"},
)
def at_least(rows: pa.RecordBatch, *, column: str, least: float) -> pa.RecordBatch:
    """Keeps rows whose number in `column` is at least `least`. A null is unknown, and drops nothing."""
    gone = pc.fill_null(pc.less(rows[column].cast(pa.float64()), least), False)
    value = pc.if_else(gone, rows[column].cast(pa.string()), NONE)
    return pa.record_batch({"reason": pc.if_else(gone, "below_least", NONE), "value": value})
