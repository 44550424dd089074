"""CrossCodeEval: the rest of a statement that depends on other files (Ding et al. 2023, arXiv 2310.11248)."""

from __future__ import annotations

from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task; its language is that of the file's ending. `shown` is the text of other files, where there is one."""
    about = row.json("metadata") or {}
    cross = row.json("crossfile_context")
    file = str(about.get("file", ""))
    ending = file.rpartition(".")[2] if "." in file else "py"
    return Task(
        benchmark="crosscodeeval",
        id=str(about.get("task_id", "")),
        language=language(ending, row.where),
        kind="line",
        prompt=row.text("prompt"),
        solution=row.text("groundtruth"),
        suffix=row.text("right_context", ""),
        shown=str(cross.get("text", "")) if isinstance(cross, dict) else "",
        more={"metadata": about, **row.rest()},
    )


BENCHMARK = Benchmark(
    name="crosscodeeval",
    title="CrossCodeEval",
    languages="Python, Java, TypeScript, C#",
    published="https://github.com/amazon-science/cceval",
    licence="Apache-2.0",
    shapes=(frozenset({"prompt", "groundtruth", "metadata"}),),
    read=read,
)
