"""What people should know of a listing, in words."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "repository", "repositories"), count(2, "link")
    ('1 repository', '2 links')
    """
    return f"{number} {one if number == 1 else many or one + 's'}"


def some(names: Collection[str], most: int = 8) -> str:
    """The first few names, and how many more there are. A line may be printed: what would break it is escaped.

    >>> some(["a", "b", "c"], most=2)
    'a, b … 1 more'
    """
    shown = ", ".join(name if name.isprintable() else ascii(name) for name in islice(names, most))
    return shown + (f" … {len(names) - most} more" if len(names) > most else "")


def repositories(number: int) -> str:
    """A number of repositories."""
    return count(number, "repository", "repositories")


def holds(kind: str, names: Collection[str], more: str = "") -> str:
    """The first note of a listing: what the input was taken for, and which repositories were found in it.

    >>> holds("git", ["a/b", "c/d"])
    'git: 2 repositories: a/b, c/d'
    """
    return f"{kind}: {repositories(len(names))}{more}" + (f": {some(names)}" if names else "")
