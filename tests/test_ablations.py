"""Ablations: every one has a hypothesis and arms; one is run small; what is concluded follows from the seeds."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import codemill as cm
from codemill import report
from codemill.ablations import ablation, branching, corpora, running
from codemill.ablations.ablation import SCALES, Given
from codemill.ablations.judging import judge
from codemill.cli import cli
from codemill.errors import InputError, RecipeError
from codemill.machine.planning import plan
from codemill.machine.table import Table
from codemill.recipes._teachers import RECORDED
from codemill.sources import Folder
from codemill.steps import detect, ingest
from tests.token_runs import STDLIB

SMOKE = SCALES["smoke"]


def test_every_ablation_says_what_it_expects_and_has_arms_that_differ(tmp_path: Path) -> None:
    known = ablation.all()
    assert set(known) >= {"rules", "dedup_level", "stars", "annealing", "proved", "stages", "executed"}
    folder = (Folder(str(STDLIB / "json"), label="json", skip=("__pycache__",)),)
    for one in known.values():
        if one.sets is None:
            tables = {arm: make(folder) for arm, make in one.arms.items() if callable(make)}
            assert all(isinstance(table, Table) for table in tables.values())
            assert len({plan(table, tmp_path).fingerprint for table in tables.values()}) == len(one.arms) >= 2
        else:
            assert len({repr(arm) for arm in one.arms.values()}) == len(one.arms) >= 2
            assert len({type(arm) for arm in one.arms.values()}) == 1
        assert one.hypothesis
        assert one.cited
    with pytest.raises(RecipeError, match="did you mean rules"):
        ablation.get("rule")


def test_what_is_concluded_follows_from_the_seeds() -> None:
    sure = judge([1.00, 1.02, 0.98], [1.10, 1.13, 1.07])
    assert sure.low > 0
    assert sure.accuracy == 1
    assert sure.words.startswith("confirmed")
    assert judge([1.10, 1.13, 1.07], [1.00, 1.02, 0.98]).words.startswith("not confirmed")
    unsure = judge([1.0, 1.2, 0.9], [1.1, 1.0, 1.05])
    assert unsure.words == "this scale cannot tell"
    assert unsure.low < 0 < unsure.high
    assert 0.5 <= unsure.accuracy < 1
    assert judge([1.0, 1.0], [1.0, 1.0]).accuracy == 0.5
    with pytest.raises(ValueError, match="two seeds"):
        judge([1.0], [1.1])


def test_files_of_repositories_without_stars_are_dropped() -> None:
    batch = pa.record_batch({"stars": pa.array([4, 5, None], pa.int64())})
    reasons = corpora.starred.function(batch, least=5)["reason"].to_pylist()
    assert reasons == ["few_stars", None, "few_stars"]


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Packages of the standard library as repositories, in small files, of which some are about algorithms; each has a
    file that rules drop."""
    root = tmp_path_factory.mktemp("repositories")
    for name in ("email", "json", "http", "xml", "html", "wsgiref", "logging", "urllib"):
        files = sorted((STDLIB / name).glob("*.py"))[:4]
        pieces = [piece for file in files for piece in file.read_text().split("\n\n\n")]
        (root / name).mkdir()
        for number, piece in enumerate([piece for piece in pieces if 300 < len(piece) < 2500][:12]):
            seed = "" if number % 3 else "\n# Solves a task of leetcode.\n"
            (root / name / f"piece_{number}.py").write_text(piece.strip() + "\n" + seed, "utf-8")
        (root / name / "numbers.py").write_text(f"{name} = [" + "1, " * 1_500 + "]\n", "utf-8")
    return [str(root / name) for name in sorted(p.name for p in root.iterdir())]


def test_an_ablation_runs_from_inputs_to_a_conclusion(repositories: list[str], tmp_path: Path) -> None:
    sources = [Folder(path, label=Path(path).name) for path in repositories]
    rules = ablation.get("rules")
    three = dataclasses.replace(rules, arms={**rules.arms, "again": rules.arms["none"]})
    found = running.run(three, Given(sources), tmp_path, scale=SMOKE, workers=1)
    arms = found["arms"]
    assert arms.pop("again")["same_as"] == "none"  # and is not trained again
    assert not (tmp_path / "again-tokens").exists()
    assert arms["refinecode"]["documents"] < arms["none"]["documents"]
    for arm in arms.values():
        assert [run["seed"] for run in arm["runs"]] == [0, 1]
        assert len({run["bits_per_byte"] for run in arm["runs"]}) == 2
        assert all(1 < run["bits_per_byte"] < 12 for run in arm["runs"])
        assert arm["epochs"] > 0
    assert {run["tokens"] for arm in arms.values() for run in arm["runs"]} == {15_360}  # matched
    (verdict,) = found["verdicts"]
    assert verdict["arm"] == "none"
    assert verdict["words"]
    # The rules drop numbers.py of every repository: models are measured on it all the same.
    held, chosen = (
        [Path(path).name for path in pq.read_table(tmp_path / folder / "corpus", columns=["path"])["path"].to_pylist()]
        for folder in ("held-out", "refinecode")
    )
    assert "numbers.py" in held
    assert "numbers.py" not in chosen
    told = json.loads((tmp_path / "ablation.json").read_text("utf-8"))
    again = running.run(three, Given(sources), tmp_path, scale=SMOKE, workers=1)
    assert again == told


