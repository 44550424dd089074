"""What all methods share: where a row comes from, what running its program came to, and what is refused at sight.

`@method` is `cm.ask(makes=…)` for rows that carry their proof: a method returns what it wrote, and the columns of
`SEED` are filled in from the row that it is about. An answer that cannot be used is a row with a reason, and still says
which file and which programming language it was for.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

import codemill as cm
from codemill.errors import RecipeError
from codemill.machine.kinds import Published, Reads
from codemill.synthetic import LEDGER, ROW
from codemill.teacher.ask import Asking
from codemill.teacher.conversation import Conversation, Reply, Unusable
from codemill.teacher.running import SANDBOX

DROPS = {
    "no_code": "the teacher's answer holds no program",
    "too_large": "the program or its tests are longer than a row may be",
    "not_text": "the answer holds control characters, or bytes that are no text",
}
LONGEST = 60_000
"""Characters of a program, of its tests or of a text: what is longer is no exercise."""

COMMENT = {"python": "#", "ruby": "#", "shell": "#", "perl": "#", "r": "#", "lua": "--", "haskell": "--"}
"""What begins a comment line; in all other languages `//`."""

_CHECKS = re.compile(r"assert|panic|throw|raise|exit|abort|die|stop|error|fail|expect|test", re.IGNORECASE)
"""A word of these is in every test that can fail. Of Python the sandbox counts the tests that ran; of other languages
it knows that the program ended well, and no more."""
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")


def method(
    *, version: int, reads: Reads, prompt: str, drops: Mapping[str, str] | None = None, **more: Any
) -> Callable[[Callable[..., Conversation]], Asking]:
    """A step made of a generator function `(row, *, …)`, which returns rows with columns of `ROW`.

    `row` has the columns `reads`, and `id`, `repo`, `path`, `license` always. A row made of rows reads `seed_id` too,
    and stays with that seed. `prompt` is the text that identifies the method besides its version.
    """
    base = ("id", "repo", "path", "license")

    def decorate(function: Callable[..., Conversation]) -> Asking:
        @functools.wraps(function)
        def told(row: dict[str, Any], *further: Any, **params: Any) -> Conversation:
            known = {"seed_id": row.get("seed_id") or row["id"], **{name: row.get(name) for name in base[1:]}}
            known["language"] = row.get("language")
            made, tokens = yield from _counted(function(row, *further, **params))
            rows = [made] if isinstance(made, cm.Drop | Mapping) else made
            spent = [dict(zip(("tokens_asked", "tokens_answered"), tokens, strict=True)), *({} for _ in rows[1:])]
            return [_whole({**known, **_plain(one), **cost}) for one, cost in zip(rows, spent, strict=True)]

        wanted = (lambda params: _joined(base, reads(params))) if callable(reads) else _joined(base, reads)
        step = cm.ask(
            version=version,
            reads=wanted,
            makes=ROW,
            drops={**DROPS, **(drops or {})},
            published=Published(ledger=LEDGER, verdict=("value", "kept_id", "similarity")),
            knows=lambda: hashlib.sha256(prompt.encode()).hexdigest()[:16],
            **more,
        )
        return step(told)

    return decorate


def _joined(base: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*base, *more)))


def _plain(made: Any) -> dict[str, Any]:
    return {"reason": made.reason, "value": made.value} if isinstance(made, cm.Drop) else dict(made)


def _counted(talk: Any) -> Generator[Any, Any, tuple[Any, list[int]]]:
    """What a conversation returns, a Drop if an answer cannot be used, and the tokens that it asked and was answered.

    Of answers that cannot be used in a list of several the tokens are not known here, and not counted.
    """
    tokens = [0, 0]
    try:
        wanted = next(talk)
        while True:
            try:
                got = yield wanted
            except Unusable as error:
                _count(tokens, error.reply)
                wanted = talk.throw(error)
            else:
                for one in got if isinstance(got, list) else [got]:
                    _count(tokens, one)
                wanted = talk.send(got)
    except StopIteration as end:
        return end.value, tokens
    except Unusable as error:
        return cm.Drop(error.reason, " ".join(str(error).split())[:300]), tokens


def _count(tokens: list[int], got: Any) -> None:
    if isinstance(got, Reply):
        tokens[0] += got.usage.prompt
        tokens[1] += got.usage.completion


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its text, which of a chat are its messages, and the bytes of it."""
    if row.get("messages") and not row.get("content"):
        row["content"] = "\n\n".join(turn["content"] for turn in row["messages"])
    return {**row, "size": len((row.get("content") or "").encode("utf-8", "replace"))}


