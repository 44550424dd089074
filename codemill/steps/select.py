"""Leaves out what a user does not want, whatever it is worth: by path, by whose code it is, by number for a trial.

exclude    drops files whose path fits a pattern                                       a layer
vendored   drops code that a project carries but did not write                         a layer
limit      a fair draw of so many documents: drawn → border → within
           (`border` is a group of narrow keys, at most one row)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.chance import draws
from codemill.errors import RecipeError
from codemill.machine.reading import Reading
from codemill.machine.table import Table, group, step


def _check_patterns(*, patterns: Sequence[str]) -> None:
    for pattern in patterns:
        if not pattern.strip("/"):
            raise RecipeError(
                f"{pattern!r} is no pattern of paths", where="exclude", remedy="such as 'tests/' or '*.min.js'"
            )


def _expression(pattern: str) -> str:
    """A pattern as a regular expression of RE2, which takes time linear in the path whatever the pattern is.

    >>> _expression("*.min.js"), _expression("/docs/"), _expression("a/**/b?")
    ('^(.*/)?[^/]*\\\\.min\\\\.js(/.*)?$', '^docs/.*$', '^a/(.*/)?b[^/](/.*)?$')
    """
    body = pattern.strip("/")
    anchored = "/" in pattern.rstrip("/")
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", body)
    wild = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    inner = "".join(wild.get(part, re.escape(part)) for part in parts)
    return f"^{'' if anchored else '(.*/)?'}{inner}{'/.*' if pattern.endswith('/') else '(/.*)?'}$"


@step(
    version=1,
    reads=("path",),
    adds={"reason": pa.string(), "value": pa.string()},
    check=_check_patterns,
    drops={"excluded": "at a path that was asked to be left out"},
)
def exclude(documents: pa.RecordBatch, *, patterns: Sequence[str]) -> pa.RecordBatch:
    """Drops files whose path in their repository fits a pattern, written as in a .gitignore.

    `*` and `?` stay within one name, `**` goes through folders. A pattern without `/` fits a file or folder anywhere,
    one with `/` from the root of the repository; one that ends with `/` fits folders only. Capitals count.
    The reason is `excluded`, the value the first pattern that fits.
    Raises: RecipeError for an empty pattern. From: gitignore(5), without `!` and character classes.
    """
    path, value = documents["path"], pa.nulls(documents.num_rows, pa.string())
    for pattern in patterns:
        fits = pc.match_substring_regex(path, _expression(pattern))
        value = pc.coalesce(value, pc.if_else(fits, pattern, pa.scalar(None, pa.string())))
    reason = pc.if_else(value.is_valid(), "excluded", pa.scalar(None, pa.string()))
    return pa.record_batch({"reason": reason, "value": value})


@step(
    version=1,
    reads=("is_vendored",),
    adds={"reason": pa.string()},
    drops={"vendored": "code that the project carries but did not write, as its path tells"},
)
def vendored(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Drops vendored files (`is_vendored`, see docs/detection.md). The reason is `vendored`."""
    theirs = pc.fill_null(documents["is_vendored"], False)
    return pa.record_batch({"reason": pc.if_else(theirs, "vendored", pa.scalar(None, pa.string()))})


# ── a draw of so many ─────────────────────────────────────────────────────────────────────────────────────────────

PURPOSE = "limit"


def limit(documents: Table, *, most: int, seed: int = 0) -> Table:
    """Keeps at most `most` documents, drawn by the hash of their content: for a trial that looks like the whole.

    Every content has the same chance, whatever its repository, language or place. Copies of one content are taken
    together or not at all, so a step that looks for copies finds them; they may cost the last few of the number. The
    draw does not depend on order, shards or workers, and a larger limit keeps all that a smaller one keeps. The reason
    is `over_limit`, the value the limit.
    Raises: RecipeError for a limit below 1.
    """
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise RecipeError(f"a limit is a number of documents, at least 1, got {most!r}", remedy="such as 10000")
    return within(documents, border(documents, most=most, seed=seed), most=most, seed=seed)


def _drawn(documents: pa.RecordBatch, seed: int) -> npt.NDArray[np.uint64]:
    """The draw of each document's content, as whole numbers that are spread over 64 bits."""
    positions = draws(documents["content_sha256"], seed=seed, purpose=PURPOSE)
    return (positions * 2.0**53).astype(np.uint64) << np.uint64(11)


def _by_draw(documents: pa.RecordBatch, *, most: int, seed: int) -> pa.RecordBatch:
    return pa.record_batch({"drawn": _drawn(documents, seed), "number": pa.repeat(1, documents.num_rows)})


@group(
    version=1,
    reads=("content_sha256",),
    key="drawn",
    adds={"drawn": pa.uint64()},
    emit=_by_draw,
    before=("number",),
)
def border(keys: pa.Table, *, most: int, seed: int, before: Mapping[str, int]) -> pa.Table:
    """The first draw that is too many, if there are more documents than `most`.

    Shape: a narrow key for each document in; one row or none out.
    """
    left = most - before["number"]
    if left < 0 or keys.num_rows <= left:
        return pa.table({"drawn": pa.array([], pa.uint64())})
    return keys.select(["drawn"]).slice(left, 1)


@step(
    version=1,
    reads=("content_sha256",),
    adds={"reason": pa.string(), "value": pa.string()},
    drops={"over_limit": "left out by the draw of a limited number of documents"},
)
def within(documents: pa.RecordBatch, borders: Reading, *, most: int, seed: int = 0) -> pa.RecordBatch:
    """Drops the documents whose draw is at the border or beyond. See `limit`."""
    drawn = _drawn(documents, seed)
    border = borders.table(["drawn"])["drawn"].to_pylist()
    lost = drawn >= np.uint64(border[0]) if border else np.zeros(len(drawn), bool)
    some = pa.array(lost)
    none = pa.scalar(None, pa.string())
    return pa.record_batch({"reason": pc.if_else(some, "over_limit", none), "value": pc.if_else(some, f"{most}", none)})
