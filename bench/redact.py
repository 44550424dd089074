"""Redaction: precision and recall per kind, and speed, beside peers in one run.

    python -m bench.redact [--out .bench] [--unseen .bench-unseen] [--sixth .bench-sixth]
                           [--seventh .bench-seventh] [--small | --lines] [--peers-python PY] [--errors K]

Labelled sets. *Planted*: lines with invented values and lines that only look like such (`redact_planted.py`), set
into real files; what is found in a file as it was before is not counted. *Real*: places in installed packages and
crates, labelled by hand (`data/redact_labels_packages.tsv`: file, line, columns, kind, yes or no, and the start of the
line's SHA-256, without the line itself); what is not installed, or not in that version, is left out and counted.
*Tuning* and *held out*: lines of the bench corpus, drawn by patterns far wider than the rules (`redact_sample.py`),
labelled by hand (`data/redact_labels.tsv`), half of the repositories not looked at while the rules were written;
*third*: more of them, drawn and labelled after the rules were mended, and no rule was changed since. *Fourth* and
*fifth*: lines of other projects (`data/redact_labels_unseen.tsv`), labelled by a reader who knew neither the rules
nor what they find; *sixth* and *seventh*: such lines of yet others, of a corpus each
(`data/redact_labels_sixth.tsv`, `data/redact_labels_seventh.tsv`). A tool reads such a line with its neighbours; what
it says of the line counts, for the kind the line was drawn for. Places marked `~` count neither way.

The peers are installed by `make peers`; then `--peers-python .peers/bin/python`.

A finding is right if it overlaps a label of its kind by half of the longer. A peer is asked only for kinds it knows;
"key" and "password" are one kind for detect-secrets, which does not tell them apart. Seconds are of the processor, one
core; of codemill also those of the whole step from Arrow to Arrow.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench import other_packages
from bench.corpus import BenchError, place
from bench.exact_dedup import RESULTS, machine
from bench.redact_peers import TOOLS
from bench.redact_planted import KINDS, Document, plant
from codemill import languages
from codemill.steps import clean

LABELS = Path(__file__).parent / "data" / "redact_labels_packages.tsv"
SUFFIXES = (".py", ".rs", ".js", ".c", ".h", ".java", ".toml", ".sh", ".yml", ".ts")
CORPUS_LABELS = Path(__file__).parent / "data" / "redact_labels.tsv"
LABELS_OF = {"out": CORPUS_LABELS} | {
    other: CORPUS_LABELS.with_name(f"redact_labels_{other}.tsv") for other in other_packages.OTHERS
}
"""Labelled lines by their corpus: the option for its folder → where they stand."""
AROUND = {"key": 70}
"""Lines before and after a labelled one that a tool sees, three of other kinds: keys have many lines."""

Span = tuple[int, int, str]


def roots() -> dict[str, Path]:
    """Where real files are: the name in `redact_labels_packages.tsv` and the folder."""
    registries = sorted((Path.home() / ".cargo" / "registry" / "src").glob("*/"))
    return {"packages": Path(sysconfig.get_path("purelib")), **({"crates": registries[0]} if registries else {})}


def real_files(limit: float, seed: int) -> list[tuple[str, str]]:
    """Source files in a fixed order that mixes packages, until there are `limit` bytes: name and text."""
    paths = [(f"{name}/{path.relative_to(root)}", path) for name, root in roots().items() for path in root.rglob("*")]
    paths = sorted((n, p) for n, p in paths if p.suffix in SUFFIXES and p.is_file() and p.stat().st_size < 2_000_000)
    random.Random(seed).shuffle(paths)
    found, size = [], 0
    for name, path in paths:
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        found.append((name, text))
        size += len(text)
        if size > limit:
            break
    return found


def labelled() -> tuple[list[Document], int]:
    """The lines of `redact_labels_packages.tsv` that are here, with neighbouring lines; and how many are not."""
    documents, missing, where = [], 0, roots()
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    for name, number, digest, labels in rows:
        root, _, path = name.partition("/")
        try:
            lines = (where[root] / path).read_bytes().decode().split("\n")
            line = lines[int(number) - 1]
        except (KeyError, OSError, IndexError, UnicodeDecodeError):
            missing += 1
            continue
        if hashlib.sha256(line.encode()).hexdigest()[:12] != digest:
            missing += 1
            continue
        spans = [(int(a), int(b), kind) for a, b, kind in (x.split(":") for x in labels.split()) if kind in KINDS]
        documents.append(Document(f"{name}:{number}", line + "\n", spans))
    return documents, missing


@dataclass
class Drawn:
    """A line of the corpus within its neighbours: where it is in the text, and the kind it is labelled for."""

    document: Document
    kind: str
    start: int
    end: int
    neutral: list[Span]


def labels_of_corpus(labels: Path = CORPUS_LABELS) -> list[dict[str, str]]:
    """The rows of labels of lines of a corpus, as they are."""
    with labels.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def drawn(corpus: Path, labels: Path = CORPUS_LABELS) -> tuple[dict[str, list[Drawn]], int]:
    """The labelled lines of the corpus, by set; and how many it does not have."""
    rows = labels_of_corpus(labels)
    wanted: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    for row in rows:
        wanted.setdefault((row["repo"], row["revision"], row["path"]), []).append(row)
    found: dict[str, list[Drawn]] = {row["set"].replace("_", " "): [] for row in rows}
    for part in sorted(corpus.glob("*.parquet")):
        file_ = pq.ParquetFile(part)
        for group in range(file_.num_row_groups):
            table = file_.read_row_group(group, columns=["repo", "revision", "path"])
            keys = list(zip(*(table[c].to_pylist() for c in table.column_names), strict=True))
            here = [n for n, key in enumerate(keys) if key in wanted]
            if not here:
                continue
            texts = file_.read_row_group(group, columns=["content"])["content"].take(pa.array(here)).to_pylist()
            names = languages.detect(pa.array([keys[n][2] for n in here]), pa.array(texts, pa.large_string()))
            for n, text, language in zip(here, texts, names["language"].to_pylist(), strict=True):
                for row in wanted[keys[n]]:
                    if line := _drawn(row, text, language):
                        found[row["set"].replace("_", " ")].append(line)
    return found, len(rows) - sum(map(len, found.values()))


def _drawn(row: dict[str, str], text: str, language: str | None) -> Drawn | None:
    lines, number = text.split("\n"), int(row["line"]) - 1
    if number >= len(lines) or hashlib.sha256(lines[number].encode()).hexdigest()[:12] != row["sha256"]:
        return None
    around = AROUND.get(row["drawn_for"], 3)
    first = max(0, number - around)
    start = sum(len(line) + 1 for line in lines[first:number])
    labels = [(int(a), int(b), kind) for a, b, kind in (x.split(":") for x in row["labels"].split())]
    spans = [(start + a, start + b, kind) for a, b, kind in labels]
    document = Document(
        f"{row['repo']} {row['path']}:{row['line']}",
        "\n".join(lines[first : number + around + 1]),
        [span for span in spans if span[2] == row["drawn_for"]],
        language or "text",  # as the step reads what detection does not know
    )
    neutral = [span for span in spans if span[2] == "~"]
    return Drawn(document, row["drawn_for"], start, start + len(lines[number]), neutral)


def of_line(line: Drawn, spans: list[Span], merge: bool) -> list[Span]:
    """What a tool said of the line itself, of the kind that it is labelled for."""
    kinds = {"key", "password"} if merge else {line.kind}
    cut = [(max(a, line.start), min(b, line.end), kind) for a, b, kind in spans if kind in kinds]
    if merge:
        cut = [(a, b, line.kind) for a, b, _ in cut if line.kind in kinds]
    return [s for s in cut if s[0] < s[1] and not any(s[0] < b and a < s[1] for a, b, _ in line.neutral)]


def run(name: str, python: str, documents: list[Document]) -> dict[str, Any]:
    """One tool over the texts, in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        texts, out = Path(folder, "texts.json"), Path(folder, "found.json")
        texts.write_text(json.dumps([[d.text, d.language] for d in documents]))
        command = [sys.executable if name == "codemill" else python, "-m", "bench.redact_peers", name, texts, out]
        cwd = Path(__file__).resolve().parent.parent
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        if done.returncode:
            return {"missing": done.stderr.strip().splitlines()[-1]}
        return dict(json.loads(out.read_text()))


