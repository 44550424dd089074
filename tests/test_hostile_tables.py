"""Parquet and lines that are damaged, or too long to be held."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.errors import InputError
from codemill.machine import layers
from codemill.sources import Jsonl, Parquet
from codemill.steps import ingest

from . import toys
from .source_tools import rows


def test_parquet_that_is_none(tmp_path: Path) -> None:
    for data in (b"", b"PAR1", b"PAR1" + b"\xff" * 100 + b"PAR1"):
        (tmp_path / "x.parquet").write_bytes(data)
        with pytest.raises(InputError, match="not a whole Parquet file"):
            Parquet(str(tmp_path)).list()


def test_damaged_parquet_pages_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    content = [random.Random(i).randbytes(500).hex() for i in range(100)]
    table = pa.table({"path": [f"{i}.py" for i in range(100)], "content": content})
    pq.write_table(table, path, row_group_size=25, compression="none", use_dictionary=False, write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[data.index(content[30].encode()) + 5] ^= 1
    path.write_bytes(data)
    for keep_in_place in (True, False):
        found = rows(Parquet(str(path), keep_in_place=keep_in_place))
        assert [r["path"] for r in found] == [f"{i}.py" for i in range(100)]  # the names are another column
        assert {r["path"] for r in found if r["reason"] == "corrupt"} == {f"{i}.py" for i in range(25, 50)}
        assert found[50]["raw"] == content[50].encode()
    data[data.index(b"30.py")] ^= 1
    path.write_bytes(data)
    found = rows(Parquet(str(path)))
    assert [r["path"] for r in found if r["reason"]] == [f"x.parquet#{i}" for i in range(25, 50)]


def test_damaged_content_in_place_is_missing_for_exactly_the_rows_that_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    content = [f"{i:05} " + "x" * (i % 2000) for i in range(9000)]
    data = pa.table({"path": [f"{i}.py" for i in range(9000)], "more": ["y" * 500] * 9000, "content": content})
    pq.write_table(data, path, compression="none", use_dictionary=False, write_page_checksum=True)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(content[6000].encode()) + 3] ^= 1
    path.write_bytes(damaged)
    (shard,) = Parquet(str(path)).list().shards
    assert shard.external is not None
    alive = [row["reason"] is None for row in rows(Parquet(str(path)))]
    place = [b.column("content") for b in layers._external_batches(shard.external.__dict__, ["content"])]
    read = pa.chunked_array(place).to_pylist()
    assert alive == [text is not None for text in read]
    assert 1000 < sum(alive) <= 6000
    assert [text for text in read if text] == content[: sum(alive)]


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_text_left_in_place_that_changes_later_never_gets_into_a_corpus(tmp_path: Path, compression: str) -> None:
    """Most Parquet files have no checksums of their pages. Size and time are those of the listing: a disk forgot."""
    path, out = tmp_path / "x.parquet", tmp_path / "out"
    texts = [random.Random(i).randbytes(100).hex() for i in range(100)]
    written = pa.table({"path": [f"{i}.py" for i in range(100)], "content": texts})
    pq.write_table(written, path, compression=compression, use_dictionary=False)
    assert pq.read_table(path).equals(written)

    def build(at_most: int) -> list[str]:
        files = ingest.documents(sources=(Parquet(str(path)),))
        cm.build(toys.length(files, at_most=at_most), out=out, workers=1)
        return pq.read_table(out / "corpus")["content"].to_pylist()

    assert sorted(build(1000)) == sorted(texts)
    whole, facts = path.read_bytes(), path.stat()
    chunk = pq.read_metadata(path).row_group(0).column(1)
    for flip in range(8):
        damaged = bytearray(whole)
        place = chunk.data_page_offset + random.Random(flip).randrange(40, chunk.total_compressed_size)
        damaged[place] ^= 1 << random.Random(flip).randrange(8)
        path.write_bytes(damaged)
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        with pytest.raises(InputError, match=r"the file is damaged|can no longer be read"):
            build(1001 + flip)
    path.write_bytes(whole)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert sorted(build(2000)) == sorted(texts)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_a_long_line_is_not_held(tmp_path: Path) -> None:
    """A line of 1 GiB, read by a process that may not have so much."""
    with gzip.open(tmp_path / "x.jsonl.gz", "wb", compresslevel=1) as file:
        file.write(b'{"content": "1", "path": "a.py"}\n{"content": "')
        for _ in range(1024):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"content": "2", "path": "b.py"}\n')
    code = f"""
from codemill.sources import Jsonl
source = Jsonl({str(tmp_path)!r})
for shard in source.list().shards:
    for batch in source.read(shard):
        for row in batch.to_pylist():
            print(row["path"], row["reason"])
for line in open("/proc/self/status"):
    if line.startswith("VmHWM:"):  # not ru_maxrss, which starts with that of the process that spawned us
        print(int(line.split()[1]) >> 10)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *found, megabytes = done.stdout.splitlines()
    assert found == ["a.py None", "x.jsonl.gz@33 too_large", "b.py None"]
    assert int(megabytes) < 500


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"{", "line 2"),
        (b"[1]", "not an object but list"),
        (b'{"content": 5}', "content is int"),
        (b'{"content": "\\ud800"}', "surrogates"),
        (b'{"content": "x", "path": "\\ud800"}', "surrogates"),
        (b'{"content": "x", "more": "\\ud800"}', "surrogates"),
        (b'{"a":' * 100_000, "recursion"),
        (b'{"content": "x", "n": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"content": "\xff"}', "utf-8"),
        (b"\0\0\0", "line 2"),
    ],
)
def test_malformed_lines(tmp_path: Path, line: bytes, word: str) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"content": "1", "path": "a"}\n' + line + b'\n{"content": "2", "path": "b"}\n')
    first, bad, last = rows(Jsonl(str(tmp_path)))
    assert (first["raw"], bad["reason"], last["raw"]) == (b"1", "malformed", b"2")
    assert word in bad["detail"]
    assert bad["detail"].startswith("line 2: ")
    assert len(bad["detail"]) < 300
