"""Makes a small crawl out of Debian's documentation packages, with labels, for the recipe `web_recall`.

    python scripts/debian_crawl.py OUT [--packages FOLDER] [--installed]

It downloads packages with `apt-get download` (some 400 MB; nothing is installed) and unpacks them into OUT/packages.
With --installed it takes those of its list that are installed, and downloads nothing.

Their HTML is written as OUT/crawl/NAME.warc.gz: each package is a site, NAME.test. OUT/seed.csv labels the sites that
a classifier starts from, OUT/held_out.csv those that it is judged on; no site is in both, and most are in neither.
Two sites are planted, of which few pages are about code: 8 % of one, 30 % of the other. They are as large as 400
pages, or as what the other sites leave over.

A site's label is its package's: a licence among the pages of a manual of Python counts as code. So no classifier
reaches 100 %, and the figures are a lower bound.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED, HELD_OUT, CRAWL = "seed", "held out", "crawl"


@dataclass(frozen=True)
class Site:
    """A package, whether it is about code, and what its label is for."""

    package: str
    code: bool
    use: str


Pages = list[tuple[str, Path]]
Sites = Mapping[Site, Pages]


def _sites(names: str, code: bool, use: str) -> list[Site]:
    return [Site(name, code, use) for name in names.split()]


SITES = (
    # Three manuals to begin with, of one kind of generator: much of what is about code does not look like them.
    *_sites("python3.11-doc cmake-doc python-flask-doc", True, SEED),
    *_sites("gimp-help-en debian-faq developers-reference", False, SEED),
    # Near misses have to be learned: who has seen those three alone takes manuals of servers and of algebra for code.
    *_sites("exim4-doc-html maxima-doc solfege-doc", False, SEED),
    *_sites("openjdk-17-doc libglib2.0-doc python-sqlalchemy-doc nodejs-doc libgtk-3-doc", True, HELD_OUT),
    *_sites("libsdl2-doc octave-doc racket-doc git-doc postgresql-doc-15 libboost1.74-doc", True, HELD_OUT),
    *_sites("singular-doc", True, HELD_OUT),  # what Doxygen made of sources in C++
    # Near misses: servers, mathematics, circuits, music, maps.
    *_sites("apache2-doc postfix-doc bind9-doc gap-doc", False, HELD_OUT),
    *_sites("installation-guide-amd64 grass-doc kicad-doc-en xfig-doc", False, HELD_OUT),
    *_sites("python-django-doc python-requests-doc python-pandas-doc libstdc++-12-doc rust-doc", True, CRAWL),
    *_sites("ghc-doc doxygen-doc sqlite3-doc", True, CRAWL),
    *_sites("debian-handbook debian-policy debian-reference-en aptitude-doc-en lilypond-doc-html", False, CRAWL),
)

PLANTED = {"eight": 0.08, "thirty": 0.30}
"""Sites of mixed pages, and the share of them that is about code: pages of packages of the crawl that are left over."""

PLANTED_PAGES = 400
MOST_PAGES = 400
"""Of one package: so that no manual is most of the crawl."""

MOST_BYTES = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """Runs the script. Returns: 0, or 1 if a package could not be had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--packages", type=Path, help="folder of unpacked packages; by default OUT/packages")
    parser.add_argument("--installed", action="store_true", help="take what is installed, and download nothing")
    given = parser.parse_args(arguments)
    if given.installed:
        sites = {site: chosen(installed(site.package), Path("/")) for site in SITES}
        return from_installed({site: pages for site, pages in sites.items() if pages}, given.out)
    packages = given.packages or given.out / "packages"
    if missing := [name for name in (s.package for s in SITES) if not unpacked(name, packages)]:
        print(f"These packages cannot be had: {' '.join(missing)}", file=sys.stderr)
        print("Hint: this needs Debian, its package lists (apt-get update) and a network.", file=sys.stderr)
        return 1
    folders = {site: packages / site.package for site in SITES}
    crawl({site: chosen(folder.rglob("*.htm*"), folder) for site, folder in folders.items()}, given.out)
    return 0


