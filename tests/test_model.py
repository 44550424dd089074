"""The transformer: the same numbers as Hugging Face's, and no look from one document into another."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import codemill as cm
from codemill.model import Config, attention, folder, isolation, llama, of_size
from codemill.model.config import OPENCODER_1_5B, OPENCODER_8B

torch.set_num_threads(1)

SMALL = {"vocabulary": 512, "layers": 3, "context": 256, "bos": 2, "eos": (1,), "pad": 0}
SHAPES = {
    # OpenCoder's two, scaled down: as many key-value heads as heads, of an odd size; and four heads to one.
    "1.5B": dataclasses.replace(OPENCODER_1_5B, **SMALL, hidden=140, heads=2, kv_heads=2, head_dim=160, ffn=384),
    "8B": dataclasses.replace(OPENCODER_8B, **SMALL, hidden=128, heads=8, kv_heads=2, head_dim=16, ffn=448),
    "biases": dataclasses.replace(
        OPENCODER_8B, **SMALL, hidden=64, heads=4, kv_heads=2, head_dim=16, ffn=96, attention_bias=True, ffn_bias=True
    ),
}
SCALINGS = {
    "linear": {"rope_type": "linear", "factor": 4.0},
    "llama3": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
}  # fmt: skip


def made(config: Config, out: Path, seed: int = 0) -> Path:
    """A model with weights large enough that their differences would show."""
    out.mkdir(parents=True, exist_ok=True)
    weights = (
        (name, w * 4 if w.ndim == 2 else w + 0.1 * torch.randn(w.shape)) for name, w in llama.drawn(config, seed)
    )
    folder.write(out, config, weights)
    return out


def theirs(path: Path) -> Any:
    from transformers import LlamaForCausalLM

    return LlamaForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="sdpa").eval()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_logits_are_those_of_transformers(shape: str, tied: bool, tmp_path: Path) -> None:
    config = dataclasses.replace(SHAPES[shape], tied=tied)
    made(config, tmp_path)
    ours, other = folder.load(tmp_path), theirs(tmp_path)
    tokens = torch.randint(512, (2, 100))
    with torch.no_grad():
        a, b = ours(tokens), other(tokens).logits
    assert b.std() > 0.1
    assert float((a - b).abs().max()) <= 1e-5


@pytest.mark.parametrize("scaling", SCALINGS)
def test_stretched_positions_are_those_of_transformers(scaling: str, tmp_path: Path) -> None:
    config = dataclasses.replace(SHAPES["8B"], scaling=SCALINGS[scaling])
    made(config, tmp_path)
    ours, other = folder.load(tmp_path), theirs(tmp_path)
    assert torch.allclose(ours.model.frequencies, other.model.rotary_emb.inv_freq, rtol=1e-6, atol=0)
    plain = llama.rotary(SHAPES["8B"])[0]
    assert not torch.allclose(ours.model.frequencies, plain)
    tokens = torch.randint(512, (1, 200))
    with torch.no_grad():
        assert float((ours(tokens) - other(tokens).logits).abs().max()) <= 1e-5


def test_a_folder_of_transformers_loads_and_comes_back(tmp_path: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=300, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=96, rope_parameters={"rope_type": "default", "rope_theta": 5e5}, eos_token_id=[1, 2],
    )  # fmt: skip
    other = LlamaForCausalLM(config).eval()
    other.save_pretrained(tmp_path / "a", max_shard_size="100KB")
    ours = folder.load(tmp_path / "a")
    assert (ours.config.theta, ours.config.eos) == (5e5, (1, 2))
    (tmp_path / "b").mkdir()
    folder.write(tmp_path / "b", ours.config, ours.named_parameters(), file_bytes=60_000)
    assert len(list((tmp_path / "b").glob("model-*.safetensors"))) > 2
    again = theirs(tmp_path / "b")
    tokens = torch.randint(300, (1, 50))
    with torch.no_grad():
        assert torch.equal(other(tokens).logits, again(tokens).logits)
        assert float((other(tokens).logits - ours(tokens)).abs().max()) <= 1e-5


def test_packed_documents_are_as_separate_ones(tmp_path: Path) -> None:
    model = folder.load(made(SHAPES["8B"], tmp_path))
    documents = [torch.randint(512, (1, n)) for n in (7, 60, 1, 32)]
    packed = torch.cat(documents, dim=1)
    numbers = torch.cat([torch.full_like(d, i) for i, d in enumerate(documents)], dim=1)
    with torch.no_grad():
        apart = torch.cat([model(d) for d in documents], dim=1)
        mask = attention.mask_of(numbers, "sdpa")
        together = model(packed, positions_BT=attention.positions_of(numbers), mask=mask)
        naive = model(packed)
    assert float((together - apart).abs().max()) <= 1e-5
    assert float((naive - apart).abs().max()) > 0.1


def test_attention_that_leaks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = folder.load(made(SHAPES["8B"], tmp_path))
    isolation.check(model, "sdpa", torch.device("cpu"))
    numbers = torch.tensor([[0, 0, 1, 1]])
    with pytest.raises(cm.RecipeError, match="one document into another"):
        attention.mask_of(numbers, "causal")
    assert attention.mask_of(numbers * 0, "causal") is None
    with pytest.raises(cm.RecipeError, match="flush"):
        attention.mask_of(numbers, "flush")
    monkeypatch.setattr(isolation, "mask_of", lambda documents, backend: None)
    with pytest.raises(cm.EnvironmentProblem, match="a logit moved"):
        isolation.check(model, "sdpa", torch.device("cpu"))


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_the_mask_of_flex_attention_is_that_of_sdpa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch runs it without a compiler, over more than one block of 128 by 128."""
    from torch.nn.attention.flex_attention import flex_attention

    monkeypatch.setattr(attention, "_flex", lambda: flex_attention)
    model = folder.load(made(SHAPES["8B"], tmp_path))
    tokens = torch.randint(512, (2, 250))
    numbers = torch.stack([torch.arange(250) // 70, torch.tensor([0] * 129 + [1] * 121)])
    positions = attention.positions_of(numbers)
    with torch.no_grad():
        sdpa, flex = (
            model(tokens, positions_BT=positions, mask=attention.mask_of(numbers, backend))
            for backend in ("sdpa", "flex")
        )
    assert not isinstance(attention.mask_of(numbers, "flex"), torch.Tensor)
    assert float((sdpa - flex).abs().max()) <= 1e-5
    isolation.check(model, "flex", torch.device("cpu"))


def test_bfloat16_changes_a_loss_and_its_gradient_by_a_little(tmp_path: Path) -> None:
    """Autocast, which a GPU trains under, on the CPU: weights, gradients and the loss stay float32."""
    model = folder.load(made(SHAPES["8B"], tmp_path)).train()
    tokens, numbers = torch.randint(512, (2, 60)), (torch.arange(60) // 25).expand(2, -1)
    more = {"positions_BT": attention.positions_of(numbers), "mask": attention.mask_of(numbers, "sdpa")}

    def gradient(bf16: bool) -> tuple[torch.Tensor, torch.Tensor]:
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = model(tokens, targets_BT=tokens.roll(-1, 1), **more)
        loss.backward()
        return loss.detach(), torch.cat([p.grad.flatten() for p in model.parameters()])

    (loss, slope), (rough, rough_slope) = gradient(False), gradient(True)
    assert rough.dtype == rough_slope.dtype == torch.float32
    assert 0 < float((rough / loss - 1).abs()) < 0.01
    assert float(torch.nn.functional.cosine_similarity(slope, rough_slope, 0)) > 0.99


def test_loss_is_the_sum_of_cross_entropies_also_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = folder.load(made(SHAPES["1.5B"], tmp_path)).train()
    tokens, targets = torch.randint(512, (2, 40)), torch.randint(512, (2, 40))
    targets[0, 10:20] = llama.IGNORE
    expected = torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1), targets.flatten(), reduction="sum")
    whole = model(tokens, targets_BT=targets)
    whole.backward()
    gradient = model.lm_head.weight.grad.clone()
    model.zero_grad()
    monkeypatch.setattr(llama, "LOSS_TOKENS", 16)
    model.recompute = True
    pieces = model(tokens, targets_BT=targets)
    pieces.backward()
    assert torch.allclose(whole, expected, rtol=1e-6)
    assert torch.allclose(pieces, expected, rtol=1e-6)
    assert torch.allclose(model.lm_head.weight.grad, gradient, rtol=1e-4, atol=1e-6)


def test_the_dial() -> None:
    sizes = {s: of_size(s, vocabulary=96_640, context=4096) for s in ("tiny", "1M", "25M", "85M", "300M", "1.5B", "8B")}
    counts = [config.matrices for config in sizes.values()]
    assert counts == sorted(counts)
    for name in ("25M", "85M", "300M"):
        assert abs(sizes[name].matrices / (float(name[:-1]) * 1e6) - 1) < 0.1
    assert round(sizes["1.5B"].parameters / 1e9, 2) == 1.91  # the paper's facts
    assert round(sizes["8B"].parameters / 1e9, 2) == 7.77
    for config in (sizes["25M"], SHAPES["biases"]):
        assert config.parameters == sum(p.numel() for p in llama.Llama(config).parameters())
    for wrong in ("2B", "x", "0M", "301M", ""):
        with pytest.raises(cm.RecipeError, match="no size"):
            of_size(wrong, vocabulary=10, context=10)


def test_what_is_no_model_of_this_kind_is_refused_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(cm.InputError, match="there is no model"):
        folder.load(tmp_path)
    made(SHAPES["8B"], tmp_path)
    good = (tmp_path / "config.json").read_text()
    for wrong, words in (
        (good.replace('"llama"', '"gpt2"'), "gpt2"),
        (good.replace('"silu"', '"gelu"'), "gelu"),
        (good.replace("448", "449"), "the model has one of shape"),
        (good.replace('"num_hidden_layers": 3', '"num_hidden_layers": 2'), "no such matrix"),
        (good.replace('"num_hidden_layers": 3', '"num_hidden_layers": 4'), "lack"),
        (good.replace('"head_dim": 16', '"head_dim": 15'), "even"),
        ("{", "cannot be used"),
        ("[]", "cannot be used"),
    ):
        (tmp_path / "config.json").write_text(wrong)
        with pytest.raises(cm.CodemillError, match=words):
            folder.load(tmp_path)
    (tmp_path / "config.json").write_text(good)
    weights = tmp_path / folder.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(cm.InputError, match="damaged"):
        folder.load(tmp_path)
    weights.unlink()
    with pytest.raises(cm.InputError, match="no weights"):
        folder.load(tmp_path)
    (tmp_path / folder.INDEX).write_text('{"weight_map": {"model.norm.weight": "../elsewhere.safetensors"}}')
    with pytest.raises(cm.InputError, match="no files of its folder"):
        folder.load(tmp_path)


def test_an_average_of_checkpoints(tmp_path: Path) -> None:
    a, b = (made(SHAPES["8B"], tmp_path / name, seed) for name, seed in (("a", 1), ("b", 2)))
    means = dict(folder.average([a, b]))
    one, two = (dict(folder.tensors(f)) for f in (a, b))
    for name, mean in means.items():
        assert torch.allclose(mean, (one[name] + two[name]) / 2)
    with pytest.raises(cm.InputError, match="other matrices"):
        list(folder.average([a, made(SHAPES["1.5B"], tmp_path / "c")]))


def test_importing_codemill_loads_no_torch() -> None:
    code = "import sys, codemill.cli, codemill.catalog as c; c.steps(); c.recipes(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
