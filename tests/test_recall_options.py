"""Options of a web recall: what is counted, what is kept besides, whose threshold holds, and in what labels come."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from codemill.errors import InputError, RecipeError
from codemill.machine.builder import build
from codemill.steps import domains, recall
from codemill.web.labels import Labels
from tests.benchmark_rows import FUNCTION, TASK
from tests.test_recall import HELD_OUT, SEED, SITES, labels, recipe, table
from tests.web_tools import crawl, page, record, words, write


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over two texts that are on a seed site and a held-out site, two hosts of one domain, and a task."""
    made = tmp_path_factory.mktemp("planted")
    labels(made / "seed.csv", SEED)
    labels(made / "held_out.csv", HELD_OUT)
    hosts = {"docs.both.test": (30, 1.0), "shop.both.test": (30, 0.0)}
    crawl(made / "crawl", {**{name: SITES[name] for name in (*SEED, *HELD_OUT)}, **hosts})
    rng = random.Random("planted")
    equal, text = page(True, rng), words(True, rng)
    pages = {
        "code0.test/equal": equal,
        "code2.test/equal": equal,
        "code0.test/text": f"<html><title>Here</title><body><main><p>{text}</p></main></body></html>".encode(),
        "code2.test/text": f"<!doctype html><title>Here</title><nav>Up</nav><article><div>{text}</div>".encode(),
        "code1.test/task": f"<main><p>{words(True, rng)}</p><pre>{FUNCTION}</pre></main>".encode(),
        **{f"docs.both.test/odd/{i}": page(False, rng) for i in range(5)},
    }
    write(made / "crawl" / "planted.warc.gz", [record(f"http://{url}", body) for url, body in pages.items()])
    (made / "rules").mkdir()
    (made / "rules" / "round-1.txt").write_text("+ %://docs.both.test/odd/%\n+ %://shop.both.test/%\n")
    (made / "HumanEval.jsonl").write_text(json.dumps(TASK) + "\n")
    options = {"by": "host", "with_matched": True, "decontaminate": (str(made / "HumanEval.jsonl"),)}
    build(recipe(made, rules=str(made / "rules"), **options), out=made / "out", workers=1)
    return made


def test_a_text_on_two_sites_is_learned_from_or_judged_on_and_never_both(planted: Path) -> None:
    rows = {row["path"]: row for row in table(planted, "ledger").to_dicts()}
    for name in ("equal", "text"):
        kept, dropped = (rows[f"http://{site}.test/{name}"] for site in ("code0", "code2"))
        assert (dropped["reason"], dropped["kept_id"]) == ("clean_duplicate", kept["id"])
    assert sum(row["reason"] == "clean_duplicate" for row in rows.values()) == 2
    facts = json.loads((planted / "out" / "classifier_1" / "classifier.json").read_text())
    assert facts["examples"] == {"code": 63, "other": 60}


def test_hosts_of_one_domain_are_counted_apart_where_it_is_asked_for(planted: Path) -> None:
    found = {row["domain"]: row for row in table(planted, "domains_1").to_dicts()}
    assert "both.test" not in found
    assert (found["docs.both.test"]["pages"], found["docs.both.test"]["is_code"]) == (35, True)
    assert (found["shop.both.test"]["pages"], found["shop.both.test"]["is_code"]) == (30, False)


def test_as_many_domains_as_one_likes_are_counted_in_order() -> None:
    names = [f"site{i}.test" for i in range(300) for _ in range(i % 7 + 1)]
    random.Random(0).shuffle(names)
    columns = {"domain": names, "path": [f"http://{name}/{i}" for i, name in enumerate(names)]}
    batch = pa.record_batch({**columns, "is_recalled": [i % 2 == 0 for i in range(len(names))]})
    found = domains.count.function(pa.Table.from_batches([domains._keys(batch, by="domain")]))
    assert found["domain_key"].to_pylist() == sorted(found["domain_key"].to_pylist())
    for row in found.to_pylist():
        urls = [*row["examples_recalled"], *row["examples_missed"]]
        assert len(urls) == min(5, row["recalled"]) + min(5, row["pages"] - row["recalled"])
        assert {url.split("/")[2] for url in urls} == {row["domain"]}


def test_pages_that_rules_match_are_kept_besides_where_it_is_asked_for(planted: Path) -> None:
    corpus = table(planted, "corpus")
    odd = corpus.filter(pl.col("path").str.contains("/odd/"))
    assert len(odd) == 5
    assert not odd["is_recalled"].any()
    assert odd["is_matched"].all()
    shop = corpus.filter(pl.col("repo") == "shop.both.test")  # its host was not discovered, so no rule counts
    assert shop["is_recalled"].all()
    assert len(shop) < 3


