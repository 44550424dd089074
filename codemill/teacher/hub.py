"""What all conversations of a run share: one event loop, the store, the teachers, the limits and the counts.

There is one hub in the process that uses connections, and it lives as long as the run. `Hub.answer` gives what a method
asked for: from the store if it is there, else from the teacher, and into the store before anybody sees it. Two
conversations that ask the same thing at the same time ask once.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from codemill.errors import CodemillError, TeacherError
from codemill.teacher import reading, running
from codemill.teacher.calls import ANSWER, OUTCOME, Calls, key_of
from codemill.teacher.conversation import (
    Execute,
    Malformed,
    Refused,
    Reply,
    Request,
    Token,
    Truncated,
    Unanswered,
    Usage,
    Wanted,
)
from codemill.teacher.teachers import Answering, Endpoint, Replay, Teacher, opened, path_of

log = logging.getLogger("codemill")
T = TypeVar("T")

RECENT = 200
"""Records of the store that are looked at for the fingerprints of servers."""

UNANSWERED_IN_A_ROW = 50
"""Requests that get no answer before their deadline, without one that does in between, before the run stops."""


@dataclass
class Counts:
    """What a process asked and paid. Tokens and money are of answers that were paid now, not of stored ones."""

    asked: int = 0  # requests answered by a teacher
    stored: int = 0  # requests answered by the store
    executed: int = 0
    executions_stored: int = 0
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cost: float = 0.0
    wanted: int = 0  # requests collected for a batch
    seconds: float = 0.0  # since the first request of this process

    def shown(self) -> dict[str, Any]:
        """As it is told while a run goes on."""
        return {name: round(value, 6) for name, value in dataclasses.asdict(self).items()}


@dataclass(frozen=True)
class Limits:
    """What a run may do: null is no limit. `collect`: nothing is asked, requests are written down for a batch."""

    max_cost: float | None = None
    max_requests: int | None = None
    collect: bool = False

    @staticmethod
    def of(settings: Mapping[str, Any]) -> Limits:
        """From the settings of a run."""
        return Limits(settings.get("max_cost"), settings.get("max_requests"), bool(settings.get("collect")))


class Spent(TeacherError):
    """What a run may ask or spend is asked or spent."""


class Waiting(Exception):
    """A request waits for a batch: the conversation cannot go on now."""


@dataclass
class Hub:
    """See above. `close` is for tests and for single use; a run's process just ends."""

    calls: Calls
    limits: Limits = Limits()
    counts: Counts = field(default_factory=Counts)
    stopped: CodemillError | None = None  # why nothing more is asked

    def __post_init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="conversations", daemon=True)
        self._thread.start()
        self._pool: ThreadPoolExecutor | None = None
        self._answering: dict[str, Answering] = {}
        self._known: dict[int, tuple[Teacher, Answering]] = {}
        self._runners: dict[str, running.Runner] = {}
        self._described: dict[tuple[str, str], asyncio.Future[Any]] = {}
        self._flying: dict[bytes, asyncio.Future[dict[str, Any]]] = {}
        self._paying, self._kept = 0, 0.0  # requests under way, and what they may cost at most
        self._came = asyncio.Condition()
        self._unanswered = 0
        self._fingerprints = self._last_fingerprints()
        self._began = 0.0
        self._collected: set[bytes] = set()
        self._syncing = asyncio.run_coroutine_threadsafe(self._sync(), self.loop)

    def _last_fingerprints(self) -> dict[str, str]:
        """What the servers of the last answers in the store called themselves, by model."""
        found: dict[str, str] = {}
        for kind, record in self.calls.recent(RECENT):
            if kind == ANSWER and str(record.get("by")).startswith("http"):
                said = record["response"].get("system_fingerprint")
                if isinstance(said, str) and said:
                    found.setdefault(str(record["body"].get("model")), said)
        return found

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Runs a coroutine on the hub's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    async def answer(self, wanted: Wanted, teacher: Teacher, runner: str = running.SANDBOX) -> Any:
        """A Reply, or the outcome of an execution. Raises: an Unusable, or what stops the run."""
        return await (self._execute(wanted, runner) if isinstance(wanted, Execute) else self._ask(wanted, teacher))

    # ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _ask(self, request: Request, teacher: Teacher) -> Reply:
        asked = asked_as(request, teacher)
        key = key_of(asked)
        record = self.calls.get(key)
        if record is not None:
            self.counts.stored += 1
        else:
            record = await self._once(key, lambda: self._pay(key, asked, request, teacher))
        return reply_of(record["response"], request, key.hex())

    async def _once(self, key: bytes, work: Callable[[], Coroutine[Any, Any, dict[str, Any]]]) -> dict[str, Any]:
        """The record that `work` makes, made once for all who want it at the same time."""
        if (flying := self._flying.get(key)) is not None:
            return await asyncio.shield(flying)
        made = self._flying[key] = self.loop.create_future()
        try:
            record = await work()
        except BaseException as error:
            made.set_exception(error)
            made.exception()  # it is raised here, and need not be heard by anybody else
            raise
        else:
            made.set_result(record)
            return record
        finally:
            del self._flying[key]

    async def _pay(self, key: bytes, asked: Mapping[str, Any], request: Request, teacher: Teacher) -> dict[str, Any]:
        if self.limits.collect and not isinstance(teacher, Replay):
            self._collect(key, asked)
            raise Waiting
        kept = await self._afford(asked["body"], teacher)
        self._began = self._began or time.monotonic()
        try:
            response, who, seconds = await self._answerer(teacher).ask(request, asked["body"])
        except Unanswered as error:
            self._unanswered += 1
            if self._unanswered <= 3:
                log.warning("a request was not answered in time; the last attempt: %s", error.last)
            if self._unanswered >= UNANSWERED_IN_A_ROW:
                self.stop(
                    TeacherError(
                        f"{self._unanswered} requests in a row were not answered; the last attempt: {error.last}"
                    )
                )
            raise
        except CodemillError as error:
            self.stop(error)
            raise
        else:
            self._unanswered = 0
            record = {
                **asked,
                "response": response,
                "at": round(time.time(), 3),
                "seconds": round(seconds, 3),
                "by": who,
            }
            try:
                self.calls.put(key, record, ANSWER)
            except CodemillError as error:
                self.stop(error)
                raise
            self._count(response, teacher)
            return record
        finally:
            await self._came_back(kept)

    def _answerer(self, teacher: Teacher) -> Answering:
        if (known := self._known.get(id(teacher))) is None:  # a teacher's text takes longer to make than a key
            name = repr(teacher)
            if name not in self._answering:
                self._answering[name] = opened(teacher, self._why)
            known = self._known[id(teacher)] = (teacher, self._answering[name])  # held, so that no other gets its id
        return known[1]

    def _why(self) -> CodemillError | None:
        """Why what waits for its turn is not sent any more."""
        return None if isinstance(self.stopped, Spent) else self.stopped

    async def _afford(self, body: Mapping[str, Any], teacher: Teacher) -> float:
        """Waits until what a request may cost at most fits into the limits, and keeps it apart.

        Raises: why nothing more is asked. Where no `max_tokens` is said, an answer is reckoned at the mean of those
        that came, or at 1,000 tokens.
        """
        counts, limits = self.counts, self.limits
        if limits.max_requests is not None and counts.asked + self._paying >= limits.max_requests:
            self.stop(Spent(f"--max-requests {limits.max_requests:,} are asked"))
        most = 0.0
        if limits.max_cost is not None and teacher.price is not None:
            mean = counts.completion / counts.asked if counts.asked else 1000
            prompt = len(json.dumps(body)) / 3
            most = (prompt * teacher.price.prompt + body.get("max_tokens", mean) * teacher.price.completion) / 1e6
            while self.stopped is None and counts.cost + self._kept + most > limits.max_cost:
                if not self._paying:
                    self.stop(Spent(f"--max-cost {limits.max_cost:g} is spent"))
                    break
                async with self._came:
                    await self._came.wait()
        if self.stopped is not None:
            raise self.stopped
        self._kept += most
        self._paying += 1
        return most

    async def _came_back(self, kept: float) -> None:
        """A request ended: what was kept for it may be spent by others."""
        self._paying -= 1
        self._kept -= kept
        if self.limits.max_cost is not None:
            async with self._came:
                self._came.notify_all()

    def stop(self, why: CodemillError) -> None:
        """Nothing more is asked. What is under way comes to its end, for it is paid; if only money has run out, so does
        what was allowed before and waits for its turn."""
        self.stopped = self.stopped or why

    def _count(self, response: Mapping[str, Any], teacher: Teacher) -> None:
        usage, counts = usage_of(response), self.counts
        counts.asked += 1
        counts.prompt += usage.prompt
        counts.completion += usage.completion
        counts.cached += usage.cached
        if (price := teacher.price) is not None:
            cached = price.prompt if price.cached is None else price.cached
            money = (usage.prompt - usage.cached) * price.prompt + usage.cached * cached
            counts.cost += (money + usage.completion * price.completion) / 1e6
        said = response.get("system_fingerprint")
        if isinstance(teacher, Endpoint) and isinstance(said, str) and said:
            before = self._fingerprints.setdefault(teacher.model, said)
            if before != said:
                log.warning("%s: the server's fingerprint changed from %s to %s", teacher.model, before[:40], said[:40])
                self._fingerprints[teacher.model] = said

    def _collect(self, key: bytes, asked: Mapping[str, Any]) -> None:
        """Writes a request down for a batch, once."""
        if key in self._collected:
            return
        self._collected.add(key)
        self.counts.wanted += 1
        line = {"custom_id": key.hex(), "method": "POST", "url": f"/v1{asked['path']}", "body": asked["body"]}
        with open(self.calls.folder / "wanted.jsonl", "a", encoding="utf-8") as out:
            out.write(json.dumps({**line, "sample": asked["sample"]}, ensure_ascii=True) + "\n")

    # ── executing ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _execute(self, wanted: Execute, named: str) -> Any:
        if named not in self._runners:
            self._runners[named] = running.sandbox(named)
        runner = self._runners[named]
        asked = executed_as(wanted, await self._by(named, wanted.language))
        key = key_of({"execute": asked})
        record = self.calls.get(key)
        if record is not None:
            self.counts.executions_stored += 1
        else:
            record = await self._once(key, lambda: self._run(key, asked, wanted, runner))
        return runner.restore(record["outcome"])

    async def _by(self, named: str, language: str) -> Any:
        """What a runner says of itself and a language: asked once, in a thread. It may start a sandbox, or wait for a
        slot of it until a program ends, and no conversation shall wait for that."""
        known = self._described.get((named, language))
        if known is None:
            asked = self.loop.run_in_executor(None, self._runners[named].described, language)
            known = self._described[named, language] = asked
        try:
            return await asyncio.shield(known)
        except CodemillError as error:
            self.stop(error)
            raise

    async def _run(
        self, key: bytes, asked: Mapping[str, Any], wanted: Execute, runner: running.Runner
    ) -> dict[str, Any]:
        if self.stopped is not None:
            raise self.stopped
        if self._pool is None:
            self._pool = ThreadPoolExecutor(runner.slots, thread_name_prefix="executions")
        try:
            outcome, final = await self.loop.run_in_executor(self._pool, runner.run, wanted)
            record = {"execute": asked, "outcome": outcome, "at": round(time.time(), 3)}
            if final:  # the grader's own faults are no outcome of the program
                self.calls.put(key, record, OUTCOME)
        except CodemillError as error:
            self.stop(error)
            raise
        self.counts.executed += 1
        return record

    # ── the life of it ────────────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> dict[str, Any]:
        """The counts, for progress."""
        self.counts.seconds = time.monotonic() - self._began if self._began else 0.0
        return self.counts.shown()

    def drain(self, came_to: str, seconds: float = 120.0) -> CodemillError | None:
        """Waits for requests under way, after `stop`: they are paid, and go into the store. Returns: why it stopped; if
        it is a limit, with what was paid and what that `came_to`."""
        until = time.monotonic() + seconds
        while self._paying and time.monotonic() < until:
            time.sleep(0.02)
        self.calls.sync()
        if not isinstance(self.stopped, Spent):
            return self.stopped
        c = self.counts
        return TeacherError(
            f"{self.stopped.what}: {c.asked:,} answers, {c.prompt + c.completion:,} tokens, cost {c.cost:g}; {came_to}",
            remedy="all answers are stored: raise the limit and run again to go on",
        )

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(1.5)
            await self.loop.run_in_executor(None, self.calls.sync)

    def close(self) -> None:
        """Ends the loop, and closes the store."""

        async def end() -> None:
            self._syncing.cancel()
            for one in self._answering.values():
                await one.close()
            await asyncio.sleep(0)

        self.start(end()).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        if self._pool is not None:
            self._pool.shutdown()
        self.calls.close()


