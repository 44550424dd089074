"""The training loop: the same loss however it is cut, the same bytes however often it was killed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

import codemill as cm
from codemill.machine.builder import build
from codemill.model import checkpoints, data, folder, loop
from codemill.model.job import Hardware, Job, Keep, Optimizer
from codemill.model.launch import launch
from codemill.model.schedule import DECAYS, Schedule
from codemill.steps import train
from codemill.tokens import SPAN, Encoder
from tests.token_runs import shards_of
from tests.training import job, plan

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def mix(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plan(runs, tmp_path_factory.mktemp("mix"))


def metrics(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def losses(out: Path) -> list[float]:
    return [facts["loss"] for facts in metrics(out)]


def files(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def plain(runs: Path, mix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plain")
    loop.train(job(runs, mix, out))
    return out


# ── schedule ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shape", DECAYS)
def test_the_curve_is_its_formula_at_every_step(shape: str) -> None:
    """OpenCoder's numbers: 2,000 steps of warm-up to 3e-4, a plateau, a decay to 1e-5."""
    steps, warmup, decay, peak, final = 10_000, 2000, 1500, 3e-4, 1e-5
    wsd = Schedule(peak, final, warmup=warmup, decay=decay, shape=shape)
    for step in range(steps):
        t = (step + 1 - (steps - decay)) / decay
        expected = {
            "exponential": peak * math.exp(t * math.log(final / peak)),
            "linear": peak * (1 - t) + final * t,
            "1-sqrt": final + (peak - final) * (1 - math.sqrt(max(t, 0))),
            "cosine": final + 0.5 * (peak - final) * (1 + math.cos(math.pi * t)),
        }[shape]
        expected = peak * (step + 1) / warmup if step < warmup else peak if t <= 0 else expected
        assert wsd.rate(step, steps) == pytest.approx(expected, rel=1e-12)
    assert wsd.rate(warmup - 1, steps) == peak == wsd.rate(steps - decay - 1, steps)
    assert wsd.rate(steps - 1, steps) == pytest.approx(final, rel=1e-12)
    whole = Schedule(2e-5, warmup=100, decay=None, shape="cosine")
    assert whole.rate(99, 1000) == 2e-5 > whole.rate(100, 1000)
    assert whole.rate(999, 1000) == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"shape": "step"}, "no decay 'step'"),
        ({"peak": 0}, "from above 0"),
        ({"final": 1.0}, "from above 0"),
        ({"warmup": -1}, "counted from 0"),
        ({"final": 0.0, "decay": 5}, "never reaches 0"),
    ],
)
def test_what_is_no_schedule_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(cm.RecipeError, match=words):
        Schedule(**{"peak": 1e-3, "final": 1e-4, **wrong})


def test_a_warm_up_and_a_decay_fit_into_the_steps() -> None:
    Schedule(1e-3, warmup=20).check(4)  # a later run goes on with it
    Schedule(1e-3, 1e-4, warmup=2, decay=2).check(4)
    Schedule(1e-3, 1e-4, warmup=2, decay=None).check(4)
    for schedule in (Schedule(1e-3, 1e-4, warmup=3, decay=2), Schedule(1e-3, 1e-4, warmup=4, decay=None)):
        with pytest.raises(cm.RecipeError, match="do not fit into 4 steps"):
            schedule.check(4)


# ── data ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_token_is_a_target_once_but_the_first_of_each_document(runs: Path, mix: Path) -> None:
    plans = data.Plans(mix, [runs / "plain" / "tokens"], 8)
    facts = plans.loader.plan.facts
    rows = [plans.row(step, n) for step in range(plans.steps) for n in range(plans.count(step))]
    assert len(rows) == facts["sequences"]
    targets = sum(int((row.targets != data.IGNORE).sum()) for row in rows)
    documents = sum(epoch["documents"] for one in facts["inputs"] for epoch in one["by_epoch"])
    assert targets == facts["tokens"] - documents
    end = Encoder(runs / "plain" / "tokenizer").special["<|endoftext|>"]
    for row, following in pairwise(rows):
        inside = row.targets[:-1] != data.IGNORE
        assert np.array_equal(row.targets[:-1][inside], row.tokens[1:][inside])
        assert not (inside & (row.tokens[:-1] == end)).any()  # nothing is predicted from another document
        if row.targets[-1] != data.IGNORE:
            assert row.targets[-1] == following.tokens[0]
        changes = np.flatnonzero(np.diff(row.documents))
        assert (row.tokens[changes] == end).all()
    assert rows[-1].real < 64
    assert (rows[-1].targets[rows[-1].real - 1 :] == data.IGNORE).all()
    assert ".py" in rows[0].name


