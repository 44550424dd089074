"""Header removal: one example for each style of comment, what stays, hostile texts, and the code left as it was."""

from __future__ import annotations

import ast
import io
import sysconfig
import time
import tokenize
from pathlib import Path

import pyarrow as pa
import pytest

import codemill as cm
from codemill import _core, languages
from codemill.steps import clean

NOTICE = (
    "Copyright (c) 2019-2021 Jane Doe <jane@example.org>. All rights reserved.",
    "Licensed under the MIT License.",
)

LINE = {
    "python": ("#", "import os"),
    "rust": ("//", "fn main() {}"),
    "haskell": ("--", "main = print 1"),
    "sql": ("--", "select 1;"),
    "erlang": ("%%", "-module(a)."),
    "tex": ("%", "\\documentclass{article}"),
    "common lisp": (";;;", "(defun f () 1)"),
    "fortran": ("!", "      program p"),
    "vim script": ('"', "set nocp"),
    "batchfile": ("REM", "set A=1"),
    "m4sugar": ("dnl", "AC_INIT"),
    "java properties": ("#", "a=b"),
    "yaml": ("#", "a: b"),
    "powershell": ("#", "Get-Item"),
}
BLOCK = {
    "c": ("/*", " * ", " */", "#include <a.h>"),
    "java": ("/**", " * ", " */", "package a;"),
    "ocaml": ("(*", "   ", "*)", "let a = 1"),
    "pascal": ("{", "  ", "}", "unit a;"),
    "html": ("<!--", "  ", "-->", "<p>1</p>"),
    "xml": ("<!--", "  ", "-->", "<a/>"),
    "css": ("/*!", " * ", " */", "a{}"),
    "haskell": ("{-", "   ", "-}", "main = print 1"),
    "ruby": ("=begin", "", "=end", "puts 1"),
    "lua": ("--[[", "  ", "]]", "return 1"),
    "java server pages": ("<%--", "  ", "--%>", "<p>1</p>"),
}


@pytest.mark.parametrize("language", LINE)
def test_a_notice_in_line_comments_goes_and_documentation_stays(language: str) -> None:
    opener, code = LINE[language]
    notice = "".join(f"{opener} {line}\n" for line in NOTICE)
    assert cm.strip_header(f"{notice}\n{code}\n", language=language) == f"{code}\n"
    title = f"{opener} Reads settings and nothing else.\n"
    assert cm.strip_header(f"{title}{opener}\n{notice}\n{code}\n", language=language) == f"{title}\n{code}\n"
    assert cm.strip_header(f"{title}\n{code}\n", language=language) == f"{title}\n{code}\n"


@pytest.mark.parametrize("language", BLOCK)
def test_a_notice_in_a_block_comment_goes_and_documentation_stays(language: str) -> None:
    opener, margin, closer, code = BLOCK[language]
    notice = "".join(f"{margin}{line}\n" for line in NOTICE)
    assert cm.strip_header(f"{opener}\n{notice}{closer}\n\n{code}\n", language=language) == f"{code}\n"
    title = f"{opener}\n{margin}Reads settings and nothing else.\n"
    mixed = f"{title}\n{notice}{closer}\n{code}\n"
    assert cm.strip_header(mixed, language=language) == f"{title}{closer}\n{code}\n"


@pytest.mark.parametrize(
    ("language", "first"),
    [
        ("python", "#!/usr/bin/env python3"),
        ("python", "# -*- coding: utf-8 -*-"),
        ("python", "# flake8: noqa"),
        ("python", "# type: ignore"),
        ("python", "# vim: set ts=4:"),
        ("ruby", "# frozen_string_literal: true"),
        ("go", "//go:build linux\n"),
        ("go", "// +build linux\n"),
        ("javascript", "/* eslint-disable */"),
        ("javascript", "// @flow"),
        ("javascript", "'use strict';"),
        ("typescript", '/// <reference types="node" />'),
        ("cpp", "// clang-format off"),
        ("php", "<?php"),
        ("xml", '<?xml version="1.0"?>'),
        ("html", "<!DOCTYPE html>"),
        ("haskell", "{-# LANGUAGE CPP #-}"),
        ("pascal", "{$mode objfpc}"),
        ("powershell", "#Requires -Version 5"),
        ("batchfile", "@echo off"),
        ("csharp", "#region Head"),
        ("yaml", "---"),
    ],
)
def test_what_a_tool_obeys_stays_before_and_after_a_notice(language: str, first: str) -> None:
    opener = languages.get(language).line_comments or (("#",) if language in ("python", "yaml", "ruby") else ())
    start, end = (f"{opener[0]} ", "") if opener else ("<!-- ", " -->")
    notice = f"{start}Copyright 2020 Jane Doe. All rights reserved.{end}\n"
    kept = cm.strip_header(f"{first}\n{notice}code\n", language=language)
    assert kept == f"{first}\ncode\n"
    if first[0] in "#/{" and not first.startswith(("#!", "#region")):
        assert cm.strip_header(f"{notice}{first}\ncode\n", language=language) == f"{first}\ncode\n"


