"""Random bits for many documents at once, by 64 bits of a hash of what they are, a seed and a purpose."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill.machine.components import mixed

Bits = npt.NDArray[np.uint64]


def leading(hashes: pa.FixedSizeBinaryArray) -> Bits:
    """The first 8 bytes of each hash."""
    width = hashes.type.byte_width
    data = np.frombuffer(hashes.buffers()[1], np.uint8) if len(hashes) else np.zeros(0, np.uint8)
    rows = data[hashes.offset * width : (hashes.offset + len(hashes)) * width].reshape(-1, width)
    return np.ascontiguousarray(rows[:, :8]).view(">u8").astype(np.uint64).reshape(-1)


def bits(hashes: Bits, seed: int, purpose: str) -> Bits:
    """64 bits for each hash, which depend on the hash, the seed and the purpose, and on nothing else.

    >>> a, b = (bits(np.array([7, 8], np.uint64), seed, "doc") for seed in (0, 1))
    >>> len({*a.tolist(), *b.tolist()})
    4
    """
    salt = int.from_bytes(hashlib.sha256(f"{purpose}\0{seed}".encode()).digest()[:8], "big")
    return mixed(hashes ^ np.uint64(salt))


def uniform(hashes: Bits, seed: int, purpose: str) -> npt.NDArray[np.float64]:
    """The same as numbers in [0, 1)."""
    return (bits(hashes, seed, purpose) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def of_names(names: pa.Array) -> Bits:
    """64 bits of the SHA-256 of each name; of none those of the empty one."""
    coded = names.fill_null("").dictionary_encode()
    each = [int.from_bytes(hashlib.sha256(n.encode()).digest()[:8], "big") for n in coded.dictionary.to_pylist()]
    found: Bits = np.array(each, np.uint64)[coded.indices.to_numpy()]
    return found
