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

MOST_CHARS = 1_000_000
"""Larger manifests are not read."""

_TROVE = "License :: "
_POM = re.compile(r"<license>.{0,2000}?<name>([^<]{1,500})</name>", re.DOTALL)
_GEMSPEC = re.compile(r"""\.licenses?\s*=\s*(\[[^\]]{0,500}\]|["'][^"']{1,200}["'])""")
_QUOTED = re.compile(r"""["']([^"']{1,200})["']""")
_BROKEN = (ValueError, RecursionError, KeyError, TypeError, AttributeError, configparser.Error)
"""What parsers raise for files that are none, or that are built to break them."""


def said(name: str, text: str) -> tuple[str, ...]:
    """The expressions that a manifest gives for its package, all of which apply; none if it gives none that is known.

    `name` is the file's own, such as package.json.

    >>> said("Cargo.toml", '[package]\\nlicense = "MIT/Apache-2.0"'), said("package.json", '{"license": "SEE LICENSE"}')
    (('MIT OR Apache-2.0',), ())
    """
    read = _READERS.get(name.lower()) or (_gemspec if name.lower().endswith(".gemspec") else None)
    if read is None or len(text) > MOST_CHARS:
        return ()
    try:
        found = [normal(one) for one in read(text) if isinstance(one, str)]
    except _BROKEN:
        return ()
    return tuple(dict.fromkeys(one for one in found if one is not None))


def is_manifest(name: str) -> bool:
    """Whether a file of this name is a manifest that can say something of a licence."""
    return name.lower() in _READERS or name.lower().endswith(".gemspec")


def _pyproject(text: str) -> Iterable[Any]:
    tables = tomllib.loads(text)
    project = tables.get("project", {})
    given = project.get("license", tables.get("tool", {}).get("poetry", {}).get("license"))
    if isinstance(given, dict):
        given = given.get("text")
    return _first([given], _trove(project.get("classifiers", [])))


def _setup_cfg(text: str) -> Iterable[Any]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    given = parser.get("metadata", "license", fallback=None)
    return _first([given], _trove(parser.get("metadata", "classifiers", fallback="").splitlines()))


def _pkg_info(text: str) -> Iterable[Any]:
    head = email.message_from_string(text.partition("\n\n")[0])
    return _first([head.get("License-Expression")], [head.get("License")], _trove(head.get_all("Classifier", [])))


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


def _gemspec(text: str) -> Iterable[Any]:
    found = _GEMSPEC.search(text)
    names = _QUOTED.findall(found[1]) if found else []
    return [" OR ".join(names)] if len(names) > 1 else names  # RubyGems: a list means a choice


_READERS: dict[str, Callable[[str], Iterable[Any]]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "pkg-info": _pkg_info,
    "metadata": _pkg_info,
    "package.json": _package_json,
    "composer.json": _composer,
    "cargo.toml": _cargo,
    "pom.xml": _pom,
}
