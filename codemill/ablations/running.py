"""Runs an ablation: a corpus for each arm, one tokenizer, a plan and a model for each seed, bits per byte on held-out
files that no arm has. Everything is built by recipes below OUT, so a run that was stopped goes on.

    OUT/ARM/corpus, OUT/ARM-tokens   what the arm's models read
    OUT/ARM-SEED-mix, OUT/ARM-SEED   a plan and a model
    OUT/held-out/corpus              files of repositories set aside, without copies in any arm
    OUT/ablation.json                the table, with volumes, epochs, curves and verdicts
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from codemill import InputError, Outputs, Table
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
    unseen = holdout.held_out(next(iter(corpora.values())), share=share)
    held = made("held-out", dedup.exact(unseen, *arms))
    texts = list(surprise.files(held / "corpus", limit=scale.files))
    if not texts:
        raise InputError("no repository is held out", where=held, remedy="give more repositories")
    existing, table = None, dict[str, Any]()
    for arm, folder in folders.items():
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
    volumes = [(arm["documents"], arm["bytes"]) for arm in table.values()]
    if len(set(volumes)) == 1:
        raise InputError(
            f"all arms have the same {volumes[0][0]} documents: these inputs cannot tell them apart", where=out,
            remedy="give inputs on which the decision makes a difference",
        )  # fmt: skip
    verdicts = judged({arm: [run["bits_per_byte"] for run in facts["runs"]] for arm, facts in table.items()})
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
