"""The loop of recall: seeds, classifiers, domains, rules, over a crawl that the test writes."""

from __future__ import annotations

import json
import math
import os
import random
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import codemill as cm
from codemill import report, sources
from codemill.errors import InputError, RecipeError
from codemill.machine.builder import build
from codemill.recipes import web_recall
from codemill.report.facts.recall import gather
from codemill.run import Run
from codemill.sources import Warc
from codemill.steps import recall, seeds
from codemill.teacher.calls import ANSWER, Calls
from codemill.web import curves, patterns
from codemill.web.classifier import Model, Segmenter, Settings, train
from codemill.web.labels import Labels
from tests.benchmark_rows import TASK
from tests.killing import building, killed_and_resumed
from tests.teaching import canonical, chat, serving
from tests.test_machine import published
from tests.web_tools import CODE, crawl, words

SITES = {
    **{f"code{i}.test": (30, 0.95) for i in range(6)},
    **{f"other{i}.test": (30, 0.0) for i in range(6)},
    "eight.test": (100, 0.08),
    "thirty.test": (100, 0.30),
    "small.test": (2, 1.0),
}
SEED = {"code0.test": 1, "code1.test": 1, "other0.test": 0, "other1.test": 0}
HELD_OUT = {"code2.test": 1, "code3.test": 1, "other2.test": 0, "other3.test": 0}


def labels(path: Path, of: dict[str, int], key: str = "domain") -> str:
    path.write_text(f"{key},label\n" + "".join(f"{name},{label}\n" for name, label in of.items()))
    return str(path)


def recipe(folder: Path, **more: Any) -> Any:
    small = dict(dim=8, word_ngrams=1, min_count=1, epochs=20, lr=0.5, bucket=1000, vocabulary=512, precision=0.9)
    return web_recall.web_recall(
        (Warc(str(folder / "crawl")),),
        held_out=str(folder / "held_out.csv"),
        sample_bytes=1_000_000,
        random_negatives=0,
        quality_rules="none",
        **{"rounds": 1, "labels": str(folder / "seed.csv"), **small, **more},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recall")
    crawl(folder / "crawl", SITES)
    labels(folder / "seed.csv", SEED)
    labels(folder / "held_out.csv", HELD_OUT)
    (folder / "rules").mkdir()
    (folder / "rules" / "round-1.txt").write_text("+ %://code4.test/%\n+ %://other4.test/%  # not discovered\n")
    build(recipe(folder, rounds=2, rules=str(folder / "rules")), out=folder / "out", workers=1)
    return folder


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "out" / name / "*.parquet")


def test_planted_domains_are_found_and_others_are_not(folder: Path) -> None:
    found = {row["domain"]: row for row in table(folder, "domains_2").to_dicts()}
    assert {name for name, row in found.items() if row["is_code"]} == {
        *(f"code{i}.test" for i in range(6)),
        "thirty.test",
    }
    assert found["eight.test"]["recalled"] > 0
    assert not found["small.test"]["is_code"]  # two pages are too few to say
    assert {row["domain"]: row["pages"] for row in found.values()} == {
        name: pages for name, (pages, _) in SITES.items()
    }
    assert all("thirty.test" in url for url in found["thirty.test"]["examples_missed"])


def test_the_corpus_are_pages_about_code_and_the_ledger_are_all(folder: Path) -> None:
    corpus, ledger = table(folder, "corpus"), table(folder, "ledger")
    assert len(ledger) == sum(pages for pages, _ in SITES.values())
    assert set(ledger["reason"].drop_nulls()) <= {"not_about_code", "near_duplicate"}
    truth = corpus["path"].str.extract(r"/(\d+)\.html").cast(pl.Int64)
    pages = corpus["domain"].replace_strict({n: round(p * s) for n, (p, s) in SITES.items()}, return_dtype=pl.Int64)
    assert ((truth < pages).sum()) / len(corpus) > 0.9


