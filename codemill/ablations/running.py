"""Runs an ablation: a corpus for each arm, one tokenizer, a plan and a model for each seed, bits per byte on held-out
files that no arm has. Everything is built by recipes below OUT, so a run that was stopped goes on.

    OUT/ARM/corpus, OUT/ARM-tokens   what the arm's models read
    OUT/ARM-SEED-mix, OUT/ARM-SEED   a plan and a model
    OUT/held-out/corpus              files of repositories set aside, that no arm chose and none has a copy of
    OUT/ablation.json                the table, with volumes, epochs, curves and verdicts
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from codemill import InputError, Outputs, Table
from codemill.ablations import corpora as corpora_of
from codemill.ablations.ablation import Ablation, Scale
from codemill.ablations.judging import Verdict, judge
from codemill.evaluation import surprise
from codemill.evaluation.models import Folder
from codemill.machine.builder import build
from codemill.machine.source import Source
from codemill.recipes import pretrain, pretraining_mix, tokens
from codemill.sources import Published
from codemill.steps import dedup, holdout, ingest

EPOCHS = 64
"""Times that a small corpus may be repeated, so that arms read equally many tokens. The table says how often."""


def run(
    ablation: Ablation, inputs: Sequence[Source], out: Path, *, scale: Scale, workers: int | None = None,
    said: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:  # fmt: skip
    """Runs it and writes OUT/ablation.json. Raises: InputError if nothing is held out, or two arms are the same."""

    def made(name: str, wanted: Table | Outputs) -> Path:
        said(name)
        build(wanted, out=out / name, workers=workers)
        return out / name

    share = scale.held_out
    corpora = {arm: make(inputs) for arm, make in ablation.arms.items()}
    folders = {arm: made(arm, holdout.training(corpus, share=share)) for arm, corpus in corpora.items()}
    arms = [ingest.published(source=Published(str(folder), "corpus")) for folder in folders.values()]
    same = _same({arm: folder / "corpus" for arm, folder in folders.items()}, out)
    unseen = holdout.held_out(corpora_of.unfiltered(inputs), share=share)
    held = made("held-out", dedup.exact(unseen, *arms))
    try:
        texts = list(surprise.files(held / "corpus", limit=scale.files))
    except InputError as error:
        raise InputError("no repository is held out", where=held, remedy="give more repositories") from error
    existing, table = None, dict[str, Any]()
    for arm, folder in folders.items():
        if arm in same:
            table[arm] = {**table[same[arm]], "same_as": same[arm]}
            continue
        shards = made(
            f"{arm}-tokens",
            tokens.tokens(
                corpus=str(folder), vocabulary=scale.vocabulary, sample_bytes=scale.sample_bytes, existing=existing,
                ranked=False, fim_rate=0.0,
            ),
        )  # fmt: skip
        existing = existing or str(shards / "tokenizer")
        table[arm] = {"runs": [_one(arm, seed, shards, scale, texts, made) for seed in range(scale.seeds)]}
        table[arm] |= _volume(shards, table[arm]["runs"][0])
    verdicts = judged(
        {arm: [run["bits_per_byte"] for run in facts["runs"]] for arm, facts in table.items() if arm not in same}
    )
    found = {
        "ablation": ablation.name,
        "hypothesis": ablation.hypothesis,
        "cited": ablation.cited,
        "scale": asdict(scale),
        "held_out": {"texts": len(texts), "bytes": sum(len(one.text.encode()) for one in texts)},
        "arms": table,
        "verdicts": [{**asdict(one), "words": one.words} for one in verdicts],
    }
    (out / "ablation.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return found


def _same(folders: dict[str, Path], out: Path) -> dict[str, str]:
    """Arms with the documents of an arm before, and that arm: a model of theirs would say nothing new.

    Raises: InputError if all arms have the same.
    """
    first, found = dict[tuple[int, int], str](), dict[str, str]()
    for arm, folder in folders.items():
        other = first.setdefault(_contents(folder), arm)
        if other != arm:
            found[arm] = other
    if len(first) == 1:
        raise InputError(
            f"all arms have the same {next(iter(first))[0]} documents: these inputs cannot tell them apart", where=out,
            remedy="give inputs on which the decision makes a difference",
        )  # fmt: skip
    return found


def _contents(folder: Path) -> tuple[int, int]:
    """How many documents there are, and the sum of the hashes of their texts: it takes no notice of their order."""
    count = total = 0
    for part in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(1000, columns=["content"]):
                texts = batch["content"].cast(pa.large_binary()).to_pylist()
                count += len(texts)
                total += sum(int.from_bytes(hashlib.sha256(text).digest()[:16]) for text in texts)
    return count, total


def judged(bits: dict[str, list[float]]) -> list[Verdict]:
    """Each arm beside the first."""
    (_, first), *others = bits.items()
    return [judge(first, runs, arm) for arm, runs in others]


def _one(
    arm: str, seed: int, shards: Path, scale: Scale, texts: Sequence[surprise.Text],
    made: Callable[[str, Table | Outputs], Path],
) -> dict[str, Any]:  # fmt: skip
    # Plans take whole documents, so they are made a little larger than what is read of them: the same of every arm.
    steps = scale.tokens // (scale.length * scale.batch)
    mix = made(
        f"{arm}-{seed}-mix",
        pretraining_mix.pretraining_mix(
            code=str(shards), budget=scale.tokens * 5 // 4, epochs=EPOCHS, length=scale.length, seed=seed
        ),
    )
    model = made(
        f"{arm}-{seed}",
        pretrain.pretrain(
            mix=str(mix), size=scale.size, batch=scale.batch, rate=scale.rate, warmup=scale.warmup,
            steps=steps, decay=max(1, steps // 5), seed=seed, every=10**6,
            device=scale.device, spike=0.0,
        ),
    )  # fmt: skip
    facts = json.loads((mix / "mix" / "mix.json").read_text("utf-8"))
    curve = [json.loads(line) for line in (model / "model" / "metrics.jsonl").read_text("utf-8").splitlines()]
    generator = Folder(str(model), scale.device).generator
    summary = surprise.summary(surprise.of_model(generator, texts))
    return {
        "seed": seed,
        "tokens": steps * scale.length * scale.batch,
        "epochs": steps * scale.length * scale.batch / max(1, sum(one["tokens"] for one in facts["inputs"])),
        "loss": curve[-1]["loss"],
        "curve": [[one["step"], round(one["loss"], 4)] for one in curve[:: max(1, len(curve) // 50)]],
        "bits_per_byte": summary["all"]["bits_per_byte"],
        "languages": {name: rate["bits_per_byte"] for name, rate in summary["groups"].items()},
    }


def _volume(shards: Path, run: dict[str, Any]) -> dict[str, Any]:
    """Documents, bytes and tokens of an arm, and how often they are read."""
    from codemill.report.facts import tokens as facts
    from codemill.run import Run

    found = facts.gather(Run.open(shards))
    if found is None:
        raise InputError("there are no token shards", where=shards)
    return {"documents": found.documents, "bytes": found.bytes, "tokens": found.tokens, "epochs": run["epochs"]}
