"""The dataset cards of synthesised sets: OUT/NAME/README.md for each, with which `datasets` loads it, and a hub shows
it.

As with `card`: one whose first lines no longer say that it is generated is left alone.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import polars as pl
import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from codemill.report import words
from codemill.report.card import MARK, cell, hub_licences, is_ours, size_class
from codemill.report.facts.ledger import collect
from codemill.report.facts.synthesis import Set
from codemill.run import Run

TOP = 30


def card_of(run: Run, made: Set) -> str:
    """The card of a set as Markdown with a YAML head: the same bytes for the same result."""
    counted = _licences(run, made.name)
    chats = "messages" in run.parts(made.name)[0].schema.names
    groups: Counter[str] = Counter()
    for row in made.groups:
        groups[row["language"] or "unknown"] += row["accepted"]
    return (
        _environment()
        .get_template("set_card.md.j2")
        .render(
            mark=MARK,
            set=made,
            chats=chats,
            hub_licences=hub_licences(counted),
            size_class=size_class(made.accepted),
            licences=counted.most_common(TOP),
            languages=[(name, rows) for name, rows in groups.most_common(TOP) if rows],
            codemill=run.manifest["codemill"],
            fingerprint=run.manifest.get("fingerprint"),
        )
    )


def write(run: Run, sets: tuple[Set, ...]) -> None:
    """Writes a card beside the files of each set. Raises: EnvironmentProblem if a file cannot be written."""
    for made in sets:
        place = run.folder.at(made.name, "README.md")
        if run.files(made.name) and is_ours(place):
            place.write_bytes(card_of(run, made).encode())


def _licences(run: Run, name: str) -> Counter[str]:
    """Rows by the licence of the file they were made about, "" for those without one."""
    column = pa.schema([pa.field("license", pa.list_(pa.string()))])
    with run.readable():
        exploded = run.table(name, column).explode("license")
        counted = collect(exploded.group_by("license").agg(n=pl.len().cast(pl.Int64)))
    found: Counter[str] = Counter()
    for licence, n in counted.sort(-pl.col("n"), "license", nulls_last=True).iter_rows():
        found[licence or ""] += n
    return found


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown: what comes from data goes through `cell`
    )
    made.filters |= {"cell": cell, "count": words.count}
    made.globals |= {"share": words.share, "plural": words.plural, "student": words.student}
    return made
