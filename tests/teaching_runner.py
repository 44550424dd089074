"""A runner for tests: programs that end in an odd number pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    verdict: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    note: str = ""


def execute(program: str, tests: str, *, language: str, entry_point: str | None, limits: Limits) -> Outcome:
    if limits.note:
        with open(Path(limits.note), "a") as file:
            file.write(f"{program}\n")
    if "BROKEN" in program:
        return Outcome("sandbox_error")
    return Outcome("pass" if program[-1:] in "13579" else "fail", (language, tests))


def described(language: str) -> dict[str, str]:
    return {"rung": "none", "toolchain": f"{language} 1"}
