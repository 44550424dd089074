"""Examples of secrets from the tests of three scanners, read out of clones of them for `python -m bench.secrets`.

Each is the text of a file that has secrets in it. Nothing of them is stored here: whoever measures has the clones.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Example:
    """A text, the rule it is made for, what of it is secret, and its file's path where the rule asks for one."""

    rule: str
    text: str
    secrets: list[str]
    path: str = ""


CHECK = Path("cmd/generate/config/utils/validate.go")
BEGINS = "d := createSingleRuleDetector(r)\n"
TEXTS = """d := createSingleRuleDetector(r)
	for _, tp := range truePositives {
		noteExample(r.RuleID, "", tp, d.DetectString(tp))
	}
	return r
"""
FILES = """d := createSingleRuleDetector(r)
	for path, tp := range truePositives {
		noteExample(r.RuleID, path, tp, d.Detect(detect.Fragment{Raw: tp, FilePath: path}))
	}
	return r
"""
NOTE = """package utils

import (
	"encoding/json"
	"os"

	"github.com/zricethezav/gitleaks/v8/report"
)

func noteExample(rule, path, text string, findings []report.Finding) {
	secrets := []string{}
	for _, finding := range findings {
		secrets = append(secrets, finding.Secret)
	}
	file, err := os.OpenFile(os.Getenv("EXAMPLES"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	line, _ := json.Marshal(map[string]any{"rule": rule, "path": path, "text": text, "secrets": secrets})
	file.Write(append(line, 10))
}
"""


def of_gitleaks(clone: Path) -> tuple[list[Example], int]:
    """The true positives of https://github.com/gitleaks/gitleaks, and how many have no secret. Go is needed.

    Each rule is made with examples that it must find. They are taken out by making the rules once in a copy whose
    check of an example writes it down instead, with the part that gitleaks itself calls the secret. They are random
    in part.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy, out = Path(folder) / "gitleaks", Path(folder) / "examples.jsonl"
        shutil.copytree(clone, copy, ignore=shutil.ignore_patterns(".git"))
        head, texts, files = (copy / CHECK).read_text().split(BEGINS, 2)
        (copy / CHECK).write_text(head + TEXTS + texts + FILES + files)
        (copy / CHECK).with_name("note_example.go").write_text(NOTE)
        made = os.environ | {"EXAMPLES": str(out)}
        command = ["go", "run", ".", str(Path(folder) / "rules.toml")]
        subprocess.run(command, cwd=copy / CHECK.parent.parent, env=made, check=True, stdout=subprocess.DEVNULL)
        rows = [json.loads(line) for line in out.read_text().splitlines()]
    kept = [Example(**{**row, "secrets": found}) for row in rows if (found := [one for one in row["secrets"] if one])]
    return kept, len(rows) - len(kept)


FLAGS = {"x": re.VERBOSE, "i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE}


def of_kingfisher(clone: Path) -> tuple[list[Example], int]:
    """The examples of the rules of https://github.com/mongodb/kingfisher, and how many could not be read.

    The secret is the group TOKEN of the rule's pattern, or its first group. Rules that kingfisher never reports
    (`visible: false`: ids that a secret needs beside it) are left out. A few patterns are none to Python, and a few
    examples have no match.
    """
    kept, unread = [], 0
    for file in sorted((clone / "data" / "rules").glob("*.yml")):
        for rule in yaml.safe_load(file.read_text())["rules"]:
            if not rule.get("visible", True):
                continue
            pattern, flags = rule["pattern"], re.RegexFlag(0)
            while first := re.match(r"\s*\(\?([xism]+)\)", pattern):  # Python wants all of them in one place
                for flag in first[1]:
                    flags |= FLAGS[flag]
                pattern = pattern[first.end() :]
            for text in rule.get("examples") or []:
                try:
                    match = re.search(pattern, text, flags)
                except re.error:
                    match = None
                if match is None:
                    unread += 1
                    continue
                groups = [match.groupdict().get("TOKEN"), *match.groups(), match[0]]
                kept.append(Example(rule["id"], text, [next(group for group in groups if group)]))
    return kept, unread


GO = re.compile(r"""//[^\n]*|"((?:[^"\\\n]|\\.)*)"|`([^`]*)`|([A-Za-z_][\w.]*)|\s+|(.)""")


def of_trufflehog(clone: Path) -> tuple[list[Example], int]:
    """The cases of tests of the detectors of https://github.com/trufflesecurity/trufflehog, and how many not read.

    A case is `input: …, want: []string{…}`; what is wanted is the secret. Cases that want nothing are left out.
    Counted as not read are such whose text is computed by more than `+` and `fmt.Sprintf`, and such that want two
    values joined to one, which the text does not have.
    """
    kept, unread = [], 0
    for file in sorted((clone / "pkg" / "detectors").rglob("*_test.go")):
        rule = str(file.parent.relative_to(clone / "pkg" / "detectors"))
        for case in _cases(file.read_text()):
            if case is None or not all(want in case[0] for want in case[1]):
                unread += 1
            else:
                kept.append(Example(rule, *case))
    return kept, unread


def _cases(source: str) -> Iterator[tuple[str, list[str]] | None]:
    """Text and wanted values of each case that wants any in a Go file; None of one that is too much for this reader."""
    tokens = [match for match in GO.finditer(source) if match[0].strip() and not match[0].startswith("//")]
    known: dict[str, str] = {}
    text: str | None = None
    for at, token in enumerate(tokens[:-5]):
        after = tokens[at + 1][0]
        if token[3] == "input" and after == ":":
            text = _string(tokens, at + 2, known)[0]
        elif token[3] == "want" and "".join(part[0] for part in tokens[at + 1 : at + 6]) == ":[]string{":
            wanted, here = list[str | None](), at + 6
            while tokens[here][0] != "}":
                value, here = _string(tokens, here, known)
                wanted.append(value)
                if value is None:
                    break
                here += tokens[here][0] == ","
            found = [value for value in wanted if value is not None]
            if wanted:
                yield None if text is None or len(found) < len(wanted) else (text, found)
            text = None
        elif token[3] and (after == "=" or (after == ":" and tokens[at + 2][0] == "=")):
            value = _string(tokens, at + (2 if after == "=" else 3), known)[0]
            if value is not None:
                known[token[3]] = value


def _string(tokens: list[re.Match[str]], at: int, known: dict[str, str]) -> tuple[str | None, int]:
    """The value of an expression of strings that begins at a token, and the token behind it."""
    token = tokens[at]
    value: str | None
    if token[1] is not None:
        try:
            value = json.loads(f'"{token[1]}"')
        except ValueError:
            value = None
    elif token[2] is not None:
        value = token[2]
    elif token[3] == "fmt.Sprintf" and tokens[at + 1][0] == "(":
        parts: list[str] = []
        at += 1
        while tokens[at][0] in "(," and tokens[at + 1][0] != ")":
            part, at = _string(tokens, at + 1, known)
            if part is None:
                return None, at
            parts.append(part)
        try:
            value = re.sub(r"%[vq]", "%s", parts[0]) % tuple(parts[1:])
        except (TypeError, ValueError, IndexError):
            value = None
    else:
        value = known.get(token[3] or "")
    at += 1
    if value is not None and at < len(tokens) and tokens[at][0] == "+":
        more, at = _string(tokens, at + 1, known)
        value = None if more is None else value + more
    return value, at


READERS = {"gitleaks": of_gitleaks, "kingfisher": of_kingfisher, "trufflehog": of_trufflehog}
"""Sets of examples by the scanner whose they are."""
