"""What tests of training share: a plan over a few real files, and jobs over it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from codemill.machine.builder import build
from codemill.model.job import Hardware, Job, Keep, Training
from codemill.model.schedule import Schedule
from codemill.recipes import pretraining_mix

CPU = Hardware(device="cpu", ranks=1, threads=1)


def plan(runs: Path, out: Path, **wanted: Any) -> Path:
    """A plan of short sequences over the tokens in `runs`."""
    build(
        pretraining_mix.pretraining_mix(
            code=str(runs / "plain"), **{"length": 64, "epochs": 1, "budget": 40_000, **wanted}
        ),
        out=out,
        workers=1,
    )
    return out


def job(runs: Path, mix: Path, out: Path, **wanted: Any) -> Job:
    """Twelve steps of a tiny model."""
    hardware = dataclasses.replace(CPU, **wanted.pop("hardware", {}))
    names = {field.name for field in dataclasses.fields(Training)} - {"hardware"}
    how: dict[str, Any] = {"schedule": Schedule(3e-3, 3e-4, warmup=3), "batch": 8, "steps": 12, "keep": Keep(every=5)}
    how |= {name: wanted.pop(name) for name in names & set(wanted)}
    facts: dict[str, Any] = {
        "out": str(out),
        "tokenizer": str(runs / "plain" / "tokenizer"),
        "how": Training(**how, hardware=hardware),
        "plan": str(mix),
        "shards": (str(runs / "plain" / "tokens"),),
        "length": 64,
    }
    return Job(**{**facts, **wanted})
