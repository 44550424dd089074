"""Kills builds and runs them again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.test_machine import published

SCRIPT = """
import importlib
import sys
import codemill as cm
if __name__ == "__main__":
    module, _, name = sys.argv[1].rpartition(".")
    cm.build(getattr(importlib.import_module(module), name)(), out=sys.argv[2], workers=int(sys.argv[3]))
"""


def killed_and_resumed(table: str, seen: Sequence[str], folder: Path) -> None:
    """Builds the table that the function of this name makes, killing the build as soon as each of the patterns is
    `seen` under `.work`, and asserts that in the end there are the bytes of an undisturbed build."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    killed, whole = folder / "killed", folder / "whole"
    for pattern in seen:
        process = subprocess.Popen([sys.executable, script, table, killed, "2"], env=environment)
        while not list((killed / ".work").glob(pattern)) and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.wait()
        assert not (killed / "manifest.json").exists(), f"it was too late to kill it at {pattern}"
    subprocess.run([sys.executable, script, table, killed, "2"], check=True, env=environment)
    subprocess.run([sys.executable, script, table, whole, "1"], check=True, env=environment)
    assert published(killed) == published(whole)
