"""Budgets as options of a recipe: bytes, shares and tokens of a language, hit however the input is cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.machine.builder import build
from codemill.recipes import tokens
from codemill.recipes.quickstart import quickstart
from codemill.recipes.refinecode import refinecode
from codemill.sources import Parquet
from codemill.tokens import Encoder, Shards
from tests.test_fuzzy import words

ROWS, ENDINGS = 6_000, ("java", "html", "py")


@pytest.fixture(scope="module")
def files() -> pa.Table:
    """Files of three languages that are no copies of each other."""
    texts = ["\n".join(words(i)[: 8 + i * 37 % 19]) + "\n" for i in range(ROWS)]
    return pa.table(
        {
            "repo": [f"owner/r{i % 40}" for i in range(ROWS)],
            "path": [f"src/f{i}.{ENDINGS[i % 3]}" for i in range(ROWS)],
            "content": texts,
        }
    )


@pytest.fixture(scope="module")
def whole(files: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    pq.write_table(files, folder / "a.parquet")
    return folder


@pytest.fixture(scope="module")
def everything(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus without a budget, and a tokenizer trained on it."""
    out = tmp_path_factory.mktemp("everything")
    build(quickstart((Parquet(str(whole)),), rules="none"), out=out / "corpus", workers=1)
    made = tokens.tokens(corpus=str(out / "corpus"), vocabulary=512, sample_bytes=100_000, fim_rate=0)
    build(made, out=out / "tokens", workers=1)
    return out


def contents(out: Path) -> dict[str, dict[str, str]]:
    """The contents that are kept of each language, by their ids."""
    found: dict[str, dict[str, str]] = {"java": {}, "html": {}, "python": {}}
    for row in pq.read_table(out / "corpus", columns=["id", "language", "content"]).to_pylist():
        found[row["language"]][row["id"]] = row["content"]
    return found


def size(texts: dict[str, str]) -> int:
    return sum(len(text.encode()) for text in texts.values())


def near(value: float, budget: float) -> bool:
    """Whether a budget is hit within a percent, and not exceeded."""
    return 0.99 * budget <= value <= budget


def test_each_budget_of_a_recipe_is_hit_and_a_fraction_makes_room_for_it(
    whole: Path, everything: Path, tmp_path: Path
) -> None:
    budgets = ("Java=150kB", "html=0.4")
    build(refinecode((Parquet(str(whole)),), rules="none", budget=budgets), out=tmp_path, workers=1)
    kept, before = contents(tmp_path), contents(everything / "corpus")
    assert size(before["java"]) * 0.445 < 0.95 * 150_000, "the default fraction would keep less than the budget"
    assert near(size(kept["java"]), 150_000)
    assert near(size(kept["html"]), 0.4 * size(before["html"]))
    assert kept["python"] == before["python"], "a language without a budget is kept whole"
    sampled = [
        row for row in pq.read_table(tmp_path / "ledger").to_pylist() if (row["step"] or "").startswith("sample.")
    ]
    assert {row["reason"] for row in sampled} == {"over_budget"}


def test_the_choice_is_the_same_however_the_input_is_cut_and_for_any_workers(
    files: pa.Table, whole: Path, everything: Path, tmp_path: Path
) -> None:
    (tmp_path / "cut").mkdir()
    for i in range(3):
        part = files.take(pa.array(range(ROWS - 1 - i, -1, -3)))
        pq.write_table(part, tmp_path / "cut" / f"{i}.parquet", row_group_size=700)
    how: dict[str, Any] = {
        "rules": "none",
        "budget": ("java=100kB", "python=30ktokens"),
        "tokenizer": str(everything / "tokens" / "tokenizer"),
    }
    for name, folder, workers in (("one", whole, 1), ("two", tmp_path / "cut", 2)):
        build(quickstart((Parquet(str(folder)),), **how), out=tmp_path / name, workers=workers)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert one == two
    encoder = Encoder(everything / "tokens" / "tokenizer")
    texts = pa.array(one["python"].values(), pa.large_string())
    offsets, _ = encoder.encode(texts)
    assert near(int(offsets[-1]) + len(texts), 30_000)
    assert near(size(one["java"]), 100_000)


def test_tokens_are_counted_as_they_are_written(whole: Path, everything: Path, tmp_path: Path) -> None:
    """A budget of all that a language has keeps all of it; of one token less, not."""
    shards = Shards(everything / "tokens" / "tokens")
    rows = [shards.row(part, row) for part in range(len(shards.files)) for row in range(shards.rows(part))]
    has = sum(row["num_tokens"] for row in rows if row["language"] == "java")
    for tokens_wanted, all_kept in ((has, True), (has - 1, False)):
        table = quickstart(
            (Parquet(str(whole)),),
            rules="none",
            budget=(f"java={tokens_wanted}tokens",),
            tokenizer=str(everything / "tokens" / "tokenizer"),
        )
        build(table, out=tmp_path, workers=1)
        assert (contents(tmp_path)["java"] == contents(everything / "corpus")["java"]) is all_kept


def test_without_budgets_a_recipe_is_as_it_was() -> None:
    assert refinecode(()).step.name == "sample.fraction"
    assert refinecode(()).params["keep"] == {"html": 0.135, "java": 0.445}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"budget": ("java",)}, "'java' is no budget"),
        ({"budget": ("java=lots",)}, "'java=lots' is no budget"),
        ({"budget": ("java=1.5",)}, "between 0 and 1, got 1.5"),
        ({"budget": ("jav=1GB",)}, "no language 'jav'"),
        ({"budget": ("java=1GB", "Java=0.5")}, "java has two budgets"),
        ({"budget": ("java=1Btokens",)}, "a budget in tokens needs a tokenizer"),
        ({"budget": ("java=1GB",), "tokenizer": "somewhere"}, "there is no budget in tokens"),
    ],
)
def test_budgets_that_are_none_are_refused(params: dict[str, Any], said: str) -> None:
    with pytest.raises(cm.RecipeError, match=said):
        refinecode((), **params)
