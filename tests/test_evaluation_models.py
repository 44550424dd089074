"""Models that are evaluated: a folder, an endpoint; bits per byte; several side by side."""

from __future__ import annotations

import dataclasses
import json
import math
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from click.testing import CliRunner

from codemill import evaluation
from codemill.cli import cli
from codemill.errors import InputError, RecipeError
from codemill.evaluation import Function, HeldOut, Sampling, Settings, surprise
from codemill.evaluation.comparing import compare
from codemill.evaluation.models import Endpoint, Folder, named
from codemill.evaluation.surprise import Text
from tests.test_evaluation import BODY, data, right, scores, wrong
from tests.test_model import SHAPES, made

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights and a real tokenizer."""
    out = tmp_path_factory.mktemp("evaluated") / "random"
    out.mkdir()
    made(dataclasses.replace(SHAPES["8B"], vocabulary=1024, context=512, eos=(), bos=None, pad=None), out)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (out / name).write_bytes((runs / "plain" / "tokenizer" / name).read_bytes())
    return out


@pytest.fixture(scope="module")
def address(model: Path) -> Iterator[str]:
    """The same model behind an endpoint on loopback."""
    uvicorn = pytest.importorskip("uvicorn")
    from codemill.model.generate import Generator
    from codemill.model.serve import app

    server = uvicorn.Server(uvicorn.Config(app(Generator(model, device="cpu")), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    server.should_exit = True
    thread.join()


def test_a_folder_and_its_endpoint_answer_alike(model: Path, address: str, tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval", count=2)
    runner = CliRunner()
    answers = []
    for words in ((str(model),), (address, "--name", "random")):
        for chat in ((), ("--chat",)):
            out = tmp_path / "out"
            command = [
                "evaluate",
                *words,
                "--data",
                str(file),
                "--out",
                str(out),
                "--max-tokens",
                "8",
                "-w",
                "1",
                *chat,
            ]
            done = runner.invoke(cli, command, catch_exceptions=False)
            assert done.exit_code == 0
            assert "HumanEval pass@1" in done.stdout
            answers.append(pq.read_table(out / "outcomes")["reply"].to_pylist())
            assert not any(pq.read_table(out / "outcomes")["passed"].to_pylist())
    assert answers[0] == answers[2]
    assert answers[1] == answers[3]
    assert answers[0] != answers[1]


def test_a_prompt_that_does_not_fit_gets_an_empty_answer(model: Path, tmp_path: Path) -> None:
    long = data(tmp_path, "humaneval", prompt='"""' + "deep water " * 600 + '"""\ndef widest_gap(depths, floor):\n')
    settings = Settings(workers=1, sampling=Sampling(max_tokens=4))
    results = evaluation.evaluate([long], tmp_path / "out", model=Folder(str(model), "cpu"), settings=settings)
    assert scores(results) == {"HumanEval": 0.0}
    assert pq.read_table(tmp_path / "out" / "outcomes")["reply"].to_pylist() == [""]


def test_samples_of_a_folder_differ_by_their_seeds(model: Path) -> None:
    from codemill.benchmarks.protocol import Question

    folder, drawn = Folder(str(model), "cpu", batch=3), Sampling(samples=4, temperature=1.0, max_tokens=6, seed=1)
    first = dict(folder.replies([Question("def a("), Question("def b(")], drawn))
    again = dict(folder.replies([Question("def a("), Question("def b(")], drawn))
    assert first == again
    assert len(set(first[0])) > 1
    other = dict(folder.replies([Question("def c("), Question("def b("), Question("def a(")], drawn))
    assert (other[2], other[1]) == (first[0], first[1])  # wherever a question stands


def test_what_is_no_model() -> None:
    with pytest.raises(RecipeError, match="--name"):
        named("http://127.0.0.1:1/v1")
    with pytest.raises(InputError, match="there is no such model"):
        named("no/such/folder")
    assert "secret" not in json.dumps(Endpoint("http://u:secret@host/v1", "m").about)


def test_bits_per_byte_are_what_probabilities_say() -> None:
    """A model that finds each of 256 bytes equally likely needs eight bits for a byte, however long the text."""

    def even(tokens: Sequence[int], given: int) -> Sequence[float]:
        assert len(tokens) <= 16
        return [-math.log(256)] * (len(tokens) - given)

    def encode(text: str) -> Sequence[int]:
        return list(text.encode())

    texts = [Text("x" * 100, "before", "c"), Text("wörter", "", "c"), Text("", "p"), Text("y", "", "lua")]
    found = list(surprise.measure(texts, encode, even, context=16, begin=0))
    assert [one.bytes for one in found] == [100, 7, 1]
    assert all(one.bits / one.bytes == pytest.approx(8) for one in found)
    summary = surprise.summary(found)
    assert summary["all"]["bits_per_byte"] == pytest.approx(8)
    assert list(summary["groups"]) == ["c", "lua"]
    pair = list(surprise.measure([Text("abc")], lambda text: [1, 2], even, context=16, begin=0))
    assert pair[0].bits == pytest.approx(16)  # the first token is predicted as well


def test_windows_see_every_token_once(model: Path) -> None:
    seen = []

    def logprobs(tokens: Sequence[int], given: int) -> Sequence[float]:
        seen.extend(tokens[given:])
        assert given >= 1
        return [0.0] * (len(tokens) - given)

    texts = [Text("abcdefghijklmnopqrstuvwxyz")]
    list(surprise.measure(texts, lambda t: list(t.encode()), logprobs, context=8, begin=0))
    assert bytes(seen) == b"abcdefghijklmnopqrstuvwxyz"
    generator = Folder(str(model), "cpu").generator
    (one,) = surprise.of_model(generator, [Text("def add(a, b):\n    return a + b\n")])
    assert 0.5 < one.bits / one.bytes < 20  # random weights: about log2(1024) bits for a token


def test_held_out_files_are_those_that_are_newer(model: Path, tmp_path: Path) -> None:
    times = [datetime(2024, month, 1, tzinfo=UTC) for month in (1, 7)]
    rows = [
        {"path": f"{i}.py", "language": "python", "content": "x = 1\n" * 40, "commit_time": times[i]} for i in (0, 1)
    ]
    (tmp_path / "corpus").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "corpus" / "part-00000.parquet")
    out = tmp_path / "out"
    command = ["evaluate", str(model), "--held-out", str(tmp_path / "corpus"), "--out", str(out), "--device", "cpu"]
    done = CliRunner().invoke(cli, [*command, "--newer-than", "2024-06-01"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "held out, python" in done.stdout
    held = evaluation.Results.read(out).held_out
    assert held is not None
    assert held["all"]["texts"] == 1
    assert held["all"]["bytes"] == 240
    with pytest.raises(InputError, match="no file is newer"):
        list(surprise.files(tmp_path / "corpus", after=datetime(2025, 1, 1, tzinfo=UTC)))
    assert CliRunner().invoke(cli, ["report", str(out)]).exit_code == 0
    assert "Bits per byte" in (out / "report.html").read_text("utf-8")


def test_held_out_files_are_drawn_by_their_content_and_named_by_their_id(tmp_path: Path) -> None:
    rows = [{"id": f"id{i}", "path": "setup.py", "language": "ab"[i % 2], "content": f"x = {i}\n"} for i in range(40)]
    drawn = []
    for number, order in enumerate((rows, rows[::-1])):
        out = tmp_path / str(number)
        out.mkdir()
        for part, some in enumerate((order[:7], order[7:])):
            pq.write_table(pa.Table.from_pylist(some), out / f"part-{part}.parquet")
        drawn.append({text.name for text in surprise.files(out, limit=5)})
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 10
    assert drawn[0] != {f"id{i}" for i in range(10)}
    bare = [{key: row[key] for key in ("path", "content")} for row in rows]
    pq.write_table(pa.Table.from_pylist(bare), tmp_path / "bare.parquet")
    assert len({text.name for text in surprise.files(tmp_path / "bare.parquet")}) == 40  # though all are setup.py
    pq.write_table(pa.table({"content": pa.array([""])}), tmp_path / "none.parquet")
    with pytest.raises(InputError, match="no file has a text"):
        list(surprise.files(tmp_path / "none.parquet"))


def test_bits_per_byte_are_one_number_wherever_they_are_given(tmp_path: Path) -> None:
    """A long text counts for more than a short one: in a result and side by side."""
    from codemill.evaluation.results import Results, publish

    amounts = {"a": [(10.0, 10), (900.0, 300)], "b": [(30.0, 10), (600.0, 300)]}
    for name, some in amounts.items():
        found = [surprise.Surprise(f"{i}.py", "python", bits, size) for i, (bits, size) in enumerate(some)]
        held = surprise.summary(found)
        results = Results({"name": name}, {}, {"codemill": "0", "languages": {}}, (), held)
        publish(results, [], {}, [("held out", one) for one in found], tmp_path / name, seconds=0.0)
    (beside,) = compare([tmp_path / "a", tmp_path / "b"])
    assert beside.less_is_better
    assert [mean.value for mean in beside.means] == [910 / 310, 630 / 310]
    for mean, name in zip(beside.means, amounts, strict=True):
        told = Results.read(tmp_path / name).held_out
        assert told is not None
        assert told["all"]["bits_per_byte"] == mean.value
    (difference,) = beside.differences
    assert difference.value == pytest.approx(630 / 310 - 910 / 310)
    assert (difference.first, difference.second, difference.tasks) == (1, 1, 2)


def test_models_are_compared_task_by_task(tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval", count=6)
    half = Function(lambda question, sample: BODY if "(depths" in question.text and len(done) % 2 else "", "half")
    done = list[int]()

    def counted(question: object, sample: int) -> str:
        done.append(1)
        return half.function(question, sample)  # type: ignore[arg-type]

    for name, model in (
        ("none", Function(wrong, "none")),
        ("half", Function(counted, "half")),
        ("all", Function(right, "all")),
    ):
        evaluation.evaluate([file], tmp_path / name, model=model, settings=Settings(workers=1))
    (beside,) = compare([tmp_path / name for name in ("none", "half", "all")])
    assert beside.models == ("none", "half", "all")
    assert [mean.value for mean in beside.means] == [0.0, 0.5, 1.0]
    assert [(d.value, d.first, d.second) for d in beside.differences] == [(0.5, 0, 3), (1.0, 0, 6)]
    shown = CliRunner().invoke(cli, ["compare", *(str(tmp_path / name) for name in ("none", "half", "all"))])
    assert shown.exit_code == 0
    assert "+50.0" in shown.stdout
    other = data(tmp_path, "humaneval", count=5)
    evaluation.evaluate([other], tmp_path / "other", model=Function(right), settings=Settings(workers=1))
    with pytest.raises(InputError, match="other files"):
        compare([tmp_path / "all", tmp_path / "other"])


def test_bits_are_compared_too(model: Path, tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval", count=2)
    for name in "ab":
        settings = Settings(bits_only=True)
        evaluation.evaluate([file], tmp_path / name, model=Folder(str(model), "cpu"), settings=settings)
    (beside,) = compare([tmp_path / "a", tmp_path / "b"])
    assert beside.score == "humaneval bits per byte"
    assert beside.less_is_better
    assert beside.differences[0].value == 0
    assert beside.differences[0].p == 1
    with pytest.raises(RecipeError, match="of models in a folder"):
        evaluation.evaluate([file], tmp_path / "c", held_out=HeldOut(tmp_path))


def test_a_model_with_a_chat_template_is_told_of_chat(model: Path, tmp_path: Path) -> None:
    file = data(tmp_path, "humaneval")
    said = {}
    for name, more in (("plain", []), ("chat", ["--chat"])):
        options = ["--data", str(file), "--out", str(tmp_path / name), "--max-tokens", "4", *more]
        said[name] = CliRunner().invoke(cli, ["evaluate", str(model), *options]).stderr
    assert "with --chat it is asked as it was tuned" in said["plain"]
    assert "--chat" not in said["chat"]
