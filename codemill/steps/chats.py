"""Turns chats into tokens, and says which of them are trained on: what a model is to say itself, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from codemill.errors import InputError, RecipeError
from codemill.machine.table import Table, rows
from codemill.model.chats import Encoded, Template

FORMS = {"messages": ("messages",), "instruction": ("instruction", "output")}
"""Columns of chats: a list of `role` and `content`; or a question and its answer, as OpenCoder published them."""

_TEMPLATES: dict[str, Template] = {}
"""That of the tokenizer which this worker used last."""


@dataclass(frozen=True)
class Talker:
    """A folder with a tokenizer.json and a chat template: what chats are encoded by. Its identity is that of both.

    Raises: InputError if there is none.
    """

    path: str
    sha256: str = field(init=False)

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def __post_init__(self) -> None:
        template = Template(self.path)
        digest = hashlib.sha256((Path(self.path) / "tokenizer.json").read_bytes())
        digest.update(json.dumps([template.source, template.names], sort_keys=True).encode())
        object.__setattr__(self, "sha256", digest.hexdigest())


def _check(*, tokenizer: Talker, length: int, form: str) -> None:
    if length < 2:
        raise RecipeError(f"a chat has at least 2 tokens, got a length of {length}")
    if form not in ("auto", *FORMS):
        raise RecipeError(f"chats have no form {form!r}", remedy=f"one of: auto, {', '.join(FORMS)}")
    template = Template(tokenizer.path)
    if not template.marks:
        what = "the chat template does not say what is trained on, so that nothing or everything would be"
        remedy = "put {% generation %} … {% endgeneration %} around what the assistant says"
        raise InputError(what, where=tokenizer.path, remedy=remedy)


def _resolve(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    if params["form"] != "auto":
        return params
    there = {name for layer in inputs[0].layers() for name in layer.call.adds}
    found = [form for form, columns in FORMS.items() if there.issuperset(columns)]
    if not found:
        wanted = " or ".join(" and ".join(columns) for columns in FORMS.values())
        raise RecipeError(f"chats have columns {wanted}, these have {', '.join(sorted(there))}")
    return {**params, "form": found[0]}


@rows(
    version=1,
    reads=lambda params: FORMS[params["form"]],
    adds={
        "tokens": pa.list_(pa.uint32()),
        "trained": pa.list_(pa.bool_()),
        "num_tokens": pa.int64(),
        "num_trained": pa.int64(),
        "truncated": pa.bool_(),
        "reason": pa.string(),
    },
    drops={
        "malformed": "no chat: a turn without a role or a text, or one that the template refuses",
        "special_token": "its text holds the name of a special token, which would begin or end a turn",
        "no_target": "nothing in it is trained on: no answer, or none within the length",
    },
    check=_check,
    resolve=_resolve,
)
def encode(batch: pa.RecordBatch, *, tokenizer: Talker, length: int, form: str = "auto") -> pa.RecordBatch:
    """Encodes each chat, once and as a whole, and marks what is trained on by the template's `{% generation %}`.

    What is longer than `length` tokens is cut there, and `truncated` says so.

    Shape: `messages` (a list of `role` and `content`), or `instruction` and `output`, in; a row for each chat out.
    From: OpenCoder, 4.3: loss on the response only.
    """
    template = _template(tokenizer)
    made = [_row(template, chat, length) for chat in _chats(batch, form)]
    columns = {
        "tokens": pa.array(
            [None if e is None else e.tokens.astype(np.uint32) for e, _, _ in made], pa.list_(pa.uint32())
        ),
        "trained": pa.array([None if e is None else e.trained for e, _, _ in made], pa.list_(pa.bool_())),
        "num_tokens": pa.array([None if e is None else len(e.tokens) for e, _, _ in made], pa.int64()),
        "num_trained": pa.array([None if e is None else int(e.trained[1:].sum()) for e, _, _ in made], pa.int64()),
        "truncated": pa.array([cut for _, cut, _ in made], pa.bool_()),
        "reason": pa.array([reason for _, _, reason in made], pa.string()),
    }
    return pa.record_batch({"of": np.arange(batch.num_rows), **columns})


def _row(template: Template, chat: Sequence[Any] | None, length: int) -> tuple[Encoded | None, bool, str | None]:
    """A chat encoded, whether it was cut, and why it is dropped."""
    if not chat or not all(isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str) for turn in chat):
        return None, False, "malformed"
    if any(template.named(turn["role"]) or template.named(turn["content"]) for turn in chat):
        return None, False, "special_token"
    try:
        made = template.encode(chat)
    except InputError:
        return None, False, "malformed"
    cut = len(made.tokens) > length
    made = Encoded(made.tokens[:length], made.trained[:length])
    if not made.trained[1:].any():
        return None, cut, "no_target"
    return made, cut, None


def _chats(batch: pa.RecordBatch, form: str) -> list[Sequence[Mapping[str, Any]] | None]:
    if form == "messages":
        found: list[Sequence[Mapping[str, Any]] | None] = batch["messages"].to_pylist()
        return found
    pairs = zip(batch["instruction"].to_pylist(), batch["output"].to_pylist(), strict=True)
    return [[{"role": "user", "content": asked}, {"role": "assistant", "content": said}] for asked, said in pairs]


def _template(tokenizer: Talker) -> Template:
    key = f"{tokenizer.sha256} {Path(tokenizer.path).resolve()}"
    if key not in _TEMPLATES:
        _TEMPLATES.clear()
        _TEMPLATES[key] = Template(tokenizer.path)
    return _TEMPLATES[key]
