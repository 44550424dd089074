"""Inputs that mean harm, or only look like it. Nothing may run, leave its place, hang, or take the machine's memory."""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import os
import random
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from codemill import layers
from codemill.errors import InputError
from codemill.sources import Archive, Folder, Git, Jsonl, Parquet

from .source_tools import by_path, git, reasons, repository, rows
from .test_sources_archive import tar, zipped

# ── folders ───────────────────────────────────────────────────────────────────────────────────────────────────────


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
    assert source.list().notes == ("5 links are not followed, 2 of them point out of the root",)


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


# ── git ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def trap(place: Path, git_directory: Path) -> Path:
    """Fills a repository's configuration with programs to run; returns the file that any of them would create."""
    sprung = place / "sprung"
    program = place / "program"
    program.write_text(f"#!/bin/sh\ntouch {sprung}\ncat\n")
    program.chmod(0o755)
    (git_directory / "config").write_text(
        textwrap.dedent(f"""\
        [core]
            repositoryformatversion = 1
            bare = {str(git_directory.suffix == ".git").lower()}
            fsmonitor = {program}
            sshCommand = {program}
            gitProxy = {program}
            pager = {program}
            editor = {program}
            hooksPath = {place}
            attributesFile = {place}/attributes
            alternateRefsCommand = {program}
        [diff]
            external = {program}
        [diff "x"]
            textconv = {program}
            command = {program}
        [filter "x"]
            smudge = {program}
            clean = {program}
            process = {program}
            required = true
        [pager]
            log = {program}
        [log]
            showSignature = true
        [gpg]
            program = {program}
        [credential]
            helper = {program}
        [alias]
            log = !{program}
            ls-tree = !{program}
            cat-file = !{program}
            rev-parse = !{program}
        [uploadpack]
            packObjectsHook = {program}
        [extensions]
            partialClone = origin
        [remote "origin"]
            url = ext::{program}
            promisor = true
            uploadpack = {program}
            vcs = {program}
        [protocol]
            allow = always
        [protocol "ext"]
            allow = always
        [include]
            path = {place}/included
        """)
    )
    (git_directory / "hooks").mkdir(exist_ok=True)
    for hook in ("post-checkout", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(program, git_directory / "hooks" / hook)
    (git_directory / "info").mkdir(exist_ok=True)
    (git_directory / "info" / "attributes").write_text("* diff=x filter=x\n")
    return sprung


def test_nothing_in_a_repository_runs(tmp_path: Path) -> None:
    work = tmp_path / "root" / "work"
    repository(work, {"a.py": b"1\n", "b.py": b"2\n", "gone.py": b"3\n"})
    signed = git(work, "cat-file", "commit", "HEAD").replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n", 1
    )
    (tmp_path / "commit").write_text(signed + "\n")
    id = git(work, "hash-object", "-t", "commit", "-w", str(tmp_path / "commit"))
    git(work, "update-ref", "HEAD", id)
    git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", "root/work", "bare.git")
    blob = git(work, "rev-parse", "HEAD:gone.py")
    for objects in (work / ".git" / "objects", tmp_path / "bare.git" / "objects"):
        (objects / blob[:2] / blob[2:]).unlink()  # missing in a partial clone: git would fetch it
    sprung = trap(tmp_path, work / ".git")
    assert {r["commit_time"] is None for r in rows(Folder(str(tmp_path / "root")))} == {False}
    trap(tmp_path, tmp_path / "bare.git")
    assert reasons(Git(str(tmp_path / "bare.git"))) == {"a.py": None, "b.py": None, "gone.py": "missing"}
    assert reasons(Git(str(tmp_path / "bare.git"), revision="HEAD~0"))["a.py"] is None
    assert not sprung.exists()
    # The trap is a real one: git itself, run there without care, springs it.
    subprocess.run(
        ["git", "-c", "safe.directory=*", "log", "-1", "--format=%H", "--name-only"],
        cwd=tmp_path / "bare.git",
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        check=False,
    )
    assert sprung.exists()


