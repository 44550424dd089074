"""Source code in colours: pygments, in a process of its own with a limit of time and memory.

Why apart: a lexer of pygments is a table of regular expressions for a machine that backtracks, and the text is a
stranger's. What takes too long is shown without colours. The process knows nothing of the run.
"""

from __future__ import annotations

import json
import resource
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

SECONDS = 2.0
MEMORY = 1 << 30  # bytes of address space
CHARACTERS = 200_000  # of a text; what is longer has no colours

Token = tuple[str, str]
"""A class of the stylesheet, or "", and a piece of a line."""

KINDS = {"Comment": "c", "Keyword": "k", "Literal.String": "s", "Literal.Number": "n", "Name.Function": "f",
         "Name.Class": "f", "Name.Decorator": "d", "Name.Builtin": "b", "Name.Tag": "k", "Name.Attribute": "d",
         "Operator.Word": "k"}  # fmt: skip


class Highlighter:
    """The process, started when it is first needed and again after a text has killed it. Safe for threads.

    It speaks JSON, a line for a text and a line for its tokens.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, so that the first text need not wait for that."""
        with self._lock:
            self._started()

    def lines(self, text: str, language: str, path: str) -> list[list[Token]] | None:
        """The text line by line in tokens; None if no lexer is known, or it took too long, or too much."""
        if len(text) > CHARACTERS:
            return None
        with self._lock:
            process = self._started()
            assert process.stdin is not None
            try:
                process.stdin.write(json.dumps([text, language, path]).encode() + b"\n")
                process.stdin.flush()
                answer = _line_within(process, self.seconds)
            except OSError:
                answer = b""  # it died: another is started for the next text
            if not answer:
                self._stop()
                return None
            found: list[list[Token]] | None = json.loads(answer)
            return found

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._stop()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # As a script and not as a module: it needs none of the package. Apart from Ctrl-C, which the server gets.
            command = [sys.executable, "-I", __file__]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True)
            _line_within(self._process, 60)  # that it is there
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = None


def _line_within(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """A line of what it says; empty if it did not say one in time, or has ended."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return process.stdout.readline() if ready else b""


def _serve() -> None:
    import pygments.lexers

    assert pygments.lexers.get_lexer_by_name("python")  # loads what every lexer needs, before the limits
    most = _address_space() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    print(flush=True)
    for line in sys.stdin:
        print(json.dumps(tokens(*json.loads(line))), flush=True)


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def tokens(text: str, language: str, path: str) -> list[list[Token]] | None:
    """A text in tokens, line by line: joined they are the text. None if no lexer is known for it."""
    lexer = _lexer(language, path)
    if lexer is None:
        return None
    lines: list[list[Token]] = [[]]
    for kind, value in lexer.get_tokens(text):
        name = _class(kind)
        first, *others = value.split("\n")
        lines[-1].append((name, first))
        lines += [[(name, piece)] for piece in others]
    return [[(name, piece) for name, piece in line if piece] for line in lines]


def _lexer(language: str, path: str) -> Any:
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
    from pygments.util import ClassNotFound

    options = {"stripnl": False, "ensurenl": False}
    for find, by in ((get_lexer_by_name, language), (get_lexer_for_filename, path.rsplit("/", 1)[-1])):
        try:
            return find(by, **options)
        except ClassNotFound:
            continue
    return None


def _class(kind: Any) -> str:
    for parent in _parents(kind):
        if parent in KINDS:
            return KINDS[parent]
    return ""


def _parents(kind: Any) -> Iterator[str]:
    while kind is not None:
        yield str(kind).removeprefix("Token.")
        kind = kind.parent


if __name__ == "__main__":
    _serve()
