"""A directory of checkouts, or of any other files, or a single file: one row for every file found.

A child with `.git` is a repository, and so is a grandchild (`owner/name`): its revision and each file's last commit
time come from git. Otherwise the top-level directory is the repository; files directly in the root belong to one named
like the root. Links are never followed, special files never opened, `.git`, `.hg` and `.svn` never entered.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

import pyarrow as pa

from codemill.errors import InputError
from codemill.machine.source import Listing, Shard
from codemill.sources import _git
from codemill.sources._batches import Row, batches, lfs_size, microseconds
from codemill.sources._names import escape
from codemill.sources._notes import count, holds, repositories, some
from codemill.sources._places import existing
from codemill.sources._shards import Fingerprint, Run, Unit, fingerprint, fits, pack, shards, unpack

VERSION_CONTROL = (b".git", b".hg", b".svn")

_VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)
_SEARCH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True)
class Folder:
    """A directory of checkouts, or of any other files; or a single file, which belongs to its directory.

    Reasons: `too_large`, `link`, `special`, `unreadable`, `vanished`, `lfs_pointer`; `no_files`, with the path ".", for
    a repository that has nothing but its `.git`.
    """

    root: str
    label: str = "folder"
    max_file_bytes: int = 8_000_000  # larger files are listed, not read
    commit_times: bool = True  # False saves reading the history of each repository
    skip: tuple[str, ...] = ()  # names of folders that are not entered, wherever they are

    PLACES: ClassVar[tuple[str, ...]] = ("root",)

    def list(self) -> Listing:
        """Lists the tree. Raises: InputError if the root is neither a file nor a directory that can be listed."""
        folder, only = self._place()
        root = os.fsencode(folder)
        found = _Found(root, root_name(folder, root), frozenset(map(os.fsencode, self.skip)))
        walk = _walk(root, found) if only is None else _file(root, os.fsencode(only), found)
        parameters = ("folder", 2, self.label, self.max_file_bytes, self.commit_times)
        made = shards(_units(walk, found, self.max_file_bytes), *parameters)
        if self.commit_times and any(repo.revision for repo in found.repos.values()):
            _git.program()
        names = tuple(sorted(repo.name for repo in found.repos.values()))
        notes = ("folder: 1 file",) if only is not None else found.notes()
        return Listing(fingerprint(made, *parameters), made, tuple(notes), names)

    def _place(self) -> tuple[str, str | None]:
        """The directory, and the file in it if the root is a single one."""
        place = existing(self.root)
        if os.path.isdir(place):
            return directory(self.root), None
        if not os.path.isfile(place):
            raise InputError("this is neither a file nor a directory", where=self.root)
        folder, name = os.path.split(os.path.realpath(place))
        return folder, name

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """Reads one shard's files, in the order of their paths."""
        return batches(self._rows(shard))

    def _rows(self, shard: Shard) -> Iterator[Row]:
        root, _ = self._place()
        for repo, prefix, revision, packed in shard.what:
            times: Mapping[bytes, int] = {}
            if self.commit_times and revision is not None:
                repository = _git.locate(os.path.join(root, os.fsdecode(prefix)), root)
                times = _git.commit_times(repository, revision) if repository else {}
            read = _read_all(os.fsencode(root), prefix, unpack(packed), self.max_file_bytes)
            for path, (size, raw, reason, detail) in read:
                if raw is not None and (real := lfs_size(raw)):
                    raw, reason, detail = None, "lfs_pointer", real
                time = microseconds(times.get(path))
                yield Row(
                    repo,
                    escape(path) or ".",
                    revision,
                    commit_time=time,
                    size=size,
                    raw=raw,
                    reason=reason,
                    detail=detail,
                )


def directory(path: str) -> str:
    """The absolute path of a directory. Raises: InputError if it is not one or cannot be listed."""
    place = existing(path)
    if not os.path.isdir(place):
        raise InputError("this is not a directory", where=path, remedy="give the directory that holds it")
    try:
        os.scandir(place).close()
    except OSError as error:
        raise InputError(f"cannot list this directory: {error.strerror}", where=path) from error
    return place


