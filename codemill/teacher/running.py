"""What runs the programs that methods ask to be run: the sandbox, or a function in its place for tests.

A runner is a module with `execute(program, tests, *, language, entry_point, limits) -> Outcome`, the class `Outcome`, a
frozen dataclass with a `verdict`, the class `Limits`, and `described(language) -> plain data`, which names the rung of
the ladder and the toolchain: an outcome is stored under it. `codemill.sandbox` is one.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codemill.errors import EnvironmentProblem, RecipeError
from codemill.machine.modules import module_from_file
from codemill.teacher.conversation import Execute

SANDBOX = "codemill.sandbox"
NOT_THE_PROGRAMS = frozenset({"sandbox_error", "toolchain_missing"})
"""Verdicts that say nothing of a program. They are not stored: another time may be better."""


@dataclass(frozen=True)
class Runner:
    """Runs programs, `slots` at once. `run` gives an outcome as plain data and whether it is worth keeping; `restore`
    makes of plain data what a method sees."""

    execute: Callable[..., Any]
    described: Callable[[str], Any]
    outcome: Callable[..., Any]
    limits: Callable[..., Any]
    slots: int

    def run(self, wanted: Execute) -> tuple[dict[str, Any], bool]:
        """Runs a program. Raises: what the runner raises if it cannot run anything."""
        made = self.execute(
            wanted.program,
            wanted.tests,
            language=wanted.language,
            entry_point=wanted.entry_point,
            limits=self.limits(**wanted.limits),
        )
        return dataclasses.asdict(made), str(made.verdict) not in NOT_THE_PROGRAMS

    def restore(self, data: Mapping[str, Any]) -> Any:
        """The outcome that plain data were made of; what its class does not know any more is left out."""
        known = {f.name for f in dataclasses.fields(self.outcome)} if dataclasses.is_dataclass(self.outcome) else data
        return self.outcome(**{name: _frozen(value) for name, value in data.items() if name in known})


def _frozen(value: Any) -> Any:
    """Lists as tuples: JSON has no tuples, and outcomes have no lists."""
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def sandbox(name: str = SANDBOX) -> Runner:
    """The runner of this name: a module, or `path/to/file.py`, with what a runner has.

    Raises: EnvironmentProblem if there is no sandbox; RecipeError for another name that is no runner.
    """
    try:
        module = module_from_file(Path(name)) if name.endswith(".py") else importlib.import_module(name)
    except ImportError as error:
        what = f"programs cannot be run: {name} is not there"
        if name == SANDBOX:
            raise EnvironmentProblem(what, remedy="this build of codemill has no sandbox") from error
        raise RecipeError(what, remedy="runner= names a module or a file") from error
    missing = [part for part in ("execute", "described", "Outcome", "Limits") if not hasattr(module, part)]
    if missing:
        raise RecipeError(f"{name} is no runner of programs: it has no {', '.join(missing)}")
    return Runner(module.execute, module.described, module.Outcome, module.Limits, len(os.sched_getaffinity(0)))


def plain(value: Any) -> Any:
    """Tests as plain data, for a key: dataclasses by their names and fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **fields}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)
