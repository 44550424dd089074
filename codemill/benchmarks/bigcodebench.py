"""BigCodeBench: 1140 tasks that use libraries (Zhuo et al. 2024, arXiv 2406.15877)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from codemill.benchmarks import asking, calls
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program


def read(row: Row) -> Task:
    """A task: `prompt` is of the split Complete, `instruction` of Instruct, `more["code_prompt"]` the head."""
    return Task(
        benchmark="bigcodebench",
        id=row.text("task_id"),
        language="python",
        kind="complete",
        prompt=row.text("complete_prompt"),
        entry_point=row.text("entry_point"),
        solution=row.text("canonical_solution"),
        tests=row.text("test"),
        instruction=row.text("instruct_prompt"),
        more={"libs": list(row.literal("libs")) if "libs" in row else [], **row.rest()},
    )


LIMITS = Limits(cpu_seconds=240, wall_seconds=240, memory_bytes=4 << 30, processes=64)


def ask(task: Task, style: Style, shots: Sequence[Task]) -> Question:
    """Complete, as EvalPlus asks a base model."""
    return asking.continued(task, calls.usual(style), shots, max_tokens=1280)


def complete(task: Task) -> Question:
    """Complete, as EvalPlus asks a chat model."""
    return asking.scripted(task, max_tokens=1280)


def instruct(task: Task) -> Question:
    """Instruct: the question without a fence, for its end has one."""
    return Question(turns=(("user", f"{asking.SCRIPT}\n{task.instruction.strip()}\n"),), max_tokens=1280)


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program]:
    """Calibrated, always: the head, `pass`, the answer, the cases."""
    whole = answer.text if answer.whole else task.prompt + answer.text
    program = f"{task.more['code_prompt']}\n    pass\n{whole}\n"
    return {"pass": Program(program, task.tests, limits=LIMITS, entry_point=task.entry_point)}


PROTOCOL = Protocol(
    ask=ask,
    chat=complete,
    read=asking.answered,
    trials=trials,
    rule="no case of TestCases fails or raises",
    limits=LIMITS,
    scores={"pass": "BigCodeBench Complete"},
    wrong=asking.stub,
    modules=lambda task: tuple(task.more["libs"]),
    cited="github.com/bigcode-project/bigcodebench 0.2.5",
)
INSTRUCT = replace(PROTOCOL, chat=instruct, scores={"pass": "BigCodeBench Instruct"})

FIELDS = frozenset(
    {"task_id", "complete_prompt", "instruct_prompt", "canonical_solution", "code_prompt", "test", "entry_point"}
)
BENCHMARK = Benchmark(
    name="bigcodebench",
    title="BigCodeBench",
    languages="Python",
    published="https://huggingface.co/datasets/bigcode/bigcodebench",
    licence="Apache-2.0",
    shapes=(FIELDS,),
    read=read,
    counts=(1140,),
    protocols={"complete": PROTOCOL, "instruct": INSTRUCT},
    note="tests need some 70 libraries in fixed versions; 327 tasks need none",
)
