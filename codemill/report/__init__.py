"""What a run did, for people: one HTML page, one picture, and the same in the terminal.

    facts/      what is said, as plain data: computed from a finished run
    sections.py what is said of tokens, mixes, models: a line and a template each
    page/       the page and its pictures
    terminal/   the same in the terminal
    card.py     the dataset card, for a hub and for `datasets`
    set_card.py the same for each synthesised set
    words.py    numbers, sizes and names as people read them

`render` makes the page, `write` OUT/report.html and OUT/README.md, `curves` OUT/report.html of a model that is being
trained, `funnel_svg` the picture. All are pure functions of OUT's files; no step knows of them.
"""

from __future__ import annotations

from pathlib import Path

from codemill.errors import EnvironmentProblem
from codemill.machine.store import Place
from codemill.report import card, sections, set_card
from codemill.report.facts import cleaning, distribution, rules, synthesis, training
from codemill.report.facts.ledger import Facts, gather
from codemill.report.page.funnel import funnel_svg
from codemill.report.page.html import curves_page_of, page_of, plain_page_of
from codemill.run import Run, below

__all__ = ["curves", "funnel_svg", "render", "write"]


def render(out: str | Path) -> str:
    """The report of a run as one self-contained HTML file: no request, no clock, the same bytes every time.

    `out` is the folder that was given to `codemill run --out`.

    Raises: InputError if there is no finished run in `out`, or if its files cannot be read.
    """
    run = Run.open(out)
    return _page(run, gather(run) if _accounted(run) else None)


def _accounted(run: Run) -> bool:
    """Whether there is a ledger of files, or no other thing to show: then it is said that there is none."""
    return (bool(run.files("ledger")) and run.of_files) or not sections.gather(run)


def _page(run: Run, facts: Facts | None) -> str:
    more = sections.gather(run)
    if facts is None:
        return plain_page_of({**run.manifest, "steps": run.manifest["tables"]}, more)
    return page_of(facts, rules.gather(run), distribution.gather(run, facts.languages), cleaning.gather(run), more)


def curves(out: str | Path, *, refresh: int | None = None) -> str | None:
    """Writes OUT/report.html of a run that is training a model: its curves so far. When it ends it writes its report.

    `refresh`: seconds after which a browser reads the page again. Returns: the path; None if no model is being trained.
    """
    models = training.unfinished(out)
    if not models:
        return None
    html = curves_page_of(sections.Filled("training", "Training", models), refresh=refresh)
    Place.of(out).at("report.html").write_bytes(html.encode())
    return below(out, "report.html")


def write(out: str | Path, *, page: bool = True) -> str | None:
    """Writes OUT/report.html and, of a run with a ledger, the dataset card OUT/README.md, each whole or not at all.

    Without `page` only the card, which `datasets` needs to find the files.

    Returns: the path or address of the report; None if it was not asked for, or if there is nothing to report of: no
    ledger and no section.
    Raises: InputError as `render` does; EnvironmentProblem if a file cannot be written.
    """
    run, where = Run.open(out), below(out, "report.html")
    accounted = bool(run.files("ledger")) and run.manifest["ingested"]["rows"] and run.of_files
    if not accounted and not sections.gather(run):
        return None
    facts = gather(run) if accounted else None
    html = _page(run, facts) if page else None
    try:
        if html is not None:
            Place.of(out).at("report.html").write_bytes(html.encode())
        if facts is not None:
            card.write(run, facts)
        set_card.write(run, synthesis.gather(run) or ())
    except EnvironmentProblem as error:
        remedy = error.remedy or "free some space, or check who may write there"
        raise EnvironmentProblem(f"cannot write the report: {error.what}", where=where, remedy=remedy) from error
    return where if page else None
