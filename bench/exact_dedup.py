"""Exact dedup, Parquet in → kept Parquet out, beside pyarrow, Polars, DuckDB and Daft in one run.

    python -m bench.exact_dedup [--out .bench] [--small] [--rounds 5] [--engines codemill,pyarrow]

Every run is a process of its own, imports included, on 2 CPUs with 2 threads or workers, then on 1 with 1. Rounds
are interleaved and start with another engine each, so that a busy moment of the machine hits all of them. The rows
kept must be the same for all, id for id; else this fails. Then everything once more under a memory cap.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import signal
import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import corpus as bench_corpus
from bench.engines import ENGINES, PLAIN, kept
from bench.measure import Run, measure

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("codemill", "pyarrow", "polars", "polars-hash", "duckdb", "daft")


def run_once(name: str, corpus: Path, scratch: Path, threads: int, cap: int | None = None) -> tuple[Run, str, int]:
    """One engine's run: the measurement, the SHA-256 of the sorted names it kept, and how many."""
    out = scratch / "out"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    command = [sys.executable, "-m", "bench.engines", name, str(corpus), str(out), str(threads)]
    done = measure([*command, str(cap)] if cap else command, cores=threads, cap=cap)
    names = kept(name, out) if done.outcome == "ok" else []
    shutil.rmtree(scratch, ignore_errors=True)
    return done, hashlib.sha256("\n".join(names).encode()).hexdigest()[:16], len(names)


def compare(
    corpus: Path,
    scratch: Path,
    *,
    engines: Sequence[str],
    threads: Sequence[int],
    rounds: int,
    cap: int | None,
) -> dict[str, Any]:
    """All runs of all engines. Raises: AssertionError if two engines keep different rows."""
    for file in corpus.glob("*.parquet"):
        file.read_bytes()  # into the page cache: the disk is not what is measured
    timed: dict[str, dict[str, list[Run]]] = {str(t): {n: [] for n in engines if n not in PLAIN} for t in threads}
    capped: dict[str, Run] = {}
    verdicts: dict[str, tuple[str, int]] = {}

    def go(name: str, count: int, limit: int | None) -> Run:
        done, names, rows = run_once(name, corpus, scratch, count, limit)
        gib = f"{done.peak_bytes / 2**30:.2f} GiB" if done.peak_bytes is not None else "memory not measured"
        limited = f" under {limit / 2**30:.1f} GiB" if limit else ""
        spent = f"{done.seconds:.2f} s, {done.cpu_seconds:.2f} s of CPU, {gib}"
        print(f"{name} × {count}{limited}: {done.outcome} {spent} {done.detail}", flush=True)
        if done.outcome == "ok":
            first = next(iter(verdicts), name)
            verdicts.setdefault(name, (names, rows))
            assert (names, rows) == verdicts[first], (
                f"{name} kept {rows} rows ({names}), {first} {verdicts[first][1]} ({verdicts[first][0]})"
            )
        return done

    tuned = [name for name in engines if name not in PLAIN]
    for count in threads:
        for turn in range(rounds):
            for i in range(len(tuned)):
                name = tuned[(i + turn) % len(tuned)]
                timed[str(count)][name].append(go(name, count, None))
    if cap:
        for name in engines:
            capped[name] = go(name, max(threads), cap)
    rows = {n for _, n in verdicts.values()}
    return {
        "kept_rows": rows.pop() if rows else None,
        "agreed": sorted(verdicts),
        "timed": {t: {n: [dataclasses.asdict(r) for r in runs] for n, runs in by.items()} for t, by in timed.items()},
        "cap_bytes": cap,
        "capped": {name: dataclasses.asdict(done) for name, done in capped.items()},
    }


def machine() -> dict[str, Any]:
    """What the figures depend on: processor, memory, versions, and how busy the machine was."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    facts = {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu[0].partition(":")[2].strip() if cpu else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }
    return facts | {p: version(p) for p in PACKAGES if importlib.util.find_spec(p.replace("-", "_"))}


def table(found: dict[str, Any], raw_bytes: int) -> str:
    """The comparison as a Markdown table, one per thread count, and one for the cap."""
    lines = []
    for count, by in found["timed"].items():
        lines += ["", f"{count} thread(s) or worker(s), wall seconds of the whole process:", ""]
        lines += [
            "| engine | median | min-max | MB/s | × codemill | CPU s | peak GiB |",
            "|---|---|---|---|---|---|---|",
        ]
        ours = [r["seconds"] for r in by.get("codemill", ()) if r["outcome"] == "ok"]
        for name, runs in by.items():
            good = [r for r in runs if r["outcome"] == "ok"]
            if len(good) < len(runs):
                bad = next(r for r in runs if r["outcome"] != "ok")
                lines.append(f"| {name} | {bad['outcome']}: {bad['detail'][:60]} | | | | | |")
                continue
            seconds = [r["seconds"] for r in good]
            middle = statistics.median(seconds)
            ratio = f"{middle / statistics.median(ours):.2f}" if ours else ""
            cpu = statistics.median(r["cpu_seconds"] for r in good)
            peaks = [r["peak_bytes"] for r in good if r["peak_bytes"] is not None]
            peak = f"{max(peaks) / 2**30:.2f}" if peaks else ""
            span = f"{min(seconds):.2f}-{max(seconds):.2f}"
            speed = f"{raw_bytes / middle / 1e6:,.0f}"
            lines.append(f"| {name} | {middle:.2f} | {span} | {speed} | {ratio} | {cpu:.1f} | {peak} |")
    if found["capped"]:
        lines += ["", f"Under a cap of {found['cap_bytes'] / 2**30:.1f} GiB:", ""]
        lines += ["| engine | outcome | seconds | peak GiB |", "|---|---|---|---|"]
        for name, run in found["capped"].items():
            peak = f"{run['peak_bytes'] / 2**30:.2f}" if run["peak_bytes"] is not None else ""
            outcome = run["outcome"] if run["outcome"] != "failed" else f"failed ({run['detail'][:80]})"
            lines.append(f"| {name} | {outcome} | {run['seconds']:.1f} | {peak} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Runs the comparison, prints it, and writes it to bench/results (not with --small)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    parser.add_argument("--small", action="store_true", help="a small corpus, one round, no record")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default="2,1")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--cap-gib", type=float, default=2.0, help="0 leaves the capped runs out")
    args = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the running engine is ended as well
    out = (args.out / "small" if args.small else args.out).resolve()
    corpus = bench_corpus.build(out, small=args.small)
    facts = json.loads((out / "corpus.json").read_text())
    print(bench_corpus.describe(out))
    wanted = args.engines.split(",")
    missing = [n for n in wanted if importlib.util.find_spec(ENGINES[n][1]) is None]
    for name in missing:
        print(f"{name} is left out: {ENGINES[name][1]} is not installed (pip install 'codemill[bench]')")
    record = machine()
    found = compare(
        corpus,
        out / "scratch",
        engines=[n for n in wanted if n not in missing],
        threads=[int(t) for t in args.threads.split(",")],
        rounds=1 if args.small else args.rounds,
        cap=int(args.cap_gib * 2**30) or None,
    )
    print(table(found, facts["bytes"]))
    print(f"\nall kept the same {found['kept_rows']:,} of {facts['files']:,} rows: {', '.join(found['agreed'])}")
    shown = {
        k: facts[k] for k in ("fingerprint", "files", "bytes", "parquet_bytes", "distinct_files", "distinct_bytes")
    }
    result = {"machine": record, "corpus": shown, **found}
    if not args.small:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "exact_dedup.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


if __name__ == "__main__":
    main()
