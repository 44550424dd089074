"""The report in the terminal. What comes from data is `Text`, never markup; control characters show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from codemill.report import words
from codemill.report.facts.answers import explain_data, show_data
from codemill.report.terminal.diff import DiffView

__all__ = ["explain", "explain_data", "explain_view", "show", "show_data", "show_view"]

TOP_LANGUAGES = 15
GOLD, PALE, SOFT, BAD, GOOD = "dark_goldenrod", "grey50", "dim", "bold red", "green"
REASONS = 6  # named per step
NEAR_MISSES = 5
LONGEST = 160  # characters of a path or a value


def show(out: str | Path) -> RenderableType:
    """The funnel, the counts and the languages of a run. Raises: InputError if there is none in `out`."""
    return show_view(show_data(out))


def explain(out: str | Path, query: str) -> RenderableType:
    """Why a file is in or out. Raises: InputError if there is no run in `out`."""
    return explain_view(explain_data(out, query))


def show_view(data: dict[str, Any]) -> RenderableType:
    """`show_data` as something rich can print."""
    ingested, kept, dropped = data["found"], data["kept"], data["dropped"]
    recipe = data["recipe"].get("name")  # of a table that was built from Python there is none
    head = Text.assemble(
        (words.count(kept["rows"]), f"bold {GOLD}"),
        f" of {words.plural(ingested['rows'], 'file' if data['languages'] else 'row')} kept",
        (f"   {words.size(kept['bytes'])} of {words.size(ingested['bytes'])}", SOFT),
        (f"   {words.duration(data['seconds'])}", SOFT),
        (f"   recipe {_plain(recipe)}" if recipe else "", SOFT),
    )
    blocks: list[RenderableType] = [head]
    if not ingested["rows"]:
        return Group(Text("No files were found: the inputs were empty."))
    blocks += [Text(), _funnel(data)]
    if said := words.drop_words(data):
        blocks += [Text(), _reasons(said)]
    if data["languages"]:
        blocks += [Text(), _languages(data["languages"])]
    if data["seeds"]:
        blocks += [Text(), Text(data["seeds"])]
    if data["chunks"]:
        blocks += [Text(), Text(words.chunks(data["chunks"]))]
    if data["adds_up"]:
        total = f"{words.count(ingested['rows'])} found = {words.count(kept['rows'])} kept + "
        total += f"{words.count(dropped['rows'])} dropped"
        blocks += [Text(), Text.assemble(("✓ ", GOOD), total, (", per step and overall", SOFT))]
    else:
        blocks += [Text(), Text("✗ the figures do not add up:", BAD)]
        blocks += [Text(f"  {wrong['what']}: {wrong['sum']}", "red") for wrong in data["wrong"]]
    return Group(*blocks)


def _funnel(data: dict[str, Any]) -> Table:
    ingested, kept = data["found"], data["kept"]
    table = _table("step", "", "files" if data["languages"] else "rows", "dropped", "bytes")
    bar = _bar(ingested["rows"], ingested["rows"], ingested["rows"])
    table.add_row("found", bar, words.count(ingested["rows"]), "", words.size(ingested["bytes"]))
    for step in data["steps"]:
        lost = step["rows_in"] - step["rows_out"]
        table.add_row(
            Text(_plain(step["name"])),
            _bar(step["rows_out"], step["rows_in"], ingested["rows"]),
            words.count(step["rows_out"]),
            words.count(lost) if lost else "–",
            words.size(step["bytes_out"]),
        )
        reasons = [(r, d["rows"], d["bytes"]) for r, d in step["dropped"].items() if d["rows"]]
        reasons.sort(key=lambda reason: (-reason[1], reason[0]))
        if len(reasons) > REASONS:
            rest = reasons[REASONS - 1 :]
            more = (f"{len(rest)} more reasons", sum(r[1] for r in rest), sum(r[2] for r in rest))
            reasons = [*reasons[: REASONS - 1], more]
        for reason, rows, size in reasons:
            name = _plain(reason).replace("_", " ")
            table.add_row(Text(f"  {name}"), "", "", words.count(rows), words.size(size), style=SOFT)
    table.add_section()
    bar = _bar(kept["rows"], kept["rows"], ingested["rows"])
    share = Text(words.share(kept["rows"], ingested["rows"]), GOLD)
    table.add_row(Text("kept", "bold"), bar, Text(words.count(kept["rows"]), "bold"), share, words.size(kept["bytes"]))
    return table


def _reasons(said: dict[tuple[str, str], str]) -> Table:
    """What the reasons of the funnel mean; once where two steps say the same of one."""
    table = _two_columns()
    for reason, meaning in sorted({(reason, meaning) for (_, reason), meaning in said.items()}):
        table.add_row(_plain(reason).replace("_", " "), Text(_plain(meaning), SOFT))
    return table


def _languages(rows: list[dict[str, Any]]) -> Table:
    table = _table("language", "", "found", "kept", "kept %", "bytes kept")
    spoken = [row for row in rows if row["language"] is not None]
    top, rest = spoken[:TOP_LANGUAGES], spoken[TOP_LANGUAGES:]
    most = max((row["found"] for row in rows), default=0)
    for row in top:
        _language(table, Text(_plain(row["language"])), row, most)
    if rest:
        _language(table, Text(f"{len(rest)} more", SOFT), _sum(rest), most)
    if unknown := [row for row in rows if row["language"] is None]:
        _language(table, Text("not recognised", SOFT), _sum(unknown), most)
    return table


def _language(table: Table, name: Text, row: dict[str, Any], most: int) -> None:
    share = words.share(row["kept"], row["found"])
    bar = _bar(row["kept"], row["found"], most)
    table.add_row(name, bar, words.count(row["found"]), words.count(row["kept"]), share, words.size(row["kept_bytes"]))


def _sum(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {key: sum(row[key] for row in rows) for key in ("found", "kept", "found_bytes", "kept_bytes")}


def explain_view(data: dict[str, Any]) -> RenderableType:
    """`explain_data` as something rich can print."""
    if not data["found"]:
        return _not_found(data)
    blocks: list[RenderableType] = []
    seen = Counter(_where(match["ledger"]) for match in data["matches"])
    for match in data["matches"]:
        row = match["ledger"]
        kept = row["verdict"] == "kept"
        apart = f"  {_apart(row)}" if seen[_where(row)] > 1 else ""
        blocks.append(Text.assemble(("● ", GOLD if kept else "red"), (_where(row), "bold"), (apart, SOFT)))
        blocks.append(_indented(Text(match["verdict"])))
        blocks.append(_indented(_row_table(row)))
        if match["step"] and match["step"]["parameters"]:
            shown = ", ".join(f"{_plain(k)} = {_plain(v)}" for k, v in sorted(match["step"]["parameters"].items()))
            blocks.append(_indented(Text.assemble(("that step's parameters: ", SOFT), shown)))
        if match["kept"]:
            blocks += _kept_instead(match)
        if match["chunks"]:
            blocks += _chunks(match["chunks"])
        if match["quality"]:
            blocks += _quality(match["quality"])
        if match["cleaned"]:
            blocks.append(_indented(Text("what cleaning changed", SOFT), above=1))
            blocks.append(_indented(DiffView(match["cleaned"], titles=("before", "after"))))
        if match["copies_total"]:
            total = words.copies(match["copies_by_reason"])
            verb = "was" if match["copies_total"] == 1 else "were"
            blocks += _list(f"{total} {verb} dropped in its favour:", match["copies"], match["copies_total"])
        blocks.append(Text())
    if (more := data["total"] - len(data["matches"])) > 0:
        blocks.append(Text(f"… {words.plural(more, 'more file')} with this path; give its repo too, or its id", SOFT))
    else:
        blocks.pop()
    return Group(*blocks)


def _apart(row: dict[str, Any]) -> str:
    """What tells a file from others with its repository and path: where it came from, and when, and its id."""
    revision = f"revision {_plain(row['revision'])[:12]}, " if row["revision"] else ""
    return f"(source {_plain(row['source'])}, {revision}id {row['id'][:8]})"


def _quality(quality: dict[str, Any]) -> list[RenderableType]:
    """The signals of a file beside the thresholds: what fired, then what nearly did."""
    fired = [rule for rule in quality["rules"] if rule["fired"]]
    near = [rule for rule in quality["rules"] if not rule["fired"] and rule["margin"] is not None][:NEAR_MISSES]
    counted = f"{words.plural(len(fired), 'rule')} of {len(quality['rules'])} fired"
    title = f"judged by the rules for {_plain(quality['rule_set'])}: {counted}"
    table = _table("", "signal", "measured", "dropped if")
    for rule in [*fired, *near]:
        mark = Text("✗", "red") if rule["fired"] else Text("✓", GOOD)
        style = "" if rule["fired"] else SOFT
        note = " (spared by chance)" if rule["spared"] else ""
        table.add_row(mark, rule["signal"], f"{rule['value']:.6g}", rule["limit"] + note, style=style)
    blocks: list[RenderableType] = [_indented(Text(title, SOFT), above=1), _indented(table)]
    if near:
        blocks.append(_indented(Text(f"✓: the {words.plural(len(near), 'rule')} that came nearest to firing", SOFT)))
    return blocks


def _chunks(cut: dict[str, Any]) -> list[RenderableType]:
    """The chunks that were cut out, and what was kept instead of each."""
    title = f"{cut['removed']} of {words.plural(cut['total'], 'chunk')} cut out, {words.size(cut['bytes'])}:"
    blocks: list[RenderableType] = [_indented(Text(title, SOFT), above=1)]
    if cut["why"]:
        blocks.append(_indented(Text(f"They cannot be shown any more: {_plain(cut['why'])}.", SOFT), by=4))
    for chunk in cut["chunks"]:
        lines = f"lines {chunk['first_line']:,}-{chunk['last_line']:,}  "
        alike = f"  {words.percent(chunk['similarity'])}" if chunk["similarity"] is not None else ""
        where = f"chunk {chunk['kept_chunk']:,} of {_plain(chunk['kept'] or chunk['kept_id'])}"
        blocks.append(_indented(Text.assemble((lines, SOFT), _plain(chunk["starts_with"])), by=4))
        blocks.append(_indented(Text.assemble(("kept instead: ", SOFT), where, (alike, SOFT)), by=6))
    if cut["chunks"] and (more := cut["removed"] - len(cut["chunks"])) > 0:
        blocks.append(_indented(Text(f"… {words.count(more)} more", SOFT), by=4))
    return blocks


def _kept_instead(match: dict[str, Any]) -> list[RenderableType]:
    """The copy that was kept, why that one, what else went for it, and what differs."""
    kept, compared = match["kept"], match["comparison"]
    blocks: list[RenderableType] = [
        _indented(Text("the copy that was kept", SOFT), above=1),
        _indented(Text(_where(kept), GOLD)),
        _indented(_row_table(kept)),
    ]
    if match["kept_in"]:
        blocks.insert(2, _indented(Text(f"in the earlier corpus {_plain(match['kept_in'])}", SOFT)))
    if compared:
        facts = {"similarity": compared["alike"], "preferred for": compared["preferred"]}
        facts |= {"its stars": compared["kept"]["stars"], "its last commit": compared["kept"]["commit_time"]}
        table = _two_columns()
        for name, value in facts.items():
            if value is not None:
                table.add_row(name, Text(_plain(value)))
        blocks.append(_indented(table, above=1))
    if match["others_total"]:
        total = words.copies(match["others_by_reason"])
        title = f"besides this file, {total} {'was' if match['others_total'] == 1 else 'were'} dropped for it:"
        blocks += _list(title, match["others"], match["others_total"])
    if compared and compared["diff"]:
        blocks.append(_indented(DiffView(compared["diff"]), above=1))
    elif compared and compared["why"]:
        blocks.append(_indented(Text(_plain(compared["why"]), SOFT), above=1))
    return blocks


def _list(title: str, rows: list[dict[str, Any]], total: int) -> list[RenderableType]:
    blocks: list[RenderableType] = [_indented(Text(title, SOFT), above=1)]
    for row in rows:
        near = row["reason"] == "near_duplicate" and row["similarity"] is not None
        alike = f"  {words.percent(row['similarity'])}" if near else ""
        blocks.append(_indented(Text.assemble(_where(row), (alike, SOFT)), by=4))
    if (more := total - len(rows)) > 0:
        blocks.append(_indented(Text(f"… {words.count(more)} more", SOFT), by=4))
    return blocks


def _not_found(data: dict[str, Any]) -> RenderableType:
    head = Text.assemble("No file ", (_plain(data["query"]), "bold"), " in the ledger of ", _plain(data["out"]), ".")
    if not data["suggestions"]:
        return Group(head, Text("Give an id, a path, or repo/path; a part of the file's name finds more.", SOFT))
    return Group(head, Text("Did you mean:", SOFT), *(Text(f"  {_plain(path)}") for path in data["suggestions"]))


def _indented(what: RenderableType, *, by: int = 2, above: int = 0) -> Padding:
    return Padding(what, (above, 0, 0, by), expand=False)


def _two_columns() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=SOFT, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _row_table(row: dict[str, Any]) -> Table:
    table = _two_columns()
    for name in ("id", "source", "revision", "stars", "commit_time", "license", "language", "doc_type", "size"):
        if row[name] is not None:
            value = f"{words.size(row[name])} ({row[name]:,} bytes)" if name == "size" else _plain(row[name])
            value = ", ".join(map(_plain, row[name])) if name == "license" else value
            table.add_row(name, Text(value))
    return table


def _table(*columns: str) -> Table:
    """A plain table: names and bars to the left, figures to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style=SOFT)
    for i, column in enumerate(columns):
        # On a narrow terminal names are folded, so that no figure is cut short.
        table.add_column(column, no_wrap=i > 0, overflow="ellipsis", justify="left" if i < 2 else "right")
    return table


def _bar(part: int, whole: int, most: int, width: int = 20) -> Text:
    """`part` of `whole` of `most`: solid, then pale. Anything above nothing is at least one cell."""
    cells = [max(round(width * n / most), 1 if n else 0) if most else 0 for n in (part, whole)]
    return Text.assemble(("█" * cells[0], GOLD), ("░" * (cells[1] - cells[0]), PALE))


def _where(row: dict[str, Any]) -> str:
    return _plain(f"{row['repo']}/{row['path']}")


def _plain(value: Any) -> str:
    return words.shorten(words.printable(str(value)), LONGEST)
