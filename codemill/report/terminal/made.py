"""Where a synthesised row comes from, in the terminal. What comes from data is `Text`, never markup."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from codemill.report.facts.made import LONGEST, explain_data
from codemill.report.words import printable, shorten

__all__ = ["explain_data", "explain_view"]

SAYS = (
    *("language", "difficulty", "outcome", "detail", "strength", "strong", "tests_run", "attempts", "rung"),
    *("toolchain", "teacher", "prompt", "calls"),
)
TEXTS = ("instruction", "program", "tests", "printed")


def explain_view(data: dict[str, Any]) -> RenderableType:
    """`explain_data` as something rich can print."""
    if not data["found"]:
        return Text(f"no row and no seed {printable(data['query'])!r} in the sets of this run")
    blocks: list[RenderableType] = []
    for match in data["matches"]:
        blocks += _match(match)
    if (more := data["total"] - len(data["matches"])) > 0:
        blocks.append(Text(f"… {more:,} more", "grey50"))
    return Group(*blocks)


def _match(match: dict[str, Any]) -> list[RenderableType]:
    row, full, seed = match["ledger"], match["row"] or {}, match["seed"]
    kept = row["verdict"] == "kept"
    said = "kept" if kept else f"dropped by {row['step']}: {row['reason']}{_after(row['value'])}"
    blocks: list[RenderableType] = [Text.assemble((f"{match['set']} {row['id']}", "bold"), f"  {printable(said)}")]
    facts = {name: (full.get(name) if full.get(name) is not None else row.get(name)) for name in SAYS}
    facts |= {name: f"as {id}" for name, id in match["stages"].items()}
    blocks.append(_grid({name: value for name, value in facts.items() if value not in (None, "", [])}))
    seed_facts = {"seed": seed["id"], "repo": seed.get("repo") or row["repo"], "path": seed.get("path") or row["path"]}
    seed_facts["licence"] = ", ".join(seed.get("license") or full.get("license") or []) or "unknown"
    seed_facts |= {"revision": seed.get("revision"), "corpus": seed["of"] or f"not read: {seed['why']}"}
    blocks.append(_grid({name: value for name, value in seed_facts.items() if value}))
    for title, text in [*((name, full.get(name)) for name in TEXTS), ("seed", seed.get("content"))]:
        if text:
            blocks.append(Text(f"  {title}", "dark_goldenrod"))
            blocks.append(Padding(Text(printable(shorten(text, LONGEST), keep="\n\t")), (0, 0, 0, 4)))
    return [*blocks, Text()]


def _after(value: Any) -> str:
    return f" ({value})" if value else ""


def _grid(facts: dict[str, Any]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        shown = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        grid.add_row(Text(name.replace("_", " "), "grey50"), Text(printable(shown)))
    return Padding(grid, (0, 0, 0, 2))
