"""Python values as JSON, with their types: what crosses from a program to the one who compares.

    plain      null, booleans, strings, lists, integers below 2^53, finite floats
    tagged     {"t": type, "v": content}: everything else that compares by value

`decode` makes builtin types only, whatever is sent, so comparing what it returns runs no code of the program.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
from collections.abc import Callable
from typing import Any

DEEPEST = 200
ITEMS = 1_000_000
BIGGEST = 1 << 53
WIDEST = 1 << 17  # bits of the parts of a fraction: to reduce one takes the square of its length


class Opaque(TypeError):
    """A value that cannot be sent."""


class Once:
    """What an iterator held: it can be gone through, and equals nothing but itself."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __iter__(self) -> Any:
        return iter(self.items)


class Unlike:
    """A value of a type that is not a builtin one, of which only its name is known. Equal to nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


def encode(value: Any, depth: int = 0) -> Any:
    """The JSON of a value. Subclasses of builtin types are sent as these.

    Raises: Opaque if a value is of another type, too deep or too long.
    """
    if depth > DEEPEST:
        raise Opaque("a value nested too deeply")
    kind = type(value)
    if value is None or kind is bool:
        return value
    if isinstance(value, str):
        text = str.__str__(value)
        return {"t": "str", "v": [ord(c) for c in text]} if _surrogates(text) else text
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        number = int.__index__(value)
        return number if -BIGGEST < number < BIGGEST else {"t": "int", "v": hex(number)}
    if isinstance(value, float):
        real = float.__float__(value)
        return real if real - real == 0 else {"t": "float", "v": float.__repr__(real)}
    if isinstance(value, complex):
        return {"t": "complex", "v": [encode(value.real), encode(value.imag)]}
    if isinstance(value, (bytes, bytearray)):
        return {"t": "bytearray" if isinstance(value, bytearray) else "bytes", "v": bytes(value).hex()}
    if kind is list:
        return [encode(one, depth + 1) for one in value]
    if isinstance(value, dict):
        pairs = [[encode(key, depth + 1), encode(one, depth + 1)] for key, one in dict.items(value)]
        return {"t": "dict", "v": pairs}
    for name, form in SEQUENCES.items():
        if isinstance(value, form):
            return {"t": name, "v": [encode(one, depth + 1) for one in form.__iter__(value)]}
    if kind is range:
        return {"t": "range", "v": [encode(n) for n in (value.start, value.stop, value.step)]}
    if isinstance(value, decimal.Decimal):
        return {"t": "Decimal", "v": decimal.Decimal.__str__(value)}
    if isinstance(value, fractions.Fraction):
        return {"t": "Fraction", "v": [encode(value.numerator), encode(value.denominator)]}
    for name, (form, _) in DATES.items():
        if kind is form:
            if getattr(value, "tzinfo", None) is not None:
                raise Opaque(f"a {name} with a time zone")
            return {"t": name, "v": _date_parts(value)}
    if kind in ITERATORS:
        items = []
        for one in value:
            items.append(encode(one, depth + 1))
            if len(items) > ITEMS:
                raise Opaque("an iterator without an end")
        return {"t": "iterator", "v": items}
    if kind.__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return encode(value.item(), depth + 1)
    raise Opaque(f"a value of type {kind.__name__}")


def decode(data: Any) -> Any:
    """The value of what `encode` made. Raises: ValueError if it is nothing that `encode` makes."""
    if data is None or isinstance(data, (bool, int, float, str)):
        return data
    if isinstance(data, list):
        return [decode(one) for one in data]
    kind, content = data.get("t"), data.get("v")
    maker = MAKERS.get(kind)
    if maker is None:
        raise ValueError(f"no type {kind!r}")
    try:
        return maker(content)
    except (TypeError, ValueError, OverflowError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"not a {kind}: {error}") from error


def _surrogates(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _date_parts(value: Any) -> list[int]:
    if isinstance(value, datetime.timedelta):
        return [value.days, value.seconds, value.microseconds]
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return [getattr(value, name) for name in names if hasattr(value, name)]


def _iterators() -> frozenset[type]:
    empty: tuple[Any, ...] = (
        iter([]), iter(()), iter(""), iter({}), iter(set()), iter(range(0)), iter({}.values()), iter({}.items()),
        map(str, ()), filter(None, ()), zip(), enumerate(()), reversed([]), iter(zip()), (x for x in list[int]()),
        {}.keys(), {}.values(), {}.items(),
    )  # fmt: skip
    return frozenset(type(one) for one in empty)


def _sequence(form: Any) -> Callable[[Any], Any]:
    return lambda v: form(decode(one) for one in v)


def _fraction(above: int, below: int) -> fractions.Fraction:
    if max(above.bit_length(), below.bit_length()) > WIDEST:
        raise ValueError("too long to be reduced")
    return fractions.Fraction(above, below)


def _date(make: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda v: make(*v)


SEQUENCES: dict[str, Any] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": collections.deque,
    "list": list,
}
DATES: dict[str, tuple[type, Callable[..., Any]]] = {
    "datetime": (datetime.datetime, datetime.datetime),
    "date": (datetime.date, datetime.date),
    "time": (datetime.time, datetime.time),
    "timedelta": (datetime.timedelta, datetime.timedelta),
}
ITERATORS = _iterators()
MAKERS: dict[Any, Callable[[Any], Any]] = {
    "str": lambda v: "".join(map(chr, v)),
    "int": lambda v: int(v, 16),
    "float": float,
    "complex": lambda v: complex(decode(v[0]), decode(v[1])),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "dict": lambda v: {decode(key): decode(one) for key, one in v},
    "range": lambda v: range(*map(decode, v)),
    "Decimal": decimal.Decimal,
    "Fraction": lambda v: _fraction(*map(decode, v)),
    "iterator": lambda v: Once([decode(one) for one in v]),
    "opaque": Unlike,
    **{name: _sequence(form) for name, form in SEQUENCES.items()},
    **{name: _date(make) for name, (_, make) in DATES.items()},
}
