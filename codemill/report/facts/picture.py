"""A picture of a corpus: a sample of documents placed by what their texts are made of, so that outliers stand out.

Each document becomes counts of hashed byte 3-grams, weighed as tf-idf and scaled to length 1; the two directions in
which the sample varies most (principal components) are the axes. From: OpenCoder's check of its corpus against The
Stack v2 with CodeBERT embeddings under PCA, where comment-only files, hex dumps and very short code were outliers; ours
needs no model, and sees spelling, not meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FEATURES = 512
AT_MOST = 1 << 14  # bytes of a text that are looked at


def features(texts: Sequence[str]) -> Floats:
    """Hashed 3-gram counts of each text's first 16 KiB as tf-idf, of length 1 (0 for texts under 3 bytes).

    Shape: (texts, 512).
    """
    counts = np.zeros((len(texts), FEATURES))
    for i, text in enumerate(texts):
        data = np.frombuffer(text[:AT_MOST].encode("utf-8", "replace")[:AT_MOST], dtype=np.uint8).astype(np.uint32)
        if len(data) >= 3:
            grams = (data[:-2] << 16 | data[1:-1] << 8 | data[2:]) * np.uint32(2_654_435_761)
            counts[i] = np.bincount(grams >> np.uint32(23), minlength=FEATURES)
    rarity = 1 + np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0)))
    weighed = np.log1p(counts) * rarity
    length = np.linalg.norm(weighed, axis=1, keepdims=True)
    scaled: Floats = np.divide(weighed, length, out=np.zeros_like(weighed), where=length > 0)
    return scaled


def plane(points: Floats) -> Floats:
    """The points on their two principal components, the same for the same points: signs are fixed.

    Shape: (points, features) in, (points, 2) out; zeros if there are fewer than three points.
    """
    if len(points) < 3:
        return np.zeros((len(points), 2))
    centred = points - points.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    axes = vectors[:, :-3:-1]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return np.round(centred @ axes, 4)  # type: ignore[no-any-return]


def outlying(places: Floats) -> Floats:
    """How far out each point lies: its distance from the median, in median distances."""
    distance = np.linalg.norm(places - np.median(places, axis=0), axis=1) if len(places) else np.zeros(0)
    middle = float(np.median(distance)) if len(distance) else 0.0
    return distance / middle if middle else distance


def points(rows: Sequence[dict[str, Any]], texts: Sequence[str]) -> list[dict[str, Any]]:
    """The rows with `x` and `y` from 0 to 1 and `out`, how far out; those furthest out last, to lie on top."""
    places = plane(features(texts))
    out = outlying(places)
    low, span = (places.min(axis=0), np.ptp(places, axis=0)) if len(places) else (np.zeros(2), np.ones(2))
    scaled = (places - low) / np.where(span > 0, span, 1)
    placed = [
        {**row, "x": round(float(x), 4), "y": round(float(y), 4), "out": round(float(o), 2)}
        for row, (x, y), o in zip(rows, scaled, out, strict=True)
    ]
    return sorted(placed, key=lambda row: (row["out"], row["id"]))
