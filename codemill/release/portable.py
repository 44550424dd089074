"""Manifests and commands that name no place of this machine: runs by their names, inputs by the folder `inputs`."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codemill.machine.store import seal
from codemill.release.chain import Link
from codemill.run import named
from codemill.teacher.teachers import DIGEST


def moved(value: Any, link: Link, links: Sequence[Link]) -> Any:
    """Plain data of a run's manifest with each path of a run of the chain as `NAME/…`.

    Other absolute paths keep their last part only, also behind the kind of what is there, as in `local:/models/small`.
    """
    places = {str(other.out): other.name for other in links}

    def one(text: str) -> str:
        kind, _, path = text.partition(":")
        if path.startswith("/") and not path.startswith("//") and kind.isalpha():
            return f"{kind}:{one(path)}"
        real = os.path.realpath(named(link.out, text))
        for place, name in places.items():
            if real == place or real.startswith((place + os.sep, place + ":")):  # a run, inside it, or RUN:OUTPUT
                return name + real[len(place) :]
        return Path(text).name if text.startswith("/") else text

    def each(value: Any) -> Any:
        if isinstance(value, str):
            return one(value) if value and "\n" not in value and len(value) < 4096 else value
        if isinstance(value, Mapping):
            return {name: each(inner) for name, inner in value.items()}
        return [each(inner) for inner in value] if isinstance(value, list | tuple) else value

    return each(value)


def manifest_of(link: Link, links: Sequence[Link]) -> dict[str, Any]:
    """A run's manifest as it stands in the release, sealed again."""
    told = {name: moved(link.manifest[name], link, links) for name in ("inputs", "recipe", "steps")}
    notes = {"inputs": [{**given, "notes": []} for given in told["inputs"]]}
    return seal({**link.manifest, **told, **notes})


def command(link: Link, links: Sequence[Link]) -> str:
    """The command that makes a run again, beside the release. What it read from outside is in the folder `inputs`."""
    file, _, function = link.recipe.partition(":")
    recipe = link.recipe
    if file.endswith(".py"):
        recipe = f"../{link.name}/{Path(file).name}" + (f":{function}" if function else "")
    words = ["codemill", "run", recipe]
    if link.manifest["inputs"]:
        words += ["--input", f"inputs/{link.name}"]
    for name, value in link.manifest["recipe"].get("parameters", {}).items():
        many = isinstance(value, list | tuple)
        told = [_told(one, link, links) for one in (value if many else [value])]
        words += _option(name, told if many else told[0])
    return shlex.join([*words, "--out", link.name])


def is_outside(text: str, link: Link, links: Sequence[Link]) -> bool:
    """Whether a parameter names a file or folder that is there and of no run of the chain. A bare word does not: it may
    be a language or an output, and stand beside a folder of that name by chance."""
    if not (os.sep in text or Path(text).suffix):
        return False
    place = Path(os.path.realpath(named(link.out, text)))
    return os.path.exists(place) and not any(place.is_relative_to(other.out) for other in links)


def carried(link: Link, text: str) -> str:
    """The name, below inputs/ of a release, of a file or folder that a parameter of a run names: two of one name in two
    folders stay apart."""
    return f"{link.name}.{hashlib.sha256(text.encode()).hexdigest()[:8]}.{Path(text).name}"


def _told(value: Any, link: Link, links: Sequence[Link]) -> Any:
    """A parameter as it is beside the release. A local teacher is its answers in the store, by the digest of its
    weights: its folder is in no release."""
    if isinstance(value, str) and is_outside(value, link, links):
        return f"../inputs/{carried(link, value)}"
    if isinstance(value, str) and value.startswith("local:"):
        for step in link.manifest["steps"]:
            for teacher in (step.get("parameters") or {}).values():
                if isinstance(teacher, Mapping) and Path(str(teacher.get("folder"))).name == Path(value[6:]).name:
                    return f"replay:local:{DIGEST}{teacher['digest']}"
    return moved(value, link, links)


def _option(name: str, value: Any) -> list[str]:
    """A parameter of a recipe as an option of `codemill run`.

    >>> _option("fim_rate", 0.5), _option("ranked", False), _option("web", None), _option("langs", ["c", "go"])
    (['--fim-rate', '0.5'], ['--no-ranked'], [], ['--langs', 'c', '--langs', 'go'])
    """
    option = name.replace("_", "-")
    if value is None:
        return []
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    if isinstance(value, list | tuple):
        return [word for one in value for word in (f"--{option}", str(one))]
    return [f"--{option}", str(value)]
