"""The machine's promises: identity, accounting, resume, isolation, one run at a time."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.machine import engine
from codemill.machine.identity import canonical, digest
from codemill.machine.modules import module_from_file
from codemill.machine.planning import plan
from codemill.machine.store import Place, sealed
from codemill.report.facts.accounts import checks
from codemill.report.facts.ledger import gather
from codemill.run import Run
from codemill.sources import Parquet
from codemill.steps import dedup, detect, ingest
from tests import toys, working
from tests.killing import building, killed_ten_times

TEXTS = (*(f"text number {i}" for i in range(37)), "text number 3", "text number 3", "text number 5")


def recipe(texts: tuple[str, ...] = TEXTS, **source: Any) -> cm.Table:
    files = ingest.files(sources=(toys.Literals(texts, **source),))
    return dedup.exact(toys.length(files, at_most=100))


def published(out: Path) -> dict[str, bytes]:
    """Every published file's bytes."""
    return {
        str(p.relative_to(out)): p.read_bytes()
        for folder in ("corpus", "ledger")
        for p in sorted((out / folder).iterdir())
    }


def ledger(out: Path) -> list[dict[str, Any]]:
    return pq.read_table(out / "ledger").to_pylist()


def test_nothing_runs_until_it_is_built(tmp_path: Path) -> None:
    table = toys.failing(ingest.files(sources=(toys.Literals(("a",)),)))
    assert repr(table) == "ingest.files → toys.failing"
    assert list(tmp_path.iterdir()) == []


def test_every_document_is_in_the_ledger_once_and_the_corpus_has_the_kept_ones(tmp_path: Path) -> None:
    manifest = cm.build(recipe(), out=tmp_path, workers=2)
    rows = ledger(tmp_path)
    assert len(rows) == len(TEXTS) == manifest["ingested"]["rows"]
    kept = [r for r in rows if r["verdict"] == "kept"]
    dropped = [r for r in rows if r["verdict"] == "dropped"]
    assert len(kept) == 37 == manifest["kept"]["rows"]
    assert {(r["step"], r["reason"], r["similarity"]) for r in dropped} == {("dedup.exact", "duplicate", 1.0)}
    # Numbers 3, 37 and 38 are equal, and 5 and 39: one of each is kept, which one the ids decide.
    assert sorted(
        len({r["path"] for r in dropped} & group)
        for group in ({"f00003.py", "f00037.py", "f00038.py"}, {"f00005.py", "f00039.py"})
    ) == [1, 2]
    by_id = {r["id"]: r for r in rows}
    assert all(by_id[r["kept_id"]]["verdict"] == "kept" for r in dropped)
    corpus = pq.read_table(tmp_path / "corpus").to_pylist()
    assert sorted(d["content"] for d in corpus) == sorted(set(TEXTS))
    assert {d["id"] for d in corpus} == {r["id"] for r in kept}


def test_the_copy_with_most_stars_is_kept_and_unknown_stars_come_last(tmp_path: Path) -> None:
    stars = (None, 3, 7, 7)
    cm.build(recipe(("same",) * 4, stars=stars), out=tmp_path, workers=1)
    kept = [r for r in ledger(tmp_path) if r["verdict"] == "kept"]
    assert [r["path"] for r in kept] in (["f00002.py"], ["f00003.py"])
    ids = sorted(r["id"] for r in ledger(tmp_path) if r["path"] in ("f00002.py", "f00003.py"))
    assert kept[0]["id"] == ids[0]


def test_bytes_do_not_depend_on_workers_or_memory(tmp_path: Path) -> None:
    cm.build(recipe(), out=tmp_path / "one", workers=1)
    cm.build(recipe(), out=tmp_path / "two", workers=2, memory=1 << 30)
    assert published(tmp_path / "one") == published(tmp_path / "two")


