"""Chats as tokens, and which of them are trained on: one tokenisation of the chat as the template renders it.

A template says by `{% generation %} … {% endgeneration %}` what a model is to say itself. Those characters are looked
up in the offsets of the tokens, so what is trained on is never put together from pieces that were encoded apart.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import numpy.typing as npt
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from codemill.errors import EnvironmentProblem, InputError
from codemill.tokens.special import END, TURN_END

Message = Mapping[str, Any]
Span = tuple[int, int]


@dataclass(frozen=True)
class Encoded:
    """A chat: its tokens (int64), and which are trained on (bool)."""

    tokens: npt.NDArray[np.int64]
    trained: npt.NDArray[np.bool_]


class Generation(Extension):
    """The tag `generation`: notes where in the text what it holds comes to stand. From: transformers."""

    tags = {"generation"}  # noqa: RUF012 (jinja2 has it so)

    def parse(self, parser: Parser) -> nodes.Node:
        """A call of `_note` around what stands between the tags."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_note"), [], [], body).set_lineno(line)

    def _note(self, caller: Any) -> str:
        text = str(caller())
        written: list[str] | None = getattr(self.environment, "written", None)
        if written is not None:
            start = sum(map(len, written))
            self.environment.spans.append((start, start + len(text)))  # type: ignore[attr-defined]
        return text


class Template:
    """The tokenizer and the chat template of a folder.

    Raises: InputError if there is no tokenizer.json, or the template cannot be read; EnvironmentProblem if `tokenizers`
    is not installed.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        path = self.folder / "tokenizer.json"
        try:
            library = importlib.import_module("tokenizers")
        except ImportError as error:
            raise EnvironmentProblem("tokenizers is not installed", remedy='pip install "codemill[train]"') from error
        try:
            self._tokenizer = library.Tokenizer.from_str(path.read_text("utf-8"))
            added = json.loads(self._tokenizer.to_str())["added_tokens"]
        except Exception as error:  # the library raises nothing narrower
            raise InputError(f"there is no tokenizer.json that can be read: {error}", where=path) from error
        self.special = {token["content"]: int(token["id"]) for token in added if token["special"]}
        facts, self.source = _facts(self.folder)
        self.names = {name: facts[name] for name in ("bos_token", "eos_token", "pad_token") if name in facts}
        self._environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
        )
        self._environment.globals["raise_exception"] = _refuse
        self._environment.filters["tojson"] = lambda value, **how: json.dumps(value, ensure_ascii=False, **how)
        try:
            self._template = self._environment.from_string(self.source or "")
        except jinja2.TemplateError as error:
            raise InputError(f"the chat template is wrong: {error}", where=self.folder) from error

    @property
    def marks(self) -> bool:
        """Whether the template says what a model is to say itself."""
        return "{% generation" in (self.source or "").replace("{%-", "{%")

    def render(self, messages: Sequence[Message], *, prompt: bool = False) -> tuple[str, list[Span]]:
        """The chat as text, and which characters of it a model is to say. With `prompt` the turn of a model is begun.

        Raises: InputError if there is no template, or it refuses these messages.
        """
        if not self.source:
            raise InputError(
                "the tokenizer has no chat template", where=self.folder, remedy="train it with `train.sft`"
            )
        written: list[str] = []
        spans: list[Span] = []
        self._environment.written, self._environment.spans = written, spans  # type: ignore[attr-defined]
        try:
            for piece in self._template.generate(messages=list(messages), add_generation_prompt=prompt, **self.names):
                written.append(piece)
        except (jinja2.TemplateError, TypeError) as error:
            raise InputError(f"the chat template refuses these messages: {error}", where=self.folder) from error
        finally:
            del self._environment.written, self._environment.spans  # type: ignore[attr-defined]
        return "".join(written), spans

    def encode(self, messages: Sequence[Message], *, prompt: bool = False) -> Encoded:
        """A chat as tokens. A token is trained on if any character of it is one that a model is to say."""
        text, spans = self.render(messages, prompt=prompt)
        made = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = np.array(made.offsets, np.int64).reshape(-1, 2)
        trained = np.zeros(len(offsets), np.bool_)
        for start, end in spans:
            trained |= (offsets[:, 0] < end) & (offsets[:, 1] > start)
        return Encoded(np.array(made.ids, np.int64), trained)

    def ids(self, text: str, *, special: bool = False) -> list[int]:
        """A text as tokens, special ones by their names; and if asked for, with those that the tokenizer puts around
        every text."""
        return list(self._tokenizer.encode(text, add_special_tokens=special).ids)

    def decode(self, ids: Sequence[int], *, special: bool = False) -> str:
        """Tokens as text; special ones only if asked for."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=not special))

    def named(self, text: str) -> str | None:
        """The special token that a text has the name of: in a chat it would end a turn, or begin one."""
        return next((name for name in self.special if name in text), None)

    @property
    def ends(self) -> list[int]:
        """Tokens that end what a model says, as far as the tokenizer knows."""
        names = (TURN_END, END, self.names.get("eos_token"))
        return sorted({self.special[name] for name in names if name in self.special})


def _facts(folder: Path) -> tuple[dict[str, Any], str | None]:
    """The names of special tokens, and the template."""
    facts: dict[str, Any] = {}
    path = folder / "tokenizer_config.json"
    if path.exists():
        try:
            facts = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise InputError(f"tokenizer_config.json cannot be read: {error}", where=path) from error
    names = {
        name: value["content"] if isinstance(value, dict) else value
        for name, value in facts.items()
        if name.endswith("_token") and isinstance(value, str | dict)
    }
    template = facts.get("chat_template")
    if isinstance(template, list):
        template = next((t["template"] for t in template if t.get("name") == "default"), None)
    if (folder / "chat_template.jinja").exists():
        template = (folder / "chat_template.jinja").read_text("utf-8")
    return names, template


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)
