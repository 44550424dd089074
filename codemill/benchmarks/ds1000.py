"""DS-1000: snippets for seven libraries of data science (Lai et al. 2022, arXiv 2211.11501)."""

from __future__ import annotations

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task: the answer is put into `more["code_context"]`, which has the tests and may have the gap in a function."""
    about = row.json("metadata") or {}
    return Task(
        benchmark="ds1000",
        id=f"{about.get('library', 'DS-1000')}/{about.get('problem_id', '')}",
        language="python",
        kind="write",
        prompt=row.text("prompt"),
        solution=row.text("reference_code"),
        tests=row.text("code_context"),
        stop=("</code>", "# SOLUTION END", "END SOLUTION"),
        more={"metadata": about, **row.rest()},
    )


BENCHMARK = Benchmark(
    name="ds1000",
    title="DS-1000",
    languages="Python",
    published="https://huggingface.co/datasets/xlangai/DS-1000",
    licence="CC-BY-SA-4.0",
    shapes=(frozenset({"prompt", "reference_code", "code_context", "metadata"}),),
    read=read,
    counts=(1000,),
)
