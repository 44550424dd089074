"""What runs of an ablation say: the difference, the noise, and how often one run would decide rightly."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Student's t, two-sided 95 %, by degrees of freedom; beyond 30 the normal value is near enough.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
      2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """An arm beside the first one. Unit: bits per byte; a positive difference means that the first arm is better.

    `noise` is the standard deviation over seeds within arms, pooled; `accuracy` the share of pairs of single runs, one
    of each arm, that are in the order of the means: 0.5 is a coin.
    """

    arm: str
    difference: float
    low: float
    high: float
    noise: float
    accuracy: float

    @property
    def words(self) -> str:
        """The conclusion, soberly."""
        if self.low > 0:
            return "confirmed: the first arm is better"
        if self.high < 0:
            return "not confirmed: this arm is better"
        return "this scale cannot tell"


def judge(first: Sequence[float], other: Sequence[float], arm: str = "") -> Verdict:
    """Compares runs of two arms with the same seeds, seed by seed: a t interval of the differences.

    Raises: ValueError for fewer than two seeds, or other numbers of seeds.

    >>> judge([1.0, 1.1, 0.9], [1.5, 1.7, 1.4]).words
    'confirmed: the first arm is better'
    """
    if len(first) != len(other) or len(first) < 2:
        raise ValueError(f"{len(first)} and {len(other)} runs: give two seeds or more of each arm")
    gains = [b - a for a, b in zip(first, other, strict=True)]
    mean, n = statistics.fmean(gains), len(gains)
    half = (_T[n - 2] if n - 2 < len(_T) else 1.96) * statistics.stdev(gains) / math.sqrt(n)
    noise = math.sqrt((statistics.variance(first) + statistics.variance(other)) / 2)
    sign = statistics.fmean(other) - statistics.fmean(first)
    right = sum(1.0 if (b - a) * sign > 0 else 0.5 if b == a else 0.0 for a in first for b in other)
    return Verdict(arm, mean, mean - half, mean + half, noise, right / (n * n))
