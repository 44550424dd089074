"""One suite over every signal: documented, its example runs, total and deterministic on hostile texts."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest

import codemill as cm
from codemill import languages, signals

ALL = signals.all()
TYPES = ("code", "data", "text")


def kinds(signal: signals.Signal) -> list[tuple[str, str]]:
    """Languages and types that a signal is for."""
    named = {"code": ("rust", "code"), "data": ("json", "data"), "text": ("markdown", "text")}
    return [named[d] if d in TYPES else (d, languages.get(d).doc_type) for d in signal.documents]


@pytest.mark.parametrize("signal", ALL, ids=lambda s: s.name)
def test_it_is_documented(signal: signals.Signal) -> None:
    for field in ("what", "unit", "null", "why", "source", "example"):
        text = getattr(signal, field)
        assert text, f"{signal.name} has no {field}"
        assert not text.lower().startswith("to come"), f"{signal.name}: {field}"
    assert signal.what.endswith("."), signal.name


@pytest.mark.parametrize("signal", ALL, ids=lambda s: s.name)
def test_its_example_runs(signal: signals.Signal) -> None:
    shown = signals.example(signal.example)
    got = cm.measure([shown.text], language=shown.language, signals=[signal.name])[signal.name][0].as_py()
    assert got == (None if shown.value is None else pytest.approx(shown.value, abs=1e-8))


@cache
def on_hostile_texts(language: str, doc_type: str) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    texts = list(signals.HOSTILE.values())
    first, second = (cm.measure(texts, language=language, doc_type=doc_type) for _ in range(2))
    return first, second


@pytest.mark.parametrize("kind", sorted({kind for signal in ALL for kind in kinds(signal)}), ids="-".join)
def test_all_are_total_and_deterministic_on_hostile_texts(kind: tuple[str, str]) -> None:
    first, second = on_hostile_texts(*kind)
    assert first.equals(second)
    assert first["signal_errors"].to_pylist() == [0] * len(signals.HOSTILE)
    for signal in ALL:
        for name, value in zip(signals.HOSTILE, first[signal.name].to_pylist(), strict=True):
            assert value is None or math.isfinite(value), (signal.name, name)


def test_a_signal_is_null_where_it_does_not_apply() -> None:
    for language, doc_type in (("rust", "code"), ("json", "data"), ("markdown", "text")):
        found = cm.measure(["fn main() {}\n" * 20], language=language, doc_type=doc_type).to_pylist()[0]
        for signal in ALL:
            if language not in signal.documents and doc_type not in signal.documents:
                assert found[signal.name] is None, (signal.name, language)


def test_names_are_unique_and_apply_to_something() -> None:
    assert len({s.name for s in ALL}) == len(ALL) >= 8
    assert all(kinds(s) for s in ALL)


def test_measure_takes_lists_and_arrow_and_a_language_each() -> None:
    texts = ["a\n", "bb\n", None]
    one = cm.measure(texts, language="python", signals=["num_chars"])
    many = cm.measure(pa.chunked_array([texts]), language=["python", "c", None], signals=["num_chars"])
    assert one["num_chars"].to_pylist() == many["num_chars"].to_pylist() == [2, 3, None]
    assert cm.measure([], language="c").num_rows == 0
    with pytest.raises(cm.RecipeError, match="did you mean python"):
        cm.measure(texts, language="pyhton")
    with pytest.raises(cm.RecipeError, match="did you mean num_chars"):
        cm.measure(texts, language="c", signals=["num_char"])
    assert cm.measure("text", language="c", signals=["num_chars"])["num_chars"] == 4


GOOD = '''
import codemill as cm

@cm.signal(version=1)
def tabs(document):
    """Number of tabs.

    Unit: count.
    Null: never.
    Why: to test.
    From: nowhere.
    Example: python "\\\\t" → 1
    """
    return document.content.count("\\t")

@cm.signal(version=1, documents=["python"])
def bad(document):
    """Something.

    Unit: count.
    Example: python "x" → 2
    """
    calls.append(1)
    return 1 / len(document.content) + len(calls)

calls = []
'''


def test_the_suite_for_custom_signals(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(GOOD)
    tabs, bad = (signals.resolve(f"{tmp_path}/mine.py:{name}").load() for name in ("tabs", "bad"))
    assert signals.check(tabs) == []
    wrong = "\n".join(signals.check(bad))
    for complaint in ("no section Null", "no section Why", "no section From", "on empty it raises ZeroDivisionError"):
        assert complaint in wrong
    assert "on a newline it gives" in wrong  # the second time another number
    assert bad(signals.Document("x", "c")) is None


def test_a_docstring_that_should_be_raw_is_said_to(tmp_path: Path) -> None:
    text = 'import codemill as cm\n\n@cm.signal(version=1)\ndef lines(document):\n    """Lines.\n\n    Unit: lines.\n'
    text += '    Null: never.\n    Why: size.\n    From: nowhere.\n    Example: c "a\\n" → 1\n    """\n'
    text += '    return document.content.count("\\n")\n'
    said = []
    for name, source in {"cooked": text, "raw": text.replace('"""Lines', 'r"""Lines')}.items():
        (tmp_path / f"{name}.py").write_text(source)
        said.append(signals.check(signals.resolve(f"{tmp_path}/{name}.py:lines").load()))
    assert ['write r""" before the docstring' in line for line in said[0]] == [True]
    assert said[1] == []
