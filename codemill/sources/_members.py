"""What reading an archive yields, and how far it may go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Ceilings for one archive; see the fields of `Archive`."""

    file_bytes: int
    members: int
    total_bytes: int
    ratio: int


@dataclass(frozen=True)
class Member:
    """A member as it is stored. `name` may hold surrogates for bytes that are not UTF-8; it is not trusted yet."""

    name: str
    size: int  # as declared, or as found if it was read
    raw: bytes | None = None
    reason: str | None = None
    detail: str | None = None
    time: float | None = None  # seconds since 1970
