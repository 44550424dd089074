"""Rows as HumanEval and MBPP have them: references pass, constant stubs fail; the published files where they are."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from codemill.sandbox import Pool, Task
from codemill.sandbox.strength import STUBS, mutants, strength, stub

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")  # in published solutions

PUBLISHED = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "benchmarks"
HUMANEVAL = [
    {
        "task_id": "Own/0",
        "entry_point": "running_max",
        "prompt": 'from typing import List\n\n\ndef running_max(xs: List[int]) -> List[int]:\n    """The largest so far."""\n',
        "canonical_solution": "    out = []\n    for x in xs:\n        out.append(max(x, out[-1]) if out else x)\n    return out\n",
        "test": "METADATA = {'author': 'own'}\n\n\ndef check(candidate):\n    assert candidate([]) == []\n"
        "    assert candidate([1, 3, 2]) == [1, 3, 3], 'message'\n    assert candidate([-2, -5]) == [-2, -2]\n",
    },
    {
        "task_id": "Own/1",
        "entry_point": "decode",
        "prompt": 'def encode(s):\n    return s[::-1]\n\n\ndef decode(s):\n    """The inverse of encode."""\n',
        "canonical_solution": "    return s[::-1]\n",
        "test": "def check(candidate):\n    from random import choice\n    for _ in range(20):\n"
        "        s = ''.join(choice('abc') for _ in range(9))\n        assert candidate(encode(s)) == s\n",
    },
]  # fmt: skip
MBPP = [
    {
        "task_id": 1,
        "code": "def pairs(xs):\n  return {(a, b) for a in xs for b in xs if a < b}",
        "test_imports": [],
        "test_list": ["assert pairs([1, 2]) == {(1, 2)}", "assert pairs([3, 1, 2]) == {(1, 2), (1, 3), (2, 3)}"],
    },
    {
        "task_id": 2,
        "code": "def half(x):\n    return x / 2",
        "test_imports": ["import math"],
        "test_list": ["assert math.isclose(half(3), 1.5)", "assert half(-1) == -0.5", "assert half(0.2) < 0.11"],
    },
]


def humaneval(rows: list[dict[str, Any]]) -> Iterator[Task]:
    for row in rows:
        program = row["prompt"] + row["canonical_solution"]
        yield Task(program, f"{row['test']}\ncheck({row['entry_point']})\n", entry_point=row["entry_point"])


def mbpp(rows: list[dict[str, Any]]) -> Iterator[Task]:
    for row in rows:
        defined = {node.name for node in ast.parse(row["code"]).body if isinstance(node, ast.FunctionDef)}
        called = [node.func for node in ast.walk(ast.parse(row["test_list"][0])) if isinstance(node, ast.Call)]
        entry_point = next(name.id for name in called if isinstance(name, ast.Name) and name.id in defined)
        yield Task(row["code"], "\n".join([*row["test_imports"], *row["test_list"]]), entry_point=entry_point)


def published(name: str) -> list[dict[str, Any]]:
    file = PUBLISHED / name
    if not file.exists():
        pytest.skip(f"no {name} beside the project")
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as pool:
        yield pool


def stubs(tasks: list[Task], values: Sequence[str] = STUBS) -> list[Task]:
    """The tasks with programs whose entry point is a constant."""
    return [Task(stub(task.entry_point or "", value), task.tests) for task in tasks for value in values]


def both_ways(pool: Pool, tasks: list[Task], values: Sequence[str] = STUBS) -> None:
    """References pass; constant stubs do not, and it is they that are to blame."""
    assert sum(outcome.passed for outcome in pool.map(tasks)) == len(tasks)
    tried = stubs(tasks, values)
    outcomes = pool.map(tried)
    spared = [t.program for t, o in zip(tried, outcomes, strict=True) if o.passed or not o.counts]
    assert spared == []


def test_own_rows(pool: Pool) -> None:
    both_ways(pool, [*humaneval(HUMANEVAL), *mbpp(MBPP)])
    graded = [outcome.grading for outcome in pool.map([*humaneval(HUMANEVAL), *mbpp(MBPP)])]
    assert graded == ["by_call", "in_process", "by_call", "by_call"]


@pytest.mark.slow
def test_every_reference_of_humaneval_passes(pool: Pool) -> None:
    tasks = list(humaneval(published("HumanEval.jsonl")))
    assert len(tasks) == 164
    both_ways(pool, tasks)


@pytest.mark.slow
def test_every_reference_of_mbpp_passes(pool: Pool) -> None:
    tasks = list(mbpp(published("mbpp_sanitized.jsonl")))
    assert len(tasks) == 427
    both_ways(pool, tasks, STUBS[:3])


@pytest.mark.long
def test_every_constant_stub_fails_the_tests_of_mbpp(pool: Pool) -> None:
    """Those that the test above leaves out: all seven take more than a minute on two busy cores."""
    both_ways(pool, list(mbpp(published("mbpp_sanitized.jsonl"))), STUBS[3:])


def test_strong_and_weak_tests(pool: Pool) -> None:
    program = "def sign(x):\n    return 1 if x > 0 else -1 if x < 0 else 0\n"
    asserts = ["assert sign(5) == 1", "assert sign(-5) == -1", "assert sign(0) == 0", "assert sign(1) == 1"]
    asserts += ["assert sign(-1) == -1"]
    strong = strength(Task(program, "\n".join(asserts), entry_point="sign"), pool=pool)
    assert (strong.strong, strong.stubs_survive) == (True, ())
    weak = strength(Task(program, asserts[0], entry_point="sign"), pool=pool)
    assert not weak.strong
    assert set(weak.stubs_survive) == {"True", "1"}
    assert strong.score is not None
    assert weak.score is not None
    assert strong.score > weak.score
    elsewhere = strength(Task(program, "assert len([1]) == 1", entry_point="sign"), pool=pool)
    assert (elsewhere.reached, elsewhere.strong) == (False, False)
    wrong = strength(Task(program, "assert sign(5) == 2", entry_point="sign"), pool=pool)
    assert (wrong.solution.verdict, wrong.mutants, wrong.score) == ("fail", 0, None)


def test_of_a_long_program_only_the_mutants_that_are_drawn_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    unparse = ast.unparse
    monkeypatch.setattr(ast, "unparse", lambda tree: made.append(tree) or unparse(tree))
    for length in (50, 500):
        made.clear()
        program = "def f(a):\n" + "".join(f"    a += {n}\n" for n in range(length)) + "    return a\n"
        found = mutants(program, most=5)
        assert len(found) == len(dict(found)) == 5
        assert len(made) <= 1 + 3 * 4 * 5
        assert found == mutants(program, most=5)
        for _, text in found:
            changed = [one for one in zip(program.splitlines(), text.splitlines(), strict=True) if one[0] != one[1]]
            assert len(changed) == 1
    nothing = "def f():\n" + "    1e300\n" * 500
    assert mutants(nothing, most=5) == []
