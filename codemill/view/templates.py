"""What every page is made with: the templates, their words, and text that cannot hurt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from codemill.errors import RecipeError
from codemill.report import words
from codemill.run import Run
from codemill.view.document import Excerpt
from codemill.view.family import Family
from codemill.view.highlight import Highlighter, Token
from codemill.view.query import shown

HERE = Path(__file__).parent / "page"
STATIC = {"view.css": "text/css", "view.js": "text/javascript", "icon.svg": "image/svg+xml"}
LONGEST = 240  # characters of a path or a value


class Pages:
    """What the pages of every kind of run share: their templates, and what is said when something went wrong.

    `nav` are the addresses and names of the run's pages, for the head of each.
    """

    def __init__(self, family: Family, key: str, nav: Sequence[tuple[str, str]]) -> None:
        self.family, self.key, self.member = family, key, family.members[key]
        self.run, self.templates = self.member.run, environment()
        self.templates.globals |= {
            "manifest": self.run.manifest,
            "folder": self.member.name,
            "nav": nav,
            "up": "" if self.member is family.main else family.address(key, family.main),
            "link": partial(family.address, key),
            "missing": [],
            "about": _about(self.run),
        }

    def routes(self) -> list[Route]:
        """A function for each address."""
        return []

    def failed(self, request: Request, error: Exception) -> Response:
        """An error that says what to do. A wrong address is the asker's, anything else the run's."""
        return self.error(str(error), 400 if isinstance(error, RecipeError) else 500)

    def lost(self, request: Request, error: Exception) -> Response:
        """An address without a page."""
        return self.error("There is no such page.", 404)

    def page(self, name: str, **context: Any) -> HTMLResponse:
        """A page of a template."""
        return HTMLResponse(self.templates.get_template(name).render(context))

    def error(self, what: str, status: int) -> HTMLResponse:
        """The page that says what is wrong."""
        return HTMLResponse(self.templates.get_template("error.html.j2").render(what=what), status)


def _about(run: Run) -> str:
    if not run.files("ledger"):
        return ""
    return f"{words.count(run.manifest['kept']['rows'])} of {words.count(run.manifest['ingested']['rows'])} files kept"


def environment() -> Environment:
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
        "lined": lined,
        "spoken": lambda reason: str(reason).replace("_", " "),
        "shown": lambda value: words.shorten(words.printable(str(value)), LONGEST),
    }
    environment.globals |= {"plural": words.plural, "share": words.share, "student": words.student}
    return environment


def static(request: Request) -> Response:
    """The style, the script, the icon."""
    name = request.path_params["name"]
    if name not in STATIC:
        return PlainTextResponse("There is no such file.", 404)
    return Response((HERE / name).read_bytes(), media_type=STATIC[name])


@dataclass(frozen=True)
class Listing:
    """A text as a page shows it: lines of HTML."""

    lines: tuple[Markup, ...]
    total: int  # lines of the text
    notices: tuple[str, ...]
    colours: bool
    first: int  # the number of the first line

    @property
    def next(self) -> int | None:
        """The line after those that are shown; null: there is none."""
        following = self.first + len(self.lines)
        return following if self.lines and following <= self.total else None


def coloured(highlighter: Highlighter, cut: Excerpt, language: str, path: str) -> Listing:
    """An excerpt in colours, or without them where no lexer is known, or it took too long."""
    tokens = highlighter.lines("\n".join(cut.lines), language, path) if cut.lines else None
    if tokens is not None and len(tokens) != len(cut.lines):
        tokens = None  # a lexer that changes lines would put them out of step
    lines = tuple(code(line) for line in (tokens or [[("", line)] for line in cut.lines]))
    return Listing(lines, cut.total, cut.notices, tokens is not None, cut.first)


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


def lined(text: str) -> Markup:
    """A text of several lines: as `visible`, but for the ends of its lines."""
    return Markup("\n").join(visible(line) for line in text.replace("\r\n", "\n").rstrip("\n").split("\n"))


def spaced(text: str) -> Markup:
    """The text of a token: as `visible`, where an end of a line is a sign and an end of a line."""
    return Markup("↵\n").join(visible(line) for line in text.split("\n"))
