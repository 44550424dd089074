"""Do tests notice when the solution is wrong? Constant stubs and first-order mutants of it must be killed.

A mutant differs from the solution in one place: an operator, a comparison, a constant, a condition, a return. Those
that the tests do not tell from the solution survive. From: DeMillo, Lipton and Sayward, "Hints on test data selection"
(1978); the operators are those that mutation tools share. Python is changed in its syntax tree, other languages on
their tokens: see `mutation`.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from codemill.errors import RecipeError
from codemill.sandbox import languages, mutation
from codemill.sandbox.mutation import drawn
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

    `reached` is whether the solution passes and a program without the entry point does not; null: nobody could say, as
    where no function is found. `stubs_survive` and `mutants_survive` name what the tests did not notice; `mutants` is
    how many were tried and compiled. `trouble` says how the sandbox failed, if it did: then nothing is known of the
    tests, neither that they are weak nor that they are strong.
    """

    solution: Outcome
    reached: bool | None
    stubs_survive: tuple[str, ...]
    mutants: int
    mutants_survive: tuple[str, ...]
    trouble: str = ""

    @property
    def score(self) -> float | None:
        """The share of mutants that the tests kill."""
        return None if not self.mutants else 1 - len(self.mutants_survive) / self.mutants

    @property
    def strong(self) -> bool | None:
        """The gate: the solution passes, the entry point is reached, and no stub survives; null: it is not known."""
        if not self.solution.passed or self.stubs_survive or self.trouble or self.reached is False:
            return False
        return self.reached


def known(language: str) -> bool:
    """Whether the tests of programs in a language, by its name, can be measured.

    >>> known("rust"), known("haskell")
    (True, False)
    """
    return language == "python" or language in mutation.table()


def strength(task: Task, *, most: int = 12, pool: Pool | None = None) -> Strength:
    """Runs the solution of a task, its stubs, and up to `most` mutants, drawn by a hash of their text.

    In Python the task needs an entry point; in other languages it is the last function that the tests name, if none is
    given. A mutant that runs out of time counts as killed; one that does not compile, or whose run says nothing of the
    program, is not counted.

    Raises: RecipeError without an entry point, or for a language that is not `known`.

    >>> weak = Task("def add(a, b):\\n    return a + b\\n", "assert add(0, 0) == 0", entry_point="add")
    >>> found = strength(weak)
    >>> found.strong, found.stubs_survive, found.mutants_survive
    (False, ('False', '0'), ('line 2: a + b -> a - b',))
    """
    language = languages.get(task.language).name
    if not known(language):
        measured = ", ".join(("python", *mutation.table()))
        raise RecipeError(f"the strength of tests in {language} cannot be measured", remedy=f"only in {measured}")
    if language == "python" and task.entry_point is None:
        raise RecipeError("the strength of tests in Python needs the program's entry point")
    pool = pool or shared()
    solution = pool.run(task)
    if not solution.passed:
        return Strength(solution, False, (), 0, (), _trouble([solution]))
    limits = quick(task.limits, solution)
    others = _python(task, most) if language == "python" else _other(task, language, most)
    tried = [dataclasses.replace(task, program=program, limits=limits) for program in others.values()]
    outcomes = dict(zip(others, pool.map(tried), strict=True))
    counted = {name: one for name, one in outcomes.items() if one.counts and one.verdict != "compile_error"}
    unreached = outcomes.get("")
    stubs = tuple(name[5:] for name, one in counted.items() if name.startswith("stub ") and one.passed)
    mutated = {name: one for name, one in counted.items() if name and not name.startswith("stub ")}
    survive = tuple(name for name, one in mutated.items() if one.passed)
    reached = None if unreached is None or unreached.verdict == "compile_error" else not unreached.passed
    return Strength(solution, reached, stubs, len(mutated), survive, _trouble(outcomes.values()))


def _python(task: Task, most: int) -> dict[str, str]:
    """Changed programs by name: "" has no entry point, `stub …` returns a constant."""
    stubbed = {f"stub {value}": stub(task.entry_point or "", value) for value in STUBS}
    return {"": "", **stubbed, **dict(mutants(task.program, most=most))}


def _other(task: Task, language: str, most: int) -> dict[str, str]:
    """The same in another language: "" ends where the entry point begins."""
    program = mutation.Program(task.program, language)
    name = task.entry_point or (program.named(task.tests) if isinstance(task.tests, str) else None)
    stubbed = mutation.stubs(program, name) if name else {}
    named = {f"stub {value}" if value else "": text for value, text in stubbed.items()}
    return {**named, **dict(mutation.mutants(task.program, language, most=most))}


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
    """Names and texts of first-order mutants, at most so many, drawn by a hash of the program and of their place; none
    if it is no Python.

    Time: in proportion to the program's length times `most`, for only what is drawn is made.

    >>> [name for name, _ in mutants("def f(a):\\n    return a < 3\\n", most=9)]
    ['line 2: return a < 3 -> return None', 'line 2: a < 3 -> a <= 3', 'line 2: a < 3 -> a >= 3', 'line 2: 3 -> 4']
    """
    try:
        tree = ast.parse(program)
        original = ast.unparse(tree)
        # Some changes change nothing, such as adding 1 to 1e300: of a program full of these a few are tried in vain.
        tried = (_mutant(tree, original, site) for site in _drawn(tree, original)[: 4 * most])
        made = list(itertools.islice((one for one in tried if one is not None), most))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return list({name: text for _, name, text in sorted(made)}.items())


Site = tuple[int, ast.AST, ast.AST]
"""The number of a change in the order of the program, the node that it changes, and that node changed."""


def _drawn(tree: ast.Module, original: str) -> list[Site]:
    """Every place that can be changed, in an order that a hash decides: the same on every run."""
    changes = ((node, changed) for node in ast.walk(tree) for changed in _changes(node))
    return drawn([(number, node, changed) for number, (node, changed) in enumerate(changes)], original)


def _mutant(tree: ast.Module, original: str, site: Site) -> tuple[int, str, str] | None:
    """The program with one change: its number, name and text; None if it is the same. The tree is left as it was."""
    number, node, changed = site
    before, old = ast.unparse(node)[:60], dict(ast.iter_fields(node))
    try:
        _become(node, dict(ast.iter_fields(changed)))
        text = ast.unparse(ast.fix_missing_locations(tree))
        after = ast.unparse(node)[:60]
    finally:
        _become(node, old)
    name = f"line {getattr(node, 'lineno', 0)}: {before} -> {after}"
    return None if text == original else (number, name, text + "\n")


def _become(node: ast.AST, fields: dict[str, object]) -> None:
    for name, value in fields.items():
        setattr(node, name, value)


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
        case ast.Return(value=ast.Constant(value=None)):
            return
        case ast.Return(value=ast.expr()):
            yield _with(node, value=ast.Constant(None))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
