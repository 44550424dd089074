"""How methods ask for programs: until one passes its tests, and in whatever form the answer comes."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import codemill as cm
from codemill.prompts.method import run, unfit
from codemill.teacher.conversation import Malformed, Unusable
from codemill.teacher.running import NOT_THE_PROGRAMS


@dataclass(frozen=True)
class Attempt:
    """What a teacher wrote last, what running it came to, and all that was said until then; or why there is none."""

    said: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, str]] = field(default_factory=list)
    reason: str | None = None
    value: str | None = None

    @property
    def dropped(self) -> dict[str, Any]:
        """The columns of a row that there is nothing of."""
        return {"reason": self.reason, "value": self.value}


def mended(
    messages: list[dict[str, str]],
    tries: int,
    ask: Callable[[list[dict[str, str]]], Generator[Any, Any, tuple[str, dict[str, Any]]]],
    texts: Callable[[dict[str, Any]], Sequence[str | None]],
    prove: Callable[[dict[str, Any]], Generator[Any, Any, dict[str, Any]]],
    repair: Callable[..., str],
) -> Generator[Any, Any, Attempt]:
    """Asks until what is written passes, at most `tries` times, and each time says what went wrong the last time.

    `ask` gives text and data of an answer, `texts` what of the data must be fit for a row, `prove` the columns of
    `PROOF`, `repair(outcome=…, detail=…)` what the teacher is told. An answer that cannot be used after one that failed
    changes nothing: the row is of the one before.
    """
    last = None
    for attempt in range(1, tries + 1):
        try:
            text, said = yield from ask(messages)
        except Unusable as error:
            return last or Attempt(reason=error.reason, value=" ".join(str(error).split())[:300])
        if reason := unfit(*texts(said)):
            return last or Attempt(reason=reason)
        proof = {**(yield from prove(said)), "attempts": attempt}
        messages = [*messages, {"role": "assistant", "content": text}]
        last = Attempt(said, proof, messages)
        if proof["outcome"] in ("pass", *NOT_THE_PROGRAMS):
            break
        told = repair(outcome=proof["outcome"], detail=proof["detail"])
        messages = [*messages, {"role": "user", "content": told}]
    return last or Attempt(reason="no_code", value=f"{tries} tries")


def programs(schema: Mapping[str, Any], language: str) -> dict[str, str]:
    """The properties of a schema that are programs, as `Request.code` has them."""
    return {name: language for name in ("program", "solution", "tests") if name in schema["properties"]}


def exact(
    messages: list[dict[str, str]], schema: Mapping[str, Any], language: str
) -> Generator[Any, Any, tuple[str, dict[str, Any]]]:
    """Asks for what a schema says: `text, said = yield from exact(…)`. Raises: an Unusable."""
    reply = yield cm.Request(messages, schema=schema, code=programs(schema, language))
    return reply.text, reply.data


def answer(
    messages: list[dict[str, str]], schema: Mapping[str, Any], language: str
) -> Generator[Any, Any, tuple[str, dict[str, Any]]]:
    """Asks for task, solution and tests: `text, said = yield from answer(…)`. Raises: an Unusable.

    Small models write fences where sections are asked for: of such an answer the words before the first fence are the
    task, the first two blocks solution and tests, or one block of Python up to its first assert and from there.
    """
    try:
        reply = yield cm.Request(messages, schema=schema, code=programs(schema, language))
        return reply.text, reply.data
    except Malformed as error:
        said = _fenced(error.reply.text) if error.reply is not None else None
        if said is None or error.reply is None:
            raise
        return error.reply.text, said


PROGRAM = {
    "type": "object",
    "properties": {"program": {"type": "string"}, "tests": {"type": "string"}},
    "required": ["program", "tests"],
}


def programmed(asked: str, language: str, tries: int, repair: str) -> Generator[Any, Any, Attempt]:
    """Asks for a program with tests until they pass: see `mended`. `repair` has places for `outcome` and `detail`."""
    return (
        yield from mended(
            [{"role": "user", "content": asked}],
            tries,
            ask=lambda messages: exact(messages, PROGRAM, language),
            texts=lambda said: (said["program"], said["tests"]),
            prove=lambda said: run(said["program"], said["tests"], language),
            repair=repair.format,
        )
    )


_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_ASSERT = re.compile(r"^assert\b", re.MULTILINE)


def _fenced(text: str) -> dict[str, str] | None:
    """Task, solution and tests of an answer in fences; None: it has none.

    >>> _fenced("Add.\\n```python\\ndef f(): return 1\\nassert f() == 1\\n```\\n")
    {'task': 'Add.', 'solution': 'def f(): return 1\\n', 'tests': 'assert f() == 1\\n'}
    """
    blocks = _FENCE.findall(text)
    task = text.partition("```")[0].strip()
    if len(blocks) >= 2:
        return {"task": task, "solution": blocks[0], "tests": blocks[1]}
    if blocks and (first := _ASSERT.search(blocks[0])):
        return {"task": task, "solution": blocks[0][: first.start()], "tests": blocks[0][first.start() :]}
    return None
