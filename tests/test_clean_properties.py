"""Header removal over thousands of real files: no token is lost that another program reads, only comments go.

What is a comment is said by others than the lexer under test: Python's `tokenize`, the JavaScript parser that comes
with node, the scanner of javac. Each file is taken as it is and with notices put before it.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
import sysconfig
import tokenize
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import codemill as cm
from codemill import _core, languages

LARGEST = 200_000
"""Characters of a file: the heads of larger ones are no longer."""

NOTICES = {
    "python": (
        "# Copyright (c) 2020 Jane Doe\n# Licensed under the MIT License.\n",
        "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n# © 2019 A. Author. All rights reserved.\n\n",
        "#\n# SPDX-License-Identifier: Apache-2.0\n#\n# This program is free software; you can redistribute it and/or\n"
        "# modify it under the terms of the GNU General Public License.\n",
    ),
    "javascript": (
        "/**\n * @license\n * Copyright 2020 Jane Doe. All rights reserved.\n */\n",
        "// Copyright (c) 2020 Jane Doe\n// SPDX-License-Identifier: MIT\n\n/* (c) 2001 B. Other */ ",
        "'use strict' /* Copyright 2020 Jane Doe\n   All rights reserved. */\n",
    ),
    "java": (
        "/*\n * Copyright (c) 2020, Jane Doe. All rights reserved.\n *\n * Licensed under the Apache License, Version 2.0.\n */\n",
        "// Copyright 2020 Jane Doe.\n\n/* SPDX-License-Identifier: MIT */\n/** Copyright (C) 1999 B. Other */ ",
    ),
}  # fmt: skip


def chosen(paths: Iterator[Path], most: int) -> list[tuple[str, str]]:
    """Readable files in a fixed, mixed order."""
    found = []
    ordered = sorted(path for path in paths if path.is_file())
    random.Random(0).shuffle(ordered)
    for path in ordered[:most]:
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        if len(text) < LARGEST:
            found.append((str(path), text))
    return found


def pairs(files: list[tuple[str, str]], language: str) -> Iterator[tuple[str, str, str]]:
    """Name, text and text without notices, of each file as it is and with notices before it, where something went."""
    rng = random.Random(0)
    texts = []
    for name, text in files:
        texts.append((name, text))
        if not text.startswith(("#!", "\ufeff")):
            texts.append((f"{name} with a notice", rng.choice(NOTICES[language]) + text))
    content = pa.array([text for _, text in texts], pa.large_string())
    names = pa.array([language] * len(texts), pa.string())
    done = _core.strip_headers(content, names, languages.syntaxes()).field("content").to_pylist()
    for (name, text), left in zip(texts, done, strict=True):
        if left is not None:
            assert only_cut(text, left), name
            yield name, text, left


def only_cut(text: str, left: str) -> bool:
    """Whether `left` is `text` with some of it taken out and nothing put in."""
    tail = 0
    while tail < len(left) and text[-1 - tail] == left[-1 - tail]:
        tail += 1
    rest = iter(text[: len(text) - tail])
    return len(left) < len(text) and all(character in rest for character in left[: len(left) - tail])


def python_head(text: str, behind: int) -> list[tuple[int, str]]:
    """The tokens, comments and empty lines aside, up to the end of the first whole line of code at or behind line
    `behind`. A first statement that is a string is documentation, and left out."""
    found: list[tuple[int, str]] = []
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        found.append((token.type, token.string))
        depth += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
        if token.type == tokenize.NEWLINE and not depth:
            if len(found) == 2 and found[0][0] == tokenize.STRING:
                found.clear()
            elif token.start[0] >= behind:
                break
    return found


def test_python_keeps_its_tokens() -> None:
    """What is behind the last cut is the same text read from the same state, so comparing the head compares all."""
    roots = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
    files = chosen((path for root in roots for path in Path(root).rglob("*.py")), 2500)
    compared = 0
    for name, text, left in pairs(files, "python"):
        same = 0
        while same < len(left) and text[-1 - same] == left[-1 - same]:
            same += 1
        try:
            before = python_head(text, 2 + text[: len(text) - same].count("\n"))
        except (tokenize.TokenError, SyntaxError):
            continue  # not Python before either: the test suites of parsers
        after = python_head(left, 2 + left[: len(left) - same].count("\n"))
        assert after == before, name
        compared += 1
    assert len(files) > 1000
    assert compared > 1500


ACORN = """const acorn = require("internal/deps/acorn/acorn/dist/acorn"), fs = require("fs");
const tokens = (text, sourceType) => {
  const found = [], comments = [];
  const options = {ecmaVersion: "latest", sourceType, allowHashBang: true, locations: true,
                   onToken: t => found.push([t.type.label, String(t.value?.pattern ?? t.value)])};
  const tree = acorn.parse(text, options);
  return JSON.stringify([found, JSON.stringify(tree, (k, v) => ["start", "end", "loc"].includes(k) ? undefined :
                                               typeof v === "bigint" ? String(v) : v)]);
};
let compared = 0; const differ = [];
for (const [name, before, after] of JSON.parse(fs.readFileSync(process.argv[1]))) {
  let seen = null, type = null;
  for (type of ["module", "script"]) try { seen = tokens(before, type); break } catch {}
  if (seen === null) continue;
  compared++;
  let now = null; try { now = tokens(after, type) } catch {}
  if (now !== seen) differ.push(name);
}
console.log(JSON.stringify([compared, differ]))"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node, whose parser says what a token is")
def test_javascript_keeps_its_tokens(tmp_path: Path) -> None:
    """The tokens and the tree, as acorn reads them."""
    roots = [Path("/usr/lib/node_modules"), Path("/usr/local/lib/node_modules"), Path("/usr/share/nodejs")]
    roots += [Path("/usr/share/javascript"), Path(sysconfig.get_path("purelib"))]
    roots += sorted((Path.home() / ".rustup" / "toolchains").glob("*/share"))[:1]
    suffixes = {".js", ".mjs", ".cjs"}
    files = chosen((p for root in roots for p in root.rglob("*") if p.suffix in suffixes), 2500)
    if len(files) < 100:
        pytest.skip(f"only {len(files)} JavaScript files are installed here")
    (tmp_path / "pairs.json").write_text(json.dumps(list(pairs(files, "javascript"))))
    command = ["node", "--expose-internals", "-e", ACORN, str(tmp_path / "pairs.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    compared, differ = json.loads(done.stdout)
    assert differ == []
    assert compared > len(files) // 2


SCANNER = """import com.sun.tools.javac.parser.*; import com.sun.tools.javac.parser.Tokens.TokenKind;
import com.sun.tools.javac.util.*; import java.nio.file.*; import java.util.EnumSet;
public class Scan {
  static final EnumSet<TokenKind> LITERALS = EnumSet.of(TokenKind.INTLITERAL, TokenKind.LONGLITERAL,
      TokenKind.FLOATLITERAL, TokenKind.DOUBLELITERAL, TokenKind.CHARLITERAL, TokenKind.STRINGLITERAL);
  static String tokens(String text) {
    var context = new Context(); var out = new StringBuilder();
    Log.instance(context).useSource(new javax.tools.SimpleJavaFileObject(
        java.net.URI.create("string:///A.java"), javax.tools.JavaFileObject.Kind.SOURCE) {
      public CharSequence getCharContent(boolean ignore) { return text; } });
    var scanner = ScannerFactory.instance(context).newScanner(text, false);
    do {
      scanner.nextToken(); var token = scanner.token(); out.append(token.kind).append(' ');
      if (token.kind == TokenKind.IDENTIFIER) out.append(token.name());
      else if (LITERALS.contains(token.kind)) out.append(token.stringVal());
      out.append('\\n');
    } while (scanner.token().kind != TokenKind.EOF);
    return out.toString();
  }
  public static void main(String[] a) throws Exception {
    var names = Files.readAllLines(Path.of(a[0]));
    for (int i = 0; i < names.size(); i += 2) {
      var before = tokens(Files.readString(Path.of(names.get(i))));
      System.out.println(before.equals(tokens(Files.readString(Path.of(names.get(i + 1))))));
    } } }"""


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK, whose scanner says what a token is")
def test_java_keeps_its_tokens(tmp_path: Path) -> None:
    archives = [z for z in sorted(Path("/usr/lib/jvm").glob("*/**/src.zip")) if z.is_file() and zipfile.is_zipfile(z)]
    if not archives:
        pytest.skip("no sources of a JDK are installed here")
    with zipfile.ZipFile(archives[0]) as archive:
        members = sorted(n for n in archive.namelist() if n.endswith(".java"))
        random.Random(0).shuffle(members)
        files = [(m, archive.read(m).decode()) for m in members[:2000]]
    names, files_of = [], []
    for number, (name, text, left) in enumerate(pairs(files, "java")):
        for kind, content in (("before", text), ("after", left)):
            file = tmp_path / f"{number}.{kind}"
            file.write_bytes(content.encode())
            files_of.append(str(file))
        names.append(name)
    (tmp_path / "Scan.java").write_text(SCANNER)
    (tmp_path / "names").write_text("\n".join(files_of))
    exports = [f"--add-exports=jdk.compiler/com.sun.tools.javac.{p}=ALL-UNNAMED" for p in ("parser", "util")]
    command = ["java", *exports, str(tmp_path / "Scan.java"), str(tmp_path / "names")]
    same = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert [name for name, verdict in zip(names, same, strict=True) if verdict != "true"] == []
    assert len(names) > 2000


# ── made up ─────────────────────────────────────────────────────────────────────────────────────────────────

HOLDER = st.text(st.characters(categories=("Lu", "Ll", "Lt", "Lo", "Lm")), min_size=2, max_size=12).map(str.strip)
YEARS = st.sampled_from(["2020", "1999-2004", "2001, 2003", "2013–present"])
LINE = st.one_of(
    st.builds("Copyright (c) {} {}".format, YEARS, HOLDER),
    st.builds("© {} {}. All rights reserved.".format, YEARS, HOLDER),
    st.builds("Copyright {}, {} and contributors".format, HOLDER, HOLDER).filter(lambda s: s[10].isupper()),
    st.just("SPDX-License-Identifier: MIT"),
    st.just("Licensed under the Apache License, Version 2.0."),
    st.just("You can redistribute it and/or modify it under the terms of the GNU General Public License."),
)
BODY = st.lists(LINE, min_size=1, max_size=4)
STYLES = {
    "python": ("# {}", None, None, "import os\n", ["#!/usr/bin/env python3", "# -*- coding: utf-8 -*-", "# flake8: noqa"]),
    "javascript": ("// {}", ("/*", " * {}", " */"), None, "let a = 1\n", ["#!/usr/bin/env node", "/* eslint-disable */"]),
    "java": ("// {}", ("/*", " * {}", " */"), None, "class A {}\n", []),
    "c": ("// {}", ("/*", " * {}", " */"), None, "#include <a.h>\n", ["/* clang-format off */"]),
    "html": (None, ("<!--", "  {}", "-->"), None, "<html></html>\n", ["<!DOCTYPE html>"]),
    "sql": ("-- {}", ("/*", "   {}", "*/"), None, "select 1;\n", []),
    "haskell": ("-- {}", ("{-", "  {}", "-}"), None, "main = pure ()\n", ["{-# LANGUAGE CPP #-}"]),
    "batchfile": ("REM {}", None, None, "dir\n", ["@echo off"]),
    "tex": ("% {}", None, None, "\\documentclass{a}\n", []),
    "common lisp": (";; {}", None, None, "(a)\n", []),
}  # fmt: skip


@st.composite
def headed(draw: st.DrawFn) -> tuple[str, str, str, str]:
    """A language, what a tool obeys, stacked notices, and code."""
    language = draw(st.sampled_from(sorted(STYLES)))
    line, block, _, code, kept = STYLES[language]
    first = "".join(f"{k}\n" for k in kept if draw(st.booleans()))
    notices = ""
    for _ in range(draw(st.integers(1, 3))):
        body = draw(BODY)
        if block and (line is None or draw(st.booleans())):
            opener, margin, closer = block
            notices += "\n".join([opener, *(margin.replace("{}", text) for text in body), closer]) + "\n"
        else:
            assert line is not None
            notices += "".join(line.replace("{}", text) + "\n" for text in body)
        notices += draw(st.sampled_from(["", "\n", "\n\n"]))
    return language, first, notices, code


@settings(deadline=None)  # the first call reads the table of languages
@given(headed(), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@example(("python", "#!/usr/bin/env python3\n", "# © 2020 ǅ. All rights reserved.\n", "import os\n"), "\r", True)
def test_stacked_notices_in_any_script_go(made: tuple[str, str, str, str], newline: str, mark: bool) -> None:
    """Nothing of them is left; the rest is all there; a second time finds nothing."""
    language, first, notices, code = made
    marked = mark and language != "batchfile" and not first.startswith("#!")  # cmd.exe does not know the mark
    text = ("\ufeff" if marked else "") + (first + notices + code).replace("\n", newline)
    left = cm.strip_header(text, language=language)
    assert only_cut(text, left)
    assert left.endswith(code.replace("\n", newline))
    assert left.startswith(("\ufeff" + first if text.startswith("\ufeff") else first).replace("\n", newline))
    assert not any(word in left for word in ("Copyright", "©", "SPDX", "Licensed", "redistribute"))
    assert cm.strip_header(left, language=language) == left


PARTS = st.sampled_from(
    ["#", "//", "/*", "*/", "<!--", "-->", "--!>", "--", "{-", "-}", '"""', "'''", "'", '"', "\\", "\n", "\n", "\r", "\r\n",
     "\u2028", "\x85", " ", "\t", ";", "x = 1", "int a;", "import os", "?>", "<?php", "'use strict'", "%", "(*", "*)",
     "Copyright 2020 A. Author.", "All rights reserved.", "Licensed under the MIT License.", "Reads files.", "\\u000a"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PARTS, max_size=30).map("".join), st.sampled_from(["python", "javascript", "c", "java", "html", "php"]))
def test_whatever_the_text_only_comments_go(text: str, language: str) -> None:
    left = cm.strip_header(text, language=language)
    assert left == text or only_cut(text, left)
    if language == "python":
        try:
            before = python_head(text, text.count("\n") + 2)
        except (tokenize.TokenError, SyntaxError):
            return
        assert python_head(left, left.count("\n") + 2) == before
