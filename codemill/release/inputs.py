"""What went into a release from outside: each file with its size and hash, and packages as pip names them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codemill.release.chain import Link
from codemill.run import named

_WHEEL = re.compile(r"(?P<name>[A-Za-z0-9][\w.]*)-(?P<version>[0-9][\w.!+]*)(-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl")
_SDIST = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)-(?P<version>[0-9][\w.!+]*)\.tar\.gz")
MOST_FILES = 10_000  # of a folder, that are named one by one


@dataclass(frozen=True)
class Input:
    """One file that was read."""

    run: str
    kind: str  # of the source that read it
    name: str  # below the folder that was given
    bytes: int
    sha256: str

    @property
    def requirement(self) -> str | None:
        """The file as a line of pip's requirements; None if it is no package's.

        >>> Input("corpus", "Archive", "toolz-1.1.0-py3-none-any.whl", 9, "ab").requirement
        'toolz==1.1.0 --hash=sha256:ab'
        """
        match = _WHEEL.fullmatch(self.name) or _SDIST.fullmatch(self.name)
        return match and f"{match['name'].replace('_', '-').lower()}=={match['version']} --hash=sha256:{self.sha256}"


def inputs_of(link: Link) -> tuple[list[Input], list[str]]:
    """The files that a run read from outside, and what cannot be said of some: a sentence each."""
    found: list[Input] = []
    unknown: list[str] = []
    for given in link.manifest["inputs"]:
        source = given["source"]
        path, kind = named(link.out, str(source.get("path") or source.get("root"))), str(source["kind"])
        files = list(_files(path))
        if not files:
            unknown.append(f"{link.name}: {kind} {path.name} is not on this machine any more")
        elif len(files) > MOST_FILES:
            unknown.append(f"{link.name}: {kind} {path.name} has more than {MOST_FILES:,} files; pack it into archives")
        else:
            base = path if path.is_dir() else path.parent
            found += [
                Input(link.name, kind, file.relative_to(base).as_posix(), file.stat().st_size, _sha256(file))
                for file in files
            ]
    return found, unknown


def plain(inputs: list[Input]) -> list[dict[str, Any]]:
    """As data."""
    return [asdict(one) for one in inputs]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        every = (file for file in sorted(path.rglob("*")) if file.is_file() and not file.is_symlink())
        yield from (file for _, file in zip(range(MOST_FILES + 1), every, strict=False))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
