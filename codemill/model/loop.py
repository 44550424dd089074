"""The training loop: one for pretraining, annealing and both stages of SFT. They differ in data, masks and schedule.

    OUT/config.json …            the model, a folder of Hugging Face
    OUT/metrics.jsonl            step, tokens, loss, learning rate, norm of the gradient, share of real tokens; in some
                                 steps the loss on held-out data
    OUT/training.json            what was asked for, and on what it ran; until it has ended there is begun.json
    OUT/checkpoints/step-000500  a folder of Hugging Face, the optimizer's state, and a receipt

A run that was killed goes on from its last complete checkpoint, and on a CPU ends with the same bytes. Its state is the
number of the step: what is read follows from it, and nothing is drawn once the weights are.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from codemill.errors import CodemillError, InputError, RecipeError
from codemill.model import attention, checkpoints, data, folder, isolation, optim, ranks
from codemill.model.config import Config, of_size
from codemill.model.job import Job
from codemill.model.llama import drawn
from codemill.tokens import Encoder
from codemill.tokens.special import END, PAD, TURN_END

LOG_EVERY = 10
"""Steps from line to line of the log."""

REMEMBERED = 100
"""Steps whose losses say what a spike is."""


def train(job: Job) -> dict[str, float]:
    """Trains a model, or goes on with it. Returns counts for the books.

    Raises: InputError if a loss is no number or jumps, with the names of what was in the batch; RecipeError if the job
    asks for what its data or its start do not have.
    """
    with ranks.joined(job.how.hardware) as here:
        return _Run(job, here).go()


class _Run:
    """A run while it is running: the model, the optimizers, the data, and where it is."""

    def __init__(self, job: Job, here: ranks.Ranks) -> None:
        self.job, self.here, self.out = job, here, Path(job.out)
        self.data = data.of(job)
        self.held = data.Chats(Path(job.held_out), job.how.batch, self.data.length) if job.held_out else None
        self.config = _config(job)
        if self.data.length > self.config.context:
            raise RecipeError(f"the model reads {self.config.context} tokens, a sequence has {self.data.length}")
        self.model = ranks.placed(self.config, here)
        self.tokens = self._fill()
        self.steps = self._steps()
        self.shared = ranks.shared(self.model, here)
        self.backend = ranks.attention(here)
        self.peak = ranks.peak(here.device) * here.size
        self.losses: list[float] = []

    def go(self) -> dict[str, float]:
        """Every step, then the model."""
        with ranks.precision(self.model, self.here):
            isolation.check(self.model, self.backend, self.here.device)
        self.model.train()
        began, real = time.monotonic(), 0.0
        with self._metrics() as metrics:
            for step in range(self.step, self.steps):
                facts = self.one(step)
                measured = self.held is not None and self._measures(step + 1)
                if measured:
                    paused = time.monotonic()
                    facts["held_out"] = self._held_out()
                    began += time.monotonic() - paused
                if self.here.rank == 0:
                    metrics.write(json.dumps(facts) + "\n")
                    metrics.flush()
                real += facts["real"]
                if (step + 1) % LOG_EVERY == 0 or step + 1 == self.steps or measured:
                    self._say(facts, time.monotonic() - began, real)
                    began, real = time.monotonic(), 0.0
                if (step + 1) % self.job.how.keep.every == 0 or step + 1 == self.steps:
                    self._save(step + 1)
                    began = time.monotonic()
        if self.steps == 0:  # a model as it begins, to hold others against
            self._save(0)
        return self._finish()

    def one(self, step: int) -> dict[str, Any]:
        """One step: the gradient of the mean loss over all targets of all ranks, clipped, and followed."""
        rate = self.job.how.schedule.rate(step, self.steps)
        optim.set_rate(self.optimizers, rate)
        micros = self._micros(self.data, step - self.offset)
        mine = float(sum(int((targets != data.IGNORE).sum()) for _, targets, _, _ in micros))
        targets, real, places = self.here.total(mine, *np.sum([sizes for *_, sizes in micros], axis=0))
        if targets == 0:
            raise InputError("nothing in a batch is trained on", where=self._names(step - self.offset))
        loss = 0.0
        for number, (tokens_BT, targets_BT, documents_BT, _) in enumerate(micros):
            mask, positions_BT = attention.mask_of(documents_BT, self.backend), attention.positions_of(documents_BT)
            with ranks.quiet(self.shared, number + 1 == len(micros)), ranks.precision(self.model, self.here):
                summed: Tensor = self.shared(tokens_BT, positions_BT=positions_BT, mask=mask, targets_BT=targets_BT)
                # Ranks average their gradients; a mean over all targets is what is wanted.
                (summed * (self.here.size / targets)).backward()  # type: ignore[no-untyped-call]
            loss += float(summed.detach())
        loss = self.here.total(loss)[0] / targets
        norm = ranks.clip(self.model, self.job.how.optimizer.clip)
        self._guard(step, loss, norm)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.tokens += int(real)
        return {
            "step": step + 1, "tokens": self.tokens, "loss": loss, "rate": rate, "norm": norm,
            "targets": int(targets), "real": int(real), "real_share": real / places,
        }  # fmt: skip

    def _micros(self, read: data.Data, step: int) -> list[tuple[Tensor, Tensor, Tensor, tuple[int, int]]]:
        """This rank's share of a step in micro-batches, as many for each rank: tokens, targets, documents (B, T), and
        how many tokens are real, and how many there are. What is missing at the end is padding without targets."""
        count, size = read.count(step), self.here.size
        share = -(-count // size)
        micro = min(self.job.how.hardware.micro or share, share)
        found = []
        for first in range(0, share, micro):
            rows = [
                read.row(step, at)
                for at in (number * size + self.here.rank for number in range(first, min(first + micro, share)))
                if at < count
            ]
            sizes = (sum(row.real for row in rows), len(rows) * read.length)
            columns = [np.zeros((1, read.length), np.int64)] * 3
            if rows:
                columns = [
                    np.stack([getattr(row, name) for row in rows]) for name in ("tokens", "targets", "documents")
                ]
            else:
                columns[1] = np.full_like(columns[1], data.IGNORE)
            tokens, targets, documents = (torch.from_numpy(c).to(self.here.device) for c in columns)
            found.append((tokens, targets, documents, sizes))
        return found

    def _measures(self, number: int) -> bool:
        """Whether the model is measured on held-out data after this step, counted from 1: for one that goes on from
        others' weights the first step says where it began."""
        return number % self.job.held_every == 0 or number in (1, self.steps)

    @torch.no_grad()
    def _held_out(self) -> float:
        """The mean loss over all held-out targets (nats). It draws nothing and leaves no trace: weights, gradients and
        optimizers are as they would be without it."""
        assert self.held is not None
        self.model.eval()
        loss, count = 0.0, 0
        for step in range(self.held.steps):
            for tokens_BT, targets_BT, documents_BT, _ in self._micros(self.held, step):
                mask, positions_BT = attention.mask_of(documents_BT, self.backend), attention.positions_of(documents_BT)
                with ranks.precision(self.model, self.here):
                    loss += float(self.model(tokens_BT, positions_BT=positions_BT, mask=mask, targets_BT=targets_BT))
                count += int((targets_BT != data.IGNORE).sum())
        self.model.train()
        ranks.reshard(self.model)
        total, targets = self.here.total(loss, count)
        return total / targets

    def _guard(self, step: int, loss: float, norm: float) -> None:
        """Stops at a loss that is no number or jumps, before the weights follow it."""
        trouble = None
        if not (np.isfinite(loss) and np.isfinite(norm)):
            trouble = f"the loss is {loss} and the norm of its gradient {norm}"
        elif self.job.how.spike and len(self.losses) >= 20:
            usual = statistics.median(self.losses[-REMEMBERED:])
            if loss > usual + self.job.how.spike:
                trouble = f"the loss jumped to {loss:.3f} from a median of {usual:.3f}"
        self.losses = [*self.losses[-REMEMBERED:], loss]
        if trouble:
            remedy = "look at what was in the batch; begin a run with a smaller rate, or with another `spike`"
            raise InputError(f"{trouble} at step {step + 1}", where=self._names(step - self.offset), remedy=remedy)

    def _names(self, step: int) -> str:
        names = [self.data.row(step, number).name for number in range(self.data.count(step))]
        return "; ".join(names[:8]) + (f"; and {len(names) - 8} more" if len(names) > 8 else "")

    # ── where it begins ──

    def _fill(self) -> int:
        """The weights: of this run's last checkpoint, of the start, or new ones; and the optimizers.

        Returns: tokens that were seen before.
        """
        job = self.job
        self.optimizers = optim.make(self.model, job.how.optimizer, sharded=ranks.sharded(self.model))
        begun = [path for path in checkpoints.complete(self.out).values() if checkpoints.intact(path)]
        where = begun[-1] if begun else Path(job.start) if job.start else None
        if where is None:
            folder.fill(self.model, drawn(self.config, job.how.seed), "new weights")
            self.step = self.offset = 0
            return 0
        folder.fill(self.model, folder.tensors(where), where)
        state = checkpoints.read_json(where / checkpoints.STATE) if (where / checkpoints.STATE).exists() else {}
        if begun or not job.fresh:
            if not (where / folder.OPTIMIZER).exists():
                what = "the start has no optimizer's state"
                raise InputError(
                    what, where=where, remedy="give one of its checkpoints, or begin with a fresh optimizer"
                )
            optim.restore(self.model, self.optimizers, dict(folder.tensors_of(where / folder.OPTIMIZER)), where)
        if begun:
            self.step, self.offset = int(state["step"]), int(state["offset"])
            return int(state["tokens"])
        self.step = int(state.get("step", 0)) if job.extends else 0
        same = job.extends and state.get("data") == self.data.fingerprint
        if same and state["batch"] != job.how.batch:
            what = f"the start read this plan {state['batch']} sequences a step, and now it would be {job.how.batch}"
            remedy = f"--batch {state['batch']}, or another plan: else sequences are left out, or read twice"
            raise RecipeError(what, remedy=remedy)
        self.offset = int(state["offset"]) if same else self.step
        return int(state.get("tokens", 0)) if job.extends else 0

    def _steps(self) -> int:
        """Where it ends, counted like `step`."""
        there = self.offset + self.data.steps
        steps = there if self.job.how.steps is None else self.job.how.steps
        if self.job.chats:
            steps = min(steps, there)
        elif steps > there:
            what = f"{steps} steps are wanted, and the data last until step {there}"
            raise RecipeError(what, remedy="fewer steps, or a plan with more epochs")
        self.job.how.schedule.check(steps)
        if steps <= self.step and not checkpoints.complete(self.out) and (steps or self.job.start):
            raise RecipeError(f"the start is at step {self.step}, and {steps} steps are wanted in all")
        return steps

    def _metrics(self) -> Any:
        """The file of metrics, less what came after the checkpoint that is gone on from."""
        if self.here.rank:
            return open(os.devnull, "w", encoding="utf-8")
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / "metrics.jsonl"
        kept = []
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                try:
                    facts = json.loads(line)
                except ValueError:
                    break  # a line that was cut by a kill
                if facts["step"] > self.step:
                    break
                kept.append(line + "\n")
                self.losses = [*self.losses[-REMEMBERED:], facts["loss"]]
        path.write_text("".join(kept), "utf-8")
        checkpoints.write_json(self.out / checkpoints.BEGUN, self._begun())
        return open(path, "a", encoding="utf-8")

    # ── what it writes ──

    def _say(self, facts: dict[str, Any], seconds: float, real: float) -> None:
        if self.here.rank:
            return
        speed = real / seconds
        share = speed * self.config.flops_per_token(self.data.length) / self.peak
        line = (
            f"step {facts['step']}/{self.steps}  loss {facts['loss']:.4f}  rate {facts['rate']:.2e}  "
            f"norm {facts['norm']:.2f}  {speed:,.0f} tokens/s  MFU {share:.1%}  real {facts['real_share']:.1%}"
        )
        if "held_out" in facts:
            line += f"  held-out loss {facts['held_out']:.4f}"
        print(line, file=sys.stderr, flush=True)

    def _weights(self) -> Iterator[tuple[str, Tensor]]:
        return ((name, folder.whole(parameter)) for name, parameter in self.model.named_parameters())

    def _gathered(self, tensors: Iterator[tuple[str, Tensor]]) -> dict[str, Tensor]:
        """Whole tensors, which all ranks take part in and the first one keeps."""
        return {name: tensor for name, tensor in tensors if self.here.rank == 0}

    def _save(self, step: int) -> None:
        """A checkpoint, whole or not at all."""
        weights = self._gathered(self._weights())
        remembered = self._gathered(optim.state(self.model, self.optimizers))
        if self.here.rank == 0:
            place = self.out / "checkpoints" / f"step-{step:06d}"
            beside = place.with_name(f".{place.name}")
            for old in (place, beside):
                shutil.rmtree(old, ignore_errors=True)
            beside.mkdir(parents=True)
            folder.write(beside, self.config, weights.items(), tokenizer=Path(self.job.tokenizer))
            folder.write_tensors(beside / folder.OPTIMIZER, remembered)
            facts = {
                "step": step, "offset": self.offset, "tokens": self.tokens, "data": self.data.fingerprint,
                "batch": self.job.how.batch,
                "files": checkpoints.receipts(beside),
            }  # fmt: skip
            checkpoints.write_json(beside / checkpoints.STATE, facts)
            os.replace(beside, place)
            self._forget(step)
        self.here.wait()

    def _forget(self, step: int) -> None:
        keep, there = self.job.how.keep, list(checkpoints.complete(self.out))
        for old in there[: -max(keep.last, self.job.how.average)]:
            if not (keep.each and old % keep.each == 0):
                shutil.rmtree(self.out / "checkpoints" / f"step-{old:06d}")

    def _finish(self) -> dict[str, float]:
        """The model itself: the last weights, or the mean of those of the last checkpoints."""
        last = list(checkpoints.complete(self.out).values())[-self.job.how.average :]
        if self.here.rank == 0:
            for left in (self.out / "checkpoints").glob(".step-*"):
                shutil.rmtree(left)
            dtype = getattr(torch, self.job.how.dtype)
            weights = folder.average(last) if len(last) > 1 else folder.tensors(last[-1])
            folder.write(self.out, self.config, weights, tokenizer=Path(self.job.tokenizer), dtype=dtype)
            checkpoints.write_json(self.out / "training.json", self._account(len(last)))
            (self.out / checkpoints.BEGUN).unlink(missing_ok=True)
        self.here.wait()
        return {
            "steps": self.steps, "tokens": self.tokens, "parameters": self.config.parameters, "averaged": len(last),
            "ranks": self.here.size, "gpus": self.here.size if self.here.device.type == "cuda" else 0,
            "threads": torch.get_num_threads(), "loss": self.losses[-1] if self.losses else 0.0,
        }  # fmt: skip

    def _account(self, averaged: int) -> dict[str, Any]:
        """What was asked for, and on what it ran: with these, the same bytes come out."""
        schedule, optimizer = dataclasses.asdict(self.job.how.schedule), dataclasses.asdict(self.job.how.optimizer)
        held = {} if self.held is None else {"held_out": {"every": self.job.held_every, "targets": self.held.targets}}
        return {
            **self._begun(),
            "batch": self.job.how.batch, "length": self.data.length, "tokens": self.tokens,
            "schedule": schedule, "optimizer": optimizer, "averaged_checkpoints": averaged, "seed": self.job.how.seed,
            "data": self.data.fingerprint, "matrices": self.config.matrices, **held,
        }  # fmt: skip

    def _begun(self) -> dict[str, Any]:
        """What can be said of a run while it goes on."""
        cuda = self.here.device.type == "cuda"
        return {
            "steps": self.steps, "parameters": self.config.parameters,
            "ran_on": {
                "device": torch.cuda.get_device_name(self.here.device) if cuda else "cpu",
                "ranks": self.here.size, "threads": torch.get_num_threads(), "sharding": self.job.how.hardware.sharding,
                "attention": self.backend, "torch": torch.__version__,
            },
        }  # fmt: skip


