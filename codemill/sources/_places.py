"""Finding a source's input files, on this machine or wherever pyarrow can look."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow.fs as pafs

from codemill.errors import InputError
from codemill.machine.store import Place
from codemill.sources._names import escape


@dataclass(frozen=True)
class Input:
    """An input file. `name` is its path below what the user gave; `uri` opens it."""

    name: str
    uri: str
    size: int
    mtime_ns: int


def is_remote(path: str) -> bool:
    """Whether this is an address such as `s3://bucket/folder`, not a path."""
    return "://" in path and not path.startswith("file://")


def existing(path: str) -> str:
    """The absolute path of something that is there. Raises: InputError with the nearest names if it is not."""
    if is_remote(path):
        raise InputError("this source reads local paths", where=path, remedy="parquet and jsonl can be remote")
    if not path or "\0" in path:
        raise InputError(f"not a path: {path!r}", remedy="give a file or directory")
    place = os.path.abspath(path.removeprefix("file://"))
    try:
        os.stat(place)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError("there is no such file or directory", where=path, remedy=_nearest(place)) from error
    except OSError as error:
        raise InputError(f"cannot look at this: {error.strerror}", where=path) from error
    return place


def _nearest(place: str) -> str:
    parent = os.path.dirname(place)
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    child = os.path.relpath(place, parent).split(os.sep)[0]
    try:
        siblings = sorted(os.listdir(parent))
    except OSError:
        siblings = []
    near = difflib.get_close_matches(child, siblings, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(os.path.join(parent, n) for n in near)}?"
    shown = ", ".join(siblings[:8]) + (f" … {len(siblings) - 8} more" if len(siblings) > 8 else "")
    return f"{parent} holds {shown or 'nothing'}"


def files(path: str, suffixes: Sequence[str]) -> tuple[list[Input], list[str]]:
    """The input files of a path, sorted bytewise by name, and what people should know about the others.

    A file given by name is taken whatever its suffix. Below a directory, those that end in one of the suffixes
    (upper case too). Links to files are followed, as download caches are made of them; links to directories are not.

    Raises: InputError if the path is missing or holds no such file.
    """
    notes: list[str] = []
    found = list(_remote(path, suffixes) if is_remote(path) else _local(existing(path), suffixes, notes))
    if not found:
        kinds = " ".join(f"*{s}" for s in suffixes)
        raise InputError(f"there are no files to read here: no {kinds}", where=path, remedy="check the path")
    return sorted(found, key=lambda place: os.fsencode(place.name)), notes


def _local(path: str, suffixes: Sequence[str], notes: list[str]) -> Iterator[Input]:
    if not os.path.isdir(path):
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):
            raise InputError("this is neither a file nor a directory", where=path)
        yield Input(os.path.basename(path), path, facts.st_size, facts.st_mtime_ns)
        return
    ignored = 0
    for folder, _, names in os.walk(path, onerror=_cannot_list):
        for name in names:
            full = os.path.join(folder, name)
            if not name.lower().endswith(tuple(suffixes)):
                ignored += 1
                continue
            try:
                facts = os.stat(full)
            except OSError as error:
                notes.append(f"{escape(os.fsencode(full))} is not read: {error.strerror}")
                continue
            if stat.S_ISREG(facts.st_mode):
                yield Input(os.path.relpath(full, path), full, facts.st_size, facts.st_mtime_ns)
            else:
                notes.append(f"{escape(os.fsencode(full))} is not read: it is no regular file")
    if ignored:
        notes.append(f"{ignored} other files are not read: they do not end in {' or '.join(suffixes)}")


def _cannot_list(error: OSError) -> None:
    raise InputError(f"cannot list this directory: {error.strerror}", where=error.filename) from error


def _remote(path: str, suffixes: Sequence[str]) -> Iterator[Input]:
    filesystem, root = Place.of(path).open()
    scheme = path.partition("://")[0]
    info = filesystem.get_file_info(root)
    if info.type == pafs.FileType.NotFound:
        raise InputError("there is no such file or directory", where=path, remedy="check the address")
    if info.type == pafs.FileType.File:
        yield Input(os.path.basename(root), path, info.size, info.mtime_ns or 0)
        return
    for info in filesystem.get_file_info(pafs.FileSelector(root, recursive=True)):
        if info.type == pafs.FileType.File and info.path.lower().endswith(tuple(suffixes)):
            name = info.path[len(root.rstrip("/")) + 1 :]
            yield Input(name, f"{scheme}://{info.path}", info.size, info.mtime_ns or 0)


def is_unchanged(place: Input) -> bool:
    """Whether the file still has the size and time that the listing saw."""
    if not is_remote(place.uri):
        try:
            facts = os.stat(place.uri)
        except OSError:
            return False
        return (facts.st_size, facts.st_mtime_ns) == (place.size, place.mtime_ns)
    filesystem, path = Place.of(place.uri).open()
    info = filesystem.get_file_info(path)
    return (info.size, info.mtime_ns or 0) == (place.size, place.mtime_ns)


def open_binary(uri: str) -> BinaryIO:
    """The file's bytes, to read and (on this machine) to seek in. Raises: OSError."""
    if not is_remote(uri):
        return open(uri, "rb")
    filesystem, path = Place.of(uri).open()
    return cast(BinaryIO, filesystem.open_input_file(path))
