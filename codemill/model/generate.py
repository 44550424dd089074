"""Text from a model: batches with a cache of keys and values, sampling, stops, and filling in the middle.

Prompts of a batch are padded on the left, so that all of them end in one place. What a row samples depends on its own
seed and nothing else of the batch; its log-probabilities are those of the model, whatever the temperature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from codemill.errors import InputError, RecipeError
from codemill.model import folder
from codemill.model.chats import Message, Template
from codemill.model.llama import Cache
from codemill.tokens.special import MIDDLE, PREFIX, SUFFIX

UNFINISHED = "\ufffd"
"""What half a character is decoded to."""


@dataclass(frozen=True)
class Ask:
    """What is wanted of one prompt.

    `temperature` 0 is greedy. `stop` are texts before which the answer ends. `top` says how many of the likeliest
    tokens come with each token's log-probability.

    Raises: RecipeError for values that cannot be.
    """

    tokens: tuple[int, ...]
    most: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    top: int = 0

    def __post_init__(self) -> None:
        if not self.tokens:
            raise RecipeError("a prompt has at least one token")
        for name, good in (
            ("most", self.most >= 1),
            ("temperature", 0 <= self.temperature <= 100),
            ("top_p", 0 < self.top_p <= 1),
            ("top", 0 <= self.top <= 20),
            ("stop", all(self.stop)),
        ):
            if not good:
                raise RecipeError(f"{name} cannot be {getattr(self, name)!r}")


@dataclass(frozen=True)
class Token:
    """A token that was chosen: which row's, its id, the text that is certain with it, its log-probability, and the
    likeliest tokens with theirs. `finish` says why it is the last: `stop` or `length`; else it is None."""

    row: int
    id: int
    text: str
    logprob: float
    top: tuple[tuple[int, float], ...] = ()
    finish: str | None = None


@dataclass
class Answer:
    """All that was made of a prompt."""

    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    finish: str = "length"


class Generator:
    """A model that answers, with its tokenizer. `ends` are the tokens that end an answer.

    Raises: InputError if there is no model in the folder.
    """

    def __init__(self, path: Path | str, *, device: str = "auto", dtype: str = "auto") -> None:
        kind = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        wanted = {"auto": torch.bfloat16 if kind == "cuda" else torch.float32}.get(dtype) or getattr(torch, dtype)
        self.name = Path(path).name
        self.model = folder.load(path, device=kind, dtype=wanted)
        self.template = Template(path)
        self.device, self.dtype = torch.device(kind), wanted
        self.ends = sorted({*self.model.config.eos, *self.template.ends})

    @property
    def context(self) -> int:
        """Tokens that the model reads at most."""
        return self.model.config.context

    def chat(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The prompt of a chat. Raises: InputError for a text with the name of a special token in it."""
        for message in messages:
            named = self.template.named(str(message.get("content", ""))) or self.template.named(
                str(message.get("role"))
            )
            if named:
                raise InputError(
                    f"a message holds {named!r}, which would begin or end a turn", remedy="write it otherwise"
                )
        return tuple(self.template.encode(messages, prompt=True).tokens.tolist())

    def middle(self, prefix: str, suffix: str) -> tuple[int, ...]:
        """The prompt for what stands between two texts. Raises: InputError if the tokenizer has no tokens for it."""
        special = self.template.special
        if not {PREFIX, SUFFIX, MIDDLE} <= set(special):
            raise InputError("the tokenizer has no tokens to fill in the middle", where=self.template.folder)
        inner = (self.template.ids(prefix), self.template.ids(suffix))
        return (special[PREFIX], *inner[0], special[SUFFIX], *inner[1], special[MIDDLE])

    def answers(self, asks: Sequence[Ask]) -> list[Answer]:
        """All of each answer."""
        made = [Answer() for _ in asks]
        for token in self.stream(asks):
            answer = made[token.row]
            answer.text += token.text
            answer.tokens.append(token)
            answer.finish = token.finish or answer.finish
        return made

    @torch.inference_mode()
    def stream(self, asks: Sequence[Ask]) -> Iterator[Token]:
        """Tokens as they are chosen, of all rows in turn.

        Raises: InputError if a prompt leaves no room for an answer.
        """
        longest = max(len(ask.tokens) for ask in asks)
        if longest >= self.context:
            raise InputError(f"a prompt has {longest} tokens, and the model reads {self.context}")
        tokens_BT = torch.zeros(len(asks), longest, dtype=torch.long)
        for number, ask in enumerate(asks):
            tokens_BT[number, longest - len(ask.tokens) :] = torch.tensor(ask.tokens)
        padding_B = torch.tensor([longest - len(ask.tokens) for ask in asks], device=self.device)
        cache = Cache(self.model.config, len(asks), self.device, self.dtype)
        rows = [_Row(number, ask, self) for number, ask in enumerate(asks)]
        tokens_BT = tokens_BT.to(self.device)
        while True:
            logits_BV = self._next(tokens_BT, padding_B, cache)
            chosen = [row.choose(logits) for row, logits in zip(rows, logits_BV, strict=True)]
            for row, (token, logprob, top) in zip(rows, chosen, strict=True):
                yield row.take(token, logprob, top)
            going = [at for at, row in enumerate(rows) if not row.done]
            if not going:
                return
            tokens_BT = torch.tensor([[chosen[at][0]] for at in going], device=self.device)
            if len(going) < len(rows):
                kept = torch.tensor(going, device=self.device)
                cache.keep(kept)
                padding_B, rows = padding_B[kept], [rows[at] for at in going]

    def _next(self, tokens_BT: Tensor, padding_B: Tensor, cache: Cache) -> Tensor:
        """Logits of the token after the last (B, V), in float32."""
        begin, end = cache.used, cache.used + tokens_BT.shape[1]
        at_T, at_S = torch.arange(begin, end, device=self.device), torch.arange(end, device=self.device)
        may_BTS = (at_S <= at_T[:, None]) & (at_S >= padding_B[:, None, None])
        # What padding looks at is never read, but a row of the mask without any place would be no number.
        may_BTS = may_BTS | (at_S == at_T[:, None])
        positions_BT = (at_T - padding_B[:, None]).clamp(min=0)
        states = self.model.states(tokens_BT, positions_BT=positions_BT, mask=may_BTS[:, None], cache=cache)
        return self.model.logits(states[:, -1]).float()


