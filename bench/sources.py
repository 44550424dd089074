"""How fast sources list and read: files/s and MB/s on one core.

python -m bench.sources [--files 100000]
"""

from __future__ import annotations

import argparse
import io
import json
import random
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from codemill.sources import Archive, Folder, Jsonl, Parquet, Source


def timed(name: str, source: Source) -> None:
    start = time.perf_counter()
    listing = source.list()
    listed = time.perf_counter()
    files = size = 0
    for shard in listing.shards:
        for batch in source.read(shard):
            files += batch.num_rows
            size += sum(batch["size"].to_pylist())
    read = time.perf_counter() - listed
    print(
        f"{name:24} {files:9,} files {size / 1e6:8.1f} MB   list {listed - start:6.2f} s"
        f"   read {read:6.2f} s {files / read:10,.0f} files/s {size / read / 1e6:8.1f} MB/s"
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000, help="of one line; a fifth as many of 6 KB")
    count: int = parser.parse_args(argv).files
    numbers = random.Random(1)
    words = ["".join(numbers.choices("abcdefghij_ ", k=8)) for _ in range(1000)]
    texts = [" ".join(numbers.choices(words, k=numbers.randrange(1, 1500))) for _ in range(2000)]
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for i in range(count):
            if i % 1000 == 0:
                (root / "one-line" / f"r{i // 1000}").mkdir(parents=True)
            (root / "one-line" / f"r{i // 1000}" / f"{i}.py").write_bytes(b"x = 1\n")
        timed("folder, one-line files", Folder(str(root / "one-line")))
        (root / "files" / "r").mkdir(parents=True)
        for i in range(count // 5):
            (root / "files" / "r" / f"{i}.py").write_text(texts[i % len(texts)])
        timed("folder, 6 KB files", Folder(str(root / "files")))
        for suffix in ("gz", "xz"):
            with tarfile.open(root / f"x.tar.{suffix}", f"w:{suffix}") as tar:  # type: ignore[call-overload]
                for i in range(count // 25):
                    data = texts[i % len(texts)].encode()
                    info = tarfile.TarInfo(f"r/{i}.py")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
            timed(f"archive, tar.{suffix}", Archive(str(root / f"x.tar.{suffix}")))
        many = [{"content": texts[i % len(texts)], "path": f"{i}.py", "stars": i} for i in range(count // 5)]
        pq.write_table(pa.Table.from_pylist(many), root / "x.parquet", row_group_size=4000, use_dictionary=False)
        timed("parquet", Parquet(str(root / "x.parquet")))
        (root / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in many))
        timed("jsonl", Jsonl(str(root / "x.jsonl")))


if __name__ == "__main__":
    main()
