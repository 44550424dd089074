"""EvalPlus's way of judging: an answer is called with many inputs, and must return what the reference returns."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from codemill.benchmarks import asking
from codemill.benchmarks.protocol import STYLES, Question, Style
from codemill.benchmarks.task import Task
from codemill.sandbox.outcome import Limits
from codemill.sandbox.outcome import Task as Program

# Both the answer and the reference run: Mbpp/599 adds up to 10**8 in a loop, some forty times.
LIMITS = Limits(cpu_seconds=300, wall_seconds=300, memory_bytes=4 << 30)
INPUT_SECONDS = 4.0
"""Of the processor, for one input; or four times what the reference takes."""

RULE = (
    "returns what the reference returns for every input: equal, or within atol, which is 1e-6 for floats; "
    "4 s of the processor for an input or 4 times what the reference takes"
)


def usual(style: Style) -> Style:
    """EvalPlus's own style where the official one is asked for."""
    return STYLES["evalplus"] if style.name == "official" else style


def ask(task: Task, style: Style, shots: Sequence[Task]) -> Question:
    """The prompt, trimmed and with a newline, as EvalPlus gives it to a base model."""
    return asking.continued(task, usual(style), shots, max_tokens=768)


def trials(task: Task, program: str, reference: str, *, oracle: str = "", kind: str = "") -> Mapping[str, Program]:
    """The program with the base inputs and with the inputs that were added, as two trials."""
    atol = task.more.get("atol", 0)
    found = {}
    for name in ("base", "plus"):
        inputs = task.more.get(f"{name}_input") or []
        if name == "plus" and not inputs:
            inputs = task.more.get("base_input") or []
        tests = text(task.entry_point, reference, inputs, kind=kind, atol=atol, oracle=oracle)
        found[name] = Program(program, tests, entry_point=task.entry_point, limits=LIMITS)
    return found


def text(
    entry_point: str, reference: str, inputs: Sequence[Any], *, kind: str = "", atol: float = 0, oracle: str = ""
) -> str:
    """A program text that follows an answer: it calls the answer and the reference with each of the inputs."""
    given = (reference, entry_point, json.dumps(inputs), kind, atol, oracle, INPUT_SECONDS)
    return f"{_guest()}\nrun({entry_point}, {', '.join(map(repr, given))})\n"


@functools.cache
def _guest() -> str:
    return files("codemill.benchmarks").joinpath("_calls_guest.py").read_text("utf-8")
