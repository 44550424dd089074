"""A training run as configurations of other trainers: for those who train 8B on a cluster, use LoRA, or preferences.

    trl.yaml         `trl sft --config`                                  chats
    axolotl.yaml     `axolotl train`                                     chats
    megatron.sh      arguments of Megatron-LM's pretrain_gpt.py          sequences that `--write megatron` laid out
    codemill_torchtitan.py    a function that returns a torchtitan `Trainer.Config`   the corpus as text

The numbers are those of `training.json` and `config.json` of a model. What another trainer does not have is said
at the head of its file: none has our exponential decay or Muon, and torchtitan tokenises text itself.

`python -m bench.handover` loads each file with the trainer itself.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codemill.errors import InputError
from codemill.model.config import Config

FILES = ("trl.yaml", "axolotl.yaml", "megatron.sh", "codemill_torchtitan.py")
# The last is not called torchtitan.py: in its own folder that would hide the package it imports.


def write(model: Path | str, data: str, out: Path | str) -> list[Path]:
    """Writes all of them for the run that made a model, over `data`: chats, sequences, or a corpus.

    Raises: InputError if the model was not made by a training run, or has biases, scaled rotary positions, or heads
    that together are not as wide as the model, which not all of them can be told of.
    """
    model, out = Path(model), Path(out)
    path = model / "training.json"
    try:
        training = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"the model has no account of its training: {error}", where=path) from error
    config = Config.from_folder(model)
    out.mkdir(parents=True, exist_ok=True)
    if config.scaling or config.attention_bias or config.ffn_bias:
        what = "scaled rotary positions" if config.scaling else "biases"
        raise InputError(f"a model with {what} cannot be handed over", where=model, remedy="continue it here")
    if config.heads * config.head_dim != config.hidden:
        what = f"{config.heads} heads of {config.head_dim} in a model that is {config.hidden} wide"
        raise InputError(f"{what} cannot be handed over", where=model, remedy="continue it here")
    texts = (
        _head(training) + _yaml(_trl(training, str(model), data)),
        _head(training) + _yaml(_axolotl(training, str(model), data)),
        _megatron(config, training, str(model), data),
        _torchtitan(config, training, str(model), data),
    )
    for name, text in zip(FILES, texts, strict=True):
        (out / name).write_text(text, "utf-8")
    return [out / name for name in FILES]


def _head(training: Mapping[str, Any]) -> str:
    """What is lost on the way, as comments."""
    lost = []
    if training["schedule"]["shape"] == "exponential" and training["schedule"]["decay"] != 0:
        lost.append("The decay was exponential, which this trainer does not have: 1-sqrt is nearest.")
    if training["optimizer"]["name"] == "muon":
        lost.append("The matrices of the layers were trained with Muon: here it is AdamW for all.")
    return "".join(f"# {sentence}\n" for sentence in lost)


def _hyper(training: Mapping[str, Any]) -> dict[str, Any]:
    """What Hugging Face's trainers call the same way."""
    schedule, optimizer = training["schedule"], training["optimizer"]
    decay = schedule["decay"]
    steps = training["steps"] - schedule["warmup"] if decay is None else decay
    facts: dict[str, Any] = {
        "max_steps": training["steps"],
        "learning_rate": schedule["peak"],
        "warmup_steps": schedule["warmup"],
        "weight_decay": optimizer["decay"],
        "adam_beta1": optimizer["betas"][0],
        "adam_beta2": optimizer["betas"][1],
        "max_grad_norm": optimizer["clip"],
        "seed": training["seed"],
        "bf16": True,
    }
    if schedule["shape"] == "cosine" and decay is None and schedule["final"] == 0:
        return {**facts, "lr_scheduler_type": "cosine"}
    # warmup_stable_decay has no exponential decay: of what it has, 1-sqrt is nearest.
    kind = {"exponential": "1-sqrt", "linear": "linear", "1-sqrt": "1-sqrt", "cosine": "cosine"}[schedule["shape"]]
    ratio = schedule["final"] / schedule["peak"]
    how = {"num_decay_steps": steps, "decay_type": kind, "min_lr_ratio": ratio}
    return {**facts, "lr_scheduler_type": "warmup_stable_decay", "lr_scheduler_kwargs": how}


