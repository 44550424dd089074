"""How a model was trained, or is being trained: the curves that a run writes beside it, thinned for a picture."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from codemill.errors import InputError
from codemill.model.checkpoints import BEGUN
from codemill.report.facts.ledger import Row
from codemill.run import Run, below

POINTS = 240
"""Of a curve: each is the mean of the steps that fall to it."""


@dataclass(frozen=True)
class Model:
    """A model of the run: what it was trained with, and its curves."""

    name: str  # of the output
    parameters: int
    steps: int  # so far
    of: int  # in all
    tokens: int
    first: float  # loss, nats per token
    last: float
    points: tuple[Row, ...]  # step (the last of those that fall to it), loss, rate, norm
    held: tuple[tuple[int, float], ...]  # step, and the loss on held-out data after it
    real_share: float  # of the tokens in all rows
    ran_on: str


def gather(run: Run) -> tuple[Model, ...] | None:
    """The models that the run trained; None if it trained none. Raises: InputError if their files lack something."""
    names = [name for name, files in run.manifest.get("files", {}).items() if "metrics.jsonl" in files]
    return tuple(model for name in names if (model := _model(run, name)) is not None) or None


def unfinished(out: str | Path) -> tuple[Model, ...]:
    """The models that are being trained in a run's folder on this machine, or were when it was stopped.

    What the folder's last finished run left behind is none of them.
    """
    manifest, found = Path(out) / "manifest.json", []
    since = manifest.stat().st_mtime if manifest.exists() else 0.0
    for begun in sorted(Path(out).glob(f".work/train.*/*/{BEGUN}")):
        with contextlib.suppress(FileNotFoundError):  # it ended meanwhile
            training, written = json.loads(begun.read_text("utf-8")), begun.stat().st_mtime
            lines = (begun.parent / "metrics.jsonl").read_text("utf-8").split("\n")[:-1]  # one may be half written
            if lines and written > since:
                name = f"{begun.parent.parent.name} {begun.parent.name[:8]}"
                found.append(_read(name, training, [json.loads(line) for line in lines]))
    return tuple(found)


def _model(run: Run, name: str) -> Model | None:
    """None: a model as it began, of which there is no curve."""
    training = run.folder.at(name, "training.json").read_json()
    filesystem, path = run.folder.at(name, "metrics.jsonl").open()
    try:
        with filesystem.open_input_stream(path) as stream:
            steps = [json.loads(line) for line in stream.read().splitlines()]
        return None if training["steps"] == 0 else _read(name, training, steps)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        what = f"the account of a training run cannot be read: {error!r}"
        raise InputError(what, where=below(run.out, name), remedy="run the recipe again") from error


def _read(name: str, training: dict[str, Any], steps: list[dict[str, Any]]) -> Model:
    edges = [len(steps) * i // min(POINTS, len(steps)) for i in range(min(POINTS, len(steps)) + 1)]
    points = []
    for begin, end in pairwise(edges):
        some = steps[begin:end]
        means = {key: sum(float(step[key]) for step in some) / len(some) for key in ("loss", "rate", "norm")}
        points.append({"step": int(steps[end - 1]["step"]), **means})
    ran = training["ran_on"]
    return Model(
        name,
        int(training["parameters"]),
        int(steps[-1]["step"]),
        int(training["steps"]),
        int(steps[-1]["tokens"]),
        float(steps[0]["loss"]),
        float(steps[-1]["loss"]),
        tuple(points),
        _thinned([(int(step["step"]), float(step["held_out"])) for step in steps if "held_out" in step]),
        sum(float(step["real_share"]) for step in steps) / len(steps),
        f"{ran['device']}, ranks {ran['ranks']}, threads {ran['threads']}",
    )


def _thinned(measured: list[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    """So many of them that a picture can show them, the first and the last among them."""
    every = -(-len(measured) // POINTS) or 1
    return tuple(one for at, one in enumerate(measured) if at % every == 0 or at + 1 == len(measured))
