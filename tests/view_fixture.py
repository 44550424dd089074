"""Small runs to look at: files with copies, near-copies and rules that fired; rows that a teacher wrote; a recall.

Names and contents bite.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import codemill as cm
from codemill.prompts import snippets
from codemill.recipes import refinecode
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.sources import Folder, Metadata, Published, Warc
from codemill.steps import clean, dedup, detect, domains, ingest, pages, quality, synthesis
from codemill.synthetic import TEXT
from codemill.teacher import named
from tests.teaching_sandbox import Outcome
from tests.web_tools import record, write

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


# ── a family of runs: a corpus, and what a teacher wrote about it ─────────────────────────────────────────────────


RIGHT, WRONG = "right.py", "<b>wrong.py"


def answer(body: dict[str, Any], sample: int = 0) -> str:
    """A teacher whose programs do what their seed says: be right, or not."""
    wanted = "right" if "be right" in body["messages"][-1]["content"] else "wrong"
    said = {
        "task": f"Be {wanted}. </p><script>window.hurt=1</script> {{{{ 7 * 7 }}}} <svg onload='window.hurt=1'>",
        "solution": f"def {wanted}():\n    return '</code><img src=x onerror=window.hurt=1>'",
        "tests": f"assert {wanted}() != '<script>window.hurt=1</script>'",
        "difficulty": "easy",
    }
    return json.dumps(said)


@dataclass(frozen=True)
class Limits:
    """Of a program; none are kept here."""


def execute(program: str, tests: str, *, language: str, entry_point: str | None, limits: Limits) -> Outcome:
    """In the place of the sandbox: a program that says it is wrong is."""
    verdict = "fail" if "def wrong" in program else "pass"
    return Outcome(
        verdict, "AssertionError", 1, f"printed by {verdict}\nin two lines \x1b[31m<svg onload=window.hurt=1>\n"
    )


def described(language: str) -> dict[str, str]:
    """The place that programs are run in."""
    return {"rung": "none", "toolchain": f"{language} 1"}


def family(folder: Path) -> Path:
    """A corpus of three files with a licence, and beside it the snippets about them: FOLDER/corpus, FOLDER/snippets."""
    for name, wish in ((RIGHT, "be right"), (WRONG, "be wrong"), ("also.py", "be right too")):
        path = folder / "code" / "alpha" / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {wish}\nx = 1\n")
    (folder / "licences.csv").write_text("repo,license\nalpha,MIT\n")
    metadata = Metadata(str(folder / "licences.csv"))
    files = ingest.documents(sources=(Folder(str(folder / "code")),), metadata=metadata)
    cm.build(detect.language(files), out=folder / "corpus", workers=1, recipe={"name": "files", "parameters": {}})
    documents = ingest.published(source=Published(str(folder / "corpus"), "corpus"))
    teacher = named("script:tests.view_fixture:answer")
    written = snippets.write(documents, teacher=teacher, languages=("python",), tries=1, runner="tests.view_fixture")
    kept = synthesis.keep(synthesis.strength(synthesis.signed(written, name="snippets"), runner="none"))
    outputs = {"snippets": cm.Output(kept, columns=TEXT), "snippets_ledger": cm.ledger(kept)}
    cm.build(outputs, out=folder / "snippets", workers=1, recipe={"name": "<i>evil recipe", "parameters": {}})
    return folder


# ── a recall: pages of three sites, one of them about code ────────────────────────────────────────────────────────


EVIL_URL = "http://code.test/evil/<img src=x onerror=window.hurt=1>.html"


@cm.step(
    version=1, reads=("path",), adds={"is_recalled": pa.bool_(), "reason": pa.string()}, drops={"other": "no code"}
)
def recalled(crawled: pa.RecordBatch, *, drop: bool) -> pa.RecordBatch:
    """In the place of a classifier: pages whose address says so are about code."""
    said = pc.match_substring(crawled["path"], "/manual/")
    return pa.record_batch({"is_recalled": said, "reason": pc.if_else(pc.or_(said, not drop), None, "other")})


def recall(folder: Path) -> Path:
    """A run with two rounds over 24 pages: its OUT folder."""
    urls = [f"http://code.test/manual/{n}.html" for n in range(8)]
    urls += [f"http://docs.code.test/talk/{n}" for n in range(4)]
    urls += [f"http://garden.test/{n}.html" for n in range(11)] + [EVIL_URL]
    write(folder / "crawl" / "pages.warc.gz", [record(u, f"<p>page {i}</p>".encode()) for i, u in enumerate(urls)])
    found = recalled(pages.documents(sources=(Warc(str(folder / "crawl")),)), drop=False)
    counted = domains.count(found, min_pages=3)
    kept = recalled(found, drop=True)
    outputs = {"corpus": kept, "ledger": cm.ledger(kept), "domains_1": counted, "domains_2": counted}
    cm.build(outputs, out=folder / "out", workers=1, recipe={"name": "web_recall", "parameters": {}})
    return folder / "out"
