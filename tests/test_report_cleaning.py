"""The report's section on cleaning, and what the page must not tell: where things lie on this machine."""

from __future__ import annotations

import re
from pathlib import Path

import codemill as cm
from codemill.recipes import refinecode
from codemill.report import render
from codemill.report.facts.cleaning import gather
from codemill.run import Run
from codemill.sources import Folder
from codemill.steps import clean, detect, ingest

NOTICE = "# Copyright 2020 Ann Example. All rights reserved.\n# Licensed under the MIT licence.\n\n"


def _input(folder: Path) -> Path:
    code = folder / "somewhere" / "code"
    for repo, name, text in (
        ("one", "a.py", NOTICE + "import os\n\nprint(os.getcwd())\n"),
        ("one", "b.py", "ADMIN = 'ann.smith@corp-mail.org'\nOTHER = 'bob.jones@corp-mail.org'\n"),
        ("two", "c.py", "value = 1\n"),
        ("two", "d.sh", "# mail ann.smith@corp-mail.org\necho done\n"),
    ):
        (code / repo).mkdir(parents=True, exist_ok=True)
        (code / repo / name).write_text(text)
    return code


def test_cleaning_is_counted(tmp_path: Path) -> None:
    files = detect.language(ingest.documents(sources=(Folder(str(_input(tmp_path))),)))
    cm.build(clean.redact(clean.headers(files)), out=tmp_path / "out", workers=1)
    facts = gather(Run.open(tmp_path / "out"))
    assert facts is not None
    assert (facts.looked_for_notices, facts.notices, facts.notice_chars) == (4, 1, len(NOTICE))
    assert (facts.looked_for_secrets, facts.redacted) == (4, 2)
    assert facts.kinds[0] == {"kind": "email", "files": 2, "values": 3}
    assert sum(row["values"] for row in facts.kinds) == 3
    python, shell = facts.languages
    assert python == {"language": "python", "looked": 3, "notices": 1, "redacted": 1, "values": 2}
    assert shell == {"language": "shell", "looked": 1, "notices": 0, "redacted": 1, "values": 1}
    page = re.sub(r"<[^>]+>", "", render(tmp_path / "out"))
    assert "notice was removed from 1 file, 25.0 % of those that came to it" in page
    assert "In 2 files, 50.0 %, something private" in page


def test_without_a_cleaning_step_there_is_no_section(tmp_path: Path) -> None:
    cm.build(detect.language(ingest.documents(sources=(Folder(str(_input(tmp_path))),))), out=tmp_path / "out")
    assert gather(Run.open(tmp_path / "out")) is None
    assert 'id="cleaning"' not in render(tmp_path / "out")


def test_the_page_does_not_say_where_things_lie(tmp_path: Path) -> None:
    stars = tmp_path / "lists" / "stars.csv"
    stars.parent.mkdir()
    stars.write_text("repo,stars\none,5\n")
    recipe = refinecode.smoke((Folder(str(_input(tmp_path))),))
    parameters = {"metadata": str(stars)}
    cm.build(recipe, out=tmp_path / "out", workers=1, recipe={"name": "refinecode", "parameters": parameters})
    page = render(tmp_path / "out")
    assert str(tmp_path) not in page
    assert "<dd>code</dd>" in page
    assert "<dd>stars.csv</dd>" in page
