"""The pages of a run that made tokens or a plan: what a model reads, token by token.

./          the sequences of the plan, or the documents of the shards where there is no plan: page=
sequence    one sequence with the documents in it: n=
document    the tokens of one document: input=, part=, row=, from=
"""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codemill.errors import InputError, RecipeError
from codemill.run import Run, named
from codemill.tokens import Loader, Shards
from codemill.view.family import Family, sources
from codemill.view.templates import Pages

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
        self.runs = runs
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


class TokenPages(Pages):
    """A function for each address. Raises: InputError as `TokenView` does."""

    def __init__(self, family: Family, key: str, nav: Sequence[tuple[str, str]]) -> None:
        super().__init__(family, key, nav)
        self.view = TokenView(self.run)
        self.templates.globals |= {"planned": self.view.loader is not None}

    def routes(self) -> list[Route]:
        """A function for each address."""
        return [
            Route("/", self.listed),
            Route("/sequence", self.sequence),
            Route("/document", self.document),
        ]

    def listed(self, request: Request) -> Response:
        """The sequences, or the documents."""
        view, page = self.view, max(1, _number(request.query_params, "page", 1))
        first = min((page - 1) * PAGE, view.total)
        rows = [view.listed(number) for number in range(first, min(first + PAGE, view.total))]
        return self.page("tokens.html.j2", rows=rows, total=view.total, page=page, pages=max(1, -(-view.total // PAGE)))

    def sequence(self, request: Request) -> Response:
        """One sequence."""
        view, number = self.view, _number(request.query_params, "n", 0)
        if view.loader is None or number >= len(view.loader):
            return self.error(f"There is no sequence {number}.", 404)
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
        return self.page("sequence.html.j2", n=number, last=len(view.loader) - 1, pieces=pieces, padding=padding)

    def document(self, request: Request) -> Response:
        """The tokens of one document."""
        view, given = self.view, request.query_params
        place = {name: _number(given, name, 0) for name in ("input", "part", "row")}
        begin = _number(given, "from", 0)
        if place["input"] >= len(view.shards):
            return self.error(f"There is no input {place['input']}.", 404)
        shards = view.shards[place["input"]]
        if place["part"] >= len(shards.files) or place["row"] >= shards.rows(place["part"]):
            return self.error("There is no such document.", 404)
        row, ids = shards.row(place["part"], place["row"]), shards.tokens(place["part"], place["row"])
        shown = view.tokens(ids[begin : begin + SHOWN])
        more = begin + SHOWN if begin + SHOWN < len(ids) else None
        owner = self.owner(place["input"])
        return self.page(
            "token_document.html.j2",
            row=row,
            place=place,
            begin=begin,
            tokens=shown,
            more=more,
            came_from=self.family.came_from(owner, [row["parent"]]) if owner else [],
            became=self.family.sequences(owner, place["part"], place["row"]) if owner else [],
        )

    def owner(self, source: int) -> str | None:
        """The run whose shards an input is: this one's own, or one that the plan is over."""
        if self.view.loader is None:
            return self.key
        member = self.family.by_place.get(Path(os.path.realpath(self.view.runs[source])))
        return member.key if member else None


def _inputs(run: Run) -> list[Path]:
    """The runs whose shards a plan is over, in order."""
    return [named(run.out, source["path"]) for source in sources(run) if source["output"] == "tokens"]


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
