"""Languages that programs can be run in: read from languages.toml once per process."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from codemill.errors import RecipeError, did_you_mean
from codemill.sandbox import homes

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
Command = tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """A language as data; languages.toml says what the fields mean."""

    name: str
    title: str
    programs: Command
    version: Command
    file: str
    run: Command
    memory: str
    aliases: Command = ()
    compile: tuple[Command, ...] = ()
    before: str = ""
    after: str = ""
    header: str = ""
    processes: int = 0
    build_bytes: int = 0
    env: Mapping[str, str] = field(default_factory=dict, hash=False)
    sysroot: Command = ()
    cache: str = ""
    warm: str = ""


@dataclass(frozen=True)
class Toolchain:
    """Where the programs of a language lie, and what of the file system they need."""

    programs: Mapping[str, str]
    folders: tuple[str, ...]


@functools.cache
def all() -> tuple[Language, ...]:
    """Every language, in the order of the table.

    >>> len(all())
    18
    """
    table = tomllib.loads(files("codemill.sandbox").joinpath("languages.toml").read_text("utf-8"))
    return tuple(_language(name, entry) for name, entry in table.items())


def _language(name: str, entry: dict[str, object]) -> Language:
    fixed = {key: _tuples(value) for key, value in entry.items()}
    try:
        return Language(name=name, **fixed)  # type: ignore[arg-type]
    except TypeError as error:
        raise RecipeError(str(error), where=f"languages.toml, [{name}]") from error


def _tuples(value: object) -> object:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def get(name: str) -> Language:
    """The language of that name or alias. Raises: RecipeError with the nearest names.

    >>> get("C++").name
    'cpp'
    """
    known = {key: one for one in all() for key in (one.name, *one.aliases)}
    if name.lower() not in known:
        raise RecipeError(f"programs in {name!r} cannot be run", remedy=did_you_mean(name, [la.name for la in all()]))
    return known[name.lower()]


def search_path() -> str:
    """Where toolchains are looked for: the system's folders, then those of PATH."""
    return f"{SYSTEM_PATH}:{os.environ.get('PATH', '')}"


@functools.cache
def toolchain(language: Language) -> Toolchain | None:
    """Where the programs of a language are on this machine; None if one of them is not there."""
    found, folders = dict[str, str](), set[str]()
    for name in language.programs:
        place = shutil.which(name, path=search_path())
        if place is None:
            return None
        if language.sysroot and name == language.sysroot[0]:
            place = _behind_proxy(place, name, language.sysroot[1:])
        found[name], needed = homes.shown(place)
        folders.update(needed)
    return Toolchain(found, tuple(sorted(folders)))


def _behind_proxy(proxy: str, name: str, options: Command) -> str:
    """The program itself, in the folder that the proxy says it lies in; the proxy if it does not say."""
    try:
        said = subprocess.run([proxy, *options], capture_output=True, text=True, check=False, timeout=60)
    except (subprocess.TimeoutExpired, OSError, ValueError):  # one that downloads, one for another machine, no text
        return proxy
    real = Path(said.stdout.strip(), "bin", name)
    return str(real) if said.returncode == 0 and real.exists() else proxy


def java_class(program: str) -> str:
    """The name of the class that a Java file must be named for: the public one, else the one with `main`, else Main.

    >>> java_class("class A {}\\npublic class Solution { }")
    'Solution'
    """
    public = re.search(r"^\s*public\s+(?:(?:final|abstract|strictfp)\s+)*(?:class|record|enum|interface)\s+(\w+)",
                       program, re.MULTILINE)  # fmt: skip
    if public:
        return public[1]
    main = program.find("void main(")
    named = list(re.finditer(r"^\s*(?:final\s+)?class\s+(\w+)", program[: max(main, 0)], re.MULTILINE))
    return named[-1][1] if named else "Main"
