"""The comparison with Linguist: its arithmetic, and Linguist itself where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from bench import detect_oracle
from bench.detect_oracle import File, Verdict
from tests.test_detect import REAL

INSTALLED = (
    shutil.which("ruby") is not None
    and subprocess.run(["ruby", "-e", "require 'linguist'"], capture_output=True).returncode == 0
)

NEWER: dict[str, str | None] = {
    # Linguist 7.22's tables are of 2022; ours know more.
    "allow.txt": "text",
    "notes.1": "roff",
    "a.tpl": "smarty",
    "help.txt": "vim help file",
}


def test_agreement_is_counted_over_files_that_one_of_the_two_knows() -> None:
    files = [File("r", path, b"x") for path in ("a.py", "b.py", "c.zzz", "d.h", "e.zzz")]
    theirs = [
        Verdict("python", "Extension", False, False),
        Verdict("ruby", "Classifier", False, False),
        Verdict(None, None, False, False),
        Verdict("c", "Heuristics", True, False),
        None,
    ]
    result = detect_oracle.compare([(f, "x") for f in files], theirs)
    assert result["overall"] == {"same": 2, "different": 1, "neither knows": 1, "oracle failed": 1}
    assert detect_oracle.share(result["overall"]) == 2 / 3
    assert result["ambiguous"] == {"same": 1}
    assert result["confusions"] == [[".py", "ruby", "python", 1]]
    assert result["flags"]["vendored different"] == 1


def test_the_newest_release_is_taken_and_files_by_their_hash(tmp_path: Path) -> None:
    for version in ("5.9.1", "5.10.0"):
        with tarfile.open(tmp_path / f"tool5_{version}.orig.tar.gz", "w:gz") as tar:
            for i in range(40):
                (tmp_path / "x").write_text(version)
                tar.add(tmp_path / "x", f"tool-{version}/f{i}.py")
    ((name, archive),) = detect_oracle.latest(tmp_path).items()
    assert (name, archive.name) == ("tool", "tool5_5.10.0.orig.tar.gz")
    taken = detect_oracle.sample(name, archive, plain=5)
    assert len(taken) == 5
    assert {f.raw for f in taken} == {b"5.10.0"}
    assert taken == detect_oracle.sample(name, archive, plain=40)[:5]


@pytest.mark.skipif(not INSTALLED, reason="needs Debian's ruby-github-linguist")
def test_linguist_itself_agrees_on_the_examples() -> None:
    examples = [(path, content, language) for path, content, language, _ in REAL if path.strip(".") and content]
    files = [File("r", path, content.encode()) for path, content, _ in examples if content is not None]
    verdicts = detect_oracle.linguist(files, None)
    different = {
        (path, verdict.language if verdict else "failed", language)
        for (path, _, language), verdict in zip(examples, verdicts, strict=True)
        if verdict is None or verdict.language not in (language, NEWER.get(path, language))
    }
    assert different == set()
