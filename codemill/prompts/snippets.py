"""High-quality snippets: a self-contained function with test cases, about what a file of the algorithmic corpus does.

From: OpenCoder 2.2 (a strong model writes functions with tests on seeds of the algorithmic corpus; those that pass are
kept; several languages), in the manner of phi-1's CodeExercises. The paper's prompt is not published: this one is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codemill.prompts.mending import answer, mended
from codemill.prompts.method import check_languages, choose, commented, excerpt, method, note_missing, run, title
from codemill.teacher.conversation import Conversation

PROMPT = """Below is a file. Write a new exercise about one idea in it, in {language}.

The solution is one self-contained {language} function: it uses the standard library only, reads no input, has a comment
on what it does, and is named for it. The tests call it on typical and on border cases; a program made of the solution
and the tests after it must run as it is, and stop with an error if the solution is wrong. {how}

The file:

{content}"""

REPAIR = """That did not pass its tests: {outcome}, {detail}
Find out whether the solution or a test is wrong, and write the whole answer again."""

HOW = {
    "python": "Write tests as lines `assert function(arguments) == value`.",
    "javascript": "Write tests with `console.assert(condition)`; no modules.",
    "typescript": "Write tests as `if (!(condition)) throw new Error(...)`; no modules.",
    "java": "Write the solution as a class without `public` and the tests as `public class Main` whose `main` uses "
    "`assert`; imports stand in the solution.",
    "cpp": "Includes stand in the solution; the tests are a `main` that uses `assert`.",
    "go": "The solution begins with `package main` and its imports; the tests are a `main` that calls `panic`.",
    "rust": "The tests are a `main` that uses `assert_eq!`.",
}
"""How tests are written in a language, so that solution and tests are one program."""

ANSWER = {
    "type": "object",
    "properties": {
        "task": {"type": "string", "description": "what the function is to do, in one to three sentences"},
        "solution": {"type": "string", "description": "the function"},
        "tests": {"type": "string", "description": "the tests"},
        "difficulty": {"type": "string", "description": "easy, medium or hard"},
    },
    "required": ["task", "solution", "tests"],
}


@method(version=2, reads=("content", "language"), prompt=PROMPT + REPAIR, check=check_languages, notes=note_missing)
def write(
    row: dict[str, Any],
    *,
    languages: Sequence[str] = ("python",),
    each: int = 1,
    tries: int = 2,
    seed_chars: int = 6000,
) -> Conversation:
    """A self-contained function with test cases about what a file does, run with them.

    `each` of the `languages` are drawn for a file; if tests fail, the teacher sees why, and may mend it `tries - 1`
    times. Rows have their verdict, whatever it is: what to keep is the recipe's choice.
    From: OpenCoder 2.2, high-quality code snippets.
    """
    left = list(languages)
    rows = []
    for _ in range(min(each, len(left))):
        language = choose(row["id"], f"snippets {len(left)}", left)
        left.remove(language)
        rows.append((yield from _exercise(row, language, tries, seed_chars)))
    return rows


def _exercise(row: dict[str, Any], language: str, tries: int, seed_chars: int) -> Any:
    content = excerpt(row["content"], seed_chars)
    asked = PROMPT.format(language=title(language), how=HOW.get(language, ""), content=content)
    found = yield from mended(
        [{"role": "user", "content": asked}],
        tries,
        ask=lambda messages: answer(messages, ANSWER, language),
        texts=lambda said: (said["solution"], said["tests"], said["task"]),
        prove=lambda said: run(said["solution"], said["tests"], language),
        repair=REPAIR.format,
    )
    return {"language": language, **found.dropped} if found.reason else {**_row(found.said, language), **found.proof}


def _row(said: dict[str, Any], language: str) -> dict[str, Any]:
    """The exercise as a file: its task as a comment, the function, the tests."""
    task, solution, tests = (said[name].strip() for name in ("task", "solution", "tests"))
    return {
        "language": language,
        "difficulty": level(said.get("difficulty")),
        "instruction": task,
        "program": solution,
        "tests": tests,
        "content": f"{commented(task, language)}\n{solution}\n\n{tests}\n",
    }


def level(text: str | None) -> str | None:
    """A difficulty in one of three words; null: the teacher said none of them."""
    return next((word for word in ("easy", "medium", "hard") if word in (text or "").lower()), None)
