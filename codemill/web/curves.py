"""How good scores are against labels: precision and recall at every threshold, and how far probabilities hold."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST_RECALL = 0.05
SHOWN = 50
"""Points of a curve that are written down."""


def curve(scores: npt.NDArray[Any], labels: npt.NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Thresholds in falling order, with the precision and the recall of taking all that score as much or more."""
    order = np.argsort(-scores.astype(np.float64), kind="stable")
    sorted_scores, hits = scores[order].astype(np.float64), np.cumsum(labels[order] == 1)
    ends = np.flatnonzero(np.append(np.diff(sorted_scores) != 0, True)) if len(order) else np.zeros(0, np.int64)
    found = hits[ends].astype(np.float64) if len(order) else np.zeros(0)
    total = max(1, int((labels == 1).sum()))
    return sorted_scores[ends], found / (ends + 1), found / total


def threshold_for_precision(scores: npt.NDArray[Any], labels: npt.NDArray[Any], precision: float) -> float | None:
    """The lowest threshold at which so large a share of what is taken is right. None: there is none.

    One that recalls less than `LEAST_RECALL` does not count: the page that scores best is right by chance.
    """
    thresholds, precisions, recalls = curve(scores, labels)
    good = np.flatnonzero((precisions >= precision) & (recalls >= LEAST_RECALL))
    return float(thresholds[good[-1]]) if len(good) else None


def most_certain(scores: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """The threshold whose precision is surely the highest: by the lower bound of Wilson's interval (95 %), so that it
    is set by many pages rather than by the few that score best. Of an empty set: 1.0."""
    thresholds, precisions, _ = curve(scores, labels)
    taken = [int((scores >= threshold).sum()) for threshold in thresholds]
    bounds = [lower_bound(round(p * n), n, 0.95) for p, n in zip(precisions, taken, strict=True)]
    return float(thresholds[int(np.argmax(bounds))]) if bounds else 1.0


def recall_at_precision(scores: npt.NDArray[Any], labels: npt.NDArray[Any], precision: float) -> float:
    """The largest recall that any threshold of this precision has; 0 if there is none."""
    _, precisions, recalls = curve(scores, labels)
    good = precisions >= precision
    return float(recalls[good].max()) if good.any() else 0.0


def average_precision(scores: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """The area under the curve of precision over recall, in steps."""
    _, precisions, recalls = curve(scores, labels)
    return float(np.sum(np.diff(np.append(0.0, recalls)) * precisions))


def points(scores: npt.NDArray[Any], labels: npt.NDArray[Any]) -> list[dict[str, float]]:
    """At most `SHOWN` points of the curve, evenly over recall."""
    thresholds, precisions, recalls = curve(scores, labels)
    if not len(thresholds):
        return []
    at = np.unique(np.searchsorted(recalls, np.linspace(recalls[0], recalls[-1], SHOWN)))
    at = np.unique(np.append(at[at < len(recalls)], len(recalls) - 1))
    named = zip(thresholds[at], precisions[at], recalls[at], strict=True)
    return [{"threshold": round(t, 6), "precision": round(p, 6), "recall": round(r, 6)} for t, p, r in named]


def calibration(scores: npt.NDArray[Any], labels: npt.NDArray[Any], bins: int = 10) -> list[dict[str, float]]:
    """For each tenth of the scale: pages, their mean score, and the share of them that is about code."""
    number = np.minimum((scores.astype(np.float64) * bins).astype(np.int64), bins - 1)
    made = []
    for i in np.unique(number):
        here = number == i
        mean, share = float(scores[here].mean()), float((labels[here] == 1).mean())
        made.append(
            {"from": float(i) / bins, "pages": int(here.sum()), "score": round(mean, 6), "code": round(share, 6)}
        )
    return made


def lower_bound(found: int, of: int, confidence: float) -> float:
    """The share of which one may be so confident that the true one is above it (Wilson's interval, one side).

    >>> round(lower_bound(8, 100, 0.95), 3), round(lower_bound(30, 100, 0.95), 3)
    (0.046, 0.231)
    """
    if not of:
        return 0.0
    z = NormalDist().inv_cdf(confidence)
    share = found / of
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, (share + z * z / (2 * of) - spread) / (1 + z * z / of))
