"""Parquet, JSON lines, their columns, and metadata."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from codemill.errors import InputError, RecipeError
from codemill.sources import REFINECODE_META, THE_STACK_V2, Jsonl, Metadata, Parquet
from codemill.sources import _shards as shards_module
from codemill.sources import jsonl as jsonl_module
from codemill.sources._batches import microseconds
from codemill.sources._columns import iso_time
from codemill.sources.jsonl import _integer

from .source_tools import by_path, rows, table

THREE = [
    {"text": "a = 1\n", "repo_name": "o/one", "path": "/a.py", "star_events_count": 7, "fork": True},
    {"text": "", "repo_name": "o/one", "path": "b.py", "star_events_count": None, "fork": None},
    {"text": None, "repo_name": None, "path": None, "star_events_count": -1, "fork": False},
]


def test_three_rows_of_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(THREE), tmp_path / "x.parquet")
    found = rows(Parquet(str(tmp_path)))
    shown = [(r["repo"], r["path"], r["stars"], r["size"], r["raw"], r["reason"], r["meta"]) for r in found]
    assert shown == [
        ("o/one", "a.py", 7, 6, b"a = 1\n", None, '{"fork":true}'),
        ("o/one", "b.py", None, 0, b"", None, '{"fork":null}'),
        ("x", "x.parquet#2", None, 0, None, "no_content", '{"fork":false}'),
    ]


def test_three_lines_of_json(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in THREE) + "\n")
    found = rows(Jsonl(str(tmp_path)))
    shown = [(r["repo"], r["path"], r["stars"], r["size"], r["raw"], r["reason"], r["meta"]) for r in found]
    third = sum(len(json.dumps(row)) + 1 for row in THREE[:2])
    assert shown == [
        ("o/one", "a.py", 7, 6, b"a = 1\n", None, '{"fork":true}'),
        ("o/one", "b.py", None, 0, b"", None, '{"fork":null}'),
        ("x", f"x.jsonl@{third}", None, 0, None, "no_content", '{"fork":false}'),
    ]


def test_text_stays_in_place_and_bytes_do_not(tmp_path: Path) -> None:
    many = {"content": [f"{i}\n" * 9 for i in range(1000)], "path": [f"{i}.py" for i in range(1000)]}
    pq.write_table(pa.table(many), tmp_path / "text.parquet", row_group_size=100)
    (shard,) = Parquet(str(tmp_path)).list().shards
    assert shard.external is not None
    assert (shard.external.row_groups, shard.external.columns) == ((0, 10), {"content": "content"})
    facts = (tmp_path / "text.parquet").stat()
    assert (shard.external.size, shard.external.mtime_ns) == (facts.st_size, facts.st_mtime_ns)
    raw = table(Parquet(str(tmp_path)))["raw"].cast(pa.large_string()).to_pylist()
    assert raw == many["content"]  # row by row what the external column holds
    assert all(s.external is None for s in Parquet(str(tmp_path), keep_in_place=False).list().shards)
    binary = pa.table({"content": [b"\xff"], "path": ["a"]})
    pq.write_table(binary, tmp_path / "text.parquet")
    (shard,) = Parquet(str(tmp_path)).list().shards
    assert shard.external is None
    assert rows(Parquet(str(tmp_path)))[0]["raw"] == b"\xff"


def test_row_groups_become_shards(tmp_path: Path) -> None:
    big = pa.table({"content": [f"{i:02}" * 1_200_000 for i in range(60)]})  # 24 MB a row group
    pq.write_table(big, tmp_path / "x.parquet", row_group_size=10, use_dictionary=False, compression="zstd")
    listing = Parquet(str(tmp_path)).list()
    assert [s.external.row_groups for s in listing.shards if s.external] == [(0, 2), (2, 4), (4, 6)]
    assert [s.files for s in listing.shards] == [20, 20, 20]
    names = [r["path"] for r in rows(Parquet(str(tmp_path)))]
    assert names == [f"x.parquet#{i}" for i in range(60)]  # rows are numbered through all shards


def test_presets(tmp_path: Path) -> None:
    time = datetime.datetime(2023, 1, 2, 3, 4, 5, 678901)
    stack = {
        "blob_id": "b" * 40,
        "content": "x = 1\n",
        "repo_name": "o/r",
        "path": "/src/x.py",
        "revision_id": "c" * 40,
        "star_events_count": 3,
        "committer_date": time,
        "detected_licenses": ["MIT", "Apache-2.0"],
        "length_bytes": 6,
        "is_vendor": False,
    }
    pq.write_table(pa.Table.from_pylist([stack]), tmp_path / "stack.parquet")
    (row,) = rows(Parquet(str(tmp_path / "stack.parquet"), columns="the_stack_v2"))
    assert row == {
        "repo": "o/r",
        "path": "src/x.py",
        "revision": "c" * 40,
        "stars": 3,
        "commit_time": time.replace(tzinfo=datetime.UTC),
        "license": ["MIT", "Apache-2.0"],
        "size": 6,
        "raw": b"x = 1\n",
        "reason": None,
        "detail": None,
        "meta": json.dumps({"blob_id": "b" * 40, "is_vendor": False}, separators=(",", ":")),
    }
    del stack["content"]  # as it is published
    pq.write_table(pa.Table.from_pylist([stack]), tmp_path / "stack.parquet")
    (row,) = rows(Parquet(str(tmp_path / "stack.parquet"), columns=THE_STACK_V2))
    assert (row["reason"], row["size"]) == ("no_content", 6)
    meta = {"repo_name": "o/r", "sub_path": "a.py", "file_size_in_byte": 12, "lang": "Python", "doc_type": "code"}
    pq.write_table(pa.Table.from_pylist([meta]), tmp_path / "refine.parquet")
    (row,) = rows(Parquet(str(tmp_path / "refine.parquet"), columns=REFINECODE_META))
    assert (row["repo"], row["path"], row["size"], row["reason"]) == ("o/r", "a.py", 12, "no_content")
    assert json.loads(row["meta"]) == {"lang": "Python", "doc_type": "code"}


def test_a_mapping_must_name_what_is_there(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(THREE), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"no column 'txt'.*did you mean text"):
        Parquet(str(tmp_path), columns={"content": "txt"}).list()
    with pytest.raises(RecipeError, match="did you mean content"):
        Parquet(str(tmp_path), columns={"contents": "text"}).list()
    with pytest.raises(RecipeError, match="did you mean the_stack_v2"):
        Parquet(str(tmp_path), columns="the_stak_v2").list()
    with pytest.raises(InputError, match="int64, not text or bytes"):
        Parquet(str(tmp_path), columns={"content": "star_events_count"}).list()
    with pytest.raises(RecipeError, match="did you mean content"):
        Jsonl(str(tmp_path / "x.parquet"), columns={"contents": "text"}).list()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([5, None, -5]), [5, None, None]),
        (pa.array([5.0, float("nan"), float("inf")]), [5, None, None]),
        (pa.array(["5", "five", ""]), [5, None, None]),
        (pa.array([5, None, 7], pa.uint16()), [5, None, 7]),
    ],
)
def test_stars_of_any_type(tmp_path: Path, values: pa.Array, expected: list[int | None]) -> None:
    pq.write_table(pa.table({"content": ["1"] * 3, "stars": values}), tmp_path / "x.parquet")
    assert [r["stars"] for r in rows(Parquet(str(tmp_path)))] == expected


NOON = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "value",
    [
        NOON,
        NOON.replace(tzinfo=None),
        "2020-01-01T12:00:00Z",
        "2020-01-01 13:00:00+01:00",
        "2020-01-01T12:00:00.000000000Z",
        int(NOON.timestamp()),
        int(NOON.timestamp()) * 1000,
        int(NOON.timestamp()) * 1_000_000,
    ],
)
def test_times_of_any_type(tmp_path: Path, value: Any) -> None:
    pq.write_table(pa.table({"content": ["1"], "commit_time": [value]}), tmp_path / "x.parquet")
    assert rows(Parquet(str(tmp_path)))[0]["commit_time"] == NOON
    if not isinstance(value, datetime.datetime):
        (tmp_path / "x.jsonl").write_text(json.dumps({"content": "1", "commit_time": value}))
        assert rows(Jsonl(str(tmp_path)))[0]["commit_time"] == NOON


def test_bytes_in_strings_that_are_not_utf8(tmp_path: Path) -> None:
    bad = pa.array([b"caf\xe9"]).cast(pa.binary())
    text = pa.Array.from_buffers(pa.string(), 1, bad.buffers())
    pq.write_table(pa.table({"content": text, "path": text, "more": text}), tmp_path / "x.parquet")
    (row,) = rows(Parquet(str(tmp_path)))
    assert (row["raw"], row["path"], json.loads(row["meta"])) == (b"caf\xe9", r"caf\xe9", {"more": r"caf\xe9"})


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_text_of_any_type(tmp_path: Path, kind: pa.DataType) -> None:
    text = pa.array(["text that is not short", None, "7"], pa.string()).cast(kind)
    pq.write_table(pa.table({"content": text, "path": text, "stars": text, "more": text}), tmp_path / "x.parquet")
    found = rows(Parquet(str(tmp_path)))
    assert [r["raw"] for r in found] == [b"text that is not short", None, b"7"]
    assert [r["path"] for r in found] == ["text that is not short", "x.parquet#1", "7"]
    assert [r["stars"] for r in found] == [None, None, 7]
    assert [r["meta"] for r in found] == ['{"more":"text that is not short"}', '{"more":null}', '{"more":"7"}']
    assert Parquet(str(tmp_path)).list().shards[0].external is not None


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_bytes_of_any_type(tmp_path: Path, kind: pa.DataType) -> None:
    pq.write_table(pa.table({"content": pa.array([b"\xff", None], kind)}), tmp_path / "x.parquet")
    assert [r["raw"] for r in rows(Parquet(str(tmp_path)))] == [b"\xff", None]


def test_odd_columns_go_to_meta(tmp_path: Path) -> None:
    odd = pa.table(
        {
            "content": pa.array(["1"]).dictionary_encode(),
            "bytes": [b"\xff"],
            "list": [["a", None]],
            "struct": [{"x": 1.5}],
            "decimal": pa.array([1], pa.decimal128(5, 2)),
            "nothing": pa.nulls(1),
            "kind": pa.array(["k"]).dictionary_encode(),
        }
    )
    pq.write_table(odd, tmp_path / "x.parquet")
    (row,) = rows(Parquet(str(tmp_path)))
    assert row["raw"] == b"1"
    assert json.loads(row["meta"]) == {
        "list": ["a", None],
        "struct": {"x": 1.5},
        "decimal": "1.00",
        "nothing": None,
        "kind": "k",
    }


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_too_large_and_changed(tmp_path: Path, kind: str) -> None:
    data = [{"content": "x" * n, "path": str(n)} for n in (10, 11)]
    path = tmp_path / f"x.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(data), path)
    else:
        path.write_text("\n".join(map(json.dumps, data)))
    source = (Parquet if kind == "parquet" else Jsonl)(str(path), max_file_bytes=10)
    assert {p: (r["reason"], r["detail"], r["size"]) for p, r in by_path(source).items()} == {
        "10": (None, None, 10),
        "11": ("too_large", "11", 11),
    }
    (shard,) = source.list().shards
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(InputError, match="changed while"):
        list(source.read(shard))


def test_lines_are_cut_at_boundaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [json.dumps({"content": "x" * (i * 37 % 400), "path": str(i)}) for i in range(500)]
    lines[300] = "{broken"
    (tmp_path / "x.jsonl").write_text("\r\n".join(lines))
    whole = rows(Jsonl(str(tmp_path)))
    for size in (1, 100, 1000, 50_000):
        monkeypatch.setattr(jsonl_module, "SHARD_BYTES", size)
        assert rows(Jsonl(str(tmp_path))) == whole
    assert whole[300]["detail"].startswith("line 301: ")
    monkeypatch.setattr(jsonl_module, "SHARD_BYTES", 1000)
    monkeypatch.setattr(jsonl_module, "CHUNK", 7)
    assert rows(Jsonl(str(tmp_path))) == whole
    assert shards_module.SHARD_BYTES == 64 << 20


def test_compressed_lines(tmp_path: Path) -> None:
    data = "".join(json.dumps({"content": f"{i}", "path": f"{i}"}) + "\n" for i in range(5000)).encode()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(data))
    (tmp_path / "b.jsonl.zst").write_bytes(zstandard.compress(data))
    (tmp_path / "c.jsonl").write_bytes(data)
    found = rows(Jsonl(str(tmp_path), columns={"content": "content"}))
    assert [r["raw"] for r in found] == 3 * [f"{i}".encode() for i in range(5000)]
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(data)[:-2000])
    last = rows(Jsonl(str(tmp_path / "a.jsonl.gz")))[-1]
    assert (last["path"], last["reason"]) == ("a.jsonl.gz", "truncated")


# ── metadata ──────────────────────────────────────────────────────────────────────────────────────────────────────

CSV = """repo,stars,license,commit_time,fork
o/one,5,MIT,2020-01-01T12:00:00Z,true
o/two,,,,false
o/one,6,Apache-2.0,2020-01-01T12:00:00Z,false
"""


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_metadata_of_each_format(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"repos.{kind}"
    names, *lines = (line.split(",") for line in CSV.splitlines())
    records = [dict(zip(names, line, strict=True)) for line in lines]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    elif kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, records)))
    else:
        path.write_text(CSV if kind == "csv" else CSV.replace(",", "\t"))
    found = Metadata(str(path)).lookup(pa.array(["o/two", "o/one", "x", None, "o/one"])).to_pylist()
    one = {"stars": 6, "license": ["Apache-2.0"], "commit_time": NOON, "meta": '{"fork":"false"}'}
    two = {"stars": None, "license": None, "commit_time": None, "meta": '{"fork":"false"}'}
    assert found == [two, one, dict.fromkeys(one), dict.fromkeys(one), one]  # of two rows the later counts


def test_metadata_fills_only_what_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "repos.csv").write_text(CSV)
    known = {
        "stars": pa.array([1, None, None], pa.int64()),
        "commit_time": pa.array([None, None, None], pa.timestamp("us", "UTC")),
        "license": pa.array([None, ["BSD"], None], pa.list_(pa.string())),
        "meta": pa.array(['{"a":1}', None, "{}"], pa.string()),
    }
    filled = Metadata(str(tmp_path / "repos.csv")).fill(pa.array(["o/one", "o/one", "x"]), known)
    assert {name: array.to_pylist() for name, array in filled.items()} == {
        "stars": [1, 6, None],
        "commit_time": [NOON, NOON, None],
        "license": [["Apache-2.0"], ["BSD"], None],
        "meta": ['{"a":1,"repository":{"fork":"false"}}', '{"repository":{"fork":"false"}}', "{}"],
    }
    assert {name: array.type for name, array in filled.items()} == {n: a.type for n, a in known.items()}


def test_metadata_of_many_names_agrees_with_a_dictionary(tmp_path: Path) -> None:
    names = [f"o{i % 97}/r{i % 5000}" for i in range(20_000)]
    pq.write_table(pa.table({"repo": names, "stars": range(20_000)}), tmp_path / "repos.parquet")
    expected = dict(zip(names, range(20_000), strict=True))
    asked = [*names[::7], "no/such", ""]
    found = Metadata(str(tmp_path / "repos.parquet")).lookup(pa.array(asked)).field("stars").to_pylist()
    assert found == [expected.get(name) for name in asked]


def test_metadata_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Metadata(str(tmp_path / "none.csv"))
    (tmp_path / "repos.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"no column is the repository's name; there are a, b"):
        Metadata(str(tmp_path / "repos.csv")).lookup(pa.array(["x"]))
    with pytest.raises(InputError, match="no column 'c'"):
        Metadata(str(tmp_path / "repos.csv"), columns={"repo": "c"}).lookup(pa.array(["x"]))
    (tmp_path / "repos.jsonl").write_text('{"repo": ')
    with pytest.raises(InputError, match="cannot read this metadata"):
        Metadata(str(tmp_path / "repos.jsonl")).lookup(pa.array(["x"]))
    before = Metadata(str(tmp_path / "repos.csv"))
    (tmp_path / "repos.csv").write_text("repo,stars\no/x,1\n")
    assert Metadata(str(tmp_path / "repos.csv")).fingerprint != before.fingerprint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02", 86_400),
        ("1970-01-01T00:00:01", 1),  # without a zone it is UTC
        ("1970-01-01 00:00:02 UTC", 2),
        ("1970-01-01T01:00:03+01:00", 3),
        ("1970-01-01T00:00:04.123456789Z", 4.123456),
        ("today", None),
        (5, None),
    ],
)
def test_times_are_microseconds_of_utc(text: object, seconds: float | None) -> None:
    assert iso_time(text) == (None if seconds is None else round(seconds * 1_000_000))


def test_seconds_that_are_no_time_of_a_file_are_null() -> None:
    assert [microseconds(seconds) for seconds in (None, -1, 0, 1, 1.5)] == [None, None, None, 1_000_000, 1_500_000]
    assert microseconds(253_402_300_800) is None  # the year 10000
    assert microseconds(253_402_300_799) == 253_402_300_799_000_000


def test_whole_numbers_have_at_most_eighteen_digits_as_text() -> None:
    assert [_integer(value) for value in ("9" * 18, "1" * 19, "-1", "1.5", 7.0, 7.5, True)] == [
        10**18 - 1, None, None, None, 7, None, None,
    ]  # fmt: skip
    assert [_integer(value) for value in (0, (1 << 62) - 1, 1 << 62, -1)] == [0, (1 << 62) - 1, None, None]
