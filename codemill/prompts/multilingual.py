"""Questions in many programming languages, with tests where the sandbox has the language.

From: McEval-Instruct (arXiv 2406.07436), 36,000 rows of stage 2: an idea of a snippet becomes a question in another
language. The wording is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codemill.prompts.educational import ANSWER, REPAIR, solved
from codemill.prompts.method import check_languages, choose, excerpt, method, note_missing, title
from codemill.prompts.snippets import HOW
from codemill.teacher.conversation import Conversation

PROMPT = """Here is code in {from_language}:

{content}

Take the most interesting idea in it to {language}. Write a task that asks for a {language} function, as someone who
uses {language} every day would put it: with its types, its usual names and its standard library. Solve the task in a
complete {language} program, and write tests. {how}"""


@method(version=1, reads=("content", "language"), prompt=PROMPT + REPAIR, check=check_languages, notes=note_missing)
def write(row: dict[str, Any], *, languages: Sequence[str], tries: int = 2, seed_chars: int = 6000) -> Conversation:
    """A question in one of the `languages`, drawn for each file, with a solution that is run with its tests.

    The file's own language is left out where another one is left.
    """
    others = [name for name in languages if name != row["language"]] or list(languages)
    language = choose(row["id"], "multilingual.write", others)
    asked = PROMPT.format(
        from_language=title(row["language"]) if row["language"] else "another language",
        language=title(language),
        content=excerpt(row["content"], seed_chars),
        how=HOW.get(language, "The program stops with an error if a test fails."),
    )
    return (yield from solved([{"role": "user", "content": asked}], language, tries, REPAIR, ANSWER))
