"""Prompts, extraction and assembly that several benchmarks share."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from codemill.benchmarks.protocol import Answer, Question, Style
from codemill.benchmarks.task import Task

FENCE = re.compile(
    r"^[ \t]*(`{3,}+|~{3,}+)[ \t]*+([\w+#.-]*+)[^\n]*+\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
THINKING = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)
LONGEST = 20_000  # characters of a reply in which a program without a fence is looked for
TRIES = 200  # times that a piece of it is parsed
BEGINS = re.compile(r"(async|def|class|import|from)\b|@\w|\w+\s*=[^=]")


def cut(text: str, stops: Iterable[str]) -> str:
    r"""A continuation up to the first of the stops, which is not kept.

    >>> cut("    return 1\ndef g", ["\ndef", "\nclass"])
    '    return 1'
    """
    ends = [end for stop in stops if stop and (end := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def fenced(reply: str, tags: Iterable[str] = ("python", "py", "python3")) -> str:
    """The code of a chat's reply: its first fence of that language, else its first fence, else all of it.

    A fence that is never closed goes to the end. What a model thought aloud is no answer.

    >>> fenced("So:\\n```python\\nx = 1\\n```\\nDone.")
    'x = 1\\n'
    """
    reply = THINKING.sub("", reply)
    found = [(match[2].casefold(), match[3]) for match in FENCE.finditer(reply)]
    tags = {tag.casefold() for tag in tags}
    for tag, code in found:
        if tag in tags:
            return code
    return found[0][1] if found else reply


def python(reply: str) -> str:
    """The Python program of a chat's reply: as `fenced`; without a fence the longest run of lines that parses.

    >>> python("Sure, this adds:\\ndef f(a):\\n    return a + 1\\nIt is fast!")
    'def f(a):\\n    return a + 1'
    """
    code = fenced(reply)
    if code != THINKING.sub("", reply) or _right(code, 1):
        return code
    lines = code[:LONGEST].splitlines()
    first, last = _longest(lines)
    return "\n".join(lines[first:last]) if last else code


def _longest(lines: Sequence[str]) -> tuple[int, int]:
    """The longest run of lines that parses and begins like a program, as far as `TRIES` go; (0, 0) if there is none.

    Why not every run: there are as many as the square of the lines. What stands before the line that the parser
    complains of is all that can be right, and no run that begins inside of a good one is longer than that.
    """
    best, first, tries = (0, 0), 0, TRIES
    while len(lines) - first > best[1] - best[0]:
        last = len(lines) if BEGINS.match(lines[first]) else first
        while last - first > best[1] - best[0] and tries:
            tries -= 1
            right = _right("\n".join(lines[first:last]), last - first)
            if right == last - first:
                best = (first, last)
            last = first + right
        first = max(first + 1, best[1])
    return best


def _right(code: str, lines: int) -> int:
    """How many of its lines may be a program: all if it parses, else those before the one that is wrong."""
    try:
        ast.parse(code)
    except SyntaxError as error:
        return max(0, min(error.lineno, lines) - 1) if error.lineno else lines // 2
    except (ValueError, MemoryError, RecursionError):  # these do not say where
        return lines // 2
    return lines


def continued(task: Task, style: Style, shots: Sequence[Task] = (), *, max_tokens: int = 512) -> Question:
    """The prompt as a base model continues it."""
    stop = style.stop if style.stop is not None and task.language == "python" else task.stop
    return Question(text=style.prompt(task.prompt), stop=stop, max_tokens=max_tokens)


SCRIPT = "Please provide a self-contained Python script that solves the following problem in a markdown code block:"
"""What EvalPlus asks a chat model."""


def scripted(task: Task, *, max_tokens: int = 1024) -> Question:
    """EvalPlus's question to a chat model, without the beginning of the answer, which most endpoints do not take."""
    return Question(turns=(("user", f"{SCRIPT}\n```\n{task.prompt.strip()}\n```\n"),), max_tokens=max_tokens)


def answered(task: Task, reply: str, chat: bool) -> Answer:
    """A Python answer: whole if it came from a chat, else the continuation."""
    return Answer(python(reply), whole=True) if chat else Answer(reply)


def assembled(task: Task, answer: Answer, style: Style) -> str:
    """The program of an answer, without tests, as the style makes it.

    >>> from codemill.benchmarks.protocol import STYLES
    >>> task = Task("mine", "1", "python", "complete", "def f():\\n", solution="    return 1\\n")
    >>> assembled(task, Answer("def f(): return 2", whole=True), STYLES["opencoder"])
    'def f():\\n\\n    pass\\ndef f(): return 2'
    """
    if not answer.whole:
        return task.program(answer.text)
    if style.assembly == "calibrated" and task.kind == "complete":
        return f"{task.prompt}\n    pass\n{answer.text}"
    return answer.text


def stub(task: Task) -> Answer:
    """A Python function that does nothing."""
    if task.kind == "complete":
        return Answer("    pass\n")
    return Answer(f"def {task.entry_point or 'nothing'}(*args, **kwargs):\n    pass\n", whole=True)
