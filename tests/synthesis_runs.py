"""A small corpus with code about algorithms, prose and uses of a library; recipes of synthesis over it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import codemill as cm
from codemill.prompts import _recorded
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
    {"instruction": "How do I reverse a list?", "input": "", "output": "Use reversed.", "license": "Apache-2.0"},
    {
        "messages": [
            {"role": "user", "content": "How do I sort?"},
            {"role": "assistant", "content": "```py\nsorted(x)\n```"},
        ],
        "license": ["MIT", "CC-BY-4.0"],
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


def stars(file: Path, repositories: int = 10) -> Path:
    """Metadata by which the repositories of `sources` are under the MIT licence."""
    file.write_text("repo,license\n" + "".join(f"repo{n},MIT\n" for n in range(repositories)))
    return file


def recorded(body: dict[str, Any], attempt: int) -> Any:
    """Behaviour of a server that answers from the recordings."""
    return chat(answer(body))


_FILE = re.compile(r"two_sum_(\d+)\(|area_(\d+)\(|# Notes (\d+)")
_TRACE = re.compile(r"(?<!\d)1(\d{3})00(?!\d)")


def about_file(body: dict[str, Any]) -> bool:
    """Whether a request shows a file of `sources`, and not only what an earlier answer made of it."""
    return _FILE.search(json.dumps(body["messages"])) is not None


def seed_of(body: dict[str, Any]) -> int:
    """The number of the seed that a request is about; 0: of none.

    It is that of a file of `sources`, or else of the first answer of `text_for`.
    """
    text = json.dumps(body["messages"])
    found = _FILE.search(text) or _TRACE.search(text)
    return next(int(number) for number in found.groups() if number) if found else 0


def text_for(body: dict[str, Any], seed: int) -> str:
    """A recorded answer that holds the number of a seed, so that what is asked next does too.

    Seed 11 is 101100 in it: what a program returns, one more or one less, is not taken for another seed.
    """
    asked = body["messages"][-1]["content"]
    turns = [turn for recording in _recorded.recorded().values() for turn in recording["turns"]]
    answers = next(turn["answers"] for turn in turns if turn["when"] in asked)
    text = answers[seed % len(answers)]
    return ("\n".join(text) if isinstance(text, list) else str(text)).replace("{n}", f"1{seed:03}00")


def traced(body: dict[str, Any], attempt: int) -> Any:
    """Behaviour of a server whose answers say which seed they are of."""
    return chat(text_for(body, seed_of(body)))
