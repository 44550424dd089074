"""The answers to `codemill show` and `codemill explain`, as plain dictionaries: also what `--json` prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl

from codemill.report.accounts import manifest_checks
from codemill.report.facts import Row, collect, language_rows, read_manifest, readable, scan_ledger
from codemill.report.words import REASONS, printable

MATCHES = 20  # ledger rows an answer holds when several files have the same path
COPIES = 10  # copies of a kept file that are named
SUGGESTIONS = 8
_ID = re.compile(r"[0-9a-f]{8,32}")


def show_data(out: str | Path) -> dict[str, Any]:
    """What a run found, kept and dropped: totals, steps, languages, and whether it adds up.

    Raises: InputError if there is no finished run in `out`.
    """
    manifest = read_manifest(out)
    wrong = [check for check in manifest_checks(manifest) if not check.ok]
    return {
        "out": str(out),
        "codemill": manifest["codemill"],
        "recipe": manifest["recipe"],
        "seconds": manifest["seconds"],
        "found": manifest["ingested"],
        "kept": manifest["kept"],
        "dropped": manifest["dropped"],
        "steps": manifest["steps"],
        "languages": list(language_rows(out)),
        "adds_up": not wrong,
        "wrong": [{"what": check.what, "sum": check.sum} for check in wrong],
    }


def explain_data(out: str | Path, query: str) -> dict[str, Any]:
    """Why a file is in or out.

    `query` is an id (or its first 8 digits or more), a path, or `repo/path`. When nothing matches exactly,
    `suggestions` holds paths that end in the same way, or else the same file name anywhere.

    `matches` hold up to 20 files, each with: `ledger` its row; `verdict` one sentence; `step` the manifest's
    entry of the step that dropped it (its parameters are the thresholds); `kept` the ledger row of the copy
    kept in its place; `copies` the files dropped in favour of it, and `copies_total` how many there are.

    Raises: InputError if there is no finished run in `out`.
    """
    manifest, ledger = read_manifest(out), scan_ledger(out)
    with readable(out):
        found = ledger.filter(_matches(query))
        total = collect(found.select(pl.len())).item()
        rows = _first(found, MATCHES)
        return {
            "out": str(out),
            "query": query,
            "found": bool(rows),
            "total": total,
            "matches": _explained(ledger, manifest, rows),
            "suggestions": [] if rows else _suggestions(ledger, query),
        }


def _matches(query: str) -> pl.Expr:
    by_id = pl.col("id").str.starts_with(query) if _ID.fullmatch(query) else pl.col("id") == query
    path = query.removeprefix("./")
    return by_id | (pl.col("path") == path) | (pl.concat_str("repo", pl.lit("/"), "path") == path)


def _explained(ledger: pl.LazyFrame, manifest: dict[str, Any], rows: list[Row]) -> list[dict[str, Any]]:
    others = ledger.filter(pl.col("id").is_in([row["kept_id"] for row in rows if row["kept_id"] is not None]))
    kept = {row["id"]: row for row in collect(others).to_dicts()}
    copies = ledger.filter(pl.col("kept_id").is_in([row["id"] for row in rows]))
    counts = dict(collect(copies.group_by("kept_id").len()).iter_rows())
    steps = {step["name"]: step for step in manifest["steps"]}
    return [
        {
            "ledger": row,
            "verdict": _verdict(row, kept.get(row["kept_id"])),
            "step": steps.get(row["step"]),
            "kept": kept.get(row["kept_id"]),
            "copies_total": counts.get(row["id"], 0),
            "copies": _first(copies.filter(pl.col("kept_id") == row["id"]), COPIES) if row["id"] in counts else [],
        }
        for row in rows
    ]


def _first(rows: pl.LazyFrame, n: int) -> list[Row]:
    return collect(rows.sort("repo", "path", "id").head(n)).to_dicts()


def _verdict(row: Row, kept: Row | None) -> str:
    if row["verdict"] == "kept":
        return "Kept: it passed every step."
    reason = str(row["reason"])
    words = printable(reason).replace("_", " ")
    because = f"{words} ({REASONS[reason]})" if reason in REASONS else words
    sentence = f"Dropped by {printable(str(row['step']))}: {because}"
    if row["value"] is not None:
        sentence += f"; measured: {printable(row['value'])}"
    if row["kept_id"] is None:
        return sentence + "."
    alike = "" if row["similarity"] is None or row["similarity"] == 1 else f", {100 * row['similarity']:.1f} % alike"
    if kept is None:
        return f"{sentence}. The copy kept instead, {printable(row['kept_id'])}{alike}, is not in the ledger."
    sentence += f". Kept instead: {printable(kept['repo'])}/{printable(kept['path'])}{alike}"
    if kept["verdict"] != "kept":
        sentence += f", which {kept['step']} dropped later: {printable(str(kept['reason'])).replace('_', ' ')}"
    return sentence + "."


def _suggestions(ledger: pl.LazyFrame, query: str) -> list[str]:
    """Paths with the longest common ending; then the same name in other letters, or containing the query."""
    full = pl.concat_str("repo", pl.lit("/"), "path").alias("full")
    pieces = [piece for piece in query.strip("/").split("/") if piece]
    for i in range(len(pieces)):
        ending = "/" + "/".join(pieces[i:])
        near = ledger.select(full).filter((pl.lit("/") + pl.col("full")).str.ends_with(ending))
        if names := collect(near.sort("full").head(SUGGESTIONS))["full"].to_list():
            return names
    if not pieces:
        return []
    # Both sides go through Polars' idea of lower case, which is not Python's in every script.
    word = pl.lit(pieces[-1]).str.to_lowercase()
    near = ledger.select(full).filter(pl.col("full").str.to_lowercase().str.contains(word, literal=True))
    return collect(near.sort("full").head(SUGGESTIONS))["full"].to_list()
