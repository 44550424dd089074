"""A small run to look at: copies, near-copies, cleaned files, rules that fired, names and contents that bite."""

from __future__ import annotations

import random
from pathlib import Path

import codemill as cm
from codemill.recipes import refinecode
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.sources import Folder, Metadata
from codemill.steps import clean, dedup, detect, ingest, quality

EVIL_NAME = "<img src=x onerror=window.hurt=1>&\u202e.py"
EVIL_TEXT = (
    "</code></pre><script>window.hurt = 1</script>\n"
    "# \u202e reversed \x1b[31m red \x08 \u200b hidden\n"
    "<svg onload='window.hurt=1'></svg> needle </td></tr></table>\n"
    "{{ 7 * 7 }} {% raw %} javascript:window.hurt=1 \"' onfocus=window.hurt=1 x='\n"
)
LONG = "x = '" + "long " * 60_000 + "'\n"
PYTHON = (
    Rule("num_words", below=110),
    Rule("num_lines", below=24),
    Rule("frac_chars_comments", above=0.2195, drop_probability=0.5),
)
CODE = (Rule("num_words", below=5),)
RULES = RuleBook((RuleSet("python", PYTHON, languages=("python",)), RuleSet("code", CODE, doc_types=("code",))))


def write_code(root: Path) -> None:
    """Four repositories of made-up Python."""
    rng = random.Random(3)
    for repo in ("alpha", "beta", "gamma"):
        for i in range(12):
            path = root / repo / "src" / f"module_{i}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(program(rng, 2 + i * 2))
    kept = (root / "alpha/src/module_11.py").read_text()
    (root / "beta/copy.py").write_text(kept)
    changed = kept.replace("\ndef ", "\n\ndef ", 1) + "\n# the end of it\n"
    (root / "gamma/nearly.py").write_text(changed)
    notice = "# Copyright (c) 2020 Somebody. All rights reserved.\n# Licensed under the MIT licence.\n\n"
    (root / "gamma/noticed.py").write_text(notice + program(rng, 20))
    evil = root / "<b>evil"
    evil.mkdir()
    (evil / EVIL_NAME).write_text(EVIL_TEXT + program(rng, 9))
    (evil / "long.py").write_text(LONG + program(rng, 9))
    (evil / "nul.py").write_bytes(b"x = 1\n\0\n")


def program(rng: random.Random, functions: int) -> str:
    """Python with so many functions, no two alike."""
    names = [f"{rng.choice(('read', 'write', 'join', 'split'))}_{rng.randrange(10**6)}" for _ in range(functions)]
    lines = ["import os\n"]
    for name in names:
        lines.append(f"\ndef {name}(first, second={rng.randrange(1000)}):")
        lines.append(f'    """Does {rng.randrange(10**6)} things with {rng.choice(names)}."""')
        lines.append(f"    total = first * {rng.randrange(1000)} + second")
        lines.append(f"    return os.path.join(str(total), 'part {rng.randrange(10**6)}')\n")
    return "\n".join(lines)


def recipe(code: Path, stars: Path) -> cm.Table:
    """RefineCode's shape with few rules, and bands that find near-copies among small files."""
    files = ingest.documents(sources=(Folder(str(code)),), metadata=Metadata(str(stars)))
    labelled = detect.language(files)
    unique = dedup.exact(detect.keep(labelled, kept=refinecode.KEPT))
    distinct = dedup.fuzzy(unique, bands=16, rows=32, ngram=3, verify="sketch", at_least=0.6)
    cleaned = clean.redact(clean.headers(distinct))
    return quality.keep(quality.judge(quality.measure(cleaned), rules=RULES))


def build(folder: Path) -> Path:
    """The run, built: its OUT folder."""
    code, out, stars = folder / "code", folder / "out", folder / "stars.csv"
    code.mkdir()
    write_code(code)
    stars.write_text("repo,stars\ngamma,9\nalpha,5\nbeta,1\n")  # so that it is known which copies are kept
    cm.build(recipe(code, stars), out=out, workers=1, recipe={"name": "<i>evil recipe", "parameters": {}})
    return out
