"""Mixes tables of tokens by weights, token budgets and epochs. No token is copied: documents are chosen and counted.

shares   totals of every input → how often its documents are taken      files
take     how often each document is taken, 0 = not at all               no exchange, a few bytes a row
(then pack.sequences: a narrow table of input, part, row and epoch, in order)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import chance
from codemill.errors import InputError, RecipeError
from codemill.machine.kinds import Opened
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import Table, folder, step

UNITS = ("document", "repository")
BUCKETS = 1 << 16
"""Ranges of the draws by which a share is cut: it is exact to the tokens that are in one."""


def take_all(
    *tokens: Table,
    names: Sequence[str],
    weights: Sequence[float] | None = None,
    budget: int | None = None,
    epochs: Sequence[float] | float = 1,
    short: str = "shrink",
    unit: str = "document",
    seed: int = 0,
) -> tuple[list[Table], Table]:
    """The tables with what `shares` and `take` say of them, and the table of `shares`."""
    most = [float(epochs)] * len(tokens) if isinstance(epochs, int | float) else [float(e) for e in epochs]
    parts = shares(
        *tokens,
        names=list(names),
        weights=None if weights is None else [float(w) for w in weights],
        budget=budget,
        epochs=most,
        short=short,
        unit=unit,
        seed=seed,
    )
    return [take(table, parts, input=i, unit=unit, seed=seed) for i, table in enumerate(tokens)], parts


def _check(
    *,
    names: Sequence[str],
    weights: Sequence[float] | None,
    budget: int | None,
    epochs: Sequence[float],
    short: str,
    unit: str,
    seed: int,
) -> None:
    if weights is not None and len(weights) != len(names):
        raise RecipeError(f"there are {len(weights)} weights for {len(names)} inputs")
    if len(epochs) != len(names):
        raise RecipeError(f"there are {len(epochs)} numbers of epochs for {len(names)} inputs")
    if len(set(names)) != len(names):
        raise RecipeError(f"two inputs have one name: {', '.join(names)}")
    for weight in weights or ():
        if not weight > 0:
            raise RecipeError(f"a weight must be above 0, got {weight!r}", remedy="leave the input out")
    for most in epochs:
        if not 0 < most <= 1000:
            raise RecipeError(f"the number of epochs must be above 0 and at most 1000, got {most!r}")
    if budget is not None and budget < 1:
        raise RecipeError(f"a budget has at least 1 token, got {budget}")
    if short not in ("shrink", "stop"):
        raise RecipeError(f"short must be 'shrink' or 'stop', got {short!r}")
    check_unit(unit)


def check_unit(unit: str) -> None:
    """Raises: RecipeError if it is none."""
    if unit not in UNITS:
        raise RecipeError(f"there is no unit {unit!r}", remedy=f"one of: {', '.join(UNITS)}")


def of_shards(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    """Raises: RecipeError if an input are not shards: a plan names their rows, as they are published."""
    for table in inputs:
        first = table.layers()[0].step
        if not isinstance(first.how, Opened) and table.step.name != "mix.shares":
            remedy = "publish the tokens, then give ingest.published(source=Published(out, 'tokens'))"
            raise RecipeError(f"a plan is made over published tokens, got a table of {first.name}", remedy=remedy)
    return params


def _resolve(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    if len(inputs) != len(params["names"]):
        raise RecipeError(f"there are {len(params['names'])} names for {len(inputs)} inputs")
    return of_shards(inputs, params)


@folder(version=1, check=_check, resolve=_resolve)
def shares(
    *tokens: Reading,
    out: OutFolder,
    names: Sequence[str],
    weights: Sequence[float] | None,
    budget: int | None,
    epochs: Sequence[float],
    short: str,
    unit: str,
    seed: int,
) -> dict[str, int]:
    """Works out how often the documents of each input are taken, and writes it to shares.json.

    Without `weights` every input is taken `epochs` times, or as much of that as the budget allows. With them each input
    gives its share of the `budget`, or of the largest total that the inputs have: a small input is repeated, up to its
    `epochs`. Where an input has too little even so, the total shrinks (`short="shrink"`) until the weights hold, and
    shares.json says so; or the run stops ("stop"). An input without any token is left out then, and counted.

    Shape: reads content_hash, num_tokens and repo. Memory: a few MB.
    Raises: InputError if no input has tokens, or one has too few.
    """
    held = [_held(table, unit, seed) for table in tokens]
    there = [int(buckets.sum()) for buckets in held]
    empty = [name for name, count in zip(names, there, strict=True) if not count]
    if empty and (short == "stop" or len(empty) == len(names)):
        raise InputError("an input of a mix has no tokens", where=empty[0])
    rates, total = _rates(there, names, weights, budget, epochs, short)
    inputs: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        whole = int(rates[number])
        limit = _limit(held[number], (rates[number] - whole) * there[number])
        inputs.append(
            {
                "name": name,
                "shards": digest_of(part.pieces[0].sha256 for part in tokens[number].parts),
                "documents": tokens[number].rows(),
                "tokens": there[number],
                "epochs": rates[number],
                "most_epochs": epochs[number],
                "whole_epochs": whole,
                "limit": limit,
                "taken": whole * there[number] + int(held[number][:limit].sum()),
            }
        )
    taken = sum(int(one["taken"]) for one in inputs)
    facts = {"wanted": budget, "possible": total, "taken": taken, "unit": unit, "seed": seed, "inputs": inputs}
    (out.path / "shares.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    return {"tokens": taken, "inputs": len(inputs), "inputs_without_tokens": len(empty)}


def digest_of(hashes: Any) -> str:
    """Identifies files by their hashes, in order."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _rates(
    there: Sequence[int],
    names: Sequence[str],
    weights: Sequence[float] | None,
    budget: int | None,
    epochs: Sequence[float],
    short: str,
) -> tuple[list[float], int]:
    """How often each input is taken, and how many tokens that makes. One without tokens has no share."""
    most = [count * times for count, times in zip(there, epochs, strict=True)]
    wanted = [share if tokens else 0.0 for share, tokens in zip(weights or most, most, strict=True)]
    parts = [share / sum(wanted) for share in wanted]
    possible = min(tokens / part for tokens, part in zip(most, parts, strict=True) if part)
    if budget is not None and budget > possible and short == "stop":
        name = names[min(range(len(names)), key=lambda i: most[i] / parts[i])]  # none is empty, or it had stopped
        raise InputError(
            f"{budget:,} tokens are wanted, and the inputs have {int(possible):,} at these weights and epochs",
            where=name,
            remedy="lower the budget, allow more epochs of this input, or say short='shrink'",
        )
    total = possible if budget is None else min(float(budget), possible)
    rates = [
        min(times, total * part / count) if count else 0.0
        for count, times, part in zip(there, epochs, parts, strict=True)
    ]
    return rates, round(total)