def test_the_last_classifier_recalls_other_corpora(folder: Path, tmp_path: Path) -> None:
    rng = random.Random("further")
    texts = [words(i % 2 == 0, rng) for i in range(60)]
    rows = [{"text": text, "url": f"https://w{i % 3}.test/{i}"} for i, text in enumerate(texts)]
    pl.DataFrame(rows[:30]).write_parquet(tmp_path / "web.parquet")
    pl.DataFrame({"text": texts[30:]}).write_ndjson(tmp_path / "sky.jsonl")
    opened = [sources.open(f"fineweb:{tmp_path}/web.parquet"), sources.open(f"skypile:{tmp_path}/sky.jsonl")]
    made = folder / "out" / "classifier_2"
    build(web_recall.further(opened, classifier=str(made), quality_rules="none"), out=tmp_path / "out", workers=1)
    corpus, ledger, domains = (
        pl.read_parquet(tmp_path / "out" / n / "*.parquet") for n in ("corpus", "ledger", "domains")
    )
    code = set(texts[::2])
    assert len(ledger) == 60
    assert len(set(corpus["content"]) & code) > 0.9 * len(code)
    assert len(set(corpus["content"]) - code) < 3
    assert corpus.filter(pl.col("source") == "jsonl")["domain"].null_count() > 10
    assert set(domains["domain"]) == {f"w{i}.test" for i in range(3)}
    assert domains["pages"].sum() == 30
    theirs = Model(made, 1024).scores(corpus["content"].to_arrow().cast(pa.large_string()))
    assert np.allclose(theirs, corpus["score"].to_numpy(), atol=1e-6)


def test_prose_of_repositories_is_classified_by_the_same_model(folder: Path, tmp_path: Path) -> None:
    rng = random.Random("prose")
    for i in range(10):
        (tmp_path / "in" / "repo").mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / "repo" / f"{i}.md").write_text(words(i % 2 == 0, rng))
    (tmp_path / "in" / "repo" / "a.py").write_text("print(1)\n" * 20)
    classifier = str(folder / "out" / "classifier_2")
    made = web_recall.prose([sources.open(str(tmp_path / "in"))], classifier=classifier, quality_rules="none")
    build(made, out=tmp_path / "out", workers=1)
    ledger = pl.read_parquet(tmp_path / "out" / "ledger" / "*.parquet")
    reasons = dict(zip(ledger["path"].str.split("/").list.last(), ledger["reason"], strict=True))
    assert reasons.pop("a.py") == "language_not_kept"
    right = [reason == (None if int(name[0]) % 2 == 0 else "not_about_code") for name, reason in reasons.items()]
    assert sum(right) >= 9


def test_a_classifier_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no classifier.*classifier_3 of a run of web_recall"):
        recall.Existing(str(tmp_path))


def test_no_page_is_learned_from_and_judged_on(folder: Path) -> None:
    facts = json.loads((folder / "out" / "classifier_1" / "classifier.json").read_text())
    assert facts["examples"] == {"code": 60, "other": 60}
    assert 0 < facts["test"]["all"]["pages"] < 120
    assert facts["test"]["all"]["recall_at_precision"] > 0.9
    batch = pa.record_batch(
        {
            "path": [f"http://{name}/" for name in (*SEED, *HELD_OUT, "free.test")],
            "domain": [*SEED, *HELD_OUT, "free.test"],
            "repo": [*SEED, *HELD_OUT, "free.test"],
        }
    )
    given = Labels(str(folder / "seed.csv")), Labels(str(folder / "held_out.csv"))
    made = seeds.label.function(batch, labels=given[0], held_out=given[1]).to_pydict()
    assert made["label"] == [*SEED.values(), *HELD_OUT.values(), None]
    assert [split == "train" for split in made["split"]] == [True] * 4 + [False] * 4 + [True]
    # labels of the seed count for nothing on a domain that is held out
    both = Labels(labels(folder / "both.csv", {"code2.test": 0}))
    again = seeds.label.function(batch, labels=both, held_out=given[1]).to_pydict()
    assert again["label"] == [None] * 4 + [*HELD_OUT.values(), None]


@dataclass(frozen=True)
class Domains:
    """A table of domains as a step reads it."""

    names: dict[str, bool]

    def table(self, columns: list[str]) -> pa.Table:
        return pa.table({"domain": list(self.names), "is_code": list(self.names.values())}).select(columns)