@pytest.mark.parametrize(
    ("language", "text", "left"),
    [
        ("csharp", "#region License\n// Copyright 2020 A.\n#endregion\n\nusing B;\n", "using B;\n"),
        ("csharp", "#region Head\n\n/*\n * Copyright 2020 A.\n */\n\n  #endregion\nusing B;\n", "using B;\n"),
        ("visual basic .net", '#Region "License"\n\' Copyright 2020 A.\n#End Region\nImports B\n', "Imports B\n"),
        # Something is left in it.
        (
            "csharp",
            "#region Head\n// Copyright 2020 A.\n\n// Adds.\n#endregion\nusing B;\n",
            "#region Head\n\n// Adds.\n#endregion\nusing B;\n",
        ),
        (
            "csharp",
            "#region Head\n// Copyright 2020 A.\nusing B;\n#endregion\n",
            "#region Head\nusing B;\n#endregion\n",
        ),
        (
            "csharp",
            "// Copyright 2020 A.\n#region Using\n#endregion\nusing B;\n",
            "#region Using\n#endregion\nusing B;\n",
        ),
    ],
)
def test_a_region_around_a_notice_goes_with_it(language: str, text: str, left: str) -> None:
    assert cm.strip_header(text, language=language) == left


@pytest.mark.parametrize(
    "line",
    [
        "© 2020 Жан Иванов. Все права защищены.",
        "版权所有 (c) 2020 某某公司",
        "Copyright (C) 2011, 2013-2020 Foo, Inc. and its affiliates",
        "(c) 2003 Martin Willemoes Hansen",
        "SPDX-License-Identifier: Apache-2.0 OR MIT",
        "Alle Rechte vorbehalten.",
        "This file is in the public domain.",
        "Distributed under the Boost Software License, Version 1.0.",
        "@license MIT",
    ],
)
def test_holders_years_and_names_in_any_script(line: str) -> None:
    assert cm.strip_header(f"// {line}\nint a;\n", language="c") == "int a;\n"


@pytest.mark.parametrize(
    "line",
    [
        "Checks the copyright of pictures.",
        "Parses license plates (c) and (d).",
        "Author lists are sorted by name.",
        "See the permission model in docs/permissions.md",
        "Renders the footer with its copyright year",
        "The warranty period in days.",
    ],
)
def test_documentation_about_rights_is_no_notice(line: str) -> None:
    text = f"// {line}\nint a;\n"
    assert cm.strip_header(text, language="c") == text


WHOLE = (
    "Copyright 2019 Foo",
    "Copyright (c) 2019-2021 Jane Doe",
    "(c) 2003 Foo Inc",
    "SPDX-License-Identifier: MIT",
    "MIT License",
    "Licensed under the MIT License",
    "@license MIT",
    "License: BSD",
    "This file is in the public domain",
    "Distributed under the Boost Software License, Version 1.0",
    "Use of this source code is governed by a BSD-style license",
)
"""Lines of a notice that are whole by themselves."""

BELOW = (
    "adds two numbers and returns the sum",
    "usage: tool [-v] NAME",
    "d0 = first operand, d1 = second",
    "0 means success",
    "(see the manual)",
    "parses the license file of a module",
    "use this file to include the library",
    "copies a file to another place",
    "checks the warranty period",
    "handles user permissions",
    "<name> is the name of a file",
    "as long as is needed",
    "Provided that the list is sorted, this is fast",
    "The original code was slow",
    "Created by running make tables",
    "https://example.org/format.html",
)
"""Documentation that begins in small letters, or has words of notices."""


