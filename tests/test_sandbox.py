"""The sandbox says what came of a program: verdicts, ways to grade, tests of every kind."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.sandbox import programs
from codemill.cli import cli
from codemill.cli.execution import shown
from codemill.errors import EnvironmentProblem, RecipeError
from codemill.sandbox import Call, Limits, Outcome, Pool, Stdio, Task, execute_many, grading, languages, rungs, warm
from codemill.sandbox.guest import keeper
from codemill.sandbox.slot import Run, Slot
from tests.test_sandbox_languages import PROGRAMS

ADD = "def add(a, b):\n    return a + b\n"
LOOP = "for i in range(3):\n    assert add(i, 2) == i + 2\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as pool:
        yield pool


@pytest.mark.parametrize(
    ("program", "tests", "verdict", "grading"),
    [
        (ADD, "assert add(1, 2) == 3", "pass", "by_call"),
        (ADD, "assert add(1, 2) == 4", "fail", "by_call"),
        (ADD, LOOP, "pass", "in_process"),
        (ADD.replace("+", "-"), LOOP, "fail", "in_process"),
        ("def add(a, b:\n", "assert add(1, 2) == 3", "compile_error", "by_call"),
        ("def add(a, b:\n", LOOP, "compile_error", "in_process"),
        (ADD, "for i in range(3:\n", "tests_error", "in_process"),
        (ADD, "x = 1", "tests_error", "in_process"),
        ("import os; os._exit(0)", "assert add(1, 2) == 3", "no_verdict", "by_call"),
        ("import os; os._exit(0)", LOOP, "no_verdict", "in_process"),
        ("raise ValueError('no')", LOOP, "fail", "in_process"),
        ("def add(a, b):\n    return 1 // 0", "assert add(1, 2) == 3", "fail", "by_call"),
        ("import sys\ndef add(a, b):\n    sys.exit(0)", LOOP, "no_verdict", "in_process"),
        ("def add(a, b):\n    return [0] * 10**10", "assert add(1, 2) == 3", "memory", "by_call"),
        ("def add(a, b):\n    return [0] * 10**10", LOOP, "memory", "in_process"),
        ("import os, signal\ndef add(a, b):\n    os.kill(os.getpid(), signal.SIGSEGV)", LOOP, "crashed", "in_process"),
        ("def add(a, b):\n    while True: print('x' * 10000)", LOOP, "output_limit", "in_process"),
    ],
)
def test_verdicts(pool: Pool, program: str, tests: str, verdict: str, grading: str) -> None:
    outcome = pool.execute(program, tests)
    assert (outcome.verdict, outcome.grading) == (verdict, grading), outcome
    assert outcome.rung == pool.rung
    assert outcome.counts is (verdict != "tests_error")


HOSTILE = {
    "more digits than can be written": "10 ** 5000",
    "beyond a float": "10 ** 400",
    "a signalling NaN": "Decimal('sNaN')",
    "a list of signalling NaNs": "[Decimal('sNaN')] * 2",
    "a complex beyond a float": "complex(1e308, 1e308) * 1.5",
    "a range that nobody can list": "range(10 ** 14)",
    "a decimal that no integer holds": "Decimal('1e999999999')",
    "a range of huge numbers": "range(10 ** 5000)",
    "a fraction that takes hours to reduce": "type('F', (Fraction,), "
    "{'numerator': 3 ** 10**6, 'denominator': 1 << 10**6})(1)",
    "not a number": "float('nan')",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_no_answer_of_a_program_is_more_than_wrong(pool: Pool, value: str) -> None:
    program = f"from decimal import Decimal\nfrom fractions import Fraction\ndef f():\n    return {value}\n"
    for tolerance in ({}, {"absolute": 1e-6}, {"relative": 0.1}):
        for expected in (1, 1.5, 1j, [1.0, 2.0], "x"):
            outcome = pool.execute(program, [Call((), expected, **tolerance)], entry_point="f")
            assert outcome.verdict in ("fail", "no_verdict"), outcome
    for answer in ("f()", "abs(f() - 1)", "int(f())", "sum(f())", "list(f())[0]", "f() * f()"):
        test = f"{answer} == 1"
        outcome = pool.execute(program, f"assert {test}", limits=Limits(cpu_seconds=1))
        assert outcome.verdict in ("fail", "no_verdict", "memory", "timeout_cpu"), (test, outcome)


def test_numbers_that_are_none_are_another_output(pool: Pool) -> None:
    for said in ("sNaN", "NaN", "1e999999999999999999", "9" * 10_000, "inf"):
        outcome = pool.execute(f"print('{said}')", [Stdio("", "1.0", decimals=True)])
        assert (outcome.verdict, outcome.tests_run) == ("fail", 1)
        assert not grading.same("1", said, decimals=True)


def test_a_witness_that_says_nonsense_gives_no_verdict(monkeypatch: pytest.MonkeyPatch, pool: Pool) -> None:
    """The witness runs beside the program, which may find what it says with."""
    monkeypatch.setattr(grading.secrets, "token_hex", lambda size: "nonce")
    for words in ("pass ²", f"pass {'9' * 5000}", "won 3", "pass -1"):
        told = f"nonce {words}\n".encode()
        monkeypatch.setattr(Slot, "run", lambda *_, told=told, **__: Run(0, 0.0, 0.0, 0.0, None, 0, "", b"", b"", told))
        assert pool.execute(ADD, LOOP).verdict == "no_verdict"


def test_time(pool: Pool) -> None:
    limits = Limits(cpu_seconds=1, wall_seconds=1)
    slow = pool.execute("def add(a, b):\n    while True: pass", LOOP, limits=limits)
    assert slow.verdict == "timeout_cpu"
    asleep = pool.execute("import time\ndef add(a, b):\n    time.sleep(60)", LOOP, limits=limits)
    assert asleep.verdict == "timeout_wall"
    assert asleep.cpu < 0.5


def test_a_timeout_by_the_wall_clock_is_run_again_alone_and_that_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    asleep, late, busy = "import time; time.sleep(60)", f"# late\n{ADD}", "while True: pass"
    flying: list[str] = []
    beside: dict[str, list[set[str]]] = {}  # of each run of a program, what ran when it began and ended
    grade = grading.grade

    def watched(slot: Slot, task: Task) -> Outcome:
        flying.append(task.program)
        first_seen = set(flying)
        outcome = grade(slot, task)
        beside.setdefault(task.program, []).append((first_seen | set(flying)) - {task.program})
        flying.remove(task.program)
        first = len(beside[task.program]) == 1
        return dataclasses.replace(outcome, verdict="timeout_wall") if task.program == late and first else outcome

    monkeypatch.setattr(grading, "grade", watched)
    limits = Limits(cpu_seconds=1, wall_seconds=1)
    others = [f"import time; time.sleep(0.2)\n# {n}\n{ADD}" for n in range(20)]
    given = [asleep, *others, late, busy]  # others take twice as long on two slots as what sleeps
    with Pool(3) as pool:
        verdicts = [one.verdict for one in pool.map(Task(program, LOOP, limits=limits) for program in given)]
    assert verdicts == ["timeout_wall", *["pass"] * 21, "timeout_cpu"]
    assert {program: len(runs) for program, runs in beside.items()} == dict.fromkeys(given, 1) | {asleep: 2, late: 2}
    assert beside[asleep][0]
    assert [beside[asleep][1], beside[late][1]] == [set(), set()]


def test_a_machine_where_nothing_is_safe_says_what_would_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rungs.shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(rungs.confine, "landlock_abi", lambda: 0)
    with pytest.raises(EnvironmentProblem) as refused:
        Pool(1)
    assert "(bubblewrap: bubblewrap is not installed; landlock: the kernel has no Landlock" in refused.value.what
    for words in ("`apt-get install bubblewrap`", "kernel >= 5.13", "--unsafe-local-exec", 'rung="rlimits"'):
        assert words in refused.value.remedy


def test_with_consent_programs_run_with_limits_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are open and limits hold: that is what is consented to."""
    program, tests = tmp_path / "add.py", tmp_path / "tests.py"
    arguments = ["exec", str(program), "--tests", str(tests), "--json"]
    with tempfile.NamedTemporaryFile("w") as outside:  # where the user of a slot may look, unless it is confined
        outside.write("3")
        outside.flush()
        os.chmod(outside.name, 0o644)
        program.write_text(f"def add(a, b):\n    return int(open({outside.name!r}).read())\n")
        tests.write_text("assert add(1, 2) == 3\n")
        done = [CliRunner().invoke(cli, [*arguments, *more]) for more in (["--unsafe-local-exec"], [])]
    said = [json.loads(one.output) for one in done]
    assert [(one.exit_code, s["verdict"]) for one, s in zip(done, said, strict=True)] == [(0, "pass"), (1, "fail")]
    assert said[0]["rung"] == "rlimits" != said[1]["rung"]
    monkeypatch.setenv("SECRET_KEY", "sk")
    with Pool(1, rung="rlimits") as pool:
        limits = Limits(cpu_seconds=1, wall_seconds=1)
        for body, verdict in (("while True: pass", "timeout_cpu"), ("return [0] * 10**10", "memory")):
            assert pool.execute(f"def add(a, b):\n    {body}", LOOP, limits=limits).verdict == verdict
        empty = "import os\nprint(sorted(set(os.environ) & {'SECRET_KEY', 'PYTHONPATH', 'SHELL', 'USER'}))"
        assert pool.execute(empty, [Stdio("", "[]")]).passed


