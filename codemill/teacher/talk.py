"""Carries one conversation from its first question to its rows. Whatever happens to it happens to its row alone."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from codemill.errors import CodemillError
from codemill.teacher import reading
from codemill.teacher.conversation import Conversation, Drop, Execute, Reply, Request, Unusable, Wanted
from codemill.teacher.hub import Waiting
from codemill.teacher.running import SANDBOX
from codemill.teacher.teachers import Teacher

MOST_TURNS = 1000
"""Turns of one conversation: a method that asks again for ever stops here, and its row is dropped as `failed`."""


class Answers(Protocol):
    """Who gives what a method asks for: a `Hub`, or what stands in its place."""

    async def answer(self, wanted: Wanted, teacher: Teacher, runner: str) -> Any:
        """See `Hub.answer`."""


@dataclass(frozen=True)
class Turn:
    """What a method asked for at once, and what came of it: for people who look at one conversation."""

    wanted: tuple[Wanted, ...]
    got: tuple[Any, ...]  # replies and outcomes, or what was raised instead


@dataclass
class Ended:
    """What became of a conversation: `rows` with the columns it makes, each of which may have a `reason`.

    `fault` is a traceback if the method itself failed, as opposed to the teacher.
    """

    rows: list[dict[str, Any]]
    keys: list[str] = field(default_factory=list)  # of the answers it was told, in the order of asking
    fault: str | None = None
    waiting: bool = False  # for a batch

    @property
    def accepted(self) -> bool:
        """Whether a row is left that has no reason."""
        return any(row.get("reason") is None for row in self.rows)


async def talk(
    hub: Answers,
    method: Callable[[], Conversation],
    teacher: Teacher,
    runner: str = SANDBOX,
    seen: Callable[[Turn], None] | None = None,
) -> Ended:
    """Runs one conversation. Raises: only what stops the whole run."""
    ended = Ended([])
    try:
        ended.rows = _rows(await _turns(hub, method(), teacher, runner, ended.keys, seen))
    except Waiting:
        ended.rows, ended.waiting = [{"reason": "failed", "value": "it waits for a batch"}], True
    except Unusable as error:
        ended.rows = [{"reason": error.reason, "value": _line(error)}]
    except CodemillError:
        raise
    except Exception as error:
        ended.rows = [{"reason": "failed", "value": _line(error)}]
        ended.fault = "".join(traceback.format_exception(error)).rstrip()
    return ended


async def _turns(
    hub: Answers,
    generator: Conversation,
    teacher: Teacher,
    runner: str,
    keys: list[str],
    seen: Callable[[Turn], None] | None,
) -> Any:
    """What the generator returns, after it was sent what it yielded for."""
    if not hasattr(generator, "send"):
        raise TypeError(f"a method is a generator function, this one returned {type(generator).__name__}")
    try:
        wanted = next(generator)
        for _ in range(MOST_TURNS):
            several = not isinstance(wanted, Request | Execute)
            asked: list[Any] = list(wanted) if isinstance(wanted, Sequence) else [wanted]
            _check(asked)
            got = await _all(hub, asked, teacher, runner)
            keys += [reply.key for one in got if (reply := _reply(one)) is not None]
            if seen is not None:
                seen(Turn(tuple(asked), tuple(got)))
            unusable = [one for one in got if isinstance(one, Unusable)]
            if unusable and len(unusable) == len(got):
                wanted = generator.throw(unusable[0])
            else:
                usable = [None if isinstance(one, Unusable) else one for one in got]
                wanted = generator.send(usable if several else usable[0])
    except StopIteration as end:
        return end.value
    finally:
        generator.close()
    raise RecursionError(f"the method did not come to an end in {MOST_TURNS} turns")


async def _all(hub: Answers, asked: Sequence[Wanted], teacher: Teacher, runner: str) -> list[Any]:
    """What came of each; what cannot be used is an `Unusable` in its place. Raises: what stops the conversation."""
    if len(asked) == 1:
        try:
            return [await hub.answer(asked[0], teacher, runner)]
        except Unusable as error:
            return [error]
    got = await asyncio.gather(*(hub.answer(one, teacher, runner) for one in asked), return_exceptions=True)
    stop = [one for one in got if isinstance(one, BaseException) and not isinstance(one, Unusable)]
    if stop:
        raise min(stop, key=lambda one: isinstance(one, Waiting))
    return got


def _check(asked: Sequence[Any]) -> None:
    for one in asked:
        if not isinstance(one, Request | Execute):
            raise TypeError(f"a method yields Requests and Executes or lists of them, not {type(one).__name__}")


def _reply(got: Any) -> Reply | None:
    said = got.reply if isinstance(got, Unusable) else got
    return said if isinstance(said, Reply) else None


def _rows(returned: Any) -> list[dict[str, Any]]:
    """What a method returned, as rows."""
    if isinstance(returned, Drop):
        return [{"reason": returned.reason, "value": returned.value}]
    if isinstance(returned, Mapping):
        return [dict(returned)]
    if isinstance(returned, Sequence) and not isinstance(returned, str | bytes):
        rows = [{"reason": r.reason, "value": r.value} if isinstance(r, Drop) else dict(r) for r in returned]
        if rows:
            return rows
    raise ValueError(f"a method returns rows or Drop(reason), this one returned {returned!r:.60}")


def fitted(ended: Sequence[Ended], schema: pa.Schema, *, one: bool) -> pa.RecordBatch:
    """The rows of conversations as a batch with the columns that were promised. `one`: a layer has one row for each.

    Rows that do not fit become one row that failed, and says why: they are the fault of one conversation.
    """
    names = frozenset(schema.names)
    try:
        return _made([row for each in ended for row in _promised(each, names, one)], schema)
    except _UNFIT:
        pass  # which of them it is takes longer to see
    for each in ended:
        try:
            _made(_promised(each, names, one), schema)
        except _UNFIT as error:
            each.rows = [{"reason": "failed", "value": _line(error), **({} if one else {"size": 0})}]
            each.fault = each.fault or f"{type(error).__name__}: {error}"
    return _made([row for each in ended for row in each.rows], schema)


_UNFIT = (ValueError, TypeError, OverflowError, AttributeError, pa.ArrowException)


def _promised(ended: Ended, names: frozenset[str], one: bool) -> list[dict[str, Any]]:
    if one and len(ended.rows) != 1:
        raise ValueError(f"a layer has one row for each row, the method returned {len(ended.rows)}")
    for row in ended.rows:
        if not row.keys() <= names:
            unknown = [name for name in row if name not in names]
            raise ValueError(f"the method returned the columns {unknown}, which it does not promise")
    return ended.rows


def _made(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    try:
        return pa.RecordBatch.from_pylist(rows, schema=schema)
    except _UNFIT:  # maybe only for half characters, which are too rare to look for in every row
        return pa.RecordBatch.from_pylist([reading.valid(row) for row in rows], schema=schema)


def _line(error: BaseException) -> str:
    """An error in a line, with the place in the method where it happened."""
    kind = "" if isinstance(error, Unusable) else f"{type(error).__name__}: "
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "codemill/teacher/" not in f.filename]
    place = f" ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})" if frames and kind else ""
    return f"{kind}{' '.join(str(error).split())[:300]}{place}"
