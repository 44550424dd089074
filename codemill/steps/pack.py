"""Packs tokens into sequences of equal length: a plan, which says which spans of which shards make sequence n.

    sequences   documents in their order → spans            narrow rows, sorted
    account     spans → what each input contributed         files

The stream of all documents, each with its end, is cut every `length` tokens. What does not fit goes on in the next
sequence, so no token is dropped, and less than one sequence of the whole plan is padding. With names a document comes
behind a heading, or a repository is one text: its name, then path and content of each file, and one end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill import chance
from codemill.columns import one
from codemill.errors import BuildError, InputError, RecipeError
from codemill.machine.kinds import Published
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import Table, folder, group
from codemill.steps import mix
from codemill.tokens.plan import SPAN

DOCUMENT = ("input", "part", "row", "epoch")
"""What says of a span which copy of which document it is of."""


def _check(*, length: int, unit: str, names: float, seed: int) -> None:
    if not 2 <= length <= 1 << 24:
        raise RecipeError(f"a sequence has 2 to {1 << 24:,} tokens, got {length!r}")
    if not 0 <= names <= 1:
        raise RecipeError(f"names is a share between 0 and 1, got {names!r}")
    mix.check_unit(unit)


def _reads(params: Mapping[str, Any]) -> tuple[str, ...]:
    more = ("repo_files", "repo_hash", "repo_tokens", "file_tokens") if params["names"] else ()
    return ("content_hash", "repo", "import_rank", "num_tokens", "copies", *more)


def _keys(batch: pa.RecordBatch, *, length: int, unit: str, names: float, seed: int) -> pa.RecordBatch:
    """A key for each copy of each document: copy e of c lies in the part e / c … (e + 1) / c of the order, so that an
    input that is repeated is seen again after all of it was seen, all the way through.

    `lead` are the tokens of its heading that it begins with, `taken` all that it gives."""
    copies = batch["copies"].to_numpy().astype(np.int64)
    of = np.repeat(np.arange(batch.num_rows), copies)
    epoch = np.arange(len(of)) - np.repeat(np.cumsum(copies) - copies, copies)
    draw = np.zeros(len(of), np.uint64)
    named = np.zeros(len(of), np.bool_)
    for number in range(int(copies.max(initial=0))):
        here = epoch == number
        draw[here] = mix.draws(batch, unit, seed, f"pack.sequences {number}")[of[here]]
        if names:
            named[here] = chance.fraction(mix.draws(batch, unit, seed, f"pack.names {number}"))[of[here]] < names
    lead, joined = (column[of] * named for column in _headings(batch, unit)) if names else (named * 0, named)
    times = copies[of].astype(np.uint64)
    width = np.uint64((1 << 64) - 1) // times
    key = epoch.astype(np.uint64) * width + draw // times
    return pa.record_batch(
        {
            "of": of,
            "key": pa.array(key),
            "epoch": pa.array(epoch.astype(np.int32)),
            "repository": batch["repo_hash"].take(pa.array(of)) if names else pa.nulls(len(of), pa.uint64()),
            "rank": batch["import_rank"].take(pa.array(of)),
            "lead": pa.array(lead.astype(np.int32)),
            "joined": pa.array(joined),
            "taken": pa.array(batch["num_tokens"].to_numpy()[of] + lead - joined),
        }
    )


def _headings(batch: pa.RecordBatch, unit: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """How many tokens of its heading each document of a batch begins with if it has names, and whether its end is left
    out. One that was encoded without a heading stays as it is, and one of no repository is a text of its own.

    Raises: InputError if the files of a repository have no order."""
    whole, file = batch["repo_tokens"].to_numpy(), batch["file_tokens"].to_numpy()
    if unit == "document":
        return whole + file, np.zeros(batch.num_rows, np.bool_)
    if batch["import_rank"].null_count and file.any():
        what = "there is no order of files in these shards, by which a repository is one text"
        raise InputError(what, where="tokens", remedy="run tokens over the corpus again with --ranked")
    rank, files = (batch[name].fill_null(0).to_numpy() for name in ("import_rank", "repo_files"))
    together = (file > 0) & batch["repo"].is_valid().to_numpy(zero_copy_only=False)
    return np.where(rank == 0, whole, 0) + file, together & (rank < files - 1)


@group(
    version=2,
    reads=_reads,
    key="key",
    adds={"key": pa.uint64(), **{field.name: field.type for field in SPAN}},
    emit=_keys,
    before=("taken",),
    published=Published(rows=SPAN, mapped=True),
    check=_check,
    resolve=mix.of_shards,
)
def sequences(
    keys: pa.Table,
    *,
    length: int,
    unit: str = "document",
    names: float = 0.0,
    seed: int = 0,
    before: Mapping[str, int],
) -> pa.RecordBatch:
    """Lays documents out in a random order, and cuts them into sequences of `length` tokens.

    The order depends on the seed and on what the documents are; with `unit="repository"` those of a repository follow
    one another, in the order of their imports where the shards have it. Another seed or length makes another plan over
    the same shards.

    A share `names` of the units, drawn for each epoch, comes with headings: a document with the names of its repository
    and its file, `<|repo_name|>`, name, `<|file_sep|>`, path and a line end, before its content; a repository with its
    name once, then path and content of each file, and one end after the last. All of that are spans of the shards.

    Shape: shards with `mix.take` in; one row for each piece of a document in a sequence out, see `tokens.plan.SPAN`.
    From: StarCoder2 (arXiv 2402.19173) for the form of a repository, and for half of them.
    """
    order = [(name, "ascending") for name in ("key", "input", "repository", "rank", "part", "row")]
    keys = keys.sort_by(order).combine_chunks()
    count = one(keys["taken"]).to_numpy()
    end = before["taken"] + np.cumsum(count)
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
            **{name: one(kept[name]) for name in ("key", "input", "epoch", "part", "row", "joined")},
            "sequence": pa.array(sequence),
            "start": pa.array((begin - start[of] - one(kept["lead"]).to_numpy()).astype(np.int32)),
            "length": pa.array((stop - begin).astype(np.int32)),
        }
    )


@folder(version=2)
def account(plan: Reading, shares: Reading, *, out: OutFolder, length: int, names: float = 0.0) -> dict[str, int]:
    """Adds up a plan and writes mix.json: sequences, padding, and what each input contributed in each epoch.

    Of each input `taken` tokens of documents, with their ends, and `headings` tokens of names, without `ends_left_out`,
    are the tokens of all its epochs.

    Raises: BuildError if the spans have other tokens than were taken, or a sequence is not full; InputError if `names`
    were wanted, and no document has any.
    """
    facts = json.loads((shares.folder / "shares.json").read_text("utf-8"))
    packed = np.zeros((len(facts["inputs"]), 1 + max(int(i["whole_epochs"]) for i in facts["inputs"]) + 1), np.int64)
    documents, headings, left_out = (np.zeros_like(packed) for _ in range(3))
    filled = last = 0
    before = np.full(len(DOCUMENT), -1, np.int64)
    for batch in plan.batches(["sequence", "start", "length", "joined", *DOCUMENT]):
        columns = {name: batch[name].to_numpy(zero_copy_only=False) for name in batch.schema.names}
        if not len(columns["length"]):
            continue
        where = columns["input"], columns["epoch"]
        of = np.vstack([before, np.stack([columns[name] for name in DOCUMENT], 1)])
        begins, before = (of[1:] != of[:-1]).any(1), of[-1]
        np.add.at(packed, where, columns["length"])
        np.add.at(documents, where, begins)
        np.add.at(headings, where, np.clip(-columns["start"], 0, columns["length"]))
        np.add.at(left_out, where, begins & columns["joined"])
        ends = filled + np.cumsum(columns["length"], dtype=np.int64)
        if not np.array_equal((ends - 1) // length, columns["sequence"]):
            raise BuildError("a sequence of the plan is not full", where="pack.account")
        filled, last = int(ends[-1]), int(columns["sequence"][-1])
    for number, given in enumerate(facts["inputs"]):
        counted = {"headings": int(headings[number].sum()), "ends_left_out": int(left_out[number].sum())}
        there = int(packed[number].sum()) - counted["headings"] + counted["ends_left_out"]
        if there != given["taken"]:
            raise BuildError(f"{given['taken']} tokens were taken and {there} packed", where=given["name"])
        given |= counted
        some = np.flatnonzero(packed[number])
        given["by_epoch"] = [
            {"tokens": int(packed[number][e]), "documents": int(documents[number][e])} for e in some.tolist()
        ]
    if names and filled and not headings.any():
        what = f"no document came with names, of which a share of {names} was wanted"
        raise InputError(what, where="tokens", remedy="run tokens over the corpus again with --headings")
    padding = -filled % length
    made = {"length": length, "sequences": last + 1 if filled else 0, "tokens": filled, "padding": padding}
    written = {**made, "padding_share": padding / max(1, filled + padding), **facts}
    (out.path / "mix.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    return made


def plan(
    tokens: list[Table], shares: Table, *, length: int, unit: str = "document", names: float = 0.0, seed: int = 0
) -> dict[str, Table]:
    """A plan over tables that `mix.take_all` made: the outputs `plan` and `mix`."""
    made = sequences(*tokens, length=length, unit=unit, names=names, seed=seed)
    return {"plan": made, "mix": account(made, shares, length=length, names=names)}
