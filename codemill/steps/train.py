"""Trains a model: pretraining and annealing over plans of tokens, SFT over chats. The loop is `codemill.model.loop`.

pretrain   a plan and its token shards → a model           files: a folder of Hugging Face, and checkpoints
anneal     the same, from a checkpoint with its optimizer
sft        encoded chats → a model that answers
held_out   token shards or encoded chats → what a run is measured on while it goes on
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc as ipc

from codemill.errors import InputError, RecipeError
from codemill.machine.places import with_places
from codemill.machine.reading import RECEIPTS, OutFolder, Reading, local
from codemill.machine.store import Place
from codemill.machine.table import folder
from codemill.model import Job, card, checkpoints, of_size
from codemill.model.data import CHAT
from codemill.model.job import Training
from codemill.model.launch import launch
from codemill.run import named
from codemill.sources import Published
from codemill.steps.chats import Talker
from codemill.steps.tokenizer import Existing


@dataclass(frozen=True)
class Checkpoint:
    """Where a training run begins: a run's `--out` folder, also of one that has not ended; a checkpoint of it; or any
    Llama-shaped folder of Hugging Face. Its identity is that of its files.

    `at` is the step of the checkpoint that is meant, by default the last. With `state` it has an optimizer's state.

    Raises: InputError if there is none.
    """

    path: str
    at: int | None = None
    state: bool = True
    found: str = field(init=False)
    sha256: str = field(init=False)

    PLACES: ClassVar[tuple[str, ...]] = ("path", "at", "state", "found")

    def __post_init__(self) -> None:
        # Looked for once: a run that has not ended writes later checkpoints meanwhile.
        object.__setattr__(self, "found", str(checkpoints.find(Path(self.path), at=self.at, state=self.state)))
        object.__setattr__(self, "sha256", checkpoints.identity(Path(self.found)))

    @property
    def folder(self) -> Path:
        """The folder that is meant. Raises: InputError if it is gone, damaged, or another one by now."""
        folder = Path(self.found)
        receipt = (folder / checkpoints.STATE).exists()
        if not folder.is_dir() or checkpoints.identity(folder) != self.sha256:
            remedy = "say --at with a step whose checkpoint is kept, or wait until that run has ended"
            raise InputError("the start is not there any more", where=folder, remedy=remedy)
        if receipt and not checkpoints.intact(folder):
            raise InputError("a checkpoint is damaged", where=folder, remedy="begin with another one: --at STEP")
        return folder


def _check(*, size: str, **others: Any) -> None:
    of_size(size, vocabulary=1, context=1)


@folder(version=1, uses="machine", check=_check)
def pretrain(
    plan: Reading,
    *tokens: Reading,
    out: OutFolder,
    tokenizer: Existing,
    how: Training,
    size: str = "tiny",
    context: int | None = None,
    start: Checkpoint | None = None,
) -> dict[str, float]:
    """Trains a model of a size on the sequences of a plan.

    With a `start` it goes on with that one: the steps count on, and the same plan is read on. A table of `held_out`
    among the others is what it is measured on.
    """
    read = _read(plan, tokens)
    begin = None if start is None else str(start.folder)
    extends = start is not None
    job = Job(str(out.path), tokenizer.path, how, **read, size=size, context=context, start=begin, extends=extends)
    counts = launch(job)
    card.write(out.path, "pretraining", _facts(job))
    return counts


@folder(version=1, uses="machine")
def anneal(
    plan: Reading, *tokens: Reading, out: OutFolder, tokenizer: Existing, how: Training, start: Checkpoint
) -> dict[str, float]:
    """Goes on from a checkpoint of a plateau, its optimizer kept, over another plan; steps count from 0 again."""
    job = Job(str(out.path), tokenizer.path, how, **_read(plan, tokens), start=str(start.folder))
    counts = launch(job)
    card.write(out.path, "annealing", _facts(job))
    return counts


@folder(version=1, uses="machine")
def sft(
    *tables: Reading,
    out: OutFolder,
    tokenizer: Talker,
    how: Training,
    length: int,
    epochs: int = 1,
    start: Checkpoint | None = None,
) -> dict[str, float]:
    """Trains a model to answer, on tables of chats that `chats.encode` made, with a fresh optimizer.

    It begins with a `start`; or, without one, with the last of the tables, a model that a step of training made. A
    table of `held_out` among them is what it is measured on.

    Raises: InputError if nothing, or everything, of all chats is trained on; RecipeError without chats or a model.
    """
    measured, tables = _held(tables)
    if len(tables) < (1 if start else 2):
        raise RecipeError("sft needs tables of chats, and one model: a table behind them, or a start")
    chats, begin = (tables, str(start.folder)) if start else (tables[:-1], str(tables[-1].folder))
    rows = out.path / RECEIPTS / "chats.arrow"
    counts = _written(chats, rows)
    facts = {"chats": {name: int(value) for name, value in counts.items()}}
    job = Job(
        str(out.path), tokenizer.path, how, length, chats=str(rows), epochs=epochs, start=begin, fresh=True, **measured
    )
    counts |= launch(job)
    card.write(out.path, "SFT", facts)
    return counts


def _written(chats: Sequence[Reading], path: Path) -> dict[str, float]:
    """Writes encoded chats into one file that ranks map into memory, and counts them."""
    counts = {"chats": 0, "chat_tokens": 0, "trained_tokens": 0, "truncated": 0}
    path.parent.mkdir(parents=True, exist_ok=True)
    with ipc.new_file(str(path), CHAT) as writer:
        columns = ["id", "tokens", "trained", "num_tokens", "num_trained", "truncated"]
        for batch in (batch for table in chats for batch in table.batches(columns)):
            some = [batch[name].combine_chunks() if isinstance(batch[name], pa.ChunkedArray) else batch[name]
                    for name in CHAT.names]  # fmt: skip
            writer.write_batch(pa.record_batch(some, schema=CHAT))
            for name, column in zip(counts, (None, "num_tokens", "num_trained", "truncated"), strict=True):
                counts[name] += batch.num_rows if column is None else sum(batch[column].to_pylist())
    if counts["trained_tokens"] == 0:
        raise InputError("nothing of the chats is trained on", remedy="`codemill masks` shows it, chat by chat")
    if counts["trained_tokens"] >= counts["chat_tokens"] - counts["chats"]:
        what = "everything of the chats is trained on, the questions too"
        raise InputError(what, remedy="the template marks too much; `codemill masks` shows it, chat by chat")
    return dict(counts)


# ── what a run is measured on ─────────────────────────────────────────────────────────────────────────────────────

HELD, HELD_FACTS = "held_out.arrow", "held_out.json"


def _check_held(*, length: int, tokens: int, every: int) -> None:
    for name, value, least in (("length", length, 2), ("tokens", tokens, 2), ("every", every, 1)):
        if value < least:
            raise RecipeError(f"{name} of what is held out must be at least {least}, got {value}")


@folder(version=1, check=_check_held)
def held_out(
    rows: Reading, *more: Reading, out: OutFolder, length: int, tokens: int = 65_536, every: int = 100
) -> dict[str, float]:
    """Chooses what a training run is measured on every so many steps: about `tokens` of token shards or encoded chats.

    Documents come in the order of a hash of their tokens, so that the choice is no matter of their order; the last one
    is cut. What is longer than `length` goes on in another piece, which begins with the last token of the one before.
    Each token but the first of a document is a target once, or of a chat each that would be trained on.

    Raises: InputError if there is nothing in it to measure on.
    """
    pieces = list(_pieces(_chosen([rows, *more], tokens), tokens, length))
    counts = {"documents": len({id for id, _, _ in pieces}), "tokens": sum(len(ids) for _, ids, _ in pieces)}
    counts["targets"] = sum(int(trained[1:].sum()) for _, _, trained in pieces)
    if not counts["targets"]:
        raise InputError("of what is held out nothing can be measured: there is no token to predict")
    with ipc.new_file(str(out.path / HELD), CHAT) as writer:
        columns = [pa.array(column, field.type) for column, field in zip(zip(*pieces, strict=True), CHAT, strict=True)]
        writer.write_batch(pa.record_batch(columns, schema=CHAT))
    checkpoints.write_json(out.path / HELD_FACTS, {"every": every, **counts})
    return dict(counts)


Document = tuple[str, npt.NDArray[np.uint32], npt.NDArray[np.bool_]]
"""The hash of a document's tokens, in hex, the tokens, and which of them are to be predicted."""


