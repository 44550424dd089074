"""The store of paid calls: what was answered stays, whatever happens to the process or to the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemill.errors import EnvironmentProblem, InputError
from codemill.teacher import calls as store
from codemill.teacher.calls import ANSWER, OUTCOME, Calls, key_of


def filled(folder: Path, count: int) -> None:
    with Calls(folder, write=True) as calls:
        for i in range(count):
            calls.put(key_of(i), {"number": i, "text": f"answer {i} " * 20})


def test_what_was_put_is_got_by_another_process_and_after(tmp_path: Path) -> None:
    with Calls(tmp_path, write=True) as calls:
        calls.put(key_of("a"), {"x": "é\ud800"})
        calls.put(key_of("b"), {"x": 2}, OUTCOME)
        assert calls.get(key_of("a")) == {"x": "é\ud800"}
        with Calls(tmp_path) as reader:
            assert (len(reader), reader.get(key_of("b"))) == (2, {"x": 2})
    with Calls(tmp_path) as reader:
        assert reader.get(key_of("c")) is None
        assert key_of("a") in reader
        assert [(kind, record) for _, kind, record in reader.records()] == [
            (ANSWER, {"x": "é\ud800"}),
            (OUTCOME, {"x": 2}),
        ]


def test_a_later_record_of_a_key_counts(tmp_path: Path) -> None:
    with Calls(tmp_path, write=True) as calls:
        calls.put(key_of("a"), {"x": 1})
        calls.put(key_of("a"), {"x": 2})
        assert len(calls) == 1
    with Calls(tmp_path) as reader:
        assert [record for _, _, record in reader.records()] == [{"x": 2}]


def test_the_index_grows(tmp_path: Path) -> None:
    filled(tmp_path, 3000)
    with Calls(tmp_path) as calls:
        assert len(calls) == 3000
        assert all(calls.get(key_of(i))["number"] == i for i in range(0, 3000, 7))  # type: ignore[index]


def test_keys_with_the_same_beginning_are_told_apart(tmp_path: Path) -> None:
    one, two = bytes(32), bytes(31) + b"\1"
    with Calls(tmp_path, write=True) as calls:
        calls.put(one, {"x": 1})
        calls.put(two, {"x": 2})
        assert (calls.get(one), calls.get(two), len(calls)) == ({"x": 1}, {"x": 2}, 2)
        assert bytes(30) + b"\1\1" not in calls


@given(st.integers(1, 400))
def test_a_torn_tail_loses_the_last_answer_and_says_so(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("torn")
    filled(folder, 5)
    file = folder / "00000.calls"
    sizes = _sizes(file)
    os.truncate(file, sum(sizes) - min(cut, sizes[-1] - 1))
    with Calls(folder) as reader:  # a reader leaves the file alone
        assert len(reader) == 4
    with Calls(folder, write=True) as calls:
        assert calls.lost == [f"the last {sizes[-1] - min(cut, sizes[-1] - 1)} bytes of 00000.calls"]
        assert len(calls) == 4
        calls.put(key_of(4), {"number": "again"})
    with Calls(folder) as reader:
        assert reader.get(key_of(4)) == {"number": "again"}
        assert reader.lost == []


def _sizes(file: Path) -> list[int]:
    """Of each record of a file, in bytes."""
    descriptor = os.open(file, os.O_RDONLY)
    found = [store._HEADER.size + header[2] for _, header in store._scan(descriptor, 0, lambda hole: None)]
    os.close(descriptor)
    return found


@given(st.data())
def test_damage_loses_what_is_damaged_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    filled(folder, 5)
    file = folder / "00000.calls"
    whole = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    file.write_bytes(whole)
    ends = [sum(_sizes_of(5, folder)[: i + 1]) for i in range(5)]
    hit = next(i for i, end in enumerate(ends) if place < end)
    with Calls(folder) as calls:
        got = [calls.get(key_of(i)) for i in range(5)]
        said = calls.lost
    assert [i for i, record in enumerate(got) if record is None] in ([hit], [])
    assert all(record is None or record["number"] == i for i, record in enumerate(got))
    assert bool(said) == (got[hit] is None) or hit == 4  # a reader cannot tell a damaged tail from one being written


def _sizes_of(count: int, beside: Path) -> list[int]:
    clean = beside / "clean"
    filled(clean, count)
    return _sizes(clean / "00000.calls")


def test_damage_is_written_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    filled(tmp_path, 3)
    file = tmp_path / "00000.calls"
    data = bytearray(file.read_bytes())
    data[store._HEADER.size + 5] ^= 1
    file.write_bytes(data)
    with Calls(tmp_path, write=True) as calls:
        assert calls.get(key_of(0)) is None
        assert "are damaged: answers there are lost" in caplog.text
        calls.put(key_of(0), {"number": 0})
        assert calls.get(key_of(0)) == {"number": 0}
        assert calls.prune(lambda kind, record: False)[0] == 0
        assert [record["number"] for _, _, record in calls.records()] == [1, 2, 0]
    with Calls(tmp_path) as reader:
        assert (len(reader), reader.lost) == (3, [])


def test_files_are_rolled_over_and_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SEGMENT", 500)
    filled(tmp_path, 20)
    assert len(list(tmp_path.glob("*.calls"))) > 3
    with Calls(tmp_path, write=True) as calls:
        assert [calls.get(key_of(i))["number"] for i in range(20)] == list(range(20))  # type: ignore[index]
        removed, freed = calls.prune(lambda kind, record: record["number"] % 2 == 0)
        assert (removed, len(calls), freed > 0) == (10, 10, True)
        calls.put(key_of(0), {"number": 0})
    with Calls(tmp_path) as reader:
        assert sorted(record["number"] for _, _, record in reader.records()) == sorted([0, *range(1, 20, 2)])


def test_one_writer(tmp_path: Path) -> None:
    with Calls(tmp_path, write=True), pytest.raises(EnvironmentProblem, match="another process is writing"):
        Calls(tmp_path, write=True, patience=0.1)
    Calls(tmp_path, write=True).close()


def test_a_store_that_is_not_there_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no store of calls here"):
        Calls(tmp_path / "nothing")


def test_a_full_disk_stops_and_leaves_the_store_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, 2)
    real = os.write
    with Calls(tmp_path, write=True) as calls:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:30]))
            with pytest.raises(EnvironmentProblem, match="No space left"):
                calls.put(key_of(9), {"x": 1})
        calls.put(key_of(8), {"x": 2})
    with Calls(tmp_path, write=True) as again:
        assert (len(again), again.lost) == (3, [])


KILLED = """
import sys, os
from codemill.teacher.calls import Calls, key_of
calls = Calls(sys.argv[1], write=True)
for i in range(10**9):
    calls.put(key_of(i), {"number": i, "text": "x" * (i % 5000)})
    print(i, flush=True)
"""


def test_a_kill_loses_nothing_that_was_put(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 300:
                process.send_signal(signal.SIGKILL)
                break
        last = int([line, *process.stdout.read().split()][-1])
    with Calls(tmp_path, write=True) as calls:
        assert len(calls) >= last
        assert all(calls.get(key_of(i))["number"] == i for i in range(last))  # type: ignore[index]


def test_a_key_is_of_what_was_asked_in_any_order() -> None:
    assert key_of({"a": 1, "b": "é"}) == key_of(json.loads('{"b": "\\u00e9", "a": 1}'))
    assert key_of({"a": 1}) != key_of({"a": 2})
