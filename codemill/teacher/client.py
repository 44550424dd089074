"""One client for everything that speaks the OpenAI wire format: vLLM, SGLang, llama.cpp, hosted services.

`Client.ask(path, body)` gives the server's JSON, however often it had to ask. How:

- as many requests at once as the server bears: the limit of each address grows by one for each round of answers and is
  cut by a third when the server says that it is too much (AIMD). Of several addresses with room the one is taken that
  has the fewest requests under way for its weight. Who waits for room keeps the place in the queue;
- 408, 409, 425, 429, 5xx, broken connections and broken JSON are asked again after a random part of a growing pause
  (full jitter), of the same address not before its `Retry-After`. One deadline holds for a request with all its
  attempts. It begins with the first of them: time in our own queue is not the server's;
- anything else stops the run with the server's own words, for it would happen to every other request too. Only a prompt
  that is longer than the model's context is the fault of its row.

On aiohttp, because a pool of 256 connections costs it 0.2 ms of CPU a request; see `python -m bench.teacher`.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import email.utils
import json
import os
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from codemill.errors import TeacherError
from codemill.teacher.conversation import TooLong, Unanswered

AGAIN = frozenset({408, 409, 425, 429})
"""Status codes of which another attempt may go well, besides 500 to 599."""

MOST_ANSWER = 64 << 20
"""Bytes of an answer that are read at most."""

PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds: the first pause before another attempt, doubled each time
CUT = 2 / 3  # of the limit of an address, when it says that it is too much
FIRST_LIMIT = 16.0  # requests at once to a new address


JSON_HEADERS = {"Content-Type": "application/json"}
_JSON = json.JSONEncoder(ensure_ascii=False).encode


class Broken(Exception):
    """An attempt failed in a way that another may not. `after`: seconds that the server asked to wait."""

    def __init__(self, words: str, *, busy: bool = False, after: float = 0.0) -> None:
        super().__init__(words)
        self.busy, self.after = busy, after


@dataclass
class Address:
    """A server, and how much of it is used: `limit` requests at once, `flying` of them under way."""

    url: str
    weight: float
    most: int
    limit: float = FIRST_LIMIT
    flying: int = 0
    paused: float = 0.0  # until when, on the monotonic clock
    cut: float = 0.0  # when the limit was cut last
    counts: dict[str, int] = field(default_factory=dict)  # attempts by how they ended

    @property
    def shown(self) -> str:
        """For messages and records: without what may be a secret in it."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def has_room(self, now: float) -> bool:
        """Whether it may be sent one request more."""
        return now >= self.paused and self.flying + 1 <= min(self.limit, self.most)

    @property
    def load(self) -> float:
        """Requests under way for its weight, if it were sent one more."""
        return (self.flying + 1) / self.weight

    def went_well(self) -> None:
        """An answer came."""
        self.limit = min(float(self.most), self.limit + 1.0 / self.limit)

    def was_too_much(self, began: float, after: float) -> None:
        """It is busy. Requests that were sent before the last cut say nothing new."""
        now = time.monotonic()
        self.paused = max(self.paused, now + after)
        if began > self.cut:
            self.limit, self.cut = max(1.0, self.limit * CUT), now


