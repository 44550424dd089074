"""Batches of answers as they are read into a store: good ones, bad ones, long ones."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from codemill.errors import InputError
from codemill.teacher import ledger
from codemill.teacher.calls import Calls, key_of
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
