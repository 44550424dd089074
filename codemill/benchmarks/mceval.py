"""McEval: generation, explanation and completion in 40 languages (Chai et al. 2024, arXiv 2406.07436)."""

from __future__ import annotations

from collections.abc import Mapping

from codemill.benchmarks import asking, others
from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program

EXPLAIN = "Provide a concise natural language description"
"""A sentence of every instruction to explain; generation and explanation have the same fields."""


def read(row: Row) -> Task:
    """A task. JSON, HTML and Markdown publish their answers as files beside it; these are not read."""
    id, instruction = row.text("task_id"), row.text("instruction")
    masked = row.text("mask_code", "")
    kind = "write" if masked else "explain" if EXPLAIN in instruction else "complete"
    prompt, solution = row.text("prompt"), row.text("canonical_solution", "")
    return Task(
        benchmark="mceval",
        id=id,
        language=language(id.partition("/")[0], row.where),
        kind=kind,
        prompt=prompt,
        entry_point=row.text("entry_point", ""),
        solution=solution if kind != "write" else f"{prompt}\n{solution}",
        tests=row.text("test", ""),
        instruction=instruction,
        shown=masked,
        more=row.rest(),
    )


EMPTY = {
    "cpp": "{ throw 0; }\n",
    "python": "    pass\n",
    "ruby": "end\n",
    "lua": "end\n",
    "perl": "}\n",
    "shell": "}\n",
    "r": "{ }\n",
}
"""A body that does nothing."""

SECONDS = {"go": 35, "rust": 35, "typescript": 30, "csharp": 30, "kotlin": 25}


def chat(task: Task) -> Question:
    """The published instruction."""
    return Question(turns=(("user", task.instruction),), max_tokens=1024)


def answered(task: Task, reply: str, chat: bool) -> Answer:
    """The first fence of the language; the body where the prompt was continued. Nothing is deleted from it."""
    if chat or task.kind == "write":
        return Answer(others.fenced(task, reply), whole=True)
    return Answer(asking.cut(reply, STOPS) if task.language == "python" else reply)


STOPS = ("\ndef ", "\nclass ", "\nif __name__", "\nprint(")


UNITTEST = "assert unittest.main(exit=False).result.wasSuccessful()"
"""The same without leaving the program, after which nobody could tell whether the tests had ended."""


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program]:
    """Prompt, body and tests, or a whole answer below what the prompt brings in."""
    if answer.whole:
        program = others.headed(task.prompt, others.opened(answer.text, task.prompt + task.solution))
    else:
        program = f"{task.prompt}\n{answer.text}"
    program, tests = others.tested(task, program, task.tests)
    tests = tests.replace("unittest.main()", UNITTEST)
    limits = Limits(cpu_seconds=SECONDS.get(task.language, 15), memory_bytes=4 << 30)
    entry_point = task.entry_point or None if task.language == "python" else None
    return {"pass": Program(program, tests, others.named(task), entry_point=entry_point, limits=limits)}


def cannot(task: Task) -> str:
    """Why a task is not judged by us."""
    return others.cannot(task) or ("" if task.tests else "it is compared with a file that is not read")


PROTOCOL = Protocol(
    ask=asking.continued,
    chat=chat,
    read=answered,
    trials=trials,
    rule="the program with its tests ends with status 0; what a test of JavaScript would only print is an error",
    limits=Limits(cpu_seconds=15),
    scores={"pass": "McEval"},
    wrong=lambda task: Answer(EMPTY.get(task.language, "{ }\n")),
    errata={"Lua/1": "its test is never called", "PHP/32": "its test is never called"},
    cannot=cannot,
    counts=lambda task: task.kind != "explain",
    cited="github.com/MCEVAL/McEval",
)

BENCHMARK = Benchmark(
    name="mceval",
    title="McEval",
    languages="40",
    published="https://github.com/MCEVAL/McEval",
    licence="CC-BY-SA-4.0",
    shapes=(
        frozenset({"task_id", "prompt", "instruction", "level"}),
        frozenset({"task_id", "prompt", "instruction", "canonical_solution", "signature", "docstring", "test"}),
        frozenset(
            {"task_id", "prompt", "instruction", "canonical_solution", "mask_code", "test", "signature", "docstring"}
        ),
    ),
    read=read,
    counts=(50, 51, 53, 59),
    protocols={"": PROTOCOL},
    note="8 of the 50 Python tasks are HumanEval's",
)