@pytest.mark.parametrize("notice", WHOLE)
@pytest.mark.parametrize(("opener", "margin", "closer"), [("/*\n", " * ", " */\n"), ("", "// ", "")])
def test_documentation_below_a_line_of_a_notice_stays(notice: str, opener: str, margin: str, closer: str) -> None:
    for line in BELOW:
        for between in ("", f"{margin.rstrip()}\n"):
            text = f"{opener}{margin}{notice}\n{between}{margin}{line}\n{margin}And so on.\n{closer}int a;\n"
            left = cm.strip_header(text, language="c")
            assert line in left, text
            assert notice not in left, text


@pytest.mark.parametrize(
    "line",
    [
        "Copyright 2001-2003 Foo Bar GmbH,\n// Jane Doe and others",
        "Copyright (c) 2001, 2002\n// Jane Doe <jane@example.org>",
        "Copyright 2001 Jane Doe\n// and contributors",
        "Copyright The widgets Authors",
        "Use of this source code is governed by a BSD-style\n// license that can be found in the LICENSE file.",
        "This program is free software; you can redistribute it and/or modify\n"
        "// it under the terms of the GNU General Public License as published by\n"
        "// the Free Software Foundation, Inc., 59 Temple Place - Suite 330,\n// Boston, MA 02111-1307, USA.",
    ],
)
def test_names_and_sentences_of_licences_go_on_over_lines(line: str) -> None:
    assert cm.strip_header(f"// {line}\nint a;\n", language="c") == "int a;\n"


@pytest.mark.parametrize(
    "line",
    [
        "Uploads via fileUpload and reads tubscriptions.",  # eupl, bsc
        "It has issues with time zones; as much as is possible is done.",
        "Lists the licenses of a package, from its license file.",
        "Detects the MIT License and the Apache License in texts.",
        "A parser for SPDX-License-Identifier lines.",
        "License: how to read one from a file",
        "Looks for copyright (c) signs, and for ©.",
        "Copyright header checker",
        "This wraps the lgpl-licensed codec library.",
        "The user can be licensed under several plans.",
        "(c) Size and kind are known.",
        "NOTE: wrong if the original code was depending on a list.",
    ],
)
@pytest.mark.parametrize("notice", ["", "// Copyright 2020 A.\n// Licensed under the MIT License.\n\n"])
def test_words_of_licences_are_no_notice(line: str, notice: str) -> None:
    text = f"// {line}\nint a;\n"
    assert cm.strip_header(notice + text, language="c") == text


def test_an_item_of_a_list_is_no_claim() -> None:
    text = "/*\n * (a) Nothing at all,\n * (b) Size alone,\n * (c) Size and Kind,\n * (d) All.\n */\nint a;\n"
    assert cm.strip_header("/* SPDX-License-Identifier: MIT */\n" + text, language="c") == text


def test_of_a_line_that_says_something_else_only_the_claim_goes() -> None:
    made = "This file is automatically generated, do not edit."
    title = "lapi.h: the programming interface of all."
    for before, after in [
        (f"/* Copyright 2020 A Inc. {made} */", f"/* {made} */"),
        (f"/* {title} Copyright 2020 Foo. */", f"/* {title} */"),
        ("// Copyright 2020 Foo. Parses dates and times.", "// Parses dates and times."),
        (f"// Copyright 2020 A\n// {made}", f"// {made}"),
    ]:
        assert cm.strip_header(f"{before}\nint a;\n", language="c") == f"{after}\nint a;\n"


def test_a_sentence_on_the_code_that_also_names_its_licence_stays() -> None:
    doc = (
        "Dials for touch screens.\n\nIt is a library of dials. It is cross-platform (Linux, OSX, Windows,\n"
        "Android, iOS) and released under\nthe terms of the MIT License.\n\nIt has many dials.\n"
    )
    text = f'"""{doc}"""\nimport os\n'
    assert cm.strip_header(text, language="python") == text


def test_a_docstring_that_is_a_notice_goes_and_a_mixed_one_loses_its_lines() -> None:
    alone = '"""Copyright 2020 A. All rights reserved."""\nimport os\n'
    assert cm.strip_header(alone, language="python") == "import os\n"
    mixed = '"""Reads settings.\n\n:copyright: 2020 by A.\n:license: BSD, see LICENSE.\n"""\nimport os\n'
    assert cm.strip_header(mixed, language="python") == '"""Reads settings.\n"""\nimport os\n'
    # Something else stands in its line: without the docstring that would not parse.
    sticky = '"""Copyright 2020 A. All rights reserved."""; import os\n'
    assert cm.strip_header(sticky, language="python") == sticky


