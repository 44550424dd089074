"""What a run did, for people: one HTML page, one picture, and the same in the terminal.

    facts/      what is said, as plain data: computed from a finished run
    page/       the page and its pictures
    terminal/   the same in the terminal
    card.py     the dataset card, for a hub and for `datasets`
    words.py    numbers, sizes and names as people read them

`render` makes the page, `write` OUT/report.html and OUT/README.md, `funnel_svg` the picture. All are pure functions of
OUT's files; no step knows of them.
"""

from __future__ import annotations

from pathlib import Path

from codemill.errors import EnvironmentProblem
from codemill.machine.store import Place
from codemill.report import card
from codemill.report.facts import cleaning, distribution, rules
from codemill.report.facts.ledger import Facts, gather
from codemill.report.page.funnel import funnel_svg
from codemill.report.page.html import page_of
from codemill.run import Run, below

__all__ = ["funnel_svg", "render", "write"]


def render(out: str | Path) -> str:
    """The report of a run as one self-contained HTML file: no request, no clock, the same bytes every time.

    `out` is the folder that was given to `codemill run --out`.

    Raises: InputError if there is no finished run in `out`, or if its files cannot be read.
    """
    run = Run.open(out)
    return _page(run, gather(run))


def _page(run: Run, facts: Facts) -> str:
    return page_of(facts, rules.gather(run), distribution.gather(run, facts.languages), cleaning.gather(run))


def write(out: str | Path, *, page: bool = True) -> str | None:
    """Writes OUT/report.html and the dataset card OUT/README.md (see `card`), each whole or not at all.

    Without `page` only the card, which `datasets` needs to find the files.

    Returns: the path or address of the report, if it was written.
    Raises: InputError as `render` does; EnvironmentProblem if a file cannot be written.
    """
    run, where = Run.open(out), below(out, "report.html")
    facts = gather(run)
    html = _page(run, facts) if page else None
    try:
        if html is not None:
            Place.of(out).at("report.html").write_bytes(html.encode())
        card.write(run, facts)
    except EnvironmentProblem as error:
        remedy = error.remedy or "free some space, or check who may write there"
        raise EnvironmentProblem(f"cannot write the report: {error.what}", where=where, remedy=remedy) from error
    return where if page else None
