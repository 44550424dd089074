"""What a list shows, as its address says it: the whole state is in the URL, so that a view can be sent to a colleague.

q=words            in repo/path, all of them
text=words         in the content of the corpus, as one piece
language=python    a value of a facet (`rows.FACETS`), several if repeated; language= for files without one
signal.NAME=1..20  a range of a signal or of size, either end may be left out
show=NAME          the signal whose histogram is shown
sort=NAME, -NAME   by name, by size or a signal, upwards or downwards
page=2             from 1
after=5000         rows of the corpus that a search of contents has passed
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np
from starlette.datastructures import QueryParams

from codemill.errors import RecipeError
from codemill.rules import Values
from codemill.view.rows import FACETS, Mask, Places, Rows

PAGE = 50  # rows of a list
LONGEST = 500  # characters of a search

Range = tuple[float | None, float | None]


@dataclass(frozen=True)
class Query:
    """The state of a list."""

    q: str = ""
    text: str = ""
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    show: str = ""
    sort: str = ""
    page: int = 1
    after: int = 0

    @classmethod
    def parse(cls, given: QueryParams) -> Query:
        """Reads an address. Raises: RecipeError for a number or a range that is none."""
        ranges = {}
        for key in given:
            if key.startswith("signal."):
                ranges[key.removeprefix("signal.")] = _range(key, given[key])
        for name in [
            name.removeprefix("low.") for name in given if name.startswith("low.")
        ]:  # from a form's two fields
            ranges[name] = _range(name, f"{given['low.' + name]}..{given.get('high.' + name, '')}")
        return cls(
            q=given.get("q", "").strip()[:LONGEST],
            text=given.get("text", "")[:LONGEST],
            facets={name: tuple(dict.fromkeys(given.getlist(name))) for name in FACETS if name in given},
            ranges={name: ends for name, ends in ranges.items() if ends != (None, None)},
            show=given.get("show", ""),
            sort=given.get("sort", ""),
            page=whole("page", given.get("page", "1"), 1),
            after=whole("after", given.get("after", "0"), 0),
        )

    def pairs(self) -> list[tuple[str, str]]:
        """The state as names and values, in one order, without what is as it is by default."""
        found = [(name, getattr(self, name)) for name in ("q", "text")]
        found += [(name, value) for name in FACETS for value in self.facets.get(name, ())]
        found += [(f"signal.{name}", "..".join(map(shown, ends))) for name, ends in sorted(self.ranges.items())]
        found += [("show", self.show), ("sort", self.sort)]
        found += [("page", str(self.page) if self.page > 1 else ""), ("after", str(self.after) if self.after else "")]
        return [(name, value) for name, value in found if value or name in FACETS]

    def url(self, **changes: Any) -> str:
        """The address of this state with some changes: on the first page, unless that is what changes."""
        return "?" + urlencode(replace(self, **{"page": 1, "after": 0, **changes}).pairs())

    def toggled(self, facet: str, value: str) -> str:
        """The address with a value of a facet added, or taken away if it is there."""
        chosen = self.facets.get(facet, ())
        chosen = tuple(v for v in chosen if v != value) if value in chosen else (*chosen, value)
        facets = {**self.facets, facet: chosen}
        return self.url(facets={name: values for name, values in facets.items() if values})

    def without(self, name: str) -> str:
        """The address without the range of a signal."""
        return self.url(ranges={other: ends for other, ends in self.ranges.items() if other != name})


@dataclass(frozen=True)
class Answer:
    """What a query finds."""

    places: Places  # the rows of the page
    total: int
    mask: Mask
    counts: Mapping[str, Mapping[str, int]]  # of each value of each facet, among what the other criteria find
    around: Mask  # what all criteria but the range of the shown signal find


def answer(rows: Rows, numbers: Callable[[str], Values], query: Query) -> Answer:
    """Filters, counts and sorts. `numbers` gives the values of a signal, or of size.

    Raises: RecipeError for an unknown signal.
    """
    masks: dict[str, Mask] = {"": rows.named(query.q) if query.q else np.ones(len(rows), dtype=bool)}
    masks |= {name: rows.facets[name].where(values) for name, values in query.facets.items()}
    for name, (low, high) in query.ranges.items():
        values = numbers(name)
        masks[f"signal.{name}"] = (values >= (-np.inf if low is None else low)) & (
            values <= (np.inf if high is None else high)
        )
    mask = _all(masks)
    counts = {name: rows.facets[name].counts(_all(masks, but=name) if name in masks else mask) for name in FACETS}
    around = _all(masks, but=f"signal.{query.show}")
    places = np.flatnonzero(mask)
    first, last = (query.page - 1) * PAGE, query.page * PAGE
    if query.sort:
        values = numbers(query.sort.removeprefix("-"))[places]
        shown = places[smallest(-values if query.sort.startswith("-") else values, last)[first:]]
    else:
        shown = places[first:last]
    return Answer(shown, len(places), mask, counts, around)


def smallest(values: Values, n: int) -> Places:
    """Where the `n` smallest values are, in order; of equal ones the first. NaN comes last. Sorts no others.

    >>> smallest(np.array([3.0, 1.0, np.nan, 1.0, 2.0]), 3).tolist()
    [1, 3, 4]
    """
    values = np.where(np.isnan(values), np.inf, values)
    if n >= len(values):
        return np.argsort(values, kind="stable")
    limit = np.partition(values, n - 1)[n - 1]
    below = np.flatnonzero(values < limit)
    chosen = np.concatenate([below, np.flatnonzero(values == limit)[: n - len(below)]])
    return chosen[np.argsort(values[chosen], kind="stable")]


def _all(masks: Mapping[str, Mask], but: str | None = None) -> Mask:
    found = masks[""].copy()
    for name, mask in masks.items():
        if name not in ("", but):
            found &= mask
    return found


def shown(number: float | None) -> str:
    """A number as an address has it.

    >>> shown(0.25), shown(30.0), shown(None)
    ('0.25', '30', '')
    """
    return "" if number is None else f"{number:.12g}"


def number(name: str, text: str) -> float | None:
    """A number from an address, None where nothing stands. Raises: RecipeError if it is none."""
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RecipeError(f"{name} is a number, got {text[:60]!r}")
    return value


def _range(name: str, text: str) -> Range:
    low, dots, high = text.partition("..")
    if not dots:
        raise RecipeError(f"{name} is a range such as 1..20, got {text[:60]!r}")
    return number(name, low), number(name, high)


def whole(name: str, text: str, least: int) -> int:
    """A whole number from an address. Raises: RecipeError if it is none, or too small."""
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) >= least):
        raise RecipeError(f"{name} is a whole number from {least}, got {text[:60]!r}")
    return int(text)
