"""Tests in the process of the program: for tests that are more than calls with literals.

The program can do to this process what it likes, so what counts is not what it says but where its main thread is:

    main thread      runs program and tests in `judge`, then waits there for ever, in the line of a verdict
    witness          a thread that alone holds the nonce. When woken it looks at the line in which `judge` is: only the
                     line of a verdict is one. No code of the program runs in that line, or in this thread: between
                     being woken and writing it makes no object that the collector tracks, so no finalizer runs either

A process that exits early says nothing; a forked child has no witness; a released lock wakes a witness who sees that
the main thread is still in the program. An audit hook, which cannot be removed, refuses what would reach the witness
(frames of other threads, all objects) or move the main thread (tracing), and what was refused is said. The program's
memory cannot be read through /proc, and tests see builtins, unittest and the modules of the standard library as they
were before the program ran. What remains is listed in docs/sandbox.md.
"""

from __future__ import annotations

import _thread
import ast
import builtins
import gc
import importlib
import itertools
import json
import os
import sys
import traceback
from collections.abc import Callable
from types import CodeType, FrameType, ModuleType
from typing import Any

from . import confine, script

REFUSED = frozenset(
    (
        "sys.settrace", "sys.setprofile", "sys._current_frames", "sys._current_exceptions", "sys.addaudithook",
        "sys.monitoring.register_callback",
        "gc.get_objects", "gc.get_referrers", "gc.get_referents", "ctypes.string_at", "ctypes.wstring_at",
        "ctypes.cdata", "ctypes.cdata/buffer", "ctypes.call_function", "ctypes.addressof", "ctypes.dlsym",
    )
)  # fmt: skip
GUARDED = (
    "builtins", "math", "cmath", "operator", "functools", "itertools", "collections", "copy", "json", "json.encoder",
    "json.decoder", "re", "random", "statistics", "unittest", "unittest.case", "unittest.suite", "unittest.loader",
    "unittest.result", "unittest.runner", "unittest.util", "unittest.main",
)  # fmt: skip
TICK, FAILED, CASES = "\u200btick", "\u200bfailed", "\u200bcases"  # names that no source can contain
MEANING: dict[int, bytes] = {}
PASS, FAIL, IMPORT, EXIT, TESTS, CHANGED = "pass", "fail", "import", "exit", "tests", "changed"


def preload() -> None:
    """Imports what is guarded, and reads which line of `judge` means what."""
    for name in GUARDED:
        importlib.import_module(name)
    MEANING.update(lines())


class Count(ast.NodeTransformer):
    """Counts asserts that are reached, and makes them independent of `__debug__`."""

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        """`assert x, m` as `if x: tick() else: raise AssertionError(m)`, with names that cannot be shadowed."""
        self.generic_visit(node)
        tick = ast.Expr(ast.Call(ast.Name(TICK, ast.Load()), [], []))
        failed = ast.Call(ast.Name(FAILED, ast.Load()), [node.msg] if node.msg else [], [])
        made = ast.If(node.test, [tick], [ast.Raise(failed, None)])
        return ast.fix_missing_locations(ast.copy_location(made, node))


def plan(source: str, entry_point: str | None) -> CodeType:
    """The tests as code: as they are, then functions `test…` and `check(candidate)` that nobody calls, then unittest.

    Raises: SyntaxError, ValueError, MemoryError or RecursionError if they do not compile.
    """
    tree = ast.parse(source)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    calls, cases = [], []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name not in used:
            needed = len(node.args.posonlyargs + node.args.args) - len(node.args.defaults)
            if node.name.startswith("test") and needed == 0:
                calls.append(f"{node.name}()")
            elif node.name == "check" and needed == 1 and entry_point:
                calls.append(f"check({entry_point})")
        elif isinstance(node, ast.ClassDef) and any("TestCase" in ast.unparse(base) for base in node.bases):
            cases.append(node.name)
    tree = Count().visit(tree)
    tree.body += ast.parse("\n".join(calls)).body
    if cases:
        names = ast.List([ast.Name(name, ast.Load()) for name in cases], ast.Load())
        tree.body.append(ast.Expr(ast.Call(ast.Name(CASES, ast.Load()), [names], [])))
    return compile(ast.fix_missing_locations(tree), "tests.py", "exec", dont_inherit=True)