def test_an_exchange_cut_into_many_partitions_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tuple(f"text {i % 300}" for i in range(1000))
    cm.build(recipe(texts, per_part=7), out=tmp_path / "one", workers=1)
    monkeypatch.setattr("codemill.machine.kinds.Exchange.weight", lambda how, params: 1 << 28)
    cm.build(recipe(texts, per_part=7), out=tmp_path / "many", workers=2)
    assert published(tmp_path / "one") == published(tmp_path / "many")
    assert len(list((tmp_path / "many" / "corpus").iterdir())) == 143


def test_content_changed_by_a_step_is_what_later_steps_and_the_corpus_see(tmp_path: Path) -> None:
    files = ingest.files(sources=(toys.Literals(("small", "much longer than ten")),))
    cm.build(toys.upper(toys.length(files, at_most=10)), out=tmp_path, workers=1)
    assert pq.read_table(tmp_path / "corpus")["content"].to_pylist() == ["SMALL"]


def test_edits_change_some_rows_and_leave_the_others_as_older_layers_have_them(tmp_path: Path) -> None:
    texts = [f"{i:02d}" for i in range(25)]
    pq.write_table(pa.table({"content": texts, "path": [f"{i}.txt" for i in range(25)]}), tmp_path / "in.parquet")
    for name, stay in (("stay", True), ("copy", False)):
        files = ingest.files(sources=(Parquet(str(tmp_path / "in.parquet"), keep_in_place=stay),))
        edited = toys.marked(toys.length(toys.marked(files, digit="1"), at_most=3), digit="2")
        cm.build(edited, out=tmp_path / name, workers=2)
    assert published(tmp_path / "stay") == published(tmp_path / "copy")
    expected = [text + "!" * (("1" in text) + ("2" in text)) for text in texts]
    assert pq.read_table(tmp_path / "stay" / "corpus")["content"].to_pylist() == expected


