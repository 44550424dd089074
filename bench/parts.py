"""What small parts cost and what they save: one repository more, and nothing to do at all.

    python -m bench.parts [--repositories 100] [--files 30]

Makes repositories of Python files, runs `quickstart` over them, once more with nothing changed, and once more with one
repository added; the same with all small repositories in one part. Prints seconds of this process tree and how many
parts of `quality.measure` were built.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import codemill as cm
from codemill.machine.store import ENDINGS
from codemill.recipes import quickstart
from codemill.sources import Folder, _shards


def repository(root: Path, number: int, files: int) -> None:
    """A repository whose files are like no other's."""
    folder = root / f"repository-{number:04d}"
    folder.mkdir(parents=True)
    for name in range(files):
        functions = [
            f'def function_{number}_{name}_{i}(value):\n    """Adds {number * i + name}."""\n    return value + {i}\n'
            for i in range(40)
        ]
        (folder / f"module_{name}.py").write_text("\n\n".join(functions))


def built(out: Path) -> dict[str, int]:
    """The files of `quality.measure` and when they were written."""
    folder = out / ".work" / "quality.measure"
    return {p.name: p.stat().st_mtime_ns for p in folder.iterdir() if p.suffix in ENDINGS}


def run(root: Path, out: Path) -> float:
    """Builds, and returns the seconds."""
    began = time.monotonic()
    cm.build(quickstart.quickstart((Folder(str(root)),)), out=out)
    return time.monotonic() - began


def measure(root: Path, out: Path, repositories: int, files: int) -> str:
    """One line of the table."""
    first, again, before = run(root, out), run(root, out), built(out)
    repository(root, repositories, files)
    more, after = run(root, out), built(out)
    new = sum(before.get(name) != when for name, when in after.items())
    return f"{len(before):5} {first:10.1f} s {again:10.2f} s {more:12.1f} s   {new} of {len(after)} parts"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=100)
    parser.add_argument("--files", type=int, default=30)
    options = parser.parse_args()
    print("small repositories   parts   first run  nothing new  one more       of quality.measure built")
    for title, bits in (("in 128 slots", _shards.EARLY_BITS), ("in one", 0)):
        with tempfile.TemporaryDirectory() as folder, patch.object(_shards, "EARLY_BITS", bits):
            root = Path(folder) / "in"
            for number in range(options.repositories):
                repository(root, number, options.files)
            print(f"{title:20} {measure(root, Path(folder) / 'out', options.repositories, options.files)}", flush=True)


if __name__ == "__main__":
    main()
