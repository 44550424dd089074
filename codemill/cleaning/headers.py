"""Copyright and licence notices of one text, without a recipe."""

from __future__ import annotations

import pyarrow as pa

from codemill import _core, languages


def strip_header(text: str, language: str) -> str:
    """`text` without the copyright and licence notices before its first code; as it is where there are none.

    Raises: RecipeError if `language` is not in the table, naming the nearest keys.

    >>> strip_header("# Copyright 2020 A. Author. All rights reserved.\\n\\nimport os\\n", "python")
    'import os\\n'
    >>> strip_header("# Reads settings.\\nimport os\\n", "python")
    '# Reads settings.\\nimport os\\n'
    """
    key = languages.get(language).name
    content = pa.array([text], pa.large_string())
    left = _core.strip_headers(content, pa.array([key], pa.string()), languages.syntaxes()).field("content")[0].as_py()
    return text if left is None else str(left)
