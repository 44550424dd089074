"""What a step will ask, reckoned before anybody is asked: requests, tokens, money, and where a limit will cut.

Some rows, taken evenly from those that are not done, have their conversations carried on as far as the store of paid
calls carries them. Those that end were paid before; the others tell the prompts that would be sent next. Of a step
that was never asked only the first turn is known; once some of its conversations are in the store, so are the length of
its answers and the number of its turns.

Unit: tokens as the server counts them; of prompts that nobody has counted, 3.5 bytes a token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow as pa

from codemill.machine.progress import Forecast
from codemill.machine.reading import Reading
from codemill.teacher import running
from codemill.teacher.calls import ANSWER, Calls, key_of
from codemill.teacher.conversation import Conversation, Execute, Request, Usage, Wanted
from codemill.teacher.hub import Limits, Waiting, asked_as, executed_as, reply_of, usage_of
from codemill.teacher.talk import Ended, talk
from codemill.teacher.teachers import Endpoint, Price, Teacher

BYTES_OF_A_TOKEN = 3.5
"""Of English and code: between the 3 and 4.5 of the usual vocabularies."""

SAMPLE = 64
"""Rows whose conversations are carried on."""

PARTS = 8
"""Parts of a table that they are taken from: each is read once more."""

RECENT = 1000
"""Answers of the store that say how long those of a model are, where a step has none of its own."""


@dataclass
class Walk:
    """How far the store carries one conversation."""

    paid: list[Usage] = field(default_factory=list)  # of requests that the store answers
    sizes: list[int] = field(default_factory=list)  # of their prompts, in bytes
    missing: list[Request] = field(default_factory=list)  # what would be asked now
    unsent: list[int] = field(default_factory=list)  # bytes of their prompts
    ended: Ended | None = None  # None: it goes on


class Stored:
    """Answers from the store in the place of a hub, for one conversation. Asks nobody, runs nothing."""

    def __init__(self, calls: Calls | None, by: Mapping[str, Any], runner: Callable[[], running.Runner]) -> None:
        self.calls, self.by, self.runner, self.walk = calls, by, runner, Walk()

    async def answer(self, wanted: Wanted, teacher: Teacher, runner: str) -> Any:
        """What `Hub.answer` gives. Raises: Waiting where the store has nothing."""
        if isinstance(wanted, Execute):
            asked = executed_as(wanted, self.by.get(wanted.language))
            record = None if self.calls is None else self.calls.get(key_of({"execute": asked}))
            if record is None:
                raise Waiting
            return self.runner().restore(record["outcome"])
        what = asked_as(wanted, teacher)
        key = key_of(what)
        record = None if self.calls is None else self.calls.get(key)
        if record is None:
            self.walk.missing.append(wanted)
            self.walk.unsent.append(_size(what["body"]))
            raise Waiting
        self.walk.paid.append(usage_of(record["response"]))
        self.walk.sizes.append(_size(what["body"]))
        return reply_of(record["response"], wanted, key.hex())


def _size(body: Mapping[str, Any]) -> int:
    texts = [body["prompt"]] if "prompt" in body else [message["content"] for message in body["messages"]]
    return sum(len(text.encode("utf-8", "replace")) for text in texts)


@dataclass(frozen=True)
class Reckoned:
    """What is to come for `rows` rows. None: not known.

    Where `first_turn`, `requests` are those of the next turn alone. `completion` is reckoned at the mean of `mean_of`
    answers; if that is 0, at the most that they may have.
    """

    rows: int
    answered: int  # rows of which the store has all answers, or that need none
    requests: int
    prompt: int
    completion: int | None
    cost: float | None
    first_turn: bool
    mean_of: int


def forecast(
    method: Callable[[dict[str, Any]], Conversation],
    columns: Sequence[str],
    rows: Reading,
    teacher: Teacher,
    runner: str,
    folder: Path,
    limits: Limits,
    told: Mapping[str, float],
    name: str,
) -> Forecast | None:
    """What a step will take for these rows; None if there are none. `told` is what the run asked and paid before."""
    count = rows.rows()
    if not count:
        return None
    taken = sample(rows, columns)
    calls = Calls(folder) if folder.is_dir() else None
    try:
        by: dict[str, Any] = {}
        others: list[Usage] = []
        for kind, record in calls.recent(RECENT) if calls is not None else ():
            if kind != ANSWER:
                by.setdefault(record["execute"]["language"], record["execute"]["by"])
            elif record["body"].get("model") == teacher.name:
                others.append(usage_of(record["response"]))

        def carried() -> list[Walk]:
            return asyncio.run(_all(method, taken, teacher, runner, calls, by))

        with ThreadPoolExecutor(1) as thread:  # a notebook has an event loop in this one
            walks = thread.submit(carried).result()
    finally:
        if calls is not None:
            calls.close()
    made = reckoned(count, walks, others, teacher)
    return Forecast(words(made, name, teacher, limits, told), facts(made, limits, told), example(walks))


def sample(rows: Reading, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Up to SAMPLE of the living rows, evenly from up to PARTS of the parts."""
    parts = rows.parts[:: -(-len(rows.parts) // PARTS)]
    found: list[dict[str, Any]] = []
    for batch in Reading(rows.name, parts).batches(columns):
        if len(found) > 8 * SAMPLE:  # a large part has many batches
            found = found[::2]
        every = range(0, batch.num_rows, -(-batch.num_rows // SAMPLE) or 1)
        found += batch.take(pa.array(every, pa.int64())).to_pylist()
    return found[:: -(-len(found) // SAMPLE) or 1]


async def _all(
    method: Callable[[dict[str, Any]], Conversation],
    rows: Sequence[dict[str, Any]],
    teacher: Teacher,
    runner: str,
    calls: Calls | None,
    by: Mapping[str, Any],
) -> list[Walk]:
    """The conversations of rows, as far as the store carries them."""
    walks = []
    for row in rows:
        stored = Stored(calls, by, lambda: running.sandbox(runner))
        ended = await talk(stored, lambda row=row: method(row), teacher, runner)  # type: ignore[misc]
        stored.walk.ended = None if ended.waiting else ended
        walks.append(stored.walk)
    return walks


def reckoned(rows: int, walks: Sequence[Walk], others: Sequence[Usage], teacher: Teacher) -> Reckoned:
    """What is to come for so many rows, of which `walks` are a sample. `others` are answers of the same teacher."""
    open_ones = [walk for walk in walks if walk.ended is None]
    whole = [walk for walk in walks if walk.ended is not None and walk.paid]
    turns = fmean(len(walk.paid) for walk in whole) if whole else 0.0
    to_come = sum(max(len(walk.missing), turns - len(walk.paid)) for walk in open_ones)
    requests = rows * to_come / max(1, len(walks))

    paid = [usage for walk in walks for usage in walk.paid]
    counted, bytes = sum(usage.prompt for usage in paid), sum(sum(walk.sizes) for walk in walks)
    ratio = counted / bytes if counted else 1 / BYTES_OF_A_TOKEN
    asked = [size * ratio for walk in walks for size in walk.unsent] + [float(u.prompt) for u in paid]
    prompt = requests * (fmean(asked) if asked else 0.0)

    limits = [one.max_tokens or teacher.sampling.get("max_tokens") for walk in walks for one in walk.missing]
    known = [usage.completion for usage in paid or others]
    each = fmean(known) if known else None
    if not known and limits and None not in limits:
        each = fmean(limit for limit in limits if limit is not None)
    completion = None if each is None else requests * each
    return Reckoned(
        rows=rows,
        answered=round(rows * (len(walks) - len(open_ones)) / max(1, len(walks))),
        requests=round(requests),
        prompt=round(prompt),
        completion=None if completion is None else round(completion),
        cost=_cost(teacher.price, prompt, completion),
        first_turn=not whole,
        mean_of=len(known),
    )


def _cost(price: Price | None, prompt: float, completion: float | None) -> float | None:
    if price is None or completion is None:
        return None
    return (prompt * price.prompt + completion * price.completion) / 1e6


# ── as it is said ─────────────────────────────────────────────────────────────────────────────────────────────────


def words(made: Reckoned, name: str, teacher: Teacher, limits: Limits, told: Mapping[str, float]) -> tuple[str, ...]:
    """An estimate in a few lines."""
    before = f", of which about {made.answered:,} need no answer more" if made.answered else ""
    first = f"{name}: asks {teacher.name} about {made.rows:,} rows{before}"
    if not made.requests:
        return (f"{first}: nothing or little is left to ask",)
    answer = "answers of unknown length" if made.completion is None else f"{made.completion:,} of answer"
    if made.mean_of:
        answer += f" (as the mean of {made.mean_of:,} so far)"
    elif made.completion is not None:
        answer = f"at most {answer}"
    about = "the next turn takes about" if made.first_turn else "about"
    lines = [
        first,
        f"{about} {made.requests:,} requests, {made.prompt:,} tokens of prompt, {answer}{_money(made, teacher)}",
    ]
    met = list(cuts(made, limits, told))
    for limit, after in met:
        lines.append(f"{limit} ends it after about {after:,} of them; what was answered is stored, run again to go on")
    if made.first_turn and not met:
        left = [f"{limit} leaves {rest:,.4g} for them" for limit, rest, _ in _left(made, limits, told)]
        lines.append("; ".join(["later turns depend on the answers, and come on top", *left]))
    return tuple(lines)


def _money(made: Reckoned, teacher: Teacher) -> str:
    if made.cost is not None:
        cost = f"{made.cost:,.2f}" if made.cost >= 1 else f"{made.cost:.2g}"
        return f", cost {'about' if made.mean_of else 'at most'} {cost}"
    return (
        "; what they cost is not known without --price" if isinstance(teacher, Endpoint) and not teacher.price else ""
    )


def _left(made: Reckoned, limits: Limits, told: Mapping[str, float]) -> Iterator[tuple[str, float, float]]:
    """The limits of the run, what is left of each after this step's requests, and the share of them that it allows."""
    if limits.max_requests is not None:
        before = max(0.0, limits.max_requests - told.get("asked", 0))
        yield f"--max-requests {limits.max_requests:,}", before - made.requests, before / max(1, made.requests)
    if limits.max_cost is not None and made.cost:
        money = max(0.0, limits.max_cost - told.get("cost", 0.0))
        yield f"--max-cost {limits.max_cost:g}", money - made.cost, money / made.cost


def cuts(made: Reckoned, limits: Limits, told: Mapping[str, float]) -> Iterator[tuple[str, int]]:
    """The limits of the run that this step will meet, and after how many of its requests."""
    for limit, rest, share in _left(made, limits, told):
        if rest < 0:
            yield limit, int(share * made.requests)


def facts(made: Reckoned, limits: Limits, told: Mapping[str, float]) -> dict[str, Any]:
    """The same for machines."""
    cost = None if made.cost is None else round(made.cost, 6)
    return {**made.__dict__, "cost": cost, "ends_after": min((n for _, n in cuts(made, limits, told)), default=None)}


def example(walks: Sequence[Walk]) -> str:
    """A prompt that would be sent, filled in; empty if there is none."""
    return next((one.text for walk in walks for one in walk.missing), "")
