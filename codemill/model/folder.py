"""Checkpoints as folders of Hugging Face: config.json, safetensors, tokenizer.json, generation_config.json.

    FOLDER/config.json  generation_config.json  model.safetensors (or several, with an index)
    FOLDER/tokenizer.json  tokenizer_config.json  chat_template.jinja   copies of the tokenizer's
    FOLDER/optimizer.safetensors  trainer.json                          of checkpoints that training can go on from

`transformers` loads such a folder with no code of ours; and any Llama-shaped folder of theirs loads here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from codemill.errors import InputError
from codemill.model.checkpoints import read_json, write_json
from codemill.model.config import Config
from codemill.model.llama import Llama

WEIGHTS, INDEX, OPTIMIZER = "model.safetensors", "model.safetensors.index.json", "optimizer.safetensors"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
FILE_BYTES = 5_000_000_000
"""Of one file of weights: what hubs take in one piece."""


def write(
    folder: Path,
    config: Config,
    weights: Iterable[tuple[str, Tensor]],
    *,
    tokenizer: Path | None = None,
    dtype: torch.dtype = torch.float32,
    file_bytes: int = FILE_BYTES,
) -> None:
    """Writes a model into a folder that is there: each file whole or not at all, config.json last."""
    files = _split(weights, dtype, file_bytes)
    placed: dict[str, str] = {}
    for number, tensors in enumerate(files):
        name = WEIGHTS if len(files) == 1 else f"model-{number + 1:05d}-of-{len(files):05d}.safetensors"
        write_tensors(folder / name, tensors)
        placed.update(dict.fromkeys(tensors, name))
    if len(files) > 1:
        total = sum(t.nbytes for tensors in files for t in tensors.values())
        write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": placed})
    for name in TOKENIZER:
        if tokenizer is not None and (tokenizer / name).exists() and tokenizer != folder:
            shutil.copyfile(tokenizer / name, folder / name)
    ids = {"bos_token_id": config.bos, "eos_token_id": list(config.eos) or None, "pad_token_id": config.pad}
    write_json(folder / "generation_config.json", {name: value for name, value in ids.items() if value is not None})
    write_json(folder / "config.json", config.to_json(str(dtype).removeprefix("torch.")))


def _split(weights: Iterable[tuple[str, Tensor]], dtype: torch.dtype, limit: int) -> list[dict[str, Tensor]]:
    files: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in weights:
        tensor = tensor.detach().to("cpu", dtype).contiguous()
        if size and size + tensor.nbytes > limit:
            files.append({})
            size = 0
        files[-1][name] = tensor
        size += tensor.nbytes
    return files


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A file of tensors, whole or not at all."""
    beside = path.with_name(f".{path.name}")
    save_file(dict(tensors), beside, metadata={"format": "pt"})
    os.replace(beside, path)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────


def tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """The weights of a folder by name, one at a time.

    Raises: InputError if there are none, or a file is damaged or outside the folder.
    """
    if (folder / INDEX).exists():
        placed = read_json(folder / INDEX).get("weight_map")
        if not isinstance(placed, dict) or not all(str(name) == Path(str(name)).name for name in placed.values()):
            raise InputError("the index of the weights names no files of its folder", where=folder / INDEX)
        names = sorted(set(placed.values()))
    else:
        names = [WEIGHTS]
    for name in names:
        yield from tensors_of(folder / name)


def tensors_of(path: Path) -> Iterator[tuple[str, Tensor]]:
    """Those of one file. Raises: InputError if it is not there, or damaged."""
    if not path.exists():
        raise InputError("there are no weights", where=path, remedy="only safetensors are read, never pickles")
    try:
        with safe_open(str(path), framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 (it is no mapping)
                yield name, file.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise InputError(f"a file of weights is damaged: {error}", where=path) from error


def ends(folder: Path) -> list[int]:
    """The tokens that end a text as generation_config.json has them: of some chat models they are more than in
    config.json."""
    path = folder / "generation_config.json"
    found = read_json(path).get("eos_token_id") if path.exists() else None
    return [found] if isinstance(found, int) else [one for one in found or () if isinstance(one, int)]


def load(folder: Path | str, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Llama:
    """The model of a folder, ready to be asked.

    Raises: InputError if there is none, it is not of Llama's architecture, or weights are missing or of other shapes.
    """
    folder = Path(folder)
    config = Config.from_folder(folder)
    with torch.device("meta"):
        model = Llama(config)
    model = model.to(dtype).to_empty(device=device)
    model.tie()
    model.model.set_frequencies()
    fill(model, tensors(folder), folder)
    return model.eval()


@torch.no_grad()
def fill(model: Llama, weights: Iterable[tuple[str, Tensor]], where: Path | str) -> None:
    """Puts weights in place by name, shard by shard where the model is sharded.

    Raises: InputError for names that the model does not have, or that are missing, and for other shapes.
    """
    wanted = dict(model.named_parameters())
    tied = {"lm_head.weight"} if model.config.tied else set()
    for name, tensor in weights:
        if name in tied or name.endswith("rotary_emb.inv_freq"):
            continue
        parameter = wanted.pop(name, None)
        if parameter is None or parameter.shape != tensor.shape:
            there = "no such matrix" if parameter is None else f"one of shape {tuple(parameter.shape)}"
            raise InputError(f"the weights have {name} {tuple(tensor.shape)}, the model has {there}", where=where)
        parameter.copy_(like(tensor, parameter))
    if wanted:
        raise InputError(f"the weights lack {len(wanted)} matrices, such as {min(wanted)}", where=where)


def like(tensor: Tensor, place: Tensor) -> Tensor:
    """A whole tensor as it lies in `place`: of a sharded one this rank's shard."""
    tensor = tensor.to(place.device, place.dtype)
    if not dist.is_initialized():
        return tensor
    from torch.distributed.tensor import DTensor, distribute_tensor

    if isinstance(place, DTensor) and tensor.ndim:
        shards: Tensor = distribute_tensor(tensor, place.device_mesh, place.placements, src_data_rank=None)
        return shards
    return tensor


def whole(tensor: Tensor) -> Tensor:
    """A tensor on the CPU, gathered from all ranks where it is sharded. All ranks must call it."""
    if dist.is_initialized():
        from torch.distributed.tensor import DTensor

        tensor = tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
    return tensor.detach().cpu()


def average(folders: Sequence[Path]) -> Iterator[tuple[str, Tensor]]:
    """The mean of the weights of several checkpoints, by name, one matrix at a time.

    Raises: InputError if they have other matrices. From: Izmailov et al. (arXiv 1803.05407); of code models, StarCoder.
    """
    first, *others = [tensors(folder) for folder in folders]
    for name, tensor in first:
        total = tensor.double()
        for other, folder in zip(others, folders[1:], strict=True):
            its, added = next(other, ("", tensor))
            if its != name or added.shape != tensor.shape:
                raise InputError(f"the checkpoints have other matrices: {name} is not {its}", where=folder)
            total += added.double()
        yield name, (total / len(folders)).to(tensor.dtype)
