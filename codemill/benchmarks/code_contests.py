"""CodeContests: problems of programming contests (Li et al. 2022, arXiv 2203.07814)."""

from __future__ import annotations

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Case, Task

LANGUAGES = {1: "python", 2: "cpp", 3: "python", 4: "java"}
"""Numbers of the published format: Python 2, C++, Python 3, Java."""


def read(row: Row) -> Task:
    """A task. `solution` is the first in Python 3, else the first; `cases` are public, private and generated ones."""
    given = row.json("solutions") or {}
    solutions = list(zip(given.get("language", ()), given.get("solution", ()), strict=False))
    ranked = sorted(solutions, key=lambda one: one[0] != 3)
    tests = [row.json(name) or {} for name in ("public_tests", "private_tests", "generated_tests")]
    cases = [Case(i, o) for some in tests for i, o in zip(some.get("input", ()), some.get("output", ()), strict=False)]
    return Task(
        benchmark="code_contests",
        id=row.text("name"),
        language=LANGUAGES.get(ranked[0][0], "python") if ranked else "python",
        kind="write",
        prompt=row.text("description"),
        solution=ranked[0][1] if ranked else "",
        cases=tuple(cases),
        more={"solutions": given, **row.rest()},
    )


BENCHMARK = Benchmark(
    name="code_contests",
    title="CodeContests",
    languages="Python, C++, Java",
    published="https://huggingface.co/datasets/deepmind/code_contests",
    licence="CC-BY-4.0",
    shapes=(frozenset({"name", "description", "public_tests", "private_tests", "generated_tests", "solutions"}),),
    read=read,
)
