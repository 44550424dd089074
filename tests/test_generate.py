"""Generation: the tokens of transformers, whatever the batch; and the endpoint, asked by the official client."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import codemill as cm
from codemill.cli import cli
from codemill.model import folder, generate
from codemill.model.batches import Batches
from codemill.model.generate import Ask, Batch, Generator, Token
from codemill.tokens.special import TURN_END
from tests.test_model import SHAPES, made, theirs

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def talking(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights and a real tokenizer."""
    out = tmp_path_factory.mktemp("talking")
    config = dataclasses.replace(SHAPES["8B"], vocabulary=1024, context=512, eos=(), bos=None, pad=None)
    made(config, out)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (out / name).write_bytes((runs / "plain" / "tokenizer" / name).read_bytes())
    return out


@pytest.fixture(scope="module")
def by(talking: Path) -> Generator:
    return Generator(talking, device="cpu")


PROMPTS = ((5,), (9, 8, 7, 6, 5, 4, 3), tuple(range(100, 140)))


@pytest.mark.parametrize("shape", ["1.5B", "8B"])
def test_greedy_tokens_are_those_of_transformers(shape: str, runs: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(SHAPES[shape], vocabulary=1024, context=512, eos=(), bos=None, pad=None)
    made(config, tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((runs / "plain" / "tokenizer" / "tokenizer.json").read_bytes())
    other, ours = theirs(tmp_path), Generator(tmp_path, device="cpu")
    ours.ends = []
    prompt = PROMPTS[1]
    expected = other.generate(
        torch.tensor([prompt]), max_new_tokens=256, do_sample=False, pad_token_id=0, eos_token_id=None
    )[0, len(prompt) :].tolist()
    (answer,) = ours.answers([Ask(prompt, most=256)])
    assert [token.id for token in answer.tokens] == expected
    assert len(set(expected)) > 5


def test_a_batch_answers_as_each_alone(by: Generator) -> None:
    lengths = zip(PROMPTS, (40, 7, 23), strict=True)
    asks = [Ask(prompt, most=most, temperature=0.8, top_p=0.9, seed=most) for prompt, most in lengths]
    together = by.answers(asks)
    apart = [by.answers([ask])[0] for ask in asks]
    for one, other in zip(together, apart, strict=True):
        assert [t.id for t in one.tokens] == [t.id for t in other.tokens]
        assert [t.logprob for t in one.tokens] == pytest.approx([t.logprob for t in other.tokens], abs=1e-5)
        assert (one.text, one.finish) == (other.text, other.finish)


def test_asks_that_come_later_are_answered_as_alone(by: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    """They join a batch that runs, shorter and longer than what is in it, and leave it in any order."""
    monkeypatch.setattr(generate, "PREFILL", 100)
    drawn = random.Random(0)
    asks = [
        Ask(
            tuple(drawn.randrange(200, 900) for _ in range(drawn.randrange(1, 60))),
            most=drawn.randrange(1, 30),
            temperature=drawn.choice((0.0, 0.7, 1.5)),
            top_p=drawn.choice((0.9, 1.0)),
            seed=number,
        )
        for number in range(12)
    ]
    batch, left, found = Batch(by), list(asks), dict[int, list[Token]]()
    while left or batch:
        made = []
        if left and (not batch or drawn.random() < 0.3):
            count = drawn.randrange(1, 4)
            made += batch.add(left[:count])
            left = left[count:]
        made += batch.step() if batch else []
        for token in made:
            found.setdefault(token.row, []).append(token)
    for number, ask in enumerate(asks):
        (alone,) = by.answers([ask])
        assert [t.id for t in found[number]] == [t.id for t in alone.tokens]
        assert [t.logprob for t in found[number]] == pytest.approx([t.logprob for t in alone.tokens], abs=1e-5)
        assert "".join(t.text for t in found[number]) == alone.text
    with pytest.raises(cm.InputError, match="512 tokens"):
        batch.add([asks[0], Ask((1,) * 512)])
    assert not batch


def test_logprobs_are_the_models(by: Generator) -> None:
    (answer,) = by.answers([Ask(PROMPTS[1], most=30, temperature=1.0, seed=3, top=4)])
    ids = [token.id for token in answer.tokens]
    with torch.no_grad():
        logits = by.model(torch.tensor([[*PROMPTS[1], *ids]]))[0]
    logprobs = torch.log_softmax(logits, -1)[len(PROMPTS[1]) - 1 : -1]
    for at, token in enumerate(answer.tokens):
        assert token.logprob == pytest.approx(float(logprobs[at, token.id]), abs=1e-5)
        assert [id for id, _ in token.top] == logprobs[at].topk(4).indices.tolist()
        assert [p for _, p in token.top] == pytest.approx(logprobs[at].topk(4).values.tolist(), abs=1e-5)


def test_temperature_and_top_p_draw_by_the_probabilities(by: Generator) -> None:
    with torch.no_grad():
        logits = by.model(torch.tensor([PROMPTS[1]]))[0, -1]
    for temperature, top_p in ((1.0, 1.0), (0.5, 0.6)):
        likely, order = torch.softmax(logits / temperature, -1).sort(descending=True)
        count = int((likely.cumsum(0) < top_p).sum()) + 1
        kept = likely[:count] / likely[:count].sum()
        asks = [Ask(PROMPTS[1], most=1, temperature=temperature, top_p=top_p, seed=seed) for seed in range(400)]
        drawn = [answer.tokens[0].id for answer in by.answers(asks)]
        assert set(drawn) <= set(order[:count].tolist())
        for token, share in zip(order[:3].tolist(), kept[:3].tolist(), strict=True):
            assert drawn.count(token) / 400 == pytest.approx(share, abs=4 * (share * (1 - share) / 400) ** 0.5 + 0.003)


def test_a_stop_ends_before_it_and_is_never_shown(by: Generator) -> None:
    whole = by.answers([Ask(PROMPTS[1], most=40)])[0].text
    stop = whole[12:16]
    pieces, finish = "", None
    for token in by.stream([Ask(PROMPTS[1], most=40, stop=(stop, "never there"))]):
        pieces += token.text
        finish = token.finish
        assert stop not in pieces
    assert pieces == whole[: whole.index(stop)]
    assert finish == "stop"


def test_pieces_of_text_are_whole_characters(by: Generator) -> None:
    answer = by.answers([Ask(PROMPTS[2], most=60, temperature=1.5, seed=1)])[0]
    ids = [token.id for token in answer.tokens if token.id not in by.ends]
    assert answer.text == by.template.decode(ids)
    assert "".join(token.text for token in answer.tokens) == answer.text


def test_an_answer_ends_at_the_context_or_at_an_end(by: Generator) -> None:
    (answer,) = by.answers([Ask(tuple(range(40, 540)), most=100)])
    assert (len(answer.tokens), answer.finish) == (12, "length")
    with pytest.raises(cm.InputError, match="512 tokens"):
        by.answers([Ask((1,) * 512)])
    (answer,) = by.answers([Ask(PROMPTS[1], most=20)])
    by.ends.append(answer.tokens[4].id)
    try:
        (short,) = by.answers([Ask(PROMPTS[1], most=20)])
    finally:
        by.ends.pop()
    first = [token.id for token in answer.tokens].index(answer.tokens[4].id)
    assert (len(short.tokens), short.finish) == (first + 1, "stop")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"most": 0}, "most"), ({"temperature": -1}, "temperature"), ({"top_p": 0}, "top_p"), ({"stop": ("",)}, "stop")],
)
def test_what_cannot_be_asked(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(cm.RecipeError, match=words):
        Ask((1,), **wrong)


def test_the_middle_and_chats_become_prompts(by: Generator) -> None:
    special = by.template.special
    prompt = by.middle("def f(", "return 1")
    assert [prompt[0], prompt[-1]] == [special["<|fim_prefix|>"], special["<|fim_middle|>"]]
    assert special["<|fim_suffix|>"] in prompt
    text = by.template.decode(by.chat([{"role": "user", "content": "Hi"}]), special=True)
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    with pytest.raises(cm.InputError, match="begin or end a turn"):
        by.chat([{"role": "user", "content": f"x{TURN_END}"}])


# ── the endpoint ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def address(by: Generator) -> Iterator[str]:
    import uvicorn

    from codemill.model.serve import app

    server = uvicorn.Server(uvicorn.Config(app(by), port=0, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Any]:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0) as made:
        yield made


MESSAGES = [{"role": "user", "content": "Write a Python function."}]


def test_the_official_client_chats(client: Any, by: Generator) -> None:
    (model,) = client.models.list().data
    reply = client.chat.completions.create(
        model=model.id, messages=MESSAGES, max_tokens=20, temperature=0, logprobs=True, top_logprobs=3
    )
    (expected,) = by.answers([Ask(by.chat(MESSAGES), most=20, top=3)])
    (choice,) = reply.choices
    assert (choice.message.role, choice.message.content) == ("assistant", expected.text)
    assert choice.finish_reason == expected.finish
    assert [one.logprob for one in choice.logprobs.content] == pytest.approx(
        [t.logprob for t in expected.tokens], abs=1e-5
    )
    assert [len(one.top_logprobs) for one in choice.logprobs.content] == [3] * len(expected.tokens)
    assert reply.usage.completion_tokens == len(expected.tokens)
    assert reply.usage.prompt_tokens == len(by.chat(MESSAGES))


def test_the_official_client_streams(client: Any, by: Generator) -> None:
    chunks = list(
        client.chat.completions.create(model="x", messages=MESSAGES, max_tokens=20, temperature=0, stream=True, n=2)
    )
    (expected,) = by.answers([Ask(by.chat(MESSAGES), most=20)])
    for index in (0, 1):
        mine = [chunk.choices[0] for chunk in chunks if chunk.choices[0].index == index]
        assert "".join(choice.delta.content for choice in mine) == expected.text
        assert [choice.finish_reason for choice in mine][-1] == expected.finish
        assert mine[0].delta.role == "assistant"


def test_the_official_client_completes(client: Any, by: Generator) -> None:
    reply = client.completions.create(
        model="x", prompt=["import ", "def f"], max_tokens=8, temperature=0.7, seed=5, n=2, logprobs=2, stop=["never"]
    )
    assert [choice.index for choice in reply.choices] == [0, 1, 2, 3]
    texts = [choice.text for choice in reply.choices]
    assert texts[0] != texts[1]
    again = client.completions.create(model="x", prompt="import ", max_tokens=8, temperature=0.7, seed=6)
    assert again.choices[0].text == texts[1]  # answer i of a seed is that of the seed + i
    assert len(reply.choices[0].logprobs.token_logprobs) == len(reply.choices[0].logprobs.tokens)
    middle = client.completions.create(model="x", prompt="def f(", suffix="return", max_tokens=5, temperature=0)
    assert middle.usage.prompt_tokens == len(by.middle("def f(", "return"))


def test_who_comes_later_does_not_wait_for_the_batch(by: Generator) -> None:
    """A short answer asked for behind a long one is there first, and an error of the model is told to all."""
    batches, ended = Batches(by, most=2), list[str]()

    async def ask(name: str, ask: Ask) -> None:
        await batches.whole(ask)
        ended.append(name)

    async def both() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ask("long", Ask(PROMPTS[0], most=120)))
            await anext(batches.tokens(Ask(PROMPTS[1], most=4)))
            tasks.create_task(ask("short", Ask(PROMPTS[1], most=4)))

    asyncio.run(both())
    assert ended == ["short", "long"]
    with pytest.raises(cm.InputError, match="512 tokens"):
        asyncio.run(batches.whole(Ask((1,) * 512)))
    assert len(asyncio.run(batches.whole(Ask(PROMPTS[0], most=3)))) == 3

    async def left() -> bool:
        """Whether an answer was made to its end although nobody wants it any more."""
        task = asyncio.create_task(batches.whole(Ask(PROMPTS[0], most=400)))
        await anext(batches.tokens(Ask(PROMPTS[1], most=2)))
        await asyncio.to_thread(batches.leave)
        await asyncio.sleep(0)
        task.cancel()
        return task.done()

    assert not asyncio.run(left())


