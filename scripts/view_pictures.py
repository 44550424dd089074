"""Takes the pictures of docs/view.md from a finished run:  python scripts/view_pictures.py demo-out [FOLDER]

Of a run of files those of files, of one with synthesised rows or with domains those; the rounds of a web recall, for
docs/web-recall.md, are those of its report. Needs chromium and the extras `view` and `dev`. What is on the pictures is
what the run holds.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from playwright.sync_api import Page, sync_playwright

from codemill.report.facts import recall, synthesis
from codemill.run import Run
from codemill.view.family import Family

CHROMIUM = "/usr/bin/chromium"
WIDE, NARROW = (1040, 660), (400, 660)


@contextmanager
def served(out: str) -> Iterator[str]:
    """`codemill view` of a run, and its address."""
    command = [sys.executable, "-m", "codemill.cli", "view", out, "--rules", "rules"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def a_near_copy(out: str) -> str:
    """The id of the near-copy that is least like the kept one: its diff shows most."""
    near = Run.open(out).ledger().filter(pl.col("reason") == "near_duplicate").sort("similarity", "id")
    return str(near.select("id").head(1).collect().item())


Shot = tuple[str, str, str, tuple[int, int]]
"""A picture: its name, what the address ends with (or a whole one), the scheme and the size of the window."""


def shots(out: str) -> list[Shot]:
    """The pictures of what a run holds."""
    run = Run.open(out)
    if rounds := recall.rounds_of(run):
        found = recall.domains_of(run, rounds[0]).filter("is_code").sort("share", "domain")
        name = found["domain"][0]  # about code, and least surely
        rule = f"domain?round={rounds[0]}&name={name}&pattern=%25://{name}/%25"
        report = Path(out, "report.html").resolve().as_uri() + "#recall"
        return [
            ("domain", rule, "light", (1040, 820)),
            ("domains", f"domains?round={rounds[-1]}", "light", (1040, 820)),
            ("rounds", report, "light", (1200, 900)),
        ]
    if sets := synthesis.gather(run):
        kept = pl.read_parquet(f"{out}/{sets[0].name}/*.parquet").sort("id")
        return [("row", f"row?set={sets[0].name}&id={kept['id'][0]}", "light", (1200, 760))]
    return of_files(out)


def of_files(out: str) -> list[Shot]:
    """The pictures of files. What one became is on a picture if runs that were made of it lie beside it."""
    files = "?language=python&show=num_words&sort=-num_words"
    rule = "rule?set=python&signal=num_words&below=45"
    return [
        ("files-light", files, "light", WIDE),
        ("files-dark", files, "dark", WIDE),
        ("files-narrow", files, "light", NARROW),
        ("document", f"document?id={a_near_copy(out)}", "light", WIDE),
        ("rule", rule, "light", WIDE),
        *became(out),
    ]


def became(out: str) -> list[Shot]:
    """The picture of the file that became most, of some small ones."""
    run = Run.open(out)
    family = Family.of(run)
    if not family.below(family.main.key):
        return []
    kept = run.ledger().filter(pl.col("verdict") == "kept").sort("size", "id").select("id").head(50).collect()["id"]
    best = max(kept, key=lambda id: len(family.became(family.main.key, id)))
    return [("became", f"document?id={best}#became", "dark", (1040, 560))]


def take(page: Page, target: Path) -> None:
    """One picture, as small as chromium makes it."""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target, type="png")


def main(out: str, folder: Path) -> None:
    """Takes all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with served(out) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, end, scheme, (width, height) in shots(out):
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(end if end.startswith("file:") else address + end)
            take(page, folder / f"{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    default = Path(__file__).resolve().parents[1] / "docs" / "view"
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else default)
