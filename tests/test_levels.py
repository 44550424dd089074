"""Near-duplicates of repositories and of chunks."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import codemill as cm
from codemill import near
from codemill.document import TIME
from codemill.steps import dedup, ingest, repos
from tests import toys
from tests.test_fuzzy import edited, words
from tests.test_machine import ledger, published


def build(texts: list[str], out: Path, *, workers: int = 1, **params: Any) -> list[dict[str, Any]]:
    source = {k: params.pop(k) for k in ("stars", "per_part", "per_batch", "repos") if k in params}
    files = ingest.documents(sources=(toys.Literals(tuple(texts), **source),))
    cm.build(dedup.fuzzy(files, **params), out=out, workers=workers)
    return sorted(ledger(out), key=lambda r: r["path"])


def text(seed: int, count: int = 400, *places: int) -> str:
    return " ".join(edited(words(seed, count), *places))


BANDS = {"bands": 32, "rows": 8, "at_least": 0.8, "level": "repo"}

# Repository a has three files; b has copies of them, one edited, elsewhere and in another order; c shares one of three;
# d and e are the same few words.
FILES = {
    "a": [text(1), text(2), text(3)],
    "b": [text(3), "short", text(1, 400, 7), text(2)],
    "c": [text(3), text(8), text(9)],
    "d": ["one", "two"],
    "e": ["one", "two"],
}
TEXTS = [t for files in FILES.values() for t in files]
REPOS = tuple(name for name, files in FILES.items() for _ in files)


@pytest.mark.parametrize("best", ["a", "b"])
def test_a_repository_stays_or_goes_as_a_whole(tmp_path: Path, best: str) -> None:
    stars = tuple(9 if name == best else 1 for name in REPOS)
    rows = build(TEXTS, tmp_path, repos=REPOS, stars=stars, **BANDS)
    worse = "b" if best == "a" else "a"
    dropped = [r for r in rows if r["verdict"] == "dropped"]
    assert [r["repo"] for r in dropped] == [worse] * len(FILES[worse]) + ["e"] * len(FILES["e"])
    dropped = [r for r in dropped if r["repo"] == worse]
    first = next(r for r in rows if r["repo"] == best)
    assert {r["kept_id"] for r in dropped} == {first["id"]}, "the first document by path stands for the repository"
    assert {(r["step"], r["reason"]) for r in dropped} == {("dedup.drop", "near_duplicate")}
    (similarity,) = {r["similarity"] for r in dropped}
    # 3 x 396 shingles each; one edited word changes five.
    assert similarity == pytest.approx((3 * 396 - 5) / (3 * 396 + 5), abs=0.03)


def test_the_sketch_of_a_repository_is_that_of_the_union_of_its_shingles(tmp_path: Path) -> None:
    whole = near.sketch([text(1) + " " + text(2)], hashes=256)
    table = near.sketch([text(1), text(2)], hashes=256)
    halves = [near.similarity(whole, table.slice(i, 1))[0].as_py() for i in (0, 1)]
    assert all(0.4 < half < 0.6 for half in halves)
    # In the machine: one repository of two files beside one of a single file that has both texts.
    rows = build([text(1), text(2), text(1) + " " + text(2)], tmp_path, repos=("a", "a", "b"), stars=(2, 2, 1), **BANDS)
    assert [r["verdict"] for r in rows] == ["kept", "kept", "dropped"]
    assert rows[2]["similarity"] > 0.97, "all but the four shingles across the border are shared"


def test_each_of_many_repositories_has_its_own_stars() -> None:
    names = [f"repo-{i}" for i in range(200) for _ in range(i % 3 + 1)]
    stars = [int(name[5:]) * 10 + n % 3 for n, name in enumerate(names)]
    times = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=s) for s in stars]
    units = [hashlib.sha256(name.encode()).digest()[:16] for name in names]
    table = pa.table(
        {
            "unit": pa.array(units, pa.binary(16)),
            "path": [str(i) for i in range(len(names))],
            "stars": stars,
            "commit_time": pa.array(times, TIME),
            "sketch": pa.array([bytes(4)] * len(names), pa.binary(4)),
        }
    )
    rows = repos._together(table, 1).to_pylist()
    wanted = {unit: max(s for u, s in zip(units, stars, strict=True) if u == unit) for unit in units}
    assert {row["unit"]: row["stars"] for row in rows} == wanted
    assert all((row["commit_time"] - times[0]).days == row["stars"] - stars[0] for row in rows)


def test_snapshots_of_a_repository_are_units_of_their_own(tmp_path: Path) -> None:
    texts = [text(1), text(2), text(1, 400, 5), text(2)]
    rows = build(texts, tmp_path, repos=("a@old", "a@old", "a@new", "a@new"), stars=(1, 1, 2, 2), **BANDS)
    assert [r["verdict"] for r in rows] == ["dropped", "dropped", "kept", "kept"]


def test_repositories_do_not_depend_on_workers_or_on_how_the_input_is_cut(tmp_path: Path) -> None:
    order = [4, 0, 9, 2, 7, 1, 3, 8, 5, 6, 10, 11, 12, 13]
    texts, repos = [TEXTS[i] for i in order], tuple(REPOS[i] for i in order)
    one = build(texts, tmp_path / "one", repos=repos, **BANDS)
    two = build(texts, tmp_path / "two", repos=repos, workers=2, **BANDS)
    small = build(texts, tmp_path / "small", repos=repos, per_part=2, per_batch=1, **BANDS)
    assert published(tmp_path / "one") == published(tmp_path / "two")
    assert one == two == small
    assert sum(r["verdict"] == "dropped" for r in one) in (5, 6)  # a or b, and d or e


def test_without_verification_whatever_shares_a_band_goes(tmp_path: Path) -> None:
    rows = build(TEXTS, tmp_path, repos=REPOS, **{**BANDS, "verify": "none"})
    dropped = [r for r in rows if r["verdict"] == "dropped"]
    assert dropped
    assert {r["similarity"] for r in dropped} == {None}


def test_the_guard_counts_files_of_repositories(tmp_path: Path) -> None:
    with pytest.raises(cm.BuildError, match=r"near-duplicates are 50% of literals \(2 of 4 files\)"):
        build([text(1), text(2)] * 2, tmp_path, repos=("a", "a", "b", "b"), most_lost=0.4, **BANDS)


def test_levels_that_are_not_there_are_told() -> None:
    files = ingest.documents(sources=(toys.Literals(("a",)),))
    with pytest.raises(cm.RecipeError, match="did you mean repo"):
        dedup.fuzzy(files, level="repos")
    with pytest.raises(cm.RecipeError, match="compared by their sketches"):
        dedup.fuzzy(files, level="repo", verify="exact")
