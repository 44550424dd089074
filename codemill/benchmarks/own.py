"""A benchmark of one's own, public or not: the plainest form that every part of codemill understands."""

from __future__ import annotations

from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task: `prompt` and `solution`, and as wanted `language` (Python by default), `entry_point` and `tests`.

    The answer goes on where the prompt ends.
    """
    return Task(
        benchmark="own",
        id=row.key("id"),
        language=language(row.text("language", "python"), row.where),
        kind="complete",
        prompt=row.text("prompt"),
        entry_point=row.text("entry_point", ""),
        solution=row.text("solution"),
        tests=row.text("tests", ""),
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="own",
    title="a benchmark of one's own",
    languages="any",
    published="fields: id prompt solution, and if wanted language entry_point tests",
    licence="yours",
    shapes=(frozenset({"id", "prompt", "solution"}),),
    read=read,
)