def test_stacked_notices_go_and_a_comment_between_them_stays() -> None:
    text = "// Copyright 2001 A.\n\n/*\n * Licensed under the MIT License.\n */\n\n// Adds.\n\n// (c) 2020 B\nint a;\n"
    assert cm.strip_header(text, language="c") == "// Adds.\n\nint a;\n"


def test_a_notice_after_the_first_code_stays() -> None:
    text = "import os\n# Copyright 2020 A. All rights reserved.\n"
    assert cm.strip_header(text, language="python") == text


def test_line_ends_and_byte_order_mark_stay() -> None:
    assert cm.strip_header("\ufeff// Copyright 2020 A.\r\n\r\nint a;\r\n", language="c") == "\ufeffint a;\r\n"
    assert cm.strip_header("// Copyright 2020 A.", language="c") == ""


def test_an_encoding_that_had_no_effect_is_not_woken() -> None:
    text = "# Copyright 2020 A.\n# All rights reserved.\n\n# coding: latin-1\nx = 1\n"
    assert cm.strip_header(text, language="python") == text


def test_of_text_documents_only_html_comments_go() -> None:
    notice = "<!-- Copyright 2020 A. All rights reserved. -->\n\n"
    page = "# Title\n\nCopyright 2020 A. All rights reserved.\n"
    assert cm.strip_header(notice + page, language="markdown") == page
    assert cm.strip_header(page, language="text") == page
    assert cm.strip_header(page, language="restructuredtext") == page


@pytest.mark.parametrize(
    "text",
    [
        "/* Copyright 2020 A. " + "x" * 8_000_000,
        "/* Copyright 2020 A. */" * 400_000,
        "// Copyright 2020 A.\n" * 400_000,
        "/*" * 4_000_000,
        "/* Copyright 2020 A.\n" + "*\n" * 4_000_000 + "*/",
        " " * 8_000_000 + "/* Copyright 2020 A. */",
        "// Copyright " + "(c)" * 2_600_000,
        "// " + "copyright the " * 500_000,
        "// " + "Copyright 2020 A. Reads. " * 300_000,
        "// Licensed under the\n" * 400_000,
        "// " + "the mit license mit " * 400_000,
    ],
    ids=[
        *("unclosed", "many blocks", "many lines", "nested", "blank lines", "blanks", "one line"),
        *("no names", "many sentences", "one sentence", "phrases"),
    ],
)
@pytest.mark.parametrize("language", ["c", "scala", "python"])
def test_hostile_texts_take_no_time(text: str, language: str) -> None:
    started = time.perf_counter()
    cm.strip_header(text, language=language)
    assert time.perf_counter() - started < 2


def test_the_step_keeps_what_it_does_not_change() -> None:
    content = pa.array(["# Copyright 2020 A.\nx = 1\n", "x = 1\n", "# Copyright 2020 A.\n"], pa.large_string())
    batch = pa.record_batch({"content": content, "language": pa.array(["python", "python", None])})
    done = clean.headers.function(batch)
    assert done["content"].to_pylist() == ["x = 1\n", None, None]  # null: as it was
    assert done["header_chars_removed"].to_pylist() == [20, 0, None]


def test_arguments_are_checked() -> None:
    content = pa.array(["x"], pa.large_string())
    with pytest.raises(ValueError, match="same number of rows"):
        _core.strip_headers(content, pa.array([], pa.string()), languages.syntaxes())
    with pytest.raises(cm.RecipeError, match="no language"):
        cm.strip_header("x", language="klingon")


def tokens(text: str) -> list[tuple[int, str]]:
    read = tokenize.generate_tokens(io.StringIO(text).readline)
    return [(t.type, t.string) for t in read if t.type not in (tokenize.COMMENT, tokenize.NL)]


def without_docstring(text: str) -> str:
    tree = ast.parse(text)
    if ast.get_docstring(tree, clean=False) is not None:
        del tree.body[0]
    return ast.dump(tree)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_python_means_what_it_meant() -> None:
    """One in twenty modules of the standard library, with a notice put before it as well; the tokens of thousands are
    compared in `test_clean_properties.py`."""
    notice = "# Copyright (c) 2020 Jane Doe\n# Licensed under the MIT License.\n"
    changed = 0
    for file in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))[::20]:
        try:
            text = file.read_bytes().decode()
            before = without_docstring(text)
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        for given in (text, notice + text):
            left = cm.strip_header(given, language="python")
            if left == given:
                continue
            changed += 1
            assert without_docstring(left) == before, file
            if ast.get_docstring(ast.parse(text)) is None:
                assert tokens(left) == tokens(given), file
    assert changed > 50


