"""Task: one item of a benchmark, as every reader gives it. Case: one input and the output that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "complete": "the answer goes on where the prompt ends; program: prompt, answer",
    "write": "the answer is a whole program, function or class; program: the answer",
    "infill": "the answer stands between prompt and suffix; program: prompt, answer, suffix",
    "repair": "the answer is the given faulty program without its fault; program: the answer",
    "explain": "the answer describes a program in words",
    "predict": "the answer is a value that the program takes or gives",
    "choose": "the answer is one or several of given choices",
    "line": "the answer is the next line of a file; it is compared, not run",
}
"""What is asked of a model, and what makes a program of its answer."""


@dataclass(frozen=True)
class Case:
    """What goes in and what must come out: texts of stdin and stdout, or one JSON value a line for a function."""

    input: str
    output: str
    call: bool = False  # the input are arguments of `entry_point`, not stdin


@dataclass(frozen=True)
class Task:
    """One item of a benchmark. Texts are as published; empty where the benchmark has none."""

    benchmark: str  # name of its entry
    id: str  # as published: "HumanEval/0"
    language: str  # key of the catalogue of languages
    kind: str  # one of KINDS
    prompt: str  # what a base model continues; for "infill" what stands before the gap
    entry_point: str = ""  # name of the function or class that the tests use
    solution: str = ""  # the published answer, in the place of a model's
    suffix: str = ""  # what stands behind the gap
    tests: str = ""  # a program text that follows the answer's program
    setup: str = ""  # a program text that comes before
    stop: tuple[str, ...] = ()  # published texts at which a continuation is cut
    instruction: str = ""  # what a chat model is asked, where published
    shown: str = ""  # a program that is given with the question: faulty, to be explained, of another file
    cases: tuple[Case, ...] = ()  # tests as inputs and outputs
    more: Mapping[str, Any] = field(default_factory=dict)  # every other field of the published row

    def program(self, answer: str | None = None) -> str:
        """The program that an answer makes, without tests; of the published solution by default.

        >>> Task("mine", "1", "python", "complete", "def f():\\n", solution="    return 1\\n").program()
        'def f():\\n    return 1\\n'
        """
        answer = self.solution if answer is None else answer
        if self.kind == "complete":
            return self.prompt + answer
        if self.kind in ("infill", "line"):
            return self.prompt + answer + self.suffix
        return answer
