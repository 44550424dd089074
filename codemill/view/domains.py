"""The pages of a web recall: the domains that each round discovered, and the rules that a person accepts for the next.

domains     the domains of a round: round=, about=code, other or all, q=, page=
domain      one domain: round=, name=; with pattern= and sign=, what a rule would match
accept      POST: writes a rule into the file of the round
withdraw    POST: takes one out of it

Rules are written into the folder that was given with `--rules`, into the file of a round, and nowhere else.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import polars as pl
import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from codemill.errors import CodemillError, RecipeError
from codemill.report.facts.ledger import collect
from codemill.report.facts.recall import domains_of, rounds_of
from codemill.view.family import Family
from codemill.view.query import PAGE, whole
from codemill.view.templates import Pages
from codemill.web import accepted, patterns

__all__ = ["DomainPages", "rounds_of"]

FOLDERS = 12  # beginnings of paths that a domain's page names
EXAMPLES = 8  # pages that a rule matches, of each kind
MOST = 1 << 14  # bytes of a form
SIGNS = {"+": "about code", "-": "not about code"}


class DomainPages(Pages):
    """The pages of a run with rounds. `rules` is the folder that rules are written to."""

    def __init__(self, family: Family, key: str, nav: Sequence[tuple[str, str]], rules: Path | None) -> None:
        super().__init__(family, key, nav)
        self.rounds, self.rules, self.secret = rounds_of(self.run), rules, secrets.token_urlsafe(24)
        self.tables: dict[int, pl.DataFrame] = {}
        self.templates.globals |= {"secret": self.secret, "rounds": self.rounds, "rules_folder": rules, "signs": SIGNS}

    def routes(self) -> list[Route]:
        """A function for each address."""
        found = [Route("/domains", self.domains), Route("/domain", self.domain)]
        if self.rules is not None:
            found += [
                Route("/accept", self.accept, methods=["POST"]),
                Route("/withdraw", self.withdraw, methods=["POST"]),
            ]
        return found

    def number(self, text: str | None) -> int:
        """The number of a round; the last one where none is given. Raises: RecipeError if there is no such round."""
        number = whole("round", text, 1) if text else self.rounds[-1]
        if number not in self.rounds:
            raise RecipeError(f"there is no round {number}", remedy=f"rounds are {', '.join(map(str, self.rounds))}")
        return number

    def table(self, number: int) -> pl.DataFrame:
        """The domains of a round: those about code first, then by recalled pages."""
        if number not in self.tables:
            found = domains_of(self.run, number)
            self.tables[number] = found.sort("is_code", "recalled", "domain", descending=[True, True, False])
        return self.tables[number]

    def domains(self, request: Request) -> Response:
        """The domains of a round."""
        given = request.query_params
        number, kind, q = self.number(given.get("round")), given.get("about", "all"), given.get("q", "").strip()[:200]
        page, table = whole("page", given.get("page", "1"), 1), self.table(number)
        found = table if kind == "all" else table.filter(pl.col("is_code") == (kind == "code"))
        if q:
            found = found.filter(pl.col("domain").str.contains(q.lower(), literal=True))
        pairs = {"round": number, "about": kind, **({"q": q} if q else {})}
        return self.page(
            "domains.html.j2",
            number=number,
            kind=kind,
            q=q,
            counts={name: int(table["is_code"].eq(name == "code").sum()) for name in ("code", "other")},
            rows=found.slice((page - 1) * PAGE, PAGE).to_dicts(),
            found=found.height,
            most=int(found["pages"].max() or 1),  # type: ignore[arg-type]
            pages=max(1, -(-found.height // PAGE)),
            at=page,
            url=lambda **changes: "domains?" + urlencode({**pairs, **changes}),
            **self.file(number),
        )

    def domain(self, request: Request) -> Response:
        """One domain, and what a rule would match there."""
        given = request.query_params
        number, name = self.number(given.get("round")), given.get("name", "")[:300]
        rows = self.table(number).filter(pl.col("domain") == name).to_dicts()
        if not rows:
            return self.error(f"There is no domain {name!r} in round {number}.", 404)
        pages = self.pages_of(name)
        pattern, sign = given.get("pattern", "").strip()[: patterns.MAX_PATTERN + 1], given.get("sign", "+")[:1] or "+"
        effect = wrong = None
        if pattern:
            try:
                accepted.line_of(sign, pattern)
                effect = _effect(pages, pattern)
            except RecipeError as error:
                wrong = str(error)
        return self.page(
            "domain.html.j2",
            number=number,
            row=rows[0],
            others=[(n, self.table(n).filter(pl.col("domain") == name).to_dicts()) for n in self.rounds],
            folders=_folders(pages, name),
            seen=pages.height,
            pattern=pattern,
            sign=sign,
            effect=effect,
            wrong=wrong,
            **self.file(number),
        )

    def pages_of(self, name: str) -> pl.DataFrame:
        """The pages of a domain as the ledger has them. Shape: id, path (the URL), kept."""
        if not self.run.files("ledger"):
            return pl.DataFrame(schema={"id": pl.String, "path": pl.String, "kept": pl.Boolean})
        host = rf"(?i)^https?://([^/?#@]*@)?([^/?#@]*\.)?{re.escape(name)}(:\d*)?([/?#]|$)"
        mine = self.run.ledger().filter(pl.col("path").str.contains(host))
        with self.run.readable():
            return collect(mine.select("id", "path", kept=pl.col("verdict") == "kept").sort("path"))

    def file(self, number: int) -> dict[str, Any]:
        """The file of a round's rules: its path, the rules in it, or what is wrong with it."""
        if self.rules is None:
            return {"file": None, "written": [], "damaged": None}
        file = accepted.file_of(self.rules, number)
        try:
            there = accepted.rules_in(file)
        except CodemillError as error:
            return {"file": file, "written": [], "damaged": str(error)}
        written = [("+", pattern) for pattern in there.code] + [("-", pattern) for pattern in there.other]
        return {"file": file, "written": written, "damaged": None}

    async def accept(self, request: Request) -> Response:
        """Writes a rule."""
        return await self.changed(request, accepted.accept)

    async def withdraw(self, request: Request) -> Response:
        """Takes a rule out."""
        return await self.changed(request, accepted.withdraw)

    async def changed(self, request: Request, change: Any) -> Response:
        """Does what a form asks, and shows the page that it came from."""
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MOST:
                return self.error("That is too long for a rule.", 413)
        form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if not secrets.compare_digest(form.get("secret", "").encode(), self.secret.encode()):
            return self.error("Open the page again and send it from there: its secret is another one.", 403)
        assert self.rules is not None
        number = self.number(form.get("round"))
        file = accepted.file_of(self.rules, number)
        try:
            await run_in_threadpool(change, file, form.get("sign", ""), form.get("pattern", ""))
        except CodemillError as error:
            return self.error(str(error), 400)
        domain = form.get("domain", "")[:300]
        back = {"round": str(number), **({"name": domain} if domain else {})}
        return RedirectResponse(f"{'domain' if domain else 'domains'}?{urlencode(back)}#rules", 303)


