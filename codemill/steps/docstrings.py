"""Makes chats of functions and what their docstrings say: a set for fine-tuning that needs no teacher."""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from codemill.errors import RecipeError
from codemill.machine.table import rows

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))

LARGEST = 200_000
"""Characters of a file that is looked at: a parser's tree takes some hundred times as much memory."""


def _check(*, least_lines: int, most_chars: int) -> None:
    if least_lines < 1 or most_chars < 1:
        raise RecipeError(f"a docstring has 1 line or more, a function 1 character, got {least_lines} and {most_chars}")


@rows(
    version=1,
    reads=("content", "language"),
    adds={"messages": MESSAGES, "function": pa.string(), "reason": pa.string()},
    drops={
        "other_language": "it is not Python",
        "too_large": f"it has more than {LARGEST:,} characters",
        "no_syntax": "Python does not parse it",
        "no_docstring": "none of its functions has a docstring as long as is wanted",
    },
    check=_check,
)
def chats(batch: pa.RecordBatch, *, least_lines: int = 1, most_chars: int = 2000) -> pa.RecordBatch:
    """Makes a chat of each function of a Python file that has a docstring: it is asked for, and the answer is the code.

    A docstring has `least_lines` lines or more, a function `most_chars` characters or fewer. The answer is the function
    without its docstring.

    Shape: documents in; a row for each function out, with `messages` of a user and an assistant.
    From: pairs of docstring and code as in CodeSearchNet (arXiv 1909.09436), put as questions.
    """
    of: list[int] = []
    made: list[tuple[list[dict[str, str]] | None, str | None, str | None]] = []
    contents, languages = batch["content"].to_pylist(), batch["language"].to_pylist()
    for number, (content, language) in enumerate(zip(contents, languages, strict=True)):
        found = _of(content, language, least_lines, most_chars)
        some = found if isinstance(found, list) else [(None, None, found)]
        made += some
        of += [number] * len(some)
    return pa.record_batch(
        {
            "of": np.array(of, np.int64),
            "messages": pa.array([messages for messages, _, _ in made], MESSAGES),
            "function": pa.array([name for _, name, _ in made], pa.string()),
            "reason": pa.array([reason for _, _, reason in made], pa.string()),
        }
    )


def _of(content: str, language: str, least: int, most: int) -> list[tuple[list[dict[str, str]], str, None]] | str:
    """The chats of a file, or why there are none."""
    if language != "python":
        return "other_language"
    if len(content) > LARGEST:
        return "too_large"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a document's own escapes and comparisons
            tree = ast.parse(content)
            found = [
                ([{"role": "user", "content": asked}, {"role": "assistant", "content": said}], name, None)
                for name, asked, said in _functions(tree, content, least)
                if len(said) <= most
            ]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "no_syntax"
    return found or "no_docstring"


def _functions(tree: ast.AST, content: str, least: int) -> Iterator[tuple[str, str, str]]:
    """Name, question and answer of each function with a docstring."""
    lines = content.splitlines(keepends=True)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or len(node.body) < 2:
            continue
        words = ast.get_docstring(node)
        if not words or len(words.splitlines()) < least:
            continue
        said = node.body[0]
        end = said.end_lineno or said.lineno
        if said.lineno == node.lineno or node.body[1].lineno == end:
            continue  # a line that is shared cannot be taken out
        code = inspect.cleandoc(
            "\n" + "".join([*lines[node.lineno - 1 : said.lineno - 1], *lines[end : node.end_lineno]])
        )
        yield node.name, f"Write a Python function `{node.name}`.\n\n{words}", f"```python\n{code}\n```"
