"""Which files of a repository speak of a licence, what each says, and for which folder.

A file LICENSE, COPYING … or a manifest speaks for its folder and everything below, as far as no other one is nearer.
One in a folder `LICENSES` or `licenses` speaks for the folder above, and so does debian/copyright. Lists of what
others' code is under (NOTICE, THIRD-PARTY-LICENSES) speak for nothing.

What lies in a folder `x.dist-info` or `x.egg-info` speaks for the package that this describes: for all beside it where
no other one lies there (a wheel, a source tree), else for the folders that its RECORD or top_level.txt names.
"""

from __future__ import annotations

import os.path
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from codemill.licenses.expressions import NO_ASSERTION, named_in, names_of, normal
from codemill.licenses.manifests import MOST_CHARS, NAMES, is_manifest, said
from codemill.licenses.texts import recognise

SHORT = 600
"""Characters of a text that names licences instead of holding one."""

_NAME = r"([\w.+-]*[-_.])?((un)?licen[cs]es?|copying|copyleft)(\.[\w+]*)?|((un)?licen[cs]es?|copying)([-_.][\w.+-]*)?"

FILES = rf"(?i)(^|/)({_NAME}|{NAMES}|licenses/[^/]+|[^/]*\.(dist|egg)-info/(record|top_level\.txt))$"
"""Paths that can speak, as a regular expression of RE2; `speaks` says which of them do."""

_INFO = (".dist-info", ".egg-info")
_ONLY_IN = {"metadata": _INFO, "record": _INFO, "top_level.txt": _INFO, "copyright": ("debian",)}
"""Names that mean something only in folders that end so."""

_TEXT = re.compile(rf"(?i)^({_NAME})$")
_CODE = re.compile(
    r"(?i)\.(py|pyi|pyc|js|mjs|cjs|jsx|ts|tsx|map|java|kt|scala|go|rs|c|cc|cpp|h|hpp|cs|rb|php|pl|pm|sh|swift|lua|sql|r"
    r"|json|jsonl|xml|toml|ya?ml|ini|cfg|csv|css|scss|less|vue|svg|png|gif|jpe?g|ico|pdf|tmpl|j2|jinja2?|erb|ejs|ftl"
    r"|snap|lock|spec|proto|gradle|patch|diff|sig|asc|md5|sha\d+)$"
)
_OTHERS = re.compile(r"(?i)third.?part|3rd.?party|dependenc|vendor|bundled|all.?licen[cs]es|notice")
_SPDX = re.compile(r"SPDX-License-Identifier:[ \t]*([^\r\n*]{1,300})")


@dataclass(frozen=True)
class Said:
    """What one file says: `folder` ("" is the repository's root) is under `licenses`, all of which apply."""

    folder: str
    licenses: tuple[str, ...]  # SPDX expressions; none: of a licence file, that it was not recognised
    manifest: bool
    package: tuple[str, ...] = ()  # of a RECORD, which says no more: the folders of the package


def speaks(path: str) -> bool:
    """Whether a file at this path can say what a folder is under.

    >>> [speaks(path) for path in ("LICENSE-MIT", "src/license.py", "a/COPYING.LESSER", "THIRD_PARTY_LICENSES.txt")]
    [True, False, True, False]
    """
    folder, _, name = path.rpartition("/")
    if name.lower() in _ONLY_IN:
        return folder.lower().endswith(_ONLY_IN[name.lower()])
    if is_manifest(name):
        return True
    if _CODE.search(name) or _OTHERS.search(name):
        return False
    return bool(_TEXT.match(name)) or folder.rpartition("/")[2] == "LICENSES"  # as REUSE has it


def what_it_says(path: str, text: str | None) -> Said | None:
    """What a file of which `speaks` is true says. None: nothing. `text` None: it could not be read.

    >>> what_it_says("sub/LICENSE", "SPDX-License-Identifier: MIT OR Apache-2.0")
    Said(folder='sub', licenses=('MIT OR Apache-2.0',), manifest=False, package=())
    """
    folder, _, name = path.rpartition("/")
    above, _, last = folder.rpartition("/")
    if name.lower() in ("record", "top_level.txt"):
        package = _package(name.lower(), text or "")
        return Said(folder, (), True, tuple(f"{above}/{one}" if above else one for one in package))
    if is_manifest(name):
        found = said(name, text or "")
        return Said(above if name.lower() == "copyright" else folder, found, True) if found else None
    return Said(above if last.lower() == "licenses" else folder, _of_text(text or ""), False)


