"""Where a synthesised row comes from: the row, what it came to, the file it was made about and that file's licence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from codemill.document import DOCUMENT
from codemill.errors import CodemillError, InputError
from codemill.report.facts.ledger import Row, collect
from codemill.report.facts.synthesis import books
from codemill.run import Run, named
from codemill.synthetic import CHAT, ROW, TEXT

MATCHES = 5
LONGEST = 4000  # characters of a text that are shown

_MADE = ("id", "parent", *ROW, "calls")
_ID = re.compile(r"[0-9a-f]{8,32}")
_SEED = pa.schema(
    [DOCUMENT.field(name) for name in ("id", "repo", "path", "license", "revision", "language", "content")]
)


def explain_data(out: str | Path, query: str) -> dict[str, Any] | None:
    """What became of rows by their id (8 digits or more), or of all rows about a file by its path; None: no such run.

    `matches` hold up to 5 rows, as `explained` has them.

    Raises: InputError if there is no finished run in `out`, or if its files cannot be read.
    """
    run = Run.open(out)
    names = [name for name in run.manifest.get("outputs", {}) if run.files(f"{name}_ledger")]
    sets = {name: found for name in names if (found := books(run, name)) is not None}
    if not sets:
        return None
    asked = _resolved(run, query)
    matches: list[dict[str, Any]] = []
    total = 0
    with run.readable():
        for name, ledger in sets.items():
            rows = collect(ledger.filter(_matches(asked)).sort("id"))
            total += rows.height
            for row in rows.head(MATCHES - len(matches)).to_dicts():
                matches.append(explained(run, name, row))
    return {"query": query, "found": bool(matches), "total": total, "matches": matches}


def _matches(query: str) -> pl.Expr:
    if _ID.fullmatch(query):
        return pl.col("id").str.starts_with(query) | pl.col("seed_id").str.starts_with(query)
    return (pl.col("path") == query) | (pl.concat_str("repo", pl.lit("/"), "path") == query)


def _resolved(run: Run, query: str) -> str:
    """The id of a row in its set, if what is asked about is its id in a stage."""
    if not _ID.fullmatch(query):
        return query
    for stage in _stages(run):
        with run.readable():
            found = collect(run.table(stage, CHAT).filter(pl.col("id").str.starts_with(query)).select("parent").head(1))
        if found.height:
            return str(found["parent"][0])
    return query


def _stages(run: Run) -> list[str]:
    return [name for name in run.manifest.get("outputs", {}) if re.fullmatch(r"stage_\d+", name) and run.files(name)]


def explained(run: Run, name: str, row: Row) -> dict[str, Any]:
    """What is known of a row of a set, by its row of the ledger.

    Returns: the `set`; its `ledger` row; the whole `row` as it was published, or of a dropped one as it was made, null
    if the working tables are gone; the `stages` that have it, and its id there; its `seed`: the document as the corpus
    has it, with `of`, the folder of that run; `why` says why there is none.
    """
    whole = _published(run, name, row["id"]) if row["verdict"] == "kept" else dropped(run, name, row["id"])
    stages = {
        stage: str(same["id"][0])
        for stage in _stages(run)
        if (same := collect(run.table(stage, CHAT).filter(pl.col("parent") == row["id"]).select("id").head(1))).height
    }
    return {"set": name, "ledger": row, "row": whole, "stages": stages, "seed": seed(run, row["seed_id"])}


def _published(run: Run, name: str, id: str) -> Row | None:
    shape = CHAT if "messages" in run.parts(name)[0].schema.names else TEXT
    found: list[Row] = collect(run.table(name, shape).filter(pl.col("id") == id).head(1)).to_dicts()
    return found[0] if found else None


def dropped(run: Run, name: str, id: str) -> Row | None:
    """A row that was dropped, from the working tables: what was wrong with it is in its program and its output.

    Null: they are gone.
    """
    made = run.of(name)
    ids = collect(run.table(made.books, pa.schema([("id", pa.string())])).with_row_index("place"))
    try:
        columns = [column for column in _MADE if column in made.schema(0).names]
        row: Row = made.row(int(ids.filter(pl.col("id") == id)["place"][0]), columns).to_pylist()[0]
    except CodemillError:
        return None  # the working tables are gone: the ledger has the rest
    return row


def seed(run: Run, id: str | None) -> dict[str, Any]:
    """The document that a row was made about, from the run that published it: `of`, or `why` it is in none."""
    why = "the run reads no corpus"
    for entry in run.manifest["tables"]:
        source = entry["parameters"].get("source")
        if entry["kind"] != "opened" or not isinstance(source, dict):
            continue
        try:
            corpus = Run.open(named(run.out, source["path"]))
            with corpus.readable():
                found = collect(corpus.table(source["output"], _SEED).filter(pl.col("id") == id).head(1)).to_dicts()
        except CodemillError as error:
            why = error.what if isinstance(error, InputError) else str(error)
            continue
        if found:
            return {**found[0], "of": str(source["path"]), "why": None}
        why = "it is in no corpus that the run reads: it is a library, or a published chat"
    return {"id": id, "of": None, "why": why}
