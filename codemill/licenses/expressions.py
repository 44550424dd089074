"""SPDX expressions: names put right, read as a tree, and held against what somebody allows.

`MIT OR Apache-2.0` may be used under either, `MIT AND BSD-3-Clause` under both. From: SPDX 2.3, annex D.
"""

from __future__ import annotations

import fnmatch
import functools
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from codemill.errors import RecipeError, did_you_mean
from codemill.licenses.texts import known

UNKNOWN = "unknown"
"""What people write for a file whose licence nobody knows."""

NO_ASSERTION = "NOASSERTION"
"""SPDX's word for a licence that is there and was not recognised."""

MOST_CHARS = 500
"""Longer expressions are not read: they come from strangers."""

_GNU = re.compile(r"\b(A?GPL|LGPL|GFDL)-(\d\.\d)(\+?)(?![\w.+-])", re.IGNORECASE)
_WRITTEN = re.compile(r"^[(]|\b(OR|AND|WITH)\b")
_NAME = re.compile(r"[a-z0-9.+]+")
_SMALL = frozenset(("the", "license", "licence", "licensed", "version", "osi", "approved"))


def normal(text: str) -> str | None:
    """A licence as people write it, as an SPDX expression. None: it is none, and no name that is known.

    `GPL-2.0` and `GPL-2.0+`, which SPDX has given up, become `-only` and `-or-later`; `/` between names is OR, as in
    older manifests of Rust.

    >>> normal("mit or apache-2.0"), normal("Apache License, Version 2.0"), normal("MIT/Apache-2.0"), normal("GPL-2.0+")
    ('MIT OR Apache-2.0', 'Apache-2.0', 'MIT OR Apache-2.0', 'GPL-2.0-or-later')
    >>> normal("all rights reserved") is None
    True
    """
    text = " ".join(text.split())
    if not text or len(text) > MOST_CHARS or text.count("(") > 20:
        return None
    if text.upper() == NO_ASSERTION:
        return None
    if text[0] == "(" and text[-1] == ")" and "(" not in text[1:] and ")" not in text[:-1]:
        text = text[1:-1].strip()  # as npm writes a choice
    named = _names().get(_key(text)) if not _WRITTEN.search(text) else None
    if named is not None:
        return named
    spelled = _GNU.sub(lambda m: f"{m[1]}-{m[2]}-{'or-later' if m[3] else 'only'}", text)
    for written in (spelled, re.sub(r"\s*/\s*", " OR ", spelled)):
        try:
            return str(canonicalize_license_expression(written))
        except (InvalidLicenseExpression, RecursionError, ValueError):
            continue
    return None


def _key(name: str) -> str:
    return " ".join(word for word in _NAME.findall(name.lower()) if word not in _SMALL)


@functools.cache
def _names() -> dict[str, str]:
    """Names by which licences go, as `_key` has them; a name that two have goes to the first."""
    table = tomllib.loads(files("codemill.licenses").joinpath("names.toml").read_text("utf-8"))
    found = {_key(name): key for key, names in table.items() for name in names}
    for one in known().values():
        if not one.is_notice:
            found.setdefault(_key(one.name), one.id)
    return found


def named_in(text: str) -> tuple[str, ...]:
    """The licences that a short text names, in order, such as "dual-licensed under the Unlicense and MIT licenses".

    >>> named_in("dual-licensed under the Unlicense and MIT licenses")
    ('Unlicense', 'MIT')
    """
    words = _key(text.replace("-licensed", "").replace("licenses", "")).split()
    found: dict[str, None] = {}
    place = 0
    while place < len(words):
        for length in range(min(8, len(words) - place), 0, -1):
            name = _names().get(" ".join(words[place : place + length]))
            if name is not None:
                found[name] = None
                place += length - 1
                break
        place += 1
    return tuple(found)


@dataclass(frozen=True)
class _Tree:
    """A licence (`name`, with its exception), or several of which all or one must hold."""

    name: str = ""
    all: bool = True
    parts: tuple[_Tree, ...] = ()

    def holds(self, may: Callable[[str], bool]) -> bool:
        if not self.parts:
            return may(self.name)
        each = [part.holds(may) for part in self.parts]
        return all(each) if self.all else any(each)


