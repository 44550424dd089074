"""Rewriting: a file in clean style, then self-contained, each version linked to the one before.

Beyond OpenCoder. From: SwallowCode (arXiv 2505.02881), style and then self-containment after gates of syntax and lint,
+17 points of HumanEval over the files as they were. The wording is ours.
"""

from __future__ import annotations

from typing import Any

import codemill as cm
from codemill.prompts.mending import programs
from codemill.prompts.method import excerpt, method, run, title, unfit
from codemill.prompts.snippets import HOW
from codemill.teacher import code
from codemill.teacher.conversation import Conversation

STYLE = """Rewrite this {language} file in clean style, as the style guide of the language has it: telling names, small
functions, comments and docstrings that say why, type annotations where the language has them, no dead code. What it
does stays the same. Answer with the whole file in one fenced block.

```{fence}
{content}
```"""
WHOLE = """Now make it self-contained: what it imports from its own project is written out or replaced by something
simple, inputs from files or networks become arguments or example data. It must run by itself with the standard library.
Write the whole file, and then tests of its main function. {how}"""
PARSES, PARSED = "import ast\nTREE = ast.parse({program!r})\n", "assert TREE.body"
"""The gate of the first version: it is parsed where it can do no harm, not run, for what it imports is not there."""

ANSWER = {
    "type": "object",
    "properties": {"program": {"type": "string"}, "tests": {"type": "string"}},
    "required": ["program", "tests"],
}


@method(
    version=1,
    reads=("content", "language"),
    prompt=STYLE + WHOLE,
    drops={"too_long": "longer than a file that is rewritten may be"},
)
def clean(row: dict[str, Any], *, chars: int = 8000) -> Conversation:
    """Two versions of a file: in clean style, and made self-contained with tests that are run.

    `task_type` is `style` or `self_contained`; `output` of the second is the text of the first.
    """
    language = row["language"]
    if len(row["content"] or "") > chars:
        return cm.Drop("too_long", f"{len(row['content'])} characters")
    asked = STYLE.format(language=title(language), fence=language, content=excerpt(row["content"], chars))
    turns = [{"role": "user", "content": asked}]
    styled = yield cm.Request(turns)
    first = code(styled.text, language)
    if reason := unfit(first):
        return cm.Drop(reason)
    proof = (yield from run(PARSES.format(program=first), PARSED, "python")) if language == "python" else {}
    styled_row = {"language": language, "task_type": "style", "program": first, "content": first, **proof}
    last = WHOLE.format(how=HOW.get(language, ""))
    turns = [*turns, {"role": "assistant", "content": styled.text}, {"role": "user", "content": last}]
    reply = yield cm.Request(turns, schema=ANSWER, code=programs(ANSWER, language))
    program, tests = reply.data["program"], reply.data["tests"]
    if reason := unfit(program, tests):
        return [styled_row, {"language": language, "task_type": "self_contained", "reason": reason}]
    proof = yield from run(program, tests, language)
    made = {"language": language, "task_type": "self_contained", "program": program, "tests": tests, "output": first}
    return [styled_row, {**made, "content": f"{program.rstrip()}\n", **proof}]
