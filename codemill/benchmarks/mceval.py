"""McEval: generation, explanation and completion in 40 languages (Chai et al. 2024, arXiv 2406.07436)."""

from __future__ import annotations

from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task

EXPLAIN = "Provide a concise natural language description"
"""A sentence of every instruction to explain; generation and explanation have the same fields."""


def read(row: Row) -> Task:
    """A task. JSON, HTML and Markdown publish their answers as files beside it; these are not read."""
    id, instruction = row.text("task_id"), row.text("instruction")
    masked = row.text("mask_code", "")
    kind = "write" if masked else "explain" if EXPLAIN in instruction else "complete"
    prompt, solution = row.text("prompt"), row.text("canonical_solution", "")
    return Task(
        benchmark="mceval",
        id=id,
        language=language(id.partition("/")[0], row.where),
        kind=kind,
        prompt=prompt,
        entry_point=row.text("entry_point", ""),
        solution=solution if kind != "write" else f"{prompt}\n{solution}",
        tests=row.text("test", ""),
        instruction=instruction,
        shown=masked,
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="mceval",
    title="McEval",
    languages="40",
    published="https://github.com/MCEVAL/McEval",
    licence="CC-BY-SA-4.0",
    shapes=(
        frozenset({"task_id", "prompt", "instruction", "level"}),
        frozenset({"task_id", "prompt", "instruction", "canonical_solution", "signature", "docstring", "test"}),
        frozenset(
            {"task_id", "prompt", "instruction", "canonical_solution", "mask_code", "test", "signature", "docstring"}
        ),
    ),
    read=read,
    counts=(50, 51, 53, 59),
    note="8 of the 50 Python tasks are HumanEval's",
)