def test_rules_of_every_round_say_what_is_kept_besides(planted: Path, tmp_path: Path) -> None:
    for number, site in ((1, "code4"), (2, "code5"), (3, "code4")):
        (tmp_path / f"round-{number}.txt").write_text(f"+ %://{site}.test/%\n- %://{site}.test/tags/%\n")
    corpus = recipe(planted, rounds=3, rules=str(tmp_path), with_matched=True)["corpus"]
    used = [t.params["rules"].code for t in corpus.layers() if t.step.name == "seeds.enlarge"]
    code4, code5 = ("%://code4.test/%",), ("%://code5.test/%",)
    assert sorted(used) == sorted([code4, code5, code4 + code5])
    assert used[0] == code4 + code5 or used[-1] == code4 + code5


def test_a_page_with_a_task_of_a_benchmark_is_dropped(planted: Path) -> None:
    rows = {row["path"]: row for row in table(planted, "ledger").to_dicts()}
    assert rows["http://code1.test/task"]["step"] == "decontaminate.drop"
    assert sum(row["step"] == "decontaminate.drop" for row in rows.values()) == 1


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_labels_come_in_three_formats_or_are_a_list_of_what_is_about_code(tmp_path: Path, kind: str) -> None:
    def file(name: str, frame: pl.DataFrame) -> Labels:
        path = tmp_path / f"{name}.{kind}"
        {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[kind](path)
        return Labels(str(path))

    urls = pa.array(["http://a.org/1", "http://a.org/2", "http://b.org/1", "http://c.org/1"])
    domains = pa.array(["a.org", "a.org", "b.org", "c.org"])
    rows = {"domain": ["a.org", "b.org", None], "url": [None, None, "http://a.org/2"], "label": [1, 0, 0]}
    assert file("both", pl.DataFrame(rows)).of(urls, domains).tolist() == [1, 0, 0, -1]
    listed = file("listed", pl.DataFrame({"domain": ["a.org", "b.org"]}))
    assert listed.of(urls, domains).tolist() == [1, 1, 1, -1]
    assert listed.domains() == {"a.org", "b.org"}
    assert file("pages", pl.DataFrame({"url": ["http://a.org/2"]})).of(urls, domains).tolist() == [-1, 1, -1, -1]
    with pytest.raises(InputError, match="url or domain, and label"):
        file("wrong", pl.DataFrame({"domain": ["a.org"], "title": ["A"]}))


def test_a_threshold_of_what_no_page_is_is_refused(planted: Path) -> None:
    found = recipe(planted)
    table, model = found["corpus"], found["classifier_1"]
    for name in ("all", "zh", "forum"):
        recall.judge(table, model, name="score_1", thresholds={name: 0.5})
    with pytest.raises(RecipeError, match=r"no page is of 'forums'.*did you mean forum"):
        recall.judge(table, model, name="score_1", thresholds={"forums": 0.5})


@dataclass(frozen=True)
class Classifier:
    """The folder of a classifier as a step reads it."""

    folder: Path


def test_a_kind_of_site_and_a_language_have_thresholds_of_their_own(tmp_path: Path) -> None:
    def pages(count: int, right: float, wrong: float, language: str, kind: str | None) -> list[Any]:
        """Half of them about code, for thresholds."""
        return [("valid", i % 2, right if i % 2 else wrong, language, kind) for i in range(count)]

    held = [*pages(100, 0.7, 0.5, "en", None), *pages(60, 0.4, 0.2, "en", "forum"), *pages(60, 0.9, 0.8, "zh", None)]
    held += pages(20, 0.1, 0.0, "en", "blog")  # too few
    held += [("valid", 1, 0.01 * i, "en", "docs") for i in range(60)]  # of one label alone
    thresholds = recall._figures(held, 0.95)["thresholds"]
    assert {name: thresholds.get(name) for name in ("forum", "zh", "blog", "docs")} == {
        "forum": 0.4,
        "zh": 0.9,
        "blog": None,
        "docs": None,
    }
    (tmp_path / "classifier.json").write_text(json.dumps({"thresholds": {"all": 0.6, "forum": 0.4, "zh": 0.9}}))
    cases = [  # kind of site, language, score → recalled, and with thresholds given by hand
        ("forum", "en", 0.5, True, False),
        ("forum", "zh", 0.5, True, False),
        ("docs", "zh", 0.8, False, True),
        (None, "zh", 0.8, False, True),
        (None, "en", 0.65, True, True),
        ("docs", None, 0.55, False, False),
    ]
    kind, language, score, recalled, by_hand = (list(column) for column in zip(*cases, strict=True))
    batch = pa.record_batch(
        {
            "site_kind": pa.array(kind, pa.string()),
            "language": pa.array(language, pa.string()),
            "score": pa.array(score, pa.float32()),
        }
    )
    model = Classifier(tmp_path)
    assert recall.judge.function(batch, model)["is_recalled"].to_pylist() == recalled
    given = recall.judge.function(batch, model, thresholds={"forum": 0.6, "zh": 0.7})
    assert given["is_recalled"].to_pylist() == by_hand
