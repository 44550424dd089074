"""Folders that mean harm, or only look like it: links, special files, races, names, depth.

Nothing may hang or leave its place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from codemill.sources import Folder, Git

from .source_tools import by_path, git, rows


def test_links_are_rows_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_bytes(b"secret")
    root = tmp_path / "root" / "r"
    (root / "dir").mkdir(parents=True)
    (root / "a.py").write_bytes(b"1")
    os.symlink("a.py", root / "inside")
    os.symlink(tmp_path / "outside.py", root / "out")
    os.symlink("..", root / "dir" / "up")
    os.symlink("self", root / "self")
    os.symlink("/", root / "dir" / "everything")
    source = Folder(str(tmp_path / "root"))
    found = {p: (r["reason"], r["detail"]) for p, r in by_path(source).items()}
    assert found == {
        "a.py": (None, None),
        "inside": ("link", "a.py"),
        "out": ("link", str(tmp_path / "outside.py")),
        "self": ("link", "self"),
        "dir/up": ("link", ".."),
        "dir/everything": ("link", "/"),
    }
    assert source.list().notes[1:] == ("5 links not followed, 2 of them out of the root",)


def test_a_directory_that_becomes_a_link_after_the_listing_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.py").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "r" / "d").mkdir(parents=True)
    (root / "r" / "d" / "a.py").write_bytes(b"1")
    source = Folder(str(root))
    (shard,) = source.list().shards
    shutil.rmtree(root / "r" / "d")
    os.symlink(tmp_path / "secret", root / "r" / "d")
    (batch,) = source.read(shard)
    assert batch.to_pylist()[0]["raw"] is None
    assert batch.to_pylist()[0]["reason"] in ("link", "vanished")


def test_special_files_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(tmp_path):
        server.bind("socket")
    if os.geteuid() == 0:
        with contextlib.suppress(PermissionError):
            os.mknod(tmp_path / "device", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    found = {p: (r["reason"], r["detail"]) for p, r in by_path(Folder(str(tmp_path))).items()}
    device = {"device": ("special", "device")} if "device" in found else {}
    assert found == {"pipe": ("special", "fifo"), "socket": ("special", "socket"), **device}


def test_a_sparse_file_of_2_gb_costs_nothing(tmp_path: Path) -> None:
    with open(tmp_path / "huge.py", "wb") as file:
        file.truncate(2 << 30)
    before = time.monotonic()
    row = by_path(Folder(str(tmp_path)))["huge.py"]
    assert (row["reason"], row["detail"], row["size"]) == ("too_large", str(2 << 30), 2 << 30)
    assert time.monotonic() - before < 1


def test_vanished_grown_and_replaced_files(tmp_path: Path) -> None:
    for name in ("stays", "goes", "grows", "becomes-a-pipe", "shrinks", "d/deep"):
        (tmp_path / "r" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "r" / name).write_bytes(b"12345")
    source = Folder(str(tmp_path), max_file_bytes=10)
    (shard,) = source.list().shards
    (tmp_path / "r" / "goes").unlink()
    (tmp_path / "r" / "grows").write_bytes(b"x" * 11)
    (tmp_path / "r" / "becomes-a-pipe").unlink()
    os.mkfifo(tmp_path / "r" / "becomes-a-pipe")
    (tmp_path / "r" / "shrinks").write_bytes(b"1")
    shutil.rmtree(tmp_path / "r" / "d")
    (batch,) = source.read(shard)
    found = {r["path"]: (r["reason"], r["detail"], r["size"]) for r in batch.to_pylist()}
    assert found == {
        "becomes-a-pipe": ("special", "fifo", 0),
        "d/deep": ("vanished", None, 5),
        "goes": ("vanished", None, 5),
        "grows": ("too_large", "11", 11),
        "shrinks": (None, None, 1),
        "stays": (None, None, 5),
    }


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="needs /proc")
def test_a_file_larger_than_it_says_is_read_up_to_the_limit() -> None:
    from codemill.sources.folder import _read_up_to

    with open("/proc/self/maps", "rb") as file:  # says that it has 0 bytes
        assert len(_read_up_to(file.fileno(), 0, 1_000_000)) > 100
    with open("/dev/zero", "rb") as file:
        assert len(_read_up_to(file.fileno(), 0, 5_000_000)) == 5_000_001


@contextlib.contextmanager
def nobody() -> Iterator[Path]:
    """A folder that anyone may enter, and within it another user's rights if we are root, whom nothing stops."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    try:
        yield place
    finally:
        if os.geteuid() != os.getuid():
            os.seteuid(os.getuid())
        subprocess.run(["chmod", "-R", "u+rwX", str(place)], check=True)
        shutil.rmtree(place)


