"""`python -m bench [NAME…] [--small] [--out .bench]`: runs benchmarks; those over the corpus build it if it is missing.

Without names those that stand here run, one after the other. Each is a module with a `main(argv)` that prints its own
table and can be run by itself: `python -m bench.exact_dedup --help`. Those that stand elsewhere in `bench/` ask for
something that cannot be made here, such as a clone, a crawl or a model.
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
"""Those that take `--out` and `--small`: over the corpus, which is downloaded, or beside its scratch files."""

SELF_MADE = {
    "parts": ("--repositories", "10", "--files", "3"),
    "sources": ("--files", "1000"),
    "report": ("--rows", "10000"),
    "view": ("--documents", "1000"),
    "licenses": (),
}
"""Those that make what they measure on, or find it here: nothing is downloaded. With their options of `--small`."""

ALL = (*BENCHMARKS, *SELF_MADE)


def main(argv: list[str] | None = None) -> int:
    """Runs what is asked for; 1 if a benchmark cannot run or finds that results differ."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Runs benchmarks; those over the corpus build it if it is missing."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(ALL)}; default all of them")
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="folder of the corpus (3 GB)")
    parser.add_argument(
        "--small", action="store_true", help="a corpus of 50 MB, one round, few rows: does it work at all"
    )
    args = parser.parse_args(argv)
    if unknown := [name for name in args.names if name not in ALL]:
        parser.error(f"no benchmark {unknown[0]!r}; there is: {', '.join(ALL)}")
    options = ["--out", str(args.out), *(["--small"] if args.small else [])]
    failed = 0
    for name in args.names or ALL:
        print(f"== {name}", flush=True)
        given = options if name in BENCHMARKS else SELF_MADE[name] if args.small else ()
        try:
            importlib.import_module(f"bench.{name}").main(given)
        except (corpus.BenchError, AssertionError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
