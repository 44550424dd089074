"""The pages of a run that made tokens or a plan: what a model reads, token by token.

/TOKEN/            the sequences of the plan, or the documents of the shards where there is no plan: page=
/TOKEN/sequence    one sequence with the documents in it: n=
/TOKEN/document    the tokens of one document: input=, part=, row=, from=
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from codemill.errors import CodemillError, InputError, RecipeError
from codemill.run import Run, named
from codemill.tokens import Loader, Shards
from codemill.view.guard import Guard
from codemill.view.templates import environment, static

PAGE = 100  # rows of a list
SHOWN = 4096  # tokens of a document on a page
COLOURS = 4  # that tokens take in turn


@dataclass(frozen=True)
class Token:
    """One token as it is shown."""

    text: str  # of a part of a character, its bytes as escapes
    id: int
    kind: str  # classes of its colour: c0 … c3, and special


class TokenView:
    """A run with shards or a plan, opened to be looked at.

    Raises: InputError if its shards or its tokenizer are not on this machine any more.
    """

    def __init__(self, run: Run) -> None:
        if run.folder.local is None:
            raise InputError("tokens are mapped into memory", where=run.out, remedy="copy the folder to a local disk")
        self.run, out = run, run.folder.local
        self.loader: Loader | None = None
        if (out / "mix" / "mix.json").exists():
            runs = _inputs(run)
            self.loader = Loader(out, [one / "tokens" for one in runs])
            self.shards, self.names = self.loader.shards, [one["name"] for one in self.loader.plan.facts["inputs"]]
        else:
            runs, self.shards, self.names = [out], [Shards(out / "tokens")], ["tokens"]
        self.texts, self.special = _vocabulary(runs[0] / "tokenizer" / "tokenizer.json")

    @cached_property
    def ends(self) -> list[list[int]]:
        """Of each input, how many documents its parts have up to the end of each."""
        return [list(accumulate(shards.rows(part) for part in range(len(shards.files)))) for shards in self.shards]

    @property
    def total(self) -> int:
        """Rows of the list."""
        return len(self.loader) if self.loader else self.ends[0][-1]

    def listed(self, number: int) -> dict[str, Any]:
        """A row of the list: a sequence of the plan, or a document."""
        if self.loader is None:
            part = bisect_right(self.ends[0], number)
            row = number - (self.ends[0][part - 1] if part else 0)
            return {"input": 0, "part": part, "row": row, **self.shards[0].row(part, row)}
        spans = self.loader.plan.spans(number)
        places = zip(*(spans[name].tolist() for name in ("input", "part", "row")), strict=True)
        rows = [self.shards[source].row(part, row) for source, part, row in places]
        return {
            "n": number,
            "pieces": len(rows),
            "whole": sum(
                start <= 0 and start + length == row["num_tokens"] - joined
                for start, length, joined, row in zip(
                    spans["start"], spans["length"], spans["joined"], rows, strict=True
                )
            ),
            "epochs": sorted({int(epoch) + 1 for epoch in spans["epoch"]}),
            "languages": sorted({row["language"] or "not recognised" for row in rows}),
            "first": rows[0],
        }

    def tokens(self, ids: Any) -> list[Token]:
        """Tokens as they are shown, in turn in one of the colours."""
        return [
            Token(
                self.texts.get(number, f"<{number}>"),
                number,
                f"c{place % COLOURS}{' special' * (number in self.special)}",
            )
            for place, number in enumerate(ids.tolist())
        ]


def has_tokens(run: Run) -> bool:
    """Whether a run made what these pages show."""
    return any(name == "tokens" or name == "plan" for name in run.manifest.get("outputs", {}))


def token_app_of(run: Run, token: str) -> ASGIApp:
    """The app for one run, behind its guard. Raises: InputError as `TokenView` does."""
    pages = _Pages(TokenView(run))
    routes = [
        Route(f"/{token}/", pages.list),
        Route(f"/{token}/sequence", pages.sequence),
        Route(f"/{token}/document", pages.document),
        Route(f"/{token}/static/{{name}}", static),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={CodemillError: pages.failed, 404: pages.lost}), token)


class _Pages:
    def __init__(self, view: TokenView) -> None:
        self.view = view
        self.templates = environment(view.run)
        self.templates.globals |= {"missing": [], "planned": view.loader is not None}

    def list(self, request: Request) -> Response:
        view, page = self.view, max(1, _number(request.query_params, "page", 1))
        first = min((page - 1) * PAGE, view.total)
        rows = [view.listed(number) for number in range(first, min(first + PAGE, view.total))]
        return self._page(
            "tokens.html.j2", rows=rows, total=view.total, page=page, pages=max(1, -(-view.total // PAGE))
        )

    def sequence(self, request: Request) -> Response:
        view, number = self.view, _number(request.query_params, "n", 0)
        if view.loader is None or number >= len(view.loader):
            return self._error(f"There is no sequence {number}.", 404)
        found = view.loader[number]
        edges = [0, *accumulate(found.spans["length"].tolist())]
        pieces = []
        for at, (begin, end) in enumerate(pairwise(edges)):
            place = {name: int(found.spans[name][at]) for name in ("input", "part", "row", "epoch", "start")}
            row = view.shards[place["input"]].row(place["part"], place["row"])
            named = min(end - begin, max(0, -place["start"]))
            more = {"of": view.names[place["input"]], "named": named, "begins": begin in found.starts}
            pieces.append({**row, **place, **more, "tokens": view.tokens(found.tokens[begin:end])})
        padding = len(found.tokens) - found.real
        return self._page("sequence.html.j2", n=number, last=len(view.loader) - 1, pieces=pieces, padding=padding)

    def document(self, request: Request) -> Response:
        view, given = self.view, request.query_params
        place = {name: _number(given, name, 0) for name in ("input", "part", "row")}
        begin = _number(given, "from", 0)
        if place["input"] >= len(view.shards):
            return self._error(f"There is no input {place['input']}.", 404)
        shards = view.shards[place["input"]]
        row, ids = shards.row(place["part"], place["row"]), shards.tokens(place["part"], place["row"])
        shown = view.tokens(ids[begin : begin + SHOWN])
        more = begin + SHOWN if begin + SHOWN < len(ids) else None
        return self._page("token_document.html.j2", row=row, place=place, begin=begin, tokens=shown, more=more)

    def failed(self, request: Request, error: Exception) -> Response:
        return self._error(str(error), 400 if isinstance(error, RecipeError) else 404)

    def lost(self, request: Request, error: Exception) -> Response:
        return self._error("There is no such page.", 404)

    def _page(self, name: str, **context: Any) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template(name).render(context))

    def _error(self, what: str, status: int) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template("token_error.html.j2").render(what=what), status)


def _inputs(run: Run) -> list[Path]:
    """The runs whose shards a plan is over, in order."""
    sources = (table["parameters"]["source"] for table in run.manifest["tables"] if table["kind"] == "opened")
    return [named(run.out, source["path"]) for source in sources if source["output"] == "tokens"]


def _vocabulary(path: Path) -> tuple[dict[int, str], frozenset[int]]:
    """The text of every token by id, and the ids of the special ones.

    Byte-level vocabularies write a byte as a letter: itself where it is printable, else one from U+0100 on (GPT-2). A
    token may end within a character: what is no text is shown as escapes.
    """
    try:
        facts = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"the tokenizer cannot be read: {error}", where=path) from error
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in printable)
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + at): byte for at, byte in enumerate(others)}
    texts = {
        number: bytes(byte_of[letter] for letter in token).decode("utf-8", "backslashreplace")
        for token, number in facts["model"]["vocab"].items()
        if all(letter in byte_of for letter in token)
    }
    special = {int(token["id"]): str(token["content"]) for token in facts["added_tokens"]}
    return texts | special, frozenset(special)


def _number(given: QueryParams, name: str, otherwise: int) -> int:
    """Raises: RecipeError if it is no number from 0."""
    value = given.get(name, str(otherwise))
    if not (value.isascii() and value.isdigit() and len(value) < 18):
        raise RecipeError(f"{name} is no number: {value[:40]!r}")
    return int(value)
