"""What the report says of rules and of the distribution: computed from the working tables by `tuning.thresholds`.

A run without rules, or whose working tables are gone, has none of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from codemill.errors import CodemillError
from codemill.report.facts import picture
from codemill.report.facts.ledger import EXCERPT_COLUMNS, Row
from codemill.rules import RuleBook
from codemill.run import Run
from codemill.tuning import thresholds as tuning
from codemill.tuning.thresholds import Change, Measured, Tally

SHOWN = 8  # rules with a histogram, samples and what-if
POINTS = 800  # documents in the picture
FACTORS = (0.5, 0.8, 1.25, 2.0)  # what-if: times the threshold
EXCERPT_LINES = 10


@dataclass(frozen=True)
class RuleFacts:
    """One rule as the report shows it."""

    tally: Tally
    around: dict[str, list[Row]]
    changes: tuple[tuple[str, Change], ...]  # the limit as text, and what it would do


@dataclass(frozen=True)
class Quality:
    """Everything the report shows of rules."""

    tallies: tuple[Tally, ...]  # with hits: most unique ones first
    silent: int  # rules without a hit
    judged: int
    dropped: int
    rules: tuple[RuleFacts, ...]  # the first of `tallies`, closer
    points: tuple[Row, ...]  # of the picture: a sample of what was judged
    unseen: str | None  # why there is no picture


def gather(run: Run) -> Quality | None:
    """Reads what a run measured; None if it judged nothing or its working tables are gone.

    Three passes over the signals, however many rules are shown, and one over the texts.
    """
    try:
        measured = tuning.measured(run)
        tallies = tuning.survey(measured)
    except CodemillError:
        return None  # shown as the absence of the section; `codemill rules` says why
    hit = sorted((t for t in tallies if t.hits), key=lambda t: (-t.unique, -t.hits, t.rule_set, t.rule.signal))
    now, rules = _closer(measured, hit[:SHOWN])
    try:
        points, unseen = _points(measured), None
    except CodemillError as error:
        points, unseen = [], error.what
    silent = len(tallies) - len(hit)
    return Quality(tuple(hit), silent, now.documents, now.dropped, tuple(rules), tuple(points), unseen)


def _closer(run: Measured, tallies: Sequence[Tally]) -> tuple[Change, list[RuleFacts]]:
    """What the run's own rules do, and each of some rules with what lies around its threshold and other thresholds."""
    asked = [(t, *changed) for t in tallies for changed in _changed(run, t)]
    now, *changes = tuning.what_ifs(run, [run.book, *(book for _, _, book in asked)])
    near = tuning.around(run, [(run.book.get(t.rule_set), t.rule) for t in tallies], 4)
    facts = []
    for tally, around in zip(tallies, near, strict=True):
        other_limits = [(limit, c) for (t, limit, _), c in zip(asked, changes, strict=True) if t is tally]
        facts.append(RuleFacts(tally, around, tuple(other_limits)))
    return now, facts


def _changed(run: Measured, tally: Tally) -> list[tuple[str, RuleBook]]:
    """Other thresholds for a rule: each as text, and the book with it."""
    rule = tally.rule
    if rule.equals is not None:
        return [("off", run.book.with_rule(tally.rule_set, dataclasses.replace(rule, active=False)))]
    name, limit = ("above", rule.above) if rule.above is not None and rule.below is None else ("below", rule.below)
    assert limit is not None
    changes = []
    for factor in FACTORS:
        changed = dataclasses.replace(rule, **{name: limit * factor})  # type: ignore[arg-type]
        shown = f"{'>' if name == 'above' else '<'} {limit * factor:,.6g}"
        changes.append((shown, run.book.with_rule(tally.rule_set, changed)))
    return changes


def _points(run: Measured) -> list[Row]:
    """A sample of the judged documents by a hash of their ids, with a piece of their text."""
    chosen: list[tuple[str, Row]] = []
    for batch in tuning.texts(run):
        keys = [hashlib.sha256(f"report.picture {id}".encode()).hexdigest() for id in batch["id"].to_pylist()]
        nearest = sorted(range(len(keys)), key=keys.__getitem__)[:POINTS]
        if len(chosen) == POINTS:
            nearest = [i for i in nearest if keys[i] < chosen[-1][0]]
        gone = tuning.dropped(batch, run.book, run.seed)
        for i in nearest:
            row = batch.select([*tuning.WHO, "content"]).slice(i, 1).to_pylist()[0]
            row["content"] = (row["content"] or "")[: picture.AT_MOST]
            chosen.append((keys[i], row | {"kept": not gone[i]}))
        chosen = sorted(chosen, key=lambda c: c[0])[:POINTS]
    rows = [row for _, row in chosen]
    texts = [row.pop("content") for row in rows]
    for row, text in zip(rows, texts, strict=True):
        lines = text.splitlines()[:EXCERPT_LINES]
        row["excerpt"] = "\n".join(line[:EXCERPT_COLUMNS] for line in lines)
    return picture.points(rows, texts)
