"""`python -m bench [NAME…] [--small] [--out .bench]`: builds the corpus if it is missing, then runs the benchmarks.

Without names all run, one after the other. Each is a module with a `main(argv)` that prints its own table and can be
run by itself: `python -m bench.exact_dedup --help`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from bench import corpus

BENCHMARKS = (
    "limits",
    "exact_dedup",
    "sketch",
    "levels",
    "lex",
    "signals",
    "rejudge",
    "headers",
    "redact",
    "tokens",
    "teacher",
    "web_pass",
)


def main(argv: list[str] | None = None) -> int:
    """Runs what is asked for; 1 if a benchmark cannot run or finds that results differ."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Builds the corpus if it is missing, then runs the benchmarks."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)}; default all")
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="folder of the corpus (3 GB)")
    parser.add_argument("--small", action="store_true", help="a corpus of 50 MB and one round: does it work at all")
    args = parser.parse_args(argv)
    if unknown := [name for name in args.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {unknown[0]!r}; there is: {', '.join(BENCHMARKS)}")
    options = ["--out", str(args.out), *(["--small"] if args.small else [])]
    failed = 0
    for name in args.names or BENCHMARKS:
        print(f"== {name}", flush=True)
        try:
            importlib.import_module(f"bench.{name}").main(options)
        except (corpus.BenchError, AssertionError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
