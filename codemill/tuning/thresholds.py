"""Tuning thresholds on a finished run: what each rule hits, what it alone removes, what another threshold would do.

    survey    every rule: documents, hits, unique hits, values as a histogram
    what_ifs  other rule books against the one of the run: what would be dropped more, and what less
    around    the documents just on either side of a threshold
    ranked    the documents with the lowest and the highest score of a scorer

Everything is computed from the signals that the run measured, with no text read (`ranked` apart), each in one pass
over OUT/.work, however many rules or rule books are asked about. From: OpenCoder, appendix A.1: coarse thresholds
first, then each rule by what it alone catches, then a look at samples ordered by perplexity.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill.errors import InputError, RecipeError, did_you_mean
from codemill.rules import Rule, RuleBook, RuleSet, Values, book_from, values_of
from codemill.run import Documents, Run
from codemill.steps.quality import fired
from codemill.tuning.perplexity import Scorer

BINS = 32
Row = dict[str, Any]
WHO = ("id", "repo", "path", "language", "doc_type", "size")


@dataclass(frozen=True)
class Measured:
    """The documents of a finished run as they came to quality.judge, and the rules it judged them by."""

    documents: Documents
    book: RuleBook
    seed: int


def measured(run: str | Path | Run) -> Measured:
    """Opens a finished run. Raises: InputError if it has no quality.judge, or its working tables are gone."""
    run = run if isinstance(run, Run) else Run.open(run)
    names = [step["name"] for step in run.steps]
    if "quality.judge" not in names:
        remedy = "run a recipe with quality.measure and quality.judge, such as refinecode"
        raise InputError("no rules were judged in this run", where=run.out, remedy=remedy)
    until = names.index("quality.judge")
    given = run.steps[until]["parameters"]
    return Measured(run.documents(until), book_from(given["rules"]), int(given["seed"]))


@dataclass
class Tally:
    """What one rule of one set did. `unique`: documents that no other rule drops."""

    rule_set: str
    rule: Rule
    documents: int = 0  # judged by this set
    nulls: int = 0
    hits: int = 0
    unique: int = 0
    hit_bytes: int = 0
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    kept: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))

    @property
    def scale(self) -> Scale:
        """The classes of its histogram."""
        return Scale.of(self.rule)


@dataclass(frozen=True)
class Scale:
    """How values fall into `BINS` classes: even ones from 0 to 1 for shares, ones that double twice for others."""

    shares: bool

    @classmethod
    def of(cls, rule: Rule) -> Scale:
        """Shares if every threshold is at most 1."""
        return cls(all(limit <= 1 for limit in (rule.below, rule.above, rule.equals) if limit is not None))

    def place(self, values: Values) -> Values:
        """Where values lie on an axis from 0 to 1; what is beyond lies at its end."""
        place: Values = values if self.shares else np.log2(1 + np.maximum(values, 0)) / 24
        return np.clip(place, 0, 1)

    def value(self, place: float) -> float:
        """The inverse of `place`."""
        return place if self.shares else 2 ** (place * 24) - 1


def survey(run: Measured, book: RuleBook | None = None) -> list[Tally]:
    """What each rule does; with `book`, what those rules would do. In the order of the book.

    Memory: a batch, and a few numbers per rule.
    """
    book = book or run.book
    tallies = {(s.name, r.signal): Tally(s.name, r) for s in book.sets for r in s.rules if r.judges}
    names = [s.name for s in book.sets]
    for batch in run.documents.batches(_columns(run, book)):
        assigned = book.assign(batch)
        hits = list(fired(batch, book, run.seed))
        times = np.zeros(batch.num_rows, dtype=np.int64)
        for _, _, rows, _ in hits:
            times[rows] += 1
        sizes = batch["size"].to_numpy(zero_copy_only=False)
        for rules, rule, rows, _ in hits:
            tally = tallies[rules.name, rule.signal]
            tally.hits += len(rows)
            tally.unique += int((times[rows] == 1).sum())
            tally.hit_bytes += int(sizes[rows].sum())
        for number in np.unique(assigned[assigned >= 0]):
            mine = assigned == number
            for rule in book.sets[number].rules:
                if rule.judges:
                    _count(tallies[names[number], rule.signal], values_of(batch, rule.signal)[mine], times[mine] == 0)
    return list(tallies.values())


def _count(tally: Tally, values: Values, kept: npt.NDArray[np.bool_]) -> None:
    known = ~np.isnan(values)
    classes = np.minimum((tally.scale.place(values[known]) * BINS).astype(np.int64), BINS - 1)
    tally.documents += len(values)
    tally.nulls += int((~known).sum())
    tally.counts += np.bincount(classes, minlength=BINS)
    tally.kept += np.bincount(classes[kept[known]], minlength=BINS)


@dataclass(frozen=True)
class Change:
    """What another rule book would do to a run."""

    documents: int
    dropped: int  # by the run's own rules
    would_drop: int  # by the others
    more: int  # dropped by the others only
    fewer: int  # dropped by the run's own only


def what_if(run: Measured, book: RuleBook) -> Change:
    """Judges the run's documents by another book and compares, document by document.

    Raises: RecipeError if it has a rule on a signal that the run did not measure.
    """
    return what_ifs(run, [book])[0]


def what_ifs(run: Measured, books: Sequence[RuleBook]) -> list[Change]:
    """The same for several books in one pass; a rule set that several of them have is judged once."""
    all_sets = RuleBook(tuple(s for book in (run.book, *books) for s in book.sets))
    counts = np.zeros((len(books), 3), dtype=np.int64)
    documents = before = 0
    for batch in run.documents.batches(_columns(run, all_sets)):
        was, *others = _judged(batch, [run.book, *books], run.seed)
        documents, before = documents + batch.num_rows, before + int(was.sum())
        for row, now in zip(counts, others, strict=True):
            row += [now.sum(), (now & ~was).sum(), (was & ~now).sum()]
    return [Change(documents, before, *row) for row in counts.tolist()]


def _judged(batch: pa.RecordBatch, books: Sequence[RuleBook], seed: int) -> list[npt.NDArray[np.bool_]]:
    """Which documents of a batch each book drops: a set that several books have is judged once."""
    assigned: dict[tuple[Any, ...], npt.NDArray[np.int64]] = {}  # by what the sets of a book cover
    struck: dict[tuple[Any, ...], npt.NDArray[np.bool_]] = {}  # by that, the number of the set, and the set itself
    masks = []
    for book in books:
        covers = tuple((s.languages, s.doc_types, s.natural_languages) for s in book.sets)
        if covers not in assigned:
            assigned[covers] = book.assign(batch)
        gone = np.zeros(batch.num_rows, dtype=bool)
        for number in np.unique(assigned[covers][assigned[covers] >= 0]).tolist():
            key = (covers, number, id(book.sets[number]))  # the books hold them: no id is used twice
            if key not in struck:
                struck[key] = dropped(batch, RuleBook((book.sets[number],)), seed)
                struck[key] &= assigned[covers] == number
            gone |= struck[key]
        masks.append(gone)
    return masks


def dropped(batch: pa.RecordBatch, book: RuleBook, seed: int) -> npt.NDArray[np.bool_]:
    """Which documents of a batch the book drops."""
    gone = np.zeros(batch.num_rows, dtype=bool)
    for _, _, rows, _ in fired(batch, book, seed):
        gone[rows] = True
    return gone


def around(run: Measured, wanted: Sequence[tuple[RuleSet, Rule]], n: int = 5) -> list[dict[str, list[Row]]]:
    """For each of some rules the `n` documents nearest to its threshold: `dropped` by it, and `spared`.

    Each with its value, and `others`: how many other rules fire on it.
    """
    found: list[dict[str, list[tuple[float, int, Row]]]] = [{"dropped": [], "spared": []} for _ in wanted]
    numbers = [run.book.sets.index(rules) for rules, _ in wanted]
    for batch in run.documents.batches(_columns(run, run.book, *WHO)):
        assigned = run.book.assign(batch)
        times = np.zeros(batch.num_rows, dtype=np.int64)
        hit_by: dict[tuple[str, str], npt.NDArray[np.int64]] = {}
        for rules, rule, rows, _ in fired(batch, run.book, run.seed):
            times[rows] += 1
            hit_by[rules.name, rule.signal] = rows
        for nearest, number, (rules, rule) in zip(found, numbers, wanted, strict=True):
            others = times.copy()
            others[hit_by.get((rules.name, rule.signal), [])] -= 1
            _nearest(nearest, batch, assigned == number, rule, others, n)
    return [{side: [row for _, _, row in rows] for side, rows in nearest.items()} for nearest in found]


def _nearest(
    nearest: dict[str, list[tuple[float, int, Row]]],
    batch: pa.RecordBatch,
    mine: npt.NDArray[np.bool_],
    rule: Rule,
    others: npt.NDArray[np.int64],
    n: int,
) -> None:
    """Adds to the `nearest` to a threshold, those within and those beyond it, what a batch has."""
    limits = np.array([limit for limit in (rule.below, rule.above, rule.equals) if limit is not None])
    values = values_of(batch, rule.signal)
    mine, hit = mine & ~np.isnan(values), rule.fires(values)
    distance = np.abs(values[:, None] - limits[None, :]).min(axis=1)
    for side, rows in (("dropped", np.flatnonzero(mine & hit)), ("spared", np.flatnonzero(mine & ~hit))):
        for row in rows[np.argsort(distance[rows], kind="stable")[:n]]:
            who = batch.select([*WHO, "place"]).slice(int(row), 1).to_pylist()[0]
            who |= {"value": float(values[row]), "others": int(others[row])}
            nearest[side].append((float(distance[row]), who["place"], who))
        nearest[side] = heapq.nsmallest(n, nearest[side], key=lambda entry: entry[:2])


def ranked(run: Measured, scorer: Scorer, n: int = 10, *, of: str = "kept") -> dict[str, list[Row]]:
    """The `n` documents with the `lowest` and the `highest` score: too low is trivial, too high has nothing to learn.

    `of` is "kept", "dropped" (by the rules) or "all". Memory: a batch of content and `n` rows.
    Raises: RecipeError for another `of`; InputError if an input that the text was left in is gone.
    """
    if of not in ("kept", "dropped", "all"):
        raise RecipeError(f"of is kept, dropped or all, got {of!r}", remedy=did_you_mean(of, ["kept", "dropped"]))
    found: dict[str, list[tuple[float, int, Row]]] = {"lowest": [], "highest": []}
    for batch in texts(run):
        gone = dropped(batch, run.book, run.seed)
        rows = np.flatnonzero({"kept": ~gone, "dropped": gone, "all": gone | ~gone}[of])
        scores = scorer.score([batch["content"][int(row)].as_py() or "" for row in rows])
        for row, score in zip(rows, scores.tolist(), strict=True):
            place = batch["place"][int(row)].as_py()
            for side, key in (("lowest", score), ("highest", -score)):
                if len(found[side]) < n or (key, place) < found[side][-1][:2]:
                    who = batch.select([*WHO, "place"]).slice(int(row), 1).to_pylist()[0] | {"score": score}
                    found[side] = sorted([*found[side], (key, place, who)], key=lambda entry: entry[:2])[:n]
    return {side: [row for _, _, row in entries] for side, entries in found.items()}


def texts(run: Measured) -> Iterator[pa.RecordBatch]:
    """The living documents with their content, wherever it is. Raises: InputError if an input is gone or changed."""
    yield from run.documents.batches(_columns(run, run.book, *WHO, "content"), rows=1)


def _columns(run: Measured, book: RuleBook, *more: str) -> list[str]:
    """The columns that judging by a book needs. Raises: RecipeError if the run did not measure one."""
    wanted = ["content_sha256", "language", "doc_type", "natural_language", "size", *book.signals(), *more]
    known = run.documents.columns()
    for name in wanted:
        if name not in known:
            raise RecipeError(
                f"this run did not measure {name!r}", where=run.documents.run.out, remedy=did_you_mean(name, known)
            )
    return list(dict.fromkeys(wanted))