def test_rules_enlarge_the_seed_inside_of_discovered_domains_alone() -> None:
    cases = [  # domain, path, label, split, recalled → label that is given, whether a rule matches
        ("a.org", "q/missed", None, "train", False, 1, True),
        ("a.org", "q/recalled", None, "train", True, None, True),
        ("a.org", "tags/wrong", None, "train", True, 0, False),
        ("a.org", "tags/right", None, "train", False, None, False),
        ("a.org", "q/tags/both", None, "train", False, None, False),
        ("a.org", "q/labelled", 0, "train", False, None, True),
        ("a.org", "q/held-out", None, "test", False, None, True),
        ("b.org", "q/not-discovered", None, "train", False, None, False),
        ("c.org", "q/unknown", None, "train", False, None, False),
        (None, "q/no-url", None, "train", None, None, False),
    ]
    domain, path, label, split, recalled, given, matched = zip(*cases, strict=True)
    batch = pa.record_batch(
        {
            "domain": pa.array(domain, pa.string()),
            "path": [f"http://{d}/{p}" for d, p in zip(domain, path, strict=True)],
            "label": pa.array(label, pa.int8()),
            "split": pa.array(split),
            "is_recalled": pa.array(recalled, pa.bool_()),
        }
    )
    rules = patterns.Rules(("%/q/%",), ("%/tags/%",))
    made = seeds.enlarge.function(batch, Domains({"a.org": True, "b.org": False}), rules=rules)
    assert made["label"].to_pylist() == list(given)
    assert made["is_matched"].to_pylist() == list(matched)


def test_a_rule_of_a_round_is_learned_from_in_the_next(folder: Path) -> None:
    facts = [json.loads((folder / "out" / f"classifier_{i}" / "classifier.json").read_text()) for i in (1, 2)]
    more = facts[1]["examples"]["code"] - facts[0]["examples"]["code"]
    assert 0 < more <= 30  # pages of code4.test that round 1 missed; other4.test was not discovered
    assert facts[1]["examples"]["other"] == facts[0]["examples"]["other"]


ODD = ["", " ", "</s>", "a </s> b", "__label__code", "\0\0a\0", "\u2028\x85\u00a0\ufeff"]
HOSTILE = [*ODD, "你好，世界" * 500, "x" * 9000, "😀" * 99]


@pytest.mark.parametrize("word_ngrams", [1, 2, 4])
def test_scores_are_those_of_fasttext(folder: Path, tmp_path: Path, word_ngrams: int) -> None:
    made = tmp_path
    shutil.copy(folder / "out" / "classifier_1" / "tokenizer.json", made)
    rng = random.Random(word_ngrams)
    texts = table(folder, "corpus")["content"].to_list()[:100]
    segmenter = Segmenter(made)
    lines = segmenter.lines(pa.array(texts + [words(False, rng) for _ in range(100)], pa.large_string()), 1024)
    settings = Settings(dim=7, lr=0.05, epoch=1, word_ngrams=word_ngrams, min_count=2, bucket=500)
    assert train([(int(i < 100), line, i) for i, line in enumerate(lines)], settings, made / "model.bin") == (100, 100)
    alphabet = [chr(n) for n in (*range(0x250), *range(0x3040, 0x3100), *range(0x1F600, 0x1F640))]
    noise = ["".join(rng.choices(alphabet, k=rng.randrange(300))) for _ in range(100)]
    asked = pa.array([*HOSTILE, *noise, *texts], pa.large_string())
    for most in (1, 50, 1024):
        ours = Model(made, most).scores(asked)
        theirs = fasttext.load_model(str(made / "model.bin"))
        found = theirs.f.multilinePredict([line + "\n" for line in segmenter.lines(asked, most)], 2, 0.0, "strict")
        wanted = [min(1.0, dict(zip(*one, strict=True))["__label__code"]) for one in zip(*found, strict=True)]
        assert np.abs(ours - np.array(wanted)).max() < 1e-5
    assert len(set(wanted)) > 100


