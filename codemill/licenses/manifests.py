"""What the manifest of a package says of its licence, as SPDX expressions.

A manifest is a stranger's file: what cannot be read says nothing. A `license` that is no SPDX expression and no known
name says nothing either; the text of the licence beside it will.
"""

from __future__ import annotations

import configparser
import email
import html
import json
import re
import tomllib
from collections.abc import Callable, Iterable
from typing import Any

from codemill.licenses.expressions import normal
from codemill.licenses.texts import recognise

MOST_CHARS = 1_000_000
"""Larger manifests are not read."""

_TROVE = "License :: "
_POM = re.compile(r"<license>.{0,2000}?<name>([^<]{1,500})</name>", re.DOTALL)
_LIST = r"""(\[[^\]]{0,500}\]|["'][^"'\n]{1,200}["'])"""
_QUOTED = re.compile(r"""["']([^"'\n]{1,200})["']""")
_SETUP_PY = re.compile(rf"\blicen[cs]e(?:_expression)?\s*=\s*{_LIST}")
_CLASSIFIER = re.compile(rf"""["']({_TROVE}[^"'\n]{{1,200}})["']""")
_FIELD = re.compile(r"^License:[ \t]*([^\n]{1,200})", re.MULTILINE)
_EVERY_FILE = re.compile(r"^Files:[ \t]*\*[ \t]*\n(?:[^\n]+\n){0,200}?License:[ \t]*([^\n]{1,200})", re.MULTILINE)

_FORMS = {
    name: re.compile(pattern, re.MULTILINE)
    for name, pattern in {
        ".gemspec": rf"\.licenses?\s*=\s*{_LIST}",
        ".podspec": rf"\.license\s*=\s*(?:\{{[^}}]{{0,200}}?\btype['\"]?\s*(?:=>|:)\s*)?{_LIST}",
        ".rockspec": rf"^\s*license\s*=\s*{_LIST}",
        ".nimble": rf"^\s*license\s*=\s*{_LIST}",
        ".opam": rf"^license:\s*{_LIST}",
        "opam": rf"^license:\s*{_LIST}",
        "mix.exs": rf"\blicenses:\s*{_LIST}",
        "dune-project": r"\(license\s+([^()\n]{1,200})\)",
        ".cabal": r"^license:[ \t]*([^\n]{1,200})",
        ".nuspec": r"""<license\s+type=["']expression["']\s*>([^<]{1,500})</license>""",
        ".csproj": r"<PackageLicenseExpression>([^<]{1,500})</PackageLicenseExpression>",
    }.items()
}
"""Manifests that no parser is needed for, by name or ending: the first match is a licence or a list of quoted ones."""
_BROKEN = (ValueError, RecursionError, KeyError, TypeError, AttributeError, configparser.Error)
"""What parsers raise for files that are none, or that are built to break them."""


def said(name: str, text: str) -> tuple[str, ...]:
    """The expressions that a manifest gives for its package, all of which apply; none if it gives none that is known.

    `name` is the file's own, such as package.json.

    >>> said("Cargo.toml", '[package]\\nlicense = "MIT/Apache-2.0"'), said("package.json", '{"license": "SEE LICENSE"}')
    (('MIT OR Apache-2.0',), ())
    """
    read, form = _READERS.get(name.lower()), _form(name)
    if len(text) > MOST_CHARS:
        return ()
    try:
        given = read(text) if read else _matched(form, text) if form else ()
        found = [normal(one) for one in given if isinstance(one, str)]
    except _BROKEN:
        return ()
    return tuple(dict.fromkeys(one for one in found if one is not None))


def is_manifest(name: str) -> bool:
    """Whether a file of this name is a manifest that can say something of a licence."""
    return name.lower() in _READERS or _form(name) is not None


def _form(name: str) -> str | None:
    """The key of `_FORMS` that a file's name has."""
    name = name.lower()
    ending = "." + name.rpartition(".")[2]
    return name if name in _FORMS else ending if ending in _FORMS else None


def _matched(form: str, text: str) -> list[str]:
    found = _FORMS[form].search(text)
    if found is None:
        return []
    names = _QUOTED.findall(found[1]) or [found[1].strip()]
    return [" OR ".join(names)] if len(names) > 1 and form == ".gemspec" else names  # RubyGems: a list means a choice


