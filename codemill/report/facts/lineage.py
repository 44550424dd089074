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
    """All runs that a run stands on, those first that stand on no other; None if there is none on this disk.

    A folder whose manifest cannot be understood is left out: a report is about its own run.
    """
    if run.folder.local is None:
        return None
    origin = Path(os.path.realpath(run.out))
    ancestors: dict[Path, Ancestor] = {}
    _follow(origin, run, origin, {origin}, ancestors)
    return tuple(ancestors.values()) or None


def _follow(place: Path, run: Run, origin: Path, seen: set[Path], ancestors: dict[Path, Ancestor]) -> None:
    """Adds the runs that a run read, each behind those that it read itself."""
    for earlier in runs_in(place, {**run.manifest, "steps": run.manifest["tables"]}, strict=False):
        if earlier in seen or len(seen) > MOST:
            continue
        seen.add(earlier)
        try:
            other = Run.open(earlier)
            told = _told(earlier, other, origin)
            _follow(earlier, other, origin, seen, ancestors)
        except (CodemillError, KeyError, TypeError, AttributeError):
            continue
        ancestors[earlier] = told


def _told(place: Path, run: Run, origin: Path) -> Ancestor:
    page = place / REPORT
    return Ancestor(
        place.name,
        str(run.manifest["recipe"].get("name") or ""),
        int(run.manifest["kept"]["rows"]),
        str(run.manifest.get("fingerprint") or "")[:12],
        Path(os.path.relpath(page, origin)).as_posix() if page.is_file() else None,
    )
