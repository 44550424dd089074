"""The runs that a result stands on, found through their manifests: the first is one that stands on no other."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codemill.errors import InputError, RecipeError
from codemill.lineage import runs_in
from codemill.machine.places import with_places
from codemill.machine.publishing import is_below
from codemill.machine.store import Place, sealed


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
    manifest = with_places(Place.of(out), manifest)
    named_files = [[output, *files] for output, files in manifest["files"].items()]
    if strange := [name for names in named_files for name in names if not is_below(name)]:
        raise InputError(f"the manifest names a file outside of the run: {strange[0]!r}", where=out)
    if not manifest.get("recipe", {}).get("name"):
        remedy = "build it with `codemill run RECIPE`, so that there is a command that makes it again"
        raise InputError("this run was not made by a recipe", where=out, remedy=remedy)
    for earlier in runs_in(out, manifest):
        _follow(earlier, found, (*above, out))
    found[out] = Link(re.sub(r"[^\w.-]", "-", out.name) or "run", out, manifest)


def read_by(link: Link, links: Sequence[Link]) -> list[str]:
    """The names of the runs in the release that a run reads, in order."""
    names = {one.out: one.name for one in links}
    return sorted(names[earlier] for earlier in runs_in(link.out, link.manifest))
