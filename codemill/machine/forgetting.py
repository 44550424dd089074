"""What lies under `.work` and belongs to no table of the published result: files of older parameters and inputs.

The machine never deletes them itself, because the next run may want them again: of two thresholds tried in turn both
stay built. A working file is as large as what it holds, so over many experiments they add up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow.fs as pafs

from codemill.errors import InputError
from codemill.machine.output import locked
from codemill.machine.store import Place, sealed

_NAME = re.compile(r"\w+(\.\w+)*")  # of a step
_OURS = ("tables", "publish")  # folders below .work that are no step's


@dataclass(frozen=True)
class Stale:
    """Files below `.work` that can go: `files` of them with `bytes`, by step."""

    step: str
    files: tuple[Place, ...]
    bytes: int


def stale(out: Place) -> list[Stale]:
    """What the published result in `out` does not need, by step; steps without any are left out.

    Raises: InputError if there is no finished run, or its manifest was edited: then nothing says what is needed.
    """
    manifest = sealed(out.at("manifest.json").read_json())
    if manifest is None:
        what = "no finished run here, so nothing says what can be forgotten"
        raise InputError(what, where=out.uri, remedy="let the run finish first")
    needed: dict[str, set[str]] = {}
    for entry in manifest["steps"]:
        needed.setdefault(str(entry["name"]), set()).add(str(entry["key"]))
    work, found = out.at(".work"), []
    for step in work.folders():
        if step not in _OURS and _NAME.fullmatch(step):
            files = list(_stale_of(work, step, needed.get(step, set())))
            if files:
                found.append(Stale(step, tuple(place for place, _ in files), sum(size for _, size in files)))
    return found


def forget(out: Place) -> list[Stale]:
    """Deletes what `stale` finds, and returns it. Raises: as `stale`; EnvironmentProblem while a run is using it."""
    with locked(out):
        found = stale(out)
        for place in (place for entry in found for place in entry.files):
            place.remove()
        return found


def _stale_of(work: Place, step: str, keys: Iterable[str]) -> Iterator[tuple[Place, int]]:
    """The files of a step that no table of these keys names, its other tables' manifests last: a reader that comes in
    between finds a table whose files are missing, which is built again."""
    tables, kept = work.at("tables", step), set[str]()
    for key in keys:
        facts = sealed(tables.at(f"{key}.json").read_json())
        names = facts["files"] if facts else []
        kept |= {f"{key}/{name}" for name in names} if isinstance(names, dict) else {r["name"] for r in names}
    for name, size in _below(work.at(step)):
        folder, _, rest = name.partition("/")
        receipts = rest.startswith(".receipts/") and folder in keys
        if name not in kept and not receipts:
            yield work.at(step, name), size
    for name, size in tables.names().items():
        if name.removesuffix(".json") not in keys:
            yield tables.at(name), size


def _below(folder: Place) -> Iterator[tuple[str, int]]:
    """All files below a folder, links apart, with their sizes."""
    filesystem, path = folder.open()
    selector = pafs.FileSelector(path, recursive=True, allow_not_found=True)
    for info in sorted(filesystem.get_file_info(selector), key=lambda info: str(info.path)):
        if info.type == pafs.FileType.File:
            yield str(info.path)[len(path.rstrip("/")) + 1 :], info.size
