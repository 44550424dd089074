"""Prints the source files over the size budget: `python scripts/size_budget.py`. It warns; it never fails.

The budget, in lines: 150 for a unit, that is an entry of a catalogue (see `UNITS`), and 400 for any other file.
A file that earns its length says why at its top.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNITS = (
    "codemill/sources/",
    "codemill/steps/",
    "codemill/signals/",
    "codemill/prompts/",
    "codemill/benchmarks/",
    "core/src/signals/",
)
UNIT_BUDGET, FILE_BUDGET = 150, 400


def budget(path: str) -> int:
    """The number of lines that a file may have.

    >>> budget("codemill/steps/detect.py"), budget("codemill/machine/store.py")
    (150, 400)
    """
    return UNIT_BUDGET if path.startswith(UNITS) else FILE_BUDGET


def sources(root: Path) -> Iterator[Path]:
    """Every Python and Rust file that people write, in order."""
    for folder, suffix in (
        ("codemill", ".py"),
        ("scripts", ".py"),
        ("bench", ".py"),
        ("tests", ".py"),
        ("core/src", ".rs"),
    ):
        yield from sorted((root / folder).rglob(f"*{suffix}"))


def main() -> None:
    """Prints one line per file over its budget, longest first, and the totals."""
    lengths = {str(p.relative_to(ROOT)): p.read_text(encoding="utf-8").count("\n") for p in sources(ROOT)}
    over = {path: lines for path, lines in lengths.items() if lines > budget(path)}
    for path, lines in sorted(over.items(), key=lambda item: (-item[1], item[0])):
        print(f"over budget: {path}: {lines} lines, budget {budget(path)}")
    print(f"size: {len(lengths)} files, {sum(lengths.values())} lines, {len(over)} over budget")


if __name__ == "__main__":
    main()
