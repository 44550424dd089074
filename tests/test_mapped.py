"""Tables that are published as Arrow files to be mapped, and groups with several keys for a row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pytest

import codemill as cm
from codemill.columns import checksums, damaged
from codemill.machine.builder import build
from codemill.machine.kinds import Published
from codemill.machine.store import Damaged
from codemill.sources import Published as Earlier
from codemill.steps import ingest
from tests import toys

KEY = pa.uint64()


@cm.rows(version=1, reads=("content",), adds={"letters": pa.list_(pa.uint8())}, published=Published(mapped=True))
def spelt(documents: pa.RecordBatch) -> pa.RecordBatch:
    """The bytes of each document."""
    texts = [list(text.encode()) for text in documents["content"].to_pylist()]
    return pa.record_batch({"of": np.arange(len(texts)), "letters": pa.array(texts, pa.list_(pa.uint8()))})


def _two_keys(batch: pa.RecordBatch, *, times: int, lose: bool) -> pa.RecordBatch:
    of = np.repeat(np.arange(batch.num_rows), times)[int(lose) * times :]
    number = np.tile(np.arange(times, dtype=np.uint64), batch.num_rows)[int(lose) * times :]
    draws = np.array([hash_of(id) for id in batch["parent"].take(pa.array(of)).to_pylist()], np.uint64)
    width = np.uint64((1 << 64) - 1) // np.uint64(times)
    return pa.record_batch({"of": of, "key": number * width + draws // np.uint64(times), "weight": np.ones(len(of))})


def hash_of(id: str) -> int:
    return int(id[:16], 16)


@cm.group(
    version=1,
    reads=("parent",),
    key="key",
    adds={"key": KEY, "input": pa.int32(), "part": pa.int32(), "row": pa.int32(), "place": pa.int64()},
    emit=_two_keys,
    before=("weight",),
)
def repeated(keys: pa.Table, *, times: int, lose: bool = False, before: Mapping[str, int]) -> pa.Table:
    """The rows of all inputs, `times` times."""
    place = pa.array(before["weight"] + np.arange(keys.num_rows))
    return keys.select(["key", "input", "part", "row"]).append_column("place", place)


TEXTS = tuple(f"text {i}" * (i % 5 + 1) for i in range(23))


def table() -> cm.Table:
    return spelt(ingest.documents(sources=(toys.Literals(TEXTS, per_part=7),)))


def test_a_mapped_output_is_plain_arrow_with_checksums_and_can_be_read_as_a_table(tmp_path: Path) -> None:
    build({"letters": table()}, out=tmp_path, workers=1)
    files = sorted((tmp_path / "letters").iterdir())
    assert [file.name for file in files] == [f"part-{i:05d}.arrow" for i in range(4)]
    found = []
    for file in files:
        with pa.memory_map(str(file)) as mapped:
            reader = ipc.open_file(mapped)
            for i in range(reader.num_record_batches):
                batch, said = reader.get_batch_with_custom_metadata(i)
                assert said
                assert damaged(batch, said) == []
                assert file.read_bytes().count(bytes(batch["letters"].values.to_numpy())) == 1  # not compressed
                found += [bytes(letters).decode() for letters in batch["letters"].to_pylist()]
    assert sorted(found) == sorted(TEXTS)
    again = ingest.published(source=Earlier(str(tmp_path), "letters"))
    build({"again": again}, out=tmp_path.with_name("again"), workers=1)
    assert cm.plan({"letters": table()}, tmp_path).published


def test_a_mapped_output_in_the_place_of_parquet_replaces_it(tmp_path: Path) -> None:
    plain = ingest.documents(sources=(toys.Literals(TEXTS, per_part=7),))
    build({"letters": plain}, out=tmp_path, workers=1)
    build({"letters": table()}, out=tmp_path, workers=1)
    assert {file.suffix for file in (tmp_path / "letters").iterdir()} == {".arrow"}
    build({"letters": plain}, out=tmp_path, workers=1)
    assert {file.suffix for file in (tmp_path / "letters").iterdir()} == {".parquet"}


def test_damage_in_a_column_that_is_read_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build({"letters": table()}, out=tmp_path / "a", workers=1)
    file = sorted((tmp_path / "a" / "letters").iterdir())[0]
    data = bytearray(file.read_bytes())
    data[data.index(b"text 1text 1")] ^= 1
    file.write_bytes(data)
    piece = Earlier(str(tmp_path / "a"), "letters").pieces("letters")[0]
    with pytest.raises(Damaged, match="bytes are not those"):
        list(piece.read(["parent"]))
    monkeypatch.setattr("codemill.machine.layers.READ_WHOLE", 0)  # as of a file too large to be hashed as a whole
    assert sum(batch.num_rows for batch in piece.read(["parent"])) == 7
    with pytest.raises(Damaged, match="batch 0 is not what was written in letters"):
        list(piece.read(["parent", "letters"]))


def test_checksums_do_not_depend_on_how_a_batch_was_cut() -> None:
    whole = pa.record_batch({"a": pa.array([[1], None, [2, 3]]), "b": ["x", "y", None]})
    part = pa.record_batch({"a": pa.array([None, [2, 3]], pa.list_(pa.int64())), "b": ["y", None]})
    assert checksums(whole.slice(1)) == checksums(part) != checksums(whole.slice(0, 2))
    said = {name.encode(): value.encode() for name, value in checksums(part).items()}
    assert damaged(whole.slice(1), said) == []
    assert damaged(whole.slice(0, 2), said) == ["a", "b"]
    assert damaged(part, {}) == []


def test_a_row_of_a_group_may_have_several_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codemill.machine.groups.GROUP_ROWS", 8)
    manifest = build({"order": repeated(table(), times=3)}, out=tmp_path, workers=1)
    entry = manifest["steps"][-1]
    assert (entry["rows_out"], entry["parents"]) == (69, 23)
    import pyarrow.parquet as pq

    rows = pa.concat_tables([pq.read_table(file) for file in sorted((tmp_path / "order").iterdir())])
    assert rows["place"].to_pylist() == list(range(69))
    assert rows["key"].to_pylist() == sorted(rows["key"].to_pylist())
    where = list(zip(rows["part"].to_pylist(), rows["row"].to_pylist(), strict=True))
    assert all(where.count(place) == 3 for place in where)


def test_a_row_of_a_group_that_no_key_was_made_of_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(cm.BuildError, match="none of some rows"):
        build({"order": repeated(table(), times=2, lose=True)}, out=tmp_path, workers=1)
