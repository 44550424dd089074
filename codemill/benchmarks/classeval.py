"""ClassEval: 100 classes in Python to be written from a skeleton (Du et al. 2023, arXiv 2308.01861)."""

from __future__ import annotations

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task: a class. Its methods, each with description, answer and tests, are in `more["methods_info"]`."""
    return Task(
        benchmark="classeval",
        id=row.text("task_id"),
        language="python",
        kind="write",
        prompt=row.text("skeleton"),
        entry_point=row.text("class_name"),
        solution=row.text("solution_code"),
        tests=row.text("test"),
        setup="\n".join(row.texts("import_statement")),
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="classeval",
    title="ClassEval",
    languages="Python",
    published="https://github.com/FudanSELab/ClassEval",
    licence="MIT",
    shapes=(frozenset({"task_id", "skeleton", "test", "solution_code", "class_name", "methods_info"}),),
    read=read,
    counts=(100,),
    note="7 published answers fail elsewhere: 17, 28, 48, 50, 51, 52, 69",
)
