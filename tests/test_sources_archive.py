from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from codemill.sources import Archive
from codemill.sources._shards import EARLY_BITS

from .source_tools import by_path, rows

FILES = {"x-1.0/a.py": b"a = 1\n", "x-1.0/b/c.py": b"", "x-1.0/caf\u00e9.txt": b"\xff\xfe"}


def tar(files: dict[str, bytes], *, format: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_600_000_000
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tgz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": zstandard.compress,
}


@pytest.mark.parametrize("suffix", [*COMPRESS, "zip", "whl"])
def test_three_files(tmp_path: Path, suffix: str) -> None:
    data = COMPRESS[suffix](tar(FILES)) if suffix in COMPRESS else zipped(FILES)
    (tmp_path / f"x-1.0.{suffix}").write_bytes(data)
    found = rows(Archive(str(tmp_path)))
    assert {r["path"]: r["raw"] for r in found} == {path.removeprefix("x-1.0/"): raw for path, raw in FILES.items()}
    assert {(r["repo"], r["revision"]) for r in found} == {("x", "1.0")}
    assert all(r["commit_time"] is None for r in found)
    dated = rows(Archive(str(tmp_path / f"x-1.0.{suffix}"), member_times=True))
    assert {r["commit_time"].year for r in dated} == {2020}


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_odd_names_in_all_formats(tmp_path: Path, format: int) -> None:
    long = "/".join(["directory"] * 20) + "/file.py"
    odd = os.fsdecode(b"caf\xe9.py")
    (tmp_path / "x.tar").write_bytes(tar({long: b"1", odd: b"2", "./dot//b.py": b"3"}, format=format))
    assert {r["path"]: r["raw"] for r in rows(Archive(str(tmp_path)))} == {
        long: b"1",
        r"caf\xe9.py": b"2",
        "dot/b.py": b"3",
    }


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("requests_2.31.0.orig.tar.gz", "requests-2.31.0"),
        ("flask-main.zip", "flask-main"),
        ("psf-requests-147c851.zip", "psf-requests-147c851"),
        ("psf-black-24.4.2-0-g3702ba2.tar.gz", "psf-black-3702ba2"),
        ("py-tool-v1.2.zip", "py-tool-1.2"),
        ("react-18.2.0.tgz", "package"),
        ("sub/deep-1.tar", "deep-1"),
    ],
)
def test_the_folder_around_everything_is_no_part_of_a_path(tmp_path: Path, name: str, top: str) -> None:
    files = {f"{top}/docs/a.py": b"1", f"{top}/b.py": b"2", f"{top}": b"4"}
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(zipped(files) if name.endswith(".zip") else tar(files))
    assert sorted(by_path(Archive(str(tmp_path)))) == sorted(["docs/a.py", "b.py", top])


def test_other_folders_are_part_of_a_path(tmp_path: Path) -> None:
    (tmp_path / "x-1.0.zip").write_bytes(zipped({"src/a.py": b"1", "x-1.0/b.py": b"2"}))
    (tmp_path / "package-1.zip").write_bytes(zipped({"package/a.py": b"1"}))
    assert sorted(by_path(Archive(str(tmp_path)))) == ["package/a.py", "src/a.py", "x-1.0/b.py"]


