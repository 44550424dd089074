"""Keeps a share of the documents of some languages, the same ones on every run and every machine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from codemill import languages
from codemill.chance import draws
from codemill.errors import RecipeError
from codemill.machine.table import step

PURPOSE = "sample"
"""One draw for all ways to sample: what is left by one of them is as it would be left by another."""


def _check(*, keep: Mapping[str, float], seed: int) -> None:
    for language, share in keep.items():
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise RecipeError(f"a fraction must be between 0 and 1, got {share!r}", where=f"keep[{language!r}]")
        languages.get(language)


@step(
    version=2,
    reads=("content_sha256", "language"),
    adds={"reason": pa.string(), "value": pa.string()},
    check=_check,
    drops={"not_sampled": "left out by the sample of its language"},
)
def fraction(documents: pa.RecordBatch, *, keep: Mapping[str, float], seed: int = 0) -> pa.RecordBatch:
    """Keeps about the given fraction of each language's documents; languages that are not named are kept whole.

    A document stays if a draw by (seed, the hash of its content as ingested) falls below the fraction. So the sample
    does not depend on order, shards, workers or commits that left the file alone; a smaller fraction is a subset of a
    larger one; and a growing corpus keeps what it kept. The reason is `not_sampled`, the value the fraction.
    Raises: RecipeError for a fraction outside 0…1 or an unknown language. From: OpenCoder 2.1.1, sampling.
    """
    limits = np.array([keep.get(language or "", 1.0) for language in documents["language"].to_pylist()])
    lost = draws(documents["content_sha256"], seed=seed, purpose=PURPOSE) >= limits
    return pa.record_batch(
        {
            "reason": pa.array(["not_sampled" if gone else None for gone in lost], pa.string()),
            "value": pa.array([f"{limits[i]:g}" if gone else None for i, gone in enumerate(lost)], pa.string()),
        }
    )
