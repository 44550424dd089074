"""Notebooks: both generations, both forms, and what is hostile."""

from __future__ import annotations

import ast
import json
import time

import pyarrow as pa
import pytest

import codemill as cm
from codemill import notebooks
from codemill.cleaning import kernels
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


def test_it_is_public():
    assert cm.notebooks is notebooks
    assert "notebooks" in cm.__all__
    assert notebooks.convert(notebook(code("x")), form="script") == "x\n"


def stream(text, name="stderr"):
    return {"output_type": "stream", "name": name, "text": text}


@pytest.mark.parametrize(
    ("outputs", "shown"),
    [
        ((stream("\r  0%|  |\r 50%|# |\r100%|##|\n"),), "100%|##|"),
        ((stream("\r 10%"), stream("hello\n", "stdout"), stream("\r 20%\n")), " 20%\nhello"),
        ((stream("1/2 [>]\b\b\b\b\b\b\b2/2 [=]\n"),), "2/2 [=]"),
        ((stream("outer 0%\n\n\x1b[Ainner 0%\x1b[A\router 9%\n\rinner 9%\n"),), "outer 9%\ninner 9%"),
        ((stream("a\r\nb\r\n"),), "a\nb"),
        ((stream("a"), {"output_type": "display_data", "data": {"text/plain": "<F>"}}, stream("b")), "a\n<F>\nb"),
        ((stream("x " + "data:image/png;base64," + "A" * 99),), "x data:image/png"),
        (
            (
                {
                    "output_type": "display_data",
                    "data": {"text/plain": "HBox()", "application/vnd.jupyter.widget-view+json": {}},
                },
            ),
            "",
        ),
    ],
)
def test_outputs_are_what_a_terminal_shows_in_the_end(outputs, shown):
    text = convert(notebook(code("f()", *outputs)))
    assert text == f"<jupyter_start><jupyter_code>f(){f'<jupyter_output>{shown}' if shown else '<empty_output>'}\n"


@pytest.mark.parametrize(
    ("markdown", "left"),
    [
        ('![fig](data:image/png;base64,AAAA "title") b', "fig b"),
        ("<img src='data:image/svg+xml;utf8,<svg>' alt='fig'/> b", "fig b"),
        ('<img src="data:image/png;base64,AAAA\n' + "B" * 60 + '" width=3> b', " b"),
        ("[1]: data:image/gif;base64,AAAA\nb", "[1]: data:image/gif\nb"),
        ("a data: b, base64", "a data: b, base64"),
    ],
)
def test_of_data_in_markdown_the_name_stays(markdown, left):
    text = convert(notebook({"cell_type": "markdown", "source": markdown}))
    assert text == f"<jupyter_start><jupyter_text>{left}\n"


@pytest.mark.parametrize(
    ("source", "script"),
    [
        ("%%time\nx = 1", "# %%time\nx = 1"),
        ("%%capture out\n%%timeit -n 3\nx = 1", "# %%capture out\n# %%timeit -n 3\nx = 1"),
        ("# why\n%%bash\nls -l | grep x", "# why\n# %%bash\n# ls -l | grep x"),
        ("if a:\n    !ls\nelse:\n    b", "if a:\n    pass\n    # !ls\nelse:\n    b"),
        ("try:\n    %cd x\n    b\nfinally:\n    b", "try:\n    # %cd x\n    b\nfinally:\n    b"),
        ("!pip install a \\\n  b\nc", "# !pip install a \\\n# b\nc"),
        ("a = !ls\nb['x'] = %env Y\n!!ls", "# a = !ls\n# b['x'] = %env Y\n# !!ls"),
        ("?a\na.b?\na??\nc  # why?\n'?'", "# ?a\n# a.b?\n# a??\nc  # why?\n'?'"),
        (",f a b\n;f a b\n/f a b", "# ,f a b\n# ;f a b\n# /f a b"),
        ("pip install a==1 b\ncd ../x\ntime = 1", "# pip install a==1 b\n# cd ../x\ntime = 1"),
        ("a = (b\n  % c)\nd = '''\n%e\n!f\n'''", "a = (b\n  % c)\nd = '''\n%e\n!f\n'''"),
        (">>> a = 1\n>>> if a:\n...     b", "a = 1\nif a:\n    b"),
        ("In [1]: a = 1\n   ...: b", "a = 1\nb"),
        ("    %timeit a\n    b", "# %timeit a\nb"),
        ("await a", "await a"),
    ],
)
def test_what_ipython_alone_understands_becomes_a_comment(source, script):
    assert convert(notebook(code(source)), form="script") == script + "\n"
    ast.parse(script)


@pytest.mark.parametrize(
    ("about", "name"),
    [
        ({"language_info": {"name": "C#"}}, "csharp"),
        ({"kernelspec": {"name": ".net-csharp"}}, "csharp"),
        ({"kernelspec": {"name": "ir"}}, "r"),
        ({"kernelspec": {"name": "xcpp17"}}, "cpp"),
        ({"language_info": {"name": "C++17"}}, "cpp"),
        ({"kernelspec": {"name": "julia-1.9"}}, "julia"),
        ({"kernelspec": {"name": "gophernotes"}}, "go"),
        ({"kernelspec": {"name": "conda-env-x-py"}}, "python"),
        ({"language_info": {"name": "sos"}}, "python"),
        ({"kernelspec": {"name": "nobody"}}, None),
        ({"kernelspec": []}, None),
    ],
)
def test_the_language_of_a_kernel(about, name):
    assert kernels.of_notebook({"metadata": about}) == name


def test_scripts_of_other_kernels():
    def script(source, language, **cell):
        cells = ({"cell_type": "markdown", "source": "T"}, code(source) | cell)
        return convert(notebook(*cells, metadata={"language_info": {"name": language}}), form="script")

    assert script("!x\n?f\n%in% y", "R") == "# T\n\n!x\n?f\n%in% y\n"
    assert script("let a = 1 (* b *)", "ocaml") == "(* T *)\n\nlet a = 1 (* b *)\n"
    assert script("a\n#!time\n#!html\n<b>\n#!csharp\nb", "C#").split("\n")[2:] == [
        *("a", "// #!time", "// #!html", "// <b>", "// #!csharp", "b", "")
    ]
    assert script("ls", "sos", metadata={"kernel": "Bash"}) == "# T\n\n# ls\n"
    assert script("x", "sos", metadata={"kernel": "Python3"}) == "# T\n\nx\n"
    assert script("% a comment", "matlab") == "% T\n\n% a comment\n"
    assert script("%%time\nx", "scala") == "// T\n\n// %%time\nx\n"


@pytest.mark.parametrize(
    "source", ["%%time\n" * 20_000, "if x:\n    !ls\n" * 5_000, "x = " + "(" * 100_000, "!a\\\n" * 9_999]
)
def test_many_magics_take_time_in_proportion(source):
    started = time.perf_counter()
    convert(notebook(code(source)), form="script")
    assert time.perf_counter() - started < 10
