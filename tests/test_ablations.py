"""Ablations: every one has a hypothesis and arms; one is run small; what is concluded follows from the seeds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from codemill.ablations import ablation, corpora, running
from codemill.ablations.ablation import SCALES
from codemill.ablations.judging import judge
from codemill.cli import cli
from codemill.errors import InputError, RecipeError
from codemill.machine.planning import plan
from codemill.machine.table import Table
from codemill.sources import Folder
from tests.token_runs import STDLIB

SMOKE = SCALES["smoke"]


def test_every_ablation_says_what_it_expects_and_has_arms_that_differ(tmp_path: Path) -> None:
    assert {"rules", "dedup_level", "stars"} <= set(ablation.all())
    folder = (Folder(str(STDLIB / "json"), label="json", skip=("__pycache__",)),)
    for one in ablation.all().values():
        tables = {arm: make(folder) for arm, make in one.arms.items()}
        assert all(isinstance(table, Table) for table in tables.values())
        assert len({plan(table, tmp_path).fingerprint for table in tables.values()}) == len(tables) >= 2
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
    """Packages of the standard library as repositories, each with a file that rules drop."""
    root = tmp_path_factory.mktemp("repositories")
    for name in ("email", "json", "http", "xml", "html", "wsgiref", "logging", "urllib"):
        for file in sorted((STDLIB / name).glob("*.py"))[:4]:
            (root / name).mkdir(exist_ok=True)
            (root / name / file.name).write_bytes(file.read_bytes())
        (root / name / "numbers.py").write_text(f"{name} = [" + "1, " * 30_000 + "]\n", "utf-8")
    return [str(root / name) for name in sorted(p.name for p in root.iterdir())]


def test_an_ablation_runs_from_inputs_to_a_conclusion(repositories: list[str], tmp_path: Path) -> None:
    sources = [Folder(path, label=Path(path).name) for path in repositories]
    rules = ablation.get("rules")
    three = dataclasses.replace(rules, arms={**rules.arms, "again": rules.arms["none"]})
    found = running.run(three, sources, tmp_path, scale=SMOKE, workers=1)
    arms = found["arms"]
    assert arms.pop("again")["same_as"] == "none"  # and is not trained again
    assert not (tmp_path / "again-tokens").exists()
    assert arms["refinecode"]["documents"] < arms["none"]["documents"]
    for arm in arms.values():
        assert [run["seed"] for run in arm["runs"]] == [0, 1]
        assert len({run["bits_per_byte"] for run in arm["runs"]}) == 2
        assert all(1 < run["bits_per_byte"] < 12 for run in arm["runs"])
        assert arm["epochs"] > 0
    assert {run["tokens"] for arm in arms.values() for run in arm["runs"]} == {15_872}  # matched
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
    again = running.run(three, sources, tmp_path, scale=SMOKE, workers=1)
    assert again == told


def test_arms_that_are_the_same_say_nothing(repositories: list[str], tmp_path: Path) -> None:
    sources = [Folder(path, label=Path(path).name) for path in repositories[:3]]
    same = dataclasses.replace(ablation.get("rules"), arms={"a": corpora.corpus, "b": corpora.corpus})
    scale = dataclasses.replace(SMOKE, held_out=0.5)
    with pytest.raises(InputError, match="all arms have the same"):
        running.run(same, sources, tmp_path, scale=scale, workers=1)
    assert not list(tmp_path.glob("*-tokens"))  # and nothing was trained


def test_the_verb_lists_and_refuses() -> None:
    listed = CliRunner().invoke(cli, ["ablate"])
    assert listed.exit_code == 0
    assert "dedup_level" in listed.stdout
    assert isinstance(CliRunner().invoke(cli, ["ablate", "rules"]).exception, RecipeError)
    wrong = CliRunner().invoke(cli, ["ablate", "rules", "--scale", "huge"])
    assert "there is no scale" in str(wrong.exception)
