"""Runs an ablation: what its arms read, a model for each arm and seed, bits per byte on texts that no arm has.

    OUT/held-out/corpus              files of repositories set aside, that no arm chose and none has a copy of
    OUT/held-out/chats               their functions, asked for by their docstrings
    OUT/ablation.json                the table, with volumes, epochs, curves and verdicts
    OUT/manifest.json                that it is done; `codemill report OUT` makes the page

What else there is say `pretraining`, for arms that are corpora, and `branching`, for those that go on from one base.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from codemill import InputError
from codemill.ablations import branching, measuring, pretraining
from codemill.ablations.ablation import Ablation, Annealed, Given, Scale, Tuned
from codemill.ablations.corpora import corpus
from codemill.ablations.judging import Verdict, judge
from codemill.ablations.place import Place
from codemill.evaluation import surprise
from codemill.evaluation.environment import installed


def run(
    ablation: Ablation, given: Given, out: Path, *, scale: Scale, workers: int | None = None,
    said: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:  # fmt: skip
    """Runs it and writes OUT/ablation.json. Raises: InputError if nothing is held out, or all arms are the same;
    RecipeError for rows that a teacher writes, without one."""
    place = Place(out, scale, workers, said)
    arms = dict[str, Annealed | Tuned]()
    if ablation.sets is None:
        made = {name: arm(given.inputs) for name, arm in ablation.arms.items() if callable(arm)}
        folders = {name: pretraining.corpus(name, table, given, place) for name, table in made.items()}
        same = _same({name: (("", folder / "corpus"),) for name, folder in folders.items()}, out)
    else:
        if ablation.teacher and given.teacher is None:
            raise branching.needs_teacher(ablation)
        base = pretraining.corpus(branching.BASE, corpus(given.inputs), given, place)
        folders = {branching.BASE: base}
        rows = branching.sets(ablation, base, given, place)
        arms = branching.there(ablation, rows, out)
        same = _same({name: tuple(_read(arm, out / "sets")) for name, arm in arms.items()}, out)
    held = measuring.unseen(given, list(folders.values()), place)
    texts = measuring.texts(held, given, scale.files)
    tuned = any(isinstance(arm, Tuned) for arm in arms.values())

    def measured(model: Path) -> dict[str, Any]:
        if tuned and measuring.FUNCTIONS not in texts:  # the first model has the template that questions are put by
            asked = measuring.functions(held, model, 10 * scale.files)
            rest = dict(texts)
            texts.clear()
            texts.update({measuring.FUNCTIONS: asked, **rest})
        return measuring.bits(model, texts, scale.device)

    if arms:
        table = dict(branching.models(arms, same, place, measured))
    else:
        table = dict(pretraining.models(folders, same, place, measured))
    found = {
        "ablation": ablation.name,
        "hypothesis": ablation.hypothesis,
        "cited": ablation.cited,
        "scale": asdict(scale),
        "teacher": given.teacher is not None,
        "left_out": [name for name in ablation.arms if name not in table],
        "held_out": _size(texts[measuring.HELD_OUT]),
        "measured": {name: _size(some) for name, some in texts.items()},
        "arms": table,
        "verdicts": [
            {**asdict(one), "on": name, "words": one.words}
            for name in next(iter(table.values()))["runs"][0]["measures"]
            for one in judged(
                {arm: [run["measures"][name] for run in facts["runs"]] for arm, facts in table.items()
                 if arm not in same}
            )
        ],
    }  # fmt: skip
    text = json.dumps(found, indent=1)
    (out / "ablation.json").write_text(text + "\n", "utf-8")
    (out / "manifest.json").write_text(json.dumps(_manifest(ablation)) + "\n", "utf-8")
    told: dict[str, Any] = json.loads(text)
    return told


def _manifest(ablation: Ablation) -> dict[str, Any]:
    """What a report wants of a run: its parts are runs of their own, each with a manifest."""
    nothing = {"rows": 0, "bytes": 0}
    return {
        "codemill": installed("codemill"), "recipe": {"name": f"ablate {ablation.name}", "parameters": {}},
        "inputs": [], "steps": [], "outputs": {"ablation": {"chain": []}}, "files": {}, "ingested": nothing,
        "kept": nothing, "dropped": nothing, "seconds": 0.0,
    }  # fmt: skip


def _read(arm: Annealed | Tuned, sets: Path) -> Iterable[tuple[str, Path]]:
    """What an arm reads besides its base: of each set where it stands, and its folder."""
    if isinstance(arm, Annealed):
        return [(name, sets / one) for name, one in arm.sets.items()]
    return [(stage, sets / one) for stage, some in (("1", arm.stage1), ("2", arm.stage2)) for one in some]


def _same(arms: Mapping[str, Iterable[tuple[str, Path]]], out: Path) -> dict[str, str]:
    """Arms with the documents of an arm before, and that arm: a model of theirs would say nothing new.

    Raises: InputError if all arms have the same.
    """
    first, found = dict[tuple[tuple[str, int, int], ...], str](), dict[str, str]()
    for arm, folders in arms.items():
        has = tuple((place, *_contents(folder)) for place, folder in folders)
        other = first.setdefault(has, arm)
        if other != arm:
            found[arm] = other
    if len(first) == 1:
        count = sum(one for _, one, _ in next(iter(first)))
        raise InputError(
            f"all arms have the same {count} documents: these inputs cannot tell them apart", where=out,
            remedy="give inputs on which the decision makes a difference",
        )  # fmt: skip
    return found


def _contents(folder: Path) -> tuple[int, int]:
    """How many rows there are, and the sum of the hashes of their texts or chats: it takes no notice of their order."""
    count = total = 0
    for part in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(part) as file:
            names = file.schema_arrow.names
            column = "content" if "content" in names else "messages"
            for batch in file.iter_batches(1000, columns=[column]):
                count += batch.num_rows
                total += sum(int.from_bytes(hashlib.sha256(one).digest()[:16]) for one in _bytes(batch[column]))
    return count, total


def _bytes(column: pa.Array) -> list[bytes]:
    if pa.types.is_list(column.type):
        return [json.dumps(one).encode() for one in column.to_pylist()]
    found: list[bytes] = column.cast(pa.large_binary()).to_pylist()
    return found


def _size(texts: Iterable[surprise.Text]) -> dict[str, int]:
    sizes = [len(one.text.encode("utf-8", "replace")) for one in texts]
    return {"texts": len(sizes), "bytes": sum(sizes)}


def judged(bits: dict[str, list[float]]) -> list[Verdict]:
    """Each arm beside the first."""
    (_, first), *others = bits.items()
    return [judge(first, runs, arm) for arm, runs in others]
