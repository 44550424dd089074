"""Where comments and strings are, on marked snippets: tests/lexing/*.txt.

A snippet begins with `== LANGUAGE, LANGUAGE…: what it is about` and is the program below. Each span stands between «
and », the letter behind « says what it is; everything else is code. A snippet headed `== family NAME` is tried in all
languages of that family of scripts/language_syntax.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from codemill import _core, languages

HERE = Path(__file__).parent
SYNTAX = tomllib.loads((HERE.parent / "scripts" / "language_syntax.toml").read_text("utf-8"))
TITLES = {language.title: language.name for language in languages.all()}
FAMILIES = {family["name"]: [TITLES[title] for title in family["languages"]] for family in SYNTAX["family"]}
KINDS = {"h": "hashbang", "l": "line_comment", "b": "block_comment", "d": "docstring", "s": "string"}
IN_TAGS = {"php": "<?php ", "html+php": "<?php "}
# Comments of another part of the file, and what opens a hashbang on the first line.
ELSEWHERE = {
    "astro": ("<!--",),
    "factor": ("#!",),
    "html+php": ("<!--",),
    "svelte": ("//", "/*"),
    "vue": ("//", "/*"),
}

Span = tuple[str, int, int]


def snippets() -> Iterator[tuple[str, str, str]]:
    """Name, language and marked text of each."""
    for file in sorted((HERE / "lexing").glob("*.txt")):
        for block in re.split(r"^== ", file.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            head, text = block.split("\n", 1)
            names, _, title = head.partition(": ")
            family = names.removeprefix("family ")
            for language in FAMILIES[family] if family != names else names.split(", "):
                yield f"{file.stem}-{language}-{title}", language, text


def unmarked(text: str) -> tuple[str, list[Span]]:
    """The program, and its spans in bytes of UTF-8."""
    program, spans, kind, start = b"", [], "", 0
    for piece in re.split("(«.|»)", text.removesuffix("\n")):
        if piece.startswith("«"):
            kind, start = KINDS[piece[1]], len(program)
        elif piece == "»":
            spans.append((kind, start, len(program)))
        else:
            program += piece.encode()
    return program.decode(), spans


def lexed(program: str, language: str) -> list[Span]:
    return _core.lex(program, language, languages.syntaxes())


def shown(program: str, spans: list[Span]) -> list[tuple[str, str]]:
    """Spans as text, for a difference that can be read."""
    return [(kind, program.encode()[start:end].decode()) for kind, start, end in spans]


SNIPPETS = list(snippets())


@pytest.mark.parametrize(("language", "text"), [s[1:] for s in SNIPPETS], ids=[s[0] for s in SNIPPETS])
def test_snippet(language: str, text: str) -> None:
    program, spans = unmarked(text)
    found = lexed(program, language)
    assert shown(program, found) == shown(program, spans)
    assert found == spans


def test_every_family_has_a_snippet() -> None:
    assert {language for names in FAMILIES.values() for language in names} <= {s[1] for s in SNIPPETS}


def with_comments() -> list[languages.Language]:
    return [language for language in languages.all() if language.line_comments or language.block_comments]


@pytest.mark.parametrize("language", with_comments(), ids=lambda language: language.name)
def test_a_comment_alone_is_one(language: languages.Language) -> None:
    """Each marker of the table, alone in the first column of a file."""
    before = IN_TAGS.get(language.name, "").encode()
    elsewhere = ELSEWHERE.get(language.name, ())
    for opener in (o for o in language.line_comments if o not in elsewhere):
        text = f"{opener} note\n".encode()
        expected = [("line_comment", len(before), len(before) + len(text) - 1)]
        assert lexed((before + text).decode(), language.name) == expected, opener
    for opener, closer in ((o, c) for o, c in language.block_comments if o not in elsewhere):
        text = f"{opener}\nnote\n{closer}".encode()
        expected = [("block_comment", len(before), len(before) + len(text))]
        assert lexed((before + text + b"\n").decode(), language.name) == expected, opener


@pytest.mark.parametrize(
    "language",
    [language for language in with_comments() if language.one_line_strings],
    ids=lambda language: language.name,
)
def test_a_comment_in_a_string_is_none(language: languages.Language) -> None:
    """Where the table says all there is to say of strings."""
    for opener, closer in (*language.strings, *language.raw_strings):
        for comment in (*language.line_comments, *(open for open, _ in language.block_comments)):
            if comment in opener or closer in comment:
                continue
            text = f"= {opener} {comment} note {closer}\n"
            assert {kind for kind, _, _ in lexed(text, language.name)} == {"string"}, (opener, comment)


def test_columns_are_lexed_and_split_like_single_texts() -> None:
    texts = ["a # b", None, "x", "// c\nd", ""]
    names = ["python", "python", None, "c", "no such language"]
    content, language = pa.array(texts, pa.large_string()), pa.array(names)
    found = _core.lex_column(content, language, languages.syntaxes()).to_pylist()
    assert [row and [(s["kind"], s["start"], s["end"]) for s in row] for row in found] == [
        [("line_comment", 2, 5)],
        None,
        None,
        [("line_comment", 0, 4)],
        [],
    ]
    parts = _core.split_column(content, language, languages.syntaxes()).to_pylist()
    for text, name, part in zip(texts, names, parts, strict=True):
        if text is None or name is None:
            assert part == {"code": None, "comments": None}
        else:
            assert (part["code"], part["comments"]) == _core.split(text, name, languages.syntaxes())
    with pytest.raises(ValueError, match="same number of rows"):
        _core.lex_column(content, language[:2], languages.syntaxes())


@pytest.mark.parametrize(
    ("language", "opener"), [("python", 'f"{'), ("javascript", "`${"), ("tsx", "<a>{"), ("csharp", '$"{')]
)
def test_literals_in_literals_without_end(language: str, opener: str) -> None:
    """Deeper than anyone writes: spans are still in order, and the text is gone through."""
    program = opener * 20_000
    spans = lexed(program, language)
    assert len(spans) >= 1_000 or language == "tsx"
    ends = [0, *(end for _, _, end in spans)]
    assert all(before <= start < end for before, (_, start, end) in zip(ends, spans, strict=False))
    assert ends[-1] <= len(program)


def test_a_place_that_is_none_is_refused() -> None:
    entry = {**vars(languages.get("c")), "comment_places": [("//", "somewhere")]}
    with pytest.raises(ValueError, match='c: no place "somewhere"'):
        _core.Syntaxes([entry])
