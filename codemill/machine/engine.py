"""Runs tasks and survives them. One seam: `Engine.run(tasks)` yields outcomes, in whatever order they come.

A task is a module-level function and plain arguments; it writes its own part and returns counts. Engines know
nothing of steps. `Local` is a pool of processes on this machine, `Ray` the same tasks on a cluster.

A task that kills its worker (a crash in native code, the kernel's out-of-memory killer) is run once more; if it
kills again, `run` looks for the document that does it by halving, tells the task to leave that row out, and goes
on. The task drops it with reason `crashed`.
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

import pyarrow as pa

from codemill.errors import BuildError, CodemillError, EnvironmentProblem, RecipeError, did_you_mean
from codemill.machine.scarce import check_limits, scarcity

log = logging.getLogger("codemill")

MAX_CRASHES = 100
"""Documents of one part that may kill a worker before the part itself is suspected."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS")
"""Variables that tell libraries how many threads to start."""

WORKER_MEMORY = 512 << 20
"""What one worker needs at most, apart from exchanges: interpreter, Arrow and a few batches. One worker
peaks at 0.35 GiB, its parent included, in `python -m bench.exact_dedup`."""


@dataclass(frozen=True)
class Scope:
    """Which rows of a part a task may touch. Rows outside `window` are not processed and nothing is written;
    rows in `skip` are dropped with reason `crashed`."""

    skip: frozenset[int] = frozenset()
    window: tuple[int, int] | None = None

    @property
    def probing(self) -> bool:
        """Whether this is a dry run that looks for a document that kills."""
        return self.window is not None

    def blocks(self, start: int, rows: int) -> list[int]:
        """Offsets in a batch of `rows` rows, the first being row `start` of the part, that must not be touched."""
        low, high = self.window or (0, start + rows)
        outside = [i for i in range(rows) if not low <= start + i < high] if self.probing else []
        return sorted({*outside, *(i - start for i in self.skip if start <= i < start + rows)})


EVERYTHING = Scope()


@dataclass(frozen=True)
class Task:
    """`run(*args)` in some process. `size` is a weight (bytes) for progress; `label` names it for people.

    `isolates` says that `run` takes a `scope`, honours it, and returns `{"rows": n}` for an empty window, so that a
    document that kills can be found and left out. `uses` says what it needs: one "core"; "connections", all of which
    are held by one process; or the whole "machine".
    """

    run: Callable[..., dict[str, Any]]
    args: tuple[Any, ...]
    label: str
    size: int = 0
    isolates: bool = False
    uses: str = "core"
    scope: Scope = EVERYTHING


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its result, or the error it raised, or the way its worker died.

    One with `told` is no end: the task goes on, and tells how."""

    task: Task
    result: dict[str, Any] | None = None
    error: Exception | None = None
    death: str | None = None
    told: dict[str, float] | None = None


class Engine(Protocol):
    """Where tasks run. Results never depend on which engine, nor on how many workers it has."""

    workers: int

    def run(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Yields an outcome for every task, in any order; a dead worker is an outcome, not an exception. Before it
        there may be others that only say how a task goes."""

    def close(self) -> None:
        """Ends all workers."""


def run(
    engine: Engine,
    tasks: Sequence[Task],
    done: Callable[[Outcome], None],
    told: Callable[[Outcome], None] = lambda outcome: None,
) -> None:
    """Runs tasks to success, isolating documents that kill workers; calls `done` for each as it succeeds, and `told`
    for each that says how it goes.

    Raises: the first error of a task, a patient one only when all tasks have ended; BuildError if a worker keeps dying
    and no single document is to blame.
    """
    died = []
    late: Exception | None = None
    for outcome in engine.run(tasks):
        if outcome.told is not None:
            told(outcome)
        elif isinstance(outcome.error, CodemillError) and outcome.error.patient:
            late = outcome.error
        elif outcome.error is not None:
            raise outcome.error
        elif outcome.death is not None:
            log.warning("%s: its worker died (%s); trying again", outcome.task.label, outcome.death)
            died.append(outcome.task)
        else:
            done(outcome)
    for task in died:
        done(_insist(engine, task))
    if late is not None:
        raise late


