"""Licences: recognised by their words, read from manifests, spread down the tree, chosen by."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill import licenses
from codemill.licenses import Choice, normal, recognise, speaks, what_it_says
from codemill.licenses.manifests import said
from codemill.licenses.texts import known
from codemill.sources import Folder, Metadata
from codemill.steps import ingest
from codemill.steps import licenses as step

ROOT = Path(__file__).resolve().parent.parent
APACHE = (ROOT / "LICENSE").read_text()
ISC = """Copyright (c) 2020, A. Author

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted, provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
"""
MIT_0 = """Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
NOTICE = (
    "The above copyright notice and this permission notice shall be included in all copies or substantial portions "
    "of the Software."
)
MIT = MIT_0.replace("to do so.", f"to do so, subject to the following conditions:\n\n{NOTICE}")
BSD_2 = """Redistribution and use in source and binary forms, with or without modification, are permitted provided that
the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following
disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
disclaimer in the documentation and/or other materials provided with the distribution.
CLAUSE
THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF
THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""
NAMES = """3. Neither the name of Acme Inc. nor the names of its contributors may be used to endorse or promote products
derived from this software without specific prior written permission.
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (APACHE, ("Apache-2.0",)),
        (ISC, ("ISC",)),
        (MIT, ("MIT",)),
        (MIT_0, ("MIT-0",)),
        (BSD_2.replace("CLAUSE", ""), ("BSD-2-Clause",)),
        (BSD_2.replace("CLAUSE", NAMES), ("BSD-3-Clause",)),
        (BSD_2.replace("CLAUSE", NAMES.replace("Acme Inc.", "Jane Q. Public & Sons GmbH & Co. KG")), ("BSD-3-Clause",)),
        ("The MIT License\n\nCopyright 2020 X\n\n" + "\n".join(f" * {line}" for line in MIT.splitlines()), ("MIT",)),
        (MIT + "\n\n----\n\n" + APACHE, ("Apache-2.0", "MIT")),
        (MIT[: len(MIT) // 2], ()),
        ("All rights reserved. You may look at it.", ()),
        ("", ()),
        ("word " * 300_000, ()),
    ],
)
def test_texts_are_recognised_by_their_words(text: str, expected: tuple[str, ...]) -> None:
    assert recognise(text) == expected


