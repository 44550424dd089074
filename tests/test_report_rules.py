"""The report's sections on rules and the picture of the corpus."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

import codemill as cm
from codemill.report import render
from codemill.report.facts import picture, rules
from codemill.run import Run
from codemill.steps import detect, ingest, quality
from tests import working
from tests.test_tuning import BOOK, TEXTS
from tests.toys import Literals


def build(out: Path, texts: tuple[str, ...] = TEXTS) -> Path:
    files = detect.language(ingest.documents(sources=(Literals(texts),)))
    cm.build(
        quality.keep(quality.judge(quality.measure(files), rules=BOOK)),
        out=out, workers=1, recipe={"name": "toy", "parameters": {}},
    )  # fmt: skip
    return out


def test_the_page_shows_rules_and_a_picture(tmp_path: Path) -> None:
    page = render(build(tmp_path))
    assert page.count('class="limit"') == 3  # one threshold of num_words, two of num_chars
    assert "6 files judged, 4 dropped" in page
    assert len(re.findall(r"<circle [^>]*data-where=", page)) == 6
    assert page == render(tmp_path)


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    page = render(build(tmp_path, ('"><script>alert(1)</script> of several words and more\n', *TEXTS)))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_without_working_tables_the_page_does_without(tmp_path: Path) -> None:
    build(tmp_path)
    assert 'id="rules"' in render(tmp_path)
    for file in working.files(tmp_path, "quality.measure"):
        file.rename(file.with_name("gone"))
    assert rules.gather(Run.open(tmp_path)) is None
    assert 'id="rules"' not in render(tmp_path)


def test_changes_are_what_other_thresholds_would_do(tmp_path: Path) -> None:
    found = rules.gather(Run.open(build(tmp_path)))
    assert found is not None
    assert [r.tally.rule.signal for r in found.rules] == ["num_chars", "num_words"]
    limits = dict(found.rules[0].changes)
    assert list(limits) == ["< 10", "< 16", "< 25", "< 40"]
    assert (limits["< 25"].more, limits["< 25"].fewer) == (1, 0)
    assert (found.judged, found.dropped, found.silent) == (6, 4, 0)


def test_what_is_spelled_otherwise_lies_apart() -> None:
    code = [f"def function_{i}(argument):\n    return argument + {i}\n" * 3 for i in range(40)]
    places = picture.plane(picture.features([*code, "0xFF, 0x00, 0xA1, 0x7B, " * 20]))
    out = picture.outlying(places)
    assert out.argmax() == 40
    assert out[40] > 3
    assert np.array_equal(places, picture.plane(picture.features([*code, "0xFF, 0x00, 0xA1, 0x7B, " * 20])))


def test_a_picture_of_next_to_nothing() -> None:
    assert picture.points([], []) == []
    same = picture.points([{"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"}], ["x", "", "same", "same"])
    assert all(0 <= row["x"] <= 1 and 0 <= row["y"] <= 1 for row in same)
