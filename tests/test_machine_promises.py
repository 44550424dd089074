"""Promises of the machine that only a broken machine would break: memory, books, publishing, engines."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.machine import books, engine, exchange, fill, groups, keys, planning, publishing, store
from codemill.machine.engine import Scope, Task, engine_named
from codemill.machine.layers import Part
from codemill.machine.store import PartWriter, Place, Receipt
from codemill.machine.tasks import numbers_within
from codemill.steps import dedup, ingest
from tests import toys, working


def recipe(texts: tuple[str, ...] = ("a", "b", "b"), **more: Any) -> cm.Table:
    return dedup.exact(toys.length(ingest.files(sources=(toys.Literals(texts, **more),)), at_most=9))


def pids(tasks: list[Task], running: Any) -> list[dict[str, Any]]:
    return [outcome.result for outcome in running.run(tasks) if outcome.result is not None]


def where() -> dict[str, Any]:
    """Which process this is, and how many threads it may start: others, and Arrow's to compute and to read."""
    arrow = (pa.cpu_count(), pa.io_thread_count())
    return {"pid": os.getpid(), "threads": os.environ.get("OMP_NUM_THREADS"), "arrow": arrow}


def test_memory_limits_the_number_of_workers(caplog: pytest.LogCaptureFixture) -> None:
    running = engine_named("local", 8, 1 << 30)
    try:
        assert running.workers == 2
        assert "--memory allows 2 workers" in caplog.text
    finally:
        running.close()
    with pytest.raises(cm.RecipeError, match="less than one worker needs"):
        engine_named("local", 1, (512 << 20) - 1)
    alone = engine_named("local", 1, 512 << 20)
    alone.close()
    assert alone.workers == 1
    with pytest.raises(cm.RecipeError, match="--workers must be at least 1, got 0"):
        engine_named("local", 0, None)
    with pytest.raises(cm.RecipeError, match=r"unknown engine 'rey'.*did you mean ray"):
        engine_named("rey", None, None)


def test_what_a_task_uses_decides_where_it_runs() -> None:
    running = engine.Local(2)
    try:
        core = pids([Task(where, (), f"{i}") for i in range(8)], running)
        talking = pids([Task(where, (), f"{i}", uses="connections") for i in range(4)], running)
        alone = pids([Task(where, (), f"{i}", uses="machine") for i in range(2)], running)
        later = pids([Task(where, (), "later", uses="connections")], running)
    finally:
        running.close()
    assert len(core) == 8
    assert {result["threads"] for result in (*core, *talking)} == {"1"}
    assert {result["arrow"] for result in core} == {(1, 1)}
    assert len({result["pid"] for result in (*talking, *later)}) == 1
    assert len({result["pid"] for result in alone}) == 2
    assert {result["threads"] for result in alone} == {os.environ.get("OMP_NUM_THREADS")}
    assert not {result["pid"] for result in alone} & {result["pid"] for result in core}


def test_a_scope_blocks_what_is_outside_its_window_and_what_it_skips() -> None:
    assert Scope().blocks(0, 5) == []
    assert Scope(skip=frozenset({4, 6, 11})).blocks(4, 5) == [0, 2]
    assert Scope(window=(5, 7)).blocks(4, 5) == [0, 3, 4]
    assert Scope(skip=frozenset({5}), window=(5, 7)).blocks(4, 5) == [0, 1, 3, 4]
    assert Scope(window=(0, 0)).blocks(0, 2) == [0, 1]
    assert not Scope(skip=frozenset({1})).probing
    assert Scope(window=(0, 0)).probing


@pytest.mark.parametrize(
    ("change", "came"),
    [({"rows_out": 2}, {}), ({"bytes_in": 41}, {}), ({}, {"rows": 4}), ({}, {"bytes": 39}), ({"dropped": {}}, {})],
)
def test_books_that_do_not_add_up_stop_the_build(change: dict[str, Any], came: dict[str, int]) -> None:
    good = {
        "rows_in": 3,
        "bytes_in": 40,
        "rows_out": 1,
        "bytes_out": 10,
        "dropped": {"a": {"rows": 1, "bytes": 10}, "b": {"rows": 1, "bytes": 20}},
    }
    books.check(good, {"rows": 3, "bytes": 40}, where="toys")
    books.check(good, {"rows": 3, "bytes": None}, where="toys")
    with pytest.raises(cm.BuildError, match=r"the books do not add up: .*toys"):
        books.check({**good, **change}, {"rows": 3, "bytes": 40} | came, where="toys")


