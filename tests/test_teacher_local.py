"""A Hugging Face folder as a teacher: a tiny model with random weights, held against transformers' own generation.

Llama-shaped ones are asked by our generation, others by transformers; each test asks in both ways.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from codemill.errors import InputError, RecipeError
from codemill.teacher import local
from codemill.teacher.conversation import Request, TooLong
from codemill.teacher.hub import reply_of
from codemill.teacher.local import digest
from codemill.teacher.teachers import Local, opened

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("model")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bytelevel = Tokenizer(models.BPE({c: i for i, c in enumerate([*letters, "<end>"])}, []))
    bytelevel.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytelevel.decoder = decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=bytelevel, eos_token="<end>", pad_token="<end>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=257, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=200, eos_token_id=256, pad_token_id=256,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config)
    for weight in model.parameters():
        weight.data.mul_(5)  # so that it says something
    model.save_pretrained(folder)
    return folder


chosen = local.opened


@pytest.fixture(autouse=True, params=[local.Ours, local.Theirs])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "opened", request.param)


def answers(folder: Path, requests: list[Request], **settings: Any) -> list[dict[str, Any]]:
    teacher = Local(str(folder), device="cpu", **settings).resolved()

    async def ask() -> list[Any]:
        model = opened(teacher)
        work = (model.ask(r, r.body(teacher.name, teacher.sampling, structured=teacher.structured)) for r in requests)
        got = await asyncio.gather(*work)
        await model.close()
        return [answer for answer, _, _ in got]

    return asyncio.run(ask())


def test_greedy_answers_are_those_of_transformers(folder: Path) -> None:
    prompts = ["def f(x):", "a", "print('hello, world')"]
    got = answers(folder, [Request(p, max_tokens=12, cut_short=True, logprobs=2) for p in prompts])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.LlamaForCausalLM.from_pretrained(folder)
    for prompt, answer in zip(prompts, got, strict=True):
        ids = tokenizer(f"<user>{prompt}", return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            made = model.generate(ids, max_new_tokens=12, do_sample=False, attention_mask=torch.ones_like(ids))
            first = torch.log_softmax(model(ids).logits[0, -1], -1)
        reply = reply_of(answer, Request(prompt, cut_short=True))
        assert reply.text == tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)
        assert reply.logprobs is not None
        assert reply.logprobs[0].logprob == pytest.approx(float(first.max()), abs=1e-4)
        assert len(reply.logprobs[0].top) == 2
        assert reply.usage.prompt == ids.shape[1]


def test_an_answer_does_not_depend_on_what_is_answered_with_it(folder: Path) -> None:
    requests = [Request(f"x = {i}", sample=s, max_tokens=8, cut_short=True) for i in range(4) for s in range(2)]
    sampling = {"temperature": 1.0, "top_p": 0.9}
    together = answers(folder, requests, sampling=sampling)
    alone = answers(folder, requests, sampling=sampling, batch=1)
    assert together == alone
    texts = [answer["choices"][0]["message"]["content"] for answer in together]
    assert len(set(texts)) > 6  # samples differ


def test_a_llama_is_asked_by_us_and_others_by_transformers(folder: Path, tmp_path: Path) -> None:
    how = {"name": "x", "batch": 2, "device": "cpu", "dtype": "float32"}

    async def kind(of: Path) -> type[Any]:
        model = chosen(str(of), **how)
        await model.close()
        return type(model)

    assert asyncio.run(kind(folder)) is local.Ours
    config = transformers.GPT2Config(vocab_size=257, n_embd=32, n_layer=1, n_head=2, n_positions=64)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert asyncio.run(kind(tmp_path)) is local.Theirs


def test_stops_and_base_models(folder: Path) -> None:
    (whole,) = answers(folder, [Request("def", complete=True, max_tokens=12, logprobs=1)])
    text = whole["choices"][0]["text"]
    (cut,) = answers(folder, [Request("def", complete=True, max_tokens=12, stop=(text[3:5],))])
    assert cut["choices"][0] == {"index": 0, "finish_reason": "stop", "text": text[: text.index(text[3:5])]}
    assert len(whole["choices"][0]["logprobs"]["tokens"]) == whole["usage"]["completion_tokens"]


def test_what_it_cannot_do_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TooLong):
        answers(folder, [Request("x" * 300, max_tokens=5)])
    with pytest.raises(RecipeError, match="min_p"):
        answers(folder, [Request("x", extra={"min_p": 0.1})])
    with pytest.raises(InputError, match=r"no config\.json"):
        Local(str(tmp_path)).resolved()


def test_weights_that_identity_leaves_out_are_not_loaded(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = tmp_path / "model.safetensors"
    model = transformers.LlamaForCausalLM.from_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(InputError, match=r"not in safetensors.*safe_serialization"):
        Local(str(tmp_path)).resolved()
    (tmp_path / "other.safetensors").write_bytes(b"")  # there, and not the model's
    with pytest.raises(InputError, match="the model cannot be loaded"):
        answers(tmp_path, [Request("x", max_tokens=1)])


def test_it_is_known_by_its_weights(folder: Path, tmp_path: Path) -> None:
    teacher = Local(str(folder)).resolved()
    assert teacher.name == f"local:{digest(folder)}:float32"
    assert dataclasses.replace(teacher, batch=1).name == teacher.name
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert digest(tmp_path) == digest(folder)
    with open(tmp_path / "model.safetensors", "r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    assert digest(tmp_path) != digest(folder)


def test_an_answer_has_the_sections_of_its_schema_whatever_the_model_says(folder: Path, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    # All tokens but those of the tags are ends, so the model ends each section as soon as it may.
    config = json.loads((folder / "generation_config.json").read_text())
    ends = tmp_path / "ends"
    shutil.copytree(folder, ends)
    tags = set(transformers.AutoTokenizer.from_pretrained(folder)("</ab>`python\n")["input_ids"])
    (ends / "generation_config.json").write_text(json.dumps({**config, "eos_token_id": sorted({*range(257)} - tags)}))
    (answer,) = answers(ends, [Request("Add.", schema=schema, code={"b": "python"}, max_tokens=80)])
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["choices"][0]["message"]["content"].startswith("<a>\n")
    assert answer["choices"][0]["message"]["content"].endswith("\n</a>\n<b>\n```python\n\n```\n</b>\n")


def test_what_a_request_does_not_say_the_model_s_own_configuration_does(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / "generation_config.json").read_text())
    warm = tmp_path / "warm"
    shutil.copytree(folder, warm)
    (warm / "generation_config.json").write_text(json.dumps({**config, "do_sample": True, "temperature": 5.0}))

    def said(folder: Path, **asked: Any) -> str:
        (answer,) = answers(folder, [Request("def f(x):", max_tokens=12, cut_short=True, **asked)])
        return str(answer["choices"][0]["message"]["content"])

    assert said(warm) != said(folder) == said(warm, temperature=0.0)