def root_name(given: str, root: bytes) -> str:
    """What files directly in the root have as repository: its name, or "." if that is taken by a child."""
    name = os.path.basename(root) or b"root"
    return "." if os.path.lexists(os.path.join(root, name)) else escape(name)


# ── listing ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Repo:
    name: str
    prefix: bytes  # "" or ends with "/"
    revision: str | None = None


class _Found:
    """What the walk has met so far: repositories, links, and what could not be listed."""

    def __init__(self, root: bytes, name: str, skip: frozenset[bytes] = frozenset()) -> None:
        self.root, self.name, self.skip = root, name, skip
        self.git: set[bytes] = set()  # prefixes of directories that have a `.git`
        self.repos: dict[bytes, _Repo] = {}
        self.links = self.links_out = self.skipped = 0
        self.outside: list[str] = []  # repositories whose data is not in the root
        self.unborn: list[str] = []  # those whose HEAD names no commit
        self.bare: list[str] = []  # those without a file
        self.mirrors: list[str] = []  # directories that are bare repositories
        self.closed: list[str] = []  # folders that cannot be listed

    def repo(self, path: bytes) -> _Repo:
        """The repository that a file belongs to. Its directories have all been listed by now."""
        first, slash, rest = path.partition(b"/")
        top = first + slash if slash else b""
        second = top + rest.partition(b"/")[0] + b"/"
        if b"" in self.git:
            prefix = b""
        elif top and top not in self.git and second in self.git and len(path) > len(second):
            prefix = second
        else:
            prefix = top
        known = self.repos.get(prefix)
        if known is None:
            known = self.repos[prefix] = self._new(prefix)
        return known

    def _new(self, prefix: bytes) -> _Repo:
        revision, name = None, escape(prefix[:-1]) if prefix else self.name
        if prefix in self.git:
            root = os.fsdecode(self.root)
            repository = _git.locate(os.path.join(root, os.fsdecode(prefix)), root)
            revision = _git.resolve(repository) if repository else None
            if repository is None:
                self.outside.append(name)
            elif revision is None:
                self.unborn.append(f"{name} ({_git.why_none(repository)})")
        return _Repo(name, prefix, revision)

    def fileless(self) -> Iterator[_Repo]:
        """The repositories without a file, once everything else has been met: a checkout that holds `.git` only."""
        for prefix in sorted(self.git - self.repos.keys()):
            owner = prefix[: prefix.find(b"/") + 1]
            within_another = b"" in self.git or (prefix != owner and owner in self.git)
            if not prefix or not within_another:
                repo = self.repos[prefix] = self._new(prefix)
                self.bare.append(repo.name)
                yield repo

    def notes(self) -> Iterator[str]:
        """What people should know."""
        names = sorted(repo.name for repo in self.repos.values())
        checkouts = sum(prefix in self.git for prefix in self.repos)
        yield holds("folder", names, f" ({checkouts} with .git)" if names else "")
        if self.mirrors:
            number = count(len(self.mirrors), "bare repository", "bare repositories")
            yield f"{number} read as the files that git keeps there (git: reads what they hold): {some(self.mirrors)}"
        if self.skipped:
            skipped = some(sorted(map(escape, self.skip)))
            yield f"{count(self.skipped, 'folder')} not entered, as asked: {skipped}"
        if self.links:
            yield f"{count(self.links, 'link')} not followed, {self.links_out} of them out of the root"
        if self.outside:
            number = repositories(len(self.outside))
            yield f"{number} without a usable .git inside the root, so without a revision: {some(self.outside)}"
        if self.unborn:
            yield f"{repositories(len(self.unborn))} without a commit to read from: {some(self.unborn)}"
        if self.bare:
            yield f"{repositories(len(self.bare))} without a file: {some(self.bare)}"
        if self.closed:
            yield f"{count(len(self.closed), 'folder')} could not be listed: {some(self.closed)}"


