"""Tokens per second of a local teacher: our own generation beside `transformers`, asked the same.

    python -m bench.generate FOLDER                    a Llama-shaped folder with a chat template; one thread
    python -m bench.generate FOLDER --batch 8 --threads 2

Both are asked as a run asks its teacher, two requests for each row of a batch at once: to explain pieces of Python's
standard library. Answers are drawn and end at an empty line, so that they have different lengths. CPU seconds are
counted, of all threads: on a machine that others use too, time on the clock says little.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import random
import time
from collections.abc import Sequence

import torch

from codemill.teacher.conversation import Request
from codemill.teacher.local import Ours, Theirs


def requests(count: int) -> list[Request]:
    """Questions about 100 to 400 characters of code."""
    drawn, code = random.Random(0), inspect.getsource(random)
    pieces = [(drawn.randrange(len(code) - 400), drawn.randrange(100, 400)) for _ in range(count)]
    return [Request(f"Explain this code:\n\n{code[at : at + length]}", cut_short=True) for at, length in pieces]


async def timed(kind: type[Ours] | type[Theirs], told: argparse.Namespace, batch: int) -> Sequence[float]:
    """CPU seconds, seconds on the clock, and tokens."""
    by = kind(told.folder, name="bench", batch=batch, device="cpu", dtype="float32")
    torch.set_num_threads(told.threads)
    sampling = {"temperature": 0.7, "top_p": 0.95, "max_tokens": told.most, "stop": ["\n\n"]}

    async def ask(request: Request) -> int:
        answer, _, _ = await by.ask(request, request.body("bench", sampling, structured=False))
        return int(answer["usage"]["completion_tokens"])

    await ask(requests(1)[0])  # what is done once
    clock, cpu = time.perf_counter(), time.process_time()
    tokens = sum(await asyncio.gather(*(ask(request) for request in requests(told.requests or 2 * batch))))
    spent = time.process_time() - cpu, time.perf_counter() - clock, tokens
    await by.close()
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--most", type=int, default=64, help="tokens of an answer")
    parser.add_argument("--requests", type=int, default=0, help="at once; by default two for each row of a batch")
    parser.add_argument("--threads", type=int, default=1)
    told = parser.parse_args()
    print(f"{'':14}{'batch':>6}{'tokens':>8}{'CPU s':>8}{'s':>8}{'tokens/CPU s':>14}", flush=True)
    for batch in told.batch:
        for name, kind in (("codemill", Ours), ("transformers", Theirs)):
            cpu, clock, tokens = asyncio.run(timed(kind, told, batch))
            print(f"{name:14}{batch:6}{tokens:8}{cpu:8.1f}{clock:8.1f}{tokens / cpu:14.1f}", flush=True)


if __name__ == "__main__":
    main()
