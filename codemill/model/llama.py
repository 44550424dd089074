"""The transformer: Llama's architecture, with the parameter names of Hugging Face.

Shapes: B sequences of a batch, T tokens of each, S tokens that are looked at, H heads, G key-value heads, D size of a
head, C hidden size, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from codemill.model.attention import Mask, attend
from codemill.model.config import Config
from codemill.model.data import IGNORE

LOSS_TOKENS = 8192
"""Logits are made for so many tokens at a time where a loss is wanted, and made again for its gradient: with a
vocabulary of 96,640 those of one 8B batch would take 13 GB."""


class Llama(nn.Module):
    """A causal language model. `config` says its shape; weights come from `drawn`, or from a folder."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.model = Body(config)
        self.lm_head = nn.Linear(config.hidden, config.vocabulary, bias=False)
        self.tie()
        self.recompute = False  # activation checkpointing: layers run again for their gradients, and hold nothing

    def tie(self) -> None:
        """Makes one matrix of the embeddings and the head, if the model ties them (again, after `to_empty`)."""
        if self.config.tied:
            self.lm_head.weight = self.model.embed_tokens.weight

    def forward(
        self,
        tokens_BT: Tensor,
        *,
        positions_BT: Tensor | None = None,
        mask: Mask = None,
        cache: Cache | None = None,
        targets_BT: Tensor | None = None,
    ) -> Tensor:
        """Logits (B, T, V); or, with targets, the sum of the cross-entropies (nats, float32) of those that are not
        `IGNORE`.

        Positions count from 0 in each document: without them, the sequence is one document. `mask` of None: each token
        looks at all before it in the sequence. A `cache` has the keys and values of earlier tokens, and gets these.
        """
        states_BTC = self.states(tokens_BT, positions_BT=positions_BT, mask=mask, cache=cache)
        if targets_BT is None:
            return self.logits(states_BTC)
        total = states_BTC.new_zeros((), dtype=torch.float32)
        flat = (states_BTC.flatten(0, 1), targets_BT.flatten())
        pieces = zip(*(torch.split(part, LOSS_TOKENS) for part in flat), strict=True)
        again = self.training and targets_BT.numel() > LOSS_TOKENS
        for states, targets in pieces:
            loss: Tensor = (
                checkpoint(self._loss, states, targets, use_reentrant=False) if again else self._loss(states, targets)
            )
            total = total + loss
        return total

    def states(
        self,
        tokens_BT: Tensor,
        *,
        positions_BT: Tensor | None = None,
        mask: Mask = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """What the last layer says of each token, normalised (B, T, C)."""
        if positions_BT is None:
            positions_BT = torch.arange(tokens_BT.shape[1], device=tokens_BT.device)[None]
        x_BTC: Tensor = self.model.embed_tokens(tokens_BT)
        turns = self.model.turns(positions_BT, x_BTC.dtype)
        if cache is not None:
            cache.room(tokens_BT.shape[1])
        for number, layer in enumerate(self.model.layers):
            slot = None if cache is None else cache.slot(number)
            if self.recompute and self.training:
                x_BTC = checkpoint(layer, x_BTC, turns, mask, slot, use_reentrant=False)
            else:
                x_BTC = layer(x_BTC, turns, mask, slot)
        if cache is not None:
            cache.used += tokens_BT.shape[1]
        normed: Tensor = self.model.norm(x_BTC)
        return normed

    def logits(self, states: Tensor) -> Tensor:
        """Of each entry of the vocabulary (…, V)."""
        found: Tensor = self.lm_head(states)
        return found

    def _loss(self, states: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(self.logits(states).float(), targets, ignore_index=IGNORE, reduction="sum")


class Body(nn.Module):
    """All of it but the head."""

    frequencies: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocabulary, config.hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.hidden, config.eps)
        self.set_frequencies()

    def set_frequencies(self) -> None:
        """Makes the table of rotary frequencies (again, after the model was moved from the device `meta`)."""
        frequencies, self.stretch = rotary(self.config)
        self.register_buffer("frequencies", frequencies.to(self.embed_tokens.weight.device), persistent=False)

    def turns(self, positions_BT: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Cosines and sines of each position (B, 1, T, D)."""
        angles_BTD = positions_BT[..., None].float() * self.frequencies
        angles_BTD = torch.cat([angles_BTD, angles_BTD], dim=-1)[:, None]
        return (angles_BTD.cos() * self.stretch).to(dtype), (angles_BTD.sin() * self.stretch).to(dtype)


class Layer(nn.Module):
    """Attention and a feed-forward network, each of which adds to the stream."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.hidden, config.eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden, config.eps)
        self.mlp = FeedForward(config)

    def forward(self, x_BTC: Tensor, turns: tuple[Tensor, Tensor], mask: Mask, slot: Slot | None) -> Tensor:
        """The stream after this layer (B, T, C)."""
        x_BTC = x_BTC + self.self_attn(self.input_layernorm(x_BTC), turns, mask, slot)
        x_BTC = x_BTC + self.mlp(self.post_attention_layernorm(x_BTC))
        return x_BTC


class Attention(nn.Module):
    """Grouped-query attention with rotary positions."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        bias = config.attention_bias
        self.q_proj = nn.Linear(config.hidden, config.heads * config.head_dim, bias=bias)
        self.k_proj = nn.Linear(config.hidden, config.kv_heads * config.head_dim, bias=bias)
        self.v_proj = nn.Linear(config.hidden, config.kv_heads * config.head_dim, bias=bias)
        self.o_proj = nn.Linear(config.heads * config.head_dim, config.hidden, bias=bias)

    def forward(self, x_BTC: Tensor, turns: tuple[Tensor, Tensor], mask: Mask, slot: Slot | None) -> Tensor:
        """What each token takes from those that it looks at (B, T, C)."""
        q_BHTD, k_BGTD, v_BGTD = (
            project(x_BTC).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        q_BHTD, k_BGTD = turned(q_BHTD, turns), turned(k_BGTD, turns)
        k_BGSD, v_BGSD = (k_BGTD, v_BGTD) if slot is None else slot.put(k_BGTD, v_BGTD)
        y_BHTD = attend(q_BHTD, k_BGSD, v_BGSD, mask)
        out: Tensor = self.o_proj(y_BHTD.transpose(1, 2).flatten(2))
        return out


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden, config.ffn, bias=config.ffn_bias)
        self.up_proj = nn.Linear(config.hidden, config.ffn, bias=config.ffn_bias)
        self.down_proj = nn.Linear(config.ffn, config.hidden, bias=config.ffn_bias)

    def forward(self, x_BTC: Tensor) -> Tensor:
        """(B, T, C) in and out."""
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x_BTC)) * self.up_proj(x_BTC))
        return out


# ── rotary positions ──────────────────────────────────────────────────────────────────────────────────────────────


def turned(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Queries or keys, turned by their positions. Halves are pairs, as in Hugging Face's files."""
    cosines, sines = turns
    first, second = x.chunk(2, dim=-1)
    return x * cosines + torch.cat([-second, first], dim=-1) * sines


def rotary(config: Config) -> tuple[Tensor, float]:
    """The frequency of each pair (D / 2, float32), and what cosines and sines are multiplied by.

    From: su et al. (arXiv 2104.09864); `linear`, Chen et al. (2306.15595); `yarn`, Peng et al. (2309.00071); `llama3`,
    the code of Llama 3.1.
    """
    dim, scaling = config.head_dim, config.scaling
    frequencies = 1.0 / config.theta ** (torch.arange(0, dim, 2, dtype=torch.int64).float() / dim)
    kind = scaling.get("rope_type", "default")
    if kind == "default":
        return frequencies, 1.0
    factor = float(scaling["factor"])
    if kind == "linear":
        return frequencies / factor, 1.0
    old = float(scaling.get("original_max_position_embeddings") or config.context)
    if kind == "llama3":
        low, high = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])
        lengths = 2 * math.pi / frequencies
        smooth = ((old / lengths - low) / (high - low)).clamp(0, 1)
        between = (1 - smooth) * frequencies / factor + smooth * frequencies
        kept = torch.where(lengths < old / high, frequencies, between)
        return torch.where(lengths > old / low, frequencies / factor, kept), 1.0

    def pair(turns: float) -> float:
        """The pair that turns so often within the old context."""
        return dim * math.log(old / (turns * 2 * math.pi)) / (2 * math.log(config.theta))

    low, high = pair(float(scaling.get("beta_fast") or 32)), pair(float(scaling.get("beta_slow") or 1))
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    ramp = ((torch.arange(dim // 2).float() - low) / max(high - low, 0.001)).clamp(0, 1)
    stretch = scaling.get("attention_factor")
    if stretch is None:
        stretch = 0.1 * math.log(factor) + 1.0 if factor > 1 else 1.0
    return frequencies / factor * ramp + frequencies * (1 - ramp), float(stretch)


# ── keys and values of earlier tokens ─────────────────────────────────────────────────────────────────────────────


@dataclass
class Slot:
    """A layer's part of a cache: columns from `begin` on are still looked at, those before `used` are filled."""

    keys_BGSD: Tensor
    values_BGSD: Tensor
    begin: int
    used: int

    def put(self, k_BGTD: Tensor, v_BGTD: Tensor) -> tuple[Tensor, Tensor]:
        """Keeps these, and returns all so far."""
        end = self.used + k_BGTD.shape[2]
        self.keys_BGSD[:, :, self.used : end] = k_BGTD
        self.values_BGSD[:, :, self.used : end] = v_BGTD
        return self.keys_BGSD[:, :, self.begin : end], self.values_BGSD[:, :, self.begin : end]


class Cache:
    """Keys and values of the tokens so far of several sequences, all of which end in one column.

    Sequence r begins in column `starts[r]`; what is before is padding, and finite. Sequences come and go: those that go
    leave their row to the last one, and columns that none has any more are given up when room is wanted.
    """

    def __init__(
        self, config: Config, starts: Sequence[int], device: torch.device, dtype: torch.dtype, length: int = 256
    ) -> None:
        shape = (config.layers, 2, len(starts), config.kv_heads, length, config.head_dim)
        self.data = torch.zeros(shape, device=device, dtype=dtype)
        self.starts = list(starts)
        self.used = 0

    @property
    def begin(self) -> int:
        """The first column that a sequence has."""
        return min(self.starts, default=self.used)

    def slot(self, layer: int) -> Slot:
        """That of a layer."""
        keys, values = self.data[layer, :, : len(self.starts)]
        return Slot(keys, values, self.begin, self.used)

    def room(self, tokens: int) -> None:
        """Makes room for so many tokens more. What `starts` and `used` say may be other columns afterwards."""
        rows, length = self.data.shape[2], self.data.shape[4]
        if self.used + tokens > length:
            width = self.used - self.begin + tokens
            self._lay(rows, length if width <= length * 3 // 4 else max(width, 2 * length), 0)

    def drop(self, row: int) -> None:
        """Takes a sequence out. The last one gets its row."""
        last = len(self.starts) - 1
        if row != last:
            columns = slice(self.starts[last], self.used)
            self.data[:, :, row, :, columns] = self.data[:, :, last, :, columns]
            self.starts[row] = self.starts[last]  # what the row has before is padding: old keys and values, finite
        self.starts.pop()

    def join(self, other: Cache) -> None:
        """Takes the sequences of another one in, behind its own."""
        mine, width = self.used - self.begin, other.used - other.begin
        held, rows, length = len(self.starts), len(self.starts) + len(other.starts), self.data.shape[4]
        if rows > self.data.shape[2] or width > self.used:
            most = max(rows, 2 * self.data.shape[2]) if rows > self.data.shape[2] else self.data.shape[2]
            self._lay(most, length if max(mine, width) <= length else 2 * max(mine, width), max(width - mine, 0))
        shift = self.used - other.used
        self.data[:, :, held:rows, :, self.used - width : self.used] = other.data[
            :, :, : len(other.starts), :, other.begin : other.used
        ]
        self.starts += [start + shift for start in other.starts]

    def _lay(self, rows: int, length: int, begin: int) -> None:
        """Lays it out anew: room for so many sequences and columns, the first that is used at `begin`."""
        held, old = len(self.starts), slice(self.begin, self.used)
        new = slice(begin, begin + old.stop - old.start)
        live = self.data[:, :, :held, :, old]
        layers, both, _, heads, _, size = self.data.shape
        self.data = torch.zeros((layers, both, rows, heads, length, size), device=live.device, dtype=live.dtype)
        self.data[:, :, :held, :, new] = live
        self.starts = [start + new.start - old.start for start in self.starts]
        self.used = new.stop


# ── new weights ───────────────────────────────────────────────────────────────────────────────────────────────────


def drawn(config: Config, seed: int) -> Iterator[tuple[str, Tensor]]:
    """New weights by name: normal with a deviation of 0.02; of what each layer adds to the stream, less the more layers
    there are. The same on every machine and device, for they are drawn on the CPU.

    From: GPT-2, as Megatron does it.
    """
    with torch.device("meta"):
        shapes = [(name, parameter.shape) for name, parameter in Llama(config).named_parameters()]
    generator = torch.Generator().manual_seed(seed)
    for name, shape in shapes:
        if len(shape) < 2:
            yield name, torch.zeros(shape) if name.endswith("bias") else torch.ones(shape)
            continue
        adds = name.endswith(("o_proj.weight", "down_proj.weight"))
        deviation = 0.02 / math.sqrt(2 * config.layers) if adds else 0.02
        yield name, torch.randn(shape, generator=generator).mul_(deviation)
