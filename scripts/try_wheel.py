"""Tries a wheel as a new user would: `python scripts/try_wheel.py dist`. An empty environment, and a small run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path


def tried(wheel: Path) -> str:
    """Installs the wheel in an environment of its own, makes a corpus with it, and says how long both took.

    Raises: CalledProcessError if one of them fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        venv.create(home / "venv", with_pip=True)
        started = time.monotonic()
        pip: list[str | Path] = [
            home / "venv/bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run([*pip, "--only-binary", ":all:", wheel], check=True)
        installed = time.monotonic()
        env = {"PATH": str(home / "venv/bin"), "HOME": folder}
        subprocess.run(["codemill", "run", "quickstart:smoke", "--out", home / "out"], check=True, env=env, cwd=folder)
        ended = time.monotonic()
    return f"{wheel.name}: installed in {installed - started:.0f} s, a first corpus in {ended - installed:.0f} s"


if __name__ == "__main__":
    print(tried(max(Path(sys.argv[1]).glob("*.whl"), key=lambda file: file.stat().st_mtime)))