def test_unreadable_files_and_directories() -> None:
    with nobody() as place:
        (place / "r" / "closed").mkdir(parents=True)
        (place / "r" / "closed" / "a.py").write_bytes(b"1")
        (place / "r" / "secret.py").write_bytes(b"1")
        (place / "r" / "open.py").write_bytes(b"1")
        (place / "r" / "secret.py").chmod(0)
        (place / "r" / "closed").chmod(0)
        if os.geteuid() == 0:
            os.seteuid(65534)
        found = {p: (r["reason"], r["detail"]) for p, r in by_path(Folder(str(place))).items()}
        assert found == {
            "closed/": ("unreadable", "EACCES"),
            "open.py": (None, None),
            "secret.py": ("unreadable", "EACCES"),
        }
        assert Folder(str(place)).list().notes[1:] == ("1 folder could not be listed: r/closed/",)


def test_repositories_that_cannot_be_listed_have_a_row_and_a_note() -> None:
    with nobody() as place:
        for kind, files in ((Folder, "closed/a.py"), (Git, "closed.git/HEAD")):
            root = place / kind.__name__
            (root / files).parent.mkdir(parents=True)
            (root / files).write_bytes(b"1")
        git(place / "Git", "init", "-q", "--bare", "good.git")
        for closed in ("Folder/closed", "Git/closed.git"):
            (place / closed).chmod(0)
        if os.geteuid() == 0:
            os.seteuid(65534)
        folder, mirrors = Folder(str(place / "Folder")), Git(str(place / "Git"))
        assert [(r["path"], r["reason"]) for r in rows(folder) if r["repo"] == "closed"] == [(".", "unreadable")]
        assert folder.list().notes[1:] == ("1 folder could not be listed: closed/",)
        assert [(r["repo"], r["path"], r["reason"]) for r in rows(mirrors)] == [
            ("closed", ".", "unreadable"),
            ("good", ".", "no_revision"),
        ]
        assert mirrors.list().notes[1:] == ("2 repositories gave nothing: closed (unreadable), good (no commits)",)


def test_names_that_are_not_utf8_are_kept_apart(tmp_path: Path) -> None:
    root = os.fsencode(tmp_path)
    names = [b"caf\xe9.py", rb"caf\xe9.py", "café.py".encode(), b"new\nline.py", b"\xff\xfe", b"tab\t", b"\\"]
    os.mkdir(os.path.join(root, b"r\xff"))
    for name in names:
        with open(os.path.join(root, b"r\xff", name), "wb") as file:
            file.write(name)
    found = rows(Folder(str(tmp_path)))
    assert {r["repo"] for r in found} == {r"r\xff"}
    assert sorted(r["raw"] for r in found) == sorted(names)
    assert len({r["path"] for r in found}) == len(names)


@pytest.mark.slow
def test_a_hundred_thousand_one_line_files(tmp_path: Path) -> None:
    for i in range(100):
        (tmp_path / f"{i:02}").mkdir()
        for j in range(1000):
            handle = os.open(tmp_path / f"{i:02}" / f"{j}.py", os.O_WRONLY | os.O_CREAT)
            os.write(handle, b"x = 1\n")
            os.close(handle)
    before = time.process_time()
    source = Folder(str(tmp_path))
    read = sum(batch.num_rows for shard in source.list().shards for batch in source.read(shard))
    assert read == 100_000
    assert time.process_time() - before < 15  # 1.7 s on the machine it was written on


def test_deep_directories(tmp_path: Path) -> None:
    """A path longer than PATH_MAX is one row for the directory where it becomes too long."""
    place = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(30):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
    finally:
        os.chdir(place)
    (found,) = rows(Folder(str(tmp_path)))
    assert (found["reason"], found["detail"]) == ("unreadable", "ENAMETOOLONG")
