"""Educational instruct: a task inspired by good code, with analysis, solution and tests that are run.

From: OpenCoder 4.1 and appendix (build a Python task from a snippet; Task, Analysis, Solution, Test with ten asserts;
run in Python; only what passes stays), in the manner of OSS-Instruct (Magicoder, arXiv 2312.02120). The wording is
ours.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from codemill.prompts.mending import answer, mended
from codemill.prompts.method import chat, excerpt, method, run, title
from codemill.prompts.snippets import HOW, level
from codemill.teacher.conversation import Conversation

PROMPT = """You teach programming. Take inspiration from the code below and make a {language} task for students.

1. Task: a self-contained description. It names the function to write and what it takes and returns, gives an example,
and does not mention the code below.
2. Analysis: how one comes to a solution, step by step.
3. Solution: a complete {language} program with that function. It uses the standard library only and reads no input.
4. Tests: {asserts} tests of the function, on typical and on border cases. {how}

The code:

{content}"""

REPAIR = """The solution does not pass the tests: {outcome}, {detail}
Find out which of them is wrong, and write the whole answer again."""

ANSWER = {
    "type": "object",
    "properties": {
        "task": {"type": "string", "description": "the description of the task"},
        "analysis": {"type": "string", "description": "the analysis"},
        "solution": {"type": "string", "description": "the program"},
        "tests": {"type": "string", "description": "the tests"},
        "difficulty": {"type": "string", "description": "easy, medium or hard"},
    },
    "required": ["task", "solution", "tests"],
}


@method(version=1, reads=("content",), prompt=PROMPT + REPAIR)
def write(
    row: dict[str, Any], *, language: str = "python", asserts: int = 10, tries: int = 2, seed_chars: int = 6000
) -> Conversation:
    """Task, analysis, solution and tests inspired by a file; the solution is run with the tests.

    If it fails, the teacher sees why, and may write it again `tries - 1` times.
    """
    asked = PROMPT.format(
        language=title(language),
        asserts=asserts,
        how=HOW.get(language, ""),
        content=excerpt(row["content"], seed_chars),
    )
    return (yield from solved([{"role": "user", "content": asked}], language, tries, REPAIR, ANSWER))


def solved(
    messages: list[dict[str, str]],
    language: str,
    tries: int,
    repair: str,
    schema: dict[str, Any],
    **known: str | None,
) -> Generator[Any, Any, dict[str, Any]]:
    """Asks for a task with a solution and tests until they pass, at most `tries` times: the last row, whatever came.

    What is `known` already, such as the task, is not asked for, and stands over what the answer says.
    """

    def ask(messages: list[dict[str, str]]) -> Generator[Any, Any, tuple[str, dict[str, Any]]]:
        text, said = yield from answer(messages, schema, language)
        return text, {**said, **{name: value for name, value in known.items() if value}}

    found = yield from mended(
        messages,
        tries,
        ask=ask,
        texts=lambda said: (said["task"], said["solution"], said["tests"]),
        prove=lambda said: run(said["solution"], said["tests"], language),
        repair=repair.format,
    )
    return {"language": language, **found.dropped} if found.reason else {**_row(found.said, language), **found.proof}


def _row(said: dict[str, Any], language: str) -> dict[str, Any]:
    output = answered(said.get("analysis"), said["solution"], language)
    return {
        "language": language,
        "difficulty": level(said.get("difficulty")),
        "instruction": said["task"].strip(),
        "output": output,
        "program": said["solution"],
        "tests": said["tests"],
        "messages": chat(said["task"].strip(), output),
    }


def answered(before: str | None, program: str, language: str, after: str | None = None) -> str:
    """An answer in Markdown: words, the program in a fence that it does not break, words.

    >>> print(answered("Add them.", "x = 1 + 2", "python"))
    Add them.
    <BLANKLINE>
    ```python
    x = 1 + 2
    ```
    """
    fence = "```"
    while fence in program:
        fence += "`"
    parts = [(before or "").strip(), f"{fence}{language}\n{program.strip(chr(10))}\n{fence}", (after or "").strip()]
    return "\n\n".join(part for part in parts if part)
