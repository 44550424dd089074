"""Writes docs/catalogue.md, signals.md and rules.md from the catalogues: `python scripts/catalogue_pages.py [--check]`.

With `--check` nothing is written; exit status 1 and the remedy on stderr if a page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from codemill import signals
from codemill.cli.catalogue import CATALOGUES
from codemill.recipes._corrected_rules import CORRECTED_RULES
from codemill.recipes._refinecode_rules import REFINECODE_RULES
from codemill.rules import RuleBook

DOCS = Path(__file__).resolve().parent.parent / "docs"
ELSEWHERE = ("signals", "rules")  # catalogues with a page of their own


def table(rows: list[dict[str, object]]) -> str:
    """A Markdown table; the columns are the keys of the first row."""
    head = list(rows[0])
    cells = [[str(row[key]).replace("|", "\\|") for key in head] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *cells])


def page() -> str:
    """The whole page."""
    parts = ["# Catalogue\n\nWritten by `make docs`; the same as `codemill list`. Do not edit.\n"]
    for name, entries in CATALOGUES.items():
        rows = entries()
        if name in ELSEWHERE:
            parts.append(f"## {name.capitalize()} ({len(rows)})\n\nSee [{name}]({name}.md).\n")
            continue
        parts.append(f"## {name.capitalize()} ({len(rows)})\n\n{table(rows)}\n")
    return "\n".join(parts)


def signals_page() -> str:
    """Every signal with the sections of its documentation, by family."""
    parts = ["# Signals\n\nWritten by `make docs` from the signals' own doc comments. Do not edit.\n"]
    family = None
    for s in signals.all():
        if s.family != family:
            family = s.family
            parts.append(f"## {family} (version {s.version}; measured on {', '.join(s.documents)})\n")
        facts = [("Unit", s.unit), ("Null", s.null), ("Why", s.why), ("From", s.source), ("Example", f"`{s.example}`")]
        parts.append(f"### `{s.name}`\n\n{s.what}\n\n" + "\n".join(f"- {key}: {text}" for key, text in facts) + "\n")
    return "\n".join(parts)


def rules_page() -> str:
    """The two books."""
    return (
        "# Rules\n\n"
        "Written by `make docs` from `codemill/recipes/_refinecode_rules.py` and `_corrected_rules.py`. "
        "Do not edit.\n\n"
        "A document is dropped if a rule of its set fires: its language's set, else `data`, `others`, `text_zh` for "
        "Chinese text, `text_en` for other text. Empty: the set has no such rule.\n\n"
        f"## `--rules refinecode`\n\n{book(REFINECODE_RULES)}\n"
        f"## `--rules corrected`\n\n{book(CORRECTED_RULES)}"
    )


def book(rules: RuleBook) -> str:
    """Every rule of a book: a row per signal, a column per rule set."""
    sets = rules.sets
    names = list(dict.fromkeys(rule.signal for s in sets for rule in s.rules))
    rows: list[dict[str, object]] = []
    for name in names:
        row: dict[str, object] = {"signal": f"`{name}`"}
        for s in sets:
            rule = next((rule for rule in s.rules if rule.signal == name), None)
            chance = f" ({rule.drop_probability:.0%} of them)" if rule and rule.drop_probability < 1 else ""
            row[s.name] = "" if rule is None else rule.limit() + chance if rule.judges else "off"
        rows.append(row)
    active = sum(rule.judges for s in sets for rule in s.rules)
    return f"{sum(len(s.rules) for s in sets)} rules in {len(sets)} sets, {active} of them active.\n\n{table(rows)}\n"


def main(check: bool) -> int:
    """Writes the pages, or compares them."""
    stale = 0
    for name, text in (("catalogue", page()), ("signals", signals_page()), ("rules", rules_page())):
        path = DOCS / f"{name}.md"
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"docs/{name}.md is out of date. Hint: make docs", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] == ["--check"]))