def test_calls_compare_values_of_many_types(pool: Pool) -> None:
    same = "def same(x):\n    return x\n"
    values = [1, 2**80, -0.0, 1.5, "é\ud800", b"\0", [1, [2]], (1, (2,)), {1, 2}, {"a": {1: (2,)}}, None, True, 1j]
    assert pool.execute(same, [Call([v], v) for v in values], entry_point="same").tests_run == len(values)
    nearly = Call([0.1 + 0.2], 0.3)
    assert pool.execute(same, [nearly], entry_point="same").verdict == "fail"
    assert pool.execute(same, [Call([0.1 + 0.2], 0.3, absolute=1e-9)], entry_point="same").passed
    assert not pool.execute(same, [Call([(1, 2)], [1, 2])], entry_point="same").passed


def test_programs_that_read_and_write(pool: Pool) -> None:
    program = "import sys\nprint(sum(map(int, sys.stdin.read().split())))"
    good = pool.execute(program, [Stdio("1 2 3", "6\n"), Stdio("4\n5", "9")])
    assert (good.verdict, good.tests_run, good.grading) == ("pass", 2, "stdio")
    bad = pool.execute(program, [Stdio("1", "1"), Stdio("1", "2"), Stdio("1", "1")])
    assert (bad.verdict, bad.tests_run, bad.tests) == ("fail", 2, 3)


