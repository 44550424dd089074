"""MBPP+: MBPP with many more inputs (Liu et al. 2023, arXiv 2305.01210)."""

from __future__ import annotations

from codemill.benchmarks import mbpp
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task. Inputs are in `more`: JSON lost their types, which are restored task by task before calling.

    The form "OriginFmt" has all inputs inside `test`.
    """
    if "code" in row:
        test = row.text("test")
        plain = mbpp.read(row)
        return Task(**{**plain.__dict__, "benchmark": "mbpp_plus", "tests": test, "more": {**plain.more, **row.rest()}})
    return Task(
        benchmark="mbpp_plus",
        id=row.text("task_id"),
        language="python",
        kind="write",
        prompt=row.text("prompt"),
        entry_point=row.text("entry_point"),
        solution=row.text("canonical_solution"),
        tests=row.text("assertion", ""),
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="mbpp_plus",
    title="MBPP+",
    languages="Python",
    published="https://github.com/evalplus/mbppplus_release",
    licence="Apache-2.0, of MBPP CC-BY-4.0",
    shapes=(
        frozenset({"task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input", "assertion"}),
        frozenset({"task_id", "prompt", "code", "test_imports", "test_list", "test"}),
    ),
    read=read,
    counts=(378, 399),
    note="v0.2.0 has 378 tasks, v0.1.0 399",
)