def _trl(training: Mapping[str, Any], model: str, data: str) -> dict[str, Any]:
    return {
        "model_name_or_path": model,
        "dataset_name": data,
        "output_dir": "trl-out",
        "assistant_only_loss": True,
        "max_length": training["length"],
        "packing": False,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": training["batch"],
        **_hyper(training),
    }


def _axolotl(training: Mapping[str, Any], model: str, data: str) -> dict[str, Any]:
    facts = _hyper(training)
    facts["lr_scheduler"] = facts.pop("lr_scheduler_type")
    return {
        "base_model": model,
        "datasets": [
            {"path": data, "type": "chat_template", "field_messages": "messages", "roles_to_train": ["assistant"]}
        ],
        "chat_template": "tokenizer_default",
        "output_dir": "axolotl-out",
        "sequence_len": training["length"],
        # Our batch counts chats. Packed, a step would have more of them, and without flash attention they would see
        # one another.
        "sample_packing": False,
        "micro_batch_size": 1,
        "gradient_accumulation_steps": training["batch"],
        "optimizer": "adamw_torch",
        **facts,
    }


def _yaml(facts: Mapping[str, Any]) -> str:
    """JSON is YAML: each key on a line of its own, its value as JSON."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in facts.items())


def _megatron(config: Config, training: Mapping[str, Any], model: str, data: str) -> str:
    schedule, optimizer = training["schedule"], training["optimizer"]
    decay = training["steps"] - schedule["warmup"] if schedule["decay"] is None else schedule["decay"]
    # Megatron's "exponential" is 2 · 0.5^t - 1, further from ours than 1-sqrt is.
    shape = {"1-sqrt": "minus_sqrt", "exponential": "minus_sqrt"}.get(schedule["shape"], schedule["shape"])
    arguments: dict[str, Any] = {
        "--use-mcore-models": None,
        "--num-layers": config.layers,
        "--hidden-size": config.hidden,
        "--ffn-hidden-size": config.ffn,
        "--num-attention-heads": config.heads,
        "--group-query-attention": None,
        "--num-query-groups": config.kv_heads,
        "--kv-channels": config.head_dim,
        "--seq-length": training["length"],
        "--max-position-embeddings": config.context,
        "--position-embedding-type": "rope",
        "--rotary-base": round(config.theta),
        "--swiglu": None,
        "--normalization": "RMSNorm",
        "--norm-epsilon": config.eps,
        "--disable-bias-linear": None,
        "--attention-dropout": 0.0,
        "--hidden-dropout": 0.0,
        "--micro-batch-size": 1,
        "--global-batch-size": training["batch"],
        "--train-iters": training["steps"],
        "--lr": schedule["peak"],
        "--min-lr": schedule["final"],
        "--lr-warmup-iters": schedule["warmup"],
        "--lr-decay-style": "WSD",
        "--lr-wsd-decay-style": shape,
        "--lr-wsd-decay-iters": decay,
        "--adam-beta1": optimizer["betas"][0],
        "--adam-beta2": optimizer["betas"][1],
        "--weight-decay": optimizer["decay"],
        "--clip-grad": optimizer["clip"],
        "--seed": training["seed"],
        "--bf16": None,
        "--tokenizer-type": "HuggingFaceTokenizer",
        "--tokenizer-model": model,
        "--split": "100,0,0",
        # Documents of a sequence do not see one another.
        "--reset-position-ids": None,
        "--reset-attention-mask": None,
        "--eod-mask-loss": None,
    }
    if not config.tied:
        arguments["--untie-embeddings-and-output-weights"] = None
    words = [name if value is None else f"{name} {shlex.quote(str(value))}" for name, value in arguments.items()]
    paths = f"$(ls {shlex.quote(data)}/part-*.bin | sed 's/[.]bin$//')"
    head = "#!/bin/sh\n# In a checkout of Megatron-LM. The files of sequences: `pretraining_mix --write megatron`.\n"
    return (
        head
        + _head(training)
        + "exec torchrun ${TORCHRUN:-} pretrain_gpt.py \\\n    "
        + " \\\n    ".join(words)
        + f" \\\n    --data-path {paths}\n"
    )


def _torchtitan(config: Config, training: Mapping[str, Any], model: str, data: str) -> str:
    schedule, optimizer = training["schedule"], training["optimizer"]
    decay = training["steps"] - schedule["warmup"] if schedule["decay"] is None else schedule["decay"]
    kind = {"linear": "linear", "cosine": "cosine"}.get(schedule["shape"], "sqrt")
    lost = _head(training)
    return f'''{lost}"""A run of codemill as a configuration of torchtitan 0.3.

