"""The runs that a run was made of, nearest last, with the way to their reports."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from codemill.errors import CodemillError
from codemill.lineage import runs_in
from codemill.run import Run

MOST = 100  # runs that are named
REPORT = "report.html"


@dataclass(frozen=True)
class Ancestor:
    """A run that this one, or one that it read, has read."""

    name: str  # of its folder
    recipe: str
    kept: int  # rows of its first output
    fingerprint: str
    report: str | None  # its report, from this run's folder on; None if it has none


def gather(run: Run) -> tuple[Ancestor, ...] | None:
    """All runs that a run stands on, those first that stand on no other; None if there is none on this disk."""
    if run.folder.local is None:
        return None
    found: dict[Path, Ancestor | None] = {}
    here = Path(os.path.realpath(run.out))
    _follow(here, run, here, found)
    ancestors = tuple(one for one in found.values() if one is not None)
    return ancestors or None


def _follow(place: Path, run: Run, origin: Path, found: dict[Path, Ancestor | None]) -> None:
    found[place] = None  # so that a run that names itself is followed once
    for earlier in runs_in(place, {**run.manifest, "steps": run.manifest["tables"]}, strict=False):
        if earlier not in found and len(found) <= MOST:
            try:
                other = Run.open(earlier)
            except CodemillError:
                continue
            _follow(earlier, other, origin, found)
    if place != origin:
        page = place / REPORT
        found[place] = found.pop(place) or Ancestor(
            place.name,
            str(run.manifest["recipe"].get("name") or ""),
            int(run.manifest["kept"]["rows"]),
            str(run.manifest.get("fingerprint") or "")[:12],
            Path(os.path.relpath(page, origin)).as_posix() if page.is_file() else None,
        )
