"""A recipe of synthesis as people run it: on the command line, against a server with a key, with a student."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from codemill.cli import cli
from tests import synthesis_runs
from tests.teaching import chat, serving
from tests.test_synthesis import confined, read

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not confined(), reason="programs cannot be confined on this machine"),
]

KEY = "a-key-of-a-test-4711"
TAUGHT = 2
"""Files that the teacher writes a task about: to all others it says nothing, for it is the choice that is looked at."""


def valuing(body: dict[str, Any], attempt: int) -> Any:
    """Behaviour of a teacher that values code about algorithms, and no other."""
    asked = body["messages"][-1]["content"]
    if "How much would a student of programming learn from it?" in asked:
        return chat(f"Educational value: {4 if 'two_sum' in asked else 1}")
    if "Pick the sentences" in asked:
        return chat("NONE")
    if synthesis_runs.about_file(body) and synthesis_runs.seed_of(body) > TAUGHT:
        return chat("I cannot.")
    return synthesis_runs.traced(body, attempt)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of post_training with a student, by its command."""
    root = tmp_path_factory.mktemp("command")
    repositories = synthesis_runs.sources(root / "repositories", 40)
    for file in list(repositories.rglob("*.py")):  # a classifier learns nothing from a handful of lines
        for n in range(4):
            file.with_stem(f"{file.stem}_{n}").write_text(f"# {n}\n{file.read_text() * 6}")
    corpus, out = synthesis_runs.corpus(repositories, root / "corpus"), root / "out"
    with serving(valuing) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEY_OF_A_TEST", KEY)
        said = CliRunner().invoke(
            cli,
            ["run", "post_training", "--corpus", str(corpus), "--out", str(out), "--workers", "1", "--student",
             "--model", "m", "--base-url", server.url, "--api-key-env", "KEY_OF_A_TEST", "--least-strength", "0",
             "--languages", "python", "--packages-of", "pyarrow", "--names", "1"],
        )  # fmt: skip
        assert said.exit_code == 0, said.output
        assert {headers.get("Authorization") for headers in server.headers} == {f"Bearer {KEY}"}
        assert {json.loads(body)["model"] for body in server.seen} == {"m"}
    return out


def test_the_key_of_the_command_is_in_no_file(run: Path) -> None:
    files = [file for file in run.parent.rglob("*") if file.is_file()]
    assert any(file.parent.name.startswith("out.calls") or "calls" in str(file) for file in files)
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


def test_a_student_chooses_the_seeds_and_its_agreement_is_told(run: Path) -> None:
    worth = json.loads((run / "student" / "classifier.json").read_text())["test"]["all"]
    assert worth["pages"] > 0
    assert worth["agreement"] > 0.9
    books = read(run, "educational_ledger")
    assert sum(row["path"].startswith("two_sum_") for row in books) > 0.8 * len(books) > 80
    assert read(run, "educational")
    told = f"agrees with the teacher on {100 * worth['agreement']:.0f} % of {worth['pages']} held-out files"
    sets = json.loads(CliRunner().invoke(cli, ["show", str(run), "--json"]).output)["sets"]
    chosen = {one["name"] for one in sets if one["student"]}
    assert chosen == {"educational", "multilingual", "evolved"}
    assert all(one["student"]["agreement"] == worth["agreement"] for one in sets if one["name"] in chosen)
    plain = " ".join(CliRunner().invoke(cli, ["show", str(run)]).output.split())
    page = (run / "report.html").read_text()
    card = (run / "educational" / "README.md").read_text()
    assert told in plain
    assert page.count(told) == len(chosen)
    assert told in card
