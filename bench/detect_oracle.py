"""Detection beside Linguist itself, on real files out of packages.

    python -m bench.detect_oracle --archives .bench/archives [--tables FOLDER] [--json FILE]

Needs Debian's ruby-github-linguist. Takes one release of each package, and of each package a bounded number of files
per extension (more of the ambiguous ones), chosen by the hash of their path; sends the bytes to Linguist and to
codemill; prints how often they agree: over all, by ambiguous extension, by strategy, and the commonest confusions.
With --tables, Linguist runs once more with that folder's languages.yml and heuristics.yml in place of its own older
ones, so that what is compared is the engine and not the age of the tables.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench import corpus
from codemill import _core, languages

PER_EXTENSION, PER_AMBIGUOUS, PER_NAME = 20, 20, 1
"""Files taken of one package: of a plain extension, of an ambiguous one, of one name without extension."""

NOMINAL = frozenset((".md", ".html", ".htm", ".json", ".yml", ".yaml", ".txt"))
"""Extensions that a rare language shares with the one nearly every file is in: ambiguous by name only. They are left
out of the figure for ambiguous extensions, which they would flatter."""

SHARED = Counter(e for language in languages.all() for e in {e.lower() for e in language.extensions})
AMBIGUOUS = frozenset(e for e, n in SHARED.items() if n > 1) - NOMINAL
"""Extensions of several languages."""

RENAMED = {"coq": "coq", "mathematica": "mathematica", "saltstack": "saltstack", "genero": "genero 4gl",
           "genero forms": "genero per", "robots.txt": "robots exclusion rules"}  # fmt: skip
"""Names of the older tables, as ours."""


@dataclass(frozen=True)
class File:
    repo: str
    path: str
    raw: bytes

    @property
    def extension(self) -> str:
        name = self.path.rpartition("/")[2]
        return ("." + name.rpartition(".")[2]).lower() if "." in name[1:] else ""


@dataclass(frozen=True)
class Verdict:
    language: str | None
    strategy: str | None
    is_vendored: bool
    is_generated: bool


def latest(archives: Path) -> dict[str, Path]:
    """The newest archive of each package, by name: `perl_5.40.1.orig.tar.xz` → perl."""
    newest: dict[str, Path] = {}
    version = lambda p: [int(n) for n in re.findall(r"\d+", p.name.partition("_")[2])]  # noqa: E731
    for path in sorted(archives.iterdir()):
        match = re.fullmatch(r"([a-z0-9.+-]+)_[^_]+\.orig\.tar\.\w+", path.name)
        if match is not None:
            # perl5.40 and ruby3.1 are one project with perl5.32 and ruby3.3
            name = re.sub(r"-?\d+(\.\d+)*$", "", match[1]) or match[1]
            if name not in newest or version(newest[name]) < version(path):
                newest[name] = path
    return newest


def sample(repo: str, archive: Path, plain: int = PER_EXTENSION, ambiguous: int = PER_AMBIGUOUS) -> list[File]:
    """The files taken of one package, chosen by the hash of their path and in the order of it."""
    taken: dict[str, list[tuple[bytes, File]]] = defaultdict(list)

    def cut(key: str) -> list[tuple[bytes, File]]:
        limit = ambiguous if key in AMBIGUOUS else plain if key.startswith(".") else PER_NAME
        return sorted(taken[key], key=lambda pair: pair[0])[:limit]

    for path, _, raw in corpus.members(archive):
        if not path.isprintable():
            continue  # names that are not UTF-8, or that would break the frames
        file = File(repo, path, raw)
        key = file.extension or path.rpartition("/")[2]
        taken[key].append((hashlib.sha256(path.encode()).digest(), file))
        if len(taken[key]) > 4 * max(plain, ambiguous):
            taken[key] = cut(key)
    return [file for key in taken for _, file in cut(key)]


def sampled(archives: Path, plain: int = PER_EXTENSION, ambiguous: int = PER_AMBIGUOUS) -> list[File]:
    """The files taken of all packages, in the order of the packages' names."""
    newest = sorted(latest(archives).items())
    with ProcessPoolExecutor(2) as pool:
        parts = [pool.submit(sample, name, path, plain, ambiguous) for name, path in newest]
        return [file for part in parts for file in part.result()]


def decoded(files: Sequence[File]) -> Iterator[tuple[File, str]]:
    """The files that are text, with their text."""
    for start in range(0, len(files), 2000):
        part = files[start : start + 2000]
        batch = _core.decode(pa.array([f.raw for f in part], pa.large_binary()))
        for file, text in zip(part, batch["content"].to_pylist(), strict=True):
            if text:
                yield file, text