def judge(
    program: CodeType,
    tests: CodeType,
    entry_point: str | None,
    given: dict[str, Any],
    pristine: Callable[[], str | None],
    say: Callable[[str], None],
    wake: Callable[[], Any],
    wait: Callable[[], Any],
    met: Callable[[], Any],
) -> None:
    """Runs program and tests, wakes the witness, and waits for ever in the line of the verdict."""
    namespace, stage = script.fresh(), IMPORT
    tested = namespace
    wake(), met()  # the witness takes this frame
    try:
        for code in (program, tests):  # held by the loop, where no frame walk reaches them
            if stage is FAIL:
                pristine()
                tested = {**visible(namespace, entry_point), **given}
            exec(code, tested)
            stage = FAIL
        changed = pristine() or shadowed(tested, namespace, tests)
        if changed:
            stage = CHANGED
            raise AssertionError(f"the program replaced {changed}")
    except SystemExit:
        say("SystemExit")
        wake(), wait()  # line of EXIT
    except BaseException as error:
        say(describe(error))
        if stage is IMPORT:
            wake(), wait()  # line of IMPORT
        elif stage is CHANGED:
            wake(), wait()  # line of CHANGED
        else:
            wake(), wait()  # line of FAIL
    else:
        say("")
        wake(), wait()  # line of PASS


def lines() -> dict[int, bytes]:
    """Which line of `judge` means what."""
    first = judge.__code__.co_firstlineno
    with open(__file__, encoding="utf-8") as file:
        source = file.read().split("\n")[first - 1 :]
    names = {f"# line of {name.upper()}": name.encode() for name in (EXIT, IMPORT, CHANGED, FAIL, PASS)}
    return {first + i: name for i, line in enumerate(source[:70]) for mark, name in names.items() if mark in line}


def shadowed(tested: dict[str, Any], namespace: dict[str, Any], tests: CodeType) -> str | None:
    """A builtin that somebody other than the tests gave another meaning while they ran."""
    for name in tested:
        if hasattr(builtins, name) and not name.startswith("__") and name not in tests.co_names:
            return name
    return None


def describe(error: BaseException) -> str:
    """An exception in a line; its traceback goes to stderr."""
    try:
        trace = error.__traceback__
        traceback.print_exception(type(error), error, trace and trace.tb_next)  # without this file's frame
        return f"{type(error).__name__}: {error}"[:500]
    except BaseException:
        return type(error).__name__


def visible(namespace: dict[str, Any], entry_point: str | None) -> dict[str, Any]:
    """What tests see of a program: its names, but no builtin and no library module that it put in their place."""
    seen = {}
    for name, value in namespace.items():
        stands_for_a_builtin = hasattr(builtins, name) and name != entry_point and name != "__builtins__"
        if stands_for_a_builtin and not name.startswith("__"):
            continue
        if name in sys.stdlib_module_names and not isinstance(value, ModuleType) and name != entry_point:
            continue
        seen[name] = value
    return {**seen, "__name__": "__main__", "__builtins__": builtins}


def run_cases(cases: list[Any]) -> int:
    """Runs cases of unittest. Returns how many tests ran. Raises: AssertionError with what failed."""
    import unittest

    loader, result = unittest.TestLoader(), unittest.TestResult()
    for case in cases:
        loader.loadTestsFromTestCase(case).run(result)
    broken = [*result.failures, *result.errors]
    if broken:
        raise AssertionError(f"{broken[0][0]}: {broken[0][1].strip().splitlines()[-1]}")
    if result.unexpectedSuccesses:
        raise AssertionError(f"{result.unexpectedSuccesses[0]}: an expected failure passed")
    return result.testsRun - len(result.skipped)


