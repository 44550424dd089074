from __future__ import annotations

import datetime
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from codemill.errors import InputError
from codemill.sources import Git, _git

from .source_tools import DATE, by_name, by_path, git, repository, rows, table


@pytest.fixture
def mirrors(tmp_path: Path) -> Path:
    """Two mirrors, owner/one.git (two commits, a tag) and two.git, and one without commits."""
    work = tmp_path / "work"
    repository(work / "one", {"a.py": b"1\n", "dir/b.py": b"2\n"}, date="2020-01-01T00:00:00+00:00")
    git(work / "one", "tag", "-a", "-m", "x", "v1")
    repository(work / "one", {"a.py": b"changed\n"})
    repository(work / "two", {"c.py": b"3\n"})
    (work / "three").mkdir()
    git(work / "three", "init", "-q")
    root = tmp_path / "mirrors"
    (root / "owner").mkdir(parents=True)
    git(root, "clone", "-q", "--mirror", "--no-hardlinks", str(work / "one"), "owner/one.git")
    git(root, "clone", "-q", "--bare", "--no-hardlinks", str(work / "two"), "two.git")
    git(root, "clone", "-q", "--bare", str(work / "three"), "three.git")
    return root


def test_three_files_at_head(mirrors: Path) -> None:
    source = Git(str(mirrors))
    old, new = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.datetime.fromisoformat(DATE)
    one = git(mirrors / "owner" / "one.git", "rev-parse", "HEAD")
    two = git(mirrors / "two.git", "rev-parse", "HEAD")
    assert [(r["repo"], r["path"], r["revision"], r["raw"], r["commit_time"]) for r in by_name(source)] == [
        ("owner/one", "a.py", one, b"changed\n", new),
        ("owner/one", "dir/b.py", one, b"2\n", old),
        ("three", ".", None, None, None),
        ("two", "c.py", two, b"3\n", new),
    ]
    assert source.list().repositories == ("owner/one", "three", "two")
    assert source.list().notes == (
        "git: 3 repositories: owner/one, three, two",
        "1 repository gave nothing: three (no commits)",
    )


def test_every_repository_found_has_a_row(mirrors: Path, tmp_path: Path) -> None:
    git(mirrors / "two.git", "symbolic-ref", "HEAD", "refs/heads/gone")
    shutil.copytree(mirrors / "two.git", mirrors / "packed.git")
    git(mirrors / "packed.git", "pack-refs", "--all")
    with open(mirrors / "packed.git" / "packed-refs", "a") as file:  # as a mirror with many branches has it
        file.writelines(f"{'1' * 40} refs/heads/branch-{i}\n" for i in range(100))
    repository(tmp_path / "work" / "empty", {"a.py": b"1\n"})
    git(tmp_path / "work" / "empty", "rm", "-q", "a.py")
    git(tmp_path / "work" / "empty", "commit", "-q", "-m", "nothing is left")
    git(mirrors, "clone", "-q", "--bare", "--no-hardlinks", str(tmp_path / "work" / "empty"), "empty.git")
    shutil.rmtree(mirrors / "owner" / "one.git" / "objects")
    (mirrors / "owner" / "one.git" / "objects").mkdir()
    shutil.copytree(mirrors / "three.git", mirrors / "bad.git")
    (mirrors / "bad.git" / "HEAD").write_bytes(b"\xff\n\x1b[31m")
    source = Git(str(mirrors))
    gone = "HEAD names refs/heads/gone, which is not there"
    assert [(r["repo"], r["path"], r["reason"], r["detail"]) for r in by_name(source)] == [
        ("bad", ".", "no_revision", "HEAD names nothing"),
        ("empty", ".", "no_files", None),
        ("owner/one", ".", "corrupt", None),
        ("packed", ".", "no_revision", gone),
        ("three", ".", "no_revision", "no commits"),
        ("two", ".", "no_revision", gone),
    ]
    _, note = source.list().notes
    assert note.startswith(
        "6 repositories gave nothing: bad (HEAD names nothing), empty (no_files), owner/one (corrupt)"
    )


@pytest.mark.parametrize("revision", ["v1", "refs/tags/v1", "main~1", "HEAD^", "HEAD~1"])
def test_a_given_revision(mirrors: Path, revision: str) -> None:
    found = by_path(Git(str(mirrors / "owner"), revision=revision))
    assert found["a.py"]["raw"] == b"1\n"
    assert found["a.py"]["revision"] == git(mirrors / "owner" / "one.git", "rev-parse", "v1^{commit}")


def test_a_revision_by_id(mirrors: Path) -> None:
    id = git(mirrors / "owner" / "one.git", "rev-parse", "v1^{commit}")
    for revision in (id, id[:9]):
        assert by_path(Git(str(mirrors / "owner"), revision=revision))["a.py"]["raw"] == b"1\n"


def test_a_revision_that_some_or_all_lack(mirrors: Path) -> None:
    found = [(r["repo"], r["path"], r["reason"], r["detail"]) for r in by_name(Git(str(mirrors), revision="v1"))]
    assert found == [
        ("owner/one", "a.py", None, None),
        ("owner/one", "dir/b.py", None, None),
        ("three", ".", "no_revision", "v1"),
        ("two", ".", "no_revision", "v1"),
    ]
    notes = Git(str(mirrors), revision="v1").list().notes
    assert notes[1:] == ("2 repositories gave nothing: three (v1), two (v1)",)
    with pytest.raises(InputError, match="no repository has the revision 'v9'"):
        Git(str(mirrors), revision="v9").list()
    for odd in ("--help", "a b", "HEAD:a.py", "@{-1}", "../x"):
        with pytest.raises(InputError, match="no repository has"):
            Git(str(mirrors), revision=odd).list()


