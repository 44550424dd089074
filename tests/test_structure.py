"""Who may know of whom: no import circles, a machine that knows no documents, rooms that keep their doors shut."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from codemill import catalog

ROOT = Path(__file__).resolve().parent.parent
ALLOWED_CIRCLES: dict[tuple[str, str], str] = {}
"""Imports that are left out when circles are looked for, each with the reason why it may close one."""

CONTENT = {"content", "language", "repo", "path", "stars", "commit_time", "license", "content_sha256"}
NEIGHBOURS = {"codemill._core", "codemill.columns", "codemill.errors"}
"""What the machine is built on besides itself."""


@dataclass(frozen=True)
class Import:
    module: str  # that imports
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def sources(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the package by name."""
    found = {}
    for file in sorted((root / "codemill").rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(modules: dict[str, Path]) -> list[Import]:
    """All imports of our own modules, wherever they stand: also in functions and for type checkers only."""
    return [found for name, file in modules.items() for found in _imports(name, file, modules)]


def _imports(name: str, file: Path, modules: dict[str, Path]) -> Iterator[Import]:
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            inner = [f"{base}.{alias.name}" for alias in node.names]
            targets = [one if one in modules or one == "codemill._core" else base for one in inner]
        else:
            continue
        yield from (Import(name, target, node.lineno) for target in targets if target.split(".")[0] == "codemill")


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of nodes each of which can be reached from each other."""
    reached: dict[str, set[str]] = {}
    for node in edges:
        seen, waiting = set[str](), [node]
        while waiting:
            new = edges.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        reached[node] = seen
    return [
        sorted(other for other in reached[node] if node in reached.get(other, ()))
        for node in sorted(edges)
        if node in reached[node]
    ]


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def literals(file: Path) -> Iterator[ast.Constant]:
    """Strings of a file's code, those apart that say what something is."""
    tree = ast.parse(file.read_text("utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("external"):
            told.add(id(node.slice))  # of the record that says where a user's own file is
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node


def test_no_module_imports_one_that_imports_it() -> None:
    found = [one for one in imports(sources()) if (one.module, one.target) not in ALLOWED_CIRCLES]
    assert len(found) > 200
    edges: dict[str, set[str]] = {}
    for one in found:
        edges.setdefault(one.module, set()).add(one.target)
    assert circles(edges) == []


def test_no_room_imports_one_that_imports_it() -> None:
    edges: dict[str, set[str]] = {}
    for one in imports(sources()):
        if room(one.module) != room(one.target) and (one.module, one.target) not in ALLOWED_CIRCLES:
            edges.setdefault(room(one.module), set()).add(room(one.target))
    assert circles(edges) == []


def test_no_room_imports_another_rooms_private_module() -> None:
    found = []
    for one in imports(sources()):
        parts = one.target.split(".")
        for depth, part in enumerate(parts):
            inside = one.module == ".".join(parts[:depth]) or one.module.startswith(".".join(parts[:depth]) + ".")
            if part.startswith("_") and one.target != "codemill._core" and not inside:
                found.append(str(one))
    assert found == []


def test_the_machine_imports_no_step_no_recipe_no_source_and_no_schema_of_documents() -> None:
    found = [
        str(one)
        for one in imports(sources())
        if room(one.module) == "codemill.machine" and room(one.target) not in {"codemill.machine", *NEIGHBOURS}
    ]
    assert found == []


def test_the_machine_names_no_step_no_recipe_and_no_column_of_documents() -> None:
    names = [*catalog.steps(), *catalog.recipes()]
    named = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, names))})(?![\w])")
    found = [
        f"{file.name}:{node.lineno} {node.value!r}"
        for file in sorted((ROOT / "codemill" / "machine").rglob("*.py"))
        for node in literals(file)
        if node.value in CONTENT or named.search(str(node.value))
    ]
    assert found == []


@pytest.mark.parametrize(
    "late", ["def f():\n    from package import one\n", "if TYPE_CHECKING:\n    import codemill.one\n", ""]
)
def test_circles_are_found_wherever_an_import_stands(tmp_path: Path, late: str) -> None:
    folder = tmp_path / "codemill"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text("from codemill import two\n")
    (folder / "two.py").write_text("from . import three\n")
    (folder / "three.py").write_text(late.replace("package", "codemill"))
    edges: dict[str, set[str]] = {}
    for one in imports(sources(tmp_path)):
        edges.setdefault(one.module, set()).add(one.target)
    expected = ["codemill.one", "codemill.three", "codemill.two"]
    assert circles(edges) == ([expected] * 3 if late else [])


def test_the_tree_for_contributors_names_every_file_and_folder_of_the_package() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    tree = text.split("```text\ncodemill/\n")[1].split("\ncore/")[0]
    named = [name for line in tree.splitlines() for name in line.strip().split("  ")[0].split()]
    there = {f"{path.name}/" if path.is_dir() else path.name for path in (ROOT / "codemill").iterdir()}
    made = {name for name in there if name.startswith("_core.")} | {"__pycache__/"}
    assert sorted(named) == sorted(there - made - {"__init__.py", "py.typed"})


def test_the_page_on_the_machine_names_every_file_of_it() -> None:
    table = (ROOT / "docs" / "machine.md").read_text("utf-8").split("## Seven words")[0]
    there = {path.name for path in (ROOT / "codemill" / "machine").glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"`(\w+\.py)`", table)) == there


def test_every_file_that_mutants_are_made_of_has_tests_to_ask() -> None:
    """`make mutants` breaks files of machine, steps and sources: a file without tests would stop it."""
    path = ROOT / "scripts" / "mutants.py"
    spec = importlib.util.spec_from_file_location("mutants", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = made  # dataclasses look their module up
    spec.loader.exec_module(made)
    broken = [str(file.relative_to(made.PACKAGE)) for pattern in made.FILES for file in made.PACKAGE.glob(pattern)]
    asked = {test for file in broken for test in made.tests_of(file)}
    assert len(broken) > 90
    assert [test for test in sorted(asked) if not (ROOT / test).exists()] == []


def test_nothing_needs_pandas() -> None:
    """It is no requirement, and pyarrow asks for it in these methods, also where no pandas type is wanted."""
    told = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in (ROOT / "codemill").rglob("*.py")}
    assert [path for path, text in told.items() if re.search(r"\.to_pandas|import pandas|\bpd\.", text)] == []