def _limit(held: npt.NDArray[np.int64], wanted: float) -> int:
    """How many buckets have about so many tokens: the number that comes nearest."""
    sums = np.append(0, np.cumsum(held))
    return int(np.argmin(np.abs(sums - wanted)))


def _held(table: Reading, unit: str, seed: int) -> npt.NDArray[np.int64]:
    """The tokens of an input by the bucket of their draw."""
    held = np.zeros(BUCKETS, np.int64)
    for batch in table.batches(["content_hash", "num_tokens", "repo"]):
        np.add.at(held, _buckets(batch, unit, seed), batch["num_tokens"].to_numpy())
    return held


def _buckets(batch: pa.RecordBatch, unit: str, seed: int) -> npt.NDArray[np.int64]:
    return (draws(batch, unit, seed, "mix.take") >> np.uint64(48)).astype(np.int64)


def draws(batch: pa.RecordBatch, unit: str, seed: int, purpose: str) -> chance.Bits:
    """64 random bits for each document, which depend on seed, purpose and its content; or on its repository's name."""
    hashes = batch["content_hash"].to_numpy() if unit == "document" else chance.of_names(batch["repo"])
    return chance.bits(hashes, seed=seed, purpose=purpose)


@dataclass(frozen=True)
class Share:
    """What shares.json says of one input."""

    whole_epochs: int
    limit: int


def _share(folder: Path, number: int) -> Share:
    facts = json.loads((folder / "shares.json").read_text("utf-8"))["inputs"][number]
    return Share(facts["whole_epochs"], facts["limit"])


@step(
    version=1,
    reads=("content_hash", "num_tokens", "repo"),
    adds={"copies": pa.int32(), "reason": pa.string()},
    drops={"over_budget": "more than the mix wants of this input"},
)
def take(tokens: pa.RecordBatch, shares: Reading, *, input: int, unit: str, seed: int) -> pa.RecordBatch:
    """How often each document is taken: all of them in whole epochs, and those with the smallest draws once more.

    A smaller share is a subset of a larger one. With `unit="repository"` the documents of one share a draw.

    Shape: adds copies; a document that is taken not at all is dropped as `over_budget`.
    """
    share = _share(shares.folder, input)
    copies = share.whole_epochs + (_buckets(tokens, unit, seed) < share.limit).astype(np.int32)
    reason = pc.if_else(pa.array(copies > 0), pa.scalar(None, pa.string()), "over_budget")
    return pa.record_batch({"copies": pa.array(copies.astype(np.int32)), "reason": reason})