def test_a_repository_cannot_open_another_one(tmp_path: Path) -> None:
    repository(tmp_path / "private", {"secret.py": b"secret\n"})
    head = git(tmp_path / "private", "rev-parse", "HEAD")
    root = tmp_path / "root"
    for name in ("gitfile", "link", "alternates", "objects", "commondir"):
        (root / name).mkdir(parents=True)
        (root / name / "a.py").write_bytes(b"1\n")
    private = tmp_path / "private" / ".git"
    (root / "gitfile" / ".git").write_text(f"gitdir: {private}\n")
    os.symlink(private, root / "link" / ".git")
    for name in ("alternates", "objects", "commondir"):
        git(root / name, "init", "-q")
        (root / name / ".git" / "refs" / "heads" / "main").write_text(head + "\n")
    (root / "alternates" / ".git" / "objects" / "info" / "alternates").write_text(f"{private}/objects\n")
    shutil.rmtree(root / "objects" / ".git" / "objects")
    os.symlink(private / "objects", root / "objects" / ".git" / "objects")
    (root / "commondir" / ".git" / "commondir").write_text(f"{private}\n")
    source = Folder(str(root))
    assert {(r["repo"], r["revision"]) for r in rows(source)} == {(p.name, None) for p in root.iterdir()}
    assert source.list().notes == ("5 repositories have no usable .git inside the root: their revisions are unknown",)
    mirrors = tmp_path / "mirrors"
    mirrors.mkdir()
    git(mirrors, "clone", "-q", "--bare", "--shared", str(tmp_path / "private"), "x.git")
    assert [(r["path"], r["reason"]) for r in rows(Git(str(mirrors)))] == [(".", "outside")]
    inside = {(r["repo"], r["path"]) for r in rows(Git(str(tmp_path)))}  # the other one is below this root
    assert {("mirrors/x", "secret.py"), ("private", "secret.py")} <= inside


@pytest.mark.parametrize(
    "head", ["ref: ../../../../etc/passwd", "ref: refs/../../../secret", "ref: HEAD", "-x", "", "\xff" * 100]
)
def test_odd_heads_name_no_revision(tmp_path: Path, head: str) -> None:
    repository(tmp_path / "root" / "r", {"a.py": b"1\n"})
    (tmp_path / "secret").write_text("0" * 40)
    (tmp_path / "root" / "r" / ".git" / "HEAD").write_text(head)
    assert [(r["path"], r["revision"]) for r in rows(Folder(str(tmp_path / "root")))] == [("a.py", None)]