def test_programs_have_the_priority_of_their_caller_and_their_keeper_goes_before_them(pool: Pool) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert pool.execute("import os\nprint(os.getpriority(os.PRIO_PROCESS, 0))", [Stdio("", f"{own}\n")]).passed
    if os.geteuid() != 0:
        return
    with pool._slot() as slot:
        parents = {int(file.parent.name): int(file.read_text().rpartition(")")[2].split()[1])
                   for file in Path("/proc").glob("[0-9]*/stat")}  # fmt: skip
        found = [slot.process.pid, *(pid for pid, parent in parents.items() if parent == slot.process.pid)]
        assert max(-20, own - keeper.AHEAD) in [os.getpriority(os.PRIO_PROCESS, pid) for pid in found]


def test_pages_of_files_count_once_where_the_kernel_does_not_say_who_shares_them() -> None:
    pid, page = os.getpid(), os.sysconf("SC_PAGESIZE")
    resident, shared = (int(n) * page for n in Path("/proc/self/statm").read_text().split()[1:3])
    once = keeper._files_once([pid] * 10)
    assert abs(once - (10 * (resident - shared) + shared)) < resident
    assert keeper._files_once([pid, 1 << 22]) <= 1.1 * resident  # another that is gone


def test_unittest_and_functions_count(pool: Pool) -> None:
    cases = (
        "import unittest\nclass TestAdd(unittest.TestCase):\n"
        "    def test_a(self):\n        self.assertEqual(add(1, 1), 2)\n"
        "    def test_b(self):\n        self.assertEqual(add(1, 2), 3)\n"
    )
    assert pool.execute(ADD, cases).tests_run == 2
    assert pool.execute(ADD.replace("+", "*"), cases).verdict == "fail"
    functions = "def test_a():\n    assert add(1, 1) == 2\ndef test_b():\n    assert add(1, 2) == 3\n"
    assert pool.execute(ADD, functions).tests_run == 2
    check = "def check(candidate):\n    for i in range(4):\n        assert candidate(i, 1) == i + 1\n"
    assert pool.execute(ADD, check, entry_point="add").tests_run == 4


def test_outcomes_come_in_order() -> None:
    tasks = [Task(ADD, f"assert add(1, {i}) == {1 + i - i % 2}") for i in range(20)]
    assert [o.verdict for o in execute_many(tasks, workers=3)] == ["pass", "fail"] * 10


def test_the_key_of_an_outcome_names_rung_and_toolchain(pool: Pool) -> None:
    assert pool.rung in pool.described()
    assert f"Python {pool.python}" in pool.described()
    with Pool(1, python=sys.executable) as packed:  # nor does it name a place of this machine
        assert packed.described() == pool.described().replace("; grader", ", with its packages; grader")


