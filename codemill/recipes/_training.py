"""What the recipes of training share: options of hardware, which change how fast a model is trained and not what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from codemill import RecipeError, Table
from codemill.sources import Published
from codemill.steps import ingest, train
from codemill.tokens.loader import digest
from codemill.tokens.plan import Plan

Device = Annotated[str, "cpu, cuda or auto"]
Ranks = Annotated[int, "processes, each with a device; 0: one for each GPU, or one"]
Micro = Annotated[int, "sequences that a rank works on at a time; 0: all of its share"]
Sharding = Annotated[str, "of several ranks: ddp, or fsdp, where each holds a part of the weights"]
Compile = Annotated[bool, "compile the model: minutes at the start, faster on a GPU"]
Recompute = Annotated[bool, "activation checkpointing: less memory, a third more time"]


def plan_and_tokens(mix: str, tokens: tuple[str, ...]) -> tuple[Table, list[Table], str]:
    """The plan of a run, the token shards that it was made over, in its order, and the folder of their tokenizer.

    Where the shards are the run remembers; `tokens` says it if they were moved.

    Raises: RecipeError if a plan's shards are not found.
    """
    runs = tokens or tuple(source["path"] for source in train.opened(Path(mix)) if source["output"] == "tokens")
    places = {digest(Path(run) / "tokens"): run for run in runs if (Path(run) / "tokens").is_dir()}
    found = []
    for given in Plan(mix).facts["inputs"]:
        if given["shards"] not in places:
            what = f"the token shards that the plan has as {given['name']!r} are not found"
            raise RecipeError(what, where=mix, remedy="say where they are: --tokens DIR, once for each input")
        found.append(places[given["shards"]])
    shards = [ingest.published(source=Published(run, "tokens")) for run in found]
    return ingest.published(source=Published(mix, "plan")), shards, str(Path(found[0]) / "tokenizer")
