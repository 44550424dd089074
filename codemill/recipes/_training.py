"""What the recipes of training share: options of hardware, which change how fast a model is trained and not what; and
of the data that it is measured on while it is trained."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

from codemill import RecipeError, Table
from codemill.errors import InputError
from codemill.sources import Published
from codemill.steps import ingest, tokenize, tokenizer, train
from codemill.steps.tokenizer import Existing
from codemill.tokens.loader import digest
from codemill.tokens.plan import Plan

Device = Annotated[str, "cpu, cuda or auto"]
Ranks = Annotated[int, "processes, each with a device; 0: one for each GPU, or one"]
Micro = Annotated[int, "sequences that a rank works on at a time; 0: all of its share"]
Sharding = Annotated[str, "of several ranks: ddp, or fsdp, where each holds a part of the weights"]
Compile = Annotated[bool, "compile the model: minutes at the start, faster on a GPU"]
Recompute = Annotated[bool, "activation checkpointing: less memory, a third more time"]
HeldOut = Annotated[str | None, "RUN or RUN:OUTPUT: documents or token shards that its loss is measured on meanwhile"]
# A 64th of a step of OpenCoder's (1,024 sequences of 4,096 tokens), and without a gradient.
HeldTokens = Annotated[int, "tokens of them that are taken"]
HeldEvery = Annotated[int, "steps from measurement to measurement; the first and the last step are measured too"]

LAPTOP_SPIKE = 6.0
"""A step of four sequences may be one file in a script that the model has not seen: 3.8 nats above the median, once."""


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


def published(run: str, *outputs: str) -> Published:
    """The output that RUN or RUN:OUTPUT names; without a name the first of `outputs` that the run has. RUN may be an
    address such as s3://bucket/run.

    Raises: RecipeError or InputError as `Published` does.
    """
    folder, _, output = run.rpartition(":")
    if not folder or "/" in output or Path(run).is_dir():
        for output in outputs[:-1]:
            with contextlib.suppress(RecipeError):
                return Published(run, output)
        return Published(run, outputs[-1])
    return Published(folder, output)


def held_out(run: str | None, *, mix: str, path: str, tokens: int, every: int) -> list[Table]:
    """What a run over a plan is measured on: token shards as they are, documents encoded by the tokenizer in `path`.

    Raises: InputError if it has neither, its shards are another tokenizer's, or the plan reads them.
    """
    if run is None:
        return []
    source, plan = published(run, "tokens", "held_out"), Plan(mix)
    columns = source.columns()
    if "tokens" in columns:
        theirs = Path(source.path) / "tokenizer"
        if theirs.is_dir() and Existing(str(theirs)).sha256 != Existing(path).sha256:
            remedy = f"encode the documents with this one: codemill run tokens --existing {path}"
            raise InputError("what is held out was encoded by another tokenizer", where=run, remedy=remedy)
        if digest(Path(source.path) / source.output) in {given["shards"] for given in plan.facts["inputs"]}:
            remedy = "set repositories aside: codemill run quickstart --held-out 0.03"
            raise InputError("what is held out is trained on", where=run, remedy=remedy)
        rows = ingest.published(source=source)
    elif "content" in columns:
        made = tokenizer.existing(tokenizer=Existing(path))
        rows = tokenize.documents(ingest.published(source=source), made)
    else:
        raise InputError(f"what is held out has no documents, only {', '.join(columns)}", where=run)
    return [train.held_out(rows, length=plan.length, tokens=tokens, every=every)]
