"""How fast all signals are measured, on one core: MB/s altogether, by family, by language, and on hostile text.

    python -m bench.signals [--out .bench | --folder SRC …] [--megabytes 40]

Files come from the folders given, else from the bench corpus (`python -m bench.corpus`) in .bench, rows in hashed
order; their language is the one that `codemill.languages` gives them, and others are left out. CPU seconds, best of
three (`--repetitions`); MB is 10^6 bytes of content. A family is timed alone, with all that it derives; what several
share is counted in each, so the shares add up to more than the whole. Hostile texts are 8 MB each, and the last column
of each language says how many times longer a byte takes than in the sample.
"""

from __future__ import annotations

import argparse
import random
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench import corpus
from codemill import _core, languages

HOSTILE_BYTES = 8_000_000
# A language with a comment of each kind, one with a tree, and prose.
HOSTILE_LANGUAGES = (("c", "code"), ("python", "code"), ("markdown", "text"))


def of_corpus(out: Path, most: int) -> list[tuple[str, str, str, str]]:
    """The same of the bench corpus: every row whose path hashes low enough."""
    parts = sorted((out / "corpus").glob("*.parquet"))
    if not parts:
        raise corpus.BenchError(f"there is no corpus in {out}: run python -m bench.corpus --out {out}")
    size = sum(pc.sum(pq.read_table(part, columns=["size"])["size"]).as_py() for part in parts)
    share = int(most / size * 2**32)
    rows = []
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches(1000, columns=["path", "content"]):
            taken = [zlib.crc32(path.encode()) < share for path in batch["path"].to_pylist()]
            few = batch.filter(pa.array(taken))
            found = languages.detect(few["path"], few["content"].cast(pa.large_string()))
            for path, text, language, kind in zip(
                few["path"].to_pylist(),
                few["content"].to_pylist(),
                found["language"].to_pylist(),
                found["doc_type"].to_pylist(),
                strict=True,
            ):
                if language is not None:
                    rows.append((path, language, kind, text))
    return rows


def sample(folders: Sequence[Path], most: int) -> list[tuple[str, str, str, str]]:
    """Path, language, document type and content of files in these folders, `most` bytes of them, in hashed order."""
    files = sorted(file for folder in folders for file in folder.rglob("*") if file.is_file())
    random.Random(0).shuffle(files)
    rows: list[tuple[str, str, str, str]] = []
    total = 0
    for file in files:
        if total >= most:
            break
        if file.stat().st_size > 1_000_000:
            continue
        try:
            text = file.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        found = languages.detect(file.name, text)
        if found.language is not None and found.doc_type in ("code", "data", "text", "web"):
            rows.append((file.name, found.language, found.doc_type, text))
            total += len(text.encode())
    return rows


def seconds(rows: Sequence[tuple[str, str, str, str]], signals: list[str] | None = None, repetitions: int = 3) -> float:
    """CPU seconds to measure these rows; the best of the repetitions."""
    columns = {
        "language": pa.array([row[1] for row in rows]),
        "doc_type": pa.array([row[2] for row in rows]),
        "path": pa.array([row[0] for row in rows]),
        "size": pa.array([len(row[3]) for row in rows], pa.int64()),
    }
    content = pa.array([row[3] for row in rows], pa.large_string())
    syntaxes = languages.syntaxes()
    best = float("inf")
    for _ in range(repetitions):
        start = time.process_time()
        _core.measure(content, **columns, syntaxes=syntaxes, signals=signals)
        best = min(best, time.process_time() - start)
    return best


def megabytes(rows: Sequence[tuple[str, str, str, str]]) -> float:
    """Bytes of content, in 10^6."""
    return sum(len(row[3].encode()) for row in rows) / 1e6


def hostile() -> dict[str, str]:
    """Texts that would be slow if anything were quadratic."""
    repeat = {
        "a line without end": "x = 1; ",
        "(": "(",
        "[": "[",
        '"': '"',
        "'": "'",
        "'''": "'''",
        "backslashes": "\\",
        "/*": "/*",
        "<": "<",
        "(http://": "(http://",
        "hex and blanks": "41 " + " " * 300,
        "newlines": "\n",
        "one letter lines": "a\n",
        "replacement characters": "\ufffd",
        "Chinese": "中文字符",
        "Chinese punctuation": "。，",
        "combining marks": "\u0301",
        "marks in wrong order": "\u0301\u0323\u0315",
        "capitals": "ÀÉ",
        "ligatures": "\ufdfa",
        "control characters": "\x01",
        "tabs": "\t",
        "a word": "a",
        "two words": "a b ",
        "different words": "",
    }
    texts = {name: text * (HOSTILE_BYTES // len(text.encode())) for name, text in repeat.items() if text}
    texts["different words"] = " ".join(str(i * 2654435761 % 10**9) for i in range(HOSTILE_BYTES // 10))
    return texts


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="folder of the bench corpus")
    parser.add_argument("--folder", type=Path, nargs="*", help="take files from here instead")
    parser.add_argument("--small", action="store_true", help="5 MB and no hostile texts: does it work at all")
    parser.add_argument("--megabytes", type=int, default=40)
    parser.add_argument("--repetitions", type=int, default=3, help="1: with the memory that the first look at it takes")
    parser.add_argument("--no-hostile", action="store_true")
    args = parser.parse_args(argv)
    most = (5 if args.small else args.megabytes) * 10**6
    rows = sample(args.folder, most) if args.folder else of_corpus(corpus.place(args.out, small=args.small), most)
    size, whole = megabytes(rows), seconds(rows, repetitions=args.repetitions)
    print(f"{'':28} {'files':>7} {'MB':>7} {'MB/s':>7} {'share':>6}")
    print(f"{'all signals':28} {len(rows):7} {size:7.1f} {size / whole:7.1f} {1:6.0%}")
    families: dict[str, list[str]] = {}
    for name, family, *_ in _core.signals():
        families.setdefault(family, []).append(name)
    for family, names in families.items():
        alone = seconds(rows, names)
        print(f"  {family:26} {'':7} {'':7} {size / alone:7.1f} {alone / whole:6.0%}")
    by_language: dict[str, list[tuple[str, str, str, str]]] = {}
    for row in rows:
        by_language.setdefault(row[1], []).append(row)
    for language, part in sorted(by_language.items(), key=lambda item: -megabytes(item[1]))[:20]:
        mine, took = megabytes(part), seconds(part)
        print(f"{language:28} {len(part):7} {mine:7.1f} {mine / took:7.1f} {took / whole:6.0%}")
    if args.no_hostile or args.small:
        return
    print(f"\n{'8 MB of':28}" + "".join(f" {language + ' MB/s':>14} {'times':>6}" for language, _ in HOSTILE_LANGUAGES))
    for name, text in hostile().items():
        line = f"{name:28}"
        for language, doc_type in HOSTILE_LANGUAGES:
            row = [("a", language, doc_type, text)]
            speed = megabytes(row) / seconds(row, repetitions=args.repetitions)
            line += f" {speed:14.1f} {size / whole / speed:6.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
