"""Serves the app of one run on loopback until it is stopped."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from codemill.errors import EnvironmentProblem
from codemill.run import Run

HOST = "127.0.0.1"


def serve(
    out: str | Path,
    *,
    port: int = 0,
    at: str = "",
    rules: str | None = None,
    beside: Sequence[str] = (),
    said: Callable[[str], None] = print,
) -> None:
    """Opens a run and answers requests until Ctrl-C. `said` is called once with the address, when it answers.

    `port` 0 takes a free one. `at` is the state to begin with, such as "?language=python". `rules` and `beside` are
    those of `app_of`.
    Raises: InputError if there is no finished run in `out`; EnvironmentProblem if the extra `view` is not installed, or
    the port is taken.
    """
    try:
        import uvicorn

        from codemill.view.app import app_of
    except ImportError as error:
        remedy = "pip install 'codemill[view]'"
        raise EnvironmentProblem(f"the extra view is not installed: {error}", remedy=remedy) from error
    token = secrets.token_urlsafe(24)
    app = app_of(Run.open(out), token, rules=rules, beside=beside)
    listening = _bound(port)
    address = f"http://{HOST}:{listening.getsockname()[1]}/{token}/{at}"
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=2
    )
    said(address)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # asked to stop, and stopped
    finally:
        listening.close()


def _bound(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        remedy = "choose another --port, or none for a free one"
        raise EnvironmentProblem(f"cannot listen: {error.strerror}", where=f"{HOST}:{port}", remedy=remedy) from error
    return listening
