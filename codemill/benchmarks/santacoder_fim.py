"""SantaCoder-FIM: single lines of translated HumanEval answers (Allal et al. 2023, arXiv 2301.03988)."""

from __future__ import annotations

from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task; it is scored by exact match of the stripped line."""
    return Task(
        benchmark="santacoder_fim",
        id=row.text("name"),
        language=language(row.text("language"), row.where),
        kind="infill",
        prompt=row.text("prompt"),
        solution=row.text("canonical_solution"),
        suffix=row.text("suffix"),
        tests=row.text("tests"),
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="santacoder_fim",
    title="SantaCoder-FIM",
    languages="Python, Java, JavaScript",
    published="https://huggingface.co/datasets/bigcode/santacoder-fim-task",
    licence="not clear",
    shapes=(frozenset({"name", "language", "prompt", "suffix", "canonical_solution", "tests"}),),
    read=read,
    counts=(1043, 1969, 1780),
)
