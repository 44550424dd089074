"""Budgets of languages: hit, never exceeded, and the same choice however the corpus is cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.sources import Parquet
from codemill.steps import detect, ingest, quality, sample
from tests.toys import hashes

LANGUAGES = {"java": "java", "html": "html", "py": "python"}


def corpus(rows: int, *, first: int = 0) -> pa.Table:
    """Files of three languages, of 30 to 700 bytes."""
    numbers = range(first, first + rows)
    return pa.table(
        {
            "repo": [f"owner/r{i % 40}" for i in numbers],
            "path": [f"src/f{i}.{list(LANGUAGES)[i % 3]}" for i in numbers],
            "content": [f"file {i}\n" + "word " * (4 + 7 * (i * 37 % 19)) for i in numbers],
        }
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    pq.write_table(corpus(12_000), folder / "a.parquet")
    return folder


def kept(folder: Path, out: Path, **params: Any) -> dict[str, set[str]]:
    """Which ids are kept of each language."""
    found = detect.language(ingest.documents(sources=(Parquet(str(folder)),)))
    if params.get("of", "bytes") != "bytes" or "favour" in params:
        found = quality.measure(found, signals=("num_words",))
    cm.build(sample.budget(found, **params), out=out, workers=1)
    table = pq.read_table(out / "corpus", columns=["id", "language", "content"])
    return {
        name: set(table.filter(pa.compute.equal(table["language"], name))["id"].to_pylist())
        for name in ("java", "html", "python")
    }


def text_bytes(out: Path, language: str) -> int:
    table = pq.read_table(out / "corpus", columns=["language", "content"])
    mine = table.filter(pa.compute.equal(table["language"], language))["content"].to_pylist()
    return sum(len(text.encode()) for text in mine)


def total(language: str, rows: int = 12_000) -> int:
    return sum(
        len(text.encode())
        for path, text in zip(*(corpus(rows)[n].to_pylist() for n in ("path", "content")), strict=True)
        if LANGUAGES[path.rpartition(".")[2]] == language
    )


def test_each_budget_is_hit_within_one_percent_and_never_exceeded(large: Path, tmp_path: Path) -> None:
    html = total("html") // 3
    ids = kept(large, tmp_path, amounts={"html": html}, shares={"java": 200 / 449})
    assert 0.99 * html <= text_bytes(tmp_path, "html") <= html
    java = total("java") * 200 / 449
    assert 0.99 * java <= text_bytes(tmp_path, "java") <= java
    assert len(ids["python"]) == 4000, "a language without a budget is kept whole"
    rows = [r for r in pq.read_table(tmp_path / "ledger").to_pylist() if r["verdict"] == "dropped"]
    assert {(r["step"], r["reason"]) for r in rows} == {("sample.within", "over_budget")}
    assert {r["value"] for r in rows if r["language"] == "html"} == {str(html)}


def test_the_choice_is_the_same_however_the_corpus_is_cut(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets: dict[str, Any] = {"amounts": {"html": 100_000}, "shares": {"java": 0.3}}
    whole = kept(large, tmp_path / "whole", **budgets)
    (tmp_path / "cut").mkdir()
    for i in range(3):
        part = corpus(12_000).take(pa.array(range(11_999 - i, -1, -3)))
        pq.write_table(part, tmp_path / "cut" / f"{i}.parquet", row_group_size=700)
    monkeypatch.setattr("codemill.machine.groups.GROUP_ROWS", 999)
    assert kept(tmp_path / "cut", tmp_path / "out", **budgets) == whole


def test_a_larger_budget_keeps_what_a_smaller_keeps_and_a_grown_corpus_brings_nothing_back(
    large: Path, tmp_path: Path
) -> None:
    small = kept(large, tmp_path / "small", amounts={"java": 100_000})["java"]
    more = kept(large, tmp_path / "more", amounts={"java": 150_000})["java"]
    assert small < more
    (tmp_path / "grown").mkdir()
    pq.write_table(corpus(12_000), tmp_path / "grown" / "a.parquet")
    pq.write_table(corpus(6_000, first=12_000), tmp_path / "grown" / "b.parquet")
    grown = kept(tmp_path / "grown", tmp_path / "out", amounts={"java": 150_000})["java"]
    old = {r["id"] for r in pq.read_table(tmp_path / "more" / "ledger", columns=["id"]).to_pylist()}
    assert grown & old < more
    assert 0.5 < len(grown & old) / len(more) < 0.8  # two of three documents are old


def test_a_column_can_be_budgeted_and_another_favoured(large: Path, tmp_path: Path) -> None:
    ids = kept(large, tmp_path / "words", shares={"java": 0.25}, of="num_words")
    assert 800 < len(ids["java"]) < 1200
    kept(large, tmp_path / "plain", shares={"java": 0.25})
    kept(large, tmp_path / "long", shares={"java": 0.25}, favour="num_words")
    lengths = [text_bytes(tmp_path / name, "java") for name in ("plain", "long")]
    assert lengths[1] == pytest.approx(lengths[0], rel=0.01), "the budget is the same"
    counts = [
        len(pq.read_table(tmp_path / name / "corpus").filter(pa.compute.field("language") == "java"))
        for name in ("plain", "long")
    ]
    assert counts[1] < 0.8 * counts[0], "of fewer, longer documents"


def test_weights_and_draws_decide_the_order() -> None:
    batch = pa.record_batch({"content_sha256": hashes(4), "w": [1.0, None, 0.0, float("nan")]})
    plain = sample._buckets(batch, None, 0)
    weighted = sample._buckets(batch, "w", 0)
    assert weighted[0] == plain[0]
    assert weighted[1] == plain[1], "unknown counts as one"
    assert weighted[2] == weighted[3] > plain.max(), "nothing, or not a number: last"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "there is no budget"),
        ({"amounts": {"java": -1}}, "must be a whole number, got -1"),
        ({"amounts": {"java": 0.5}}, "must be a whole number, got 0.5"),
        ({"shares": {"java": 2}}, "between 0 and 1, got 2"),
        ({"amounts": {"jav": 1}}, "no language 'jav'"),
        ({"amounts": {"java": 1}, "shares": {"java": 0.5}}, "java has two budgets"),
    ],
)
def test_budgets_that_are_none_are_refused(params: dict[str, Any], words: str) -> None:
    documents = detect.language(ingest.documents(sources=()))
    with pytest.raises(cm.RecipeError, match=words):
        sample.budget(documents, **params)


def test_of_nothing_nothing_is_kept(tmp_path: Path) -> None:
    pq.write_table(corpus(1).slice(0, 0), tmp_path / "a.parquet")
    assert kept(tmp_path / "a.parquet", tmp_path / "out", shares={"java": 0.5})["java"] == set()