BY = "Copyright (c) 2019-2021 Jane Doe. All rights reserved."
MIT = "Licensed under the MIT License."


@pytest.mark.parametrize(
    ("language", "first", "notice", "code"),
    [
        ("php", "#!/usr/bin/env php\n<?php\n\n", f"/*\n * {BY}\n */\n", "require 'x';"),
        ("php", "<?php\ndeclare(strict_types=1);\nnamespace A;\n", f"// {BY}\n", "f();"),
        ("vba", 'VERSION 1.0 CLASS\nBEGIN\n  A = -1\nEND\nAttribute VB_Name = "A"\n', f"' {BY}\n' {MIT}\n", "Sub x()"),
        (
            "visual basic 6.0",
            "VERSION 5.00\nBegin VB.Form A\n   Begin VB.Label B\n   End\nEnd\n",
            f"' {BY}\n",
            "Sub x()",
        ),
        ("racket", "#lang racket/base\n", f"; {BY}\n; {MIT}\n", "(define x 1)"),
        ("css", '@charset "utf-8";\n', f"/* {BY} */\n", "a{}"),
        ("texinfo", "\\input texinfo @c -*-texinfo-*-\n", f"@c {BY}\n@c {MIT}\n", "@node Top"),
        ("plantuml", "@startuml\n", f"' {BY}\n", "a -> b"),
        ("glsl", "#version 330 core\n", f"// {BY}\n", "void main() {}"),
        ("solidity", "pragma solidity ^0.8.0;\n", f"// {BY}\n", "contract A {}"),
        ("protocol buffer", 'syntax = "proto3";\n', f"// {BY}\n", "message A {}"),
        ("java", "package a.b;\n", f"// {BY}\n", "class A {}"),
        ("kotlin", '@file:JvmName("A")\n', f"/* {BY} */\n", "fun a() {}"),
        ("rust", "#![no_std]\n", f"// {BY}\n", "fn a() {}"),
        ("yacc", "%{\n", f"/* {BY} */\n", "#include <a.h>"),
        ("haml", "!!! 5\n", f"-# {BY}\n", "%div"),
        ("twig", "{% extends 'a' %}\n", f"{{# {BY} #}}\n", "<p>"),
        ("freemarker", '<#ftl output_format="HTML">\n', f"<#-- {BY} -->\n", "<p>"),
        ("vim script", "vim9script\n", f"# {BY}\n", "var x = 1"),
        ("pascal", "unit a;\n", f"{{ {BY} }}\n", "interface"),
        ("verilog", "`timescale 1ns/1ps\n", f"// {BY}\n", "module a;"),
        ("tcl", '#!/bin/sh\n# next \\\nexec tclsh "$0" "$@"\n', f"# {BY}\n", "puts 1"),
        ("markdown", "---\ntitle: x\n---\n", f"<!-- {BY} -->\n", "# T"),
        ("javascript", "'use client';\n", f"/* {BY} */\n", "a()"),
        ("gdscript", "extends Node\n", f"# {BY}\n", "var x"),
        ("matlab", "function x = f(y)\n", f"% {BY}\n", "x = y;"),
        ("postscript", "%!PS-Adobe-3.0\n", f"% {BY}\n% {MIT}\n", "/a 1 def"),
        ("org", "#+TITLE: x\n", f"# {BY}\n#\n# {MIT}\n", "* Title"),
        ("csharp", "// <auto-generated/>\n", f"// {BY}\n", "class A {}"),
    ],
)
def test_what_a_language_demands_in_first_place_stays(language: str, first: str, notice: str, code: str) -> None:
    assert cm.strip_header(f"{first}{notice}{code}\n", language=language) == f"{first}{code}\n"
    assert cm.strip_header(f"{first}{code}\n", language=language) == f"{first}{code}\n"