def _effect(pages: pl.DataFrame, pattern: str) -> dict[str, Any]:
    """The pages of a domain that a pattern matches: those that are in the corpus, and those that are not."""
    hit = pages.filter(pl.Series(patterns.matches(pages["path"].to_arrow().cast(pa.string()), [pattern])))
    sides = [("in the corpus", hit.filter("kept")), ("not in the corpus", hit.filter(~pl.col("kept")))]
    return {"matched": hit.height, "sides": [(n, s.height, s.head(EXAMPLES).to_dicts()) for n, s in sides if s.height]}


def _folders(pages: pl.DataFrame, domain: str) -> list[dict[str, Any]]:
    """How the paths of a domain's pages begin, as patterns, each with its pages and how many of them were kept."""
    found, kept = Counter[str](), Counter[str]()
    for url, was_kept in pages.select("path", "kept").iter_rows():
        rest = url.split("://", 1)[-1]
        host, _, path = rest.partition("/")
        first, more, _ = path.partition("/")
        begins = f"%://{host}/{first}/%" if more else f"%://{host}/%"
        found[begins] += 1
        kept[begins] += was_kept
    order = sorted(found, key=lambda begins: (-found[begins], begins))
    usable = [begins for begins in order if len(begins) <= patterns.MAX_PATTERN and " #" not in begins]
    return [{"pattern": b, "pages": found[b], "kept": kept[b]} for b in usable[:FOLDERS]]
