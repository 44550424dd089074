"""Progress for people and machines: a bar with rate and ETA on a terminal, plain lines in a log, JSON lines."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


@dataclass(frozen=True)
class Forecast:
    """What a step says it will take, before it begins: `words` for people, `facts` for machines, and an `example` of
    what it will do."""

    words: tuple[str, ...]
    facts: Mapping[str, Any]
    example: str = ""


def per_second(rate: float) -> str:
    """Bytes a second as people read them: steps that train or ask a teacher pass kilobytes.

    >>> per_second(123_456_789), per_second(3_400_000), per_second(56_000), per_second(70)
    ('123 MB/s', '3.4 MB/s', '56 kB/s', '0.07 kB/s')
    """
    number, unit = (rate / 1e6, "MB/s") if rate >= 1e6 else (rate / 1e3, "kB/s")
    return f"{number:,.0f} {unit}" if number >= 10 else f"{number:.2g} {unit}"


class Progress(Protocol):
    """What a build tells while it runs. Bytes are bytes of content, so rates compare across steps."""

    def begin(self, step: str, *, total: int, done: int) -> None:
        """A step starts; `done` bytes of it were there already."""

    def expects(self, step: str, forecast: Forecast) -> None:
        """A step that is about to start says what it will take."""

    def running(self) -> contextlib.AbstractContextManager[None]:
        """Surrounds the work of a step."""

    def advance(self, size: int) -> None:
        """A task of the step is done."""

    def told(self, label: str, facts: Mapping[str, float]) -> None:
        """A task that goes on says how. `facts` are counts of the step so far, in all its parts."""

    def step_done(self, entry: dict[str, Any]) -> None:
        """A step is done and its books add up; `entry` is its entry in the manifest."""

    def note(self, text: str) -> None:
        """Something a person should know."""


class Silent:
    """Says nothing: for notebooks and tests."""

    def begin(self, step: str, *, total: int, done: int) -> None:
        """See `Progress`."""

    def expects(self, step: str, forecast: Forecast) -> None:
        """See `Progress`."""

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """See `Progress`."""
        yield

    def advance(self, size: int) -> None:
        """See `Progress`."""

    def told(self, label: str, facts: Mapping[str, float]) -> None:
        """See `Progress`."""

    def step_done(self, entry: dict[str, Any]) -> None:
        """See `Progress`."""

    def note(self, text: str) -> None:
        """See `Progress`."""


class Terminal(Silent):
    """A bar per step on a terminal; without one, a line at most every ten seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.step, self.total, self.done, self.before = "", 0, 0, 0
        self.since = self.spoke = time.monotonic()
        self.bar: RichProgress | None = None
        self.row: TaskID | None = None

    def begin(self, step: str, *, total: int, done: int) -> None:
        """See `Progress`."""
        self.step, self.total, self.done, self.before = step, total, done, done
        self.since = self.spoke = time.monotonic()

    def expects(self, step: str, forecast: Forecast) -> None:
        """See `Progress`."""
        for number, line in enumerate(forecast.words):
            self.console.print(f"{'  ' if number else ''}  {line}", highlight=False, markup=False)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """See `Progress`."""
        if not self.console.is_terminal:
            yield
            return
        columns = (
            TextColumn("  {task.description:<18}"),
            BarColumn(bar_width=32),
            TextColumn("{task.fields[rate]:>9}"),
            TimeRemainingColumn(compact=True),
        )
        with RichProgress(*columns, console=self.console, transient=True) as self.bar:
            self.row = self.bar.add_task(self.step, total=max(1, self.total), completed=self.done, rate="")
            yield
        self.bar = None

    def advance(self, size: int) -> None:
        """See `Progress`."""
        self.done += size
        now = time.monotonic()
        rate = (self.done - self.before) / max(1e-9, now - self.since)
        if self.bar is not None and self.row is not None:
            self.bar.update(self.row, completed=self.done, rate=per_second(rate))
        elif now - self.spoke > 10 and self.done < self.total:
            self.spoke = now
            left = (self.total - self.done) / max(1.0, rate)
            self.console.print(
                f"  {self.step}: {self.done / self.total:.0%}, {per_second(rate)}, about {left:,.0f} s left"
            )

    def told(self, label: str, facts: Mapping[str, float]) -> None:
        """See `Progress`."""
        now = time.monotonic()
        words = told_words(facts)
        if self.bar is not None and self.row is not None:
            self.bar.update(self.row, rate="", description=f"{self.step}  {words}")
        elif now - self.spoke > 10:
            self.spoke = now
            self.console.print(f"  {self.step}: {words}", highlight=False)

    def step_done(self, entry: dict[str, Any]) -> None:
        """See `Progress`."""
        lost = entry["rows_in"] - entry["rows_out"]
        worst = next(iter(entry["dropped"]), None)
        why = f"  −{lost:,} ({worst}{' …' if len(entry['dropped']) > 1 else ''})" if worst else ""
        files, size = entry.get("files", entry["rows_out"]), entry.get("file_bytes", entry["bytes_out"])
        rate = per_second(entry["bytes_in"] / max(1e-3, entry["seconds"])) if entry["bytes_in"] else ""
        how = "cached" if entry["cached"] else rate
        much = "" if size is None else f"{size / 1e6:,.1f} MB"  # the size of an earlier run's files is not known
        self.console.print(
            f"  {entry['name']:<18} {files:>12,} files {much:>14} {entry['seconds']:>7.1f} s  {how:>9}{why}".rstrip(),
            highlight=False,
        )
        for name, count in entry.get("counts", {}).items():
            self.console.print(f"    {name} {count:,}", highlight=False)

    def note(self, text: str) -> None:
        """See `Progress`."""
        self.console.print(f"  {text}", highlight=False)


