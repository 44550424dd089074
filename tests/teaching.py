"""A server on loopback that answers like a language model's, and misbehaves as such servers do; methods that ask it."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from aiohttp import web

import codemill as cm
from codemill import sources
from codemill.steps import ingest

RUNNER = str(Path(__file__).with_name("teaching_runner.py"))


def canonical(body: Any) -> str:
    return json.dumps(body, sort_keys=True)


def chat(text: str, finish: str = "stop", **more: Any) -> dict[str, Any]:
    """An answer in OpenAI's format."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"model": "m", "choices": [choice], "usage": usage, "system_fingerprint": "fp1", **more}


class Server:
    """`behave(body, attempt)` gives an answer, a `web.Response`, or a word (see `_misbehave`): at once, after
    seconds that are in a tuple with it, or when it is awaited. Requests are noted."""

    def __init__(self, behave: Callable[[dict[str, Any], int], Any]) -> None:
        self.behave = behave
        self.seen: list[str] = []  # canonical bodies, in the order of arrival
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.attempts: Counter[str] = Counter()
        self.ways: Counter[str] = Counter()  # in which it misbehaved
        self.flying = self.most = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        name = canonical(body)
        self.seen.append(name)
        self.paths.append(request.path)
        self.headers.append(dict(request.headers))
        self.attempts[name] += 1
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            said = self.behave(body, self.attempts[name])
            if isinstance(said, tuple):
                said, seconds = said
                await asyncio.sleep(seconds)
            if inspect.isawaitable(said):
                said = await said
            if isinstance(said, str):
                return await self._misbehave(said, request)
            return said if isinstance(said, web.Response) else web.json_response(said)
        finally:
            self.flying -= 1

    async def _misbehave(self, how: str, request: web.Request) -> web.StreamResponse:
        self.ways[how] += 1
        if how == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if how == "stall":
            await asyncio.sleep(30)
        if how == "broken":
            return web.Response(text='{"choices": [{"mess', content_type="application/json")
        if how == "half":  # fewer bytes than were promised
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"choices": ')
            assert request.transport is not None
            request.transport.close()
            return response
        if how == "busy":
            return web.json_response({"error": {"message": "slow down"}}, status=429, headers={"Retry-After": "0.05"})
        return web.json_response({"error": {"message": how}}, status=500)


@contextmanager
def serving(behave: Callable[[dict[str, Any], int], Any]) -> Iterator[Server]:
    """A server in a thread, until the block ends."""
    server, loop, ready = Server(behave), asyncio.new_event_loop(), threading.Event()

    async def begin() -> web.AppRunner:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/chat/completions", server.handle)
        app.router.add_post("/v1/completions", server.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)  # a stall ends with its client
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    def live() -> None:
        runner = loop.run_until_complete(begin())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def number(text: str) -> int:
    """A number that a text always gives."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def unruly(body: dict[str, Any], attempt: int) -> Any:
    """Fails the first attempt of most requests in one of all ways, some for ever, and cuts some answers short."""
    text = body["messages"][-1]["content"]
    if "seed 7 " in text:
        return "always"  # 500, whoever asks
    if "seed 8 " in text and text.startswith("task"):
        return chat("cut off he", finish="length")
    if "seed 9 " in text and text.startswith("task"):
        return chat("", finish="content_filter")
    ways = ["busy", "error", "broken", "drop", "half", "stall", None, None]
    way = ways[number(canonical(body)) % len(ways)]
    if attempt == 1 and way is not None:
        return way
    if text.startswith("judge"):
        return chat(json.dumps({"score": number(text) % 10})), 0.02
    return chat(f"<think>hm</think>{text.split('|')[0]} → {number(canonical(body)) % 10}"), 0.02


@cm.ask(
    version=1,
    reads=("content",),
    makes={"task": pa.string(), "solution": pa.string(), "verdict": pa.string(), "score": pa.int64()},
    drops={"poor": "the judge gave less than 3", "no_solution": "no program passed"},
)
def solved(row: dict[str, Any], *, tries: int = 2) -> cm.Conversation:
    """Three turns: a task, solutions that are run, a judge."""
    task = yield cm.Request(f"task about seed {row['content'].strip()} |")
    answers = yield [cm.Request(f"solve {task.text} |", sample=i) for i in range(tries)]
    outcomes = yield [cm.Execute(answer.text, "tests") for answer in answers if answer is not None]
    passed = [a for a, o in zip(answers, outcomes, strict=True) if o.verdict == "pass"]
    if not passed:
        return cm.Drop("no_solution", f"{len(answers)} tried")
    schema = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}
    judged = yield cm.Request(f"judge {task.text} |", schema=schema)
    score = judged.data["score"]
    reason = "poor" if score < 3 else None
    made = {"task": task.text, "verdict": "pass", "score": score, "reason": reason, "value": str(score)}
    return [{**made, "solution": answer.text} for answer in passed]


@cm.ask(version=1, reads=("content",), adds={"score": pa.float64()}, drops={"dull": "below 5"})
def scored(row: dict[str, Any]) -> cm.Conversation:
    """A layer: the number that is in the row."""
    reply = yield cm.Request(f"score {row['content'].strip()}")
    value = float(reply.text)
    return {"score": value, "reason": "dull" if value < 5 else None}


@cm.ask(version=1, reads=("content",), makes={"task": pa.string()})
def wrong(row: dict[str, Any]) -> cm.Conversation:
    """Fails on every row."""
    reply = yield cm.Request(row["content"])
    return [{"task": reply.nothing}]


@cm.ask(version=1, reads=("content",), makes={"task": pa.string()})
def picky(row: dict[str, Any]) -> cm.Conversation:
    """Fails on some rows: by an exception, a column that is not promised, a value of another type, no row at all."""
    reply = yield cm.Request(row["content"])
    n = int(row["content"].split()[0])
    if n % 5 == 1:
        raise ValueError(f"seed {n} is odd")
    if n % 5 == 2:
        return [{"task": "a", "tusk": "b"}]
    if n % 5 == 3:
        return [{"task": {"a": 1}}]
    if n % 5 == 4:
        return []
    return [{"task": reply.text + "\ud800"}]


def echo(body: dict[str, Any], sample: int) -> str:
    """A script: the words of the question that are numbers, else all."""
    text = body["messages"][-1]["content"]
    return next((word for word in text.split() if word.isdigit()), text)


def seeds(folder: Path, count: int, *, size: int = 0, repos: int = 5) -> cm.Table:
    """A table of so many seeds, a file each of `size` characters at least, in a few repositories: in a few parts."""
    for i in range(count):
        file = folder / f"repo{i % repos}" / f"seed{i}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{i} \n".ljust(size, "x"))
    return ingest.documents(sources=(sources.Folder(str(folder)),))
