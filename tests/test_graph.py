"""The machine as a graph: every kind of step, further inputs, outputs by name, and what a later run builds again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.machine.planning import plan
from codemill.machine.store import Place
from codemill.recipes import quickstart
from codemill.sources import Folder, Published
from codemill.steps import dedup, ingest
from tests import graph_toys as graph
from tests import toys, working
from tests.killing import built, killed_ten_times


def documents(texts: tuple[str, ...], **more: Any) -> cm.Table:
    return ingest.files(sources=(toys.Literals(texts, **more),))


def test_every_kind_of_step_builds_and_the_books_add_up(tmp_path: Path) -> None:
    manifest = cm.build(graph.everything(), out=tmp_path, workers=2)
    entries = {(entry["name"], entry["fingerprint"]): entry for entry in manifest["steps"]}
    assert (
        len(entries) == len(manifest["steps"]) == 19
    )  # two sources of two tables each, a table used twice is built once
    corpus, ledger = (pq.read_table(tmp_path / name) for name in ("corpus", "ledger"))
    kept = [row for row in ledger.to_pylist() if row["verdict"] == "kept"]
    assert {row["id"] for row in kept} == set(corpus["id"].to_pylist())
    assert manifest["kept"]["rows"] == corpus.num_rows
    assert manifest["ingested"]["rows"] == ledger.num_rows
    said = {row["reason"] for row in ledger.to_pylist()}
    assert {None, "no_words", "rare"} == said
    made = next(entry for entry in manifest["steps"] if entry["name"] == "graph_toys.words")
    assert made["parents"] == 60 - made["dropped"].get("crashed", {"rows": 0})["rows"]
    assert made["drops"] == {"no_words": "without a word in it"}
    assert json.loads((tmp_path / "model" / "checkpoint-3.json").read_text())
    assert not (tmp_path / "model" / ".receipts").exists()


def test_a_row_that_was_made_leads_back_to_the_document_it_came_from(tmp_path: Path) -> None:
    table = documents(("two words", "one", ""))
    made = graph.words(table)
    cm.build({"files": table, "words": made, "books": cm.ledger(made)}, out=tmp_path, workers=1)
    files = {row["id"]: row["content"] for row in pq.read_table(tmp_path / "files").to_pylist()}
    rows = pq.read_table(tmp_path / "words").to_pylist()
    assert [(files[row["parent"]], row["word"], row["place"]) for row in rows] == [
        ("two words", "two", 0),
        ("two words", "words", 1),
        ("one", "one", 0),
    ]
    assert len({row["id"] for row in rows}) == 3
    books = pq.read_table(tmp_path / "books").to_pylist()
    # The empty file was dropped by ingest, and never came to the step.
    assert [(row["verdict"], row["step"], row["reason"]) for row in books] == [("kept", None, None)] * 3


def test_an_id_depends_on_the_step_its_parameters_the_parent_and_the_ordinal(tmp_path: Path) -> None:
    table = documents(("two words",))
    outputs = {"a": graph.words(table), "b": graph.words(table, least=2), "c": graph.words(documents(("two words",)))}
    cm.build(outputs, out=tmp_path, workers=1)
    a, b, c = (pq.read_table(tmp_path / name)["id"].to_pylist() for name in "abc")
    assert a == c
    assert not set(a) & set(b)


def test_a_rows_step_that_forgets_a_row_or_uses_an_ordinal_twice_is_named(tmp_path: Path) -> None:
    table = documents(("a", "b", "c"))
    with pytest.raises(cm.BuildError, match=r"nothing was made of 1 of 3 rows.*graph_toys.forgetful"):
        cm.build(graph.forgetful(table), out=tmp_path / "a", workers=1)
    with pytest.raises(cm.BuildError, match=r"same ordinal.*graph_toys.same_ordinal"):
        cm.build(graph.same_ordinal(table), out=tmp_path / "b", workers=1)


def test_a_group_is_sorted_by_key_and_sums_before_it_are_those_of_smaller_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = graph.words(documents(tuple(f"w{i} same" for i in range(100)), per_part=7))
    for name, size in (("one", 1 << 20), ("many", 9)):
        monkeypatch.setattr("codemill.machine.groups.GROUP_ROWS", size)
        cm.build({"out": graph.counted(made)}, out=tmp_path / name, workers=1)
    one, many = (pq.read_table(tmp_path / name / "out").drop_columns(["id"]) for name in ("one", "many"))
    assert len(list((tmp_path / "many" / "out").iterdir())) == 23
    assert one.num_rows == 101
    assert one.equals(many)
    keys = one["key"].to_pylist()
    assert keys == sorted(keys)
    sizes = [
        len(word) * copies for word, copies in zip(one["word"].to_pylist(), one["copies"].to_pylist(), strict=True)
    ]
    assert one["letters_before"].to_pylist() == [sum(sizes[:i]) for i in range(len(sizes))]


@pytest.mark.slow
def test_bytes_are_the_same_for_any_workers_engine_and_after_ten_kills(tmp_path: Path) -> None:
    expected = killed_ten_times("tests.graph_toys.many", tmp_path)  # built with one worker; killed and resumed with two
    outputs = {"corpus", "ledger", "vocabulary", "order", "model", "documents"}
    assert {name.split("/")[0] for name in expected} == outputs
    assert built("tests.graph_toys.many", tmp_path / "ray", engine="ray") == expected


LETHAL = tuple("KILL me" if i == 13 else f"text {i}" for i in range(30))


@pytest.mark.parametrize("kind", ["source", "rows", "map", "reduce"])
def test_a_document_that_kills_a_worker_is_found_and_dropped(tmp_path: Path, kind: str) -> None:
    table = documents(LETHAL, per_part=20)
    made = {
        "source": lambda: graph.kills_in_source(sources=(toys.Literals(LETHAL, per_part=20),)),
        "rows": lambda: graph.words(table),
        "map": lambda: graph.kills_in_map(table),
        "reduce": lambda: graph.kills_in_reduce(table),
    }[kind]()
    manifest = cm.build({"out": made, "ledger": cm.ledger(made)}, out=tmp_path, workers=2)
    kept = 2 * 29 if kind == "rows" else 29
    assert pq.read_table(tmp_path / "out").num_rows == manifest["steps"][-1]["rows_out"] == kept
    entries = pq.read_table(tmp_path / "ledger").to_pylist()
    assert len(entries) == kept + 1
    dropped = [entry for entry in entries if entry["verdict"] == "dropped"]
    assert [(entry["step"], entry["reason"]) for entry in dropped] == [(made.step.name, "crashed")]
    assert kind == "rows" or dropped[0]["path"] == "f00013.py"


@pytest.mark.parametrize("kind", ["emit", "function"])
def test_a_document_that_kills_a_worker_in_a_group_is_found_and_counted(tmp_path: Path, kind: str) -> None:
    words = whole(documents(("a b", "KILL", "c d"), per_part=20))
    made = graph.counted(words) if kind == "emit" else graph.kills_in_group(words)
    manifest = cm.build({"out": made}, out=tmp_path, workers=1)
    assert (manifest["steps"][-1]["crashed"], manifest["steps"][-1]["parents"]) == (1, 3)
    assert sorted(pq.read_table(tmp_path / "out")["word"].to_pylist()) == ["a b", "c d"]


def test_a_row_of_a_further_input_that_kills_a_worker_has_no_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = documents(("text 1", "KILL me", "new"))
    made = graph.kills_in_others(table, documents(("text 0", "text 1"), label="a"), documents(LETHAL, label="b"))
    cm.build(made, out=tmp_path, workers=2)
    assert pq.read_table(tmp_path / "corpus")["content"].to_pylist() == ["KILL me", "new"]
    assert "document at row 15 kills its worker" in caplog.text  # row 13 of the second input, after two of the first


@cm.rows(version=1, reads=("content",), adds={"word": pa.string()})
def whole(documents: pa.RecordBatch) -> pa.RecordBatch:
    """The whole text as one word."""
    return pa.record_batch({"of": range(documents.num_rows), "word": documents["content"].cast(pa.string())})


def test_a_folder_step_goes_on_from_what_was_sealed(tmp_path: Path) -> None:
    made = graph.words(documents(("alpha beta", "gamma")))
    cm.build({"model": graph.trained(made, rounds=2)}, out=tmp_path, workers=1)
    folder = next((tmp_path / ".work" / "graph_toys.trained").glob("*/checkpoint-0.json")).parent
    (folder / "checkpoint-0.json").write_text('{"marked": 1}')
    (folder / ".receipts" / "checkpoint-0.json.json").unlink()
    (folder / "checkpoint-1.json").write_text("{}")  # its receipt no longer fits
    for manifest in ((tmp_path / ".work" / "tables" / "graph_toys.trained").iterdir(), [tmp_path / "manifest.json"]):
        for path in manifest:
            path.unlink()
    before = graph.files(tmp_path)
    cm.build({"model": graph.trained(made, rounds=2)}, out=tmp_path, workers=1)
    assert graph.files(tmp_path) == before


def test_inputs_that_do_not_fit_the_kind_are_refused_when_the_step_is_called() -> None:
    table = documents(("a",))
    model = graph.trained(graph.words(table), rounds=1)
    with pytest.raises(cm.RecipeError, match=r"toys.length takes one table, got 2"):
        toys.length(table, table)
    with pytest.raises(cm.RecipeError, match=r"graph_toys.looked_up takes 2 tables, got 1"):
        graph.looked_up(table)
    with pytest.raises(cm.RecipeError, match=r"takes a table of rows first, graph_toys.trained makes files"):
        toys.length(model)
    with pytest.raises(cm.RecipeError, match=r"ingest.files takes no table, got 1"):
        ingest.files(table, sources=())
    with pytest.raises(cm.RecipeError, match=r"an output cannot be called '../x'"):
        cm.build({"../x": table}, out="/nowhere")
    with pytest.raises(cm.RecipeError, match=r"makes files, of which there is no ledger"):
        cm.build({"x": cm.ledger(model)}, out="/nowhere")


def test_a_second_input_is_part_of_a_tables_identity(tmp_path: Path) -> None:
    table = documents(("word1 x", "word2"))
    for word, expected in (("word1", [1, 0]), ("word2", [0, 1])):
        looked = graph.looked_up(table, graph.counted(graph.words(documents((word,)))))
        cm.build({"out": looked}, out=tmp_path, workers=1)
        manifest = json.loads((tmp_path / "manifest.json").read_text())
        key = manifest["steps"][-1]["key"]
        made = json.loads((tmp_path / ".work" / "tables" / "graph_toys.looked_up" / f"{key}.json").read_text())
        files = [tmp_path / ".work" / "graph_toys.looked_up" / entry["name"] for entry in made["files"]]
        assert working.read(files[0])["known"].to_pylist() == expected


def repositories(root: Path, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        folder = root / f"repository-{number:03d}"
        folder.mkdir(parents=True)
        for name in range(3):
            lines = [f"def function_{number}_{name}_{i}(value):\n    return value + {number * i}\n" for i in range(9)]
            (folder / f"module_{name}.py").write_text("\n".join(lines))


@pytest.mark.slow
def test_one_repository_more_makes_one_part_more_and_the_bytes_of_a_fresh_run(tmp_path: Path) -> None:
    root = tmp_path / "in"
    repositories(root, 100)
    cm.build(quickstart.quickstart((Folder(str(root)),)), out=tmp_path / "out", workers=2)
    before = {path.name: path.stat().st_mtime_ns for path in working.files(tmp_path / "out", "quality.measure")}
    repositories(root, 1, start=100)
    cm.build(quickstart.quickstart((Folder(str(root)),)), out=tmp_path / "out", workers=2)
    after = {path.name: path.stat().st_mtime_ns for path in working.files(tmp_path / "out", "quality.measure")}
    new = [name for name in after if before.get(name) != after[name]]
    assert 1 <= len(new) <= 0.02 * len(before)
    cm.build(quickstart.quickstart((Folder(str(root)),)), out=tmp_path / "fresh", workers=1)
    assert graph.files(tmp_path / "out") == graph.files(tmp_path / "fresh")


def test_a_guard_or_an_index_that_changes_rebuilds_nothing_downstream(tmp_path: Path) -> None:
    words = [f"{w}{i}" for i in range(40) for w in ("alpha", "beta")]
    table = documents(tuple(" ".join([*words, f"end{i % 3}"]) for i in range(9)))
    states = []
    for largest, index in ((10_000, False), (5, False), (5, True)):
        near = dedup.fuzzy(table, bands=4, rows=4, largest=largest, index=index)
        last = toys.length(toys.upper(near), at_most=2000)
        manifest = cm.build(last, out=tmp_path, workers=1)
        states.append({entry["name"]: entry["cached"] for entry in manifest["steps"]})
    assert not any(states[0].values())
    assert [name for name, cached in states[1].items() if not cached] == ["dedup.guard"]
    assert [name for name, cached in states[2].items() if not cached] == ["known.index"]


def test_what_an_earlier_run_published_is_read_in_place(tmp_path: Path) -> None:
    cm.build(documents(("one two", "three")), out=tmp_path / "earlier", workers=1)
    table = ingest.published(source=Published(str(tmp_path / "earlier"), "corpus"))
    manifest = cm.build({"words": graph.words(table)}, out=tmp_path / "later", workers=1)
    assert sorted(pq.read_table(tmp_path / "later" / "words")["word"].to_pylist()) == ["one", "three", "two"]
    assert manifest["steps"][0]["kind"] == "opened"
    assert not (tmp_path / "later" / ".work" / "ingest.published").exists()
    moved = tmp_path / "moved"
    (tmp_path / "earlier").rename(moved)
    again = ingest.published(source=Published(str(moved), "corpus"))
    assert plan({"words": graph.words(again)}, tmp_path / "later").states == ("built", "built")
    with pytest.raises(cm.RecipeError, match=r"the run has no output 'corpse'.*did you mean corpus"):
        Published(str(moved), "corpse")


def test_an_edited_manifest_is_not_trusted(tmp_path: Path) -> None:
    table = documents(("a b", "c"))
    cm.build(table, out=tmp_path, workers=1)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace('"kept"', '"kept "', 1))
    cm.build(table, out=tmp_path, workers=1)
    assert '"kept "' not in path.read_text()
    path.write_text(path.read_text().replace('"rows": 2', '"rows": 3', 1))
    with pytest.raises(cm.InputError, match=r"manifest of the run was changed"):
        Published(str(tmp_path))


def test_publishing_keeps_the_older_result_whole_until_the_new_one_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cm.build(documents(("a b", "c")), out=tmp_path, workers=1)
    before = graph.files(tmp_path) | {"manifest.json": (tmp_path / "manifest.json").read_bytes()}

    def fails(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("codemill.machine.publishing._swap", fails)
    with pytest.raises(KeyboardInterrupt):
        cm.build(documents(("d",)), out=tmp_path, workers=1)
    assert graph.files(tmp_path) | {"manifest.json": (tmp_path / "manifest.json").read_bytes()} == before
    monkeypatch.undo()
    cm.build({"other": documents(("d",))}, out=tmp_path, workers=1)
    assert set(graph.files(tmp_path)) == {"other/part-00000.parquet"}


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_run_killed_while_results_change_places_leaves_nothing_of_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    words = graph.words(documents(tuple(f"w{i}" for i in range(30))))
    cm.build({"corpus": words, "index": words, "model": graph.trained(words, rounds=3)}, out=tmp_path, workers=1)
    fewer = graph.words(documents(("x", "y")))
    outputs = {"corpus": fewer, "model": graph.trained(fewer, rounds=1), "books": cm.ledger(fewer)}
    left = [moved]
    usual = Place.move_to

    def killed(place: Place, target: Place) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        usual(place, target)

    monkeypatch.setattr(Place, "move_to", killed)
    with pytest.raises(KeyboardInterrupt):
        cm.build(outputs, out=tmp_path, workers=1)
    monkeypatch.undo()
    assert not (tmp_path / "manifest.json").exists()
    cm.build(outputs, out=tmp_path, workers=1)
    cm.build(outputs, out=tmp_path / "fresh", workers=1)
    fresh = graph.files(tmp_path / "fresh")
    assert {name: data for name, data in graph.files(tmp_path).items() if not name.startswith("fresh/")} == fresh


def test_verify_hashes_what_is_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = toys.length(documents(("a b", "c")))
    cm.build(table, out=tmp_path, workers=1)
    part = working.files(tmp_path, "toys.length")[0]
    whole = part.read_bytes()
    data = bytearray(whole)
    data[len(data) // 3] ^= 1
    part.write_bytes(data)
    (tmp_path / "manifest.json").unlink()
    cm.build(table, out=tmp_path, workers=1, verify=True)
    assert "missing or damaged and will be rebuilt" in caplog.text
    assert part.read_bytes() == whole


def test_an_empty_input_goes_through_every_kind_of_step(tmp_path: Path) -> None:
    none = documents(())
    vocabulary = graph.counted(graph.words(none))
    outputs = {
        "corpus": graph.looked_up(dedup.exact(none), vocabulary),
        "vocabulary": vocabulary,
        "order": graph.mixed(none, none, seed=1),
        "model": graph.trained(graph.words(none), rounds=1),
        "books": cm.ledger(none),
    }
    manifest = cm.build(outputs, out=tmp_path, workers=1)
    assert {title: output["rows"] for title, output in manifest["outputs"].items()} == dict.fromkeys(outputs, 0)
    assert all((tmp_path / title).is_dir() for title in outputs)


def test_nothing_can_be_looked_up_in_an_empty_table_that_has_no_parts(tmp_path: Path) -> None:
    looked = graph.looked_up(documents(("a b", "b")), graph.counted(graph.words(documents(()))))
    cm.build({"out": looked}, out=tmp_path, workers=1)
    known = [working.read(file) for file in working.files(tmp_path, "graph_toys.looked_up")]
    assert pa.concat_tables(known)["known"].to_pylist() == [0, 0]


def test_an_empty_earlier_corpus_holds_nothing_back(tmp_path: Path) -> None:
    cm.build(documents(()), out=tmp_path / "earlier", workers=1)
    earlier = ingest.published(source=Published(str(tmp_path / "earlier")))
    manifest = cm.build(dedup.exact(documents(("a", "b", "a")), earlier), out=tmp_path / "later", workers=1)
    assert manifest["kept"]["rows"] == 2
