"""Arms that go on from one base model for each seed: with another annealing mix, or with other chats.

OUT/base/corpus, OUT/base-tokens      the corpus of `rules`' first arm
OUT/base-SEED-mix, OUT/base-SEED      a model on its plateau, for each seed
OUT/sets/NAME, OUT/NAME-tokens        what arms go on with, made of the base's corpus
OUT/ARM-SEED-mix, OUT/ARM-SEED        a plan, and the model that went on
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from codemill import InputError, RecipeError
from codemill.ablations import pretraining
from codemill.ablations.ablation import Ablation, Annealed, Given, Tuned
from codemill.ablations.place import Place
from codemill.ablations.pretraining import EPOCHS, Measured
from codemill.recipes import anneal, annealing_mix, sft

BASE = "base"


def sets(ablation: Ablation, base: Path, given: Given, place: Place) -> dict[str, int]:
    """Makes OUT/sets out of the base's corpus, and counts the rows of each set that has any."""
    assert ablation.sets is not None
    folder = place.made("sets", ablation.sets(str(base), given, place.scale))
    used = {name for arm in ablation.arms.values() for name in wanted(arm)}
    return {name: count for name in sorted(used) if (count := _rows(folder / name))}


def wanted(arm: object) -> tuple[str, ...]:
    """The sets that an arm goes on with."""
    if isinstance(arm, Annealed):
        return tuple(arm.sets.values())
    assert isinstance(arm, Tuned)
    return tuple(dict.fromkeys(arm.stage1 + arm.stage2))


def there(ablation: Ablation, rows: Mapping[str, int], out: Path) -> dict[str, Annealed | Tuned]:
    """The arms all of whose sets there are. Raises: InputError if fewer than two are left."""
    found = {name: arm for name, arm in ablation.arms.items() if all(one in rows for one in wanted(arm))}
    if len(found) < 2:
        gone = sorted({one for arm in ablation.arms.values() for one in wanted(arm) if one not in rows})
        raise InputError(
            f"nothing was made of these sets: {', '.join(gone)}", where=out / "sets",
            remedy="give inputs with seeds for them, and --teacher where rows are written",
        )  # fmt: skip
    return {name: arm for name, arm in found.items() if isinstance(arm, Annealed | Tuned)}


def models(
    arms: Mapping[str, Annealed | Tuned], same: Mapping[str, str], place: Place, measured: Measured
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the table says of each arm."""
    base = pretraining.shards(BASE, place.out / BASE, place)
    begun = [pretraining.model(BASE, seed, base, place, decay=False)[0] for seed in range(place.scale.seeds)]
    table = dict[str, dict[str, Any]]()
    for name, arm in arms.items():
        if name in same:
            table[name] = {**table[same[name]], "same_as": same[name]}
            yield name, table[name]
            continue
        runs, read = [], list[dict[str, Any]]()
        for seed, start in enumerate(begun):
            if isinstance(arm, Annealed):
                trained, read = annealed(name, arm, seed, start, base, place)
            else:
                trained, read = tuned(name, arm, seed, start, place)
            runs.append({"seed": seed, "tokens": sum(one["read"] for one in read), **measured(trained)})
        total = {key: sum(one[key] for one in read) for key in ("documents", "tokens", "read")}
        table[name] = {
            "runs": runs, "inputs": read, "documents": total["documents"], "tokens": total["tokens"],
            "epochs": total["read"] / max(1, total["tokens"]),
        }  # fmt: skip
        yield name, table[name]


def annealed(
    name: str, arm: Annealed, seed: int, start: Path, base: Path, place: Place
) -> tuple[Path, list[dict[str, Any]]]:  # fmt: skip
    """A model that went on with an annealing mix, its rate coming down; and what it read of each input.

    A plan takes whole documents of each input, of which a small share may be few: so it is half as large again.
    """
    scale = place.scale
    given = {
        as_: str(pretraining.shards(one, place.out / "sets", place, output=one, tokenizer=base / "tokenizer"))
        for as_, one in arm.sets.items()
    }
    mix = place.made(
        f"{name}-{seed}-mix",
        annealing_mix.annealing_mix(
            original=str(base), **given, budget=scale.further * 3 // 2, epochs=EPOCHS, original_epochs=EPOCHS,
            short="stop", length=scale.length, seed=seed,
        ),
    )  # fmt: skip
    steps = scale.steps(scale.further)
    trained = place.made(
        f"{name}-{seed}",
        anneal.anneal(
            start=str(start), mix=str(mix), batch=scale.batch, steps=steps, rate=scale.rate, final=scale.rate / 30,
            every=10**6, device=scale.device, spike=0.0,
        ),
    )  # fmt: skip
    inputs = pretraining.inputs(mix)
    share = steps * scale.length * scale.batch / sum(one["taken"] for one in inputs)  # a plan is in no order of inputs
    return trained, [
        {"name": one["name"], "documents": one["documents"], "tokens": one["tokens"], "read": one["taken"] * share,
         "epochs": one["taken"] * share / one["tokens"]} for one in inputs
    ]  # fmt: skip


def tuned(name: str, arm: Tuned, seed: int, start: Path, place: Place) -> tuple[Path, list[dict[str, Any]]]:
    """A model that went on with chats; and what it read in each stage."""
    scale, folder = place.scale, place.out / "sets"
    stages = [stage for stage in (arm.stage1, arm.stage2) if stage]
    steps = scale.steps(scale.further) // len(stages)
    chats = [tuple(f"{folder}:{one}" for one in stage) for stage in (arm.stage1, arm.stage2)]
    trained = place.made(
        f"{name}-{seed}",
        sft.sft(
            start=str(start), stage1=chats[0], stage2=chats[1], rate1=scale.rate / 2, rate2=scale.rate / 2,
            batch1=scale.batch, batch2=scale.batch, epochs1=EPOCHS, epochs2=EPOCHS, length1=scale.length,
            length2=scale.length, steps=steps, warmup=max(1, steps // 20), every=10**6, spike=0.0, seed=seed,
            device=scale.device,
        ),
    )  # fmt: skip
    manifest = json.loads((trained / "manifest.json").read_text("utf-8"))
    counts = [one["counts"] for one in manifest["steps"] if one["name"] == "train.sft"]
    read = []
    for number, count in enumerate(counts, 1):
        if count["steps"] < steps:
            raise InputError(
                f"stage {number} of {name} has chats for {count['steps']} of {steps} steps", where=trained,
                remedy="give more inputs: arms are to see equally many chats",
            )  # fmt: skip
        epochs = count["steps"] * scale.batch / count["chats"]
        read.append({"name": f"stage {number}", "documents": count["chats"], "tokens": count["chat_tokens"],
                     "read": count["tokens"], "epochs": epochs})  # fmt: skip
    return trained, read


def needs_teacher(ablation: Ablation) -> RecipeError:
    """The error for an ablation of synthetic rows without anybody who writes them."""
    return RecipeError(
        f"{ablation.name} is about rows that a teacher writes", remedy="say who: --teacher MODEL@URL or local:FOLDER"
    )


def _rows(folder: Path) -> int:
    return sum(pq.read_metadata(part).num_rows for part in folder.glob("*.parquet"))