def overlaps(one: Span, other: Span) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return one[2] == other[2] and 2 * shared >= max(one[1] - one[0], other[1] - other[0])


def score(documents: list[Document], found: list[list[Span]], kinds: tuple[str, ...], merge: bool, errors: str) -> Any:
    """Right findings, findings and labels of each kind."""
    right, said, labels = Counter[str](), Counter[str](), Counter[str]()
    one = {"key": "password"} if merge else {}
    for document, spans in zip(documents, found, strict=True):
        wanted = [(a, b, one.get(k, k)) for a, b, k in document.labels]
        given = [(a, b, one.get(k, k)) for a, b, k in spans if k in kinds]
        hit = [g for g in given if any(overlaps(g, w) for w in wanted)]
        met = [w for w in wanted if any(overlaps(g, w) for g in given)]
        for kind in KINDS:
            said[kind] += sum(g[2] == kind for g in given)
            right[kind] += sum(h[2] == kind for h in hit)
            right["found " + kind] += sum(m[2] == kind for m in met)
            labels[kind] += sum(w[2] == kind for w in wanted)
        if errors:
            wrong = [("false", g) for g in given if g not in hit] + [("missed", w) for w in wanted if w not in met]
            for what, (a, b, kind) in wrong:
                if kind == errors:
                    begin, end = document.text.rfind("\n", 0, a) + 1, document.text.find("\n", b)
                    text = document.text
                    around = f"{text[max(begin, a - 60) : a]}«{text[a:b]}»{text[b:end][:40]}"
                    print(f"{what} {kind}: {document.name}: {around}")
    return {
        kind: {
            "labels": labels[kind],
            "precision": right[kind] / said[kind] if said[kind] else None,
            "recall": right["found " + kind] / labels[kind] if labels[kind] else None,
        }
        for kind in KINDS
        if kind in {one.get(k, k) for k in kinds} and (labels[kind] or said[kind])
    }


