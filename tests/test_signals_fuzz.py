"""Signals on texts that hypothesis makes up: pieces of programs, put together at random.

`CODEMILL_FUZZ=100000 pytest tests/test_signals_fuzz.py` tries that many texts of each language instead of 50.
"""

from __future__ import annotations

import math
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import codemill as cm
from codemill import languages, signals

EXAMPLES = int(os.environ.get("CODEMILL_FUZZ", "50"))
NAMED = sorted({name for signal in signals.all() for name in signal.documents} - {"code", "data", "text"})

# What opens, closes, quotes, comments, joins and ends things in one language or another.
PIECES = (
    *"()[]{}<>\"'`\\/#?:;,.=+-*!&|^~%@$ \n\t\r\0",
    *(
        "\r\n",
        "\u2028",
        "\u3000",
        "\x1c",
        "\ufeff",
        "é",
        "中",
        "\U0001f600",
        '"""',
        "'''",
        'f"{',
        "${",
        "=>",
        "/*",
        "*/",
    ),
    *(
        "//",
        "<!--",
        "-->",
        "</a>",
        "<a b='",
        "/>",
        "<?php",
        "?>",
        "<<E\n",
        "#if 0\n",
        "return",
        "import ",
        "def f():\n ",
    ),
    *(
        "class A ",
        "if ",
        "else ",
        "not ",
        "lambda ",
        "await ",
        "async ",
        "yield ",
        "match x:\n case ",
        "function f(",
        "var ",
    ),
    *(
        "(a=",
        "a=>(",
        "a?(b):",
        "<T>(",
        "{[",
        "infer A extends ",
        "new ",
        "main(",
        "goto ",
        "int x",
        "throws ",
        "func (a T) ",
    ),
    *("select 1", "insert into ", "fn ", "use crate::", "&#x41;", "&lt;", "<![CDATA[", "0x1F", "1e9", "a", "b1 ", "_"),
)

texts = st.builds(
    lambda parts, times: "".join(part * n for part, n in zip(parts, times, strict=False)),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=40),
    st.lists(st.sampled_from((1, 1, 1, 2, 3, 150, 1200)), min_size=40, max_size=40),
)


@pytest.mark.parametrize("language", NAMED)
def test_any_text_is_measured_without_error_and_twice_alike(language: str) -> None:
    doc_type = languages.get(language).doc_type

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(text=texts)
    def check(text: str) -> None:
        first, second = (cm.measure([text], language=language, doc_type=doc_type).to_pylist()[0] for _ in range(2))
        assert first == second
        assert first["signal_errors"] == 0
        assert all(value is None or isinstance(value, str) or math.isfinite(value) for value in first.values())

    check()
