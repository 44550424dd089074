"""Evaluation: the self-test gates the score, verdicts are the benchmark's, numbers have intervals."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from rich.console import Console

from codemill import evaluation, sandbox
from codemill.benchmarks import humanevalpack, others
from codemill.benchmarks.protocol import Question
from codemill.cli import cli
from codemill.errors import EnvironmentProblem, InputError, RecipeError
from codemill.evaluation import Function, Sampling, Settings, metrics, samples, watching
from tests.benchmark_rows import BODY, FUNCTION, ROWS, write

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "benchmarks"
WORKERS = Settings(workers=1)


def data(tmp_path: Path, name: str, form: int = 0, count: int = 1, **changes: Any) -> Path:
    """A file of tasks in a benchmark's form; each further one has another number."""
    rows = []
    for number in range(count):
        row = {**ROWS[name][form], **changes}
        key = next((key for key in ("task_id", "question_id", "id", "name") if key in row), "")
        if number and key:
            row[key] = str(row[key]).replace("9001", str(9001 + number))
        rows.append(row)
    return write(tmp_path / f"{name}.jsonl", rows)


def right(question: Question, sample: int) -> str:
    return BODY if question.text else f"Here:\n```python\n{FUNCTION}```\nIt sorts."


def wrong(question: Question, sample: int) -> str:
    return "    return 0\n" if question.text else "def widest_gap(depths, floor):\n    return 0\n"


def scores(results: evaluation.Results) -> dict[str, float]:
    return {one["score"]: one["value"] for suite in results.benchmarks for one in suite["scores"]}


