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

from codemill.cleaning import kernels
from codemill.errors import InputError, RecipeError

FORMS = ("structured", "script")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""Colours and cursor movements of terminals (ECMA-48 control sequences)."""
SURROGATE = re.compile(r"[\ud800-\udfff]")
"""Half of a surrogate pair. JSON can contain it (`"\\ud800"`), UTF-8 cannot."""
MOVES = re.compile(r"\x1b\[(\d*)A|\x1b\[[0-2]?K|[\n\r\b]")
"""What moves a terminal's cursor: lines up, erasing a line, line ends, carriage returns, backspaces."""
DATA = r"data:[\w.+-]{0,60}/?[\w.+-]{0,60}(?:;[\w.=+-]+)*;base64,\s*[\w+/=%-]*(?:\s+[\w+/=%-]{40,})*"
URI = re.compile(
    rf"{DATA}|data:(?:image|audio|video|font|application)/[\w.+-]{1, 60}(?:;[\w.=+-]+)*,[^\s\"'<>)]{{40,}}"
)
"""Data in place of an address (RFC 2397)."""
IMAGE = re.compile(rf"!\[([^\]\n]{{0,200}})\]\(<?(?:{DATA}|(?:data|attachment):[^()\s\[]*)>?(?:\s+\"[^\"\n]*\")?\)")
"""A picture in a Markdown cell, as data or as an attachment."""
HELD = r"(?:data|attachment):"
SRC = rf"\"{HELD}[^\"]*\"|'{HELD}[^']*'|{HELD}[^\s<>]*"
TAG = re.compile(rf"<(?:img|source|embed)\b[^<>]{{0,400}}?\bsrc\s{{0,9}}=\s{{0,9}}(?:{SRC})[^<>]*>", re.I)
"""The same in HTML."""
ALT = re.compile(r"\balt\s*=\s*[\"']([^\"'<>]*)[\"']", re.I)
WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Cell:
    """A cell: `kind` is text or code; `outputs` is what running it printed, if it is code."""

    kind: str
    source: str
    outputs: str = ""
    language: str | None = None  # of a cell in a notebook of several


def convert(text: str, *, form: str = "structured", output_chars: int = 1000) -> str:
    """Converts the JSON of a notebook to text, with at most `output_chars` characters of output per cell.

    Outputs keep printed text as a terminal shows it in the end, results as plain text, and the names and messages of
    errors. Pictures, HTML, widgets, data in addresses, tracebacks and terminal colours are left out.
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
    converted = _script(cells, kernels.of_notebook(notebook)) if form == "script" else _structured(cells)
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
                outputs = _outputs(_list(cell.get("outputs")), output_chars)
                yield Cell("code", source, outputs, kernels.of_cell(cell))
            elif kind == "heading":
                level = cell.get("level")
                yield Cell("text", "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + source)
            elif kind == "markdown":
                yield Cell("text", _without_data(source))


def _without_data(text: str) -> str:
    """Markdown with the names of its pictures in place of what they hold."""
    if "data:" not in text and "attachment:" not in text:
        return text

    def name(tag: re.Match[str]) -> str:
        alt = ALT.search(tag[0])
        return alt[1] if alt else ""

    return URI.sub(_kind, TAG.sub(name, IMAGE.sub(r"\1", text)))


def _kind(uri: re.Match[str]) -> str:
    """What remains of an address that is data: `data:image/png`."""
    return re.split("[;,]", uri[0], maxsplit=1)[0]


def _outputs(outputs: list[Any], budget: int) -> str:
    """The output of a cell, cut at the last line end within the budget, if there is one."""
    streams: dict[str, list[str]] = {}  # what was printed, by stream and how often it was interrupted
    texts: list[list[str]] = []
    last = ""
    for output in outputs:
        if not isinstance(output, dict):
            continue
        kind, data = output.get("output_type"), output.get("data")
        if kind == "stream":
            name, said = str(output.get("name", output.get("stream"))), _text(output.get("text"))
            # A bar that overwrites itself is one, whatever was printed elsewhere in between.
            if name == last or (name in streams and said.startswith("\r")):
                streams[name].append(said)
            else:
                streams[name] = [said]
                texts.append(streams[name])
            last = name
            continue
        last = ""
        if kind in ("error", "pyerr"):
            texts.append([f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}"])
        elif isinstance(data, dict):
            texts.append(["" if WIDGET in data else _text(data.get("text/plain"))])
        else:
            texts.append([_text(output.get("text"))])  # nbformat 3
    shown = "\n".join(filter(None, (_shown("".join(parts)).removesuffix("\n") for parts in texts)))
    text = URI.sub(_kind, shown).strip("\n")
    if len(text) <= budget:
        return text
    cut = text.rfind("\n", 0, budget + 1)
    return text[: cut if cut > 0 else budget]


def _shown(text: str) -> str:
    """What a terminal shows in the end: a line that is written again from its start has its last text alone."""
    text = text.replace("\r\n", "\n")
    if not MOVES.search(text.replace("\n", "")):
        return ESCAPES.sub("", text)
    lines: list[list[str]] = [[]]  # characters, so that a backspace costs nothing
    row, fresh, at = 0, False, 0

    def write(said: str) -> None:
        nonlocal fresh
        if said:
            if fresh:
                lines[row] = []
            lines[row].extend(said)
            fresh = False

    for move in MOVES.finditer(text):
        write(ESCAPES.sub("", text[at : move.start()]))
        at = move.end()
        if move[0] == "\n":
            row, fresh = row + 1, row + 1 < len(lines)
            if row == len(lines):
                lines.append([])
        elif move[0] == "\r":
            fresh = True
        elif move[0] == "\b":
            del lines[row][-1:]
        elif move[0].endswith("A"):
            row, fresh = max(0, row - int(move[1][:6] or 1)), True
        else:
            lines[row] = [] if fresh or move[0] == "\x1b[2K" else lines[row]
    write(ESCAPES.sub("", text[at:]))
    return "\n".join(map("".join, lines))


def _structured(cells: list[Cell]) -> str:
    marks = {"text": "<jupyter_text>", "code": "<jupyter_code>"}
    parts = ["<jupyter_start>"]
    for cell in cells:
        parts += [marks[cell.kind], cell.source]
        if cell.kind == "code":
            parts.append(f"<jupyter_output>{cell.outputs}" if cell.outputs else "<empty_output>")
    return "".join(parts) + "\n"


def _script(cells: list[Cell], language: str | None) -> str:
    """A program: text, cells in other languages and what only a notebook understands (`kernels`) become comments."""
    commented = kernels.comment(language)

    def converted(cell: Cell) -> str:
        if cell.kind == "text" or cell.language not in (None, language):
            return commented(cell.source)
        return kernels.runnable(cell.source, language, commented)

    return "\n\n".join(map(converted, cells)) + "\n"


def _text(value: Any) -> str:
    """Multi-line text of a notebook: a string, or a list of its lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
