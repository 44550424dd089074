"""What small parts cost and what they save: one repository more, and nothing to do at all.

    python -m bench.parts [--repositories 100] [--files 30] [--slots 128 1]

Makes repositories of Python files, runs `quickstart` over them, once more with nothing changed, and once more with one
repository added; with small repositories in 128 slots, and with all of them in one part. Prints seconds; in brackets
those that processors worked on it, here and in workers, which another load of the machine does not change; and how many
parts of `quality.measure` were built.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
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


def run(root: Path, out: Path) -> str:
    """Builds, and returns the seconds: of the clock, of the processor here, and in workers."""
    began = (time.monotonic(), *worked())
    cm.build(quickstart.quickstart((Folder(str(root)),)), out=out)
    clock, here, workers = (b - a for a, b in zip(began, (time.monotonic(), *worked()), strict=True))
    return f"{clock:7.2f} ({here:.2f} + {workers:.2f})"


def worked() -> Iterator[float]:
    """Seconds of the processor so far: of this process, and of those that it started and that have ended."""
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        yield used.ru_utime + used.ru_stime


def measure(root: Path, out: Path, repositories: int, files: int) -> str:
    """One line of the table."""
    first, again, before = run(root, out), run(root, out), built(out)
    repository(root, repositories, files)
    more, after = run(root, out), built(out)
    new = sum(before.get(name) != when for name, when in after.items())
    return f"{len(before):5} {first:>26} {again:>24} {more:>24}   {new} of {len(after)} parts"


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repositories", type=int, default=100)
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--slots", type=int, nargs="+", choices=[1 << bits for bits in range(8)], default=[128, 1])
    options = parser.parse_args(argv)
    print(f"slots parts {'first run':>26} {'nothing new':>24} {'one more':>24}   of quality.measure built")
    for slots in options.slots:
        bits = slots.bit_length() - 1
        with tempfile.TemporaryDirectory() as folder, patch.object(_shards, "EARLY_BITS", bits):
            root = Path(folder) / "in"
            for number in range(options.repositories):
                repository(root, number, options.files)
            print(f"{slots:5} {measure(root, Path(folder) / 'out', options.repositories, options.files)}", flush=True)


if __name__ == "__main__":
    main()
