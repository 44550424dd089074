"""Seeds that a teacher chooses: scores, limits, the probe, and that no question is paid twice."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from codemill.errors import InputError, TeacherError
from codemill.machine.builder import build
from codemill.sources import Warc
from codemill.steps import autods, pages, seeds
from codemill.teacher import Reply, Scripted
from codemill.teacher.conversation import Token
from tests.web_tools import crawl


def answer(body: dict[str, Any], sample: int) -> dict[str, Any]:
    """A server's answer: the more words about code a page has, the surer it is."""
    text = body["messages"][-1]["content"]
    with open(os.environ["ASKED"], "a", encoding="utf-8") as file:
        file.write(f"{hash(text)}\n")
    yes = 0.95 if "compile" in text or "pointer" in text else 0.02
    top = [{"token": t, "logprob": math.log(p)} for t, p in (("YES", yes), (" no", 1 - yes))]
    logprobs = {"content": [{"token": "YES", "logprob": math.log(yes), "top_logprobs": top}]}
    if os.environ.get("SILENT"):
        logprobs = {}
    choice = {"message": {"content": "YES"}, "finish_reason": "length", "logprobs": logprobs or None}
    return {"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 1}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    crawl(tmp_path / "crawl", {"code.test": (12, 1.0), "other.test": (12, 0.0)})
    return tmp_path


def run(folder: Path, **more: Any) -> list[str]:
    """Builds a seed; returns the questions that were asked."""
    asked = folder / "asked"
    asked.write_text("")
    found = pages.documents(sources=(Warc(str(folder / "crawl")),))
    teacher = Scripted("tests.test_autods:answer")
    limits = {"candidates": 20, "best": 5, "above": 0.5, "below": 0.1, **more}
    labels, scored = autods.seed(found, teacher=teacher, **limits)
    labelled = seeds.label(found, labels, held_out_share=0.0)
    build({"pages": labelled, "seed": scored, "labels": labels}, out=folder / "out", workers=1)
    return asked.read_text().splitlines()


def test_the_best_pages_are_positives_and_the_worst_negatives(folder: Path) -> None:
    asked = run(folder)
    table = pl.read_parquet(folder / "out" / "pages" / "*.parquet")
    labels = {label: table.filter(pl.col("label") == label)["domain"].to_list() for label in (0, 1)}
    assert labels[1] == ["code.test"] * 5
    assert set(labels[0]) == {"other.test"}
    scored = pl.read_parquet(folder / "out" / "seed" / "*.parquet")
    assert len(scored) == 20
    assert len(asked) == len(set(asked)) == 40  # two questions a page; the probe's is one of them
    assert scored["autods"].max() == pytest.approx(0.95**2, abs=1e-4)
    assert run(folder, best=3) == []  # other limits ask nothing again


def test_a_teacher_without_log_probabilities_is_asked_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SILENT", "1")
    with pytest.raises(TeacherError, match="log-probabilities"):
        run(folder)
    assert len((folder / "asked").read_text().splitlines()) == 1


def test_limits_that_leave_nothing_are_an_error(folder: Path) -> None:
    with pytest.raises(InputError, match="0 pages score above"):
        run(folder, above=0.99)


def test_a_page_at_a_limit_has_no_label(folder: Path) -> None:
    run(folder)
    scores = pl.read_parquet(folder / "out" / "seed" / "*.parquet")["autods"]
    with pytest.raises(InputError, match=r"5 pages score above 0\.5 and 0 below"):
        run(folder, below=float(scores.min()))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="0 pages score above"):
        run(folder, above=float(scores.max()))  # type: ignore[arg-type]


def test_sureness_is_the_softmax_of_yes_and_no() -> None:
    def reply(*tops: tuple[str, float]) -> Reply:
        return Reply("", logprobs=(Token(*tops[0], tops),))

    assert autods.sureness(reply(("YES", -1.0), ("NO", -1.0))) == pytest.approx(0.5)
    assert autods.sureness(reply((" Yes", -1.0), ("no", -2.0))) == pytest.approx(1 / (1 + math.exp(-1)))
    assert autods.sureness(reply(("YES", -1.0), ("maybe", -2.0))) == 1.0
    assert (
        autods.sureness(
            reply(
                ("NO", -1.0),
            )
        )
        == 0.0
    )
    assert (
        autods.sureness(
            reply(
                ("maybe", -1.0),
            )
        )
        is None
    )
