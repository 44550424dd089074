"""Rows of tokens for the loop: what step n reads follows from n alone, so that a run's state is one number.

    Plans   sequences of a plan over token shards, mapped into memory
    Chats   encoded chats, shuffled for each epoch, packed whole into rows

A row's targets are its tokens one place on. No token is predicted from another document: the first of each document is
no target, and the last place of a row has the next row's first token as its target where a document goes on there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc as ipc

from codemill.errors import InputError, RecipeError
from codemill.model.job import Job
from codemill.tokens import Loader

IGNORE = -100
"""The target of a place that is not trained on: what torch's cross-entropy passes over."""

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """One row of a batch.

    Shape: `tokens`, `targets` (`IGNORE` where there is none) and `documents` (which one of the row a token is of: the
    padding is one more) have the row's length; `real` of the tokens are no padding. `name` says where it came from.
    """

    tokens: Ids
    targets: Ids
    documents: Ids
    real: int
    name: str


class Data(Protocol):
    """What the loop reads."""

    steps: int  # that there are
    length: int  # tokens of a row
    fingerprint: str  # of what is read, and in which order

    def count(self, step: int) -> int:
        """Rows of a step."""

    def row(self, step: int, number: int) -> Row:
        """Row 0 … count - 1 of a step."""


def of(job: Job) -> Data:
    """The data of a training run."""
    if job.plan is not None:
        return Plans(job.plan, job.shards, job.how.batch)
    assert job.chats is not None
    return Chats(Path(job.chats), job.how.batch, job.length, job.epochs, job.how.seed)


def documents_of(starts: Sequence[int], real: int, length: int) -> Ids:
    """The number of the document that each token is of; padding is one of its own."""
    marks = np.zeros(length + 1, np.int64)
    marks[[*starts, real]] += 1
    return np.cumsum(marks[:length]) - 1


