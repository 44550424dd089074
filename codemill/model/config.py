"""What a model is: a few numbers, read from and written as Hugging Face's config.json; and the dial that sets them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from codemill.errors import InputError, RecipeError

SCALINGS = ("default", "linear", "llama3", "yarn")
"""The ways in which published code models stretch rotary positions to longer contexts."""


@dataclass(frozen=True)
class Config:
    """A transformer of Llama's architecture.

    `scaling` is the `rope_scaling` of config.json, with its `rope_type` (one of `SCALINGS`); empty for none.
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    context: int
    theta: float = 10_000.0
    scaling: Mapping[str, Any] = field(default_factory=dict)
    eps: float = 1e-5
    tied: bool = False
    attention_bias: bool = False
    ffn_bias: bool = False
    bos: int | None = None
    eos: tuple[int, ...] = ()
    pad: int | None = None

    def __post_init__(self) -> None:
        sizes = ("vocabulary", "hidden", "layers", "heads", "kv_heads", "head_dim", "ffn", "context")
        for name in sizes:
            if getattr(self, name) < 1:
                raise RecipeError(f"{name} of a model must be at least 1, got {getattr(self, name)!r}")
        if self.heads % self.kv_heads:
            raise RecipeError(f"{self.heads} heads cannot share {self.kv_heads} key-value heads evenly")
        if self.head_dim % 2:
            raise RecipeError(f"head_dim must be even, for rotary positions turn pairs; got {self.head_dim}")
        kind = self.scaling.get("rope_type", "default")
        if kind not in SCALINGS:
            raise RecipeError(f"rotary positions scaled as {kind!r} are not known", remedy=f"one of: {SCALINGS}")

    @property
    def matrices(self) -> int:
        """Parameters of the layers' matrices: what `--size` counts."""
        attention = self.hidden * self.head_dim * 2 * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.hidden * self.ffn)

    @property
    def parameters(self) -> int:
        """All parameters, each once."""
        biases = 0
        if self.attention_bias:
            biases += self.head_dim * (self.heads + 2 * self.kv_heads) + self.hidden
        if self.ffn_bias:
            biases += 2 * self.ffn + self.hidden
        norms = (2 * self.layers + 1) * self.hidden
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return self.matrices + self.layers * biases + norms + embeddings

    def flops_per_token(self, length: int) -> float:
        """Floating-point operations for one token of training in a sequence of `length` tokens: forward and backward.

        Six for each parameter that multiplies (the embedding is looked up, not multiplied), and attention as if it saw
        the whole sequence, as is usual for MFU. From: PaLM (arXiv 2204.02311), appendix B.
        """
        multiplied = self.matrices + self.vocabulary * self.hidden
        return 6.0 * multiplied + 12.0 * self.layers * self.heads * self.head_dim * length

    def to_json(self, dtype: str = "float32") -> dict[str, Any]:
        """As config.json has it."""
        eos: Any = list(self.eos) if len(self.eos) > 1 else next(iter(self.eos), None)
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": self.vocabulary,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "intermediate_size": self.ffn,
            "hidden_act": "silu",
            "max_position_embeddings": self.context,
            "rope_theta": self.theta,
            "rope_scaling": dict(self.scaling) or None,
            "rms_norm_eps": self.eps,
            "tie_word_embeddings": self.tied,
            "attention_bias": self.attention_bias,
            "attention_dropout": 0.0,
            "mlp_bias": self.ffn_bias,
            "initializer_range": 0.02,
            "bos_token_id": self.bos,
            "eos_token_id": eos,
            "pad_token_id": self.pad,
            "dtype": dtype,
            "torch_dtype": dtype,  # what readers before transformers 5 and vLLM look for
            "use_cache": True,
        }

    @staticmethod
    def from_folder(folder: Path | str) -> Config:
        """That of a checkpoint. Raises: InputError if there is none, or it is of another architecture."""
        path = Path(folder) / "config.json"
        try:
            facts = json.loads(path.read_text("utf-8"))
            return Config.from_json(facts)
        except OSError as error:
            what = f"there is no model: {error.strerror}"
            raise InputError(what, where=path, remedy="give a folder with config.json and safetensors") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"the model's config.json cannot be used: {error}", where=path) from error

    @staticmethod
    def from_json(facts: Mapping[str, Any]) -> Config:
        """From what config.json says: that of transformers 5 (`rope_parameters`) and of those before (`rope_theta`).

        Raises: ValueError for what this transformer is not.
        """
        if facts.get("model_type") != "llama":
            raise ValueError(f"it is a {facts.get('model_type')!r}, and only 'llama' is known here")
        if facts.get("hidden_act", "silu") != "silu":
            raise ValueError(f"it activates with {facts['hidden_act']!r}, and only 'silu' is known here")
        rope = {**(facts.get("rope_scaling") or {}), **(facts.get("rope_parameters") or {})}
        theta = rope.pop("rope_theta", facts.get("rope_theta", 10_000.0))
        kind = rope.pop("rope_type", rope.pop("type", "default"))
        scaling = {} if kind == "default" else {"rope_type": kind, **rope}
        heads, eos = int(facts["num_attention_heads"]), facts.get("eos_token_id")
        return Config(
            vocabulary=int(facts["vocab_size"]),
            hidden=int(facts["hidden_size"]),
            layers=int(facts["num_hidden_layers"]),
            heads=heads,
            kv_heads=int(facts.get("num_key_value_heads") or heads),
            head_dim=int(facts.get("head_dim") or facts["hidden_size"] // heads),
            ffn=int(facts["intermediate_size"]),
            context=int(facts.get("max_position_embeddings", 2048)),
            theta=float(theta),
            scaling=scaling,
            eps=float(facts.get("rms_norm_eps", 1e-6)),
            tied=bool(facts.get("tie_word_embeddings", False)),
            attention_bias=bool(facts.get("attention_bias", False)),
            ffn_bias=bool(facts.get("mlp_bias", False)),
            bos=facts.get("bos_token_id"),
            eos=tuple(eos) if isinstance(eos, list) else () if eos is None else (int(eos),),
            pad=facts.get("pad_token_id"),
        )


# ── the dial ──────────────────────────────────────────────────────────────────────────────────────────────────────

OPENCODER_1_5B = Config(
    vocabulary=96_640, hidden=2240, layers=24, heads=14, kv_heads=14, head_dim=160, ffn=6144, context=4096,
    bos=96_540, eos=(96_539,),
)  # fmt: skip
OPENCODER_8B = Config(
    vocabulary=96_640, hidden=4096, layers=32, heads=32, kv_heads=8, head_dim=128, ffn=14_336, context=8192,
    theta=500_000.0, bos=96_540, eos=(96_539,),
)  # fmt: skip
PUBLISHED = {"1.5B": OPENCODER_1_5B, "8B": OPENCODER_8B}
"""OpenCoder's two, as they were published (arXiv 2411.04905, table 4, and their config.json)."""

LARGEST = 300_000_000
WIDTH = 64
"""Width for each layer: a model of depth d is 64·d wide, has heads of 64, and about 49,152·d³ parameters in matrices.
From: nanochat, where one number sets the rest."""


def of_size(size: str, *, vocabulary: int, context: int) -> Config:
    """The model of a size: `tiny`, any number of parameters up to 300M (such as 25M), or OpenCoder's 1.5B and 8B.

    The number is that of the parameters in matrices, embeddings apart: the depth that comes nearest is taken, and the
    rest follows from it. Embeddings are tied up to 300M, where they would be a large part of the model.

    >>> of_size("25M", vocabulary=8192, context=1024).layers
    8
    >>> of_size("1.5B", vocabulary=96640, context=4096).parameters
    1905650880

    Raises: RecipeError for what is no size.
    """
    if size in PUBLISHED:
        return replace(PUBLISHED[size], vocabulary=vocabulary, context=context)
    depth = 2 if size == "tiny" else _depth(size)
    hidden = WIDTH * depth
    return Config(
        vocabulary=vocabulary, hidden=hidden, layers=depth, heads=depth, kv_heads=depth, head_dim=64,
        ffn=64 * round(hidden * 8 / 3 / 64), context=context, tied=True,
    )  # fmt: skip


def _depth(size: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([MK])", size)
    number = float(match[1]) * {"M": 1e6, "K": 1e3}[match[2]] if match else 0
    if not 0 < number <= LARGEST:
        remedy = f"tiny, a number up to {LARGEST // 10**6}M such as 25M, or {', '.join(PUBLISHED)}"
        raise RecipeError(f"there is no size {size!r}", remedy=remedy)
    depth: float = (number / (12 * WIDTH**2)) ** (1 / 3)
    return max(1, round(depth))
