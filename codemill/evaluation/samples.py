"""samples.jsonl: answers as harnesses exchange them, a line each.

    {"task_id": "HumanEval/0", "completion": "    return …"}     goes where the published answer stands
    {"task_id": "HumanEval/0", "solution": "def …"}              stands alone

OpenAI's harness writes the first form, EvalPlus and BigCodeBench read both. Several lines of one task are its samples,
in order. Other fields are carried, and `reply`, `prompt` are ours.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from codemill.benchmarks.protocol import Answer
from codemill.errors import InputError

LONGEST = 1 << 26  # bytes of a line


@dataclass(frozen=True)
class Sample:
    """One answer to one task."""

    task: str
    answer: Answer
    number: int = 0  # among the samples of its task
    reply: str = ""  # what the answer was taken out of
    prompt: str = ""
    more: Mapping[str, Any] = field(default_factory=dict, compare=False)


def read(path: Path | str) -> list[Sample]:
    """The samples of a file, packed with gzip or not. Raises: InputError with the line that is wrong."""
    path = Path(path)
    samples, seen = list[Sample](), dict[str, int]()
    try:
        with cast("IO[bytes]", gzip.open(path) if path.name.endswith(".gz") else open(path, "rb")) as stream:
            number = 0
            while line := stream.readline(LONGEST + 1):
                number += 1
                if line.strip():
                    sample = _sample(line, f"{path}, line {number}", seen)
                    samples.append(sample)
    except (OSError, EOFError) as error:
        raise InputError(f"the samples cannot be read: {error}", where=path) from error
    if not samples:
        raise InputError("there are no samples", where=path, remedy="give lines of task_id and completion or solution")
    return samples


def _sample(line: bytes, where: str, seen: dict[str, int]) -> Sample:
    if len(line) > LONGEST:
        raise InputError(f"the line has more than {LONGEST:,} bytes", where=where)
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}", where=where) from error
    if not isinstance(row, dict) or not isinstance(row.get("task_id"), str):
        raise InputError("a sample has no task_id", where=where)
    whole = isinstance(row.get("solution"), str)
    text = row.get("solution") if whole else row.get("completion")
    if not isinstance(text, str):
        raise InputError("a sample has neither completion nor solution", where=where)
    number = seen.get(row["task_id"], 0)
    seen[row["task_id"]] = number + 1
    more = {name: value for name, value in row.items() if name not in _OURS}
    reply, prompt = row.get("reply"), row.get("prompt")
    return Sample(
        row["task_id"],
        Answer(text, whole),
        number,
        reply if isinstance(reply, str) else text,
        prompt if isinstance(prompt, str) else "",
        more,
    )


_OURS = ("task_id", "completion", "solution", "reply", "prompt")


def write(path: Path | str, samples: Iterable[Sample]) -> None:
    """Writes samples, whole or not at all."""
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    with open(part, "w", encoding="utf-8", newline="\n") as file:
        for sample in samples:
            kind = "solution" if sample.answer.whole else "completion"
            row = {"task_id": sample.task, kind: sample.answer.text, **sample.more}
            if sample.reply != sample.answer.text:
                row["reply"] = sample.reply
            file.write(json.dumps(row) + "\n")  # in ASCII: half a surrogate, which replies may hold, has no UTF-8
    part.replace(path)
