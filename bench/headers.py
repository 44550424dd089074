"""Header removal against 779 files labelled by hand, and how fast it is.

    python -m bench.headers --out .bench [--show N]

Reads the files of `bench/data/header_labels.tsv` out of the bench corpus (`python -m bench.corpus --out .bench`), runs
`codemill._core.strip_headers` over them, and compares line by line. Only lines that say
something count, not frames and empty comments. A line
is *notice* or *kept* by the label; neutral lines (a bare file name, a version, `$Id$`, a project's link between
the lines of a notice) count neither way.

precision  of the bytes removed, the share the label calls notice
kept       of the bytes the label keeps, the share that is still there
recall     of the bytes the label calls notice, the share removed; and of files with a notice, those that lost all of it
"""

from __future__ import annotations

import argparse
import csv
import difflib
import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.corpus import BenchError, place
from codemill import _core, languages

OPENER = re.compile(r"^\W*(@?rem|dnl|c)\b", re.IGNORECASE)
"""Letters that open a comment: a line of no others says nothing."""

LABELS = Path(__file__).parent / "data" / "header_labels.tsv"


@dataclass(frozen=True)
class Label:
    """What reading found in one file: line numbers from 1, of its notices and of what counts neither way."""

    repo: str
    revision: str
    path: str
    sha256: str
    language: str
    notice: frozenset[int]
    neutral: frozenset[int]
    held: bool  # not looked at while the phrases and rules were written


@dataclass(frozen=True)
class Verdict:
    """What became of one file, in bytes of lines that say something."""

    removed: int  # in all, neutral lines apart
    wrong: int  # of them, lines the label keeps
    notice: int  # what the label calls notice
    missed: int  # of them, lines that are still there
    kept: int  # what the label keeps
    wrong_lines: tuple[str, ...]
    missed_lines: tuple[str, ...]


def labels() -> list[Label]:
    """All labels."""

    def lines(text: str) -> frozenset[int]:
        ranges = (part.partition("-") for part in text.split(",") if part)
        return frozenset(n for a, _, b in ranges for n in range(int(a), int(b or a) + 1))

    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Label(
                *(row[name] for name in ("repo", "revision", "path", "sha256", "language")),
                lines(row["notice"]),
                lines(row["neutral"]),
                row["set"] == "held_out",
            )
            for row in rows
        ]


def contents(corpus: Path, wanted: Sequence[Label]) -> dict[Label, str]:
    """The files of the labels, from the corpus; those it does not have are left out."""
    by_key = {(la.repo, la.path, la.revision): la for la in wanted}
    found: dict[Label, str] = {}
    for part in sorted(corpus.glob("*.parquet")):
        file = pq.ParquetFile(part)
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=["repo", "path", "revision"])
            keys = zip(*(table[c].to_pylist() for c in table.column_names), strict=True)
            rows = {n: by_key[key] for n, key in enumerate(keys) if key in by_key}
            if rows:
                texts = file.read_row_group(group, columns=["content"])["content"]
                for n, label in rows.items():
                    text = texts[n].as_py()
                    if hashlib.sha256(text.encode()).hexdigest() == label.sha256:
                        found[label] = text
    return found


def verdict(label: Label, old: str, new: str) -> Verdict:
    """Compares what was removed with the label."""
    before, after = old.split("\n"), new.split("\n")
    # The text behind the head is the same, so it is compared from the end; difflib aligns the rest.
    tail = 0
    while tail < min(len(before), len(after)) and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    head, left = before[: len(before) - tail], after[: len(after) - tail]
    gone = set()
    for tag, a, b, _, _ in difflib.SequenceMatcher(a=head, b=left, autojunk=False).get_opcodes():
        gone |= {n + 1 for n in range(a, b)} if tag in ("delete", "replace") else set()
    size = {n: len(line.encode()) for n, line in enumerate(before, 1) if any(c.isalnum() for c in OPENER.sub("", line))}
    gone = {n for n in gone & size.keys() if n not in label.neutral}
    notice = label.notice & size.keys() - label.neutral
    wrong, missed = sorted(gone - notice), sorted(notice - gone)
    kept = size.keys() - notice - label.neutral
    return Verdict(
        *(sum(size[n] for n in which) for which in (gone, wrong, notice, missed, kept)),
        tuple(f"{n}: {before[n - 1]}" for n in wrong),
        tuple(f"{n}: {before[n - 1]}" for n in missed),
    )


