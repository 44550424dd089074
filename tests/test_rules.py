"""Rules: when they fire, what they say, which set judges a document, and RefineCode's own numbers."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from codemill.errors import RecipeError
from codemill.machine.identity import shown
from codemill.recipes._refinecode_rules import REFINECODE_RULES
from codemill.rules import Rule, RuleBook, RuleSet, book_from, check_book

SHARED = Path(os.environ.get("CODEMILL_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))
FACTS = SHARED / "facts" / "rules.csv"
NULL = float("nan")
NEVER_FIRED_AS_RELEASED = {"csharp_has_no_variables", "go_has_no_variables"}


def test_a_rule_fires_beyond_its_threshold_and_never_on_null() -> None:
    values = np.array([1.0, 2.0, 5.0, 10.0, 10.5, NULL])
    assert Rule("x", below=2, above=10).fires(values).tolist() == [True, False, False, False, True, False]
    assert Rule("x", equals=1).fires(values).tolist() == [True, *[False] * 5]
    assert not Rule("x", below=2, active=False).fires(values).any()
    assert not Rule("x").fires(values).any()


def test_a_rule_says_why() -> None:
    both = Rule("num_lines", below=10, above=100)
    assert [both.reason(v) for v in (3, 50, 200)] == ["num_lines_too_low", None, "num_lines_too_high"]
    assert [both.limit(v) for v in (3, 200, None)] == ["< 10", "> 100", "< 10 or > 100"]
    assert Rule("is_x", equals=1).reason(1) == "is_x"
    assert Rule("x_parses", equals=0).reason(0) == "not_x_parses"
    assert Rule("n", equals=4).reason(4) == "n_is_4"
    assert both.margin(11) == pytest.approx(0.1)
    assert both.margin(9) < 0 < both.margin(99)
    # The nearer of two limits, each as a share of itself; a rule with one limit knows nothing of the other.
    assert [both.margin(value) for value in (12, 90)] == pytest.approx([0.2, 0.1])
    assert Rule("n", below=10).margin(15) == Rule("n", above=30).margin(15) == pytest.approx(0.5)
    assert Rule("n", above=0).margin(-1) == pytest.approx(1e9)
    assert [Rule("n", equals=4).margin(value) for value in (4, 5)] == [0, float("inf")]
    assert Rule("n").margin(4) == float("inf")


def test_a_rule_is_left_out_of_its_set_only() -> None:
    sets = tuple(RuleSet(name, (Rule("x", below=2), Rule("y", above=3))) for name in ("code", "text"))
    for name, active in {"code:x": [[False, True], [True, True]], "x": [[False, True]] * 2}.items():
        book = RuleBook(sets).without(name)
        assert [[rule.active for rule in book.get(one).rules] for one in ("code", "text")] == active


@pytest.mark.parametrize(
    ("language", "doc_type", "natural", "expected"),
    [
        ("python", "code", None, "python"),
        ("cython", "code", None, "others"),
        ("sql", "data", None, "sql"),
        ("json", "data", None, "data"),
        ("markdown", "text", None, "text_en"),
        ("markdown", "text", "zh", "text_zh"),
        ("html", "web", None, "html"),
        ("csv", None, None, None),
        (None, None, None, None),
    ],
)
def test_which_set_judges(
    language: str | None, doc_type: str | None, natural: str | None, expected: str | None
) -> None:
    chosen = REFINECODE_RULES.select(language, doc_type, natural)
    assert (chosen.name if chosen else None) == expected


def test_a_changed_set_leaves_its_origin_alone() -> None:
    base = RuleSet("base", (Rule("a", above=1), Rule("b", above=2)), doc_types=("code",))
    other = base.changed("other", Rule("a", above=9), Rule("c", below=1), languages=("c",))
    assert [rule.limit() for rule in base.rules] == ["> 1", "> 2"]
    assert [(rule.signal, rule.limit()) for rule in other.rules] == [("a", "> 9"), ("b", "> 2"), ("c", "< 1")]
    assert (other.doc_types, other.languages) == ((), ("c",))
    book = RuleBook((base, other)).with_rule("base", Rule("b", below=0))
    assert [rule.limit() for rule in book.get("base").rules] == ["> 1", "< 0"]
    with pytest.raises(RecipeError, match="did you mean base"):
        book.get("bas")


def test_a_book_survives_its_manifest() -> None:
    written = json.loads(json.dumps(shown({"rules": REFINECODE_RULES})["rules"]))
    assert book_from(written) == REFINECODE_RULES
    with pytest.raises(RecipeError, match="not a rule book"):
        book_from({"sets": [{"name": "x", "rules": [{"signal": "a", "beneath": 3}]}]})


@pytest.mark.parametrize(
    ("book", "message"),
    [
        ("python", "must be a RuleBook, got str"),
        (RuleBook((RuleSet("a", ()), RuleSet("a", ()))), "two rule sets are called 'a'"),
        (RuleBook((RuleSet("a", (Rule("x", below=1), Rule("x", above=3))),)), "two rules on 'x'"),
        (RuleBook((RuleSet("a", (Rule("x", below=1, drop_probability=2),)),)), "between 0 and 1, got 2"),
    ],
)
def test_what_cannot_be_meant_is_refused(book: object, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        check_book(book)


def test_refinecode_has_its_rules() -> None:
    rules = [rule for s in REFINECODE_RULES.sets for rule in s.rules]
    assert (len(REFINECODE_RULES.sets), len(rules)) == (14, 511)
    assert sum(rule.judges for rule in rules) == 448
    chance = sorted(rule.signal for rule in rules if rule.drop_probability < 1)
    assert len(chance) == 8
    assert all(s.endswith("_no_logic_per_line") or s == "go_is_test_file" for s in chance)
    assert {r.signal for r in rules if not r.active} == NEVER_FIRED_AS_RELEASED
    check_book(REFINECODE_RULES)


@pytest.mark.skipif(not FACTS.exists(), reason="the facts are not here")
def test_every_threshold_is_the_released_one() -> None:
    released: dict[str, dict[str, tuple[object, ...]]] = {}
    names = {"<": "below", ">": "above", "==": "equals"}
    for row in csv.DictReader(FACTS.read_text().splitlines()):
        limits = {names[row[f"op{i}"]]: float(row[f"value{i}"]) for i in (1, 2) if row[f"op{i}"]}
        chance, active = float(row["drop_probability"]), row["active"] == "true"
        rule = (limits.get("below"), limits.get("above"), limits.get("equals"), chance, active)
        released.setdefault(row["rule_set"], {})[row["our_name"]] = rule
    for s in REFINECODE_RULES.sets:
        theirs = released.pop(s.name)
        for rule in s.rules:
            judges = rule.judges or rule.signal in NEVER_FIRED_AS_RELEASED
            ours = (rule.below, rule.above, rule.equals, rule.drop_probability, judges)
            assert ours == theirs.pop(rule.signal), (s.name, rule)
        assert not theirs
    assert not released
