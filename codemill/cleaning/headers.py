"""Copyright and licence notices of texts in memory, without a recipe."""

from __future__ import annotations

from typing import overload

import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core, languages
from codemill.columns import Column, column


@overload
def strip_header(texts: str, language: str | None = None, *, path: str | None = None) -> str: ...
@overload
def strip_header(
    texts: Column, language: str | Column | None = None, *, path: str | Column | None = None
) -> pa.LargeStringArray: ...
def strip_header(
    texts: str | Column, language: str | Column | None = None, *, path: str | Column | None = None
) -> str | pa.LargeStringArray:
    """One text or many without the copyright and licence notices before the first code; as they are where none are.

    `language` is one for all or one for each, by any of its names. Without it the language is detected as a recipe
    does, from the content and from `path`; a text of unknown language stays as it is.

    Shape: for one text a text, for many an Arrow array of as many. Null: where the text is.
    Raises: RecipeError for an unknown language, naming the nearest.

    >>> strip_header("# Copyright 2020 A. Author. All rights reserved.\\n\\nimport os\\n", language="python")
    'import os\\n'
    >>> strip_header(["# Reads settings.\\nimport os\\n", None], path=["a.py", "b.py"]).to_pylist()
    ['# Reads settings.\\nimport os\\n', None]
    """
    one = isinstance(texts, str)
    content = pa.array([texts], pa.large_string()) if one else column(texts, pa.large_string())
    spoken = languages.spoken(content, language=language, path=path)
    stripped = _core.strip_headers(content, spoken, languages.syntaxes()).field("content")
    left = pc.coalesce(stripped, content)
    return str(left[0].as_py()) if one else left
