from __future__ import annotations

import datetime
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemill.errors import InputError
from codemill.sources import Folder
from codemill.sources._names import escape, unescape
from codemill.sources._shards import cut, pack, unpack

from .source_tools import DATE, by_path, git, reasons, repository, rows, table


def test_three_files(tmp_path: Path) -> None:
    (tmp_path / "one" / "src").mkdir(parents=True)
    (tmp_path / "one" / "src" / "a.py").write_bytes(b"a = 1\n")
    (tmp_path / "one-more").mkdir()
    (tmp_path / "one-more" / "b.py").write_bytes(b"")
    (tmp_path / "c.py").write_bytes(b"c\n")
    found = rows(Folder(str(tmp_path)))
    assert sorted((r["repo"], r["path"], r["size"], r["raw"]) for r in found) == [
        ("one", "src/a.py", 6, b"a = 1\n"),
        ("one-more", "b.py", 0, b""),
        (tmp_path.name, "c.py", 2, b"c\n"),
    ]
    assert all(r["revision"] is None and r["commit_time"] is None for r in found)


def test_folders_can_be_skipped(tmp_path: Path) -> None:
    for path in ("a/x.py", "a/vendor/y.py", "vendor/z.py", "a/vendored/w.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("1\n")
    folder = Folder(str(tmp_path), skip=("vendor",))
    assert [r["path"] for r in rows(folder)] == ["vendored/w.py", "x.py"]
    assert folder.list().notes == (
        "folder: 1 repository (0 with .git): a",
        "2 folders not entered, as asked: vendor",
    )


def test_checkouts_have_revisions_and_commit_times(tmp_path: Path) -> None:
    place = tmp_path / "repo"
    repository(place, {"old.py": b"1\n", "new.py": b"1\n", "gone.py": b"1\n"}, date="2020-01-01T00:00:00+00:00")
    (place / "gone.py").unlink()
    head = repository(place, {"new.py": b"2\n", "dir/added.py": b"3\n"})
    (place / "untracked.py").write_bytes(b"4\n")
    found = by_path(Folder(str(tmp_path)))
    old, new = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.datetime.fromisoformat(DATE)
    assert {p: r["commit_time"] for p, r in found.items()} == {
        "dir/added.py": new,
        "new.py": new,
        "old.py": old,
        "untracked.py": None,
    }
    assert {(r["repo"], r["revision"]) for r in found.values()} == {("repo", head)}
    without = by_path(Folder(str(tmp_path), commit_times=False))
    assert without["old.py"]["commit_time"] is None
    assert without["old.py"]["revision"] == head


def test_commit_times_agree_with_git_over_merges(tmp_path: Path) -> None:
    place = tmp_path / "repo"
    repository(place, {"a": b"1\n", "b": b"1\n", "both": b"1\n2\n3\n"}, date="2020-01-01T00:00:00+00:00")
    git(place, "checkout", "-q", "-b", "side")
    repository(place, {"b": b"2\n", "both": b"1\n2\nside\n"}, date="2020-02-01T00:00:00+00:00")
    git(place, "checkout", "-q", "main")
    repository(place, {"c": b"1\n", "both": b"main\n2\n3\n"}, date="2020-03-01T00:00:00+00:00")
    git(place, "merge", "-q", "--no-commit", "side", date="2020-04-01T00:00:00+00:00")
    (place / "only-in-merge").write_bytes(b"1\n")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "merge", date="2020-04-01T00:00:00+00:00")
    found = by_path(Folder(str(tmp_path)))
    for path, row in found.items():
        assert int(row["commit_time"].timestamp()) == int(git(place, "log", "-1", "--format=%ct", "--", path)), path


def test_root_may_be_a_checkout_and_owners_may_group_them(tmp_path: Path) -> None:
    head = repository(tmp_path / "owner" / "name", {"a.py": b"1\n"})
    (tmp_path / "owner" / "plain").mkdir()
    (tmp_path / "owner" / "plain" / "b.py").write_bytes(b"2\n")
    found = {(r["repo"], r["path"], r["revision"]) for r in rows(Folder(str(tmp_path)))}
    assert found == {("owner/name", "a.py", head), ("owner", "plain/b.py", None)}
    inside = rows(Folder(str(tmp_path / "owner" / "name")))
    assert [(r["repo"], r["path"], r["revision"]) for r in inside] == [("name", "a.py", head)]


def test_root_named_like_a_child_stays_apart(tmp_path: Path) -> None:
    root = tmp_path / "x"
    (root / "x").mkdir(parents=True)
    (root / "a").write_bytes(b"1")
    (root / "x" / "a").write_bytes(b"2")
    assert sorted((r["repo"], r["path"]) for r in rows(Folder(str(root)))) == [(".", "a"), ("x", "a")]


