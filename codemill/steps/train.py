"""Trains a model: pretraining and annealing over plans of tokens, SFT over chats. The loop is `codemill.model.loop`.

pretrain   a plan and its token shards → a model           files: a folder of Hugging Face, and checkpoints
anneal     the same, from a checkpoint with its optimizer
sft        encoded chats → a model that answers
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.ipc as ipc

from codemill.errors import InputError, RecipeError
from codemill.machine.reading import RECEIPTS, OutFolder, Reading, local
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

    With a `start` it goes on with that one: the steps count on, and the same plan is read on.
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

    It begins with a `start`; or, without one, with the last of the tables, a model that a step of training made.

    Raises: InputError if nothing, or everything, of all chats is trained on; RecipeError without chats or a model.
    """
    if len(tables) < (1 if start else 2):
        raise RecipeError("sft needs tables of chats, and one model: a table behind them, or a start")
    chats, begin = (tables, str(start.folder)) if start else (tables[:-1], str(tables[-1].folder))
    rows = out.path / RECEIPTS / "chats.arrow"
    counts = _written(chats, rows)
    facts = {"chats": {name: int(value) for name, value in counts.items()}}
    counts |= launch(
        Job(str(out.path), tokenizer.path, how, length, chats=str(rows), epochs=epochs, start=begin, fresh=True)
    )
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


def _folder(table: Reading) -> Path:
    """Where the files of a published table are."""
    return local(table.parts[0].pieces[0].file.parent())


def _read(plan: Reading, tokens: Sequence[Reading]) -> dict[str, Any]:
    """What a job is told of a plan: the folder of the run that made it, those of its shards, its length."""
    run = _folder(plan).parent
    length = int(_mix(run)["length"])
    return {"plan": str(run), "shards": tuple(str(_folder(table)) for table in tokens), "length": length}


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
    manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return manifest
