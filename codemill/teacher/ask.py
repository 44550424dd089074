"""`@cm.ask`: a synthesis method as a step of a recipe.

    @cm.ask(version=1, reads=("content",), makes={"task": pa.string()})       begins a table of rows
    @cm.ask(version=1, reads=("content",), adds={"score": pa.float64()})      adds a layer to its table

What is decorated is a method, see `conversation`: `(row, *read, **parameters)`, `row` being a dict of the columns
`reads`. The step has three parameters more: `teacher`, who is asked; `runner`, which runs programs; and `again`, which
decides nothing, but a run with another number asks once more for rows that failed (what was answered comes from the
store). Tables with rows have a column `calls`, the keys of the answers that a row is made of, and every step has
`value`, what is to be said of a row that was dropped.

All conversations of a run are in one process, which alone holds limits, costs and the store. About twice as many are
under way as the teacher answers at once; they end in any order, and their rows come out in the order of the input.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from codemill.errors import BuildError, CodemillError, EnvironmentProblem, RecipeError, WaitsForBatch
from codemill.machine.kinds import Columns, Layer, Published, Reads, Rows
from codemill.machine.progress import Forecast
from codemill.machine.reading import Around, Reading
from codemill.machine.store import Place
from codemill.machine.table import MADE, Step, Table, made_as
from codemill.teacher import running
from codemill.teacher.calls import Calls
from codemill.teacher.conversation import DROPS, Conversation
from codemill.teacher.hub import Hub, Limits
from codemill.teacher.talk import Ended, fitted, talk
from codemill.teacher.teachers import Endpoint, Local, Replay, Scripted

FAULTS = 20
"""Rows on which a method itself fails before one ends well: then it is wrong, and the run stops."""

WAITING = 8192
"""Rows of batches that are read ahead of one that is not done yet."""

GARBAGE = 10_000
"""New objects before Python looks for cycles, in the process that holds the conversations. All that is under way was
looked through every 700 objects, which took 0.15 of 0.92 ms CPU a request and freed one object in five requests."""


@dataclass(frozen=True, eq=False)
class Asking(Step):
    """A step made of a method. `method` is the plain generator function, for tests: send it replies."""

    method: Callable[..., Conversation] = None  # type: ignore[assignment]

    def check_settings(self, params: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        """Raises: RecipeError for a limit on money where nobody knows what an answer costs: it would never be met."""
        teacher = params["teacher"]
        if settings.get("max_cost") is None or not isinstance(teacher, Endpoint) or teacher.price is not None:
            return
        raise RecipeError(
            f"--max-cost cannot be kept: what {teacher.model!r} costs is not known",
            where=self.name,
            remedy="give its price, such as --price 0.15/0.60 (in Python, price=Price(0.15, 0.60)), or --max-requests",
        )

    def forecast(
        self, params: Mapping[str, Any], rows: Reading, read: Sequence[Reading], around: Around
    ) -> Forecast | None:
        """What it will ask; None where an answer takes neither money nor time."""
        from codemill.teacher.forecast import forecast

        teacher, runner = params["teacher"], params["runner"]
        if isinstance(teacher, Replay) or (isinstance(teacher, Scripted) and teacher.price is None):
            return None
        further = [given.table() if given.place is None else given.folder for given in read]
        own = {name: value for name, value in params.items() if name not in OWN}
        columns = self.reads(params) if callable(self.reads) else self.reads
        folder, limits = calls_of(around.out, around.settings.get("calls")), Limits.of(around.settings)

        def method(row: dict[str, Any]) -> Conversation:
            return self.method(row, *further, **own)

        return forecast(method, columns, rows, teacher, runner, folder, limits, around.told, self.name)


def ask(
    *,
    version: int,
    reads: Reads,
    adds: Columns | None = None,
    makes: Columns | None = None,
    drops: Mapping[str, str] | None = None,
    published: Published | None = None,
    **more: Any,
) -> Callable[[Callable[..., Conversation]], Asking]:
    """Makes a step of a method: a layer with the columns `adds`, or a table with the columns `makes`.

    `drops` says what the method's own reasons mean. Other arguments are those of `cm.step` and `cm.rows`. Further
    tables reach the method as `pa.Table`s, further folders as paths.
    """
    if (adds is None) == (makes is None):
        raise RecipeError("@ask takes either adds= (a layer) or makes= (a table of rows)")
    columns = {**(adds or {}), "value": pa.string()}
    if makes is not None:
        columns = {**MADE, **makes, "value": pa.string(), "calls": CALLS}
    how = Layer(streams=True) if makes is None else Rows(published or Published(), streams=True)

    def decorate(method: Callable[..., Conversation]) -> Asking:
        if not inspect.isgeneratorfunction(method):
            raise RecipeError(f"{method.__name__} is no generator function", remedy="it yields what it asks for")
        return made_as(
            Asking,
            _function(method, columns, rows=makes is not None),
            version,
            how,
            reads,
            columns,
            uses="connections",
            drops={**DROPS, **(drops or {})},
            resolve=_resolved,
            check=_checked(more.pop("check", None)),
            method=method,
            **more,
        )

    return decorate


CALLS = pa.list_(pa.string())
OWN = ("teacher", "runner", "again")


def _function(method: Callable[..., Conversation], columns: Columns, *, rows: bool) -> Callable[..., Any]:
    """What the machine calls: batches in, batches out, with the method's parameters and ours."""
    promised = {name: kind for name, kind in columns.items() if name not in ("id", "parent")}
    schema = pa.schema([pa.field(name, kind) for name, kind in {**promised, "reason": pa.string()}.items()])

    @functools.wraps(method)
    def stream(batches: Iterator[pa.RecordBatch], *read: Reading, around: Around, **params: Any) -> Any:
        own = {name: params.pop(name) for name in OWN}
        further = [given.table() if given.place is None else given.folder for given in read]
        hub = hub_of(around)

        def method_of(row: dict[str, Any]) -> Conversation:
            return method(row, *further, **params)

        teacher, runner = own["teacher"], own["runner"]

        async def one(row: dict[str, Any]) -> Ended:
            return await talk(hub, lambda: method_of(row), teacher, runner)

        tally = tally_of(around, 2 * teacher.concurrency)
        return _stream(hub, one, tally, batches, schema, around, rows=rows)

    signature = inspect.signature(method)
    given = list(signature.parameters.values())
    if taken := [p.name for p in given if p.name in (*OWN, "around")]:
        raise RecipeError(f"a method's parameter may not be called {taken[0]!r}: every @ask step has one of that name")
    more = [
        inspect.Parameter("teacher", inspect.Parameter.KEYWORD_ONLY),
        inspect.Parameter("runner", inspect.Parameter.KEYWORD_ONLY, default=running.SANDBOX),
        inspect.Parameter("again", inspect.Parameter.KEYWORD_ONLY, default=0),
    ]
    stream.__signature__ = signature.replace(parameters=[*given, *more])  # type: ignore[attr-defined]
    return stream


