"""`codemill show` of a run of synthesis: what was accepted of each set, and why rows went."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from codemill.report import words
from codemill.report.facts import synthesis
from codemill.run import Run

REASONS = 5


def show_data(out: str | Path, target: int | None = None) -> dict[str, Any] | None:
    """The sets of a run as plain data; None if it has none. `target` is the rows that are wanted of each.

    Raises: InputError if there is no finished run in `out`.
    """
    run = Run.open(out)
    sets = synthesis.gather(run)
    if sets is None:
        return None
    outputs = run.manifest["outputs"]
    seeds = {
        one.name: words.seeds([run.manifest["tables"][i] for i in outputs[one.name]["chain"]], one.accepted, target)
        for one in sets
    }
    return {
        "out": str(out),
        "recipe": run.manifest["recipe"],
        "sets": [{**dataclasses.asdict(one), "seeds": seeds[one.name]} for one in sets],
        "outputs": {name: given["rows"] for name, given in outputs.items() if not given["ledger"]},
    }


def show_view(data: dict[str, Any]) -> RenderableType:
    """`show_data` as something rich can print."""
    table = Table(box=None, pad_edge=False)
    for name in ("set", "language", "attempted", "accepted", "share"):
        table.add_column(name, justify="left" if name in ("set", "language") else "right")
    blocks: list[RenderableType] = []
    for one in data["sets"]:
        row(table, one["name"], "", one["attempted"], one["accepted"], "bold")
        by_language: dict[str, list[int]] = {}
        for group in one["groups"]:
            counted = by_language.setdefault(group["language"] or "unknown", [0, 0])
            counted[0] += group["attempted"]
            counted[1] += group["accepted"]
        for language, (attempted, accepted) in by_language.items():
            row(table, "", language, attempted, accepted, "")
        for reason in one["reasons"][:REASONS]:
            table.add_row(
                "", Text(f"  {words.printable(reason['reason'])}", "grey50"), words.count(reason["rows"]), "", ""
            )
    blocks.append(table)
    for one in data["sets"]:
        tokens = f"{words.count(one['tokens_asked'])} + {words.count(one['tokens_answered'])} tokens"
        cost = f", cost {one['cost']:.2f}" if one["cost"] is not None else ""
        recorded = "; recorded answers, no data" if one["recorded"] else ""
        line = f"{one['name']}: {one['method']} of {one['teacher']}, {tokens}{cost}{recorded}"
        said = ". ".join(part for part in (line, one["seeds"], words.student(one["student"])) if part)
        blocks.append(Text(words.printable(said), "grey50"))
    return Group(*blocks)


def row(table: Table, name: str, language: str, attempted: int, accepted: int, style: str) -> None:
    """A line of counts."""
    counts = (words.count(attempted), words.count(accepted), words.share(accepted, attempted))
    table.add_row(Text(words.printable(name), style), Text(words.printable(language)), *counts)
