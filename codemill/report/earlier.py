"""Documents of earlier corpora (`against`), which `codemill explain` meets as copies that were kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from codemill.errors import InputError
from codemill.report.facts import Row, collect, parts, readable, scan_ledger
from codemill.steps._index import Index


@dataclass(frozen=True)
class Earlier:
    """A document of an earlier run: which run, its ledger row with its `place` there, or `why` there is none."""

    out: str
    row: Row | None = None
    why: str | None = None


def runs(manifest: dict[str, Any]) -> dict[str, str]:
    """The folders of the runs that documents were held against, each with the fingerprint it had then."""
    found: dict[str, str] = {}
    for step in manifest["steps"]:
        against = step["parameters"].get("against") or ()
        for index in [against] if isinstance(against, dict) else against:
            found[str(index["path"])] = str(index["fingerprint"])
    return found


def find(manifest: dict[str, Any], ids: Iterable[str]) -> dict[str, Earlier]:
    """Where each of these documents is kept, as far as the earlier runs can still be read: the first that has it.

    A run that is gone or has changed since is skipped for the others, and named where none of them has the document.
    """
    wanted, found, gone = sorted(set(ids)), dict[str, Earlier](), list[str]()
    for out, fingerprint in runs(manifest).items():
        left = [id for id in wanted if id not in found]
        if not left:
            break
        try:
            changed = Index(out).fingerprint != fingerprint
            known = _kept(out, left)
            found |= {id: Earlier(out, known.get(id), None if id in known else _NO_LEDGER) for id in _there(out, left)}
        except InputError as error:
            gone.append(f"{out}: {error.what}")
            continue
        if changed:
            gone.append(f"{out}: it has changed since")
    said = "; ".join(gone) or "none of them has it"
    return {id: found.get(id) or Earlier("", why=said) for id in wanted}


_NO_LEDGER = "its ledger is gone, so no more than the id is known"


def _kept(out: str, ids: list[str]) -> dict[str, Row]:
    """Ledger rows of kept documents; none if there is no ledger (an index can be used without)."""
    if not parts(out, "ledger"):
        return {}
    ledger = scan_ledger(out, place=True)
    with readable(out):
        rows = collect(ledger.filter(pl.col("id").is_in(ids) & (pl.col("verdict") == "kept")).sort("place")).to_dicts()
    return {row["id"]: row for row in rows}


def _there(out: str, ids: list[str]) -> Iterator[str]:
    """Those of the ids that the index, or the corpus, has."""
    files: list[Path] = parts(out, "index") or parts(out, "corpus")
    with readable(out):
        there = collect(pl.scan_parquet(files, glob=False).select("id").filter(pl.col("id").is_in(ids)))
    yield from sorted(set(there["id"].to_list()))
