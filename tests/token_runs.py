"""Runs that several test files look at: a corpus of real files, and its tokens."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import codemill as cm
from codemill.machine.builder import build
from codemill.recipes import tokens
from codemill.sources import Folder, Published
from codemill.steps import detect, ingest
from codemill.tokens import Shards

STDLIB = Path(sysconfig.get_path("stdlib"))


def sources(*names: str) -> tuple[Folder, ...]:
    return tuple(Folder(str(STDLIB / name), label=name, skip=("__pycache__",)) for name in names)


def documents() -> cm.Table:
    return detect.language(ingest.documents(sources=sources("email", "json", "http")))


def make(root: Path) -> None:
    """A corpus of real files; its tokens as they are (`plain`), and with filling in the middle (`fim`)."""
    build(documents(), out=root / "corpus", workers=1)
    plain = tokens.tokens(corpus=str(root / "corpus"), vocabulary=1024, sample_bytes=300_000, fim_rate=0)
    build(plain, out=root / "plain", workers=1)
    fim = tokens.tokens(corpus=str(root / "corpus"), existing=str(root / "plain" / "tokenizer"))
    build(fim, out=root / "fim", workers=1)


def shards_of(run: Path) -> cm.Table:
    return ingest.published(source=Published(str(run), "tokens"))


def rows(shards: Shards) -> list[tuple[int, int]]:
    return [(part, row) for part in range(len(shards.files)) for row in range(shards.rows(part))]
