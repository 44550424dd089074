"""Devices and ranks: what a training run stands on. One process without `torchrun`, several with it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from codemill.errors import EnvironmentProblem
from codemill.model import folder
from codemill.model.attention import best
from codemill.model.config import Config
from codemill.model.job import Hardware
from codemill.model.llama import Llama

PEAKS = {
    "H100": 989e12,
    "H200": 989e12,
    "H800": 989e12,
    "B200": 2250e12,
    "A100": 312e12,
    "L40S": 362e12,
    "4090": 165e12,
}
"""Dense bf16 operations per second that makers name, by a part of the device's name."""


@dataclass(frozen=True)
class Ranks:
    """This process among all of a run."""

    rank: int
    size: int
    device: torch.device
    hardware: Hardware

    def total(self, *values: float) -> list[float]:
        """Sums over all ranks, in float64."""
        found = torch.tensor(values, dtype=torch.float64, device=self.device)
        if self.size > 1:
            dist.all_reduce(found)
        return [float(value) for value in found]

    def wait(self) -> None:
        """Until all ranks are here."""
        if self.size > 1:
            dist.barrier()


@contextlib.contextmanager
def joined(hardware: Hardware) -> Iterator[Ranks]:
    """Joins the other ranks, if `torchrun` started this process beside others.

    Raises: EnvironmentProblem if a GPU is wanted and there is none.
    """
    cuda = torch.cuda.is_available()
    if hardware.device == "cuda" and not cuda:
        raise EnvironmentProblem("there is no GPU that torch can use", remedy="--device cpu")
    kind = "cuda" if cuda and hardware.device != "cpu" else "cpu"
    rank, size, local = (int(os.environ.get(name, default)) for name, default in
                         (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0")))  # fmt: skip
    device = torch.device(kind, local) if kind == "cuda" else torch.device(kind)
    if kind == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cuda.matmul.allow_tf32 = True
    elif hardware.threads:
        torch.set_num_threads(hardware.threads)
    if size > 1:
        dist.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        yield Ranks(rank, size, device, hardware)
    finally:
        if size > 1:
            dist.destroy_process_group()


def placed(config: Config, ranks: Ranks) -> Llama:
    """The model without weights on this rank's device, sharded if that is wanted."""
    # A tie does not outlive a move from `meta`; models that have one are small.
    with torch.device(ranks.device if config.tied else "meta"):
        model = Llama(config)
    if ranks.size > 1 and ranks.hardware.sharding == "fsdp":
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

        mesh = init_device_mesh(ranks.device.type, (ranks.size,))
        on_gpu = ranks.device.type == "cuda"
        policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32) if on_gpu else MixedPrecisionPolicy()
        for layer in model.model.layers:
            fully_shard(layer, mesh=mesh, mp_policy=policy)
        fully_shard(model, mesh=mesh, mp_policy=policy)
    if not config.tied:
        model = model.to_empty(device=ranks.device)
    model.model.set_frequencies()
    model.recompute = ranks.hardware.recompute
    return model


def sharded(model: nn.Module) -> bool:
    """Whether it holds only a part of its weights."""
    if not dist.is_initialized():
        return False
    from torch.distributed.tensor import DTensor

    return any(isinstance(parameter, DTensor) for parameter in model.parameters())


def reshard(model: nn.Module) -> None:
    """Lets go of the weights that a forward pass without a backward pass has gathered: optimizers know the shards, and
    would not know the parameters that stand in their place."""
    if dist.is_initialized():
        from torch.distributed.fsdp import FSDPModule

        for module in model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()


def shared(model: Llama, ranks: Ranks) -> Any:
    """What the loop calls: the model, with its gradients averaged over ranks."""
    if ranks.hardware.compile:
        model.compile()
    if ranks.size == 1 or sharded(model):
        return model
    from torch.nn.parallel import DistributedDataParallel

    return DistributedDataParallel(model, device_ids=[ranks.device.index] if ranks.device.type == "cuda" else None)


@contextlib.contextmanager
def precision(model: Llama, ranks: Ranks) -> Iterator[None]:
    """bf16 where there is a GPU and the model is not sharded in bf16 already; float32 on the CPU."""
    if ranks.device.type == "cuda" and not sharded(model):
        with torch.autocast("cuda", torch.bfloat16):
            yield
    else:
        yield


@contextlib.contextmanager
def quiet(model: Any, last: bool) -> Iterator[None]:
    """Within it gradients are not averaged over ranks yet, unless it is the last micro-batch of a step."""
    if hasattr(model, "set_requires_gradient_sync"):
        model.set_requires_gradient_sync(last)
        yield
    elif hasattr(model, "no_sync") and not last:
        with model.no_sync():
            yield
    else:
        yield


def attention(ranks: Ranks) -> str:
    """The backend of attention."""
    wanted = ranks.hardware.attention
    return best(ranks.device) if wanted == "auto" else wanted


def clip(model: Llama, most: float) -> float:
    """Scales gradients down to a norm of `most`, and returns the norm that they had."""
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), most if most > 0 else float("inf"))
    return float(folder.whole(norm))


def peak(device: torch.device) -> float:
    """Operations per second that a device could do: of a known GPU what its maker says, else measured in float32."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        known = [flops for part, flops in PEAKS.items() if part in name]
        if known:
            return known[0]
    size = 768
    one, two = (torch.randn(size, size, device=device) for _ in range(2))
    times = []
    for _ in range(4):
        began = time.perf_counter()
        _finished(one @ two)
        times.append(time.perf_counter() - began)
    return 2 * size**3 / min(times)


def _finished(result: Tensor) -> None:
    if result.device.type == "cuda":
        torch.cuda.synchronize(result.device)
