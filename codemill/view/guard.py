"""Who may ask, and what a page may do: everything that comes in and goes out passes here.

The files are somebody's code and the texts are strangers', so

- the address has a random token in it, without which nothing is answered: other users of the machine cannot look;
- the Host header must name this machine: a page elsewhere whose name is made to lead here is refused (DNS rebinding);
- a page may load nothing but the style and the script of this app, ask nobody else, and be framed by nobody;
- a request that writes is answered at the addresses that are named, and only if a page of this app sent it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost", "[::1]")  # at any port: ssh -L gives another

_PORT = re.compile(r":\d{1,5}$")

POLICY = "; ".join([
    "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'",
    "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
])  # fmt: skip

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Asks for the token and the host before `app` sees a request, and adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp, token: str, writes: Collection[str] = ()) -> None:
        self.app, self.token, self.writes = app, token, writes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # no websockets

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self.refusal(scope)
        await (refused or self.app)(scope, receive, guarded)

    def refusal(self, scope: Scope) -> PlainTextResponse | None:
        """Why a request is not answered, if so. It says nothing of what would be."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or _PORT.sub("", hosts[0].lower()) not in HOSTS:
            return PlainTextResponse("wrong host", 421)
        given = scope["path"].split("/")[1] if scope["path"].startswith("/") else ""
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return PlainTextResponse("open the address that `codemill view` printed, with its token", 403)
        if scope["method"] == "POST" and scope["path"] in self.writes:
            return None if _is_ours(scope) else PlainTextResponse("only a page of this app may send that", 403)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("this only shows", 405)
        return None


def _is_ours(scope: Scope) -> bool:
    """Whether a page of this app sent a request that writes (CSRF), by what the browser says of it.

    Browsers say `null` as the origin of a form, for our pages tell nobody where they lie; but all that are in use say
    whether it is the same site, which no page can forge. A browser that says neither still needs the token of the
    address, and the secret of the form.
    """
    said = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    host = said.get("host", "")
    origin, site = said.get("origin", "null"), said.get("sec-fetch-site", "same-origin")
    return origin in ("null", f"http://{host}") and site == "same-origin"
