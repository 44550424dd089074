"""Secrets: what codemill, gitleaks and detect-secrets find in public sets of them, and in ordinary code, in one run.

    python -m bench.secrets --gitleaks CLONE --kingfisher CLONE --trufflehog CLONE
                            [--peers-python .peers/bin/python] [--megabytes 20] [--missed SET] [--show TOOL]

The sets are the examples in the tests of three scanners (`secret_sets.py`), of which each clone given is measured.
gitleaks itself is built from its clone with Go; detect-secrets is installed by `make peers`. What is missing is said.

Every tool reads the same files: one for each example, `N.txt` unless its rule asks for a path, and a sample of
installed packages and crates under plain names, so that no tool skips a folder because of what it is called. codemill
reads examples as configuration and code by the file's name; only its passwords and keys count. A secret is found if a
finding stands on one of its lines, an example if all its secrets are. codemill must also leave nothing of the secret:
the line below its own. In ordinary code, lines at which a finding begins are counted; most are no secrets, but
packages have keys in their tests, so not all are false. Seconds are of the processor, with the start of the tool;
gitleaks and detect-secrets are run as a user would, by their commands with what they do by default.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import codemill as cm
from bench.redact import real_files
from bench.secret_sets import READERS, Example
from codemill import cleaning

Found = dict[str, list[tuple[int, int]]]
"""File → first and last lines of findings."""
Finder = Callable[[Path, str | None], Found]


def codemill(folder: Path, language: str | None) -> Found:
    found: Found = {}
    for file in folder.rglob("*"):
        if file.is_file():
            text, name = file.read_bytes().decode(), str(file.relative_to(folder))
            raw = text.encode()
            rows = cleaning.findings(text, language=language, path=None if language else name)
            kept = [row for row in rows if row["kind"] in ("password", "key")]
            found[name] = [(row["line"], row["line"] + raw.count(b"\n", row["start"], row["end"])) for row in kept]
    return found


def of_gitleaks(program: Path) -> Finder:
    def find(folder: Path, language: str | None) -> Found:
        report = folder.with_name("report.json")
        command = [program, "dir", ".", "--no-banner", "--exit-code=0", "--log-level=error", f"--report-path={report}"]
        subprocess.run([*command, "--report-format=json"], cwd=folder, check=True, env=os.environ | {"GOMAXPROCS": "1"})
        found: Found = defaultdict(list)
        for row in json.loads(report.read_text()):
            found[row["File"]].append((row["StartLine"], row["EndLine"]))
        return found

    return find


def of_detect_secrets(python: Path) -> Finder:
    def find(folder: Path, language: str | None) -> Found:
        command = [python.absolute(), "-m", "detect_secrets", "--cores", "1", "scan", "--all-files", "--no-verify", "."]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        rows = json.loads(done.stdout)["results"]
        return {name: [(row["line_number"], row["line_number"]) for row in some] for name, some in rows.items()}

    return find


def tools(clone: Path | None, python: Path, folder: Path) -> dict[str, Finder]:
    """The tools that are here; prints which are not."""
    found: dict[str, Finder] = {"codemill": codemill}
    if clone is None:
        print("gitleaks is left out: --gitleaks CLONE is not given\n")
    else:
        subprocess.run(["go", "build", "-o", folder / "program", "."], cwd=clone, check=True)
        found["gitleaks"] = of_gitleaks(folder / "program")
    try:
        subprocess.run([python, "-c", "import detect_secrets"], check=True, capture_output=True)
        found["detect-secrets"] = of_detect_secrets(python)
    except (OSError, subprocess.CalledProcessError):
        print(f"detect-secrets is left out: {python} does not have it; `make peers`\n")
    return found


def used() -> float:
    """Seconds of the processor so far, of this process and those that have ended below it."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + spent.ru_utime + spent.ru_stime


def lines_of(text: str, part: str) -> tuple[int, int]:
    first = text.count("\n", 0, text.index(part)) + 1
    return first, first + part.strip("\n").count("\n")


def is_found(example: Example, findings: list[tuple[int, int]]) -> bool:
    wanted = [lines_of(example.text, secret) for secret in example.secrets]
    return all(any(a <= last and first <= b for a, b in findings) for first, last in wanted)


