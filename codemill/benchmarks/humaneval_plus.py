"""HumanEval+: HumanEval with many more inputs and repaired answers (Liu et al. 2023, arXiv 2305.01210)."""

from __future__ import annotations

from collections.abc import Mapping

from codemill.benchmarks import asking, calls, humaneval
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark, File
from codemill.benchmarks.protocol import Answer, Protocol, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Task as Program


def read(row: Row) -> Task:
    """A task. `tests` are the base tests only, none in Mini; `base_input` and `plus_input` are in `more`."""
    return humaneval.read(row)


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program]:
    """The program with all base inputs, and with those that were added."""
    program = asking.assembled(task, answer, style)
    oracle = "root" if task.entry_point == "find_zero" else ""
    return calls.trials(task, program, task.prompt + task.solution, oracle=oracle)


PROTOCOL = Protocol(
    ask=calls.ask,
    chat=asking.scripted,
    read=asking.answered,
    trials=trials,
    rule=calls.RULE,
    limits=calls.LIMITS,
    scores={"base": "HumanEval", "plus": "HumanEval+"},
    wrong=asking.stub,
    cited="github.com/evalplus/evalplus 0.3.1",
)

BENCHMARK = Benchmark(
    name="humaneval_plus",
    title="HumanEval+",
    languages="Python",
    published="https://github.com/evalplus/humanevalplus_release",
    licence="Apache-2.0, of HumanEval MIT",
    shapes=(frozenset({"task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input", "atol"}),),
    begins="HumanEval/",
    read=read,
    counts=(164,),
    files=(
        File(
            "https://github.com/evalplus/humanevalplus_release/releases/download/v0.1.10/HumanEvalPlus.jsonl.gz",
            "42526ec0e7d5f3ee0b06d6ced98f8c8bae3d76519151bfb3d36f79010645bd7f",
        ),
    ),
    protocols={"": PROTOCOL},
    note="outputs are not published: they are those of the published answer",
)
