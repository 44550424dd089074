"""How fast detection is, on one core: files per second by path, bytes per second by content.

    python -m bench.detect_speed --archives .bench/archives [--packages perl ffmpeg …]

Each group is a batch in memory, detected repeatedly; the median of the repetitions is printed. MB is 10^6 bytes of
whole content, although no strategy looks further than 50 KiB but for generated JavaScript and PostScript.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from bench import detect_oracle
from codemill import _core, languages

PACKAGES = ("perl", "ffmpeg", "octave", "node-typescript", "wordpress", "gnustep-base", "yosys", "systemd", "git")
BY_CONTENT = {"heuristics", "classifier", "xml", "popular"}


def timed(paths: pa.Array, texts: pa.Array, repetitions: int = 7) -> float:
    """Median CPU seconds of one pass, so that other work on the machine does not count."""
    table = languages.native()
    _core.detect(paths, texts, table)
    seconds = []
    for _ in range(repetitions):
        start = time.process_time()
        _core.detect(paths, texts, table)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=Path, default=Path(".bench/archives"))
    parser.add_argument("--packages", nargs="*", default=PACKAGES)
    args = parser.parse_args(argv)
    archives = detect_oracle.latest(args.archives)
    files = [f for name in args.packages if name in archives for f in detect_oracle.sample(name, archives[name])]
    pairs = list(detect_oracle.decoded(files))
    paths = pa.array([f.path for f, _ in pairs])
    texts = pa.array([text for _, text in pairs], pa.large_string())
    strategy = _core.detect(paths, texts, languages.native()).field("strategy").to_pylist()
    decided = {
        "path alone, content not given": (range(len(pairs)), True),
        "decided by path, content given": (
            [i for i, s in enumerate(strategy) if s in ("extension", "filename")],
            False,
        ),
        "decided by content": ([i for i, s in enumerate(strategy) if s in BY_CONTENT], False),
        "of these, by the classifier": ([i for i, s in enumerate(strategy) if s == "classifier"], False),
        "of these, .h": ([i for i, (f, _) in enumerate(pairs) if f.extension == ".h"], False),
        "of these, .pl .pm .t": ([i for i, (f, _) in enumerate(pairs) if f.extension in (".pl", ".pm", ".t")], False),
        "of these, .m": ([i for i, (f, _) in enumerate(pairs) if f.extension == ".m"], False),
        "of these, .txt .md .html .yml": (
            [i for i, (f, _) in enumerate(pairs) if f.extension in (".txt", ".md", ".html", ".yml")],
            False,
        ),
        "everything": (range(len(pairs)), False),
    }
    print(f"{'group':34} {'files':>7} {'MB':>8} {'files/s':>10} {'MB/s':>8}")
    for name, (rows, bare) in decided.items():
        if not len(rows):
            continue
        take = pa.array(list(rows))
        part = texts.take(take)
        seconds = timed(paths.take(take), pa.nulls(len(take), pa.large_string()) if bare else part)
        size = 0 if bare else sum(len(pairs[i][1].encode()) for i in rows) / 1e6
        print(f"{name:34} {len(take):7} {size:8.1f} {len(take) / seconds:10,.0f} {size / seconds:8.0f}")


if __name__ == "__main__":
    main()
