"""Code and comment text against the reference's, by hash; skipped where the conformance data is not at hand."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from codemill import _core, languages

SHARED = Path(os.environ.get("CODEMILL_SHARED", Path(__file__).parents[2] / "shared"))
DATA = SHARED / "data" / "conformance"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no conformance data")

# Languages whose text differs on purpose: D1 (no lexer of their own), D2 (comments the reference leaves in the code).
MENDED = {"batchfile", "gradle", "perl", "protocol buffer", "tsx", "vue"} | {
    *("cmake", "css", "cython", "dockerfile", "less", "makefile"),
}


def texts() -> list[tuple[dict[str, Any], tuple[str, str]]]:
    """Every file that the reference splits, with our code text and comment text."""
    found = []
    for name in ("signals.jsonl", "edge.jsonl"):
        for line in (DATA / name).read_text("utf-8").splitlines():
            row = json.loads(line)
            if "code_sha256" in row["derived"]:
                content = (DATA / row["path"]).read_bytes().decode("utf-8")
                found.append((row, _core.split(content, row["program_lang"], languages.syntaxes())))
    return found


def short(text: str) -> str:
    """The first 16 hex digits of the SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_texts_are_the_reference_s() -> None:
    """At least 97 % byte for byte; `docs/conformance.md` gives the reason for each file that is not."""
    wrong, total = Counter[str](), 0
    for row, (code, comments) in texts():
        if row["program_lang"] in MENDED:
            continue
        total += 1
        derived = row["derived"]
        if (derived["code_sha256"], derived["comment_sha256"]) != (short(code), short(comments)):
            wrong[row["path"]] += 1
    print(f"{total - len(wrong)} of {total} files identical; different: {sorted(wrong)}")
    assert total > 300
    assert len(wrong) <= 0.03 * total


def test_nothing_is_lost_where_texts_differ_on_purpose() -> None:
    """Mended languages: code and comment text together are still the document."""
    for row, (code, comments) in texts():
        content = (DATA / row["path"]).read_bytes().decode("utf-8").removeprefix("\ufeff")
        content = content.replace("\r\n", "\n").replace("\r", "\n").strip("\n") + "\n"
        assert Counter(code) + Counter(comments) == Counter(content), row["path"]
