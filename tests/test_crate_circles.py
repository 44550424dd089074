"""No file of the native core imports, by however many steps, a file that imports it.

Why: a circle of files can only be read, and moved, as one file. What is shared lies below those who share it; a
`mod.rs` that both defines something for its children and uses them is a circle too.

What counts: `use` of this crate's paths, and paths written out (`super::a::f()`). A name that is re-exported is
imported from where it is defined. What does not: `mod x;` alone, code and files of tests, and methods, which name no
file.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "core" / "src"

# The lexer calls the hook that a language's rules name, and a hook is handed the lexer.
ALLOWED = {frozenset({"lex/engine.rs", "lex/rules.rs"})}

Module = tuple[str, ...]
Import = tuple[Module, str]  # a path, and the name it is known by here

TOKEN = re.compile(r"::|[A-Za-z_]\w*|[{},*]")
NOISE = re.compile(
    r"""
    //[^\n]* | /\*.*?\*/                          # comments
    | b?r(?P<hashes>\#*)".*?"(?P=hashes)          # raw strings
    | b?"(?:\\.|[^"\\])*"                         # strings
    | b?'(?:\\(?:u\{\w+\}|x\w\w|.)|[^'\\\n])'     # characters
    """,
    re.DOTALL | re.VERBOSE,
)
USE = re.compile(r"\buse\s+([^;]+);")
INLINE = re.compile(r"(?P<test>#\[cfg\(test\)\]\s*)?(?:pub(?:\([^)]*\))? )?\bmod (?P<name>\w+)\s*\{")
WRITTEN_OUT = re.compile(r"(?<![\w:])((?:[a-z_]\w*::)+)(\w+)")


def without_noise(text: str) -> str:
    """Rust without comments and literals."""
    return NOISE.sub(" ", text)


def parts_of(code: str, module: Module) -> Iterator[tuple[Module, str]]:
    """The code of a file, and of each module that is written out in it, but for those of tests."""
    while found := INLINE.search(code):
        depth = 1
        for at in range(found.end(), len(code)):
            depth += {"{": 1, "}": -1}.get(code[at], 0)
            if depth == 0:
                break
        if not found["test"]:
            yield from parts_of(code[found.end() : at], (*module, found["name"]))
        code = code[: found.start()] + code[at + 1 :]
    yield module, code


def imports_of(tree: str) -> Iterator[Import]:
    """What one `use` brings in: `a::{b, c as d}` is a::b as b and a::c as d."""
    tokens = TOKEN.findall(tree)
    stack: list[Module] = []
    path: Module = ()
    prefix: Module = ()
    alias: str | None = None
    renamed = False
    for token in [*tokens, ","]:
        if token == "{":
            stack.append(prefix)
            prefix, path = prefix + path, ()
        elif token in ",}":
            if path:
                full = prefix + path
                if full[-1] == "self":
                    full = full[:-1]
                yield full, alias or full[-1]
            path, alias = (), None
            if token == "}":
                prefix = stack.pop()
        elif token == "as":
            renamed = True
        elif renamed:
            alias, renamed = token, False
        elif token != "::":
            path = (*path, token)


class Crate:
    """The files of a crate, by module."""

    def __init__(self, source: Path) -> None:
        self.files: dict[Module, str] = {}
        self.code: dict[Module, str] = {}
        for path in sorted(source.rglob("*.rs")):
            *folders, name = path.relative_to(source).with_suffix("").parts
            if name != "tests":
                module = tuple(folders) if name in ("mod", "lib") else (*folders, name)
                for part, code in parts_of(without_noise(path.read_text(encoding="utf-8")), module):
                    self.files[part] = path.relative_to(source).as_posix()
                    self.code[part] = code
        self.imports = {
            module: [found for tree in USE.findall(code) for found in imports_of(tree)]
            for module, code in self.code.items()
        }

    def absolute(self, path: Module, module: Module) -> Module | None:
        """A path from the root, if it leads into this crate."""
        known = {name: full for full, name in self.imports[module] if full != path}
        match path[0]:
            case "crate":
                return path[1:]
            case "self":
                return module + path[1:]
            case "super":
                up = len(list(itertools.takewhile(lambda part: part == "super", path)))
                return module[:-up] + path[up:]
            case first if (*module, first) in self.files:
                return module + path
            case first if first in known and known[first][0] in ("crate", "super", "self"):
                return self.absolute(known[first] + path[1:], module)
        return None

    def home(self, path: Module, seen: frozenset[Module] = frozenset()) -> Module:
        """The module that defines what stands at a path from the root."""
        length = max(n for n in range(len(path) + 1) if path[:n] in self.files)
        module, rest = path[:length], path[length:]
        if rest and path not in seen:
            for full, name in self.imports[module]:
                if name == rest[0] and (target := self.absolute(full, module)) not in (None, path):
                    return self.home(target + rest[1:], seen | {path})
        return module

    def edges(self) -> dict[str, set[str]]:
        """The files that each file imports from."""
        out: dict[str, set[str]] = {file: set() for file in self.files.values()}
        for module, code in self.code.items():
            paths = [full for full, _ in self.imports[module]]
            paths += [(*left.split("::")[:-1], right) for left, right in WRITTEN_OUT.findall(USE.sub("", code))]
            roots = [root for path in paths if (root := self.absolute(path, module)) is not None]
            file = self.files[module]
            out[file] |= {self.files[self.home(root)] for root in roots} - {file}
        return out


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of files that reach each other."""
    reach: dict[str, set[str]] = defaultdict(set)
    for start in edges:
        todo = [start]
        while todo:
            for target in edges[todo.pop()]:
                if target not in reach[start]:
                    reach[start].add(target)
                    todo.append(target)
    groups = {
        frozenset(other for other in reach[file] if file in reach[other]) for file in edges if file in reach[file]
    }
    return sorted(sorted(group) for group in groups)


def test_files_of_the_core_import_in_one_direction() -> None:
    found = circles(Crate(SOURCE).edges())
    assert [group for group in found if frozenset(group) not in ALLOWED] == []


def test_circles_are_found_whatever_way_they_are_written(tmp_path: Path) -> None:
    files = {
        "lib.rs": "mod shapes; mod one; mod two; mod three; mod four; mod apart;",
        "shapes/mod.rs": "mod square; pub use square::Square;",
        "shapes/square.rs": "/* use crate::one; */ pub struct Square;",
        "one.rs": "use crate::{shapes::Square, two::{self as other, Two}};",
        "two.rs": 'fn two() { super::one::make(\'"\', "{") }',
        "three.rs": "mod inner { use super::super::four::Four; }",
        "four.rs": "use crate::three; fn four() { three::make() }",
        "apart.rs": "use crate::one; #[cfg(test)] mod tests { use super::*; }",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    edges = Crate(tmp_path).edges()
    assert edges["one.rs"] == {"shapes/square.rs", "two.rs"}
    assert circles(edges) == [["four.rs", "three.rs"], ["one.rs", "two.rs"]]


if __name__ == "__main__":
    graph = Crate(SOURCE).edges()
    for group in circles(graph):
        print(len(group), group)
        for file in group:
            print("   ", file, "->", sorted(graph[file] & set(group)))
