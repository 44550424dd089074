"""Output folders that fight back: full, read-only, a file in the way, in use."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import codemill as cm
from codemill.sources import Folder, Parquet
from codemill.steps import ingest
from tests import toys, working
from tests.test_machine import published


@contextlib.contextmanager
def mounted(where: Path, options: str) -> Iterator[Path]:
    """A small file system in memory; skips where mounting is not allowed."""
    where.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", where], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


def noise(parts: int) -> cm.Table:
    """About 20 kB that do not compress, per document."""
    blocks = [bytes((i * j * 2654435761 >> 7) % 94 + 32 for j in range(20_000)).decode() for i in range(1, 21)]
    texts = tuple(f"{i} {blocks[i % 20]}" for i in range(parts * 10))
    return toys.length(ingest.documents(sources=(toys.Literals(texts),)), at_most=100_000)


def test_a_full_disk_stops_the_run_and_space_lets_it_go_on(tmp_path: Path) -> None:
    cm.build(noise(10), out=tmp_path / "whole", workers=1)
    with mounted(tmp_path / "small", "size=1m") as small:
        with pytest.raises(cm.EnvironmentProblem, match=r"the disk is full .* finished parts are kept"):
            cm.build(noise(10), out=small / "out", workers=2)
        assert not [p for p in small.rglob("*") if p.name.endswith(".tmp") and p.stat().st_size]
        assert not (small / "out" / "manifest.json").exists()
        kept = {p: p.stat().st_mtime_ns for p in working.files(small / "out")}
        assert kept
        subprocess.run(["mount", "-o", "remount,size=20m", small], check=True)
        cm.build(noise(10), out=small / "out", workers=2)
        assert {p: p.stat().st_mtime_ns for p in kept} == kept, "finished parts were built again"
        assert published(small / "out") == published(tmp_path / "whole")


def test_a_read_only_output_folder_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with (
        mounted(tmp_path / "frozen", "size=1m,ro") as frozen,
        pytest.raises(cm.EnvironmentProblem, match=r"read-only file system .*choose another --out"),
    ):
        cm.build(noise(1), out=frozen / "out", workers=1)


def test_a_file_where_the_output_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(cm.EnvironmentProblem, match="choose another --out"):
        cm.build(noise(1), out=tmp_path / "out", workers=1)
    with pytest.raises(cm.EnvironmentProblem, match="choose another --out"):
        cm.build(noise(1), out=tmp_path / "out" / "below", workers=1)
    assert (tmp_path / "out").read_text() == "mine"


def test_files_in_the_output_folder_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    cm.build(noise(1), out=tmp_path, workers=1)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_corpus_that_somebody_else_made_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "part-00000.parquet").write_text("mine")
    with pytest.raises(cm.EnvironmentProblem, match="that codemill did not make"):
        cm.build(noise(1), out=tmp_path, workers=1)
    assert (tmp_path / "corpus" / "part-00000.parquet").read_text() == "mine"


@pytest.mark.parametrize("name", ["manifest.json", "report.html"])
def test_files_of_our_names_that_somebody_else_made_are_never_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(cm.EnvironmentProblem, match=f"{name} that codemill did not make"):
        cm.build(noise(1), out=tmp_path, workers=1)
    assert (tmp_path / name).read_text() == "{}"


def test_an_input_inside_the_output_and_an_output_inside_the_input_are_refused(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("pass")
    files = ingest.documents(sources=(Folder(str(tmp_path / "code")),))
    with pytest.raises(cm.RecipeError, match="the output is inside an input"):
        cm.build(files, out=tmp_path / "code" / "out", workers=1)
    with pytest.raises(cm.RecipeError, match="an input is inside the output folder"):
        cm.build(files, out=tmp_path, workers=1)
    cm.build(files, out=tmp_path / "out", workers=1)
    again = ingest.documents(sources=(Parquet(str(tmp_path / "out" / "corpus")),))
    with pytest.raises(cm.RecipeError, match="an input is inside the output folder"):
        cm.plan(again, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "message"), [("", "is empty"), ("n" * 300, "the path is too long"), ("n\udcff", "the path is not UTF-8")]
)
def test_impossible_names_of_output_folders(tmp_path: Path, name: str, message: str) -> None:
    out = str(tmp_path / name) if name else name
    with pytest.raises((cm.EnvironmentProblem, cm.RecipeError), match=message):
        cm.build(noise(1), out=out, workers=1)
