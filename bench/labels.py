"""Holds rule books against labelled files: python -m bench.labels MIRRORS… [--half first] [--rules]

MIRRORS are folders with bare repositories below them, of which those in `bench/data/rule_labels.jsonl` are read. A
file is found by its SHA-256 and goes through detection, the conversion of notebooks, the removal of notices and
redaction, as in `refinecode`; then every book judges it. Copies are no question here: none was drawn.

A book is right to drop what is labelled "drop". *Precision* is the share of its drops that are so labelled, *recall*
the share of what is so labelled that it drops. "Both passes" are the files of which both say the same, and are sure.
Intervals are Wilson's, of 95 %. Halves are by a hash of the file's id. `--rules` prints for each rule how many files it
drops, rightly and wrongly, and which files are judged wrongly.

    python -m bench.labels --collect FOLDER       writes the labels, of FOLDER/items.jsonl and its pass1*, pass2*.jsonl
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

import codemill as cm
from bench.label_sample import OTHERS, PROGRAMS, repository
from codemill.recipes.refinecode import CORRECTED_RULES, REFINECODE_RULES
from codemill.rules import RuleBook
from codemill.sources import Folder, Git
from codemill.steps import clean, detect, ingest, quality

LABELS = Path(__file__).parent / "data" / "rule_labels.jsonl"
BOOKS = {"refinecode": REFINECODE_RULES, "corrected": CORRECTED_RULES}
KINDS = ("keep", "drop", "unsure")
Z = 1.96


@dataclass(frozen=True)
class Labelled:
    """A file and what the two passes say of it; no content."""

    id: str
    repo: str
    revision: str
    path: str
    language: str
    sha256: str
    labels: tuple[str, str]
    reasons: tuple[str, str]

    @property
    def agreed(self) -> str | None:
        """What both say; None if they differ or are unsure."""
        first, second = self.labels
        return first if first == second != "unsure" else None

    @property
    def half(self) -> str:
        """Which half of the files it is in, by a hash of its id."""
        return ("first", "second")[hashlib.sha256(self.id.encode()).digest()[0] % 2]


def read(path: Path = LABELS) -> list[Labelled]:
    """The labels."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [Labelled(**{**row, "labels": tuple(row["labels"]), "reasons": tuple(row["reasons"])}) for row in rows]


def collect(folder: Path) -> list[dict[str, object]]:
    """Rows of the labels' file. Raises: SystemExit if an item lacks a label."""
    passes = []
    for number in (1, 2):
        said: dict[int, dict[str, str]] = {}
        for file in sorted(folder.glob(f"pass{number}*.jsonl")):
            said |= {row["n"]: row for row in map(json.loads, file.read_text("utf-8").splitlines())}
        passes.append(said)
    rows: list[dict[str, object]] = []
    for item in map(json.loads, (folder / "items.jsonl").read_text("utf-8").splitlines()):
        n = item.pop("n")
        given = [said.get(n) for said in passes]
        if any(one is None or one["label"] not in KINDS for one in given):
            sys.exit(f"item {n} has no label in one of the passes: {given}")
        labels, reasons = ([one[key] for one in given if one] for key in ("label", "reason"))
        labels, reasons = ([one[key] for one in given if one] for key in ("label", "reason"))
        rows.append({**item, "labels": labels, "reasons": reasons})
    return rows


def verdicts(mirrors: Sequence[Path], labelled: Sequence[Labelled]) -> dict[str, dict[str, list[str]]]:
    """By book and SHA-256, the signals of the rules that fired; of notebooks that cannot be read, the step's reason.

    Raises: SystemExit if files are missing.
    """
    with tempfile.TemporaryDirectory() as name:
        files = Path(name, "files")
        missing = {one.sha256 for one in labelled} - unpack(mirrors, {one.sha256: one for one in labelled}, files)
        if missing:
            gone = [one for one in labelled if one.sha256 in missing]
            sys.exit(f"{len(gone)} files are not in the mirrors, such as {gone[0].path} of {gone[0].repo}")
        return {book: judged(files, rules, Path(name, book)) for book, rules in BOOKS.items()}


