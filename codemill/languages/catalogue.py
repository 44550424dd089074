"""The catalogue of languages: read from table/*.toml once per process.

To add a language, add an entry to a new file in codemill/languages/table/. Nothing is compiled. Do not edit files that
begin with "# Generated": scripts/regenerate_languages.py rewrites them.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from codemill import _core
from codemill.errors import InputError, RecipeError, did_you_mean

Pair = tuple[str, str]


@dataclass(frozen=True)
class Language:
    """A language. Comment and string markers are empty if nobody has recorded them."""

    name: str  # the key: "python", "cpp"; RefineCode's spelling where it has one
    title: str  # Linguist's spelling: "Python", "C++"
    doc_type: str  # code | data | text
    group: str | None = None  # the language it counts as, for dialects and templates
    popular: bool = False  # taken first where several fit and nothing else decides
    extensions: tuple[str, ...] = ()  # with the dot; the usual one first
    filenames: tuple[str, ...] = ()  # exact names
    interpreters: tuple[str, ...] = ()  # after `#!`, without folder and minor version
    aliases: tuple[str, ...] = ()  # names in modelines
    line_comments: tuple[str, ...] = ()  # openers of a comment to the end of the line
    block_comments: tuple[Pair, ...] = ()  # openers and closers
    nested_comments: bool = False  # whether block comments nest
    comment_places: tuple[
        Pair, ...
    ] = ()  # openers and where they can begin one: blank, line_start, column_0, statement
    strings: tuple[Pair, ...] = ()  # openers and closers, backslash escapes; longer openers first
    raw_strings: tuple[Pair, ...] = ()  # the same without escapes
    one_line_strings: bool = False  # whether strings end with their line
    dialect: str | None = None  # the language whose literals it has: heredocs, templates, regular expressions
    head_line_comments: tuple[str, ...] = ()  # comments that can only stand before the first code
    head_block_comments: tuple[Pair, ...] = ()  # the same, openers and closers


PLACES = ("blank", "line_start", "column_0", "statement")
FIELDS = {field.name: field for field in dataclasses.fields(Language)}


@functools.cache
def all() -> tuple[Language, ...]:
    """Every language, in the order of titles (which is the order of candidates in detection).

    Raises: InputError if an entry of the table is malformed or defined twice.

    >>> len(all()) >= 700
    True
    """
    return _load(files("codemill.languages").joinpath("table"))


def get(name: str) -> Language:
    """The language of that key, title or alias, in any case: "cpp", "C++", "Shell". A key counts before a title, and
    that before an alias.

    Raises: RecipeError with the nearest names.

    >>> get("cpp").title, get("C++").name, get("golang").name
    ('C++', 'cpp', 'go')
    """
    key = name.strip().lower()
    language = _by_name().get(name) or _by_name().get(key) or _by_other_name().get(key)
    if language is None:
        titles = (la.title.lower() for la in all())
        near = did_you_mean(key, dict.fromkeys([*_by_name(), *titles, *_by_other_name()]))
        raise RecipeError(f"there is no language {name!r}", remedy=near)
    return language


@functools.cache
def native() -> _core.LanguageTable:
    """The table compiled for detection, once per process (about 0.1 s).

    Raises: InputError if a pattern does not compile or a rule names an unknown language.
    """
    folder = files("codemill.languages")
    heuristics = tomllib.loads(folder.joinpath("heuristics.toml").read_text("utf-8"))
    clues = tomllib.loads(folder.joinpath("clues.toml").read_text("utf-8"))
    unknown = clues.pop("unknown", [])
    paths = tomllib.loads(folder.joinpath("paths.toml").read_text("utf-8"))
    rules = [
        {
            "extensions": group["extensions"],
            "rules": [{"when": [], "unless": [], **rule} for rule in group["rules"]],
        }
        for group in heuristics["disambiguation"]
    ]
    model = folder.joinpath("classifier.bin")
    try:
        return _core.LanguageTable(
            languages=[dataclasses.asdict(language) for language in all()],
            disambiguations=rules,
            clues=[{"language": name, "sure": [], "likely": [], "never": [], **clue} for name, clue in clues.items()],
            unknown=[{"unless": [], **group} for group in unknown],
            vendored=paths["vendored"],
            generated=paths["generated"],
            generic=paths["generic"],
            classifier=model.read_bytes() if model.is_file() else b"",
        )
    except ValueError as error:
        raise InputError(str(error), where=folder, remedy="correct the table's TOML file") from error


@functools.cache
def syntaxes() -> _core.Syntaxes:
    """The comments and strings of every language, as the native core reads them; once per process.

    >>> len(syntaxes()) == len(all())
    True
    """
    return _core.Syntaxes([dataclasses.asdict(language) for language in all()])


@functools.cache
def fingerprint() -> str:
    """The hash of the tables of detection, 16 hex digits: part of the identity of every table it labels."""
    hash, folder = hashlib.sha256(), files("codemill.languages")
    tables = [*folder.joinpath("table").iterdir(), *folder.iterdir()]
    for file in sorted((f for f in tables if f.name.endswith((".toml", ".bin"))), key=lambda f: f.name):
        hash.update(f"{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return hash.hexdigest()[:16]


@functools.cache
def _by_name() -> dict[str, Language]:
    return {language.name: language for language in all()}


@functools.cache
def _by_other_name() -> dict[str, Language]:
    """Languages by title and alias in small letters; of two with one name the first by title."""
    found: dict[str, Language] = {}
    for language in all():
        found.setdefault(language.title.lower(), language)
    for language in sorted(all(), key=lambda language: not language.popular):
        for alias in language.aliases:
            found.setdefault(alias.lower(), language)
    return found


def _load(folder: Traversable) -> tuple[Language, ...]:
    languages: dict[str, tuple[Language, str]] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            entries = tomllib.loads(file.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"the table is not TOML: {error}", where=file) from error
        for name, entry in entries.items():
            if name in languages:
                raise InputError(f"the language {name!r} is also defined in {languages[name][1]}", where=file)
            languages[name] = (_language(name, entry, file), file.name)
    return tuple(sorted((language for language, _ in languages.values()), key=lambda language: language.title))


def _language(name: str, entry: dict[str, Any], file: Traversable) -> Language:
    where = f"{file}, [{name}]"
    for field in entry:
        if field not in FIELDS or field == "name":
            raise InputError(f"unknown field {field!r}", where=where, remedy=did_you_mean(field, FIELDS))
    for required in ("title", "doc_type"):
        if required not in entry:
            raise InputError(f"the field {required!r} is missing", where=where)
    if entry["doc_type"] not in ("code", "data", "text"):
        raise InputError(f"doc_type must be code, data or text, not {entry['doc_type']!r}", where=where)
    for extension in entry.get("extensions", ()):
        if not extension.startswith("."):
            raise InputError(f"the extension {extension!r} does not begin with a dot", where=where)
    for opener, place in entry.get("comment_places", ()):
        if place not in PLACES:
            raise InputError(f"{opener!r} cannot begin at {place!r}", where=where, remedy=did_you_mean(place, PLACES))
    return Language(name=name, **{field: _frozen(value) for field, value in entry.items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
