"""The recipes of training: from a plan to a model that chats, with books, and one identity on any hardware."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from click.testing import CliRunner

import codemill as cm
from codemill import report
from codemill.cli import cli
from codemill.machine.builder import build
from codemill.model import checkpoints, folder
from codemill.model.generate import Ask, Generator
from codemill.model.job import Hardware
from codemill.recipes import _training, anneal, docstring_chats, pretrain, sft
from codemill.steps import train
from tests.training import plan

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def chain(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every recipe once, each in a folder of its name."""
    root = tmp_path_factory.mktemp("chain")
    plan(runs, root / "mix", length=192)
    build(pretrain.smoke(mix=str(root / "mix")), out=root / "base", workers=1)
    build(anneal.smoke(start=str(root / "base"), mix=str(root / "mix")), out=root / "annealed", workers=1)
    for name, lines in (("chats1", 3), ("chats2", 4)):
        made = docstring_chats.docstring_chats(corpus=str(runs / "corpus"), least_lines=lines, most_chars=300)
        build(made, out=root / name, workers=1)
    stages = {name: (str(root / chats),) for name, chats in (("stage1", "chats1"), ("stage2", "chats2"))}
    build(sft.smoke(start=str(root / "annealed"), **stages), out=root / "instruct", workers=1)
    return root


