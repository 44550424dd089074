"""Archives that mean harm, or only look like it. Nothing may leave its place, hang, or take the machine's memory."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard

from codemill.sources import Archive

from .source_tools import reasons, rows
from .test_sources_archive import tar, zipped

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
    assert sorted((r["path"], r["detail"]) for r in few if r["reason"] == "too_many_members") == [
        ("t.tar", "more than 10"),
        ("z.zip", "50, more than 10"),
    ]
    assert len([r for r in few if r["repo"] == "t"]) == 11
    small = rows(Archive(str(tmp_path), max_total_bytes=1000))
    assert {r["path"] for r in small if r["reason"] == "too_much"} == {"t.tar", "z.zip"}
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
