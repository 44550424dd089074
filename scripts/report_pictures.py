"""Takes the pictures of docs/report.md from a finished run:  python scripts/report_pictures.py OUT [FOLDER]

Needs chromium and the extra `dev`. What is on the pictures is what the run holds.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from codemill import report

CHROMIUM = "/usr/bin/chromium"
SHOTS = (
    ("light", "light", (1040, 1060)),
    ("dark", "dark", (1040, 1060)),
    ("narrow", "light", (400, 1060)),
)
"""The pictures: their names, schemes and sizes of the window."""


def main(out: str, folder: Path) -> None:
    """Writes the report of a run anew, and takes all pictures of its beginning."""
    written = report.write(out)
    if written is None:
        raise SystemExit(f"{out} has nothing to report")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, scheme, (width, height) in SHOTS:
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(Path(written).resolve().as_uri())
            page.screenshot(path=folder / f"{name}.png", type="png")
            context.close()
        browser.close()


if __name__ == "__main__":
    default = Path(__file__).resolve().parents[1] / "docs" / "report"
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else default)
