"""Anneals a pretrained model: another mix, and the rate comes down. It branches from any checkpoint of the plateau.

codemill run anneal --start base --mix annealing-mix --out annealed
"""

from __future__ import annotations

from typing import Annotated

from codemill import Outputs
from codemill.model import Schedule
from codemill.model.job import Hardware, Keep, Optimizer, Training
from codemill.recipes import _training
from codemill.recipes._training import (
    Compile,
    Device,
    HeldEvery,
    HeldOut,
    HeldTokens,
    Micro,
    Ranks,
    Recompute,
    Sharding,
)
from codemill.steps import train
from codemill.steps.tokenizer import Existing


def anneal(
    *,
    start: Annotated[str, "--out folder of a pretraining run, also of one that has not ended; or a checkpoint"],
    mix: Annotated[str, "--out folder of the run that made the annealing plan"],
    # The released 1.5B went on from step 373,000 of 484,865: any checkpoint of a plateau will do.
    at: Annotated[int | None, "the step of its checkpoint; by default the last"] = None,
    tokens: Annotated[tuple[str, ...], "where the plan's token shards are, if they were moved"] = (),
    batch: Annotated[int, "sequences of a step, as in pretraining"] = 64,
    steps: Annotated[int | None, "steps; by default as many as the plan has"] = None,
    # OpenCoder, 2.3: exponentially from the plateau's 3e-4 to 1e-5, over the whole of annealing.
    rate: Annotated[float, "learning rate at the start: that of the plateau"] = 3e-4,
    final: Annotated[float, "learning rate at the end"] = 1e-5,
    shape: Annotated[str, "exponential, linear, 1-sqrt or cosine"] = "exponential",
    optimizer: Annotated[str, "adamw or muon, as in pretraining"] = "adamw",
    weight_decay: Annotated[float, "on matrices only"] = 0.1,
    every: Annotated[int, "steps from checkpoint to checkpoint"] = 1000,
    keep: Annotated[int, "of which the last so many are kept"] = 2,
    average: Annotated[int, "checkpoints whose mean is the model"] = 1,
    spike: Annotated[float, "nats above the usual loss at which it stops; 0: never"] = 3.0,
    held_out: HeldOut = None,
    held_out_tokens: HeldTokens = 65_536,
    held_out_every: HeldEvery = 100,
    device: Device = "auto",
    ranks: Ranks = 0,
    micro: Micro = 0,
    sharding: Sharding = "ddp",
    compile: Compile = False,
    recompute: Recompute = False,
) -> Outputs:
    """A model annealed from a checkpoint of a plateau, its optimizer kept, over another plan."""
    plan, shards, tokenizer = _training.plan_and_tokens(mix, tokens)
    how = Training(
        Schedule(rate, min(final, rate), 0, None, shape),
        batch,
        steps,
        Optimizer(optimizer, decay=weight_decay),
        Keep(every, keep),
        average=average,
        spike=spike,
        hardware=Hardware(device, ranks, micro, sharding=sharding, compile=compile, recompute=recompute),
    )
    begin = train.Checkpoint(start, at)
    held = _training.held_out(held_out, mix=mix, path=tokenizer, tokens=held_out_tokens, every=held_out_every)
    model = train.anneal(plan, *shards, *held, tokenizer=Existing(tokenizer), how=how, start=begin)
    return {"model": model}


def laptop(
    *,
    start: Annotated[str, "--out folder of a pretraining run, or a checkpoint"],
    mix: Annotated[str, "--out folder of the run that made the annealing plan"],
    at: Annotated[int | None, "the step of its checkpoint; by default the last"] = None,
    batch: Annotated[int, "sequences of a step"] = 4,
    steps: Annotated[int | None, "steps; by default as many as the plan has"] = None,
    rate: Annotated[float, "learning rate at the start: that of the plateau"] = 2e-3,
    held_out: HeldOut = None,
) -> Outputs:
    """For a model that `pretrain:laptop` made."""
    return anneal(
        start=start, mix=mix, at=at, batch=batch, steps=steps, rate=rate, final=rate / 30, every=100, micro=4,
        spike=_training.LAPTOP_SPIKE, held_out=held_out, held_out_tokens=16_384, held_out_every=25,
    )  # fmt: skip


def smoke(
    *,
    start: Annotated[str, "--out folder of a pretraining run, or a checkpoint"],
    mix: Annotated[str, "--out folder of the run that made the annealing plan"],
) -> Outputs:
    """The same shape in five steps."""
    return anneal(start=start, mix=mix, batch=4, steps=5, rate=3e-3, final=1e-4, every=5)