def test_repositories_and_versions_from_names(tmp_path: Path) -> None:
    names = {
        "requests-2.31.0.tar.gz": ("requests", "2.31.0"),
        "requests-2.31.0-py3-none-any.whl": ("requests", "2.31.0-py3-none-any"),
        "requests_2.31.0.orig.tar.gz": ("requests", "2.31.0.orig"),
        "libc-0.2.150.crate": ("libc", "0.2.150"),
        "plain.zip": ("plain", None),
        "py-tool-v1.2.zip": ("py-tool", "1.2"),
        "sub/deep-1.tar": ("sub/deep", "1"),
        "same-1.0.zip": ("same", "same-1.0.zip"),
        "same-1.0.tgz": ("same", "same-1.0.tgz"),
        # as forges name their downloads
        "flask-main.zip": ("flask", "main"),
        "psf-requests-147c851.zip": ("psf/requests", "147c851"),
        "psf-black-24.4.2-0-g3702ba2.tar.gz": ("psf/black", "3702ba2"),
        "pallets-click-extra-8.1.7-12-gabc12345.zip": ("pallets/click-extra", "abc12345"),
        "tool-v3-" + "1a" * 20 + ".tar.gz": ("tool", "1a" * 20),
        "my-tool-" + "2b" * 20 + ".zip": ("my-tool", "2b" * 20),
        # what only looks like it
        "some-tool-20230101.tar": ("some-tool", "20230101"),
        "some-facade.tar": ("some-facade", None),
        "a-b-defaced.tar": ("a-b-defaced", None),
        "some-tool-1.2-rc1.tar": ("some-tool", "1.2-rc1"),
    }
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        one = {"a.py": b"1"}
        data = zipped(one) if name.endswith((".zip", ".whl")) else tar(one)  # its bytes say how it is compressed
        (tmp_path / name).write_bytes(data)
    found = {(r["repo"], r["revision"]) for r in rows(Archive(str(tmp_path)))}
    assert found == set(names.values())
    listing = Archive(str(tmp_path)).list()
    assert set(listing.repositories) == {repo for repo, _ in names.values()}
    assert listing.notes[0].startswith("archive: 15 repositories in 19 archives: a-b-defaced, flask, ")


def test_members_that_are_not_files(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, target in [
            ("dir", tarfile.DIRTYPE, ""),
            ("sym", tarfile.SYMTYPE, "/etc/passwd"),
            ("hard", tarfile.LNKTYPE, "a.py"),
            ("fifo", tarfile.FIFOTYPE, ""),
            ("device", tarfile.BLKTYPE, ""),
        ]:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
        info = tarfile.TarInfo(".git/config")
        archive.addfile(info)
    (tmp_path / "x.tar").write_bytes(buffer.getvalue())
    assert {p: (r["reason"], r["detail"]) for p, r in by_path(Archive(str(tmp_path))).items()} == {
        "sym": ("link", "/etc/passwd"),
        "hard": ("link", "a.py"),
        "fifo": ("special", "tar type 6"),
        "device": ("special", "tar type 4"),
    }


def test_concatenated_and_padded_streams(tmp_path: Path) -> None:
    whole = tar(FILES)
    half = len(whole) // 2
    for suffix in ("tar.gz", "tar.bz2", "tar.xz", "tar.zst"):
        compress = COMPRESS[suffix]
        data = compress(whole[:half]) + compress(whole[half:]) + (b"\0" * 512 if suffix == "tar.gz" else b"")
        (tmp_path / f"{suffix}.{suffix}").write_bytes(data)
        assert len(rows(Archive(str(tmp_path / f"{suffix}.{suffix}")))) == 3


def test_an_archive_inside_is_a_file(tmp_path: Path) -> None:
    inner = zipped(FILES)
    (tmp_path / "x.tar").write_bytes(tar({"inner.zip": inner}))
    assert [(r["path"], r["raw"]) for r in rows(Archive(str(tmp_path)))] == [("inner.zip", inner)]


def test_small_archives_share_a_shard(tmp_path: Path) -> None:
    for i in range(1500):
        (tmp_path / f"p{i:04}-1.zip").write_bytes(zipped({"a.py": b"1"}))
    shards = Archive(str(tmp_path)).list().shards
    assert len(shards) <= 1 << EARLY_BITS == 128
    assert sum(s.files for s in shards) == 1500
    assert len(rows(Archive(str(tmp_path)))) == 1500


def test_names_in_a_zip_that_are_not_marked_as_utf8(tmp_path: Path) -> None:
    data = zipped({"caf\u00e9.py": b"1"})
    unmarked = data.replace(b"\x14\x00\x00\x08\x08\x00", b"\x14\x00\x00\x00\x08\x00")  # in both headers
    assert unmarked != data
    (tmp_path / "x.zip").write_bytes(unmarked)
    assert [r["path"] for r in rows(Archive(str(tmp_path)))] == ["café.py"]
