"""Recorded answers in the place of a model: for tests, for the smoke variants of recipes, for a look at a method.

`replies/NAME.json` has, for the method in NAME.py, a `row` and the `turns` of conversations: for the beginning of a
question (`when`) the answers, of which the sample and a hash of the question choose one. `{n}` in an answer is a number
of that hash, so that different seeds get different programs. They prove that a method works, and nothing else: no
figure of a document counts them.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


@functools.cache
def recorded() -> dict[str, Any]:
    """The recordings of all methods by name."""
    folder = files("codemill.prompts").joinpath("replies")
    found = sorted((one for one in folder.iterdir() if one.name.endswith(".json")), key=lambda one: one.name)
    return {one.name.removesuffix(".json"): json.loads(one.read_text("utf-8")) for one in found}


def answer(body: Mapping[str, Any], sample: int = 0) -> str:
    """The recorded answer to a request. Raises: LookupError if nothing is recorded for it."""
    asked = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
    whole = json.dumps(body.get("messages") or asked, sort_keys=True)
    number = int.from_bytes(hashlib.sha256(whole.encode()).digest()[:4], "big") + sample
    for recording in recorded().values():
        for turn in recording["turns"]:
            if turn["when"] in asked:
                text = turn["answers"][number % len(turn["answers"])]
                return str("\n".join(text) if isinstance(text, list) else text).replace("{n}", str(number % 997 + 2))
    raise LookupError(f"no answer is recorded for {asked[:200]!r}")