class _Pile:
    """The files of one repository as the walk meets them: what is a whole run is packed at once."""

    def __init__(self, repo: _Repo, most: int) -> None:
        self._repo, self._most = repo, most
        self._runs: list[Run] = []
        self._begin()

    def _begin(self) -> None:
        self._files: list[tuple[bytes, int]] = []
        self._held = 0
        self._print = Fingerprint(self._repo.prefix, self._repo.revision)

    def add(self, path: bytes, size: int, mtime: int) -> None:
        """Adds a file, by its path in the root."""
        weight = size if 0 < size <= self._most else 0
        if self._files and not fits(len(self._files) + 1, self._held + weight):
            self._end()
        name = path[len(self._repo.prefix) :]
        self._files.append((name, size))
        self._held += weight
        self._print.add(name, size, mtime)

    def _end(self) -> None:
        what = (self._repo.name, self._repo.prefix, self._repo.revision, pack(self._files))
        self._runs.append(Run(what, self._print.hex(), len(self._files), self._held))
        self._begin()

    def unit(self) -> Unit:
        """The whole repository."""
        self._end()
        return Unit(self._repo.name, tuple(self._runs))


def _units(walk: Iterator[tuple[bytes, int, int]], found: _Found, most: int) -> Iterator[Unit]:
    """Each repository once, when it is whole.

    Files of the root stand between its directories, those of an owner between its repositories: such piles stay open.
    """
    piles: dict[bytes, _Pile] = {}
    for path, size, mtime in walk:
        repo = found.repo(path)
        if repo.prefix not in piles:
            for prefix in [p for p in piles if not repo.prefix.startswith(p)]:
                yield piles.pop(prefix).unit()
            piles[repo.prefix] = _Pile(repo, most)
        piles[repo.prefix].add(path, size, mtime)
    for pile in piles.values():
        yield pile.unit()
    for repo in found.fileless():
        pile = _Pile(repo, most)
        pile.add(repo.prefix, 0, 0)
        yield pile.unit()


def _walk(root: bytes, found: _Found) -> Iterator[tuple[bytes, int, int]]:
    """Path, size and mtime of everything that is not a directory, sorted bytewise by path.

    A directory that cannot be listed is one item: its path ends with "/" and its size is the negative error number.
    """
    levels = [iter(_children(root, b"", found))]
    while levels:
        for path, size, mtime in levels[-1]:
            if size is None:
                levels.append(iter(_children(root, path, found)))
                break
            yield path, size, mtime
        else:
            levels.pop()


def _children(root: bytes, prefix: bytes, found: _Found) -> Iterable[tuple[bytes, int | None, int]]:
    """A directory's entries, sorted as their full paths sort; sub-directories end with "/" and have size None."""
    items: list[tuple[bytes, int | None, int]] = []
    try:
        with os.scandir(os.path.join(root, prefix)) as entries:
            for entry in entries:
                name = entry.name
                if name in VERSION_CONTROL:
                    if name == b".git" and prefix.count(b"/") <= 2:
                        found.git.add(prefix)
                elif entry.is_dir(follow_symlinks=False):
                    if name in found.skip:
                        found.skipped += 1
                        continue
                    items.append((prefix + name + b"/", None, 0))
                else:
                    try:
                        facts = entry.stat(follow_symlinks=False)
                    except OSError:  # gone already: reading it will say so
                        items.append((prefix + name, 0, 0))
                        continue
                    items.append((prefix + name, facts.st_size, facts.st_mtime_ns))
                    if entry.is_symlink():
                        found.links += 1
                        found.links_out += not _points_inside(root, prefix, name)
    except OSError as error:
        found.closed.append(escape(prefix))
        return [(prefix, -(error.errno or errno.EIO), 0)]
    items.sort()
    if {prefix + b"HEAD", prefix + b"objects/", prefix + b"refs/"} <= {path for path, _, _ in items}:
        found.mirrors.append(escape(prefix[:-1]) or ".")
    return items