def test_more_than_fifty_three_licences_are_known_and_few_words_tell_none() -> None:
    assert len(known()) >= 53
    assert all(len(one.sample) >= 12 and one.words >= 12 for one in known().values())
    for one in known().values():
        assert all(rival in known() for rival in one.rivals)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("(MIT AND Zlib) or gpl-2.0+", "(MIT AND Zlib) OR GPL-2.0-or-later"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("BSD", None),
        ("NOASSERTION", None),
        ("SEE LICENSE IN LICENSE.txt", None),
        ("MIT OR", None),
        ("((((((((((MIT", None),
        ("(" * 100_000, None),
        ("MIT " * 1000, None),
    ],
)
def test_names_are_put_right(written: str, expected: str | None) -> None:
    assert normal(written) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pyproject.toml", '[project]\nlicense = "MIT OR Apache-2.0"', ("MIT OR Apache-2.0",)),
        ("pyproject.toml", '[project]\nlicense = {text = "BSD-3-Clause"}', ("BSD-3-Clause",)),
        ("pyproject.toml", '[project]\nclassifiers = ["License :: OSI Approved :: MIT License"]', ("MIT",)),
        ("pyproject.toml", '[tool.poetry]\nlicense = "ISC"', ("ISC",)),
        ("setup.cfg", "[metadata]\nlicense = MIT\n", ("MIT",)),
        ("setup.cfg", "[metadata]\nlicense = %(odd)s\nclassifiers =\n  License :: OSI Approved :: ISC License (ISCL)\n",
         ("ISC",)),
        ("PKG-INFO", "Name: a\nLicense-Expression: Apache-2.0\nLicense: whatever\n\nMIT", ("Apache-2.0",)),
        ("PKG-INFO", "Name: a\nClassifier: License :: OSI Approved :: Apache Software License\n\n", ("Apache-2.0",)),
        ("package.json", '{"license": "(MIT OR Zlib)"}', ("MIT OR Zlib",)),
        ("package.json", '{"licenses": [{"type": "MIT"}, {"type": "ISC"}]}', ("MIT OR ISC",)),
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"', ("MIT OR Apache-2.0",)),
        ("Cargo.toml", "[package]\nlicense.workspace = true", ()),
        ("pom.xml", "<licenses><license><name>The Apache Software License, Version 2.0</name></license></licenses>",
         ("Apache-2.0",)),
        ("a.gemspec", "s.licenses = ['MIT', \"Ruby\"]", ("MIT OR Ruby",)),
        ("composer.json", '{"license": ["LGPL-2.1-only", "GPL-3.0-or-later"]}', ("LGPL-2.1-only OR GPL-3.0-or-later",)),
        ("METADATA", f"Name: a\nLicense: {MIT.replace(chr(10), chr(10) + ' ' * 8)}\nAuthor: b\n\n", ("MIT",)),
        ("setup.py", "setup(name='a', license=LICENSE, classifiers=[\n 'License :: OSI Approved :: MIT License'])",
         ("MIT",)),
        ("setup.py", 'setup(license="Apache 2.0")', ("Apache-2.0",)),
        ("bower.json", '{"license": "MIT"}', ("MIT",)),
        ("DESCRIPTION", "Package: a\nLicense: MIT + file LICENSE\n", ("MIT",)),
        ("DESCRIPTION", "Package: a\nLicense: GPL (>= 2)\n", ("GPL-2.0-or-later",)),
        ("DESCRIPTION", "Package: a\nLicense: GPL-2 | BSD_3_clause + file LICENSE\n",
         ("GPL-2.0-only OR BSD-3-Clause",)),
        ("DESCRIPTION", "License: MIT\n", ()),  # of anything else
        ("copyright", "Format: x\n\nFiles: *\nCopyright: a\nLicense: Expat or GPL-2+\n\nFiles: d/*\nLicense: ISC\n",
         ("MIT OR GPL-2.0-or-later",)),
        ("copyright", "Files: *\nCopyright: a\n\nFiles: d/*\nLicense: ISC\n", ()),
        ("a.podspec", "s.license = { :type => 'MIT', :file => 'LICENSE' }", ("MIT",)),
        ("a-1.rockspec", 'description = {\n   license = "MIT/X11"\n}', ("MIT",)),
        ("a.nimble", 'license       = "MIT"', ("MIT",)),
        ("a.cabal", "name: a\nlicense:   BSD-3-Clause\n", ("BSD-3-Clause",)),
        ("a.opam", 'license: ["MIT" "ISC"]', ("MIT", "ISC")),
        ("dune-project", "(name a)\n(license MIT)", ("MIT",)),
        ("mix.exs", 'package: [licenses: ["Apache-2.0"], links: %{}]', ("Apache-2.0",)),
        ("A.nuspec", '<license type="expression">MIT OR ISC</license>', ("MIT OR ISC",)),
        ("A.csproj", "<PackageLicenseExpression>MIT</PackageLicenseExpression>", ("MIT",)),
        ("package.json", "[" * 100_000, ()),
        ("package.json", '{"license": 3}', ()),
        ("package.json", "[]", ()),
        ("pyproject.toml", "a = " + "[" * 5000, ()),
        ("pyproject.toml", "project = 3", ()),
        ("setup.cfg", "nonsense", ()),
        ("README.md", "License: MIT", ()),
    ],
)  # fmt: skip
def test_manifests_are_read_and_broken_ones_say_nothing(name: str, text: str, expected: tuple[str, ...]) -> None:
    assert said(name, text) == expected


@pytest.mark.parametrize(
    ("path", "speaking"),
    [
        ("LICENSE", True), ("a/LICENCE.md", True), ("LICENSE-MIT", True), ("COPYING.LESSER", True), ("UNLICENSE", True),
        ("MIT-LICENSE.txt", True), ("LICENSES/MIT.txt", True), ("x.dist-info/METADATA", True), ("METADATA", False),
        ("license.py", False), ("src/License.java", False), ("THIRD-PARTY-LICENSES", False), ("licensed.txt", False),
        ("docs/create-license-configuration.rst", False), ("Cargo.toml", True), ("LICENSE/readme", False),
        ("x.dist-info/RECORD", True), ("RECORD", False), ("debian/copyright", True), ("src/copyright", False),
    ],
)  # fmt: skip
def test_which_files_speak(path: str, speaking: bool) -> None:
    assert speaks(path) is speaking
    assert not speaking or pc.match_substring_regex(pa.scalar(path), licenses.FILES).as_py()


