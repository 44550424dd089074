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
Bits = npt.NDArray[np.uint64]


def draws(hashes: pa.FixedSizeBinaryArray, *, seed: int, purpose: str) -> Draws:
    """A number in [0, 1) for each hash, which depends on the hash, the seed and the purpose, and on nothing else.

    Shape: hashes that are uniformly distributed, of 8 bytes or more, of which the first 8 count. Two purposes or two
    seeds give numbers that have nothing to do with each other.
    Raises: ValueError for a null, which has no fate.

    >>> draws(pa.array([b"12345678", b"12345679"], pa.binary(8)), seed=0, purpose="doc").round(3).tolist()
    [0.145, 0.139]
    """
    return uniform(leading(hashes), seed=seed, purpose=purpose)


def uniform(hashes: Bits, *, seed: int, purpose: str) -> Draws:
    """The same for 64 bits of each hash."""
    return fraction(bits(hashes, seed=seed, purpose=purpose))


def fraction(bits: Bits) -> Draws:
    """64 bits as a number in [0, 1)."""
    found: Draws = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return found


def bits(hashes: Bits, *, seed: int, purpose: str) -> Bits:
    """64 bits for each hash.

    Why not a SHA-256 of each row: in Python it takes a hundred times as long.
    From: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014 (splitmix64, the finaliser).

    >>> a, b = (bits(np.array([7, 8], np.uint64), seed=seed, purpose="doc") for seed in (0, 1))
    >>> len({*a.tolist(), *b.tolist()})
    4
    """
    salt = int.from_bytes(hashlib.sha256(f"{purpose}\0{seed}".encode()).digest()[:8], "little")
    return mixed(hashes ^ np.uint64(salt))


def leading(hashes: pa.FixedSizeBinaryArray) -> Bits:
    """The first 8 bytes of each hash. Raises: ValueError for a null."""
    if hashes.null_count:
        raise ValueError(f"{hashes.null_count} rows have no hash to draw them by")
    width = hashes.type.byte_width
    flat = np.frombuffer(hashes.buffers()[1], dtype=np.uint8) if len(hashes) else np.empty(0, dtype=np.uint8)
    rows = flat[hashes.offset * width : (hashes.offset + len(hashes)) * width].reshape(-1, width)
    return np.ascontiguousarray(rows[:, :8]).view("<u8").astype(np.uint64).ravel()


def of_names(names: pa.Array) -> Bits:
    """64 bits of the SHA-256 of each name; of none those of the empty one."""
    coded = names.fill_null("").dictionary_encode()
    each = [int.from_bytes(hashlib.sha256(n.encode()).digest()[:8], "little") for n in coded.dictionary.to_pylist()]
    found: Bits = np.array(each, np.uint64)[coded.indices.to_numpy()]
    return found
