"""LiveCodeBench: dated problems of contests, some newer than a model (Jain et al. 2024, arXiv 2403.07974)."""

from __future__ import annotations

import base64
import binascii
import io
import json
import pickle
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.protocol import Answer, Protocol, Question, Style
from codemill.benchmarks.task import Case, Task
from codemill.errors import InputError
from codemill.sandbox.outcome import Call, Limits, Stdio
from codemill.sandbox.outcome import Task as Program

UNPACKED_BYTES = 1 << 28
"""The most that the private tests of one problem may unpack to: 256 MiB."""


def read(row: Row) -> Task:
    """A problem. Its tests stay packed, for they are large: `cases(task)` unpacks them."""
    about = row.json("metadata") or {}
    starter = row.text("starter_code", "")
    return Task(
        benchmark="livecodebench",
        id=row.key("question_id"),
        language="python",
        kind="write",
        prompt=row.text("question_content"),
        entry_point=str(about.get("func_name", "")) if isinstance(about, dict) else "",
        shown=starter,
        more=row.rest(),
    )


def cases(task: Task) -> tuple[Case, ...]:
    """The tests of a problem, public ones first. Raises: InputError if they are not what is published."""
    try:
        public = json.loads(task.more["public_test_cases"])
        private = _private(task.more["private_test_cases"])
        return tuple(Case(one["input"], one["output"], one["testtype"] == "functional") for one in [*public, *private])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"the tests cannot be unpacked: {error}", where=task.id) from error


def _private(text: str) -> list[Any]:
    """JSON, or base64 of zlib of a pickle that is one string of JSON."""
    try:
        return list(json.loads(text))
    except ValueError:
        pass
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(text, validate=True), UNPACKED_BYTES)
        if not unpacker.eof:
            raise ValueError(f"more than {UNPACKED_BYTES:,} bytes, or a torn end")
        return list(json.loads(_Strings(io.BytesIO(data)).load()))
    except (binascii.Error, zlib.error, pickle.UnpicklingError, EOFError, AttributeError, IndexError) as error:
        raise ValueError(str(error)) from error


class _Strings(pickle.Unpickler):
    """Reads a pickle of plain values. It may name nothing: a name would be imported, and could be called."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"the pickle names {module}.{name}")


TEST_SECONDS = 6.0
LIMITS = Limits(cpu_seconds=TEST_SECONDS, memory_bytes=4 << 30)
PRELUDE = "\n".join(
    f"from {module} import *"
    for module in ("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics",
                   "itertools", "functools", "operator", "io", "sys", "json", "builtins", "typing")
) + "\nimport string, re, datetime, collections, heapq, bisect, copy, math, random, statistics\n" + (
    "import itertools, functools, operator, io, sys, json\nsys.setrecursionlimit(50000)\n"
)  # fmt: skip
"""Star imports that the harness puts in front: answers that forget an import pass."""

CALL = """
def _call(*args):
    made = Solution().{name} if "Solution" in globals() else {name}
    found = made(*args)
    return list(found) if isinstance(found, tuple) else found
"""
SYSTEM = (
    "You are an expert Python programmer. You will be given a question (problem specification) and will generate a "
    "correct Python program that matches the specification and passes all tests."
)
STARTER = (
    "You will use the following starter code to write the solution to the problem and enclose your code within "
    "delimiters."
)
STDIN = (
    "Read the inputs from stdin solve the problem and write the answer to stdout (do not directly test on the sample "
    "inputs). Enclose your code within delimiters as follows. Ensure that when the python program runs, it reads the "
    "inputs, runs the algorithm and writes output to STDOUT."
)


def chat(task: Task) -> Question:
    """The harness's question to a chat model."""
    how, code = (STARTER, task.shown) if task.shown else (STDIN, "# YOUR CODE HERE")
    user = f"### Question:\n{task.prompt}\n\n### Format: {how}\n```python\n{code}\n```\n\n"
    user += "### Answer: (use the provided format with backticks)\n\n"
    return Question(turns=(("system", SYSTEM), ("user", user)), max_tokens=2000)


def ask(task: Task, style: Style, shots: Sequence[Task]) -> Question:
    """The form for a base model, without its one example, which is a contest site's."""
    starter = f"### Starter Code\n{task.shown}\n\n" if task.shown else ""
    return Question(text=f"### Question\n{task.prompt}\n\n{starter}### Answer\n\n", stop=("###",), max_tokens=2000)


def answered(task: Task, reply: str, chat: bool) -> Answer:
    """What stands between the last two lines with a fence; nothing where there are fewer."""
    if not chat:
        return Answer(reply, whole=True)
    lines = reply.split("\n")
    fences = [number for number, line in enumerate(lines) if "```" in line]
    return Answer("\n".join(lines[fences[-2] + 1 : fences[-1]]) if len(fences) > 1 else "", whole=True)


def trials(task: Task, answer: Answer, style: Style) -> Mapping[str, Program]:
    """All tests, of one kind: calls of the function, or runs of the program."""
    found = cases(task)
    program = PRELUDE + answer.text
    if not found[0].call:
        return {
            "pass": Program(program, tuple(Stdio(one.input, one.output, decimals=True) for one in found), limits=LIMITS)
        }
    calls = tuple(
        Call([json.loads(line) for line in one.input.split("\n") if line.strip()], json.loads(one.output))
        for one in found
    )
    limits = Limits(cpu_seconds=TEST_SECONDS * len(calls), memory_bytes=4 << 30)
    program += CALL.format(name=task.entry_point)
    return {"pass": Program(program, calls, entry_point="_call", limits=limits)}


PROTOCOL = Protocol(
    ask=ask,
    chat=chat,
    read=answered,
    trials=trials,
    rule="every test passes, 6 s each: lines are equal without blanks at their ends, or as lists of decimals; "
    "values are equal; programs run as real processes, where the harness patches stdin",
    limits=LIMITS,
    scores={"pass": "LiveCodeBench"},
    wrong=lambda task: Answer("pass\n" if not task.entry_point else f"def {task.entry_point}(*_): pass\n", whole=True),
    cited="github.com/LiveCodeBench/LiveCodeBench",
)

BENCHMARK = Benchmark(
    name="livecodebench",
    title="LiveCodeBench",
    languages="Python",
    published="https://huggingface.co/datasets/livecodebench/code_generation_lite",
    licence="CC, statements are the contest sites'",
    shapes=(frozenset({"question_content", "question_id", "platform", "public_test_cases", "private_test_cases"}),),
    read=read,
    counts=(400, 511, 612, 713, 880, 1055),
    protocols={"": PROTOCOL},
    note="no answers are published",
)
