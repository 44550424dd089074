"""Chats that people published, as rows: JSON lines and Parquet in the shapes that are common.

    messages        [{"role": "user", "content": …}, {"role": "assistant", …}]        the hub's chat form, TRL
    conversations   [{"from": "human", "value": …}, {"from": "gpt", …}]               ShareGPT
    instruction     with input (may be missing or empty) and output                   Alpaca, OpenCoder's SFT sets
    prompt          with completion or response; question with answer; query with …   others

A row becomes a raw file whose text is its messages as JSON. `license`, a name or a list of names, is the row's licence;
other columns go to `meta`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import pyarrow as pa

from codemill.document import RAW
from codemill.machine.source import Listing, Shard
from codemill.sources._places import files
from codemill.sources.jsonl import SUFFIXES as JSON_LINES
from codemill.sources.jsonl import Jsonl
from codemill.sources.parquet import SUFFIXES as PARQUET
from codemill.sources.parquet import Parquet

ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant",
         "bot": "assistant", "model": "assistant", "system": "system"}  # fmt: skip
PAIRS = (
    ("instruction", ("output", "response", "completion")),
    ("prompt", ("completion", "response", "output", "answer")),
    ("question", ("answer", "response", "output")),
    ("query", ("answer", "response", "output")),
)


def messages(row: Mapping[str, Any]) -> list[dict[str, str]] | str:
    """The turns of a published row, or what is wrong with it. A system's turn is kept.

    >>> messages({"instruction": "Add.", "input": "1 2", "output": "3"})
    [{'role': 'user', 'content': 'Add.\\n\\n1 2'}, {'role': 'assistant', 'content': '3'}]
    """
    for name in ("messages", "conversations", "conversation"):
        if isinstance(row.get(name), Sequence) and not isinstance(row[name], str):
            return _turns(row[name])
    for asked, answers in PAIRS:
        answer = next((row[name] for name in answers if isinstance(row.get(name), str)), None)
        if isinstance(row.get(asked), str) and answer is not None:
            more = row.get("input")
            question = row[asked] + (f"\n\n{more}" if isinstance(more, str) and more.strip() else "")
            if not question.strip() or not answer.strip():
                return "an empty question or answer"
            system = row.get("system")
            first = [{"role": "system", "content": system}] if isinstance(system, str) and system.strip() else []
            return [*first, {"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return "no chat: neither messages, conversations nor a question with an answer"


def _turns(said: Sequence[Any]) -> list[dict[str, str]] | str:
    turns: list[dict[str, str]] = []
    for turn in said:
        if not isinstance(turn, Mapping):
            return "a turn that is no object"
        role = ROLES.get(str(turn.get("role", turn.get("from"))).lower())
        text = turn.get("content", turn.get("value"))
        if role is None or not isinstance(text, str):
            return f"a turn of {turn.get('role', turn.get('from'))!r:.40}, or without text"
        turns.append({"role": role, "content": text})
    spoken = [turn["role"] for turn in turns if turn["role"] != "system"]
    if spoken[:2] != ["user", "assistant"] or any(a == b for a, b in pairwise(spoken)):
        return "turns that are not of user and assistant, one after the other"
    if not all(turn["content"].strip() for turn in turns):
        return "an empty turn"
    while turns[-1]["role"] != "assistant":
        turns.pop()  # nothing answers it
    return turns


@dataclass(frozen=True)
class Chats:
    """Files of published chats, JSON lines and Parquet: one file, or all below a directory.

    Reasons: `malformed`, and those of `Jsonl` and `Parquet`.
    """

    path: str
    label: str = "chats"
    max_file_bytes: int = 1_000_000

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def list(self) -> Listing:
        """As the files' own sources list them. Raises: InputError if there is no such file."""
        places, notes = files(self.path, (*JSON_LINES, *PARQUET))
        kinds = sorted({_is_json_lines(place.name) for place in places}, reverse=True)
        listings = [self._files(is_json_lines).list() for is_json_lines in kinds]
        shards = tuple(
            Shard(shard.label, shard.files, shard.bytes, (is_json_lines, shard.what), _named(shard.identity))
            for is_json_lines, listing in zip(kinds, listings, strict=True)
            for shard in listing.shards
        )
        notes += [listing.notes[0] for listing in listings]  # how many; the others are of the other kind's files
        return Listing(_named(" ".join(listing.fingerprint for listing in listings)), shards, tuple(notes))

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """The rows of a shard, each with its turns as JSON text."""
        is_json_lines, what = shard.what
        for batch in self._files(is_json_lines).read(replace(shard, what=what)):
            yield pa.RecordBatch.from_pylist([_row(row) for row in batch.to_pylist()], schema=RAW)

    def _files(self, is_json_lines: bool) -> Jsonl | Parquet:
        if is_json_lines:
            return Jsonl(self.path, self.label, {}, self.max_file_bytes)
        return Parquet(self.path, self.label, columns={})


def _is_json_lines(name: str) -> bool:
    return name.lower().endswith(JSON_LINES)


def _named(identity: str) -> str:
    """The identity of a shard that is read as chats."""
    return hashlib.sha256(f"chats 2 {identity}".encode()).hexdigest()


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A raw row whose columns are all in `meta`, with the chat in them as its text."""
    if row["reason"] not in (None, "no_content"):
        return row
    columns = json.loads(row["meta"] or "{}")
    turns = messages(columns)
    if isinstance(turns, str):
        return {**row, "raw": None, "reason": "malformed", "detail": turns}
    raw = json.dumps(turns, ensure_ascii=False).encode()
    license = _licenses(columns.get("license"))
    used = {"messages", "conversations", "conversation", "input", "system", *(n for a, b in PAIRS for n in (a, *b))}
    used |= {"license"} if license else set()
    rest = {name: value for name, value in columns.items() if name not in used}
    meta = json.dumps(rest, ensure_ascii=False) if rest else None
    known = {"reason": None, "detail": None, "license": license, "meta": meta}
    return {**row, "raw": raw, "size": len(raw), **known}


def _licenses(said: Any) -> list[str] | None:
    """The licences that a row names; null: none, or what it says is no name."""
    names = said if isinstance(said, list) else [said]
    return [name for name in names if isinstance(name, str) and name.strip()] or None