def _insist(engine: Engine, task: Task) -> Outcome:
    skip: set[int] = set()
    while True:
        scope = Scope(skip=frozenset(skip))
        outcome = _one(engine, replace(task, scope=scope))
        if outcome.death is None:
            return outcome
        row = _find_killer(engine, task, scope) if task.isolates else None
        if row is None or len(skip) >= MAX_CRASHES:
            raise BuildError(
                f"a worker keeps dying ({outcome.death}), and no single document is to blame",
                where=task.label,
                remedy="if memory is short, lower --workers or raise --memory",
            )
        log.warning("%s: document at row %d kills its worker and is dropped (reason: crashed)", task.label, row)
        skip.add(row)


def _find_killer(engine: Engine, task: Task, scope: Scope) -> int | None:
    """The row that kills on its own, by halving: about log2(rows) dry runs. None if it is not a row."""

    def probe(low: int, high: int) -> Outcome:
        return _one(engine, replace(task, scope=replace(scope, window=(low, high))))

    empty = probe(0, 0)
    if empty.death is not None or empty.result is None:
        return None
    low, high = 0, int(empty.result["rows"])
    while high - low > 1:
        middle = (low + high) // 2
        if probe(low, middle).death is not None:
            high = middle
        else:
            low = middle
    return low if high > low and probe(low, high).death is not None else None


def _one(engine: Engine, task: Task) -> Outcome:
    (outcome,) = (outcome for outcome in engine.run([task]) if outcome.told is None)
    if outcome.error is not None:
        raise outcome.error
    return outcome


# ── local ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Local:
    """A pool of processes on this machine. They start fresh (no fork), end with their parent, and are replaced
    when they die.

    Tasks that use connections run in one process that lives as long as the run, a few at once, each in a thread. Those
    that use the machine run alone, in a process that may start as many threads as it likes, and the others have ended.
    """

    def __init__(self, workers: int, *, early: bool = True) -> None:
        self.workers = workers
        # Early: they start while the caller makes its plan. Otherwise each starts with its first task.
        self._idle = [_Worker().channels[0] for _ in range(workers if early else 0)]
        self._busy: dict[Connection, tuple[_Channel, Task]] = {}
        self._talking: list[_Channel] = []  # of at most one process: what uses connections

    def run(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """See `Engine.run`."""
        for uses in ("core", "connections", "machine"):
            mine = [task for task in tasks if task.uses == uses]
            if mine and uses == "machine":
                self._end_idle()  # their memory is the machine's too
            yield from self._run(mine, uses)

    def _run(self, tasks: Sequence[Task], uses: str) -> Iterator[Outcome]:
        waiting = deque(tasks)
        most = {"core": self.workers, "connections": TALKS, "machine": 1}[uses]
        try:
            while waiting or self._busy:
                while waiting and len(self._busy) < most:
                    self._start(waiting.popleft())
                for connection in wait(list(self._busy)):
                    assert isinstance(connection, Connection)
                    yield self._finish(connection)
        finally:  # the caller gave up: what is still running is for nobody
            for channel, _ in self._busy.values():
                channel.end()
            self._busy = {}

    def _start(self, task: Task) -> None:
        pool = self._talking if task.uses == "connections" else self._idle
        while True:
            free = pool.pop() if pool and task.uses != "machine" else None
            worker = free or self._new(task.uses)
            try:
                worker.connection.send(task)
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                pool.append(worker)
                remedy = "define sources and steps at the top of a module that workers can import"
                raise RecipeError(f"the recipe cannot be sent to workers: {error}", remedy=remedy) from error
            except (BrokenPipeError, ConnectionResetError):
                worker.end()  # died while idle: that is nobody's fault, take another
                continue
            self._busy[worker.connection] = (worker, task)
            return

    def _new(self, uses: str) -> _Channel:
        if uses != "connections":
            return _Worker(threads=None if uses == "machine" else 1).channels[0]
        first, *others = _Worker(channels=TALKS).channels
        self._talking = others  # those of one that died are for nobody
        return first

    def _finish(self, connection: Connection) -> Outcome:
        worker, task = self._busy.pop(connection)
        try:
            reply = connection.recv()
        except (EOFError, ConnectionResetError):
            return Outcome(task, death=worker.end())
        if "told" in reply:
            self._busy[connection] = (worker, task)
            return Outcome(task, **reply)
        if task.uses == "machine":
            worker.end()
        else:
            (self._talking if task.uses == "connections" else self._idle).append(worker)
        return Outcome(task, **reply)

    def _end_idle(self) -> None:
        for worker in self._idle:
            worker.end()
        self._idle = []

    def close(self) -> None:
        """See `Engine.close`."""
        self._end_idle()
        for worker in self._talking:
            worker.end()
        self._talking = []


_WORKER = "import sys; from codemill.machine.engine import worker_main; worker_main(*map(int, sys.argv[1:]))"

TALKS = 4
"""Tasks that use connections at once: while one waits for its last answers, the others keep asking."""


@dataclass(frozen=True)
class _Channel:
    """A socket to a worker, at whose other end one thread runs one task at a time."""

    worker: _Worker
    connection: Connection

    def end(self) -> str:
        """Ends the process, with all its channels, and says how it ended."""
        return self.worker.end()


class _Worker:
    """One process and the sockets to it. A fresh interpreter, so that the user's script is not run again and nothing is
    inherited but the sockets; with -P, because the current folder may be full of strangers' code."""

    def __init__(self, threads: int | None = 1, channels: int = 1) -> None:
        pairs = [socket.socketpair() for _ in range(channels)]
        given = [theirs.fileno() for _, theirs in pairs]
        environment = {
            **os.environ,
            # One worker, one core: libraries that start a thread per core would have workers x cores of them.
            **({name: str(threads) for name in THREADS} if threads else {}),
            "CODEMILL_WORKER": "1",
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _WORKER, str(os.getpid()), str(threads or 0), *map(str, given)],
            pass_fds=given,
            stdin=subprocess.DEVNULL,
            stdout=2,  # what a step prints must not mix with --json
            env=environment,
        )
        for _, theirs in pairs:
            theirs.close()
        self.channels = [_Channel(self, Connection(ours.detach())) for ours, _ in pairs]

    def end(self) -> str:
        """Ends the process and says how it ended."""
        for channel in self.channels:
            channel.connection.close()
        with suppress(ProcessLookupError):
            if self.process.poll() is None:
                try:
                    self.process.wait(0.2)
                except subprocess.TimeoutExpired:
                    self.process.kill()
        code = self.process.wait()
        if code < 0:
            with suppress(ValueError):
                return signal.Signals(-code).name
        return f"exit status {code}"


