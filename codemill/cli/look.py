"""Verbs that look at a finished run: what it kept and why, and what its rules do, for tuning them."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from codemill.cli.shared import answer

DIR = click.argument("dir", metavar="DIR")
SECONDS = 10  # between curves of a run that is followed
JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.command()
@DIR
@click.option(
    "--target", type=click.IntRange(1), metavar="N", help="Rows that are wanted: how many seeds do they take?"
)
@JSON
def show(dir: str, target: int | None, as_json: bool) -> None:
    """Funnel and counts of a result, in the terminal; of a model its curves, also while it is trained."""
    from codemill.report.terminal import curves, sets
    from codemill.report.terminal import show as terminal

    if models := curves.show_data(dir):
        answer(models, curves.show_view(models), as_json)
        return
    if (synthesised := sets.show_data(dir, target)) is not None:
        answer(synthesised, sets.show_view(synthesised), as_json)
        return
    data = terminal.show_data(dir, target)
    answer(data, terminal.show_view(data), as_json)


@click.command()
@DIR
@JSON
def rules(dir: str, as_json: bool) -> None:
    """What each rule hits, and what it alone removes."""
    from codemill.report.terminal import rules as tuned

    answer(*tuned.rules(dir), as_json)


@click.command()
@DIR
@click.argument("rule", metavar="[SET:]SIGNAL")
@JSON
def rule(dir: str, rule: str, as_json: bool) -> None:
    """One rule: its values, and files on either side of its threshold."""
    from codemill.report.terminal import rules as tuned

    answer(*tuned.rule(dir, rule), as_json)


@click.command()
@DIR
@click.argument("others", metavar="[SET:]SIGNAL<N | DIR…", nargs=-1, required=True)
@JSON
def compare(dir: str, others: tuple[str, ...], as_json: bool) -> None:
    """What another threshold would do; or evaluations of several models side by side, paired task by task.

    Also SIGNAL>N and SIGNAL=N. Quote it, for < and > mean something to a shell.
    """
    from pathlib import Path

    if all(Path(one, "results.json").exists() for one in (dir, *others)):
        from codemill.report.terminal import models

        answer(*models.compare([dir, *others]), as_json)
        return
    if len(others) > 1:
        raise click.UsageError(f"one threshold, or folders of evaluations; got {', '.join(others)}")
    from codemill.report.terminal import rules as tuned

    answer(*tuned.compare(dir, others[0]), as_json)


@click.command()
@DIR
@click.argument("trusted", metavar="TRUSTED")
@JSON
def rank(dir: str, trusted: str, as_json: bool) -> None:
    """Files by perplexity under a model, or under trusted files or another result."""
    from codemill.report.terminal import rules as tuned

    answer(*tuned.rank(dir, trusted), as_json)


@click.command()
@DIR
@click.option("--language", metavar="NAME", help="Of the files in one language.")
@JSON
def signals(dir: str, language: str | None, as_json: bool) -> None:
    """Each signal before and after: what was measured, what was kept."""
    from codemill.report.terminal import rules as tuned

    answer(*tuned.signals(dir, language), as_json)


@click.command()
@DIR
@click.argument("document", metavar="ID|PATH")
@JSON
def explain(dir: str, document: str, as_json: bool) -> None:
    """Why a file is in or out: by id, by path, or by the end of its path. Of a synthesised row: what it is made of."""
    from codemill.report.terminal import made
    from codemill.report.terminal import show as terminal

    if (synthesised := made.explain_data(dir, document)) is not None:
        answer(synthesised, made.explain_view(synthesised), as_json)
        sys.exit(0 if synthesised["found"] else 1)
    data = terminal.explain_data(dir, document)
    answer(data, terminal.explain_view(data), as_json)
    sys.exit(0 if data["found"] else 1)


@click.command()
@DIR
@click.option("--follow", is_flag=True, help="Of a model that is trained: again every 10 seconds until it is.")
def report(dir: str, follow: bool) -> None:
    """Writes DIR/report.html again; of a model that is being trained, its curves so far."""
    import time

    from codemill import report as page

    said = False
    while (written := page.curves(dir, refresh=SECONDS if follow else None)) is not None:
        if not said:
            print(written, flush=True)
        said = True
        if not follow:
            return
        time.sleep(SECONDS)
    with Console().status("writing the report"):
        written = page.write(dir)
    if not said:
        print(written)


@click.command()
@DIR
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="On 127.0.0.1. [default: a free one]")
@click.option("--at", metavar="?QUERY", default="", help="What to show first, as an address of a view ends.")
@click.option("--rules", metavar="FOLDER", help="Write the rules that are accepted for domains of a web recall here.")
@click.option("--with", "beside", metavar="DIR", multiple=True, help="A run made of it, elsewhere; repeatable.")
@click.option("--open", "in_browser", is_flag=True, help="Open it in the browser.")
def view(dir: str, port: int, at: str, rules: str | None, beside: tuple[str, ...], in_browser: bool) -> None:
    """A result in the browser: search, filter, open files, move thresholds. Ctrl-C stops it."""
    import webbrowser

    from codemill.view.server import serve

    def said(address: str) -> None:
        print(address, flush=True)
        if in_browser:
            webbrowser.open(address)

    serve(dir, port=port, at=at, rules=rules, beside=beside, said=said)


COMMANDS = (show, explain, report, view, rules, rule, compare, rank, signals)