def guard() -> Callable[[], str | None]:
    """Remembers builtins, unittest and the like; what it returns puts back what changed, and names one."""
    keep: list[tuple[str, Any, Any, bool | None]] = []
    for name in GUARDED:
        module = sys.modules[name]
        keep.append((name, module, dict(vars(module)), False))
        if name.startswith("unittest"):
            for attribute, value in list(vars(module).items()):
                if isinstance(value, type) and value.__module__.startswith("unittest"):
                    keep.append((f"{name}.{attribute}", value, dict(vars(value)), True))
                    for method, function in list(vars(value).items()):
                        if hasattr(function, "__code__"):
                            keep.append((f"{name}.{attribute}.{method}", function, function.__code__, None))
    modules, put, take, missing, attributes = sys.modules, setattr, delattr, object(), vars
    passing = frozenset(("_", "__doc__", "__dict__", "__weakref__", "__warningregistry__", "__abstractmethods__"))
    moving = frozenset(("_inst", "_log_level", "_cache", "_cache2", "_compile_repl", "_testCleanups", "_results"))

    def pristine() -> str | None:
        found = None
        for path, thing, before, is_class in keep:
            if is_class is None:
                if thing.__code__ is not before:
                    found = path
                    thing.__code__ = before
                continue
            if not is_class and modules.get(path) is not thing:
                found = path
                modules[path] = thing
            for name, value in before.items():
                if name in passing or name in moving:
                    continue
                if attributes(thing).get(name, missing) is not value:
                    found = f"{path}.{name}"
                    put(thing, name, value)
            for name in [name for name in attributes(thing) if name not in before and name not in passing]:
                if path == "builtins" or is_class:
                    take(thing, name)
                    found = f"{path}.{name}"
        return found

    return pristine


def witness(
    fd: int, key: int, main: int, wait: Callable[[], Any], ready: Callable[[], None],
    refused: list[str], own: list[int], frames: Callable[[], dict[int, FrameType]], meaning: dict[int, bytes],
    write: Callable[[int, bytes], int], leave: Callable[[int], Any], ran: Callable[[], int], text: type[str],
) -> None:  # fmt: skip
    """Takes the frame of `judge`, waits until it is woken, looks where that frame is, writes what it saw."""
    with open(key, "rb") as file:
        nonce = file.read()
    own.append(_thread.get_ident())
    ready()
    wait()
    frame = frames()[main]
    ready()
    wait()
    told = b"\n" + nonce + b" "
    line = frame.f_lineno
    told += meaning.get(line, b"forged")
    told += b" " + text(ran()).encode() + b" " + ",".join(refused).encode() + b"\n"
    write(fd, told)  # shorter than what a pipe takes at once
    leave(0)


def main(fds: list[int]) -> None:
    """Grades one program. Sends lines of text, then `nonce verdict asserts-and-tests-that-ran refused`."""
    payload, channel, key = fds
    job = script.read(payload)
    gc.disable()

    def early(verdict: str, error: BaseException) -> None:
        with open(key, "rb") as file:
            nonce = file.read().decode()
        text = json.dumps(f"{type(error).__name__}: {error}"[:500])
        os.write(channel, f"{text}\n{nonce} {verdict} 0 \n".encode())
        os._exit(0)

    try:
        tests = plan(job["tests"], job["entry_point"])
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as error:
        early(TESTS, error)
        return
    try:
        program = compile(job["program"], script.FILE, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as error:
        early("compile", error)
        return

    confine.prctl(confine.PR_SET_DUMPABLE, 0)  # nobody reads this memory through /proc, this process included
    count, refused, own = itertools.count(), list[str](), list[int]()
    bell, begun, never = (_thread.allocate_lock() for _ in range(3))
    for lock in (bell, begun, never):
        lock.acquire()
    _thread.start_new_thread(
        witness,
        (channel, key, _thread.get_ident(), bell.acquire, begun.release, refused, own, sys._current_frames,
         MEANING, os.write, os._exit, count.__next__, str),
    )  # fmt: skip
    begun.acquire()
    sys.addaudithook(refusing(refused.append, own[0]))
    entry_point, pristine, encoder = job["entry_point"], guard(), json.JSONEncoder()

    def say(text: str) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:
                text = text or "a standard stream was closed"
        os.write(channel, encoder.encode(text).encode() + b"\n")

    tick = count.__next__

    def ran(cases: list[Any]) -> None:
        for _ in range(run_cases(cases)):
            tick()

    given = {TICK: tick, FAILED: AssertionError, CASES: ran}
    del job, fds, payload, own, early
    key = -1
    gc.enable()
    judge(program, tests, entry_point, given, pristine, say, bell.release, never.acquire, begun.acquire)


def refusing(note: Callable[[str], None], trusted: int) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that refuses what would reach the witness, to every thread but the witness."""
    refused, current, error = REFUSED, _thread.get_ident, PermissionError

    def hook(event: str, _: tuple[Any, ...]) -> None:
        if event in refused and current() != trusted:
            note(event)
            raise error(event)

    return hook
