"""Near-deduplication through the machine: by file, by repository, by chunk; and components beyond memory.

    python -m bench.levels [--out .bench] [--small] [--megabytes 500]

Each level is built by one worker on one core on top of a corpus that is ingested (and without exact copies, for files
and chunks) already; seconds are those of the processor, and include writing the result. Rounds of components run in
this process, without the machine around them. Prints everything and, without --small, writes bench/results/levels.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import codemill as cm
from bench import corpus as bench_corpus
from bench.exact_dedup import RESULTS, machine
from bench.measure import measure
from bench.sketch import cpu_seconds
from codemill import _core
from codemill.machine import components
from codemill.machine.engine import Task
from codemill.machine.keys import write_found
from codemill.machine.store import Place, Receipt
from codemill.report.facts.ledger import chunk_totals, collect
from codemill.run import Run
from codemill.sources import Parquet
from codemill.steps import dedup, ingest

LEVELS = ("exact", "file", "chunk", "file, then chunk", "ingest", "repo")
"""In the order in which they are built: what comes before another is what it builds on."""


def table(level: str, folder: Path) -> cm.Table:
    """What is built, of the Parquet files in a folder."""
    files = ingest.documents(sources=(Parquet(str(folder)),))
    if level == "ingest":
        return files
    if level == "repo":
        return dedup.fuzzy(files, level="repo")
    unique = dedup.exact(files)
    if level == "exact":
        return unique
    if level == "file, then chunk":
        return dedup.fuzzy(dedup.fuzzy(unique), level="chunk")
    return dedup.fuzzy(unique, level=level)


def levels(corpus: Path, scratch: Path, megabytes: float) -> list[dict[str, Any]]:
    """A row per level: documents and megabytes of text before and after, seconds, peak memory."""
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "in").mkdir(parents=True)
    size = 0
    for file in sorted(corpus.glob("*.parquet")):
        shutil.copy(file, scratch / "in")
        size += sum(pc.sum(batch["size"]).as_py() for batch in pq.ParquetFile(file).iter_batches(columns=["size"]))
        if size > megabytes * 1e6:
            break
    found: list[dict[str, Any]] = []
    print("\n| | documents | kept | text MB | left MB | CPU s | MB/s | peak MiB |\n|---|---|---|---|---|---|---|---|")
    before: dict[str, Any] = {}
    for level in LEVELS:
        run = measure([sys.executable, "-m", "bench.levels", "--build", level, str(scratch)], cores=1)
        if run.outcome != "ok":
            raise bench_corpus.BenchError(f"{level}: {run.detail}")
        manifest = json.loads((scratch / "out" / "manifest.json").read_text())
        batches = pq.ParquetDataset(scratch / "out" / "corpus").fragments
        left = sum(
            pc.sum(pc.binary_length(batch["content"])).as_py() or 0
            for part in batches
            for batch in part.to_batches(columns=["content"])
        )
        row = {"level": level, "kept": manifest["kept"]["rows"], "left": left, **dataclasses.asdict(run)}
        base = before.get({"file, then chunk": "file", "repo": "ingest"}.get(level, "exact"))
        before[level] = row
        if base is not None and level != "ingest":
            row |= {"documents": base["kept"], "text": base["left"]}
            peak = f"{run.peak_bytes / 2**20:.0f}" if run.peak_bytes is not None else ""
            print(
                f"| {level} | {row['documents']:,} | {row['kept']:,} | {row['text'] / 1e6:.1f} | {left / 1e6:.1f} |"
                f" {run.cpu_seconds:.1f} | {row['text'] / run.cpu_seconds / 1e6:.0f} | {peak} |",
                flush=True,
            )
        found.append(row)
        if level == "chunk":
            said = about_chunks(scratch / "out")
    print(said)
    shutil.rmtree(scratch)
    return found


def about_chunks(out: Path) -> str:
    """How many chunks files have, and how many went."""
    ledger = Run.open(out).ledger()
    chunks = chunk_totals(ledger)
    assert chunks is not None
    counts = collect(ledger.select(pl.col("chunks").struct.field("total")).drop_nulls())["total"]
    words = size = 0
    for file in sorted((out / "corpus").glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(1000, columns=["content"]):
            content = batch["content"].cast(pa.large_string())
            words += len(_core.chunk_ends(content, words=1).flatten())
            size += pc.sum(pc.binary_length(content)).as_py()
    return (
        f"\n{chunks['total']:,} chunks of {len(counts):,} files, {(counts > 1).mean():.1%} of which have several; "
        f"{chunks['removed']:,} went, {chunks['cut']:,} of them ({chunks['bytes'] / 1e6:.2f} MB) out of "
        f"{chunks['documents']:,} files that stayed\na word has {size / words:.1f} bytes with what follows it, so "
        f"4,096 have {4.096 * size / words:.0f} kB"
    )


def rounds(pairs: np.ndarray, name: str, partitions: int = 8) -> dict[str, Any]:
    """Components of pairs at once, and in rounds through files until every node is tied to its smallest."""
    table = pa.table({"a": pa.array(pairs[:, 0]), "b": pa.array(pairs[:, 1])})
    once: list[pa.Table] = []
    at_once = cpu_seconds(lambda: once.append(components.at_once(iter([table]))))
    with tempfile.TemporaryDirectory() as place:
        folder, there = Place(place), dict[str, Receipt]()

        def write(todo: dict[str, Task]) -> None:
            for file, task in todo.items():
                if file not in there:
                    (there[file],) = task.run(*task.args)["receipts"]

        names = [f"reduce-{i:05d}" for i in range(partitions)]
        for i, file in enumerate(names):
            part = table.slice(i * len(pairs) // partitions, -(-len(pairs) // partitions))
            there[file] = write_found(folder.at(f"{file}.arrow"), part)
        stars: list[str] = []
        seconds = cpu_seconds(lambda: stars.extend(components.in_rounds(write, there, folder, names, memory=0)[0]))
        maps = [f"label-{i}" for i in range(partitions)]
        places = {file: folder.at(f"{file}.arrow") for file in maps}

        def label() -> list[pa.Table]:
            write(components.map_tasks("label", maps, [folder.at(f"{file}.arrow") for file in stars], places))
            return [components.labels(list(places.values()), (i, partitions)) for i in range(partitions)]

        labels: list[pa.Table] = []
        seconds += cpu_seconds(lambda: labels.extend(label()))
        assert pa.concat_tables(labels).sort_by("a").equals(once[0].combine_chunks())
    count = int(stars[0].split("-")[1])
    million = len(pairs) / 1e6
    print(
        f"| {name} | {million:.1f} | {once[0].num_rows / 1e6:.1f} | {at_once:.2f} | {million / at_once:.1f} | {count} |"
        f" {seconds:.1f} | {million / seconds:.2f} |",
        flush=True,
    )
    return {"graph": name, "pairs": len(pairs), "at_once": at_once, "rounds": count, "seconds": seconds}


def graphs(nodes: int) -> dict[str, np.ndarray]:
    """What clusters look like, and what they look like at worst: small groups, one random graph, a shuffled chain."""
    random = np.random.default_rng(3)
    numbers = random.permutation(nodes).astype(np.uint64) * np.uint64(7)
    chain = random.permutation(nodes - 1)
    groups = np.arange(nodes) // 5 * 5
    return {
        "groups of five": random.permutation(np.stack([numbers, numbers[groups]], axis=1)[np.arange(nodes) % 5 > 0]),
        "random": random.integers(0, nodes, (nodes, 2), dtype=np.uint64),
        "a chain": np.stack([numbers[chain], numbers[chain + 1]], axis=1),
    }


def main(argv: list[str] | None = None) -> None:
    """Prints levels and rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(".bench"))
    parser.add_argument("--small", action="store_true", help="a small corpus, no record")
    parser.add_argument("--megabytes", type=float, default=500, help="of text to work on")
    parser.add_argument("--build", nargs=2, metavar=("LEVEL", "FOLDER"), help="used for the parts that are measured")
    args = parser.parse_args(argv)
    if args.build:
        folder = Path(args.build[1])
        cm.build(table(args.build[0], folder / "in"), out=folder / "out", workers=1)
        return
    out = (args.out / "small" if args.small else args.out).resolve()
    corpus = bench_corpus.build(out, small=args.small)
    record: dict[str, Any] = {"machine": machine()}
    print(", ".join(f"{name} {value}" for name, value in record["machine"].items()))
    record["levels"] = levels(corpus, out / "scratch-levels", 20 if args.small else args.megabytes)
    print("\n| graph | M pairs | M nodes | at once s | M pairs/s | rounds | in rounds s | M pairs/s |")
    print("|---|---|---|---|---|---|---|---|")
    nodes = 100_000 if args.small else 1_000_000
    record["rounds"] = [rounds(pairs, name) for name, pairs in graphs(nodes).items()]
    if not args.small:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "levels.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
