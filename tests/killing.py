"""Kills builds and runs them again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.graph_toys import files

SCRIPT = """
import importlib
import sys
import codemill as cm
if __name__ == "__main__":
    module, _, name = sys.argv[1].rpartition(".")
    table = getattr(importlib.import_module(module), name)()
    cm.build(table, out=sys.argv[2], workers=int(sys.argv[3]), engine=sys.argv[4])
"""
KILLS = 10


def building(
    table: str, out: Path, *, workers: int = 2, engine: str = "local", cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """A process that builds the table, or the outputs, that the function of this name makes."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-P", "-c", SCRIPT, table, str(out), str(workers), engine]
    return subprocess.Popen(command, env=environment, cwd=cwd)


def built(table: str, out: Path, *, workers: int = 2, engine: str = "local") -> dict[str, bytes]:
    """Every published file's bytes, after a build that went well."""
    assert building(table, out, workers=workers, engine=engine).wait() == 0
    return files(out)


def killed_and_resumed(table: str, seen: Sequence[str], folder: Path) -> None:
    """Builds the table that the function of this name makes, killing the build as soon as each of the patterns is
    `seen` under `.work`, and asserts that in the end there are the bytes of an undisturbed build."""
    killed, whole = folder / "killed", folder / "whole"
    for pattern in seen:
        process = building(table, killed)
        while not list((killed / ".work").glob(pattern)) and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.wait()
        assert not (killed / "manifest.json").exists(), f"it was too late to kill it at {pattern}"
    assert built(table, killed) == built(table, whole, workers=1)


def killed_ten_times(table: str, folder: Path) -> dict[str, bytes]:
    """Builds the table or outputs that the function of this name makes, killing the build ten times, and asserts that
    in the end there are the bytes of an undisturbed build, which it returns.

    Each build is killed once it has written one in thirteen of the files that a whole one leaves: what counts is how
    far it came, never the time, so that ten kills are ten on any machine, spread from the first files to the last.
    """
    killed, whole = folder / "killed", folder / "whole"
    expected = built(table, whole, workers=1)
    enough = len(_written(whole)) // (KILLS + 3)
    for number in range(KILLS):
        before, made = _written(killed), set[str]()
        process = building(table, killed)
        while len(made) < enough and process.poll() is None:
            time.sleep(0.002)
            made |= _written(killed) - before
        process.kill()
        assert process.wait() == -signal.SIGKILL, f"the build ended before it was killed for the {number + 1}th time"
        assert not (killed / "manifest.json").exists()
    assert built(table, killed) == expected
    assert not list(killed.rglob("*.tmp"))
    return expected


def _written(out: Path) -> set[str]:
    """Every file below a folder that is whole: it has its own name."""
    return {str(Path(place, name)) for place, _, names in os.walk(out) for name in names if not name.endswith(".tmp")}
