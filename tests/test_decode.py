"""Decoding: real text in real encodings, inside code; what is dropped, and why."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemill import _core

CODE = "int total(const item *items, int n) {{\n    int sum = 0; /* {} */\n    return sum;\n}}\n"

LONG = {
    "german": "Summe aller Einträge; für ungültige Größen gibt es null zurück, außer bei Überlauf",
    "french": "Vérifie que la clé existe déjà, sinon crée une nouvelle entrée après avoir relâché le verrou",
    "spanish": "Añade el número de línea según la configuración; la opción vacía también es válida",
    "russian": "Возвращает сумму всех элементов, если список не пуст, иначе ноль",
    "ukrainian": "Повертає суму всіх елементів, якщо список не порожній, інакше нуль",
    "chinese": "计算所有元素的总和，如果列表为空则返回零。注意不要修改原来的数据",
    "taiwanese": "計算所有元素的總和，如果清單是空的就傳回零。請注意不要修改原來的資料",
    "japanese": "すべての要素の合計を計算する。リストが空の場合はゼロを返します",
    "korean": "모든 요소의 합계를 계산한다. 목록이 비어 있으면 영을 반환합니다",
    "polish": "Zwraca sumę wszystkich elementów, jeśli lista nie jest pusta; w przeciwnym razie zgłasza błąd",
    "czech": "Vrátí součet všech prvků, pokud není seznam prázdný; jinak ohlásí chybu při čtení",
    "greek": "Επιστρέφει το άθροισμα όλων των στοιχείων αν η λίστα δεν είναι κενή",
    "turkish": "Liste boş değilse bütün öğelerin toplamını döndürür; aksi hâlde sıfır sonucu yazılır",
}
SHORT = {
    "german": "Größe",
    "french": "clé déjà utilisée",
    "spanish": "el año y el tamaño",
    "russian": "сумма",
    "ukrainian": "сума елементів",
    "chinese": "计算总和",
    "taiwanese": "計算總和",
    "japanese": "合計を計算",
    "korean": "합계를 계산",
    "polish": "sumę elementów, błąd",
    "czech": "součet všech prvků",
    "turkish": "bütün öğeler boş",
}
ENCODINGS = {
    "german": ["windows-1252", "cp437"],
    "french": ["windows-1252"],
    "spanish": ["windows-1252"],
    "russian": ["windows-1251", "koi8-r", "ibm866"],
    "ukrainian": ["windows-1251"],
    "chinese": ["gb18030"],
    "taiwanese": ["big5"],
    "japanese": ["shift_jis", "euc-jp", "iso-2022-jp"],
    "korean": ["euc-kr"],
    "polish": ["windows-1250", "iso-8859-2"],
    "czech": ["windows-1250"],
    "greek": ["windows-1253"],
    "turkish": ["windows-1254"],
}
LONG_CASES = [(name, encoding) for name in LONG for encoding in ENCODINGS[name]]
# One word is too little to tell it from an encoding that is more frequent in code.
TOO_SHORT = {("german", "cp437")}
SHORT_CASES = [
    pytest.param(*case, marks=pytest.mark.xfail(strict=True) if case in TOO_SHORT else ())
    for case in ((name, encoding) for name in SHORT for encoding in ENCODINGS[name])
]


def decode(*files: bytes | None) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = _core.decode(pa.array(files, pa.large_binary())).to_pylist()
    return rows


def verdict(file: bytes) -> tuple[object, object]:
    row = decode(file)[0]
    assert row["content"] is None
    assert row["encoding"] is None
    return row["reason"], row["detail"]


def text(file: bytes) -> tuple[object, object]:
    row = decode(file)[0]
    assert row["reason"] is None, row
    return row["content"], row["encoding"]


@pytest.mark.parametrize(("language", "encoding"), LONG_CASES)
def test_a_sentence_in_a_comment_is_enough(language: str, encoding: str) -> None:
    source = CODE.format(LONG[language])
    assert text(source.encode(encoding)) == (source, encoding)


@pytest.mark.parametrize(("language", "encoding"), SHORT_CASES)
def test_a_few_words_are_mostly_enough(language: str, encoding: str) -> None:
    source = CODE.format(SHORT[language])
    assert text(source.encode(encoding)) == (source, encoding)


@pytest.mark.parametrize("name", ["André", "Müller", "José", "Jörg Weiß", "© 2003", "20 °C", "naïve", "a × b"])
def test_single_letters_are_windows_1252(name: str) -> None:
    source = f"/* {name} */\nint x;\n"
    assert text(source.encode("windows-1252")) == (source, "windows-1252")


@pytest.mark.parametrize(
    ("mark", "codec", "encoding"),
    [
        (b"\xef\xbb\xbf", "utf-8", "utf-8-bom"),
        (b"\xff\xfe", "utf-16-le", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be", "utf-16-be"),
        (b"\xff\xfe\0\0", "utf-32-le", "utf-32-le"),
        (b"\0\0\xfe\xff", "utf-32-be", "utf-32-be"),
    ],
)
def test_a_mark_names_the_encoding_and_is_not_content(mark: bytes, codec: str, encoding: str) -> None:
    source = CODE.format("Größe 计算 😀")
    assert text(mark + source.encode(codec)) == (source, encoding)
    assert verdict(mark) == ("empty", f"only a byte order mark ({encoding})")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("comment", ["plain", "数据库连接", "Größe"])
def test_utf16_needs_no_mark(encoding: str, comment: str) -> None:
    source = CODE.format(comment)
    assert text(source.encode(encoding)) == (source, encoding)


@pytest.mark.parametrize(
    ("file", "reason", "detail"),
    [
        (b"", "empty", None),
        (b"int a;\0\n", "binary", "NUL at byte 6"),
        (b"name\0value\0", "binary", "NUL at byte 4"),
        (b"\x89PNG\r\n\x1a\nrest", "binary", "PNG image"),
        (b"%PDF-1.4\nall ASCII\n", "binary", "PDF document"),
        (b"\x7fELF\x02\x01\x01\0", "binary", "ELF object"),
        (b"\x1f\x8b\x08aaaa", "binary", "gzip data"),
        (bytes(range(1, 9)) * 4, "binary", "32 control characters in 32 bytes"),
        ("Größe, Länge, Höhe ".encode() + b"\xfc", "undecodable", "UTF-8 but for 1 bytes, the first at byte 23"),
        (b"\xff\xfea\0\0\xd8", "undecodable", "not utf-16-le at byte 4"),
        (b"\xef\xbb\xbfab\xff", "undecodable", "not utf-8-bom at byte 5"),
    ],
)
def test_what_is_dropped_and_why(file: bytes, reason: str, detail: str | None) -> None:
    assert verdict(file) == (reason, detail)


HEBREW = "סכום כל האיברים ברשימה"


@pytest.mark.parametrize(
    ("source", "codec", "encoding"),
    [
        (f"# -*- coding: cp1255 -*-\n# {HEBREW}\n", "cp1255", "windows-1255"),
        ("#!/usr/bin/python\n# coding=iso8859_15\ncost = '3 €'\n", "iso-8859-15", "iso-8859-15"),
        ("# vim: set fileencoding=latin-2 :\nx = 'ł'\n", "iso-8859-2", "iso-8859-2"),
        ("/* -*- mode: c; coding: koi8-r-unix -*- */\nint a; /* да */\n", "koi8-r", "koi8-r"),
        (f"int a; /* {HEBREW} */\n/* vim: fenc=iso-8859-8 */\n", "iso-8859-8", "iso-8859-8"),
        ('(f "ж")\n;; Local Variables:\n;; coding: cp866\n;; End:\n', "cp866", "ibm866"),
        ("<?xml version='1.0' encoding='Windows-1257'?>\n<a>ž</a>\n", "windows-1257", "windows-1257"),
        (f"<html><head><meta charset='windows-1255'></head>{HEBREW}\n", "windows-1255", "windows-1255"),
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=big5">\n<p>中</p>\n',
            "big5",
            "big5",
        ),
        ('@charset "iso-8859-7";\nq::before { content: "λ" }\n', "iso-8859-7", "iso-8859-7"),
        ("\\documentclass{article}\n\\usepackage[latin9]{inputenc}\nŒ\n", "iso-8859-15", "iso-8859-15"),
    ],
)
def test_the_declared_encoding_is_taken(source: str, codec: str, encoding: str) -> None:
    row = decode(source.encode(codec))[0]
    assert (row["content"], row["encoding"], row["encoding_confidence"]) == (source, encoding, 1.0)


def test_a_declaration_that_the_bytes_do_not_follow_is_not_believed() -> None:
    # It says UTF-8, or a code of two bytes that these bytes break: both are guessed.
    for name in ("utf-8", "shift_jis", "klingon"):
        source = f"# coding: {name}\n# {LONG['german']}\n"
        row = decode(source.encode("windows-1252"))[0]
        assert (row["content"], row["encoding"]) == (source, "windows-1252")
        assert 0.9 < row["encoding_confidence"] < 1.0  # type: ignore[operator]
    # Valid UTF-8 stays that, whatever an old first line says.
    source = "# coding: latin-1\n# Größe\n"
    assert text(source.encode()) == (source, "utf-8")
    # Two-byte Chinese that happens to be valid UTF-8 is what it says it is.
    source = "# coding: gbk\n# 摹\n"
    assert source.encode("gbk").decode() != source
    assert text(source.encode("gbk")) == (source, "gb18030")


def test_a_guess_says_how_sure_it_is() -> None:
    sure, unsure, plain, none = decode(
        CODE.format(LONG["russian"]).encode("windows-1251"), b"// \xe0\xe1\n", b"a\n", b"\0"
    )
    assert sure["encoding_confidence"] > 0.999  # type: ignore[operator]
    assert 0 < unsure["encoding_confidence"] < 0.99  # type: ignore[operator]
    assert (plain["encoding_confidence"], none["encoding_confidence"]) == (1.0, None)


def test_text_that_looks_binary_is_kept() -> None:
    for source in ("GIF89a is a format\n", "MZ = 1\n", "\x1b[1mbold\x1b[0m\n", "a\x0cb\n", "x = '\ufffd'\n"):
        assert text(source.encode()) == (source, "utf-8")


def test_rows_stay_in_line_and_hashes_are_of_the_original_bytes() -> None:
    files = [b"a", None, b"", b"\xef\xbb\xbfb", b"\0", "é".encode("latin-1") + b"t\xe9", b"c"]
    rows = decode(*files)
    assert [r["content"] for r in rows] == ["a", None, None, "b", None, "été", "c"]
    assert [r["reason"] for r in rows] == [None, None, "empty", None, "binary", None, None]
    hashes = [None if f is None else hashlib.sha256(f).digest() for f in files]
    assert [r["content_sha256"] for r in rows] == hashes
    batch = _core.decode(pa.array(files, pa.large_binary()).slice(2, 4))
    batch.validate(full=True)
    assert batch.to_pylist() == rows[2:6]


def test_utf8_is_handed_on_without_a_copy() -> None:
    raw = pa.array(["ä".encode() * 100, b"x"], pa.large_binary())
    assert _core.decode(raw).column("content").buffers()[2].address == raw.buffers()[2].address


def test_other_types_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match="raw: expected an Arrow array of large_binary, got string"):
        _core.decode(pa.array(["a"]))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_give_text_or_a_reason(files: list[bytes]) -> None:
    batch = _core.decode(pa.array(files, pa.large_binary()))
    batch.validate(full=True)
    for file, row in zip(files, batch.to_pylist(), strict=True):
        assert (row["content"] is None) == (row["reason"] is not None) == (row["encoding"] is None)
        assert row["reason"] in (None, "empty", "binary", "undecodable")
        assert "\0" not in (row["content"] or "")
        assert "\ufffd" not in (row["content"] or "") or b"\xef\xbf\xbd" in file or row["encoding"].startswith("utf-")


def test_hostile_sizes_stay_linear() -> None:
    size = 8 << 20
    rows = decode(b"\xe9" * size, b"\0" * size, b"\x1b$B" * (size // 3), b"\xa1" * size, b"\x81" * size)
    assert [r["reason"] for r in rows][1] == "binary"
    assert all((r["content"] is None) != (r["reason"] is None) for r in rows)
