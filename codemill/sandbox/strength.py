"""Do tests notice when the solution is wrong? Constant stubs and first-order mutants of it must be killed.

A mutant differs from the solution in one place: an operator, a comparison, a constant, a condition, a return. Those
that the tests do not tell from the solution survive. From: DeMillo, Lipton and Sayward, "Hints on test data selection"
(1978); the operators are those that mutation tools for Python share.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from codemill.errors import RecipeError
from codemill.sandbox.outcome import Limits, Outcome, Task
from codemill.sandbox.pool import Pool, shared

STUBS = ("None", "True", "False", "0", "1", "''", "[]")
SWAPS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add,), ast.Div: (ast.Mult,), ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,), ast.And: (ast.Or,), ast.Or: (ast.And,),
}  # fmt: skip


@dataclass(frozen=True)
class Strength:
    """How strong tests are. `score` is the share of mutants that they kill, null if the solution has none.

    `reached` is whether the solution passes and a program without the entry point does not; `stubs_survive` and
    `mutants_survive` name what the tests did not notice; `mutants` is how many were tried. `trouble` says how the
    sandbox failed, if it did: then nothing is known of the tests, neither that they are weak nor that they are strong.
    """

    solution: Outcome
    reached: bool
    stubs_survive: tuple[str, ...]
    mutants: int
    mutants_survive: tuple[str, ...]
    trouble: str = ""

    @property
    def score(self) -> float | None:
        """The share of mutants that the tests kill."""
        return None if not self.mutants else 1 - len(self.mutants_survive) / self.mutants

    @property
    def strong(self) -> bool:
        """The gate: the solution passes, the entry point is reached, and no stub survives."""
        return self.solution.passed and self.reached and not self.stubs_survive and not self.trouble


def strength(task: Task, *, most: int = 12, pool: Pool | None = None) -> Strength:
    """Runs the solution of a task, its stubs, and up to `most` mutants, drawn by a hash of their text.

    Python only; the task needs an entry point. A mutant that runs out of time counts as killed; one whose run says
    nothing of the program is not counted.

    Raises: RecipeError without an entry point, or for another language.

    >>> weak = Task("def add(a, b):\\n    return a + b\\n", "assert add(0, 0) == 0", entry_point="add")
    >>> found = strength(weak)
    >>> found.strong, found.stubs_survive, found.mutants_survive
    (False, ('False', '0'), ('line 2: a + b -> a - b',))
    """
    if task.entry_point is None or task.language != "python":
        raise RecipeError("the strength of tests needs a program in Python and its entry point", where=task.entry_point)
    pool = pool or shared()
    solution = pool.run(task)
    if not solution.passed:
        return Strength(solution, False, (), 0, (), _trouble([solution]))
    limits = quick(task.limits, solution)
    others = {
        "": "",
        **{f"stub {value}": stub(task.entry_point, value) for value in STUBS},
        **dict(mutants(task.program, most=most)),
    }
    tried = [dataclasses.replace(task, program=program, limits=limits) for program in others.values()]
    outcomes = dict(zip(others, pool.map(tried), strict=True))
    trouble = _trouble(outcomes.values())
    reached = not outcomes.pop("").passed
    counted = {name: one for name, one in outcomes.items() if one.counts}
    stubs = tuple(name[5:] for name, one in counted.items() if name.startswith("stub ") and one.passed)
    mutated = {name: one for name, one in counted.items() if not name.startswith("stub ")}
    survive = tuple(name for name, one in mutated.items() if one.passed)
    return Strength(solution, reached, stubs, len(mutated), survive, trouble)


def _trouble(outcomes: Iterable[Outcome]) -> str:
    """How the sandbox failed on the first of these on which it did; empty if it did not."""
    failed = (one.detail or one.verdict for one in outcomes if one.verdict == "sandbox_error")
    return next(failed, "")


def quick(limits: Limits, solution: Outcome) -> Limits:
    """Limits for mutants: ten times what the solution took, and a second at least."""
    cpu = min(limits.cpu_seconds, max(1.0, 10 * solution.cpu))
    return dataclasses.replace(limits, cpu_seconds=cpu, wall_seconds=min(limits.wall, 4 * cpu))


def stub(entry_point: str, value: str) -> str:
    """A program whose entry point always returns the same.

    >>> stub("f", "0")
    'def f(*_, **__):\\n    return 0\\n'
    """
    return f"def {entry_point}(*_, **__):\n    return {value}\n"


def mutants(program: str, *, most: int) -> list[tuple[str, str]]:
    """Names and texts of first-order mutants, at most so many, drawn by a hash of their text; none if it is no Python.

    >>> [name for name, _ in mutants("def f(a):\\n    return a < 3\\n", most=9)]
    ['line 2: return a < 3 -> return None', 'line 2: a < 3 -> a <= 3', 'line 2: a < 3 -> a >= 3', 'line 2: 3 -> 4']
    """
    try:
        tree = ast.parse(program)
        found = dict(_mutants(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    drawn = sorted(found, key=lambda name: hashlib.sha256(found[name].encode("utf-8", "replace")).digest())[:most]
    return [(name, text) for name, text in found.items() if name in drawn]


def _mutants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    original = ast.unparse(tree)
    for number, node in enumerate(ast.walk(tree)):
        for changed in _changes(node):
            copied = copy.deepcopy(tree)
            target = next(one for i, one in enumerate(ast.walk(copied)) if i == number)
            for name, value in ast.iter_fields(changed):
                setattr(target, name, value)
            text = ast.unparse(ast.fix_missing_locations(copied))
            if text != original:
                line = getattr(node, "lineno", 0)
                yield f"line {line}: {ast.unparse(node)[:60]} -> {ast.unparse(target)[:60]}", text + "\n"


def _changes(node: ast.AST) -> Iterable[ast.AST]:
    """The node with one thing changed."""
    match node:
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp():
            for swap in SWAPS.get(type(node.op), ()):
                yield _with(node, op=swap())
        case ast.Compare():
            for i, op in enumerate(node.ops):
                for swap in SWAPS.get(type(op), ()):
                    yield _with(node, ops=[*node.ops[:i], swap(), *node.ops[i + 1 :]])
        case ast.Constant(value=bool(value)):
            yield _with(node, value=not value)
        case ast.Constant(value=int(value)) | ast.Constant(value=float(value)):
            yield _with(node, value=value + 1)
        case ast.If() | ast.While() | ast.IfExp():
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.Return(value=ast.expr()):
            yield _with(node, value=ast.Constant(None))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
