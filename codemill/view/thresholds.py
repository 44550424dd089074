"""What another threshold of one rule would change, at once: from the rules that fired, as the ledger has them.

`tuning.thresholds` judges all documents again, by any book, in a pass over all signals. Where one rule moves, less is
needed: its signal, and whether another rule drops the document anyway. The answers are the same (a test holds them
against each other).
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from codemill.errors import CodemillError, RecipeError, did_you_mean
from codemill.report.facts.ledger import collect
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.steps.quality import fired, judge
from codemill.tuning.thresholds import Change, Measured, measured
from codemill.view.rows import Mask, Places, Rows
from codemill.view.signals import Signals


@dataclass(frozen=True)
class Effect:
    """What a change would do among the files that the rule's set judges."""

    change: Change
    more: Places  # files that would be dropped, the nearest to the new threshold first
    fewer: Places  # files that would be kept


@dataclass(frozen=True)
class RuleCounts:
    """A rule of a set: what it hit, and what no other rule would drop."""

    rule_set: str
    rule: Rule
    hits: int
    unique: int


@dataclass
class Judged:
    """Which set judged each file, and which rules fired on it."""

    run: Measured
    rows: Rows
    signals: Signals
    sets: npt.NDArray[np.int64]  # the number of each file's set; -1: it was not judged
    places: Places  # of every rule that fired
    fired: npt.NDArray[np.int64]  # and the number of its signal
    names: tuple[str, ...]  # of signals
    _chances: dict[tuple[str, str], Mask] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, rows: Rows, signals: Signals) -> Judged:
        """Reads the kinds of all judged files and the rules in the ledger.

        Raises: InputError if nothing was judged, or a working table is gone.
        """
        run = measured(rows.run)
        sets = np.full(len(rows), -1, dtype=np.int64)
        for batch in run.documents.batches(["language", "doc_type", "natural_language"]):
            sets[batch["place"].to_numpy()] = run.book.assign(batch)
        each = rows.run.ledger(place=True).filter(pl.col("rules").is_not_null()).select("place", "rules")
        with rows.run.readable():
            frame = collect(each.explode("rules").select("place", signal=pl.col("rules").struct.field("signal")))
        names = tuple(run.book.signals())
        numbers = {name: i for i, name in enumerate(names)}
        codes = frame["signal"].replace_strict(numbers, default=-1, return_dtype=pl.Int64).to_numpy()
        return cls(run, rows, signals, sets, frame["place"].to_numpy().astype(np.int64), codes, names)

    def rule(self, set_name: str, signal: str) -> tuple[RuleSet, Rule]:
        """A rule by the names of its set and its signal. Raises: RecipeError with the nearest names."""
        chosen = self.run.book.get(set_name)
        rules = {rule.signal: rule for rule in chosen.rules}
        if signal not in rules:
            raise RecipeError(f"{set_name} has no rule on {signal!r}", remedy=did_you_mean(signal, rules))
        return chosen, rules[signal]

    def counts(self) -> list[RuleCounts]:
        """Every rule that judges: those that alone drop most first."""
        alone = np.bincount(self.places, minlength=len(self.rows))[self.places] == 1
        key = self.sets[self.places] * len(self.names) + self.fired
        size = len(self.run.book.sets) * len(self.names)
        known = (self.fired >= 0) & (key >= 0)
        hits, unique = (np.bincount(key[known & which], minlength=size) for which in (True, alone))
        found = []
        for number, rules in enumerate(self.run.book.sets):
            for rule in (rule for rule in rules.rules if rule.judges):
                at = number * len(self.names) + self.names.index(rule.signal)
                found.append(RuleCounts(rules.name, rule, int(hits[at]), int(unique[at])))
        return sorted(found, key=lambda r: (-r.unique, -r.hits, r.rule_set, r.rule.signal))

    def mine(self, set_name: str) -> Mask:
        """The files that a set judged."""
        mine: Mask = self.sets == [s.name for s in self.run.book.sets].index(set_name)
        return mine

    def effect(self, set_name: str, rule: Rule) -> Effect:
        """What would change if `rule` stood in the place of the set's rule on its signal."""
        _, old = self.rule(set_name, rule.signal)
        among = np.flatnonzero(self.mine(set_name))
        values = self.signals.values(rule.signal)[among]
        others = np.zeros(len(self.rows), dtype=bool)
        others[
            self.places[self.fired != self.names.index(rule.signal)] if rule.signal in self.names else self.places
        ] = True
        drawn, others = self._drawn(set_name, old)[among], others[among]
        before, after = (others | (r.fires(values) & drawn) for r in (old, rule))
        more, fewer = after & ~before, before & ~after
        limits = np.array([n for n in (rule.below, rule.above, rule.equals) if n is not None] or [0.0])
        distance = np.abs(values[:, None] - limits[None, :]).min(axis=1)
        sides = [among[side][np.argsort(distance[side], kind="stable")] for side in (more, fewer)]
        change = Change(len(among), int(before.sum()), int(after.sum()), int(more.sum()), int(fewer.sum()))
        return Effect(change, *sides)

    def _drawn(self, set_name: str, rule: Rule) -> Mask:
        """The files that chance would not spare if the rule fired on them."""
        if rule.drop_probability >= 1:
            return np.ones(len(self.rows), dtype=bool)
        with self._lock:
            if (set_name, rule.signal) not in self._chances:
                always = dataclasses.replace(rule, below=None, equals=None, above=-np.inf, active=True)
                chosen = self.run.book.get(set_name)
                book = RuleBook(tuple(
                    dataclasses.replace(s, rules=(always,) if s is chosen else ()) for s in self.run.book.sets
                ))  # fmt: skip
                drawn = np.zeros(len(self.rows), dtype=bool)
                reads = judge.reads  # what the step declares: the columns it draws by are its affair
                columns = reads({"rules": book}) if callable(reads) else reads
                for batch in self.run.documents.batches(columns):
                    for _, _, hit, _ in fired(batch, book, self.run.seed):
                        drawn[batch["place"].to_numpy()[hit]] = True
                self._chances[set_name, rule.signal] = drawn
            return self._chances[set_name, rule.signal]


def code_of(set_name: str, rule: Rule) -> str:
    """A changed rule as recipe code.

    >>> print(code_of("python", Rule("num_words", below=50.0, drop_probability=0.8)))
    rules = rules.with_rule("python", Rule("num_words", below=50, drop_probability=0.8))
    """
    return f'rules = rules.with_rule("{set_name}", {expression(rule)})'


def expression(rule: Rule) -> str:
    """A rule as the Python that makes it."""
    shown = [f'"{rule.signal}"']
    for column in dataclasses.fields(rule)[1:]:
        value: Any = getattr(rule, column.name)
        if value != column.default:
            whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
            shown.append(f"{column.name}={int(value) if whole else value!r}")
    return f"Rule({', '.join(shown)})"


def load(rows: Rows, signals: Signals) -> Judged | str:
    """`Judged.load`, or why there is none, in words."""
    try:
        return Judged.load(rows, signals)
    except CodemillError as error:
        return error.what
