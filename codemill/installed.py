"""A runner of programs that may import the Python packages of this environment: for questions about libraries.

It confines programs as `codemill.sandbox` does, and shows them this environment, read-only. Give it as `runner=` to a
method.
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import hashlib
import sys
from importlib.metadata import distribution, distributions, packages_distributions
from typing import Any

from codemill import sandbox
from codemill.sandbox import Outcome, Pool

__all__ = ["Limits", "Outcome", "described", "execute", "pool", "versions"]

Limits = functools.partial(sandbox.Limits, cpu_seconds=30, memory_bytes=4 << 30)
"""The sandbox's, but more: importing a large library takes seconds and address space."""


@functools.cache
def pool() -> Pool:
    """The pool of this process that shows programs this environment. Raises: EnvironmentProblem without a sandbox."""
    made = Pool(python=sys.executable)
    atexit.register(made.close)
    return made


def execute(
    program: str,
    tests: Any,
    *,
    language: str = "python",
    entry_point: str | None = None,
    limits: sandbox.Limits | None = None,
) -> Outcome:
    """Runs a program with its tests and the packages of this environment. See `codemill.sandbox.execute`.

    Where the environment lies is no matter of the outcome: in tracebacks and warnings it is /environment.
    """
    made = pool().execute(program, tests, language=language, entry_point=entry_point, limits=limits or Limits())
    return dataclasses.replace(made, detail=_placeless(made.detail), output=_placeless(made.output))


def _placeless(text: str) -> str:
    for place in (sys.prefix, sys.base_prefix):
        text = text.replace(place, "/environment")
    return text


def described(language: str = "python") -> str:
    """What outcomes depend on besides program, tests and limits: the sandbox, and the versions of all packages."""
    return f"{pool().described(language)}; packages {_digest()}"


@functools.cache
def _digest() -> str:
    named = sorted(f"{one.metadata['Name']} {one.version}" for one in distributions())
    return hashlib.sha256("\n".join(named).encode()).hexdigest()[:16]


def versions(names: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    """Version and licence of the importable packages of this environment, or of those named, by the name of the import.

    >>> sorted(versions(("pyarrow",))["pyarrow"])
    ['license', 'version']
    """
    found: dict[str, dict[str, str]] = {}
    for module, owners in sorted(packages_distributions().items()):
        if module.isidentifier() and not module.startswith("_") and (not names or module in names):
            one = distribution(min(owners))  # several share a namespace: the same one each time
            said = [one.metadata[name] for name in ("License-Expression", "License") if name in one.metadata]
            license = next((text for text in said if text), "")
            found[module] = {"version": one.version, "license": license.partition("\n")[0][:60]}
    return found
