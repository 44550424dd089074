"""Secrets and personal data that redaction finds in real files and an older checkout did not, for people to judge.

    (an older checkout with its core beside it, as for `bench.against`)
    python -m bench.new_findings ../before FOLDER ... [--kinds password key] [--show 100] [--lost]

Both read every text file below the folders, up to 300 kB, one for each content, as the language that they detect.
Prints how many places each finds, by kind, and those of `--kinds` that only this one finds, or with `--lost` only the
older one: path, line, rule, and the line with the value left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.against import MOST, ROOT

TURN = """
import json, sys
root, listed = sys.argv[1:]
sys.path.insert(0, root)
import pyarrow as pa
import codemill
from codemill import languages
from codemill.cleaning import findings
assert codemill.__file__.startswith(root), codemill.__file__
paths = json.load(open(listed))
for begin in range(0, len(paths), 500):
    some = paths[begin : begin + 500]
    texts = [open(path, encoding="utf-8").read() for path in some]
    spoken = languages.detect(pa.array(some), pa.array(texts, pa.large_string()))["language"].to_pylist()
    for path, text, language in zip(some, texts, spoken):
        raw = text.encode()
        for one in findings(text, language=language):
            start = raw.rfind(b"\\n", 0, one["start"]) + 1
            end = raw.find(b"\\n", one["end"])
            before, after = raw[start : one["start"]][-100:], raw[one["end"] : end if end >= 0 else None][:60]
            said = (before + b" ... " + after).decode("utf-8", "replace").strip()
            print(json.dumps([path, one["start"], one["kind"], one["line"], one["rule"], said]))
"""


def texts(folders: list[Path]) -> list[str]:
    """Files of text, one for each content, in order."""
    found: dict[bytes, str] = {}
    for folder in folders:
        for root, names, files in os.walk(folder):
            names.sort()
            for name in sorted(files):
                path = Path(root, name)
                if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size <= MOST:
                    continue
                raw = path.read_bytes()
                try:
                    raw.decode("utf-8")
                except UnicodeDecodeError:
                    continue
                if b"\0" not in raw:
                    found.setdefault(hashlib.sha256(raw).digest(), str(path))
    return list(found.values())


def main() -> None:
    """Prints the counts and the places."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path, help="a checkout with its core beside it")
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--kinds", nargs="+", default=["password", "key"])
    parser.add_argument("--show", type=int, default=100)
    parser.add_argument("--lost", action="store_true", help="what only the older one finds")
    given = parser.parse_args()
    found: dict[str, dict[tuple[str, int], list[str]]] = {}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as listed:
        paths = texts(given.folders)
        json.dump(paths, listed)
        listed.flush()
        for name, root in (("before", str(given.before.resolve())), ("now", str(ROOT))):
            command = [sys.executable, "-P", "-c", TURN, root, listed.name]
            lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
            found[name] = {(path, start): told for path, start, *told in map(json.loads, lines)}
    size = sum(Path(path).stat().st_size for path in paths)
    print(f"{len(paths):,} files, {size / 1e6:,.0f} MB")
    kinds = {name: Counter(told[0] for told in its.values()) for name, its in found.items()}
    for kind in sorted({*kinds["before"], *kinds["now"]}):
        print(f"{kind:10} before {kinds['before'][kind]:7,}  now {kinds['now'][kind]:7,}")
    mine, other = ("before", "now") if given.lost else ("now", "before")
    new = [(place, told) for place, told in found[mine].items() if place not in found[other]]
    only = [(place, told) for place, told in new if told[0] in given.kinds]
    print(f"{len(only):,} of {' and '.join(given.kinds)} only {mine}")
    for (path, _), (kind, line, rule, shown) in only[: given.show]:
        print(f"{path}:{line}: {kind}, {rule}: {shown}")


if __name__ == "__main__":
    main()
