"""The catalogue of languages: complete, well-formed, readable, and refused with a reason when it is not."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from codemill import languages
from codemill.errors import InputError, RecipeError
from codemill.languages import catalogue, detection
from codemill.recipes import _refinecode_languages as refinecode

ALL = languages.all()
BY_NAME = {language.name: language for language in ALL}


def test_there_are_more_than_700_and_each_is_told_apart() -> None:
    assert len(ALL) >= 700
    assert len(BY_NAME) == len(ALL) == len({language.title for language in ALL}) == len(languages.native())
    assert {language.doc_type for language in ALL} == {"code", "data", "text"}


@pytest.mark.parametrize("language", ALL, ids=lambda language: language.name)
def test_every_entry_is_well_formed(language: languages.Language) -> None:
    assert language.name == language.name.strip().lower()
    assert language.extensions or language.filenames or language.interpreters or language.aliases
    assert all(e.startswith(".") and "/" not in e for e in language.extensions)
    assert all(f and "/" not in f for f in language.filenames)
    assert language.group is None or language.group in BY_NAME
    assert all(language.line_comments)
    for opener, closer in (*language.block_comments, *language.strings, *language.raw_strings):
        assert opener
        assert closer
    for marks in (language.strings, language.raw_strings):
        openers = [opener for opener, _ in marks]
        shadowed = [(a, b) for i, a in enumerate(openers) for b in openers[i + 1 :] if b.startswith(a)]
        assert not shadowed, "a shorter opener before a longer one hides it"


def test_an_alias_means_one_language() -> None:
    owners: dict[str, str] = {}
    for language in ALL:
        for alias in language.aliases:
            assert owners.setdefault(alias.lower(), language.name) == language.name, alias


@pytest.mark.parametrize(
    ("name", "line", "block", "strings"),
    [
        ("python", ("#",), (), ('"""', "'''", '"', "'")),
        ("c", ("//",), (("/*", "*/"),), ('"', "'")),
        ("javascript", ("//",), (("/*", "*/"),), ('"', "'", "`")),
        ("lua", ("--",), (("--[[", "]]"),), ('"', "'")),
        ("ocaml", (), (("(*", "*)"),), ('"',)),
        ("haskell", ("--",), (("{-", "-}"),), ('"', "'")),
        ("html", (), (("<!--", "-->"),), ('"', "'")),
        ("tcl", ("#",), (), ('"',)),
        ("ada", ("--",), (), ('"',)),
    ],
)
def test_comment_and_string_syntax(
    name: str, line: tuple[str, ...], block: tuple[tuple[str, str], ...], strings: tuple[str, ...]
) -> None:
    language = languages.get(name)
    assert language.line_comments == line
    assert language.block_comments == block
    assert tuple(opener for opener, _ in language.strings) == strings


def test_nesting_is_known() -> None:
    nested = {language.name for language in ALL if language.nested_comments}
    assert {"rust", "swift", "kotlin", "haskell", "ocaml", "d", "julia", "scala", "dart"} <= nested
    assert not {"c", "cpp", "java", "javascript", "go", "csharp"} & nested


def test_refinecodes_languages_are_all_in_the_table() -> None:
    assert len(refinecode.KEPT) == len(set(refinecode.KEPT)) == 610
    for doc_type, names in (("code", refinecode.CODE), ("data", refinecode.DATA), ("text", refinecode.TEXT)):
        assert [name for name in names if languages.get(name).doc_type != doc_type] == []
    assert {"cpp", "csharp", "coq", "mathematica"} <= set(refinecode.KEPT)
    assert not {"csv", "svg", "jupyter notebook", "gnuplot"} & set(refinecode.KEPT)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"no language 'pyton'.*did you mean python"):
        languages.get("pyton")


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ('[x]\ntitle = "X"\n', "'doc_type' is missing"),
        ('[x]\ntitle = "X"\ndoc_type = "prose"\n', "not 'prose'"),
        ('[x]\ntitle = "X"\nextension = [".x"]\n', "unknown field 'extension'.*did you mean extensions"),
        ('[x]\ntitle = "X"\ndoc_type = "code"\nextensions = ["x"]\n', "'x' does not begin with a dot"),
        ("[x\n", "not TOML"),
        ('[python]\ntitle = "P"\ndoc_type = "code"\n', "'python' is also defined in a.toml"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(tmp_path: Path, entry: str, complaint: str) -> None:
    (tmp_path / "a.toml").write_text('[python]\ntitle = "Python"\ndoc_type = "code"\n')
    (tmp_path / "own.toml").write_text(entry)
    with pytest.raises(InputError, match=complaint) as caught:
        catalogue._load(tmp_path)
    assert "own.toml" in str(caught.value)


def test_a_language_is_added_by_an_entry_in_a_file_of_ones_own(tmp_path: Path) -> None:
    entry = '["my language"]\ntitle = "My Language"\ndoc_type = "code"\nextensions = [".my"]\n'
    (tmp_path / "own.toml").write_text(entry)
    (found,) = catalogue._load(tmp_path)
    assert found == languages.Language("my language", "My Language", "code", extensions=(".my",))


@pytest.mark.parametrize("module", [catalogue, detection], ids=lambda module: module.__name__)
def test_examples_in_docstrings_run(module: object) -> None:
    failed, run = doctest.testmod(module)  # type: ignore[arg-type]
    assert run > 0
    assert failed == 0
