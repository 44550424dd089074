"""Which names of which libraries the code of a corpus uses most, by its imports and calls.

    used   a row for each name: in how many documents it is called, and how often    rows per name
    top    the most used of them                                                     an exchange of narrow keys

Lines and calls are matched, not parsed. What a method of an object is called is not known, and not counted.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.document import DOCUMENT
from codemill.errors import RecipeError
from codemill.machine.table import exchange, group
from codemill.steps import _imports

Rows = npt.NDArray[np.int64]
LONGEST = 200_000  # characters of a document in which calls are looked for
DEEPEST = 5  # dots of a name

_FROM = re.compile(r"from[ \t]+([A-Za-z_][.\w]*)[ \t]+import[ \t]+\(?([^#\n]*)")
_CALL = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*){0,5})[ \t]*\(")


def calls(text: str, lines: Sequence[str], libraries: Mapping[str, Any]) -> Counter[str]:
    """How often each full name of one of the libraries is called in a Python file.

    >>> calls("np.zeros(3)\\nzeros(2)\\n", ["import numpy as np", "from numpy import zeros"], {"numpy": {}})
    Counter({'numpy.zeros': 2})
    """
    known = _aliases(lines, libraries)
    found = Counter[str]()
    for name in _CALL.findall(text[:LONGEST]) if known else ():
        first, dot, rest = name.partition(".")
        if first in known and (dot or "." in known[first]):
            whole = f"{known[first]}{dot}{rest}"
            if whole.count(".") <= DEEPEST and not any(part.startswith("_") for part in whole.split(".")):
                found[whole] += 1
    return found


def _aliases(lines: Sequence[str], libraries: Mapping[str, Any]) -> dict[str, str]:
    """What names in a file stand for."""
    known = {}
    for line in lines:
        text = line.strip()
        if match := _FROM.match(text):
            for given in match[2].replace(")", "").split(","):
                name, _, alias = given.strip().partition(" as ")
                if name.strip().isidentifier():
                    known[(alias or name).strip()] = f"{match[1]}.{name.strip()}"
            continue
        for given in text.removeprefix("import").split(","):
            name, _, alias = given.strip().partition(" as ")
            if name := name.strip():
                known[alias.strip() or name.partition(".")[0]] = name if alias else name.partition(".")[0]
    return {alias: name for alias, name in known.items() if name.partition(".")[0] in libraries}


def _by_name(documents: pa.RecordBatch, *, libraries: Mapping[str, Any]) -> pa.RecordBatch:
    texts, languages = documents["content"].to_pylist(), documents["language"].to_pylist()
    found = _imports.lines(texts, ["python" if name == "python" else None for name in languages])
    rows: list[tuple[int, str, int]] = []
    for of, (text, lines) in enumerate(zip(texts, found, strict=True)):
        named = calls(text or "", lines, libraries) if lines else Counter[str]()
        rows += [(of, name, count) for name, count in sorted(named.items())] or [(of, "", 0)]  # every row has a key
    names = [name for _, name, _ in rows]
    return pa.record_batch(
        {
            "of": pa.array([of for of, _, _ in rows], pa.int64()),
            "name_key": pa.array([_hash(name) for name in names], pa.uint64()),
            "path": pa.array(names, pa.string()),
            "calls": pa.array([count for _, _, count in rows], pa.int64()),
        }
    )


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _check(*, libraries: Mapping[str, Any]) -> None:
    if not libraries:
        raise RecipeError("there is no library to look for", remedy="such as those of codemill.installed.versions()")


@group(
    version=1,
    reads=("content", "language"),
    key="name_key",
    adds={
        "name_key": pa.uint64(),
        "repo": pa.string(),  # the library
        "path": pa.string(),  # the full name
        "license": DOCUMENT.field("license").type,
        "library_version": pa.string(),
        "documents": pa.int64(),
        "calls": pa.int64(),
    },
    emit=_by_name,
    check=_check,
)
def used(keys: pa.Table, *, libraries: Mapping[str, Mapping[str, str]]) -> pa.Table:
    """Counts for each name of a library in how many documents it is called, and how often.

    `libraries` has for the name of each import its `version` and `license`: those whose documentation can be read.

    Shape: a row for each name, such as `numpy.linalg.norm`: repo (numpy), path (the name), license, library_version,
    documents, calls. From: OpenCoder 4.1, package instruct: widely used libraries.
    """
    keys = keys.filter(pc.not_equal(keys["path"], ""))
    grouped = keys.group_by(["name_key", "path"], use_threads=False).aggregate([("calls", "sum"), ("calls", "count")])
    grouped = grouped.sort_by("name_key")
    names = grouped["path"].to_pylist()
    of = [libraries[name.partition(".")[0]] for name in names]
    return pa.table(
        {
            "name_key": grouped["name_key"],
            "repo": pa.array([name.partition(".")[0] for name in names], pa.string()),
            "path": grouped["path"],
            "license": pa.array(
                [[one["license"]] if one.get("license") else None for one in of], pa.list_(pa.string())
            ),
            "library_version": pa.array([one["version"] for one in of], pa.string()),
            "documents": grouped["calls_count"],
            "calls": grouped["calls_sum"],
        }
    )


def _check_most(*, most: int) -> None:
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise RecipeError(f"most is a number of names, got {most!r}", remedy="such as 1000")


def _narrow(names: pa.RecordBatch, rows: Rows, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    return names.select(["name_key", "path", "documents", "calls"]), rows


def _beyond(found: Sequence[pa.Table], *, most: int) -> pa.Table:
    order = [("documents", "descending"), ("calls", "descending"), ("path", "ascending")]
    ranked = pa.concat_tables(found).sort_by(order)
    ranks = np.arange(1, ranked.num_rows + 1)
    reasons = pa.array([None if rank <= most else "less_used" for rank in ranks], pa.string())
    return pa.table({"part": ranked["part"], "row": ranked["row"], "rank": pa.array(ranks), "reason": reasons})


@exchange(
    version=1,
    reads=("name_key", "path", "documents", "calls"),
    key="name_key",
    adds={"rank": pa.int64(), "reason": pa.string()},
    emit=_narrow,
    gather=_beyond,
    check=_check_most,
    drops={"less_used": "other names are used by more documents"},
)
def top(keys: pa.Table, *, most: int) -> pa.Table:
    """Ranks names by the documents that call them, then by calls, and keeps the first `most`."""
    return keys
