"""What exact dedup must do at least, piece by piece, on one core: the sum no two-pass engine gets below.

    python -m bench.limits [--out .bench]

Decoding the columns, SHA-256 of each text, and encoding the rows that stay are timed apart, each as fast as this
machine is known to do it from Python (pyarrow's decoder and encoder, OpenSSL's SHA-256), best of three, in memory.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench import corpus as bench_corpus
from bench.engines import SMALL_COLUMNS, views


def measure(corpus: Path, *, files: int = 6) -> dict[str, float]:
    """MB of text per second and core, by piece: `decode_mb_s`, `hash_mb_s`, `encode_mb_s`."""
    chosen = sorted(corpus.glob("*.parquet"))[::5][:files]
    tables = [pq.read_table(f, use_threads=False, memory_map=True) for f in chosen]
    megabytes = sum(sum(t["size"].to_pylist()) for t in tables) / 1e6

    def decode() -> None:
        for file in chosen:
            pq.read_table(file, use_threads=False, memory_map=True)

    def hash_() -> None:
        for table in tables:
            for text in views(table["content"]):
                hashlib.sha256(text).digest()

    def encode() -> None:
        narrow = {"use_dictionary": ["repo", "revision", "stars"], "write_statistics": SMALL_COLUMNS}
        for table in tables:
            sink = pa.BufferOutputStream()
            pq.write_table(table, sink, row_group_size=4000, compression="zstd", compression_level=1, **narrow)

    return {
        "decode_mb_s": round(megabytes / _best(decode)),
        "hash_mb_s": round(megabytes / _best(hash_)),
        "encode_mb_s": round(megabytes / _best(encode)),
    }


def bound(rates: dict[str, float], megabytes: float, kept_megabytes: float) -> float:
    """Core-seconds of two passes: decode, hash, decode again, encode what stays."""
    passes = 2 * megabytes / rates["decode_mb_s"] + megabytes / rates["hash_mb_s"]
    return passes + kept_megabytes / rates["encode_mb_s"]


def _best(work: Callable[[], None]) -> float:
    times = []
    for _ in range(3):
        started = time.process_time()  # of this process, so that a busy machine does not count
        work()
        times.append(time.process_time() - started)
    return min(times)


def main(argv: list[str] | None = None) -> None:
    """Prints the rates and the bound for the whole corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    parser.add_argument("--small", action="store_true", help="the small corpus")
    args = parser.parse_args(argv)
    out = (args.out / "small" if args.small else args.out).resolve()
    corpus = bench_corpus.build(out, small=args.small)
    facts = json.loads((out / "corpus.json").read_text())
    rates = measure(corpus)
    seconds = bound(rates, facts["bytes"] / 1e6, facts["distinct_bytes"] / 1e6)
    print("MB of text per second and core: " + ", ".join(f"{k.removesuffix('_mb_s')} {v:,}" for k, v in rates.items()))
    print(
        f"two passes over this corpus: at least {seconds:.1f} core-seconds, {facts['bytes'] / 1e6 / seconds:,.0f} MB/s"
    )


if __name__ == "__main__":
    main()
