"""Sentences of headers: what sounds like a notice and is none stays, notices that people paste go whole."""

import pytest

import codemill as cm


@pytest.mark.parametrize(
    "line",
    [
        "Adenine (A), Cytosine (C), Guanine (G) and Thymine (T).",
        "Celsius (C), Fahrenheit (F), Kelvin (K)",
        "Temperature (C) 1980-2010 mean, in degrees",
        "As a special exception, the empty string is zero.",
        "In no event shall this be called from an interrupt.",
        "Permission is granted to a group, not to a person.",
        "You may obtain a copy of the settings by calling copy().",
        "This file is part of the test suite: it looks what the parser says of broken input.",
        "Implied warranty claims are handled by hand.",
        "Copyright: who holds the rights",
        "copyright  Copyright of the feed",
        'The footer is "© 2020 Acme" unless `owner` is set.',
    ],
)
def test_ordinary_sentences_with_words_of_notices_stay(line: str) -> None:
    for text in (f"# {line}\nimport os\n", f'"""Title.\n\n{line}\n"""\nimport os\n'):
        assert cm.strip_header(text, language="python") == text
    assert cm.strip_header(f"# Copyright 2020 Jane\n\n# {line}\nimport os\n", language="python").endswith(
        f"{line}\nimport os\n"
    )


@pytest.mark.parametrize(
    "line",
    ["rights of users and groups", "domain name lookups", "permission bits of a file", "perm.c - permissions of files"],
)
def test_one_everyday_word_below_a_claim_is_no_notice(line: str) -> None:
    text = f"/* Copyright 2019 Jane Doe\n * {line}\n */\nint a;\n"
    assert cm.strip_header(text, language="c") == f"/*\n * {line}\n */\nint a;\n"


def test_options_of_a_program_stay() -> None:
    usage = (
        '"""Usage: new.py [options]\n\nOptions:\n  -l, --license=NAME  License of the project\n'
        "                      [default: MIT License]\n  -c NAME  Copyright holder\n"
        '  --year=YEAR  Year of the copyright\n"""\nimport docopt\n'
    )
    assert cm.strip_header(usage, language="python") == usage
    shell = "# Options:\n#   --license LIC  the licence of it:\n#                  MIT License or BSD License\nset -e\n"
    assert cm.strip_header(shell, language="shell") == shell
    # An item of a list of conditions is none.
    item = "# Copyright 2020 Jane\n# -Redistributions of source code must retain the above copyright notice.\nset -e\n"
    assert cm.strip_header(item, language="shell") == "set -e\n"


def test_letters_of_a_menu_are_no_claims() -> None:
    menu = "/* Commands:\n *   (Q) Quit\n *   (C) Continue\n *   (S) Step\n */\nint a;\n"
    assert cm.strip_header(menu, language="c") == menu
    assert (
        cm.strip_header("// Intel(R) Core\n// (C) 2020 Intel\nint a;\n", language="c") == "// Intel(R) Core\nint a;\n"
    )


def test_a_title_before_a_claim_stays_without_a_mark_between() -> None:
    text = "/* hash.c - hash table of symbols (c) 2001 J. Doe */\nint a;\n"
    assert cm.strip_header(text, language="c") == "/* hash.c - hash table of symbols */\nint a;\n"


ZLIB = """\
This software is provided 'as-is', without any express or implied
warranty.  In no event will the authors be held liable for any damages
arising from the use of this software.

Permission is granted to anyone to use this software for any purpose,
including commercial applications, and to alter it and redistribute it
freely, subject to the following restrictions:

1. The origin of this software must not be misrepresented; you must not
   claim that you wrote the original software. If you use this software
   in a product, an acknowledgment in the product documentation would be
   appreciated but is not required.
2. Altered source versions must be plainly marked as such, and must not be
   misrepresented as being the original software.
3. This notice may not be removed or altered from any source distribution."""
ECLIPSE = """\
Copyright (c) 2000, 2010 IBM Corporation and others.
All rights reserved. This program and the accompanying materials
are made available under the terms of the Eclipse Public License v1.0
which accompanies this distribution, and is available at
http://www.eclipse.org/legal/epl-v10.html"""
RUST = """\
Licensed under the Apache License, Version 2.0 <LICENSE-APACHE or
http://www.apache.org/licenses/LICENSE-2.0> or the MIT license
<LICENSE-MIT or http://opensource.org/licenses/MIT>, at your
option. This file may not be copied, modified, or distributed
except according to those terms."""
CLOJURE = """\
Copyright (c) Rich Hickey. All rights reserved.
The use and distribution terms for this software are covered by the
Eclipse Public License 1.0 (http://opensource.org/licenses/eclipse-1.0.php)
which can be found in the file epl-v10.html at the root of this distribution.
By using this software in any fashion, you are agreeing to be bound by
the terms of this license.
You must not remove this notice, or any other, from this software."""
MOZILLA = """\
***** BEGIN LICENSE BLOCK *****
Version: MPL 1.1/GPL 2.0/LGPL 2.1

The contents of this file are subject to the Mozilla Public License Version
1.1 (the "License"); you may not use this file except in compliance with
the License.

The Original Code is mozilla.org code.

The Initial Developer of the Original Code is
Netscape Communications Corporation.
Portions created by the Initial Developer are Copyright (C) 1998
the Initial Developer. All Rights Reserved.

***** END LICENSE BLOCK *****"""
MAGENTO = """\
NOTICE OF LICENSE

This source file is subject to the Open Software License (OSL 3.0)
that is bundled with this package in the file LICENSE.txt.
It is also available through the world-wide-web at this URL:
http://opensource.org/licenses/osl-3.0.php
If you did not receive a copy of the license and are unable to
obtain it through the world-wide-web, please send an email
to license@example.com so we can send you a copy immediately."""


@pytest.mark.parametrize("notice", [ZLIB, ECLIPSE, RUST, CLOJURE, MOZILLA, MAGENTO])
def test_known_notices_go_whole(notice: str) -> None:
    lines = "".join(f" * {line}".rstrip() + "\n" for line in notice.splitlines())
    assert (
        cm.strip_header(f"/*\n{lines} */\n\n/* Counts words. */\nint a;\n", language="c")
        == "/* Counts words. */\nint a;\n"
    )
    lines = "".join(f"# {line}".rstrip() + "\n" for line in notice.splitlines())
    assert (
        cm.strip_header(f"{lines}\n# Counts words.\nimport os\n", language="python") == "# Counts words.\nimport os\n"
    )


@pytest.mark.parametrize("size", range(1000, 3200, 100))
def test_a_docstring_over_the_end_of_the_first_look_hides_no_notice(size: int) -> None:
    notice = "# Copyright 2020 Jane Doe. All rights reserved.\n" + "# Licensed under the MIT License.\n"
    rest = (
        "\"\"\"Reads texts of type '''str''' and ''bytes''.\n\n"
        + "It says u'...' here.\n" * (size // 21)
        + '"""\nimport os\n'
    )
    assert cm.strip_header(f"{notice}\n{rest}", language="python") == rest
