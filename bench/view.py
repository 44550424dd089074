"""Times `codemill view` over a made-up run: `python -m bench.view --documents 1000000 --out .bench/view`.

Each request goes through the app as one from a browser does, HTML included, though not through a socket. A filter is
asked three times, with other values each time so that nothing is remembered, and the slowest counts. The run is built
the first time (`bench.made_up_run`; its documents are small) and used again after that.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

import codemill as cm
from bench.made_up_run import LANGUAGES, NEEDLES, recipe
from bench.report import peak
from codemill.run import Run
from codemill.view.app import app_of
from codemill.view.rows import Rows

TOKEN = "token"
FILTERS: dict[str, Callable[[int], str]] = {
    "everything": lambda i: f"?page={i + 1}",
    "a language": lambda i: f"?language={LANGUAGES[i]}",
    "language, reason, licence": lambda i: f"?language={LANGUAGES[i]}&reason=duplicate&license=MIT",
    "words in repo/path": lambda i: f"?q=module_{i}+file_{i}7",
    "a range of sizes, sorted": lambda i: f"?signal.size=4{i}0..600&sort=-size",
    "a range of a signal, histogram": lambda i: f"?show=drawn_1&signal.drawn_1=0.{i}..0.8&language={LANGUAGES[i]}",
    "two ranges, sorted by one": lambda i: f"?signal.drawn_1=0.{i}..0.8&signal.drawn_2=0.1..0.6&sort=drawn_2",
}
PAGES = {
    "first look at a signal": "?show=drawn_3",
    "rules, the first time": "rules",
    "a rule": "rule?set=code&signal=drawn_1",
    "a threshold moved": "rule?set=code&signal=drawn_1&above=0.9",
    "it moved again": "rule?set=code&signal=drawn_1&above=0.8",
}


SEARCHES = {
    f"one document in {NEEDLES:,}": "needle of this haystack",
    "the same with a capital": "# the needle",
    "one in all": "function_1237_3(value)",
    "every document": "return value",
}


def main(argv: Sequence[str] | None = None) -> None:
    """Builds the run, opens it and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--out", type=Path, help="where the run stays, for the next time; not given: nowhere")
    arguments = parser.parse_args(argv)
    with contextlib.ExitStack() as stack:
        out = arguments.out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        measure(out / str(arguments.documents), arguments.documents)


def measure(out: Path, documents: int) -> None:
    """Builds a run of so many documents, opens it and prints a table."""
    kept = cm.build(recipe(documents), out=out)["kept"]["rows"]
    began = time.monotonic()
    app = app_of(Run.open(out), TOKEN)
    print(f"{documents:,} documents, {kept:,} kept: open in {time.monotonic() - began:.1f} s")
    print(f"  held of a file: {held(Rows.load(Run.open(out))):.0f} bytes")
    ask(app, "?signal.drawn_1=0..1&signal.drawn_2=0..1")  # reads two signals, which "first look" times
    for name, address in FILTERS.items():
        line("filter", name, max(ask(app, address(i)).seconds for i in range(3)))
    for name, where in PAGES.items():
        line("page", name, ask(app, where).seconds)
    deep = max(1, documents // 25_000)  # the page of the list that files are opened from
    for name, where in {"a kept file": "verdict=kept", "a copy": "reason=duplicate"}.items():
        found = re.search(r"document\?id=(\w+)", ask(app, f"?{where}&page={deep}").body)
        assert found is not None
        line("open", f"{name}, the first", ask(app, found[0]).seconds)
        line("open", f"{name}, again", ask(app, found[0]).seconds)
    for name, words in SEARCHES.items():
        answer = ask(app, f"?text={words.replace(' ', '+')}", until="<mark>")
        line("search", f"{name}: first hit", answer.first)
        line("search", f"{name}: {answer.body.count('<mark>')} hits", answer.seconds)
    print(f"  peak {peak():.2f} GB")


def held(rows: Rows) -> float:
    """Bytes in memory for each file."""
    texts = sum(column.estimated_size() for column in (rows.names, rows.lowered, rows.ids))
    arrays = (rows.repo_lengths, rows.sizes, rows.id_hashes, rows.kept_ids, *(f.codes for f in rows.facets.values()))
    return (texts + sum(array.nbytes for array in arrays)) / len(rows)


def line(what: str, name: str, seconds: float) -> None:
    print(f"  {what:7} {name:38} {seconds * 1000:7.0f} ms")


@dataclass
class Answer:
    """A page: its text, seconds until it was there, and until the first piece of it that has `until`."""

    body: str = ""
    seconds: float = 0.0
    first: float = float("nan")


def ask(app: ASGIApp, address: str, until: str = "\x00") -> Answer:
    """Asks the app for a page."""
    path, _, query = address.partition("?")
    scope = {"type": "http", "method": "GET", "path": f"/{TOKEN}/{path}", "query_string": query.encode(),
             "headers": [(b"host", b"127.0.0.1")], "http_version": "1.1", "scheme": "http"}  # fmt: skip
    answer, began = Answer(), time.monotonic()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)  # the reader never goes away
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200, message
            return
        answer.body += message["body"].decode()
        if answer.first != answer.first and until in answer.body:
            answer.first = time.monotonic() - began

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    answer.seconds = time.monotonic() - began
    return answer


if __name__ == "__main__":
    main()