def test_books_count_rows_and_bytes_by_reason() -> None:
    counted = books.Books()
    counted.add(pa.array([5, 7, None, 11]), pa.array([None, "x", "y", "x"]))
    counted.add(pa.array([2]), None)
    assert counted.counts(parents=3) == {
        "rows_in": 5,
        "bytes_in": 25,
        "rows_out": 2,
        "bytes_out": 7,
        "dropped": {"x": {"rows": 2, "bytes": 18}, "y": {"rows": 1, "bytes": 0}},
        "parents": 3,
    }
    both = books.added_up([counted.counts(parents=3), counted.counts(parents=1)])
    assert both["rows_in"] == 10
    assert both["parents"] == 4
    assert list(both["dropped"].items()) == [("x", {"rows": 4, "bytes": 36}), ("y", {"rows": 2, "bytes": 0})]


def test_while_results_are_swapped_no_manifest_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cm.build(recipe(), out=tmp_path, workers=1)
    (tmp_path / "report.html").write_text("old")
    seen: list[tuple[bool, bool]] = []
    move = Place.move_to

    def watched(place: Place, target: Place) -> None:
        if "corpus" in target.uri:
            seen.append(((tmp_path / "manifest.json").exists(), (tmp_path / "report.html").exists()))
        move(place, target)

    monkeypatch.setattr(Place, "move_to", watched)
    cm.build(recipe(("a", "other", "more")), out=tmp_path, workers=1)
    assert seen == [(False, False)]
    assert (tmp_path / "manifest.json").exists()


def test_a_ledger_that_does_not_say_what_steps_counted_stops_the_build() -> None:
    entries = [
        {"name": "toys.begin", "kind": "source", "inputs": [], "rows_out": 3, "dropped": {"bad": {"rows": 1}}},
        {"name": "toys.length", "kind": "layer", "inputs": [0], "rows_out": 2, "dropped": {"long": {"rows": 1}}},
    ]
    stack = publishing.chain(entries, 1)
    assert stack == [0, 1]
    good = [[None, None, 2], ["toys.begin", "bad", 1], ["toys.length", "long", 1]]
    publishing._check_ledger("ledger", entries, stack, {"a": Receipt("a", 4, 1, "", {"verdicts": good})})
    for wrong in ([[None, None, 3], *good[1:]], good[:2], [*good, ["toys.length", "odd", 1]]):
        with pytest.raises(cm.BuildError, match="the ledger does not say what the steps counted"):
            publishing._check_ledger("ledger", entries, stack, {"a": Receipt("a", 4, 1, "", {"verdicts": wrong})})


def test_files_that_are_as_they_were_are_copied_and_others_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tuple(f"t{i}" for i in range(25))
    cm.build(recipe(texts, per_part=10), out=tmp_path, workers=1)
    copied: list[str] = []
    copy = Place.copy_to
    monkeypatch.setattr(Place, "copy_to", lambda place, target: (copied.append(target.name), copy(place, target))[1])
    cm.build(recipe((*texts[:20], "changed"), per_part=10), out=tmp_path, workers=1)
    assert sorted(copied) == ["part-00000.parquet"] * 2 + ["part-00001.parquet"] * 2
    monkeypatch.undo()
    cm.build(recipe((*texts[:20], "changed"), per_part=10), out=tmp_path / "fresh", workers=1)
    for name in ("corpus", "ledger"):
        both = [
            sorted((p.name, p.read_bytes()) for p in (out / name).iterdir()) for out in (tmp_path, tmp_path / "fresh")
        ]
        assert both[0] == both[1]


