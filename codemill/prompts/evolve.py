"""Evolved instructions: a task made harder in depth, or another task of its kind in breadth; then answered, with tests.

From: WizardCoder (arXiv 2306.08568) and WizardLM (arXiv 2304.12244), whose sets the release has as `evol_instruct`. The
wording is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import codemill as cm
from codemill.prompts.educational import ANSWER, REPAIR, solved
from codemill.prompts.method import choose, method, title, unfit
from codemill.prompts.snippets import HOW
from codemill.teacher.conversation import Conversation

WAYS = {
    "constraint": "add a constraint that changes how it has to be solved",
    "input": "make its input more general, or add a kind of input that a simple solution gets wrong",
    "cost": "ask for a lower time or memory cost than the obvious solution has",
    "steps": "add one more step of reasoning between input and result",
    "breadth": "write another task of the same field and about the same difficulty, which is solved in another way",
    "mend": "give a piece of code for it that is wrong in one place, and ask to find and mend it",
}
REWRITE = """Here is a programming task:

{task}

Make a new task of it: {how}. The new task is complete by itself, names the function to write, can be solved with the
standard library, and is at most {words} words longer. Write the new task and nothing else."""
SOLVE = """{task}

Solve this task in {language}. Write the whole program, and then tests of it. {how}"""


@method(version=1, reads=("seed_id", "language", "instruction"), prompt=REWRITE + SOLVE + str(WAYS))
def write(row: dict[str, Any], *, ways: Sequence[str] = tuple(WAYS), words: int = 80, tries: int = 2) -> Conversation:
    """A task made of an instruction, in one of the `ways`, and its answer, run with tests. The way is drawn for each
    row.

    `task_type` is the way: breadth, or one of depth.
    """
    language, way = row["language"] or "python", choose(row["id"], "evolve.write", list(ways))
    asked = REWRITE.format(task=row["instruction"], how=WAYS[way], words=words)
    rewritten = yield cm.Request(asked, temperature=0.8)
    task = rewritten.text.strip()
    if reason := unfit(task):
        return {"task_type": way, "reason": reason}
    question = SOLVE.format(task=task, language=title(language), how=HOW.get(language, ""))
    schema = {**ANSWER, "required": ["solution", "tests"]}
    made = yield from solved([{"role": "user", "content": question}], language, tries, REPAIR, schema, task=task)
    return {**made, "task_type": way}
