"""Tests that are calls with literals, read from their source: `assert f([1, 2]) == 3` and its like.

What they expect stays with the caller; only arguments go to the program. Expressions are evaluated here, on builtin
values alone, by an interpreter that knows a few operators and functions and no names: nothing that a test says can
reach anything.
"""

from __future__ import annotations

import ast
import decimal
import fractions
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codemill.sandbox.guest import values

LONGEST = 1 << 20  # characters of tests, items of a repetition
WIDEST = 1 << 14  # bits of an integer


class NotSimple(Exception):
    """The tests are more than calls with literals."""


@dataclass(frozen=True)
class Check:
    """One assert: an expression, in which calls of the entry point are what the program answers."""

    condition: ast.expr
    calls: tuple[ast.Call, ...]
    line: int

    def holds(self, answers: Sequence[Any]) -> bool:
        """Whether it holds for these answers, in the order of `calls`.

        Raises: NotSimple, or an error of Python where the expression raises one for these values.
        """
        known = {id(call): answer for call, answer in zip(self.calls, answers, strict=True)}
        return bool(_Evaluation(known).of(self.condition))


@dataclass(frozen=True)
class Plan:
    """What is to be called, and what is to be checked."""

    entry_point: str
    checks: tuple[Check, ...]
    calls: tuple[tuple[list[Any], dict[str, Any]], ...]  # of all checks, in order


def read(source: str, entry_point: str | None = None) -> Plan | None:
    """The calls and checks of tests; None if the tests are anything else.

    Taken are asserts at the top, or in a function `check(candidate)` as HumanEval has it. Without an entry point, the
    one unknown name that is called is it.

    >>> plan = read("assert add(1, 2) == 3")
    >>> plan.entry_point, plan.calls, plan.checks[0].holds([3]), plan.checks[0].holds([4])
    ('add', (([1, 2], {}),), True, False)
    >>> read("for i in range(3):\\n    assert f(i) == i") is None
    True
    """
    if len(source) > LONGEST:
        return None
    try:
        return _plan(ast.parse(source), entry_point)
    except (NotSimple, SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError, values.Opaque):
        return None


def close(got: Any, expected: Any, *, absolute: float, relative: float) -> bool:
    """Whether values are equal, numbers in them within a tolerance: |got - expected| <= absolute + relative·|expected|.

    >>> close([1.0000001], [1], absolute=1e-6, relative=0), close([1.1], [1], absolute=1e-6, relative=0)
    (True, False)
    """
    try:
        return _close(got, expected, absolute, relative)
    except (ArithmeticError, RecursionError):  # a number beyond a float, a signalling NaN, a value nested too deeply
        return False


def _close(got: Any, expected: Any, absolute: float, relative: float) -> bool:
    if not absolute and not relative:
        return bool(got == expected)
    if isinstance(got, list | tuple) and type(got) is type(expected):
        return len(got) == len(expected) and all(
            _close(a, b, absolute, relative) for a, b in zip(got, expected, strict=True)
        )
    if isinstance(got, int | float | complex) and isinstance(expected, int | float | complex):
        return bool(got == expected or abs(got - expected) <= absolute + relative * abs(expected))
    return bool(got == expected)


