"""Asking a server on loopback, 256 requests in flight, beside the `openai` client and plain httpx.

    python -m bench.teacher [--requests 5000] [--latency 0.05] [--flat 100000]

The server is a process of its own that answers each request after `latency` seconds with about 400 bytes; prompts have
1.2 KB. Each client gets its own process, after an import that is not timed, and one round to make its connections. CPU
is that of the client's process. `codemill` is the client alone; `codemill, whole` are conversations of one question
each, from a row to a stored answer and a row. httpx and openai are asked fewer, because they are slower.

With --flat: the memory of a process that carries so many conversations, at a tenth of them and at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

FLIGHT = 256
PROMPT = "Write a function that adds two numbers, with a docstring and tests. " * 18
ANSWER = json.dumps(
    {
        "id": "x", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "answer " * 30}}],
        "usage": {"prompt_tokens": 250, "completion_tokens": 60, "total_tokens": 310},
    }
).encode()  # fmt: skip


class _Answering(asyncio.Protocol):
    """HTTP as far as a benchmark needs it, so that the server takes as little of the machine as it can."""

    latency = 0.05

    def connection_made(self, transport: Any) -> None:
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (head := self.data.find(b"\r\n\r\n")) >= 0:
            lines = self.data[:head].lower().split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
            if len(self.data) < head + 4 + length:
                return
            self.data = self.data[head + 4 + length :]
            asyncio.get_running_loop().call_later(self.latency, self.answer)

    def answer(self) -> None:
        start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
        if not self.transport.is_closing():
            self.transport.write(start + ANSWER)


async def serve(latency: float) -> None:
    _Answering.latency = latency
    server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def body(number: int) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": f"{number} {PROMPT}"}], "max_tokens": 100}


Ask = Callable[[int], Awaitable[Any]]


async def timed(ask: Ask, count: int) -> dict[str, float]:
    """Rate and CPU of `count` requests, `FLIGHT` of them at a time."""
    numbers = iter(range(count + FLIGHT))

    async def worker(until: int) -> None:
        for number in numbers:
            await ask(number)
            if number >= until:
                return

    await asyncio.gather(*(ask(-1 - i) for i in range(FLIGHT)))  # connections
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker(count) for _ in range(FLIGHT)))
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "requests": count + FLIGHT}


async def codemill_(url: str, count: int) -> dict[str, float]:
    from codemill.teacher.client import Client

    client = Client({url: 1.0}, concurrency=FLIGHT)
    client.addresses[0].limit = FLIGHT  # as after a few hundred answers
    made = await timed(lambda number: client.ask("/chat/completions", body(number)), count)
    await client.close()
    return made


async def openai_(url: str, count: int) -> dict[str, float]:
    import openai

    client = openai.AsyncOpenAI(base_url=url, api_key="EMPTY", max_retries=2)
    made = await timed(lambda number: client.chat.completions.create(**body(number)), count)
    await client.close()
    return made


async def httpx_(url: str, count: int) -> dict[str, float]:
    import httpx

    limits = httpx.Limits(max_connections=FLIGHT, max_keepalive_connections=FLIGHT)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def ask(number: int) -> Any:
            return (await client.post(f"{url}/chat/completions", json=body(number))).json()

        return await timed(ask, count)


def whole(url: str, count: int) -> dict[str, float]:
    """Conversations of one question: the step's own function on batches of rows, as the machine calls it."""
    import pyarrow as pa

    import codemill as cm
    from codemill.machine.reading import Around
    from codemill.teacher.ask import hub_of
    from codemill.teacher.teachers import Endpoint

    @cm.ask(version=1, reads=("content",), makes={"text": pa.string()})
    def answered(row: dict[str, Any]) -> cm.Conversation:
        reply = yield cm.Request(f"{row['content']} {PROMPT}", max_tokens=100)
        return [{"text": reply.text}]

    memory: list[float] = []

    def batches(first: int, last: int) -> Any:
        for start in range(first, last, 1000):
            memory.append(resident())
            yield pa.record_batch({"content": [str(n) for n in range(start, min(last, start + 1000))]})

    with tempfile.TemporaryDirectory() as folder:
        around = Around(f"{folder}/out", {}, "bench part-0")
        teacher = Endpoint("m", url, concurrency=FLIGHT)
        own = {"teacher": teacher, "runner": "none", "again": 0, "around": around}
        for _ in answered.function(batches(-2000, 0), **own):
            pass  # connections, and the limit grows
        began, cpu, rows = time.perf_counter(), time.process_time(), 0
        for batch in answered.function(batches(0, count), **own):
            rows += batch.num_rows
        made = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "requests": rows}
        size = sum(file.stat().st_size for file in Path(f"{folder}/out.calls").glob("*.calls"))
        hub_of(around).close()
    tenth = memory[len(memory) // 10 + 2]
    return {**made, "tenth": tenth, "end": resident(), "stored": size / 1e6}


def resident() -> float:
    """MB of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


CLIENTS = {"codemill": codemill_, "openai": openai_, "httpx": httpx_}
SHARE = {"codemill": 1.0, "codemill, whole": 1.0, "openai": 0.3, "httpx": 0.2}  # of the requests


def one(name: str, url: str, count: int) -> dict[str, float]:
    """One client in this process."""
    if name == "codemill, whole":
        return whole(url, count)
    return asyncio.run(CLIENTS[name](url, count))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.teacher")
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    parser.add_argument("--flat", type=int, default=0, metavar="N", help="conversations, for memory")
    parser.add_argument("--small", action="store_true", help="few requests: does it work at all")
    parser.add_argument("--out", help="not used: there is no corpus")
    parser.add_argument("--one", nargs=3, metavar=("NAME", "URL", "COUNT"), help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.serve:
        asyncio.run(serve(args.latency))
        return
    if args.one:
        print(json.dumps(one(args.one[0], args.one[1], int(args.one[2]))))
        return
    count = 600 if args.small else args.requests
    ours = [sys.executable, "-m", "bench.teacher"]
    with subprocess.Popen(
        [*ours, "--serve", "--latency", str(args.latency)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        try:
            print(f"{FLIGHT} in flight, {args.latency * 1000:g} ms; load of the machine {os.getloadavg()[0]:.1f}")
            print(f"{'':<18}{'requests/s':>12}{'CPU ms/request':>16}{'requests':>10}")
            for name in SHARE if not args.flat else ["codemill, whole"]:
                wanted = args.flat or max(300, int(count * SHARE[name]))
                done = subprocess.run(
                    [*ours, "--one", name, url, str(wanted)], capture_output=True, text=True, check=True
                )
                made = json.loads(done.stdout)
                n = made["requests"]
                title = f"{name} {version(name)}".strip()
                print(f"{title:<18}{n / made['seconds']:>12,.0f}{made['cpu'] / n * 1000:>16.2f}{n:>10,.0f}", flush=True)
                if "tenth" in made:
                    print(
                        f"  memory {made['tenth']:.0f} MB at a tenth, {made['end']:.0f} MB at the end; "
                        f"store {made['stored']:.0f} MB"
                    )
        finally:
            server.kill()


def version(name: str) -> str:
    return importlib.metadata.version(name) if name in ("openai", "httpx") else ""


if __name__ == "__main__":
    main()
