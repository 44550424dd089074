"""HumanEval: 164 functions in Python to be completed after their docstrings (Chen et al. 2021, arXiv 2107.03374)."""

from __future__ import annotations

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task

STOP = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
"""Where the paper cuts a continuation. It cuts helper functions too."""


def read(row: Row) -> Task:
    """A task; `tests` defines `check(candidate)` and calls it."""
    entry_point, tests = row.text("entry_point"), row.text("test", "")
    return Task(
        benchmark="humaneval",
        id=row.text("task_id"),
        language="python",
        kind="complete",
        prompt=row.text("prompt"),
        entry_point=entry_point,
        solution=row.text("canonical_solution"),
        tests=f"{tests}\ncheck({entry_point})\n" if tests else "",
        stop=STOP,
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="humaneval",
    title="HumanEval",
    languages="Python",
    published="https://github.com/openai/human-eval",
    licence="MIT",
    shapes=(frozenset({"task_id", "prompt", "entry_point", "canonical_solution", "test"}),),
    begins="HumanEval/",
    read=read,
    counts=(164,),
    note="HumanEvalPlus-OriginFmt has these fields too; its test of HumanEval/32 fails for every answer",
)
