"""Readers of benchmark files: every published form is recognised and read, and damage is an error with its place."""

from __future__ import annotations

import ast
import dataclasses
import gzip
import json
import os
import pickle
import subprocess
import sys
import threading
import urllib.request
import zlib
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codemill import benchmarks, languages
from codemill.benchmarks import Case, Task, asking, fetching, livecodebench
from codemill.benchmarks.catalogue import File
from codemill.errors import EnvironmentProblem, InputError, RecipeError
from tests.benchmark_rows import FUNCTION, ROWS, TASK, polyglot, write

FORMS = [(name, number) for name, rows in ROWS.items() for number in range(len(rows))]
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "benchmarks"


def one(tmp_path: Path, row: dict[str, Any]) -> Task:
    return next(benchmarks.read(write(tmp_path / "tasks.jsonl", [row])))


def test_every_benchmark_has_a_row_here_and_says_where_it_is_published() -> None:
    assert {b.name for b in benchmarks.all()} == {*ROWS, "aider_polyglot"}
    assert all(b.title and b.published and b.licence and b.languages for b in benchmarks.all())


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_a_row_is_recognised_and_read(name: str, form: int, tmp_path: Path) -> None:
    row = ROWS[name][form]
    task = one(tmp_path, {**row, "extra": [1, 2]})
    assert task.benchmark == name
    assert "9001" in task.id or name in ("repobench", "crosscodeeval")
    assert task.kind in benchmarks.KINDS
    assert languages.get(task.language)
    assert task.more["extra"] == [1, 2]
    assert task.prompt or task.shown


@pytest.mark.parametrize("name", ["humaneval", "humaneval_plus", "human_eval_infilling", "mbpp", "evoeval", "own"])
def test_the_published_answer_makes_a_program_that_passes(name: str, tmp_path: Path) -> None:
    task = one(tmp_path, ROWS[name][0])
    program = "\n".join([task.setup, task.program(), task.tests, "assert widest_gap([2, 8], 1) == 6"])
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert subprocess.run([sys.executable, "-c", program.replace("high - low", "0")], check=False, stderr=-3).returncode


def test_what_a_task_of_each_kind_holds(tmp_path: Path) -> None:
    def read(name: str, form: int = 0) -> Task:
        return one(tmp_path, ROWS[name][form])

    assert (read("mbpp").entry_point, read("mbpp").solution) == ("widest_gap", FUNCTION)
    assert read("multipl_e").language == "go"
    assert read("multipl_e").entry_point == "widest_gap"
    assert read("code_contests").solution == "print(int(input()) ** 2)"
    assert read("code_contests").cases == (Case("3\n", "9\n"), Case("4\n", "16\n"))
    assert read("apps").cases == (Case("3\n", "9\n"),)
    assert [read("mceval", form).kind for form in range(4)] == ["complete", "explain", "write", "complete"]
    assert read("crosscodeeval").language == "typescript"
    assert read("safim").program() == "a x(); b"
    assert read("santacoder_fim").program() == "let a = 1;\n"
    assert read("repobench", 1).shown == "class D"


def test_a_program_is_found_in_a_reply_in_few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run of lines of a reply would be as many as the square of its lines."""
    tries = []
    parse = ast.parse
    monkeypatch.setattr(ast, "parse", lambda code: tries.append(code) or parse(code))
    said = "Sure:\nimport math\nx = 1\ndef f(a):\n    return a\nNow (that\nis it:\ndef g(): pass"
    assert asking.python(said) == "import math\nx = 1\ndef f(a):\n    return a"
    hostile = [
        "x = (\n",
        "def f():\n",
        "x = 1\noh no\n",
        'x = """\n',
        "from this\n",
        "class A:\n  x = (1,\n",
        "x=1\n\0\n",
    ]
    for line in hostile:
        tries.clear()
        asking.python(line * 3000 + "oh no")
        assert len(tries) <= asking.TRIES + 1, line


def test_calls_of_apps_are_one_json_value_a_line(tmp_path: Path) -> None:
    tests = json.dumps({"fn_name": "add", "inputs": [[1, [2]]], "outputs": [3]})
    task = one(tmp_path, {**ROWS["apps"][0], "input_output": tests, "solutions": ""})
    assert (task.entry_point, task.solution) == ("add", "")
    assert task.cases == (Case("1\n[2]", "3", call=True),)


def test_tests_of_livecodebench_are_unpacked_on_demand(tmp_path: Path) -> None:
    task = one(tmp_path, ROWS["livecodebench"][0])
    assert livecodebench.cases(task) == (Case("3\n", "9\n"), Case("3\n", "9\n"))


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pickle-ran",)