def test_a_second_run_does_nothing_and_a_changed_parameter_rebuilds_only_what_follows(tmp_path: Path) -> None:
    cm.build(recipe(), out=tmp_path, workers=1)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*")}
    cm.build(recipe(), out=tmp_path, workers=1)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.*")} == before
    files = ingest.files(sources=(toys.Literals(TEXTS),))
    changed = dedup.exact(toys.length(files, at_most=13))
    assert plan(changed, tmp_path).states == ("built", "to build", "to build")
    manifest = cm.build(changed, out=tmp_path, workers=1)
    assert [s["cached"] for s in manifest["steps"]] == [True, False, False]
    assert manifest["steps"][1]["dropped"]["long"]["rows"] == 27  # numbers 10 to 36


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
@pytest.mark.parametrize("where", ["corpus", "ledger", ".work/toys.length"])
def test_a_damaged_part_is_noticed_and_rebuilt(tmp_path: Path, damage: str, where: str) -> None:
    table = toys.length(ingest.files(sources=(toys.Literals(TEXTS),)), at_most=13)  # the ledger reads its reasons
    cm.build(table, out=tmp_path, workers=1)
    good = published(tmp_path)
    part = sorted((tmp_path / where).glob("*.*"))[1]
    whole = part.read_bytes()
    data = bytearray(whole)
    if damage == "truncate":
        part.write_bytes(data[: len(data) // 2])
    elif damage == "flip":
        data[len(data) // 3] ^= 1
        part.write_bytes(data)
    else:
        part.unlink()
    if where.startswith(".work"):
        (tmp_path / "manifest.json").unlink()  # otherwise the published result stands and the layer is not needed
    cm.build(table, out=tmp_path, workers=1)
    assert published(tmp_path) == good
    assert part.read_bytes() == whole


def test_a_document_that_kills_its_worker_is_dropped_and_the_run_goes_on(tmp_path: Path) -> None:
    texts = tuple("KILL" if i in (13, 29, 30) else f"text {i}" for i in range(50))
    files = ingest.files(sources=(toys.Literals(texts, per_part=20),))
    manifest = cm.build(toys.deadly(files), out=tmp_path, workers=2)
    dropped = {r["path"]: (r["step"], r["reason"]) for r in ledger(tmp_path) if r["verdict"] == "dropped"}
    assert dropped == {f"f{i:05d}.py": ("toys.deadly", "crashed") for i in (13, 29, 30)}
    assert manifest["kept"]["rows"] == 47


def test_a_worker_that_dies_once_is_only_tried_again(tmp_path: Path) -> None:
    files = ingest.files(sources=(toys.Literals(TEXTS),))
    manifest = cm.build(toys.deadly_once(files, flag=str(tmp_path / "flag")), out=tmp_path / "out", workers=1)
    assert manifest["kept"]["rows"] == len(TEXTS)


def test_deaths_that_no_single_document_explains_stop_the_run_with_the_steps_name(tmp_path: Path) -> None:
    files = ingest.files(sources=(toys.Literals(TEXTS),))
    with pytest.raises(cm.BuildError, match=r"no single document is to blame \(at toys.deadly_together part-0000"):
        cm.build(toys.deadly_together(files), out=tmp_path, workers=1)


def test_a_step_that_breaks_its_promise_is_named(tmp_path: Path) -> None:
    files = ingest.files(sources=(toys.Literals(TEXTS),))
    with pytest.raises(cm.BuildError, match=r"promised 10 rows .* returned 9 rows .*toys.forgetful"):
        cm.build(toys.forgetful(files), out=tmp_path, workers=1)
    with pytest.raises(cm.BuildError, match="ZeroDivisionError: as asked"):
        cm.build(toys.failing(files), out=tmp_path, workers=1)


def test_a_column_nobody_makes_is_a_recipe_error_before_any_work(tmp_path: Path) -> None:
    files = ingest.files(sources=(toys.Literals(TEXTS),))
    with pytest.raises(cm.RecipeError, match="reads the column 'no_such_column'"):
        cm.build(toys.misreading(files), out=tmp_path / "out", workers=1)
    assert not working.files(tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_parameters_are_checked_when_the_step_is_called() -> None:
    files = ingest.files(sources=(toys.Literals(TEXTS),))
    with pytest.raises(cm.RecipeError, match="has no parameter 'most'"):
        toys.length(files, most=3)
    with pytest.raises(cm.RecipeError, match="must be plain data, got object"):
        toys.length(files, at_most=object())
    with pytest.raises(cm.RecipeError, match="finite"):
        toys.length(files, at_most=float("nan"))
    with pytest.raises(cm.RecipeError, match="needs the parameter 'flag'"):
        toys.deadly_once(files)
    with pytest.raises(cm.RecipeError, match="takes tables as positional arguments, got int"):
        toys.length(3)  # type: ignore[arg-type]


def test_identity_is_canonical() -> None:
    assert digest({"a": 1, "b": [1.5, None, True]}) == digest({"b": (1.5, None, True), "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
    assert digest({"a": 1}) != digest({"a": 1.0})
    with pytest.raises(cm.RecipeError, match="keys of a parameter must be strings"):
        canonical({1: 2}, where="here")


def test_two_runs_in_one_folder_at_once(tmp_path: Path) -> None:
    from codemill.machine.output import locked

    with locked(Place.of(tmp_path)), pytest.raises(cm.EnvironmentProblem, match="another run is using"):
        cm.build(recipe(), out=tmp_path, workers=1)
    cm.build(recipe(), out=tmp_path, workers=1)


def big() -> cm.Table:
    """Enough parts that a kill lands somewhere in the middle."""
    texts = tuple(f"text {i % 900} " * 50 for i in range(2000))
    return recipe(texts, per_part=50, per_batch=25)


@pytest.mark.slow
def test_killed_ten_times_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    killed_ten_times("tests.test_machine.big", tmp_path)
    books = json.loads((tmp_path / "killed" / "manifest.json").read_text())
    assert books["ingested"]["rows"] == books["kept"]["rows"] + books["dropped"]["rows"] == 2000


def test_workers_end_when_their_run_is_killed(tmp_path: Path) -> None:
    process = building("tests.test_machine.big", tmp_path / "out")
    workers: list[int] = []
    for _ in range(200):
        time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        workers = [int(c) for c in children]
        if len(workers) == 2:
            break
    assert len(workers) == 2
    process.kill()
    process.wait()
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in workers):
            return
        time.sleep(0.05)
    pytest.fail("workers outlived their run by five seconds")


def test_a_run_that_has_nothing_to_do_starts_no_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    real = engine._Worker.__init__

    def counted(worker: engine._Worker, *given: Any, **more: Any) -> None:
        started.append(worker)
        real(worker, *given, **more)

    monkeypatch.setattr(engine._Worker, "__init__", counted)
    numbers = []
    for at_most in (100, 100, 10):
        cm.build(toys.length(ingest.files(sources=(toys.Literals(TEXTS),)), at_most=at_most), out=tmp_path, workers=2)
        numbers.append(len(started))
        started.clear()
    assert numbers == [2, 0, 2]


@pytest.mark.parametrize(("at_most", "read"), [(100, False), (10, True)])
def test_a_layer_that_dropped_nothing_is_not_opened_to_ask_for_reasons(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, at_most: int, read: bool
) -> None:
    table = toys.length(ingest.files(sources=(toys.Literals(("short", "too long to keep")),)), at_most=at_most)
    cm.build(table, out=tmp_path, workers=1)
    (layer,) = working.files(tmp_path, "toys.length")
    layer.write_bytes(bytes(layer.stat().st_size))  # whoever reads it notices
    manifest = cm.build(toys.upper(table), out=tmp_path, workers=1)
    assert ("is damaged and will be rebuilt" in caplog.text) == read
    assert any(layer.read_bytes()) == read
    assert manifest["kept"]["rows"] == len(ledger(tmp_path)) - read
    assert Run.open(tmp_path).documents(2).parts[0].pieces[1].drops == read


def test_an_empty_input_gives_an_empty_corpus(tmp_path: Path) -> None:
    manifest = cm.build(recipe(()), out=tmp_path, workers=1)
    assert manifest["ingested"] == {"rows": 0, "bytes": 0}
    assert manifest["kept"]["rows"] == 0


@pytest.mark.parametrize("gone", ["", "dedup.exact", "tables/toys.length"])
def test_working_tables_that_were_deleted_are_built_again_by_the_same_command(tmp_path: Path, gone: str) -> None:
    cm.build(recipe(), out=tmp_path, workers=1)
    before = published(tmp_path)
    shutil.rmtree(tmp_path / ".work" / gone)
    assert "to build" in str(plan(recipe(), tmp_path).states) or "of 4 parts" in str(plan(recipe(), tmp_path).states)
    cm.build(recipe(), out=tmp_path, workers=1)
    assert set(plan(recipe(), tmp_path).states) == {"built"}
    assert published(tmp_path) == before
    run = Run.open(tmp_path)
    assert sum(batch.num_rows for batch in run.documents(2).batches(["content"])) == len(TEXTS)


def test_a_part_without_rows_goes_all_the_way(tmp_path: Path) -> None:
    two = pa.table({"content": ["x", "x"], "path": ["1", "2"]})
    (tmp_path / "in").mkdir()
    pq.write_table(two.slice(0, 0), tmp_path / "in" / "a.parquet")
    pq.write_table(two, tmp_path / "in" / "b.parquet")
    table = dedup.exact(toys.length(ingest.files(sources=(Parquet(str(tmp_path / "in")),))))
    manifest = cm.build(table, out=tmp_path / "out", workers=1)
    assert (manifest["ingested"]["rows"], manifest["kept"]["rows"]) == (2, 1)


def test_an_exchange_with_a_gather_sees_what_all_partitions_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tuple(f"text {i % 40}" for i in range(100))
    monkeypatch.setattr("codemill.machine.kinds.Exchange.weight", lambda how, params: 1 << 28)
    files = ingest.files(sources=(toys.Literals(texts),))
    manifest = cm.build(toys.only_most_copied(files), out=tmp_path, workers=2)
    assert manifest["kept"]["rows"] == 60  # texts 0 to 19 stand three times, the others twice
    assert manifest["steps"][-1]["dropped"] == {"rare": {"rows": 40, "bytes": 40 * len("text 20")}}


def test_a_step_of_a_users_own_file_runs_in_workers(tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        "import pyarrow as pa\n"
        "import codemill as cm\n"
        "from codemill.steps import ingest\n"
        "@cm.step(version=1, reads=('path',), adds={'reason': pa.string()})\n"
        "def odd(batch, *, keep: str = '2'):\n"
        "    reasons = [None if keep in p else 'odd' for p in batch['path'].to_pylist()]\n"
        "    return pa.record_batch({'reason': pa.array(reasons, pa.string())})\n"
        "def own(inputs, *, keep: str = '2'):\n"
        "    return odd(ingest.files(sources=inputs), keep=keep)\n"
    )
    from codemill import catalog

    table = catalog.recipe(str(own)).function((toys.Literals(TEXTS),), keep="3")
    manifest = cm.build(table, out=tmp_path / "out", workers=1)
    assert manifest["steps"][1]["name"] == "own.odd"
    assert manifest["kept"]["rows"] == sum("3" in f"f{i:05d}" for i in range(len(TEXTS)))


def test_editing_a_step_without_a_new_version_warns_also_when_parts_are_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled = detect.language(ingest.files(sources=(toys.Literals(TEXTS),)))
    cm.build(labelled, out=tmp_path, workers=1)
    assert "its code changed" not in caplog.text
    monkeypatch.setitem(detect.language.__dict__, "code", "0123456789abcdef")
    (tmp_path / "manifest.json").unlink()
    working.files(tmp_path, "detect.language")[1].unlink()
    cm.build(labelled, out=tmp_path, workers=1)
    assert "detect.language: its code changed since parts of this table were built, its version (1)" in caplog.text


def test_two_steps_of_one_name_in_two_files_are_two_steps(tmp_path: Path) -> None:
    text = (
        "import pyarrow as pa\nimport codemill as cm\n"
        "@cm.step(version=1, reads=('path',), adds={'reason': pa.string()})\n"
        "def some(batch):\n    return pa.record_batch({'reason': pa.array([WORD] * batch.num_rows, pa.string())})\n"
    )
    kept = []
    for name, word in (("one", "None"), ("two", "'gone'")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.py").write_text(text.replace("WORD", word))
        step = module_from_file(tmp_path / name / "own.py").some
        manifest = cm.build(step(ingest.files(sources=(toys.Literals(TEXTS),))), out=tmp_path / "out", workers=1)
        kept.append(manifest["kept"]["rows"])
    assert kept == [40, 0]


def test_workers_never_import_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "ctypes.py").write_text("open('executed', 'w')\nraise SystemExit(1)\n")
    assert building("tests.test_machine.big", tmp_path / "out", cwd=tmp_path / "code").wait() == 0
    assert not (tmp_path / "code" / "executed").exists()


@pytest.mark.parametrize("file", ["map-00000.arrow", "reduce-00000.arrow"])
@pytest.mark.parametrize("damage", ["flip", "truncate"])
def test_a_damaged_file_of_an_exchange_is_noticed_and_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, damage: str
) -> None:
    cm.build(recipe(), out=tmp_path / "good", workers=1)
    with monkeypatch.context() as patch:
        patch.setattr("codemill.machine.exchange.align_group", toys.interrupted)
        with pytest.raises(cm.BuildError, match="interrupted"):
            cm.build(recipe(), out=tmp_path / "out", workers=1)
    (victim,) = (tmp_path / "out" / ".work" / "dedup.exact").rglob(file)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 4
    victim.write_bytes(data if damage == "flip" else data[:-40])
    cm.build(recipe(), out=tmp_path / "out", workers=1)
    assert published(tmp_path / "out") == published(tmp_path / "good")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (toys.wrong_part, "a verdict for a part that is not there"),
        (toys.wrong_row, "a verdict for a row that part"),
        (toys.twice, "two verdicts for one row"),
        (toys.contentless, "living documents without content"),
        (toys.leaving, "SystemExit: no model"),
    ],
)
def test_verdicts_are_never_lost_and_broken_steps_are_named(tmp_path: Path, step: cm.Step, message: str) -> None:
    files = ingest.files(sources=(toys.Literals(TEXTS),))
    with pytest.raises(cm.BuildError, match=message):
        cm.build(step(files), out=tmp_path, workers=1)


def test_a_damaged_manifest_of_a_table_is_not_believed(tmp_path: Path) -> None:
    cm.build(recipe(), out=tmp_path, workers=1)
    good = published(tmp_path)
    (manifest,) = (tmp_path / ".work" / "tables" / "toys.length").iterdir()
    believed = manifest.read_text().replace('"rows_in": 10', '"rows_in": 11', 1)
    assert believed != manifest.read_text()
    manifest.write_text(believed)
    (tmp_path / "manifest.json").unlink()
    assert plan(recipe(), tmp_path).states == ("built", "4 of 4 parts built", "to build")
    cm.build(recipe(), out=tmp_path, workers=1)
    assert published(tmp_path) == good
    assert sealed(json.loads(manifest.read_text())) is not None


def test_a_key_that_is_no_hash_is_told_before_any_work(tmp_path: Path) -> None:
    files = ingest.files(sources=(toys.Literals(TEXTS),))
    with pytest.raises(cm.RecipeError, match="cannot use the column 'path' as a key: it is string"):
        cm.plan(dedup.exact(files, hash="path"), tmp_path)


def test_sources_are_told_apart_by_their_labels() -> None:
    with pytest.raises(cm.RecipeError, match="2 sources have the label 'literals'"):
        ingest.files(sources=(toys.Literals(("a",)), toys.Literals(("b",))))


def test_a_worker_given_an_unknown_column_type_is_told(tmp_path: Path) -> None:
    batch = pa.record_batch({"size": [1]})
    assert toys.length(ingest.files(sources=())).call.reads == ("content",)
    with pytest.raises(KeyError):
        toys.length.function(batch)


def test_parquet_left_in_place_gives_the_bytes_that_copying_gives(tmp_path: Path) -> None:
    texts = ["plain", "\ufeffwith a mark", "plain", "Grüße", "", "nul\0byte"]
    pq.write_table(pa.table({"content": texts, "path": [f"{i}.txt" for i in range(6)]}), tmp_path / "in.parquet")
    for name, stay in (("stay", True), ("copy", False)):
        source = Parquet(str(tmp_path / "in.parquet"), keep_in_place=stay)
        cm.build(dedup.exact(ingest.files(sources=(source,))), out=tmp_path / name, workers=1)
    assert published(tmp_path / "stay") == published(tmp_path / "copy")
    kept = pq.read_table(tmp_path / "stay" / "corpus").to_pylist()
    assert [(d["content"], d["encoding"]) for d in kept if d["content"] != "plain"] == [
        ("with a mark", "utf-8-bom"),
        ("Grüße", "utf-8"),
    ]


def test_an_input_left_in_place_may_be_moved_between_runs(tmp_path: Path) -> None:
    pq.write_table(pa.table({"content": ["a", "b"], "path": ["1", "2"]}), tmp_path / "in.parquet")

    def table(file: str, at_most: int) -> cm.Table:
        return toys.length(ingest.files(sources=(Parquet(str(tmp_path / file)),)), at_most=at_most)

    cm.build(table("in.parquet", 5), out=tmp_path / "out", workers=1)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in.parquet").rename(tmp_path / "elsewhere" / "in.parquet")
    manifest = cm.build(table("elsewhere/in.parquet", 0), out=tmp_path / "out", workers=1)
    assert [s["cached"] for s in manifest["steps"]] == [True, False]


def test_steps_of_one_name_are_counted_together(tmp_path: Path) -> None:
    files = ingest.files(sources=(toys.Literals(("a", "bb", "ccc", "dddd")),))
    manifest = cm.build(toys.length(toys.length(files, at_most=3), at_most=2), out=tmp_path, workers=1)
    assert [sum(d["rows"] for d in step["dropped"].values()) for step in manifest["steps"]] == [0, 1, 1]
    assert [check for check in checks(gather(Run.open(tmp_path))) if not check.ok] == []
