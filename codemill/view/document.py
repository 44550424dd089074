"""What is shown of one file: its ledger line in words, its text, its signals, its copies. Plain data, no HTML."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from codemill.errors import CodemillError
from codemill.report.facts.answers import explained
from codemill.report.facts.diffs import diff
from codemill.report.facts.ledger import Row
from codemill.report.words import alike
from codemill.run import Run, Text, named
from codemill.view.rows import Places, Rows

LINES = 3_000
CHARACTERS = 150_000  # of a text that are shown, after long lines were cut
COLUMNS = 1_000  # of a line
MEMBERS = 100  # of a cluster that are named
FEW = 200  # rows that are read one by one; of a larger cluster the whole ledger is read


@dataclass(frozen=True)
class Excerpt:
    """As much of a text as is shown. `notices` say what was cut, and why there is nothing."""

    lines: tuple[str, ...]
    total: int  # lines of the text
    notices: tuple[str, ...]
    first: int = 1  # the number of the first line that is shown


@dataclass(frozen=True)
class Cluster:
    """The documents that one was kept for: itself first, then those that were dropped for it."""

    members: tuple[Row, ...]
    total: int
    beside: Row | None  # the member that the document is shown beside
    comparison: dict[str, Any] | None  # `diff`, `alike`, and `why` there is no diff; left is what was kept


def explain(rows: Rows, row: Row) -> dict[str, Any] | None:
    """`answers.explained` for a row; None without a ledger. Reads the rows that it leads to, where they are few."""
    if not rows.accounted:
        return None
    ids = [id for id in (row["id"], row["kept_id"]) if id]
    places = np.unique(np.concatenate([_around(rows, id) for id in ids]))
    if len(places) > FEW or (row["chunks"] or {"removed": 0})["removed"]:
        ledger = rows.run.ledger(place=True)
    else:
        ledger = pl.DataFrame(rows.rows(places), rows.run.ledger(place=True).collect_schema()).lazy()
    (answer,) = explained(rows.run, ledger, [row])
    return answer


def _around(rows: Rows, id: str) -> Places:
    return np.concatenate([rows.find(id), rows.copies(id)])


def text_of(run: Run, row: Row, *, accounted: bool = True) -> Text:
    """The text of a file as it was published, or as it was when it was dropped. `why` says why there is none."""
    if not accounted:
        return Text(text=run.contents([row["id"]]).get(row["id"]))
    if row["verdict"] == "kept":
        published = run.published_text(row["place"], row["id"])
        return published or run.text(row["place"], len(run.steps))
    return run.text(row["place"], run.dropped_by(row["place"], row["step"]) or 0)


def origin(run: Run, row: Row) -> str | None:
    """Where the file itself lies, if its input is a folder that still has it; null otherwise."""
    for given in run.manifest["inputs"]:
        source = given.get("source", {})
        if source.get("kind") == "Folder":
            root = str(source.get("path") or source.get("root"))
            there = named(run.out, root)
            for below in (os.path.join(str(row["repo"]), str(row["path"])), str(row["path"])):
                place = os.path.realpath(there / below.replace("\0", ""))
                if os.path.isfile(place) and Path(place).is_relative_to(os.path.realpath(there)):
                    return os.path.join(root, below)
    return None


def excerpt(text: Text, first: int = 1) -> Excerpt:
    """Cuts a text to what a page can hold, from a line on; from the beginning if there are not so many."""
    if text.text is None:
        return Excerpt((), 0, (f"The text cannot be read any more: {text.why or 'it is not in the corpus'}.",))
    whole, notices = text.text.replace("\r\n", "\n").replace("\r", "\n"), []
    total = whole.count("\n") + (not whole.endswith("\n") and bool(whole))
    first = first if 1 <= first <= total else 1
    lines, room, cut = list[str](), CHARACTERS, 0
    at = 0
    for _ in range(first - 1):
        at = whole.find("\n", at) + 1
    while at < len(whole) and len(lines) < LINES and room > 0:
        end = whole.find("\n", at)
        end = len(whole) if end < 0 else end
        line = whole[at : min(end, at + COLUMNS, at + room)]
        if len(line) < end - at:
            cut += 1
            line += f" … {end - at - len(line):,} more characters"
        lines.append(line)
        room -= len(line) + 1
        at = end + 1
    if cut:
        notices.append(f"Lines longer than {COLUMNS:,} characters are cut.")
    if len(lines) < total:
        which = f"The first {len(lines):,}" if first == 1 else f"Lines {first:,} to {first + len(lines) - 1:,}"
        notices.append(f"{which} of {total:,} lines are shown ({len(whole):,} characters in all).")
    if not whole:
        notices.append("The text is empty.")
    return Excerpt(tuple(lines), total, tuple(notices), first)


def cluster(rows: Rows, row: Row, beside: str) -> Cluster | None:
    """The cluster of a document; None if it has no copies. `beside` is the id of the member to compare it with.

    Without one, a copy is compared with what was kept, and what was kept with its first near-copy, or copy.
    """
    if not rows.accounted:
        return None
    keeper = row["kept_id"] or row["id"]
    copies = rows.copies(keeper)
    if not len(copies):
        return None
    head = [r for r in rows.rows(rows.find(keeper)) if r["place"] not in copies or r["id"] == row["id"]][:1]
    dropped = [r for r in rows.rows(copies[:MEMBERS]) if r["kept_id"] == keeper and r["id"] != keeper]
    dropped.sort(key=lambda r: (r["reason"] != "near_duplicate", -(r["similarity"] or 0), r["repo"], r["path"]))
    members = [*head, *dropped]
    if row["place"] not in [member["place"] for member in members]:
        members.append(row)
    others = [member for member in members if member["place"] != row["place"]]
    chosen = next((member for member in others if member["id"] == beside), others[0] if others else None)
    compared = None if chosen is None else _compared(rows.run, row, chosen)
    return Cluster(tuple(members), len(copies) + len(head), chosen, compared)


def _compared(run: Run, row: Row, other: Row) -> dict[str, Any]:
    """Both texts as the step saw them that dropped one for the other. The kept one, or the older row, is left."""
    pair = [row, other] if row["verdict"] == "kept" or other["kept_id"] == row["id"] else [other, row]
    dropped = pair[1] if pair[1]["kept_id"] else row
    number = run.dropped_by(dropped["place"], dropped["step"])
    texts = [_seen(run, member, number or 0) for member in pair]
    step = None if number is None else run.steps[number]
    facts: dict[str, Any] = {"left": pair[0], "right": pair[1], "diff": None, "why": None, "alike": None}
    if pair[1]["kept_id"] == pair[0]["id"]:
        facts["alike"] = alike(pair[1]["similarity"], pair[1]["reason"], step["parameters"] if step else {})
    for member, text in zip(pair, texts, strict=True):
        if text.text is None:
            return facts | {
                "why": f"The text of {member['repo']}/{member['path']} cannot be read any more: {text.why}."
            }
    if texts[0].text == texts[1].text:
        return facts | {"why": "Both texts are the same, character for character."}
    return facts | {"diff": diff(texts[0].text or "", texts[1].text or "")}


def _seen(run: Run, row: Row, number: int) -> Text:
    try:
        found = run.text(row["place"], number)
        if found.text is None and row["verdict"] == "kept":
            return run.published_text(row["place"], row["id"]) or found
        return found
    except CodemillError as error:
        return Text(why=error.what)
