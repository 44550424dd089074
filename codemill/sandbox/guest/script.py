"""A Python program as a script: what `python program.py` does, in the child of a fork."""

from __future__ import annotations

import atexit
import json
import os
import random
import sys
import threading
import traceback
from types import ModuleType
from typing import Any

FILE = "program.py"
PRELOADED = (
    "array", "bisect", "calendar", "cmath", "collections.abc", "copy", "csv", "dataclasses", "datetime", "decimal",
    "enum", "fractions", "functools", "hashlib", "heapq", "inspect", "io", "itertools", "json", "math", "operator",
    "queue", "random", "re", "statistics", "string", "sys", "textwrap", "threading", "time", "typing", "unittest",
    "unittest.mock", "uuid",
)  # fmt: skip


def preload() -> None:
    """Imports what programs often use, once for all of them."""
    for name in PRELOADED:
        __import__(name)


def fresh(*, hide: bool = True) -> dict[str, Any]:
    """The namespace of a new `__main__`, as an interpreter that has just started would have it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        mode, errors = ("r", "surrogateescape") if number == 0 else ("w", "backslashreplace")
        stream = open(  # noqa: SIM115  # to the end of the process
            number, mode, encoding="utf-8", errors=errors, closefd=False, buffering=1 if number == 2 else -1
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    main = ModuleType("__main__")
    main.__dict__.update({"__file__": FILE, "__builtins__": __builtins__})
    if hide:
        for name in [name for name in sys.modules if name.partition(".")[0] == __name__.partition(".")[0]]:
            del sys.modules[name]
    sys.modules["__main__"] = main
    sys.argv = [FILE]
    sys.path.insert(0, os.getcwd())
    random.seed(0)  # the verdict of a program that draws is the same each time
    return main.__dict__


def read(fd: int) -> Any:
    """What the caller sent: JSON, to its end."""
    with open(fd, "rb") as file:
        return json.loads(file.read())


def leave(status: int) -> None:
    """Flushes and goes, without a look back."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or 1
    os._exit(status)


def main(fds: list[int]) -> None:
    """Runs the program; its exit status is what Python's would be."""
    source = read(fds[0])["program"]
    status: Any = 0
    namespace = fresh()
    try:
        exec(compile(source, FILE, "exec", dont_inherit=True), namespace)
    except SystemExit as leaving:
        status = leaving.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if status is not None and not isinstance(status, int):
        print(status, file=sys.stderr)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the interpreter does
    atexit._run_exitfuncs()
    leave((status or 0) & 0xFF)
