"""What may be shown to programs of a toolchain: its own folder, and never somebody's home.

A program is found by PATH, and PATH leads into homes: `~/.cargo/bin`, `~/.local/bin`, `~/bin`. The folder around such a
`bin` holds credentials, keys and histories, and what a hostile program can read it can print into a row. So in a home
only the folder of one toolchain is shown, such as `~/.rustup/toolchains/stable` or `~/.pyenv/versions/3.11`, and where
there is none, the program's file alone.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from pathlib import Path

SYSTEM = frozenset(("usr", "bin", "sbin", "lib", "lib64"))
"""Folders of the root that every program sees anyway."""

DEPTH = 3
"""Names below a home from which on a folder in a dot-folder is one toolchain's: `.rustup/toolchains/stable`. Above it
are those of many programs, such as `.cargo`, `.local` and `.local/share`."""


def shown(program: str) -> tuple[str, tuple[str, ...]]:
    """The path by which a program is to be run, and what of the file system must be shown for it.

    A link from a place that may not be shown is followed, as the program looks for its files beside itself.

    >>> shown("/usr/bin/perl"), shown("/opt/node/bin/node")
    (('/usr/bin/perl', ()), ('/opt/node/bin/node', ('/opt/node',)))
    """
    path = Path(os.path.abspath(program))
    real = path.resolve()
    own, behind = _folder(path), _folder(real)
    if own is None and behind is not None:
        return str(real), _named(behind)
    return str(path), _named(own or path, behind or real)


def _named(*paths: Path) -> tuple[str, ...]:
    """Those that are not shown anyway, each once."""
    return tuple(dict.fromkeys(str(path) for path in paths if path.parts[1] not in SYSTEM))


def _folder(program: Path) -> Path | None:
    """The folder around a program's `bin`, or the one that it lies in; None if it may not be shown."""
    if program.parts[1] in SYSTEM:
        return program.parent
    holds_bin = program.parent.name == "bin"
    around = program.parent.parent if holds_bin else program.parent
    return around if all(_public(place, holds_bin) for place in (around, around.resolve())) else None


def _public(folder: Path, holds_bin: bool) -> bool:
    """Whether a folder is no home, none in which homes lie, and nothing in a home but one toolchain."""
    if folder in (Path("/"), Path("/home")):
        return False
    for home in _homes(folder):
        if folder == home or folder in home.parents:
            return False
        if home in folder.parents:
            below = folder.relative_to(home).parts
            environment = (folder / "pyvenv.cfg").is_file()
            if not environment and (not holds_bin or (below[0].startswith(".") and len(below) < DEPTH)):
                return False
    return True


def _homes(folder: Path) -> set[Path]:
    """The homes that are known: this user's, the superuser's, and that of /home in which a folder lies."""
    named = {os.environ.get("HOME", "/"), "/root"}
    with contextlib.suppress(KeyError):  # a user without an entry, as containers have
        named.add(pwd.getpwuid(os.geteuid()).pw_dir)
    homes = {place for name in named if os.path.isabs(name) for place in (Path(name), Path(name).resolve())}
    if len(folder.parts) > 2 and folder.parts[:2] == ("/", "home"):
        homes.add(Path(*folder.parts[:3]))
    return homes - {Path("/")}  # the home of users that have none
