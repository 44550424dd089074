"""How many of gitleaks' own examples of secrets redaction removes, beside gitleaks and detect-secrets.

    python -m bench.gitleaks CLONE [--missed] [--peers-python PY] [--code FOLDER --megabytes 2]

CLONE is a clone of https://github.com/gitleaks/gitleaks; Go is needed. Each of its rules is made with examples that it
must find. They are taken out by making the rules once in a copy whose check of an example writes it down instead, with
the part that gitleaks itself calls the secret. An example is counted as redacted if none of its secrets is in the text
afterwards, read as configuration. Examples are random in part, so the counts differ a little from run to run.

`--peers-python` is a Python with detect-secrets (`make peers`), which is asked for the same examples. `--code` counts
what each tool finds in so many megabytes of the Python, C, Go, JavaScript, YAML and text files of a folder, taken in
the order of the hash of their path: nearly all of it is no secret, so fewer are better. Gitleaks is built from the clone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import codemill as cm
from codemill import cleaning

CHECK = Path("cmd/generate/config/utils/validate.go")
BEGINS = "d := createSingleRuleDetector(r)\n"
TEXTS = """d := createSingleRuleDetector(r)
	for _, tp := range truePositives {
		noteExample(r.RuleID, tp, d.DetectString(tp))
	}
	return r
"""
FILES = """d := createSingleRuleDetector(r)
	for path, tp := range truePositives {
		noteExample(r.RuleID, tp, d.Detect(detect.Fragment{Raw: tp, FilePath: path}))
	}
	return r
"""
NOTE = """package utils

import (
	"encoding/json"
	"os"

	"github.com/zricethezav/gitleaks/v8/report"
)

func noteExample(rule, text string, findings []report.Finding) {
	secrets := []string{}
	for _, finding := range findings {
		secrets = append(secrets, finding.Secret)
	}
	file, err := os.OpenFile(os.Getenv("EXAMPLES"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	line, _ := json.Marshal(map[string]any{"rule": rule, "text": text, "secrets": secrets})
	file.Write(append(line, 10))
}
"""


def examples(clone: Path) -> list[dict[str, Any]]:
    """The examples in which gitleaks finds a secret: `rule`, `text`, `secrets`."""
    with tempfile.TemporaryDirectory() as folder:
        copy, out = Path(folder) / "gitleaks", Path(folder) / "examples.jsonl"
        shutil.copytree(clone, copy, ignore=shutil.ignore_patterns(".git"))
        texts, files = (copy / CHECK).read_text().split(BEGINS, 2)[1:]
        head = (copy / CHECK).read_text().partition(BEGINS)[0]
        (copy / CHECK).write_text(head + TEXTS + texts + FILES + files)
        (copy / CHECK).with_name("note_example.go").write_text(NOTE)
        made = os.environ | {"EXAMPLES": str(out)}
        command = ["go", "run", ".", str(Path(folder) / "rules.toml")]
        subprocess.run(command, cwd=copy / CHECK.parent.parent, env=made, check=True, stdout=subprocess.DEVNULL)
        rows = [json.loads(line) for line in out.read_text().splitlines()]
    return [{**row, "secrets": found} for row in rows if (found := [one for one in row["secrets"] if one])]


def detect_secrets(python: str, texts: Sequence[str]) -> list[list[str]]:
    """What detect-secrets finds in each text."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "texts.json", Path(folder) / "found.json"
        given.write_text(json.dumps([(text, None) for text in texts]))
        command = [python, "-m", "bench.redact_peers", "detect-secrets", str(given), str(out)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)})
        found = json.loads(out.read_text())["found"]
    return [[text[start:end] for start, end, _ in places] for text, places in zip(texts, found, strict=True)]


def without(text: str, found: Sequence[str]) -> str:
    """The text without what a tool found."""
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, "")
    return text


def files(folder: Path, size: int) -> list[Path]:
    """Source files below a folder of so many bytes together."""
    names = (".py", ".c", ".h", ".go", ".js", ".ts", ".yml", ".yaml", ".txt", ".md", ".json", ".toml", ".cfg")
    found = [path for path in folder.rglob("*") if path.suffix in names and path.is_file() and not path.is_symlink()]
    chosen = []
    for path in sorted(found, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).digest()):
        if size <= 0:
            break
        chosen.append(path)
        size -= path.stat().st_size
    return chosen


def on_code(clone: Path, folder: Path, size: int, python: str | None) -> None:
    """Prints how much each tool takes for a secret among real code."""
    chosen = files(folder, size)
    texts = [path.read_text("utf-8", "replace") for path in chosen]
    languages = cm.detect([path.name for path in chosen], texts)["language"].to_pylist()
    counts = {"codemill": 0}
    for text, language in zip(texts, languages, strict=True):
        counts["codemill"] += sum(
            row["kind"] in ("password", "key") for row in cleaning.findings(text, language=language)
        )
    with tempfile.TemporaryDirectory() as place:
        tool, code, out = Path(place) / "gitleaks", Path(place) / "code", Path(place) / "found.json"
        subprocess.run(["go", "build", "-o", str(tool), "."], cwd=clone, check=True)
        for path in chosen:
            target = code / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        command = [str(tool), "dir", str(code), "--no-banner", "-l", "error", "--exit-code", "0", "-r", str(out)]
        subprocess.run(command, check=True)
        counts["gitleaks"] = len(json.loads(out.read_text()))
    if python:
        counts["detect-secrets"] = sum(map(len, detect_secrets(python, texts)))
    megabytes = sum(map(len, texts)) / 1e6
    found = ", ".join(f"{name} {count}" for name, count in counts.items())
    print(f"found in {megabytes:.1f} MB of code ({len(chosen):,} files): {found}")


def main() -> None:
    """Prints the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--missed", action="store_true", help="print what is not redacted")
    parser.add_argument("--peers-python", metavar="PY", help="a Python with detect-secrets")
    parser.add_argument("--code", type=Path, metavar="FOLDER", help="count what is found in real code")
    parser.add_argument("--megabytes", type=int, default=2)
    options = parser.parse_args()
    rows = examples(options.clone)
    redacted = cm.redact([row["text"] for row in rows], language="dotenv")["content"].to_pylist()
    total, gone, missed = Counter[str](), Counter[str](), defaultdict[str, list[str]](list)
    for row, text in zip(rows, redacted, strict=True):
        total[row["rule"]] += 1
        if any(secret in text for secret in row["secrets"]):
            missed[row["rule"]].append(row["text"])
        else:
            gone[row["rule"]] += 1
    mean = sum(gone[rule] / count for rule, count in total.items()) / len(total)
    print(f"{total.total():,} examples of {len(total)} rules: {gone.total() / total.total():.1%} redacted")
    print(f"mean over the rules {mean:.1%}; rules of which none is redacted: {sum(not gone[rule] for rule in total)}")
    if options.peers_python:
        found = detect_secrets(options.peers_python, [row["text"] for row in rows])
        left = [without(row["text"], secrets) for row, secrets in zip(rows, found, strict=True)]
        peer = sum(all(s not in text for s in row["secrets"]) for row, text in zip(rows, left, strict=True))
        print(f"detect-secrets: {peer / len(rows):.1%}; gitleaks: 100 %, since the examples are those that it finds")
    if options.code:
        on_code(options.clone, options.code, options.megabytes * 1_000_000, options.peers_python)
    for rule, texts in sorted(missed.items()):
        print(f"{rule}: {len(texts)} of {total[rule]} stay")
        for text in texts if options.missed else []:
            print(f"    {text!r}")


if __name__ == "__main__":
    main()
