"""Tuning a finished run: unique hits, what-if, both sides of a threshold, perplexity; the same in the terminal."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import codemill as cm
from codemill.cli import cli
from codemill.report.facts import answers
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.steps import clean, detect, ingest, quality
from codemill.tuning import perplexity
from codemill.tuning import thresholds as tuning
from tests.test_cli import codemill
from tests.toys import Literals

RULES = RuleSet(
    "python",
    (Rule("num_words", below=3), Rule("num_chars", below=20, above=100), Rule("mean_word_length_chars")),
    languages=("python",),
)
BOOK = RuleBook((RULES,))
TEXTS = (
    "abcdefghijklmnopqrstuvwxyz\n",  # f00000: num_words alone
    "for each item print item\n",  # f00001 stays
    "a b c d\n",  # f00002: num_chars alone
    "y\n",  # f00003: both
    "word " * 30,  # f00004: num_chars, too high, alone
    "define a function of x\n",  # f00005 stays
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    files = detect.language(ingest.documents(sources=(Literals(TEXTS, per_part=4, per_batch=3),)))
    judged = quality.judge(quality.measure(files), rules=BOOK)
    cm.build(quality.keep(judged), out=folder, workers=1, recipe={"name": "toy", "parameters": {}})
    return folder


def test_survey_counts_hits_and_what_only_one_rule_removes(out: Path) -> None:
    tallies = {t.rule.signal: t for t in tuning.survey(tuning.measured(out))}
    assert sorted(tallies) == ["num_chars", "num_words"]
    words, chars = tallies["num_words"], tallies["num_chars"]
    assert (words.documents, words.hits, words.unique, words.nulls) == (6, 2, 1, 0)
    assert (chars.hits, chars.unique, chars.hit_bytes) == (3, 2, sum(len(TEXTS[i]) for i in (2, 3, 4)))
    assert chars.counts.sum() == 6
    assert chars.kept.sum() == 2


def test_what_if_is_what_a_run_would_do(out: Path, tmp_path: Path) -> None:
    run = tuning.measured(out)
    book = BOOK.with_rule("python", Rule("num_chars", below=24, above=1000))
    assert tuning.what_if(run, book) == tuning.Change(documents=6, dropped=4, would_drop=4, more=1, fewer=1)
    files = detect.language(ingest.documents(sources=(Literals(TEXTS),)))
    built = cm.build(quality.keep(quality.judge(quality.measure(files), rules=book)), out=tmp_path, workers=1)
    assert built["dropped"]["rows"] == 4
    with pytest.raises(cm.RecipeError, match="did not measure 'num_sords'"):
        tuning.what_if(run, RuleBook((RuleSet("a", (Rule("num_sords", below=1),)),)))


def test_several_books_in_one_pass_are_judged_as_each_alone(out: Path) -> None:
    run = tuning.measured(out)
    other = RuleSet("all", (Rule("num_words", above=4), Rule("num_chars", below=9, drop_probability=0.5)))
    books = [
        BOOK.with_rule("python", Rule("num_chars", below=24)),
        RuleBook(()),
        RuleBook((other, RULES)),
        RuleBook((RULES, other)),
        BOOK,
        BOOK.with_rule("python", dataclasses.replace(RULES.rules[0], active=False)),
    ]
    together = tuning.what_ifs(run, books)
    assert together == [tuning.what_if(run, book) for book in books]
    for change, book in zip(together, books, strict=True):
        batches = list(run.documents.batches(sorted(run.documents.columns() - {"reason", "value"})))
        assert change.would_drop == sum(int(tuning.dropped(batch, book, run.seed).sum()) for batch in batches)
    assert len({change.would_drop for change in together}) > 2
    assert tuning.what_ifs(run, []) == []


def test_around_shows_the_nearest_on_either_side(out: Path) -> None:
    near = tuning.around(tuning.measured(out), [(RULES, RULES.rules[1])], n=2)[0]
    assert [(row["path"], row["value"], row["others"]) for row in near["dropped"]] == [
        ("f00002.py", 8, 0),
        ("f00003.py", 2, 1),
    ]
    assert [row["path"] for row in near["spared"]] == ["f00005.py", "f00001.py"]


@pytest.mark.parametrize(
    ("rule", "value"), [(Rule("a", above=0.4), 0.4), (Rule("a", below=30), 30), (Rule("a", above=3e6), 3e6)]
)
def test_a_scale_can_be_read_back(rule: Rule, value: float) -> None:
    scale = tuning.Scale.of(rule)
    place = float(scale.place(np.array(value)))
    assert 0 < place < 1
    assert scale.value(place) == pytest.approx(value)


def test_ranked_by_perplexity(out: Path, tmp_path: Path) -> None:
    model = perplexity.train([TEXTS[1]] * 20)
    model.save(tmp_path / "model.npz")
    loaded = perplexity.NgramModel.load(tmp_path / "model.npz")
    assert loaded.score(TEXTS).tolist() == model.score(TEXTS).tolist()
    ranks = tuning.ranked(tuning.measured(out), loaded, n=1, of="all")
    assert ranks["lowest"][0]["path"] == "f00001.py"
    assert ranks["highest"][0]["path"] != "f00001.py"
    assert len(tuning.ranked(tuning.measured(out), loaded, of="dropped")["lowest"]) == 4
    with pytest.raises(cm.RecipeError, match="did you mean kept"):
        tuning.ranked(tuning.measured(out), loaded, of="kep")


def test_texts_are_there_where_cleaning_changed_only_some(tmp_path: Path) -> None:
    texts = ("print(1)  # of nobody\n", "# Written by Jane Doe\nprint(2)\n")
    files = clean.redact(detect.language(ingest.documents(sources=(Literals(texts),))))
    cm.build(quality.judge(quality.measure(files), rules=BOOK), out=tmp_path, workers=1)
    found = [text for batch in tuning.texts(tuning.measured(tmp_path)) for text in batch["content"].to_pylist()]
    assert found == [texts[0], "# Written by <name>\nprint(2)\n"]


def test_perplexity_is_a_probability_and_survives_anything(tmp_path: Path) -> None:
    model = perplexity.train(["abcabcabc" * 100], order=3)
    score = model.score(["", "abcabc", "\ud800", "zzzzzz", "a" * 1_000_000])
    assert np.isfinite(score).all()
    assert score[1] < 3 < 256 < score[3]  # worse than guessing: it was sure of something else
    empty = np.zeros(perplexity._TABLE, dtype=np.uint32)
    unseen = dataclasses.replace(model, seen=(empty,), followed=(empty,))
    assert unseen.score(["anything"])[0] == pytest.approx(256)
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04nonsense")
    for wrong in ("bad.npz", "nowhere.npz"):
        with pytest.raises(cm.InputError):
            perplexity.trusted(tmp_path / wrong)
    with pytest.raises(cm.RecipeError, match="some text"):
        perplexity.train(["", ""])


def test_explain_shows_signals_beside_thresholds(out: Path) -> None:
    quality_of = {path: answers.explain_data(out, path)["matches"][0]["quality"] for path in ("f00003.py", "f00005.py")}
    rules = quality_of["f00003.py"]["rules"]
    assert [(r["signal"], r["value"], r["limit"]) for r in rules if r["fired"]] == [
        ("num_words", 1, "< 3"),
        ("num_chars", 2, "< 20"),
    ]
    missed = quality_of["f00005.py"]["rules"]
    assert [(r["signal"], r["fired"]) for r in missed] == [("num_chars", False), ("num_words", False)]
    assert missed[0]["margin"] == pytest.approx((len(TEXTS[5]) - 20) / 20)
    printed = " ".join(codemill("explain", str(out), "f00003.py").stdout.split())
    assert "judged by the rules for python: 2 rules of 2 fired" in printed
    assert "num_chars 2 < 20" in printed


def test_what_the_verbs_take_is_frozen() -> None:
    takes = {
        "show": ["dir", "--target", "--json"],
        "rules": ["dir", "--json"],
        "rule": ["dir", "rule", "--json"],
        "compare": ["dir", "others", "--json"],
        "rank": ["dir", "trusted", "--json"],
        "signals": ["dir", "--language", "--json"],
    }
    assert {verb: [o.opts[0] for o in cli.commands[verb].params] for verb in takes} == takes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["rules"], "python num_chars < 20 or > 100 6 3 50.0 % 2 160 B"),
        (["rule", "num_chars"], "just over the threshold 8 toy/f00002.py"),
        (["compare", "python:num_chars<24"], "5 files of 6 would be dropped instead of 4: 1 more, 0 fewer."),
        (["rank", "."], "Highest perplexity: noise?"),
    ],
)
def test_in_the_terminal(out: Path, tmp_path: Path, options: list[str], words: str) -> None:
    (tmp_path / "a.py").write_text(TEXTS[1])
    done = codemill(options[0], str(out), *options[1:], cwd=tmp_path)
    assert words in " ".join(done.stdout.split()), done.stdout + done.stderr
    assert json.loads(codemill(options[0], str(out), *options[1:], "--json", cwd=tmp_path).stdout)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["rule", "num_char"], 2, "did you mean num_chars"),
        (["compare", "num_chars!3"], 2, "a change is written"),
        (["compare", "pyton:num_chars<3"], 2, "did you mean python"),
        (["rank", "nowhere"], 1, "no such model or folder"),
        (["show", "--rules"], 2, "No such option"),
    ],
)
def test_mistakes_in_the_terminal(out: Path, options: list[str], status: int, message: str) -> None:
    done = codemill(options[0], str(out), *options[1:])
    assert message in " ".join(done.stderr.split())
    assert done.returncode == status


def test_a_run_without_rules_says_so(tmp_path: Path) -> None:
    cm.build(ingest.documents(sources=(Literals(TEXTS),)), out=tmp_path, workers=1)
    with pytest.raises(cm.InputError, match="no rules were judged"):
        tuning.measured(tmp_path)


def test_it_can_be_imported_first() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import codemill.tuning.thresholds"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
