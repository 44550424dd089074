"""Methods as steps: every row is accounted for, an answer is paid once, and a kill changes nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import codemill as cm
from codemill.cli import cli
from codemill.errors import BuildError, EnvironmentProblem, RecipeError, TeacherError
from codemill.machine.progress import Silent
from codemill.prompts._recorded import answer, recorded
from codemill.teacher import running, single
from codemill.teacher.ask import calls_of
from codemill.teacher.calls import ANSWER, OUTCOME, Calls
from codemill.teacher.teachers import Endpoint, Price, Replay, Scripted, Teacher
from tests import teaching
from tests.teaching import RUNNER, Server, canonical, chat, serving
from tests.test_machine import published


def endpoint(server: Server, **more: Any) -> Endpoint:
    settings: dict[str, Any] = {"deadline": 4.0, "stall": 1.0, "sampling": {"seed": 0, "max_tokens": 50}}
    return Endpoint("m", server.url, **{**settings, **more})


def built(table: cm.Table, out: Path, **more: Any) -> dict[str, Any]:
    outputs = {"corpus": table, "ledger": cm.ledger(table)}
    return cm.build(outputs, out=out, workers=1, **more)


def rows(out: Path, name: str = "corpus") -> list[dict[str, Any]]:
    return pq.read_table(out / name).to_pylist()


def solved(folder: Path, teacher: Teacher, count: int = 30, **more: Any) -> cm.Table:
    return teaching.solved(teaching.seeds(folder, count), teacher=teacher, runner=RUNNER, **more)


def entry(manifest: dict[str, Any], step: str = "teaching.solved") -> dict[str, Any]:
    return next(one for one in manifest["steps"] if one["name"] == step)


def test_three_turns_with_an_unruly_server(tmp_path: Path) -> None:
    """Every row is ok, rejected for a reason or failed with an error, and the counts add up."""
    with serving(teaching.unruly) as server:
        manifest = built(solved(tmp_path / "in", endpoint(server)), tmp_path / "out")
    assert set(server.ways) == {"busy", "error", "broken", "drop", "half", "stall", "always"}
    ledger = rows(tmp_path / "out", "ledger")
    said = Counter(row["reason"] for row in ledger)
    assert said["unanswered"] == said["truncated"] == said["refused"] == 1
    assert said[None] > 10
    assert said["no_solution"] + said["poor"] > 3
    assert set(said) == {None, "unanswered", "truncated", "refused", "no_solution", "poor"}
    assert len({row["parent"] for row in ledger}) == 30
    counted = entry(manifest)
    assert counted["parents"] == 30
    assert counted["rows_in"] == len(ledger) == sum(said.values())
    assert {reason: lost["rows"] for reason, lost in counted["dropped"].items()} == {r: n for r, n in said.items() if r}
    assert set(counted["drops"]) == set(counted["dropped"])
    failed = next(row for row in ledger if row["reason"] == "unanswered")
    assert failed["value"] == "no answer within 4 s"
    for row in rows(tmp_path / "out"):
        assert row["solution"][-1] in "13579"
        assert "hm" not in row["task"]
        assert len(row["calls"]) == 4
    order = [row["parent"] for row in ledger]
    assert [p for i, p in enumerate(order) if i == 0 or order[i - 1] != p] == list(dict.fromkeys(order))


def test_rows_do_not_depend_on_who_answers_first_nor_on_workers(tmp_path: Path) -> None:
    def slow(body: Any, attempt: int) -> Any:
        return chat(f"{teaching.number(canonical(body))}"), random.uniform(0, 0.1)

    with serving(slow) as server:
        for name in ("one", "two"):
            built(solved(tmp_path / "in", endpoint(server)), tmp_path / name)
    assert published(tmp_path / "one") == published(tmp_path / "two")


def test_a_slow_reply_holds_up_no_other_row(tmp_path: Path) -> None:
    """The first of 300 rows is answered when all others have been, of its batch and of the next ones, though only 64
    are under way at a time."""
    count, done = 300, set[str]()

    async def last() -> dict[str, Any]:
        until = time.monotonic() + 60
        while len(done) < count - 1 and time.monotonic() < until:
            await asyncio.sleep(0.01)
        waited.append(len(done))
        return chat("0")

    def behave(body: dict[str, Any], attempt: int) -> Any:
        number = teaching.echo(body, 0)
        if number == "0":
            return last()
        done.add(number)
        return chat(number)

    waited: list[int] = []
    documents = teaching.seeds(tmp_path / "in", count, size=100_000, repos=1)  # 30 MB of one part: a few batches
    with serving(behave) as server:
        teacher = endpoint(server, deadline=90.0, stall=90.0, concurrency=8)
        built(teaching.scored(documents, teacher=teacher), tmp_path / "out")
    assert waited == [count - 1]
    built(teaching.scored(documents, teacher=Scripted("tests.teaching:echo")), tmp_path / "same")
    for name in ("corpus", "ledger"):
        assert [row["id"] for row in rows(tmp_path / "out", name)] == [
            row["id"] for row in rows(tmp_path / "same", name)
        ]


BUILD = """
import sys
from pathlib import Path
from tests.test_teacher_build import built, endpoint, solved
from codemill.teacher.teachers import Endpoint
if __name__ == "__main__":
    url, folder, out = sys.argv[1:]
    teacher = Endpoint("m", url, deadline=15.0, stall=1.0, sampling={"seed": 0, "max_tokens": 50})
    built(solved(Path(folder), teacher, 60), Path(out))
