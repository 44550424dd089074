"""What works on texts in memory takes one or many alike, and knows languages by all their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

import codemill as cm
from codemill import languages
from codemill.recipes.refinecode import refinecode
from codemill.steps import detect, ingest, sample

HEADED = "// Copyright 2020 A. Author. All rights reserved.\n\nint x;\n"
SECRET = "PASSWORD=hunter2x9\n"


@pytest.mark.parametrize(
    ("name", "key"),
    [("C++", "cpp"), ("c++", "cpp"), ("cpp", "cpp"), ("Shell", "shell"), ("bash", "shell"), (" Go ", "go"),
     ("golang", "go"), ("C", "c"), ("F#", "f#"), ("Jupyter Notebook", "jupyter notebook")],
)  # fmt: skip
def test_languages_go_by_key_title_and_alias(name: str, key: str) -> None:
    assert languages.get(name).name == key


def test_every_title_and_key_leads_to_its_language() -> None:
    for language in languages.all():
        assert languages.get(language.name) is language
        titled = languages.get(language.title)
        assert titled is language or titled.name == language.title.lower()  # a key counts before a title


@pytest.mark.parametrize(
    "call",
    [
        lambda: cm.redact("x", language="pyhton"),
        lambda: cm.redact(["x"], language="pyhton"),
        lambda: cm.measure("x", language="pyhton"),
        lambda: cm.measure(["x"], language=["pyhton"]),
        lambda: cm.strip_header("x", language="pyhton"),
        lambda: cm.strip_header(["x"], language="pyhton"),
        lambda: detect.keep(ingest.documents(sources=()), kept=("pyhton",)),
        lambda: sample.fraction(ingest.documents(sources=()), keep={"pyhton": 0.5}),
        lambda: sample.budget(ingest.documents(sources=()), shares={"pyhton": 0.5}),
        lambda: refinecode((), language=("pyhton",)),
    ],
)
def test_an_unknown_language_is_an_error_everywhere(call: Callable[[], Any]) -> None:
    with pytest.raises(cm.RecipeError, match=r"no language 'pyhton'.*did you mean python"):
        call()


def test_steps_take_languages_by_any_name() -> None:
    documents = ingest.documents(sources=())
    assert detect.keep(documents, kept=("C++", "cpp", "Shell")).params["kept"] == ("cpp", "shell")
    assert sample.fraction(documents, keep={"Java": 0.5}).params["keep"] == {"java": 0.5}
    with pytest.raises(cm.RecipeError, match="named twice"):
        sample.fraction(documents, keep={"Java": 0.5, "java": 0.1})


def test_one_text_or_many_give_the_same() -> None:
    many = cm.strip_header([HEADED, None, "int y;\n"], language=["C", "c", "C"])
    assert many.to_pylist() == ["int x;\n", None, "int y;\n"]
    assert cm.strip_header(HEADED, language="C") == "int x;\n"
    assert cm.redact([SECRET], language="Shell")["content"][0].as_py() == cm.redact(SECRET, language="shell").content
    one, rows = cm.measure("a\nb\n", language="Python"), cm.measure(pa.array(["a\nb\n"]), language="python")
    assert one == rows.to_pylist()[0]
    assert one["num_lines"] == 2


def test_without_a_language_it_is_detected_as_in_the_pipeline() -> None:
    assert cm.redact(SECRET).counts == {"password": 1}  # unknown: configuration
    assert cm.redact(SECRET, path="a.py").counts == cm.redact(SECRET, language="python").counts == {}
    assert cm.redact([SECRET, SECRET], path=["a.py", ".env"])["password"].to_pylist() == [0, 1]
    assert cm.strip_header(HEADED, path="a.c") == "int x;\n"
    assert cm.strip_header(HEADED) == HEADED
    assert cm.measure("def f(): pass\n", path="a.py") == cm.measure("def f(): pass\n", language="python", path="a.py")
    with pytest.raises(ValueError, match="2 texts and 1 of path"):
        cm.redact(["a", "b"], path=["a.py"])
