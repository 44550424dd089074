"""What the sandbox says of a program, for tests that run none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    verdict: str
    detail: str = ""
    tests_run: int = 0
    output: str = ""
    rung: str = "none"
    toolchain: str = "none"
    grading: str = "none"