# ── what things are stored under ──────────────────────────────────────────────────────────────────────────────────


def asked_as(request: Request, teacher: Teacher) -> dict[str, Any]:
    """What the key of an answer is made of."""
    body = request.body(teacher.name, teacher.sampling, structured=teacher.structured)
    return {"path": path_of(request), "body": body, "sample": request.sample}


def executed_as(wanted: Execute, by: Any) -> dict[str, Any]:
    """What the key of an outcome is made of; `by` is what the runner says of itself and the language."""
    return {
        "program": wanted.program,
        "tests": running.plain(wanted.tests),
        "language": wanted.language,
        "entry_point": wanted.entry_point,
        "limits": dict(wanted.limits),
        "by": by,
    }


# ── what a server's JSON says ─────────────────────────────────────────────────────────────────────────────────────


def usage_of(response: Mapping[str, Any]) -> Usage:
    """The tokens of an answer, 0 where the server does not say."""
    said = response.get("usage")
    said = said if isinstance(said, Mapping) else {}
    details = said.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else 0
    counts = (said.get("prompt_tokens"), said.get("completion_tokens"), cached)
    return Usage(*(n if isinstance(n, int) and 0 <= n < 1 << 40 else 0 for n in counts))


def reply_of(response: Mapping[str, Any], request: Request, key: str = "") -> Reply:
    """What a server's JSON says in terms of a request. Raises: Truncated, Malformed, Refused."""
    try:
        choice = response["choices"][0]
        message = {} if "text" in choice else choice["message"]
        content = choice["text"] if "text" in choice else message.get("content")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise Malformed("the answer has no choice with a message") from error
    text, inside = reading.apart(content) if isinstance(content, str) and not request.complete else (content, None)
    said = message.get("reasoning_content") or message.get("reasoning")
    thinking = said if isinstance(said, str) else inside
    finish = choice.get("finish_reason") or "stop"
    model = response.get("model")
    reply = Reply(
        text=reading.valid(text) if isinstance(text, str) else "",
        thinking=reading.valid(thinking),
        finish=str(finish),
        logprobs=_logprobs(choice.get("logprobs")),
        usage=usage_of(response),
        model=model if isinstance(model, str) else "",
        key=key,
    )
    if finish == "length" and not request.cut_short:
        raise Truncated("the answer ended at max_tokens", reply)
    if finish == "content_filter" or message.get("refusal"):
        raise Refused(f"{message.get('refusal') or 'content_filter'}"[:300], reply)
    if not isinstance(text, str):
        raise Malformed("the answer has no text", reply)
    if request.schema is None:
        return reply
    try:
        return dataclasses.replace(reply, data=reading.valid(reading.data(reply.text, request.schema)))
    except ValueError as error:
        raise Malformed(str(error), reply) from error


def _logprobs(said: Any) -> tuple[Token, ...] | None:
    """Those of chat (`content`) or of completions (`tokens`, `token_logprobs`); null if there are none or no sense."""
    try:
        if isinstance(said.get("content"), list):
            return tuple(
                Token(t["token"], t["logprob"], tuple((o["token"], o["logprob"]) for o in t.get("top_logprobs") or ()))
                for t in said["content"]
            )
        if isinstance(said.get("tokens"), list):
            tops = said.get("top_logprobs") or [None] * len(said["tokens"])
            given = zip(said["tokens"], said["token_logprobs"], tops, strict=True)
            return tuple(Token(text, value, tuple((top or {}).items())) for text, value, top in given)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return None
