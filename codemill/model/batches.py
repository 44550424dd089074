"""Continuous batches: asks are answered together in a thread of its own, and join those that are being answered.

A prompt that comes is read as soon as a row is free, while the others wait; then all rows go on together.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from codemill.model.generate import Ask, Batch, Generator, Token


@dataclass(frozen=True)
class _Wanted:
    """An ask, and who waits for its tokens. None ends them; an error says why there are no more."""

    ask: Ask
    give: Callable[[Token | Exception | None], None]


class Batches:
    """Answers asks, `most` of them at a time."""

    def __init__(self, generator: Generator, most: int = 32) -> None:
        self.generator, self.most = generator, most
        self._waiting: queue.Queue[_Wanted | None] = queue.Queue()
        self._left = False
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)
        self._thread.start()

    async def tokens(self, ask: Ask) -> AsyncIterator[Token]:
        """The tokens of an answer as they come. Raises: what the model raised."""
        loop, here = asyncio.get_running_loop(), asyncio.Queue[Token | None | Exception]()
        self._waiting.put(_Wanted(ask, lambda token: _tell(loop, here.put_nowait, token)))
        while (token := await here.get()) is not None:
            if isinstance(token, Exception):
                raise token
            yield token

    async def whole(self, ask: Ask) -> list[Token]:
        """All tokens of an answer, once it is done. Raises: what the model raised."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[list[Token]] = loop.create_future()
        made: list[Token] = []

        def give(token: Token | Exception | None) -> None:
            if isinstance(token, Token):
                made.append(token)
            else:
                _tell(loop, _settle, answered, made if token is None else token)

        self._waiting.put(_Wanted(ask, give))
        return await answered

    def stop(self) -> None:
        """Ends the thread once what it was asked is done."""
        self._waiting.put(None)
        self._thread.join()

    def leave(self) -> None:
        """Ends the thread after the tokens that it works on: who waits is told nothing any more."""
        self._left = True
        self.stop()

    def _run(self) -> None:
        batch, waiting, last = Batch(self.generator), dict[int, _Wanted](), False
        while (not last or batch) and not self._left:
            more = list[_Wanted]()
            with contextlib.suppress(queue.Empty):
                while not last and len(batch) + len(more) < self.most:
                    wanted = self._waiting.get(block=not batch and not more)
                    last = wanted is None
                    more += [wanted] if wanted is not None else []
            waiting |= {batch.added + number: wanted for number, wanted in enumerate(more)}
            try:
                tokens = batch.add([wanted.ask for wanted in more])
                tokens += batch.step() if batch else []
            except Exception as error:  # whoever waits is told; the thread goes on
                for wanted in waiting.values():
                    wanted.give(error)
                batch, waiting = Batch(self.generator), {}
                continue
            for token in tokens:
                waiting[token.row].give(token)
                if token.finish:
                    waiting.pop(token.row).give(None)


def _settle(answered: asyncio.Future[list[Token]], said: list[Token] | Exception) -> None:
    if answered.done():  # nobody waits any more
        return
    if isinstance(said, Exception):
        answered.set_exception(said)
    else:
        answered.set_result(said)


def _tell(loop: asyncio.AbstractEventLoop, *call: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits
        loop.call_soon_threadsafe(*call)  # type: ignore[arg-type]
