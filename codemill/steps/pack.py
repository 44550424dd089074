"""Packs tokens into sequences of equal length: a plan, which says which spans of which shards make sequence n.

    sequences   documents in their order → spans            narrow rows, sorted
    account     spans → what each input contributed         files

The stream of all documents, each with its end, is cut every `length` tokens. What does not fit goes on in the next
sequence, so no token is dropped, and less than one sequence of the whole plan is padding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from codemill.columns import one
from codemill.errors import BuildError, RecipeError
from codemill.machine.kinds import Published
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import Table, folder, group
from codemill.steps import mix
from codemill.tokens.plan import SPAN


def _check(*, length: int, unit: str, seed: int) -> None:
    if not 2 <= length <= 1 << 24:
        raise RecipeError(f"a sequence has 2 to {1 << 24:,} tokens, got {length!r}")
    mix.check_unit(unit)


def _keys(batch: pa.RecordBatch, *, length: int, unit: str, seed: int) -> pa.RecordBatch:
    """A key for each copy of each document: copy e of c lies in the part e / c … (e + 1) / c of the order, so that an
    input that is repeated is seen again after all of it was seen, all the way through."""
    copies = batch["copies"].to_numpy().astype(np.int64)
    of = np.repeat(np.arange(batch.num_rows), copies)
    epoch = np.arange(len(of)) - np.repeat(np.cumsum(copies) - copies, copies)
    draw = np.zeros(len(of), np.uint64)
    for number in range(int(copies.max(initial=0))):
        here = epoch == number
        draw[here] = mix.draws(batch, unit, seed, f"pack.sequences {number}")[of[here]]
    times = copies[of].astype(np.uint64)
    width = np.uint64((1 << 64) - 1) // times
    key = epoch.astype(np.uint64) * width + draw // times
    return pa.record_batch(
        {
            "of": of,
            "key": pa.array(key),
            "epoch": pa.array(epoch.astype(np.int32)),
            "rank": batch["import_rank"].take(pa.array(of)),
            "num_tokens": batch["num_tokens"].take(pa.array(of)),
        }
    )


@group(
    version=1,
    reads=("content_hash", "repo", "import_rank", "num_tokens", "copies"),
    key="key",
    adds={"key": pa.uint64(), **{field.name: field.type for field in SPAN}},
    emit=_keys,
    before=("num_tokens",),
    published=Published(rows=SPAN, mapped=True),
    check=_check,
    resolve=mix.of_shards,
)
def sequences(
    keys: pa.Table, *, length: int, unit: str = "document", seed: int = 0, before: Mapping[str, int]
) -> pa.RecordBatch:
    """Lays documents out in a random order, and cuts them into sequences of `length` tokens.

    The order depends on the seed and on what the documents are; with `unit="repository"` those of a repository follow
    one another, in the order of their imports where the shards have it. Another seed or length makes another plan over
    the same shards.

    Shape: shards with `mix.take` in; one row for each piece of a document in a sequence out, see `tokens.plan.SPAN`.
    """
    order = [(name, "ascending") for name in ("key", "rank", "input", "part", "row")]
    keys = keys.sort_by(order).combine_chunks()
    count = one(keys["num_tokens"]).to_numpy()
    end = before["num_tokens"] + np.cumsum(count)
    start = end - count
    first = start // length
    pieces = (end - 1) // length - first + 1
    of = np.repeat(np.arange(len(count)), pieces)
    sequence = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begin = np.maximum(start[of], sequence * length)
    stop = np.minimum(end[of], (sequence + 1) * length)
    kept = keys.take(pa.array(of))
    return pa.record_batch(
        {
            **{name: one(kept[name]) for name in ("key", "input", "epoch", "part", "row")},
            "sequence": pa.array(sequence),
            "start": pa.array((begin - start[of]).astype(np.int32)),
            "length": pa.array((stop - begin).astype(np.int32)),
        }
    )


@folder(version=1)
def account(plan: Reading, shares: Reading, *, out: OutFolder, length: int) -> dict[str, int]:
    """Adds up a plan and writes mix.json: sequences, padding, and what each input contributed in each epoch.

    Raises: BuildError if the spans have other tokens than were taken, or a sequence is not full.
    """
    facts = json.loads((shares.folder / "shares.json").read_text("utf-8"))
    packed = np.zeros((len(facts["inputs"]), 1 + max(int(i["whole_epochs"]) for i in facts["inputs"]) + 1), np.int64)
    documents = np.zeros_like(packed)
    filled = last = 0
    for batch in plan.batches(["sequence", "input", "epoch", "start", "length"]):
        columns = {name: batch[name].to_numpy() for name in batch.schema.names}
        if not len(columns["length"]):
            continue
        np.add.at(packed, (columns["input"], columns["epoch"]), columns["length"])
        np.add.at(documents, (columns["input"], columns["epoch"]), columns["start"] == 0)
        ends = filled + np.cumsum(columns["length"], dtype=np.int64)
        if not np.array_equal((ends - 1) // length, columns["sequence"]):
            raise BuildError("a sequence of the plan is not full", where="pack.account")
        filled, last = int(ends[-1]), int(columns["sequence"][-1])
    for number, given in enumerate(facts["inputs"]):
        if int(packed[number].sum()) != given["taken"]:
            raise BuildError(
                f"{given['taken']} tokens were taken and {int(packed[number].sum())} packed", where=given["name"]
            )
        some = np.flatnonzero(packed[number])
        given["by_epoch"] = [
            {"tokens": int(packed[number][e]), "documents": int(documents[number][e])} for e in some.tolist()
        ]
    padding = -filled % length
    made = {"length": length, "sequences": last + 1 if filled else 0, "tokens": filled, "padding": padding}
    written = {**made, "padding_share": padding / max(1, filled + padding), **facts}
    (out.path / "mix.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    return made


def plan(tokens: list[Table], shares: Table, *, length: int, unit: str = "document", seed: int = 0) -> dict[str, Table]:
    """A plan over tables that `mix.take_all` made: the outputs `plan` and `mix`."""
    made = sequences(*tokens, length=length, unit=unit, seed=seed)
    return {"plan": made, "mix": account(made, shares, length=length)}
