"""Detects the language of a file: Linguist's strategies in Linguist's order, in native code.

The order: modeline, file name, shebang, extension, XML declaration, man page section, heuristics, classifier; see
docs/detection.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import pyarrow as pa

from codemill import _core
from codemill.columns import Column, column
from codemill.languages.catalogue import get, native


@dataclass(frozen=True)
class Detection:
    """The result for one file. `language` and `doc_type` are None if no strategy recognises the file."""

    language: str | None  # a name of `codemill list languages`
    doc_type: str | None  # code | data | text
    is_vendored: bool  # the path is one of code that a project carries but did not write
    is_generated: bool  # written by a program, as the path or the content tells
    strategy: str | None  # which strategy decided: "extension", "heuristics", …


@overload
def detect(path: str, content: str | bytes | None = None) -> Detection: ...
@overload
def detect(
    path: Sequence[str] | pa.Array | pa.ChunkedArray,
    content: Sequence[str | None] | pa.Array | pa.ChunkedArray | None = None,
) -> pa.RecordBatch: ...
def detect(
    path: str | Sequence[str] | pa.Array | pa.ChunkedArray,
    content: str | bytes | Sequence[str | None] | pa.Array | pa.ChunkedArray | None = None,
) -> Detection | pa.RecordBatch:
    """Detects the language of one file, or of many at once.

    `path` is relative to the repository, with `/`; its folders decide what is vendored. Without `content` only the path
    is used. Bytes are decoded first; bytes that are not text have no language.

    Shape: for one path a Detection; for a list or an Arrow array of paths a record batch of the same length with the
    columns language, doc_type, is_vendored, is_generated, strategy.
    Raises: TypeError or ValueError if the two do not fit together.

    >>> detect("src/main.h", "class Engine;\\nnamespace std {}\\n").language
    'cpp'
    >>> detect("bin/tool", "#!/usr/bin/env python3\\n")
    Detection(language='python', doc_type='code', is_vendored=False, is_generated=False, strategy='shebang')
    >>> detect(["a.rs", "node_modules/x/index.js"])["is_vendored"].to_pylist()
    [False, True]
    """
    if isinstance(path, str):
        text: str | None
        if isinstance(content, bytes):
            text = _core.decode(pa.array([content], pa.large_binary()))["content"][0].as_py() if content else ""
            if text is None:
                flags = _run(pa.array([path]), pa.array([None], pa.large_string())).to_pylist()[0]
                return Detection(None, None, flags["is_vendored"], flags["is_generated"], None)
        elif content is None or isinstance(content, str):
            text = content
        else:
            raise TypeError(f"one path takes one content (str, bytes or None), got {type(content).__name__}")
        return Detection(**_run(pa.array([path]), pa.array([text], pa.large_string())).to_pylist()[0])
    paths = column(path, pa.string())
    texts = pa.nulls(len(paths), pa.large_string()) if content is None else column(content, pa.large_string())
    return _run(paths, texts)


def spoken(content: pa.Array, *, language: str | Column | None = None, path: str | Column | None = None) -> pa.Array:
    """The language of each text: the one that is named, by any of its names, or else the one that is detected.

    `language` and `path` are one for all texts, or one for each. Null: no strategy recognises the text.
    Raises: RecipeError for an unknown language, with the nearest names; ValueError if lengths differ.

    >>> spoken(pa.array(["int x;"]), language="C++").to_pylist(), spoken(pa.array(["a"]), path="a.rs").to_pylist()
    (['cpp'], ['rust'])
    """
    rows = len(content)
    if language is None:
        paths = column("" if path is None else path, pa.string(), repeat=rows)
        _same(len(paths), rows, "path")
        return _run(paths, content.cast(pa.large_string()))["language"].cast(pa.string())
    named = column(language, pa.string(), repeat=rows)
    _same(len(named), rows, "language")
    keys = {name: get(name).name for name in named.unique().to_pylist() if name is not None}
    return pa.array([None if name is None else keys[name] for name in named.to_pylist()], pa.string())


def _same(given: int, rows: int, what: str) -> None:
    if given != rows:
        raise ValueError(f"{rows} texts and {given} of {what}: give one for all, or one for each")


def _run(paths: pa.Array, texts: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_struct_array(_core.detect(paths, texts, native()))
