"""EvoEval: HumanEval changed by a model in seven ways (Xia et al. 2024, arXiv 2403.19114)."""

from __future__ import annotations

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task. Inputs in `more` are Python source in five of the subsets: evaluate them in a sandbox only."""
    solution = row.text("canonical_solution")
    entry_point = row.text("entry_point")
    tests = row.text("test", "")
    return Task(
        benchmark="evoeval",
        id=row.text("task_id"),
        language="python",
        kind="complete",
        prompt=row.text("prompt"),
        entry_point=entry_point,
        # Without the line break most published answers do not parse after their prompts.
        solution=solution if solution.startswith("\n") else f"\n{solution}",
        tests=f"{tests}\ncheck({entry_point})\n" if tests else "",
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="evoeval",
    title="EvoEval",
    languages="Python",
    published="https://github.com/evo-eval/evoeval",
    licence="Apache-2.0",
    shapes=(
        frozenset({"task_id", "prompt", "canonical_solution", "entry_point", "inputs"}),
        frozenset(
            {
                "task_id",
                "prompt",
                "canonical_solution",
                "entry_point",
                "test",
                "base_input",
                "plus_input",
                "atol",
                "old_prompt",
                "new_prompts",
            }
        ),
    ),
    read=read,
    counts=(100, 164),
    note="expected outputs are those of the published answer; `outputs` of the subset creative are empty",
)