def without(
    found: list[list[Span]], documents: list[Document], before: list[list[Span]], old: list[str]
) -> list[list[Span]]:
    """Findings less those that are in the text as it was: by their text and how often it was found."""
    left = []
    for spans, document, were, text in zip(found, documents, before, old, strict=True):
        known = Counter(text[a:b] for a, b, _ in were)
        kept = []
        for a, b, kind in spans:
            value = document.text[a:b]
            if known[value] and not any(overlaps((a, b, kind), label) for label in document.labels):
                known[value] -= 1
            else:
                kept.append((a, b, kind))
        left.append(kept)
    return left


def speed(corpus: Path, files: int) -> dict[str, float]:
    """MB/s on one core of the two steps as a recipe calls them, one after the other, over files of the corpus."""
    table = pq.ParquetFile(sorted(corpus.glob("*.parquet"))[0]).read_row_group(0, columns=["path", "content"])
    table = table.slice(0, files)
    content = table["content"].combine_chunks().cast(pa.large_string())
    language = languages.detect(table["path"].combine_chunks(), content)["language"]
    size, best = content.nbytes / 1e6, {"headers": 1e9, "redact": 1e9, "both": 1e9}
    for _ in range(3):
        started = time.process_time()
        batch = pa.record_batch({"content": content, "language": language})
        cut = clean.headers.function(batch)["content"]
        middle = time.process_time()
        batch = batch.set_column(0, "content", pc.coalesce(cut, content))
        clean.redact.function(batch)
        ended = time.process_time()
        spans = {"headers": middle - started, "redact": ended - middle, "both": ended - started}
        best = {name: min(best[name], spans[name]) for name in best}
    return {"megabytes": size, **{name: size / seconds for name, seconds in best.items()}}


HOSTILE = ["@", "a@a.", "1.1.", "1.2.3.4.", "://", "://a:b@", "-----BEGIN PRIVATE KEY-----", "\\", '"', '\\"', "+1 2-"]
HOSTILE += ["eyJ-", "Copyright 2001 A ", 'password="', "/home/", "TODO(", "token: ", "pass: ", "# (c) 2001 A\n", "#\n"]
HOSTILE += ["a", " ", "\n", "(", "/*", "漢", "e\u0301", "\u00ff", "# Author: A\n#\n", "/* (c) 2001 */", "<!--"]


