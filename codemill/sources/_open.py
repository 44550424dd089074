"""From what a user types to a source: `kind:path`, `preset:path`, or a path whose kind is guessed by what is there."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from codemill.errors import InputError, did_you_mean
from codemill.machine.source import Source
from codemill.sources import _git
from codemill.sources._columns import PRESETS
from codemill.sources._places import existing, is_remote
from codemill.sources.archive import SUFFIXES as ARCHIVES
from codemill.sources.archive import Archive
from codemill.sources.folder import Folder
from codemill.sources.git import Git
from codemill.sources.jsonl import SUFFIXES as JSON_LINES
from codemill.sources.jsonl import Jsonl
from codemill.sources.parquet import SUFFIXES as PARQUETS
from codemill.sources.parquet import Parquet
from codemill.sources.warc import SUFFIXES as WARCS
from codemill.sources.warc import Warc


@dataclass(frozen=True)
class Kind:
    """A kind of source, for `codemill list sources`."""

    name: str
    make: Callable[[str], Source]
    summary: str


_KINDS = (
    Kind("folder", Folder, "a directory of checkouts or of any other files, or a single file"),
    Kind("git", Git, "bare repositories and mirrors, read from the object store without a checkout"),
    Kind("archive", Archive, "tar (gz, bz2, xz, zst), zip, wheels and source distributions"),
    Kind(
        "parquet",
        Parquet,
        "Parquet files whose rows are files or pages; a preset of columns in place of the kind: fineweb:PATH",
    ),
    Kind("jsonl", Jsonl, "JSON lines (plain, gz, zst) whose lines are files"),
    Kind("warc", Warc, "WARC and WET files of web crawls, plain, gz or zst"),
)

LEVELS = 2
"""Levels of owners above bare repositories: HOST/OWNER/NAME.git."""

MAX_LOOKED_AT = 1000
"""Entries of a directory that are looked at to guess its kind."""


def all() -> tuple[Kind, ...]:
    """All kinds of source, in the order in which the documentation has them."""
    return _KINDS


def open(spec: str) -> Source:
    """The source that `kind:path` names, or that a path looks like; with `preset:path`, such as `fineweb:pages/`,
    Parquet or JSON lines with the columns of that preset.

    A path is guessed by its name (`.parquet`, `.jsonl`, `.tar.gz` …), a directory by what it holds: only Parquet,
    only JSON lines, only archives, a bare repository or only such (also below their owners); anything else is a folder,
    a single text file too. The listing's first note says what it was taken for.

    Raises: InputError if the path is missing or the kind unknown.
    """
    kind, colon, path = spec.partition(":")
    known = {k.name: k for k in _KINDS}
    if colon and not path.startswith("//") and not os.path.lexists(spec):
        if kind in PRESETS:
            return _table(path, kind)
        if kind not in known:
            raise InputError(f"no kind of source: {kind!r}", where=spec, remedy=did_you_mean(kind, [*known, *PRESETS]))
        if not is_remote(path):
            existing(path)
        return known[kind].make(path)
    return known[_guess(spec)].make(spec)


def _table(path: str, preset: str) -> Source:
    kind = _guess(path)
    if kind not in ("parquet", "jsonl"):
        raise InputError(f"{preset} names columns of Parquet or JSON lines, and this is a {kind}", where=path)
    return replace((Parquet if kind == "parquet" else Jsonl)(path), columns=preset)


def _guess(spec: str) -> str:
    by_name = _by_name(spec.rstrip("/"))
    if is_remote(spec):
        return by_name or "parquet"
    path = existing(spec)
    if not os.path.isdir(path):
        if by_name is None and os.path.isfile(path) and not _is_binary(path):
            return "folder"
        if by_name is None:
            raise InputError(
                "cannot tell what kind of source this file is",
                where=spec,
                remedy=f"put the kind before it, e.g. jsonl:{spec}",
            )
        return by_name
    if _is_bare(path):
        return "git"
    try:
        with os.scandir(path) as entries:
            seen = [entry for entry, _ in zip(entries, range(MAX_LOOKED_AT), strict=False)]
    except OSError as error:
        raise InputError(f"cannot list this directory: {error.strerror}", where=spec) from error
    kinds = {_kind_of(entry) for entry in seen if not entry.name.startswith(".")}
    return kinds.pop() if len(kinds) == 1 else "folder"


def _kind_of(entry: os.DirEntry[str]) -> str:
    if entry.is_dir():
        return "git" if _holds_bare(entry.path, LEVELS) else "folder"
    return _by_name(entry.name) or "folder"


def _holds_bare(path: str, levels: int) -> bool:
    """Whether a directory is a bare repository, or holds such and nothing else: an owner's, OWNER/NAME.git."""
    if _is_bare(path):
        return True
    if not levels or os.path.lexists(os.path.join(path, ".git")):
        return False
    try:
        with os.scandir(path) as entries:
            seen = [e for e, _ in zip(entries, range(MAX_LOOKED_AT), strict=False) if not e.name.startswith(".")]
    except OSError:
        return False
    return bool(seen) and builtins.all(
        e.is_dir(follow_symlinks=False) and _holds_bare(e.path, levels - 1) for e in seen
    )


def _is_binary(path: str) -> bool:
    """Whether a file's first bytes say that it is not text: some container that its name does not tell."""
    try:
        with builtins.open(path, "rb") as file:
            return b"\0" in file.read(8192)
    except OSError:
        return False


def _by_name(name: str) -> str | None:
    lower = name.lower()
    for kind, suffixes in (("parquet", PARQUETS), ("jsonl", JSON_LINES), ("warc", WARCS), ("archive", ARCHIVES)):
        if lower.endswith(suffixes):
            return kind
    return None


def _is_bare(path: str) -> bool:
    if os.path.lexists(os.path.join(path, ".git")):
        return False
    return _git.locate(path, path) is not None
