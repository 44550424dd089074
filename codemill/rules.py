"""Rules: thresholds on signals, as plain data. Recipes define them; `steps/quality.py` applies them.

A **rule** fires if a signal's value is below, above or equal to a number. It does not fire on null. A **rule set** has
the rules for some languages or document types. A **rule book** is a list of sets; the first that covers a document
judges it. Thresholds are policy, so they live in recipes and not here.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.errors import RecipeError, did_you_mean

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """Drops a document whose `signal` is below, above or equal to a number. Without a number, or with
    `active=False`, the rule is listed and never fires.

    >>> rule = Rule("num_lines", below=10, above=100_000)
    >>> rule.reason(3), rule.limit(3), rule.reason(10)
    ('num_lines_too_low', '< 10', None)
    """

    signal: str
    below: float | None = None
    above: float | None = None
    equals: float | None = None
    drop_probability: float = (
        1.0  # of the documents on which it fires, the share that is dropped, by a hash of the content
    )
    active: bool = True

    @property
    def judges(self) -> bool:
        """Whether the rule can fire at all."""
        return self.active and not self.below is self.above is self.equals is None

    def fires(self, values: Values) -> Mask:
        """Where the rule fires. NaN stands for null, on which no rule fires."""
        fired = np.zeros(len(values), dtype=bool)
        if not self.judges:
            return fired
        for limit, compare in ((self.below, np.less), (self.above, np.greater), (self.equals, np.equal)):
            if limit is not None:
                fired |= compare(values, limit)
        return fired

    def reason(self, value: float) -> str | None:
        """The reason for dropping a document with this value, in snake_case; None if the rule does not fire."""
        if self.equals is not None and value == self.equals:
            flags = {0.0: f"not_{self.signal}", 1.0: self.signal}
            return flags.get(float(value), f"{self.signal}_is_{value:g}")
        if self.below is not None and value < self.below:
            return f"{self.signal}_too_low"
        return f"{self.signal}_too_high" if self.above is not None and value > self.above else None

    def limit(self, value: float | None = None) -> str:
        """The comparison as text: the one that fires for `value`, or all of them."""
        limits = [(self.below, "<"), (self.above, ">"), (self.equals, "=")]
        shown = [f"{sign} {limit:.12g}" for limit, sign in limits if limit is not None]
        if value is not None and self.below is not None and self.above is not None:
            return shown[0] if value < self.below else shown[1]
        return " or ".join(shown)

    def margin(self, value: float) -> float:
        """How far a value is from firing, as a share of the threshold (at least 1e-9); 0 or less if it fires."""
        margins = []
        if self.below is not None:
            margins.append((value - self.below) / max(abs(self.below), 1e-9))
        if self.above is not None:
            margins.append((self.above - value) / max(abs(self.above), 1e-9))
        if self.equals is not None:
            margins.append(0.0 if value == self.equals else float("inf"))
        return min(margins, default=float("inf"))


@dataclass(frozen=True)
class RuleSet:
    """Rules for the documents that match every field that is not empty."""

    name: str
    rules: tuple[Rule, ...]
    languages: tuple[str, ...] = ()
    doc_types: tuple[str, ...] = ()
    natural_languages: tuple[str, ...] = ()

    def covers(self, language: str | None, doc_type: str | None, natural_language: str | None) -> bool:
        """Whether the set judges documents of this kind."""
        wanted = (
            (self.languages, language),
            (self.doc_types, doc_type),
            (self.natural_languages, natural_language),
        )
        return all(value in names for names, value in wanted if names)

    def changed(self, name: str, *rules: Rule, **fields: tuple[str, ...]) -> RuleSet:
        """A copy under another name. Rules on the same signal are replaced in place, others are appended.

        >>> base = RuleSet("base", (Rule("a", above=1), Rule("b", above=2)))
        >>> [r.limit() for r in base.changed("other", Rule("a", above=5), Rule("c", below=3)).rules]
        ['> 5', '> 2', '< 3']
        """
        new = {rule.signal: rule for rule in rules}
        kept = [new.pop(rule.signal, rule) for rule in self.rules]
        return RuleSet(name, (*kept, *new.values()), **fields)


@dataclass(frozen=True)
class RuleBook:
    """Rule sets in order. The first that covers a document judges it; a document that no set covers is kept."""

    sets: tuple[RuleSet, ...]

    def signals(self) -> list[str]:
        """The signals of its active rules, each once, in order."""
        return list(self._signals)

    @functools.cached_property  # asked for each part, of hundreds of rules
    def _signals(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.signal for s in self.sets for rule in s.rules if rule.judges))

    def get(self, name: str) -> RuleSet:
        """The set of that name. Raises: RecipeError with the nearest name."""
        sets = {s.name: s for s in self.sets}
        if name not in sets:
            raise RecipeError(f"there is no rule set {name!r}", remedy=did_you_mean(name, sets))
        return sets[name]

    def select(self, language: str | None, doc_type: str | None, natural_language: str | None = None) -> RuleSet | None:
        """The set that judges a document of this kind, if any."""
        return next((s for s in self.sets if s.covers(language, doc_type, natural_language)), None)

    def assign(self, documents: pa.RecordBatch) -> npt.NDArray[np.int64]:
        """The number of each document's set, -1 for none. Reads language, doc_type, natural_language."""
        columns = [documents[name] for name in ("language", "doc_type", "natural_language")]
        kinds = list(zip(*(column.to_pylist() for column in columns), strict=True))
        number = {}
        for kind in set(kinds):
            chosen = self.select(*kind)
            number[kind] = -1 if chosen is None else self.sets.index(chosen)
        return np.array([number[kind] for kind in kinds], dtype=np.int64)

    def with_rule(self, set_name: str, rule: Rule) -> RuleBook:
        """A copy in which `rule` replaces the set's rule on its signal, or is added to the set.

        Raises: RecipeError for an unknown set.
        """
        old = self.get(set_name)
        new = dataclasses.replace(old, rules=old.changed(old.name, rule).rules)
        return RuleBook(tuple(new if s.name == set_name else s for s in self.sets))

    def without(self, *names: str) -> RuleBook:
        """A copy in which rules never fire: those on a `SIGNAL`, in all sets, or the one of `SET:SIGNAL`.

        Raises: RecipeError for a rule that the book has not, with the nearest.
        """
        off: set[tuple[str, str]] = set()
        there = {(s.name, rule.signal) for s in self.sets for rule in s.rules}
        for name in names:
            before, colon, signal = name.rpartition(":")
            fitting = {(where, what) for where, what in there if what == signal and (not colon or where == before)}
            if not fitting:
                known = {what for _, what in there} | {f"{where}:{what}" for where, what in there if colon}
                raise RecipeError(f"there is no rule {name!r}", remedy=did_you_mean(name, sorted(known)))
            off |= fitting
        return RuleBook(
            tuple(
                dataclasses.replace(
                    s,
                    rules=tuple(
                        dataclasses.replace(r, active=False) if (s.name, r.signal) in off else r for r in s.rules
                    ),
                )
                for s in self.sets
            )
        )


