"""Text from a model: batches with a cache of keys and values, sampling, stops, and filling in the middle.

Prompts of a batch are padded on the left, so that all of them end in one place; answers that are done leave it, and
others join it while it runs. What a row samples depends on its own seed and nothing else of the batch; its
log-probabilities are those of the model, whatever the temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

PREFILL = 8192
"""Tokens of prompts that are read at a time, padding included: the memory of what a layer makes of them."""

LIKELY = 256
"""Those that have `top_p` together are looked for among so many first: on one core a vocabulary of 49,152 is sorted in
3.7 ms, and these are found in 0.1 ms."""

SETTLED = 32
"""Tokens after which text is no longer decoded again."""


@dataclass(frozen=True)
class Ask:
    """What is wanted of one prompt.

    `temperature` 0 is greedy. `stop` are texts before which the answer ends. `top` says how many of the likeliest
    tokens come with each token's log-probability. `steer`, given the token that was chosen and whether it would end the
    answer, says which one stands in its place; None ends the answer.

    Raises: RecipeError for values that cannot be.
    """

    tokens: tuple[int, ...]
    most: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    top: int = 0
    steer: Callable[[int, bool], int | None] | None = None

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
        self.ends = sorted({*self.model.config.eos, *self.template.ends, *folder.ends(Path(path))})

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

    def stream(self, asks: Sequence[Ask]) -> Iterator[Token]:
        """Tokens as they are chosen, of all rows in turn.

        Raises: InputError if a prompt leaves no room for an answer.
        """
        batch = Batch(self)
        yield from batch.add(asks)
        while batch:
            yield from batch.step()


class Batch:
    """Asks that are answered together; others may be added while it runs. Rows are numbered as they were added."""

    def __init__(self, by: Generator) -> None:
        self.by, self.added = by, 0
        self.rows: list[_Row] = []
        self.cache: Cache | None = None

    def __len__(self) -> int:
        """Rows that are still answered."""
        return len(self.rows)

    @torch.inference_mode()
    def add(self, asks: Sequence[Ask]) -> list[Token]:
        """Reads prompts, those of similar length together, and returns the first token of each answer.

        Raises: InputError if one of them leaves no room for an answer; then none was added.
        """
        longest = max((len(ask.tokens) for ask in asks), default=0)
        if longest >= self.by.context:
            raise InputError(f"a prompt has {longest} tokens, and the model reads {self.by.context}")
        rows = [_Row(self.added + number, ask, self.by) for number, ask in enumerate(asks)]
        self.added += len(rows)
        found: list[Token] = []
        for some in _alike(rows):
            found += self._read(some)
        return sorted(found, key=lambda token: token.row)

    def _read(self, rows: list[_Row]) -> list[Token]:
        longest = max(len(row.ask.tokens) for row in rows)
        starts = [longest - len(row.ask.tokens) for row in rows]
        tokens_BT = torch.zeros(len(rows), longest, dtype=torch.long)
        for number, row in enumerate(rows):
            tokens_BT[number, starts[number] :] = torch.tensor(row.ask.tokens)
        room = longest + min(max(row.most for row in rows), 256)
        cache = Cache(self.by.model.config, starts, self.by.device, self.by.dtype, room)
        made = self._taken(rows, cache, self._next(tokens_BT.to(self.by.device), cache))
        if not self.rows:
            self.cache, self.rows = cache, rows
        elif rows:
            assert self.cache is not None
            self.cache.join(cache)
            self.rows += rows
        return made

    @torch.inference_mode()
    def step(self) -> list[Token]:
        """The next token of each answer."""
        assert self.cache is not None
        tokens_BT = torch.tensor([[row.last] for row in self.rows], device=self.by.device)
        made = self._taken(self.rows, self.cache, self._next(tokens_BT, self.cache))
        if not self.rows:
            self.cache = None  # its memory is of use to others meanwhile
        return made

    def _next(self, tokens_BT: Tensor, cache: Cache) -> Tensor:
        """Logits of the token after the last (B, V), in float32."""
        cache.room(tokens_BT.shape[1])
        device, end = tokens_BT.device, cache.used + tokens_BT.shape[1]
        at_T, at_S = torch.arange(cache.used, end, device=device), torch.arange(cache.begin, end, device=device)
        starts_B11 = torch.tensor(cache.starts, device=device)[:, None, None]
        may_BTS = (at_S <= at_T[:, None]) & (at_S >= starts_B11)
        # What padding looks at is never read, but a row of the mask without any place would be no number.
        may_BTS = may_BTS | (at_S == at_T[:, None])
        positions_BT = (at_T - starts_B11[:, 0]).clamp(min=0)
        states = self.by.model.states(tokens_BT, positions_BT=positions_BT, mask=may_BTS[:, None], cache=cache)
        return self.by.model.logits(states[:, -1]).float()

    @staticmethod
    def _taken(rows: list[_Row], cache: Cache, logits_BV: Tensor) -> list[Token]:
        """The token of each row, chosen. Rows that are done leave the list and the cache."""
        logprobs_BV = torch.log_softmax(logits_BV, -1)
        chosen = [row.steered(token) for row, token in zip(rows, _chosen(rows, logits_BV), strict=True)]
        picked = logprobs_BV.gather(1, torch.tensor(chosen, device=logits_BV.device)[:, None])[:, 0].tolist()
        made = []
        for at, (row, token, logprob) in enumerate(zip(rows, chosen, picked, strict=True)):
            values, ids = logprobs_BV[at].topk(row.ask.top) if row.ask.top else (logprobs_BV[:0, 0],) * 2
            made.append(row.take(token, logprob, tuple(zip(ids.tolist(), values.tolist(), strict=True))))
        for at in reversed(range(len(rows))):
            if rows[at].done:
                rows[at] = rows[-1]
                rows.pop()
                cache.drop(at)
        return made


def _alike(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """Rows in groups of similar length: `PREFILL` tokens in each, or one row that has more."""
    group: list[_Row] = []
    for row in sorted(rows, key=lambda row: (len(row.ask.tokens), row.number)):
        if group and len(row.ask.tokens) * (len(group) + 1) > PREFILL:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _chosen(rows: Sequence[_Row], logits_BV: Tensor) -> list[int]:
    """The next token of each row: the likeliest, or a draw by the row's own seed."""
    chosen: list[int] = logits_BV.argmax(-1).tolist()
    drawing = [at for at, row in enumerate(rows) if row.ask.temperature > 0]
    if drawing:
        heat_B1 = torch.tensor([[rows[at].ask.temperature] for at in drawing], device=logits_BV.device)
        shares_BV = torch.softmax(logits_BV[drawing] / heat_B1, -1)
        for at, shares_V in zip(drawing, shares_BV, strict=True):
            draw = float(torch.rand((), generator=rows[at].random, dtype=torch.float64))
            chosen[at] = _drawn(shares_V, rows[at].ask.top_p, draw)
    return chosen


