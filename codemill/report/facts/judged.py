"""The signals of a file beside the thresholds of its rules, for `codemill explain`."""

from __future__ import annotations

import math
from typing import Any

from codemill.errors import CodemillError
from codemill.rules import book_from
from codemill.run import Run
from codemill.steps.quality import fired


def judged(run: Run, place: int) -> dict[str, Any] | None:
    """The verdicts on the file in row `place` of the ledger; None if it was not judged, or its tables are gone.

    `rule_set`, and `rules`: each rule that could fire with `signal`, `value`, `limit`, `fired`, `spared` (it would have
    fired, and chance spared the file) and `margin`, how far from firing as a share of the threshold (null: a flag, or
    no value). Those that fired first, then the nearest.
    """
    judge = next((step for step in run.steps if step["name"] == "quality.judge"), None)
    if judge is None:
        return None
    try:
        book = book_from(judge["parameters"]["rules"])
        row = run.row(place, ["content_sha256", "language", "doc_type", "natural_language", *book.signals()])
    except (CodemillError, KeyError):
        return None  # the working tables are gone, or are another version's: the ledger still has its verdict
    if row["content_sha256"][0].as_py() is None:
        return None  # it was never read
    chosen = book.select(*(row[name][0].as_py() for name in ("language", "doc_type", "natural_language")))
    if chosen is None:
        return None
    values = {rule.signal: row[rule.signal][0].as_py() for rule in chosen.rules if rule.judges}
    if all(value is None for value in values.values()):
        return None  # it was dropped before it was measured
    firing = {rule.signal for _, rule, rows, _ in fired(row, book, int(judge["parameters"]["seed"])) if len(rows)}
    verdicts = []
    for rule in (rule for rule in chosen.rules if rule.judges):
        value = values[rule.signal]
        meets = value is not None and rule.reason(value) is not None
        margin = None if value is None else rule.margin(value)
        verdicts.append(
            {
                "signal": rule.signal,
                "value": value,
                "limit": rule.limit(value) if meets else rule.limit(),
                "fired": rule.signal in firing,
                "spared": meets and rule.signal not in firing,
                "margin": margin if margin is not None and math.isfinite(margin) else None,
            }
        )
    verdicts.sort(
        key=lambda rule: (not rule["fired"], rule["margin"] is None, 0 if rule["fired"] else rule["margin"] or 0)
    )
    return {"rule_set": chosen.name, "rules": verdicts}
