"""Converts Jupyter notebooks to text: cells in order, outputs shortened, pictures left out.

The format is JSON in two generations (nbformat 3 with worksheets, 4 without). There are two forms of text:

    structured   <jupyter_start><jupyter_text>…<jupyter_code>…<jupyter_output>…       text, code and output in order
    script       code, with text as comments                                         a program of the kernel's language

From: OpenCoder appendix C.3, which keeps the structured form and found scripts redundant; StarCoder's markers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codemill import languages
from codemill.errors import InputError, RecipeError

FORMS = ("structured", "script")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""Colours and cursor movements of terminals (ECMA-48 control sequences)."""
SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half of a surrogate pair. JSON can contain it (`"\\ud800"`), UTF-8 cannot."""
IMAGE = re.compile(r"!\[([^\]\n]{0,200})\]\((?:data|attachment):[^)\s]*\)")
"""A picture in a Markdown cell, as data or as an attachment."""


@dataclass(frozen=True)
class Cell:
    """A cell: `kind` is text or code; `outputs` is what running it printed, if it is code."""

    kind: str
    source: str
    outputs: str = ""


def convert(text: str, *, form: str = "structured", output_chars: int = 1000) -> str:
    """Converts the JSON of a notebook to text, with at most `output_chars` characters of output per cell.

    Outputs keep printed text, results as plain text, and the names and messages of errors. Pictures, HTML, widgets,
    tracebacks and terminal colours are left out.
    Raises: InputError if the text is not a notebook, or has neither text nor code; RecipeError for an unknown form.

    >>> cells = [{"cell_type": "markdown", "source": "# Sum"},
    ...          {"cell_type": "code", "source": ["x = 1\\n", "x + 1"], "outputs": [
    ...              {"output_type": "execute_result", "data": {"text/plain": "2", "image/png": "iVBOR"}}]}]
    >>> notebook = json.dumps({"nbformat": 4, "cells": cells})
    >>> print(convert(notebook), end="")
    <jupyter_start><jupyter_text># Sum<jupyter_code>x = 1
    x + 1<jupyter_output>2
    >>> print(convert(notebook, form="script"), end="")
    # # Sum
    <BLANKLINE>
    x = 1
    x + 1
    """
    if form not in FORMS:
        raise RecipeError(f"there is no form of notebooks {form!r}", remedy=f"forms are: {', '.join(FORMS)}")
    notebook = _parsed(text)
    cells = [cell for cell in _cells(notebook, output_chars) if cell.source.strip()]
    if not cells:
        raise InputError("the notebook has no text and no code", where="cells")
    converted = _script(cells, _comment(notebook)) if form == "script" else _structured(cells)
    return SURROGATE.sub("\N{REPLACEMENT CHARACTER}", converted)


def _parsed(text: str) -> Mapping[str, Any]:
    """Parses the JSON of a notebook. The parser refuses numbers of thousands of digits and too deep nesting."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the notebook is not JSON: {type(error).__name__}") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", notebook.get("worksheets")), list):
        raise InputError("the JSON is not a notebook: it has neither cells nor worksheets")
    return notebook


def _cells(notebook: Mapping[str, Any], output_chars: int) -> Iterator[Cell]:
    sheets = notebook["worksheets"] if "cells" not in notebook else [notebook]
    for sheet in sheets:
        for cell in _list(sheet.get("cells")) if isinstance(sheet, dict) else ():
            if not isinstance(cell, dict):
                continue
            kind = cell.get("cell_type")
            source = _text(cell.get("source", cell.get("input"))).strip("\n")  # nbformat 3 calls code `input`
            if kind == "code":
                yield Cell("code", source, _outputs(_list(cell.get("outputs")), output_chars))
            elif kind == "heading":
                level = cell.get("level")
                yield Cell("text", "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + source)
            elif kind == "markdown":
                yield Cell("text", IMAGE.sub(r"\1", source))


def _outputs(outputs: list[Any], budget: int) -> str:
    """The output of a cell, cut at the last line end within the budget, if there is one."""
    texts = []
    for output in outputs:
        if not isinstance(output, dict):
            continue
        kind, data = output.get("output_type"), output.get("data")
        if kind == "stream":
            texts.append(_text(output.get("text")))
        elif kind in ("error", "pyerr"):
            texts.append(f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}\n")
        elif isinstance(data, dict):
            texts.append(_text(data.get("text/plain")) + "\n")
        else:
            texts.append(_text(output.get("text")) + "\n")  # nbformat 3
    text = ESCAPES.sub("", "".join(texts)).strip("\n")
    if len(text) <= budget:
        return text
    cut = text.rfind("\n", 0, budget + 1)
    return text[: cut if cut > 0 else budget]


def _structured(cells: list[Cell]) -> str:
    marks = {"text": "<jupyter_text>", "code": "<jupyter_code>"}
    parts = ["<jupyter_start>"]
    for cell in cells:
        parts += [marks[cell.kind], cell.source]
        if cell.kind == "code":
            parts.append(f"<jupyter_output>{cell.outputs}" if cell.outputs else "<empty_output>")
    return "".join(parts) + "\n"


def _script(cells: list[Cell], comment: str) -> str:
    """A program: text and lines that only a notebook understands (`%magic`, `!shell`) become comments."""

    def commented(text: str) -> str:
        return "\n".join(f"{comment} {line}".rstrip() for line in text.split("\n"))

    def runnable(code: str) -> str:
        if code.startswith("%%"):
            return commented(code)
        return "\n".join(commented(la) if la.lstrip().startswith(("%", "!")) else la for la in code.split("\n"))

    return "\n\n".join(commented(c.source) if c.kind == "text" else runnable(c.source) for c in cells) + "\n"


def _comment(notebook: Mapping[str, Any]) -> str:
    """The line comment marker of the kernel's language; `#` if that is unknown."""
    about = notebook.get("metadata")
    info = about.get("language_info") if isinstance(about, dict) else None
    name = info.get("name") if isinstance(info, dict) else None
    markers = {language.name: language.line_comments for language in languages.all()}
    return next(iter(markers.get(str(name).lower(), ())), "#")


def _text(value: Any) -> str:
    """Multi-line text of a notebook: a string, or a list of its lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
