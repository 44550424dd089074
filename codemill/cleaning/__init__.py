"""What cleaning does to one text: redaction, notices, notebooks. `steps/clean.py` does the same to tables."""

from __future__ import annotations

from codemill.cleaning import notebooks
from codemill.cleaning.headers import strip_header
from codemill.cleaning.redaction import (
    BARE,
    Pattern,
    Redaction,
    check_patterns,
    findings,
    fingerprint,
    formats,
    redact,
    redact_array,
)

__all__ = [
    "BARE",
    "Pattern",
    "Redaction",
    "check_patterns",
    "findings",
    "fingerprint",
    "formats",
    "notebooks",
    "redact",
    "redact_array",
    "strip_header",
]
