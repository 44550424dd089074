"""The learning rate of each step: warm-up, a plateau, and a decay (WSD); with a decay all the way it is any other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from codemill.errors import RecipeError

DECAYS: dict[str, Callable[[float, float, float], float]] = {
    "exponential": lambda peak, final, t: peak * (final / peak) ** t,
    "linear": lambda peak, final, t: peak + (final - peak) * t,
    "1-sqrt": lambda peak, final, t: peak + (final - peak) * math.sqrt(t),
    "cosine": lambda peak, final, t: final + (peak - final) * (1 + math.cos(math.pi * t)) / 2,
}
"""From the peak (t = 0) to the final rate (t = 1). OpenCoder's is exponential."""


@dataclass(frozen=True)
class Schedule:
    """Warm-up over `warmup` steps to `peak`, a plateau, and over the last `decay` steps a decay to `final`.

    `decay` of None: all steps after the warm-up. From: MiniCPM (arXiv 2404.06395) for WSD; OpenCoder, 2.3: 2,000
    steps to 3e-4, and in annealing exponentially to 1e-5.

    Raises: RecipeError for what is no schedule.
    """

    peak: float
    final: float = 0.0
    warmup: int = 0
    decay: int | None = 0
    shape: str = "exponential"

    def __post_init__(self) -> None:
        if self.shape not in DECAYS:
            raise RecipeError(f"there is no decay {self.shape!r}", remedy=f"one of: {', '.join(DECAYS)}")
        if not (self.peak > 0 and 0 <= self.final <= self.peak):
            raise RecipeError(f"a learning rate goes from above 0 down, got {self.peak!r} to {self.final!r}")
        if self.warmup < 0 or (self.decay or 0) < 0:
            raise RecipeError(f"steps are counted from 0, got warm-up {self.warmup} and decay {self.decay}")
        if self.shape == "exponential" and self.final == 0 and self.decay != 0:
            raise RecipeError("an exponential decay never reaches 0", remedy="a final rate such as 1e-5")

    def check(self, steps: int) -> None:
        """Raises: RecipeError if warm-up and decay do not fit into so many steps: the rate would jump.

        A warm-up alone may be cut off: a later run goes on with it.
        """
        if self.decay is None:
            fits = self.warmup < steps or steps == 0
        else:
            fits = self.decay == 0 or self.warmup + self.decay <= steps
        if not fits:
            told = f"a warm-up of {self.warmup} steps and a decay"
            raise RecipeError(f"{told} do not fit into {steps} steps", remedy="more steps, or a shorter warm-up")

    def rate(self, step: int, steps: int) -> float:
        """The rate of step 0 … steps - 1. The last step of a decay has the final rate, the last of a warm-up the peak.

        >>> wsd = Schedule(1.0, 0.01, warmup=2, decay=2)
        >>> [wsd.rate(step, 6) for step in range(6)]
        [0.5, 1.0, 1.0, 1.0, 0.1, 0.01]
        """
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        length = steps - self.warmup if self.decay is None else self.decay
        begins = steps - length
        if step < begins:
            return self.peak
        return DECAYS[self.shape](self.peak, self.final, (step + 1 - begins) / length)
