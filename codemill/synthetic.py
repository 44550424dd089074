"""The schema of a synthesised row: what a method makes, what is published of it, and a row of a set's ledger."""

from __future__ import annotations

import pyarrow as pa

from codemill.document import DOCUMENT, SHA256
from codemill.machine.kinds import Columns

MESSAGES = pa.list_(pa.struct({"role": pa.string(), "content": pa.string()}))

SEED: Columns = {
    "seed_id": pa.string(),  # of the document that the row is about
    "repo": pa.string(),  # where that document lies
    "path": pa.string(),
    "license": DOCUMENT.field("license").type,  # of that document
}
TASK: Columns = {
    "language": pa.string(),  # of the program
    "difficulty": pa.string(),  # easy | medium | hard, as the teacher or the specification says
    "task_type": pa.string(),  # of the specification
    "instruction": pa.string(),
    "output": pa.string(),  # the whole answer, Markdown
    "program": pa.string(),  # what was run
    "tests": pa.string(),
    "content": pa.large_string(),  # the row as one text
    "messages": MESSAGES,  # null for rows that are texts and no chats
}
PROOF: Columns = {
    "outcome": pa.string(),  # the sandbox's verdict; null: nothing was run
    "detail": pa.string(),  # what went wrong, in a line
    "tests_run": pa.int32(),
    "attempts": pa.int32(),  # programs that were run for the row
    "printed": pa.string(),  # an excerpt of what the program wrote
    "rung": pa.string(),  # of the sandbox
    "toolchain": pa.string(),
    "grading": pa.string(),  # how the sandbox told: by_call, in_process …
    "tokens_asked": pa.int64(),  # of all requests for the row; null: a row before it in its conversation has them
    "tokens_answered": pa.int64(),
}
ROW: Columns = {**SEED, **TASK, **PROOF}

LEDGER = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "parent", "source", "repo", "path", "language", "difficulty")),
        *((name, pa.string()) for name in ("outcome", "detail", "seed_id")),
        ("strength", pa.float64()),
        ("tokens_asked", pa.int64()),
        ("tokens_answered", pa.int64()),
        ("size", pa.int64()),
        *((name, pa.string()) for name in ("verdict", "step", "reason", "value", "kept_id")),
        ("similarity", pa.float32()),
    ]
)
"""A row of a set's ledger: one for every row that was made, and one for every seed that none was made of."""

_PROVEN = [
    *((name, pa.string()) for name in ("instruction", "program", "tests", "outcome", "detail", "printed")),
    ("tests_run", pa.int32()),
    ("attempts", pa.int32()),
    ("strength", pa.float64()),
    ("strong", pa.bool_()),
    *((name, pa.string()) for name in ("grading", "rung", "toolchain", "teacher", "prompt")),
    ("calls", pa.list_(pa.string())),
    ("seed_id", pa.string()),
    ("parent", pa.string()),
]
TEXT = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "source", "repo", "path")),
        DOCUMENT.field("license"),
        *((name, pa.string()) for name in ("language", "doc_type", "difficulty")),
        ("size", pa.int64()),
        ("content_sha256", SHA256),
        ("content", pa.large_string()),
        *_PROVEN,
    ]
)
"""A row of a set of texts, for a tokenizer: a document, and what proves it. `repo`, `path` and `license` are those of
the file that it was made about."""

REWRITTEN = pa.schema([*TEXT, ("task_type", pa.string()), ("output", pa.string())])
"""A row of a set of rewritten files: `content` is what `output`, the version before, became."""

CHAT = pa.schema(
    [
        ("messages", MESSAGES),
        *((name, pa.string()) for name in ("id", "source", "repo", "path")),
        DOCUMENT.field("license"),
        *((name, pa.string()) for name in ("language", "difficulty", "task_type", "output")),
        *_PROVEN,
    ]
)
"""A row of a set of chats, which `datasets` and TRL load: `messages` of user and assistant first."""
