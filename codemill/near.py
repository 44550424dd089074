"""Near-duplicates of texts in memory: sketches, the probability of finding a pair, and which text copies which.

For notebooks. `steps/dedup.py` does the same for tables of any size. See docs/near-duplicates.md.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from codemill import _core
from codemill.columns import Column as Texts
from codemill.columns import column
from codemill.errors import RecipeError

_MISSED = 0.001
"""Share of the pairs just at the threshold that `near_duplicates` may miss."""
_LEADERS = 16
"""Kept texts per bucket that a text is compared with. Bounds the work where thousands of texts are much alike."""


def collision_probability(similarity: float, *, bands: int, rows: int) -> float:
    """The probability that two texts of this similarity share a band: `1 - (1 - s^rows)^bands`.

    From: Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4.

    >>> [round(collision_probability(s, bands=16, rows=128), 3) for s in (0.9, 0.95, 0.98, 0.99)]
    [0.0, 0.022, 0.714, 0.994]
    """
    _positive(bands=bands, rows=rows)
    if not 0 <= similarity <= 1:
        raise RecipeError(f"similarity: expected a number from 0 to 1, got {similarity!r}")
    return float(-np.expm1(bands * np.log1p(-(similarity**rows)))) if similarity < 1 else 1.0


def effective_threshold(bands: int, rows: int) -> float:
    """The similarity above which most pairs share a band: `(1 / bands)^(1 / rows)`.

    >>> round(effective_threshold(16, 128), 3)
    0.979
    """
    _positive(bands=bands, rows=rows)
    return float((1 / bands) ** (1 / rows))


def similarity_for(probability: float, *, bands: int, rows: int) -> float:
    """The similarity at which two texts share a band with this probability: the inverse of `collision_probability`.

    >>> [round(similarity_for(p, bands=16, rows=128), 3) for p in (0.01, 0.5, 0.99)]
    [0.944, 0.976, 0.989]
    """
    _positive(bands=bands, rows=rows)
    if not 0 <= probability <= 1:
        raise RecipeError(f"probability: expected a number from 0 to 1, got {probability!r}")
    if probability == 1:
        return 1.0
    return float((-np.expm1(np.log1p(-probability) / bands)) ** (1 / rows))


def curve(bands: int, rows: int) -> list[str]:
    """Explains bands and rows in lines for people: at which similarity pairs meet, and how often.

    >>> for line in curve(16, 128):
    ...     print(line)
    16 bands x 128 rows: pairs meet with probability 1 % at J = 0.944, 50 % at 0.976, 99 % at 0.989
    effective threshold J = 0.979; pairs that meet: J 0.940: 1 %, 0.952: 3 %, 0.964: 14 %, 0.976: 52 %, 0.988: 98 %
    """
    least, half, most = (similarity_for(p, bands=bands, rows=rows) for p in (0.01, 0.5, 0.99))
    low = np.floor(100 * least) / 100
    places = [low + i * (1 - low) / 5 for i in range(5)]
    met = [f"{s:.3f}: {100 * collision_probability(s, bands=bands, rows=rows):.0f} %" for s in places]
    return [
        f"{bands} bands x {rows} rows: pairs meet with probability 1 % at J = {least:.3f}, 50 % at {half:.3f}, "
        f"99 % at {most:.3f}",
        f"effective threshold J = {effective_threshold(bands, rows):.3f}; pairs that meet: J {', '.join(met)}",
    ]


def bands_for(threshold: float, *, hashes: int = 2048) -> tuple[int, int]:
    """The bands and rows that find 99.9 % of the pairs at `threshold`, with the fewest pairs below it.

    >>> bands_for(0.8)
    (157, 13)
    """
    _positive(hashes=hashes)
    if not 0 < threshold <= 1:
        raise RecipeError(f"threshold: expected more than 0, at most 1, got {threshold!r}")
    for rows in range(hashes, 0, -1):
        bands = hashes // rows
        if collision_probability(threshold, bands=bands, rows=rows) >= 1 - _MISSED:
            return bands, rows
    least = 1 - _MISSED ** (1 / hashes)
    raise RecipeError(
        f"threshold: {threshold} is too low for {hashes} hashes",
        remedy=f"give at least {least:.3f}, or more hashes",
    )


def sketch(
    texts: Texts, *, hashes: int = 2048, ngram: int = 5, unit: str = "word", seed: int = 0
) -> pa.FixedSizeBinaryArray:
    """Sketches each text. The share of equal 32-bit numbers in two sketches estimates their Jaccard similarity.

    Shape: one row per text, `hashes` little-endian 32-bit numbers. Standard error of an estimate of J:
    `sqrt(J * (1 - J) / hashes)`.
    Texts are composed first (NFC); one with fewer than `ngram` words or characters is one shingle, of all but blanks.
    Null: the text is null or has no word (`unit="word"`) or character (`unit="char"`).
    Raises: ValueError naming the parameter that is out of range.

    >>> a, b = "def add(a, b): return a + b  # the sum", "def add(a, b): return a + b  # their sum"
    >>> sketches = sketch([a, b, "()"], hashes=256)
    >>> sketches.is_null().to_pylist()
    [False, False, True]
    >>> similarity(sketches[:1], sketches[1:2]).to_pylist()
    [0.40625]
    """
    return _core.sketch(column(texts, pa.large_string()), hashes=hashes, ngram=ngram, unit=unit, seed=seed)


def similarity(a: pa.FixedSizeBinaryArray, b: pa.FixedSizeBinaryArray) -> pa.FloatArray:
    """Estimates the similarity of two columns of sketches row by row. Null: where either column is.

    Raises: ValueError if the columns differ in length or the sketches in size.
    """
    return _core.sketch_similarity(a, b)


def near_duplicates(
    texts: Texts, *, threshold: float = 0.8, hashes: int = 2048, ngram: int = 5, unit: str = "word", seed: int = 0
) -> pa.Table:
    """Finds the texts that are copies, or near-copies, of an earlier one.

    Of several similar texts the first is kept. Another one is dropped only if its exact similarity to a kept text is at
    least `threshold`, so no chain of small steps leads from a text to a different one. Texts shorter than a shingle are
    dropped only for texts that differ in blanks and line ends at most.

    Shape: one row per text; `kept` (int64), the row of the text that is kept in its place, or its own row if it is
    kept; `similarity` (float32) to that text.
    Null: `similarity` of kept texts.
    Time: about that of the sketches, plus one comparison per text and bucket of candidates (16 at most).
    Not covered: one pair in a thousand at the threshold is missed, fewer above it. In buckets of more than 16 kept
    texts, later ones are compared with the first 16.
    Raises: ValueError naming the parameter that is out of range.

    >>> words = [f"word{i}" for i in range(100)]
    >>> texts = [" ".join(words), " ".join([*words[:99], "changed"]), " ".join(reversed(words)), "x", "x"]
    >>> matches = near_duplicates(texts)
    >>> matches["kept"].to_pylist()
    [0, 0, 2, 3, 3]
    >>> [None if s is None else round(s, 3) for s in matches["similarity"].to_pylist()]
    [None, 0.979, None, None, 1.0]
    """
    strings = column(texts, pa.large_string())
    kept = np.arange(len(strings))
    alike = np.full(len(strings), np.nan, dtype=np.float32)
    _equal(strings, kept, alike)
    distinct = np.flatnonzero(kept == np.arange(len(strings)))
    _similar(strings, distinct, kept, alike, threshold, bands_for(threshold, hashes=hashes), ngram, unit, seed)
    return pa.table({"kept": kept, "similarity": pa.array(alike, from_pandas=True)})


def _equal(strings: pa.LargeStringArray, kept: np.ndarray, alike: np.ndarray) -> None:
    """Links each text to the first equal one."""
    encoded = strings.dictionary_encode().indices
    rows = np.flatnonzero(encoded.is_valid().to_numpy(zero_copy_only=False))
    codes = encoded.drop_null().to_numpy()
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    leaders = rows[first[inverse]] if len(rows) else rows
    copies = leaders != rows
    kept[rows[copies]], alike[rows[copies]] = leaders[copies], 1.0


def _similar(
    strings: pa.LargeStringArray,
    distinct: np.ndarray,
    kept: np.ndarray,
    alike: np.ndarray,
    threshold: float,
    banding: tuple[int, int],
    ngram: int,
    unit: str,
    seed: int,
) -> None:
    """Links each of the `distinct` texts to the most similar kept one before it, and its copies with it."""
    bands, rows = banding
    digests = _core.band_keys(
        strings.take(pa.array(distinct)), bands=bands, rows=rows, ngram=ngram, unit=unit, seed=seed
    )
    distinct = distinct[digests.is_valid().to_numpy(zero_copy_only=False)]
    keys = np.frombuffer(b"".join(digests.drop_null().to_pylist()), dtype="<u8").reshape(-1, bands)
    shared = np.zeros(len(distinct), dtype=bool)
    for band in keys.T:
        _, inverse, count = np.unique(band, return_inverse=True, return_counts=True)
        shared |= count[inverse] > 1
    distinct, keys = distinct[shared], keys[shared]
    sets = _core.shingles(strings.take(pa.array(distinct)), ngram=ngram, unit=unit, seed=seed)
    buckets: dict[int, list[int]] = {}
    moved: dict[int, tuple[int, float]] = {}
    for i, row in enumerate(distinct):
        leaders = sorted({j for key in keys[i].tolist() for j in buckets.get(key, ())})
        if leaders:
            self_again = sets.take(pa.array([i] * len(leaders)))
            measured = _core.jaccard(self_again, sets.take(pa.array(leaders))).to_numpy()
            best = int(np.argmax(measured))  # the first of equals
            if measured[best] >= threshold:
                moved[int(row)] = int(distinct[leaders[best]]), float(measured[best])
                continue
        for key in keys[i].tolist():
            bucket = buckets.setdefault(key, [])
            if len(bucket) < _LEADERS:
                bucket.append(i)
    for row in range(len(kept)):
        if kept[row] in moved:
            kept[row], alike[row] = moved[int(kept[row])]


def _positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise RecipeError(f"{name}: expected at least 1, got {number!r}")
