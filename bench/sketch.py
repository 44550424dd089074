"""Near-duplicates: speed beside the CPU's limit and beside peers, and accuracy on real pairs, in one run.

    python -m bench.sketch [--out .bench] [--small] [--skip-peers]

Seconds are those of the processor, on one core. Shingling and hashing are told apart by two runs, with 2048 hashes
and with 128: hashing is what grows. Prints everything and, without --small, writes bench/results/sketch-BEST.json,
BEST being the widest instructions that the CPU has.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench import corpus as bench_corpus
from bench.exact_dedup import RESULTS, machine
from bench.measure import measure
from bench.sketch_peers import BANDS, HASHERS, MEGABYTES, MODULES, READERS
from codemill import _core, near

PLAIN = {"ngram": 5, "unit": "word", "seed": 0}
PAIRS = 12_000
PACKAGES = ("rensa", "datasketch", "datatrove", "daft")
EDGES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)


def batches(corpus: Path, megabytes: float, *, every: int = 1) -> Iterator[pa.LargeStringArray]:
    """Contents of the corpus, all or each `every`th, until there are so many megabytes."""
    left = megabytes * 1e6
    for file in sorted(corpus.glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(4000, columns=["content"]):
            content = batch["content"].take(pa.array(range(0, len(batch), every))).cast(pa.large_string())
            yield content
            left -= pc.sum(pc.binary_length(content)).as_py() or 0
            if left <= 0:
                return


def cpu_seconds(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def gigahertz() -> float | None:
    """The clock, by a chain of additions that take one cycle each; None without a C compiler."""
    code = """#include <stdint.h>
    uint64_t chain(uint64_t n) { uint64_t x = n; for (uint64_t i = 0; i < n; i++)
      __asm__ volatile("add %1,%0; add %1,%0; add %1,%0; add %1,%0; add %1,%0; add %1,%0; add %1,%0; add %1,%0"
                       : "+r"(x) : "r"(n)); return x; }"""
    with tempfile.TemporaryDirectory() as place:
        library = Path(place) / "chain.so"
        command = ["cc", "-O2", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
        try:
            subprocess.run(command, input=code, text=True, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"no clock, and so no limit: cc did not build the loop ({error})")
            return None
        chain = ctypes.CDLL(str(library)).chain
        chain.argtypes, chain.restype = [ctypes.c_uint64], ctypes.c_uint64
        rounds = 100_000_000
        return 8 * rounds / min(cpu_seconds(lambda: chain(rounds)) for _ in range(3)) / 1e9


def speed(corpus: Path, megabytes: float, repeats: int) -> dict[str, Any]:
    """MB/s per core of each set of instructions, and how far from the limit."""
    texts = list(batches(corpus, megabytes))
    size = sum(pc.sum(pc.binary_length(t)).as_py() or 0 for t in texts) / 1e6
    distinct = sum(len(_core.shingles(t, **PLAIN).flatten()) for t in texts)
    files = sum(len(t) for t in texts)
    print(f"{size:.0f} MB in {files:,} files, {distinct / 1e6:.1f} M shingles, distinct within their file")
    clock = gigahertz()
    found: dict[str, Any] = {"megabytes": size, "files": files, "distinct_shingles": distinct, "gigahertz": clock}
    if clock:
        print(f"the clock: {clock:.2f} GHz")
    print(
        "\n| instructions | hashes | text to band keys MB/s | shingling MB/s | hashing G/s | of limit 1 | of limit 2 |"
    )
    print("|---|---|---|---|---|---|---|")
    for simd in reversed(_core.simd_levels()):
        part = texts if simd != "portable" else texts[:: max(1, len(texts) // 3)]
        share = sum(pc.sum(pc.binary_length(t)).as_py() or 0 for t in part) / 1e6
        shingles = distinct * share / size

        def sketches(hashes: int, part: Any = part, simd: str = simd) -> None:
            for text in part:
                _core.sketch(text, hashes=hashes, simd=simd, **PLAIN)

        def keys(rows: int, part: Any = part, simd: str = simd) -> None:
            for text in part:
                _core.band_keys(text, bands=BANDS, rows=rows, simd=simd, **PLAIN)

        most, least = (min(cpu_seconds(lambda n=n: sketches(n)) for _ in range(repeats)) for n in (2048, 128))
        per_128 = (most - least) / 15
        rate = 128 * shingles / per_128 / 1e9
        lanes = {"avx512": 16, "avx2": 8}.get(simd)
        limits = (lanes * 2 * clock, lanes * 4 / 3 * clock) if lanes and clock else None
        of = [f"{rate / limit:.0%}" for limit in limits] if limits else ["", ""]
        for rows in (128, 16):
            seconds = min(cpu_seconds(lambda rows=rows: keys(rows)) for _ in range(repeats))
            hashes = BANDS * rows
            print(
                f"| {simd} | {hashes} | {share / seconds:.0f} | {share / (least - per_128):.0f} | {rate:.1f} |"
                f" {of[0]} | {of[1]} |",
                flush=True,
            )
            found[f"{simd} {hashes}"] = {
                "mb_s": share / seconds,
                "shingling_mb_s": share / (least - per_128),
                "hashing_g_s": rate,
                "limits_g_s": limits,
            }
    print(
        "\nLimits per core, with four vector units of which two multiply (published for Zen 5; assumed): 1, what the\n"
        "kernel does: 2 multiplications and minima of 16 (AVX2: 8) numbers per cycle; 2, the textbook's: 4/3\n"
        "multiplications, additions and minima. Shingles that the filter of repetitions lets through twice are work\n"
        "that is not counted, so that the kernel itself is a little nearer."
    )
    return found


def peers(corpus: Path, scratch: Path, small: bool) -> list[dict[str, Any]]:
    """Every library on a sample that it can do in seconds, one core, one process each."""
    scratch.mkdir(parents=True, exist_ok=True)
    names = [n for n in (*READERS, *HASHERS) if importlib.util.find_spec(MODULES.get(n, n)) is not None]
    for name in {*READERS, *HASHERS} - set(names):
        print(f"{name} is left out: not installed (pip install 'codemill[bench]')")
    rows = []
    bare = measure([sys.executable, "-m", "bench.sketch_peers", "nothing", "", "", "0"], cores=1)
    idle = f", of which Python, numpy and pyarrow {bare.peak_bytes / 2**20:.0f} MiB" if bare.peak_bytes else ""
    print(f"\nOne core; CPU seconds, best of three; Parquet in, clusters out; peak memory of the process{idle}.\n")
    print("| | values | sample MB | hashing alone MB/s | to sketches MB/s | to clusters MB/s | × codemill | peak MiB |")
    print("|---|---|---|---|---|---|---|---|")
    ours: dict[int, float] = {}
    for name in names:
        wanted = MEGABYTES.get(name, 2.0) / (20 if small else 1)
        every = max(1, round(500 / MEGABYTES.get(name, 2.0)))
        sample, result = scratch / "sample.parquet", scratch / "result.json"
        parts = [pa.record_batch({"content": c}) for c in batches(corpus, wanted, every=every)]
        pq.write_table(pa.Table.from_batches(parts), sample, row_group_size=4000, compression="zstd")
        size = sum(pc.sum(pc.binary_length(b["content"])).as_py() or 0 for b in parts) / 1e6
        del parts
        for hashes in (2048, 256):
            command = [sys.executable, "-m", "bench.sketch_peers", name, str(sample), str(result), str(hashes)]
            tries = []
            for _ in range(1 if small else 3):
                result.unlink(missing_ok=True)
                done = measure(command, cores=1, timeout=600)
                if done.outcome != "ok":
                    break
                tries.append(json.loads(result.read_text()) | {"peak_bytes": done.peak_bytes})
            if done.outcome != "ok":
                print(f"| {name} | {hashes} | {size:.1f} | {done.outcome}: {done.detail[:90]} | | | | |")
                rows.append({"name": name, "hashes": hashes, "outcome": done.outcome, "detail": done.detail})
                continue
            facts = min(tries, key=lambda t: float(t["all"]))
            facts |= {"name": name, "hashes": hashes, "megabytes": size}
            rate = size / facts["all"]
            ours.setdefault(hashes, rate)
            alone = f"{size / facts['hashing']:.2f}" if facts["hashing"] else ""
            peak = f"{facts['peak_bytes'] / 2**20:.0f}" if facts["peak_bytes"] else ""
            print(
                f"| {name} | {hashes} | {size:.1f} | {alone} | {size / facts['sketched']:.2f} | {rate:.2f} |"
                f" 1/{ours[hashes] / rate:.1f} | {peak} |",
                flush=True,
            )
            rows.append(facts)
    shutil.rmtree(scratch)
    return rows


def version_pairs(corpus: Path, most: int) -> tuple[pa.LargeStringArray, pa.LargeStringArray]:
    """Two versions of one file: rows of equal repo and path whose contents differ, in the order of the corpus."""
    seen: dict[tuple[str, str], str] = {}
    repo = None
    left, right = [], []
    for file in sorted(corpus.glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(4000, columns=["repo", "path", "content"]):
            for row in batch.to_pylist():
                if row["repo"] != repo:
                    repo, seen = row["repo"], {}
                key, content = (row["repo"], row["path"]), row["content"]
                if content is None:
                    continue
                if seen.get(key, content) != content:
                    left.append(seen[key])
                    right.append(content)
                seen[key] = content
            if len(left) >= most * 1.2:  # some differ in white space only, or have no shingle
                return pa.array(left, pa.large_string()), pa.array(right, pa.large_string())
    return pa.array(left, pa.large_string()), pa.array(right, pa.large_string())


def affine(sets: pa.LargeListArray, hashes: int) -> np.ndarray:
    """Sketches by `a * x + b mod 2**32`, in numpy: what the textbook has and the kernel leaves out."""
    numbers = np.random.default_rng(1)
    a = numbers.integers(0, 2**32, hashes, dtype=np.uint32) | np.uint32(1)
    b = numbers.integers(0, 2**32, hashes, dtype=np.uint32)
    rows = np.empty((len(sets), hashes), dtype=np.uint32)
    for i, values in enumerate(sets):
        x = (values.values.to_numpy() >> np.uint64(32)).astype(np.uint32)
        rows[i] = np.min([(a * part[:, None] + b).min(axis=0) for part in np.array_split(x, 1 + len(x) // 256)], axis=0)
    return rows


def accuracy(corpus: Path, most: int) -> dict[str, Any]:
    """Estimates beside exact similarities, over real pairs."""
    a, b = version_pairs(corpus, most)
    exact = _core.jaccard(_core.shingles(a, **PLAIN), _core.shingles(b, **PLAIN))
    use = pc.indices_nonzero(pc.fill_null(pc.less(exact, 1.0), False))[:most]
    a, b, j = a.take(use), b.take(use), exact.take(use).to_numpy().astype(float)
    told = {n: _estimates(a, b, n) for n in (2048, 256)}
    keys = [_core.band_keys(c, bands=BANDS, rows=128, **PLAIN) for c in (a, b)]
    both = [np.frombuffer(b"".join(k.to_pylist()), "<u8").reshape(-1, BANDS) for k in keys]
    hit = (both[0] == both[1]).any(axis=1)
    odds = np.array([near.collision_probability(s, bands=BANDS, rows=128) for s in j])
    print(
        f"\n{len(j):,} pairs of versions of one file with 0 <= J < 1; error of 2048 hashes, candidates of 16 × 128:\n"
    )
    print("| J | pairs | mean error | RMSE | sqrt(J(1-J)/2048) | ratio | ratio, 256 | candidates | by the curve |")
    print("|---|---|---|---|---|---|---|---|---|")
    found: dict[str, Any] = {"pairs": len(j)}
    for low, high in [*itertools.pairwise(EDGES), (0.0, 1.0)]:
        rows = (j >= low) & (j < high)
        if not rows.any():
            continue
        ratio, rmse, theory, mean = _error(told[2048][rows], j[rows], 2048)
        few = _error(told[256][rows], j[rows], 256)[0]
        name = "all" if (low, high) == (0.0, 1.0) else f"{low}-{high}"
        print(
            f"| {name} | {rows.sum():,} | {mean:+.5f} | {rmse:.5f} | {theory:.5f} | {ratio:.3f} | {few:.3f} |"
            f" {hit[rows].sum():,} | {odds[rows].sum():,.1f} |"
        )
        found[name] = {"pairs": int(rows.sum()), "rmse": rmse, "ratio": ratio, "ratio_256": few, "mean": mean}
        found[name] |= {"candidates": int(hit[rows].sum()), "expected": float(odds[rows].sum())}
    some = pa.array(np.linspace(0, len(j) - 1, min(2000, len(j))).astype(int))
    c, d = (affine(_core.shingles(x.take(some), **PLAIN), 2048) for x in (a, b))
    rows = some.to_numpy()
    plus, _, _, plus_mean = _error((c == d).mean(axis=1), j[rows], 2048)
    bare, _, _, bare_mean = _error(told[2048][rows], j[rows], 2048)
    print(f"\na*x + b (numpy) on {len(rows):,} of them: ratio {plus:.3f}, mean error {plus_mean:+.5f};")
    print(f"a*x, the kernel, on the same: ratio {bare:.3f}, mean error {bare_mean:+.5f}")
    near_one = j >= 0.99
    print(f"pairs with J >= 0.99 found: {hit[near_one].sum():,} of {near_one.sum():,} ({hit[near_one].mean():.2%})")
    found |= {"affine_ratio": plus, "kernel_ratio": bare, "recall_099": float(hit[near_one].mean())}
    return found


def _estimates(a: pa.LargeStringArray, b: pa.LargeStringArray, hashes: int) -> np.ndarray:
    sketches = (_core.sketch(c, hashes=hashes, **PLAIN) for c in (a, b))
    told: np.ndarray = _core.sketch_similarity(*sketches).to_numpy()
    return told


def _error(told: np.ndarray, exact: np.ndarray, hashes: int) -> tuple[float, float, float, float]:
    rmse = float(np.sqrt(np.mean((told - exact) ** 2)))
    theory = float(np.sqrt(np.mean(exact * (1 - exact) / hashes)))
    return rmse / theory, rmse, theory, float(np.mean(told - exact))


def joining(pairs: int) -> dict[str, float]:
    """Connected components of random pairs over as many nodes; and the sort that brings equal keys together."""
    numbers = np.random.default_rng(3)
    a, b = (pa.array(numbers.integers(0, pairs, pairs, dtype=np.uint64)) for _ in range(2))
    seconds = cpu_seconds(lambda: _core.components(a, b))
    print(f"\ncomponents: {pairs / 1e6:.0f} M random pairs in {seconds:.2f} s, {pairs / seconds / 1e6:.1f} M pairs/s")
    keys = numbers.integers(0, 2**64, pairs, dtype=np.uint64)
    sorting = cpu_seconds(lambda: np.argsort(keys, kind="stable"))
    print(
        f"sorting {pairs / 1e6:.0f} M keys as the exchange does: {sorting:.2f} s, {pairs / sorting / 1e6:.1f} M keys/s"
    )
    return {"pairs": pairs, "seconds": seconds, "sort_seconds": sorting}


def main(argv: list[str] | None = None) -> None:
    """Prints speed, peers and accuracy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    parser.add_argument("--small", action="store_true", help="the small corpus, no record")
    parser.add_argument("--skip-peers", action="store_true")
    args = parser.parse_args(argv)
    out = (args.out / "small" if args.small else args.out).resolve()
    corpus = bench_corpus.build(out, small=args.small)
    packages = {p: version(p) for p in PACKAGES if importlib.util.find_spec(p) is not None}
    record: dict[str, Any] = {"machine": machine() | packages}
    print(", ".join(f"{name} {value}" for name, value in record["machine"].items()))
    record["speed"] = speed(corpus, 20 if args.small else 500, 1 if args.small else 2)
    record["accuracy"] = accuracy(corpus, 1000 if args.small else PAIRS)
    record["components"] = joining(1_000_000 if args.small else 10_000_000)
    if not args.skip_peers:
        record["peers"] = peers(corpus, out / "scratch-sketch", args.small)
    if not args.small:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"sketch-{_core.simd_levels()[-1]}.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