def _of_text(text: str) -> tuple[str, ...]:
    found = recognise(text)
    if found:
        return found
    declared = [normal(one) for one in _SPDX.findall(text[:10_000])]
    if any(declared):
        return tuple(dict.fromkeys(one for one in declared if one))
    if len(text) > SHORT:
        return ()
    whole = normal(text)
    names = named_in(text)
    if whole or len(names) < 2:
        return (whole,) if whole else names
    choice = re.search(r"(?i)\b(either|or|dual|at your option|choice)\b|dual[- ]licen[cs]ed", text)
    return (" OR ".join(names),) if choice else names


def _package(name: str, text: str) -> list[str]:
    """The folders of a package, of its RECORD (paths and hashes, as CSV) or top_level.txt (modules)."""
    lines = text[:MOST_CHARS].splitlines()
    if name == "top_level.txt":
        return [line.strip() for line in lines if line.strip()]
    tops = defaultdict(list)
    for line in lines:
        folder = os.path.dirname(line.strip('"').split(",")[0])
        top = folder.partition("/")[0]
        if top not in ("", "..", "__pycache__") and not top.endswith((*_INFO, ".data")):
            tops[top].append(folder)
    return [os.path.commonpath(folders) for folders in tops.values()]  # of a namespace only its own part


def by_folder(found: Iterable[Said]) -> dict[str, tuple[str, ...]]:
    """What the folders of one repository are under, as far as files say something of them.

    >>> mit, record = Said("a-1.dist-info", ("MIT",), True), Said("a-1.dist-info", (), True, ("a",))
    >>> by_folder([mit]), by_folder([mit, record, Said("b-2.dist-info", ("ISC",), True)])["a"]
    ({'a-1.dist-info': ('MIT',), '': ('MIT',)}, ('MIT',))
    """
    said: dict[str, list[Said]] = defaultdict(list)
    packages: dict[str, set[str]] = defaultdict(set)
    for one in found:
        if one.licenses or not one.manifest:
            said[one.folder].append(one)
        else:
            packages[one.folder].update(one.package)
    described = [folder for folder in sorted({*said, *packages}) if folder.lower().endswith(_INFO)]
    beside = Counter(_above(folder) for folder in described)
    for folder in described:
        alone = beside[_above(folder)] == 1
        for place in [_above(folder)] if alone else packages[folder]:
            said[place] += said[folder]
    return {folder: together(each) for folder, each in said.items() if each}


def _above(folder: str) -> str:
    return folder.rpartition("/")[0]


def together(found: Iterable[Said]) -> tuple[str, ...]:
    """What the files of one folder say together: the manifests' expressions, and texts that none of these names.

    NOASSERTION: only texts that were not recognised. The text of the LGPL 3 is beside that of the GPL 3, to which it
    adds permissions.

    >>> texts = [Said("", ("MIT",), False), Said("", ("Apache-2.0",), False)]
    >>> together([*texts, Said("", ("MIT OR Apache-2.0",), True)]), together(texts)
    (('MIT OR Apache-2.0',), ('Apache-2.0', 'MIT'))
    """
    found = list(found)
    stated = {one for said in found if said.manifest for one in said.licenses}
    named = {_family(name) for one in stated for name in names_of(one)}
    texts = {one for said in found if not said.manifest for one in said.licenses}
    if any(_family(one) == "LGPL-3.0" for one in texts | stated):
        texts = {one for one in texts if _family(one) != "GPL-3.0"}
    more = {one for one in texts if not {_family(name) for name in names_of(one)} <= named}
    return tuple(sorted(stated | more)) or (NO_ASSERTION,)


def _family(name: str) -> str:
    """A licence of the GNU family without the word on later versions, which its text does not say."""
    return name.removesuffix("-only").removesuffix("-or-later")
