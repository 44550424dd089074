"""A run as configurations of other trainers: each is loaded, by the trainer itself where it is installed."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

import codemill as cm
from bench import handover
from codemill.model import exports
from codemill.model.config import OPENCODER_1_5B


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """What is exported of OpenCoder's annealing."""
    return handover.annealed(tmp_path)


@pytest.fixture
def out(model: Path, tmp_path: Path) -> Path:
    written = exports.write(model, "data with space", tmp_path / "exports")
    assert [path.name for path in written] == list(exports.FILES)
    return tmp_path / "exports"


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


@pytest.mark.filterwarnings("default")
def test_trl_takes_it(out: Path, model: Path, tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    facts = read(out / "trl.yaml")
    assert (facts.pop("model_name_or_path"), facts.pop("dataset_name")) == (str(model), "data with space")
    made = trl.SFTConfig(**{**facts, "output_dir": str(tmp_path), "bf16": False, "use_cpu": True, "report_to": "none"})
    assert made.assistant_only_loss
    assert (made.max_steps, made.learning_rate, made.gradient_accumulation_steps) == (23_000, 3e-4, 1024)
    import torch

    parameter = torch.nn.Parameter(torch.zeros(1))
    from transformers import get_scheduler

    scheduler = get_scheduler(
        made.lr_scheduler_type,
        torch.optim.SGD([parameter], lr=made.learning_rate),
        num_warmup_steps=made.warmup_steps,
        num_training_steps=made.max_steps,
        scheduler_specific_kwargs=dict(made.lr_scheduler_kwargs),
    )
    rate = scheduler.lr_lambdas[0]
    assert rate(0) == pytest.approx(1, abs=0.01)
    assert rate(23_000) * 3e-4 == pytest.approx(1e-5)


def test_axolotl_takes_it(out: Path, model: Path) -> None:
    facts = read(out / "axolotl.yaml")
    assert (facts["base_model"], facts["sequence_len"]) == (str(model), 4096)
    assert facts["datasets"][0]["roles_to_train"] == ["assistant"]
    assert not facts["sample_packing"]  # our batch counts chats
    pytest.importorskip("axolotl")
    found = handover.load("axolotl", sys.executable, out)
    assert not handover.strangers("axolotl", out, found["names"])
    assert found["values"]["sequence_len"] == 4096


def test_megatron_takes_it(out: Path) -> None:
    checkout = os.environ.get("MEGATRON_LM")  # its parser of arguments is in no package
    if not checkout:
        pytest.skip("MEGATRON_LM names no checkout of Megatron-LM")
    found = handover.load("megatron", f"{sys.executable}:{checkout}", out)
    assert not handover.strangers("megatron", out, found["names"])
    assert found["values"]["train_iters"] == 23_000


KNOWN = json.loads(handover.NAMES.read_text("utf-8"))


@pytest.mark.parametrize("peer", sorted(KNOWN))
def test_every_name_is_one_that_the_trainer_knows(out: Path, peer: str) -> None:
    assert not handover.strangers(peer, out, KNOWN[peer]["names"]), KNOWN[peer]["version"]


def test_megatron_s_arguments_are_a_command(out: Path) -> None:
    text = (out / "megatron.sh").read_text()
    assert subprocess.run(["sh", "-n", str(out / "megatron.sh")], check=False).returncode == 0
    said = subprocess.run(
        ["sh", "-c", "torchrun() { printf '%s\\n' \"$@\"; }; ls() { echo a-0.bin; }; " + text.replace("exec ", "")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    arguments = dict(pairwise(said))
    assert arguments["--kv-channels"] == "160"
    assert (arguments["--lr-decay-style"], arguments["--lr-wsd-decay-style"]) == ("WSD", "minus_sqrt")
    assert (arguments["--lr-wsd-decay-iters"], arguments["--global-batch-size"]) == ("23000", "1024")
    assert arguments["--data-path"] == "a-0"
    assert "--untie-embeddings-and-output-weights" in said
    assert "'data with space'" in text


def test_torchtitan_takes_it(out: Path) -> None:
    compile((out / "codemill_torchtitan.py").read_text(), "codemill_torchtitan.py", "exec")
    pytest.importorskip("torchtitan")
    found = handover.load("torchtitan", sys.executable, out)["values"]
    assert (found["layers"], found["parameters"]) == (24, OPENCODER_1_5B.parameters)
    assert (found["steps"], found["global_batch_size"], found["seed"]) == (23_000, 1024, 0)
    assert found["decay_ratio"] == 1.0
    assert found["checkpoints"]


def test_heads_that_are_not_as_wide_as_the_model_are_refused(model: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(OPENCODER_1_5B, head_dim=128)
    (model / "config.json").write_text(json.dumps(config.to_json()))
    with pytest.raises(cm.InputError, match="14 heads of 128 in a model that is 2240 wide"):
        exports.write(model, "data", tmp_path / "out")


def test_a_model_of_others_has_no_account(tmp_path: Path) -> None:
    with pytest.raises(cm.InputError, match="no account of its training"):
        exports.write(tmp_path, "data", tmp_path / "out")
