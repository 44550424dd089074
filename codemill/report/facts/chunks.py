"""What `dedup.fuzzy(level="chunk")` cut out of a document: for `codemill explain`."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

from codemill import _core
from codemill.errors import CodemillError
from codemill.report.facts.ledger import Row, collect
from codemill.run import Run
from codemill.steps.chunks import goes

SHOWN = 12
"""Chunks of a document that are listed."""

_LINE = 120  # characters of a chunk's first line


def removed(run: Run, row: Row, ledger: pl.LazyFrame) -> dict[str, Any] | None:
    """The chunks that were cut out of the document in a row of the ledger; None if none was.

    Returns: `total`, `removed` and `bytes`; `chunks`, the first of those that went, each with `first_line` and
    `last_line` (from 1, in the text before), `starts_with`, and of the chunk that was kept instead `kept_id`,
    `kept_chunk` (from 1), `kept` (repo/path; null if it is not in the ledger) and `similarity`; `why`, if they are not
    known any more.
    """
    if row["chunks"] is None or not row["chunks"]["removed"]:
        return None
    answer = {**row["chunks"], "chunks": [], "why": None}
    number = max(i for i, step in enumerate(run.steps) if step["name"] == "chunks.drop")
    parameters = run.steps[number]["parameters"]
    members = _members(run, row["place"])
    before = run.text(row["place"], number)
    if members is None or before.text is None:
        return answer | {"why": before.why or "the working tables are gone (.work in the output folder)"}
    there = goes(members, verify=parameters["verify"], at_least=parameters["at_least"])
    ends = _core.chunk_ends(
        pa.array([before.text], pa.large_string()), words=parameters["words"], least=parameters["ngram"]
    )[0].as_py()
    text = before.text.encode()
    for member in members.filter(pa.array(there)).to_pylist()[:SHOWN]:
        start, end = [0, *ends][member["chunk"]], ends[member["chunk"]]
        piece = text[start:end].decode()
        answer["chunks"].append(
            {
                "first_line": text.count(b"\n", 0, start) + 1,
                "last_line": text.count(b"\n", 0, start) + 1 + piece.rstrip().count("\n"),
                "starts_with": piece.lstrip().split("\n", 1)[0][:_LINE],
                "kept_id": member["keeper"],
                "kept_chunk": member["keeper_chunk"] + 1,
                "similarity": member["similarity"],
            }
        )
    wanted = sorted({chunk["kept_id"] for chunk in answer["chunks"]})
    others = collect(ledger.filter(pl.col("id").is_in(wanted)).sort("verdict", "place")).to_dicts()
    names = {other["id"]: f"{other['repo']}/{other['path']}" for other in others}
    for chunk in answer["chunks"]:
        chunk["kept"] = names.get(chunk["kept_id"])
    return answer


def _members(run: Run, place: int) -> pa.Array | None:
    """The chunks of a document that are in a cluster; None if the working tables are gone."""
    try:
        members = run.row(place, ["chunk_members"])["chunk_members"]
    except CodemillError:
        return None
    return members.flatten() if members[0].is_valid else None
