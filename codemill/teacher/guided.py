"""Holds an answer to tagged sections while it is made: a model of some hundred million parameters writes no tags.

Tags, and the fences of sections that are code, are put into the answer, not chosen by the model; between them it says
what it likes. So every answer has its sections, whatever the model is. From: guided decoding, as vLLM and SGLang do it
for JSON schemas; sections ask less of a small model, for code in them stays code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_CLOSED = re.compile(r"^```[ \t]*$", re.MULTILINE)
EVERY = 8
"""Tokens after which a section is looked at for circles, which takes half a millisecond."""
_LOOP = re.compile(r"(.{24,200}?)\1\1\Z", re.DOTALL)
"""A text that ends with the same three times, longer than braces and indentation are; held against its last 600."""


class Guide:
    """One answer: which token comes next, given which one the model would choose.

    `sections` are the names of those of text, and of those of code with their language. A section ends where the model
    closes it or its fence or opens another one, where the model ends its answer, and where it goes round in circles.
    `encode` and `decode` are those of the tokenizer, without special tokens.
    """

    def __init__(
        self, sections: Mapping[str, str], encode: Callable[[str], list[int]], decode: Callable[[list[int]], str]
    ) -> None:
        self._encode, self._decode = encode, decode
        self._left = list(sections.items())
        self._tags = tuple(f"<{name}>" for name in sections)
        self._name = self._language = ""
        self._made: list[int] = []  # tokens of the section that is being made
        self._put: list[int] = []  # tokens that come next, whatever the model chooses
        self._next("")

    def token(self, chosen: int, ended: bool) -> int | None:
        """The token to go on with, None when the answer is whole. `ended`: the model chose to end it."""
        if not self._put and self._name:
            if ended:
                self._close()
            else:
                self._made.append(chosen)
                self._follow(self._decode(self._made))
                return chosen
        return self._put.pop(0) if self._put else None

    def _follow(self, text: str) -> None:
        """Closes the section if it has come to its end."""
        if text.rstrip().endswith(f"</{self._name}>"):
            self._next("\n")
        elif self._language and _CLOSED.search(text):
            self._next(f"\n</{self._name}>\n")
        elif text.endswith(self._tags) or (len(self._made) % EVERY == 0 and _LOOP.search(text[-600:])):
            self._close()

    def _close(self) -> None:
        fence = "\n```" if self._language else ""
        self._next(f"{fence}\n</{self._name}>\n")

    def _next(self, closing: str) -> None:
        """Ends a section and begins the next one, if there is one."""
        self._name, self._language = self._left.pop(0) if self._left else ("", "")
        fence = f"```{self._language}\n" if self._language else ""
        self._made = []
        self._put = self._encode(f"{closing}<{self._name}>\n{fence}" if self._name else closing)