def _chosen(tables: Sequence[Reading], most: int) -> list[Document]:
    """The documents with the smallest hashes that have `most` tokens together. No more of them are held at a time."""
    kept: list[tuple[int, int, Document]] = []  # a heap, the largest hash first; the number breaks ties
    size = number = 0
    for table in tables:
        names = ["tokens", "trained"] if table.parts and "trained" in table.parts[0].columns() else ["tokens"]
        for batch in table.batches(names):
            for row in range(batch.num_rows):
                ids = batch["tokens"][row].values.to_numpy().astype(np.uint32)
                trained = np.ones(len(ids), np.bool_)
                if "trained" in names:
                    trained = batch["trained"][row].values.to_numpy(zero_copy_only=False)
                hash = hashlib.sha256(ids.tobytes()).hexdigest()
                heapq.heappush(kept, (-int(hash, 16), number, (hash, ids, trained)))
                size, number = size + len(ids), number + 1
                while kept and size - len(kept[0][2][1]) >= most:
                    size -= len(heapq.heappop(kept)[2][1])
    return [document for *_, document in sorted(kept, key=lambda one: (-one[0], one[1]))]


def _pieces(documents: Sequence[Document], most: int, length: int) -> Iterator[Document]:
    """Documents as pieces of at most `length` tokens, `most` of them in all."""
    for hash, ids, trained in documents:
        ids, trained = ids[:most], trained[:most]
        most -= len(ids)
        for begin in range(0, len(ids) - 1, length - 1):
            yield hash, ids[begin : begin + length], trained[begin : begin + length]


