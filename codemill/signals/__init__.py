"""Signals: numbers measured on documents. A signal measures; it never decides.

Ours are native and live in `core/src/signals/`; `all()` is their catalogue. One's own are Python: see `signal`.
"""

from __future__ import annotations

from codemill.signals.catalogue import Example, Signal, all, example, get
from codemill.signals.measuring import measure
from codemill.signals.own import HOSTILE, Document, Own, OwnSignal, check, resolve, signal

__all__ = [
    "HOSTILE",
    "Document",
    "Example",
    "Own",
    "OwnSignal",
    "Signal",
    "all",
    "check",
    "example",
    "get",
    "measure",
    "resolve",
    "signal",
]