@pytest.mark.parametrize(
    ("language", "notice", "code"),
    [
        ("batchfile", f"@rem\n@rem {BY}\n@Rem {MIT}\n@rem\n", "set x=1"),
        ("lua", f"--[==[\n{BY}\nit's ]] so\n{MIT}\n]==]\n", "local x = 1"),
        ("cmake", f"#[=[\n{BY}\n{MIT}\n]=]\n", "set(x 1)"),
        ("asp.net", f"<%-- {BY}\n {MIT} --%>\n", "<p>"),
        ("html+erb", f"<%# {BY} %>\n<%# {MIT} %>\n", "<div>"),
        ("haml", f"-#\n  {BY}\n\n  {MIT}\n", "%div"),
        ("pug", f"//-\n  {BY}\n  {MIT}\n", "div"),
        ("slim", f"/ {BY}\n  {MIT}\n", "div"),
        ("sass", f"// {BY}\n   {MIT}\n", "a"),
        ("org", f"# {BY}\n#\n# {MIT}\n", "* Title"),
        ("org", f"#+begin_comment\n{BY}\n#+end_comment\n", "* Title"),
        ("restructuredtext", f".. {BY}\n   {MIT}\n", "Title\n====="),
        ("restructuredtext", f"..\n   {BY}\n   {MIT}\n", "Title\n====="),
        ("go template", f"{{{{- /* {BY} */ -}}}}\n", "<p>"),
        ("shen", f"\\* {BY}\n {MIT} *\\\n", "(define x)"),
        ("sql", f"rem {BY}\nREM {MIT}\n", "select 1;"),
        ("html", f"{{# {BY} #}}\n", "<p>"),
        ("applescript", f"-- {BY}\n", "tell x"),
        ("sas", f"* {BY};\n* {MIT};\n", "data a;"),
        ("unix assembly", f"@ {BY}\n@ {MIT}\n", "\t.text"),
    ],
)
def test_every_form_of_comment_can_be_a_notice(language: str, notice: str, code: str) -> None:
    assert cm.strip_header(f"{notice}{code}\n", language=language) == f"{code}\n"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("restructuredtext", f".. note:: {BY}\n\nTitle\n"),
        ("restructuredtext", f".. |by| replace:: {BY}\n\nTitle\n"),
        ("org", f"#+COPYRIGHT: {BY}\n* Title\n"),
        ("powershell", f"<#PSScriptInfo\n.COPYRIGHT {BY}\n#>\nGet-Item\n"),
        ("lua", f"--[==[\n{BY}\n]=]\nlocal x = 1\n"),
        ("haml", f"%div\n  -# {BY}\n"),
    ],
)
def test_what_only_looks_like_a_comment_stays(language: str, text: str) -> None:
    assert cm.strip_header(text, language=language) == text


def test_of_an_indented_comment_documentation_stays() -> None:
    text = f"-#\n  Reads it.\n\n  {BY}\n%div\n"
    assert cm.strip_header(text, language="haml") == "-#\n  Reads it.\n%div\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f'// <copyright file="b.cs" company="A">\n//   {BY}\n// </copyright>\n// <summary>Does b.</summary>\n', 1),
        (
            f"// ----------\n// <copyright>\n// {BY}\n// </copyright>\n// <author>J. Doe</author>\n// ----------\n",
            0,
        ),
        (f"// <copyright>{BY}</copyright>\n", 0),
        ('// <copyright see="prj:///doc/copyright.txt"/>\n// <license see="prj:///doc/license.txt"/>\n', 0),
        (f"/*\n * <pre>\n * {BY}\n * </pre>\n */\n", 0),
        ("/**\n * Adds.\n * <pre>\n * a + b\n * </pre>\n */\n", 6),
    ],
)
def test_tags_go_with_the_notice_they_frame(before: str, after: int) -> None:
    kept = "".join(before.splitlines(keepends=True)[-after:]) if after else ""
    assert cm.strip_header(f"{before}class A {{}}\n", language="csharp") == f"{kept}class A {{}}\n"


@pytest.mark.parametrize(
    "text", ["-#\n\n\n" * 60_000, "#\n" * 200_000, "--[==[" * 60_000, "{{/*" * 90_000, "..\n\n" * 90_000]
)
@pytest.mark.parametrize("language", ["haml", "org", "lua", "go template", "restructuredtext"])
def test_hostile_forms_take_no_time(text: str, language: str) -> None:
    started = time.perf_counter()
    cm.strip_header(text, language=language)
    assert time.perf_counter() - started < 2


def test_lines_that_end_in_carriage_returns_are_lines_to_every_signal() -> None:
    text = "import os\n\n# Reads.\nx = 1\n"
    content = pa.array([text, text.replace("\n", "\r")], pa.large_string())
    both = cm.measure(content, language="python")
    for name in both.schema.names:
        assert both.column(name)[0] == both.column(name)[1], name