def _held(tables: Sequence[Reading]) -> tuple[dict[str, Any], tuple[Reading, ...]]:
    """What a job is told of held-out data, if one of its tables is such, and the other tables."""
    found = [table for table in tables if table.name == held_out.name]
    others = tuple(table for table in tables if table.name != held_out.name)
    if not found:
        return {}, others
    place = found[0].folder
    return {"held_out": str(place / HELD), "held_every": checkpoints.read_json(place / HELD_FACTS)["every"]}, others


def _folder(table: Reading) -> Path:
    """Where the files of a published table are."""
    return local(table.parts[0].pieces[0].file.parent())


def _read(plan: Reading, tokens: Sequence[Reading]) -> dict[str, Any]:
    """What a job is told of a plan: the folder of the run that made it, those of its shards, its length; and of
    held-out data."""
    run = _folder(plan).parent
    length = int(_mix(run)["length"])
    measured, tokens = _held(tokens)
    return {"plan": str(run), "shards": tuple(str(_folder(table)) for table in tokens), "length": length, **measured}


def _mix(run: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((run / "mix" / "mix.json").read_text("utf-8"))
    return facts


# ── what the card says of the data ────────────────────────────────────────────────────────────────────────────────


def _facts(job: Job) -> dict[str, Any]:
    """The mix of a plan, and what the corpora behind its tokens kept, where their runs are still there."""
    inputs = _mix(Path(str(job.plan)))["inputs"]
    corpora = {}
    for given, shards in zip(inputs, job.shards, strict=True):
        for source in opened(Path(shards).parent):
            manifest = _manifest(Path(source["path"]))
            if source["output"] == "corpus" and manifest is not None:
                corpora[given["name"]] = {
                    "ingested": manifest["ingested"],
                    "kept": manifest["kept"],
                    "dropped": sorted(_dropped(manifest)),
                }
    return {"inputs": inputs, "corpora": corpora}


def _dropped(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Step, reason and rows of all that was dropped."""
    for step in manifest["steps"]:
        for reason, count in step.get("dropped", {}).items():
            yield step["name"], reason, int(count["rows"] if isinstance(count, Mapping) else count)


def opened(run: Path) -> list[dict[str, Any]]:
    """The outputs of earlier runs that a run read: their `path`, as it is from here, and `output`."""
    manifest = _manifest(run) or {"steps": []}
    sources = [step["parameters"].get("source") for step in manifest["steps"] if step["name"] == "ingest.published"]
    read = [source for source in sources if isinstance(source, dict) and source.get("kind") == Published.__name__]
    return [{**source, "path": str(named(run, source["path"]))} for source in read]


def _manifest(run: Path) -> dict[str, Any] | None:
    path = run / "manifest.json"
    if not path.exists():
        return None
    return with_places(Place.of(run), json.loads(path.read_text("utf-8")))
