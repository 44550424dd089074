"""The crawl of Debian's documentation, from packages that are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from codemill.sources import Warc
from scripts import debian_crawl
from scripts.debian_crawl import SITES, Site


def sites(folder: Path, names: set[str]) -> dict[Site, list[tuple[str, Path]]]:
    """Packages of this name with 460 small pages each, of which a site takes 400."""
    made = {}
    for site in (site for site in SITES if site.package in names):
        root = folder / site.package
        (root / "doc").mkdir(parents=True)
        for number in range(460):
            (root / "doc" / f"{number}.html").write_text(f"<p>{site.package} {number}</p>")
        (root / "doc" / "style.css").write_text("p {}")
        made[site] = debian_crawl.chosen(root.rglob("*"), root)
    return made


SEEDS = {"cmake-doc", "debian-faq"}
HELD_OUT = {"nodejs-doc", "gap-doc"}


def test_what_is_installed_makes_a_crawl_with_labels(tmp_path: Path) -> None:
    found = sites(tmp_path / "packages", {*SEEDS, *HELD_OUT, "rust-doc", "debian-policy"})
    assert debian_crawl.from_installed(found, tmp_path / "out") == 0
    assert (tmp_path / "out" / "seed.csv").read_text() == "domain,label\ncmake-doc.test,1\ndebian-faq.test,0\n"
    assert (tmp_path / "out" / "held_out.csv").read_text() == "domain,label\nnodejs-doc.test,1\ngap-doc.test,0\n"
    source = Warc(str(tmp_path / "out" / "crawl"))
    raw = [row for shard in source.list().shards for batch in source.read(shard) for row in batch.to_pylist()]
    pages = [row["path"].split("/")[2] for row in raw]
    assert {name: pages.count(name) for name in set(pages)} == {
        **{f"{site.package}.test": 400 for site in found},
        "eight.test": 65,  # 60 pages of debian-policy are left over for both: 92 % of 65
    }
    planted = [row["raw"] for row in raw if "eight.test" in row["path"]]
    assert sum(b"rust-doc" in page for page in planted) == 5


def test_too_little_that_is_installed_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert debian_crawl.from_installed(sites(tmp_path, SEEDS), tmp_path / "out") == 1
    assert "No site is installed that is not about code, held out: apache2-doc" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert debian_crawl.installed("no-such-package") == []