def test_the_command_says_the_verdict_and_passes_only_for_a_pass(tmp_path: Path) -> None:
    program, tests = tmp_path / "add.py", tmp_path / "tests.py"
    program.write_text(ADD)
    for expected, status, verdict in ((3, 0, "pass"), (4, 1, "fail")):
        tests.write_text(f"assert add(1, 2) == {expected}\n")
        done = CliRunner().invoke(cli, ["exec", str(program), "--tests", str(tests), "--json"])
        assert (done.exit_code, json.loads(done.output)["verdict"]) == (status, verdict)
    unsafe = CliRunner().invoke(cli, ["exec", str(program), "--tests", str(tests), "--rung", "rlimits"])
    assert "--unsafe-local-exec" in str(unsafe.exception)
    with pytest.raises(RecipeError, match="no rung"):
        Pool(1, rung="docker")


def test_the_command_takes_one_way_to_confine_and_prints_no_control_character(tmp_path: Path) -> None:
    program, tests = tmp_path / "add.py", tmp_path / "tests.py"
    program.write_text("print('\\x1b]0;title\\x07', '\\u202e', flush=True)\n" + ADD)
    tests.write_text("for i in range(2):\n\tassert add(1, i) == '\\x1b[2J\\ud800'\n")
    args = ["exec", str(program), "--tests", str(tests)]
    both = CliRunner().invoke(cli, [*args, "--rung", "landlock", "--unsafe-local-exec"])
    assert both.exit_code == 2
    assert "give one of them" in both.output
    done = CliRunner().invoke(cli, args)
    assert done.output.startswith("fail")
    assert "\\x1b]0;title\\x07 \\u202e" in done.output
    assert not set(done.output) & set("\x1b\x07\u202e\ud800")
    odd = shown(Outcome("fail", "AssertionError: \ud800\x1b[2J"))
    assert odd.startswith("fail: AssertionError: \\ud800\\x1b[2J")


@pytest.mark.parametrize(
    ("command", "words"),
    [("sleep 60", "timed out"), ("echo no space left >&2; exit 1", "no space left"), ("true", None)],
)
def test_a_cache_that_cannot_be_filled_is_used_as_it_is_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, command: str, words: str | None
) -> None:
    language = dataclasses.replace(languages.get("go"), compile=(("sh", "-c", command),))
    tools = languages.Toolchain({"go": "/bin/sh", "sh": "/bin/sh"}, ())
    monkeypatch.setattr(warm, "BASE", tmp_path)
    monkeypatch.setattr(warm, "LONGEST", 0.5)
    monkeypatch.setattr(warm, "toolchain", lambda language: tools)
    monkeypatch.setattr(warm, "_failed", set())
    warm.folder.cache_clear()
    for _ in range(2):
        place = Path(warm.filled(language, tools)["GOCACHE"])
    assert (place / warm.READY).exists() is (words is None)
    assert len([one for one in caplog.messages if words and words in one]) == (words is not None)
    warm.folder.cache_clear()


COMPILERS = {
    "python": "python3", "javascript": "node", "java": "javac", "c": "cc", "cpp": "c++", "go": "go", "rust": "rustc",
    "php": "php", "ruby": "ruby", "perl": "perl", "bash": "bash", "lua": "lua5.4",
}  # fmt: skip
"""What `.ci/run` installs, and what is on a machine that builds Go, Java and Rust: twelve languages."""


def test_twelve_languages_run_a_reference_program() -> None:
    """Of all that is on this machine, none may be missed; tests/test_sandbox_languages.py goes into them."""
    here = {name for name, command in COMPILERS.items() if shutil.which(command)}
    with Pool(1) as pool:
        if pool.rung != "bubblewrap":
            pytest.skip("on Landlock a toolchain may lie where the user of a slot cannot enter")
        limits = Limits(compile_seconds=120)
        ran = {name: pool.execute(*PROGRAMS[name][:2], language=name, limits=limits) for name in COMPILERS}
    assert {name: ran[name].verdict for name in here if not ran[name].passed} == {}
    if missing := COMPILERS.keys() - here:
        pytest.skip(f"{len(here)} languages ran; not on this machine: {', '.join(sorted(missing))}")
    assert sum(outcome.passed and outcome.tests_run > 0 for outcome in ran.values()) >= 12


def test_load_changes_no_verdict() -> None:
    tasks = programs(40)
    with Pool(1) as pool:
        alone = [outcome.verdict for outcome in pool.map(tasks)]
    with Pool(6) as pool:
        together = [outcome.verdict for outcome in pool.map(tasks)]
    assert alone == together
    assert {"pass", "fail", "no_verdict"} <= set(alone)
