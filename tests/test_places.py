"""What is published names no place of this machine; what lies beside it still knows them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import codemill as cm
from codemill.machine.places import without_places
from codemill.machine.store import sealed
from codemill.run import Run
from codemill.sources import Folder
from codemill.steps import ingest


def built(tmp_path: Path) -> dict[str, Any]:
    code = tmp_path / "at-home" / "code"
    code.mkdir(parents=True, exist_ok=True)
    (code / "a.py").write_text("x = 1\n")
    return cm.build(ingest.documents(sources=(Folder(str(code)),)), out=tmp_path / "out", workers=1)


def source(manifest: dict[str, Any]) -> str:
    return str(manifest["inputs"][0]["source"]["root"])


def test_a_manifest_has_the_last_part_of_a_path_and_a_run_all_of_it(tmp_path: Path) -> None:
    manifest = built(tmp_path)
    text = (tmp_path / "out" / "manifest.json").read_text("utf-8")
    assert str(tmp_path) not in text
    assert source(json.loads(text)) == "code"
    assert sealed(json.loads(text)) is not None
    whole = str(tmp_path / "at-home" / "code")
    assert source(manifest) == source(Run.open(tmp_path / "out").manifest) == whole
    assert source(built(tmp_path)) == whole  # there was nothing to do


def test_without_work_or_with_that_of_another_run_a_manifest_stands_for_itself(tmp_path: Path) -> None:
    built(tmp_path)
    places = tmp_path / "out" / ".work" / "places.json"
    places.write_text(json.dumps({**json.loads(places.read_text()), "of": "another"}))
    assert source(Run.open(tmp_path / "out").manifest) == "code"
    places.write_text("{")
    assert source(Run.open(tmp_path / "out").manifest) == "code"
    shutil.rmtree(tmp_path / "out" / ".work")
    assert source(Run.open(tmp_path / "out").manifest) == "code"


def test_only_where_a_path_begins_is_it_cut() -> None:
    parameters = {"exclude": ["**/src/tests", "src/old"], "teacher": "local:/src/models/small", "url": "s3://src/a"}
    made = {
        "inputs": [{"source": {"root": "/src/code"}, "notes": ["(/src/code/x) was not read"]}],
        "recipe": parameters,
    }
    assert without_places({**made, "steps": ["/src/models/small"]}) == {
        "inputs": [{"source": {"root": "code"}, "notes": ["(code/x) was not read"]}],
        "recipe": {"exclude": ["**/src/tests", "src/old"], "teacher": "local:small", "url": "s3://src/a"},
        "steps": ["small"],
    }