# ── the loop ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_model_learns_and_its_folder_is_whole(runs: Path, plain: Path) -> None:
    found = metrics(plain)
    assert [facts["step"] for facts in found] == list(range(1, 13))
    assert found[0]["loss"] == pytest.approx(math.log(1024), abs=0.1)
    assert found[-1]["loss"] < found[0]["loss"] - 0.3
    assert found[-1]["tokens"] == 12 * 8 * 64
    assert found[3]["rate"] == 3e-3
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "training.json"} < set(
        files(plain)
    )
    assert sorted(checkpoints.complete(plain)) == [10, 12]
    from transformers import AutoModelForCausalLM, AutoTokenizer

    other, tokenizer = AutoModelForCausalLM.from_pretrained(plain), AutoTokenizer.from_pretrained(plain)
    ids = tokenizer("import json\n", return_tensors="pt").input_ids
    with torch.no_grad():
        assert float((other(ids).logits - folder.load(plain)(ids)).abs().max()) <= 1e-5


@pytest.fixture(scope="module")
def held(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few documents that the loss is measured on."""
    out = tmp_path_factory.mktemp("held")
    build(train.held_out(shards_of(runs / "plain"), length=64, tokens=1000), out=out, workers=1)
    return out / "corpus" / train.HELD


def test_a_target_after_every_step_is_the_least_that_can_be_held_out(runs: Path, tmp_path: Path) -> None:
    build(train.held_out(shards_of(runs / "plain"), length=2, tokens=2, every=1), out=tmp_path, workers=1)
    assert json.loads((tmp_path / "corpus" / train.HELD_FACTS).read_text())["targets"] == 1
    for wrong in ({"length": 1}, {"tokens": 1}, {"every": 0}):
        with pytest.raises(cm.RecipeError, match="held out must be at least"):
            train.held_out(shards_of(runs / "plain"), **{"length": 2, "tokens": 2, "every": 1} | wrong)


def mean_loss(model: Path, held: Path) -> float:
    """Over each token but the first of each document, document by document."""
    by, rows = folder.load(model), pa.ipc.open_file(pa.memory_map(str(held))).read_all()["tokens"].to_pylist()
    with torch.no_grad():
        each = [
            torch.nn.functional.cross_entropy(by(ids)[0, :-1], ids[0, 1:], reduction="sum")
            for ids in (torch.tensor([row]) for row in rows)
        ]
    return float(sum(each)) / sum(len(row) - 1 for row in rows)


def test_what_is_held_out_is_measured_and_changes_no_byte_of_the_model(
    runs: Path, mix: Path, plain: Path, held: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop.train(job(runs, mix, tmp_path, held_out=str(held), held_every=5))
    number = r"[\d.,e+-]+"
    line = rf"step (\d+)/12  loss {number}  rate {number}  norm {number}  {number} tokens/s  MFU {number}%  real 100.0%"
    said = [re.fullmatch(rf"{line}(  held-out loss {number})?", one) for one in capsys.readouterr().err.splitlines()]
    assert [(int(one[1]), one[2] is not None) for one in said if one] == [(1, True), (5, True), (10, True), (12, True)]
    mine, told = files(tmp_path), {"metrics.jsonl", "training.json"}
    assert {name: mine[name] for name in mine.keys() - told} == {
        name: bytes_ for name, bytes_ in files(plain).items() if name not in told
    }
    found = metrics(tmp_path)
    measured = {facts["step"]: facts.pop("held_out") for facts in found if "held_out" in facts}
    assert list(measured) == [1, 5, 10, 12]
    assert found == metrics(plain)
    assert json.loads(mine["training.json"])["held_out"] == {"every": 5, "targets": 999}  # of one document
    assert measured[12] == pytest.approx(mean_loss(tmp_path, held), rel=1e-5)  # that of the model that was written
    assert measured[12] < measured[1] - 0.3


@pytest.mark.parametrize(("trained", "words"), [(0, "nothing of the chats"), (1, "everything of the chats")])
def test_chats_of_which_nothing_or_everything_is_trained_on_stop_a_run(
    tmp_path: Path, trained: int, words: str
) -> None:
    def chats(marks: list[bool]) -> Any:
        row = {"id": "a", "tokens": [1, 2, 3], "trained": marks, "num_tokens": 3, "truncated": False}
        row["num_trained"] = sum(marks[1:])
        return SimpleNamespace(batches=lambda columns: [pa.RecordBatch.from_pylist([row])])

    assert train._written([chats([False, False, True])], tmp_path / "some.arrow")["trained_tokens"] == 1
    with pytest.raises(cm.InputError, match=words):
        train._written([chats([bool(trained)] * 3)], tmp_path / "all.arrow")


@pytest.mark.parametrize("micro", [1, 2, 3, 4])
def test_the_loss_does_not_depend_on_micro_batches(
    runs: Path, mix: Path, plain: Path, tmp_path: Path, micro: int
) -> None:
    loop.train(job(runs, mix, tmp_path, steps=4, hardware={"micro": micro, "recompute": micro == 2}))
    assert losses(tmp_path) == pytest.approx(losses(plain)[:4], rel=1e-6)


@pytest.mark.long
def test_the_loss_does_not_depend_on_compilation(runs: Path, mix: Path, plain: Path, tmp_path: Path) -> None:
    torch._dynamo.reset()
    loop.train(job(runs, mix, tmp_path, steps=4, hardware={"compile": True}))
    assert losses(tmp_path) == pytest.approx(losses(plain)[:4], rel=1e-6)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0  # something was compiled


@pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
def test_the_loss_does_not_depend_on_ranks(
    runs: Path, mix: Path, plain: Path, held: Path, tmp_path: Path, sharding: str
) -> None:
    two = {"ranks": 2, "micro": 2, "sharding": sharding}
    counts = launch(job(runs, mix, tmp_path, steps=4, keep=Keep(every=2), held_out=str(held), hardware=two))
    assert counts["ranks"] == 2
    assert metrics(tmp_path)[-1]["held_out"] == pytest.approx(mean_loss(tmp_path, held), rel=1e-5)
    assert losses(tmp_path) == pytest.approx(losses(plain)[:4], rel=1e-6)
    # What two ranks wrote one goes on with, and the other way round.
    (out := tmp_path / "on").mkdir()
    loop.train(job(runs, mix, out, start=str(tmp_path / "checkpoints" / "step-000004"), extends=True, steps=6))
    assert losses(out) == pytest.approx(losses(plain)[4:6], rel=1e-5)


def test_a_run_that_was_killed_ends_with_the_same_bytes(runs: Path, mix: Path, plain: Path, tmp_path: Path) -> None:
    told, out = tmp_path / "job.json", tmp_path / "out"
    told.write_text(json.dumps(job(runs, mix, out, keep=Keep(every=5)).to_json()))
    command = [sys.executable, "-m", "codemill.model.loop", str(told), str(tmp_path / "result.json")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (out / "checkpoints" / "step-000005").exists() or len(metrics_there(out)) < 7:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (out / "config.json").exists()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    assert files(out) == files(plain)


def metrics_there(out: Path) -> list[str]:
    path = out / "metrics.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def test_a_damaged_checkpoint_is_passed_over(runs: Path, mix: Path, plain: Path, tmp_path: Path) -> None:
    told = job(runs, mix, tmp_path, keep=Keep(every=5))
    loop.train(job(runs, mix, tmp_path, keep=Keep(every=5), steps=10))
    last = tmp_path / "checkpoints" / "step-000010" / folder.OPTIMIZER
    data_ = bytearray(last.read_bytes())
    data_[-3] ^= 1
    last.write_bytes(data_)
    loop.train(told)
    assert files(tmp_path) == files(plain)


def test_a_longer_run_from_a_checkpoint_is_the_run_that_was_long_from_the_start(
    runs: Path, mix: Path, plain: Path, tmp_path: Path
) -> None:
    loop.train(job(runs, mix, tmp_path / "short", steps=7))
    start = checkpoints.complete(tmp_path / "short")[7]
    loop.train(job(runs, mix, tmp_path / "long", start=str(start), extends=True))
    for name in (folder.WEIGHTS, "config.json", "tokenizer.json"):
        assert (tmp_path / "long" / name).read_bytes() == (plain / name).read_bytes()
    assert metrics(tmp_path / "long") == metrics(plain)[7:]


def test_annealing_branches_from_any_checkpoint(runs: Path, mix: Path, plain: Path, tmp_path: Path) -> None:
    decay = Schedule(3e-3, 1e-4, decay=None)
    start = str(checkpoints.complete(plain)[10])
    loop.train(job(runs, mix, tmp_path, start=start, schedule=decay, steps=5))
    found = metrics(tmp_path)
    assert [facts["step"] for facts in found] == [1, 2, 3, 4, 5]
    assert found[-1]["rate"] == pytest.approx(1e-4)
    assert found[0]["loss"] < losses(plain)[0] - 0.3
    with pytest.raises(cm.InputError, match="no optimizer's state"):
        loop.train(job(runs, mix, tmp_path / "b", start=str(plain)))
    loop.train(job(runs, mix, tmp_path / "b", start=str(plain), fresh=True, steps=1))


def test_the_mean_of_the_last_checkpoints(runs: Path, mix: Path, tmp_path: Path) -> None:
    counts = loop.train(job(runs, mix, tmp_path, average=3, keep=Keep(every=2, last=1, each=4)))
    there = checkpoints.complete(tmp_path)
    assert list(there) == [4, 8, 10, 12]
    assert counts["averaged"] == 3
    means = dict(folder.average([there[8], there[10], there[12]]))
    for name, weight in folder.tensors(tmp_path):
        assert torch.equal(weight, means[name])


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_only_matrices_decay(runs: Path, mix: Path, tmp_path: Path, name: str) -> None:
    """With a rate so small that nothing else moves them."""
    heavy = Optimizer(name, decay=1e5, clip=1e-9)
    loop.train(job(runs, mix, tmp_path, steps=1, optimizer=heavy, schedule=Schedule(1e-6, 0.0)))
    start = dict(loop.drawn(folder.load(tmp_path).config, 0))
    for weight, after in folder.tensors(tmp_path):
        expected = 0.9 if after.ndim == 2 else 1.0
        assert torch.allclose(after, start[weight] * expected, atol=1e-4), weight


def test_muon_learns_and_resumes(runs: Path, mix: Path, tmp_path: Path) -> None:
    muon = Optimizer("muon")
    loop.train(job(runs, mix, tmp_path / "a", optimizer=muon))
    assert losses(tmp_path / "a")[-1] < losses(tmp_path / "a")[0] - 0.3
    start = checkpoints.complete(tmp_path / "a")[10]
    loop.train(job(runs, mix, tmp_path / "b", optimizer=muon, start=str(start), extends=True))
    assert metrics(tmp_path / "b") == metrics(tmp_path / "a")[10:]
    with pytest.raises(cm.InputError, match="fresh one"):
        loop.train(job(runs, mix, tmp_path / "c", start=str(start), extends=True))


def test_a_loss_that_is_no_number_stops_with_the_batch_named(
    runs: Path, mix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = loop._Run.one

    def poisoned(self: Any, step: int) -> dict[str, Any]:
        if step == 1:
            with torch.no_grad():
                self.model.model.norm.weight[0] = math.nan
        return honest(self, step)

    monkeypatch.setattr(loop._Run, "one", poisoned)
    with pytest.raises(cm.InputError, match=r"the loss is nan.*at step 2.*sequence 8 \(.*/") as caught:
        loop.train(job(runs, mix, tmp_path))
    assert "another `spike`" in str(caught.value.remedy)
    assert len(metrics(tmp_path)) == 1
    assert checkpoints.read_json(tmp_path / checkpoints.BEGUN)["steps"] == 12  # it has not ended


def test_a_loss_that_jumps_stops(runs: Path, mix: Path, tmp_path: Path) -> None:
    told = job(runs, mix, tmp_path, steps=40, schedule=Schedule(1e-3), keep=Keep(every=100))
    with pytest.MonkeyPatch.context() as patch:
        honest = loop._Run.one

        def shaken(self: Any, step: int) -> dict[str, Any]:
            if step == 30:
                with torch.no_grad():
                    self.model.lm_head.weight.mul_(300)
            return honest(self, step)

        patch.setattr(loop._Run, "one", shaken)
        with pytest.raises(cm.InputError, match=r"jumped to .* at step 31"):
            loop.train(told)
    assert len(metrics(tmp_path)) == 30


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"steps": 10_000}, "the data last until step"),
        ({"context": 32}, "the model reads 32"),
        ({"size": "2B"}, "no size"),
        ({"hardware": {"device": "cuda"}}, "no GPU"),
        ({"hardware": {"attention": "causal"}}, "one document into another"),
        ({"steps": -1}, "counted from 0"),
        ({"plan": None}, "a plan, or chats"),
        ({"dtype": "int8"}, "int8"),
        ({"hardware": {"sharding": "tp"}}, "tp"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused(
    runs: Path, mix: Path, tmp_path: Path, wrong: dict[str, Any], words: str
) -> None:
    if "cuda" in str(wrong) and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(cm.CodemillError, match=words):
        loop.train(job(runs, mix, tmp_path, **wrong))


def test_an_error_of_a_rank_comes_back(runs: Path, mix: Path, tmp_path: Path) -> None:
    with pytest.raises(cm.RecipeError, match="the data last until step"):
        launch(job(runs, mix, tmp_path, steps=10_000, hardware={"ranks": 2}))


def test_a_job_travels_as_json(runs: Path, mix: Path, tmp_path: Path) -> None:
    told = job(runs, mix, tmp_path, optimizer=Optimizer("muon"), hardware={"micro": 3})
    assert Job.from_json(json.loads(json.dumps(told.to_json()))) == told
    assert tuple(field.name for field in dataclasses.fields(Hardware)) == Hardware.PLACES


CAPPED = """
import resource, sys
from pathlib import Path
from codemill.model import data, loop
from codemill.model.job import Job

small, large = (Job.read(Path(path)) for path in sys.argv[1:])
loop.train(small)  # so that every module is there, and every thread
used = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used + (48 << 20),) * 2)
try:
    bytearray(56 << 20)
    sys.exit("the cap does not hold")
