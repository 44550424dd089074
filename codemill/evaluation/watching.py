"""How far an evaluation is: what comes by is counted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

One = TypeVar("One")

SILENCE = 10.0
"""Seconds between lines where there is no terminal: a log stays readable."""


class Watch(Protocol):
    """Hands on what there is, one by one, and counts it. `total` is how many there will be."""

    def __call__(self, what: str, items: Iterable[One], total: int) -> Iterator[One]:
        """The same items, in their order."""


def unwatched(what: str, items: Iterable[One], total: int) -> Iterator[One]:
    """Says nothing."""
    yield from items


class Shown:
    """A bar with the time that is left on a terminal; without one, a line at most every ten seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def __call__(self, what: str, items: Iterable[One], total: int) -> Iterator[One]:
        """See `Watch`."""
        yield from (self._bar if self.console.is_terminal else self._lines)(what, items, total)

    def _bar(self, what: str, items: Iterable[One], total: int) -> Iterator[One]:
        columns = (
            TextColumn("  {task.description:<24}"), BarColumn(bar_width=32), MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
        )  # fmt: skip
        with Progress(*columns, console=self.console, transient=True) as bar:
            row = bar.add_task(what, total=total)
            for one in items:
                yield one
                bar.advance(row)

    def _lines(self, what: str, items: Iterable[One], total: int) -> Iterator[One]:
        since = spoke = time.monotonic()
        for done, one in enumerate(items, 1):
            yield one
            now = time.monotonic()
            if now - spoke > SILENCE:
                spoke, rate = now, done / (now - since)
                left = (total - done) / rate
                self.console.print(
                    f"  {what}: {done:,} of {total:,}, {rate:,.1f} a second, about {left:,.0f} s left", highlight=False
                )
