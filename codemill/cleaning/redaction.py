"""Redacts texts in memory: replaces personal data and secrets by placeholders. See docs/cleaning.md.

For notebooks and `codemill redact`. `steps/clean.py` does the same for tables of any size. Placeholders are counted and
located; the values are in no log and no table.
"""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core, languages
from codemill.columns import Column, column
from codemill.document import KINDS
from codemill.errors import RecipeError, did_you_mean
from codemill.machine.identity import digest

RULES_VERSION = 6  # of the native rules: another number, other findings

BARE = frozenset(
    {"apacheconf", "asciidoc", "batchfile", "creole", "curl config", "desktop", "diff", "dockerfile", "dotenv"}
    | {"e-mail", "fish", "gherkin", "git config", "haproxy", "hocon", "hosts file", "html", "http", "ini", "irc log"}
    | {"java properties", "kickstart", "makefile", "markdown", "muse", "nginx", "npm config", "org", "pod", "procfile"}
    | {"rdoc", "restructuredtext", "robotframework", "roff", "roff manpage", "rpm spec", "shell", "shellsession"}
    | {"alpine abuild", "gentoo ebuild", "gentoo eclass", "just", "openrc runscript", "readline config", "singularity"}
    | {"ssh config", "tcl", "tcsh", "tex", "texinfo", "text", "textile", "vcl", "wget config", "wikitext", "yaml"}
)
"""Languages in which a value needs no quotes: `PASSWORD=…`. In code, an unquoted value is an expression. A file of
unknown language is data, configuration or a log, and is read like these."""

Pattern = Mapping[str, Any]


@dataclass(frozen=True)
class Redaction:
    """A text with placeholders, and the number of each kind."""

    content: str
    counts: dict[str, int]


def formats() -> tuple[dict[str, Any], ...]:
    """The table of key formats (`key_formats.toml`), one entry each."""
    return tuple(dict(entry) for entry in _table())


@functools.cache
def _table() -> list[dict[str, Any]]:
    path = Path(__file__).with_name("key_formats.toml")
    return list(tomllib.loads(path.read_text(encoding="utf-8"))["format"])


@functools.cache
def fingerprint() -> str:
    """The hash of the rules and of the table of key formats."""
    entries = [{k: entry[k] for k in ("name", "kind", "anchors", "pattern")} for entry in _table()]
    return digest({"rules": RULES_VERSION, "formats": entries})


def check_patterns(patterns: Sequence[Pattern]) -> None:
    """Compiles custom patterns. Raises: RecipeError naming the pattern and the mistake."""
    _native(_key(patterns))


def _key(patterns: Sequence[Pattern]) -> str:
    """Patterns as one hashable value, with defaults filled in."""
    if isinstance(patterns, str | bytes | Mapping):
        raise RecipeError("patterns: expected a list of patterns", remedy='[{"name": …, "pattern": …}]')
    entries = []
    for number, given in enumerate(patterns):
        where = f"patterns[{number}]"
        if not isinstance(given, Mapping):
            raise RecipeError(f"a pattern is a dict, got {given!r}", where=where, remedy='{"name": …, "pattern": …}')
        fields = ("name", "pattern", "kind", "anchors")
        for key in given:
            if key not in fields:
                raise RecipeError(f"a pattern has no {key!r}", where=where, remedy=did_you_mean(str(key), fields))
        for key in ("name", "pattern"):
            if not isinstance(given.get(key), str) or not given[key]:
                raise RecipeError(f"a pattern needs a {key}, got {given.get(key)!r}", where=where)
        kind, anchors = given.get("kind", "key"), given.get("anchors", [])
        if kind not in KINDS:
            raise RecipeError(f"there is no kind {kind!r}", where=where, remedy=did_you_mean(str(kind), KINDS))
        if isinstance(anchors, str) or not all(isinstance(a, str) for a in anchors):
            raise RecipeError(f"anchors: expected a list of strings, got {anchors!r}", where=where)
        entries.append({"name": given["name"], "kind": kind, "anchors": list(anchors), "pattern": given["pattern"]})
    return json.dumps(entries)


