"""The pages of files: an address in, HTML out. Every text of strangers is escaped by the templates, or by `code`.

./            the files: filtered, counted, sorted; with text=, what the contents of the corpus hold, streamed
document      one file: id=, from= a line, and beside= a member of its cluster
rules         every rule, and what it alone drops
rule          one rule: set=, signal=, and other thresholds below=, above=, equals=, or off=1
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from codemill import signals as catalogue
from codemill.errors import CodemillError
from codemill.rules import Rule, Values
from codemill.run import Run
from codemill.view import document
from codemill.view.charts import HIGH, histogram
from codemill.view.contents import Hit, search
from codemill.view.family import Family
from codemill.view.highlight import Highlighter
from codemill.view.query import PAGE, Query, answer, number, whole
from codemill.view.rows import FACETS, Rows
from codemill.view.signals import Histogram, Signals
from codemill.view.templates import Pages, coloured
from codemill.view.thresholds import Judged, code_of, load

HITS = 200  # of a search of contents, on a page
VALUES = 8  # of a facet, before the others are folded
MOST_VALUES = 300  # of a facet at all
CHANGED = 25  # files on either side of a changed threshold
_FLUSH = "\x00"


class View:
    """A run, opened to be looked at: what its pages read, once each."""

    def __init__(self, run: Run) -> None:
        self.run, self.rows = run, Rows.load(run)
        self.signals = Signals.of(run, len(self.rows))
        self.kept = self.rows.facets["verdict"].where(["kept"])
        self._lock = threading.Lock()
        self._judged: Judged | str | None = None

    def judged(self) -> Judged | str:
        """The rules of the run, or why there are none."""
        with self._lock:
            if self._judged is None:
                self._judged = load(self.rows, self.signals)
            return self._judged

    def numbers(self, name: str) -> Values:
        """The values of a signal, or of size; for name, its number in their order. Raises: RecipeError for another."""
        if name == "name":
            return self._order
        return self._sizes if name == "size" else self.signals.values(name)

    @cached_property
    def _order(self) -> Values:
        return self.rows.names.rank("ordinal").to_numpy().astype(np.float64)

    @cached_property
    def _sizes(self) -> Values:
        return self.rows.sizes.astype(np.float64)

    @cached_property
    def missing(self) -> list[str]:
        """What cannot be shown of this run, and why."""
        found = []
        if not self.rows.accounted:
            found.append(
                "This run has no ledger: only the files that were kept are shown, and nothing is known of others."
            )
        if not self.run.files("corpus"):
            found.append("This run has no corpus: contents cannot be searched.")
        if self.signals.why:
            found.append(f"There are no signals and no rules to show: {self.signals.why}.")
        return found


class FilePages(Pages):
    """A function for each address. They are plain functions: Starlette runs them in threads.

    Raises: InputError as `Rows.load` does.
    """

    def __init__(self, family: Family, key: str, nav: Sequence[tuple[str, str]], highlighter: Highlighter) -> None:
        super().__init__(family, key, nav)
        self.view, self.highlighter = View(self.run), highlighter
        view = self.view
        meaning = {signal.name: f"{signal.what} Unit: {signal.unit}" for signal in catalogue.all()}
        self.templates.globals |= {
            "total": len(view.rows),
            "missing": view.missing,
            "facets": FACETS,
            "values": VALUES,
            "most_values": MOST_VALUES,
            "signals": view.signals.names,
            "meaning": meaning,
            "flush": _FLUSH,
            "lines": document.LINES,
        }

    def routes(self) -> list[Route]:
        """A function for each address."""
        return [
            Route("/", self.files),
            Route("/document", self.document),
            Route("/rules", self.rules),
            Route("/rule", self.rule),
        ]

    def files(self, request: Request) -> Response:
        """The files."""
        query, view = Query.parse(request.query_params), self.view
        if any(name.startswith("low.") for name in request.query_params):  # a form's: to the address of the same list
            return RedirectResponse("./" + query.url(), 303)
        found = answer(view.rows, view.numbers, query)
        name = query.show
        chart = None
        if name:
            of = Histogram.of(view.numbers(name), found.around, view.kept)
            chart = histogram(of, name, chosen=query.ranges.get(name, (None, None)), shape=HIGH)
        context = {
            "query": query,
            "found": found,
            "rows": [self._listed(int(place), name) for place in found.places],
            "pages": max(1, -(-found.total // PAGE)),
            "chart": chart,
            "hits": None,
        }
        template = self.templates.get_template("files.html.j2")
        if not query.text:
            return HTMLResponse(template.render(context))
        context["hits"] = self._hits(query, found.mask)
        return StreamingResponse(_flushed(template.generate(context)), media_type="text/html")

    def _listed(self, place: int, signal: str) -> dict[str, Any]:
        row = self.view.rows.short(place)
        value = float(self.view.numbers(signal)[place]) if signal else math.nan
        return row | {"value": None if math.isnan(value) else value}

    def _hits(self, query: Query, mask: Any) -> Iterator[dict[str, Any]]:
        """What a search of contents finds, as it finds it, and then how it ended: by `kind` hit, seen, error, end."""
        seen, hits = query.after, 0
        try:
            for event in search(self.view.rows, query.text, mask, query.after):
                seen = event.seen
                if isinstance(event, Hit):
                    hits += 1
                    yield {"kind": "hit", "hit": event, "row": self.view.rows.short(event.place)}
                else:
                    yield {"kind": "seen"}  # so that it is noticed where the reader has gone
                if hits >= HITS:
                    break
        except CodemillError as error:
            yield {"kind": "error", "what": str(error)}
            return
        more = seen < sum(part.rows for part in self.view.run.parts("corpus"))
        yield {"kind": "end", "seen": seen - query.after, "hits": hits, "more": query.url(after=seen) if more else None}

    def document(self, request: Request) -> Response:
        """One file."""
        view, id = self.view, request.query_params.get("id", "")[:200]
        places = view.rows.find(id)
        if not len(places):
            return self.error(f"There is no file with the id {id!r} in this run.", 404)
        (row,) = view.rows.rows(places[-1:])  # should one id stand in two rows, the later
        text = document.text_of(view.run, row, accounted=view.rows.accounted)
        cut = document.excerpt(text, whole("from", request.query_params.get("from", "1"), 1))
        listing = coloured(self.highlighter, cut, row["language"] or "", row["path"])
        explained = document.explain(view.rows, row)
        return self.page(
            "document.html.j2",
            row=row,
            facts={name: _plain(row[name]) for name in row if name not in ("place", "rules", "chunks", "redacted")},
            verdict=explained["verdict"] if explained else "Kept: nothing more is known without a ledger.",
            explained=explained,
            listing=listing,
            became=self.family.became(self.key, row["id"]),
            came_from=self.family.came_from(self.key, [row["id"]]),
            origin=document.origin(view.run, row),
            cluster=document.cluster(view.rows, row, request.query_params.get("beside", "")),
            same_id=len(places),
        )

    def rules(self, request: Request) -> Response:
        """Every rule."""
        judged = self.view.judged()
        counts = [] if isinstance(judged, str) else judged.counts()
        why = judged if isinstance(judged, str) else None
        return self.page(
            "rules.html.j2", counts=[c for c in counts if c.hits], silent=sum(not c.hits for c in counts), why=why
        )

    def rule(self, request: Request) -> Response:
        """One rule, and what another threshold would change."""
        judged, given = self.view.judged(), request.query_params
        if isinstance(judged, str):
            return self.error(f"There are no rules to show: {judged}.", 404)
        chosen, old = judged.rule(given.get("set", ""), given.get("signal", ""))
        new = _changed(old, given)
        effect = judged.effect(chosen.name, new)
        values, mine = self.view.signals.values(old.signal), judged.mine(chosen.name)
        of = Histogram.of(np.where(mine, values, np.nan), mine, self.view.kept)
        limits = [limit for limit in (new.below, new.above, new.equals) if limit is not None and new.active]
        sides = [
            (title, [self.view.rows.short(int(p)) | {"value": float(values[p])} for p in places[:CHANGED]], len(places))
            for title, places in (("would be dropped as well", effect.more), ("would not be dropped", effect.fewer))
        ]
        return self.page(
            "rule.html.j2",
            set_name=chosen.name,
            old=old,
            new=new,
            axis=of.axis,
            chart=histogram(of, old.signal, limits=limits),
            change=effect.change,
            sides=sides,
            code=code_of(chosen.name, new),
        )


def _changed(rule: Rule, given: QueryParams) -> Rule:
    """The rule with the thresholds of an address in the place of its own. Raises: RecipeError if one is no number."""
    limits = {name: number(name, given[name]) for name in ("below", "above", "equals") if name in given}
    return dataclasses.replace(rule, **limits, active=given.get("off") != "1")  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    """A value of the ledger as people read it: lists with commas, hashes in hex, times in ISO 8601."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return value.hex() if isinstance(value, bytes) else value


def _flushed(pieces: Iterator[str]) -> Iterator[str]:
    """Pieces of a page, held until there is something to send."""
    waiting: list[str] = []
    for piece in pieces:
        waiting.append(str(piece))  # not as Markup, which would escape what it is added to
        if _FLUSH in piece:
            yield "".join(waiting).replace(_FLUSH, "")
            waiting = []
    yield "".join(waiting)