def test_a_published_file_that_was_changed_is_not_copied_into_the_next_result(tmp_path: Path) -> None:
    texts = tuple(f"t{i}" for i in range(25))
    cm.build(recipe(texts, per_part=10), out=tmp_path, workers=1)
    part = tmp_path / "corpus" / "part-00000.parquet"
    data = bytearray(part.read_bytes())
    data[len(data) // 3] ^= 1
    part.write_bytes(data)
    cm.build(recipe((*texts, "more"), per_part=10), out=tmp_path, workers=1)
    assert sorted(pq.read_table(tmp_path / "corpus")["content"].to_pylist()) == sorted([*texts, "more"])


def test_a_damaged_working_file_is_rebuilt_in_the_run_that_reads_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = ("a", "b", "b", "longer than nine")  # one is dropped, or nothing of the file would be read
    cm.build(recipe(texts), out=tmp_path, workers=1)
    expected = (tmp_path / "corpus" / "part-00000.parquet").read_bytes()
    part = working.files(tmp_path, "toys.length")[0]
    data = bytearray(part.read_bytes())
    data[len(data) // 3] ^= 1
    part.write_bytes(data)
    (tmp_path / "manifest.json").unlink()
    for name in (tmp_path / ".work" / "tables" / "dedup.exact").iterdir():
        name.unlink()
    caplog.set_level(logging.WARNING)
    cm.build(recipe(texts), out=tmp_path, workers=1)
    assert "is damaged and will be rebuilt" in caplog.text
    assert (tmp_path / "corpus" / "part-00000.parquet").read_bytes() == expected


def test_a_file_is_there_if_it_has_a_receipt_and_its_size(tmp_path: Path) -> None:
    folder = Place.of(tmp_path)
    schema = pa.schema({"a": pa.int64()}.items())
    with PartWriter(folder, "x", schema, published=True) as writer:
        writer.write(pa.record_batch({"a": [1, 2]}))
        receipt = writer.close({"n": 1}, "code")
    assert store.read_receipt(folder, "x") == receipt
    assert (receipt.rows, receipt.counts, receipt.code, receipt.stem) == (2, {"n": 1}, "code", "x")
    assert fill.intact_files(folder, ["x", "y"]) == {"x": receipt}
    data = bytearray((tmp_path / "x.parquet").read_bytes())
    data[9] ^= 1
    (tmp_path / "x.parquet").write_bytes(data)
    assert not fill.intact_files(folder, ["x", "y"])
    (tmp_path / "x.parquet").write_bytes(data[:-1])
    assert not fill.intact_files(folder, ["x", "y"])


def test_a_working_file_has_its_receipt_inside_and_one_of_nulls_is_no_file(tmp_path: Path) -> None:
    folder = Place.of(tmp_path)
    schema = pa.schema({"a": pa.int64(), "reason": pa.string()}.items())
    receipts = {}
    for name, values in (("some", [None, 1]), ("none", [None, None])):
        with PartWriter(folder, name, schema) as writer:
            for value in values:
                writer.write(pa.record_batch({"a": [value], "reason": [None]}, schema=schema))
            receipts[name] = writer.close({"n": 1}, "code")
    assert [path.name for path in tmp_path.iterdir()] == ["some.arrow"]
    assert fill.working_files(folder, ["some", "none", "other"]) == {"some": receipts["some"]}
    assert (receipts["none"].rows, receipts["none"].bytes, receipts["none"].stem) == (2, 0, "none")
    data = (tmp_path / "some.arrow").read_bytes()
    (tmp_path / "some.arrow").write_bytes(data[:-1])
    assert not fill.working_files(folder, ["some"])


def test_leaving_a_writer_without_closing_it_leaves_nothing(tmp_path: Path) -> None:
    schema = pa.schema({"a": pa.int64()}.items())
    with contextlib.suppress(ZeroDivisionError), PartWriter(Place.of(tmp_path), "x", schema) as writer:
        writer.write(pa.record_batch({"a": [1]}))
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_facts_are_believed_only_as_they_were_sealed() -> None:
    facts = store.seal({"a": [1, {"b": None}]})
    assert store.sealed(facts) == facts
    assert store.seal(facts) == facts
    assert store.sealed({**facts, "a": [2]}) is None
    assert store.sealed({"a": 1}) is None
    assert store.sealed(None) is None


def test_where_groups_of_parts_begin() -> None:
    mib = 1 << 20
    assert exchange._starts([], heavy=False) == [0]
    assert exchange._starts([30 * mib] * 5, heavy=False) == [0, 2, 4]
    assert exchange._starts([100 * mib] * 3, heavy=False) == [0, 1, 2]
    many = exchange._starts([64 * mib] * 1000, heavy=False)
    assert len(many) == 250
    assert len(exchange._starts([64 * mib] * 1000, heavy=True)) == 1000


def test_partitions_of_a_group_are_ranges_and_those_of_an_exchange_are_not() -> None:
    rng = np.random.default_rng(7)
    for values in (
        pa.array(rng.integers(0, 1 << 63, 500, dtype=np.uint64) * np.uint64(2)),
        pa.array([rng.bytes(8) for _ in range(500)], pa.binary(8)),
    ):
        where = keys.range_of(pa.chunked_array([values]), 7)
        assert set(where.tolist()) == set(range(7))
        ordered = [part for _, part in sorted(zip(values.to_pylist(), where.tolist(), strict=True))]
        assert ordered == sorted(ordered)
        assert set(keys.partition_of(pa.chunked_array([values]), 7).tolist()) == set(range(7))
    with pytest.raises(cm.BuildError, match="may not be null"):
        keys.range_of(pa.chunked_array([pa.array([None, 1], pa.uint64())]), 2)
    with pytest.raises(cm.BuildError, match="must be a hash of at least 8 bytes"):
        keys.range_of(pa.chunked_array([pa.array(["a"])]), 2)


def test_a_row_of_a_group_has_one_key_or_several() -> None:
    made = pa.record_batch({"key": ["a", "b", "c"], "of": [1, 0, 1]})
    kept, rows = groups._several(made, np.array([70, 90]))
    assert kept.to_pydict() == {"key": ["a", "b", "c"]}
    assert rows.tolist() == [90, 70, 90]
    with pytest.raises(cm.BuildError, match="emit made none of some rows"):
        groups._several(made, np.array([70, 90, 110]))


def test_numbers_within_groups() -> None:
    assert numbers_within(np.array([5, 7, 5, 5, 7])).tolist() == [0, 0, 1, 2, 1]
    assert numbers_within(np.array([], dtype=np.int64)).tolist() == []


def test_a_part_depends_on_what_is_read_of_it_and_on_what_drops(tmp_path: Path) -> None:
    table = toys.length(toys.upper(ingest.files(sources=(toys.Literals(("a", "b" * 20)),))), at_most=9)
    cm.build(table, out=tmp_path, workers=1)
    plan = planning.planned(table, tmp_path)
    shelf, built = planning.Shelf(plan.out), []
    for node in plan.nodes:
        inputs = [built[i] for i in node.inputs]
        built.append(shelf.look(node, planning.name(node, inputs), inputs))
    part: Part = built[-1].parts[0]
    base, upper, length = part.pieces
    assert [piece.drops for piece in part.pieces] == [False, False, True]
    assert part.homes("content") == (1,)
    assert part.homes("path") == (0,)
    same = Part(part.name, (base, upper, length))
    other = lambda piece: piece.__class__(**{**piece.__dict__, "sha256": "0" * 64})  # noqa: E731
    assert same.depends(["path"]) == Part("x", (base, other(upper), length)).depends(["path"])
    assert same.depends(["content"]) != Part("x", (base, other(upper), length)).depends(["content"])
    assert same.depends(["path"]) != Part("x", (base, upper, other(length))).depends(["path"])
    assert same.depends(["path"]) != Part("x", (other(base), upper, length)).depends(["path"])


@pytest.mark.parametrize(("title", "name"), [("..", "precious"), ("corpus", "../../precious"), ("corpus", "/precious")])
def test_a_manifest_that_names_files_elsewhere_removes_none_of_them(tmp_path: Path, title: str, name: str) -> None:
    out, precious = tmp_path / "out", tmp_path / "precious"
    precious.write_text("theirs")
    cm.build(recipe(), out=out, workers=1)
    facts = json.loads((out / "manifest.json").read_text())
    if name == "/precious":
        name = str(precious)
    receipt = dict(next(iter(facts["files"]["corpus"].values())), name=name)
    facts["files"][title] = {**facts["files"].get(title, {}), name: receipt}
    (out / "manifest.json").write_text(json.dumps(store.seal(facts)))
    cm.build(recipe(("other",)), out=out, workers=1)
    assert precious.read_text() == "theirs"
    assert pq.read_table(out / "corpus")["content"].to_pylist() == ["other"]