except MemoryError:
    pass
plans = data.of(large)
print(sum(plans.row(step, 0).real for step in range(0, plans.steps, 8)))
print(loop.train(large)["tokens"])
"""


def test_a_corpus_larger_than_memory_is_mapped(runs: Path, mix: Path, tmp_path: Path) -> None:
    """32 million tokens, 64 MB: a process that may take 48 MB reads an eighth, here and there, and trains on some."""
    documents, each, length = 1000, 32_000, 500
    tokens = pa.array((np.arange(documents * each, dtype=np.uint32) % 1000).astype(np.uint16))
    offsets = pa.array(np.arange(documents + 1, dtype=np.int32) * each)
    shard = {"repo": ["r"] * documents, "path": ["p"] * documents, "tokens": pa.ListArray.from_arrays(offsets, tokens)}
    count = documents * each // length
    number = np.arange(count)
    place = number * 7919 % count  # a step reads here and there
    spans: dict[str, Any] = {
        "sequence": number,
        "input": np.zeros(count),
        "part": np.zeros(count),
        "row": place // (each // length),
        "epoch": np.zeros(count),
        "start": place % (each // length) * length,
        "length": np.full(count, length),
        "joined": np.zeros(count),
    }
    columns = [pa.array(spans[field.name].astype(field.type.to_pandas_dtype())) for field in SPAN]
    facts = {
        "length": length,
        "sequences": count,
        "inputs": [{"name": "x", "shards": hashlib.sha256(b"y").hexdigest()}],
    }
    for name in ("tokens", "plan", "mix"):
        (tmp_path / name).mkdir()
    for name, batch in (("tokens", pa.record_batch(shard)), ("plan", pa.record_batch(columns, schema=SPAN))):
        with pa.ipc.new_file(str(tmp_path / name / "part-00000.arrow"), batch.schema) as writer:
            writer.write_batch(batch)
    (tmp_path / "mix" / "mix.json").write_text(json.dumps(facts))
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"tokens": {"part": {"sha256": "y"}}}}))
    large = job(runs, tmp_path, tmp_path / "large", batch=1, steps=4, length=length, shards=(str(tmp_path / "tokens"),))
    jobs = {"small": job(runs, mix, tmp_path / "small", steps=4), "large": large}
    for name, told in jobs.items():
        (tmp_path / name).with_suffix(".json").write_text(json.dumps(told.to_json()))
    command = [sys.executable, "-c", CAPPED, *(str((tmp_path / name).with_suffix(".json")) for name in jobs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [int(line) for line in done.stdout.split()] == [documents * each // 8, 4 * length]
    assert losses(tmp_path / "large")[-1] < losses(tmp_path / "large")[0]