def _plan(tree: ast.Module, entry_point: str | None) -> Plan:
    conditions: list[tuple[ast.expr, str | None]] = []
    checked: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and len(node.args.args) == 1 and not node.decorator_list:
            checked[node.name] = [node.args.args[0], *node.body]  # type: ignore[list-item]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            if not (isinstance(call.func, ast.Name) and call.func.id in checked and len(call.args) == 1):
                raise NotSimple
            given = call.args[0]
            if not isinstance(given, ast.Name) or (entry_point or given.id) != given.id or call.keywords:
                raise NotSimple
            entry_point = given.id
            conditions += _body(checked.pop(call.func.id))
        else:
            conditions += _statement(node, None)
    if "check" in checked and entry_point:
        conditions += _body(checked.pop("check"))
    if checked or not conditions:
        raise NotSimple
    names = {alias for _, alias in conditions if alias}
    called = {
        node.func.id
        for condition, _ in conditions
        for node in ast.walk(condition)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    if entry_point is None:
        unknown = called - set(FUNCTIONS) - names
        if len(unknown) != 1:
            raise NotSimple
        (entry_point,) = unknown
    checks, calls = [], []
    for condition, alias in conditions:
        found = tuple(_calls(condition, {entry_point, alias or entry_point}))
        for one in found:
            args = [_Evaluation({}).of(arg) for arg in one.args]
            kwargs = {_keyword(k): _Evaluation({}).of(k.value) for k in one.keywords}
            values.encode([args, kwargs])
            calls.append((args, kwargs))
        _Evaluation({id(one): None for one in found}).admits(condition)
        checks.append(Check(condition, found, condition.lineno))
    if not calls:
        raise NotSimple
    return Plan(entry_point, tuple(checks), tuple(calls))


def _body(nodes: Sequence[Any]) -> list[tuple[ast.expr, str | None]]:
    alias, *body = nodes
    return [found for node in body for found in _statement(node, alias.arg)]


def _statement(node: ast.stmt, alias: str | None) -> list[tuple[ast.expr, str | None]]:
    if isinstance(node, ast.Assert):
        return [(node.test, alias)]
    if isinstance(node, ast.Import) and all(a.name == "math" and not a.asname for a in node.names):
        return []
    if isinstance(node, ast.ImportFrom) and node.module == "typing":
        return []
    if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return []
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "METADATA":
        return []
    raise NotSimple


def _keyword(node: ast.keyword) -> str:
    if node.arg is None:
        raise NotSimple
    return node.arg


def _calls(node: ast.AST, names: set[str]) -> list[ast.Call]:
    """Calls of these names, outermost first; none may stand within another's arguments."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
        return [node]
    return [found for child in ast.iter_child_nodes(node) for found in _calls(child, names)]


class _Evaluation:
    """Evaluates an expression, given what calls of the entry point answered."""

    def __init__(self, known: Mapping[int, Any]) -> None:
        self.known = known

    def admits(self, node: ast.AST) -> None:
        """Raises: NotSimple if the expression has a part that cannot be evaluated, whatever the answers."""
        if id(node) in self.known:
            return
        kind = type(node)
        if kind not in ALLOWED and not isinstance(node, ast.expr_context | ast.operator | ast.cmpop | ast.unaryop):
            raise NotSimple
        if isinstance(node, ast.Call):
            self.function(node.func)
            for part in (*node.args, *(k.value for k in node.keywords)):
                self.admits(part)
            return
        if isinstance(node, ast.Attribute | ast.Name):
            self.constant(node)
            return
        if isinstance(node, ast.Compare):
            for op, side in zip(node.ops, node.comparators, strict=True):
                single = isinstance(side, ast.Constant) and (side.value is None or isinstance(side.value, bool))
                if isinstance(op, ast.Is | ast.IsNot) and not single:
                    raise NotSimple
        for child in ast.iter_child_nodes(node):
            self.admits(child)

    def of(self, node: ast.AST) -> Any:
        """The value of an expression."""
        if id(node) in self.known:
            return self.known[id(node)]
        match node:
            case ast.Constant():
                return node.value
            case ast.List() | ast.Tuple() | ast.Set():
                form = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
                return form(self.of(one) for one in node.elts)
            case ast.Dict():
                return {self.of(_there(k)): self.of(v) for k, v in zip(node.keys, node.values, strict=True)}
            case ast.UnaryOp():
                return UNARY[type(node.op)](self.of(node.operand))
            case ast.BinOp():
                return _binary(node.op, self.of(node.left), self.of(node.right))
            case ast.BoolOp():
                value: Any = None
                for one in node.values:
                    value = self.of(one)
                    if bool(value) is isinstance(node.op, ast.Or):
                        return value
                return value
            case ast.Compare():
                left = self.of(node.left)
                for op, side in zip(node.ops, node.comparators, strict=True):
                    right = self.of(side)
                    if not COMPARE[type(op)](left, right):
                        return False
                    left = right
                return True
            case ast.Subscript() if isinstance(node.slice, ast.Constant | ast.UnaryOp):
                return self.of(node.value)[self.of(node.slice)]
            case ast.Call():
                args = [_bounded(self.of(arg)) for arg in node.args]
                return self.function(node.func)(*args, **{_keyword(k): self.of(k.value) for k in node.keywords})
            case ast.Attribute() | ast.Name():
                return self.constant(node)
        raise NotSimple

    def function(self, node: ast.expr) -> Callable[..., Any]:
        """The function of that name. Raises: NotSimple if it is none of ours."""
        name = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
        if name not in FUNCTIONS:
            raise NotSimple
        return FUNCTIONS[name]

    def constant(self, node: ast.expr) -> Any:
        """The constant of that name. Raises: NotSimple if it is none of ours."""
        name = ast.unparse(node)
        if name not in CONSTANTS:
            raise NotSimple
        return CONSTANTS[name]


def _there(node: ast.expr | None) -> ast.expr:
    if node is None:
        raise NotSimple
    return node


def _bounded(value: Any) -> Any:
    """A value that a function can be called on in little time. Raises: NotSimple.

    `list(range(10**12))` and `int(Decimal("1e999999999"))` are short to answer and take for ever: they are for the
    sandbox, which has limits.
    """
    if isinstance(value, range) and (value.stop - value.start) // value.step > LONGEST:
        raise NotSimple
    if isinstance(value, decimal.Decimal) and value.is_finite() and abs(value.adjusted()) > WIDEST:
        raise NotSimple
    return value


def _binary(op: ast.operator, left: Any, right: Any) -> Any:
    for one in (left, right):
        rational = isinstance(one, int | fractions.Fraction)
        if rational and max(one.numerator.bit_length(), one.denominator.bit_length()) > WIDEST:
            raise NotSimple
    if isinstance(op, ast.Mult):
        for one, times in ((left, right), (right, left)):
            if isinstance(one, str | bytes | list | tuple) and (
                not isinstance(times, int) or len(one) * times > LONGEST
            ):
                raise NotSimple
    if isinstance(op, ast.Pow):
        numbers = isinstance(left, int | float) and isinstance(right, int | float) and abs(right) <= 512
        if not numbers or (isinstance(left, int) and left.bit_length() * abs(right) > WIDEST):
            raise NotSimple
    if isinstance(op, ast.Mod) and not isinstance(left, int | float):
        raise NotSimple  # a format
    if type(op) not in BINARY:
        raise NotSimple
    return BINARY[type(op)](left, right)


UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (abs, all, any, bool, dict, float, frozenset, len, list, max, min, round, set, sorted)},
    **{f.__name__: f for f in (int, str, sum, tuple)},
    "math.isclose": math.isclose,
    "math.floor": math.floor,
    "math.ceil": math.ceil,
    "math.fabs": math.fabs,
    "math.isnan": math.isnan,
}
CONSTANTS = {"math.pi": math.pi, "math.e": math.e, "math.inf": math.inf, "math.nan": math.nan}
ALLOWED = (
    ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare,
    ast.Subscript, ast.Call, ast.Attribute, ast.Name, ast.And, ast.Or,
)  # fmt: skip
