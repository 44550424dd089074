"""An OpenAI-compatible endpoint on this machine: /v1/models, /v1/chat/completions, /v1/completions.

Requests are answered together, and join those that are being answered: see `batches`. What one of them samples depends
on its own seed alone.

Not covered: tools, images, more than one model. It listens on loopback only, and answers only to
names of loopback, so that no page in a browser can ask it by a name of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from codemill.errors import CodemillError, EnvironmentProblem, InputError, RecipeError
from codemill.model.batches import Batches
from codemill.model.generate import Ask, Generator, Token

HOST = "127.0.0.1"
LARGEST = 8 << 20
"""Bytes of a request."""


def app(generator: Generator, *, most: int = 32) -> Starlette:
    """The endpoint of a model. `most` requests are answered at a time."""
    batches = Batches(generator, most)

    async def models(request: Request) -> Response:
        one = {"id": generator.name, "object": "model", "created": 0, "owned_by": "codemill"}
        return JSONResponse({"object": "list", "data": [one]})

    async def chat(request: Request) -> Response:
        return await _answered(request, _chat)

    async def text(request: Request) -> Response:
        return await _answered(request, _text)

    async def _answered(request: Request, kind: _Kind) -> Response:
        try:
            facts = await _read(request)
            asks = kind.asks(generator, facts)
        except CodemillError as error:
            return _error(str(error))
        number = f"{kind.prefix}-{time.time_ns():x}"
        head = {"id": number, "created": int(time.time()), "model": generator.name}
        if facts.get("stream"):
            lines = _lines(batches, asks, kind, {**head, "object": kind.chunk}, generator)
            return StreamingResponse(lines, media_type="text/event-stream")
        try:
            answers = await asyncio.gather(*(batches.whole(ask) for ask in asks))
        except CodemillError as error:
            return _error(str(error))
        choices = [
            {"index": i, "finish_reason": tokens[-1].finish, **kind.whole(generator, tokens)}
            for i, tokens in enumerate(answers)
        ]
        usage = _usage(sum(len(ask.tokens) for ask in asks), sum(map(len, answers)))
        return JSONResponse({**head, "object": kind.object, "choices": choices, "usage": usage})

    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(batches.stop)

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/completions", text, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
        lifespan=life,
    )


async def _lines(
    batches: Batches, asks: Sequence[Ask], kind: _Kind, head: Mapping[str, Any], generator: Generator
) -> AsyncIterator[str]:
    """Server-sent events: a chunk for each token with text, of all answers as they come; then the end."""
    here: asyncio.Queue[tuple[int, Token] | Exception | None] = asyncio.Queue()

    async def follow(index: int, ask: Ask) -> None:
        try:
            async for token in batches.tokens(ask):
                await here.put((index, token))
        except Exception as error:  # whatever the model raised: the reader is told, and does not wait
            await here.put(error)
        finally:
            await here.put(None)

    tasks = [asyncio.create_task(follow(index, ask)) for index, ask in enumerate(asks)]
    begun: set[int] = set()
    open_ = len(tasks)
    while open_:
        item = await here.get()
        if item is None:
            open_ -= 1
        elif isinstance(item, Exception):
            yield f"data: {json.dumps({'error': {'message': str(item), 'type': 'invalid_request_error'}})}\n\n"
        else:
            index, token = item
            piece = kind.piece(generator, token, index not in begun)
            begun.add(index)
            choice = {"index": index, "finish_reason": token.finish, **piece}
            yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"
    yield "data: [DONE]\n\n"


async def _read(request: Request) -> dict[str, Any]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise InputError(f"a request has at most {LARGEST:,} bytes")
    try:
        facts = json.loads(body)
    except ValueError as error:
        raise InputError(f"the request is no JSON: {error}") from error
    if not isinstance(facts, dict):
        raise InputError("the request is no JSON object")
    return facts


def _error(message: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error"}}, status_code=400)


def _usage(asked: int, said: int) -> dict[str, int]:
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


# ── the two kinds of completion ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Kind:
    """How one kind of completion is asked for and answered."""

    prefix: str
    object: str
    chunk: str
    asks: Callable[[Generator, Mapping[str, Any]], list[Ask]]
    whole: Callable[[Generator, Sequence[Token]], dict[str, Any]]
    piece: Callable[[Generator, Token, bool], dict[str, Any]]


def _asks(generator: Generator, facts: Mapping[str, Any], prompts: Sequence[tuple[int, ...]], top: int) -> list[Ask]:
    """`n` asks for each prompt, with the settings of a request. Raises: RecipeError for values that cannot be."""
    stop = facts.get("stop") or ()
    if not isinstance(stop, str) and not (isinstance(stop, list | tuple) and all(isinstance(s, str) for s in stop)):
        raise RecipeError(f"stop must be a text or texts, got {stop!r}")
    if facts.get("echo"):
        raise RecipeError("echo is not supported: a prompt's own log-probabilities are not given")
    n = _number(facts, "n", 1)
    most = facts.get("max_tokens") if facts.get("max_completion_tokens") is None else facts["max_completion_tokens"]
    if not 1 <= n <= 128:
        raise RecipeError(f"n must be 1 to 128, got {n}")
    if most == 0:
        raise RecipeError("max_tokens must be 1 or more, got 0")
    asks = [
        Ask(
            tokens=tokens,
            most=generator.context if most is None else _number({"max_tokens": most}, "max_tokens", 1),
            temperature=float(_number(facts, "temperature", 1.0)),
            top_p=float(_number(facts, "top_p", 1.0)),
            stop=(stop,) if isinstance(stop, str) else tuple(map(str, stop)),
            seed=_number(facts, "seed", time.time_ns() % (1 << 62)),
            top=top,
        )
        for tokens in prompts
    ]
    longest = max(len(ask.tokens) for ask in asks)
    if longest >= generator.context:
        raise InputError(f"a prompt has {longest} tokens, and the model reads {generator.context}")
    return [replace(ask, seed=(ask.seed + i) % (1 << 63)) for ask in asks for i in range(n)]


def _number(facts: Mapping[str, Any], name: str, default: Any) -> Any:
    value = facts.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int if isinstance(default, int) else int | float):
        raise RecipeError(f"{name} must be a number, got {value!r}")
    return value


def _chat_asks(generator: Generator, facts: Mapping[str, Any]) -> list[Ask]:
    messages = facts.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages) or not messages:
        raise InputError("messages must be a list of objects with role and content")
    plain = [{**message, "content": _content(message.get("content"))} for message in messages]
    top = _number(facts, "top_logprobs", 0) if facts.get("logprobs") else 0
    return _asks(generator, facts, [generator.chat(plain)], top)


def _content(content: Any) -> str:
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        return "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str):
        raise InputError(f"the content of a message must be text, got {type(content).__name__}")
    return content


def _text_asks(generator: Generator, facts: Mapping[str, Any]) -> list[Ask]:
    prompt = facts.get("prompt")
    if isinstance(facts.get("suffix"), str) and isinstance(prompt, str):
        prompts = [generator.middle(prompt, facts["suffix"])]
    elif isinstance(prompt, str):
        prompts = [tuple(generator.template.ids(prompt))]
    elif isinstance(prompt, list) and prompt and all(isinstance(one, str) for one in prompt):
        prompts = [tuple(generator.template.ids(one)) for one in prompt]
    elif isinstance(prompt, list) and all(
        isinstance(one, int) and 0 <= one < generator.model.config.vocabulary for one in prompt
    ):
        prompts = [tuple(prompt)]
    else:
        raise InputError("prompt must be a text, texts, or tokens")
    return _asks(generator, facts, prompts, _number(facts, "logprobs", 0))


def _named(generator: Generator, id: int, logprob: float) -> dict[str, Any]:
    text = generator.template.decode([id], special=True)
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _chat_logprobs(generator: Generator, tokens: Sequence[Token]) -> dict[str, Any]:
    return {
        "content": [
            {**_named(generator, t.id, t.logprob), "top_logprobs": [_named(generator, id, p) for id, p in t.top]}
            for t in tokens
        ]
    }


def _text_logprobs(generator: Generator, tokens: Sequence[Token]) -> dict[str, Any]:
    def named(id: int) -> str:
        return generator.template.decode([id], special=True)

    return {
        "tokens": [named(t.id) for t in tokens],
        "token_logprobs": [t.logprob for t in tokens],
        "top_logprobs": [{named(id): p for id, p in t.top} for t in tokens],
    }


def _text_of(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens)


_chat = _Kind(
    "chatcmpl",
    "chat.completion",
    "chat.completion.chunk",
    _chat_asks,
    lambda generator, tokens: {
        "message": {"role": "assistant", "content": _text_of(tokens)},
        "logprobs": _chat_logprobs(generator, tokens),
    },
    lambda generator, token, first: {
        "delta": {**({"role": "assistant"} if first else {}), "content": token.text},
        "logprobs": _chat_logprobs(generator, [token]),
    },
)
_text = _Kind(
    "cmpl",
    "text_completion",
    "text_completion",
    _text_asks,
    lambda generator, tokens: {"text": _text_of(tokens), "logprobs": _text_logprobs(generator, tokens)},
    lambda generator, token, first: {"text": token.text, "logprobs": _text_logprobs(generator, [token])},
)


def serve(generator: Generator, *, port: int, most: int, said: Callable[[str], None]) -> None:
    """Answers until it is interrupted. `said` is told the address once it listens.

    Raises: EnvironmentProblem if the port is taken.
    """
    import uvicorn

    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        what, remedy = f"cannot listen: {error.strerror}", "choose another --port, or none for a free one"
        raise EnvironmentProblem(what, where=f"{HOST}:{port}", remedy=remedy) from error
    config = uvicorn.Config(
        app(generator, most=most),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    said(f"http://{HOST}:{listening.getsockname()[1]}/v1")
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # asked to stop, and stopped
    finally:
        listening.close()
