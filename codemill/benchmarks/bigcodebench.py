"""BigCodeBench: 1140 tasks that use libraries (Zhuo et al. 2024, arXiv 2406.15877)."""

from __future__ import annotations

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task: `prompt` is of the split Complete, `instruction` of Instruct, `more["code_prompt"]` the head."""
    return Task(
        benchmark="bigcodebench",
        id=row.text("task_id"),
        language="python",
        kind="complete",
        prompt=row.text("complete_prompt"),
        entry_point=row.text("entry_point"),
        solution=row.text("canonical_solution"),
        tests=row.text("test"),
        instruction=row.text("instruct_prompt"),
        more={"libs": list(row.literal("libs")) if "libs" in row else [], **row.rest()},
    )


FIELDS = frozenset(
    {"task_id", "complete_prompt", "instruct_prompt", "canonical_solution", "code_prompt", "test", "entry_point"}
)
BENCHMARK = Benchmark(
    name="bigcodebench",
    title="BigCodeBench",
    languages="Python",
    published="https://huggingface.co/datasets/bigcode/bigcodebench",
    licence="Apache-2.0",
    shapes=(FIELDS,),
    read=read,
    counts=(1140,),
    note="tests need some 70 libraries in fixed versions; 327 tasks need none",
)
