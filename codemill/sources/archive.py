"""Archives, read as streams: a row for every member, and nothing is ever written anywhere.

A name such as "requests-2.31.0.tar.gz", "requests_2.31.0.orig.tar.xz" or a wheel's gives the repository and, as
revision, the version. A folder of that name around everything is no part of the paths, so a file has one path in every
release. An archive inside an archive is a member like any other: its bytes are not opened.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, ClassVar

import pyarrow as pa

from codemill.errors import InputError
from codemill.machine.source import Listing, Shard
from codemill.sources._batches import Row, batches, lfs_size, microseconds
from codemill.sources._decompress import Broken, compression
from codemill.sources._members import Limits, Member
from codemill.sources._names import escape_text, member_path
from codemill.sources._notes import count, holds
from codemill.sources._places import Input, files, is_unchanged, open_binary
from codemill.sources._shards import Fingerprint, Run, Sizes, Unit, fingerprint, shards
from codemill.sources._tar import tar_members
from codemill.sources._zip import zip_members
from codemill.sources.folder import VERSION_CONTROL

TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".crate")
ZIPS = (".zip", ".whl", ".egg", ".jar", ".nupkg")
SUFFIXES = TARS + ZIPS

ARCHIVES = Sizes(bytes=16 << 20, files=256, small_bytes=2 << 20, small_files=1)
"""Small archives share a shard up to so many stored bytes; a larger one has its own, whatever it unfolds to."""

_ZIPBALL = re.compile(r"(?P<owner>[A-Za-z0-9]+)-(?P<name>.+?)(?:-v?[0-9][^-]*-[0-9]+-g|-)(?P<version>[0-9a-f]{7,12})")
"""OWNER-NAME-abc1234, also with a tag before it: what a forge's API gives. An owner with "-" cannot be told apart."""

_COMMIT = re.compile(
    r"(?P<name>[A-Za-z0-9].*?)(?:-(?:main|master|develop|trunk|v?[0-9][0-9A-Za-z.+_]*))?-(?P<version>[0-9a-f]{40})"
)
"""NAME-commit, and NAME-branch-commit."""

_BRANCH = re.compile(r"(?P<name>[A-Za-z0-9].*?)-(?P<version>main|master|develop|trunk|HEAD)")

_VERSIONED = re.compile(r"(?P<name>[A-Za-z0-9].*?)[-_]v?(?P<version>[0-9][0-9A-Za-z.+~!_-]*)")


@dataclass(frozen=True)
class Archive:
    """A tar (gz, bz2, xz, zst), zip, wheel or source distribution, or all of them below a directory.

    Reasons, for a member: `too_large`, `unsafe_path` (absolute, or leaves the archive), `duplicate_name`, `link`,
    `special`, `sparse`, `encrypted`, `overlap`, `bomb`, `unsupported`, `corrupt`, `lfs_pointer`. For the archive
    itself, in a row of its own with its file name as path, after what could be read: `truncated`, `corrupt`,
    `bomb`, `too_many_members`, `too_much`, `unreadable`.
    """

    path: str
    label: str = "archive"
    max_file_bytes: int = 8_000_000
    max_members: int = 1_000_000  # of one archive
    max_total_bytes: int = 32 << 30  # that one archive may unfold to
    max_ratio: int = 200  # unfolded to stored bytes, of a stream beyond 64 MiB or a member beyond 1 MiB
    member_times: bool = False  # True takes a member's time for its commit time

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def list(self) -> Listing:
        """Lists the archives, not their members: a shard's numbers are of stored bytes, and one file an archive.

        Raises: InputError if there is no archive.
        """
        places, notes = files(self.path, SUFFIXES)
        limits = (self.max_file_bytes, self.max_members, self.max_total_bytes, self.max_ratio, self.member_times)
        named = [_named(place.name) for place in places]
        times = Counter(named)
        units = []
        for place, (repo, version) in zip(places, named, strict=True):
            if times[repo, version] > 1:  # a-1.0.zip beside a-1.0.tar.gz
                version = PurePosixPath(place.name).name
            what = (place.name, place.uri, place.size, place.mtime_ns, repo, version)
            digest = Fingerprint(place.name, place.size, place.mtime_ns, repo, version).hex()
            units.append(Unit(place.name, (Run(what, digest, 1, place.size),)))
        parameters = ("archive", 3, self.label, *limits)
        made = shards(units, *parameters, sizes=ARCHIVES)
        repos = tuple(sorted({escape_text(repo) for repo, _ in named}))
        note = holds("archive", repos, f" in {count(len(places), 'archive')}")
        return Listing(fingerprint(made, *parameters), made, (note, *notes), repos)

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """Reads one shard's archives, members in the order in which they are stored.

        Raises: InputError if an archive has changed since it was listed.
        """
        return batches(row for what in shard.what for row in self._rows(*what))

    def _rows(self, name: str, uri: str, size: int, mtime_ns: int, repo: str, version: str | None) -> Iterator[Row]:
        if not is_unchanged(Input(name, uri, size, mtime_ns)):
            raise InputError("an input changed while the run was using it", where=uri, remedy="run again")
        repo, version = escape_text(repo), version and escape_text(version)
        seen: set[str] = set()
        top: str | None = None
        limits = Limits(self.max_file_bytes, self.max_members, self.max_total_bytes, self.max_ratio)
        try:
            with open_binary(uri) as file:
                for member in _members(file, name, limits):
                    if top is None:
                        top = _top(member.name, name, repo, version)
                    if not _is_version_control(member.name):
                        yield self._row(member, repo, version, top, seen)
        except Broken as broken:
            where = escape_text(PurePosixPath(name).name)
            yield Row(repo, where, version, size=size, reason=broken.reason, detail=broken.detail)
        except OSError as error:
            where = escape_text(PurePosixPath(name).name)
            yield Row(repo, where, version, size=size, reason="unreadable", detail=error.strerror or str(error))

    def _row(self, member: Member, repo: str, version: str | None, top: str, seen: set[str]) -> Row:
        path, raw, reason, detail = member_path(member.name), member.raw, member.reason, member.detail
        path = path and path.removeprefix(top)
        if path is None:
            path, raw, reason, detail = member.name, None, "unsafe_path", None
        elif path in seen:
            raw, reason, detail = None, "duplicate_name", None
        elif raw is not None and (real := lfs_size(raw)):
            raw, reason, detail = None, "lfs_pointer", real
        seen.add(path)
        return Row(
            repo,
            escape_text(path),
            version,
            commit_time=microseconds(member.time) if self.member_times else None,
            size=member.size,
            raw=raw,
            reason=reason,
            detail=None if detail is None else escape_text(detail),
        )