def share(examples: list[Example], found: list[bool]) -> str:
    """The share of the examples, and the mean of the shares of each rule."""
    total, right = Counter(one.rule for one in examples), Counter[str]()
    for example, is_right in zip(examples, found, strict=True):
        right[example.rule] += is_right
    mean = sum(right[rule] / count for rule, count in total.items()) / len(total)
    return f"{sum(found) / len(found):.1%} / {mean:.1%}"


def print_missed(examples: list[Example], found: list[bool]) -> None:
    total, missed = Counter(one.rule for one in examples), defaultdict[str, list[Example]](list)
    for example, is_right in zip(examples, found, strict=True):
        if not is_right:
            missed[example.rule].append(example)
    for rule, some in sorted(missed.items()):
        print(f"{rule}: {len(some)} of {total[rule]} stay")
        for one in some:
            print(f"    {one.secrets!r} in {one.text!r}")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in READERS:
        parser.add_argument(f"--{name}", type=Path, metavar="CLONE", help=f"a clone of {name}")
    parser.add_argument("--peers-python", type=Path, default=Path(sys.executable), help="what has detect-secrets")
    parser.add_argument("--megabytes", type=float, default=20, help="how much ordinary code; default 20")
    parser.add_argument("--missed", choices=list(READERS), help="print the examples of a set that codemill leaves")
    parser.add_argument("--show", default="", metavar="TOOL", help="print the lines of ordinary code that TOOL reports")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as at:
        folder = Path(at)
        finders = tools(options.gitleaks, options.peers_python, folder)
        cells: dict[str, list[str]] = {name: [] for name in (*finders, "codemill, nothing left")}
        heads = []
        for of, reader in READERS.items():
            clone = getattr(options, of)
            if clone is None:
                print(f"the examples of {of} are left out: --{of} CLONE is not given\n")
                continue
            examples, unread = reader(clone)
            rules = len({one.rule for one in examples})
            print(f"{of}: {len(examples):,} examples of {rules} rules or detectors; {unread:,} not read\n")
            heads.append(f"{of}'s {len(examples):,}")
            names = [f"{n}/{one.path}" if one.path else f"{n}.txt" for n, one in enumerate(examples)]
            for name, example in zip(names, examples, strict=True):
                (folder / of / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / of / name).write_bytes(example.text.encode())
            for tool, find in finders.items():
                there = find(folder / of, "dotenv")
                right = [is_found(one, there.get(name, [])) for name, one in zip(names, examples, strict=True)]
                cells[tool].append(share(examples, right))
            redacted = cm.redact([one.text for one in examples], language="dotenv")["content"].to_pylist()
            gone = [not any(s in text for s in one.secrets) for one, text in zip(examples, redacted, strict=True)]
            cells["codemill, nothing left"].append(share(examples, gone))
            if options.missed == of:
                print_missed(examples, gone)
        code = real_files(options.megabytes * 1e6, seed=5)
        suffixes, size = Counter[str](), sum(len(text.encode()) for _, text in code) / 1e6
        (folder / "code").mkdir()
        for n, (name, text) in enumerate(code):
            suffixes[Path(name).suffix] += len(text.encode())
            (folder / "code" / f"{n}{Path(name).suffix}").write_bytes(text.encode())
        parts = ", ".join(f"{suffix} {count / 1e6:.1f}" for suffix, count in suffixes.most_common())
        print(f"ordinary code: {len(code):,} files of installed packages and crates, {size:.1f} MB ({parts})\n")
        for tool, find in finders.items():
            started = used()
            there = find(folder / "code", None)
            seconds = used() - started
            begins = sorted({(name, first) for name, some in there.items() for first, _ in some})
            cells[tool] += [str(len(begins)), f"{len(begins) / size:.2f}", f"{size / seconds:.2f}"]
            for file, line in begins if tool == options.show else []:
                name, text = code[int(Path(file).stem)]
                print(f"{name}:{line}: {text.split(chr(10))[line - 1].strip()[:200]}")
        heads += ["lines in code", "a MB", "MB/s"]
        print(f"| tool | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
        for tool, row in cells.items():
            print(f"| {tool} | {' | '.join(row + [''] * (len(heads) - len(row)))} |")
        print("\nOf examples, the share that is found / the mean of the shares of each rule.")


if __name__ == "__main__":
    main()