def execute(task: Task) -> dict[str, Any]:
    """Runs a task here and returns the fields of its Outcome. Errors that are not ours become BuildErrors."""
    try:
        with scarcity():
            return {"result": task.run(*task.args, **({"scope": task.scope} if task.isolates else {}))}
    except CodemillError as error:
        return {"error": error}
    except BaseException as error:  # sys.exit() in a step, a panic in native code: errors, not deaths of the worker
        trace = "".join(traceback.format_exception(error)).rstrip()
        return {"error": BuildError(f"a task failed: {type(error).__name__}: {error}\n{trace}\n", where=task.label)}


def prepare_worker(threads: int = 1) -> None:
    """Keeps a worker to so many cores (0: all), and pyarrow from searching the disk again and again."""
    if threads:
        pa.set_cpu_count(threads)
        pa.set_io_thread_count(threads)
    if importlib.util.find_spec("dateutil") is None:
        # pyarrow tries to import it whenever it converts a Python value, and looks for it on
        # disk again each time. None means "known not to be there".
        sys.modules["dateutil"] = None  # type: ignore[assignment]


def worker_main(parent: int, threads: int, *descriptors: int) -> None:
    """The life of a worker: on each channel receive a task, execute it, send what came of it, until the parent hangs
    up."""
    for asked in (signal.SIGINT, signal.SIGTERM):  # they reach the whole group; the parent decides
        signal.signal(asked, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: end with the parent, also if it is killed
    if os.getppid() != parent:
        return  # the parent ended before the line above
    prepare_worker(threads)
    others = [threading.Thread(target=_serve, args=(Connection(d),), daemon=True) for d in descriptors[1:]]
    for thread in others:
        thread.start()
    _serve(Connection(descriptors[0]))
    for thread in others:
        thread.join()


_served = threading.local()


def tell(label: str, facts: Mapping[str, float]) -> None:
    """Sends facts on how it goes to the process that builds, from a task that runs in this thread."""
    connection: Connection | None = getattr(_served, "connection", None)
    if connection is not None:
        with suppress(BrokenPipeError, ConnectionResetError):  # nobody listens any more: the thread will see
            connection.send({"told": dict(facts)})


_loading = threading.Lock()
"""Held while a task is unpickled: a module that one thread imports must not be seen half made by another."""


def _serve(connection: Connection) -> None:
    _served.connection = connection
    while True:
        try:
            data = connection.recv_bytes()
            with _loading:
                task = pickle.loads(data)
        except (EOFError, ConnectionResetError):
            return
        except Exception as error:  # e.g. the user's module cannot be imported here
            cause = error if isinstance(error, CodemillError) else None
            reply = {"error": cause or BuildError(f"a worker cannot load the task: {error}")}
        else:
            reply = execute(task)
        try:
            connection.send(reply)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            connection.send({"error": BuildError(f"a task's result cannot be sent: {error}")})
        except (BrokenPipeError, ConnectionResetError):
            return


# ── ray ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Ray:
    """The same tasks as Ray tasks, on the cluster that `address` names or, without one, on a Ray of our own here.

    The output folder must be storage that every node sees. Raises: EnvironmentProblem if Ray is not installed.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise EnvironmentProblem("the ray engine is not installed", remedy="pip install codemill[ray]") from error
        self._ray = ray
        self._ours = not ray.is_initialized()
        if self._ours:
            address = address or os.environ.get("RAY_ADDRESS")
            local: dict[str, Any] = {"num_cpus": workers, "include_dashboard": False} if address is None else {}
            variables = {"CODEMILL_WORKER": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
            try:
                ray.init(
                    address=address,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    runtime_env={"env_vars": variables},
                    **local,
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise EnvironmentProblem(f"Ray does not start: {error}", where=address) from error
        self.workers = workers or int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]
        # With a number of workers asked for, no more run at once; without one, Ray decides, a few being ready for it.
        self._ahead = workers or 4 * self.workers
        # max_retries=0: deaths are ours to look into; Ray would blindly run the killer again.
        self._execute = ray.remote(num_cpus=1, max_retries=0)(_execute_on_ray)
        self._here = Local(0)  # what uses connections or a whole machine runs beside the process that builds

    def run(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """See `Engine.run`."""
        yield from self._run([task for task in tasks if task.uses == "core"])
        yield from self._here.run([task for task in tasks if task.uses != "core"])

    def _run(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        waiting = deque(tasks)
        flying: dict[Any, Task] = {}
        try:
            while waiting or flying:
                while waiting and len(flying) < self._ahead:
                    task = waiting.popleft()
                    flying[self._execute.remote(pickle.dumps(task))] = task
                (ready,), _ = self._ray.wait(list(flying), num_returns=1)
                task = flying.pop(ready)
                try:
                    reply = pickle.loads(self._ray.get(ready))
                except (self._ray.exceptions.WorkerCrashedError, self._ray.exceptions.OutOfMemoryError) as error:
                    yield Outcome(task, death=type(error).__name__)
                else:
                    yield Outcome(task, **reply)
        finally:  # the caller gave up: what is still running is for nobody
            for reference in flying:
                self._ray.cancel(reference, force=True)

    def close(self) -> None:
        """Leaves a cluster that was already there alone; ends one of our own."""
        self._here.close()
        if self._ours:
            self._ray.shutdown()


def _execute_on_ray(task: bytes) -> bytes:
    prepare_worker()
    try:
        loaded = pickle.loads(task)
    except Exception as error:  # e.g. the user's module cannot be imported here
        known = error if isinstance(error, CodemillError) else None
        return pickle.dumps({"error": known or BuildError(f"a worker cannot load the task: {error}")})
    return pickle.dumps(execute(loaded))


def engine_named(name: str, workers: int | None, memory: int | None, *, early: bool = True) -> Engine:
    """The engine that people call so, with as many workers as they and the memory allow. Without `early` workers on
    this machine start with their first task. Raises: RecipeError."""
    if name not in ("local", "ray"):
        raise RecipeError(f"unknown engine {name!r}", remedy=did_you_mean(name, ["local", "ray"]))
    if workers is not None and workers < 1:
        raise RecipeError(f"--workers must be at least 1, got {workers}")
    count = workers or (len(os.sched_getaffinity(0)) if name == "local" else None)
    if memory is not None:
        if memory < WORKER_MEMORY:
            raise RecipeError(
                f"{memory:,} bytes of memory are less than one worker needs",
                where="--memory",
                remedy=f"give at least {WORKER_MEMORY >> 20}MiB; a number alone is bytes",
            )
        if count is None or memory // WORKER_MEMORY < count:
            log.warning("--memory allows %d workers", memory // WORKER_MEMORY)
            count = memory // WORKER_MEMORY
    if name == "ray":
        return Ray(count)
    assert count is not None
    check_limits(count)
    return Local(count, early=early)
