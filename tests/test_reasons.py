"""Every reason for dropping has words, which come from the step that gives it and from nowhere else."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

import codemill as cm
from codemill import catalog, sources
from codemill.machine.modules import module_from_file
from codemill.report import render
from codemill.report.terminal.show import explain_data, show, show_data
from codemill.steps import ingest
from tests.toys import Literals

DOCS = Path(__file__).parent.parent / "docs" / "sources"

STEP = '''
import pyarrow as pa
import pyarrow.compute as pc

import codemill as cm


@cm.step(version=1, reads=("size",), adds={"reason": pa.string()}, drops={"tiny": "smaller than it may be"})
def small(documents, *, below: int = 10):
    """Looks at sizes only."""
    return pa.record_batch({"reason": pc.if_else(pc.less(documents["size"], below), "tiny", None)})
'''


def test_words_of_a_user_s_own_step_are_shown(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(STEP)
    small = module_from_file(tmp_path / "mine.py").small
    out = tmp_path / "out"
    cm.build(small(ingest.documents(sources=(Literals(("short", "", "long enough")),))), out=out, workers=1)
    assert [step["drops"] for step in show_data(out)["steps"]] == [
        {"empty": "nothing in it"},
        {},
        {"tiny": "smaller than it may be"},
    ]
    file = io.StringIO()
    Console(file=file, width=120).print(show(out))
    assert re.search(r"tiny +smaller than it may be", file.getvalue())
    [match] = explain_data(out, "f00000.py")["matches"]
    assert match["verdict"] == "Dropped by mine.small: tiny (smaller than it may be)."
    html = render(out)
    assert "smaller than it may be" in html
    assert "Looks at sizes only." in html


@pytest.mark.parametrize("name", sorted(catalog.steps()))
def test_steps_that_drop_say_why(name: str) -> None:
    step = catalog.steps()[name]
    adds = {} if callable(step.adds) else step.adds
    if "reason" in adds and name != "clean.redact":  # which drops only what crashed
        assert step.drops
    said = step.function.__doc__ or ""
    assert all(re.fullmatch(r"[a-z_]+", reason) for reason in step.drops)
    for reason in re.findall(r"reasons? `([a-z_]+)`", said):
        assert reason == "crashed" or reason in step.drops
    assert step.words(["crashed", "no_such"])["drops"].keys() == {"crashed"}


def test_the_pages_of_sources_name_no_reason_without_words() -> None:
    told = set()
    for page in DOCS.glob("*.md"):
        tables = re.findall(r"^\| reason\b.*\n\|[-| ]+\n((?:\|.*\n)+)", page.read_text("utf-8"), re.MULTILINE)
        for row in "".join(tables).splitlines():
            told |= set(re.findall(r"`([a-z_]+)`", row.split("|")[1]))
    assert len(told) > 15
    assert told - set(sources.REASONS) == set()
    assert set(sources.REASONS) <= set(ingest.files.drops)
