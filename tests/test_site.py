"""The documentation as a site: every page is in it, no link is lost, and a reader's browser asks nobody else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytest.importorskip("material", reason="the site is made by mkdocs-material: the extra `dev`")


def test_the_site_is_built_from_every_page_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for page in (ROOT / "docs").rglob("*.md"):
        assert (tmp_path / page.relative_to(ROOT / "docs").with_suffix(".html")).is_file(), page
    start = (tmp_path / "index.html").read_text("utf-8")
    assert "in ten minutes" in start
    assert (tmp_path / "search" / "search_index.json").stat().st_size > 100_000
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)', page.read_text("utf-8"))
        assert not loaded, page.name
