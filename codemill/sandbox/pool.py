"""Slots that run programs side by side, at the machine's pace."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from codemill.errors import EnvironmentProblem, RecipeError
from codemill.sandbox import grading, languages, rungs, warm
from codemill.sandbox.outcome import Limits, Outcome, Task, Tests
from codemill.sandbox.slot import Slot, SlotDied


class Pool:
    """Up to `workers` programs at a time, each in a slot of its own; the others wait outside any clock.

    `rung` is the best safe one of this machine unless it is named. `python` is the interpreter that Python programs run
    on, with the packages that it has; by default this one, without packages. `hash_seed` is its PYTHONHASHSEED, so that
    the order of sets is the same each time. `folders` are shown to programs read-only.

    Raises: EnvironmentProblem if no safe rung works here, with what would help.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        rung: str | None = None,
        python: str | None = None,
        folders: Sequence[str] = (),
        hash_seed: int = 0,
    ) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))
        if self.workers < 1:
            raise RecipeError(f"{workers} workers can run nothing", remedy="give 1 or more")
        self._rungs = rungs.check(rung)
        self._python, self._hash_seed = python, hash_seed
        self._folders = [os.path.realpath(folder) for folder in folders]
        self._idle: queue.LifoQueue[Slot | None] = queue.LifoQueue()
        self._pace = _Pace()
        first = self._first()
        self.rung, self.python = first.rung, first.python
        for _ in range(self.workers - 1):
            self._idle.put(None)  # started when it is needed
        self._idle.put(first)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="codemill-sandbox")

    def execute(
        self,
        program: str,
        tests: Tests,
        *,
        language: str = "python",
        entry_point: str | None = None,
        limits: Limits | None = None,
    ) -> Outcome:
        """Runs a program with its tests and waits for the outcome. See `codemill.sandbox.execute`."""
        return self.run(Task(program, tests, language, entry_point, limits or Limits()))

    def run(self, task: Task) -> Outcome:
        """Runs a task in this thread. Raises: RecipeError for an unknown language."""
        languages.get(task.language)
        with self._pace.together():
            outcome = self._graded(task)
        if outcome.verdict == "timeout_wall":
            with self._pace.alone():
                outcome = self._graded(task)
        return outcome

    def submit(self, task: Task) -> Future[Outcome]:
        """Starts a task as soon as a slot is free."""
        languages.get(task.language)
        return self._threads.submit(self.run, task)

    async def wait(self, task: Task) -> Outcome:
        """Runs a task while others of the event loop go on."""
        import asyncio

        return await asyncio.wrap_future(self.submit(task))

    def map(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """The outcomes of tasks, in their order; a few more than there are slots are taken ahead."""
        waiting: deque[Future[Outcome]] = deque()
        try:
            for task in tasks:
                waiting.append(self.submit(task))
                if len(waiting) >= 4 * self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()

    def described(self, language: str = "python") -> str:
        """What an outcome depends on besides program, tests and limits: rung, toolchain, grader. One line of text.

        Of an interpreter with packages it does not say which these are, nor where it lies: who gives one says that.
        """
        known = languages.get(language)
        if known.name == "python":
            toolchain = f"Python {self.python}, hash seed {self._hash_seed}"
            if self._python:
                toolchain += ", with its packages"
        else:
            with self._slot() as slot:
                toolchain = grading.version(slot, known)
        return f"{self.rung}; {toolchain}; grader {grading.VERSION}"

    def close(self) -> None:
        """Ends all slots, once what runs has ended."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        for _ in range(self.workers):
            slot = self._idle.get()
            if slot is not None:
                slot.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _first(self) -> Slot:
        why = {}
        for rung in self._rungs:
            try:
                slot = self._start(rung)
            except (EnvironmentProblem, OSError) as error:
                why[rung] = error.what if isinstance(error, EnvironmentProblem) else str(error)
                continue
            trouble = None if rung not in rungs.SAFE else gets_out(slot)
            if trouble is None:
                return slot
            slot.close()
            why[rung] = trouble
        raise rungs.refusal(why)

    def _start(self, rung: str) -> Slot:
        toolchains = [languages.toolchain(one) for one in languages.all()]
        folders = {folder for one in toolchains if one is not None for folder in one.folders}
        folders |= {str(place) for place in map(warm.folder, languages.all()) if place is not None}
        return Slot(
            rung, python=self._python, folders=sorted({*folders, *self._folders}), hash_seed=self._hash_seed,
            site=self._python is not None,
        )  # fmt: skip

    @contextlib.contextmanager
    def _slot(self) -> Iterator[Slot]:
        slot = self._idle.get()
        try:
            if slot is None:
                slot = self._start(self.rung)
            yield slot
        except (SlotDied, OSError):
            if slot is not None:
                slot.close()
                slot = None
            raise
        finally:
            self._idle.put(slot)

    def _graded(self, task: Task) -> Outcome:
        """The outcome on a free slot, on another one if the first dies."""
        for last in (False, True):
            try:
                with self._slot() as slot:
                    return grading.grade(slot, task)
            except (SlotDied, OSError) as error:
                if last:
                    detail = f"{type(error).__name__}: {error}"[:500]
        return Outcome("sandbox_error", detail, language=languages.get(task.language).name, rung=self.rung)


ESCAPES = """
import os, socket
for attempt in (lambda: open({canary!r}), lambda: os.kill({pid}, 0),
                lambda: socket.create_connection(("127.0.0.1", {port}), 1)):
    try:
        attempt()
    except Exception:
        continue
    print("out")
"""


def gets_out(slot: Slot) -> str | None:
    """Runs a program that tries to read, signal and reach what is outside. None if it is held, else what is wrong."""
    import socket
    import tempfile

    with tempfile.NamedTemporaryFile() as canary, socket.create_server(("127.0.0.1", 0)) as server:
        os.chmod(canary.name, 0o644)
        program = ESCAPES.format(canary=canary.name, pid=os.getpid(), port=server.getsockname()[1])
        try:
            slot.open({}, Limits())
            run = slot.run(Limits(), python="script", payload={"program": program})
            slot.close_folder()
        except (SlotDied, OSError) as error:
            return str(error)
    if run.trouble or run.status:
        said = run.stderr.decode("utf-8", "replace").strip().splitlines()
        return run.trouble or (said[-1] if said else f"status {run.status}")
    return "a program that was confined got out" if run.stdout else None


class _Pace:
    """Many together, or one alone. Those who want to be alone wait for the others to end; nobody overtakes them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = 0
        self._alone = 0  # that is, or waits to be
        self._busy = False

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._alone += 1
            self._changed.wait_for(lambda: not self._together and not self._busy)
            self._busy = True
        try:
            yield
        finally:
            with self._changed:
                self._alone -= 1
                self._busy = False
                self._changed.notify_all()


_pools: dict[tuple[int, str | None], Pool] = {}
_lock = threading.Lock()


def shared(rung: str | None = None) -> Pool:
    """The pool of this process that `execute` uses, with as many slots as cores. Raises: EnvironmentProblem."""
    with _lock:
        key = (os.getpid(), rung)
        if key not in _pools:
            _pools[key] = Pool(rung=rung)
            atexit.register(_pools[key].close)
        return _pools[key]


def execute(
    program: str,
    tests: Tests,
    *,
    language: str = "python",
    entry_point: str | None = None,
    limits: Limits | None = None,
    rung: str | None = None,
) -> Outcome:
    """Runs a program with its tests where it can do no harm, and says what came of it.

    `tests` is source (asserts, functions `test…`, `check(candidate)`, cases of unittest; for other languages source
    that stands behind the program), or a list of `Call` or of `Stdio`. Runs on the pool of this process.

    Raises: EnvironmentProblem if nothing safe is to be had; RecipeError for an unknown language or rung.

    >>> execute("def add(a, b):\\n    return a + b", "assert add(1, 2) == 3").verdict
    'pass'
    """
    return shared(rung).execute(program, tests, language=language, entry_point=entry_point, limits=limits)


def execute_many(
    tasks: Iterable[Task], *, workers: int | None = None, rung: str | None = None, python: str | None = None
) -> Iterator[Outcome]:
    """The outcomes of tasks, in their order, `workers` at a time (as many as cores). Raises: as `execute` does."""
    with Pool(workers, rung=rung, python=python) as pool:
        yield from pool.map(tasks)
