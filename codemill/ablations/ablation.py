"""What an ablation is: a hypothesis, arms that differ in one decision, and scales."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codemill import RecipeError, Table, catalog
from codemill.errors import did_you_mean
from codemill.machine.source import Source


@dataclass(frozen=True)
class Ablation:
    """An experiment. `arms` make a corpus of inputs each; the paper's choice is the first.

    `hypothesis` is what the paper found, written before anything is run; the first arm's bits per byte should be lower.
    """

    name: str
    hypothesis: str
    cited: str
    arms: dict[str, Callable[[Sequence[Source]], Table]]


@dataclass(frozen=True)
class Scale:
    """How large an experiment is. Every arm has the same tokens, repeated where its corpus is smaller.

    `held_out` is a share of repositories; `files` how many held-out files of a language are measured.
    """

    size: str  # of `train.pretrain`
    tokens: int
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


SCALES = {
    # A minute or two: whether it runs, not what it says.
    "smoke": Scale("tiny", 16_000, 1024, 64, 8, 3e-3, 2, 2, 0.34, 3, sample_bytes=1_000_000, device="cpu"),
    # Two cores, at most 8 minutes a run: a model of 0.8 million parameters that reads 2 million tokens.
    "laptop": Scale("tiny", 2_000_000, 4096, 512, 8, 2e-3, 50, 3, 0.1, 40, device="cpu"),
    # One hour of one GPU for each run.
    "gpu": Scale("125M", 2_000_000_000, 32_768, 2048, 128, 1e-3, 500, 3, 0.02, 400, sample_bytes=1_000_000_000),
}


def all() -> dict[str, Ablation]:
    """Every ablation by name: each module of this package that has an `ABLATION`."""
    found = [getattr(module, "ABLATION", None) for module in catalog.modules("codemill.ablations")]
    return {one.name: one for one in found if one is not None}


def get(name: str) -> Ablation:
    """The ablation of that name. Raises: RecipeError with the nearest names."""
    if name not in all():
        raise RecipeError(f"there is no ablation {name!r}", remedy=did_you_mean(name, all()))
    return all()[name]