def test_a_model_that_the_core_does_not_read_is_an_error(folder: Path, tmp_path: Path) -> None:
    for name in ("model.bin", "tokenizer.json"):
        shutil.copy(folder / "out" / "classifier_1" / name, tmp_path)
    whole = (tmp_path / "model.bin").read_bytes()
    for data, why in ((whole[:-1], "ends early"), (b"", "ends early"), (b"x" * 99, "not a model of fastText")):
        (tmp_path / "model.bin").write_bytes(data)
        with pytest.raises(InputError, match=why):
            Model(tmp_path, 1024)


def test_the_same_seed_gives_the_same_model_for_any_workers(folder: Path, tmp_path: Path) -> None:
    build(recipe(folder), out=tmp_path / "two", workers=2)
    one = (folder / "out" / "classifier_1" / "model.bin").read_bytes()
    assert (tmp_path / "two" / "classifier_1" / "model.bin").read_bytes() == one
    build(recipe(folder, seed=1), out=tmp_path / "other", workers=2)
    assert (tmp_path / "other" / "classifier_1" / "model.bin").read_bytes() != one


def test_a_rule_of_round_2_builds_nothing_of_round_1_anew(folder: Path) -> None:
    def fingerprints() -> list[tuple[str, str]]:
        plan = cm.plan(recipe(folder, rounds=3, rules=str(folder / "rules")), out=folder / "out")
        return [(node.table.step.name, node.fingerprint) for node in plan.nodes]

    before = fingerprints()
    (folder / "rules" / "round-2.txt").write_text("+ %://code4.test/%\n")
    after = fingerprints()
    first = next(i for i, (one, other) in enumerate(zip(before, after, strict=True)) if one != other)
    assert before[first][0] == "seeds.enlarge"
    assert [name for name, _ in before[:first]].count("recall.train") == 2


@pytest.mark.parametrize(
    ("wanted", "least", "most"), [(0, 0, 0), (100, 90, 100), (1000, 1000, 1000), (10**9, 1000, 1000)]
)
def test_random_negatives_are_about_as_many_as_are_wanted(wanted: int, least: int, most: int) -> None:
    rng = np.random.default_rng(0)
    batch = pa.record_batch(
        {
            "label": pa.nulls(1000, pa.int8()),
            "split": pa.repeat("train", 1000),
            "content_sha256": pa.array([rng.bytes(32) for _ in range(1000)], pa.binary(32)),
            "content": pa.array(["a"] * 1000, pa.large_string()),
        }
    )

    class Pages:
        def batches(self, columns: list[str]) -> Any:
            return iter([batch.select(columns)])

    class Lines:
        def lines(self, texts: pa.Array, most: int) -> list[str]:
            return texts.to_pylist()

    limit = recall._limit(Pages(), wanted, 0)
    assert least <= len(list(recall._examples(Pages(), Lines(), limit, 10, 0))) <= most


def tiny() -> Any:
    """What the killed builds build."""
    return recipe(Path(os.environ["RECALL"]), rounds=2)


