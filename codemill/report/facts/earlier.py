"""Finds the kept copies that `codemill explain` names in earlier corpora (`against`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from codemill.document import INDEX
from codemill.errors import InputError
from codemill.report.facts.ledger import Row, collect
from codemill.run import Run
from codemill.sources import Published


@dataclass(frozen=True)
class Earlier:
    """A document of an earlier run: the run, and its ledger row with its `place` there, or `why` there is none."""

    out: str
    row: Row | None = None
    why: str | None = None


def runs(manifest: dict[str, Any]) -> dict[str, str]:
    """The folders of the runs that documents were compared with, each with its fingerprint at that time."""
    fingerprints: dict[str, str] = {}
    for table in manifest["tables"]:
        if table["kind"] == "opened":
            source = table["parameters"]["source"]
            fingerprints[str(source["path"])] = str(source["fingerprint"])
    return fingerprints


def find(run: Run, ids: Iterable[str]) -> dict[str, Earlier]:
    """Finds each document in the first earlier run that has it and can still be read.

    A run that is gone or has changed is skipped, and named if no other run has the document.
    """
    wanted, documents, gone = sorted(set(ids)), dict[str, Earlier](), list[str]()
    for out, fingerprint in runs(run.manifest).items():
        left = [id for id in wanted if id not in documents]
        if not left:
            break
        try:
            changed = Published(out).fingerprint != fingerprint
            other = Run.open(out)
            rows, there = _kept(other, left), _there(other, left)
            documents |= {id: Earlier(out, rows.get(id), None if id in rows else _NO_LEDGER) for id in there}
        except InputError as error:
            gone.append(f"{out}: {error.what}")
            continue
        if changed:
            gone.append(f"{out}: it has changed since")
    why_not = "; ".join(gone) or "none of them has it"
    return {id: documents.get(id) or Earlier("", why=why_not) for id in wanted}


_NO_LEDGER = "its ledger is gone, so no more than the id is known"


def _kept(run: Run, ids: list[str]) -> dict[str, Row]:
    """Ledger rows of kept documents; none if there is no ledger (an index can be used without)."""
    if not run.files("ledger"):
        return {}
    ledger = run.ledger(place=True)
    with run.readable():
        rows = collect(ledger.filter(pl.col("id").is_in(ids) & (pl.col("verdict") == "kept")).sort("place")).to_dicts()
    return {row["id"]: row for row in rows}


def _there(run: Run, ids: list[str]) -> list[str]:
    """Those of the ids that the index, or the corpus, has."""
    table = run.table("index" if run.files("index") else "corpus", pa.schema([INDEX.field("id")]))
    with run.readable():
        return sorted(set(collect(table.filter(pl.col("id").is_in(ids)))["id"].to_list()))