def test_repositories_without_commits_or_files_are_accounted_for(tmp_path: Path) -> None:
    repository(tmp_path / "gone", {"a.py": b"1\n"})
    git(tmp_path / "gone", "symbolic-ref", "HEAD", "refs/heads/gone")
    for name in ("new", "owner/empty", "new/submodule"):
        (tmp_path / name).mkdir(parents=True)
        git(tmp_path / name, "init", "-q")
    (tmp_path / "new" / "b.py").write_bytes(b"2\n")
    source = Folder(str(tmp_path))
    assert sorted((r["repo"], r["path"], r["revision"], r["reason"]) for r in rows(source)) == [
        ("gone", "a.py", None, None),
        ("new", "b.py", None, None),
        ("owner/empty", ".", None, "no_files"),
    ]
    assert source.list().repositories == ("gone", "new", "owner/empty")
    assert source.list().notes == (
        "folder: 3 repositories (3 with .git): gone, new, owner/empty",
        "3 repositories without a commit to read from: gone (HEAD names refs/heads/gone, which is not there), "
        "new (no commits), owner/empty (no commits)",
        "1 repository without a file: owner/empty",
    )
    git(tmp_path / "owner" / "empty", "init", "-q")
    alone = Folder(str(tmp_path / "owner" / "empty"))
    assert [(r["repo"], r["path"], r["reason"]) for r in rows(alone)] == [("empty", ".", "no_files")]


def test_order_of_creation_does_not_matter(tmp_path: Path) -> None:
    names = [f"r{i % 7}/d{i % 3}/f{i}.py" for i in range(200)]
    listings, tables = [], []
    for seed in (1, 2):
        root = tmp_path / str(seed) / "root"
        shuffled = names.copy()
        random.Random(seed).shuffle(shuffled)
        for name in shuffled:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            os.utime(path, ns=(0, 1_700_000_000_000_000_000))
        listings.append(Folder(str(root)).list())
        tables.append(table(Folder(str(root))))
    assert listings[0] == listings[1]
    assert tables[0].equals(tables[1])


def test_fingerprint_changes_with_the_input_and_only_then(tmp_path: Path) -> None:
    repository(tmp_path / "repo", {"a.py": b"1\n"})

    def fingerprint(**options: int) -> str:
        return Folder(str(tmp_path), **options).list().fingerprint  # type: ignore[arg-type]

    first = fingerprint()
    assert fingerprint() == first
    os.utime(tmp_path / "repo" / "a.py", ns=(0, 1))
    touched = fingerprint()
    assert touched != first
    git(tmp_path / "repo", "commit", "-q", "--allow-empty", "-m", "more")
    assert fingerprint() != touched  # the revision is in every row
    assert fingerprint(max_file_bytes=5) != fingerprint()
    (tmp_path / "moved").mkdir()
    moved = tmp_path / "moved" / tmp_path.name
    before = fingerprint()
    os.rename(tmp_path / "repo", tmp_path / "moved" / "repo")
    moved.mkdir()
    os.rename(tmp_path / "moved" / "repo", moved / "repo")
    assert Folder(str(moved)).list().fingerprint == before  # a path is no identity


def test_shards_are_cut_by_bytes_and_files() -> None:
    sizes = [("a", 10), ("b", 60), ("c", 40), ("d", 500), ("e", 0), ("f", 0), ("g", 0)]
    runs = list(cut(sizes, most_bytes=100, most_items=3))
    assert runs == [(["a", "b"], 70), (["c"], 40), (["d"], 500), (["e", "f", "g"], 0)]


def test_a_listing_is_small_and_split(tmp_path: Path) -> None:
    for i in range(40):
        (tmp_path / "many" / f"{i:02}").mkdir(parents=True)
        for j in range(250):
            (tmp_path / "many" / f"{i:02}" / f"{j:03}.py").touch()
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.py").touch()
    listing = Folder(str(tmp_path)).list()
    assert sorted((s.label, s.files) for s in listing.shards) == [
        ("many (1 of 2)", 8192),
        ("many (2 of 2)", 1808),
        ("one", 1),
    ]
    assert sum(len(g[3]) for s in listing.shards for g in s.what) < 10_000 * 20
    many = [r["path"] for r in rows(Folder(str(tmp_path))) if r["repo"] == "many"]
    assert many == sorted(many)
    assert len(many) == 10_000


