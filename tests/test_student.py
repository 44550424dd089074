"""A student that learns from a teacher's grades: what it takes, how far it agrees, and what it cannot learn from."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.machine.builder import build
from codemill.prompts import grade
from codemill.sources import Folder
from codemill.steps import choose, detect, ingest, student
from codemill.teacher import Scripted

GOOD = ["sort", "search", "merge", "tree", "graph", "queue", "stack", "visit", "node", "edge", "path", "weight"]
POOR = [
    "config",
    "option",
    "value",
    "setting",
    "path",
    "name",
    "default",
    "enable",
    "verbose",
    "version",
    "label",
    "title",
]


def files(root: Path, repositories: int = 40) -> cm.Table:
    """Ten files in each repository, half of them about algorithms."""
    for repo in range(repositories):
        rng = random.Random(repo)
        for n in range(10):
            words = GOOD if n % 2 else POOR
            lines = [f"{rng.choice(words)}_{rng.choice(words)} = {rng.choice(words)}({n})" for _ in range(20)]
            file = root / f"r{repo}" / f"{'good' if n % 2 else 'poor'}{n}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(lines) + "\n")
    return choose.kinds(detect.language(ingest.documents(sources=(Folder(str(root)),))), of=("code",))


def answer(body: dict[str, Any], sample: int = 0) -> str:
    """A teacher who likes algorithms."""
    text = body["messages"][-1]["content"]
    return f"Some reason.\nEducational value: {4 if sum(text.count(w + '_') for w in GOOD) > 10 else 1}"


TEACHER = Scripted(f"{Path(__file__)}:answer")


def test_a_student_takes_what_the_teacher_would_take(tmp_path: Path) -> None:
    code = files(tmp_path / "in")
    values = grade.value(choose.share(code, of=0.5), teacher=TEACHER)
    taken, model = student.choose(code, values, least=3.0, precision=0.9)
    made = {"corpus": taken, "ledger": cm.ledger(taken), "student": model}
    manifest = build(made, out=tmp_path / "out", workers=1)
    paths = pq.read_table(tmp_path / "out" / "corpus")["path"].to_pylist()
    assert sum("good" in path for path in paths) > 0.9 * len(paths)
    assert len(paths) > 150  # of 200, half of which no teacher has seen
    facts = json.loads((tmp_path / "out" / "student" / "classifier.json").read_text())
    assert facts["test"]["all"]["agreement"] > 0.9
    (counted,) = [entry["counts"] for entry in manifest["steps"] if entry["name"] == "student.grades"]
    assert 160 < counted["graded"] < 240
    assert {row["reason"] for row in pq.read_table(tmp_path / "out" / "ledger").to_pylist()} == {None, "not_taken"}


def test_nothing_is_learned_from_grades_that_are_all_alike(tmp_path: Path) -> None:
    code = files(tmp_path / "in", 2)
    taken, _ = student.choose(code, grade.value(code, teacher=TEACHER), least=0.0, precision=0.9)
    with pytest.raises(cm.InputError, match=r"of 20 graded files 20 have a grade of at least 0\.0"):
        cm.build(taken, out=str(tmp_path / "out"), workers=1)
