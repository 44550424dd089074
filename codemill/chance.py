"""Draws that depend on what is drawn and on nothing else: no order, no shard, no worker, no clock."""

from __future__ import annotations

import hashlib


def uniform(key: str, seed: int, purpose: str) -> float:
    """A number in [0, 1) that depends on the key, the seed and the purpose, and on nothing else.

    >>> uniform("00", 0, "doc"), uniform("00", 0, "doc") == uniform("00", 1, "doc")
    (0.6225245260150354, False)
    """
    hashed = hashlib.sha256(f"{purpose}\0{seed}\0{key}".encode()).digest()
    return int.from_bytes(hashed[:7], "big") / (1 << 56)
