"""Exact dedup, Parquet in → kept Parquet out, as each engine does it best. One process runs one of them:

    python -m bench.engines ENGINE CORPUS OUT THREADS [MEMORY_BYTES]

The task is the same for all: of the rows with equal SHA-256 of `content` keep the one with most stars, then the
latest commit time, then the first by repository and path; write them with all their columns as zstd-1 Parquet. All
take two passes: keys first, then a second read that filters, because carrying the content through a shuffle was slower
and took more memory wherever it was tried. What else was tuned stands at each function; what was tried and left, in
docs/benchmarks.md.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

Engine = Callable[[Path, Path, int, int | None], None]
"""(corpus folder, empty output folder, threads or workers, memory cap in bytes or None)."""

DECIDE = ["stars", "commit_time", "repo", "path"]
SMALL_COLUMNS = ["id", "repo", "path", "revision", "stars", "commit_time", "size"]


# ── pyarrow ───────────────────────────────────────────────────────────────────────────────────────────────────────


def pyarrow(corpus: Path, out: Path, threads: int, memory: int | None) -> None:
    """By hand: one process per thread, hashlib, a sort of the keys, masks by file.

    Tuned: processes instead of threads (hashlib holds the GIL below 2 KiB); dictionaries and statistics only for the
    columns that gain from them (with pyarrow's defaults writing takes a third longer).
    """
    files = sorted(corpus.glob("*.parquet"))
    with ProcessPoolExecutor(threads, mp_context=get_context("spawn")) as pool:
        masks = _best(list(pool.map(_pyarrow_keys, files)))
        list(pool.map(_pyarrow_write, files, masks, [out / f.name for f in files]))


def _pyarrow_keys(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source, hashes, keys = pq.ParquetFile(file), [], []
    for group in range(source.num_row_groups):
        table = source.read_row_group(group, columns=["content", *DECIDE], use_threads=False)
        hashes += [hashlib.sha256(text).digest() for text in views(table["content"])]
        keys.append(table.drop(["content"]))
    return pa.concat_tables(keys).append_column("hash", pa.array(hashes, pa.binary(32)))


def views(column: Any) -> Any:
    """The bytes of each text of a column without a copy."""
    import numpy as np
    import pyarrow as pa

    for chunk in column.chunks:
        _, offsets, data = chunk.buffers()
        width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
        ends = np.frombuffer(offsets, width)[chunk.offset : chunk.offset + len(chunk) + 1].tolist()
        view = memoryview(data)
        for start, end in pairwise(ends):
            yield view[start:end]


def _best(keys: list[Any]) -> list[Any]:
    """A mask of kept rows for each table of keys."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.concat_tables(keys)
    hashes = np.frombuffer(b"".join(c.buffers()[1] for c in table["hash"].chunks), "S32")
    head = np.frombuffer(hashes.tobytes(), ">u8").reshape(-1, 4)
    stars = table["stars"].to_numpy()
    times = pc.cast(table["commit_time"], pa.int64()).to_numpy()
    places = (pc.rank(table[name], tiebreaker="dense").to_numpy() for name in ("path", "repo"))
    order = np.lexsort((*places, -times, -stars, *head.T[::-1]))
    ordered = head[order]
    first = np.ones(len(order), bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    kept = np.zeros(len(order), bool)
    kept[order[first]] = True
    return np.split(kept, np.cumsum([len(k) for k in keys])[:-1])


def _pyarrow_write(file: Path, mask: Any, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source, row = pq.ParquetFile(file), 0
    narrow = {"use_dictionary": ["repo", "revision", "stars"], "write_statistics": SMALL_COLUMNS}
    with pq.ParquetWriter(target, source.schema_arrow, compression="zstd", compression_level=1, **narrow) as sink:
        for group in range(source.num_row_groups):
            table = source.read_row_group(group, use_threads=False)
            sink.write_table(table.filter(pa.array(mask[row : row + len(table)])))
            row += len(table)


# ── Polars ────────────────────────────────────────────────────────────────────────────────────────────────────────


def polars(corpus: Path, out: Path, threads: int, memory: int | None) -> None:
    """Streaming engine, SHA-256 by the polars-hash plugin; keys by row number, then a streamed filter by membership.

    Tuned: `is_in` on row numbers (a semi-join holds more: it takes a quarter more memory and 8 % more CPU); order not
    maintained; row groups of 4,096 rows (its default takes twice the memory).
    """
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    scan = pl.scan_parquet(corpus / "*.parquet", row_index_name="row")
    kept = _polars_kept(scan)["row"]
    scan.filter(pl.col("row").is_in(kept.implode())).drop("row").sink_parquet(
        out / "part.parquet",
        compression="zstd",
        compression_level=1,
        maintain_order=False,
        row_group_size=4096,
    )


def polars_plain(corpus: Path, out: Path, threads: int, memory: int | None) -> None:
    """The same as one would write it first: a semi-join, and the defaults. For the capped runs."""
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    scan = pl.scan_parquet(corpus / "*.parquet", row_index_name="row")
    kept = _polars_kept(scan).lazy()
    sink = scan.join(kept, on="row", how="semi").drop("row")
    sink.sink_parquet(out / "part.parquet", compression="zstd", compression_level=1)


def _polars_kept(scan: Any) -> Any:
    import polars as pl
    import polars_hash as plh

    digest = plh.col("content").chash.sha2_256().alias("hash")
    keys = scan.select("row", *DECIDE, digest).collect(engine="streaming")
    best = keys.sort(*DECIDE, descending=[True, True, False, False], nulls_last=True)
    return best.unique("hash", keep="first", maintain_order=False).select(pl.col("row"))


# ── DuckDB ────────────────────────────────────────────────────────────────────────────────────────────────────────


def duckdb(corpus: Path, out: Path, threads: int, memory: int | None) -> None:
    """SQL: a key table, then COPY of a semi-join on the id.

    Tuned: insertion order not preserved, row groups of 4,096 rows (the default of 122,880 takes 2.5 times the memory
    and 15 % more CPU), one output file per thread; under a cap half of it as its own limit.
    """
    _duckdb(corpus, out, threads, memory, "ROW_GROUP_SIZE 4096, PER_THREAD_OUTPUT true, OVERWRITE_OR_IGNORE true")


def duckdb_plain(corpus: Path, out: Path, threads: int, memory: int | None) -> None:
    """The same with its default row groups, and its own limit at its default of 80 %. For the capped runs."""
    _duckdb(corpus, out, threads, memory and memory * 8 // 5, "PER_THREAD_OUTPUT true, OVERWRITE_OR_IGNORE true")


def _duckdb(corpus: Path, out: Path, threads: int, memory: int | None, options: str) -> None:
    import duckdb as db

    con = db.connect()
    con.execute(f"SET threads={threads}; SET preserve_insertion_order=false")
    con.execute(f"SET temp_directory='{out.parent / 'duckdb-spill'}'")
    if memory:
        con.execute(f"SET memory_limit='{memory // 2 // 2**20}MiB'")
    rows = f"read_parquet('{corpus}/*.parquet')"
    con.execute(f"CREATE TEMP TABLE keys AS SELECT id, {', '.join(DECIDE)}, sha256(content) AS hash FROM {rows}")
    con.execute(
        """CREATE TEMP TABLE kept AS SELECT id FROM keys QUALIFY row_number() OVER
        (PARTITION BY hash ORDER BY stars DESC NULLS LAST, commit_time DESC NULLS LAST, repo, path) = 1"""
    )
    con.execute(
        f"""COPY (SELECT * FROM {rows} SEMI JOIN kept USING (id)) TO '{out}'
        (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, {options})"""
    )


# ── Daft ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def daft(corpus: Path, out: Path, threads: int, memory: int | None) -> None:
    """Native runner: keys with a batch UDF over hashlib (Daft has no SHA-256), then a semi-join on the id.

    Tuned: order not maintained, the best rows found in pyarrow (its window functions are slower).
    Not equal: Daft writes its own zstd level, which it does not let one choose.
    """
    os.environ["DAFT_RUNNER"] = "native"
    import daft as d
    import pyarrow as pa

    d.set_execution_config(maintain_order=False)

    @d.func.batch(return_dtype=d.DataType.binary())
    def sha256(content: d.Series) -> pa.Array:
        texts = pa.chunked_array([content.to_arrow().cast(pa.large_string())])
        return pa.array([hashlib.sha256(t).digest() for t in views(texts)], pa.binary())

    rows = d.read_parquet(f"{corpus}/*.parquet")
    keys = rows.select("id", *DECIDE, sha256(d.col("content")).alias("hash")).to_arrow()
    plain = {
        "id": pa.binary(16),
        "stars": pa.int64(),
        "commit_time": pa.timestamp("us", "UTC"),
        "repo": pa.large_string(),
        "path": pa.large_string(),
        "hash": pa.binary(32),
    }
    keys = keys.cast(pa.schema(plain.items())).combine_chunks()
    (mask,) = _best([keys])
    kept = d.from_arrow(keys.select(["id"]).filter(pa.array(mask)))
    rows.join(kept, on="id", how="semi").write_parquet(str(out), compression="zstd")


# ── codemill ──────────────────────────────────────────────────────────────────────────────────────────────────────


def codemill(corpus: Path, out: Path, threads: int, memory: int | None) -> None:
    """A recipe of two steps, `ingest.documents` and `dedup.exact`, through `codemill.build`.

    It does more than the others: it checks that the text is text, computes the ids, and writes a ledger with a row
    for every file, dropped ones with the copy that was kept.
    """
    import codemill as cm
    from codemill.sources import Parquet
    from codemill.steps import dedup, ingest

    files = ingest.documents(sources=(Parquet(str(corpus)),))
    cm.build(dedup.exact(files), out=out, workers=threads, memory=memory and memory // 2)


ENGINES: dict[str, tuple[Engine, str]] = {
    "codemill": (codemill, "codemill"),
    "pyarrow": (pyarrow, "pyarrow"),
    "polars": (polars, "polars_hash"),
    "duckdb": (duckdb, "duckdb"),
    "daft": (daft, "daft"),
    "polars-plain": (polars_plain, "polars_hash"),
    "duckdb-plain": (duckdb_plain, "duckdb"),
}
"""Name → (function, the module that must be installed)."""

PLAIN = ("polars-plain", "duckdb-plain")
"""Run under the cap only: what becomes of an engine there that nobody tuned for it."""


def kept(name: str, out: Path) -> list[str]:
    """Repositories and paths of the rows an engine kept, sorted. (Of two releases of one package, equal in all that
    decides, either may be kept.)"""
    import pyarrow.parquet as pq

    folder = out / "corpus" if name == "codemill" else out
    found: list[str] = []
    for file in sorted(folder.rglob("*.parquet")):
        table = pq.read_table(file, columns=["repo", "path"])
        found += [f"{repo}/{path}" for repo, path in zip(*table.to_pydict().values(), strict=True)]
    return sorted(found)


if __name__ == "__main__":
    engine, corpus_, out_, threads_, *memory_ = sys.argv[1:]
    Path(out_).mkdir(parents=True)
    ENGINES[engine][0](Path(corpus_), Path(out_), int(threads_), int(memory_[0]) if memory_ else None)
