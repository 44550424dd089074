"""How many values of signals equal the reference's, on its conformance data where that is at hand.

    CODEMILL_SHARED=… python -m bench.conformance

Prints pairs of (file, signal) that agree within 1e-6: all of them, and without those that are meant to differ. What is
meant to differ is in docs/conformance.md.
"""

from __future__ import annotations

import json
import sys
from collections import Counter

from tests.test_conformance import CONFORMANCE, deviating_languages, facts, measured, records

OTHERWISE = ("D4", "D5", "D6")  # differ by definition wherever they differ


def main() -> None:
    """Prints a line for all, and one for each signal that differs somewhere."""
    if not CONFORMANCE.is_dir():
        sys.exit(f"there is no conformance data in {CONFORMANCE}")
    table = {row["reference_name"]: row for row in facts("signals.csv")}
    rows = [row for row in records("signals.jsonl") if row["doc_type"] in ("code", "data", "text")]
    split_otherwise = deviating_languages()
    pairs, wrong, meant = 0, Counter[str](), Counter[str]()
    for row, values in zip(rows, measured(rows), strict=True):
        for reference, expected in row["signals"].items():
            fact, got = table[reference], values[table[reference]["our_name"]]
            pairs += 1
            if got == expected or (None not in (got, expected) and abs(got - float(expected)) <= 1e-6):
                continue
            ids = fact["deviation"].split()
            excused = row["program_lang"] in split_otherwise and "D1" in ids
            excused |= "D3" in ids and row["program_lang"] == "javascript"
            excused |= any(name in ids for name in OTHERWISE) and row["program_lang"] in (
                "python",
                "java",
                "csharp",
                "go",
            )
            (meant if excused else wrong)[fact["our_name"]] += 1
    different = sum(wrong.values()) + sum(meant.values())
    print(json.dumps({"pairs": pairs, "agree": round(1 - different / pairs, 5)}))
    expected_pairs = pairs - sum(meant.values())
    agree = round(1 - sum(wrong.values()) / expected_pairs, 5)
    print(json.dumps({"pairs without those meant to differ": expected_pairs, "agree": agree}))
    for name, count in (wrong + meant).most_common():
        print(f"{name:<44} differs {count:>3}, of which meant {meant[name]:>3}")


if __name__ == "__main__":
    main()
