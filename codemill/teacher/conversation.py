"""What a synthesis method says and hears, as plain values. Nothing here opens a socket.

A **method** is one generator function. It yields a `Request` (a question for the teacher) or an `Execute` (a program to
run), or a list of them that are done at once; it is sent the `Reply` or the outcome, or a list in the same order; it
returns rows, or `Drop(reason)`. An answer that cannot be used is raised where the method yielded, as an `Unusable`: a
method may catch it and ask again, with another `sample`. A method that does not catch it drops its row with that
reason. In a list, an answer that cannot be used is None, and only if there is no other it is raised.

    def task(row, *, tests=10):
        reply = yield Request(f"Write a task about\n{row['content']}", schema=TASK)
        outcome = yield Execute(reply.data["solution"], reply.data["tests"])
        return [reply.data] if outcome.verdict == "pass" else Drop("wrong")

(From: httpx's `Auth.auth_flow`: decide without I/O, let the edge do it. Test a method by sending it replies.)
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from codemill.teacher import reading

Structured: TypeAlias = bool | Literal["sections"]
"""What a teacher can be held to: a JSON schema (True), tagged sections, or nothing (False): then it is only asked."""


@dataclass(frozen=True)
class Request:
    """A question for the teacher. What is not given is the teacher's own (`sampling`), or the server's default.

    `prompt` is the text of one user message, or messages as `{"role": …, "content": …}`. `sample` numbers answers to
    the same question: each is asked and paid once. With a JSON `schema` the reply has `data`; teachers that cannot be
    held to a schema are asked for tagged sections instead, one for each of its properties. `code` names those that are
    programs, with their language: a local teacher writes them in fences. `complete` asks a base model to go on with the
    prompt. `cut_short` accepts an answer that ended at `max_tokens`. `extra` goes into the request as it is.
    """

    prompt: str | Sequence[Mapping[str, str]]
    sample: int = 0
    system: str | None = None
    schema: Mapping[str, Any] | None = None
    code: Mapping[str, str] = field(default_factory=dict)
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None  # sent as seed + sample
    logprobs: int | None = None  # alternatives for each token; 0: of the tokens chosen only
    complete: bool = False
    cut_short: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    def messages(self) -> list[dict[str, str]]:
        """As they are sent."""
        first = [] if self.system is None else [{"role": "system", "content": self.system}]
        if isinstance(self.prompt, str):
            return [*first, {"role": "user", "content": self.prompt}]
        return [*first, *({str(k): str(v) for k, v in message.items()} for message in self.prompt)]

    @property
    def text(self) -> str:
        """As people read it: a single message alone, several under their roles."""
        messages = self.messages()
        return "\n".join(m["content"] if len(messages) == 1 else f"[{m['role']}]\n{m['content']}" for m in messages)

    def body(self, model: str, sampling: Mapping[str, Any], *, structured: Structured) -> dict[str, Any]:
        """The body of the HTTP request, which with `sample` is all that identifies it.

        >>> Request("Hi", max_tokens=5).body("m", {"max_tokens": 9, "top_p": 0.9}, structured=True)
        {'model': 'm', 'messages': [{'role': 'user', 'content': 'Hi'}], 'max_tokens': 5, 'top_p': 0.9}
        """
        messages = self.messages()
        if self.schema is not None and structured is not True:
            last = messages[-1]
            messages[-1] = {**last, "content": last["content"] + reading.instruction(self.schema)}
        said: dict[str, Any] = {**sampling}
        for name in ("temperature", "top_p", "max_tokens", "seed"):
            if (value := getattr(self, name)) is not None:
                said[name] = value
        if said.get("seed") is not None:
            said["seed"] += self.sample
        if self.stop:
            said["stop"] = list(self.stop)
        if self.logprobs is not None:
            said |= {"logprobs": self.logprobs} if self.complete else {"logprobs": True}
            if self.logprobs and not self.complete:
                said["top_logprobs"] = self.logprobs
        if self.schema is not None and structured == "sections":
            said["sections"] = {name: self.code.get(name, "") for name in self.schema.get("properties", {})}
        elif self.schema is not None and structured:
            named = {"name": "answer", "strict": True, "schema": dict(self.schema)}
            said["response_format"] = {"type": "json_schema", "json_schema": named}
        asked = {"prompt": "".join(m["content"] for m in messages)} if self.complete else {"messages": messages}
        return {"model": model, **asked, **said, **self.extra}


@dataclass(frozen=True)
class Execute:
    """A program to run in the sandbox with its tests, as `codemill.sandbox.execute` takes them. `limits` are fields of
    its `Limits` by name."""

    program: str
    tests: Any = ""
    language: str = "python"
    entry_point: str | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Drop:
    """What a method returns instead of rows: `reason` is a short snake_case word, `value` says more to people."""

    reason: str
    value: str | None = None


@dataclass(frozen=True)
class Token:
    """A token that the model chose, its natural log-probability, and the likeliest alternatives."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer, as the server counted them. `cached` are those of the prompt that it had already."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


@dataclass(frozen=True)
class Reply:
    """An answer. `text` never has the model's thinking in it, which is `thinking` (null: none was sent).

    `data` is what the answer says in terms of the request's `schema`. `key` names the answer in the store.
    """

    text: str
    thinking: str | None = None
    finish: str = "stop"
    data: Any = None
    logprobs: tuple[Token, ...] | None = None
    usage: Usage = Usage()
    model: str = ""
    key: str = ""

    @property
    def truncated(self) -> bool:
        """Whether it ended at `max_tokens`. Only requests with `cut_short` get such a reply."""
        return self.finish == "length"


class Unusable(Exception):
    """An answer that a method cannot use; raised where it yielded. `reason` is that of the row if it is not caught.

    Truncated, Malformed and Refused are answers that were paid, and have them as `reply`; TooLong and Unanswered are
    the lack of one.
    """

    reason = "failed"

    def __init__(self, words: str, reply: Reply | None = None) -> None:
        super().__init__(words)
        self.reply = reply


class Truncated(Unusable):
    """The answer ended at `max_tokens`."""

    reason = "truncated"


class Malformed(Unusable):
    """The answer does not hold what the request's `schema` asked for."""

    reason = "malformed"


class Refused(Unusable):
    """The server's content filter kept the answer back."""

    reason = "refused"


class TooLong(Unusable):
    """The server says that the request is longer than the model's context."""

    reason = "too_long"


class Unanswered(Unusable):
    """No answer came before the deadline, however often it was asked. `last` is what the last attempt met with; it is
    not in the message, which goes into rows: they should be the same whenever they are made."""

    reason = "unanswered"

    def __init__(self, words: str, last: str = "") -> None:
        super().__init__(words)
        self.last = last


DROPS = {
    "truncated": "the teacher's answer was cut off at the most tokens it may have",
    "malformed": "the teacher's answer did not have the form asked for",
    "refused": "the teacher's content filter kept the answer back",
    "too_long": "longer than the teacher's context",
    "unanswered": "the teacher gave no answer before the deadline",
    "failed": "the method failed on it; `value` has the error",
}
"""The reasons that every method may have for a row, besides its own."""

Wanted: TypeAlias = Request | Execute
Conversation: TypeAlias = Generator[
    Wanted | Sequence[Wanted], Any, Sequence[Mapping[str, Any]] | Mapping[str, Any] | Drop
]
"""What a method returns: a generator that yields what it wants and returns rows (a layer: one), or Drop."""
