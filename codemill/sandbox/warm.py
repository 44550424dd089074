"""Caches of compilers that would else compile a standard library anew for every program: Go's.

A cache is filled once on a machine, by compiling a program of ours outside of the sandbox; programs read it and cannot
write it. With it a Go program compiles in a second instead of a minute.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import logging
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from codemill.errors import EnvironmentProblem
from codemill.sandbox.languages import Language, Toolchain, toolchain

BASE = Path("/var/tmp")  # other users must reach it, and it must not lie below the sandbox's own /tmp
READY = "ready"
LONGEST = 900  # seconds that filling may take

log = logging.getLogger("codemill")
_failed: set[Path] = set()


@functools.cache
def folder(language: Language) -> Path | None:
    """The folder of a language's cache, empty at first; None if the language has none, or is not on this machine.

    Raises: EnvironmentProblem if somebody else has a folder of that name.
    """
    tools = toolchain(language)
    if not language.cache or tools is None:
        return None
    compiler = os.stat(os.path.realpath(tools.programs[language.programs[0]]))
    what = (language.cache, language.warm, sorted(language.env.items()), sorted(tools.programs.items()))
    known = hashlib.sha256(repr((what, compiler.st_size, compiler.st_mtime_ns)).encode())
    place = BASE / f"codemill-{os.geteuid()}" / f"{language.name}-{known.hexdigest()[:12]}"
    for path in (place.parent, place):
        path.mkdir(mode=0o755, exist_ok=True)
        state = path.lstat()
        if path.is_symlink() or state.st_uid != os.geteuid() or state.st_mode & 0o022:
            why = "a folder for compilers' caches is not ours alone"
            raise EnvironmentProblem(why, where=path, remedy="remove it")
    return place


def filled(language: Language, tools: Toolchain) -> Mapping[str, str]:
    """The variables with which a language is compiled: its own, and where its cache is. The first call fills that.

    A cache that cannot be filled is used as it is: compiling is slow then, and no verdict differs but by its time.
    """
    place = folder(language)
    if place is None:
        return language.env
    inside = {**language.env, language.cache: str(place)}
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / READY).exists() and place not in _failed:
            trouble = _fill(language, tools, inside)
            if trouble is None:
                (place / READY).touch()
            else:  # another process may have more luck; this one does not try for every program
                _failed.add(place)
                log.warning("the cache of %s could not be filled, so its programs compile slowly: %s",
                            language.title, trouble)  # fmt: skip
    return inside


def _fill(language: Language, tools: Toolchain, env: Mapping[str, str]) -> str | None:
    """Compiles the program that fills the cache. Returns: why that failed, None if it did not."""
    with tempfile.TemporaryDirectory() as home:
        Path(home, language.file).write_text(language.warm, "utf-8")
        path = f"{os.path.dirname(tools.programs[language.programs[0]])}:{os.environ.get('PATH', '')}"
        for first, *rest in language.compile:
            command = [tools.programs.get(first, first), *rest]
            try:
                done = subprocess.run(
                    command, cwd=home, env={"PATH": path, "HOME": home, **env}, check=False, capture_output=True,
                    timeout=LONGEST,
                )  # fmt: skip
            except (subprocess.TimeoutExpired, OSError) as error:
                return str(error)[:300]
            if done.returncode:
                said = done.stderr.decode("utf-8", "replace").strip().splitlines()
                return said[-1][:300] if said else f"status {done.returncode}"
    return None
