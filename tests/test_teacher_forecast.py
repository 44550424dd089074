"""What a step says it will ask before it asks: from the prompts alone, from the store, and with the limits of a run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

import codemill as cm
from codemill.cli import cli
from codemill.errors import TeacherError
from codemill.machine.progress import Forecast, Silent
from codemill.teacher.calls import Calls
from codemill.teacher.conversation import Usage
from codemill.teacher.forecast import Reckoned, Walk, cuts, reckoned, words
from codemill.teacher.hub import Limits
from codemill.teacher.talk import Ended
from codemill.teacher.teachers import Endpoint, Price, Scripted
from tests import teaching
from tests.teaching import RUNNER

PRICE = Price(prompt=1e6, completion=2e6)  # a token is 1 or 2 of money
PAID = Scripted("tests.test_teacher_forecast:answered", sampling={"max_tokens": 50}, price=PRICE)


@cm.ask(version=1, reads=("content",), makes={"text": pa.string()})
def twice(row: dict[str, Any]) -> cm.Conversation:
    """Two turns, and a program."""
    first = yield cm.Request(f"say {row['content'].strip()}")
    yield cm.Execute(first.text, "tests")
    second = yield cm.Request(f"again {row['content'].strip()}")
    return [{"text": second.text}]


@cm.ask(version=1, reads=("content",), makes={"text": pa.string()}, drops={"low": "below 4"})
def half(row: dict[str, Any]) -> cm.Conversation:
    """Keeps the seeds from 4 on."""
    reply = yield cm.Request(row["content"])
    return cm.Drop("low") if int(reply.text) < 4 else [{"text": reply.text}]


@cm.ask(version=1, reads=("text",), makes={"more": pa.string()})
def about(row: dict[str, Any]) -> cm.Conversation:
    """Asks about an answer."""
    reply = yield cm.Request(row["text"])
    return [{"more": reply.text}]


def answered(body: dict[str, Any], sample: int) -> dict[str, Any]:
    """Four tokens asked, three answered."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "1"}}
    return {"model": "m", "choices": [choice], "usage": {"prompt_tokens": 4, "completion_tokens": 3}}


class Kept(Silent):
    """Keeps what steps expect."""

    def __init__(self) -> None:
        self.said: list[Forecast] = []

    def expects(self, step: str, forecast: Forecast) -> None:
        self.said.append(forecast)


def build(folder: Path, count: int, teacher: Any = PAID, **settings: Any) -> tuple[list[Forecast], dict[str, Any]]:
    kept = Kept()
    table = twice(teaching.seeds(folder / "in", count), teacher=teacher, runner=RUNNER)
    settings = {"calls": str(folder / "calls"), **settings}
    made = cm.build({"corpus": table}, out=folder / "out", workers=1, progress=kept, settings=settings)
    return kept.said, made


def test_a_dry_run_asks_nobody_and_shows_a_prompt(tmp_path: Path) -> None:
    (said,), made = build(tmp_path, 12, dry_run=True)
    assert (said.facts["rows"], said.facts["requests"]) == (12, 12)
    assert said.facts["completion"] == 12 * 50
    assert said.facts["mean_of"] == 0
    assert said.facts["first_turn"]
    assert said.facts["prompt"] == pytest.approx(12 * 5.2 / 3.5, abs=1)  # "say 7", "say 11"
    assert said.facts["cost"] == pytest.approx(said.facts["prompt"] + 2 * 600, abs=1)
    assert said.example.startswith("say ")
    assert made["forecasts"][0]["step"] == "test_teacher_forecast.twice"
    assert not (tmp_path / "calls").exists()
    assert not (tmp_path / "out" / "corpus").exists()
    assert any("at most" in line for line in said.words)


def test_what_was_answered_is_reckoned_with_and_is_left_out(tmp_path: Path) -> None:
    build(tmp_path, 10)
    (said,), _ = build(tmp_path, 40, dry_run=True)  # ten of its rows are in the store, with both turns and the outcome
    assert said.facts["rows"] == 40
    assert said.facts["answered"] == 10
    assert said.facts["requests"] == 60
    assert said.facts["completion"] == 180
    assert said.facts["prompt"] == pytest.approx(240, rel=0.1)
    assert said.facts["cost"] == pytest.approx(600, rel=0.1)
    assert said.facts["mean_of"] == 20
    assert not said.facts["first_turn"]
    assert len(Calls(tmp_path / "calls")) == 20 + 1  # one program


def test_a_run_says_what_is_to_come_and_where_its_limits_cut(tmp_path: Path) -> None:
    kept = Kept()
    table = twice(teaching.seeds(tmp_path / "in", 12), teacher=PAID, runner=RUNNER)
    settings = {"calls": str(tmp_path / "calls"), "max_requests": 5}
    with pytest.raises(TeacherError, match=r"5 are asked: 5 answers, .*; [0-2] of [0-5] rows accepted"):
        cm.build({"corpus": table}, out=tmp_path / "out", workers=1, progress=kept, settings=settings)
    (said,) = kept.said
    assert said.facts["ends_after"] == 5
    assert "--max-requests 5 ends it after about 5 of them" in said.words[-1]


def test_a_second_step_reckons_with_what_the_first_one_spent(tmp_path: Path) -> None:
    kept = Kept()
    seeds = teaching.seeds(tmp_path / "in", 8)
    tables = [twice(seeds, teacher=dataclasses.replace(PAID, model=name), runner=RUNNER) for name in "ab"]
    settings = {"calls": str(tmp_path / "calls"), "max_requests": 20}
    with pytest.raises(TeacherError, match="20 are asked"):
        cm.build({"a": tables[0], "b": tables[1]}, out=tmp_path / "out", workers=1, progress=kept, settings=settings)
    first, second = kept.said
    assert first.facts["ends_after"] is None
    assert second.facts["ends_after"] == 20 - 16


