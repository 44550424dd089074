"""Makes a virtual environment that has pip: `python3 scripts/make_venv.py .venv`.

Runs under the system's Python, before anything is installed. Debian ships `python3` without `ensurepip`, and
then `python3 -m venv` fails; if the user may install packages, the missing one is installed, otherwise the remedy
is printed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path


def main(folder: str) -> int:
    """Makes the environment unless a working one is there. Exit status 0, or 1 with the remedy on stderr."""
    if sys.version_info < (3, 11):  # noqa: UP036 (this is where an older one is told)
        found = ".".join(map(str, sys.version_info[:3]))
        print(f"codemill needs Python 3.11 or newer, and {sys.executable} is {found}.", file=sys.stderr)
        print("Hint: make PYTHON=python3.12 …", file=sys.stderr)
        return 1
    if shutil.which("cargo") is None:
        print("codemill's native core is built with cargo, which is not on the PATH.", file=sys.stderr)
        print("Hint: install Rust 1.95 or newer, for example with rustup.", file=sys.stderr)
        return 1
    python = Path(folder) / "bin" / "python"
    has_pip = [str(python), "-c", "import pip"]
    if python.exists() and subprocess.run(has_pip, capture_output=True, check=False).returncode == 0:
        return 0
    package = f"python3.{sys.version_info.minor}-venv"
    if importlib.util.find_spec("ensurepip") is None and not install(package):
        print(f"{sys.executable} cannot make virtual environments: it has no ensurepip.", file=sys.stderr)
        print(f"Hint: sudo apt-get install {package}", file=sys.stderr)
        return 1
    # In a process of its own: `ensurepip` may have been installed a moment ago.
    return subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=False).returncode


def install(package: str) -> bool:
    """Installs a Debian package if this user is allowed to; whether that worked."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        if subprocess.run(["apt-get", "-q", *command], env=environment, check=False).returncode != 0:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