# ── plans ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Plans:
    """`batch` sequences of a plan are a step; the last step may have fewer. Files are mapped, nothing is loaded."""

    def __init__(self, plan: Path | str, shards: Sequence[Path | str], batch: int) -> None:
        self.loader, self.batch = Loader(plan, shards), batch
        self.length = self.loader.plan.length
        self.steps = -(-len(self.loader) // batch)
        facts = json.dumps(self.loader.plan.facts, sort_keys=True)
        self.fingerprint = hashlib.sha256(facts.encode()).hexdigest()

    def count(self, step: int) -> int:
        """Sequences of a step."""
        return max(0, min(self.batch, len(self.loader) - step * self.batch))

    def row(self, step: int, number: int) -> Row:
        """A sequence, with the token that follows it if its last text goes on."""
        at = step * self.batch + number
        sequence = self.loader[at]
        tokens = sequence.tokens.astype(np.int64)
        targets = np.append(tokens[1:], IGNORE)
        targets[sequence.starts[1:] - 1] = IGNORE
        targets[sequence.real - 1 :] = IGNORE
        following = self.loader.follows(at)
        if following is not None:
            targets[-1] = following
        documents = documents_of(sequence.starts.tolist(), sequence.real, self.length)
        return Row(tokens, targets, documents, sequence.real, f"sequence {at} ({self._from(sequence.spans)})")

    def _from(self, spans: Mapping[str, npt.NDArray[Any]]) -> str:
        """Where the first pieces of a sequence came from."""
        places = list(zip(*(spans[name].tolist() for name in ("input", "part", "row")), strict=True))
        named = [self.loader.shards[source].row(part, row) for source, part, row in places[:2]]
        more = f" and {len(places) - 2} more" if len(places) > 2 else ""
        return ", ".join(f"{row.get('repo')}/{row.get('path')}" for row in named) + more


# ── chats ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CHAT = pa.schema([("id", pa.string()), ("tokens", pa.list_(pa.uint32())), ("trained", pa.list_(pa.bool_()))])
"""An encoded chat: its tokens, and which of them are trained on."""


@dataclass
class Chats:
    """`batch` chats are a step. Each epoch has an order of its own, and the last step of an epoch may have fewer.

    The chats of a step are packed whole into rows of `length` tokens, longest first: a batch is counted in chats,
    whatever their lengths, and rows are only how they are laid out. Padding fills the rest.

    Raises: InputError if there are no chats, or one is longer than a row.
    """

    path: Path
    batch: int
    length: int
    epochs: int = 1
    seed: int = 0
    steps: int = field(init=False)
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        try:
            reader = ipc.open_file(pa.memory_map(str(self.path)))
            batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
            self._table = pa.Table.from_batches(batches, reader.schema)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"encoded chats cannot be read: {error}", where=self.path) from error
        columns = [chunk.offsets.to_numpy() for chunk in self._table["tokens"].chunks]
        lengths = [np.diff(offsets) for offsets in columns]
        self._lengths = np.concatenate(lengths).astype(np.int64) if lengths else np.zeros(0, np.int64)
        if not len(self._lengths):
            raise InputError("there are no chats to train on", where=self.path)
        if int(self._lengths.max()) > self.length:
            raise InputError(f"a chat has {int(self._lengths.max())} tokens, a row {self.length}", where=self.path)
        self.per_epoch = -(-len(self._lengths) // self.batch)
        self.steps = self.per_epoch * self.epochs
        with open(self.path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        self.fingerprint = f"{content} {self.batch} {self.length} {self.seed}"
        self._packed = lru_cache(maxsize=2)(self._pack)

    @property
    def targets(self) -> int:
        """Tokens of all chats that are trained on. The first of a chat is never one."""
        trained = [chunk.values.to_numpy(zero_copy_only=False) for chunk in self._table["trained"].chunks]
        firsts = [chunk.offsets.to_numpy()[:-1][np.diff(chunk.offsets.to_numpy()) > 0]
                  for chunk in self._table["trained"].chunks]  # fmt: skip
        return sum(int(one.sum() - one[at].sum()) for one, at in zip(trained, firsts, strict=True))

    def count(self, step: int) -> int:
        """Rows that the chats of a step fill."""
        return len(self._packed(step))

    def row(self, step: int, number: int) -> Row:
        """Chats one after another, then padding."""
        chats = self._packed(step)[number]
        tokens, targets = np.zeros(self.length, np.int64), np.full(self.length, IGNORE, np.int64)
        starts, at, names = [], 0, []
        for chat in chats:
            row = self._table.slice(chat, 1)
            ids = row["tokens"].combine_chunks().values.to_numpy().astype(np.int64)
            trained = row["trained"].combine_chunks().values.to_numpy(zero_copy_only=False)
            tokens[at : at + len(ids)] = ids
            targets[at : at + len(ids) - 1] = np.where(trained[1:], ids[1:], IGNORE)
            starts.append(at)
            at += len(ids)
            names.append(str(row["id"][0]))
        tokens[at:] = tokens[at - 1]
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        name = f"chats {', '.join(names[:2])}{more}"
        return Row(tokens, targets, documents_of(starts, at, self.length), at, name)

    def _pack(self, step: int) -> list[list[int]]:
        """The chats of each row of a step: first-fit decreasing."""
        if not 0 <= step < self.steps:
            raise RecipeError(f"there are {self.steps} steps, asked for {step}")
        epoch, at = divmod(step, self.per_epoch)
        order = np.random.Generator(np.random.PCG64([self.seed, epoch])).permutation(len(self._lengths))
        chosen = order[at * self.batch : (at + 1) * self.batch]
        rows: list[list[int]] = []
        room: list[int] = []
        for chat in sorted(chosen.tolist(), key=lambda chat: (-int(self._lengths[chat]), chat)):
            length = int(self._lengths[chat])
            place = next((i for i, free in enumerate(room) if free >= length), None)
            if place is None:
                rows.append([])
                room.append(self.length)
                place = len(rows) - 1
            rows[place].append(chat)
            room[place] -= length
        return rows