"""


@pytest.mark.slow
@pytest.mark.long
def test_ten_kills_send_no_answered_request_again_and_give_the_same_bytes(tmp_path: Path) -> None:
    """After each of ten kills at random moments, nothing is sent that was answered before it."""
    script = tmp_path / "script.py"
    script.write_text(BUILD)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    chance, paid = random.Random(7), list[int]()

    def slowly(body: dict[str, Any], attempt: int) -> Any:
        said = teaching.unruly(body, attempt)
        return said if isinstance(said, str) else (said[0] if isinstance(said, tuple) else said, 0.3)

    def stored() -> set[str]:
        with Calls(tmp_path / "killed.calls") as calls:
            return {canonical(record["body"]) for _, _, record in calls.records(ANSWER)}

    with serving(slowly) as server:
        arguments = [sys.executable, str(script), server.url, str(tmp_path / "in")]
        answered = set[str]()
        for _ in range(10):
            before = len(server.seen)
            enough = before + chance.randrange(1, 50)
            process = subprocess.Popen([*arguments, str(tmp_path / "killed")], env=environment)
            while len(server.seen) < enough and process.poll() is None:
                time.sleep(0.005)
            time.sleep(chance.uniform(0.0, 0.35))
            process.kill()
            assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
            time.sleep(0.1)  # the worker ends with its parent
            assert not answered & set(server.seen[before:])
            answered = stored()
            paid.append(len(answered))
        assert paid == sorted(paid)
        assert len(set(paid)) > 3, f"answers stored at each kill: {paid}"
        before = len(server.seen)
        subprocess.run([*arguments, str(tmp_path / "killed")], check=True, env=environment)
        assert not answered & set(server.seen[before:])
        assert len(server.seen) > before, "it was too late to kill it"
        subprocess.run([*arguments, str(tmp_path / "whole")], check=True, env=environment)
    assert published(tmp_path / "killed") == published(tmp_path / "whole")


def test_more_seeds_and_another_parser_pay_for_nothing_twice(tmp_path: Path) -> None:
    with serving(lambda body, attempt: chat(str(teaching.number(canonical(body))))) as server:
        teacher = endpoint(server)
        settings = {"calls": str(tmp_path / "calls")}
        built(solved(tmp_path / "in", teacher, 10), tmp_path / "out", settings=settings)
        first = len(server.seen)
        assert len(set(server.seen)) == first
        built(solved(tmp_path / "in", teacher, 20), tmp_path / "out", settings=settings)
        assert len(set(server.seen)) == len(server.seen) > first
        second = len(server.seen)
        built(solved(tmp_path / "in", teacher, 20, again=1), tmp_path / "other", settings=settings)
        assert len(server.seen) == second
    other = Replay(teacher)  # and without a server
    built(solved(tmp_path / "in", other, 20), tmp_path / "replayed", settings=settings)
    assert [row["task"] for row in rows(tmp_path / "replayed")] == [row["task"] for row in rows(tmp_path / "other")]


def test_a_recording_without_an_answer_stops(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="no answer of 'm' is recorded"):
        built(solved(tmp_path / "in", Replay(Endpoint("m"))), tmp_path / "out")


def test_two_who_ask_the_same_at_once_ask_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for i in range(6):
        (tmp_path / "in" / f"{i}.py").write_text("7 \n")
    from codemill import sources
    from codemill.steps import ingest

    documents = ingest.documents(sources=(sources.Folder(str(tmp_path / "in")),))
    with serving(lambda body, attempt: (chat("7"), 0.2)) as server:
        built(teaching.scored(documents, teacher=endpoint(server)), tmp_path / "out")
    assert len(server.seen) == 1
    assert [row["score"] for row in pq.read_table(tmp_path / "out" / "ledger").to_pylist() if "score" in row] == []


def test_a_layer(tmp_path: Path) -> None:
    table = teaching.scored(teaching.seeds(tmp_path / "in", 12), teacher=Scripted("tests.teaching:echo"))
    manifest = cm.build({"corpus": cm.Output(table), "ledger": cm.ledger(table)}, out=tmp_path / "out", workers=1)
    assert entry(manifest, "teaching.scored")["dropped"]["dull"]["rows"] == 5
    assert len(rows(tmp_path / "out")) == 7


def test_one_rows_failure_is_its_own(tmp_path: Path) -> None:
    table = teaching.picky(teaching.seeds(tmp_path / "in", 25), teacher=Scripted("tests.teaching:echo"))
    manifest = built(table, tmp_path / "out")
    assert entry(manifest, "teaching.picky")["dropped"]["failed"]["rows"] == 20
    assert {row["task"] for row in rows(tmp_path / "out")} == {f"{n}�" for n in range(0, 25, 5)}
    said = " ".join(sorted({row["value"] or "" for row in rows(tmp_path / "out", "ledger")}))
    for words in ("ValueError: seed 1 is odd (teaching.py:", "columns ['tusk']", "returned []", "Expected bytes"):
        assert words in said


def test_a_method_that_fails_on_every_row_stops_the_run(tmp_path: Path) -> None:
    table = teaching.wrong(teaching.seeds(tmp_path / "in", 40), teacher=Scripted("tests.teaching:echo"))
    with pytest.raises(BuildError, match=r"fails on every row(.|\n)*has no attribute 'nothing'"):
        built(table, tmp_path / "out")


def test_a_refusal_stops_the_run_at_once(tmp_path: Path) -> None:
    from aiohttp import web

    def behave(body: Any, attempt: int) -> Any:
        return web.json_response({"error": {"message": "no such model"}}, status=404)

    with serving(behave) as server, pytest.raises(TeacherError, match="404 no such model"):
        built(solved(tmp_path / "in", endpoint(server), 100), tmp_path / "out")
    assert len(server.seen) < 40


def test_limits_stop_and_what_was_paid_stays(tmp_path: Path) -> None:
    price = Price(prompt=1e6, completion=2e6, cached=0.0)  # 6 + 2 x 5 = 16 an answer
    with serving(lambda body, attempt: (chat(str(teaching.number(canonical(body)))), 0.02)) as server:
        table = solved(tmp_path / "in", endpoint(server, price=price), 30)
        with pytest.raises(TeacherError, match="--max-requests 12 are asked: 12 answers"):
            built(table, tmp_path / "out", settings={"max_requests": 12})
        assert len(server.seen) == 12
        with Calls(tmp_path / "out.calls") as calls:
            assert len(list(calls.records(ANSWER))) == 12
        with pytest.raises(TeacherError, match=r"--max-cost 640 is spent: \d+ answers, \d+ tokens, cost \d+"):
            built(table, tmp_path / "out", settings={"max_cost": 640})
        assert 12 + 10 < len(server.seen) <= 12 + 40
        built(table, tmp_path / "out")
        assert len(set(server.seen)) == len(server.seen)


def test_a_limit_on_money_needs_prices_of_all_who_are_asked_before_any_is(tmp_path: Path) -> None:
    with serving(lambda body, attempt: chat("1")) as server:
        first = solved(tmp_path / "in", endpoint(server, price=Price(prompt=1.0)), 3)
        second = teaching.scored(first, teacher=endpoint(server))
        with pytest.raises(RecipeError, match=r"--max-cost cannot be kept: what 'm' costs is not known.*--price"):
            built(second, tmp_path / "out", settings={"max_cost": 1.0})
        assert server.seen == []
    free = teaching.solved(teaching.seeds(tmp_path / "in", 3), teacher=Scripted("tests.teaching:echo"), runner=RUNNER)
    built(free, tmp_path / "free", settings={"max_cost": 1.0})  # a script costs nothing


def test_executions_are_stored_and_the_graders_faults_are_not(tmp_path: Path) -> None:
    note = str(tmp_path / "note")

    @cm.ask(version=1, reads=(), makes={})
    def method(row: dict[str, Any]) -> cm.Conversation:
        reply = yield cm.Request("hello")
        outcomes = yield [cm.Execute(p, "t", limits={"note": note}) for p in (f"{reply.text}1", "x2", "BROKEN", "x2")]
        return cm.Drop("seen", " ".join(o.verdict for o in outcomes))

    scripted = Scripted("tests.teaching:echo")
    for _ in range(2):
        talked = single.converse(method, {}, scripted, calls=str(tmp_path / "calls"), runner=RUNNER)
        assert talked.ended.rows == [{"reason": "seen", "value": "pass fail sandbox_error fail"}]
    assert Counter(Path(note).read_text().split()) == {"hello1": 1, "x2": 1, "BROKEN": 2}
    with Calls(tmp_path / "calls") as calls:
        records = [record for _, _, record in calls.records(OUTCOME)]
        records.sort(key=lambda record: record["execute"]["program"])
        assert [r["outcome"] for r in records] == [
            {"verdict": "pass", "words": ["python", "t"]},
            {"verdict": "fail", "words": ["python", "t"]},
        ]
        assert records[0]["execute"]["by"] == {"rung": "none", "toolchain": "python 1"}


def test_a_runner_that_describes_itself_slowly_keeps_no_conversation_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox may have to wait for a slot, until a program of somebody else ends."""
    described: list[str] = []
    asked = threading.Event()

    def slow(language: str) -> str:
        described.append(language)
        assert asked.wait(20), "no request was sent meanwhile"
        return language

    runner = dataclasses.replace(running.sandbox(RUNNER), described=slow)
    monkeypatch.setattr(running, "sandbox", lambda name: runner)

    def behave(body: dict[str, Any], attempt: int) -> dict[str, Any]:
        asked.set()
        return chat("1")

    @cm.ask(version=1, reads=(), makes={})
    def method(row: dict[str, Any]) -> cm.Conversation:
        got = yield [cm.Execute("x1", "t"), cm.Execute("x3", "t"), cm.Request("hello")]
        return cm.Drop("seen", f"{got[0].verdict} {got[1].verdict} {got[2].text}")

    with serving(behave) as server:
        talked = single.converse(method, {}, endpoint(server), calls=str(tmp_path / "calls"), runner=RUNNER)
    assert talked.ended.rows == [{"reason": "seen", "value": "pass pass 1"}]
    assert described == ["python"]