def manifest(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    return found


def counts(out: Path, step: str) -> list[dict[str, Any]]:
    return [entry["counts"] for entry in manifest(out)["steps"] if entry["name"] == step]


def test_each_stage_begins_with_the_weights_of_the_one_before(chain: Path) -> None:
    (base,) = counts(chain / "base", "train.pretrain")
    assert (base["steps"], base["ranks"], base["gpus"]) == (10, 1, 0)
    assert base["threads"] >= 1
    (annealed,) = counts(chain / "annealed", "train.anneal")
    assert annealed["tokens"] == 5 * 4 * 192
    one, two = counts(chain / "instruct", "train.sft")
    assert one["chats"] > two["chats"] > 3
    assert 0 < two["trained_tokens"] < two["chat_tokens"]
    first = json.loads((chain / "annealed" / "model" / "metrics.jsonl").read_text().splitlines()[0])
    fresh = json.loads((chain / "base" / "model" / "metrics.jsonl").read_text().splitlines()[0])
    assert first["loss"] < fresh["loss"] - 0.3
    second = json.loads((chain / "instruct" / "model" / "metrics.jsonl").read_text().splitlines()[0])
    stage1 = json.loads((chain / "instruct" / "stage1" / "metrics.jsonl").read_text().splitlines()[0])
    assert second["loss"] < stage1["loss"]


def test_the_ledger_says_what_became_of_every_chat(chain: Path) -> None:
    rows = pq.read_table(chain / "instruct" / "stage1_ledger").to_pylist()
    chats = pq.read_table(chain / "chats1" / "corpus")
    assert len(rows) == len(chats)
    kept = [row for row in rows if row["verdict"] == "kept"]
    (one, _) = counts(chain / "instruct", "train.sft")
    assert len(kept) == one["chats"]
    assert {row["reason"] for row in rows} <= {None, "no_target"}


def test_the_model_chats_and_ends_its_turns(chain: Path) -> None:
    by = Generator(chain / "instruct" / "model", device="cpu")
    assert by.model.config.eos[0] == by.template.special["<|im_end|>"]
    (answer,) = by.answers([Ask(by.chat([{"role": "user", "content": "Hi"}]), most=5)])
    assert len(answer.tokens) >= 1
    from transformers import AutoTokenizer, GenerationConfig

    generation = GenerationConfig.from_pretrained(chain / "instruct" / "model")
    assert list(by.model.config.eos) == generation.eos_token_id
    assert "generation" in AutoTokenizer.from_pretrained(chain / "instruct" / "model").chat_template


def test_the_card_is_made_of_what_the_run_wrote(chain: Path) -> None:
    page = (chain / "base" / "model" / "README.md").read_text()
    assert "code: 39 of 40 documents were kept" in page
    assert "| ingest.files | empty | 1 |" in page
    assert "508,544 parameters" in page
    assert "| truncated |" in (chain / "instruct" / "model" / "README.md").read_text()


def test_the_report_shows_the_curves(chain: Path) -> None:
    assert report.write(chain / "instruct") is not None
    page = (chain / "instruct" / "report.html").read_text()
    assert page.count("loss, nats per token: ") == 2  # of both stages
    lines = (chain / "base" / "model" / "metrics.jsonl").read_text().splitlines()
    first, last = (json.loads(line)["loss"] for line in (lines[0], lines[-1]))
    assert f"The loss went from {first:.3f} to {last:.3f} nats per token." in report.render(chain / "base")
    metrics = chain / "base" / "model" / "metrics.jsonl"
    whole = metrics.read_bytes()
    metrics.write_bytes(whole[:-40])
    try:
        with pytest.raises(cm.InputError, match="account of a training run"):
            report.render(chain / "base")
    finally:
        metrics.write_bytes(whole)


def test_a_run_that_has_not_ended_shows_its_curves(
    chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*words: str) -> str:
        done = CliRunner().invoke(cli, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return str(done.stdout)

    model, work = chain / "base" / "model", tmp_path / ".work" / "train.pretrain" / "0123456789"
    lines = (model / "metrics.jsonl").read_text().splitlines()
    account = json.loads((model / "training.json").read_text())
    work.mkdir(parents=True)
    (work / "metrics.jsonl").write_text("\n".join(lines[:6]) + "\n" + lines[6][:20])
    (work / checkpoints.BEGUN).write_text(
        json.dumps({name: account[name] for name in ("steps", "parameters", "ran_on")})
    )
    losses = [json.loads(line)["loss"] for line in lines]
    shown = said("show", str(tmp_path))
    assert "train.pretrain 01234567   step 6 of 10" in shown
    assert f"{losses[0]:.3g} → {losses[5]:.3g}" in shown
    (told,) = json.loads(said("show", str(tmp_path), "--json"))
    assert (told["steps"], told["of"], told["last"]) == (6, 10, losses[5])
    assert said("report", str(tmp_path)).split() == [str(tmp_path / "report.html")]
    page = (tmp_path / "report.html").read_text()
    assert f"6 steps of 10, 4,608 tokens, 100.0 % of all places real. The loss went from {losses[0]:.3f}" in page
    assert "refresh" not in page
    assert report.curves(tmp_path, refresh=10) is not None
    assert '<meta http-equiv="refresh" content="10">' in (tmp_path / "report.html").read_text()
    # What a finished run left behind is not under way; and a finished run has its curves in the terminal too.
    (tmp_path / "manifest.json").write_bytes((chain / "base" / "manifest.json").read_bytes())
    os.utime(work / checkpoints.BEGUN, (0, 0))
    assert report.curves(tmp_path) is None
    assert f"{losses[0]:.3g} → {losses[-1]:.3g}" in said("show", str(chain / "base"))
    # Who follows it has the report at the end.
    shutil.copytree(chain / "base", tmp_path / "followed")
    begun = next(tmp_path.glob("followed/.work/train.pretrain/*/metrics.jsonl")).with_name(checkpoints.BEGUN)
    begun.write_bytes((work / checkpoints.BEGUN).read_bytes())
    pages = []

    def later(seconds: float) -> None:
        pages.append((tmp_path / "followed" / "report.html").read_text())
        begun.unlink()

    monkeypatch.setattr("time.sleep", later)
    path = str(tmp_path / "followed" / "report.html")
    assert said("report", str(tmp_path / "followed"), "--follow").split() == [path]
    assert "refresh" in pages[0]
    assert "refresh" not in Path(path).read_text()


def test_what_is_held_out_are_documents_or_shards(runs: Path, chain: Path, tmp_path: Path) -> None:
    more = {"held_out": f"{runs / 'corpus'}:corpus", "held_out_tokens": 500, "held_out_every": 4}
    made = pretrain.pretrain(
        mix=str(chain / "mix"), size="tiny", batch=4, steps=10, rate=3e-3, warmup=2, every=5, **more
    )
    build(made, out=tmp_path / "base", workers=1)
    weights = [manifest(out)["files"]["model"][folder.WEIGHTS]["sha256"] for out in (tmp_path / "base", chain / "base")]
    assert weights[0] == weights[1]
    steps = [json.loads(line) for line in (tmp_path / "base" / "model" / "metrics.jsonl").read_text().splitlines()]
    assert [step["step"] for step in steps if "held_out" in step] == [1, 4, 8, 10]
    assert "held-out tokens, " in (tmp_path / "base" / "model" / "README.md").read_text()
    page = report.render(tmp_path / "base")
    assert page.count('<circle class="held"') == 4
    assert f"and on held-out data from {steps[0]['held_out']:.3f} to {steps[-1]['held_out']:.3f}" in page
    (chosen,) = counts(tmp_path / "base", "train.held_out")
    assert chosen["documents"] + chosen["targets"] == 500

    def shards(run: str | Path) -> cm.Table:
        path = str(runs / "plain" / "tokenizer")
        return _training.held_out(str(run), mix=str(chain / "mix"), path=path, tokens=300, every=4)[0]

    build(shards(runs / "fim"), out=tmp_path / "shards", workers=1)
    (chosen,) = counts(tmp_path / "shards", "train.held_out")
    assert chosen["documents"] + chosen["targets"] == 300
    with pytest.raises(cm.InputError, match="is trained on"):
        shards(runs / "plain")
    with pytest.raises(cm.InputError, match="has no documents"):
        shards(f"{chain / 'chats1'}:chats_ledger")
    shutil.copytree(runs / "fim", tmp_path / "other", ignore=shutil.ignore_patterns(".work"))
    with (tmp_path / "other" / "tokenizer" / "tokenizer.json").open("a") as file:
        file.write(" ")
    with pytest.raises(cm.InputError, match="another tokenizer"):
        shards(tmp_path / "other")


@pytest.mark.long
def test_what_is_held_out_are_chats(chain: Path, tmp_path: Path) -> None:
    made = sft.sft(
        start=str(chain / "annealed"), stage1=(str(chain / "chats1"),), rate1=1e-3, batch1=4, length1=192, warmup=1,
        every=5, held_out=str(chain / "chats2"), held_out_every=2,
    )  # fmt: skip
    build(made, out=tmp_path, workers=1)
    (whole,), (chosen, _) = counts(tmp_path, "train.sft"), counts(chain / "instruct", "train.sft")
    assert whole == chosen  # the loss of the last step, too
    (held,) = counts(tmp_path, "train.held_out")
    assert held["targets"] == counts(chain / "instruct", "train.sft")[1]["trained_tokens"]  # answers, and all of them


def test_hardware_is_no_part_of_an_identity(runs: Path, chain: Path) -> None:
    def print_of(**more: Any) -> str:
        made = pretrain.pretrain(mix=str(chain / "mix"), steps=3, **more)
        return str(cm.plan(made, chain / "planned").fingerprint)

    plain = print_of()
    assert print_of(ranks=2, micro=1, device="cpu", sharding="fsdp", compile=True, recompute=True) == plain
    assert print_of(tokens=(str(runs / "plain"),)) == plain
    assert (
        len({plain, print_of(rate=1e-4), print_of(seed=1), print_of(size="tiny"), print_of(start=str(chain / "base"))})
        == 5
    )


def test_the_same_bytes_again_and_nothing_to_do_the_second_time(chain: Path, tmp_path: Path) -> None:
    again = build(pretrain.smoke(mix=str(chain / "mix")), out=tmp_path, workers=1)
    files = {name: receipt["sha256"] for name, receipt in again["files"]["model"].items()}
    assert files == {name: r["sha256"] for name, r in manifest(chain / "base")["files"]["model"].items()}
    third = build(pretrain.smoke(mix=str(chain / "mix")), out=tmp_path, workers=1)
    assert third["fingerprint"] == again["fingerprint"]


def test_a_checkpoint_is_found_where_people_look_for_it(chain: Path, tmp_path: Path) -> None:
    model = chain / "base" / "model"
    last = model / "checkpoints" / "step-000010"
    for path in (chain / "base", model, last):
        assert checkpoints.find(path) == last
    assert checkpoints.find(chain / "base", at=5) == model / "checkpoints" / "step-000005"
    assert checkpoints.find(chain / "base", state=False) == model
    work = tmp_path / ".work" / "train.pretrain" / "abc" / "checkpoints"
    work.mkdir(parents=True)
    last.rename(work / "step-000010")
    try:
        assert checkpoints.find(tmp_path) == work / "step-000010"  # of a run that has not ended
    finally:
        (work / "step-000010").rename(last)
    with pytest.raises(cm.InputError, match=r"no checkpoint of step 7.*5, 10"):
        checkpoints.find(chain / "base", at=7)
    with pytest.raises(cm.InputError, match="no checkpoint"):
        train.Checkpoint(str(chain / "mix"))
    assert train.Checkpoint(str(chain / "base")) != train.Checkpoint(str(chain / "base"), 5)


def test_shards_that_are_not_there_are_asked_for(chain: Path, tmp_path: Path) -> None:
    with pytest.raises(cm.RecipeError, match="say where they are"):
        pretrain.pretrain(mix=str(chain / "mix"), tokens=(str(tmp_path),))


def test_a_run_that_goes_on_counts_on(chain: Path, tmp_path: Path) -> None:
    more = pretrain.pretrain(
        mix=str(chain / "mix"), start=str(chain / "base"), at=5, batch=4, steps=10, rate=3e-3, warmup=2, every=5
    )
    build(more, out=tmp_path, workers=1)
    weights = [dict(folder.tensors(out / "model")) for out in (tmp_path, chain / "base")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize(
    ("wrong", "words"), [({"batch": 0}, "batch"), ({"average": 0}, "average"), ({"size": "9B"}, "9B")]
)
def test_a_wrong_recipe_stops_before_any_work(chain: Path, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(cm.RecipeError, match=words):
        pretrain.pretrain(mix=str(chain / "mix"), **wrong)
    with pytest.raises(cm.RecipeError, match="gpu"):
        dataclasses.replace(Hardware(), device="gpu")


@pytest.mark.long
def test_a_model_as_it_begins_has_been_told_nothing(chain: Path, tmp_path: Path) -> None:
    build(pretrain.laptop(mix=str(chain / "mix"), steps=0), out=tmp_path / "untrained", workers=1)
    (counted,) = counts(tmp_path / "untrained", "train.pretrain")
    assert (counted["steps"], counted["tokens"]) == (0, 0)
    build(pretrain.laptop(mix=str(chain / "mix"), steps=3), out=tmp_path / "begun", workers=1)
    first = json.loads((tmp_path / "begun" / "model" / "metrics.jsonl").read_text().splitlines()[0])
    assert abs(first["loss"] - math.log(1024)) < 0.5  # it knows nothing of 1,024 tokens
    curves = {}
    for name in ("untrained", "begun"):
        page = report.write(tmp_path / name)
        assert page is not None
        curves[name] = '<section id="training">' in Path(page).read_text("utf-8")
    assert curves == {"untrained": False, "begun": True}
    assert (tmp_path / "untrained" / "model" / "README.md").exists()


@pytest.mark.long
def test_a_stage_reads_several_runs_and_outputs(chain: Path, tmp_path: Path) -> None:
    more = sft.smoke(
        start=str(chain / "annealed"), stage1=(str(chain / "chats1"), f"{chain / 'chats2'}:corpus"), stage2=()
    )
    made = build(more, out=tmp_path / "instruct", workers=1)
    assert set(made["files"]) == {"model", "stage1_ledger", "stage1_ledger_2"}
    (both,) = counts(tmp_path / "instruct", "train.sft")
    one, two = counts(chain / "instruct", "train.sft")
    assert both["chats"] == one["chats"] + two["chats"]
    with pytest.raises(cm.RecipeError, match="no output 'corpse'"):
        sft.smoke(start=str(chain / "annealed"), stage1=(f"{chain / 'chats2'}:corpse",))


def test_a_run_is_named_with_or_without_its_output(chain: Path, tmp_path: Path) -> None:
    whole = _training.published(str(chain / "chats1"), "corpus")
    named = _training.published(f"{chain / 'chats1'}:chats_ledger", "corpus")
    assert (whole.output, named.output) == ("corpus", "chats_ledger")
    (tmp_path / "a:b").symlink_to(chain / "chats1")
    assert (
        _training.published(str(tmp_path / "a:b"), "corpus").output == "corpus"
    )  # a folder may have a colon in its name
    with pytest.raises(cm.InputError) as error:
        _training.published("file:///nowhere/chats", "corpus")  # and so has an address
    assert "file:///nowhere/chats" in str(error.value)


def test_a_stage_without_chats_is_refused(chain: Path, tmp_path: Path) -> None:
    with pytest.raises(cm.RecipeError, match="sft needs tables of chats, and one model"):
        build(sft.smoke(start=str(chain / "annealed"), stage1=()), out=tmp_path / "none", workers=1)
