"""MdEval: 1305 faults in 20 languages to be repaired, found and judged (Liu et al. 2024, arXiv 2411.02310)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from codemill.benchmarks import asking, others
from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program


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


INCLUDES = {
    "c": "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>\n#include <assert.h>\n"
    "#include <stdbool.h>\n#include <ctype.h>\n#include <limits.h>\n",
    "cpp": "#include <bits/stdc++.h>\n#include <cassert>\nusing namespace std;\n",
}
CHOICES = re.compile(r"\b([A-D])\b")


def chat(task: Task) -> Question:
    """The published instruction."""
    return Question(turns=(("user", task.instruction),), max_tokens=1024)


def ask(task: Task, style: Style, shots: Sequence[Task]) -> Question:
    """The same as a text, for the benchmark has no form for base models."""
    return Question(text=f"{task.instruction}\n```{task.language}\n", stop=("```",), max_tokens=1024)


def answered(task: Task, reply: str, chat: bool) -> Answer:
    """The first fence; of a choice the whole answer."""
    if task.kind == "choose":
        return Answer(reply, whole=True)
    return Answer(others.fenced(task, reply) if chat else reply, whole=True)


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program | bool]:
    """A repaired program with its tests, or a choice, parsed strictly."""
    if task.kind == "choose":
        return {"pass": chosen(task, answer.text)}
    text = others.opened(answer.text, task.solution)
    program, tests = others.tested(task, INCLUDES.get(task.language, "") + text + "\n", task.tests)
    limits = Limits(cpu_seconds=60 if task.language == "csharp" else 50 if task.language in ("go", "rust") else 30)
    return {"pass": Program(program, tests, others.named(task), limits=limits)}


def chosen(task: Task, text: str) -> bool:
    """One name of a kind of fault, one letter, or exactly the letters. The published rules are looser: an answer that
    lists every kind of fault, or has an A anywhere, passes there."""
    text = asking.fenced(text, ("python",)).strip()
    if "loc_answer" in task.more:
        return set(CHOICES.findall(text)) == set(task.more["loc_answer"])
    if "choice_answer" in task.more:
        return set(CHOICES.findall(text)) == {task.more["choice_answer"]}
    return text.strip("\"'`. \n").casefold() == str(task.more["subtype"]).casefold()


def reference(task: Task) -> Answer:
    """The repaired program, or the right choice."""
    if task.kind != "choose":
        return Answer(task.solution, whole=True)
    right = task.more.get("loc_answer") or task.more.get("choice_answer") or task.more["subtype"]
    return Answer(str(right), whole=True)


def cannot(task: Task) -> str:
    """Why a task is not judged by us: markup is compared with rules of its own."""
    return "" if task.kind == "choose" else others.cannot(task)


MEMORY = "a memory error: the tests pass without a sanitiser"
PROTOCOL = Protocol(
    ask=ask,
    chat=chat,
    read=answered,
    trials=trials,
    rule="the program with its tests ends with status 0; a choice is exactly the right one",
    limits=Limits(cpu_seconds=30),
    scores={"pass": "MdEval"},
    reference=reference,
    wrong=lambda task: Answer(task.shown if task.kind != "choose" else "E", whole=True),
    errata={
        "CPP/69": "its reference does not compile",
        "PHP/61": "it has the tests of another task",
        "CPP/19": "its fault is a missing include, which is added",
        "Go/47": "its fault, min and max, is right since Go 1.21",
        "Go/57": "its fault is an import, which is written anew",
        "Java/20": "its fault, a raw type, is legal",
        **dict.fromkeys(("Ruby/27", "Ruby/29", "Ruby/54"), "its tests do not notice the fault"),
        **dict.fromkeys(("C/19", "C/65", "C/66", "C/67", "CPP/67", "CPP/68", "PHP/24"), MEMORY),
    },
    cannot=cannot,
    cited="arXiv 2411.02310",
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
    protocols={"": PROTOCOL},
    note="the reference of CPP/69 does not compile, PHP/61 has the tests of another task",
)
