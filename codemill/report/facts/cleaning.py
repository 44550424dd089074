"""What cleaning changed: notices that went and placeholders that came, counted in the ledger."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from codemill.document import KINDS
from codemill.report.facts.ledger import Row, collect
from codemill.run import Run

LANGUAGES = 8  # shown by name


@dataclass(frozen=True)
class Cleaning:
    """Totals over the files that a cleaning step looked at; languages with most files changed first."""

    looked_for_notices: int  # files
    notices: int  # files that a notice was removed from
    notice_chars: int  # code points in those
    looked_for_secrets: int  # files
    redacted: int  # files with a placeholder
    kinds: tuple[Row, ...]  # kind, files, values: most values first, none left out
    languages: tuple[Row, ...]  # language, looked, notices, redacted, values


def gather(run: Run) -> Cleaning | None:
    """Counts in the ledger, in one pass; None if no step of the run cleaned anything.

    Raises: InputError if the run has no ledger, or it cannot be read.
    """
    told = [pl.col("header_chars_removed").is_not_null(), pl.col("redacted").is_not_null()]
    values = {kind: pl.col("redacted").struct.field(kind).fill_null(0).cast(pl.Int64) for kind in KINDS}
    every = pl.sum_horizontal(*values.values())
    notice = pl.col("header_chars_removed").fill_null(0).cast(pl.Int64)
    counts = {
        "looked_for_notices": told[0].sum().cast(pl.Int64),
        "notices": (notice > 0).sum().cast(pl.Int64),
        "notice_chars": notice.sum(),
        "looked_for_secrets": told[1].sum().cast(pl.Int64),
        "redacted": (every > 0).sum().cast(pl.Int64),
        "values": every.sum(),
        **{f"{kind} files": (count > 0).sum().cast(pl.Int64) for kind, count in values.items()},
        **{f"{kind} values": count.sum() for kind, count in values.items()},
    }
    with run.readable():
        frame = collect(run.ledger().filter(told[0] | told[1]).group_by("language").agg(**counts))
    if not len(frame):
        return None
    total = frame.select(pl.col(list(counts)).sum()).to_dicts()[0]
    kinds = [{"kind": k, "files": total[f"{k} files"], "values": total[f"{k} values"]} for k in KINDS]
    rows = frame.with_columns(looked=pl.max_horizontal("looked_for_notices", "looked_for_secrets"))
    rows = rows.sort(-(pl.col("notices") + pl.col("redacted")), "language", nulls_last=True).head(LANGUAGES)
    return Cleaning(
        total["looked_for_notices"],
        total["notices"],
        total["notice_chars"],
        total["looked_for_secrets"],
        total["redacted"],
        tuple(sorted(kinds, key=lambda row: -row["values"])),
        tuple(rows.select("language", "looked", "notices", "redacted", "values").to_dicts()),
    )
