"""BigCodeBench-Hard: the 148 tasks of BigCodeBench nearest to real questions (Zhuo et al. 2024, arXiv 2406.15877)."""

from __future__ import annotations

from dataclasses import replace

from codemill.benchmarks import bigcodebench
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task, as of BigCodeBench; the question it was chosen by is in `more`."""
    return bigcodebench.read(row)


BENCHMARK = Benchmark(
    name="bigcodebench_hard",
    title="BigCodeBench-Hard",
    languages="Python",
    published="https://huggingface.co/datasets/bigcode/bigcodebench-hard",
    licence="Apache-2.0",
    shapes=(bigcodebench.FIELDS | {"q_idx", "question", "score"},),
    read=read,
    counts=(148,),
    protocols={
        "complete": replace(bigcodebench.PROTOCOL, scores={"pass": "BigCodeBench-Hard Complete"}),
        "instruct": replace(bigcodebench.INSTRUCT, scores={"pass": "BigCodeBench-Hard Instruct"}),
    },
)
