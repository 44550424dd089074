"""The app: which pages a run has, and beside them those of the runs that it was made of and that were made of it.

/TOKEN/…          the run that was opened
/TOKEN/of/KEY/…   another one of its family, opened when it is first asked for
"""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from codemill.errors import CodemillError
from codemill.run import Run
from codemill.view.domains import DomainPages, rounds_of
from codemill.view.family import Family, Member, is_chats
from codemill.view.files import FilePages
from codemill.view.guard import Guard
from codemill.view.highlight import Highlighter
from codemill.view.overview import OverviewPages
from codemill.view.sets import SetPages, sets_of
from codemill.view.templates import Pages, static
from codemill.view.tokens import TokenPages, has_tokens


def app_of(
    run: Run, token: str, *, rules: str | os.PathLike[str] | None = None, beside: Sequence[str | os.PathLike[str]] = ()
) -> ASGIApp:
    """The app for a run and its family, behind its guard.

    `rules` is the folder that rules for the next rounds of a web recall are written to; without one nothing is written.
    `beside` are runs made of this one that lie in other places.
    Raises: InputError as the pages of the run do, or if one of `beside` is no finished run.
    """
    family, highlighter = Family.of(run, beside), Highlighter()
    folder = None if rules is None else Path(rules)
    main = site(family, family.main, highlighter, folder)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        threading.Thread(target=highlighter.start).start()
        yield
        highlighter.close()

    routes = [
        Mount(f"/{token}/of/{{key}}", Others(family, highlighter)),
        Mount(f"/{token}", main),
    ]
    writes = [f"/{token}/{page}" for page in ("accept", "withdraw")] if folder is not None else []
    return Guard(Starlette(routes=routes, lifespan=lifespan), token, writes=writes)


class Others:
    """The sites of the other runs of a family, each opened when it is first asked for."""

    def __init__(self, family: Family, highlighter: Highlighter) -> None:
        self.family, self.highlighter = family, highlighter
        self.sites: dict[str, ASGIApp] = {}
        self.lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        member = self.family.members.get(scope["path_params"]["key"])
        if member is None:
            answer: ASGIApp = PlainTextResponse("There is no such run.", 404)
        else:
            try:
                answer = await run_in_threadpool(self.opened, member)
            except CodemillError as error:
                answer = PlainTextResponse(f"This run cannot be shown: {error}", 500)
        await answer(scope, receive, send)

    def opened(self, member: Member) -> ASGIApp:
        """The site of a run."""
        with self.lock:
            if member.key not in self.sites:
                self.sites[member.key] = site(self.family, member, self.highlighter)
            return self.sites[member.key]


def site(family: Family, member: Member, highlighter: Highlighter, rules: Path | None = None) -> Starlette:
    """All pages of one run. Raises: InputError if what it published cannot be read."""
    run, key = member.run, member.key
    nav: list[tuple[str, str]] = []
    tokens, sets = has_tokens(run), sets_of(run)
    files = not tokens and bool(run.files("ledger") or (run.files("corpus") and not is_chats(run, "corpus")))
    rounds = rounds_of(run)
    if tokens:
        nav.append(("./", "Sequences" if "plan" in run.manifest["outputs"] else "Documents"))
    if files:
        nav += [("./", "Files"), ("rules", "Rules")]
    if sets:
        nav.append(("sets", "Synthesis"))
    if rounds:
        nav.append(("domains", "Domains"))
    nav.append(("overview", "Run"))
    made: list[Pages] = [OverviewPages(family, key, nav)]
    if tokens:
        made.append(TokenPages(family, key, nav))
    if files:
        made.append(FilePages(family, key, nav, highlighter))
    if sets:
        made.append(SetPages(family, key, nav, highlighter))
    if rounds:
        made.append(DomainPages(family, key, nav, rules))
    routes = [route for pages in made for route in pages.routes()]
    if not tokens and not files:
        routes.append(Route("/", _to(nav[0][0])))
    handlers = {CodemillError: made[0].failed, 404: made[0].lost}
    return Starlette(routes=[*routes, Route("/static/{name}", static)], exception_handlers=handlers)


def _to(page: str) -> Callable[[Request], Response]:
    def redirect(request: Request) -> Response:
        return RedirectResponse(page)

    return redirect
