"""What a file imports, by its text, and which files of its repository those are.

Lines are matched, not parsed: a wrong edge costs a place in an order and nothing else. What is imported from elsewhere
has no file here. Not covered: modules under another name than their file's, build systems, Java's `import a.*`.
"""

from __future__ import annotations

import heapq
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import polars as pl

MOST_IMPORTS = 500  # of a file that are looked at
LONGEST = 1000  # characters of a line that is one
MOST_FILES = 50  # that one import may mean: all files of a Go package

_PYTHON = r"(?m)^[ \t]*(?:from[ \t]+[.\w]+[ \t]+import[ \t]+[^#\n]+|import[ \t]+[\w., \t]+)"
_SCRIPT = r"""(?:\bfrom|\bimport|\brequire)[ \t]*\(?[ \t]*['"]\.{1,2}/[^'"\n]+['"]"""
_C = r"""(?m)^[ \t]*#[ \t]*include[ \t]*[<"][^>"\n]+[>"]"""

PATTERNS = {
    "python": _PYTHON,
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "java": r"(?m)^import[ \t]+(?:static[ \t]+)?[\w.]+;",
    "go": r'(?m)^(?:import)?[ \t]*(?:[\w.]+[ \t]+)?"[\w./~-]+"[ \t]*\r?$',
    "c": _C,
    "cpp": _C,
}
"""By language. (Matched by Rust's regex crate: linear in the text, whatever it is.)"""

_QUOTED = re.compile(r"""['"<]([^'"<>\n]+)['">]""")
_FROM = re.compile(r"from[ \t]+([.\w]+)[ \t]+import[ \t]+(.*)")
_NAME = re.compile(r"[\w.]+")


def lines(texts: Sequence[str | None], languages: Sequence[str | None]) -> list[list[str]]:
    """The import lines of each text; none of a language that is not in `PATTERNS`."""
    found: list[list[str]] = [[] for _ in texts]
    for language, pattern in PATTERNS.items():
        mine = [i for i, name in enumerate(languages) if name == language]
        if mine:
            column = pl.Series([texts[i] for i in mine], dtype=pl.String).str.extract_all(pattern)
            for i, matches in zip(mine, column.to_list(), strict=True):
                found[i] = [line for line in (matches or [])[:MOST_IMPORTS] if len(line) <= LONGEST]
    return found


class Files:
    """The files of a repository, found by the end of their path."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = set(paths)
        self._by_end: dict[str, list[str]] = defaultdict(list)
        self._by_folder: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self.paths, key=lambda p: (p.count("/"), p)):  # of several the one nearest to the root
            parts = path.split("/")
            for i in range(len(parts)):
                self._by_end["/".join(parts[i:])].append(path)
            self._by_folder[posixpath.dirname(path)].append(path)

    def ending(self, ends: Iterable[str]) -> list[str]:
        """The first file that has one of these ends."""
        return next((self._by_end[end][:1] for end in ends if end in self._by_end), [])

    def exactly(self, paths: Iterable[str]) -> list[str]:
        """The first of these paths that is a file."""
        return next(([path] for path in paths if path in self.paths), [])

    def in_folder(self, folder: str, suffix: str) -> list[str]:
        """The files with a suffix that are directly in a folder."""
        return [path for path in self._by_folder.get(folder, ()) if path.endswith(suffix)][:MOST_FILES]


def python(line: str, path: str, files: Files) -> list[str]:
    """`import a.b`, `from a import b`, `from ..a import b`."""
    wanted: list[str] = []
    whole = _FROM.match(line.strip())
    if whole is None:
        wanted = _NAME.findall(line.strip().removeprefix("import"))
    else:
        dots = len(whole[1]) - len(whole[1].lstrip("."))
        module = whole[1][dots:]
        names = [name for name in _NAME.findall(whole[2]) if name != "as"]
        joined = [f"{module}.{name}" if module else name for name in names]
        if dots:
            above = path.split("/")[:-dots]
            return _python_files(["/".join([*above, *name.split(".")]) for name in [*joined, module]], files.exactly)
        wanted = [*joined, module]
    return _python_files([name.replace(".", "/") for name in wanted], files.ending)


def _python_files(modules: Iterable[str], find: Callable[[list[str]], list[str]]) -> list[str]:
    return [file for name in modules if name for file in find([f"{name}.py", f"{name}/__init__.py"])]


_SCRIPT_ENDS = ("", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", "/index.ts", "/index.tsx", "/index.js")


def script(line: str, path: str, files: Files) -> list[str]:
    """`import x from './a'`, `require('../b')`, of JavaScript and TypeScript."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), _quoted(line)))
    stem = re.sub(r"\.[mc]?js$", "", target)  # TypeScript imports a.ts as a.js
    return files.exactly([*(target + end for end in _SCRIPT_ENDS), stem + ".ts", stem + ".tsx"])


def java(line: str, path: str, files: Files) -> list[str]:
    """`import a.b.C;`, `import static a.b.C.d;`"""
    name = _NAME.findall(line)[-1]
    ends = [name.replace(".", "/"), name.rpartition(".")[0].replace(".", "/")]
    return files.ending(f"{end}.java" for end in ends if end)


def go(line: str, path: str, files: Files) -> list[str]:
    """`import "example.org/module/package"`: all files of the folder that the longest end of it names."""
    parts = _quoted(line).split("/")
    for i in range(len(parts)):
        if found := files.in_folder("/".join(parts[i:]), ".go"):
            return [file for file in found if not file.endswith("_test.go")]
    return []


def include(line: str, path: str, files: Files) -> list[str]:
    """`#include "a.h"`, `#include <b/c.h>`, of C and C++."""
    target = _quoted(line)
    here = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return files.exactly([here]) or files.ending([posixpath.normpath(target)])


def _quoted(line: str) -> str:
    found = _QUOTED.search(line)
    return found[1] if found else ""


READERS: Mapping[str, Callable[[str, str, Files], list[str]]] = {
    "python": python,
    "javascript": script,
    "typescript": script,
    "tsx": script,
    "java": java,
    "go": go,
    "c": include,
    "cpp": include,
}


def ordered(paths: Sequence[str], languages: Sequence[str | None], found: Sequence[Sequence[str]]) -> list[int]:
    """The place of each file in an order in which a file comes after those that it imports.

    Files that import one another in a circle: of those that are left the one with fewest imports left, then by path.
    Files without imports between them are in the order of their paths.
    """
    files = Files(paths)
    number = {path: i for i, path in enumerate(paths)}
    needs: list[set[int]] = []
    for path, language, their in zip(paths, languages, found, strict=True):
        reader = READERS.get(language or "")
        targets = {number[t] for line in their for t in reader(line, path, files)} if reader else set()
        needs.append(targets - {number[path]})
    users: list[list[int]] = [[] for _ in paths]
    for i, its in enumerate(needs):
        for target in its:
            users[target].append(i)
    left = [len(its) for its in needs]
    waiting = [(left[i], paths[i], i) for i in range(len(paths))]
    heapq.heapify(waiting)
    place = [-1] * len(paths)
    for at in range(len(paths)):
        while place[waiting[0][2]] >= 0 or waiting[0][0] != left[waiting[0][2]]:
            heapq.heappop(waiting)  # of an earlier count
        i = heapq.heappop(waiting)[2]
        place[i] = at
        for user in users[i]:
            left[user] -= 1
            if place[user] < 0:
                heapq.heappush(waiting, (left[user], paths[user], user))
    return place