def linguist(files: Sequence[File], tables: Path | None, workers: int = 2) -> list[Verdict | None]:
    """Linguist's verdicts, in order; None where it failed. Raises: BenchError if it is not installed."""
    size = -(-len(files) // workers) or 1
    parts = [files[i : i + size] for i in range(0, len(files), size)]
    with ThreadPoolExecutor(workers) as pool:
        return [v for part in pool.map(lambda p: _linguist(p, tables), parts) for v in part]


def _linguist(files: Sequence[File], tables: Path | None) -> list[Verdict | None]:
    command = ["ruby", str(Path(__file__).with_name("linguist.rb")), *([str(tables)] if tables else [])]
    frames = b"".join(json.dumps({"path": f.path, "size": len(f.raw)}).encode() + b"\n" + f.raw for f in files)
    try:
        done = subprocess.run(command, input=frames, capture_output=True)
    except FileNotFoundError as error:
        raise corpus.BenchError(
            "ruby and ruby-github-linguist are needed: apt-get install ruby-github-linguist"
        ) from error
    if done.returncode:
        raise corpus.BenchError(f"Linguist failed:\n{done.stderr.decode(errors='replace')[-2000:]}")
    keys = {language.title.lower(): language.name for language in languages.all()}
    out: list[Verdict | None] = []
    for line in done.stdout.splitlines():
        v = json.loads(line)
        title = (v.get("language") or "").lower()
        name = (RENAMED.get(title) or keys.get(title) or title) if title else None
        out.append(None if "error" in v else Verdict(name, v["strategy"], v["vendored"], v["generated"]))
    if len(out) != len(files):
        raise corpus.BenchError(f"Linguist gave {len(out)} verdicts on {len(files)} files")
    return out


def ours(pairs: Sequence[tuple[File, str]]) -> list[Verdict]:
    """codemill's verdicts, in order."""
    found = languages.detect([f.path for f, _ in pairs], [text for _, text in pairs]).to_pylist()
    return [Verdict(f["language"], f["strategy"], f["is_vendored"], f["is_generated"]) for f in found]


def compare(pairs: Sequence[tuple[File, str]], theirs: Sequence[Verdict | None]) -> dict[str, Any]:
    """Counts of agreement."""
    overall, named, hard, flags = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    by_extension: dict[str, Counter[str]] = defaultdict(Counter)
    by_strategy: dict[str, Counter[str]] = defaultdict(Counter)
    confusions: Counter[tuple[str, str, str]] = Counter()
    seen: Counter[str] = Counter()
    for (file, _), oracle, own in zip(pairs, theirs, ours(pairs), strict=True):
        if oracle is None:
            overall["oracle failed"] += 1
            continue
        if oracle.language is None and own.language is None:
            overall["neither knows"] += 1
            continue
        agrees = oracle.language == own.language
        seen[oracle.language or "-"] += 1
        verdict = "same" if agrees else "different"
        overall[verdict] += 1
        if oracle.language is not None:
            named[verdict] += 1
        by_strategy[(oracle.strategy or "none").lower()][verdict] += 1
        if file.extension in AMBIGUOUS or file.extension in NOMINAL:
            by_extension[file.extension][verdict] += 1
        if file.extension in AMBIGUOUS:
            hard[verdict] += 1
        if not agrees:
            confusions[file.extension or file.path.rpartition("/")[2], oracle.language or "-", own.language or "-"] += 1
        flags["vendored same" if oracle.is_vendored == own.is_vendored else "vendored different"] += 1
        flags["generated same" if oracle.is_generated == own.is_generated else "generated different"] += 1
    return {
        "files": sum(overall.values()),
        "languages": len(set(seen) - {"-"}),
        "languages with 10 files": sum(n >= 10 for k, n in seen.items() if k != "-"),
        "overall": dict(overall),
        "named": dict(named),
        "ambiguous": dict(hard),
        "flags": dict(flags),
        "by extension": {k: dict(v) for k, v in by_extension.items()},
        "by strategy": {k: dict(v) for k, v in by_strategy.items()},
        "confusions": [[*k, n] for k, n in confusions.most_common(40)],
    }


def share(counts: dict[str, int]) -> float:
    return counts.get("same", 0) / max(1, counts.get("same", 0) + counts.get("different", 0))


def show(result: dict[str, Any]) -> None:
    print(
        f"{result['files']} files, {result['languages']} languages "
        f"({result['languages with 10 files']} of them with 10 files or more)"
    )
    print(f"agreement overall:    {share(result['overall']):7.2%}  {result['overall']}")
    print(f"where Linguist names: {share(result['named']):7.2%}  {result['named']}")
    print(f"ambiguous extensions: {share(result['ambiguous']):7.2%}  {result['ambiguous']}")
    print(f"flags: {result['flags']}")
    print("\nby the strategy that decided in Linguist")
    for name, counts in sorted(result["by strategy"].items()):
        print(f"  {name:12} {sum(counts.values()):6}  {share(counts):7.2%}")
    print("\nby ambiguous extension")
    for name, counts in sorted(result["by extension"].items()):
        if sum(counts.values()) >= 5:
            print(f"  {name:12} {sum(counts.values()):6}  {share(counts):7.2%}")
    print("\nconfusions: extension, Linguist, codemill, files")
    for extension, theirs, own, n in result["confusions"]:
        print(f"  {extension:14} {theirs:28} {own:28} {n:5}")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archives", type=Path, default=Path(".bench/archives"))
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(argv)
    files = sampled(args.archives)
    pairs = list(decoded(files))
    out = len(files) - len(pairs)
    print(f"{len(files)} files sampled; {out} of them binary or undecodable, left out", flush=True)
    blobs = [f for f, _ in pairs]
    results = {"Linguist as packaged": compare(pairs, packaged := linguist(blobs, None))}
    if args.tables:
        newer = linguist(blobs, args.tables)
        results["Linguist's code with the newer tables"] = compare(pairs, newer)
        # What is left of the first comparison when the tables' four years are taken out of it.
        stable = [p for p, n in zip(zip(pairs, packaged, strict=True), newer, strict=True) if _same(p[1], n)]
        results["files on which both of these agree"] = compare([p for p, _ in stable], [v for _, v in stable])
    for name, result in results.items():
        print(f"\n── {name} ──")
        show(result)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


def _same(a: Verdict | None, b: Verdict | None) -> bool:
    return a is not None and b is not None and a.language == b.language


if __name__ == "__main__":
    try:
        main()
    except corpus.BenchError as error:
        sys.exit(str(error))