def _pyproject(text: str) -> Iterable[Any]:
    tables = tomllib.loads(text)
    project = tables.get("project", {})
    given = project.get("license", tables.get("tool", {}).get("poetry", {}).get("license"))
    if isinstance(given, dict):
        given = given.get("text")
    return _first(_one(given), _trove(project.get("classifiers", [])))


def _setup_cfg(text: str) -> Iterable[Any]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    given = parser.get("metadata", "license", fallback=None)
    return _first([given], _trove(parser.get("metadata", "classifiers", fallback="").splitlines()))


def _pkg_info(text: str) -> Iterable[Any]:
    head = email.message_from_string(text.partition("\n\n")[0])
    return _first([head.get("License-Expression")], _one(head.get("License")), _trove(head.get_all("Classifier", [])))


def _setup_py(text: str) -> Iterable[Any]:
    return _first(*([name] for found in _SETUP_PY.findall(text) for name in _QUOTED.findall(found)),
                  _trove(_CLASSIFIER.findall(text)))  # fmt: skip


def _one(given: Any) -> Iterable[Any]:
    """A field that is meant for a name, in which some put the whole text."""
    return recognise(given) if isinstance(given, str) and "\n" in given.strip() else [given]


def _first(*places: Iterable[Any]) -> Iterable[Any]:
    """Of several places where a licence can stand the first that says something known."""
    for place in places:
        known = [one for one in place if isinstance(one, str) and normal(one) is not None]
        if known:
            return known
    return []


def _trove(classifiers: Iterable[Any]) -> list[str]:
    names = (str(line).strip() for line in classifiers)
    return [name.rpartition(" :: ")[2] for name in names if name.startswith(_TROVE)]


def _package_json(text: str) -> Iterable[Any]:
    package = json.loads(text)
    given = package.get("license", package.get("licenses"))
    each = given if isinstance(given, list) else [given]
    names = [one.get("type") if isinstance(one, dict) else one for one in each]
    return [" OR ".join(map(str, names))] if len(names) > 1 else names  # npm: a list means a choice


def _composer(text: str) -> Iterable[Any]:
    given = json.loads(text).get("license")
    return [" OR ".join(map(str, given))] if isinstance(given, list) else [given]  # a list means a choice


def _cargo(text: str) -> Iterable[Any]:
    tables = tomllib.loads(text)
    package = tables.get("package", tables.get("workspace", {}).get("package", {}))
    return [package.get("license")]


def _pom(text: str) -> Iterable[Any]:
    names = [" ".join(html.unescape(name).split()) for name in _POM.findall(text)]
    spelled = [normal(name) for name in names]
    if len(names) > 1 and None not in spelled:
        return [" OR ".join(f"({one})" for one in spelled)]  # Maven: a list means a choice
    return names


def _description(text: str) -> Iterable[Any]:
    """R's DESCRIPTION: `MIT + file LICENSE`, `GPL (>= 2)`, `GPL-2 | GPL-3`."""
    found = _FIELD.search(text)
    if found is None or not re.search(r"^Package:", text, re.MULTILINE):
        return []
    written = re.sub(r"\s*\+\s*file\s+LICEN[CS]E", "", found[1])
    return _choice(re.sub(r"\s*\(>=\s*(\d(?:\.\d)?)\)", r" \1+", written).split("|"))


def _debian(text: str) -> Iterable[Any]:
    """Debian's copyright file: what it says of `Files: *`."""
    found = _EVERY_FILE.search(text)
    return _choice(re.split(r"\s+or\s+", found[1])) if found else []


def _choice(names: Iterable[str]) -> list[str]:
    """Of one of these licences, if all are known."""
    each = [normal(name) for name in names]
    return [" OR ".join(f"({one})" if " " in str(one) else str(one) for one in each)] if None not in each else []


_READERS: dict[str, Callable[[str], Iterable[Any]]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
    "pkg-info": _pkg_info,
    "metadata": _pkg_info,  # in a folder .dist-info
    "package.json": _package_json,
    "bower.json": _package_json,
    "vcpkg.json": _package_json,
    "elm.json": _package_json,
    "composer.json": _composer,
    "cargo.toml": _cargo,
    "pom.xml": _pom,
    "description": _description,
    "copyright": _debian,  # in a folder debian
}

NAMES = rf"{'|'.join(map(re.escape, sorted(_READERS)))}|[^/]*({'|'.join(map(re.escape, sorted(_FORMS)))})"
"""Names of manifests, in any case, as a regular expression of RE2."""