def test_a_right_model_scores_one_and_a_wrong_one_zero(tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval", count=2)
    for function, value in ((right, 1.0), (wrong, 0.0)):
        for chat in (False, True):
            settings = Settings(workers=1, chat=chat)
            results = evaluation.evaluate(
                [file], tmp_path / "out", model=Function(function, function.__name__), settings=settings
            )
            assert scores(results) == {"HumanEval": value}
            (suite,) = results.benchmarks
            assert (suite["selftest"]["references"], suite["selftest"]["rejected"]) == (2, 2)
            assert "Python" in results.environment["languages"]["python"]
            assert results.environment["modules"] == results.environment["libraries"] == {}


def test_base_and_plus_are_two_numbers(tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval_plus")
    only_base = FUNCTION.replace("return best", "return best if depths != [2, 8] else 0")
    model = Function(lambda question, sample: f"```python\n{only_base}```")
    settings = Settings(workers=1, chat=True)
    results = evaluation.evaluate([file], tmp_path / "out", model=model, settings=settings)
    assert scores(results) == {"HumanEval": 1.0, "HumanEval+": 0.0}


def test_nothing_is_scored_if_a_reference_fails_or_a_stub_passes(tmp_path: Path) -> None:
    broken = data(tmp_path, "humaneval", canonical_solution="    return 77\n")
    with pytest.raises(EnvironmentProblem, match=r"HumanEval/9001: fail: line .*--without-broken"):
        evaluation.evaluate([broken], tmp_path / "out", model=Function(right), settings=WORKERS)
    assert not (tmp_path / "out" / "results.json").exists()
    vacuous = data(tmp_path, "humaneval", test="def check(candidate):\n    assert True\n")
    with pytest.raises(EnvironmentProblem, match="HumanEval/9001: passes: pass"):
        evaluation.evaluate([vacuous], tmp_path / "out", model=Function(right), settings=WORKERS)


def test_a_function_without_arguments_proves_that_a_wrong_call_fails(tmp_path: Path) -> None:
    row = {"code": "def f():\n    return ['a']\n", "input": "", "output": "['a']", "id": "sample_9002"}
    results = evaluation.evaluate([write(tmp_path / "cruxeval.jsonl", [row])], tmp_path / "out")
    assert [one["selftest"]["rejected"] for one in results.benchmarks] == [1, 1]


def test_every_suite_is_proved_before_a_model_is_asked(tmp_path: Path) -> None:
    good = data(tmp_path, "humaneval")
    broken = data(tmp_path, "mbpp", task_id=11, code="def widest_gap(depths, floor):\n    return 77\n")
    asked = []
    model = Function(lambda question, sample: asked.append(question) or BODY)  # type: ignore[func-returns-value]
    with pytest.raises(EnvironmentProblem, match="self-test of mbpp failed"):
        evaluation.evaluate([good, broken], tmp_path / "out", model=model, settings=WORKERS)
    assert not asked
    with pytest.raises(EnvironmentProblem, match="self-test of mbpp failed"):
        evaluation.evaluate([broken], tmp_path / "out", settings=WORKERS)  # also where nothing is asked
    assert not (tmp_path / "out" / "results.json").exists()


def test_an_answer_that_our_side_fails_on_is_no_better_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = data(tmp_path, "humaneval", count=2)
    replies = iter([BODY, "    kill()\n"])
    model = Function(lambda question, sample: next(replies))
    mapped = sandbox.Pool.map

    def fails(self: sandbox.Pool, programs: Iterable[sandbox.Task]) -> list[sandbox.Outcome]:
        tasks = list(programs)
        broken = sandbox.Outcome("sandbox_error", "the keeper is gone")
        found = list(mapped(self, tasks))
        return [broken if "kill()" in task.program else one for task, one in zip(tasks, found, strict=True)]

    monkeypatch.setattr(sandbox.Pool, "map", fails)
    with pytest.raises(EnvironmentProblem, match=r"HumanEval/9002: sandbox_error: the keeper is gone"):
        evaluation.evaluate([file], tmp_path / "out", model=model, settings=WORKERS)
    settings = Settings(workers=1, without_broken=True)
    results = evaluation.evaluate([file], tmp_path / "out", model=model, settings=settings)
    given = [(one["over"], one["tasks"], one["value"]) for one in results.benchmarks[0]["scores"]]
    assert given == [("all", 2, 0.5), ("sound", 1, 1.0)]
    assert results.benchmarks[0]["not_run"] == {"HumanEval/9002": "sandbox_error: the keeper is gone"}


def test_half_a_surrogate_in_a_reply_loses_nothing(tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval")
    model = Function(lambda question, sample: BODY + "    # \ud83d\n")
    results = evaluation.evaluate([file], tmp_path / "out", model=model, settings=WORKERS)
    assert list(scores(results)) == ["HumanEval"]
    (told,) = samples.read(tmp_path / "out" / "samples" / "humaneval.jsonl")
    assert told.answer.text.endswith("\ud83d\n")


def test_a_false_assertion_is_asked_for_in_every_language_of_the_sandbox() -> None:
    from codemill.evaluation.selftest import ALIVE
    from codemill.sandbox import languages

    assert set(ALIVE) == {one.name for one in languages.all()}
    for program, assertion in ALIVE.values():
        assert assertion.format(1) != assertion.format(2), program


def test_without_broken_tasks_both_numbers_are_given(tmp_path: Path) -> None:
    good, bad = (dict(ROWS["humaneval"][0], task_id=f"HumanEval/{n}") for n in (1, 2))
    bad["canonical_solution"] = "    return 77\n"
    file = write(tmp_path / "both.jsonl", [good, bad])
    settings = Settings(workers=1, without_broken=True)
    results = evaluation.evaluate([file], tmp_path / "out", model=Function(wrong), settings=settings)
    assert [(s["over"], s["tasks"]) for s in results.benchmarks[0]["scores"]] == [("all", 2), ("sound", 1)]
    assert list(results.benchmarks[0]["selftest"]["broken"]) == ["HumanEval/2"]


def test_outcomes_hold_what_was_asked_answered_and_run(tmp_path: Path) -> None:
    file = data(tmp_path, "mbpp", task_id=11)
    settings = Settings(workers=1, chat=True)
    evaluation.evaluate([file], tmp_path / "out", model=Function(right), settings=settings)
    (row,) = pq.read_table(tmp_path / "out" / "outcomes").to_pylist()
    assert row["reply"].startswith("Here:")
    assert row["answer"] == FUNCTION
    assert row["whole"]
    assert row["passed"]
    assert row["verdict"] == "pass"
    assert row["tests_run"] == 3
    assert "Tell the widest gap." in row["prompt"]
    runner = CliRunner()
    assert runner.invoke(cli, ["report", str(tmp_path / "out")]).exit_code == 0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "MBPP" in page
    assert "Evaluation" in page


def test_samples_go_out_and_come_back_with_the_same_verdicts(tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval", count=3)
    model = Function(lambda question, sample: (right if sample % 2 else wrong)(question, sample), name="half")
    settings = Settings(workers=1, sampling=Sampling(samples=4, temperature=0.8), k=(1, 2))
    first = evaluation.evaluate([file], tmp_path / "a", model=model, settings=settings)
    exported = tmp_path / "a" / "samples" / "humaneval.jsonl"
    lines = [json.loads(line) for line in exported.read_text("utf-8").splitlines()]
    assert len(lines) == 12
    assert lines[1] == {"task_id": "HumanEval/9001", "completion": BODY}
    again = evaluation.evaluate([file], tmp_path / "b", imported=exported, settings=settings)
    assert [s["value"] for s in first.benchmarks[0]["scores"]] == [0.5, 1 - 1 / 6]
    assert again.benchmarks[0]["scores"] == first.benchmarks[0]["scores"]


def test_a_run_that_was_stopped_does_not_ask_again(tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval", count=3)
    asked = []

    def slow(question: Question, sample: int) -> str:
        asked.append(question)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return BODY

    for _ in range(2):
        try:
            results = evaluation.evaluate([file], tmp_path / "out", model=Function(slow), settings=WORKERS)
        except KeyboardInterrupt:
            continue
    assert len(asked) == 4  # one, the one that was interrupted, and the two that were missing
    assert scores(results) == {"HumanEval": 1.0}


def test_a_line_that_was_torn_costs_its_own_task_alone(tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval", count=3)
    asked: list[int] = []
    model = Function(lambda question, sample: asked.append(1) or BODY)  # type: ignore[func-returns-value]
    evaluation.evaluate([file], tmp_path / "out", model=model, settings=WORKERS)
    (kept,) = (tmp_path / "out" / ".work").glob("replies-*.jsonl")
    kept.write_bytes(kept.read_bytes()[:-9])
    for again in (1, 0):  # what is asked again is kept, and not glued to what was torn
        asked.clear()
        results = evaluation.evaluate([file], tmp_path / "out", model=model, settings=WORKERS)
        assert len(asked) == again
        assert scores(results) == {"HumanEval": 1.0}


def test_tasks_without_an_answer_are_not_solved(tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval", count=2)
    given = write(tmp_path / "samples.jsonl", [{"task_id": "HumanEval/9001", "solution": FUNCTION}])
    results = evaluation.evaluate([file], tmp_path / "out", imported=given, settings=WORKERS)
    assert scores(results) == {"HumanEval": 0.5}
    assert results.benchmarks[0]["unanswered"] == ["HumanEval/9002"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[]", "no task_id"),
        ('{"task_id": "x"}', "neither completion nor solution"),
        ('{"task_id": 3, "solution": ""}', "no task_id"),
        ("{", "not JSON"),
        ("", "there are no samples"),
    ],
)
def test_bad_samples_are_errors_with_their_place(line: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    file.write_text(line, "utf-8")
    with pytest.raises(InputError, match=words):
        samples.read(file)


def test_usage_that_cannot_be_right_is_an_error(tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval")
    with pytest.raises(RecipeError, match="did you mean evalplus"):
        Settings(style="evalpus")
    asked = []
    model = Function(lambda question, sample: asked.append(question) or BODY)  # type: ignore[func-returns-value]
    with pytest.raises(RecipeError, match=r"pass@2 of 1 samples"):
        evaluation.evaluate([file], tmp_path / "o", model=model, settings=Settings(workers=1, k=(2,)))
    given = write(tmp_path / "samples.jsonl", [{"task_id": "HumanEval/9001", "completion": BODY}])
    with pytest.raises(RecipeError, match=r"pass@2 of 1 samples"):
        evaluation.evaluate([file], tmp_path / "o", imported=given, settings=Settings(workers=1, k=(2,)))
    assert not asked
    twice = write(tmp_path / "twice.jsonl", [ROWS["humaneval"][0], ROWS["humaneval"][0]])
    with pytest.raises(InputError, match="is there twice"):
        evaluation.evaluate([twice], tmp_path / "o", model=Function(right), settings=WORKERS)
    with pytest.raises(InputError, match="is read, but not judged"):
        evaluation.evaluate([data(tmp_path, "safim")], tmp_path / "o", settings=WORKERS)
    with pytest.raises(InputError, match="no tasks of mbpp"):
        evaluation.evaluate([file], tmp_path / "o", benchmark=["mbpp", "humaneval"], settings=WORKERS)


def test_pass_at_k_has_no_bias_and_intervals_hold_the_truth() -> None:
    for n in range(1, 7):
        for c in range(n + 1):
            for k in range(1, n + 1):
                brute = 1 - math.comb(n - c, k) / math.comb(n, k)
                assert metrics.pass_at_k(n, c, k) == pytest.approx(brute)
    with pytest.raises(ValueError, match="pass@3 of 1 out of 2"):
        metrics.pass_at_k(2, 1, 3)
    # Covered: 95 % of experiments with a known rate, within what 400 experiments can tell.
    import numpy as np

    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        got = metrics.over_tasks((random.random(60) < 0.3).astype(float).tolist())
        held += got.low <= 0.3 <= got.high
    assert 0.92 <= held / 400 <= 0.98
    none = metrics.over_tasks([0.0] * 164)
    assert none.value == 0
    assert none.low == 0
    assert 0.01 < none.high < 0.03


def test_paired_differences_are_surer_than_two_intervals() -> None:
    first = [float(n % 2 == 0) for n in range(200)]
    second = [1.0 if n < 20 else value for n, value in enumerate(first)]
    got = metrics.paired(first, second)
    assert got.value == pytest.approx(0.05)
    assert got.low > 0
    assert (got.first, got.second) == (0, 10)
    assert got.p == pytest.approx(2 / 2**10)
    swapped = metrics.paired(second, first)
    assert swapped.value == -got.value
    assert swapped.high == pytest.approx(-got.low)


@pytest.mark.skipif(not SHARED.exists(), reason="the published files are not here")
def test_the_first_published_tasks_prove_the_harness(tmp_path: Path) -> None:
    for name in ("HumanEval.jsonl", "mbpp.jsonl"):
        results = evaluation.evaluate([SHARED / name], tmp_path / name, settings=Settings(workers=1, limit=8))
        assert results.benchmarks[0]["selftest"]["references"] == 8


UNITTEST = (
    "import unittest\nclass TestCases(unittest.TestCase):\n"
    "    def test_gap(self):\n        self.assertEqual(widest_gap([1, 4, 9], 0), 5)\n"
)
MDEVAL = {
    "question_id": "Python/9001", "docstring": "", "subtype": "value", "test": "assert widest_gap([1, 4, 9], 0) == 5\n",
    "canonical_solution": FUNCTION, "buggy_code": FUNCTION.replace("high - low", "high"),
}  # fmt: skip
FORMS: list[tuple[str, int, dict[str, Any], str]] = [
    ("bigcodebench", 0, {"test": UNITTEST}, f"```python\n{FUNCTION}```"),
    ("cruxeval", 0, {}, "assert f(7) == 21 [/ANSWER] and so on"),
    ("human_eval_infilling", 0, {}, f"```python\n{BODY.splitlines()[0]}\n```"),
    ("mbpp_plus", 0, {"canonical_solution": FUNCTION}, f"```python\n{FUNCTION}```"),
    ("mbpp_plus", 1, {}, f"```python\n{FUNCTION}```"),
    ("mbpp_sanitized", 0, {"task_id": 12}, f"```\n{FUNCTION}```"),
    ("mdeval", 0, MDEVAL, f"```python\n{FUNCTION}```"),
    ("mdeval", 0, {**MDEVAL, "loc_answer": ["A", "C"]}, '```python\n["C", "A"]\n```'),
    ("mdeval", 0, {**MDEVAL, "review_choices": ["x", "y"], "choice_answer": "B"}, "B"),
    ("mdeval", 0, {**MDEVAL, "instruction": "of the error type list"}, "`value`"),
]


@pytest.mark.parametrize(("name", "form", "changes", "reply"), FORMS)
def test_each_form_is_proved_asked_and_judged(
    name: str, form: int, changes: dict[str, Any], reply: str, tmp_path: Path
) -> None:
    file = data(tmp_path, name, form, **changes)
    settings = Settings(workers=1, chat=True)
    for said, value in ((reply, 1.0), ("I do not know.", 0.0)):
        model = Function(lambda question, sample, said=said: said, f"{value}")  # type: ignore[misc]
        results = evaluation.evaluate([file], tmp_path / "out", model=model, settings=settings)
        assert set(scores(results).values()) == {value}
        assert results.benchmarks[0]["selftest"]["references"] == 1


def test_problems_of_contests_are_run_and_called(tmp_path: Path) -> None:
    stdin = data(tmp_path, "livecodebench")
    solution = "n = int(input())\nprint(float(n * n))\n"  # 9.0 is 9
    witness = write(tmp_path / "right.jsonl", [{"task_id": "9001_A", "solution": solution}])
    results = evaluation.evaluate([stdin], tmp_path / "a", imported=witness, witnesses=witness, settings=WORKERS)
    assert scores(results) == {"LiveCodeBench": 1.0}
    cases = json.dumps([{"input": "[1, 2]\n3", "output": "[4, 5]", "testtype": "functional"}])
    changes = {"public_test_cases": cases, "private_test_cases": cases, "metadata": '{"func_name": "add"}'}
    file = data(tmp_path, "livecodebench", starter_code="class Solution:\n", **changes)
    reply = (
        "```python\nclass Solution:\n    def add(self, a: List[int], b):\n        return tuple(x + b for x in a)\n```\n"
    )
    model = Function(lambda question, sample: reply if question.turns[0][0] == "system" else "")
    settings = Settings(workers=1, chat=True)
    results = evaluation.evaluate([file], tmp_path / "b", model=model, settings=settings)
    assert scores(results) == {"LiveCodeBench": 1.0}
    assert results.benchmarks[0]["selftest"]["unproved"] == ("9001_A",)


def test_other_languages_are_judged_where_their_tools_are(tmp_path: Path) -> None:
    tests = "console.assert(widestGap([]) === 0)\nconsole.assert(widestGap([1, 4]) === 3)\n"
    body = (
        "  let best = 0;\n  for (let i = 1; i < depths.length; i++) best = Math.max(best, depths[i] - depths[i - 1]);\n"
    )
    body += "  return best;\n}\n"
    for name in ("humanevalpack", "mceval"):
        file = data(tmp_path, name, test=tests, canonical_solution=body)
        results = evaluation.evaluate([file], tmp_path / name, settings=WORKERS)
        for suite in results.benchmarks:
            proof = suite["selftest"]
            assert proof["missing"] or (proof["references"], proof["rejected"]) == (1, 1)
            assert not proof["broken"]
            assert not proof["open"]


def test_tests_that_leave_or_print_without_a_line_end_are_judged(tmp_path: Path) -> None:
    leaving = "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
    leaving += "        self.assertEqual(f([1, 4]), 3)\nif __name__ == '__main__':\n    unittest.main()\n"
    printing = "}\ncheck() {\n  [ \"$(f 1 4)\" = 3 ] || exit 1\n  printf 'all passed'\n}\ncheck\n"
    python = {"task_id": "Python/9001", "prompt": "def f(a):\n", "test": leaving}
    shell = {"task_id": "Shell/9001", "prompt": "f() {\n", "test": printing}
    for task, right, wrong in (
        (python, "    return a[1] - a[0]\n", "    return []\n"),
        (shell, "  echo $(($2 - $1))\n", "  echo 7\n"),
    ):
        file = data(tmp_path, "mceval", **task, entry_point="f", canonical_solution=right)
        results = evaluation.evaluate([file], tmp_path / task["task_id"], settings=WORKERS)
        assert results.benchmarks[0]["selftest"]["references"] == 1
        file = data(tmp_path, "mceval", **task, entry_point="f", canonical_solution=wrong)
        with pytest.raises(EnvironmentProblem, match="self-test of mceval failed on 1 tasks"):
            evaluation.evaluate([file], tmp_path / "wrong", settings=WORKERS)


def test_functions_that_a_go_declaration_left_out_are_taken_from_the_prompt() -> None:
    helper = "func Twice(a int) int {\n    return 2 * a\n}"
    prompt = f'import (\n    "math"\n)\n\n// Doubles.\n{helper}\n// Fourfold.\nfunc Four(a int) int {{\n'
    program = "func Four(a int) int {\n    return Twice(Twice(a))\n}\n"
    assert humanevalpack.helpers(prompt, program) == f"\n{helper}\n"
    assert humanevalpack.helpers(prompt, f"{helper}\n{program}") == ""


def test_a_go_program_imports_what_its_code_uses() -> None:
    body = 'func F() string {\n\t// fmt.Println\n\tx := "os.Exit" + `math.Pi`\n'
    body += "\treturn strings.Repeat(x, '\"'-sort.N)\n}\n"
    assert re.findall(r'import "(\S+)"', others.go(body)) == ["sort", "strings", "testing"]
    for odd in ("'\\'" * 100_000, "/*" * 500_000, "`" + '"' * 999_999, "func a(\n" * 200_000):
        assert others.SAID.sub("", odd).count("/*") == 0  # in one pass: what does not end is not read again
        assert humanevalpack.helpers(odd, "") == ""
    of_package = others.go("func TestF(t *testing.T) { assert.Equal(t, 1, F()) }\n")
    assert "func (asserting) Equal(t *testing.T, want, got" in of_package


def test_what_cannot_be_run_is_named_and_no_wrong_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = data(tmp_path, "mdeval")  # in C#
    there = sandbox.languages.toolchain
    monkeypatch.setattr(sandbox.languages, "toolchain", lambda one: None if one.name == "csharp" else there(one))
    with pytest.raises(EnvironmentProblem, match="no task of mdeval can be run here"):
        evaluation.evaluate([file], tmp_path / "a", model=Function(right), settings=Settings(workers=1, chat=True))
    needs = data(tmp_path, "bigcodebench", test=UNITTEST, libs="['no_such_module_at_all']")
    results = evaluation.evaluate([needs], tmp_path / "b", settings=WORKERS)
    assert results.benchmarks[0]["selftest"]["missing"] == {"BigCodeBench/9001": "no module no_such_module_at_all"}


def test_results_say_which_versions_of_libraries_the_tests_imported() -> None:
    from codemill.evaluation import environment

    seen = {"numpy": "1.21.2"}
    asked = []

    def run(programs: Iterable[sandbox.Task]) -> list[sandbox.Outcome]:
        asked.extend(programs)
        return [sandbox.Outcome("pass", output=f"noise\n{json.dumps(seen)}\n")]

    assert environment.modules(["numpy", "os"], run) == seen
    assert environment.modules([], run) == {}
    assert len(asked) == 1
    # As a program in the sandbox tells it: what is Python's own has no version.
    with sandbox.Pool(1) as pool:
        assert environment.modules(["json", "no_such_module_at_all"], pool.map) == {}
    assert environment.installed("pyarrow")[0].isdigit()


def test_comparing_calls_follows_evalplus() -> None:
    """A tolerance for floats, sets where order is free, the types that JSON lost."""
    from codemill import sandbox
    from codemill.benchmarks import calls

    def verdict(answer: str, reference: str, inputs: list[Any], **how: Any) -> bool:
        return sandbox.execute(answer, calls.text("f", reference, inputs, **how), entry_point="f").passed

    half, nearly = "def f(x): return x / 3", "def f(x): return x * 0.33333333333"
    assert verdict(nearly, half, [[1], [2]])
    assert not verdict("def f(x): return x * 0.3333", half, [[1]])
    assert not verdict("def f(x): return 2", "def f(x): return 3", [[1]])
    assert not verdict("def f(x): return [2, 1]", "def f(x): return [1, 2]", [[1]])
    assert verdict("def f(x): return [2, 1]", "def f(x): return [1, 2]", [[1]], oracle="set")
    kind = "def f(x): return type(x).__name__"
    assert verdict(kind, "def f(x): return 'tuple'", [[[1, 2]]], kind="args")
    assert not verdict(kind, "def f(x): return 'tuple'", [[[1, 2]]])
    mutates = "def f(x):\n    x.append(1)\n    return x"
    assert verdict(mutates, "def f(x):\n    x.append(1)\n    return x", [[[]], [[]]])
    assert not verdict("def f(x): raise SystemExit", half, [[1]])


def test_an_evaluation_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, tuple[int, int]] = {}

    def watch(what: str, items: Iterable[Any], total: int) -> Iterator[Any]:
        for count, one in enumerate(items, 1):
            seen[what] = count, total
            yield one

    file = data(tmp_path, "humaneval", count=3)
    evaluation.evaluate([file], tmp_path / "out", model=Function(right, "right"), watch=watch)
    # Three tasks with the same answer are one program.
    assert seen == {"programs run": (1, 1), "humaneval, tasks answered": (3, 3)}

    # Where nobody looks at a terminal: a line at most every ten seconds, with the rate and what is left.
    now = iter([0.0, 4.0, 11.0, 12.0, 22.0])
    monkeypatch.setattr("codemill.evaluation.watching.time.monotonic", lambda: next(now))
    said = Console(file=io.StringIO(), width=100, force_terminal=False)
    assert list(watching.Shown(said)("tasks answered", "abcd", 4)) == list("abcd")
    assert said.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "  tasks answered: 2 of 4, 0.2 a second, about 11 s left",
        "  tasks answered: 4 of 4, 0.2 a second, about 0 s left",
    ]
