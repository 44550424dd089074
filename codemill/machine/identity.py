"""What a thing is, as plain data in one form only: the alphabet in which fingerprints are written.

A fingerprint never has a path, a host, an engine, a number of workers or a device in it. There is one encoder, and it
refuses what is not plain data. (From: Marin's lazy artifacts: a permissive encoder forks identities in silence.)
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from codemill.errors import RecipeError

_TYPE = "\0type"
"""The key of a dataclass's name. No field and no key of a mapping is called so: the latter are refused."""


def canonical(value: Any, *, where: str) -> Any:
    """Plain data in one form only, ready for JSON, as it enters a fingerprint.

    None, bool, int, finite float, str, lists and tuples, dicts with string keys, frozen dataclasses of these. The
    fields that a dataclass names in `PLACES` say where it is and not what, and are left out.
    Raises: RecipeError on anything else.
    """
    return _encode(value, where, shown=False)


def shown(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as people see them in a manifest: everything, places too, as plain JSON."""
    return {name: _encode(value, name, shown=True) for name, value in params.items()}


def _encode(value: Any, where: str, *, shown: bool) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise RecipeError(f"a parameter must be finite, got {value}", where=where)
        return value
    if isinstance(value, list | tuple):
        return [_encode(v, f"{where}[{i}]", shown=shown) for i, v in enumerate(value)]
    if isinstance(value, Mapping):
        for k in value:
            if not isinstance(k, str) or k.startswith("\0"):
                raise RecipeError(f"keys of a parameter must be strings, got {k!r}", where=where)
        return {k: _encode(v, f"{where}[{k!r}]", shown=shown) for k, v in sorted(value.items())}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        places = () if shown else getattr(value, "PLACES", ())
        names = [f.name for f in dataclasses.fields(value) if f.name not in places]
        fields = {name: _encode(getattr(value, name), f"{where}.{name}", shown=shown) for name in names}
        return {"kind" if shown else _TYPE: type(value).__name__, **fields}
    raise RecipeError(
        f"a parameter must be plain data, got {type(value).__name__}",
        where=where,
        remedy="pass numbers, strings, lists, dicts or frozen dataclasses of these",
    )


def digest(value: Any) -> str:
    """Fingerprint of plain data: 20 hex digits (80 bits) of the SHA-256 of its canonical JSON."""
    text = json.dumps(canonical(value, where="fingerprint"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def digest_of(names: Iterable[str]) -> str:
    """The same for many fingerprints in order, without the detour through JSON."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:20]