def from_installed(sites: Sites, out: Path) -> int:
    """Writes a crawl of the sites that there are. Returns: 1 if a classifier cannot learn from them and be judged."""
    there = {(site.use, site.code) for site in sites}
    wanted = [(use, code) for use in (SEED, HELD_OUT) for code in (True, False)]
    if missing := [one for one in wanted if one not in there]:
        for use, code in missing:
            names = " ".join(site.package for site in SITES if (site.use, site.code) == (use, code))
            print(f"No site is installed that is {'' if code else 'not '}about code, {use}: {names}", file=sys.stderr)
        print("Hint: install one of each line, or leave --installed out.", file=sys.stderr)
        return 1
    crawl(sites, out)
    return 0


def installed(package: str) -> list[Path]:
    """The files of an installed package; none if it is not."""
    done = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True, check=False)
    return [Path(line) for line in done.stdout.splitlines() if line.startswith("/")]


def unpacked(name: str, packages: Path) -> bool:
    """Downloads and unpacks a package if it is not there; whether it is there now."""
    target = packages / name
    if target.is_dir():
        return True
    packages.mkdir(parents=True, exist_ok=True)
    print(f"downloading {name}")
    subprocess.run(["apt-get", "download", "-qq", name], cwd=packages, check=False)
    for archive in packages.glob(f"{name}_*.deb"):
        subprocess.run(["dpkg-deb", "-x", archive, target], check=True)
        archive.unlink()
    return target.is_dir()


def crawl(sites: Sites, out: Path) -> None:
    """Writes the crawl and its labels."""
    (out / "crawl").mkdir(parents=True, exist_ok=True)
    spare: dict[bool, Pages] = {True: [], False: []}
    for site, pages in sites.items():
        write(out / "crawl", host(site.package), pages[:MOST_PAGES])
        if site.use == CRAWL:
            spare[site.code] += [(f"{site.package}/{name}", path) for name, path in pages[MOST_PAGES:]]
    for name, share in PLANTED.items():
        most = min(PLANTED_PAGES, len(spare[True]) / share, len(spare[False]) / (1 - share))
        code = round(most * share)
        planted: Pages = []
        for kind, count in ((True, code), (False, int(most) - code)):
            some = drawn(spare[kind], count, name)
            spare[kind] = [page for page in spare[kind] if page not in some]  # no page is on two sites
            planted += some
        if planted:
            write(out / "crawl", host(name), planted)
    for use, file in ((SEED, "seed.csv"), (HELD_OUT, "held_out.csv")):
        with open(out / file, "w", newline="", encoding="utf-8") as stream:
            rows = [(host(site.package), int(site.code)) for site in sites if site.use == use]
            csv.writer(stream, lineterminator="\n").writerows([("domain", "label"), *rows])


def host(package: str) -> str:
    """The site of a package."""
    return package.replace("+", "p").replace(".", "-") + ".test"


def chosen(files: Iterable[Path], root: Path) -> Pages:
    """Names and files of the pages among a package's files, in the order of a draw."""
    found = [p for p in files if p.suffix in (".html", ".htm") and p.is_file() and not p.is_symlink()]
    small = [path for path in found if 0 < path.stat().st_size <= MOST_BYTES]
    named = sorted((str(path.relative_to(root)).partition("/doc/")[2] or path.name, path) for path in small)
    return drawn(named, len(named), "pages")


def drawn(items: Sequence[tuple[str, Any]], count: int, purpose: str) -> list[tuple[str, Any]]:
    """So many of the items, by a hash of their names."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{purpose}\0{item[0]}".encode()).digest())[:count]


def write(folder: Path, site: str, pages: Pages) -> None:
    """Writes a site's pages as a WARC file, a gzip member for each record."""
    print(f"{site}: {len(pages)} pages")
    with open(folder / f"{site}.warc.gz", "wb") as stream:
        for name, path in sorted(pages):
            stream.write(gzip.compress(record(f"http://{site}/{name}", path.read_bytes()), mtime=0))


def record(url: str, body: bytes) -> bytes:
    """A record of an answer with this page."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    number = hashlib.sha256(url.encode()).hexdigest()[:12]
    lines = [
        "WARC/1.0",
        "WARC-Type: response",
        f"WARC-Target-URI: {url}",
        "WARC-Date: 2026-01-01T00:00:00Z",
        f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number}>",
        "Content-Type: application/http; msgtype=response",
        f"Content-Length: {len(answer)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + answer + b"\r\n\r\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
