"""CRUXEval: what a short function gives, or takes (Gu et al. 2024, arXiv 2401.03065)."""

from __future__ import annotations

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task: `shown` is the program, and the one case has the arguments of `f` and its value as Python literals."""
    code = row.text("code")
    return Task(
        benchmark="cruxeval",
        id=row.text("id"),
        language="python",
        kind="predict",
        prompt="",
        entry_point="f",
        solution=code,
        tests=f"assert f({row.text('input')}) == {row.text('output')}\n",
        stop=("[/ANSWER]",),
        shown=code,
        more={"input": row.text("input"), "output": row.text("output"), **row.rest()},
    )


BENCHMARK = Benchmark(
    name="cruxeval",
    title="CRUXEval",
    languages="Python",
    published="https://github.com/facebookresearch/cruxeval",
    licence="MIT",
    shapes=(frozenset({"code", "input", "output", "id"}),),
    begins="sample_",
    read=read,
    counts=(800,),
)
