"""Time and peak memory of the report over a made-up ledger: `python -m bench.report --rows 100000000`.

The ledger has a repository for every 20 files and, among the 30 % that are duplicates, one original for every 20
rows. Ids are hashes, as ours are. It is written a million rows at a time (about 25 MB each) and removed afterwards.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from codemill.document import DOCUMENT, LEDGER
from codemill.report import render

PART = 1_000_000


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the ledger, renders the report and prints one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args(argv).rows
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:  # so that its memory does not count
            apart.submit(write, out, rows).result()
        began = time.monotonic()
        render(out)
        seconds = time.monotonic() - began
    print(f"report over {rows:,} rows: {seconds:.1f} s, peak {peak():.2f} GB")


def peak() -> float:
    """The process' peak memory so far. Unit: GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def write(out: Path, rows: int) -> None:
    """An OUT folder with a ledger of `rows` rows, an empty corpus and a manifest without steps."""
    for folder in ("ledger", "corpus"):
        (out / folder).mkdir()
    for part, start in enumerate(range(0, rows, PART)):
        ledger = _part(np.arange(start, min(start + PART, rows), dtype=np.uint64), rows)
        file = out / "ledger" / f"part-{part:05}.parquet"
        pq.write_table(ledger, file, compression="zstd", row_group_size=131_072)
    pq.write_table(DOCUMENT.empty_table(), out / "corpus" / "part-00000.parquet")
    total, none = {"rows": rows, "bytes": 0}, {"rows": 0, "bytes": 0}
    manifest = {"codemill": "0", "recipe": {"name": "bench", "parameters": {}}, "inputs": [], "steps": []}
    manifest |= {"ingested": total, "kept": total, "dropped": none, "seconds": 1.0}
    (out / "manifest.json").write_text(json.dumps(manifest))


def _part(i: np.ndarray, rows: int) -> pa.Table:
    dice = _mix(i + np.uint64(1 << 41)) / 2**64
    original = _mix(i + np.uint64(1 << 42)) % np.uint64(max(rows // 20, 1))
    frame = pl.DataFrame({"i": i, "dice": dice, "id": _ids(i), "kept_id": _ids(original)})
    duplicate, dropped = pl.col("dice") < 0.3, pl.col("dice") < 0.4
    repo = (pl.col("i") // 20).cast(pl.String)
    step = pl.when(duplicate).then(pl.lit("dedup.exact")).when(dropped).then(pl.lit("ingest.files"))
    reason = pl.when(duplicate).then(pl.lit("duplicate")).when(dropped).then(pl.lit("empty"))
    columns = {
        "id": pl.col("id"),
        "source": pl.lit("bench"),
        "repo": pl.lit("owner/repo") + repo,
        "path": pl.lit("src/some/folder/file_") + pl.col("i").cast(pl.String) + pl.lit(".py"),
        "language": pl.lit("language ") + (pl.col("i") * 7919 % 600).cast(pl.String),
        "doc_type": pl.lit("code"),
        "size": (2 ** (4 + 16 * pl.col("dice"))).cast(pl.Int64),
        "verdict": pl.when(dropped).then(pl.lit("dropped")).otherwise(pl.lit("kept")),
        "step": step,
        "reason": reason,
        "value": pl.lit(None, pl.String),
        "kept_id": pl.when(duplicate).then(pl.col("kept_id")),
        "similarity": pl.when(duplicate).then(pl.lit(1.0, pl.Float32)),
    }
    table = frame.select(**columns).to_arrow()
    for field in LEDGER:
        if field.name not in columns:  # of repositories, cleaning and rules nothing is said
            table = table.append_column(field.name, pa.nulls(len(table), field.type))
    return table.select(LEDGER.names).cast(LEDGER)


def _mix(a: np.ndarray) -> np.ndarray:
    """SplitMix64's last step: numbers that look random, from numbers that do not."""
    a = (a ^ (a >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    a = (a ^ (a >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return a ^ (a >> np.uint64(31))


def _ids(numbers: np.ndarray) -> pl.Series:
    """32 hexadecimal digits for each number."""
    both = np.stack([_mix(numbers + np.uint64(1)), _mix(numbers + np.uint64(1 << 40))], axis=1)
    text = pa.py_buffer(both.astype("<u8").tobytes().hex().encode())
    offsets = pa.py_buffer(np.arange(0, 32 * len(numbers) + 1, 32, dtype=np.int64))
    return pl.Series(pa.Array.from_buffers(pa.large_string(), len(numbers), [None, offsets, text]))


if __name__ == "__main__":
    main()
