"""The optimizers: AdamW with a decay of matrices only; or Muon for matrices of the layers, and AdamW for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from codemill.errors import InputError, RecipeError
from codemill.model.folder import like, whole
from codemill.model.job import Optimizer
from codemill.model.llama import Llama

Optimizers = Sequence[torch.optim.Optimizer]


def make(model: Llama, wanted: Optimizer, *, sharded: bool = False) -> list[torch.optim.Optimizer]:
    """The optimizers of a model's parameters, each of which belongs to one.

    Muon's rate is scaled so that it moves a matrix as far as AdamW would, and one schedule serves both.
    From: Loshchilov and Hutter (arXiv 1711.05101); Jordan et al. for Muon, Liu et al. (arXiv 2502.16982) for the scale.
    Raises: RecipeError for Muon over shards: it needs whole matrices.
    """
    named = dict(model.named_parameters())
    muon: list[Tensor] = []
    if wanted.name == "muon":
        if sharded:
            raise RecipeError("Muon needs whole matrices, and fsdp holds parts of them", remedy="--sharding ddp")
        muon = [p for name, p in named.items() if p.ndim == 2 and name.startswith("model.layers.")]
    rest = [p for p in named.values() if not any(p is taken for taken in muon)]
    groups = [
        {"params": [p for p in rest if p.ndim >= 2], "weight_decay": wanted.decay},
        {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
    ]
    fused = next(model.parameters()).device.type == "cuda"
    made: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=0.0, betas=wanted.betas, eps=1e-8, fused=fused)]
    if muon:
        made.append(torch.optim.Muon(muon, lr=0.0, weight_decay=wanted.decay, adjust_lr_fn="match_rms_adamw"))
    return made


def set_rate(optimizers: Optimizers, rate: float) -> None:
    """Sets the learning rate of all parameters."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def state(model: Llama, optimizers: Optimizers) -> Iterator[tuple[str, Tensor]]:
    """What the optimizers remember, by parameter and name: `model.norm.weight/exp_avg`. All ranks must call it."""
    for name, parameter in model.named_parameters():
        for optimizer in optimizers:
            if parameter in optimizer.state:
                for key, value in sorted(optimizer.state[parameter].items()):
                    yield f"{name}/{key}", whole(value)


@torch.no_grad()
def restore(model: Llama, optimizers: Optimizers, remembered: Mapping[str, Tensor], where: object) -> None:
    """Gives the optimizers back what they remembered. Raises: InputError if it is of other parameters or optimizers."""
    keys: dict[str, dict[str, Tensor]] = {}
    for name, value in remembered.items():
        of, _, key = name.rpartition("/")
        keys.setdefault(of, {})[key] = value
    for name, parameter in model.named_parameters():
        (optimizer,) = (o for o in optimizers if any(parameter is p for g in o.param_groups for p in g["params"]))
        wanted = {"momentum_buffer"} if isinstance(optimizer, torch.optim.Muon) else {"exp_avg", "exp_avg_sq", "step"}
        found = keys.pop(name, {})
        if set(found) != wanted:
            what = f"the optimizer's state of {name} has {sorted(found)}, not {sorted(wanted)}"
            raise InputError(what, where=where, remedy="the optimizer it was made with, or a fresh one")
        on_gpu = parameter.device.type == "cuda"
        for key, value in found.items():
            counts = key == "step"
            placed = value.to(parameter.device if on_gpu else "cpu") if counts else like(value, parameter)
            optimizer.state[parameter][key] = placed.clone()
    if keys:
        raise InputError(f"the optimizer's state has parameters that the model lacks: {min(keys)}", where=where)
