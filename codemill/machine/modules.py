"""Python files by name or by path, so that workers find the steps and signals that users wrote."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType

from codemill.errors import RecipeError


def load_module(name: str, file: str) -> ModuleType:
    """Imports a module by name or, for a user's own file, from where it is, under a name of its own."""
    if name.startswith(ALIAS):
        with _ONE_AT_A_TIME:
            if name in sys.modules:
                return sys.modules[name]
    elif name != "__main__" and (name in sys.modules or importlib.util.find_spec(name.partition(".")[0]) is not None):
        return importlib.import_module(name)  # which waits for another thread that is importing it
    return module_from_file(Path(file))


ALIAS = "codemill_user_"
_ONE_AT_A_TIME = threading.RLock()
"""Tasks of one process may want the same file at the same time."""


def module_from_file(path: Path) -> ModuleType:
    """Imports `path/to/file.py` as a module named after it. Raises: RecipeError if it cannot be imported."""
    alias = f"{ALIAS}{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}.{path.stem}"
    with _ONE_AT_A_TIME:
        return sys.modules[alias] if alias in sys.modules else _imported(path, alias)


def _imported(path: Path, alias: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(alias, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise RecipeError("no such Python file", where=path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[alias] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[alias]
        raise RecipeError(f"the file cannot be imported: {type(error).__name__}: {error}", where=path) from error
    return module
