"""The catalogue of built-in signals, read from the documentation in the native core.

A signal's page is its doc comment in `core/src/signals/`: a first sentence, then the sections Unit, Null, Why, From and
Example. Custom signals have the same sections in their docstrings: see `codemill.signals.custom`.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from dataclasses import dataclass

from codemill import _core
from codemill.errors import RecipeError, did_you_mean

SECTIONS = ("Unit", "Null", "Why", "From", "Example")
_SECTION = re.compile(rf"^({'|'.join(SECTIONS)}):\s*", re.MULTILINE)
_EXAMPLE = re.compile(r'^(?P<language>[^"]*?)\s*(?P<text>"(?:[^"\\]|\\.)*")\s*(?:→|->)\s*(?P<value>\S+)$', re.DOTALL)


@dataclass(frozen=True)
class Signal:
    """A number measured on a document, and its documentation."""

    name: str  # of its column
    family: str  # the file it is defined in
    version: int  # raised when its values change
    documents: tuple[str, ...]  # document types, or languages, that it is measured on; null for others
    what: str
    unit: str
    null: str  # when there is no value
    why: str
    source: str  # of the idea
    example: str  # language "text" → value


@dataclass(frozen=True)
class Example:
    """A signal's example, ready to run."""

    language: str
    text: str
    value: float | None


@functools.cache
def all() -> tuple[Signal, ...]:
    """Every signal of the native core, in the order of columns.

    >>> "num_chars" in {signal.name for signal in all()}
    True
    """
    return tuple(
        Signal(name, family, version, tuple(documents), *parse(doc).values())
        for name, family, version, documents, doc in _core.signals()
    )


def get(name: str) -> Signal:
    """The signal of that name. Raises: RecipeError with the nearest name.

    >>> get("num_chars").unit
    'characters (Unicode code points).'
    """
    signals = _by_name()
    if name not in signals:
        raise RecipeError(f"there is no signal {name!r}", remedy=did_you_mean(name, signals))
    return signals[name]


@functools.cache
def _by_name() -> dict[str, Signal]:
    return {signal.name: signal for signal in all()}


def parse(doc: str) -> dict[str, str]:
    """Splits a doc comment into its first sentences and its sections. A missing section is empty.

    >>> parse("Length.\\n\\nUnit: characters.\\nNull: never.")["unit"]
    'characters.'
    """
    pieces = _SECTION.split(inspect.cleandoc(doc))
    sections = {pieces[i]: " ".join(pieces[i + 1].split()) for i in range(1, len(pieces), 2)}
    names = {"Unit": "unit", "Null": "null", "Why": "why", "From": "source", "Example": "example"}
    return {"what": " ".join(pieces[0].split()), **{names[s]: sections.get(s, "") for s in SECTIONS}}


def example(text: str) -> Example:
    r"""Reads an example: a language, a JSON string, an arrow, a number or null.

    Raises: ValueError if it is not in this form.

    >>> example('python "x = 1\\n" → 3')
    Example(language='python', text='x = 1\n', value=3.0)
    """
    match = _EXAMPLE.match(text.strip().rstrip("."))
    if match is None:
        raise ValueError(f'an example is written: language "text" → value; this one is {text!r}')
    value = None if match["value"] == "null" else float(match["value"])
    return Example(match["language"].strip(), json.loads(match["text"]), value)