class _Row:
    """One prompt while it is answered."""

    def __init__(self, number: int, ask: Ask, by: Generator) -> None:
        self.number, self.ask, self.by = number, ask, by
        self.random = torch.Generator().manual_seed(ask.seed)
        self.most = min(ask.most, by.context - len(ask.tokens))
        self.ids: list[int] = []
        self.given = 0  # characters that were given away
        self.done = False

    def choose(self, logits: Tensor) -> tuple[int, float, tuple[tuple[int, float], ...]]:
        """The next token, its log-probability, and the likeliest ones."""
        logprobs = torch.log_softmax(logits, -1)
        if self.ask.temperature == 0:
            token = int(logits.argmax())
        else:
            likely, order = torch.softmax(logits / self.ask.temperature, -1).sort(descending=True, stable=True)
            sums = likely.double().cumsum(0)
            # The fewest of the likeliest that have `top_p` together.
            within = sums[: int((sums < self.ask.top_p).sum()) + 1]
            draw = float(torch.rand((), generator=self.random, dtype=torch.float64)) * float(within[-1])
            token = int(order[min(int((within <= draw).sum()), len(within) - 1)])
        values, ids = logprobs.topk(self.ask.top) if self.ask.top else (logprobs[:0], logprobs[:0].long())
        top = tuple(zip(ids.tolist(), values.tolist(), strict=True))
        return token, float(logprobs[token]), top

    def take(self, token: int, logprob: float, top: tuple[tuple[int, float], ...]) -> Token:
        """What is known of the answer now: text that a stop may still begin in is held back."""
        ended = token in self.by.ends
        if not ended:
            self.ids.append(token)
        text = self.by.template.decode(self.ids)
        finish = "stop" if ended else None
        stops = [at for at in (text.find(stop, 0) for stop in self.ask.stop) if at >= 0]
        if stops:
            text, finish = text[: min(stops)], "stop"
        elif finish is None and len(self.ids) >= self.most:
            finish = "length"
        self.done = finish is not None
        sure = len(text) if self.done else len(text) - self._held(text)
        new, self.given = text[self.given : sure], max(self.given, sure)
        return Token(self.number, token, new, logprob, top, finish)

    def _held(self, text: str) -> int:
        """Characters at the end that may still change, or belong to a stop."""
        held = len(text) - len(text.rstrip(UNFINISHED))
        for stop in self.ask.stop:
            for length in range(min(len(stop) - 1, len(text)), 0, -1):
                if stop.startswith(text[-length:]):
                    held = max(held, length)
                    break
        return held
