from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import pytest

from codemill import sources
from codemill.errors import InputError

from .source_tools import git, repository


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("tables/a.parquet", "lines/a.jsonl.gz", "lines/b.jsonl", "archives/a.tar.gz", "archives/b.whl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "a.parquet").touch()
    (tmp_path / "mixed" / "a.py").touch()
    (tmp_path / "mixed" / "unknown.xyz").write_bytes(b"\0\1")
    (tmp_path / "empty").mkdir()
    repository(tmp_path / "checkouts" / "one", {"a.py": b"1\n"})
    (tmp_path / "mirrors").mkdir()
    git(tmp_path / "mirrors", "clone", "-q", "--bare", "../checkouts/one", "one.git")
    for name in ("owners/a/one.git", "owners/b/two.git", "owners/b/three.git", "hosts/example.org/a/one.git"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        git(tmp_path, "clone", "-q", "--bare", "checkouts/one", name)
    repository(tmp_path / "grouped" / "owner" / "one", {"a.py": b"1\n"})
    git(tmp_path, "clone", "-q", "--bare", "checkouts/one", "checkouts-and-mirrors/a.git")
    repository(tmp_path / "checkouts-and-mirrors" / "b", {"a.py": b"1\n"})
    return tmp_path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("tables", sources.Parquet),
        ("tables/a.parquet", sources.Parquet),
        ("lines", sources.Jsonl),
        ("lines/a.jsonl.gz", sources.Jsonl),
        ("archives", sources.Archive),
        ("archives/b.whl", sources.Archive),
        ("mixed", sources.Folder),
        ("empty", sources.Folder),
        ("checkouts", sources.Folder),
        ("checkouts/one", sources.Folder),
        ("mirrors", sources.Git),
        ("mirrors/one.git", sources.Git),
        ("owners", sources.Git),
        ("owners/b", sources.Git),
        ("hosts", sources.Git),
        ("grouped", sources.Folder),
        ("checkouts-and-mirrors", sources.Folder),
        ("checkouts/one/a.py", sources.Folder),
    ],
)
def test_kinds_are_guessed(place: Path, path: str, kind: type) -> None:
    assert isinstance(sources.open(str(place / path)), kind)


def test_the_listing_says_what_an_input_was_taken_for(place: Path) -> None:
    def first(path: str) -> str:
        return sources.open(str(place / path)).list().notes[0]

    assert first("owners") == "git: 3 repositories: a/one, b/three, b/two"
    assert first("grouped") == "folder: 1 repository (1 with .git): owner/one"
    assert first("checkouts/one/a.py") == "folder: 1 file"
    assert first("archives") == "archive: 2 repositories in 2 archives: a, b"
    assert first("lines") == "jsonl: 2 files: a.jsonl.gz, b.jsonl"
    assert sources.open(str(place / "owners")).list().repositories == ("a/one", "b/three", "b/two")


def test_a_kind_may_be_given(place: Path) -> None:
    assert sources.open(f"folder:{place}/tables") == sources.Folder(f"{place}/tables")
    assert sources.open(f"archive:{place}/mixed/unknown.xyz") == sources.Archive(f"{place}/mixed/unknown.xyz")
    assert sources.open("s3://bucket/x.jsonl.zst") == sources.Jsonl("s3://bucket/x.jsonl.zst")
    assert sources.open("parquet:s3://bucket/x") == sources.Parquet("s3://bucket/x")


def test_errors_help(place: Path) -> None:
    with pytest.raises(InputError, match=f"did you mean {place}/tables"):
        sources.open(f"{place}/table")
    with pytest.raises(InputError, match=r"no kind of source: 'parqet'.*did you mean parquet"):
        sources.open(f"parqet:{place}")
    with pytest.raises(InputError, match=r"cannot tell what kind.*jsonl:"):
        sources.open(f"{place}/mixed/unknown.xyz")
    with pytest.raises(InputError, match="no files to read here"):
        sources.Parquet(str(place / "empty")).list()


def test_every_kind_is_plain_data_that_travels(place: Path) -> None:
    assert [kind.name for kind in sources.all()] == ["folder", "git", "archive", "parquet", "jsonl", "warc"]
    for kind in sources.all():
        source = kind.make(str(place))
        assert source.label == kind.name
        assert pickle.loads(pickle.dumps(source)) == source
        fields = dataclasses.asdict(source).values()
        assert all(isinstance(v, str | int | bool | None) or v == tuple(map(str, v)) for v in fields)
        assert set(source.PLACES) < {f.name for f in dataclasses.fields(source)}  # type: ignore[attr-defined]
        assert type(source).__doc__
