"""MdEval: 1305 faults in 20 languages to be repaired, found and judged (Liu et al. 2024, arXiv 2411.02310)."""

from __future__ import annotations

from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task of one of its seven files. `shown` is the faulty program; the solution is whole, tests follow it."""
    id = row.text("question_id")
    instruction = row.text("instruction")
    choose = "loc_answer" in row or "review_choices" in row or "error type list" in instruction
    return Task(
        benchmark="mdeval",
        id=id,
        language=language(id.partition("/")[0], row.where),
        kind="choose" if choose else "repair",
        prompt=row.text("docstring", ""),
        solution=row.text("canonical_solution"),
        tests=row.text("test", ""),
        instruction=instruction,
        shown=row.text("buggy_code"),
        more=row.rest(),
    )


BENCHMARK = Benchmark(
    name="mdeval",
    title="MdEval",
    languages="20",
    published="https://huggingface.co/datasets/Multilingual-Multimodal-NLP/MDEVAL",
    licence="CC-BY-SA-4.0",
    shapes=(frozenset({"question_id", "canonical_solution", "buggy_code", "instruction"}),),
    read=read,
    counts=(1305,),
    note="the reference of CPP/69 does not compile, PHP/61 has the tests of another task",
)
