"""What steps do with their parameters: each test fails when one of them is ignored."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import codemill as cm
from codemill import cleaning
from codemill.chance import draws
from codemill.document import KINDS
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.steps import clean, dedup, detect, known, quality, sample
from tests.toys import hashes


def judged(rules: RuleBook, seed: int = 0, rows: int = 400) -> pa.RecordBatch:
    batch = pa.record_batch(
        {
            "content_sha256": hashes(rows),
            "language": ["python"] * rows,
            "doc_type": ["code"] * rows,
            "natural_language": ["en"] * rows,
            "a": np.ones(rows),
            "b": np.ones(rows),
        }
    )
    return quality.judge.function(batch, rules=rules, seed=seed)


def fired(batch: pa.RecordBatch, signal: str) -> set[int]:
    return {
        i for i, said in enumerate(batch["rules_fired"].to_pylist()) if any(r["signal"] == signal for r in said or ())
    }


def test_a_draw_depends_on_key_seed_and_purpose() -> None:
    two = hashes(2)
    assert draws(two, seed=0, purpose="x").tolist() == draws(two, seed=0, purpose="x").tolist()
    drawn = [n for seed in (0, 1) for why in "xy" for n in draws(two, seed=seed, purpose=why).tolist()]
    assert len(set(drawn)) == 8
    many = draws(hashes(4000), seed=3, purpose="evenly")
    assert 0 <= many.min() < many.max() < 1
    assert abs(many.mean() - 0.5) < 0.02
    assert (
        draws(hashes(9).slice(4, 2), seed=0, purpose="x").tolist()
        == draws(hashes(9), seed=0, purpose="x")[4:6].tolist()
    )
    with pytest.raises(ValueError, match="1 rows have no hash"):
        draws(pa.array([b"8 bytes.", None], pa.binary(8)), seed=0, purpose="x")


def test_rules_that_spare_some_draw_each_for_itself_and_by_the_seed() -> None:
    half = RuleBook(
        (RuleSet("all", (Rule("a", above=0, drop_probability=0.5), Rule("b", above=0, drop_probability=0.5))),)
    )
    first = judged(half)
    a, b = fired(first, "a"), fired(first, "b")
    assert 150 < len(a) < 250
    assert 150 < len(b) < 250
    assert 60 < len(a & b) < 140  # half of a half, were they not independent: none or all
    assert fired(judged(half, seed=1), "a") != a


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_probability_that_is_none_is_refused(share: float) -> None:
    book = RuleBook((RuleSet("all", (Rule("size", above=0, drop_probability=share),)),))
    with pytest.raises(cm.RecipeError, match="drop_probability is between 0 and 1"):
        quality.check_book(book)


def test_a_sample_depends_on_the_seed_and_takes_about_its_share() -> None:
    batch = pa.record_batch({"content_sha256": hashes(2000), "language": ["java"] * 2000})
    zero, one = (
        sample.fraction.function(batch, keep={"java": 0.25}, seed=seed)["reason"].is_null().to_pylist()
        for seed in (0, 1)
    )
    assert zero != one
    assert 420 < sum(zero) < 580
    more = sample.fraction.function(batch, keep={"java": 0.5}, seed=0)["reason"].is_null().to_pylist()
    assert all(kept for kept, small in zip(more, zero, strict=True) if small)  # a smaller share is a part of a larger
    lost = sample.fraction.function(batch, keep={"java": 0.25}, seed=0)
    assert set(lost["value"].to_pylist()) == {None, "0.25"}
    whole = sample.fraction.function(batch, keep={"html": 0.0}, seed=0)
    assert whole["reason"].null_count == 2000


@pytest.mark.parametrize("share", [-0.01, 1.01, "half"])
def test_a_share_that_is_none_is_refused(share: Any) -> None:
    with pytest.raises(cm.RecipeError, match="a fraction must be between 0 and 1"):
        sample._check(keep={"java": share}, seed=0)
    with pytest.raises(cm.RecipeError, match="there is no language 'jav'"):
        sample._check(keep={"jav": 0.5}, seed=0)


def test_keeping_no_language_keeps_nothing_and_none_keeps_what_is_known() -> None:
    batch = pa.record_batch({"language": pa.array(["python", None, "c"])})
    assert detect.keep.function(batch, kept=())["reason"].to_pylist() == [
        "language_not_kept",
        "unknown_language",
        "language_not_kept",
    ]
    assert detect.keep.function(batch, kept=None)["reason"].to_pylist() == [None, "unknown_language", None]
    kept = detect.keep.function(batch, kept=("c",))
    assert kept["reason"].to_pylist() == ["language_not_kept", "unknown_language", None]
    assert kept["value"].to_pylist() == ["python", None, None]


def test_of_a_notebooks_outputs_so_many_characters_are_kept() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["x" * 50]}
    cell = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": ["print('x' * 50)"],
        "outputs": [output],
    }
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    batch = pa.record_batch({"content": pa.array([notebook], pa.large_string()), "language": ["jupyter notebook"]})
    lengths = []
    for most in (0, 7, 1000):
        text = clean.notebooks.function(batch, form="structured", output_chars=most)["content"][0].as_py()
        lengths.append(text.count("x") - "print('x' * 50)".count("x"))
    assert lengths == [0, 7, 50]


def test_a_text_that_redaction_fails_on_is_dropped_not_published_uncleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    content = pa.array(["fine", "secret", None], pa.large_string())

    def fails(texts: pa.Array, *_: Any) -> pa.StructArray:
        done = pa.array([None if text == "secret" else text for text in texts.to_pylist()], pa.large_string())
        counts = [pa.array([0] * len(texts), pa.int32()) for _ in KINDS]
        return pa.StructArray.from_arrays([done, *counts], names=["content", *KINDS])

    monkeypatch.setattr(cleaning, "redact_array", fails)
    batch = pa.record_batch({"language": ["c"] * 3, "content": content})
    assert clean.redact.function(batch)["reason"].to_pylist() == [None, "crashed", None]


def near(similarity: list[float | None], **parameters: Any) -> list[str | None]:
    batch = pa.record_batch(
        {
            "keeper": ["k"] * len(similarity),
            "is_keeper": pa.array([False] * len(similarity)),
            "keeper_similarity": pa.array(similarity, pa.float32()),
        }
    )
    told = {"level": "file", "hashes": 8, "ngram": 5, "unit": "word"}
    return list(dedup.drop.function(batch, **told, **parameters)["reason"].to_pylist())


def test_a_similarity_equal_to_the_threshold_is_near_enough() -> None:
    assert near([1.0, 0.999, None], verify="sketch", at_least=1.0) == ["near_duplicate", None, None]
    assert near([0.95, 0.9499], verify="sketch", at_least=0.95) == ["near_duplicate", None]
    assert near([0.0, None], verify="none", at_least=1.0) == ["near_duplicate", "near_duplicate"]


def test_the_nearest_candidate_is_named_as_the_kept_copy() -> None:
    rows = {
        "part": pa.array([0, 0, 0, 1], pa.int32()),
        "row": pa.array([5, 5, 5, 5], pa.int32()),
        "kept_id": ["far", "near-b", "near-a", "other"],
        "similarity": pa.array([0.96, 0.99, 0.99, 0.97], pa.float32()),
    }
    merged = known.drop.how.merge(pa.table(rows)).to_pylist()  # type: ignore[union-attr]
    assert [(row["part"], row["kept_id"]) for row in merged] == [(0, "near-a"), (1, "other")]