def test_nothing_is_said_where_nothing_is_paid(tmp_path: Path) -> None:
    said, _ = build(tmp_path, 4, teacher=dataclasses.replace(PAID, price=None))
    assert said == []
    said, _ = build(tmp_path, 4, dry_run=True)  # it is built already
    assert said == []


def test_a_conversation_is_reckoned_by_those_that_ended() -> None:
    ended = Ended([{"text": ""}])
    walks = [
        Walk(paid=[Usage(100, 10)] * 4, sizes=[300] * 4, ended=ended),
        Walk(paid=[Usage(100, 10)], sizes=[300], missing=[cm.Request("x" * 300)], unsent=[300]),
        Walk(missing=[cm.Request("x" * 300)], unsent=[300]),
        Walk(paid=[Usage(100, 10)] * 2, sizes=[300] * 2),  # waits for a program
    ]
    found = reckoned(400, walks, [], Endpoint("m", price=Price(1.0, 10.0)))
    assert (found.requests, found.answered, found.mean_of) == (100 * (3 + 4 + 2), 100, 7)
    assert (found.prompt, found.completion) == (90_000, 9_000)
    assert found.cost == pytest.approx(0.09 + 0.09)


def test_an_answer_is_reckoned_at_the_models_mean_at_its_limit_or_not_at_all() -> None:
    walks = [Walk(missing=[cm.Request("x" * 35)], unsent=[35])]
    teacher = Endpoint("m", price=Price(1.0, 1.0))
    assert reckoned(10, walks, [], teacher).cost is None
    assert reckoned(10, walks, [Usage(5, 7), Usage(5, 9)], teacher).completion == 80
    limited = dataclasses.replace(teacher, sampling={"max_tokens": 100})
    assert reckoned(10, walks, [], limited).completion == 1000
    assert reckoned(10, [Walk(missing=[cm.Request("x", max_tokens=3)], unsent=[1])], [], limited).completion == 30


def test_limits_in_words() -> None:
    made = Reckoned(100, 0, 100, 1000, 1000, 4.0, first_turn=True, mean_of=0)
    teacher = Endpoint("m", price=Price(1.0, 1.0))
    assert list(cuts(made, Limits(max_cost=1.0), {})) == [("--max-cost 1", 25)]
    assert list(cuts(made, Limits(max_cost=5.0), {"cost": 3.0})) == [("--max-cost 5", 50)]
    assert list(cuts(made, Limits(max_cost=5.0), {"cost": 9.0})) == [("--max-cost 5", 0)]
    assert words(made, "s", teacher, Limits(max_requests=130), {})[-1].endswith("--max-requests 130 leaves 30 for them")
    unpriced = dataclasses.replace(made, cost=None)
    assert "not known without --price" in words(unpriced, "s", Endpoint("m"), Limits(), {})[1]
    assert words(dataclasses.replace(made, requests=0), "s", teacher, Limits(), {})[0].endswith("left to ask")


def test_show_says_how_many_seeds_a_target_takes(tmp_path: Path) -> None:
    table = half(teaching.seeds(tmp_path / "in", 8), teacher=Scripted("tests.teaching:echo"))
    cm.build({"corpus": table, "ledger": cm.ledger(table)}, out=tmp_path / "out", workers=1)
    shown = CliRunner().invoke(cli, ["show", str(tmp_path / "out"), "--target", "50"], env={"COLUMNS": "200"}).output
    assert "8 seeds gave 4 rows that are kept, 0.5 a seed: 50 take about 100 seeds, 92 more" in shown
    data = json.loads(CliRunner().invoke(cli, ["show", str(tmp_path / "out"), "--json"]).output)
    assert data["seeds"].endswith("1,000 more take about 2,000 more seeds")


RECIPE = '''
from codemill import sources
from codemill.steps import ingest
from tests.teaching import RUNNER
from tests.test_teacher_forecast import PAID, twice


def recipe(inputs):
    """Two turns about each file."""
    return twice(ingest.documents(sources=inputs), teacher=PAID, runner=RUNNER)
'''


def test_the_command_line_has_a_dry_run(tmp_path: Path) -> None:
    teaching.seeds(tmp_path / "in", 3)
    (tmp_path / "recipe.py").write_text(RECIPE)
    command = [
        "run",
        f"{tmp_path}/recipe.py:recipe",
        "-i",
        str(tmp_path / "in"),
        "-o",
        str(tmp_path / "out"),
        "-w",
        "1",
    ]
    shown = CliRunner().invoke(cli, [*command, "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert "the next turn takes about 3 requests" in shown.output
    assert "twice would ask" in shown.output
    assert "say " in shown.output
    lines = CliRunner().invoke(cli, [*command, "--dry-run", "--json"]).output.splitlines()
    events = [json.loads(line) for line in lines]
    assert [one["requests"] for one in events if one["event"] == "forecast"] == [3]
    assert events[-1]["event"] == "done"
    assert not (tmp_path / "out.calls").exists()
    ran = CliRunner().invoke(cli, command)  # the ledger of such a table says nothing of files: there is no report
    assert ran.exit_code == 0, ran.output
    assert "3 found = 3 kept + 0 dropped" in ran.output


def test_a_dry_run_names_what_waits_for_the_answers(tmp_path: Path) -> None:
    first = twice(teaching.seeds(tmp_path / "in", 3), teacher=PAID, runner=RUNNER)
    table = about(first, teacher=PAID)
    made = cm.build({"corpus": table}, out=tmp_path / "out", workers=1, settings={"dry_run": True})
    assert [one["step"] for one in made["forecasts"]] == ["test_teacher_forecast.twice"]
    assert made["waiting"] == ["test_teacher_forecast.about"]
