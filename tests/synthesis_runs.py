"""A small corpus with code about algorithms, prose and uses of a library; recipes of synthesis over it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import codemill as cm
from codemill.prompts._recorded import answer
from codemill.sources import Folder
from codemill.steps import detect, ingest
from tests.teaching import chat

NOTE = "# Notes {n}\n\nA mean of numbers is their sum divided by how many there are. The mean of {n} numbers is one.\n"
CODE = '''# leetcode {n}
import pyarrow as pa


def two_sum_{n}(numbers, target):
    """Positions of two numbers whose sum is the target, {n} at most."""
    seen = pa.array(numbers).to_pylist()
    return [i for i, number in enumerate(seen) if target - number in seen][:{n}]
'''
OTHER = "def area_{n}(a, b):\n    return a * b + {n}\n"
CHATS: list[dict[str, Any]] = [
    {"instruction": "How do I reverse a list?", "input": "", "output": "Use reversed."},
    {
        "messages": [
            {"role": "user", "content": "How do I sort?"},
            {"role": "assistant", "content": "```py\nsorted(x)\n```"},
        ]
    },
    {"conversations": [{"from": "human", "value": "How do I add?"}, {"from": "gpt", "value": "With +."}]},
    {"text": "no chat"},
    {"messages": [{"role": "assistant", "content": "first"}]},
]


def sources(root: Path, repositories: int = 5) -> Path:
    """Repositories with a licence, two files of code each and one of prose."""
    for n in range(repositories):
        folder = root / f"repo{n}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"two_sum_{n}.py").write_text(CODE.format(n=n + 1))
        (folder / f"area_{n}.py").write_text(OTHER.format(n=n + 1))
        (folder / "README.md").write_text(NOTE.format(n=n + 1))
    return root


def corpus(root: Path, out: Path, stars: Path | None = None) -> Path:
    """The corpus of a folder of repositories, with licences if `stars` names them."""
    from codemill.sources import Metadata

    documents = ingest.documents(sources=(Folder(str(root)),), metadata=Metadata(str(stars)) if stars else None)
    cm.build(detect.language(documents), out=str(out), workers=1)
    return out


def chats(file: Path) -> Path:
    """A file of published chats in three shapes, and of two rows that are none."""
    file.write_text("".join(json.dumps(row) + "\n" for row in CHATS))
    return file


def recorded(body: dict[str, Any], attempt: int) -> Any:
    """Behaviour of a server that answers from the recordings."""
    return chat(answer(body))
