"""Notebooks become text in reading order, or are dropped with a reason."""

from __future__ import annotations

import json
import resource

import pyarrow as pa
import pytest

from codemill.errors import RecipeError
from codemill.steps import clean, ingest


def notebook(*cells: dict[str, object]) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)})


CELLS = (
    {"cell_type": "markdown", "source": ["# A title\n", "and words"], "attachments": {"a.png": {"image/png": "AAAA"}}},
    {
        "cell_type": "code",
        "source": "%matplotlib inline\nfor i in x:\n    !ls\n    print(i)",
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": ["\x1b[1m0\x1b[0m\n", "1\n"]},
            {"output_type": "display_data", "data": {"image/png": "iVBORw0" * 1000, "text/plain": ["<Figure>"]}},
        ],
    },
    {"cell_type": "code", "source": "", "outputs": []},
)


def run(texts: list[str | None], paths: list[str] | None = None, **params: object) -> pa.RecordBatch:
    paths = paths or ["a/n.ipynb"] * len(texts)
    batch = pa.record_batch({"path": pa.array(paths), "content": pa.array(texts, pa.large_string())})
    return clean.notebooks.function(batch, **params)


def test_the_structured_form() -> None:
    done = run([notebook(*CELLS)])
    assert done["content"].to_pylist() == [
        "<jupyter_start><jupyter_text># A title\nand words\n"
        "<jupyter_code>%matplotlib inline\nfor i in x:\n    !ls\n    print(i)\n"
        "<jupyter_output>0\n1\n<Figure>\n"
    ]
    assert done["reason"].to_pylist() == [None]


def test_outputs_are_cut_to_a_budget() -> None:
    assert run([notebook(*CELLS)], output_chars=3)["content"][0].as_py().endswith("<jupyter_output>0\n1…\n")
    assert "jupyter_output" not in run([notebook(*CELLS)], output_chars=0)["content"][0].as_py()


def test_the_script_is_a_program() -> None:
    [script] = run([notebook(*CELLS)], form="script")["content"].to_pylist()
    assert script.startswith("# # A title\n# and words\n\n# %matplotlib inline\nfor i in x:\n    # ")
    compile(script, "script", "exec")


def test_other_documents_pass_and_broken_ones_go() -> None:
    texts = ["{", "{", notebook(), None, '{"nbformat": 4, "cells": 7}', "[" * 100_000]
    paths = ["x.py", "x.ipynb", "y.IPYNB", "z.ipynb", "w.ipynb", "v.ipynb"]
    done = run(texts, paths)
    assert done["content"].to_pylist() == ["{", None, None, None, None, None]
    assert done["reason"].to_pylist() == [None, "malformed", "empty", None, "malformed", "malformed"]
    assert done["value"][1].as_py() == "the JSON ends early: line 1, column 1"
    assert run([], [])["content"].to_pylist() == []


def test_images_take_no_memory() -> None:
    data = {"image/png": "A" * 30_000_000, "text/plain": "x"}
    text = notebook({"cell_type": "code", "source": "f()", "outputs": [{"data": data}]})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert run([text])["content"].to_pylist() == ["<jupyter_start><jupyter_code>f()\n<jupyter_output>x\n"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB: the column itself, and a copy


@pytest.mark.parametrize("params", [{"form": "plain"}, {"output_chars": -1}, {"output_chars": 1.5}])
def test_wrong_parameters(params: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=r"form|output_chars"):
        clean.notebooks(ingest.documents(sources=()), **params)
