"""Parts of programs that a byte is in: what Python sees of them, on any text."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemill import _core, languages

WORDS = (
    "def f(x):\n    ",
    "return ",
    "(",
    ")",
    "[",
    "{",
    "}",
    "é",
    "=> ",
    "`${",
    "`",
    "'",
    '"',
    "a",
    "\n",
    "\r\n",
    "#",
    "//",
    "1",
)


def found(text: str | None, language: str | None, at: int | None, pick: float | None = 0.0) -> dict[str, object]:
    columns = (
        pa.array([text], pa.large_string()),
        pa.array([language], pa.string()),
        pa.array([at], pa.uint64()),
        pa.array([pick], pa.float64()),
    )
    (made,) = _core.node_at(*columns, languages.syntaxes()).to_pylist()
    return made


@given(
    st.lists(st.sampled_from(WORDS)).map("".join),
    st.sampled_from(["python", "javascript", "typescript", "tsx", "c", "rust", "no such"]),
    st.integers(0, 100),
    st.floats(0, 1),
)
def test_a_part_holds_its_byte_and_whole_characters(text: str, language: str, at: int, pick: float) -> None:
    part = found(text, language, at, pick)
    if part["how"] is None:
        assert part == {"start": None, "end": None, "how": None}
        return
    start, end = part["start"], part["end"]
    assert isinstance(start, int)
    assert isinstance(end, int)
    assert start <= at < end <= len(text.encode())
    assert text.encode()[start:end].decode()


def test_parts_from_the_outside_in() -> None:
    text = "x = f(1, [2])\n"
    picked = [found(text, "python", 10, i / 5) for i in range(5)]
    assert [text[p["start"] : p["end"]] for p in picked] == ["x = f(1, [2])", "f(1, [2])", "(1, [2])", "[2]", "2"]
    assert {part["how"] for part in picked} == {"tree"}


@pytest.mark.parametrize(
    ("text", "language", "at", "pick"),
    [(None, "c", 0, 0.0), ("(a)", None, 1, 0.0), ("(a)", "c", None, 0.0), ("(a)", "c", 1, None), ("(a)", "c", 9, 0.0)],
)
def test_what_is_missing_has_no_part(
    text: str | None, language: str | None, at: int | None, pick: float | None
) -> None:
    assert found(text, language, at, pick)["how"] is None


@pytest.mark.parametrize("language", ["python", "javascript", "typescript", "c"])
@pytest.mark.parametrize("mark", ["(", "[", "{", "-", "a.", "f(", "lambda: ", "x => ", "<a>", "if(a)", "a if a else "])
def test_hostile_nesting_ends_no_process(language: str, mark: str) -> None:
    text = mark * 20_000
    found(text, language, len(text) - 1)
    found(text + "a", language, len(text))


def test_columns_of_other_lengths_are_refused() -> None:
    text = pa.array(["a"], pa.large_string())
    none = pa.array([], pa.float64())
    with pytest.raises(ValueError, match="same number of rows"):
        _core.node_at(text, pa.array(["c"]), pa.array([0], pa.uint64()), none, languages.syntaxes())
