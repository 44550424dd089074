"""HumanEval+: HumanEval with many more inputs and repaired answers (Liu et al. 2023, arXiv 2305.01210)."""

from __future__ import annotations

from codemill.benchmarks import humaneval
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task. `tests` are the base tests only, none in Mini; `base_input` and `plus_input` are in `more`."""
    return humaneval.read(row)


BENCHMARK = Benchmark(
    name="humaneval_plus",
    title="HumanEval+",
    languages="Python",
    published="https://github.com/evalplus/humanevalplus_release",
    licence="Apache-2.0, of HumanEval MIT",
    shapes=(frozenset({"task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input", "atol"}),),
    begins="HumanEval/",
    read=read,
    counts=(164,),
    note="outputs are not published: they are those of the published answer",
)
