"""Draws the README's picture from the manifest of a run:  python scripts/readme_picture.py demo-out"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from codemill.report import funnel_svg

if __name__ == "__main__":
    manifest = json.loads((Path(sys.argv[1]) / "manifest.json").read_text("utf-8"))
    target = Path(__file__).resolve().parents[1] / "docs" / "funnel.svg"
    target.write_text(funnel_svg(manifest), "utf-8")
    print(target)
