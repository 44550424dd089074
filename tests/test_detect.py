"""Detection on the real table: each strategy, each flag, hostile content, and the step."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest

import codemill as cm
from codemill import _core, languages
from codemill.errors import RecipeError
from codemill.steps import detect as steps

REAL: list[tuple[str, str, str | None, str | None]] = [
    # path, content, language, strategy
    ("a.py", "x = 1\n", "python", "extension"),
    ("src/A.PY", "x = 1\n", "python", "extension"),
    ("Dockerfile", "FROM x\n", "dockerfile", "filename"),
    ("CMakeLists.txt", "", "cmake", "filename"),
    ("tool", "#!/usr/bin/env -S python3 -u\n", "python", "shebang"),
    ("tool", "#!/bin/bash\n", "shell", "shebang"),
    ("tool.weird", "# vim: set ft=ruby:\n", "ruby", "modeline"),
    ("x.h", "/* -*- C++ -*- */\n", "cpp", "modeline"),
    ("a.html.erb", "<% %>", "html+erb", "extension"),
    ("a.d.ts", "export {}\n", "typescript", "heuristics"),
    ("tr.ts", "<?xml version='1.0'?>\n<TS language='de'>\n", "xml", "heuristics"),
    ("a.h", "int f(void);\n", "c", "heuristics"),
    ("a.h", "class A { public:\n};\nnamespace b {}\n", "cpp", "heuristics"),
    ("a.h", "@interface A : NSObject\n@end\n", "objective-c", "heuristics"),
    ("a.m", "#import <Foundation/Foundation.h>\n", "objective-c", "heuristics"),
    ("a.m", "% a comment\nfunction y = f(x)\n", "matlab", "heuristics"),
    ("a.m", "(* a comment *)\nf[x_] := x\n(* end *)\n", "mathematica", "heuristics"),
    ("a.pl", "use strict;\n", "perl", "heuristics"),
    ("a.pl", "p(X) :- q(X).\n", "prolog", "heuristics"),
    ("a.pl", "use v6;\n", "raku", "heuristics"),
    ("a.r", "x <- 1\n", "r", "heuristics"),
    ("a.v", "module top(input a);\nendmodule\n", "verilog", "heuristics"),
    ("a.v", "Require Import List.\n", "coq", "heuristics"),
    ("a.v", "fn main() {\n}\n", "v", "heuristics"),
    ("a.sql", "CREATE FUNCTION f() AS $$ BEGIN; $$ LANGUAGE plpgsql;\n", "plpgsql", "heuristics"),
    ("a.sql", "SELECT 1;\n", "sql", "heuristics"),
    ("a.inc", "<?php\n", "php", "heuristics"),
    ("a.cls", "\\ProvidesClass{x}\n", "tex", "heuristics"),
    ("a.rs", "fn main() {}\n", "rust", "heuristics"),
    ("a.fs", "module X\n", "f#", "heuristics"),
    ("a.md", "# Title\n", "markdown", "heuristics"),
    ("a.yml", "a: 1\n", "yaml", "heuristics"),
    ("git.1", ".TH GIT 1\n.SH NAME\n", "roff manpage", "heuristics"),
    ("notes.1", "just text\n", "text", "heuristics"),
    ("allow.txt", "127.0.0.1 localhost\n", "hosts file", "heuristics"),
    ("help.txt", "*x.txt*\n vim:tw=78:ts=8:ft=help:norl:\n", "vim help file", "modeline"),
    ("a.txt", "words\n", "text", "heuristics"),
    ("a.tpl", '{{ include "x" . }}\n', "go template", "heuristics"),
    ("a.tpl", "{$name}\n", "smarty", "heuristics"),
    ("a.conf.in", "<?xml version='1.0'?>\n", "xml", "xml"),
    ("a.jq", ".a | length\n", "jq", "clues"),
    ("a.stl", "no solid\n", None, None),
    ("COPYING", "words\n", "text", "filename"),
    ("unknown.zzz", "words\n", None, None),
    ("", "", None, None),
    (".", "", None, None),
]


@pytest.mark.parametrize(("path", "content", "language", "strategy"), REAL)
def test_strategies_on_the_real_table(path: str, content: str, language: str | None, strategy: str | None) -> None:
    found = cm.detect(path, content)
    assert (found.language, found.strategy) == (language, strategy)
    assert found.doc_type == (None if language is None else languages.get(language).doc_type)


def test_many_at_once_say_the_same_as_one_at_a_time() -> None:
    batch = cm.detect([path for path, *_ in REAL], [content for _, content, *_ in REAL])
    assert batch.schema.names == ["language", "doc_type", "is_vendored", "is_generated", "strategy"]
    assert batch["language"].to_pylist() == [language for *_, language, _ in REAL]
    chunked = cm.detect(pa.chunked_array([["a.py"], ["a.c"]]), pa.chunked_array([["x"], ["y"]]))
    assert chunked["language"].to_pylist() == ["python", "c"]


def test_without_content_the_path_decides_and_the_fallback_is_the_most_popular() -> None:
    assert cm.detect("a.rb").strategy == "extension"
    assert cm.detect("a.h").language == "c"
    found = cm.detect("a.m")
    assert (found.language, found.strategy) == ("objective-c", "popular")


def test_bytes_are_decoded_and_binary_is_in_no_language() -> None:
    assert cm.detect("a.m", "% naïve\n".encode("utf-16")).language == "matlab"
    assert cm.detect("vendor/a.py", b"\0\1\2\3" * 100) == languages.Detection(None, None, True, False, None)
    assert cm.detect("a.py", b"").language == "python"


@pytest.mark.parametrize(
    ("path", "vendored"),
    [
        ("node_modules/left-pad/index.js", True),
        ("web/vendor/jquery/jquery.js", True),
        ("third_party/zlib/inflate.c", True),
        ("src/jquery-3.6.0.js", True),
        ("types/index.d.ts", True),
        ("configure", True),
        ("src/configure.ac", False),
        ("src/main.c", False),
        ("src/vendoring.py", False),
    ],
)
def test_vendored_paths(path: str, vendored: bool) -> None:
    assert cm.detect(path, "x\n").is_vendored is vendored


@pytest.mark.parametrize(
    ("path", "content", "generated"),
    [
        ("package-lock.json", "{}", True),
        ("Cargo.lock", "", True),
        ("Form1.Designer.cs", "", True),
        ("src/__generated__/a.js", "x", True),
        ("vendor/github.com/pkg/errors/errors.go", "package errors\n", True),
        ("a.go", "// Code generated by protoc-gen-go. DO NOT EDIT.\npackage a\n", True),
        ("a.go", "package a\n", False),
        ("a_pb2.py", "# Generated by the protocol buffer compiler.  DO NOT EDIT!\n", True),
        ("a.min.js", "x" * 500, True),
        ("a.js", "var a = 1;\n" * 50, False),
        ("a.c", "/* Generated by Cython 3.0.8 */\n", True),
        ("a.html", "<html>\n<meta name='generator' content='makeinfo 6'>\n", True),
    ],
)
def test_generated_files(path: str, content: str, generated: bool) -> None:
    assert cm.detect(path, content).is_generated is generated


def test_a_wrong_call_is_answered_with_what_was_given() -> None:
    with pytest.raises(TypeError, match="one content"):
        cm.detect("a.py", ["x"])  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="one string"):
        cm.detect(["a.py"], "x")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match=r"got \[1, 2\]"):
        cm.detect(["a.py"], ["x", "y"])
    with pytest.raises(TypeError, match="large_string"):
        _core.detect(pa.array(["a"]), pa.array(["a"]), languages.native())


def test_null_rows_are_null() -> None:
    found = _core.detect(pa.array([None], pa.string()), pa.array(["x"], pa.large_string()), languages.native())
    assert found.to_pylist() == [dict.fromkeys(["language", "doc_type", "is_vendored", "is_generated", "strategy"])]


MEGABYTES = 8
HOSTILE = {
    "one character": "a",
    "NUL": "\0",
    "newlines": "\n",
    "blanks": " ",
    "carriage returns": "\r",
    "openers": "{",
    "modelines": "-*- mode: ",
    "vim modelines": " vim: set ft=",
    "comment openers": "/*",
    "comments half closed": "/* *",
    "tags": "<meta ",
    "attributes": '<meta name="',
    "arrows": "<- <- ",
    "colons": ":- :- ",
    "words": "begin ",
    "addresses": "1.1.1.",
    "quotes": "\"'",
    "backslashes": "\\",
    "wide characters": "\U0001f600",
    "assignments": "a=b ",
    "templates": "{{ {$ ",
    "fonts": "\ncurrentfile eexec 0123abcd",
    "parens": "((((",
    "dots": ". . ",
}
EXTENSIONS = sorted({e for language in languages.all() for e in language.extensions})


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
def test_hostile_content_stays_linear(unit: str) -> None:
    """8 MB of one thing, under every extension that content is looked at for; a file takes milliseconds."""
    text = (unit * (MEGABYTES * 1_000_000 // len(unit.encode()) + 1))[: MEGABYTES * 1_000_000]
    looked_at = [".js", ".css", ".ps", ".html", ".xml", ".map", ".h", ".m", ".pl", ".sql", ".txt", ".inc", ".v", ""]
    content = pa.array([text], pa.large_string())
    started = time.process_time()
    for extension in looked_at:
        _core.detect(pa.array([f"a{extension}"]), content, languages.native())
    assert time.process_time() - started < 1.5 * len(looked_at) / 10


def test_every_heuristic_and_the_classifier_are_linear_in_what_they_look_at() -> None:
    """64 KiB of each thing under every extension of the table: more than heuristics and classifier ever see."""
    texts = [(unit * 65536)[:65536] for unit in HOSTILE.values()]
    paths = pa.array([f"a{e}" for e in EXTENSIONS for _ in texts])
    content = pa.array(texts, pa.large_string()).take(pa.array(list(range(len(texts))) * len(EXTENSIONS)))
    languages.native()
    started = time.process_time()
    found = _core.detect(paths, content, languages.native())
    seconds = time.process_time() - started
    assert "crashed" not in found.field("strategy").to_pylist()
    assert seconds < len(paths) * 0.005


def test_hostile_paths_stay_linear_and_crash_nothing() -> None:
    paths = ["." * 1_000_000, "/" * 1_000_000, "a.b" * 300_000, "é" * 500_000, "a/" * 500_000 + ".h"]
    started = time.process_time()
    found = cm.detect(paths, ["x"] * len(paths))
    assert "crashed" not in found["strategy"].to_pylist()
    assert time.process_time() - started < 3


def batch(**columns: list[str | None]) -> pa.RecordBatch:
    kinds = {"content": pa.large_string()}
    return pa.record_batch({name: pa.array(v, kinds.get(name, pa.string())) for name, v in columns.items()})


def test_the_step_labels_every_row_and_drops_none() -> None:
    found = steps.language.function(batch(path=["a.py", "zzz", "vendor/a.c"], content=["x", "?", None]))
    assert found.to_pylist() == [
        {"language": "python", "doc_type": "code", "is_vendored": False, "is_generated": False},
        {"language": None, "doc_type": None, "is_vendored": False, "is_generated": False},
        {"language": "c", "doc_type": "code", "is_vendored": True, "is_generated": False},
    ]


def test_keep_gives_the_reason_and_the_language() -> None:
    labelled = batch(language=["python", None, "csv"])
    assert steps.keep.function(labelled, kept=["python"]).to_pylist() == [
        {"reason": None, "value": None},
        {"reason": "unknown_language", "value": None},
        {"reason": "language_not_kept", "value": "csv"},
    ]
    assert steps.keep.function(labelled)["reason"].to_pylist() == [None, "unknown_language", None]
    assert steps.keep.resolve is not None
    assert steps.keep.resolve((), {"kept": ["Python", "py"]}) == {"kept": ("python",)}
    with pytest.raises(RecipeError, match="did you mean python"):
        steps.keep.resolve((), {"kept": ["pyton"]})