def book_from(value: dict[str, object]) -> RuleBook:
    """Reads a rule book from a manifest. Raises: RecipeError if it is not one."""

    def plain(entry: object) -> dict[str, object]:
        if not isinstance(entry, dict):
            raise TypeError(f"expected an object, got {entry!r}")
        return {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items() if k != "kind"}

    try:
        sets = []
        for entry in value["sets"]:  # type: ignore[attr-defined]
            fields = plain(entry)
            rules = tuple(Rule(**plain(rule)) for rule in fields.pop("rules"))  # type: ignore[arg-type, attr-defined]
            sets.append(RuleSet(rules=rules, **fields))  # type: ignore[arg-type]
    except (KeyError, TypeError) as error:
        raise RecipeError(f"not a rule book: {error}") from error
    return RuleBook(tuple(sets))


def check_book(book: object) -> None:
    """Checks a rule book. Raises: RecipeError for a mistake, naming the set and the rule."""
    if not isinstance(book, RuleBook):
        raise RecipeError(f"rules must be a RuleBook, got {type(book).__name__}", remedy="RuleBook((RuleSet(…), …))")
    for s, twice in _twice([s.name for s in book.sets]):
        raise RecipeError(f"two rule sets are called {twice!r}", where=f"rules, set {s}")
    for rules in book.sets:
        for i, twice in _twice([rule.signal for rule in rules.rules]):
            raise RecipeError(f"two rules on {twice!r}", where=f"rule set {rules.name!r}, rule {i}", remedy="keep one")
        for rule in rules.rules:
            if not 0 <= rule.drop_probability <= 1:
                where = f"rule set {rules.name!r}, {rule.signal}"
                raise RecipeError(f"drop_probability is between 0 and 1, got {rule.drop_probability}", where=where)


def _twice(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield i, name


def values_of(documents: pa.RecordBatch, signal: str) -> Values:
    """A signal's column with NaN for null."""
    column = pc.fill_null(documents[signal].cast(pa.float64()), float("nan"))
    return column.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