def _file(root: bytes, name: bytes, found: _Found) -> Iterator[tuple[bytes, int, int]]:
    """A single file, as `_walk` gives it: of the repository that its directory is."""
    if os.path.lexists(os.path.join(root, b".git")):
        found.git.add(b"")
    facts = os.lstat(os.path.join(root, name))
    yield name, facts.st_size, facts.st_mtime_ns


def _points_inside(root: bytes, prefix: bytes, name: bytes) -> bool:
    target = os.path.realpath(os.path.join(root, prefix, name))
    inside = os.path.realpath(root)
    return target == inside or target.startswith(inside.rstrip(b"/") + b"/")


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

_Read = tuple[int, bytes | None, str | None, str | None]  # size, raw, reason, detail


def _read_all(
    root: bytes, prefix: bytes, files: Iterable[tuple[bytes, int]], most: int
) -> Iterator[tuple[bytes, _Read]]:
    """Opens each directory once, component by component without following links, and its files relative to it.

    So a directory that becomes a link after the listing is not entered either.
    """
    for folder, group in groupby(files, key=lambda file: _folder(file[0])):
        with contextlib.ExitStack() as stack:
            problem: OSError | None = None
            handle = -1
            try:
                handle = _enter(root, prefix + folder)
                stack.callback(os.close, handle)
            except OSError as error:
                problem = error
            for path, size in group:
                if not path and not size:
                    yield path, (0, None, "no_files", None)
                elif path.endswith(b"/") or not path:
                    yield path, (0, None, "unreadable", errno.errorcode.get(-size, str(-size)))
                elif problem is not None:
                    yield path, _failed(problem, size)
                else:
                    yield path, _read(handle, path[len(folder) :], size, most)


def _folder(path: bytes) -> bytes:
    return path[: path.rstrip(b"/").rfind(b"/") + 1]


def _enter(root: bytes, folder: bytes) -> int:
    handle = os.open(root, _SEARCH & ~os.O_NOFOLLOW)
    for part in folder.split(b"/")[:-1]:
        try:
            deeper = os.open(part, _SEARCH, dir_fd=handle)
        finally:
            os.close(handle)
        handle = deeper
    return handle


def _read(folder: int, name: bytes, listed: int, most: int) -> _Read:
    """One file: size, raw, reason, detail. Looks before it opens, as opening alone can block or set off a device."""
    try:
        facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(facts.st_mode):
            return facts.st_size, None, "link", escape(os.readlink(name, dir_fd=folder))
        if not stat.S_ISREG(facts.st_mode):
            return 0, None, "special", _kind(facts.st_mode)
        if facts.st_size > most:
            return facts.st_size, None, "too_large", str(facts.st_size)
        handle = os.open(name, _READ, dir_fd=folder)
        try:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                return 0, None, "special", _kind(facts.st_mode)
            raw = _read_up_to(handle, facts.st_size, most)
        finally:
            os.close(handle)
    except OSError as error:
        return _failed(error, listed)
    if len(raw) > most:
        size = max(facts.st_size, len(raw))
        return size, None, "too_large", str(size)
    return len(raw), raw, None, None


def _read_up_to(handle: int, expected: int, most: int) -> bytes:
    """The whole file, or more than `most` bytes of one that grew: never more than `most` + 1."""
    data = os.read(handle, min(expected, most) + 1)
    if len(data) == expected:  # one byte more was asked for: this is the end
        return data
    pieces, held = [data], len(data)
    while held <= most and (data := os.read(handle, min(1 << 20, most + 1 - held))):
        pieces.append(data)
        held += len(data)
    return b"".join(pieces)


def _failed(error: OSError, size: int) -> _Read:
    if error.errno in _VANISHED:
        return size, None, "vanished", None
    if error.errno == errno.ELOOP:
        return size, None, "link", None
    return size, None, "unreadable", errno.errorcode.get(error.errno or 0, str(error))


def _kind(mode: int) -> str:
    kinds = {stat.S_ISFIFO: "fifo", stat.S_ISSOCK: "socket", stat.S_ISCHR: "device", stat.S_ISBLK: "device"}
    return next((kind for test, kind in kinds.items() if test(mode)), "directory")
