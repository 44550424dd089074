"""MultiPL-E: HumanEval and MBPP translated into other languages (Cassano et al. 2022, arXiv 2208.08227)."""

from __future__ import annotations

from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task. In some languages `tests` begin with the brace that closes the function: nothing may be trimmed."""
    name = row.text("name")
    return Task(
        benchmark="multipl_e",
        id=f"{row.text('language')}/{name}",
        language=language(row.text("language"), row.where),
        kind="complete",
        prompt=row.text("prompt"),
        entry_point=name.split("_", 2)[-1],
        tests=row.text("tests"),
        stop=row.texts("stop_tokens"),
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="multipl_e",
    title="MultiPL-E",
    languages="18 and more",
    published="https://huggingface.co/datasets/nuprl/MultiPL-E",
    licence="BSD-3-Clause with a clause against training on it",
    shapes=(frozenset({"name", "language", "prompt", "tests", "stop_tokens"}),),
    read=read,
    counts=(154, 156, 158, 159, 160, 161),
    note="no answers are published",
)