def test_files_between_repositories_are_read_once_each(tmp_path: Path) -> None:
    """Files of the root and of an owner stand between the repositories below them."""
    repository(tmp_path / "m" / "n", {"a.py": b"1\n", "z/b.py": b"2\n"})
    for path in ("a", "b/x", "m/a", "m/m/x", "m/o", "m/z/x", "n", "o/x", "z"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    found = [(r["repo"], r["path"]) for r in rows(Folder(str(tmp_path)))]
    expected = {
        tmp_path.name: ["a", "n", "z"],
        "b": ["x"],
        "m": ["a", "m/x", "o", "z/x"],
        "m/n": ["a.py", "z/b.py"],
        "o": ["x"],
    }
    assert {repo: [p for r, p in found if r == repo] for repo, _ in found} == expected


@given(st.binary(max_size=40).filter(lambda b: b"\0" not in b), st.binary(max_size=40))
def test_escaped_names_are_reversible_so_unique(name: bytes, other: bytes) -> None:
    assert unescape(escape(name)) == name
    assert (escape(name) == escape(other)) == (name == other)
    escape(name).encode()


@given(st.lists(st.sampled_from([b"\\", b"x", b"f", b"e", b"9", b"\xff", b"\xc3\xa9", b"\n"]), max_size=14))
def test_escapes_of_escapes_are_reversible(parts: list[bytes]) -> None:
    name = b"".join(parts)
    assert unescape(escape(name)) == name


def test_names_stay_readable() -> None:
    assert escape(b"src/caf\xc3\xa9.py") == "src/café.py"
    assert escape(rb"dev-disk-by\x2dlabel.swap") == r"dev-disk-by\x2dlabel.swap"
    assert escape(b"caf\xe9.py") == r"caf\xe9.py"
    assert escape(rb"caf\xe9.py") == r"caf\\xe9.py"


_NAMES = st.binary(max_size=9).filter(lambda b: b"\0" not in b)


@given(st.lists(st.tuples(_NAMES, st.integers(-200, 1 << 40)), min_size=1))
def test_packed_names_come_back(names: list[tuple[bytes, int]]) -> None:
    assert list(unpack(pack(names))) == names


def test_missing_and_wrong_roots_say_what_is_near(tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    with pytest.raises(InputError, match=f"did you mean {tmp_path}/projects"):
        Folder(str(tmp_path / "project")).list()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InputError, match="neither a file nor a directory"):
        Folder(str(tmp_path / "fifo")).list()
    with pytest.raises(InputError, match="local paths"):
        Folder("s3://bucket/x").list()


def test_a_single_file_belongs_to_its_directory(tmp_path: Path) -> None:
    head = repository(tmp_path / "repo", {"a.py": b"1\n", "b.py": b"2\n", "src/c.py": b"3\n"})
    source = Folder(str(tmp_path / "repo" / "a.py"))
    found = [(r["repo"], r["path"], r["revision"], r["raw"]) for r in rows(source)]
    assert found == [("repo", "a.py", head, b"1\n")]
    assert rows(source)[0]["commit_time"] == datetime.datetime.fromisoformat(DATE)
    assert source.list().notes == ("folder: 1 file",)
    os.symlink(tmp_path / "repo" / "src" / "c.py", tmp_path / "link.py")  # named by the user, so followed
    assert [(r["repo"], r["path"], r["raw"]) for r in rows(Folder(str(tmp_path / "link.py")))] == [
        ("src", "c.py", b"3\n")
    ]
    before = source.list()
    os.utime(tmp_path / "repo" / "b.py", ns=(0, 1))
    assert source.list() == before  # the other files are not in it


def test_bare_repositories_in_a_folder_are_told_of(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "owner/name.git")
    (tmp_path / "a.py").write_bytes(b"1\n")
    assert Folder(str(tmp_path)).list().notes[1:] == (
        "1 bare repository read as the files that git keeps there (git: reads what they hold): owner/name.git",
    )


def test_empty_folder_has_no_shards(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert Folder(str(tmp_path)).list().shards == ()


def test_lfs_pointers_are_not_content(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 123456\n"
    (tmp_path / "model.bin").write_bytes(pointer)
    (tmp_path / "about.md").write_bytes(b"version https://git-lfs.github.com/spec/v1 is a format\n")
    found = by_path(Folder(str(tmp_path)))
    assert (found["model.bin"]["reason"], found["model.bin"]["detail"]) == ("lfs_pointer", "123456")
    assert found["about.md"]["reason"] is None


def test_version_control_directories_are_not_entered(tmp_path: Path) -> None:
    for name in (".git", ".hg", ".svn"):
        (tmp_path / "a" / "deep" / name).mkdir(parents=True)
        (tmp_path / "a" / "deep" / name / "config").write_bytes(b"x")
    (tmp_path / "a" / ".gitignore").write_bytes(b"x")
    assert reasons(Folder(str(tmp_path))) == {".gitignore": None, ".": "no_files"}  # a/deep is a repository
