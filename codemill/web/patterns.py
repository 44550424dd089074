"""Patterns of URLs: `%` is any run of characters. Rules that people wrote for pages of discovered domains.

A file of rules has one a line. `+` and a pattern: these pages are about code. `-` and a pattern: they are not. `#`
begins a comment. From: OpenCoder, table 14.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.errors import InputError, RecipeError

MAX_PATTERN = 400
MAX_EXPRESSION = 20_000  # characters of patterns that are matched at once
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """Patterns of pages about code, and of pages that are not."""

    code: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in (*self.code, *self.other):
            check_pattern(pattern)


def check_pattern(pattern: str) -> None:
    """Raises: RecipeError if it matches everything, or is too long."""
    if not pattern.strip("%").strip():
        raise RecipeError(
            f"the pattern {pattern!r} matches every URL", remedy="name a host and the beginning of a path"
        )
    if len(pattern) > MAX_PATTERN:
        raise RecipeError(f"a pattern has at most {MAX_PATTERN} characters", where=pattern[:60])


def read(path: str | Path) -> Rules:
    """Reads a file of rules. Raises: InputError for a line that is none, or a file that cannot be read."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read rules: {error}", where=str(path)) from error
    return parse(text, str(path))


def ours(name: str) -> Rules:
    """Rules that come with codemill: "en", a starter list, or "zh", the code part of OpenCoder's table 14.

    Raises: RecipeError for another name.
    """
    if name not in ("en", "zh"):
        raise RecipeError(f"there are no rules {name!r}", remedy="en or zh, or a folder of round-1.txt, …")
    return parse((files("codemill.web") / f"rules_{name}.txt").read_text("utf-8"), f"rules_{name}.txt")


def parse(text: str, where: str) -> Rules:
    """Rules from text. Raises: InputError naming the line."""
    found: dict[str, list[str]] = {"+": [], "-": []}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        sign, pattern = line[0], line[1:].strip()
        if sign not in found:
            raise InputError(f"not a rule: {line[:80]!r}", where=f"{where}:{number}", remedy="+ or -, then a pattern")
        try:
            check_pattern(pattern)
        except RecipeError as error:
            raise InputError(str(error), where=f"{where}:{number}") from error
        found[sign].append(pattern)
    return Rules(tuple(found["+"]), tuple(found["-"]))


def matches(urls: pa.Array, patterns: Sequence[str]) -> Flags:
    """Which URLs match one of the patterns, from beginning to end, whatever the case. A null does not.

    Time is linear in the URL: the expressions are those of RE2.
    """
    if not patterns:
        return np.zeros(len(urls), np.bool_)
    found = np.zeros(len(urls), np.bool_)
    for some in _together(patterns):
        expression = f"(?i)^(?:{'|'.join(_expression(p) for p in some)})$"
        found |= pc.fill_null(pc.match_substring_regex(urls, expression), False).to_numpy(zero_copy_only=False)
    return found


def _together(patterns: Sequence[str]) -> Iterator[list[str]]:
    """Patterns that are one expression: RE2 refuses one of 20,000 rules."""
    some, size = list[str](), 0
    for pattern in patterns:
        if some and size + len(pattern) > MAX_EXPRESSION:
            yield some
            some, size = [], 0
        some.append(pattern)
        size += len(pattern)
    yield some


def _expression(pattern: str) -> str:
    return ".*".join(re.escape(piece) for piece in pattern.split("%"))


def first_of(urls: pa.Array, kinds: Iterable[tuple[str, str]]) -> pa.Array:
    """For each URL the name of the first `(name, pattern)` that matches it. Null: none does."""
    names = np.full(len(urls), None, object)
    for name, pattern in kinds:
        free = np.array([known is None for known in names], bool)
        names[free & matches(urls, [pattern])] = name
    return pa.array(names, pa.string())
