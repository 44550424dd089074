"""HumanEvalPack: HumanEval in six languages, also to be repaired (Muennighoff et al. 2023, arXiv 2308.07124)."""

from __future__ import annotations

from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task. `shown` is the faulty program; the answer follows `more["declaration"]` as well as `prompt`."""
    declaration = row.text("declaration")
    return Task(
        benchmark="humanevalpack",
        id=row.text("task_id"),
        language=language(row.text("task_id").partition("/")[0], row.where),
        kind="complete",
        prompt=row.text("prompt"),
        entry_point=row.text("entry_point"),
        solution=row.text("canonical_solution"),
        tests=row.text("test"),
        setup=row.text("test_setup", ""),
        instruction=row.text("instruction"),
        shown=declaration + row.text("buggy_solution"),
        more={"declaration": declaration, **row.rest()},
    )


BENCHMARK = Benchmark(
    name="humanevalpack",
    title="HumanEvalPack",
    languages="Python, JavaScript, Java, Go, C++, Rust",
    published="https://huggingface.co/datasets/bigcode/humanevalpack",
    licence="MIT",
    shapes=(
        frozenset(
            {
                "task_id",
                "prompt",
                "declaration",
                "canonical_solution",
                "buggy_solution",
                "entry_point",
                "test",
                "instruction",
            }
        ),
    ),
    read=read,
    counts=(164,),
    note="JavaScript tests only print what fails: the exit status says nothing",
)
