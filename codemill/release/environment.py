"""The packages that wrote a release. Rows come out the same with others; the bytes of Parquet name their writer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

EXTRAS = ("local-teacher", "tokens", "train", "view", "web")
"""Parts of codemill that a run may need."""


def packages() -> list[str]:
    """The installed packages that codemill and its parts stand on, all the way down, as pip's constraints.

    >>> [line for line in packages() if line.startswith("pyarrow==")] != []
    True
    """
    found = dict(_below("codemill", frozenset(EXTRAS), set()))
    return [f"{name}=={version}" for name, version in sorted(found.items()) if name != "codemill"]


def _below(name: str, extras: frozenset[str], seen: set[str]) -> Iterator[tuple[str, str]]:
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return
    seen.add(key)
    try:
        there = distribution(name)
    except PackageNotFoundError:
        return
    yield key, there.version
    for text in there.requires or ():
        of = re.search(r"extra\s*==\s*['\"]([\w.-]+)['\"]", text)
        needed = re.match(r"[\w.-]+", text)
        if needed and (of is None or of[1] in extras):
            yield from _below(needed[0], frozenset(), seen)
