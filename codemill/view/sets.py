"""The pages of synthesised rows: what was accepted and why others went, and a row beside the file it is about.

sets      what became of each set: by language and difficulty, reasons with examples, tokens, strength of tests
rows      the rows of a set, as its ledger has them: set=, and verdict=, language=, difficulty=, reason=, q=, page=
row       one row: set=, id=

A set is an output with chats, or with rows that have a seed. Its facts are those of the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import polars as pl
import pyarrow as pa
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from codemill.errors import RecipeError, did_you_mean
from codemill.report import words
from codemill.report.facts import made, synthesis
from codemill.report.facts.ledger import Row, collect
from codemill.run import Run, Text
from codemill.synthetic import CHAT, LEDGER, TEXT
from codemill.view.document import excerpt
from codemill.view.family import Family
from codemill.view.highlight import Highlighter
from codemill.view.query import PAGE, whole
from codemill.view.templates import Listing, Pages, coloured

FACETS = ("verdict", "language", "difficulty", "reason")
VALUES = 30  # of a facet
TELLS = {"messages", "seed_id"}
"""Columns by which an output is known to hold synthesised rows."""

_NAMES = pa.schema([(name, pa.string()) for name in ("id", "parent", "repo", "path", "language", "difficulty")])
_WHOLE = pa.schema([*CHAT, *(field for field in TEXT if field.name not in CHAT.names)])
_FACTS = ("language", "difficulty", "task_type", "outcome", "detail", "tests_run", "attempts", "strength", "strong",
          "grading", "rung", "toolchain", "teacher", "prompt", "tokens_asked", "tokens_answered", "calls")  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """What a list of rows shows."""

    set: str
    facets: dict[str, str] = field(default_factory=dict)
    q: str = ""
    page: int = 1

    @classmethod
    def parse(cls, given: QueryParams) -> Chosen:
        """Reads an address. Raises: RecipeError for a page that is no number."""
        facets = {name: given[name][:200] for name in FACETS if name in given}
        return cls(
            given.get("set", "")[:100], facets, given.get("q", "")[:500], whole("page", given.get("page", "1"), 1)
        )

    def url(self, **changes: Any) -> str:
        """The address with some changes, on the first page unless that is what changes; None takes a facet away."""
        facets = {**self.facets, **{name: value for name, value in changes.items() if name in FACETS}}
        pairs = {"set": self.set, **{name: value for name, value in facets.items() if value is not None}}
        pairs |= {"q": changes.get("q", self.q)} if changes.get("q", self.q) else {}
        page = changes.get("page", 1)
        return "rows?" + urlencode(pairs | ({"page": page} if page > 1 else {}))


def sets_of(run: Run) -> list[str]:
    """The outputs of a run that hold synthesised rows, in its order. Of a run without files, documents too."""
    outputs = run.manifest.get("outputs", {})
    names = [name for name, facts in outputs.items() if not facts.get("ledger") and run.files(name)]
    columns = {name: set(run.parts(name)[0].schema.names) for name in names}
    made = [name for name in names if "id" in columns[name] and TELLS & columns[name]]
    if run.files("ledger") or not made:
        return made
    return [name for name in names if name in made or {"id", "content"} <= columns[name]]


class SetPages(Pages):
    """The pages of a run's sets. Each set's narrow columns are read once."""

    def __init__(self, family: Family, key: str, nav: Sequence[tuple[str, str]], highlighter: Highlighter) -> None:
        super().__init__(family, key, nav)
        self.highlighter, self.names = highlighter, sets_of(self.run)
        self.rows_of: dict[str, pl.DataFrame] = {}

    def routes(self) -> list[Route]:
        """A function for each address."""
        return [Route("/sets", self.sets), Route("/rows", self.rows), Route("/row", self.row)]

    @cached_property
    def facts(self) -> tuple[synthesis.Set, ...]:
        """What the report says of the sets."""
        return synthesis.gather(self.run) or ()

    def sets(self, request: Request) -> Response:
        """All sets."""
        known = {one.name for one in self.facts}
        chains = {one.name: self.run.manifest["outputs"][one.name]["chain"] for one in self.facts}
        tables = self.run.manifest["tables"]
        seeds = {o.name: words.seeds([tables[i] for i in chains[o.name]], o.accepted) for o in self.facts}
        others = [(name, self.frame(name).height) for name in self.names if name not in known]
        return self.page("sets.html.j2", sets=self.facts, seeds=seeds, others=others)

    def frame(self, name: str) -> pl.DataFrame:
        """The rows of a set with what lists need: its ledger, or its own rows where it has none.

        Raises: RecipeError if there is no such set; InputError if it cannot be read.
        """
        if name not in self.names:
            raise RecipeError(f"there is no set {name!r}", remedy=did_you_mean(name, self.names))
        if name not in self.rows_of:
            with self.run.readable():
                ledger = self.run.ledger_of(name)
                frame = collect(self.run.table(*((name, _NAMES) if ledger is None else (ledger, LEDGER))))
            if ledger is None:
                none = pl.lit(None, pl.String)
                frame = frame.with_columns(verdict=pl.lit("kept"), step=none, reason=none, value=none, kept_id=none)
            self.rows_of[name] = frame.with_columns(pl.col(list(FACETS)).fill_null(""))
        return self.rows_of[name]

    def rows(self, request: Request) -> Response:
        """The rows of one set."""
        chosen = Chosen.parse(request.query_params)
        frame = self.frame(chosen.set)
        named = pl.concat_str(
            pl.col("repo").fill_null(""), pl.lit("/"), pl.col("path").fill_null("")
        ).str.to_lowercase()
        tests = {name: pl.col(name) == value for name, value in chosen.facets.items()}
        tests |= {f"q{i}": named.str.contains(word.lower(), literal=True) for i, word in enumerate(chosen.q.split())}
        found = frame.filter(list(tests.values())) if tests else frame
        counts = {}
        for name in FACETS:
            others = [test for of, test in tests.items() if of != name]
            of = frame.filter(others) if others else frame
            counts[name] = [(str(v), int(n)) for v, n in of[name].value_counts(sort=True).head(VALUES).iter_rows()]
        page = found.slice((chosen.page - 1) * PAGE, PAGE).to_dicts()
        return self.page(
            "rows.html.j2",
            chosen=chosen,
            rows=page,
            found=found.height,
            total=frame.height,
            counts=counts,
            pages=max(1, -(-found.height // PAGE)),
        )

    def row(self, request: Request) -> Response:
        """One row beside its seed."""
        name, id = request.query_params.get("set", "")[:100], request.query_params.get("id", "")[:200]
        found = self.frame(name).filter(pl.col("id") == id).head(1).to_dicts()
        if not found:
            return self.error(f"There is no row with the id {id!r} in {name}.", 404)
        with self.run.readable():
            explained = self.explained(name, found[0])
        row, seed = explained["ledger"], explained["seed"]
        full = dict.fromkeys(_WHOLE.names) | (explained["row"] or {})
        of = self.family.at(self.run, seed["of"]) if seed["of"] else None
        return self.page(
            "row.html.j2",
            set_name=name,
            row=row,
            full=full if explained["row"] else None,
            facts=_facts(row, full),
            licences=seed.get("license") or full.get("license") or [],
            stages=explained["stages"],
            seed=seed,
            seed_run=of,
            seed_page=f"document?{urlencode({'id': seed['id'] or ''})}",
            seed_text=self.listing(seed.get("content"), seed.get("language"), seed.get("path")),
            texts=[(t, self.listing(full[n], row["language"], "")) for n, t in _TEXTS if full.get(n)],
            whole=[] if full.get("messages") else self.answer(full.get("content")),
            turns=[(turn["role"], self.answer(turn["content"])) for turn in full.get("messages") or []],
            came_from=self.family.within(self.key, [row["parent"]]),
            became=self.family.became(self.key, id),
        )

    def explained(self, name: str, row: Row) -> dict[str, Any]:
        """What is known of a row; of one of an output without books, the row and the document that it was made of."""
        if self.run.files(f"{name}_ledger") and synthesis.books(self.run, name) is not None:
            return made.explained(self.run, name, row)
        there = self.run.parts(name)[0].schema.names
        shape = pa.schema([field for field in _WHOLE if field.name in there])
        found = collect(self.run.table(name, shape).filter(pl.col("id") == row["id"]).head(1)).to_dicts()
        full = found[0] if found else made.dropped(self.run, name, row["id"]) or {}
        seed = made.seed(self.run, full.get("seed_id") or row["parent"] or row["id"])
        where = {"repo": row["repo"] or seed.get("repo"), "path": row["path"] or seed.get("path")}
        return {"ledger": {**row, **where}, "row": full, "stages": {}, "seed": seed}

    def listing(self, text: str | None, language: str | None, path: str | None) -> Listing | None:
        """A text as lines in colours, cut to what a page holds."""
        return None if text is None else coloured(self.highlighter, excerpt(Text(text)), language or "", path or "")

    def answer(self, text: str | None) -> list[tuple[str, Any]]:
        """A turn of a chat in pieces: ("text", lines of prose) and ("code", lines in colours) between fences."""
        return [
            ("code", self.listing(piece, language, "")) if fenced else ("text", piece)
            for fenced, language, piece in fences(text or "")
            if piece.strip()
        ]


_TEXTS = (("program", "Program"), ("tests", "Tests"))


def _facts(row: Row, full: Row) -> dict[str, Any]:
    found = {name: full.get(name) if full.get(name) is not None else row.get(name) for name in _FACTS}
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def fences(text: str) -> list[tuple[bool, str, str]]:
    """A text in Markdown as prose and fenced code: whether it is code, its language, the piece.

    >>> fences("Say:\\n```py\\nx = 1\\n```\\nDone.")
    [(False, '', 'Say:'), (True, 'py', 'x = 1'), (False, '', 'Done.')]
    """
    found: list[tuple[bool, str, list[str]]] = [(False, "", [])]
    for line in text.replace("\r\n", "\n").split("\n"):
        fenced = found[-1][0]
        if line.startswith("```") and not (fenced and line.strip("` ")):
            found.append((not fenced, "" if fenced else line[3:].strip()[:40], []))
        else:
            found[-1][2].append(line)
    return [(fenced, language, "\n".join(lines)) for fenced, language, lines in found if lines]