def test_a_git_bomb_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten levels of ten times the same tree: 10 objects, 10^10 files."""
    monkeypatch.setattr("codemill.sources._git.MAX_FILES", 5000)
    git(tmp_path, "init", "-q", "--bare", "bomb.git")
    bare = tmp_path / "bomb.git"
    (tmp_path / "blob").write_bytes(b"1\n")
    id, kind = git(bare, "hash-object", "-w", str(tmp_path / "blob")), "100644 blob"
    for _ in range(10):
        entries = "".join(f"{kind} {id}\tf{i}\n" for i in range(10))
        done = subprocess.run(["git", "mktree"], cwd=bare, input=entries, capture_output=True, text=True, check=True)
        id, kind = done.stdout.strip(), "040000 tree"
    commit = git(bare, "commit-tree", "-m", "bomb", id)
    git(bare, "update-ref", "refs/heads/main", commit)
    found = rows(Git(str(bare)))
    assert len(found) == 5001
    assert (found[-1]["path"], found[-1]["reason"]) == (".", "too_many_files")


# ── archives ──────────────────────────────────────────────────────────────────────────────────────────────────────

UNSAFE = ["/etc/passwd", "../up.py", "a/../../up.py", "C:\\x.py", "..\\up.py", "\\\\host\\share", "a/../b.py"]


@pytest.mark.parametrize("make", [tar, zipped])
def test_names_that_leave_the_archive(tmp_path: Path, make: object) -> None:
    suffix = "zip" if make is zipped else "tar"
    (tmp_path / f"x.{suffix}").write_bytes(make({**{n: b"1" for n in UNSAFE}, "ok.py": b"2"}))  # type: ignore[operator]
    before = set(os.listdir(tmp_path.parent))
    found = reasons(Archive(str(tmp_path)))
    assert found == {**dict.fromkeys(UNSAFE, "unsafe_path"), "ok.py": None}
    assert set(os.listdir(tmp_path.parent)) == before


def test_the_same_name_twice(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in [("a.py", b"good"), ("./a.py", b"evil"), ("a.py", b"more")]:
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(data))
    (tmp_path / "x.tar").write_bytes(buffer.getvalue())
    found = [(r["path"], r["raw"], r["reason"]) for r in rows(Archive(str(tmp_path)))]
    assert found == [("a.py", b"good", None)] + 2 * [("a.py", None, "duplicate_name")]


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.xz", "tar.zst"])
def test_a_stream_that_unfolds_without_end_is_cut_off(tmp_path: Path, suffix: str) -> None:
    """1 GiB of zeros in a member that is too large to be wanted: skipping it is stopped by the ratio."""
    header = tarfile.TarInfo("zeros")
    header.size = 1 << 30
    path = tmp_path / f"x.{suffix}"
    pieces = [header.tobuf()] + [bytes(1 << 20)] * (1024 if suffix == "tar.zst" else 256)
    compressor = {
        "tar.gz": lambda: zlib.compressobj(1, zlib.DEFLATED, 31),
        "tar.xz": lambda: lzma.LZMACompressor(preset=0),
        "tar.zst": lambda: zstandard.ZstdCompressor().compressobj(),
    }[suffix]()
    path.write_bytes(b"".join(map(compressor.compress, pieces)) + compressor.flush())
    found = [(r["path"], r["reason"]) for r in rows(Archive(str(path)))]
    assert found == [("zeros", "too_large"), (f"x.{suffix}", "bomb")]


def test_a_flat_zip_bomb_of_overlapping_members(tmp_path: Path) -> None:
    """Every entry of the directory points at one kernel: 1,000 members of 4 MB in 30 KB."""
    kernel = zipped({"0": bytes(4_000_000)})
    end = kernel.rindex(b"PK\x05\x06")
    start = kernel.index(b"PK\x01\x02")
    entry = kernel[start:end]
    directory = b"".join(entry[:-1] + bytes([48 + i % 10]) for i in range(1000))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1000, 1000, len(directory), start, 0)
    (tmp_path / "x.zip").write_bytes(kernel[:start] + directory + tail)
    found = rows(Archive(str(tmp_path)))
    assert len(found) == 1000
    assert {r["reason"] for r in found} <= {"overlap", "duplicate_name"}


def test_a_zip_bomb_of_one_member_and_of_a_wrong_size(tmp_path: Path) -> None:
    data = zipped({"zeros": bytes(5_000_000), "small": bytes(1000), "huge": bytes(20_000_000)})
    (tmp_path / "x.zip").write_bytes(data)
    assert reasons(Archive(str(tmp_path))) == {"zeros": "bomb", "small": None, "huge": "too_large"}
    lying = data.replace(struct.pack("<L", 5_000_000), struct.pack("<L", 5000))  # declares less than it holds
    (tmp_path / "x.zip").write_bytes(lying)
    assert reasons(Archive(str(tmp_path))) == {"zeros": "corrupt", "small": None, "huge": "too_large"}


def test_encrypted_and_unsupported_members_and_links(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.py", b"1")
        archive.writestr("b.py", b"1", zipfile.ZIP_BZIP2)
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        for info in archive.infolist():
            if info.filename == "a.py":
                info.flag_bits |= 1
    (tmp_path / "x.zip").write_bytes(buffer.getvalue())
    assert reasons(Archive(str(tmp_path))) == {"a.py": "encrypted", "b.py": "unsupported", "link": "link"}


def test_ceilings_of_members_and_bytes(tmp_path: Path) -> None:
    many = {f"{i}.py": b"x" * 100 for i in range(50)}
    (tmp_path / "t.tar").write_bytes(tar(many))
    (tmp_path / "z.zip").write_bytes(zipped(many))
    few = rows(Archive(str(tmp_path), max_members=10))
    assert [(r["path"], r["detail"]) for r in few if r["reason"] == "too_many_members"] == [
        ("t.tar", "more than 10"),
        ("z.zip", "50, more than 10"),
    ]
    assert len([r for r in few if r["repo"] == "t"]) == 11
    small = rows(Archive(str(tmp_path), max_total_bytes=1000))
    assert [r["path"] for r in small if r["reason"] == "too_much"] == ["t.tar", "z.zip"]
    assert len(small) == 22


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "zip"])
def test_truncated_archives_yield_what_was_readable(tmp_path: Path, suffix: str) -> None:
    from .test_sources_archive import COMPRESS

    files = {f"{i}.py": random.Random(i).randbytes(50_000) for i in range(20)}
    data = COMPRESS[suffix](tar(files)) if suffix != "zip" else zipped(files)
    for size in (len(data) * 2 // 3, 300, 20, 0):
        path = tmp_path / f"x.{suffix}"
        path.write_bytes(data[:size])
        found = rows(Archive(str(path)))
        assert (found[-1]["path"], found[-1]["reason"] in ("truncated", "corrupt")) == (f"x.{suffix}", True)
        for row in found[:-1]:
            assert row["raw"] == files[row["path"]]
        if size > 1000 and suffix not in ("zip", "tar.bz2"):
            assert len(found) > 5


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "zip"])
def test_damaged_archives_never_raise(tmp_path: Path, suffix: str) -> None:
    files = {f"dir/{i}.py": f"print({i})\n".encode() * 40 for i in range(10)}
    whole = {"tar": tar, "tar.gz": lambda f: gzip.compress(tar(f)), "zip": zipped}[suffix](files)
    numbers = random.Random(5)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(numbers.choice([1, 1, 3, 50])):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        (tmp_path / f"x.{suffix}").write_bytes(data)
        rows(Archive(str(tmp_path)))


def test_a_pax_header_may_not_claim_the_memory(tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        header = tarfile.TarInfo("x")
        header.type, header.size = kind, 8 << 30
        (tmp_path / "x.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
        assert reasons(Archive(str(tmp_path))) == {"x.tar": "corrupt"}


def test_sparse_members_are_refused(tmp_path: Path) -> None:
    pax = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "9999999"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("GNUSparseFile.0/s")
        info.pax_headers, info.size = pax, 512
        archive.addfile(info, io.BytesIO(bytes(512)))
    (tmp_path / "x.tar").write_bytes(buffer.getvalue())
    assert reasons(Archive(str(tmp_path))) == {"s": "sparse"}


# ── tables and lines ──────────────────────────────────────────────────────────────────────────────────────────────


def test_parquet_that_is_none(tmp_path: Path) -> None:
    for data in (b"", b"PAR1", b"PAR1" + b"\xff" * 100 + b"PAR1"):
        (tmp_path / "x.parquet").write_bytes(data)
        with pytest.raises(InputError, match="not a whole Parquet file"):
            Parquet(str(tmp_path)).list()


def test_damaged_parquet_pages_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    content = [random.Random(i).randbytes(500).hex() for i in range(100)]
    table = pa.table({"path": [f"{i}.py" for i in range(100)], "content": content})
    pq.write_table(table, path, row_group_size=25, compression="none", use_dictionary=False, write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[data.index(content[30].encode()) + 5] ^= 1
    path.write_bytes(data)
    for keep_in_place in (True, False):
        found = rows(Parquet(str(path), keep_in_place=keep_in_place))
        assert [r["path"] for r in found] == [f"{i}.py" for i in range(100)]  # the names are another column
        assert {r["path"] for r in found if r["reason"] == "corrupt"} == {f"{i}.py" for i in range(25, 50)}
        assert found[50]["raw"] == content[50].encode()
    data[data.index(b"30.py")] ^= 1
    path.write_bytes(data)
    found = rows(Parquet(str(path)))
    assert [r["path"] for r in found if r["reason"]] == [f"x.parquet#{i}" for i in range(25, 50)]


def test_damaged_content_in_place_is_missing_for_exactly_the_rows_that_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    content = [f"{i:05} " + "x" * (i % 2000) for i in range(9000)]
    data = pa.table({"path": [f"{i}.py" for i in range(9000)], "more": ["y" * 500] * 9000, "content": content})
    pq.write_table(data, path, compression="none", use_dictionary=False, write_page_checksum=True)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(content[6000].encode()) + 3] ^= 1
    path.write_bytes(damaged)
    (shard,) = Parquet(str(path)).list().shards
    assert shard.external is not None
    alive = [row["reason"] is None for row in rows(Parquet(str(path)))]
    place = [b.column("content") for b in layers._external_batches(shard.external.__dict__, ["content"])]
    read = pa.chunked_array(place).to_pylist()
    assert alive == [text is not None for text in read]
    assert 1000 < sum(alive) <= 6000
    assert [text for text in read if text] == content[: sum(alive)]


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_a_long_line_is_not_held(tmp_path: Path) -> None:
    """A line of 1 GiB, read by a process that may not have so much."""
    with gzip.open(tmp_path / "x.jsonl.gz", "wb", compresslevel=1) as file:
        file.write(b'{"content": "1", "path": "a.py"}\n{"content": "')
        for _ in range(1024):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"content": "2", "path": "b.py"}\n')
    code = f"""
