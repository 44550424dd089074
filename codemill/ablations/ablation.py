"""What an ablation is: a hypothesis, arms that differ in one decision, and scales."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codemill import Outputs, RecipeError, Table, catalog
from codemill.errors import did_you_mean
from codemill.machine.source import Source
from codemill.teacher.running import SANDBOX


@dataclass(frozen=True)
class Given:
    """What a user gives. `teacher` writes synthetic rows and is named as for `codemill run annealing`.

    `benchmarks` are published files: models are measured on their answers too, and no corpus or set has their tasks.
    """

    inputs: Sequence[Source]
    teacher: str | None = None
    benchmarks: tuple[str, ...] = ()
    runner: str = SANDBOX  # what runs programs


Corpus = Callable[[Sequence[Source]], Table]
"""An arm that is a corpus: a model is pretrained on it."""


@dataclass(frozen=True)
class Annealed:
    """An arm that goes on from the base model with the annealing mix: the base's own corpus, and sets by the paper's
    shares. `sets` says for inputs of `annealing_mix` which of the ablation's sets they are.
    """

    sets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tuned:
    """An arm that goes on from the base model with chats, in one stage or two that share the steps evenly."""

    stage1: tuple[str, ...]
    stage2: tuple[str, ...] = ()


Arm = Corpus | Annealed | Tuned


@dataclass(frozen=True)
class Ablation:
    """An experiment. Its arms are of one kind; the paper's choice is the first.

    `hypothesis` is what the paper found, written before anything is run; the first arm's bits per byte should be lower.
    `sets` makes what arms of `Annealed` or `Tuned` go on with, out of the base's corpus (the folder of its run). An arm
    one of whose sets is not made, for there is no teacher, or is empty, is left out.
    """

    name: str
    hypothesis: str
    cited: str
    arms: Mapping[str, Arm]
    sets: Callable[[str, Given, Scale], Outputs] | None = None
    teacher: bool = False  # whether it is about rows that a teacher writes, and cannot be run without one


# The defaults of `annealing`; a small teacher is asked shorter and fewer questions, as in its laptop variant.
_ASKED = {"seeds": 0, "seed_chars": 6000, "tries": 2, "least_strength": 0.5, "max_tokens": 2048}
_SMALL = {**_ASKED, "seeds": 32, "seed_chars": 1000, "tries": 1, "max_tokens": 256}
_TUNING = {"most_pages": 24, "seeds": 0.003, "names": 8, "languages": ("python", "javascript"), "seed_chars": 1000,
           "tries": 1, "max_tokens": 256}  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """How large an experiment is. Every arm has the same tokens, repeated where its corpus is smaller.

    `held_out` is a share of repositories; `files` how many held-out files of a language are measured, and how many
    held-out functions for each of these. `asked` are options of `annealing`, `tuning` of `post_training`.
    """

    size: str  # of `train.pretrain`
    tokens: int
    further: int  # tokens with which arms go on from a base model; of chats, as many steps as that
    vocabulary: int
    length: int
    batch: int
    rate: float
    warmup: int
    seeds: int
    held_out: float
    files: int
    sample_bytes: int = 50_000_000
    device: str = "auto"
    asked: Mapping[str, Any] = field(default_factory=lambda: dict(_ASKED))
    tuning: Mapping[str, Any] = field(default_factory=dict)

    def steps(self, tokens: int) -> int:
        """How many steps read so many tokens. Raises: RecipeError if it is none."""
        if tokens < self.length * self.batch:
            raise RecipeError(f"{tokens:,} tokens are fewer than a step has", remedy=f"{self.length * self.batch:,}")
        return tokens // (self.length * self.batch)


SCALES = {
    # A minute or two: whether it runs, not what it says. Recorded answers have weak tests.
    "smoke": Scale(
        "tiny", 16_000, 8_000, 1024, 192, 4, 3e-3, 2, 2, 0.34, 3, sample_bytes=1_000_000, device="cpu",
        asked={**_SMALL, "seeds": 8, "least_strength": 0.0}, tuning=_TUNING,
    ),
    # Two cores, at most 8 minutes a run: a model of 0.8 million parameters that reads 2 million tokens, and half a
    # million more where arms go on from a base.
    "laptop": Scale(
        "tiny", 2_000_000, 500_000, 4096, 512, 8, 2e-3, 50, 3, 0.1, 40, device="cpu", asked=_SMALL, tuning=_TUNING
    ),
    # One hour of one GPU for each run.
    "gpu": Scale(
        "125M", 2_000_000_000, 500_000_000, 32_768, 2048, 128, 1e-3, 500, 3, 0.02, 400, sample_bytes=1_000_000_000
    ),
}  # fmt: skip


def all() -> dict[str, Ablation]:
    """Every ablation by name: each module of this package that has an `ABLATION`."""
    found = [getattr(module, "ABLATION", None) for module in catalog.modules("codemill.ablations")]
    return {one.name: one for one in found if one is not None}


def get(name: str) -> Ablation:
    """The ablation of that name. Raises: RecipeError with the nearest names."""
    if name not in all():
        raise RecipeError(f"there is no ablation {name!r}", remedy=did_you_mean(name, all()))
    return all()[name]
