"""Draws that depend on what is drawn and on nothing else: no order, no shard, no worker, no clock.

Documents are drawn by `content_sha256`, the hash of their original bytes. So copies and forks meet one fate wherever
they are found, and a file meets it again in a later crawl, whatever commits came between and wherever it lies then.
Why not the hash of the cleaned text: it changes with every rule of cleaning, and each change would draw a new sample.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill.machine.components import mixed

Draws = npt.NDArray[np.float64]


def draws(hashes: pa.FixedSizeBinaryArray, *, seed: int, purpose: str) -> Draws:
    """A number in [0, 1) for each hash, which depends on the hash, the seed and the purpose, and on nothing else.

    Shape: hashes that are uniformly distributed, of 8 bytes or more, of which the first 8 count. Two purposes or two
    seeds give numbers that have nothing to do with each other.
    Why not a SHA-256 of each row: in Python it takes a hundred times as long.
    Raises: ValueError for a null, which has no fate.
    From: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014 (splitmix64, the finaliser).

    >>> draws(pa.array([b"12345678", b"12345679"], pa.binary(8)), seed=0, purpose="doc").round(3).tolist()
    [0.145, 0.139]
    """
    if hashes.null_count:
        raise ValueError(f"{hashes.null_count} rows have no hash to draw them by")
    width = hashes.type.byte_width
    flat = np.frombuffer(hashes.buffers()[1], dtype=np.uint8) if len(hashes) else np.empty(0, dtype=np.uint8)
    rows = flat[hashes.offset * width : (hashes.offset + len(hashes)) * width].reshape(-1, width)
    leading = np.ascontiguousarray(rows[:, :8]).view("<u8").ravel()
    bits = mixed(leading ^ _salt(seed, purpose)) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def _salt(seed: int, purpose: str) -> np.uint64:
    """64 bits for a seed and a purpose."""
    return np.uint64(int.from_bytes(hashlib.sha256(f"{purpose}\0{seed}".encode()).digest()[:8], "little"))
