"""Checkpoints on disk: which there are, whether they are whole, which one is meant. Needs no torch."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from codemill.errors import InputError

STATE = "trainer.json"
"""What training goes on from, with the hash of each file of the checkpoint: it is written last."""


BEGUN = "begun.json"
"""In the folder of a run that has not ended: its steps, its parameters, and on what it runs."""


def write_json(path: Path, value: Any) -> None:
    """A JSON file, whole or not at all."""
    beside = path.with_name(f".{path.name}")
    beside.write_text(json.dumps(value, indent=1) + "\n", "utf-8")
    os.replace(beside, path)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises: InputError if there is none."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"a file of a checkpoint cannot be read: {error}", where=path) from error
    if not isinstance(value, dict):
        raise InputError("a file of a checkpoint is no JSON object", where=path)
    return value


def complete(folder: Path) -> dict[int, Path]:
    """The complete checkpoints below a run's folder, by step."""
    found = {}
    for state in sorted(folder.glob(f"checkpoints/step-*/{STATE}")):
        found[int(state.parent.name.removeprefix("step-"))] = state.parent
    return dict(sorted(found.items()))


def receipts(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a checkpoint, its state apart."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != STATE)
    return {name: sha256(folder / name) for name in names}


def intact(folder: Path) -> bool:
    """Whether a checkpoint's files are what its receipt says."""
    return bool(receipts(folder) == read_json(folder / STATE).get("files"))


def sha256(path: Path) -> str:
    """Of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find(path: Path, *, at: int | None = None, state: bool = True) -> Path:
    """The checkpoint that a path means: itself, or in a run's folder, also of one that has not ended, the last one.

    `at` is the step of the one that is meant. With `state` it is one that training can go on from; without, the model
    that a run ended with comes first.

    Raises: InputError if there is none, naming the steps of those that there are.
    """
    if at is None and (path / "config.json").exists() and not (state and complete(path)):
        return path
    places = [path, path / "model", *sorted(path.glob(".work/train.*/*"))]
    if at is None and not state:
        ended = [place for place in places if (place / "config.json").exists()]
        if ended:
            return ended[0]
    found = [there for place in places if (there := complete(place)) and (at is None or at in there)]
    if len(found) > 1 and not any(complete(place) for place in places[:2]):
        several = ", ".join(sorted(str(next(iter(there.values())).parent.parent) for there in found))
        what = f"several runs that have not ended have such a checkpoint: {several}"
        raise InputError(what, where=path, remedy="name one of these folders")
    if found:
        return found[0][max(found[0]) if at is None else at]
    steps = sorted({step for place in places for step in complete(place)})
    what = "there is no checkpoint" if at is None else f"there is no checkpoint of step {at}"
    known = (
        f"there are those of steps {', '.join(map(str, steps))}" if steps else "give the --out folder of a training run"
    )
    raise InputError(what, where=path, remedy=known)


def identity(folder: Path) -> str:
    """What a checkpoint is, as a hash of its files: of its receipt, or, where it has none, of config and weights."""
    if (folder / STATE).exists():
        return sha256(folder / STATE)
    names = sorted(p.name for p in folder.iterdir() if p.name == "config.json" or p.suffix == ".safetensors")
    return hashlib.sha256("\n".join(f"{name} {sha256(folder / name)}" for name in names).encode()).hexdigest()
