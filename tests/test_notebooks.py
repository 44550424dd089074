"""Notebooks: both generations, both forms, and what is hostile."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from codemill.cleaning.notebooks import convert
from codemill.errors import InputError, RecipeError
from codemill.steps import clean


def code(source, *outputs):
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def notebook(*cells, **more):
    return json.dumps({"nbformat": 4, "cells": list(cells), **more})


def test_outputs_are_text_only_and_cut_at_a_line_end():
    outputs = (
        {"output_type": "stream", "name": "stdout", "text": ["one\n", "\x1b[31mtwo\x1b[0m\n", "three\n"]},
        {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": ["<Figure>"]}},
        {"output_type": "error", "ename": "ValueError", "evalue": "bad", "traceback": ["secret path"]},
    )
    text = convert(notebook(code("f()", *outputs)))
    assert text == "<jupyter_start><jupyter_code>f()<jupyter_output>one\ntwo\nthree\n<Figure>\nValueError: bad\n"
    assert convert(notebook(code("f()", *outputs)), output_chars=9).endswith("<jupyter_output>one\ntwo\n")
    assert convert(notebook(code("f()", *outputs)), output_chars=0).endswith("f()<empty_output>\n")


def test_the_old_generation_reads_alike():
    sheet = {
        "cells": [
            {"cell_type": "heading", "level": 2, "source": "Title"},
            {"cell_type": "code", "input": "1", "outputs": [{"output_type": "pyout", "text": "1"}]},
        ]
    }
    text = convert(json.dumps({"nbformat": 3, "worksheets": [sheet]}))
    assert text == "<jupyter_start><jupyter_text>## Title<jupyter_code>1<jupyter_output>1\n"


def test_a_script_has_text_and_magics_as_comments_of_its_language():
    cells = (
        {"cell_type": "markdown", "source": "Look:\n\n![x](data:image/png;base64,AAAA)"},
        code("%time\nx = 1\n!ls"),
    )
    assert convert(notebook(*cells), form="script") == "# Look:\n#\n# x\n\n# %time\nx = 1\n# !ls\n"
    metadata = {"language_info": {"name": "Java"}}
    assert convert(notebook(*cells, metadata=metadata), form="script").startswith("// Look:\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"cells": 3}',
        '{"cells": []}',
        '{"worksheets": [[]]}',
        '{"cells": [1, null, {"cell_type": "code", "source": {"a": 1}}]}',
        "[" * 1_000_000,
        '{"cells": ' + "[" * 100_000,
        '{"cells": [' + "9" * 100_000 + "]}",
    ],
)
def test_what_is_no_notebook_is_an_input_error(text):
    with pytest.raises(InputError):
        convert(text)


def test_the_step_changes_notebooks_alone_and_says_why_one_is_dropped():
    batch = pa.record_batch(
        {
            "content": pa.array([notebook(code("x")), "{", "x = 1\n"], pa.large_string()),
            "language": ["jupyter notebook", "jupyter notebook", "python"],
        }
    )
    cleaned = clean.notebooks.function(batch)
    assert cleaned["content"].to_pylist() == ["<jupyter_start><jupyter_code>x<empty_output>\n", None, None]
    assert cleaned["reason"].to_pylist() == [None, "broken_notebook", None]
    assert cleaned["value"].to_pylist() == [None, "the notebook is not JSON: JSONDecodeError", None]
    with pytest.raises(RecipeError, match="structured"):
        clean.notebooks.bind({"form": "structurd"})
