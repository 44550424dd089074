"""Published chats as rows.

read     what was asked, what was answered, all turns         rows
solved   those whose answer has a program, which is taken     a layer
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pyarrow as pa

from codemill import languages
from codemill.machine.kinds import Published
from codemill.machine.table import rows, step
from codemill.sandbox import languages as sandboxed
from codemill.synthetic import LEDGER, ROW
from codemill.teacher import code

_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*([\w+#.-]+)", re.MULTILINE)


@rows(
    version=1,
    reads=("id", "repo", "path", "license", "content"),
    adds=ROW,
    published=Published(ledger=LEDGER, verdict=()),
    drops={"no_question": "the chat has no question, or no answer"},
)
def read(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Chats of `sources.Chats`, a row each: the first question, its answer, and all turns as `messages`.

    `language` is that of the first fence of the answers that names one. A system's turn stays in `messages` only.

    Shape: adds the columns of `synthetic.ROW`; those of programs and proofs are null.
    """
    made = []
    for of, row in enumerate(documents.to_pylist()):
        turns = json.loads(row["content"])
        asked = next((t["content"] for t in turns if t["role"] == "user"), "")
        answers = [t["content"] for t in turns if t["role"] == "assistant"]
        known: dict[str, Any] = {name: row[name] for name in ("repo", "path", "license")}
        known |= {"of": of, "seed_id": row["id"], "size": len(row["content"].encode())}
        if not asked.strip() or not answers:
            made.append({**known, "reason": "no_question"})
            continue
        known |= {"language": _language(answers), "instruction": asked, "output": answers[0]}
        made.append({**known, "messages": turns, "content": "\n\n".join(t["content"] for t in turns)})
    fields = {"of": pa.int64(), "size": pa.int64(), **ROW, "reason": pa.string()}
    columns = {name: pa.array([row.get(name) for row in made], kind) for name, kind in fields.items()}
    return pa.record_batch(columns)


def _language(answers: list[str]) -> str | None:
    """The language of the first fence that names one; null: none does."""
    for text in answers:
        for name in _FENCE.findall(text):
            if (found := _names().get(name.lower())) is not None:
                return found
    return None


@functools.cache
def _names() -> dict[str, str]:
    """Languages by the names that fences have: their own, and the aliases of those that the sandbox runs."""
    found = {name: language.name for language in sandboxed.all() for name in language.aliases}
    return {**found, **{language.name: language.name for language in languages.all()}}


@step(
    version=1,
    reads=("output", "language", "program"),
    adds={"program": pa.string(), "reason": pa.string()},
    edits=("program",),
    drops={"no_program": "the answer has no program in a fence, or none whose language is named"},
)
def solved(chats: pa.RecordBatch) -> pa.RecordBatch:
    """Takes the program out of the answers of `read`: the longest fence in the chat's language.

    Shape: changes program. For tasks with solutions, such as rows of hqcode.
    """
    asked = zip(chats["output"].to_pylist(), chats["language"].to_pylist(), strict=True)
    found = [code(output or "", language) if language else None for output, language in asked]
    reasons = [None if text and text.strip() else "no_program" for text in found]
    return pa.record_batch({"program": pa.array(found, pa.string()), "reason": pa.array(reasons, pa.string())})