def _checked(check: Callable[..., None] | None) -> Callable[..., None]:
    def checked(*, teacher: Any, runner: str, again: int, **params: Any) -> None:
        if not isinstance(teacher, Endpoint | Local | Scripted | Replay):
            raise RecipeError(
                f"teacher= is a {type(teacher).__name__}, not a teacher",
                remedy='such as cm.teacher.Endpoint("model", "http://127.0.0.1:8000/v1")',
            )
        if check is not None:
            check(**params)

    return checked


def _resolved(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    return {**params, "teacher": params["teacher"].resolved()}


# ── the stream ────────────────────────────────────────────────────────────────────────────────────────────────────


def _stream(
    hub: Hub,
    talked: Callable[[dict[str, Any]], Coroutine[Any, Any, Ended]],
    tally: Tally,
    batches: Iterator[pa.RecordBatch],
    schema: pa.Schema,
    around: Around,
    *,
    rows: bool,
) -> Iterator[pa.RecordBatch]:
    """A batch for each batch, in order. Reads ahead, so that a slow row keeps no other from being asked."""
    waiting: deque[tuple[int, Future[list[Ended]]]] = deque()
    held = 0

    async def one(row: dict[str, Any]) -> Ended:
        try:
            ended = await talked(row)
        finally:
            tally.window.release()
        tally.enter(ended)
        return ended

    async def all_of(batch: pa.RecordBatch, begun: threading.Event) -> list[Ended]:
        """The conversations of a batch; all of them have begun when `begun` is set."""
        tasks: list[asyncio.Task[Ended]] = []
        try:
            for row in _rows_of(batch):
                await tally.window.acquire()
                tasks.append(asyncio.ensure_future(one(row)))
                if hub.stopped is not None:
                    raise hub.stopped
        finally:
            begun.set()
        return await asyncio.gather(*tasks)

    def finished() -> pa.RecordBatch:
        nonlocal held
        rows_in, future = waiting.popleft()
        held -= rows_in
        while not _done(future):
            tally.tell(hub, around)
        return _batch(future.result(), schema, tally, rows=rows)

    try:
        for batch in batches:
            begun = threading.Event()
            waiting.append((batch.num_rows, hub.start(all_of(batch, begun))))
            held += batch.num_rows
            while not begun.wait(1.0):
                tally.tell(hub, around)
            while waiting and (held > WAITING or waiting[0][1].done()):
                yield finished()
        while waiting:
            yield finished()
    except CodemillError as error:
        hub.stop(error)
        raise hub.drain(tally.share()) or error from error
    tally.tell(hub, around, now=True)
    if hub.limits.collect and hub.counts.wanted:
        raise WaitsForBatch(
            f"{hub.counts.wanted:,} requests wait for a batch",
            where=hub.calls.folder / "wanted.jsonl",
            remedy="`codemill calls export`, answer them, `codemill calls import`, and run again",
        )


def _rows_of(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    for start in range(0, batch.num_rows, 64):  # Python's copies of a few rows at a time
        yield from batch.slice(start, 64).to_pylist()


def _done(future: Future[list[Ended]]) -> bool:
    """Whether it is done after a second at most."""
    return bool(wait([future], 1.0).done)


def _batch(ended: list[Ended], schema: pa.Schema, tally: Tally, *, rows: bool) -> pa.RecordBatch:
    """The rows of a batch's conversations, each with the number of the row it is `of`."""
    if rows:
        for one in ended:
            one.rows = [{"size": 0, "calls": one.keys, **row} for row in one.rows]
    batch = fitted(ended, schema, one=not rows)
    for one in ended:
        tally.check(one)
    if tally.faults >= FAULTS and not tally.well:
        raise BuildError(f"the method fails on every row; the last time:\n{tally.fault}\n", where=tally.name)
    if not rows:
        return batch
    of = [number for number, one in enumerate(ended) for _ in one.rows]
    return batch.append_column("of", pa.array(of, pa.int64()))


class Tally:
    """How the conversations of one step went, in all its parts, and how many may be under way."""

    def __init__(self, name: str, window: int) -> None:
        self.name, self.window = name, asyncio.Semaphore(window)
        self.rows = self.accepted = self.made = self.well = self.faults = 0
        self.fault, self._told, self._lock = "", 0.0, threading.Lock()

    def enter(self, ended: Ended) -> None:
        """Counts a conversation that ended."""
        with self._lock:
            self.rows += 1
            self.accepted += ended.accepted
            self.made += sum(row.get("reason") is None for row in ended.rows)

    def share(self) -> str:
        """How many rows are accepted so far, in words."""
        return f"{self.accepted:,} of {self.rows:,} rows accepted"

    def check(self, ended: Ended) -> None:
        """Counts whether the method did well, once its rows are held against what it promises."""
        with self._lock:
            self.well += ended.fault is None and not ended.waiting
            if ended.fault is not None:
                self.faults, self.fault = self.faults + 1, ended.fault

    def tell(self, hub: Hub, around: Around, *, now: bool = False) -> None:
        """Tells whoever watches the run, at most once a second."""
        if not now and time.monotonic() - self._told < 1.0:
            return
        self._told = time.monotonic()
        around.tell(rows=self.rows, accepted=self.accepted, made=self.made, **hub.status())


# ── one for each process ──────────────────────────────────────────────────────────────────────────────────────────

_LOCK = threading.Lock()
_HUBS: dict[str, Hub] = {}
_TALLIES: dict[tuple[str, str], Tally] = {}


def hub_of(around: Around) -> Hub:
    """The hub of this run in this process: made once. Raises: EnvironmentProblem if the store is in use."""
    folder = calls_of(around.out, around.settings.get("calls"))
    with _LOCK:
        if str(folder) not in _HUBS:
            if 0 < gc.get_threshold()[0] < GARBAGE:
                gc.set_threshold(GARBAGE)
            _HUBS[str(folder)] = Hub(Calls(folder, write=True), Limits.of(around.settings))
        return _HUBS[str(folder)]


def tally_of(around: Around, window: int) -> Tally:
    """The tally of a step of this run, with so many conversations under way."""
    step = around.label.partition(" ")[0]
    with _LOCK:
        return _TALLIES.setdefault((around.out, step), Tally(step, max(64, window)))


def calls_of(out: str, given: str | None) -> Path:
    """Where the store of a run lies: as given, or beside its output. Raises: RecipeError if it would lie inside."""
    place = Place.of(out)
    if given is None and place.local is None:
        raise EnvironmentProblem("the store of calls needs a disk", where=out, remedy="say --calls FOLDER")
    folder = Path(given).absolute() if given is not None else Path(f"{place.local}.calls")
    if place.local is not None and (folder == place.local or place.local in folder.parents):
        raise RecipeError("--calls may not lie inside --out, which can be deleted and made again", where=folder)
    return folder
