"""Arms that are corpora: tokens of each by one tokenizer, and a model for each seed.

OUT/ARM/corpus, OUT/ARM-tokens   what the arm's models read
OUT/ARM-SEED-mix, OUT/ARM-SEED   a plan and a model
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from codemill import InputError, Table
from codemill.ablations.ablation import Given
from codemill.ablations.place import Place
from codemill.recipes import pretrain, pretraining_mix, tokens
from codemill.steps import holdout
from codemill.steps.decontaminate import clear_of

EPOCHS = 64
"""Times that a small corpus may be repeated, so that arms read equally many tokens. The table says how often."""


def corpus(arm: str, documents: Table, given: Given, place: Place) -> Path:
    """The corpus of an arm, without the repositories that are set aside and without tasks of the benchmarks."""
    mine = clear_of(holdout.training(documents, share=place.scale.held_out), benchmarks=given.benchmarks)
    return place.made(arm, mine)


def shards(
    name: str, folder: Path, place: Place, *, output: str = "corpus", tokenizer: Path | None = None
) -> Path:  # fmt: skip
    """The tokens of an output of a run, by an existing tokenizer or one that is trained on it."""
    made = tokens.tokens(
        corpus=str(folder), output=output, vocabulary=place.scale.vocabulary, sample_bytes=place.scale.sample_bytes,
        existing=None if tokenizer is None else str(tokenizer), ranked=False, fim_rate=0.0,
    )  # fmt: skip
    return place.made(f"{name}-tokens", made)


def model(arm: str, seed: int, shards: Path, place: Place, *, decay: bool) -> tuple[Path, dict[str, Any]]:
    """A model of an arm, and what it read. Without `decay` it ends on the plateau, from which others go on.

    Plans take whole documents, so they are made a little larger than what is read of them: the same of every arm.
    """
    scale = place.scale
    steps = scale.steps(scale.tokens)
    mix = place.made(
        f"{arm}-{seed}-mix",
        pretraining_mix.pretraining_mix(
            code=str(shards), budget=scale.tokens * 5 // 4, epochs=EPOCHS, length=scale.length, seed=seed
        ),
    )
    trained = place.made(
        f"{arm}-{seed}",
        pretrain.pretrain(
            mix=str(mix), size=scale.size, batch=scale.batch, rate=scale.rate, warmup=scale.warmup, steps=steps,
            decay=max(1, steps // 5) if decay else 0, seed=seed, every=10**6, device=scale.device, spike=0.0,
        ),
    )  # fmt: skip
    read = steps * scale.length * scale.batch
    return trained, {"tokens": read, "epochs": read / max(1, sum(one["tokens"] for one in inputs(mix)))}


def inputs(mix: Path) -> list[dict[str, Any]]:
    """What a plan was made of."""
    found: list[dict[str, Any]] = json.loads((mix / "mix" / "mix.json").read_text("utf-8"))["inputs"]
    return found


Measured = Callable[[Path], dict[str, Any]]
"""What is measured of the model in a folder."""


def models(
    folders: Mapping[str, Path], same: Mapping[str, str], place: Place, measured: Measured
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the table says of each arm. An arm with the documents of one before is not trained again."""
    first, table = None, dict[str, dict[str, Any]]()
    for arm, folder in folders.items():
        if arm in same:
            table[arm] = {**table[same[arm]], "same_as": same[arm]}
        else:
            mine = shards(arm, folder, place, tokenizer=first)
            first = first or mine / "tokenizer"
            runs = []
            for seed in range(place.scale.seeds):
                trained, facts = model(arm, seed, mine, place, decay=True)
                runs.append({"seed": seed, **facts, **measured(trained)})
            table[arm] = {"runs": runs, **volume(mine), "epochs": runs[0]["epochs"]}
        yield arm, table[arm]


def volume(shards: Path) -> dict[str, Any]:
    """Documents, bytes and tokens of an arm."""
    from codemill.report.facts import tokens as facts
    from codemill.run import Run

    found = facts.gather(Run.open(shards))
    if found is None:
        raise InputError("there are no token shards", where=shards)
    return {"documents": found.documents, "bytes": found.bytes, "tokens": found.tokens}
