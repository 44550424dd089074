"""`codemill forget` deletes what no table of the published result is made of, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import codemill as cm
from codemill.machine import forgetting
from codemill.machine.store import Place
from codemill.run import Run
from codemill.steps import ingest
from tests import graph_toys, toys, working
from tests.test_cli import codemill


def build(out: Path, at_most: int) -> None:
    files = ingest.documents(sources=(toys.Literals(("a", "b" * 20, "c" * 30)),))
    cm.build(toys.length(toys.upper(files), at_most=at_most), out=out, workers=1)


def everything(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


def test_files_of_older_parameters_go_and_the_result_stays(tmp_path: Path) -> None:
    build(tmp_path / "fresh", 25)
    build(tmp_path / "out", 9)
    build(tmp_path / "out", 25)
    before = everything(tmp_path / "out")
    (gone,) = forgetting.forget(Place.of(tmp_path / "out"))
    assert gone.step == "toys.length"
    assert len(gone.files) == 2  # the layer, and the manifest of its table
    assert everything(tmp_path / "out") == before - {str(Path(p.uri).relative_to(tmp_path / "out")) for p in gone.files}
    assert {p.name for p in working.files(tmp_path / "out")} == {p.name for p in working.files(tmp_path / "fresh")}
    assert forgetting.stale(Place.of(tmp_path / "out")) == []
    assert Run.open(tmp_path / "out").documents(3).columns() >= {"content"}
    build(tmp_path / "out", 9)  # and what went is built again
    build(tmp_path / "other", 9)
    for name in ("corpus", "ledger"):
        assert [p.read_bytes() for p in sorted((tmp_path / "out" / name).glob("*.parquet"))] == [
            p.read_bytes() for p in sorted((tmp_path / "other" / name).glob("*.parquet"))
        ]


def test_the_files_of_folder_steps_stay_while_they_are_needed(tmp_path: Path) -> None:
    words = graph_toys.words(ingest.documents(sources=(toys.Literals(("aa bb", "bb cc")),)))
    for rounds in (1, 2):
        cm.build({"model": graph_toys.trained(words, rounds=rounds)}, out=tmp_path, workers=1)
    (gone,) = forgetting.forget(Place.of(tmp_path))
    assert gone.step == "graph_toys.trained"
    assert {Path(place.uri).name for place in gone.files} >= {"checkpoint-0.json"}
    assert len({Path(place.uri).parent for place in gone.files if "checkpoint" in place.uri}) == 2  # and its receipts
    kept = {path.name for path in (tmp_path / ".work" / gone.step).rglob("*") if path.is_file()}
    assert {"checkpoint-0.json", "checkpoint-1.json"} <= kept
    (tmp_path / "manifest.json").unlink()
    again = cm.build({"model": graph_toys.trained(words, rounds=2)}, out=tmp_path, workers=1)
    assert again["steps"][-1]["cached"]


def test_only_a_finished_run_says_what_is_needed(tmp_path: Path) -> None:
    build(tmp_path, 9)
    there = everything(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["steps"] = []
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(cm.InputError, match="no finished run here"):
        forgetting.forget(Place.of(tmp_path))
    assert everything(tmp_path) == there


def test_the_command_says_what_goes(tmp_path: Path) -> None:
    build(tmp_path, 9)
    build(tmp_path, 25)
    there = everything(tmp_path)
    dry = codemill("forget", str(tmp_path), "--dry-run")
    assert "2 files" in dry.stdout
    assert "can go" in dry.stdout
    assert everything(tmp_path) == there
    done = json.loads(codemill("forget", str(tmp_path), "--json").stdout)
    assert (done["deleted"], done["files"], [s["step"] for s in done["steps"]]) == (True, 2, ["toys.length"])
    assert len(everything(tmp_path)) == len(there) - 2
    assert codemill("forget", str(tmp_path)).stdout.strip() == "nothing to forget"
    assert codemill("forget", str(tmp_path / "nowhere")).returncode == 1
