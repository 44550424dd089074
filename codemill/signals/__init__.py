"""Signals: numbers measured on documents. A signal measures; it never decides.

The built-in signals are native (`core/src/signals/`); `all()` lists them. Custom signals are Python: see `signal`.
"""

from __future__ import annotations

from codemill.signals.catalogue import Example, Signal, all, example, get
from codemill.signals.custom import HOSTILE, Custom, CustomSignal, Document, check, resolve, signal
from codemill.signals.measuring import measure

__all__ = [
    "HOSTILE",
    "Custom",
    "CustomSignal",
    "Document",
    "Example",
    "Signal",
    "all",
    "check",
    "example",
    "get",
    "measure",
    "resolve",
    "signal",
]