class JsonLines(Silent):
    """One JSON object per event, for machines."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.step, self.total, self.done, self.spoke = "", 0, 0, 0.0

    def _say(self, event: str, **fields: Any) -> None:
        print(json.dumps({"event": event, **fields}), file=self.stream, flush=True)

    def begin(self, step: str, *, total: int, done: int) -> None:
        """See `Progress`."""
        self.step, self.total, self.done, self.spoke = step, total, done, time.monotonic()
        self._say("begin", step=step, bytes=total, bytes_done=done)

    def expects(self, step: str, forecast: Forecast) -> None:
        """See `Progress`."""
        self._say("forecast", step=step, **forecast.facts)

    def advance(self, size: int) -> None:
        """See `Progress`. At most one event a second."""
        self.done += size
        if time.monotonic() - self.spoke > 1:
            self.spoke = time.monotonic()
            self._say("progress", step=self.step, bytes=self.total, bytes_done=self.done)

    def told(self, label: str, facts: Mapping[str, float]) -> None:
        """See `Progress`."""
        self._say("told", step=self.step, task=label, **facts)

    def step_done(self, entry: dict[str, Any]) -> None:
        """See `Progress`."""
        self._say("step", **entry)

    def note(self, text: str) -> None:
        """See `Progress`."""
        self._say("note", text=text)


def told_words(facts: Mapping[str, float]) -> str:
    """Facts that a step tells of itself, in a line: those of rows as a share, those with `seconds` as rates.

    >>> told_words({"rows": 40, "accepted": 10, "completion": 5000, "seconds": 10.0, "cost": 0.25, "stored": 0})
    '40 rows, 25% accepted, 500 completion/s, 0.25 cost'
    """
    facts = dict(facts)
    rows, accepted, seconds = facts.pop("rows", 0), facts.pop("accepted", 0), facts.pop("seconds", 0)
    words = [f"{rows:,} rows, {accepted / max(1, rows):.0%} accepted"]
    for name, value in facts.items():
        if name in RATES and seconds:
            words.append(f"{value / seconds:,.0f} {name}/s")
        elif value and name not in RATES:
            words.append(f"{value:,.4g} {name}" if isinstance(value, float) else f"{value:,} {name}")
    return ", ".join(words)


RATES = frozenset({"prompt", "completion"})
"""Facts that are shown for a second: tokens."""
