"""How many of gitleaks' own examples of secrets redaction removes: python -m bench.gitleaks CLONE [--missed]

CLONE is a clone of https://github.com/gitleaks/gitleaks; Go is needed. Each of its rules is made with examples that it
must find. They are taken out by making the rules once in a copy whose check of an example writes it down instead, with
the part that gitleaks itself calls the secret. An example is counted as redacted if none of its secrets is in the text
afterwards, read as configuration. Examples are random in part, so the counts differ a little from run to run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import codemill as cm

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


def main() -> None:
    """Prints the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--missed", action="store_true", help="print what is not redacted")
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
    for rule, texts in sorted(missed.items()):
        print(f"{rule}: {len(texts)} of {total[rule]} stay")
        for text in texts if options.missed else []:
            print(f"    {text!r}")


if __name__ == "__main__":
    main()
