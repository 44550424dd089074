"""What a training run is told: plain data, which travels to other processes as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from codemill.errors import EnvironmentProblem, RecipeError
from codemill.model.schedule import Schedule

OPTIMIZERS = ("adamw", "muon")
BACKENDS = ("sdpa", "flex", "causal")
"""Of attention: see `model.attention`."""


@dataclass(frozen=True)
class Hardware:
    """Where a model is trained: how fast, and never what. No field of it enters an identity.

    `device`: cpu, cuda or auto. `ranks`: processes, each with a device; 0: one for each GPU, or one. `micro`: sequences
    that a rank works on at a time; 0: all of its share. `threads` of a rank on the CPU; 0: as many as torch takes.
    `sharding`: ddp, or fsdp, where each rank holds a part of the weights. `recompute`: activation checkpointing.

    Raises: RecipeError for values that none of these can have.
    """

    device: str = "auto"
    ranks: int = 0
    micro: int = 0
    threads: int = 0
    sharding: str = "ddp"
    attention: str = "auto"
    compile: bool = False
    recompute: bool = False

    PLACES: ClassVar[tuple[str, ...]] = (
        "device", "ranks", "micro", "threads", "sharding", "attention", "compile", "recompute",
    )  # fmt: skip

    def __post_init__(self) -> None:
        for name, known in (
            ("device", ("auto", "cpu", "cuda")),
            ("sharding", ("ddp", "fsdp")),
            ("attention", ("auto", *BACKENDS)),
        ):
            if getattr(self, name) not in known:
                raise RecipeError(f"{name} cannot be {getattr(self, name)!r}", remedy=f"one of: {', '.join(known)}")
        for name in ("ranks", "micro", "threads"):
            if getattr(self, name) < 0:
                raise RecipeError(f"{name} are counted from 0, got {getattr(self, name)}")


@dataclass(frozen=True)
class Optimizer:
    """How weights follow their gradients. OpenCoder's report says nothing of betas, decay or clipping: these are those
    of Llama 2 and most since. With `muon`, matrices of the layers go by Muon, and the rest by AdamW.

    `decay` is the decay of weights, on matrices only.
    """

    name: str = "adamw"
    betas: tuple[float, float] = (0.9, 0.95)
    decay: float = 0.1
    clip: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in OPTIMIZERS:
            raise RecipeError(f"there is no optimizer {self.name!r}", remedy=f"one of: {', '.join(OPTIMIZERS)}")


@dataclass(frozen=True)
class Keep:
    """Which checkpoints are written and kept: one every `every` steps, of which the `last` ones stay, and besides one
    in `each` steps for good (0: none). The final state is always kept."""

    every: int = 1000
    last: int = 2
    each: int = 0

    def __post_init__(self) -> None:
        if self.every < 1 or self.last < 1 or self.each < 0:
            raise RecipeError(f"checkpoints are kept every 1 step or more, the last 1 or more; got {self}")


@dataclass(frozen=True)
class Training:
    """How a model is trained: `batch` sequences of a plan, or chats, are one step; there are `steps` in all, by
    default as many as the data have; 0 is a model as it begins. (Of chats it is a limit.)

    The model is the mean of the last `average` checkpoints, written as `dtype`. A loss that is `spike` nats above the
    median of the last hundred stops the run (0: never). `seed`: of new weights, and of the order of chats.

    Raises: RecipeError for values that cannot be.
    """

    schedule: Schedule
    batch: int
    steps: int | None = None
    optimizer: Optimizer = field(default_factory=Optimizer)
    keep: Keep = field(default_factory=Keep)
    average: int = 1
    spike: float = 3.0
    seed: int = 0
    dtype: str = "float32"
    hardware: Hardware = field(default_factory=Hardware)

    def __post_init__(self) -> None:
        for name, value in (("batch", self.batch), ("average", self.average)):
            if value < 1:
                raise RecipeError(f"{name} must be at least 1, got {value}")
        if self.steps is not None and self.steps < 0:
            raise RecipeError(f"steps are counted from 0, got {self.steps}")
        if self.dtype not in ("float32", "bfloat16"):
            raise RecipeError(f"weights are not written as {self.dtype!r}", remedy="float32 or bfloat16")


@dataclass(frozen=True)
class Job:
    """A training run: how, on what, from where, to where.

    Its data: the `plan` of a run over the token `shards` of others, in order; or `chats`, a file of encoded chats, seen
    `epochs` times, in rows of `length` tokens.

    Its model: `size` and `context` (by default the `length`) for a new one; or `start`, a folder. The run keeps a
    start's optimizer, unless `fresh`. With `extends` it goes on counting steps where `start` stopped, and reads on in
    the same plan; without, it counts from 0.

    It is measured on `held_out`, a file such as `chats`: after the first step, every `held_every`, and at the end.
    """

    out: str
    tokenizer: str
    how: Training
    length: int
    plan: str | None = None
    shards: tuple[str, ...] = ()
    chats: str | None = None
    epochs: int = 1
    size: str = "tiny"
    context: int | None = None
    start: str | None = None
    fresh: bool = False
    extends: bool = False
    held_out: str | None = None
    held_every: int = 100

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise RecipeError(f"epochs must be at least 1, got {self.epochs}")
        if (self.plan is None) == (self.chats is None):
            raise RecipeError("a training run reads a plan, or chats")

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(facts: Mapping[str, Any]) -> Job:
        """The same from plain data."""
        how = dict(facts["how"])
        optimizer = {**how["optimizer"], "betas": tuple(how["optimizer"]["betas"])}
        how |= {
            "schedule": Schedule(**how["schedule"]),
            "optimizer": Optimizer(**optimizer),
            "keep": Keep(**how["keep"]),
            "hardware": Hardware(**how["hardware"]),
        }
        return Job(**{**facts, "how": Training(**how), "shards": tuple(facts["shards"])})

    @staticmethod
    def read(path: Path) -> Job:
        """From a file."""
        return Job.from_json(json.loads(path.read_text("utf-8")))


def need(*packages: str) -> None:
    """Raises: EnvironmentProblem if one of the packages that train or serve is not installed."""
    import importlib.util

    for package in packages or ("torch", "safetensors"):
        if importlib.util.find_spec(package) is None:
            raise EnvironmentProblem(f"{package} is not installed", remedy='pip install "codemill[train]"')