def test_a_runner_that_is_none_is_refused(tmp_path: Path) -> None:
    table = teaching.solved(
        teaching.seeds(tmp_path / "in", 3), teacher=Scripted("tests.teaching:echo"), runner="tests.toys"
    )
    with pytest.raises(RecipeError, match="no runner of programs"):
        built(table, tmp_path / "out")


def test_a_batch_elsewhere(tmp_path: Path) -> None:
    """Three turns are three rounds: requests are written down, answered by something else, and read."""
    from codemill.teacher import ledger

    table = solved(tmp_path / "in", Endpoint("m", "http://127.0.0.1:9/v1", {"seed": 0}), 12)
    store = tmp_path / "out.calls"
    for _ in range(10):
        with pytest.raises(TeacherError, match="wait for a batch"):
            built(table, tmp_path / "out", settings={"collect": True})
        count = ledger.export(store, tmp_path / "in.jsonl", answered=False)
        assert count > 0
        with open(tmp_path / "out.jsonl", "w") as out:
            for line in map(json.loads, (tmp_path / "in.jsonl").read_text().splitlines()):
                body = teaching.unruly(line["body"], 2)
                body = body[0] if isinstance(body, tuple) else body
                response = {"status_code": 200 if isinstance(body, dict) else 500, "body": body}
                out.write(json.dumps({"custom_id": line["custom_id"], "response": response, "error": None}) + "\n")
        done = ledger.read_batch(store, tmp_path / "out.jsonl")
        assert done["read"] + done["failed"] == count
        if done["failed"] == count:
            break
    assert done["failed"] == 1  # seed 7, for ever: it waits for a better batch
    with Calls(store) as calls:
        assert len(list(calls.records(ANSWER))) > 30