from codemill.sources import Jsonl
source = Jsonl({str(tmp_path)!r})
for shard in source.list().shards:
    for batch in source.read(shard):
        for row in batch.to_pylist():
            print(row["path"], row["reason"])
for line in open("/proc/self/status"):
    if line.startswith("VmHWM:"):  # not ru_maxrss, which starts with that of the process that spawned us
        print(int(line.split()[1]) >> 10)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *found, megabytes = done.stdout.splitlines()
    assert found == ["a.py None", "x.jsonl.gz@33 too_large", "b.py None"]
    assert int(megabytes) < 500


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"{", "line 2"),
        (b"[1]", "not an object but list"),
        (b'{"content": 5}', "content is int"),
        (b'{"content": "\\ud800"}', "surrogates"),
        (b'{"content": "x", "path": "\\ud800"}', "surrogates"),
        (b'{"content": "x", "more": "\\ud800"}', "surrogates"),
        (b'{"a":' * 100_000, "recursion"),
        (b'{"content": "x", "n": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"content": "\xff"}', "utf-8"),
        (b"\0\0\0", "line 2"),
    ],
)
def test_malformed_lines(tmp_path: Path, line: bytes, word: str) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"content": "1", "path": "a"}\n' + line + b'\n{"content": "2", "path": "b"}\n')
    first, bad, last = rows(Jsonl(str(tmp_path)))
    assert (first["raw"], bad["reason"], last["raw"]) == (b"1", "malformed", b"2")
    assert word in bad["detail"]
    assert bad["detail"].startswith("line 2: ")
    assert len(bad["detail"]) < 300
