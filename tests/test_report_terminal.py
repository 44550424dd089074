"""`show` and `explain`: what they say, as data and as text."""

from __future__ import annotations

import doctest
import io
import json
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from codemill.errors import InputError
from codemill.machine.store import seal
from codemill.report import words
from codemill.report.terminal.show import explain, explain_data, show, show_data
from tests.report_fixture import row_of, write_ledger, write_out

A, B, C, D, E = ("aa" * 16, "ab" * 16, "cc" * 16, "dd" * 16, "ee" * 16)


def printed(what: RenderableType, width: int = 100) -> str:
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=False).print(what)
    return file.getvalue()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    rows = [
        row_of(id=A, repo="one", path="src/main.c", language="c", size=1_234),
        row_of(id=B, repo="two", path="lib/src/main.c", language="c", size=1_234)
        | {"step": "dedup.exact", "reason": "duplicate", "verdict": "dropped", "kept_id": A, "similarity": 1.0},
        row_of(id=C, repo="two", path="big.bin", step="ingest.documents", reason="too_large", value="9437184"),
        row_of(id=D, repo="two", path="[red]\x1b[31mx\u202e", step="odd", reason="odd_reason"),
        row_of(id=E, repo="one", path="near.c", step="dedup.fuzzy", reason="near_duplicate")
        | {"kept_id": D, "similarity": 0.875},
    ]
    return write_ledger(tmp_path, rows)


def test_words() -> None:
    result = doctest.testmod(words)
    assert result.attempted >= 8
    assert result.failed == 0


def test_show_has_the_counts_and_is_json(out: Path) -> None:
    data = show_data(out)
    assert json.loads(json.dumps(data)) == data
    assert (data["found"]["rows"], data["kept"]["rows"], data["dropped"]["rows"]) == (5, 1, 4)
    assert data["adds_up"]
    assert {row["language"]: row["kept"] for row in data["languages"]} == {"c": 1, None: 0}
    text = printed(show(out))
    assert "1 of 5 files kept" in text
    assert "5 found = 1 kept + 4 dropped" in text
    assert "too large" in text


def test_show_needs_no_recipe(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(seal(manifest | {"recipe": {}})))  # built from Python
    assert "1 of 5 files kept" in printed(show(out))


def test_show_says_when_it_does_not_add_up(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["steps"][0]["rows_out"] += 1
    (out / "manifest.json").write_text(json.dumps(seal(manifest)))
    data = show_data(out)
    assert not data["adds_up"]
    assert data["wrong"][0]["what"] == "ingest.documents"
    text = printed(show(out))
    assert "do not add up" in text
    assert "✓" not in text


def test_show_of_an_empty_run(tmp_path: Path) -> None:
    assert "No files were found" in printed(show(write_ledger(tmp_path, [])))


@pytest.mark.parametrize("width", [40, 78, 200])
def test_show_fits_its_terminal(tmp_path: Path, width: int) -> None:
    lines = printed(show(write_out(tmp_path, rows=500)), width).splitlines()
    assert max(map(len, lines)) <= width
    if width >= 78:
        assert any("ingest.documents" in line and "dropped" not in line for line in lines)
        assert not any("…" in line for line in lines)


@pytest.mark.parametrize("query", [A, A[:8], "src/main.c", "one/src/main.c", "./src/main.c"])
def test_a_kept_file_is_found_by_id_and_by_path(out: Path, query: str) -> None:
    data = explain_data(out, query)
    assert [match["ledger"]["id"] for match in data["matches"]] == [A]
    [match] = data["matches"]
    assert match["verdict"] == "Kept: it passed every step."
    assert match["copies_total"] == 1
    assert [copy["id"] for copy in match["copies"]] == [B]
    assert json.loads(json.dumps(data)) == data
    assert "two/lib/src/main.c" in printed(explain(out, query))


def test_a_duplicate_names_the_copy_that_was_kept(out: Path) -> None:
    [match] = explain_data(out, B)["matches"]
    assert match["kept"]["path"] == "src/main.c"
    assert match["verdict"] == (
        "Dropped by dedup.exact: duplicate (a byte-for-byte copy of a file that was kept). "
        "Kept instead: one/src/main.c."
    )
    assert "one/src/main.c" in printed(explain(out, B))


def test_a_threshold_stands_beside_what_was_measured(out: Path) -> None:
    [match] = explain_data(out, "big.bin")["matches"]
    assert match["verdict"].endswith("measured: 9437184.")
    assert match["step"]["parameters"] == {"max_bytes": 8_000_000}
    assert "max_bytes = 8000000" in printed(explain(out, "big.bin"))


def test_a_kept_copy_that_was_dropped_later_is_said_to_be(out: Path) -> None:
    [match] = explain_data(out, "near.c")["matches"]
    assert match["verdict"].endswith("87.5 % alike, which odd dropped later: odd reason.")


def test_a_path_in_many_repositories_gives_them_all(tmp_path: Path) -> None:
    rows = [row_of(id=f"{i:032x}", repo=f"r{i:02}", path="setup.py", language="python") for i in range(30)]
    data = explain_data(write_ledger(tmp_path, rows), "setup.py")
    assert data["total"] == 30
    assert [match["ledger"]["repo"] for match in data["matches"]] == [f"r{i:02}" for i in range(20)]
    assert "10 more files with this path" in printed(explain(tmp_path, "setup.py"))


def test_the_end_of_a_path_finds_files_of_whole_names(out: Path) -> None:
    found = explain_data(out, "main.c")
    assert sorted(m["ledger"]["repo"] for m in found["matches"]) == ["one", "two"]
    assert [m["ledger"]["path"] for m in explain_data(out, "lib/src/main.c")["matches"]] == ["lib/src/main.c"]
    assert not explain_data(out, "ain.c")["found"]


@pytest.mark.parametrize(
    ("query", "suggested"),
    [
        ("elsewhere/src/main.c", ["one/src/main.c", "two/lib/src/main.c"]),  # the longest common ending
        ("/home/me/lib/src/main.c", ["two/lib/src/main.c"]),
        ("BIG", ["two/big.bin"]),
        ("no such thing", []),
        ("", []),
        ("/", []),
        (".*", []),  # a name, not a pattern
        ("ab", []),  # too short for an id
    ],
)
def test_near_paths_are_suggested(out: Path, query: str, suggested: list[str]) -> None:
    data = explain_data(out, query)
    assert not data["found"]
    assert data["suggestions"] == suggested
    text = printed(explain(out, query))
    assert "No file" in text
    assert ("Did you mean" in text) == bool(suggested)


def test_names_cannot_steer_the_terminal(out: Path) -> None:
    for text in (printed(explain(out, D)), printed(explain(out, "\x1b[2J[red]")), printed(show(out))):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "[red]\\x1b[31mx\\u202e" in printed(explain(out, D))


def test_no_run_is_an_input_error(tmp_path: Path) -> None:
    for ask in (lambda: show_data(tmp_path), lambda: explain_data(tmp_path, "x")):
        with pytest.raises(InputError, match="no finished run here"):
            ask()
