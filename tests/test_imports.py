"""The order of imports within a repository."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from codemill.machine.builder import build
from codemill.sources import Folder
from codemill.steps import _imports, detect, imports, ingest


def order(files: dict[str, str], language: str) -> list[str]:
    paths = sorted(files)
    found = _imports.lines([files[path] for path in paths], [language] * len(paths))
    places = _imports.ordered(paths, [language] * len(paths), found)
    assert sorted(places) == list(range(len(paths)))
    return [path for _, path in sorted(zip(places, paths, strict=True))]


@pytest.mark.parametrize(
    ("language", "files"),
    [
        (
            "python",
            {
                "src/app/z.py": "import os\nX = 1\n",
                "src/app/util/__init__.py": "from ..z import X\n",
                "src/app/m.py": "from app import util, nothing  # ok\n",
                "src/app/a.py": "import json, app.m as m\n",
                "main.py": "def f():\n    from src.app.a import (\n        g)\n",
            },
        ),
        (
            "javascript",
            {
                "lib/z.js": "module.exports = 1\n",
                "lib/y/index.js": "const z = require('../z')\n",
                "lib/b.mjs": "import y from './y'\nimport x from 'elsewhere'\n",
                "a.js": "export * from './lib/b.mjs'\n",
            },
        ),
        (
            "typescript",
            {"z.ts": "export const z = 1\n", "b.ts": "import {z} from './z.js'\n", "a.ts": "import './b'\n"},
        ),
        (
            "java",
            {
                "src/main/java/org/x/Z.java": "package org.x;\n",
                "src/main/java/org/x/B.java": "import java.util.List;\nimport static org.x.Z.f;\n",
                "src/main/java/org/A.java": "import org.x.B;\n",
            },
        ),
        (
            "go",
            {
                "pkg/z/z.go": "package z\n",
                "pkg/b/b.go": 'package b\nimport (\n\t"fmt"\n\tzz "example.org/m/pkg/z"\n)\n',
                "main.go": 'package main\nimport "example.org/m/pkg/b"\n',
            },
        ),
        (
            "c",
            {
                "include/z.h": "#pragma once\n",
                "src/y.h": "#include <z.h>\n",
                "src/b.c": '#include "y.h"\n#include <stdio.h>\n',
                "a.c": '  # include "src/b.c"\n',
            },
        ),
    ],
)
def test_what_is_imported_comes_first(language: str, files: dict[str, str]) -> None:
    assert order(files, language) == list(files)


def test_circles_are_cut_and_files_that_import_nothing_are_in_the_order_of_paths() -> None:
    files = {"a.py": "import b, c", "b.py": "import c", "c.py": "import a", "d.py": "", "e.py": "import e"}
    assert order(files, "python") == ["d.py", "e.py", "b.py", "a.py", "c.py"]
    assert order({"b.css": "import a", "a.css": ""}, "css") == ["a.css", "b.css"]


def test_paths_and_lines_of_strangers_do_no_harm() -> None:
    hostile = [
        "from " + "." * 5000 + " import x",
        "import " + "a." * 5000,
        "from import import import",
        "import ../../../../etc/passwd",
        "\x00import \ufeff",
        "from . import " + "(" * 10_000,
    ]
    for language in _imports.PATTERNS:
        quoted = [f'#include "{"../" * 500}x"', "require('./" + "../" * 90 + "x')", '"' + "a/" * 140 + '"', *hostile]
        files = {f"d/{i}.py": text for i, text in enumerate(quoted)}
        assert sorted(order(files, language)) == sorted(files)


def test_ranks_of_a_repository_do_not_depend_on_parts(tmp_path: Path) -> None:
    for repo in ("one", "two"):
        folder = tmp_path / "in" / repo
        folder.mkdir(parents=True)
        (folder / "z.py").write_text("z = 1\n")
        (folder / "a.py").write_text(f"import z  # {repo}\n")
        (folder / "notes.md").write_text(f"# {repo}\n")
    documents = imports.rank(detect.language(ingest.documents(sources=(Folder(str(tmp_path / "in")),))))
    import codemill as cm

    schema = pa.schema(
        [
            ("repo", pa.string()),
            ("path", pa.string()),
            ("import_rank", pa.int32()),
            ("repo_files", pa.int32()),
            ("repo_hash", pa.uint64()),
        ]
    )
    build({"ranks": cm.Output(documents, columns=schema)}, out=tmp_path / "out", workers=1)
    import pyarrow.dataset as ds

    rows = ds.dataset(tmp_path / "out" / "ranks", format="parquet").to_table().to_pylist()
    ranks = {(row["repo"], row["path"]): row["import_rank"] for row in rows}
    assert ranks == {(r, p): n for r in ("one", "two") for n, p in enumerate(["notes.md", "z.py", "a.py"])}
    assert {row["repo_files"] for row in rows} == {3}
    assert len({(row["repo"], row["repo_hash"]) for row in rows}) == len({row["repo_hash"] for row in rows}) == 2
