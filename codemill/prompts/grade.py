"""Educational value: how much a student learns from a file, on a scale from 0 to 5.

The teacher grades every file that it is shown, a call each; `post_training` shows it a share of the corpus (`--seeds`),
and takes what has `--least-value` as seeds; or, with `--student`, what a classifier takes that learned from the grades.
From: OpenCoder 4.1 (a scorer model picks high-quality seed code); the additive scale of FineWeb-Edu (arXiv 2406.17557).
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

import codemill as cm
from codemill.prompts.method import excerpt
from codemill.teacher.conversation import Conversation

PROMPT = """Below is a file. How much would a student of programming learn from it?
Add a point for each that holds:
- it is working code, and neither configuration nor data;
- it shows an idea, an algorithm or a technique that is useful elsewhere;
- it can be understood without the rest of its project;
- it is readable: names, structure and comments say what it does;
- it would make a good worked example in a course, with little change.

The file:

{content}

Give one sentence of reasons, and then on a line of its own: Educational value: N, where N is a number from 0 to 5."""

_GRADE = re.compile(r"[Vv]alue\W{1,6}([0-5])(?![\d.]*\d)")


@cm.ask(
    version=1,
    reads=("content",),
    adds={"educational_value": pa.float32()},
    drops={"ungraded": "the teacher gave no grade"},
    knows=lambda: PROMPT,
)
def value(row: dict[str, Any], *, chars: int = 6000) -> Conversation:
    """Grades a file by its educational value, from 0 to 5."""
    reply = yield cm.Request(PROMPT.format(content=excerpt(row["content"], chars)), temperature=0.0)
    grade = read(reply.text)
    return {"educational_value": grade} if grade is not None else cm.Drop("ungraded", reply.text[:200])


def read(text: str) -> float | None:
    """The last grade in an answer; null: there is none.

    >>> read("Clear, but long.\\nEducational value: 4"), read("**Educational value:** 4/5"), read("great")
    (4.0, 4.0, None)
    """
    found = _GRADE.findall(text)
    return float(found[-1]) if found else None
