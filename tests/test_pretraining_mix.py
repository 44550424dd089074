"""The pretraining mix over three inputs: raw code, notebooks and web pages, by the shares of OpenCoder's Table 2."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.machine.builder import build
from codemill.recipes import pretraining_mix, tokens
from codemill.recipes.quickstart import quickstart
from codemill.sources import Folder
from codemill.steps import ingest
from codemill.tokens import Loader
from tests.test_fuzzy import words

PAPER = {"code": 875 / 960, "notebooks": 11 / 960, "web": 74 / 960}
"""Of 960 billion tokens: GitHub 755 and The Stack v2 120; notebooks 11; Common Crawl 13, SkyPile 3, FineWeb 55 and
AutoMathText 3."""


def notebook(i: int) -> str:
    """A notebook with a paragraph, a cell of code and what it printed."""
    text, name = " ".join(words(i)[:20]), words(i)[20]
    output = {"output_type": "stream", "name": "stdout", "text": [f"{name}\n"]}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": [text]},
        {"cell_type": "code", "metadata": {}, "source": [f"print({name!r})"], "outputs": [output]},
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


@pytest.fixture(scope="module")
def three(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Token shards of code, notebooks and pages, by one tokenizer."""
    root = tmp_path_factory.mktemp("three")
    for name, ending, text in (
        ("notebooks", "ipynb", notebook),
        ("web", "md", lambda i: "\n\n".join([" ".join(words(1000 + i)[:60])] * 2)),
    ):
        for i in range(200):
            file = root / "in" / name / f"repo{i % 5}" / f"{i}.{ending}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text(i))
    only = {"language": ("jupyter notebook",), "rules": "none"}
    build(quickstart((Folder(str(root / "in" / "notebooks")),), **only), out=root / "notebooks", workers=1)
    build(ingest.documents(sources=(Folder(str(root / "in" / "web")),)), out=root / "web", workers=1)
    for name in ("notebooks", "web"):
        made = tokens.tokens(corpus=str(root / name), existing=str(runs / "plain" / "tokenizer"), fim_rate=0)
        build(made, out=root / f"{name}-tokens", workers=1)
    return root


def test_the_shares_of_the_paper_come_out(runs: Path, three: Path, tmp_path: Path) -> None:
    texts = pq.read_table(three / "notebooks" / "corpus")["content"].to_pylist()
    assert len(texts) == 200
    assert not any("nbformat" in text for text in texts), "what is encoded is the text of a notebook, not its JSON"
    given = {"code": runs / "plain", "notebooks": three / "notebooks-tokens", "web": three / "web-tokens"}
    recipe = pretraining_mix.pretraining_mix(**{name: str(run) for name, run in given.items()}, length=256, epochs=1)
    build(recipe, out=tmp_path, workers=1)
    facts = json.loads((tmp_path / "mix" / "mix.json").read_text())
    loader = Loader(tmp_path, [run / "tokens" for run in given.values()])
    read = np.zeros(3, np.int64)
    for sequence in loader:
        np.add.at(read, sequence.spans["input"], sequence.spans["length"])
    assert [one["name"] for one in facts["inputs"]] == list(PAPER)
    assert read.tolist() == [one["taken"] for one in facts["inputs"]], "mix.json tells what the plan holds"
    assert read.sum() > 100_000
    assert (read / read.sum()).tolist() == pytest.approx(list(PAPER.values()), abs=0.002)
    assert max(one["epochs"] for one in facts["inputs"]) <= 1


def test_an_input_with_another_tokenizer_is_refused(runs: Path, three: Path, tmp_path: Path) -> None:
    build(tokens.smoke(corpus=str(three / "web")), out=tmp_path / "other", workers=1)
    with pytest.raises(cm.RecipeError, match="web and code were encoded with different tokenizers"):
        pretraining_mix.pretraining_mix(code=str(runs / "plain"), web=str(tmp_path / "other"))