class Client:
    """Asks the servers of one endpoint. To be made and used inside one running event loop.

    `weights` are by address; `concurrency` is for all of them together; `stall` is the longest silence of a server, in
    seconds; `deadline` the longest time for one request, from its first attempt on. When `stopped()` gives an error,
    what was not sent yet is not sent.
    """

    def __init__(
        self,
        urls: Mapping[str, float],
        *,
        api_key_env: str = "",
        concurrency: int = 256,
        deadline: float = 600.0,
        stall: float = 300.0,
        stopped: Callable[[], Exception | None] = lambda: None,
    ) -> None:
        self.addresses = [Address(url.rstrip("/"), weight, concurrency) for url, weight in urls.items()]
        self.api_key_env, self.concurrency, self.deadline, self.stall = api_key_env, concurrency, deadline, stall
        self.stopped = stopped
        self.retries = 0
        self._waiting: deque[asyncio.Future[Address]] = deque()
        self._timer: asyncio.TimerHandle | None = None  # gives places when the first pause ends
        self._session: aiohttp.ClientSession | None = None
        self._random = random.Random()  # when to ask again: nothing that is asked or answered depends on it

    async def ask(self, path: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], str, float]:
        """The server's JSON, its address, and the seconds that the last attempt took.

        Raises: TeacherError on what no other attempt would mend; TooLong and Unanswered for this request alone.
        """
        data = _JSON(body).encode("utf-8", "replace")
        address = await self._turn()
        until, pause = time.monotonic() + self.deadline, PAUSE
        while True:
            began = time.monotonic()
            try:
                answer = await self._attempt(address, path, data, until)
            except Broken as broken:
                self.retries += 1
                last = f"{broken} (at {address.shown})"
                if broken.busy:
                    address.was_too_much(began, broken.after)
                wait = self._random.uniform(0, pause)
                if not broken.busy:  # the pause of a busy address holds for all requests; another may have room
                    wait = max(wait, broken.after)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                address.went_well()
                return answer, address.shown, time.monotonic() - began
            finally:
                self._leave(address)
            again = max(time.monotonic() + wait, min(address.paused for address in self.addresses))
            if again >= until:
                raise Unanswered(f"no answer within {self.deadline:g} s", last)
            await asyncio.sleep(wait)
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    address = await self._turn(again=True)
            except TimeoutError as error:
                raise Unanswered(f"no answer within {self.deadline:g} s", last) from error

    async def _turn(self, *, again: bool = False) -> Address:
        """A place at an address with room, waiting for it: first come, first served; whoever asks again, before all."""
        place: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        if again:
            self._waiting.appendleft(place)
        else:
            self._waiting.append(place)
        self._give()
        try:
            address = await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it was given a place while it was being cancelled
                self._leave(place.result())
            raise
        if (why := self.stopped()) is not None:
            self._leave(address)
            raise why
        return address

    def _leave(self, address: Address) -> None:
        address.flying -= 1
        self._give()

    def _pause_ended(self) -> None:
        self._timer = None
        self._give()

    def _give(self) -> None:
        """Gives places to those who wait for them, while there is room."""
        while self._waiting:
            if self._waiting[0].done():  # cancelled
                self._waiting.popleft()
                continue
            now = time.monotonic()
            flying = sum(address.flying for address in self.addresses)
            free = [address for address in self.addresses if address.has_room(now)] if flying < self.concurrency else []
            if not free:
                pauses = [address.paused - now for address in self.addresses if address.paused > now]
                if pauses and self._timer is None:
                    self._timer = asyncio.get_running_loop().call_later(min(pauses) + 0.001, self._pause_ended)
                return
            best = min(free, key=lambda address: address.load)
            best.flying += 1
            self._waiting.popleft().set_result(best)

    async def _attempt(self, address: Address, path: str, data: bytes, until: float) -> dict[str, Any]:
        left = max(0.001, until - time.monotonic())
        timeout = aiohttp.ClientTimeout(total=left, sock_connect=min(30.0, left), sock_read=min(self.stall, left))
        try:
            async with self._open().post(
                f"{address.url}{path}",
                data=data,
                headers=self._authorization(),
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                text = await _read(response)
                address.counts[str(response.status)] = address.counts.get(str(response.status), 0) + 1
                if response.status != 200:
                    raise self._failed(response, text, address)
        except (aiohttp.ClientError, TimeoutError, ConnectionError, OSError) as error:
            name = type(error).__name__
            address.counts[name] = address.counts.get(name, 0) + 1
            words = str(error) or "the server was silent for too long"
            raise Broken(f"{name}: {words}", busy=isinstance(error, TimeoutError)) from error
        try:
            # Bytes that are no UTF-8 were paid for, and would come again: they are the method's to refuse.
            answer = json.loads(text.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            raise Broken(f"the answer is not JSON: {_short(text)}") from error
        if not isinstance(answer, dict) or "choices" not in answer:
            said = answer.get("error", answer) if isinstance(answer, dict) else answer
            raise Broken(f"the answer has no choices: {_short(json.dumps(said))}")
        return answer

    def _failed(self, response: aiohttp.ClientResponse, text: bytes, address: Address) -> Exception:
        """What a status other than 200 means."""
        status, words = response.status, _words(text)
        if status in AGAIN or status >= 500:
            return Broken(f"{status} {words}", busy=status in (429, 503), after=retry_after(response.headers))
        if _is_too_long(status, words):
            return TooLong(words)
        remedies = {
            401: f"is the right key in the environment variable {self.api_key_env or 'that api_key_env= names'}?",
            403: "may this key use this model?",
            404: "are the address (it often ends in /v1) and the name of the model right?",
        }
        return TeacherError(
            f"the teacher refused a request, as it would every other: {status} {words}",
            where=address.shown,
            remedy=remedies.get(status, "change the request or the teacher; what was answered is stored"),
        )

    def _authorization(self) -> dict[str, str]:
        """Read from the environment for every request: it is in no object, and so in no log and no manifest."""
        key = os.environ.get(self.api_key_env, "") if self.api_key_env else ""
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
            # auto_decompress stays: MOST_ANSWER counts what comes out. No cookies, no proxies from the environment.
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=JSON_HEADERS
            )
        return self._session

    async def close(self) -> None:
        """Closes all connections."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > MOST_ANSWER:
            raise Broken(f"the answer is larger than {MOST_ANSWER >> 20} MiB")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a server asks to wait: `Retry-After` as seconds or as a date, 0 if it does not say."""
    said = headers.get("retry-after-ms") or headers.get("Retry-After") or ""
    try:
        seconds = float(said) / (1000 if headers.get("retry-after-ms") else 1)
    except ValueError:
        parsed = None
        with contextlib.suppress(ValueError, TypeError):
            parsed = email.utils.parsedate_to_datetime(said)
        seconds = parsed.timestamp() - time.time() if parsed is not None else 0.0
    return min(max(0.0, seconds), 3600.0) if seconds == seconds else 0.0  # not NaN


def _words(text: bytes) -> str:
    """What a server says of an error, in a line."""
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        return _short(text)
    for name in ("error", "message", "detail"):
        if isinstance(said, dict) and name in said:
            said = said[name]
    return _short(said if isinstance(said, str) else json.dumps(said))


def _short(text: str | bytes) -> str:
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:2000]).split())
    return line if len(line) <= 300 else f"{line[:300]} …"


def _is_too_long(status: int, words: str) -> bool:
    """Whether a server says that the prompt does not fit: vLLM, SGLang, llama.cpp and OpenAI word it so."""
    said = words.lower()
    about = ("context length", "context_length", "context size", "maximum context", "too long", "exceeds the available")
    return status == 413 or (status in (400, 422) and any(phrase in said for phrase in about))