def test_short_texts_are_read_for_what_they_name() -> None:
    dual = "This project is dual-licensed under the Unlicense and MIT licenses.\n"
    found = what_it_says("COPYING", dual)
    assert found is not None
    assert found.licenses == ("Unlicense OR MIT",)
    assert what_it_says("LICENSE", "See the other files.") == licenses.Said("", (), False)
    assert what_it_says("LICENSE", None) == licenses.Said("", (), False)


def repository(root: Path) -> Path:
    """Folders under different licences, a copy of GPL code, and one with a text that nobody knows."""
    for path, text in {
        "app/LICENSE": MIT,
        "app/main.py": "print(1)\n",
        "app/deep/er/x.py": "print(2)\n",
        "app/vendor/gpl/LICENSE": "SPDX-License-Identifier: GPL-2.0-only\n",
        "app/vendor/gpl/y.c": "int y;\n",
        "app/odd/LICENSE": "You may use this on Tuesdays only, and never with cheese.\n" * 20,
        "app/odd/z.py": "print(3)\n",
        "dual/package.json": '{"license": "MIT OR GPL-3.0-only"}\n',
        "dual/LICENSE-MIT": MIT,
        "dual/index.js": "f(1)\n",
        "none/a.py": "print(4)\n",
        "odd/LICENSE": "Cheese is forbidden.\n" * 50,
        "odd/b.py": "print(5)\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def built(
    root: Path, out: Path, metadata: Metadata | None = None, **choice: tuple[str, ...]
) -> dict[str, tuple[object, ...]]:
    """Verdict, reason, value and licence of every file."""
    table = step.spread(ingest.documents(sources=(Folder(str(root)),), metadata=metadata))
    cm.build(step.keep(table, **choice), out=out, workers=1)
    ledger = pq.read_table(out / "ledger").to_pylist()
    return {f"{r['repo']}/{r['path']}": (r["verdict"], r["reason"], r["value"], r["license"]) for r in ledger}


def test_licences_spread_down_the_tree_and_the_nearest_counts(tmp_path: Path) -> None:
    (tmp_path / "stars.csv").write_text("repo,license\nodd,Zlib\napp,Zlib\nnone,Zlib\n")
    root = repository(tmp_path / "in")
    found = built(root, tmp_path / "out", Metadata(str(tmp_path / "stars.csv")))
    stated = {path: row[3] for path, row in found.items()}
    assert stated == {
        "app/LICENSE": ["MIT"], "app/main.py": ["MIT"], "app/deep/er/x.py": ["MIT"],
        "app/vendor/gpl/LICENSE": ["GPL-2.0-only"], "app/vendor/gpl/y.c": ["GPL-2.0-only"],
        "app/odd/LICENSE": ["NOASSERTION"], "app/odd/z.py": ["NOASSERTION"],
        "dual/package.json": ["MIT OR GPL-3.0-only"], "dual/LICENSE-MIT": ["MIT OR GPL-3.0-only"],
        "dual/index.js": ["MIT OR GPL-3.0-only"],
        "none/a.py": ["Zlib"], "odd/LICENSE": ["Zlib"], "odd/b.py": ["Zlib"],
    }  # fmt: skip
    assert {row[0] for row in found.values()} == {"kept"}


