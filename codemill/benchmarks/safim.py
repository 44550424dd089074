"""SAFIM: gaps that are whole blocks, conditions or calls (Gong et al. 2024, arXiv 2403.04814)."""

from __future__ import annotations

from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Case, Task

GAP = "{{completion}}"


def read(row: Row) -> Task:
    """A task: what stands before and behind the gap of `eval_prompt`; `more["prompt"]` is what a model is shown."""
    before, _, behind = row.text("eval_prompt").partition(GAP)
    tests = row.json("unit_tests") or []
    cases = [Case(str(test.get("input", "")), "\n".join(map(str, test.get("output", [])))) for test in tests]
    return Task(
        benchmark="safim",
        id=row.text("task_id"),
        language=language(row.text("lang"), row.where),
        kind="infill",
        prompt=before,
        solution=row.text("ground_truth"),
        suffix=behind,
        cases=tuple(cases),
        more={"prompt": row.text("prompt"), **row.rest()},
    )


BENCHMARK = Benchmark(
    name="safim",
    title="SAFIM",
    languages="Python, Java, C++, C#",
    published="https://huggingface.co/datasets/gonglinyuan/safim",
    licence="MIT",
    shapes=(frozenset({"task_id", "lang", "prompt", "eval_prompt", "ground_truth", "unit_tests"}),),
    read=read,
)
