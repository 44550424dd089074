"""Draws the files that `bench/data/rule_labels.jsonl` labels: python -m bench.label_sample MIRRORS… --out FOLDER

MIRRORS are folders with bare repositories below them. They go through `refinecode` without its rules and without its
samples of Java and HTML, so that what is drawn is what the rules judge: files in the languages that are kept, no
copies, notebooks as text, notices and secrets gone. Nothing of a verdict or of a signal is looked at or written.

A language's files are ordered by the SHA-256 of a seed and their own. Of one repository at most `EACH` are taken, or
up to `MOST` where there are too few. FOLDER/items.jsonl names them, in an order that mixes the languages, and
FOLDER/shown has a text for each: path, language, size and length, then the content, cut where it is long.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import codemill as cm
from codemill.recipes.refinecode import refinecode
from codemill.sources import Git

PROGRAMS = (
    "python", "javascript", "typescript", "java", "c", "cpp", "go", "rust", "csharp", "php", "ruby", "shell",
)  # fmt: skip
OTHERS = ("json", "yaml", "xml", "html", "markdown", "jupyter notebook")
EACH, MOST = 8, 12
SEED = "rule labels 1"
SHOWN = ((1_900, "head"), (1_200, "middle"), (900, "end"))
"""Characters of a long text that a labeller sees. A text that is no longer than their sum is shown whole."""

Row = dict[str, Any]


def order(sha256: str, purpose: str) -> str:
    """Where a file stands in the draw: by a hash of its content, so that the same files are drawn anywhere."""
    return hashlib.sha256(f"{SEED} {purpose} {sha256}".encode()).hexdigest()


def repository(name: str) -> str:
    """A repository's name, of a mirror in `owner/name`, `owner+name` or a `repo` below one of them.

    >>> repository("owner+name/repo"), repository("owner/name")
    ('owner/name', 'owner/name')
    """
    return name.removesuffix("/repo").replace("+", "/", 1)


def candidates(mirrors: Sequence[Path]) -> list[Row]:
    """Every file that reaches the rules: id, repo, revision, path, language, size, sha256 and text."""
    sources = [Git(str(path), label=f"mirrors-{i}", commit_times=False) for i, path in enumerate(mirrors)]
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        table = refinecode(sources, java_fraction=1.0, html_fraction=1.0, rules="none")
        cm.build(table, out=folder, workers=1)
        columns = ["id", "repo", "revision", "path", "language", "size", "content_sha256", "content"]
        for part in sorted(Path(folder, "corpus").glob("*.parquet")):
            for batch in pq.ParquetFile(part).iter_batches(1000, columns=columns):
                for row in batch.to_pylist():
                    if row["language"] in PROGRAMS or row["language"] in OTHERS:
                        row["sha256"] = row.pop("content_sha256").hex()
                        found.append({**row, "repo": repository(row["repo"])})
    return found


def draw(rows: Sequence[Row], programs: int, others: int) -> list[Row]:
    """The sample, in the order in which it is shown."""
    by_language: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: order(row["sha256"], "draw")):
        by_language[row["language"]].append(row)
    drawn: list[Row] = []
    for language in (*PROGRAMS, *OTHERS):
        wanted = programs if language in PROGRAMS else others
        taken: list[Row] = []
        for most in range(EACH, MOST + 1):
            chosen = {row["id"] for row in taken}
            count = Counter(row["repo"] for row in taken)
            for row in by_language[language]:
                if len(taken) < wanted and row["id"] not in chosen and count[row["repo"]] < most:
                    count[row["repo"]] += 1
                    taken.append(row)
        drawn += taken
    return sorted(drawn, key=lambda row: order(row["sha256"], "show"))


def cut(text: str) -> str:
    """A text as it is shown: whole, or its head, middle and end with a mark of what was left out."""
    if len(text) <= sum(size for size, _ in SHOWN):
        return text
    (head, _), (middle, _), (end, _) = SHOWN
    start = (len(text) - middle) // 2
    gaps = (start - head, len(text) - end - start - middle)
    first, second = (f"\n[… {gap:,} characters are not shown …]\n" for gap in gaps)
    return text[:head] + first + text[start : start + middle] + second + text[-end:]


def shown(row: Row) -> str:
    """What a labeller reads of a file."""
    text = row["content"]
    lines = text.split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    head = (
        f"path: {row['path']}\nlanguage: {row['language']}\nsize: {row['size']:,} bytes\n"
        f"lines: {len(lines):,}\nlongest line: {max(map(len, lines), default=0):,} characters\n"
    )
    return f"{head}{'-' * 40}\n{cut(text)}"


def write(drawn: Sequence[Row], folder: Path) -> None:
    """Writes items.jsonl and shown/."""
    (folder / "shown").mkdir(parents=True, exist_ok=True)
    with (folder / "items.jsonl").open("w", encoding="utf-8") as items:
        for n, row in enumerate(drawn):
            named = {key: row[key] for key in ("id", "repo", "revision", "path", "language", "sha256")}
            items.write(json.dumps({"n": n, **named}) + "\n")
            (folder / "shown" / f"{n:03}.txt").write_text(shown(row), "utf-8", newline="")


def main(argv: Sequence[str] | None = None) -> None:
    """Draws, writes and prints how many of each language there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mirrors", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--programs", type=int, default=50, help="files of each language of programs")
    parser.add_argument("--others", type=int, default=16, help="files of each other language")
    args = parser.parse_args(argv)
    rows = candidates(args.mirrors)
    drawn = draw(rows, args.programs, args.others)
    write(drawn, args.out)
    there = Counter(row["language"] for row in rows)
    taken = Counter(row["language"] for row in drawn)
    repos = {lang: len({row["repo"] for row in drawn if row["language"] == lang}) for lang in taken}
    print("| language | files | drawn | repositories |\n|---|---|---|---|")
    for language in (*PROGRAMS, *OTHERS):
        print(f"| {language} | {there[language]:,} | {taken[language]} | {repos.get(language, 0)} |")
    print(f"| all | {len(rows):,} | {len(drawn)} | {len({row['repo'] for row in drawn})} |")


if __name__ == "__main__":
    main()