With this folder on PYTHONPATH: `torchrun -m torchtitan.train --module codemill_torchtitan --config codemill`. To begin
with the weights of a model: `--checkpoint.initial_load_path FOLDER --checkpoint.initial_load_in_hf`, FOLDER absolute.
The decay was {schedule["shape"]}; of what torchtitan has, {kind} is taken. It tokenises text itself: the mix and the
order of the plan are not kept.
"""

from datasets import load_dataset
from torchtitan.components.checkpoint import CheckpointManager
from torchtitan.components.loss import ChunkedLossWrapper, CrossEntropyLoss
from torchtitan.components.optimizer import LRSchedulersContainer, default_adamw
from torchtitan.config import DebugConfig, TrainingConfig
from torchtitan.hf_datasets import DatasetConfig
from torchtitan.hf_datasets.text_datasets import DATASETS, HuggingFaceTextDataLoader
from torchtitan.models import llama3
from torchtitan.models.common import ComplexRoPE, Embedding, Linear, RMSNorm
from torchtitan.trainer import Trainer

DATASETS["codemill"] = DatasetConfig(
    path={data!r},
    loader=lambda path: load_dataset("parquet", data_files=path + "/*.parquet", split="train"),
    sample_processor=lambda sample: sample["content"],
)


def model(attn_backend, tp_gemm_backend="default"):
    layers = llama3._build_llama3_layers(
        n_layers={config.layers},
        dim={config.hidden},
        n_heads={config.heads},
        n_kv_heads={config.kv_heads},
        hidden_dim={config.ffn},
        rope=ComplexRoPE.Config(dim={config.head_dim}, max_seq_len={config.context}, theta={config.theta!r}),
        attn_backend=attn_backend,
        tp_gemm_backend=tp_gemm_backend,
    )
    for layer in layers:
        layer.attention_norm.eps = layer.ffn_norm.eps = {config.eps!r}
    return llama3.Llama3Model.Config(
        dim={config.hidden},
        vocab_size={config.vocabulary},
        enable_weight_tying={config.tied},
        tok_embeddings=Embedding.Config(
            num_embeddings={config.vocabulary}, embedding_dim={config.hidden}, param_init=llama3._EMBEDDING_INIT
        ),
        norm=RMSNorm.Config(normalized_shape={config.hidden}, eps={config.eps!r}, param_init=llama3._NORM_INIT),
        lm_head=Linear.Config(
            in_features={config.hidden},
            out_features={config.vocabulary},
            param_init=llama3._output_linear_init({config.hidden}),
        ),
        layers=layers,
    )


llama3.llama3_configs["codemill"] = model


def codemill() -> Trainer.Config:
    spec = llama3.model_registry("codemill")
    return Trainer.Config(
        loss=ChunkedLossWrapper.Config(loss_fn=CrossEntropyLoss.Config(global_vocab_size={config.vocabulary})),
        hf_assets_path={model!r},
        model_spec=spec,
        optimizer=default_adamw(
            lr={schedule["peak"]!r}, betas={tuple(optimizer["betas"])!r}, weight_decay={optimizer["decay"]!r}
        ),
        lr_scheduler=LRSchedulersContainer.Config(
            warmup_steps={schedule["warmup"]},
            decay_ratio={decay / training["steps"]!r},
            decay_type={kind!r},
            min_lr_factor={schedule["final"] / schedule["peak"]!r},
        ),
        training=TrainingConfig(
            local_batch_size=1,
            global_batch_size={training["batch"]},
            seq_len={training["length"]},
            max_norm={optimizer["clip"]!r},
            steps={training["steps"]},
        ),
        dataloader=HuggingFaceTextDataLoader.Config(dataset="codemill"),
        checkpoint=CheckpointManager.Config(enable=True, interval=1000),
        debug=DebugConfig(seed={training["seed"]}),
    )
'''