def test_progress_tells_counts(tmp_path: Path) -> None:
    class Heard(Silent):
        facts: dict[str, float] = {}  # noqa: RUF012

        def told(self, label: str, facts: Any) -> None:
            self.facts = dict(facts)

    heard = Heard()
    with serving(lambda body, attempt: chat("x1")) as server:
        price = Price(prompt=1e6, completion=0.0)
        built(solved(tmp_path / "in", endpoint(server, price=price), 5, tries=1), tmp_path / "out", progress=heard)
    assert heard.facts["rows"] == 5
    assert heard.facts["asked"] == heard.facts["cost"] / 10 > 0
    assert heard.facts["prompt"] == 10 * heard.facts["asked"]


def test_the_store_lies_beside_the_output_never_inside(tmp_path: Path) -> None:
    assert calls_of(str(tmp_path / "out"), None) == tmp_path / "out.calls"
    with pytest.raises(RecipeError, match="may not lie inside"):
        calls_of(str(tmp_path / "out"), str(tmp_path / "out" / "calls"))
    with pytest.raises(EnvironmentProblem, match="needs a disk"):
        calls_of("s3://bucket/out", None)


def test_secrets_are_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")
    with serving(lambda body, attempt: chat("x1")) as server:
        built(solved(tmp_path / "in", endpoint(server), 3), tmp_path / "out")
        assert server.headers[0]["Authorization"] == "Bearer sk-very-secret-key"
    with Calls(tmp_path / "out.calls") as calls:
        assert "very-secret" not in json.dumps([record for _, _, record in calls.records()])
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"very-secret" not in file.read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"teacher": "gpt"}, "teacher= is a str"),
        ({"teacher": Scripted("tests.teaching:nobody")}, "no function"),
        ({"tires": 3}, "no parameter 'tires'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_paid(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        teaching.solved(
            teaching.seeds(tmp_path, 1),
            **{"teacher": Scripted("tests.teaching:echo"), **change},  # type: ignore[arg-type]
        )