def _config(job: Job) -> Config:
    """That of the start, or of a new model with the tokenizer's vocabulary; and which tokens end a text."""
    special = Encoder(job.tokenizer, library="tokenizers")
    ends = [special.special[name] for name in ((TURN_END, END) if job.chats else (END,)) if name in special.special]
    if job.start is None:
        config = of_size(job.size, vocabulary=special.vocabulary, context=job.context or job.length)
        return dataclasses.replace(config, bos=None, eos=tuple(ends), pad=special.special.get(PAD))
    config = Config.from_folder(job.start)
    if special.vocabulary > config.vocabulary:
        what = f"the tokenizer has {special.vocabulary} entries, the start's matrix {config.vocabulary}"
        raise InputError(what, where=job.tokenizer, remedy="the tokenizer that the start was trained with")
    ends = [*ends, *(end for end in config.eos if end not in ends)]
    return dataclasses.replace(config, eos=tuple(ends), context=max(config.context, job.context or 0))


def main(arguments: list[str]) -> int:
    """`python -m codemill.model.loop JOB RESULT`: what `torchrun` starts. An error that people can mend is a result."""
    job, result = Job.read(Path(arguments[0])), Path(arguments[1])
    try:
        counts: dict[str, Any] = {"counts": train(job)}
    except CodemillError as error:
        where = None if error.where is None else str(error.where)
        counts = {"error": [type(error).__name__, error.what, where, error.remedy]}
    if int(os.environ.get("RANK", "0")) == 0 or "error" in counts:
        checkpoints.write_json(result, counts)
    return 1 if "error" in counts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
