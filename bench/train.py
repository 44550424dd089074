"""Tokens per second of training: our model and loop beside the Hugging Face module and a nanochat-style loop.

    python -m bench.train                     on this machine's CPU: 9 million parameters, float32, one thread
    python -m bench.train --size 300M --length 4096 --batch 8 --device cuda --compile     MFU, on a GPU in bf16

All train the same shape on the same tokens with AdamW. `hugging face` is transformers' LlamaForCausalLM with SDPA;
`nanochat-style` is a transformer as nanochat writes it (squared ReLU, norms without weights, no mask between documents)
of the same width, depth and vocabulary, in a plain loop. `packed` has documents of 200 tokens in each sequence, which
ours and transformers' keep apart by a mask.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codemill.model import Config, attention, of_size, optim, ranks
from codemill.model.job import Hardware, Optimizer
from codemill.model.llama import drawn

DOCUMENT = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="5M")
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true")
    told = parser.parse_args()
    torch.set_num_threads(told.threads)
    device = torch.device(told.device)
    config = of_size(told.size, vocabulary=told.vocabulary, context=told.length)
    tokens = torch.randint(told.vocabulary, (told.batch, told.length), device=device)
    numbers = (torch.arange(told.length, device=device) // DOCUMENT).expand(told.batch, -1)
    how = Hardware(compile=told.compile)
    made = {
        "codemill": ours(config, device, how, tokens, numbers * 0),
        "codemill, packed": ours(config, device, how, tokens, numbers),
        "hugging face": theirs(config, device, how, tokens, None),
        "hugging face, packed": theirs(config, device, how, tokens, numbers),
        "nanochat-style": plain(config, device, how, tokens),
    }
    # In turns, and on a CPU by CPU seconds, so that a machine that is busy with other things says the same.
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    for step in made.values():
        step()
        _done(device)
    seconds: dict[str, list[float]] = {name: [] for name in made}
    for _ in range(told.steps):
        for name, step in made.items():
            began = clock()
            step()
            _done(device)
            seconds[name].append(clock() - began)
    on_gpu = device.type == "cuda"
    on = torch.cuda.get_device_name(device) if on_gpu else f"{told.threads} thread(s) of a CPU"
    print(f"{config.parameters:,} parameters, {told.batch} x {told.length} tokens, {on}")
    print(f"{'':22}{'tokens/s' if on_gpu else 'tokens/CPU s':>14}{'of ours':>9}{'MFU' if on_gpu else '':>8}")
    ours_speed = 0.0
    for name, all_ in seconds.items():
        speed = tokens.numel() / statistics.median(all_)
        ours_speed = ours_speed or speed
        mfu = f"{speed * config.flops_per_token(told.length) / ranks.peak(device):8.1%}" if on_gpu else ""
        print(f"{name:22}{speed:14,.0f}{speed / ours_speed:9.2f}{mfu}")


def _done(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _autocast(device: torch.device) -> Any:
    return torch.autocast("cuda", torch.bfloat16, enabled=device.type == "cuda")


def ours(config: Config, device: torch.device, how: Hardware, tokens: Tensor, numbers: Tensor) -> Callable[[], None]:
    here = ranks.Ranks(0, 1, device, how)
    model = ranks.placed(config, here)
    with torch.no_grad():
        for name, weight in drawn(config, 0):
            model.get_parameter(name).copy_(weight)
    (optimizer,) = optim.make(model, Optimizer())
    shared = ranks.shared(model, here)
    optim.set_rate([optimizer], 1e-3)
    targets, backend = tokens.roll(-1, 1), attention.best(device)

    def step() -> None:
        mask, positions = attention.mask_of(numbers, backend), attention.positions_of(numbers)
        with ranks.precision(model, here):
            loss = shared(tokens, positions_BT=positions, mask=mask, targets_BT=targets) / tokens.numel()
        loss.backward()
        ranks.clip(model, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def theirs(
    config: Config, device: torch.device, how: Hardware, tokens: Tensor, numbers: Tensor | None
) -> Callable[[], None]:
    from transformers import LlamaConfig, LlamaForCausalLM

    facts = config.to_json()
    rope = {"rope_type": "default", "rope_theta": facts.pop("rope_theta")}
    for name in ("architectures", "model_type", "rope_scaling", "dtype", "torch_dtype"):
        facts.pop(name)
    model = LlamaForCausalLM(LlamaConfig(**facts, rope_parameters=rope, attn_implementation="sdpa")).to(device)
    if how.compile:
        model.compile()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
    more = {}
    if numbers is not None:
        allowed = attention.mask_of(numbers, "sdpa")
        more = {"attention_mask": allowed, "position_ids": attention.positions_of(numbers)}

    def step() -> None:
        with _autocast(device):
            logits = model(tokens, use_cache=False, **more).logits
            loss = F.cross_entropy(logits.float().flatten(0, 1), tokens.roll(-1, 1).flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


class Block(nn.Module):
    """A layer as nanochat writes it. From: karpathy/nanochat, gpt.py."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, width = config.heads, config.heads * config.head_dim
        self.attend = nn.Linear(config.hidden, 3 * width, bias=False)
        self.project = nn.Linear(width, config.hidden, bias=False)
        self.up = nn.Linear(config.hidden, 4 * config.hidden, bias=False)
        self.down = nn.Linear(4 * config.hidden, config.hidden, bias=False)

    def forward(self, x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        parts = self.attend(_normed(x)).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k, v = (part.transpose(1, 2) for part in parts)
        q, k = (_normed(_turned(part, cosines, sines)) for part in (q, k))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(y.transpose(1, 2).flatten(2))
        return x + self.down(F.relu(self.up(_normed(x))).square())


def _normed(x: Tensor) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],))


def _turned(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    return torch.cat([a * cosines + b * sines, b * cosines - a * sines], -1)


def plain(config: Config, device: torch.device, how: Hardware, tokens: Tensor) -> Callable[[], None]:
    embed = nn.Embedding(config.vocabulary, config.hidden)
    model = nn.ModuleList([embed, *(Block(config) for _ in range(config.layers))]).to(device)
    if how.compile:
        for block in list(model)[1:]:
            block.compile()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
    angles = torch.arange(tokens.shape[1])[:, None] / 10_000 ** (torch.arange(0, config.head_dim, 2) / config.head_dim)
    cosines, sines = angles.cos().to(device), angles.sin().to(device)

    def step() -> None:
        with _autocast(device):
            x = _normed(embed(tokens))
            for block in list(model)[1:]:
                x = block(x, cosines, sines)
            logits = F.linear(_normed(x), embed.weight).float()
            loss = F.cross_entropy(logits.flatten(0, 1), tokens.roll(-1, 1).flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


if __name__ == "__main__":
    main()