def _members(file: BinaryIO, name: str, limits: Limits) -> Iterator[Member]:
    """What the file is, its first bytes say; the name only for a zip with something before it."""
    head = file.read(8)
    file.seek(0)
    kind = compression(head)
    if head.startswith(b"PK") or (not kind and name.lower().endswith(ZIPS)):
        return zip_members(file, limits)
    return tar_members(file, kind, limits)


def _is_version_control(name: str) -> bool:
    return any(part.encode("utf-8", "surrogateescape") in VERSION_CONTROL for part in name.split("/")[:-1])


def _top(member: str, name: str, repo: str, version: str | None) -> str:
    """The folder around everything, of an archive's first member: "" if that has none that is called like the archive.

    >>> _top("x-2.3/setup.py", "x_2.3.orig.tar.gz", "x", "2.3.orig"), _top("src/a.c", "a.zip", "a", None)
    ('x-2.3/', '')
    """
    path = member_path(member) or ""
    first, slash, _ = path.partition("/")
    stem = _stem(PurePosixPath(name).name)
    version = (version or "").removesuffix(".orig")
    names = {stem, *(f"{of}-{version}" for of in (repo.rpartition("/")[2], repo.replace("/", "-")))}
    if name.lower().endswith(".tgz"):
        names.add("package")  # of npm
    return first + slash if slash and first in names else ""


def _stem(file: str) -> str:
    suffix = max((s for s in SUFFIXES if file.lower().endswith(s)), key=len, default="")
    return file[: len(file) - len(suffix)] or file


def _named(name: str) -> tuple[str, str | None]:
    """Repository and version from an archive's name: as forges name their downloads, or "name-version" with any suffix.

    >>> _named("x-1.2.3.tar.gz"), _named("owner-name-abc1234.zip"), _named("name-main.zip"), _named("a/b_1.0.zip")
    (('x', '1.2.3'), ('owner/name', 'abc1234'), ('name', 'main'), ('a/b', '1.0'))
    """
    folder, file = PurePosixPath(name).parent, PurePosixPath(name).name
    stem = _stem(file)
    repo, version = stem, None
    for form in (_COMMIT, _ZIPBALL, _BRANCH, _VERSIONED):
        match = form.fullmatch(stem)
        if match is None or (form is _ZIPBALL and not re.search(r"[0-9].*[a-f]|[a-f].*[0-9]", match["version"])):
            continue  # without digits it is a word, with digits only a date
        repo, version = match["name"], match["version"]
        if form is _ZIPBALL:
            repo = f"{match['owner']}/{repo}"
        break
    return (repo if str(folder) == "." or "/" in repo else f"{folder}/{repo}"), version
