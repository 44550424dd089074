"""Bare repositories and mirrors, read from the object store at a revision: nothing is checked out, nothing runs.

A repository is named by its directory below the root, without `.git`: `owner/name.git` is "owner/name", and so is the
checkout `owner/name`, whose `.git` is read.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import pyarrow as pa

from codemill.errors import InputError
from codemill.machine.source import Listing, Shard
from codemill.sources import _git
from codemill.sources._batches import Row, batches, lfs_size, microseconds
from codemill.sources._names import escape
from codemill.sources._notes import holds, repositories, some
from codemill.sources._shards import Fingerprint, Run, Unit, cut, fingerprint, shards
from codemill.sources.folder import directory

DEPTH = 4
"""Levels below the root at which repositories are looked for."""

WINDOW = 64
"""Objects asked for ahead. 64 ids are 2.6 KB, which fit into the pipe: neither side ever waits for the other."""

_MODES = {"120000": "link", "160000": "submodule"}


@dataclass(frozen=True)
class Git:
    """A bare repository, or a directory of such (mirrors), at one revision.

    Reasons: `too_large`, `link`, `submodule`, `lfs_pointer`, `missing` (no such object), `corrupt`,
    `no_revision`, `no_files`, `outside` (its objects lie outside the root), `too_many_files`, `unreadable`; the last
    six, for a whole repository, with the path ".". So every repository that is found has a row.
    """

    root: str
    label: str = "git"
    revision: str = "HEAD"  # a branch, a tag, an id, each with ~n or ^n
    max_file_bytes: int = 8_000_000
    commit_times: bool = True  # False saves reading the history of each repository

    PLACES: ClassVar[tuple[str, ...]] = ("root",)

    def list(self) -> Listing:
        """Lists each repository's tree, about 200 repositories or 200,000 files a second on two busy cores.

        Raises: InputError if there is no repository, or none of them has the revision.
        """
        root = directory(self.root)
        found = sorted(_repositories(root))
        if not found:
            raise InputError(
                "there is no bare repository here",
                where=self.root,
                remedy="use folder: for checkouts, git: for what `git clone --mirror` made",
            )
        # Threads only wait for git. `map` keeps the order of the names.
        with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
            listed = list(pool.map(lambda item: self._survey(root, *item), found))
        if self.revision != "HEAD" and all(survey.commit is None for survey in listed):
            raise InputError(f"no repository has the revision {self.revision!r}", where=self.root)
        parameters = ("git", 2, self.label, self.max_file_bytes, self.commit_times)
        made = shards((survey.unit() for survey in listed), *parameters)
        names = tuple(survey.name for survey in listed)
        return Listing(fingerprint(made, *parameters), made, (holds("git", names), *_notes(listed)), names)

    def _survey(self, root: str, name: str, place: str) -> _Survey:
        repository = _git.locate(place, root)
        if repository is None:
            return _Survey(name, place, None, "outside" if _git.looks_bare(place) else "unreadable", None, ())
        commit = _git.resolve(repository, self.revision)
        if commit is None:
            return _Survey(name, place, None, "no_revision", _git.why_none(repository, self.revision), ())
        sizes, problem = [], None
        for entry in _git.entries(repository, commit):
            if isinstance(entry, str):
                problem = entry
            else:
                sizes.append(entry.size if entry.size and entry.size <= self.max_file_bytes else 0)
        runs = tuple((len(run), held) for run, held in cut(enumerate(sizes)))
        return _Survey(name, place, commit, problem if runs or problem else "no_files", None, runs)

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """Reads one shard's files through `git cat-file`, in the order of their paths."""
        return batches(row for what in shard.what for row in self._rows(*what))

    def _rows(
        self,
        name: str,
        place: str,
        commit: str | None,
        problem: str | None,
        detail: str | None,
        start: int,
        files: int,
    ) -> Iterator[Row]:
        repository = _git.locate(place, directory(self.root))
        if files and (repository is None or commit is None):
            raise InputError("a repository changed while the run was using it", where=place, remedy="run again")
        if repository is not None and commit is not None and files:
            times: Mapping[bytes, int] = _git.commit_times(repository, commit) if self.commit_times else {}
            entries = (e for e in _git.entries(repository, commit) if isinstance(e, _git.Entry))
            found = 0
            for entry, raw, reason, why in self._contents(repository, islice(entries, start, start + files)):
                found += 1
                yield Row(
                    name,
                    escape(entry.path),
                    commit,
                    commit_time=microseconds(times.get(entry.path)),
                    size=entry.size or 0,
                    raw=raw,
                    reason=reason,
                    detail=why,
                )
            if found < files:
                raise InputError("a repository changed while the run was using it", where=place, remedy="run again")
        if problem is not None:
            yield Row(name, ".", commit, reason=problem, detail=detail)

    def _contents(
        self, repository: _git.Repository, entries: Iterator[_git.Entry]
    ) -> Iterator[tuple[_git.Entry, bytes | None, str | None, str | None]]:
        """Each entry with its content: those that are not read without asking git, the others in its order."""
        waiting: deque[tuple[_git.Entry, str | None, str | None]] = deque()
        with _git.Objects(repository) as objects:
            for entry in entries:
                reason, detail = self._refused(entry)
                waiting.append((entry, reason, detail))
                if reason is None:
                    objects.ask(entry.id)
                if len(waiting) == WINDOW:
                    yield _answer(objects, *waiting.popleft())
            while waiting:
                yield _answer(objects, *waiting.popleft())

    def _refused(self, entry: _git.Entry) -> tuple[str | None, str | None]:
        if entry.mode in _MODES:
            return _MODES[entry.mode], entry.id if entry.mode == "160000" else None
        if entry.size is None:
            return "missing", entry.id
        return ("too_large", str(entry.size)) if entry.size > self.max_file_bytes else (None, None)


