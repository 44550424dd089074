"""MBPP: 974 short tasks in Python, each with three assertions (Austin et al. 2021, arXiv 2108.07732)."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from codemill.benchmarks import asking
from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark, File
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program


def read(row: Row) -> Task:
    """A task. `more["test_list"]` has the assertions one by one; `prompt` is the sentence alone."""
    tests = row.texts("test_list")
    code = row.text("code").replace("\r\n", "\n")
    setup = [*row.texts("test_imports"), row.text("test_setup_code", "")]
    return Task(
        benchmark="mbpp",
        id=f"Mbpp/{row.key('task_id')}",
        language="python",
        kind="write",
        prompt=row.text("text") if "text" in row else row.text("prompt"),
        entry_point=entry_point(code, tests),
        solution=code,
        tests="\n".join(tests) + "\n",
        setup="\n".join(line for line in setup if line),
        stop=("[DONE]",),
        more={"test_list": list(tests), **row.rest()},
    )


def entry_point(code: str, tests: tuple[str, ...]) -> str:
    """The function that the code defines and the assertions call; the last one defined if they call several.

    >>> entry_point("def h(): ...\\ndef f(x): ...", ("assert f(1) == 2",))
    'f'
    """
    try:
        defined = [n.name for n in ast.parse(code).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        calls = [n for test in tests for n in ast.walk(ast.parse(test)) if isinstance(n, ast.Name)]
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ""
    called = {name.id for name in calls}
    return next((name for name in reversed(defined) if name in called), "")


LIMITS = Limits(cpu_seconds=15, memory_bytes=4 << 30)
EXPERT = "You are an expert Python programmer, and here is your task: {} Your code should pass these tests:\n\n{}\n"


def ask(task: Task, style: Style, shots: Sequence[Task]) -> Question:
    """The paper's prompt, the tasks 2, 3 and 4 before it; other styles: a docstring with the first assertion."""
    if style.name not in ("official", "lm-eval"):
        first = task.more["test_list"][0]
        text = style.prompt(f'"""\n{task.prompt}\n{first}\n"""\n')
        return Question(text=text, stop=('\n"""', "\nassert", *(style.stop or ())))
    done = "".join(f"{expert(one)}[BEGIN]\n{one.solution}\n[DONE]\n" for one in shots if one.id != task.id)
    return Question(text=f"{done}{expert(task)}[BEGIN]\n", stop=task.stop)


def expert(task: Task) -> str:
    """The paper's words for a task, with its assertions."""
    return EXPERT.format(task.prompt, "\n".join(task.more["test_list"]))


def chat(task: Task) -> Question:
    """EvalPlus's question, with the description and the first assertion."""
    first = task.more["test_list"][0]
    shown = f'"""\n{task.prompt}\n{first}\n"""'
    return Question(turns=(("user", f"{asking.SCRIPT}\n```\n{shown}\n```\n"),), max_tokens=1024)


def answered(task: Task, reply: str, chat: bool) -> Answer:
    """A whole program in either case."""
    return Answer(asking.python(reply) if chat else reply, whole=True)


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program]:
    """The program, what its assertions need (Mbpp/367 makes a tree of the program's nodes), and the assertions."""
    tests = f"{task.setup}\n{task.tests}" if task.setup else task.tests
    return {"pass": Program(answer.text, tests, limits=LIMITS, entry_point=task.entry_point or None)}


def number(task: Task) -> int:
    """Its number, which says which split it is in."""
    return int(task.id.rpartition("/")[2])


PROTOCOL = Protocol(
    ask=ask,
    chat=chat,
    read=answered,
    trials=trials,
    rule="the assertions hold",
    limits=LIMITS,
    scores={"pass": "MBPP"},
    reference=lambda task: Answer(task.solution, whole=True),
    wrong=asking.stub,
    counts=lambda task: 11 <= number(task) <= 510,
    shots=lambda task: number(task) in (2, 3, 4),
    cited="arXiv 2108.07732; chat: github.com/evalplus/evalplus",
)

BENCHMARK = Benchmark(
    name="mbpp",
    title="MBPP",
    languages="Python",
    published="https://github.com/google-research/google-research/tree/master/mbpp",
    licence="CC-BY-4.0",
    shapes=(frozenset({"text", "code", "task_id", "test_list"}),),
    read=read,
    counts=(974,),
    files=(
        File(
            "https://raw.githubusercontent.com/google-research/google-research/master/mbpp/mbpp.jsonl",
            "ccf64ceae9c5403bf50a044cb6d505bfd2a2963ee58338ba268fd65beab92a9f",
        ),
    ),
    protocols={"": PROTOCOL},
    note="test: ids 11 to 510; papers mean one of several subsets",
)
