"""`explain` for copies and near-copies: who was kept and why, how similar, and what differs, on hostile text too."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import codemill as cm
from codemill.machine.table import step
from codemill.report.facts.diffs import BUDGET, COLUMNS, SHOWN, diff
from codemill.report.terminal.diff import DiffView
from codemill.report.terminal.show import explain, explain_data
from codemill.sources import Parquet
from codemill.steps import dedup, ingest
from tests import toys, working
from tests.report_fixture import row_of, write_ledger


def printed(what: Any, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=False).print(what)
    return file.getvalue()


def text(seed: int, lines: int = 400) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(f"w{rng.randrange(5000)}" for _ in range(8)) for _ in range(lines)]


def edited(lines: list[str], at: int, new: str) -> list[str]:
    return [*lines[:at], new, *lines[at + 1 :]]


ORIGINAL = text(1)
NEAR = edited(ORIGINAL, 99, "changed \x1b[2J\u202e [red]line[/red]")
ALSO_NEAR = edited(ORIGINAL, 199, "another")
TEXTS = tuple("\n".join(lines) + "\n" for lines in (ORIGINAL, NEAR, ALSO_NEAR, ORIGINAL, text(2)))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """f00000 is kept; 1 and 2 are near-copies of it, 3 is a copy; 4 is alone."""
    path = tmp_path_factory.mktemp("out")
    files = ingest.documents(sources=(toys.Literals(TEXTS, per_part=2, stars=(9, 3, None, 1, 5)),))
    cm.build(dedup.fuzzy(dedup.exact(files)), out=path, workers=1)
    return path


def explained(out: Path, query: str) -> dict[str, Any]:
    data = explain_data(out, query)
    assert json.loads(json.dumps(data)) == data
    [match] = data["matches"]
    return dict(match)


def test_a_near_copy_shows_the_kept_one_and_what_differs(out: Path) -> None:
    match = explained(out, "f00001.py")
    assert match["kept"]["path"] == "f00000.py"
    assert (match["others_total"], match["others_by_reason"]) == (2, {"duplicate": 1, "near_duplicate": 1})
    assert [row["path"] for row in match["others"]] == ["f00002.py", "f00003.py"]
    compared = match["comparison"]
    assert (compared["kept"]["stars"], compared["dropped"]["stars"]) == (9, 3)
    assert compared["preferred"] == "more stars: 9 stars against 3 stars"
    assert " of the shingles (runs of 5 words) of both are shared" in compared["alike"]
    assert "estimated from 2,048 hashes" in compared["alike"]
    [changed] = [row for row in compared["diff"]["rows"] if row["kind"] == "changed"]
    assert changed["kept"] == {"line": 100, "text": ORIGINAL[99], "cut": False}
    assert changed["dropped"] == {"line": 100, "text": NEAR[99], "cut": False}
    assert (compared["diff"]["changed"], compared["diff"]["shown"], compared["diff"]["whole"]) == (1, 1, True)


@pytest.mark.parametrize("width", [80, 160])
def test_the_text_of_a_file_cannot_steer_the_terminal(out: Path, width: int) -> None:
    shown = printed(explain(out, "f00001.py"), width)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "changed \\x1b[2J\\u202e [red]line[/red]" in shown
    assert "besides this file, 1 copy and 1 near-copy were dropped for it:" in shown
    assert ("≠" in shown) == (width == 160)
    assert max(map(len, shown.splitlines())) <= width


def test_unknown_stars_lose(out: Path) -> None:
    assert explained(out, "f00002.py")["comparison"]["preferred"] == "more stars: 9 stars against unknown"


def test_a_copy_needs_no_diff(out: Path) -> None:
    match = explained(out, "f00003.py")
    assert match["comparison"]["alike"] == "the same, byte for byte"
    assert (match["comparison"]["diff"], match["comparison"]["why"]) == (None, None)
    assert match["comparison"]["preferred"] == "more stars: 9 stars against 1 star"


def test_a_kept_file_counts_copies_and_near_copies(out: Path) -> None:
    match = explained(out, "f00000.py")
    assert match["copies_by_reason"] == {"duplicate": 1, "near_duplicate": 2}
    assert (match["comparison"], match["others_total"]) == (None, 0)
    shown = printed(explain(out, "f00000.py"), 100)
    assert "1 copy and 2 near-copies were dropped in its favour:" in shown
    assert explained(out, "f00004.py")["copies_total"] == 0


def test_ten_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    texts = tuple("\n".join(edited(ORIGINAL, i, "other")) for i in range(15))
    files = ingest.documents(sources=(toys.Literals(texts, stars=(9, *[1] * 14)),))
    cm.build(dedup.fuzzy(files), out=tmp_path, workers=1)
    match = explained(tmp_path, "f00000.py")
    assert (match["copies_total"], len(match["copies"])) == (14, 10)
    assert "… 4 more" in printed(explain(tmp_path, "f00000.py"), 100)
    match = explained(tmp_path, "f00007.py")
    assert (match["others_total"], len(match["others"])) == (13, 10)
    assert "f00007.py" not in [row["path"] for row in match["others"]]


def test_without_the_working_tables_it_says_so(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / ".work")
    compared = explained(tmp_path / "out", "f00001.py")["comparison"]
    assert compared["diff"] is None
    assert compared["kept"]["stars"] == 9  # the corpus knows
    assert compared["why"] == (
        "No diff: the text of the dropped file cannot be read any more: "
        "the working tables are gone (.work in the output folder)."
    )
    assert "cannot be read any more" in printed(explain(tmp_path / "out", "f00001.py"), 100)


def test_text_left_in_a_parquet_input_is_read_there_while_it_is_the_same(tmp_path: Path) -> None:
    source, out = tmp_path / "in.parquet", tmp_path / "out"
    rows = {"path": [f"f{i}.py" for i in range(3)], "content": TEXTS[:3], "stars": [9, 3, 1]}
    pq.write_table(pa.table(rows), source)
    files = ingest.documents(sources=(Parquet(str(source)),))
    cm.build(dedup.fuzzy(files), out=out, workers=1)
    compared = explained(out, "f1.py")["comparison"]
    assert compared["why"] is None
    assert compared["diff"]["changed"] == 1
    os.utime(source, ns=(1, 1))
    compared = explained(out, "f1.py")["comparison"]
    assert compared["diff"] is None
    assert "in an input that has changed since" in compared["why"]
    assert compared["preferred"] == "more stars: 9 stars against 3 stars"
    source.unlink()
    assert "cannot be read any more" in explained(out, "f1.py")["comparison"]["why"]


def test_a_damaged_working_table_is_said_to_be(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out")
    for part in working.files(tmp_path / "out", "ingest.files"):
        data = bytearray(part.read_bytes())
        data[4 : len(data) // 2] = bytes(len(data) // 2 - 4)
        part.write_bytes(data)
    compared = explained(tmp_path / "out", "f00001.py")["comparison"]
    assert compared["diff"] is None
    assert "damaged" in compared["why"]


@step(version=1, reads=("content",), adds={"content": pa.large_string()})
def shouted(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Rewrites the text, as cleaning does."""
    return pa.record_batch({"content": pc.utf8_upper(documents["content"])})


