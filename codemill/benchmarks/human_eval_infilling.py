"""HumanEval-Infilling: gaps in the answers of HumanEval (Bavarian et al. 2022, arXiv 2207.14255)."""

from __future__ import annotations

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task; its id begins with the kind of gap: SingleLineInfilling, MultiLineInfilling, RandomSpanInfilling."""
    entry_point = row.text("entry_point")
    return Task(
        benchmark="human_eval_infilling",
        id=row.text("task_id"),
        language="python",
        kind="infill",
        prompt=row.text("prompt"),
        entry_point=entry_point,
        solution=row.text("canonical_solution"),
        suffix=row.text("suffix"),
        tests=f"{row.text('test')}\ncheck({entry_point})\n",
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="human_eval_infilling",
    title="HumanEval-Infilling",
    languages="Python",
    published="https://github.com/openai/human-eval-infilling",
    licence="MIT",
    shapes=(frozenset({"task_id", "entry_point", "prompt", "suffix", "canonical_solution", "test"}),),
    read=read,
    counts=(1033, 5815, 1640, 164),
)
