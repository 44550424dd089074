"""What is looked for of a benchmark's task: its prompt, its answer and its tests, as words, as code, and by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from codemill import languages
from codemill.benchmarks import Task

PROMPT, SOLUTION, TESTS, NAME = "benchmark_prompt", "benchmark_solution", "benchmark_tests", "benchmark_name"
"""The reasons for which a document is dropped."""

TESTS_CHARS = 2048
"""How much of the tests is looked for: HumanEval+ has up to 77,000 characters of inputs for one task."""

_EXAMPLES = re.compile(r">>>|\b(?:Examples?|For example|Input)\b\s*:?|\bassert\b|-----", re.IGNORECASE)
_IMPORTS = re.compile(r"^(?:from\s+\S+\s+import|import|#include|using|use|package)\b[^\n]*\n", re.MULTILINE)
"""Lines that a copy may leave out. Those within a function are code of it."""

_DOCSTRING = re.compile(r"(\"\"\"|\'\'\')(.*?)\1", re.DOTALL)


@dataclass(frozen=True)
class Part:
    """A text that is looked for in documents. `view` is how: "words", "code" or "name"."""

    view: str
    reason: str
    text: str
    name: str = ""
    tests: str = ""


def parts(task: Task) -> Iterator[Part]:
    """The parts of a task.

    A description is looked for apart from the examples that follow it, since a copy may leave them out. Of tasks that
    ask for the next line of a file, the file is looked for: it must not be trained on.
    """
    program = task.prompt + task.solution if task.kind == "explain" else task.program()
    program = program if task.solution else ""
    if task.kind == "line":
        yield Part("code", PROMPT, task.prompt)  # as code: its words are often a licence's
        return
    given = task.prompt + task.suffix if task.kind == "infill" else task.prompt
    told = _told(given)
    if task.kind == "infill" and program:
        # One function has gaps in hundreds of places: with each as a part of its own, all of its n-grams would be
        # common and none would be looked for. With or without a gap a copy has most of the whole program.
        given = ""
    asked = task.instruction if task.kind in ("complete", "write") else ""
    for text in dict.fromkeys((given, asked, told)):
        if text.strip():
            yield Part("words", PROMPT, text)
    shown = task.shown if task.kind != "write" else ""  # otherwise a stub
    for text in dict.fromkeys((program, shown)):
        if text.strip():
            yield Part("words", SOLUTION, text)
            if languages.get(task.language).doc_type == "code":
                yield Part("code", SOLUTION, _IMPORTS.sub("", text))
    if task.kind in ("complete", "explain") and task.solution.strip():
        yield Part("words", SOLUTION, task.solution)
    if task.tests.strip():
        yield Part("words", TESTS, task.tests[:TESTS_CHARS])
    if task.entry_point:
        yield Part("name", NAME, program or task.prompt, task.entry_point, task.tests)


def _told(prompt: str) -> str:
    """What a prompt says in words before its examples: its docstring, or its beginning; nothing if that is all."""
    docstring = _DOCSTRING.search(prompt)
    text = docstring[2] if docstring else prompt
    cut = _EXAMPLES.search(text)
    return text[: cut.start()] if cut else text if docstring else ""
