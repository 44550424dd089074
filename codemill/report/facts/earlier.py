"""Documents of earlier corpora (`against`), which `codemill explain` meets as copies that were kept."""

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
    """A document of an earlier run: which run, its ledger row with its `place` there, or `why` there is none."""

    out: str
    row: Row | None = None
    why: str | None = None


def runs(manifest: dict[str, Any]) -> dict[str, str]:
    """The folders of the runs that documents were held against, each with the fingerprint it had then."""
    found: dict[str, str] = {}
    for table in manifest["tables"]:
        if table["kind"] == "opened":
            source = table["parameters"]["source"]
            found[str(source["path"])] = str(source["fingerprint"])
    return found


def find(run: Run, ids: Iterable[str]) -> dict[str, Earlier]:
    """Where each of these documents is kept, as far as the earlier runs can still be read: the first that has it.

    A run that is gone or has changed since is skipped for the others, and named where none of them has the document.
    """
    wanted, found, gone = sorted(set(ids)), dict[str, Earlier](), list[str]()
    for out, fingerprint in runs(run.manifest).items():
        left = [id for id in wanted if id not in found]
        if not left:
            break
        try:
            changed = Published(out).fingerprint != fingerprint
            other = Run.open(out)
            known, there = _kept(other, left), _there(other, left)
            found |= {id: Earlier(out, known.get(id), None if id in known else _NO_LEDGER) for id in there}
        except InputError as error:
            gone.append(f"{out}: {error.what}")
            continue
        if changed:
            gone.append(f"{out}: it has changed since")
    said = "; ".join(gone) or "none of them has it"
    return {id: found.get(id) or Earlier("", why=said) for id in wanted}


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
