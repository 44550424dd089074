"""How many licence files of installed packages are recognised.

    python -m bench.licenses [FOLDER…]

Without folders: the Python packages of this interpreter, and the crates that were downloaded to build the core. A file
that only says where the licence is ("see LICENSE.APACHE or LICENSE.BSD") counts as not recognised.
"""

from __future__ import annotations

import argparse
import os
import sysconfig
import time
from collections import Counter
from pathlib import Path

from codemill import licenses
from codemill.licenses.manifests import is_manifest

SOURCES = (".py", ".c", ".h", ".rs")


def files(folder: Path) -> list[str]:
    """Paths below a folder that speak of a licence, sorted."""
    found = (Path(where, name) for where, _, names in os.walk(folder) for name in names)
    places = (str(path.relative_to(folder)) for path in found if not path.is_symlink())
    return sorted(place for place in places if licenses.speaks(place))


def sources(folder: Path) -> set[Path]:
    """The folders below one, relative to it, that hold source files."""
    found = os.walk(folder)
    return {Path(where).relative_to(folder) for where, _, names in found if any(n.endswith(SOURCES) for n in names)}


def look(folder: Path) -> None:
    """Prints a line on the licence files of a folder, one on its manifests, and what was not recognised."""
    began, counts, missed, found = time.monotonic(), Counter[str](), [], Counter[str]()
    everything: list[licenses.Said] = []
    for place in files(folder):
        kind = "manifest" if is_manifest(place.rpartition("/")[2]) else "file"
        said = licenses.what_it_says(place, (folder / place).read_text("utf-8", "replace"))
        if said is not None:
            everything.append(said)
            if said.manifest and not said.licenses:
                continue  # a RECORD: which folders a package has
        stated = said.licenses if said else ()
        counts[kind] += 1
        counts[f"{kind} said"] += bool(stated)
        found.update(stated)
        if kind == "file" and not stated:
            missed.append(place)
    seconds = time.monotonic() - began
    print(f"{folder}: {counts['file said']} of {counts['file']} licence files recognised, {seconds:.1f} s")
    print(f"  {counts['manifest said']} of {counts['manifest']} manifests state a licence")
    under, below = licenses.by_folder(everything), sources(folder)
    reached = sum(any(str(above) in under for above in (at, *at.parents)) for at in below)
    print(f"  {reached:,} of {len(below):,} folders with Python, C or Rust in them are under a stated licence")
    print(f"  {', '.join(f'{name} {n}' for name, n in found.most_common(12))}")
    for place in missed:
        print(f"  not recognised: {place}")


def main(argv: list[str] | None = None) -> None:
    """Looks at each folder."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.licenses", description="How many licence files are recognised."
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    args = parser.parse_args(argv)
    crates = sorted((Path.home() / ".cargo" / "registry" / "src").glob("*/"))
    for folder in args.folders or [Path(sysconfig.get_path("purelib")), *crates]:
        look(folder)


if __name__ == "__main__":
    main()
