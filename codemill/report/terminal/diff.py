"""A diff in the terminal: side by side where there is room, else unified. Control characters show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from codemill.report import words

WIDE = 120
"""Columns from which on two texts fit beside each other: 50 characters of each."""

KEPT, DROPPED, SOFT = "dark_goldenrod", "red", "dim"


@dataclass(frozen=True)
class DiffView:
    """What `facts.diffs.diff` returns, for rich to print in the width that there is."""

    diff: dict[str, Any]
    titles: tuple[str, str] = ("kept", "dropped")  # of the two texts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Chooses the layout."""
        rows, notes = self.diff["rows"], [Text(note, SOFT) for note in self.diff["notes"]]
        if not rows:
            yield Group(*notes)
            return
        table = (_side_by_side if options.max_width >= WIDE else _unified)(rows, self.titles)
        yield Group(table, *notes)


def _side_by_side(rows: list[dict[str, Any]], titles: tuple[str, str]) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(justify="right", style=SOFT, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(no_wrap=True)
    table.add_column(justify="right", style=SOFT, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_row("", Text(titles[0], KEPT), "", "", Text(titles[1], DROPPED))
    for row in rows:
        kept, dropped = row["kept"], row["dropped"]
        if row["kind"] == "gap":
            table.add_row("", _gap(row), "", "", "")
        elif row["kind"] == "same":
            table.add_row(_number(kept), _line(kept["text"]), Text("│", SOFT), _number(dropped), _line(dropped["text"]))
        else:
            left, right = _changed(row)
            sign = "≠" if kept and dropped else "<" if kept else ">"
            table.add_row(_number(kept), left, Text(sign, "bold"), _number(dropped), right)
    return table


def _unified(rows: list[dict[str, Any]], titles: tuple[str, str]) -> Table:
    """As `diff -u` has it: of neighbouring changed lines first what was kept, then what was dropped."""
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style=SOFT, no_wrap=True)
    table.add_column(justify="right", style=SOFT, no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("", "", Text("-", KEPT), Text(titles[0], KEPT))
    table.add_row("", "", Text("+", DROPPED), Text(titles[1], DROPPED))
    waiting: list[tuple[str, Text]] = []
    for row in [*rows, None]:
        if row is not None and row["kind"] == "changed":
            left, right = _changed(row)
            if row["kept"]:
                table.add_row(_number(row["kept"]), "", Text("-", KEPT), left)
            if row["dropped"]:
                waiting.append((_number(row["dropped"]), right))
            continue
        for number, text in waiting:
            table.add_row("", number, Text("+", DROPPED), text)
        waiting = []
        if row is not None and row["kind"] == "gap":
            table.add_row("", "", "", _gap(row))
        elif row is not None:
            table.add_row(_number(row["kept"]), _number(row["dropped"]), "", _line(row["kept"]["text"]))
    return table


def _gap(row: dict[str, Any]) -> Text:
    return Text(f"… {words.plural(row['left_out'], 'equal line')}", SOFT)


def _number(side: dict[str, Any] | None) -> str:
    return str(side["line"]) if side else ""


def _line(text: str) -> Text:
    return Text(words.printable(text, keep="\t").expandtabs(4), SOFT)


def _changed(row: dict[str, Any]) -> tuple[Text, Text]:
    """Both sides of a changed row, what differs in bold; white space is made visible where it alone differs."""
    old, new = (row[side]["text"] if row[side] else None for side in ("kept", "dropped"))
    if old is None or new is None:
        return _styled(old, KEPT), _styled(new, DROPPED)
    blank = old.split() == new.split()
    old, new = ((_visible(text) if blank else text) for text in (old, new))
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    loud = "reverse" if head + tail >= max(len(old), len(new)) // 2 else "bold"  # a whole line needs no marking
    return _marked(old, head, tail, KEPT, loud), _marked(new, head, tail, DROPPED, loud)


def _marked(text: str, head: int, tail: int, style: str, loud: str) -> Text:
    stop = len(text) - tail
    middle = (_shown(text[head:stop]), f"{loud} {style}")
    return Text.assemble((_shown(text[:head]), style), middle, (_shown(text[stop:]), style))


def _visible(text: str) -> str:
    return text.replace(" ", "·").replace("\t", "→\t")


def _styled(text: str | None, style: str) -> Text:
    return Text() if text is None else Text(_shown(text), style)


def _shown(text: str) -> str:
    return words.printable(text, keep="\t").replace("\t", "    ")
