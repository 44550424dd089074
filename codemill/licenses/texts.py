"""Recognises the text of a licence, by a fingerprint of its words.

A text is words, its fingerprint the smallest hashes of runs of four of them; so copyright lines, line breaks, comment
markers and small changes make no difference. The texts themselves are not here: scripts/regenerate_licenses.py makes
`fingerprints.json` from the SPDX list. A file that holds several licences is all of them.

From: Broder 1997 (containment by samples of shingles); the SPDX matching guidelines (what counts as a difference).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Set
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

RUN = 4
"""Words that are hashed together."""

SAMPLE = 256
"""Hashes of a fingerprint, the smallest; of short texts all."""

MATCHES = 0.8
"""The share of a fingerprint that a text must have. Of the 370 licence files of crates the last that should be
recognised has 0.86, and the first that should not 0.55."""

NOTICE = " notice"

MAX_CHARS = 400_000
"""Characters that are looked at: the longest licence of the list has 40,000."""

_WORD = re.compile(r"[a-z0-9]+")
_CLAIM = re.compile(
    r"^[^a-z\n]{0,20}(?:portions )?copyright\s+(?:\(c\)|©|<|\[|\d{4})[^\n]*$", re.IGNORECASE | re.MULTILINE
)
_BLANK = re.compile(r"<[^<>\n]{1,80}>|\[[^\[\]\n]{1,80}\]")  # <year>, [fullname]: what a user fills in


@dataclass(frozen=True)
class Known:
    """A licence that is recognised: its SPDX id, its full name, and what its text is told by."""

    id: str
    name: str
    words: int
    sample: frozenset[int]
    rivals: frozenset[str]  # ids of licences that share half of their text with it: of these a text is one

    @property
    def is_notice(self) -> bool:
        """Whether this is no licence but the notice that can stand in place of one."""
        return self.id.endswith(NOTICE)


def hashes(text: str) -> set[int]:
    """The hashes of all runs of `RUN` words (letters and digits of ASCII, in any case), copyright lines apart.

    >>> len(hashes("Permission is hereby granted, free of charge"))
    4
    """
    found: set[int] = set()
    for piece in _BLANK.split(_CLAIM.sub("", text[:MAX_CHARS])):
        words = _WORD.findall(piece.lower())
        found.update(zlib.crc32(" ".join(words[i : i + RUN]).encode()) for i in range(len(words) - RUN + 1))
    return found


@functools.cache
def known() -> dict[str, Known]:
    """Every licence whose text is recognised, by SPDX id.

    >>> len(known()) >= 53
    True
    """
    entries = json.loads(files("codemill.licenses").joinpath("fingerprints.json").read_text("utf-8"))
    return {
        key: Known(
            key,
            entry["name"],
            entry["words"],
            frozenset(np.frombuffer(base64.b64decode(entry["sample"]), "<u4").tolist()),
            frozenset(entry["rivals"]),
        )
        for key, entry in entries.items()
    }


@functools.cache
def fingerprint() -> str:
    """The hash of what licences are told by: part of the identity of every table they are read for."""
    folder, hash = files("codemill.licenses"), hashlib.sha256()
    for name in ("fingerprints.json", "names.toml"):
        hash.update(folder.joinpath(name).read_bytes())
    return hash.hexdigest()[:16]


@functools.cache
def _by_hash() -> dict[int, list[str]]:
    found = defaultdict(list)
    for entry in known().values():
        for hash in entry.sample:
            found[hash].append(entry.id)
    return dict(found)


def recognise(text: str) -> tuple[str, ...]:
    """The SPDX ids of the licences whose texts a text holds, sorted; none if it holds no text that is known.

    The text of a licence of the GNU family does not say whether later versions count too: it is taken as "-only".

    >>> recognise("Anyone may do as they like.")
    ()
    """
    there, index = hashes(text), _by_hash()
    counted = Counter(name for hash in there for name in index.get(hash, ()))
    hits = [known()[name] for name, n in counted.items() if n >= MATCHES * len(known()[name].sample)]
    hits = [one for one in hits if not one.is_notice] or hits
    chosen: list[Known] = []
    for one in sorted(hits, key=lambda one: (-one.words, one.id)):
        rivals = [other for other in chosen if other.id in one.rivals]
        if all(_closer(one, other, there) for other in rivals):
            chosen = [*(other for other in chosen if other not in rivals), one]
    return tuple(sorted({one.id.removesuffix(NOTICE) for one in chosen}))


def _closer(one: Known, other: Known, there: Set[int]) -> bool:
    """Whether a text is rather `one` than `other`, which is longer, by that in which they differ."""
    last = min(max(one.sample), max(other.sample))  # up to here both samples are complete
    mine = {hash for hash in one.sample - other.sample if hash <= last}
    theirs = {hash for hash in other.sample - one.sample if hash <= last}
    more, less = len(theirs & there), len(mine & there)
    return 2 * more < len(theirs) or less > more  # of what the longer one has more, half must be there