def test_fingerprint_is_the_revisions_not_how_they_are_stored(mirrors: Path) -> None:
    before, content = Git(str(mirrors)).list(), table(Git(str(mirrors)))
    git(mirrors / "owner" / "one.git", "gc", "-q", "--aggressive", "--prune=now")
    assert Git(str(mirrors)).list() == before
    assert table(Git(str(mirrors))).equals(content)


def test_links_submodules_pointers_and_large_files(tmp_path: Path) -> None:
    place = tmp_path / "work"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 99\n"
    repository(place, {"ok.py": b"1\n", "big.bin": b"x" * 3000, "model.bin": pointer})
    os.symlink("/etc/passwd", place / "link")
    id = "1" * 40
    git(place, "update-index", "--add", "--cacheinfo", f"160000,{id},sub")
    git(place, "add", "link")
    git(place, "commit", "-q", "-m", "more")
    git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", "work", "x.git")
    found = {
        p: (r["reason"], r["detail"]) for p, r in by_path(Git(str(tmp_path / "x.git"), max_file_bytes=2000)).items()
    }
    assert found == {
        "big.bin": ("too_large", "3000"),
        "link": ("link", None),
        "model.bin": ("lfs_pointer", "99"),
        "ok.py": (None, None),
        "sub": ("submodule", id),
    }


def test_missing_and_corrupt_objects_cost_only_themselves(tmp_path: Path) -> None:
    place = tmp_path / "work"
    repository(place, {f"{i:03}.py": f"content {i}\n".encode() for i in range(200)})
    git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", "work", "x.git")
    bare = tmp_path / "x.git"
    ids = {n: git(place, "rev-parse", f"HEAD:{n}") for n in ("010.py", "011.py", "150.py")}
    for name, id in ids.items():
        path = bare / "objects" / id[:2] / id[2:]
        os.chmod(path, 0o644)
        if name == "010.py":
            path.unlink()
        else:
            data = bytearray(path.read_bytes())
            data[-6] ^= 0xFF  # in the deflated content: the header stays readable
            path.write_bytes(data)
    found = by_path(Git(str(bare)))
    assert len(found) == 200
    assert {p: r["reason"] for p, r in found.items() if r["reason"]} == {
        "010.py": "missing",
        "011.py": "corrupt",
        "150.py": "corrupt",
    }
    assert found["199.py"]["raw"] == b"content 199\n"


def test_a_missing_tree_is_one_row_for_the_repository(tmp_path: Path) -> None:
    place = tmp_path / "work"
    repository(place, {"a.py": b"1\n", "dir/b.py": b"2\n"})
    git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", "work", "x.git")
    id = git(place, "rev-parse", "HEAD:dir")
    (tmp_path / "x.git" / "objects" / id[:2] / id[2:]).unlink()
    found = [(r["path"], r["reason"]) for r in rows(Git(str(tmp_path / "x.git")))]
    assert found == [("a.py", None), (".", "corrupt")]


def test_a_repository_is_split_into_shards(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "x.git")
    files = "".join(f"M 644 inline d{i // 1000}/{i:05}.py\ndata {len(str(i))}\n{i}\n" for i in range(9000))
    commit = f"commit refs/heads/main\ncommitter a <a@example.org> 1600000000 +0000\ndata 1\nx\n{files}"
    subprocess.run(["git", "fast-import", "--quiet"], cwd=tmp_path / "x.git", input=commit.encode(), check=True)
    source = Git(str(tmp_path / "x.git"))
    assert [s.files for s in source.list().shards] == [8192, 808]
    found = rows(source)
    assert [r["raw"] for r in found] == [str(i).encode() for i in range(9000)]
    assert {int(r["commit_time"].timestamp()) for r in found} == {1_600_000_000}


def test_no_repository_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no bare repository here.*folder:"):
        Git(str(tmp_path)).list()


def test_worktrees_and_gitfiles_stay_inside(tmp_path: Path) -> None:
    repository(tmp_path / "inside" / "main", {"a.py": b"1\n"})
    git(tmp_path / "inside" / "main", "worktree", "add", "-q", "-b", "side", "../side")
    found = _git.locate(str(tmp_path / "inside" / "side"), str(tmp_path / "inside"))
    assert found is not None
    assert _git.resolve(found) == git(tmp_path / "inside" / "main", "rev-parse", "side")
    assert _git.locate(str(tmp_path / "inside" / "side"), str(tmp_path / "inside" / "side")) is None


def test_sha256_repositories(tmp_path: Path) -> None:
    place = tmp_path / "work"
    place.mkdir()
    git(place, "init", "-q", "--object-format=sha256")
    head = repository(place, {"a.py": b"1\n"})
    git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", "work", "x.git")
    assert len(head) == 64
    assert [(r["revision"], r["raw"]) for r in rows(Git(str(tmp_path / "x.git")))] == [(head, b"1\n")]


def test_a_shallow_clone_has_the_times_of_its_oldest_commit(tmp_path: Path) -> None:
    place = tmp_path / "work"
    repository(place, {"a.py": b"1\n"}, date="2020-01-01T00:00:00+00:00")
    repository(place, {"b.py": b"1\n"})
    git(tmp_path, "clone", "-q", "--bare", "--depth=1", f"file://{place}", "x.git")
    times = {r["path"]: r["commit_time"].isoformat() for r in rows(Git(str(tmp_path / "x.git")))}
    assert times == {"a.py": DATE, "b.py": DATE}
