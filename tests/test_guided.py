"""Sections that are put into an answer while it is made. The tokens of these tests are characters."""

from __future__ import annotations

from collections.abc import Mapping

from codemill.teacher import reading
from codemill.teacher.guided import Guide

SECTIONS = {"task": "", "solution": "python"}
BEGINS = {"task": "<task>\n", "solution": "<solution>\n```python\n"}


def made(says: Mapping[str, str], most: int = 2000) -> str:
    """The answer of a model that says these characters in each section, and then ends its answer."""
    guide = Guide(SECTIONS, lambda text: [ord(c) for c in text], lambda tokens: "".join(map(chr, tokens)))
    answer = ""
    while len(answer) < most:
        name = max(SECTIONS, key=lambda name: answer.rfind(BEGINS[name]))
        said = answer[answer.rfind(BEGINS[name]) + len(BEGINS[name]) :]
        left = says[name][len(said) : len(said) + 1]
        token = guide.token(ord(left or "?"), not left)
        if token is None:
            break
        answer += chr(token)
    return answer


WHOLE = "<task>\nAdd two.\n</task>\n<solution>\n```python\ndef f(): pass\n```\n</solution>\n"


def test_tags_and_fences_are_put_around_what_the_model_says() -> None:
    answer = made({"task": "Add two.", "solution": "def f(): pass"})
    assert answer == WHOLE
    schema = {"properties": {name: {"type": "string"} for name in SECTIONS}}
    assert reading.data(answer, schema) == {"task": "Add two.", "solution": "def f(): pass"}


def test_a_section_that_the_model_closes_is_not_closed_again() -> None:
    assert made({"task": "Add two.\n</task>", "solution": "def f(): pass\n```"}) == WHOLE
    assert made({"task": "Add two.\n</task> and more", "solution": "def f(): pass\n```\nThis adds."}) == WHOLE


def test_a_section_ends_where_another_begins() -> None:
    answer = made({"task": "Add two. <solution>\nIt adds.", "solution": "def f(): pass"})
    assert "It adds" not in answer
    assert answer.endswith("<solution>\n```python\ndef f(): pass\n```\n</solution>\n")


def test_a_model_that_goes_round_in_circles_is_stopped() -> None:
    round = "The function adds two numbers. "
    answer = made({"task": round * 90, "solution": "x = 1\n" + "y = [0, 1]  # and so on and on\n" * 90})
    assert answer.count(round) == 3
    assert answer.count("and so on and on") == 3
    assert answer.endswith("\n```\n</solution>\n")


def test_braces_and_indentation_are_no_circle() -> None:
    code = "x = [\n" + "    0,\n" * 8 + "]\n" + "}\n" * 8
    assert code in made({"task": "Rows.", "solution": code})
