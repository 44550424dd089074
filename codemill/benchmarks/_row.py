"""A published row, read strictly: a field that is missing or of another type is an error with its place."""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from codemill import languages
from codemill.errors import InputError


@dataclass
class Row:
    """The fields of a row, and which of them were read: the others are carried along."""

    fields: Mapping[str, Any]
    where: str
    seen: set[str] = field(default_factory=set)

    def __contains__(self, name: str) -> bool:
        return self.fields.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A text. Raises: InputError if it is no text, or missing and without default."""
        value = self._value(name, default)
        if not isinstance(value, str):
            raise InputError(f"{name} is {type(value).__name__}, not a text", where=self.where)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, empty if it is missing."""
        value = self._value(name, ())
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
            raise InputError(f"{name} is not a list of texts", where=self.where)
        return tuple(value)

    def key(self, name: str) -> str:
        """A text or a number, as text: ids are either."""
        value = self._value(name, None)
        if not isinstance(value, str | int):
            raise InputError(f"{name} is {type(value).__name__}, neither text nor number", where=self.where)
        return str(value)

    def json(self, name: str) -> Any:
        """A value that is published as a text of JSON, or as itself; None for an empty text."""
        value = self._value(name, "")
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value.strip() else None
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name} is not JSON: {error}", where=self.where) from error

    def literal(self, name: str) -> Any:
        """A value that is published as a text of a Python literal."""
        try:
            return ast.literal_eval(self.text(name))
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise InputError(f"{name} is not a Python literal", where=self.where) from error

    def rest(self) -> dict[str, Any]:
        """The fields that nobody read."""
        return {name: value for name, value in self.fields.items() if name not in self.seen}

    def _value(self, name: str, default: Any) -> Any:
        self.seen.add(name)
        value = self.fields.get(name)
        value = default if value is None else value
        if value is None:
            raise InputError(f"there is no {name}", where=self.where)
        return value


PUBLISHED = {
    "clisp": "common lisp",
    "go_test.go": "go",
    "visual basic": "visual basic .net",
    "vimscript": "vim script",
}
"""Names of languages in published files that the catalogue of languages does not know."""


def language(name: str, where: object = None) -> str:
    """The key of a language by key, title, alias or extension. Raises: InputError if none is called so.

    >>> language("C#"), language("rs"), language("CPP")
    ('csharp', 'rust', 'cpp')
    """
    wanted = name.strip().casefold()
    wanted = PUBLISHED.get(wanted, wanted)
    key = language_keys().get(wanted)
    if key is None:
        raise InputError(f"there is no language {name!r}", where=where)
    return key


@functools.cache
def language_keys() -> dict[str, str]:
    """Names, titles, aliases and extensions of languages, in lower case → key."""
    keys: dict[str, str] = {}
    every = sorted(languages.all(), key=lambda one: not one.popular)
    for one in every:
        keys.setdefault(one.title.casefold(), one.name)
    for one in every:
        for alias in one.aliases:
            keys.setdefault(alias.casefold(), one.name)
    for one in every:
        for extension in one.extensions:
            keys.setdefault(extension.casefold().lstrip("."), one.name)
    keys.update((one.name, one.name) for one in every)
    return keys
