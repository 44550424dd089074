"""Runs in the sandbox beside an answer: calls it with every input and compares with what the reference returns.

Comparison as in EvalPlus 0.3.1 (evalplus/eval/__init__.py), but for three things: a tolerance does not leak from one
input to the next; time is of the processor; what is compared is no numpy array.
"""

import copy
import json
import math
import signal
import time
from collections.abc import Callable
from typing import Any


class TooSlow(BaseException):
    """An input took longer than it may."""


def tuples(value: Any) -> Any:
    return tuple(tuples(one) for one in value) if isinstance(value, list) else value


def restored(kind: str, args: list[Any]) -> list[Any]:
    """Arguments with the types that JSON lost, by the kinds of codemill/benchmarks/mbpp_plus.py."""
    first, rest = args[:1], args[1:]
    if kind == "args":
        return [tuple(one) for one in args]
    if kind == "inner":
        return [[tuple(one) for one in arg] for arg in args]
    if kind == "inner of first":
        return [[tuple(one) for one in first[0]], *rest]
    if kind == "both":
        return [tuple(tuple(one) for one in arg) for arg in args]
    if kind == "first":
        return [tuple(first[0]), *rest]
    if kind == "second":
        return [first[0], tuple(rest[0])]
    if kind == "sets":
        return [[set(one) if isinstance(one, list) and one else {} for one in first[0]]]
    if kind == "float, complex":
        return [float(first[0]), complex(rest[0])]
    if kind == "complex":
        return [complex(first[0])]
    if kind == "lists of first, first":
        return [tuple(tuple(one) if isinstance(one, list) else one for one in first[0])]
    if kind == "values":
        return [{key: tuple(value) for key, value in first[0].items()}, *rest]
    if kind == "all":
        return list(tuples(args))
    return args


def floats(value: Any) -> bool:
    """Whether a value is a float or a list of nothing else."""
    if isinstance(value, (list, tuple)) and value:
        return all(isinstance(one, float) for one in value)
    return isinstance(value, float)


def close(got: Any, expected: Any, atol: float) -> bool:
    """As numpy.allclose: |got - expected| <= atol + 1e-7 |expected|, element by element; infinities are equal."""
    if isinstance(expected, (list, tuple)):
        return len(got) == len(expected) and all(close(a, b, atol) for a, b in zip(got, expected, strict=False))
    return bool(got == expected or abs(got - expected) <= atol + 1e-7 * abs(expected))


def surface(base: float, height: float) -> float:
    """Another reading of Mbpp/581."""
    return round(base**2 + 2 * base * math.sqrt((base / 2) ** 2 + height**2))


def distance(one: Any, other: Any) -> int:
    """Another reading of Mbpp/558."""
    one, other = str(one), str(other)
    width = max(len(one), len(other))
    return sum(abs(int(a) - int(b)) for a, b in zip(one.zfill(width), other.zfill(width), strict=False))


def holds(oracle: str, args: list[Any], got: Any, expected: Any, atol: float) -> bool:
    """Whether an output is right."""
    if oracle == "root":
        return bool(abs(sum(c * math.pow(got, i) for i, c in enumerate(args[0]))) <= atol)
    if oracle == "set":
        right = set(got) == set(expected)
    elif oracle == "not none":
        right = got == expected if isinstance(got, bool) else expected == (got is not None)
    else:
        right = bool(got == expected)
    right = right or oracle == "any" or (oracle == "or zero" and got == 0)
    right = right or (oracle == "surface" and abs(got - surface(*args)) <= atol)
    right = right or (oracle == "distance" and got == distance(*args))
    if right:
        return True
    if atol == 0 and floats(expected):
        atol = 1e-6
    return bool(atol) and type(got) is type(expected) and close(got, expected, atol)


def stopped(*_: object) -> None:
    """What the timer does."""
    raise TooSlow("an input took too long")


def run(
    function: Callable[..., Any], reference: str, name: str, inputs: str, kind: str, atol: float, oracle: str,
    seconds: float,
) -> None:  # fmt: skip
    """Calls both with every input, the reference first. An input may take `seconds`, or four times the reference's."""
    known: dict[str, Any] = {"__name__": "reference"}
    exec(compile(reference, "reference.py", "exec"), known)
    signal.signal(signal.SIGVTALRM, stopped)
    for args in json.loads(inputs):
        args = restored(kind, args)
        begin = time.process_time()
        expected = known[name](*copy.deepcopy(args))
        taken = time.process_time() - begin
        if oracle == "not none":
            expected = expected is not None
        signal.setitimer(signal.ITIMER_VIRTUAL, max(seconds, 4 * taken))
        got = function(*copy.deepcopy(args))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        assert holds(oracle, args, got, expected, atol), f"{name}{args!r:.200} returned {got!r:.200}"
