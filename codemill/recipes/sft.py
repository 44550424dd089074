"""OpenCoder's two stages of supervised fine-tuning: breadth, then quality. Stage 2 begins with stage 1's weights.

codemill run sft --start annealed --stage1 chats:stage_1 --stage2 chats:stage_2 --out instruct
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from codemill import Outputs, Table, ledger
from codemill.model import Schedule
from codemill.model.job import Hardware, Keep, Optimizer, Training
from codemill.recipes._training import (
    Compile,
    Device,
    HeldEvery,
    HeldTokens,
    Micro,
    Ranks,
    Recompute,
    Sharding,
    published,
)
from codemill.steps import chats, ingest, train

Chats = Annotated[tuple[str, ...], "--out folder of a run that made chats, or FOLDER:OUTPUT; repeatable"]


def sft(
    *,
    start: Annotated[str, "--out folder of a training run, a checkpoint, or a folder of Hugging Face"],
    stage1: Chats,
    stage2: Chats = (),
    at: Annotated[int | None, "the step of a checkpoint; by default the model that the run ended with"] = None,
    # OpenCoder, 4.3 and the released scripts. With all chats in one stage HumanEval was 55.5, not 70.1 (table 10).
    rate1: Annotated[float, "learning rate of stage 1"] = 2e-5,
    rate2: Annotated[float, "learning rate of stage 2"] = 5e-5,
    batch1: Annotated[int, "chats of a step of stage 1"] = 4096,
    batch2: Annotated[int, "chats of a step of stage 2"] = 512,
    epochs1: Annotated[int, "times that stage 1 sees its chats"] = 1,
    epochs2: Annotated[int, "times that stage 2 sees its chats"] = 3,
    length1: Annotated[int, "tokens at which a chat of stage 1 is cut"] = 1216,
    length2: Annotated[int, "tokens at which a chat of stage 2 is cut"] = 1500,
    steps: Annotated[int | None, "steps of a stage at most; by default all its epochs"] = None,
    warmup: Annotated[int, "steps of warm-up, after which a cosine comes down to 0"] = 100,
    # The paper is silent; a decay of weights does little in so few steps.
    weight_decay: Annotated[float, "on matrices only"] = 0.0,
    every: Annotated[int, "steps from checkpoint to checkpoint"] = 1000,
    keep: Annotated[int, "of which the last so many are kept"] = 1,
    spike: Annotated[float, "nats above the usual loss at which it stops; 0: never"] = 3.0,
    seed: Annotated[int, "of the order of chats"] = 0,
    held_out: Annotated[str | None, "RUN or RUN:OUTPUT: chats that its loss is measured on meanwhile"] = None,
    held_out_tokens: HeldTokens = 65_536,
    held_out_every: HeldEvery = 100,
    device: Device = "auto",
    ranks: Ranks = 0,
    micro: Micro = 0,
    sharding: Sharding = "ddp",
    compile: Compile = False,
    recompute: Recompute = False,
) -> Outputs:
    """A model that answers, trained on answers only, in one or two stages; and what became of every chat."""
    begin = train.Checkpoint(start, at, state=False)
    talker = chats.Talker(str(begin.folder))
    hardware = Hardware(device, ranks, micro, sharding=sharding, compile=compile, recompute=recompute)

    def stage(
        before: Table | None, runs: tuple[str, ...], rate: float, batch: int, epochs: int, length: int
    ) -> tuple[list[Table], Table]:
        def encoded(run: str) -> Table:
            return chats.encode(ingest.published(source=published(run, "corpus")), tokenizer=talker, length=length)

        rows = [encoded(run) for run in runs]
        measured = [] if held_out is None else [encoded(held_out)]
        held = [train.held_out(one, length=length, tokens=held_out_tokens, every=held_out_every) for one in measured]
        how = Training(
            Schedule(rate, 0.0, warmup, None, "cosine"),
            batch,
            steps,
            Optimizer(decay=weight_decay),
            Keep(every, keep),
            spike=spike,
            seed=seed,
            hardware=hardware,
        )
        read = [*rows, *held] if before is None else [*rows, *held, before]
        first = begin if before is None else None
        made = train.sft(*read, tokenizer=talker, how=how, length=length, epochs=epochs, start=first)
        return rows, made

    rows1, first = stage(None, stage1, rate1, batch1, epochs1, length1)
    if not stage2:
        return {"model": first, **ledgers("stage1", rows1)}
    rows2, second = stage(first, stage2, rate2, batch2, epochs2, length2)
    return {"model": second, "stage1": first, **ledgers("stage1", rows1), **ledgers("stage2", rows2)}


def ledgers(stage: str, tables: Sequence[Table]) -> Outputs:
    """What became of every chat: a ledger for each table, numbered from the second on.

    >>> list(ledgers("stage1", []))
    []
    """
    return {f"{stage}_ledger" + (f"_{n}" if n > 1 else ""): ledger(rows) for n, rows in enumerate(tables, 1)}


def laptop(
    *,
    start: Annotated[str, "--out folder of a training run, a checkpoint, or a folder of Hugging Face"],
    stage1: Chats,
    stage2: Chats = (),
    steps: Annotated[int | None, "steps of a stage at most; by default all its epochs"] = None,
    held_out: Annotated[str | None, "see sft"] = None,
) -> Outputs:
    """For a model that `pretrain:laptop` made: small steps, and rates that small models stand."""
    return sft(
        start=start, stage1=stage1, stage2=stage2, rate1=1e-3, rate2=1e-3, batch1=16, batch2=16,
        length1=512, length2=512, steps=steps, warmup=5, every=100, micro=4,
        held_out=held_out, held_out_tokens=16_384, held_out_every=10,
    )  # fmt: skip


def smoke(
    *,
    start: Annotated[str, "--out folder of a training run, a checkpoint, or a folder of Hugging Face"],
    stage1: Chats,
    stage2: Chats = (),
) -> Outputs:
    """The same shape for a handful of chats."""
    return sft(
        start=start, stage1=stage1, stage2=stage2, rate1=1e-3, rate2=1e-3, batch1=4, batch2=4, epochs2=2, length1=192,
        length2=192, warmup=1, every=5,
    )  # fmt: skip