def test_arms_that_are_the_same_say_nothing(repositories: list[str], tmp_path: Path) -> None:
    sources = [Folder(path, label=Path(path).name) for path in repositories[:3]]
    same = dataclasses.replace(ablation.get("rules"), arms={"a": corpora.corpus, "b": corpora.corpus})
    scale = dataclasses.replace(SMOKE, held_out=0.5)
    with pytest.raises(InputError, match="all arms have the same"):
        running.run(same, Given(sources), tmp_path, scale=scale, workers=1)
    assert not list(tmp_path.glob("*-tokens"))  # and nothing was trained


BASES: list[Path] = []
"""Where a base was built already: the ablations below share it, which is what takes time."""


def went_on(name: str, repositories: list[str], tmp_path: Path, teacher: str | None = None) -> dict[str, Any]:
    """An ablation at a scale that takes some seconds, its base copied from the one before."""
    if BASES:
        for part in BASES[0].glob("base*"):
            shutil.copytree(part, tmp_path / part.name)
    BASES.append(tmp_path)
    sources = [Folder(path, label=Path(path).name) for path in repositories]
    given = Given(sources, teacher, runner="tests.half_passes")
    found = running.run(ablation.get(name), given, tmp_path, scale=SMOKE, workers=1)
    assert json.loads((tmp_path / "ablation.json").read_text("utf-8")) == found
    for arm in found["arms"].values():
        assert len({run["bits_per_byte"] for run in arm["runs"]}) == 2
        assert all(0 < run["bits_per_byte"] < 12 for run in arm["runs"])
    return found


def test_arms_go_on_from_one_base_with_other_annealing_mixes(repositories: list[str], tmp_path: Path) -> None:
    found = went_on("annealing", repositories, tmp_path)
    assert list(found["arms"]) == ["algorithmic", "original"]
    assert found["left_out"] == ["synthetic"]
    read = {arm: {one["name"]: one["read"] for one in facts["inputs"]} for arm, facts in found["arms"].items()}
    assert set(read["original"]) == {"original"}
    assert 0.05 < read["algorithmic"]["algorithmic"] / sum(read["algorithmic"].values()) < 0.25  # the paper's 12.9 %
    tokens = {round(run["tokens"]) for facts in found["arms"].values() for run in facts["runs"]}
    assert tokens == {7680}
    assert set(found["measured"]) == {"held out"}
    page = report.render(tmp_path)
    assert "algorithmic read" in page
    assert page.count("nats per token, first seed") == 2
    assert found["verdicts"][0]["words"] in page


def test_chats_are_read_in_one_stage_or_two_with_as_many_steps(repositories: list[str], tmp_path: Path) -> None:
    found = went_on("stages", repositories, tmp_path)
    assert list(found["arms"]) == ["two_stages", "stage_1", "mixed"]
    stages = {arm: [one["name"] for one in facts["inputs"]] for arm, facts in found["arms"].items()}
    assert stages == {"two_stages": ["stage 1", "stage 2"], "stage_1": ["stage 1"], "mixed": ["stage 1"]}
    one, two = (found["arms"][arm]["inputs"][0] for arm in ("stage_1", "mixed"))
    assert one["documents"] < two["documents"]
    # Answers come first, for they are what the arms learned; held-out code says what they forgot.
    assert list(found["arms"]["mixed"]["runs"][0]["measures"]) == ["held-out functions", "held out"]
    assert {one["on"] for one in found["verdicts"]} == {"held-out functions", "held out"}


@pytest.mark.parametrize("name", ["proved", "executed"])
def test_rows_that_passed_are_held_against_all_that_were_written(
    name: str, repositories: list[str], tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="say who: --teacher"):
        running.run(ablation.get(name), Given([]), tmp_path / "none", scale=SMOKE)
    found = went_on(name, repositories, tmp_path, teacher=RECORDED)
    first, every = found["arms"].values()
    read = [next(one for one in arm["inputs"] if one["name"] != "original") for arm in (first, every)]
    assert read[0]["documents"] <= read[1]["documents"]
    passed, written = (
        pq.read_table(tmp_path / "sets" / folder)["outcome"].to_pylist()
        for folder in (("proved", "unfiltered") if name == "proved" else ("executed", "all"))
    )
    assert set(passed) == {"pass"}
    assert len(written) > len(passed)
    assert {"pass", "fail"} <= set(written)


def test_with_a_teacher_every_set_of_the_papers_is_asked_for(tmp_path: Path) -> None:
    """Recipes only: nothing is built."""
    cm.build(detect.language(ingest.documents(sources=(Folder(str(STDLIB / "json")),))), out=tmp_path, workers=1)
    with_one = {
        one.name: set(one.sets(str(tmp_path), Given([], RECORDED), SMOKE))
        for one in ablation.all().values() if one.sets is not None
    }  # fmt: skip
    for name, made in with_one.items():
        arms = ablation.get(name).arms.values()
        assert {part for arm in arms for part in branching.wanted(arm)} <= made


def test_the_verb_lists_and_refuses() -> None:
    listed = CliRunner().invoke(cli, ["ablate"])
    assert listed.exit_code == 0
    assert "dedup_level" in listed.stdout
    assert isinstance(CliRunner().invoke(cli, ["ablate", "rules"]).exception, RecipeError)
    wrong = CliRunner().invoke(cli, ["ablate", "rules", "--scale", "huge"])
    assert "there is no scale" in str(wrong.exception)
