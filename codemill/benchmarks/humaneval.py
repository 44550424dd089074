"""HumanEval: 164 functions in Python to be completed after their docstrings (Chen et al. 2021, arXiv 2107.03374)."""

from __future__ import annotations

from collections.abc import Mapping

from codemill.benchmarks import asking
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark, File
from codemill.benchmarks.protocol import Answer, Protocol, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program

STOP = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
"""Where the paper cuts a continuation. It cuts helper functions too."""


def read(row: Row) -> Task:
    """A task; `tests` defines `check(candidate)` and calls it."""
    entry_point, tests = row.text("entry_point"), row.text("test", "")
    return Task(
        benchmark="humaneval",
        id=row.text("task_id"),
        language="python",
        kind="complete",
        prompt=row.text("prompt"),
        entry_point=entry_point,
        solution=row.text("canonical_solution"),
        tests=f"{tests}\ncheck({entry_point})\n" if tests else "",
        stop=STOP,
        more=row.rest(),
    )


LIMITS = Limits(cpu_seconds=3, memory_bytes=4 << 30)
ORIGIN = {"HumanEval/32": "in OriginFmt its test unpacks a float, so that every answer fails"}


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program]:
    """The program with `check` behind it."""
    program = asking.assembled(task, answer, style)
    return {"pass": Program(program, task.tests, entry_point=task.entry_point, limits=LIMITS)}


PROTOCOL = Protocol(
    ask=asking.continued,
    chat=asking.scripted,
    read=asking.answered,
    trials=trials,
    rule="every assertion of check() holds",
    limits=LIMITS,
    scores={"pass": "HumanEval"},
    wrong=asking.stub,
    errata=ORIGIN,
    cited="github.com/openai/human-eval; chat: github.com/evalplus/evalplus",
)

BENCHMARK = Benchmark(
    name="humaneval",
    title="HumanEval",
    languages="Python",
    published="https://github.com/openai/human-eval",
    licence="MIT",
    shapes=(frozenset({"task_id", "prompt", "entry_point", "canonical_solution", "test"}),),
    begins="HumanEval/",
    read=read,
    counts=(164,),
    files=(
        File(
            "https://github.com/openai/human-eval/raw/master/data/HumanEval.jsonl.gz",
            "1d49078ba3e2b196b9344535bef34a43021f038fad9561d6ee7c53450609a6a2",
        ),
    ),
    protocols={"": PROTOCOL},
    note="HumanEvalPlus-OriginFmt has these fields too; its test of HumanEval/32 fails for every answer",
)