def _answer(
    objects: _git.Objects, entry: _git.Entry, reason: str | None, detail: str | None
) -> tuple[_git.Entry, bytes | None, str | None, str | None]:
    if reason is not None:
        return entry, None, reason, detail
    raw = objects.next(entry.size or 0)
    if isinstance(raw, str):
        return entry, None, raw, entry.id
    if real := lfs_size(raw):
        return entry, None, "lfs_pointer", real
    return entry, raw, None, None


@dataclass(frozen=True)
class _Survey:
    """What the listing learns of one repository: how many files and bytes each of its runs holds."""

    name: str
    place: str
    commit: str | None
    problem: str | None
    detail: str | None
    sizes: tuple[tuple[int, int], ...]

    def unit(self) -> Unit:
        """The repository. What is wrong with it goes with the last run."""
        runs, start = [], 0
        for i, (files, held) in enumerate(self.sizes or [(0, 0)]):
            problem, detail = (self.problem, self.detail) if i >= len(self.sizes) - 1 else (None, None)
            digest = Fingerprint(self.commit, problem, detail, start, files, held).hex()
            what = (self.name, self.place, self.commit, problem, detail, start, files)
            runs.append(Run(what, digest, max(1, files), held))
            start += files
        return Unit(self.name, tuple(runs))


def _notes(listed: Sequence[_Survey]) -> Iterator[str]:
    """Which repositories gave nothing, and which not all of their files."""
    nothing = [f"{s.name} ({s.detail or s.problem})" for s in listed if not s.sizes]
    part = [f"{s.name} ({s.problem})" for s in listed if s.sizes and s.problem]
    if nothing:
        yield f"{repositories(len(nothing))} gave nothing: {some(nothing)}"
    if part:
        yield f"{repositories(len(part))} could not be read to the end: {some(part)}"


def _repositories(root: str) -> Iterator[tuple[str, str]]:
    """Name and place of every bare repository at or below the root. Links to directories are not followed."""
    levels = [(root, 0)]
    while levels:
        place, depth = levels.pop()
        if _git.looks_bare(place):
            yield _name(root, place), place
        elif depth < DEPTH:
            try:
                with os.scandir(place) as entries:
                    levels += [(e.path, depth + 1) for e in entries if e.is_dir(follow_symlinks=False)]
            except OSError:
                yield _name(root, place), place


def _name(root: str, place: str) -> str:
    name = os.path.relpath(place, root) if place != root else os.path.basename(root)
    name = name.removesuffix(".git").rstrip("/") or os.path.basename(root)
    return escape(os.fsencode(name))