@functools.lru_cache(maxsize=16)
def _native(patterns: str) -> _core.Redactor:
    try:
        formats = [{**entry, "of_table": True} for entry in _table()]
        return _core.Redactor([*formats, *({**entry, "of_table": False} for entry in json.loads(patterns))])
    except ValueError as error:
        raise RecipeError(str(error), where="patterns", remedy="the syntax is that of Rust's regex crate") from error


def redact_array(
    content: pa.LargeStringArray, language: pa.Array | None, patterns: Sequence[Pattern]
) -> pa.StructArray:
    """Redacts many texts, each by its language. Without `language` they are read as code; null is configuration.

    Shape: a row for each text; fields `content` and the counts of `KINDS`.
    Null: where the content is, and where the native code panicked.
    """
    bare = pa.nulls(len(content), pa.bool_())
    if language is not None:
        bare = pc.or_(pc.is_null(language), pc.is_in(language.cast(pa.string()), pa.array(sorted(BARE))))
    return _native(_key(patterns)).redact(content, bare)


@overload
def redact(
    texts: str, *, language: str | None = None, path: str | None = None, patterns: Sequence[Pattern] = ()
) -> Redaction: ...
@overload
def redact(
    texts: Column,
    *,
    language: str | Column | None = None,
    path: str | Column | None = None,
    patterns: Sequence[Pattern] = (),
) -> pa.RecordBatch: ...
def redact(
    texts: str | Column,
    *,
    language: str | Column | None = None,
    path: str | Column | None = None,
    patterns: Sequence[Pattern] = (),
) -> Redaction | pa.RecordBatch:
    """Replaces personal data and secrets by placeholders, in one text or many.

    `language` is one for all texts or one for each, by any of its names: in configuration, shell and prose, values need
    no quotes. Without it the language is detected as a recipe does, from the content and from `path`; a text of unknown
    language is read as configuration. `patterns` are custom patterns:
    dicts with `name`, `pattern` (the syntax of Rust's `regex`; if it has a group, only that is replaced),
    `kind` (default "key") and `anchors` (literals one of which begins every match; without them each line is searched).

    Shape: for one text a Redaction; for many a record batch with `content` and a count for each of `KINDS`.
    Null: where the text is.
    Raises: RecipeError naming a pattern that does not compile, or for an unknown language, with the nearest names.

    >>> redact("# Written by Jane Doe <jane.doe@web.de>")
    Redaction(content='# Written by <name> <<email>>', counts={'name': 1, 'email': 1})
    >>> redact(["host = '93.184.216.34'", None])["ip"].to_pylist()
    [1, None]
    >>> redact("badge ACME-00417", patterns=[{"name": "badge", "pattern": "ACME-[0-9]{5}", "kind": "user"}]).content
    'badge <user>'
    """
    single = isinstance(texts, str)
    content = pa.array([texts], pa.large_string()) if single else column(texts, pa.large_string())
    redacted = redact_array(content, languages.spoken(content, language=language, path=path), patterns)
    if not single:
        return pa.RecordBatch.from_struct_array(redacted)
    row = redacted[0].as_py()
    return Redaction(row.pop("content"), {kind: n for kind, n in row.items() if n})


def findings(
    text: str, *, language: str | None = None, path: str | None = None, patterns: Sequence[Pattern] = ()
) -> list[dict[str, Any]]:
    """The places in a text that redaction would replace, without the values. `language` and `path` as for `redact`.

    Returns: for each `start` and `end` (bytes of UTF-8), `line` and `column` (from 1; the column in bytes), `kind`
    and `rule`.

    >>> findings("a\\n# @author jdoe\\n")
    [{'start': 12, 'end': 16, 'line': 2, 'column': 11, 'kind': 'name', 'rule': 'author'}]
    """
    spoken = languages.spoken(pa.array([text], pa.large_string()), language=language, path=path)[0].as_py()
    raw, line, seen, rows = text.encode(), 1, 0, []
    for start, end, kind, rule in _native(_key(patterns)).findings(text, spoken is None or spoken in BARE):
        line += raw.count(b"\n", seen, start)
        seen = start
        column = start - raw.rfind(b"\n", 0, start)
        rows.append({"start": start, "end": end, "line": line, "column": column, "kind": kind, "rule": rule})
    return rows