@pytest.mark.parametrize("payload", [pickle.dumps(Evil()), b"", b"garbage", pickle.dumps("[")[:-3]])
def test_a_hostile_pickle_is_an_error_and_runs_nothing(
    payload: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    packed = b64encode(zlib.compress(payload)).decode()
    task = one(tmp_path, {**ROWS["livecodebench"][0], "private_test_cases": packed})
    with pytest.raises(InputError, match="cannot be unpacked"):
        livecodebench.cases(task)
    assert not (tmp_path / "pickle-ran").exists()


def test_a_packed_repository_of_exercises(tmp_path: Path) -> None:
    path = polyglot(tmp_path / "polyglot.tar.gz")
    (task,) = benchmarks.read(path)
    assert (task.benchmark, task.id, task.language) == ("aider_polyglot", "rust/widest-gap", "rust")
    assert "todo!" in task.shown
    assert task.solution == "pub fn gap() -> u32 { 0 }\n"
    assert set(task.more["texts"]) > {"src/lib.rs", ".meta/config.json"}
    assert "Tell the widest gap" in task.prompt


def test_files_can_be_lists_packed_or_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([TASK]), "utf-8")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(json.dumps(TASK).encode()))
    pq.write_table(pa.Table.from_pylist([TASK]), tmp_path / "c.parquet")
    write(tmp_path / "d.jsonl", [{"instruction": "Hi", "output": "Hello"}])
    (tmp_path / "README.md").write_text("nothing")
    found = benchmarks.find(tmp_path)
    assert [benchmark and benchmark.name for benchmark in found.values()] == ["humaneval"] * 3 + [None]
    read = [next(benchmarks.read(path)) for path, benchmark in found.items() if benchmark]
    assert read[0] == read[1] == read[2]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "row 1"),
        (b"[1]", "row 1 is int"),
        (b'{"task_id": "x"}', "no known benchmark"),
        (b"\xff\xfe", "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
    ],
)
def test_damage_is_an_error_with_its_place(data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(data)
    with pytest.raises(InputError, match=words) as error:
        list(benchmarks.read(tmp_path / "x.jsonl"))
    assert "x.jsonl" in str(error.value)


@pytest.mark.parametrize("change", [{"prompt": 7}, {"canonical_solution": None}])
def test_a_field_of_another_type_is_an_error_with_its_row(change: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", [TASK, {**TASK, **change}])
    with pytest.raises(InputError, match="row 2"):
        list(benchmarks.read(path))


def test_a_torn_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(json.dumps(TASK).encode())[:-9])
    with pytest.raises(InputError, match="cannot be read"):
        list(benchmarks.read(tmp_path / "x.jsonl.gz"))
    with pytest.raises(InputError, match="no such folder"):
        benchmarks.find(tmp_path / "none")
    with pytest.raises(RecipeError, match="humaneval"):
        benchmarks.get("humanevil")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published files are not here")
def test_the_published_files_have_as_many_tasks_as_is_known() -> None:
    for path, benchmark in benchmarks.find(SHARED).items():
        if benchmark is None or "invented" in str(path) or "changed" in path.name or "sample" in path.name:
            continue
        tasks = list(benchmarks.read(path))
        assert not benchmark.counts or len(tasks) in benchmark.counts, path
        assert all(task.kind in benchmarks.KINDS for task in tasks)


# ── fetching, when asked ──────────────────────────────────────────────────────────────────────────────────────────


class Served(BaseHTTPRequestHandler):
    """A publisher on loopback."""

    content: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Served.asked.append(self.path)
        data = Served.content.get(self.path)
        self.send_response(200 if data is not None else 404)
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def publisher() -> Iterator[str]:
    Served.content, Served.asked = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_files_are_fetched_by_name_and_only_what_is_known(publisher: str, tmp_path: Path) -> None:
    row = json.dumps(TASK).encode() + b"\n"
    Served.content = {"/data/tasks.jsonl.gz": gzip.compress(row), "/torn.jsonl.gz": gzip.compress(row)[:-9]}
    known = File(f"{publisher}/data/tasks.jsonl.gz", sha256(row).hexdigest())
    mine = dataclasses.replace(benchmarks.get("humaneval"), files=(known,))
    for _ in range(2):  # the second time it is there
        (file,) = fetching.fetch(mine, tmp_path)
        assert [task.id for task in benchmarks.read(file)] == ["HumanEval/9001"]
    assert Served.asked == ["/data/tasks.jsonl.gz"]
    file.write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be unpacked"):
        fetching.fetch(mine, tmp_path)
    file.unlink()
    other = dataclasses.replace(mine, files=(dataclasses.replace(known, sha256="0" * 64),))
    with pytest.raises(InputError, match="the file is another one"):
        fetching.fetch(other, tmp_path)
    assert not file.exists()
    with pytest.raises(EnvironmentProblem, match="404"):
        fetching.fetch(dataclasses.replace(mine, files=(File(f"{publisher}/gone"),)), tmp_path)
    with pytest.raises(InputError, match="cannot be unpacked"):
        fetching.fetch(dataclasses.replace(mine, files=(File(f"{publisher}/torn.jsonl.gz"),)), tmp_path)
    with pytest.raises(RecipeError, match="no address"):
        fetching.fetch(benchmarks.get("own"), tmp_path)


def test_nothing_is_fetched_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    list(benchmarks.read(write(tmp_path / "tasks.jsonl", [TASK])))
    assert benchmarks.all()
