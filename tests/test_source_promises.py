"""What sources promise besides their rows: values behind reasons, depth, precedence, and noticing changes."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.cli import cli
from codemill.recipes.refinecode import resize
from codemill.sources import Archive, Folder, Git, Parquet
from codemill.steps import ingest
from tests import toys

from .source_tools import by_path, git, repository, rows


def test_a_file_that_is_too_large_is_in_the_ledger_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "large.py").write_text("x" * 101)
    (tmp_path / "in" / "small.py").write_text("x" * 100)
    files = ingest.documents(sources=(Folder(str(tmp_path / "in"), max_file_bytes=100),))
    cm.build(files, out=tmp_path / "out", workers=1)
    ledger = {row["path"]: row for row in pq.read_table(tmp_path / "out" / "ledger").to_pylist()}
    assert (ledger["large.py"]["reason"], ledger["large.py"]["value"]) == ("too_large", "101")
    assert ledger["small.py"]["verdict"] == "kept"


def test_a_recipes_limit_raises_the_default_one_and_keeps_a_lower_one(tmp_path: Path) -> None:
    root = str(tmp_path)
    limits = [s.max_file_bytes for s in resize((Folder(root), Folder(root, max_file_bytes=100)), 20_000_000)]  # type: ignore[attr-defined]
    assert limits == [20_000_000, 100]
    limits = [s.max_file_bytes for s in resize((Folder(root), Git(root, max_file_bytes=100)), 50)]  # type: ignore[attr-defined]
    assert limits == [50, 50]


def test_a_larger_file_is_read_when_the_command_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    large = ("# " + "word " * 30 + "\n") * 53_000
    (tmp_path / "in" / "large.py").write_text(large)
    options = ["--input", str(tmp_path / "in"), "--rules", "none", "--no-report", "--max-file-bytes", "20000000"]
    with pytest.raises(SystemExit, match="0"):
        cli.main(["run", "refinecode", *options, "--out", str(tmp_path / "out")])
    assert len(large) > 8_000_000
    assert pq.read_table(tmp_path / "out" / "corpus", columns=["size"]).to_pylist() == [{"size": len(large)}]


def test_mirrors_are_found_however_deep_they_are(tmp_path: Path) -> None:
    repository(tmp_path / "work", {"a.py": b"1\n"})
    root = tmp_path / "mirrors"
    for place in ("top.git", "host/owner/name.git", "a/b/c/deep.git"):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", str(tmp_path / "work"), str(root / place))
    assert {row["repo"] for row in rows(Git(str(root)))} == {"top", "host/owner/name", "a/b/c/deep"}


def test_a_members_own_pax_header_goes_before_the_archives(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": "x-1/global.py"}
    ) as archive:
        for name, own in (("x-1/one.py", {"path": "x-1/own.py"}), ("x-1/two.py", {})):
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = 2, own
            archive.addfile(info, io.BytesIO(b"1\n"))
    (tmp_path / "x-1.tar").write_bytes(buffer.getvalue())
    assert {"own.py" in path or "global.py" in path for path in by_path(Archive(str(tmp_path)))} == {True}
    assert any(path.endswith("own.py") for path in by_path(Archive(str(tmp_path))))


def test_a_change_of_the_same_size_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "a.py"
    file.write_text("one\n")
    texts = []
    for text in ("one\n", "two\n"):
        before = file.stat().st_mtime_ns
        file.write_text(text)
        os.utime(file, ns=(before + 1, before + 1))
        cm.build(ingest.documents(sources=(Folder(str(tmp_path / "in")),)), out=tmp_path / "out", workers=1)
        texts += pq.read_table(tmp_path / "out" / "corpus")["content"].to_pylist()
    assert texts == ["one\n", "two\n"]


@pytest.mark.parametrize("column", ["content", "path"])
def test_damage_in_any_column_of_a_table_is_noticed(tmp_path: Path, column: str) -> None:
    values = {name: [f"{name} {i} {'x' * 40}" for i in range(2000)] for name in ("content", "path")}
    place = tmp_path / "in.parquet"
    pq.write_table(pa.table(values), place, write_page_checksum=True, compression="none", use_dictionary=False)
    data = bytearray(place.read_bytes())
    at = data.index(f"{column} 1000 ".encode())
    data[at] ^= 1
    place.write_bytes(data)
    cm.build(ingest.documents(sources=(Parquet(str(place)),)), out=tmp_path / "out", workers=1)
    ledger = pq.read_table(tmp_path / "out" / "ledger").to_pylist()
    assert len(ledger) == 2000
    assert "corrupt" in {row["reason"] for row in ledger}


def test_new_never_overwrites_a_recipe_that_was_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("# edited\n")
    with pytest.raises(cm.InputError, match="the file is there already"):
        cli.main(["new", "mine"], standalone_mode=False)
    assert (tmp_path / "mine.py").read_text() == "# edited\n"


def test_explain_of_nothing_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cm.build(ingest.documents(sources=(toys.Literals(("a",)),)), out=tmp_path, workers=1)
    with pytest.raises(SystemExit) as leaving:
        cli.main(["explain", str(tmp_path), "no such file"], standalone_mode=False)
    assert leaving.value.code == 1
    with pytest.raises(SystemExit) as leaving:
        cli.main(["explain", str(tmp_path), "f00000.py"], standalone_mode=False)
    assert leaving.value.code == 0


@pytest.mark.parametrize("name", ["corpus", "ledger", "index", "report.html", "manifest.json"])
def test_what_somebody_else_made_is_refused_under_any_name_that_would_be_replaced(tmp_path: Path, name: str) -> None:
    if "." in name:
        (tmp_path / name).write_text("theirs")
    else:
        (tmp_path / name).mkdir()
        (tmp_path / name / "part-00000.parquet").write_bytes(b"theirs")
    table = ingest.documents(sources=(toys.Literals(("a",)),))
    outputs = {"corpus": table, "ledger": cm.ledger(table), "index": table}
    with pytest.raises(cm.EnvironmentProblem, match=r"that codemill did not make"):
        cm.build(outputs, out=tmp_path, workers=1)
    shutil.rmtree(tmp_path)


def test_text_with_carriage_returns_has_its_own_bytes(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.py").write_bytes(b"a\r\nb\r")
    cm.build(ingest.documents(sources=(Folder(str(tmp_path / "in")),)), out=tmp_path / "out", workers=1)
    assert pq.read_table(tmp_path / "out" / "corpus")["content"].to_pylist() == ["a\r\nb\r"]
