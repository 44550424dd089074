"""Batches of answers as they are read into a store: good ones, bad ones, long ones."""

from __future__ import annotations

import json
import re
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from codemill.cli import cli
from codemill.errors import InputError
from codemill.teacher import ledger
from codemill.teacher.calls import OUTCOME, Calls, key_of
from tests.teaching import chat

GOOD = {"custom_id": "ab", "response": {"body": chat("x")}, "request": {"url": "/v1/c", "body": {}, "sample": 0}}


@pytest.mark.parametrize(
    "bad",
    [
        b"not json",
        b"[]",
        b"3",
        b"null",
        b"{}",
        b'{"custom_id": "ab", "response": [1]}',
        b'{"custom_id": "ab", "request": {"url": 3, "body": {}}}',
        b'{"custom_id": "ab", "request": {"body": {}}}',
        b'{"custom_id": "ab", "request": [1]}',
        b'{"custom_id": "\xff"}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_is_no_batch_says_which_line_and_keeps_those_before(bad: bytes, tmp_path: Path) -> None:
    file = tmp_path / "batch.jsonl"
    file.write_bytes(json.dumps(GOOD).encode() + b"\n\n" + bad + b"\n")
    with pytest.raises(InputError, match=r"no answer of a batch \(at .*batch\.jsonl:3\)"):
        ledger.read_batch(tmp_path / "calls", file)
    file.write_text(json.dumps(GOOD) + "\n")
    assert ledger.read_batch(tmp_path / "calls", file)["there already"] == 1


def test_answers_that_are_none_failed_and_those_of_others_are_unknown(tmp_path: Path) -> None:
    lines = [
        *({**GOOD, "response": {"body": body}} for body in (None, [], {"choices": []}, {"choices": [1]})),
        {**GOOD, "error": "no"},
        *({**GOOD, "request": None, "custom_id": name} for name in ("ab", "no hex", 3)),
    ]
    (tmp_path / "batch.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = ledger.read_batch(tmp_path / "calls", tmp_path / "batch.jsonl")
    assert done == {"read": 0, "there already": 0, "failed": 5, "unknown": 3}


def test_requests_that_wait_are_left_on_the_disk_while_a_batch_is_read(tmp_path: Path) -> None:
    """A few megabytes of them, in less than a tenth of the memory."""
    store = tmp_path / "calls"
    store.mkdir()
    with open(store / "wanted.jsonl", "w") as wanted, open(tmp_path / "batch.jsonl", "w") as batch:
        for n in range(300):
            body = {"messages": [{"role": "user", "content": f"{n}" + "x" * 20_000}]}
            key = key_of({"path": "/c", "body": body, "sample": n}).hex()
            wanted.write(json.dumps({"custom_id": key, "url": "/v1/c", "body": body, "sample": n}) + "\n")
            batch.write(json.dumps({"custom_id": key, "response": {"body": chat(f"{n}")}}) + "\n")
        wanted.write('{"custom_id": "torn')
    tracemalloc.start()
    done = ledger.read_batch(store, tmp_path / "batch.jsonl")
    assert ledger.export(store, tmp_path / "left.jsonl", answered=False) == 0
    assert tracemalloc.get_traced_memory()[1] < 600_000
    tracemalloc.stop()
    assert done["read"] == 300
    with Calls(store) as calls:
        asked = {"path": "/c", "body": {"messages": [{"role": "user", "content": "7" + "x" * 20_000}]}, "sample": 7}
        record = calls.get(key_of(asked))
        assert record is not None
        assert record["response"]["choices"][0]["message"]["content"] == "7"


def command(*arguments: object) -> str:
    """What `codemill calls` prints."""
    done = CliRunner().invoke(cli, ["calls", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_requests_are_exported_answered_elsewhere_and_imported_by_command(tmp_path: Path) -> None:
    store, wanted, batch = tmp_path / "calls", tmp_path / "wanted.jsonl", tmp_path / "batch.jsonl"
    store.mkdir()
    asked = [{"path": "/c", "body": {"messages": [{"role": "user", "content": f"{n}"}]}, "sample": 0} for n in range(3)]
    keys = [key_of(one) for one in asked]
    lines = [
        {"custom_id": key.hex(), "url": f"/v1{one['path']}", "body": one["body"], "sample": 0}
        for key, one in zip(keys, asked, strict=True)
    ]
    (store / "wanted.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert command("export", store, "--out", wanted) == f"{wanted}: 3 requests\n"
    exported = [json.loads(line) for line in wanted.read_text().splitlines()]
    assert [(one["custom_id"], one["method"], one["url"]) for one in exported] == [
        (key.hex(), "POST", "/v1/c") for key in keys
    ]
    assert [one["body"] for one in exported] == [one["body"] for one in asked]

    answers = [{"custom_id": one["custom_id"], "response": {"body": chat("x")}} for one in exported[:2]]
    batch.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    assert command("import", store, batch) == "2 read, 0 there already, 0 failed, 0 unknown\n"
    assert command("export", store, "--out", wanted) == f"{wanted}: 1 request\n"

    other = tmp_path / "other.calls"  # answers go from one store to another under the same keys
    other.mkdir()
    assert command("export", store, "--answered", "--out", batch) == f"{batch}: 2 answers\n"
    assert command("import", other, batch) == "2 read, 0 there already, 0 failed, 0 unknown\n"
    with Calls(store) as here, Calls(other) as there:
        assert [key for key, _, _ in there.records()] == keys[:2]
        assert [there.get(key)["response"] == here.get(key)["response"] for key in keys[:2]] == [True, True]  # type: ignore[index]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Answers of two models and an outcome, of three days, one of them cut short."""
    with Calls(tmp_path / "calls", write=True) as calls:
        for name, model, day, finish in (
            ("old", "a", "2026-01-01", "stop"),
            ("cut", "a", "2026-01-02", "length"),
            ("new", "a", "2026-01-03", "stop"),
            ("other", "b", "2026-01-01", "stop"),
        ):
            at = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
            body = {"model": model, "prompt": name}
            calls.put(key_of(name), {"path": "/completions", "body": body, "response": chat("x", finish), "at": at})
        ran = {"execute": {"program": "ran"}, "outcome": {"verdict": "pass"}, "at": 0}
        calls.put(key_of("ran"), ran, OUTCOME)
    return tmp_path / "calls"


def names(store: Path) -> set[str]:
    """What a store holds."""
    with Calls(store) as calls:
        return {record["body"]["prompt"] if "body" in record else "ran" for _, _, record in calls.records()}


@pytest.mark.parametrize(
    ("which", "gone"),
    [
        (["--model", "a"], {"old", "cut", "new"}),
        (["--model", "c"], set()),
        (["--before", "2026-01-01"], {"ran"}),
        (["--before", "2026-01-02"], {"old", "other", "ran"}),
        (["--before", "2026-01-03"], {"old", "cut", "other", "ran"}),
        (["--truncated"], {"cut"}),
        (["--outcomes"], {"ran"}),
        (["--model", "a", "--before", "2026-01-02"], {"old"}),
        (["--model", "b", "--truncated"], set()),
        (["--outcomes", "--before", "2026-01-02"], {"ran"}),
    ],
)
def test_what_is_pruned_is_that_for_which_all_holds(kept: Path, which: list[str], gone: set[str]) -> None:
    whole = names(kept)
    assert whole == {"old", "cut", "new", "other", "ran"}
    assert re.fullmatch(rf"{len(gone)} calls, [\d,]+ bytes: can go\n", command("prune", kept, *which, "--dry-run"))
    assert names(kept) == whole
    size = (kept / "00000.calls").stat().st_size
    said = re.fullmatch(rf"{len(gone)} calls, ([\d,]+) bytes: deleted\n", command("prune", kept, *which))
    assert names(kept) == whole - gone
    assert said
    assert size - (kept / "00000.calls").stat().st_size == int(said[1].replace(",", ""))


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ([], "say which"),
        (["--outcomes", "--model", "a"], "are of no model"),
        (["--outcomes", "--truncated"], "are not truncated"),
        (["--before", "soon"], "'soon' is not a date"),
    ],
)
def test_nothing_is_pruned_by_a_command_that_does_not_say_what(kept: Path, which: list[str], words: str) -> None:
    done = CliRunner().invoke(cli, ["calls", "prune", str(kept), *which])
    assert done.exit_code != 0
    assert words in done.output + str(done.exception)
    assert names(kept) == {"old", "cut", "new", "other", "ran"}
