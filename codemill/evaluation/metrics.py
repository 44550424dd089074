"""From verdicts to numbers: pass@k, and how sure they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 10_000
"""Of a bootstrap. Its seed is fixed: the same verdicts give the same interval."""

Z = 1.959963984540054
"""Of 95 %."""


@dataclass(frozen=True)
class Estimate:
    """A mean over tasks with its 95 % interval; `how` names the method."""

    value: float
    low: float
    high: float
    how: str


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The chance that one of k samples passes, without bias: 1 - C(n-c, k) / C(n, k).

    From: Chen et al. 2021, arXiv 2107.03374. Raises: ValueError where k is more than there are samples.

    >>> pass_at_k(4, 2, 1), pass_at_k(4, 2, 2), pass_at_k(4, 3, 2)
    (0.5, 0.8333333333333334, 1.0)
    """
    if not 0 < k <= samples or not 0 <= passed <= samples:
        raise ValueError(f"pass@{k} of {passed} out of {samples} samples")
    if samples - passed < k:
        return 1.0
    return 1.0 - math.comb(samples - passed, k) / math.comb(samples, k)


def over_tasks(values: Sequence[float]) -> Estimate:
    """The mean of a value per task. Wilson's interval where values are 0 and 1, else a bootstrap over tasks.

    Why: tasks are what is drawn; samples of one task are not independent. Wilson's does not collapse at 0 and 1.

    >>> some = over_tasks([1, 0, 0, 0])
    >>> some.value, round(some.low, 3), round(some.high, 3), some.how
    (0.25, 0.046, 0.699, 'Wilson')
    """
    if not values:
        return Estimate(math.nan, math.nan, math.nan, "none")
    array = np.asarray(values, np.float64)
    mean, n = float(array.mean()), len(array)
    if set(values) <= {0, 1}:
        middle = (mean + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z * math.sqrt(mean * (1 - mean) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return Estimate(mean, max(0.0, middle - half), min(1.0, middle + half), "Wilson")
    low, high = _bootstrap(array)
    return Estimate(mean, low, high, "bootstrap over tasks")


@dataclass(frozen=True)
class Difference:
    """Two models on the same tasks: how much the second has more, and how often they differ."""

    value: float  # mean of the second minus mean of the first
    low: float
    high: float
    tasks: int
    first: int  # tasks on which the first is better
    second: int  # tasks on which the second is better
    p: float  # of the sign test: as many this uneven or more by chance


def paired(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Compares task by task: a bootstrap of the differences, and the exact sign test (McNemar's where values are 0, 1).

    >>> paired([0, 0, 1, 1], [1, 1, 1, 1])
    Difference(value=0.5, low=0.0, high=1.0, tasks=4, first=0, second=2, p=0.5)
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} tasks beside {len(second)}")
    if not first:
        return Difference(math.nan, math.nan, math.nan, 0, 0, 0, 1.0)
    gains = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    low, high = _bootstrap(gains)
    worse, better = int((gains < 0).sum()), int((gains > 0).sum())
    return Difference(float(gains.mean()), low, high, len(gains), worse, better, sign_test(worse, better))


def sign_test(one: int, other: int) -> float:
    """The chance that two even sides are at least this uneven.

    >>> sign_test(0, 5), sign_test(3, 3)
    (0.0625, 1.0)
    """
    n, few = one + other, min(one, other)
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(few + 1)) / 2**n) if n else 1.0


def _bootstrap(array: np.ndarray) -> tuple[float, float]:
    random, means = np.random.default_rng(0), []
    for _ in range(0, DRAWS, 500):  # by pieces, so that memory stays small
        means.append(array[random.integers(0, len(array), (500, len(array)))].mean(axis=1))
    low, high = np.quantile(np.concatenate(means), (0.025, 0.975))
    return float(low), float(high)


Amount = tuple[float, float]
"""How much, and of how much: the bits and the bytes of a text."""


def over_texts(amounts: Sequence[Amount]) -> Estimate:
    """The sum over the sum, so that a text counts by its length, with the interval of a bootstrap over texts.

    >>> over_texts([(2, 1), (8, 4)]).value
    2.0
    """
    if not amounts:
        return Estimate(math.nan, math.nan, math.nan, "none")
    low, high = _bootstrap_of_sums(np.asarray([amounts], np.float64))
    return Estimate(_rate(amounts), low, high, "bootstrap over texts")


def paired_texts(first: Sequence[Amount], second: Sequence[Amount]) -> Difference:
    """Compares two rates of `over_texts` on the same texts. Better is what has more, as in `paired`.

    >>> found = paired_texts([(2, 1), (8, 4)], [(1, 1), (8, 4)])
    >>> round(found.value, 3), found.first, found.second
    (-0.2, 1, 0)
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} texts beside {len(second)}")
    if not first:
        return Difference(math.nan, math.nan, math.nan, 0, 0, 0, 1.0)
    low, high = _bootstrap_of_sums(np.asarray([second, first], np.float64))
    gains = [b[0] / b[1] - a[0] / a[1] for a, b in zip(first, second, strict=True)]
    worse, better = sum(gain < 0 for gain in gains), sum(gain > 0 for gain in gains)
    value = _rate(second) - _rate(first)
    return Difference(value, low, high, len(gains), worse, better, sign_test(worse, better))


def _rate(amounts: Sequence[Amount]) -> float:
    return math.fsum(top for top, _ in amounts) / math.fsum(bottom for _, bottom in amounts)


def _bootstrap_of_sums(amounts_MT2: np.ndarray) -> tuple[float, float]:
    """Of one model (M) its rate over texts (T), of two the first one's less the second one's."""
    random, found = np.random.default_rng(0), []
    texts = amounts_MT2.shape[1]
    for _ in range(0, DRAWS // 10, 100):
        sums_MD2 = amounts_MT2[:, random.integers(0, texts, (100, texts))].sum(axis=2)
        rates_MD = sums_MD2[..., 0] / sums_MD2[..., 1]
        found.append(rates_MD[0] - rates_MD[1] if len(rates_MD) > 1 else rates_MD[0])
    low, high = np.quantile(np.concatenate(found), (0.025, 0.975))
    return float(low), float(high)
