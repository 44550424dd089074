"""Where inputs lay: kept in `.work`, never published.

OUT is given to others, and the folders of a machine are nobody else's business: a path stands in OUT/manifest.json by
its last part. The whole of it is in OUT/.work/places.json, for those who follow a row back to its file here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from codemill.machine.store import Place, seal

TOLD = ("inputs", "recipe", "steps")
"""What of a manifest can name places."""


def without_places(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with every absolute path of this machine cut to its last part, also where a sentence has it.

    >>> made = {"inputs": [{"source": {"path": "/home/ann/code"}, "notes": ["/home/ann/code/x was not read"]}]}
    >>> without_places(made)
    {'inputs': [{'source': {'path': 'code'}, 'notes': ['code/x was not read']}]}
    """
    told = {name: manifest[name] for name in TOLD if name in manifest}
    named = [[given.get("source") for given in told.get("inputs", ())], told.get("recipe"), told.get("steps")]
    places = {text for text in _strings(named) if text.startswith("/") and text.strip("/")}
    above = sorted({text.rstrip("/").rpartition("/")[0] + "/" for text in places} - {"/"}, key=len, reverse=True)

    # Where a path begins, not within another one: "**/src/tests" stays as it is beside an input below /src.
    begins = re.compile(r"(?:^|(?<=[\s\"'(=:,]))(?:" + "|".join(map(re.escape, above)) + ")") if above else None

    def cut(value: Any) -> Any:
        if isinstance(value, str):
            return begins.sub("", value) if begins else value
        if isinstance(value, Mapping):
            return {name: cut(v) for name, v in value.items()}
        return [cut(v) for v in value] if isinstance(value, list | tuple) else value

    return {**manifest, **cut(told)}


def publish_manifest(out: Place, manifest: Mapping[str, Any]) -> None:
    """Writes OUT/manifest.json without places, sealed, and before it what it leaves out."""
    published = seal(without_places(manifest))
    told = {name: manifest[name] for name in TOLD if name in manifest}
    out.at(".work", "places.json").write_json({"of": published["sha256"], **told})
    out.at("manifest.json").write_json(published, indent=1)


def with_places(out: Place, manifest: dict[str, Any]) -> dict[str, Any]:
    """A published manifest with the places that are known here: as it was published where `.work` is gone, or is of
    another run."""
    known = out.at(".work", "places.json").read_json()
    if not isinstance(known, dict) or "sha256" not in manifest or known.get("of") != manifest["sha256"]:
        return manifest
    return {**manifest, **{name: known[name] for name in TOLD if name in known}}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(inner)
