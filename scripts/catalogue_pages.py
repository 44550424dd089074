"""Writes docs/catalogue.md from the catalogues themselves: `python scripts/catalogue_pages.py [--check]`.

With `--check` nothing is written; exit status 1 and the remedy on stderr if the page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from codemill.cli import CATALOGUES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "catalogue.md"


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
        parts.append(f"## {name.capitalize()} ({len(rows)})\n\n{table(rows)}\n")
    return "\n".join(parts)


def main(check: bool) -> int:
    """Writes the page, or compares it."""
    text = page()
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/catalogue.md is out of date. Hint: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] == ["--check"]))
