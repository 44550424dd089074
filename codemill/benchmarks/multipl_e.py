"""MultiPL-E: HumanEval and MBPP translated into other languages (Cassano et al. 2022, arXiv 2208.08227)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from codemill.benchmarks import asking, others
from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program


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


LIMITS = {"javascript": 5, "r": 5, "ruby": 5, "rust": 5, "go": 30, "scala": 45, "swift": 45}
NEEDS = {
    "perl": "its tests need Test::Deep", "lua": "its tests need luaunit", "ruby": "its tests run as the program ends",
}  # fmt: skip
JAVATUPLES = "import org.javatuples.*;"
TUPLES = re.compile(r"\b(?:Unit|Pair|Triplet|Quartet|Quintet|Sextet|Septet|Octet|Ennead|Decade)<")


def cannot(task: Task) -> str:
    """Why a task cannot be run."""
    if task.language == "java" and TUPLES.search(task.prompt + task.tests):
        return "its signature needs org.javatuples"
    return NEEDS.get(task.language) or others.cannot(task)


def limits(task: Task) -> Limits:
    """15 seconds, or what the language gets."""
    return Limits(cpu_seconds=LIMITS.get(task.language, 15), memory_bytes=4 << 30)


def chat(task: Task) -> Question:
    """Not published: the prompt in a fence, to be completed."""
    asked = "Complete this function. Answer with the whole function and what it needs, in a markdown code block."
    return Question(turns=(("user", f"{asked}\n```{task.language}\n{task.prompt.strip()}\n```\n"),), max_tokens=1024)


def answered(task: Task, reply: str, chat: bool) -> Answer:
    """A continuation cut at the published stops, or a whole function."""
    return Answer(others.fenced(task, reply), whole=True) if chat else Answer(asking.cut(reply, task.stop))


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program]:
    """Prompt, continuation, tests. A whole answer replaces the prompt, or its function would be defined twice."""
    program = task.prompt + answer.text
    if answer.whole:
        program = others.headed(task.prompt, others.cut_at_brace(answer.text, task.tests, task.stop))
    program = program.replace(JAVATUPLES, "")  # `cannot` names the tasks that use it
    program, tests = others.tested(task, program, f"\n{task.tests}")
    return {"pass": Program(program, tests, others.named(task), limits=limits(task))}


def stub(task: Task) -> Answer:
    """Nothing, closed where the tests do not do it."""
    if task.language in ("go", "rust", "cpp", "java", "csharp"):
        return Answer(
            "    abort();" if task.language == "cpp" else "    throw new Error();" if task.language != "rust" else ""
        )
    return Answer("    :\n" if task.language == "shell" else "" if task.tests.lstrip().startswith("}") else "\n}\n")


PROTOCOL = Protocol(
    ask=asking.continued,
    chat=chat,
    read=answered,
    trials=trials,
    rule="the program with its tests ends with status 0 and reaches its end",
    limits=Limits(cpu_seconds=15),
    scores={"pass": "MultiPL-E"},
    wrong=stub,
    cannot=cannot,
    cited="github.com/nuprl/MultiPL-E 3.x",
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
    protocols={"": PROTOCOL},
    note="no answers are published",
)
