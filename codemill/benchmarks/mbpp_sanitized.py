"""MBPP sanitized: the 427 tasks that its authors checked by hand (Austin et al. 2021, arXiv 2108.07732)."""

from __future__ import annotations

from dataclasses import replace

from codemill.benchmarks import mbpp
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark, File
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task, as of MBPP; imports of the assertions are in `setup`."""
    return mbpp.read(row)


BENCHMARK = Benchmark(
    name="mbpp_sanitized",
    title="MBPP sanitized",
    languages="Python",
    published="https://github.com/google-research/google-research/tree/master/mbpp",
    licence="CC-BY-4.0",
    shapes=(frozenset({"prompt", "code", "task_id", "test_imports", "test_list"}),),
    read=read,
    counts=(427,),
    files=(File("https://raw.githubusercontent.com/google-research/google-research/master/mbpp/sanitized-mbpp.json"),),
    protocols={"": replace(mbpp.PROTOCOL, scores={"pass": "MBPP sanitized"})},
    note="257 of the 427 are in MBPP's test split",
)
