"""A repository is crawled again after a commit: what the commit left alone has the same id and meets the same fate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.document import INDEX
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.sources import Folder, Git, Published, Source
from codemill.steps import dedup, detect, ingest, quality, sample
from tests import toys
from tests.source_tools import repository
from tests.test_fuzzy import words

FILES = {f"src/{i:02}.py": f"# {' '.join(words(i)[:80])}\n".encode() for i in range(60)}
NEW = f"# {' '.join(words(1000)[:80])}\n".encode()  # a text that both draws keep: half of all texts are not sampled
DIE = RuleBook((RuleSet("all", (Rule("num_words", above=0, drop_probability=0.3),)),))


def crawl(out: Path, *sources: Source, against: tuple[Path, ...] = ()) -> dict[str, dict[str, Any]]:
    """The ledger by path, of a recipe that draws twice: a rule that spares seven of ten, a sample of half."""
    earlier = [ingest.published(source=Published(str(path))) for path in against]
    found = detect.keep(detect.language(ingest.documents(sources=sources)), kept=None)
    distinct = dedup.fuzzy(dedup.exact(found, *earlier), *earlier, bands=4, rows=16, at_least=0.9, index=True)
    judged = quality.judge(quality.measure(distinct, signals=("num_words",)), rules=DIE)
    table = sample.fraction(quality.keep(judged), keep={"python": 0.5})
    cm.build(
        {"corpus": table, "ledger": cm.ledger(table), "index": cm.Output(table, columns=INDEX)}, out=out, workers=1
    )
    rows = pq.read_table(out / "ledger").to_pylist()
    return {row["path"]: row for row in rows}


def kept(ledger: dict[str, dict[str, Any]]) -> set[str]:
    return {path for path, row in ledger.items() if row["verdict"] == "kept"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`mirrors` at the first commit and `later` at the second; `first` and `second` are crawls of them."""
    place = tmp_path_factory.mktemp("recrawl")
    for name in ("mirrors", "later"):
        repository(place / name / "project", FILES)
    # What is changed was kept before, so that only the change can bring it back.
    first = crawl(place / "first", Git(str(place / "mirrors")))
    changed = min(kept(first))
    repository(place / "later" / "project", {changed: NEW})
    return place


def test_ids_and_samples_outlive_a_commit(place: Path, tmp_path: Path) -> None:
    first = {r["path"]: r for r in pq.read_table(place / "first" / "ledger").to_pylist()}
    second = crawl(tmp_path / "second", Git(str(place / "later")))
    changed = min(kept(first))
    assert {p for p in first if first[p]["id"] != second[p]["id"]} == {changed}
    assert kept(first) - {changed} == kept(second) - {changed}
    assert {r["reason"] for r in first.values()} == {None, "num_words_too_high", "not_sampled"}
    assert 10 < len(kept(first)) < 35


def test_held_against_the_first_crawl_only_what_changed_is_kept(place: Path, tmp_path: Path) -> None:
    first = {r["path"]: r for r in pq.read_table(place / "first" / "ledger").to_pylist()}
    second = crawl(tmp_path / "second", Git(str(place / "later")), against=(place / "first",))
    changed = min(kept(first))
    assert kept(second) == {changed}
    for path in set(first) - {changed}:
        before = first[path]["reason"]
        # What was dropped by a draw is not drawn again; what was kept is there already.
        assert second[path]["reason"] == ("duplicate" if before is None else before)


def test_the_place_the_kind_and_the_order_of_inputs_do_not_matter(place: Path, tmp_path: Path) -> None:
    first = {r["path"]: r for r in pq.read_table(place / "first" / "ledger").to_pylist()}
    other = toys.Literals(("x = 1\n",), label="other")
    folder = Folder(str(place / "mirrors"))
    one = crawl(tmp_path / "one", folder, other)
    two = crawl(tmp_path / "two", other, folder)
    for path, row in first.items():
        assert one[path]["id"] == two[path]["id"] == row["id"]
        assert one[path]["reason"] == two[path]["reason"] == row["reason"]


def test_rows_equal_in_repository_path_and_content_have_ids_of_their_own(tmp_path: Path) -> None:
    texts = ("a = 1\n", "", "a = 1\n")

    def ids(*labels: str, out: str, **source: Any) -> list[str]:
        sources = [toys.Literals(texts, label=label, **source) for label in labels]
        table = ingest.documents(sources=sources)
        cm.build(table, out=tmp_path / out, workers=1)
        return list(pq.read_table(tmp_path / out / "ledger")["id"].to_pylist())

    once = ids("one", out="once", per_part=3)
    twice = ids("one", "two", out="twice", per_part=3)
    assert len(set(once)) == 3
    assert twice[:3] == once  # of dropped files too: the second is empty
    assert len(set(twice)) == 6
    assert set(ids("two", "one", out="order", per_part=1)) == set(twice)
    snapshots = ids("one", "two", out="snapshots", per_part=3, repos=("toy@1", "toy@2", "toy@3"))
    assert set(snapshots) == set(twice), "a revision is no part of an id"


@pytest.mark.parametrize("level", ["exact", "fuzzy"])
def test_copies_equal_in_stars_and_time_are_kept_of_one_repository(tmp_path: Path, level: str) -> None:
    shared = [" ".join(words(i)) for i in range(12)]
    texts = tuple(text for text in shared for _ in range(3))
    repos = tuple(repo for _ in shared for repo in ("zeta", "alpha", "mid"))
    files = ingest.documents(sources=(toys.Literals(texts, per_part=5, repos=repos),))
    table = dedup.exact(files) if level == "exact" else dedup.fuzzy(files, bands=4, rows=16)
    cm.build(table, out=tmp_path, workers=1)
    assert set(pq.read_table(tmp_path / "corpus")["repo"].to_pylist()) == {"alpha"}
    assert len(pq.read_table(tmp_path / "corpus")) == 12