def test_a_package_is_under_what_the_folder_beside_it_says(tmp_path: Path) -> None:
    """Of a wheel all of it; where packages lie side by side each folder that a RECORD or top_level.txt names."""
    for path, text in {
        "wheel/a/b.py": "print(1)\n",
        "wheel/a-1.dist-info/METADATA": "Name: a\nLicense-Expression: ISC\n\n",
        "wheel/a-1.dist-info/licenses/LICENSE": ISC,
        "side/p/x.py": "print(2)\n",
        "side/p-1.dist-info/METADATA": "Name: p\nClassifier: License :: OSI Approved :: MIT License\n\n",
        "side/p-1.dist-info/RECORD": "p/__init__.py,,\np/x.py,,\n../../bin/p,,\np-1.dist-info/METADATA,,\n",
        "side/ns/cloud/y.py": "print(3)\n",
        "side/ns/other.py": "print(4)\n",
        "side/ns_cloud-2.dist-info/METADATA": "Name: ns-cloud\nLicense: Apache 2.0\n\n",
        "side/ns_cloud-2.dist-info/RECORD": '"ns/cloud/y.py",sha256=x,9\nns/cloud/z/w.py,,\n',
        "side/egg/e.py": "print(5)\n",
        "side/e.egg-info/PKG-INFO": "Name: e\nLicense: Zlib\n\n",
        "side/e.egg-info/top_level.txt": "egg\n",
        "side/bare/f.py": "print(6)\n",
        "side/bare-1.dist-info/RECORD": "bare/f.py,,\n",
    }.items():
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_text(text)
    stated = {path: row[3] for path, row in built(tmp_path / "in", tmp_path / "out").items() if path.endswith(".py")}
    assert stated == {
        "wheel/a/b.py": ["ISC"], "side/p/x.py": ["MIT"], "side/ns/cloud/y.py": ["Apache-2.0"], "side/ns/other.py": None,
        "side/egg/e.py": ["Zlib"], "side/bare/f.py": None,
    }  # fmt: skip


def test_files_are_kept_by_licence(tmp_path: Path) -> None:
    root = repository(tmp_path / "in")
    found = built(root, tmp_path / "mit", only=("mit",))
    assert sorted(path for path, row in found.items() if row[0] == "kept") == [
        "app/LICENSE", "app/deep/er/x.py", "app/main.py", "dual/LICENSE-MIT", "dual/index.js", "dual/package.json",
    ]  # fmt: skip
    assert found["app/vendor/gpl/y.c"][1:3] == ("license_not_kept", "GPL-2.0-only")
    assert found["app/odd/z.py"][1:3] == ("license_unknown", "NOASSERTION")
    assert found["none/a.py"][1:3] == ("license_unknown", None)
    found = built(root, tmp_path / "no", never=("*GPL*",))
    assert sorted(path for path, row in found.items() if row[0] == "dropped") == [
        "app/vendor/gpl/LICENSE", "app/vendor/gpl/y.c",
    ]  # fmt: skip
    found = built(root, tmp_path / "known", never=("unknown",))
    assert {row[1] for row in found.values()} == {None, "license_unknown"}


def test_choices_hold_expressions_against_names() -> None:
    permissive = Choice(("MIT", "Apache-2.0"), ())
    assert permissive.takes(["MIT AND Apache-2.0"])
    assert not permissive.takes(["MIT AND GPL-2.0-only"])
    assert permissive.takes(["(GPL-2.0-only AND Zlib) OR MIT"])
    assert not permissive.takes([])
    assert not permissive.takes(["whatever it is"])
    assert Choice(("GPL-2.0*",), ()).takes(["GPL-2.0-only WITH Classpath-exception-2.0"])
    assert not Choice(("GPL-2.0-only WITH Classpath-exception-2.0",), ()).takes(["GPL-2.0-only"])
    assert Choice(("unknown",), ()).takes(None)


def test_a_licence_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(cm.RecipeError, match=r"'Apache-3' is not the SPDX id.*apache-2\.0"):
        step.keep(ingest.documents(sources=()), only=("Apache-3",))
    with pytest.raises(cm.RecipeError, match=r"no licence fits 'GLP-\*"):
        step.keep(ingest.documents(sources=()), never=("GLP-*",))
    with pytest.raises(cm.RecipeError, match="one licence"):
        step.keep(ingest.documents(sources=()), only=("MIT OR ISC",))


def test_rows_of_many_repositories_do_not_mix() -> None:
    rows = [
        ("a" * 16, "", False, {"folder": "", "licenses": ["MIT"], "manifest": False, "package": []}),
        ("b" * 16, "x", False, None),
    ]
    keys = pa.table(
        {
            "part": pa.array([0, 1], pa.int32()),
            "row": pa.array([5, 6], pa.int64()),
            "unit": pa.array([row[0].encode() for row in rows], pa.binary(16)),
            "folder": [row[1] for row in rows],
            "known": [row[2] for row in rows],
            "said": pa.array([row[3] for row in rows], step.SAID),
        }
    )
    assert step.spread.function(keys).to_pylist() == [{"part": 0, "row": 5, "license": ["MIT"]}]
    assert step.spread.function(keys.slice(1)).num_rows == 0
