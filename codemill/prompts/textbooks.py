"""Code textbooks: what there is to learn from a task and its solution, drawn out in an interactive analysis.

From: OpenCoder 2.2 (Qwen2-72B-Instruct analyses rows of hqcode: a task and a function). The prompt is ours.
"""

from __future__ import annotations

from typing import Any

import codemill as cm
from codemill.prompts.method import excerpt, method, title, unfit
from codemill.teacher.conversation import Conversation

ANALYSE = """Here is a programming task and a solution in {language} that passes its tests.

Task: {task}

Solution:

```{fence}
{program}
```

Which ideas does a student need to write this solution by themselves? Name the one or two that matter most, such as a
data structure, an algorithm, a language feature or a way of thinking, and say where in the solution each is used."""

EXPLAIN = """Now write a short textbook section that teaches these ideas to someone who has never met them.
Begin with a title. Explain each idea on its own, then walk through the solution step by step, state its time and memory
cost, and end with one question that a student can answer from the text. Write Markdown, with the solution in it."""


@method(
    version=1,
    reads=("seed_id", "language", "difficulty", "instruction", "program"),
    prompt=ANALYSE + EXPLAIN,
    drops={"too_short": "the section is too short to teach anything"},
)
def explain(row: dict[str, Any], *, least_chars: int = 400, chars: int = 6000) -> Conversation:
    """A textbook section about the ideas that a task and its solution stand on.

    Two turns: an analysis, then the section, which builds on it.
    From: OpenCoder 2.2, code textbooks.
    """
    language = row["language"]
    asked = ANALYSE.format(
        language=title(language), fence=language, task=row["instruction"], program=excerpt(row["program"], chars)
    )
    turns = [{"role": "user", "content": asked}]
    analysis = yield cm.Request(turns)
    turns = [*turns, {"role": "assistant", "content": analysis.text}, {"role": "user", "content": EXPLAIN}]
    section = yield cm.Request(turns)
    text = section.text.strip()
    if reason := unfit(text):
        return cm.Drop(reason)
    if len(text) < least_chars:
        return cm.Drop("too_short", f"{len(text)} characters")
    made = {name: row[name] for name in ("difficulty", "instruction", "program")}
    return [{**made, "content": f"{text}\n"}]
