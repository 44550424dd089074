"""What header removal takes out of real files that does not sound like a licence, for people to judge.

    python -m bench.header_losses FOLDER … [--show N] [--quiet]

Reads every text file below the folders, a copy of a head once, runs `codemill._core.strip_headers` over them, and
lists each removed line that has no word of licences, and is no name, address or frame. Such a line is either
documentation that was lost or a line of a notice in words of its own: only reading tells. Prints how many files were
read, lost a notice, and have such lines.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core, languages

HEAD = 1 << 16
"""Bytes of a file that are read: header removal looks at no more."""

BATCH = 2000

LEGAL = re.compile(
    r"licen[cs]|copyright|\(c\)|©|&copy|copr\.|all rights|warrant|permi(t|ssion)|redistribut|liab|damages|spdx"
    r"|public domain|merchantab|fitness for|hereby|conditions|disclaim|trademark|apache|mozilla|gnu\b|gpl|free software"
    r"|\bfsf\b|\bas is|copying|endorse|infringe|contract|\btort\b|sublicens|patent|applicable law|governed|restriction"
    r"|distribut|substantial portions|later version|\(at your option|this software|the software|negligence|loss of use"
    r"|or profits|such damage|consequential|neither the name|the name of|prior written|dealings|limitation|this notice"
    r"|free software|^\W*this file is part of|foundation, inc|boston, ma|^\W*\$?id: .*\$",
    re.IGNORECASE,
)
"""Independent of the words that the rules go by, and wider than they are."""

NAMED = re.compile(
    r"\b(authors?|contributors?|maintainers?|(written|created|developed|contributed) by|e-?mail)\b|\S@\S|https?://|www\.",
    re.IGNORECASE,
)


def texts(folders: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Path and beginning of each text, one for each head."""
    seen: set[bytes] = set()
    for folder in folders:
        for root, names, files in os.walk(folder):
            names.sort()
            for file in sorted(files):
                path = Path(root, file)
                if path.is_symlink() or not path.is_file():
                    continue
                with path.open("rb") as opened:
                    raw = opened.read(HEAD)
                digest = hashlib.sha256(raw[:2000]).digest()
                if digest in seen or b"\0" in raw:
                    continue
                seen.add(digest)
                # A character may be cut in two at the end.
                text = raw.decode("utf-8", errors="ignore" if len(raw) == HEAD else "replace")
                if "\ufffd" not in text:
                    yield str(path), text


def removed(old: str, new: str) -> list[tuple[int, str]]:
    """Numbers and words of the lines that went, in whole or in part."""
    before, after = old.split("\n"), new.split("\n")
    tail = 0
    while tail < min(len(before), len(after)) and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    head, left = before[: len(before) - tail], after[: len(after) - tail]
    gone: list[tuple[int, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(a=head, b=left, autojunk=False).get_opcodes():
        if tag in ("delete", "replace"):
            rest = "\n".join(left[c:d])
            gone += [(n + 1, head[n]) for n in range(a, b) if head[n].strip() not in rest]
    return gone


def suspect(line: str) -> bool:
    """Whether a removed line has at least two words and none of licences."""
    return len(re.findall(r"[^\W\d_]{2,}", line)) >= 2 and not LEGAL.search(line) and not NAMED.search(line)


def main(argv: list[str] | None = None) -> None:
    """Prints the lines and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--show", type=int, default=1 << 30, help="list so many files")
    parser.add_argument("--quiet", action="store_true", help="counts only")
    args = parser.parse_args(argv)
    read = lost = listed = lines = 0

    def judge(batch: list[tuple[str, str]]) -> None:
        nonlocal lost, listed, lines
        paths = pa.array([path for path, _ in batch])
        content = pa.array([text for _, text in batch], pa.large_string())
        names = languages.detect(paths, content)["language"]
        left = _core.strip_headers(content, names, languages.syntaxes()).field("content")
        for row in pc.indices_nonzero(left.is_valid()).to_pylist():
            lost += 1
            path, text = batch[row]
            found = [(n, line) for n, line in removed(text, left[row].as_py()) if suspect(line)]
            if not found:
                continue
            lines += len(found)
            listed += 1
            if listed <= args.show and not args.quiet:
                print(f"--- {path}")
                for n, line in found:
                    print(f"{n:5}: {line.strip()[:160]}")

    batch: list[tuple[str, str]] = []
    for item in texts(args.folders):
        batch.append(item)
        read += 1
        if len(batch) == BATCH:
            judge(batch)
            batch = []
    if batch:
        judge(batch)
    print(
        f"{read:,} files read, {lost:,} lost a notice; {listed:,} of them have {lines:,} removed lines without a word"
        " of licences, a name or an address"
    )


if __name__ == "__main__":
    main()
