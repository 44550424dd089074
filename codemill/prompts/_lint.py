"""Faults of a Python program that can be read off it: a linter of a page, which runs inside the sandbox as text.

It needs the standard library only, for there is nothing else there. What it looks for are pyflakes' and pycodestyle's
most common findings that are never a matter of taste: F403, F401, F821, F811, E711, E722, and B006 of flake8-bugbear.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterator

KNOWN = {*dir(builtins), "__file__", "__name__", "__doc__", "__spec__", "__builtins__", "__class__", "__annotations__"}


def faults(text: str) -> list[str]:
    """Faults of a program in the order of its lines, such as `line 3: undefined name 'x'`.

    >>> faults("import os\\nprint(x)\\n")
    ["line 1: 'os' is imported and not used", "line 2: undefined name 'x'"]
    """
    try:
        tree = ast.parse(text)
        names = symtable.symtable(text, "program.py", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [f"line {getattr(error, 'lineno', None) or 1}: no Python: {getattr(error, 'msg', error)}"]
    found = {*_shapes(tree), *_imports(tree), *_undefined(tree, names)}
    return [f"line {line}: {said}" for line, said in sorted(found)]


def _shapes(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=None):
                yield node.lineno, "except without a type"
            case ast.Compare(ops=[ast.Eq() | ast.NotEq()], comparators=[ast.Constant(value=None)]):
                yield node.lineno, "None is compared with ==, not with is"
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                for value in (*node.args.defaults, *node.args.kw_defaults):
                    if isinstance(value, ast.List | ast.Dict | ast.Set):
                        yield node.lineno, "a default that can be changed"
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                yield from _block(block)


def _block(block: list[ast.stmt]) -> Iterator[tuple[int, str]]:
    defined = set[str]()
    for before, node in zip([None, *block], block, strict=False):
        if isinstance(before, ast.Return | ast.Raise | ast.Break | ast.Continue):
            yield node.lineno, "never reached"
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list:
            if node.name in defined:
                yield node.lineno, f"{node.name!r} is defined twice"
            defined.add(node.name)


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Imports of a module's own level that it does not use, and those of everything."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not re.search(r"\s", node.value):
            used |= set(re.findall(r"\w+", node.value))  # __all__, types that are written as strings
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom) or getattr(node, "module", None) == "__future__":
            continue
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            if alias.name == "*":
                yield node.lineno, "everything is imported"
            elif name not in used and alias.asname != alias.name:
                yield node.lineno, f"{name!r} is imported and not used"


def _undefined(tree: ast.Module, names: symtable.SymbolTable) -> Iterator[tuple[int, str]]:
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree)):
        return
    scopes = [names]
    for scope in scopes:
        scopes += scope.get_children()
    symbols = [one for scope in scopes for one in scope.get_symbols() if scope is names or _is_outside(one)]
    defined = KNOWN | {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}
    unknown = {one.get_name() for one in symbols if one.is_referenced()} - defined
    for name in unknown:
        lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
        yield min(lines, default=1), f"undefined name {name!r}"


def _is_outside(symbol: symtable.Symbol) -> bool:
    """Whether a name of a function or class is one of the module. symtable takes a function called top for a module."""
    local = symbol.is_parameter() or (symbol.is_assigned() and not symbol.is_declared_global())
    return symbol.is_global() and not local