def strip(texts: Sequence[str], names: Sequence[str]) -> list[str]:
    """The texts without their headers."""
    old = pa.array(texts, pa.large_string())
    stripped = _core.strip_headers(old, pa.array(names, pa.string()), languages.syntaxes())
    return pc.coalesce(stripped.field("content"), old).to_pylist()


def score(found: dict[Label, str], *, show: int = 0) -> Iterator[str]:
    """The table, and up to `show` of the files where label and outcome differ."""
    news = strip(list(found.values()), [la.language for la in found])
    verdicts = {la: verdict(la, old, new) for (la, old), new in zip(found.items(), news, strict=True)}
    by_language: dict[str, list[Verdict]] = defaultdict(list)
    for label, v in verdicts.items():
        by_language[label.language].append(v)
    yield f"{'language':<20}{'files':>6}{'notices':>9}{'precision':>11}{'kept':>9}{'recall':>9}{'whole':>7}"
    for name, group in [*sorted(by_language.items()), ("all", list(verdicts.values()))]:
        total = [
            sum(column)
            for column in zip(*((v.removed, v.wrong, v.notice, v.missed, v.kept) for v in group), strict=False)
        ]
        removed, wrong, notice, missed, kept = total
        noticed = [v for v in group if v.notice]
        yield (
            f"{name:<20}{len(group):>6}{len(noticed):>9}{1 - wrong / max(1, removed):>11.2%}"
            f"{1 - wrong / max(1, kept):>9.3%}{1 - missed / max(1, notice):>9.2%}"
            f"{sum(not v.missed for v in noticed):>4}/{len(noticed)}"
        )
    differing = [(la, v) for la, v in verdicts.items() if v.wrong or v.missed]
    yield f"{len(differing)} files differ from their labels"
    for label, v in differing[:show]:
        yield f"--- {label.language} {label.repo} {label.path}"
        yield from (f"  wrong  {line[:110]}" for line in v.wrong_lines)
        yield from (f"  missed {line[:110]}" for line in v.missed_lines)


def main(argv: list[str] | None = None) -> None:
    """Prints the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="folder with the bench corpus")
    parser.add_argument("--small", action="store_true", help="the small corpus: does it work at all")
    parser.add_argument("--show", type=int, default=0, help="print so many of the files that differ")
    args = parser.parse_args(argv)
    corpus = place(args.out, small=args.small) / "corpus"
    found = contents(corpus, wanted := labels())
    if not any(corpus.glob("*.parquet")) or not (found or args.small):
        raise BenchError(f"no labelled file in {corpus}; run python -m bench.corpus --out {args.out}")
    print(f"{len(found)} of {len(wanted)} labelled files in the corpus")
    for name, held in (("tuning", False), ("held out", True)):
        print(f"== {name}")
        if not any(la.held is held for la in found):
            continue
        for line in score({la: text for la, text in found.items() if la.held is held}, show=args.show):
            print(line)
    speed(corpus)


def speed(corpus: Path) -> None:
    """Throughput on one part of the corpus, one core."""
    table = pq.read_table(sorted(corpus.glob("*.parquet"))[-1], columns=["path", "content"])
    content = table["content"].combine_chunks().cast(pa.large_string())
    names = languages.detect(table["path"].combine_chunks(), content)["language"]
    started = time.perf_counter()
    stripped = _core.strip_headers(content, names, languages.syntaxes())
    seconds = time.perf_counter() - started
    changed = len(content) - stripped.field("content").null_count
    print(
        f"{content.nbytes / seconds / 1e6:,.0f} MB/s, {len(content) / seconds:,.0f} files/s on one core; "
        f"{changed:,} of {len(content):,} files lost a notice"
    )


if __name__ == "__main__":
    main()
