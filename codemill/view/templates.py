"""What every page is made with: the templates, their words, and text that cannot hurt."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from codemill.report import words
from codemill.run import Run
from codemill.view.highlight import Token
from codemill.view.query import shown

HERE = Path(__file__).parent / "page"
STATIC = {"view.css": "text/css", "view.js": "text/javascript", "icon.svg": "image/svg+xml"}
LONGEST = 240  # characters of a path or a value


def environment(run: Run) -> Environment:
    """The templates with what all of them use."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "count": words.count,
        "bytes": words.size,
        "percent": words.percent,
        "figure": words.figure,
        "plain": shown,
        "visible": visible,
        "spaced": spaced,
        "spoken": lambda reason: str(reason).replace("_", " "),
        "shown": lambda value: words.shorten(words.printable(str(value)), LONGEST),
    }
    environment.globals |= {"manifest": run.manifest, "plural": words.plural}
    return environment


def static(request: Request) -> Response:
    """The style, the script, the icon."""
    name = request.path_params["name"]
    if name not in STATIC:
        return PlainTextResponse("There is no such file.", 404)
    return Response((HERE / name).read_bytes(), media_type=STATIC[name])


def code(line: list[Token]) -> Markup:
    """A line of source code as HTML: tokens in their colours, and what would not show as escapes."""
    return Markup("").join(
        Markup('<span class="{}">{}</span>').format(f"t-{kind}", visible(text)) if kind else visible(text)
        for kind, text in line
    )


def visible(text: str) -> Markup:
    """Text whose every character shows: controls and what reverses the text after it are escapes, marked as such."""
    if text.isprintable():
        return escape(text)
    pieces = ((c, words.printable(c, keep="\t")) for c in text)
    return Markup("").join(escape(c) if c == s else Markup('<span class="x">{}</span>').format(s) for c, s in pieces)


def spaced(text: str) -> Markup:
    """The text of a token: as `visible`, where an end of a line is a sign and an end of a line."""
    return Markup("↵\n").join(visible(line) for line in text.split("\n"))