def hostile(size: int) -> dict[str, dict[str, float]]:
    """Seconds for `size` characters of each of what makes scanners slow, and for half as many: each step."""
    seconds = {}
    for part in HOSTILE:
        row = {}
        for name, step in (("headers", clean.headers.function), ("redact", clean.redact.function)):
            for of in (2, 1):
                text = "# Copyright 2020 A. Author.\n" + part * (size // of // len(part))
                content = pa.array([text], pa.large_string())
                batch = pa.record_batch({"content": content, "language": pa.array(["python"])})
                started = time.process_time()
                step(batch)
                row[f"{name}/{of}"] = time.process_time() - started
        seconds[part] = row
    return seconds


def of_lines(lines: dict[str, list[Drawn]], errors: str) -> None:
    """Prints codemill's figures on the labelled lines of the corpora, by set and of all sets together."""
    print("| set | kind | labels | found | precision | recall |\n|---|---|---|---|---|---|")
    together = [line for some in lines.values() for line in some]
    for of, some in (*lines.items(), ("all", together)):
        spans = run("codemill", sys.executable, [line.document for line in some])["found"]
        kept = [of_line(line, [(a, b, k) for a, b, k in row], False) for line, row in zip(some, spans, strict=True)]
        for kind, s in score([line.document for line in some], kept, KINDS, False, errors * (of != "all")).items():
            said = sum(k == kind for row in kept for _, _, k in row)
            print(f"| {of} | {kind} | {s['labels']} | {said} | {shown(s['precision'])} | {shown(s['recall'])} |")


def shown(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def main(argv: list[str] | None = None) -> None:
    """Prints tables and, without --small, writes bench/results/redact.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="folder of the bench corpus")
    for other in other_packages.OTHERS:
        parser.add_argument(f"--{other}", type=Path, default=Path(f".bench-{other}"), help="folder of other projects")
    parser.add_argument("--small", action="store_true", help="a tenth of the work, no file of results")
    parser.add_argument("--lines", action="store_true", help="codemill alone, on the lines labelled by hand")
    parser.add_argument("--peers-python", default=sys.executable, help="the interpreter that has the peers")
    parser.add_argument("--errors", default="", metavar="KIND", help="show where codemill is wrong about this kind")
    args = parser.parse_args(argv)
    if not Path(args.peers_python).exists():
        parser.error(f"--peers-python: there is no {args.peers_python}")
    corpus = place(args.out, small=args.small) / "corpus"
    if not any(corpus.glob("*.parquet")):
        raise BenchError(f"no corpus in {corpus}; run python -m bench.corpus --out {args.out}")
    lines, gone = drawn(corpus)
    for other in other_packages.OTHERS:
        folder = getattr(args, other)
        if any((folder / "corpus").glob("*.parquet")):
            later, more = drawn(folder / "corpus", LABELS_OF[other])
            lines, gone = lines | later, gone + more
        else:
            print(f"no corpus in {folder}, so without its lines; python -m bench.corpus --{other} --out {folder}")
    print(f"corpus: {' and '.join(f'{len(found)} lines {of}' for of, found in lines.items())}, {gone} not here\n")
    if args.lines:
        of_lines(lines, args.errors)
        return
    small = 10 if args.small else 1
    hosts = real_files(3e6 / small, seed=2)
    planted = plant(hosts, each=500 // small)
    originals = [Document(name, text) for name, text in hosts]
    real, missing = labelled()
    print(f"planted: {sum(len(d.labels) for d in planted):,} labels in {len(planted)} files;"
          f" real: {len(real)} lines by hand, {missing} not here\n")  # fmt: skip
    results: dict[str, Any] = {}
    size = sum(len(d.text.encode()) for d in planted) / 1e6
    print("| tool | set | kind | labels | precision | recall | MB/s |\n|---|---|---|---|---|---|---|")
    for name, (_, _, kinds) in TOOLS.items():
        sets = {"planted": planted, "original": originals, "real": real}
        sets |= {of: [line.document for line in found] for of, found in lines.items()}
        found = {of: run(name, args.peers_python, documents) for of, documents in sets.items()}
        if gone := next((f["missing"] for f in found.values() if "missing" in f), None):
            print(f"| {name} | left out: {gone} | | | | | |")
            continue
        spans = {of: [[(a, b, k) for a, b, k in row] for row in f["found"]] for of, f in found.items()}
        new = without(spans["planted"], planted, spans["original"], [d.text for d in originals])
        rate = size / found["planted"]["seconds"]
        merge, errors = name == "detect-secrets", args.errors if name == "codemill" else ""
        results[name] = {"mb_s": rate}
        scored = [("planted", planted, new), ("real", real, spans["real"])]
        for of, some in lines.items():
            kept = [of_line(line, row, merge) for line, row in zip(some, spans[of], strict=True)]
            scored.append((of, [line.document for line in some], kept))
        for of, documents, rows in scored:
            scores = score(documents, rows, kinds, merge, errors)
            results[name][of] = scores
            for kind, s in scores.items():
                cells = (name, of, kind, s["labels"], shown(s["precision"]), shown(s["recall"]), f"{rate:.2f}")
                print(f"| {' | '.join(map(str, cells))} |", flush=True)
    fast = results["speed"] = speed(corpus, 4000 // small)
    rates = f"headers {fast['headers']:.0f}, redact {fast['redact']:.0f}, one after the other {fast['both']:.0f} MB/s"
    print(f"\ncodemill, Arrow to Arrow, one core, {fast['megabytes']:.0f} MB of the corpus: {rates}")
    size = 8_000_000 // small
    print(
        f"\n| {size / 1e6:.1f} MB of | headers, half | headers, s | redact, half | redact, s |\n|---|---|---|---|---|"
    )
    seconds = results["hostile"] = hostile(size)
    for part, row in seconds.items():
        print(f"| {part!r} | {' | '.join(f'{value:.3f}' for value in row.values())} |")
    if not args.small:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "redact.json").write_text(json.dumps({"machine": machine(), **results}, indent=1) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main()