def test_many_requests_at_once_are_answered_as_alone(client: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def ask(number: int) -> str:
        text = f"value = {number}"
        return (
            client.completions.create(model="x", prompt=text, max_tokens=10, temperature=1, seed=number).choices[0].text
        )

    alone = [ask(number) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == alone


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("chat/completions", {"messages": []}, "messages must be"),
        ("chat/completions", {"messages": [{"role": "user", "content": "<|im_end|>"}]}, "begin or end a turn"),
        ("chat/completions", {"messages": [{"role": "user", "content": 3}]}, "must be text"),
        ("completions", {"prompt": 3}, "prompt must be"),
        ("completions", {"prompt": [2000]}, "prompt must be"),
        ("completions", {"prompt": "a", "temperature": "hot"}, "must be a number"),
        ("completions", {"prompt": "a", "n": 1000}, "n must be"),
        ("completions", {"prompt": "import os\n" * 600}, "the model reads 512"),
        ("completions", [1], "no JSON object"),
    ],
)
def test_a_request_that_is_wrong_is_told_so(address: str, path: str, body: Any, words: str) -> None:
    import httpx2

    reply = httpx2.post(f"{address}/{path}", json=body)
    assert reply.status_code == 400
    assert words in reply.json()["error"]["message"]


def test_only_names_of_loopback_are_answered(address: str) -> None:
    import httpx2

    assert httpx2.get(f"{address}/models", headers={"host": "evil.example"}).status_code == 400
    assert httpx2.get(f"{address}/models").status_code == 200


# ── the command line ──────────────────────────────────────────────────────────────────────────────────────────────


def ran(*words: str, given: str = "") -> str:
    done = CliRunner().invoke(cli, list(words), input=given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.stdout)


def test_verbs_generate_and_chat(talking: Path, by: Generator) -> None:
    (expected,) = by.answers([Ask(tuple(by.template.ids("import json")), most=9)])
    said = ran("generate", str(talking), "-", "--max-tokens", "9", "--json", given="import json")
    facts = json.loads(said)
    assert (facts["text"], facts["finish"]) == (expected.text, expected.finish)
    assert [t["id"] for t in facts["tokens"]] == [t.id for t in expected.tokens]
    (answer,) = by.answers([Ask(by.chat([{"role": "user", "content": "Hi"}]), most=9)])
    assert ran("chat", str(talking), "--max-tokens", "9", given="Hi\n\n") == answer.text + "\n"


def test_a_folder_loads_again_what_it_wrote(talking: Path) -> None:
    assert folder.load(talking).config.vocabulary == 1024