def _drawn(shares_V: Tensor, top_p: float, draw: float) -> int:
    """A token by a draw from 0 to 1, among the fewest of the likeliest that have `top_p` together.

    Shares are added up in the order of ids: in that of shares a rounding could swap two, and with them the answer.
    """
    if top_p >= 1:
        return _under(shares_V, draw)
    likely_K, ids_K = shares_V.topk(min(LIKELY, len(shares_V)))
    sums_K = likely_K.cumsum(0, dtype=torch.float64)
    if float(sums_K[-1]) < top_p:
        likely_K, ids_K = shares_V.sort(descending=True, stable=True)
        sums_K = likely_K.cumsum(0, dtype=torch.float64)
    ids_K = ids_K[: int((sums_K < top_p).sum()) + 1].sort().values
    return int(ids_K[_under(shares_V[ids_K], draw)])


def _under(shares: Tensor, draw: float) -> int:
    """The place that a draw falls to."""
    sums = shares.cumsum(0, dtype=torch.float64)
    return min(int((sums <= draw * float(sums[-1])).sum()), len(sums) - 1)


class _Row:
    """One prompt while it is answered."""

    def __init__(self, number: int, ask: Ask, by: Generator) -> None:
        self.number, self.ask, self.by = number, ask, by
        self.random = torch.Generator().manual_seed(ask.seed)
        self.most = min(ask.most, by.context - len(ask.tokens))
        self.ids: list[int] = []
        self.last = -1  # token, with which the next step begins
        self.settled, self.before, self.at, self.cut = "", 0, 0, 0  # see `_text`
        self.given = 0  # characters that were given away
        self.done = False

    def steered(self, token: int) -> int:
        """The token that stands in the place of the one chosen."""
        if self.ask.steer is None:
            return token
        put = self.ask.steer(token, token in self.by.ends)
        return next(iter(self.by.ends), token) if put is None else put

    def take(self, token: int, logprob: float, top: tuple[tuple[int, float], ...]) -> Token:
        """What is known of the answer now: text that a stop may still begin in is held back."""
        ended = token in self.by.ends
        if not ended:
            self.ids.append(token)
        self.last = token
        text = self._text()
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

    def _text(self) -> str:
        """All text so far. Of a long answer only the end is decoded, with some tokens before it: what a tokenizer makes
        of a token may depend on the one before."""
        text = self.settled + self.by.template.decode(self.ids[self.before :])[self.cut :]
        if len(self.ids) - self.at >= SETTLED and not text.endswith(UNFINISHED):
            self.settled, self.before, self.at = text, self.at, len(self.ids)
            self.cut = len(self.by.template.decode(self.ids[self.before :]))
        return text

    def _held(self, text: str) -> int:
        """Characters at the end that may still change, or belong to a stop."""
        held = len(text) - len(text.rstrip(UNFINISHED))
        for stop in self.ask.stop:
            for length in range(min(len(stop) - 1, len(text)), 0, -1):
                if stop.startswith(text[-length:]):
                    held = max(held, length)
                    break
        return held
