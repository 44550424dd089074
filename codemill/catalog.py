"""Finds every entry of the catalogues by importing them: the one piece of magic in the house, kept in one file.

A catalogue is a package; an entry is a file in it. Nothing is registered anywhere: putting a file there is enough.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from codemill.errors import RecipeError, did_you_mean
from codemill.machine.modules import module_from_file
from codemill.machine.table import Step


@dataclass(frozen=True)
class Recipe:
    """A recipe that can be run: `function(inputs, *, …) -> Table`."""

    name: str
    function: Callable[..., Any]
    file: Path

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return first_line(self.function)


def recipes() -> dict[str, Recipe]:
    """Our own recipes by name: in each module of `codemill.recipes` the function named like the module."""
    found = {}
    for module in modules("codemill.recipes"):
        name = module.__name__.rpartition(".")[2]
        found[name] = Recipe(name, getattr(module, name), Path(str(module.__file__)))
    return found


def recipe(name: str) -> Recipe:
    """One of ours by name, or `path/to/file.py:function`; without `:function`, the function named like the file.

    Raises: RecipeError if there is none, naming the nearest.
    """
    path, _, function = name.partition(":")
    if not path.endswith(".py"):
        known = recipes()
        if path not in known:
            raise RecipeError(
                f"there is no recipe {path!r}",
                remedy=f"{did_you_mean(path, known)}; or path/to/file.py:function",
            )
        if not function:
            return known[path]
        module: ModuleType = importlib.import_module(known[path].function.__module__)
        file = known[path].file
    else:
        module, file = module_from_file(Path(path)), Path(path)
    wanted = function or file.stem
    found = getattr(module, wanted, None)
    if not inspect.isfunction(found):
        functions = [n for n, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
        raise RecipeError(f"there is no function {wanted!r}", where=file, remedy=did_you_mean(wanted, functions))
    return Recipe(name, found, file)


def steps() -> dict[str, Step]:
    """Every step of `codemill.steps` by its name."""
    found = [s for module in modules("codemill.steps") for s in vars(module).values() if isinstance(s, Step)]
    return {s.name: s for s in sorted(found, key=lambda s: s.name)}


def prompts() -> dict[str, Step]:
    """Every method of `codemill.prompts` by its name."""
    found = [s for module in modules("codemill.prompts") for s in vars(module).values() if isinstance(s, Step)]
    return {s.name: s for s in sorted(found, key=lambda s: s.name)}


def modules(package: str) -> Iterator[ModuleType]:
    """The public modules of a package, sorted by name."""
    parent = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(parent.__path__), key=lambda i: i.name):
        if not info.name.startswith("_"):
            yield importlib.import_module(f"{package}.{info.name}")


def first_line(thing: Any) -> str:
    """The first line of a docstring, or nothing."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]
