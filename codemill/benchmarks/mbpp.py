"""MBPP: 974 short tasks in Python, each with three assertions (Austin et al. 2021, arXiv 2108.07732)."""

from __future__ import annotations

import ast

from codemill.benchmarks._row import Row
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task


def read(row: Row) -> Task:
    """A task. `more["test_list"]` has the assertions one by one; `prompt` is the sentence alone."""
    tests = row.texts("test_list")
    code = row.text("code").replace("\r\n", "\n")
    setup = [*row.texts("test_imports"), row.text("test_setup_code", "")]
    return Task(
        benchmark="mbpp",
        id=f"Mbpp/{row.key('task_id')}",
        language="python",
        kind="write",
        prompt=row.text("text") if "text" in row else row.text("prompt"),
        entry_point=entry_point(code, tests),
        solution=code,
        tests="\n".join(tests) + "\n",
        setup="\n".join(line for line in setup if line),
        stop=("[DONE]",),
        more={"test_list": list(tests), **row.rest()},
    )


def entry_point(code: str, tests: tuple[str, ...]) -> str:
    """The function that the code defines and the assertions call; the last one defined if they call several.

    >>> entry_point("def h(): ...\\ndef f(x): ...", ("assert f(1) == 2",))
    'f'
    """
    try:
        defined = [n.name for n in ast.parse(code).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        calls = [n for test in tests for n in ast.walk(ast.parse(test)) if isinstance(n, ast.Name)]
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ""
    called = {name.id for name in calls}
    return next((name for name in reversed(defined) if name in called), "")


BENCHMARK = Benchmark(
    name="mbpp",
    title="MBPP",
    languages="Python",
    published="https://github.com/google-research/google-research/tree/master/mbpp",
    licence="CC-BY-4.0",
    shapes=(frozenset({"text", "code", "task_id", "test_list"}),),
    read=read,
    counts=(974,),
    note="test: ids 11 to 510; papers mean one of several subsets",
)
