"""Pretrains a model on a plan of tokens: warm-up and a plateau, from any checkpoint of which annealing may branch.

codemill run pretrain --mix mix --size 25M --out base
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


def pretrain(
    *,
    mix: Annotated[str, "--out folder of the run that made the plan"],
    tokens: Annotated[tuple[str, ...], "where the plan's token shards are, if they were moved"] = (),
    size: Annotated[str, "tiny, parameters in matrices up to 300M such as 25M, or 1.5B and 8B"] = "25M",
    # OpenCoder's 1.5B: 1,024 sequences of 4,096 tokens. A small model wants smaller steps, and more of them.
    batch: Annotated[int, "sequences of a step"] = 64,
    steps: Annotated[int | None, "steps in all; by default as many as the plan has"] = None,
    # OpenCoder, 2.3: 2,000 steps of warm-up to 3e-4, then constant: what comes down is annealing's rate.
    rate: Annotated[float, "learning rate of the plateau"] = 3e-4,
    warmup: Annotated[int, "steps to it"] = 2000,
    # For a model that is not annealed: the end of the run comes down instead.
    decay: Annotated[int, "steps at the end in which the rate comes down"] = 0,
    shape: Annotated[str, "how: exponential, linear, 1-sqrt or cosine"] = "exponential",
    final: Annotated[float, "to which rate"] = 1e-5,
    # The paper is silent on betas, weight decay and clipping; see `model.job.Optimizer`.
    optimizer: Annotated[str, "adamw, or muon for the matrices of the layers"] = "adamw",
    weight_decay: Annotated[float, "on matrices only"] = 0.1,
    start: Annotated[str | None, "a run to go on with: its plateau gets longer"] = None,
    at: Annotated[int | None, "the step of its checkpoint; by default the last"] = None,
    every: Annotated[int, "steps from checkpoint to checkpoint"] = 1000,
    keep: Annotated[int, "of which the last so many are kept"] = 2,
    keep_each: Annotated[int, "and for good one in so many steps, to branch from; 0: none"] = 0,
    average: Annotated[int, "checkpoints whose mean is the model"] = 1,
    spike: Annotated[float, "nats above the usual loss at which it stops; 0: never"] = 3.0,
    seed: Annotated[int, "of the weights"] = 0,
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
    """A model pretrained on a plan: a folder that transformers loads, and checkpoints to go on from."""
    plan, shards, tokenizer = _training.plan_and_tokens(mix, tokens)
    how = Training(
        Schedule(rate, min(final, rate), warmup, decay, shape),
        batch,
        steps,
        Optimizer(optimizer, decay=weight_decay),
        Keep(every, keep, keep_each),
        average=average,
        spike=spike,
        seed=seed,
        hardware=Hardware(device, ranks, micro, sharding=sharding, compile=compile, recompute=recompute),
    )
    begin = None if start is None else train.Checkpoint(start, at)
    held = _training.held_out(held_out, mix=mix, path=tokenizer, tokens=held_out_tokens, every=held_out_every)
    model = train.pretrain(plan, *shards, *held, tokenizer=Existing(tokenizer), how=how, size=size, start=begin)
    return {"model": model}


def laptop(
    *,
    mix: Annotated[str, "--out folder of the run that made the plan"],
    size: Annotated[str, "see pretrain"] = "tiny",
    batch: Annotated[int, "sequences of a step"] = 4,
    steps: Annotated[int | None, "steps in all; by default as many as the plan has"] = None,
    rate: Annotated[float, "learning rate of the plateau"] = 2e-3,
    start: Annotated[str | None, "a run to go on with: its plateau gets longer"] = None,
    held_out: HeldOut = None,
) -> Outputs:
    """For a tiny model on a CPU, in minutes: small steps, and a rate that small models stand."""
    return pretrain(
        mix=mix, size=size, batch=batch, steps=steps, rate=rate, warmup=20, every=100, micro=4, start=start,
        spike=_training.LAPTOP_SPIKE, held_out=held_out, held_out_tokens=16_384, held_out_every=25,
    )  # fmt: skip


def smoke(*, mix: Annotated[str, "--out folder of the run that made the plan"]) -> Outputs:
    """The same shape in ten steps."""
    return pretrain(mix=mix, size="tiny", batch=4, steps=10, rate=3e-3, warmup=2, every=5)
