"""The runs that a result stands on, found through their manifests: the first is one that stands on no other."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codemill.errors import InputError, RecipeError
from codemill.machine.publishing import is_below
from codemill.machine.store import Place, sealed
from codemill.run import named


@dataclass(frozen=True)
class Link:
    """One run of the chain."""

    name: str  # of its folder in the release
    out: Path  # where it lies now
    manifest: Mapping[str, Any]

    @property
    def recipe(self) -> str:
        """As `codemill run` takes it."""
        return str(self.manifest["recipe"]["name"])


def chain(outs: list[str]) -> list[Link]:
    """The runs in `outs` and all that they read, each after those that it reads.

    Raises: InputError if one of them is not on this disk any more, was changed, or was not made by a recipe;
    RecipeError if two would have one name.
    """
    found: dict[Path, Link] = {}
    for out in outs:
        _follow(Path(os.path.realpath(out)), found, ())
    names = [link.name for link in found.values()]
    for name in names:
        if names.count(name) > 1:
            where = ", ".join(str(link.out) for link in found.values() if link.name == name)
            raise RecipeError(f"two runs have the name {name!r}", where=where, remedy="rename one of the folders")
    return list(found.values())


def _follow(out: Path, found: dict[Path, Link], above: tuple[Path, ...]) -> None:
    if out in found:
        return
    if out in above:
        raise InputError("a run stands on itself", where=out)
    manifest = Place.of(out).at("manifest.json").read_json()
    if not isinstance(manifest, dict) or "steps" not in manifest:
        raise InputError("there is no finished run", where=out, remedy="run it again, or bring the folder back")
    if sealed(manifest) is None:
        raise InputError("the manifest of the run was changed", where=out, remedy="run it again")
    named_files = [[output, *files] for output, files in manifest["files"].items()]
    if strange := [name for names in named_files for name in names if not is_below(name)]:
        raise InputError(f"the manifest names a file outside of the run: {strange[0]!r}", where=out)
    if not manifest.get("recipe", {}).get("name"):
        remedy = "build it with `codemill run RECIPE`, so that there is a command that makes it again"
        raise InputError("this run was not made by a recipe", where=out, remedy=remedy)
    for earlier in runs_in(out, manifest):
        _follow(earlier, found, (*above, out))
    found[out] = Link(re.sub(r"[^\w.-]", "-", out.name) or "run", out, manifest)


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