@pytest.mark.parametrize(
    "given", ["temperature=hot", "temperature=NaN", "max_tokens=1.5", "max_tokens=true", "seed=[1]", "top_p=null"]
)
def test_a_setting_that_is_no_number_is_a_mistake_of_the_command(given: str, tmp_path: Path) -> None:
    (tmp_path / "seed.py").write_text("x = 1\n")
    done = CliRunner().invoke(cli, ["ask", "snippets", str(tmp_path / "seed.py"), "--dry-run", "--set", given])
    assert done.exit_code == 2, done.exception
    assert f"--set {given.partition('=')[0]} takes a" in done.output


def test_one_method_is_tried_on_one_row_and_every_turn_is_shown(tmp_path: Path) -> None:
    row = dict(recorded()["textbooks"]["row"])
    with serving(lambda body, attempt: chat(answer(body))) as server:
        given = ["ask", "textbooks.explain", "--teacher", f"m@{server.url}", "--calls", str(tmp_path / "calls")]
        done = CliRunner().invoke(cli, [*given, "--row", json.dumps(row)])
        assert done.exit_code == 0, done.output
        asked = [json.loads(body)["messages"][-1]["content"] for body in server.seen]
        again = CliRunner().invoke(cli, [*given, "--row", json.dumps(row), "--json"])
        assert len(server.seen) == len(asked) == 2  # answers are stored
    titles = [line for line in done.output.splitlines() if line.startswith("── ")]
    assert [t.split()[1:4] for t in titles] == [
        ["turn", "1:", "asked"], ["turn", "1:", "came"], ["turn", "2:", "asked"], ["turn", "2:", "came"], ["row"]
    ]  # fmt: skip
    words = " ".join(done.output.split())
    assert all(" ".join(text.split()) in words for text in (*asked, row["instruction"], "# Remembering what was seen"))
    assert json.loads(again.output)["turns"]
    wrong = CliRunner().invoke(cli, [*given, "--row", "[1]"])
    assert (wrong.exit_code, "--row is a JSON object" in wrong.output) == (2, True)


def test_a_method_must_be_one() -> None:
    with pytest.raises(RecipeError, match="no generator function"):
        cm.ask(version=1, reads=(), adds={})(lambda row: {})  # type: ignore[arg-type, return-value]
    with pytest.raises(RecipeError, match=r"either adds= .* or makes="):
        cm.ask(version=1, reads=())


def test_a_method_is_tested_by_sending_it_replies() -> None:
    talk = teaching.solved.method({"content": "3"})
    assert next(talk).prompt == "task about seed 3 |"  # type: ignore[union-attr]
    first, second = talk.send(cm.Reply("T"))  # type: ignore[misc]
    assert (first.sample, second.sample) == (0, 1)  # type: ignore[union-attr]
