"""What a score depends on besides its data: versions of toolchains, of libraries in the sandbox, of what ran models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from codemill import sandbox
from codemill.benchmarks.protocol import Protocol
from codemill.benchmarks.task import Task
from codemill.errors import RecipeError
from codemill.evaluation.grading import Runner
from codemill.sandbox.outcome import Task as Program

RUNNING = ("torch", "tokenizers", "safetensors", "numpy")
"""Libraries that the answers of a model in a folder may depend on."""

_ASKED = """
import importlib.metadata, json
known = importlib.metadata.packages_distributions()
print(json.dumps({name: importlib.metadata.version(known[name][0]) for name in NAMES if name in known}))
"""
_AT_A_TIME = 30  # modules: of longer outputs the sandbox tells an excerpt


def described(
    pool: sandbox.Pool, suites: Iterable[tuple[Protocol, Mapping[str, Task]]], *, model: bool
) -> dict[str, Any]:  # fmt: skip
    """Versions of codemill, of each language's toolchain, of the libraries that the suites' tests import in the
    sandbox, and with a `model` in a folder of what ran it."""
    every = [(protocol, task) for protocol, tasks in suites for task in tasks.values()]
    names = sorted({module for protocol, task in every for module in protocol.modules(task)})
    return {
        "codemill": installed("codemill"),
        "languages": {name: _toolchain(pool, name) for name in sorted({task.language for _, task in every})},
        "modules": modules(names, pool.map),
        "libraries": {name: installed(name) for name in RUNNING} if model else {},
    }


def modules(names: Sequence[str], run: Runner) -> dict[str, str]:
    """Versions of modules as programs in the sandbox see them. What is not there, or is Python's own, is left out."""
    some = [list(names[first : first + _AT_A_TIME]) for first in range(0, len(names), _AT_A_TIME)]
    found = dict[str, str]()
    for outcome in run([Program(f"NAMES = {part!r}\n{_ASKED}", "assert True") for part in some]) if some else ():
        lines = [line for line in outcome.output.splitlines() if line.startswith("{")]
        found |= json.loads(lines[-1]) if outcome.passed and lines else {}
    return found


def installed(name: str) -> str:
    """The version of an installed distribution, or "unknown"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _toolchain(pool: sandbox.Pool, name: str) -> str:
    try:
        return pool.described(name)
    except RecipeError:
        return "not run"
