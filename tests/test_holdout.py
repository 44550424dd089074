"""Repositories that are set aside: whole, the same in every run, and unknown to training."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.document import TIME
from codemill.recipes import quickstart
from codemill.sources import Folder
from codemill.steps import holdout, ingest
from tests import toys
from tests.test_fuzzy import edited, words

SKETCH: dict[str, Any] = {"bands": 32, "rows": 8, "at_least": 0.8}


def split(out: Path, texts: list[str], repos: list[str], **params: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two ledgers by path."""
    files = ingest.documents(sources=(toys.Literals(tuple(texts), repos=tuple(repos), per_part=7),))
    training, held = holdout.split(files, **{**SKETCH, **params})
    outputs = {"corpus": training, "ledger": cm.ledger(training), "held": held, "held_ledger": cm.ledger(held)}
    cm.build(outputs, out=out, workers=1)
    rows = [pq.read_table(out / name).to_pylist() for name in ("ledger", "held_ledger")]
    first, second = ({row["path"]: row for row in ledger} for ledger in rows)
    return first, second


def aside(names: list[str], share: float, seed: int = 0) -> list[bool]:
    return list(holdout.set_aside(pa.array(names, pa.string()), share=share, seed=seed).tolist())


def test_repositories_are_whole_and_on_one_side(tmp_path: Path) -> None:
    repos = [f"owner/r{i % 20}" for i in range(80)]
    training, held = split(tmp_path, [" ".join(words(i)) for i in range(80)], repos, share=0.3)
    kept = [{row["repo"] for row in side.values() if row["verdict"] == "kept"} for side in (training, held)]
    assert not kept[0] & kept[1]
    assert kept[0] | kept[1] == set(repos)
    assert 1 < len(kept[1]) < 12
    assert {row["reason"] for row in training.values()} == {None, "held_out"}
    assert {row["reason"] for row in held.values()} == {None, "in_training"}


def test_the_choice_follows_the_name_alone() -> None:
    names = [f"owner/r{i}" for i in range(2000)]
    chosen = aside(names, 0.1)
    assert 140 < sum(chosen) < 260
    assert aside(names[::-1], 0.1) == chosen[::-1]
    assert aside([name.upper() for name in names], 0.1) == chosen
    assert all(more for more, less in zip(aside(names, 0.2), chosen, strict=True) if less)
    assert aside(names, 0.1, seed=1) != chosen
    assert aside(names, 0) == [False] * 2000
    assert aside(names, 1) == [True] * 2000
    assert holdout.set_aside(pa.array([None], pa.string()), share=1, seed=0).tolist() == [False]


def test_what_training_has_a_copy_or_a_near_copy_of_is_not_held_out(tmp_path: Path) -> None:
    names = [f"r{i}" for i in range(200)]
    out = next(n for n, gone in zip(names, aside(names, 0.3), strict=True) if gone)
    into = next(n for n, gone in zip(names, aside(names, 0.3), strict=True) if not gone)
    texts = [
        " ".join(words(1)),  # training
        " ".join(words(1)),  # a copy of it
        " ".join(edited(words(1), 50)),  # a near-copy of it
        " ".join(words(2)),  # nothing like it
        " ".join(words(2)),  # its copy in the same repository: no matter of training
        "short",
        "short",
    ]
    training, held = split(tmp_path, texts, [into, out, out, out, out, into, out], share=0.3)
    said = [(held[p]["step"], held[p]["reason"]) for p in sorted(held)]
    assert said == [
        ("holdout.held_out", "in_training"),
        ("dedup.exact", "duplicate"),
        ("known.drop", "near_duplicate"),
        (None, None),
        ("dedup.exact", "duplicate"),
        ("holdout.held_out", "in_training"),
        ("dedup.exact", "duplicate"),
    ]
    first = min(training)
    assert held[sorted(held)[1]]["kept_id"] == held[sorted(held)[2]]["kept_id"] == training[first]["id"]
    assert [training[p]["verdict"] for p in sorted(training)] == ["kept", *["dropped"] * 4, "kept", "dropped"]


def test_only_what_is_newer_is_held_out_where_that_is_known() -> None:
    times = pa.array([datetime(2024, 5, 31, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC), None], TIME)
    made = holdout.newer.function(pa.record_batch({"commit_time": times}), than="2024-06-01")
    assert made["reason"].to_pylist() == ["too_old", None, None]
    assert made["value"].to_pylist() == ["2024-05-31", None, None]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"share": 1.5}, "between 0 and 1, got 1.5"),
        ({"share": True}, "between 0 and 1, got True"),
        ({"share": 0.1, "newer_than": "June"}, "no time: 'June'"),
        ({"share": 0.1, "verify": "exact"}, "no shingles"),
    ],
)
def test_what_makes_no_sense_is_refused(params: dict[str, Any], words: str) -> None:
    with pytest.raises(cm.RecipeError, match=words):
        holdout.split(ingest.documents(sources=()), **params)


def test_the_recipe_sets_repositories_aside(tmp_path: Path) -> None:
    for i in range(12):
        for j in range(2):
            file = tmp_path / "in" / f"r{i}" / f"m{j}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(f"{word} = {k}" for k, word in enumerate(words(i * 2 + j))) + "\n")
    sources = (Folder(str(tmp_path / "in")),)
    made = cm.build(quickstart.quickstart(sources, rules="none", held_out=0.4), out=tmp_path / "out", workers=1)
    assert set(made["files"]) == {"corpus", "ledger", "held_out", "held_out_ledger"}
    repos = [set(pq.read_table(tmp_path / "out" / name)["repo"].to_pylist()) for name in ("corpus", "held_out")]
    assert not repos[0] & repos[1]
    assert len(repos[0] | repos[1]) == 12
    assert len(repos[1]) > 1
    ledger = pq.read_table(tmp_path / "out" / "ledger").to_pylist()
    assert {row["repo"] for row in ledger if row["reason"] == "held_out"} == repos[1]
