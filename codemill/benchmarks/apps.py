"""APPS: 10,000 problems of contests and exercises (Hendrycks et al. 2021, arXiv 2105.09938)."""

from __future__ import annotations

import json

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Case, Task


def read(row: Row) -> Task:
    """A task. `solution` is the first of the published ones; there may be none, and no cases either."""
    solutions, tests = row.json("solutions") or [], row.json("input_output") or {}
    name = str(tests.get("fn_name") or "")
    cases = zip(tests.get("inputs", ()), tests.get("outputs", ()), strict=False)
    return Task(
        benchmark="apps",
        id=f"APPS/{row.key('problem_id' if 'problem_id' in row else 'id')}",
        language="python",
        kind="write",
        prompt=row.text("question"),
        entry_point=name,
        solution=str(solutions[0]) if solutions else "",
        cases=tuple(Case(_text(given, name), _text(wanted, name), call=bool(name)) for given, wanted in cases),
        more={"solutions": solutions[1:], **row.rest()},
    )


def _text(value: object, name: str) -> str:
    if name:
        return "\n".join(map(json.dumps, value)) if isinstance(value, list) else json.dumps(value)
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


BENCHMARK = Benchmark(
    name="apps",
    title="APPS",
    languages="Python",
    published="https://github.com/hendrycks/apps",
    licence="MIT",
    shapes=(frozenset({"question", "solutions", "input_output", "difficulty"}),),
    read=read,
    counts=(5000, 10000),
    note="tests are few, and many wrong answers pass them",
)
