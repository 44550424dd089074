"""Hostile files through every cleaning step: each has a clear outcome, none stops the run, and the ledger counts."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.sources import Folder
from codemill.steps import clean, detect, ingest

CELL = {"cell_type": "code", "source": "x = 1\n", "outputs": [], "metadata": {}}
NOTICE = "# Copyright (c) 2020 Example Corp. All rights reserved.\n"

# file → its bytes, and why it is dropped (None: it stays)
FILES: dict[str, tuple[bytes, str | None]] = {
    "plain.py": (NOTICE.encode() + b"import os\n# Written by Jane Doe <jane.doe@web.de>\n", None),
    "empty.py": (b"", "empty"),
    "one.py": (b"a" * 2_000_000, None),
    "quotes.py": (b'"' * 1_000_000, None),
    "nul.py": (b"x = 1\0\n", "binary"),
    "bytes.py": (b'x = "\xff\xfe\xfa"\n' * 10, None),
    "carriage.py": (NOTICE.replace("\n", "\r").encode() + b"import os\rprint(os)\r", None),
    "unclosed.c": (b"/* Copyright 2020 A. Author.\n" + b"int a;\n" * 10_000, None),
    "deep.json": (b"[" * 200_000 + b"]" * 200_000, None),
    "cut.ipynb": (json.dumps({"nbformat": 4, "cells": [CELL] * 3})[:-20].encode(), "broken_notebook"),
    "deep.ipynb": (b'{"cells":' + b"[" * 200_000 + b"]" * 200_000 + b"}", "broken_notebook"),
    "number.ipynb": (b'{"cells":[{"cell_type":"code","source":"a","n":' + b"9" * 10_000 + b"}]}", "broken_notebook"),
    "many.ipynb": (json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x"}] * 100_000}).encode(), None),
    "half.ipynb": (rb'{"cells":[{"cell_type":"code","source":"a = \"\ud800\""}]}', None),
    "odd.ipynb": (b'{"cells":[null,1,{"cell_type":[],"source":{}},{"cell_type":"code","source":[1,"y = 2"],"outputs":{}}]}', None),
}  # fmt: skip


def test_every_hostile_file_has_an_outcome(tmp_path: Path) -> None:
    (tmp_path / "code" / "repo").mkdir(parents=True)
    for name, (raw, _) in FILES.items():
        (tmp_path / "code" / "repo" / name).write_bytes(raw)
    table = detect.language(ingest.documents(sources=(Folder(str(tmp_path / "code")),)))
    cleaned = clean.redact(clean.headers(clean.notebooks(table)))
    cm.build(cleaned, out=tmp_path / "out", workers=1)
    ledger = {row["path"]: row for row in pq.read_table(tmp_path / "out" / "ledger").to_pylist()}
    assert {name: row["reason"] for name, row in ledger.items()} == {name: why for name, (_, why) in FILES.items()}
    texts = {row["path"]: row["content"] for row in pq.read_table(tmp_path / "out" / "corpus").to_pylist()}
    assert texts["plain.py"] == "import os\n# Written by <name> <<email>>\n"
    assert texts["carriage.py"] == "import os\rprint(os)\r"
    assert texts["unclosed.c"].count("int a;") == 10_000
    assert "\N{REPLACEMENT CHARACTER}" in texts["half.ipynb"]
    assert "y = 2" in texts["odd.ipynb"]


def test_the_ledger_counts_every_change_by_kind(tmp_path: Path) -> None:
    (tmp_path / "code" / "repo").mkdir(parents=True)
    for name in ("plain.py", "empty.py", "cut.ipynb"):
        (tmp_path / "code" / "repo" / name).write_bytes(FILES[name][0])
    table = detect.language(ingest.documents(sources=(Folder(str(tmp_path / "code")),)))
    cm.build(clean.redact(clean.headers(clean.notebooks(table))), out=tmp_path / "out", workers=1)
    ledger = {row["path"]: row for row in pq.read_table(tmp_path / "out" / "ledger").to_pylist()}
    assert ledger["plain.py"]["header_chars_removed"] == len(NOTICE)
    assert {kind: n for kind, n in ledger["plain.py"]["redacted"].items() if n} == {"name": 1, "email": 1}
    assert ledger["empty.py"]["redacted"] is None, "dropped before it was looked at"
    assert ledger["cut.ipynb"]["redacted"] is None


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".ipynb")])
def test_one_text_at_a_time_as_well(name: str) -> None:
    text = FILES[name][0].decode()
    assert cm.redact(text).content == text
    assert cm.strip_header(text, language="jupyter notebook") == text