def unpack(mirrors: Sequence[Path], wanted: dict[str, Labelled], folder: Path) -> set[str]:
    """Writes the wanted files to folder/repository/path, and says which were found."""
    repos, found = {one.repo for one in wanted.values()}, set[str]()
    for mirror in mirrors:
        source = Git(str(mirror), commit_times=False)
        for shard in source.list().shards:
            for batch in source.read(shard):
                for repo, raw in zip(batch["repo"].to_pylist(), batch["raw"], strict=True):
                    if repository(repo) not in repos or not raw.is_valid:
                        continue
                    data = raw.as_py()
                    digest = hashlib.sha256(data).hexdigest()
                    if digest in wanted and digest not in found:
                        one = wanted[digest]
                        place = folder / one.repo.replace("/", "+") / one.path
                        place.parent.mkdir(parents=True, exist_ok=True)
                        place.write_bytes(data)
                        found.add(digest)
    return found


def judged(files: Path, rules: RuleBook, out: Path) -> dict[str, list[str]]:
    """What a book says of the files, by SHA-256."""
    documents = detect.language(ingest.documents(sources=(Folder(str(files), commit_times=False),)))
    cleaned = clean.redact(clean.headers(clean.notebooks(documents, form="structured", output_chars=1000)))
    cm.build(quality.keep(quality.judge(quality.measure(cleaned), rules=rules)), out=out, workers=1)
    said: dict[str, list[str]] = {}
    for row in pq.read_table(out / "ledger").to_pylist():
        fired = [rule["signal"] for rule in row["rules"] or ()]
        said[row["content_sha256"].hex()] = fired or ([row["reason"]] if row["verdict"] == "dropped" else [])
    return said


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The interval of a share.

    >>> wilson(9, 10)
    (0.5958499732047615, 0.9821237869049271)
    """
    if whole == 0:
        return 0.0, 1.0
    share, extra = part / whole, Z * Z / whole
    middle = (share + extra / 2) / (1 + extra)
    reach = Z * ((share * (1 - share) + extra / 4) / whole) ** 0.5 / (1 + extra)
    return middle - reach, middle + reach


def shown(part: int, whole: int) -> str:
    """A share with its counts and interval."""
    if whole == 0:
        return "none"
    low, high = wilson(part, whole)
    return f"{part / whole:.0%} ({part} of {whole}; {low:.0%}–{high:.0%})"


@dataclass(frozen=True)
class Score:
    """How a book does on some files."""

    right: int  # drops that are labelled so
    drops: int
    bad: int  # files that are labelled "drop"

    @property
    def precision(self) -> str:
        """Of its drops, how many are right."""
        return shown(self.right, self.drops)

    @property
    def recall(self) -> str:
        """Of what should go, how much goes."""
        return shown(self.right, self.bad)


def score(truth: dict[str, str], said: dict[str, list[str]]) -> Score:
    """Of files and their labels, "keep" or "drop"."""
    dropped = {file for file in truth if said[file]}
    bad = {file for file, label in truth.items() if label == "drop"}
    return Score(len(dropped & bad), len(dropped), len(bad))


def kappa(pairs: Iterable[tuple[str, str]]) -> float:
    """Cohen's kappa of two labels each.

    >>> kappa([("a", "a"), ("a", "a"), ("b", "b"), ("b", "a")])
    0.5
    """
    pairs = list(pairs)
    total = len(pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    same = sum(a == b for a, b in pairs) / total
    chance = sum(first[kind] * second[kind] for kind in first) / total**2
    return 1.0 if chance == 1 else (same - chance) / (1 - chance)


def agreement(labelled: Sequence[Labelled]) -> str:
    """A paragraph on how far the passes agree."""
    pairs = [one.labels for one in labelled]
    sure = [pair for pair in pairs if "unsure" not in pair]
    counts = " · ".join(
        f"pass {i + 1}: " + ", ".join(f"{kind} {sum(pair[i] == kind for pair in pairs)}" for kind in KINDS)
        for i in range(2)
    )
    same = sum(a == b for a, b in pairs)
    return (
        f"{len(pairs)} files; {counts}\nsame label {shown(same, len(pairs))}, kappa {kappa(pairs):.2f}; where both are "
        f"sure {shown(sum(a == b for a, b in sure), len(sure))}, kappa {kappa(sure):.2f}"
    )


TRUTHS: dict[str, Callable[[Labelled], str | None]] = {
    "both passes": lambda one: one.agreed,
    "pass 1": lambda one: one.labels[0] if one.labels[0] != "unsure" else None,
    "pass 2": lambda one: one.labels[1] if one.labels[1] != "unsure" else None,
}


def truths(labelled: Iterable[Labelled], of: Callable[[Labelled], str | None]) -> dict[str, str]:
    """By SHA-256, the labels that count."""
    return {one.sha256: label for one in labelled if (label := of(one)) is not None}


def table(labelled: Sequence[Labelled], said: dict[str, dict[str, list[str]]]) -> str:
    """Precision and recall of each book, overall and by language."""
    groups: dict[str, dict[str, str]] = {name: truths(labelled, of) for name, of in TRUTHS.items()}
    agreed = TRUTHS["both passes"]
    kinds = {"programs": PROGRAMS, "data, pages, text, notebooks": OTHERS}
    groups |= {name: truths((one for one in labelled if one.language in of), agreed) for name, of in kinds.items()}
    for language in (*PROGRAMS, *OTHERS):
        groups[language] = truths((one for one in labelled if one.language == language), agreed)
    lines = [
        f"| files | labelled drop | {' | '.join(f'precision, {b} | recall, {b}' for b in said)} |",
        "|---" * (2 + 2 * len(said)) + "|",
    ]
    for name, truth in groups.items():
        scores = [score(truth, book) for book in said.values()]
        cells = " | ".join(f"{one.precision} | {one.recall}" for one in scores)
        lines.append(f"| {name} | {scores[0].bad} of {len(truth)} | {cells} |")
    return "\n".join(lines)


def by_rule(labelled: Sequence[Labelled], said: dict[str, list[str]]) -> str:
    """For each rule, how many of its files are labelled drop and keep, and alone; then the files judged wrongly."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[str] = []
    for one in labelled:
        fired, label = said[one.sha256], one.agreed
        if label is None:
            continue
        for rule in fired:
            counts[rule][label] += 1
            counts[rule][f"{label}, alone"] += len(fired) == 1
        if bool(fired) != (label == "drop"):
            wrong.append(f"  {label}: {one.language} {one.path} ({one.repo}) {fired} {one.reasons[0]}")
    order = sorted(counts, key=lambda rule: -counts[rule]["keep"])
    names = ("drop", "drop, alone", "keep", "keep, alone")
    rows = [f"| {rule} | {' | '.join(str(counts[rule][name]) for name in names)} |" for rule in order]
    return "\n".join([f"| rule | {' | '.join(names)} |", "|---" * 5 + "|", *rows, "", *sorted(wrong)])


def main(argv: Sequence[str] | None = None) -> None:
    """Prints agreement and tables, or writes the labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mirrors", type=Path, nargs="*")
    parser.add_argument("--half", choices=["first", "second"], help="of the files, by a hash of their ids")
    parser.add_argument("--rules", action="store_true", help="print each rule, and the files judged wrongly")
    parser.add_argument("--collect", type=Path, metavar="FOLDER", help="write the labels of two passes")
    args = parser.parse_args(argv)
    if args.collect:
        LABELS.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in collect(args.collect)), "utf-8")
        return
    labelled = [one for one in read() if args.half in (None, one.half)]
    print(agreement(labelled), end="\n\n")
    said = verdicts(args.mirrors, labelled)
    print(table(labelled, said))
    if args.rules:
        for book, found in said.items():
            print(f"\n{book}\n\n{by_rule(labelled, found)}")


if __name__ == "__main__":
    main()