def run(program: str, tests: str, language: str) -> Generator[cm.Execute, Any, dict[str, Any]]:
    """Runs a program with its tests: `proof = yield from run(…)`. Returns: the columns of `PROOF`.

    A language that no sandbox runs is a missing toolchain: the language may be that of a file, which nobody chose.
    """
    from codemill.sandbox import languages as runnable

    try:
        runnable.get(language)
    except RecipeError as error:
        return {"outcome": "toolchain_missing", "detail": error.what, "attempts": 0}
    if language != "python" and not _CHECKS.search(tests):
        return {"outcome": "tests_error", "detail": "the tests check nothing", "attempts": 0}
    outcome = yield cm.Execute(program, tests, language=language)
    said = {name: getattr(outcome, name, None) for name in ("detail", "tests_run", "rung", "toolchain", "grading")}
    printed = str(getattr(outcome, "output", "") or "")[:2000]
    return {"outcome": str(outcome.verdict), **said, "printed": printed, "attempts": 1}


def unfit(*texts: str | None) -> str | None:
    """Why texts make no row: a reason; None if they may.

    >>> unfit("def f(): pass"), unfit(""), unfit("a\\x00b"), unfit("x" * 100_000)
    (None, 'no_code', 'not_text', 'too_large')
    """
    for text in texts:
        if not text or not text.strip():
            return "no_code"
        if len(text) > LONGEST:
            return "too_large"
        if _NOT_TEXT.search(text):
            return "not_text"
    return None


def chat(*turns: str) -> list[dict[str, str]]:
    """Turns of user and assistant, the user first, as `messages`."""
    return [{"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(turns)]


def choose(id: str, purpose: str, options: Sequence[Any]) -> Any:
    """One of the options, by the hash of an id and a purpose: the same on every run.

    >>> choose("7f", "language", ["python", "go"]) in ("python", "go")
    True
    """
    return options[int.from_bytes(hashlib.sha256(f"{purpose}\0{id}".encode()).digest()[:8], "big") % len(options)]


def excerpt(text: str | None, most: int) -> str:
    """The first `most` characters of a text, to the end of a line."""
    text = text or ""
    return text if len(text) <= most else text[:most].rpartition("\n")[0] or text[:most]


def commented(text: str, language: str | None) -> str:
    """A text as comment lines of a language.

    >>> commented("Adds.\\n\\nTwo.", "python")
    '# Adds.\\n#\\n# Two.'
    """
    mark = COMMENT.get(language or "", "//")
    return "\n".join(f"{mark} {line}".rstrip() for line in text.strip().splitlines())


def check_languages(*, languages: Iterable[str], **_: Any) -> None:
    """The `check` of a method that writes in `languages`, before anybody is paid for them.

    Raises: RecipeError if there are none, or for one that does not exist or whose programs the sandbox cannot run.
    """
    from codemill.languages import get
    from codemill.sandbox import languages as runnable

    names = list(languages)
    if not names:
        raise RecipeError("at least one language is needed", where="languages=")
    for name in names:
        get(name)
        try:
            runnable.get(name)
        except RecipeError as error:
            raise RecipeError(
                error.what, where="languages=", remedy="leave it out: its rows could not be proved"
            ) from error


def missing(names: Iterable[str], runner: str) -> list[str]:
    """For `plan`: which languages have no toolchain on this machine. Their rows are paid for and then dropped."""
    from codemill.sandbox import languages as runnable

    if runner not in (SANDBOX, "codemill.installed"):
        return []
    lost = [name for name in names if runnable.toolchain(runnable.get(name)) is None]
    return [f"no toolchain here for {', '.join(lost)}: rows in them would be dropped as not_tested"] if lost else []


def note_missing(*, languages: Iterable[str], runner: str, **_: Any) -> list[str]:
    """The `notes` of a method that writes in `languages`: see `missing`."""
    return missing(languages, runner)


def title(language: str) -> str:
    """A language as people write it."""
    from codemill import languages

    return languages.get(language).title
