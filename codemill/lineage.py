"""Which runs a run read: its manifest says so, with the paths that were given to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from codemill.errors import InputError
from codemill.run import named


def runs_in(out: Path, manifest: Mapping[str, Any], *, strict: bool = True) -> list[Path]:
    """The folders of finished runs that a run read, whole or some file of them, or that its command names: a mix leaves
    out a run without tokens, and its command is not understood without it.

    Raises: InputError if a folder that was read as a run's output is none any more; unless `strict`, it is left out.
    """
    runs: dict[Path, None] = {}
    for step in manifest["steps"]:
        for path in _paths(step.get("parameters")):
            run = _run_of(named(out, path))
            if run is None and step["kind"] == "opened" and strict:
                raise InputError("a run that was read is gone", where=path, remedy="bring the folder back")
            if run is not None:
                runs[run] = None
    for value in manifest.get("recipe", {}).get("parameters", {}).values():
        for text in value if isinstance(value, list) else [value]:
            for path in (text, text.rpartition(":")[0]) if isinstance(text, str) else ():
                if path and _is_run(named(out, path)):
                    runs[Path(os.path.realpath(named(out, path)))] = None
    return list(runs)


def _run_of(path: Path) -> Path | None:
    return next((Path(os.path.realpath(folder)) for folder in (path, *path.parents[:3]) if _is_run(folder)), None)


def _is_run(folder: Path) -> bool:
    return (folder / "manifest.json").is_file() and (folder / ".work").is_dir()


def _paths(value: Any) -> Iterator[str]:
    """Every `path` in plain data: where a source or a file was."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == "path" and isinstance(inner, str):
                yield inner
            else:
                yield from _paths(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _paths(inner)