@functools.lru_cache(maxsize=4096)
def _tree(expression: str) -> _Tree:
    """The tree of an expression that `normal` made. AND binds closer than OR."""
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    place = 0

    def take(all_: bool) -> _Tree:
        nonlocal place
        word = "AND" if all_ else "OR"
        parts = [one() if all_ else take(True)]
        while place < len(tokens) and tokens[place] == word:
            place += 1
            parts.append(one() if all_ else take(True))
        return parts[0] if len(parts) == 1 else _Tree(all=all_, parts=tuple(parts))

    def one() -> _Tree:
        nonlocal place
        token = tokens[place]
        place += 1
        if token == "(":
            inner = take(False)
            place += 1
            return inner
        if place < len(tokens) and tokens[place] == "WITH":
            place += 2
            return _Tree(f"{token} WITH {tokens[place - 1]}")
        return _Tree(token)

    return take(False)


def names_of(expression: str) -> frozenset[str]:
    """The licences that an expression of `normal` names, without exceptions.

    >>> sorted(names_of("MIT OR (Apache-2.0 WITH LLVM-exception AND BSD-3-Clause)"))
    ['Apache-2.0', 'BSD-3-Clause', 'MIT']
    """
    words = re.sub(r" WITH \S+", "", expression).replace("(", " ").replace(")", " ").split()
    return frozenset(word for word in words if word not in ("AND", "OR"))


def check_names(names: Iterable[str], *, where: str) -> tuple[str, ...]:
    """Licences as people ask for them: SPDX ids in SPDX's spelling; patterns with `*` and "unknown" as they are.

    Raises: RecipeError for a name that is neither, with the nearest.

    >>> check_names(["mit", "GPL-*", "unknown"], where="license")
    ('MIT', 'GPL-*', 'unknown')
    """
    found = []
    for name in names:
        spelled = name if "*" in name or name == UNKNOWN else normal(name)
        if spelled is None or (" " in spelled and " WITH " not in spelled):
            near = {one.id.lower(): one.id for one in known().values() if not one.is_notice}
            remedy = did_you_mean(name.lower(), near)
            raise RecipeError(
                f"{name!r} is not the SPDX id of one licence", where=where, remedy=f"{remedy}, GPL-* and unknown too"
            )
        if "*" in spelled and not fnmatch.filter((one.id.lower() for one in known().values()), spelled.lower()):
            raise RecipeError(f"no licence fits {name!r}", where=where, remedy="such as GPL-*, *GPL* or CC-BY-NC-*")
        found.append(spelled)
    return tuple(found)


@dataclass(frozen=True)
class Choice:
    """Which licences somebody takes: those that `only` names (none named: all), but those that `never` names.

    >>> choice = Choice(("MIT", "Apache-2.0"), ())
    >>> choice.takes(["MIT OR GPL-3.0-only"]), choice.takes(["MIT", "GPL-3.0-only"]), choice.takes(None)
    (True, False, False)
    >>> Choice((), ("GPL-*",)).takes(["MIT OR GPL-3.0-only"]), Choice((), ("GPL-*",)).takes(None)
    (True, True)
    """

    only: tuple[str, ...]
    never: tuple[str, ...]

    def takes(self, licenses: Sequence[str] | None) -> bool:
        """Whether a file may be used under these expressions, which all apply. None or empty: nobody knows them."""
        spelled = [normal(text) or UNKNOWN for text in licenses or ()]
        return all(_tree(expression).holds(self._may) for expression in spelled or [UNKNOWN])

    def _may(self, name: str) -> bool:
        return (not self.only or _fits(name, self.only)) and not _fits(name, self.never)


def _fits(name: str, patterns: Iterable[str]) -> bool:
    """A pattern names a licence with any exception; with one, only that."""
    plain = name.partition(" WITH ")[0]
    return any(fnmatch.fnmatchcase(each.lower(), p.lower()) for p in patterns for each in {name, plain})
