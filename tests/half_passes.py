"""A runner for tests that look at what is kept: about half of all programs pass, by a hash of their text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tests.teaching_sandbox import Outcome

__all__ = ["Limits", "Outcome", "described", "execute"]


@dataclass(frozen=True)
class Limits:
    """None."""


def execute(program: str, tests: str, *, language: str, entry_point: str | None, limits: Limits) -> Outcome:
    return Outcome("pass" if hashlib.sha256(program.encode()).digest()[0] % 2 else "fail", "as its hash has it")


def described(language: str) -> dict[str, str]:
    return {"rung": "none", "toolchain": f"{language} 1"}
