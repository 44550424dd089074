"""Signals that are not of one language, against values of the reference implementation, where its data is at hand.

Skipped without the data (`CODEMILL_SHARED`, else `shared/` beside the checkout). What differs by intention is listed
here with its reason; everything else agrees within 1e-6.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from codemill import _core, languages

SHARED = Path(os.environ.get("CODEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
CONFORMANCE = SHARED / "data" / "conformance"
pytestmark = pytest.mark.skipif(not CONFORMANCE.is_dir(), reason="no conformance data")

FAMILIES = ("characters", "lines", "words", "ngrams", "code", "text")
# Names that differ: the reference's, and ours.
OURS = {"batchfile": "batch"}
# Our own list of function words, see the signal.
OTHERWISE = {"frac_words_stop"}

# Files whose comments we tell from code otherwise: `//` comments and apostrophes of SCSS, a regex literal, a BOM (D4).
SPLIT_OTHERWISE = {"files/scss/bootstrap___list-group.scss", "edge/regex_literals.js", "edge/bom.py"}

# Lines that end in carriage returns alone are lines here; the reference sees one long line.
LINES_OTHERWISE = {
    ("edge/lone_cr.java", name) for name in ("num_lines", "max_line_length_chars", "mean_line_length_chars")
}


def facts(file: str) -> list[dict[str, str]]:
    """The rows of a table of facts."""
    with (SHARED / "facts" / file).open() as lines:
        return list(csv.DictReader(lines))


def records(file: str) -> list[dict[str, Any]]:
    """One file each, with its signals."""
    with (CONFORMANCE / file).open() as lines:
        return [json.loads(line) for line in lines]


def measured(rows: list[dict[str, Any]]) -> list[dict[str, float | None]]:
    """Our values of the same files."""
    return _core.measure(
        pa.array([(CONFORMANCE / row["path"]).read_bytes().decode() for row in rows], pa.large_string()),
        language=pa.array([OURS.get(row["program_lang"], row["program_lang"]) for row in rows]),
        doc_type=pa.array([row["doc_type"] for row in rows]),
        path=pa.array([row["file_name"] for row in rows]),
        size=pa.array([row["size_bytes"] for row in rows], pa.int64()),
        syntaxes=languages.syntaxes(),
        natural_language="en",
    ).to_pylist()


def deviating_languages() -> set[str]:
    """Languages whose comments the reference splits otherwise than they are (D1, D2)."""
    return {
        row["language"]
        for row in facts("languages.csv")
        if row["comment_method"] in ("hand", "perl") or row["comments_left_in_code"]
    }


def disagreements(rows: list[dict[str, Any]], family: str) -> tuple[int, list[tuple[str, str, Any, Any]]]:
    """How many values of this family were compared; and path, signal, expected and got of those that differ."""
    table = {row["reference_name"]: row for row in facts("signals.csv")}
    of_family = {name for name, its_family, *_ in _core.signals() if its_family == family}
    split_otherwise = deviating_languages()
    compared, wrong = 0, []
    for row, values in zip(rows, measured(rows), strict=True):
        for reference, expected in row["signals"].items():
            name = table[reference]["our_name"]
            excused = "D1" in table[reference]["deviation"] and (
                row["program_lang"] in split_otherwise or row["path"] in SPLIT_OTHERWISE
            )
            excused |= (row["path"], name) in LINES_OTHERWISE
            if name not in of_family or name in OTHERWISE or excused or reference in row["errors"]:
                continue
            compared += 1
            if values[name] != (None if expected is None else pytest.approx(expected, abs=1e-6)):
                wrong.append((row["path"], name, expected, values[name]))
    return compared, wrong


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("file", ["signals.jsonl", "edge.jsonl"])
def test_values_are_those_of_the_reference(file: str, family: str) -> None:
    rows = [row for row in records(file) if row["doc_type"] in ("code", "data", "text")]
    compared, wrong = disagreements(rows, family)
    assert compared > 0
    assert not wrong, wrong