@pytest.mark.slow
def test_kills_change_no_byte(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL", str(folder))
    seen = ["pages.files/*", "recall.train/*/tokenizer.json", "recall.score/*", "domains.count/*/*"]
    killed_and_resumed("tests.test_recall.tiny", seen, tmp_path)


def sure(body: dict[str, Any], attempt: int) -> Any:
    """A server's answer about a page, after a while: words about code make it sure."""
    yes = 0.95 if "compile" in canonical(body) or "pointer" in canonical(body) else 0.02
    top = [{"token": token, "logprob": math.log(p)} for token, p in (("YES", yes), ("NO", 1 - yes))]
    said = chat("YES")
    said["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    return said, 0.2


def asking() -> Any:
    """What the killed builds of a teacher's seed build."""
    options = {"labels": None, "teacher": f"m@{os.environ['TEACHER']}", "candidates": 60, "best": 20}
    return recipe(Path(os.environ["RECALL"]), **options)


@pytest.mark.slow
def test_kills_ask_a_teacher_nothing_that_it_answered(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL", str(folder))
    killed, table = tmp_path / "killed", "tests.test_recall.asking"

    def answered() -> set[str]:
        with Calls(tmp_path / "killed.calls") as calls:
            return {canonical(found["body"]) for _, _, found in calls.records(ANSWER)}

    with serving(sure) as server:
        monkeypatch.setenv("TEACHER", server.url)
        for more in (2, 30):  # at the probe's answer or soon after it, then amid the pages
            before = len(server.seen)
            process = building(table, killed)
            while len(server.seen) < before + more and process.poll() is None:
                time.sleep(0.005)
            process.kill()
            process.wait()
            time.sleep(0.5)  # the workers end with their parent
        known, mark = answered(), len(server.seen)
        assert known
        assert building(table, killed).wait() == 0
        assert len(server.seen) > mark, "it was too late to kill it"
        assert not known & set(server.seen[mark:])
        assert building(table, tmp_path / "whole", workers=1).wait() == 0
    assert published(killed) == published(tmp_path / "whole")


def test_labels_that_are_wrong_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="0 or 1, got '2'"):
        Labels(labels(tmp_path / "a.csv", {"a.org": 2}))
    with pytest.raises(InputError, match="url or domain"):
        Labels(labels(tmp_path / "b.csv", {"a.org": 1}, key="page"))
    with pytest.raises(InputError, match="url or domain") as error:
        Labels(labels(tmp_path / "long.csv", {"a.org": 1}, key="a" * 8_000_000))
    assert len(str(error.value)) < 500 + len(str(tmp_path))
    with pytest.raises(InputError, match="cannot read"):
        Labels(str(tmp_path / "none.csv"))
    (tmp_path / "c.txt").write_text("a")
    with pytest.raises(InputError, match="one of"):
        Labels(str(tmp_path / "c.txt"))
    assert Labels(labels(tmp_path / "d.csv", {"http://x.a.org/1": 1}, key="url")).domains() == {"a.org"}


def test_rules_that_would_not_be_read_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"no folder of rules 'english'.*en or zh"):
        recipe(folder, rounds=2, rules="english")
    with pytest.raises(RecipeError, match=r"no rules would be read.*holds nothing"):
        recipe(folder, rounds=2, rules=str(tmp_path))
    (tmp_path / "round1.txt").write_text("+ %://code4.test/%\n")
    with pytest.raises(RecipeError, match=r"only round-1.txt would be read.*holds round1.txt"):
        recipe(folder, rounds=2, rules=str(tmp_path))
    (tmp_path / "round-2.txt").write_text("+ %://code4.test/%\n")
    recipe(folder, rounds=3, rules=str(tmp_path))
    with pytest.raises(RecipeError, match="a single round reads no rules"):
        recipe(folder, rounds=1, rules=str(tmp_path))


def test_as_many_rules_as_one_likes() -> None:
    rules = [f"%://site{number}.example.org/docs/%" for number in range(20_000)]
    urls = pa.array(["https://site19999.example.org/docs/a", "https://site20000.example.org/docs/a", None])
    assert patterns.matches(urls, rules).tolist() == [True, False, False]


def test_patterns_match_as_they_are_written() -> None:
    urls = pa.array(["https://stackoverflow.com/questions/1", "https://stackoverflow.com/users/1", "http://a.b/", None])
    rules = patterns.ours("en")
    assert patterns.matches(urls, rules.code).tolist() == [True, False, False, False]
    assert patterns.matches(urls, rules.other).tolist() == [False, True, False, False]
    assert patterns.matches(pa.array(["http://a.b/x(.y"]), ["%A.b/x(.%"]).tolist() == [True]
    assert patterns.matches(pa.array(["http://axb/"]), ["%a.b/%"]).tolist() == [False]
    assert len(patterns.ours("zh").code) == 18
    with pytest.raises(RecipeError, match="every URL"):
        patterns.Rules(("%%",))
    with pytest.raises(InputError, match=r"r\.txt:2"):
        patterns.parse("+ %a%\nwhat\n", "r.txt")


def test_curves_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    scores, truth = rng.random(500).round(2), rng.integers(0, 2, 500)
    thresholds, precisions, recalls = curves.curve(scores, truth)
    for threshold, precision, found in zip(thresholds, precisions, recalls, strict=True):
        taken = scores >= threshold
        assert precision == pytest.approx(truth[taken].mean())
        assert found == pytest.approx(truth[taken].sum() / truth.sum())
    limit = curves.threshold_for_precision(scores, truth, 0.5)
    assert limit is not None
    assert truth[scores >= limit].mean() >= 0.5
    assert curves.threshold_for_precision(np.array([0.5]), np.array([0]), 0.9) is None
    # Nine of ten right is more certain than one of one; of nothing there is no threshold.
    scores, truth = np.array([0.99, *[0.9] * 10, *[0.1] * 20]), np.array([1, *[1] * 9, 0, *[0] * 20])
    assert curves.most_certain(scores, truth) == 0.9
    assert curves.most_certain(scores[:0], truth[:0]) == 1.0
    assert curves.recall_at_precision(np.array([0.9, 0.8, 0.1]), np.array([1, 0, 1]), 1.0) == 0.5


FIGURES = ("precision", "recall", "recall_at_precision")


def test_the_report_shows_the_rounds(folder: Path, tmp_path: Path) -> None:
    page = report.render(folder / "out")
    assert '<section id="recall">' in page
    rounds = page[page.index('<section id="recall">') :]
    facts = json.loads((folder / "out" / "classifier_2" / "classifier.json").read_text())
    assert f"{facts['thresholds']['all']:.4f}" in rounds
    assert "this one is surely the most precise" not in rounds
    words = [word for word, _ in facts["telling"]["code"]]
    assert not any("Ġ" in word for word in words)  # how byte-level tokens write a blank
    assert set(words) & set(CODE.split())
    gathered = gather(Run.open(folder / "out"))
    assert gathered is not None
    known: set[str] = set()
    for number, shown in enumerate(gathered.rounds, 1):
        found = table(folder, f"domains_{number}")
        code = set(found.filter("is_code")["domain"])
        assert (shown.recalled, shown.pages) == (found["recalled"].sum(), found["pages"].sum())
        assert (shown.domains, shown.new_domains) == (len(code), len(code - known))
        test = json.loads((folder / "out" / f"classifier_{number}" / "classifier.json").read_text())["test"]["all"]
        gain = [f"{shown.recalled:,}", f"{len(code)}", f"{len(code - known)}"]
        held_out = [f"{test['pages']}", *(f"{100 * test[n]:.1f} %" for n in FIGURES)]
        cells = "".join(f'<td class="n">{text}</td>' for text in (*held_out, *gain))
        assert cells in rounds
        known |= code
    curve = re.search('<polyline [^>]*points="([^"]*)"', rounds)
    assert curve is not None
    points = [f"{40 + 290 * p['recall']:.1f},{170 - 160 * p['precision']:.1f}" for p in facts["curve"]]
    assert curve[1].split() == points
    assert len(points) > 5
    assert sum(row["pages"] for row in facts["calibration"]) == facts["test"]["all"]["pages"]
    for row in facts["calibration"]:
        cells = (f"{row['pages']}", f"{row['score']:.3f}", f"{100 * row['code']:.1f} %")
        shown_row = f'<th scope="row">{row["from"]:.1f}</th>' + "".join(f'<td class="n">{c}</td>' for c in cells)
        assert shown_row in rounds
    shutil.copytree(folder / "out", tmp_path / "out", symlinks=True)
    for number in (1, 2):
        file = tmp_path / "out" / f"classifier_{number}" / "classifier.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "less_precise": ["all"]}))
    assert "this one is surely the most precise" in report.render(tmp_path / "out")


def test_pages_with_tasks_of_benchmarks_are_dropped(folder: Path, tmp_path: Path) -> None:
    task = tmp_path / "HumanEval.jsonl"
    task.write_text(json.dumps(TASK) + "\n")
    made = recipe(folder, decontaminate=(str(task),))
    classifier = str(folder / "out" / "classifier_1")
    more = web_recall.further((Warc(str(folder / "crawl")),), classifier=classifier, decontaminate=(str(task),))
    for outputs in (made, more):
        assert "decontaminate.drop" in [table.step.name for table in outputs["corpus"].layers()]
    assert "decontaminate.drop" not in [table.step.name for table in recipe(folder)["corpus"].layers()]