def test_what_is_compared_is_the_text_that_dedup_saw(tmp_path: Path) -> None:
    files = ingest.documents(sources=(toys.Literals(TEXTS[:2], stars=(9, 3)),))
    cm.build(shouted(dedup.fuzzy(shouted(files))), out=tmp_path / "before", workers=1)
    [changed] = _changed(explained(tmp_path / "before", "f00001.py"))
    assert changed["kept"]["text"] == ORIGINAL[99].upper()
    cm.build(shouted(dedup.fuzzy(files)), out=tmp_path / "after", workers=1)
    [changed] = _changed(explained(tmp_path / "after", "f00001.py"))
    assert changed["kept"]["text"] == ORIGINAL[99]


def _changed(match: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in match["comparison"]["diff"]["rows"] if row["kind"] == "changed"]


def test_of_many_matches_the_first_are_compared(tmp_path: Path) -> None:
    rows = [{"repo": f"r{i}", "path": "setup.py", "content": "\n".join(edited(ORIGINAL, i, "x"))} for i in range(6)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    files = ingest.documents(sources=(Parquet(str(tmp_path / "in.parquet")),))
    cm.build(dedup.fuzzy(files), out=tmp_path / "out", workers=1)
    matches = explain_data(tmp_path / "out", "setup.py")["matches"]
    compared = [match["comparison"] for match in matches if match["ledger"]["verdict"] == "dropped"]
    assert [bool(one["diff"]) for one in compared] == [True, True, True, False, False]
    assert compared[3]["why"] == "Only the first 3 near-copies are compared: give the repo too, or the id."
    assert compared[0]["preferred"] is None  # neither stars nor commits are known


def test_of_two_rows_with_one_id_the_kept_one_counts(tmp_path: Path) -> None:
    twice = [row_of(id="a" * 32), row_of(id="a" * 32, reason="duplicate", step="dedup.exact", kept_id="a" * 32)]
    for i, rows in enumerate((twice, twice[::-1])):
        for match in explain_data(write_ledger(tmp_path / str(i), rows), "a" * 32)["matches"]:
            kept = match["kept"]
            assert (kept and kept["verdict"]) == (None if match["ledger"]["verdict"] == "kept" else "kept")
            assert match["others_total"] == 0


# ── diffs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def longest_common(one: list[str], other: list[str]) -> int:
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def test_a_diff_is_true_and_as_short_as_can_be() -> None:
    rng = random.Random(5)
    for _ in range(1500):
        one, other = ([rng.choice("abc") for _ in range(rng.randrange(1, 10))] for _ in range(2))
        found = diff("\n".join(one), "\n".join(other))
        if one == other:
            assert found["rows"] == []
            continue
        changed = [row for row in found["rows"] if row["kind"] == "changed"]
        assert len(changed) == found["changed"] == found["shown"] > 0
        lost = {row["kept"]["line"] - 1 for row in changed if row["kept"]}
        new = {row["dropped"]["line"] - 1 for row in changed if row["dropped"]}
        assert [a for i, a in enumerate(one) if i not in lost] == [b for i, b in enumerate(other) if i not in new]
        assert len(one) - len(lost) == longest_common(one, other)
        for row in found["rows"]:
            for side, lines in (("kept", one), ("dropped", other)):
                assert not row[side] or lines[row[side]["line"] - 1] == row[side]["text"]
            assert row["kind"] != "same" or row["kept"]["text"] == row["dropped"]["text"]


@pytest.mark.parametrize(
    ("kept", "dropped", "note"),
    [
        ("a\nb\n", "a\r\nb\r\n", "They differ only in their line endings."),
        ("a\nb\n", "a\nb", "They differ only in the final newline."),
        ("a", "a", "The texts are the same: the files differ only in how they were encoded."),
        ("a\n", "b\r\n", "They also differ in their line endings."),
    ],
)
def test_what_lines_do_not_show_is_noted(kept: str, dropped: str, note: str) -> None:
    assert diff(kept, dropped)["notes"] == [note]


def test_equal_lines_between_changes_are_left_out() -> None:
    lines = [f"line {i}" for i in range(30)]
    found = diff("\n".join(lines), "\n".join(edited(edited(lines, 5, "x"), 20, "y")))
    kinds = [row["kind"] for row in found["rows"]]
    assert kinds == [*["same"] * 2, "changed", *["same"] * 2, "gap", *["same"] * 2, "changed", *["same"] * 2]
    assert found["rows"][5]["left_out"] == 10
    assert found["rows"][0]["kept"]["line"] == 4


def test_changed_lines_are_cut_and_the_rest_counted() -> None:
    found = diff("\n".join(f"a{i}" for i in range(300)), "\n".join(f"b{i}" for i in range(300)))
    assert (found["changed"], found["shown"], len(found["rows"]), found["whole"]) == (300, SHOWN, SHOWN, True)
    assert found["notes"] == ["240 more changed lines are not shown."]


def test_a_changed_indent_does_not_hide_what_else_changed() -> None:
    lines = [f"line {i}" for i in range(100)]
    indented = ["  " + line for line in edited(lines, 50, "x")]
    found = diff("\n".join(lines), "\n".join(indented))
    assert [row["dropped"]["text"] for row in found["rows"] if row["kind"] == "changed"] == ["  x"]
    assert found["notes"] == ["Lines that differ only in white space are shown as equal."]
    found = diff("\n".join(lines[:9]), "\n".join("\t" + line for line in lines[:9]))
    assert found["changed"] == 9
    assert "→" in printed(DiffView(found), 80)


def test_a_line_of_8_mb_is_cut_around_the_difference() -> None:
    line = "x y z " * 1_300_000
    found = diff(line, line[:5_000_000] + "Q" + line[5_000_001:])
    [row] = found["rows"]
    assert "Q" in row["dropped"]["text"]
    assert len(row["dropped"]["text"]) <= COLUMNS + 2
    assert found["whole"]


HOSTILE = {
    "nothing alike": ("\n".join(f"a{i}" for i in range(900_000)), "\n".join(f"b{i}" for i in range(900_000))),
    "two kinds of lines": ("a\nb\n" * 2_000_000, "b\na\n" * 1_999_999 + "c\n"),
    "at random": tuple("\n".join(random.Random(i).choices("ab", k=2_000_000)) for i in range(2)),
    "only newlines": ("\n" * 8_000_000, "\n" * 7_000_000 + "x" + "\n" * 999_999),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_take_bounded_time(name: str) -> None:
    kept, dropped = HOSTILE[name]
    began = time.process_time()
    found = diff(kept, dropped)
    assert time.process_time() - began < 15  # 0.1 to 1.5 s measured; quadratic would take hours
    assert 0 < found["shown"] <= SHOWN
    if name != "only newlines":
        assert not found["whole"]
        assert "Too much to compare: what follows further down was left out." in found["notes"]


def test_the_budget_bounds_the_edits_that_are_kept_in_memory() -> None:
    found = diff(*HOSTILE["nothing alike"])
    assert found["changed"] ** 2 < 4 * BUDGET
