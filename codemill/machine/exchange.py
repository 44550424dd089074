"""Brings rows with equal keys together and takes what was decided back to where the rows live.

    map     one task per some parts: living rows → keys, cut into P partitions by key       map-00000.arrow
    reduce  one task per partition: all keys of it → verdicts, sorted by (part, row)        reduce-00000.arrow
    gather  only where a step has one: what all partitions found → verdicts                 verdicts.arrow
    align   one task per some parts: their verdicts → layers, row for row                   <id>.parquet

Files are the only channel, so it resumes at the first missing file and runs on any engine. Content never moves. P
follows from the number of rows and the memory of a worker, and changes no result. A layer is named by what is in it:
parts whose verdicts stayed as they were are used again, whatever else came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from codemill.errors import BuildError
from codemill.machine import components, keys
from codemill.machine.books import Books
from codemill.machine.engine import Outcome, Scope, Task, run
from codemill.machine.fill import Site, fill, intact_files
from codemill.machine.identity import digest_of
from codemill.machine.kinds import Exchange
from codemill.machine.layers import Part
from codemill.machine.store import PartWriter, Place, Receipt, sweep
from codemill.machine.table import Call
from codemill.machine.tasks import batches, complete, filtered, key_rows, marked

GROUP_BYTES = 64 << 20
"""Content of the parts that one map or align task takes, so that small parts do not make many files of keys."""

FEW_PARTS = 256
"""Up to so many tasks each takes parts of `GROUP_BYTES`; of more parts each takes more, up to 64 times as much, so that
files and pieces stay few: at 150,000 parts, 10^9 documents, 2,344 files."""

# Of how much of the content each side's progress is counted. A guess: they only weigh the bar.
MAP_SHARE, REDUCE_SHARE, ALIGN_SHARE = 2, 4, 4


@dataclass(frozen=True)
class Inputs:
    """What an exchange reads: the parts of its table with their bytes, and those of further inputs."""

    parts: Sequence[Part]
    sizes: Sequence[int]
    depends: Sequence[str]  # of each part: see Part.depends
    others: Sequence[Part]  # of all further inputs
    rows: int  # living rows of the table
    bytes: int
    other_rows: int


def exchange(site: Site, call: Call, inputs: Inputs, folder: Place, work: Place) -> list[Receipt]:
    """Runs an exchange: `folder` gets a layer for each part, named by what is in it; `work` is for files on the way.

    Returns: the layers' receipts, in order of the parts.
    """
    how = call.step.how
    assert isinstance(how, Exchange)
    if not inputs.parts:
        return []
    weight = how.weight(call.params)
    meeting = sum(part.rows for part in inputs.parts) if how.dropped_too else inputs.rows
    rows = how.keys_of(call.params, meeting, inputs.bytes) + inputs.other_rows
    partitions = max(1, -(-rows * weight // max(1, site.worker_memory // 2)))
    if work.at("partitions.json").read_json() != partitions:
        work.remove_folder()  # half a run with another --memory is of no use to this one
    work.make()
    work.at("partitions.json").write_json(partitions)
    sweep(work)
    starts = _starts(inputs.sizes, heavy=weight > 1024)
    groups = [range(a, b) for a, b in zip(starts, [*starts[1:], len(inputs.parts)], strict=True)]
    names = [name.removesuffix(".json") for name in work.names() if name.endswith(".json")]
    there = intact_files(work, names)  # these files have no checksums of their own

    def write(tasks: Mapping[str, Task]) -> None:
        fill(site, tasks, there)

    maps = _map(write, call, inputs, groups, work, partitions)
    reduces = [f"reduce-{i:05d}" for i in range(partitions)]
    found = [work.at(f"{name}.arrow") for name in maps]
    size = sum(inputs.sizes) // partitions // REDUCE_SHARE
    write(
        {
            name: Task(
                reduce_partition,
                (call, found, work.at(f"{name}.arrow"), (i, partitions), starts),
                f"{call.step.name} {name}",
                size,
                isolates=True,
                uses=call.step.uses,
            )
            for i, name in enumerate(reduces)
        }
    )
    verdicts = _gather(site, write, there, call, starts, work, reduces)
    crashed = [place for name in (*maps, *reduces) for place in there[name].counts.get("crashed", ())]
    receipts: dict[int, Receipt] = {}

    def aligned(outcome: Outcome) -> None:
        assert outcome.result is not None
        receipts.update(outcome.result["layers"])
        site.progress.advance(outcome.task.size)

    run(
        site.engine,
        [
            Task(
                align_group,
                (
                    call,
                    {number: inputs.parts[number] for number in group},
                    {number: inputs.depends[number] for number in group},
                    [work.at(f"{name}.arrow") for name in verdicts],
                    [place for place in crashed if place[0] in group],
                    folder,
                    (i, len(groups)),
                ),
                f"{call.step.name} align {i}",
                sum(inputs.sizes[n] for n in group) // ALIGN_SHARE,
            )
            for i, group in enumerate(groups)
        ],
        aligned,
    )
    return [receipts[number] for number in range(len(inputs.parts))]


def _starts(sizes: Sequence[int], *, heavy: bool) -> list[int]:
    """Where groups of neighbouring parts begin: about `GROUP_BYTES` each, more where parts are many.

    Keys of more than 1 kB of memory (`heavy`) stay in groups of `GROUP_BYTES`: a map task holds those of its parts.
    """
    tasks = sum(sizes) // GROUP_BYTES + 1
    most = GROUP_BYTES * (1 if heavy else min(64, max(1, -(-tasks // FEW_PARTS))))
    starts, held = [0], 0
    for number, size in enumerate(sizes):
        if number > starts[-1] and held + size > most:
            starts.append(number)
            held = 0
        held += size
    return starts


def _map(
    write: components.Write,
    call: Call,
    inputs: Inputs,
    groups: Sequence[range],
    work: Place,
    partitions: int,
) -> list[str]:
    """The map side: a file of keys for each group of parts, and for some of the parts of further inputs."""
    others = [inputs.others[i : i + 16] for i in range(0, len(inputs.others), 16)]
    names = [f"map-{i:05d}" for i in range(len(groups) + len(others))]
    tasks = {
        name: Task(
            map_group,
            (call, {n: inputs.parts[n] for n in group}, work.at(f"{name}.arrow"), partitions),
            f"{call.step.name} {name}",
            sum(inputs.sizes[n] for n in group) // MAP_SHARE,
            isolates=True,
            uses=call.step.uses,
        )
        for name, group in zip(names, groups, strict=False)
    }
    for name, some in zip(names[len(groups) :], others, strict=True):
        arguments = (call, some, work.at(f"{name}.arrow"), partitions)
        tasks[name] = Task(map_others, arguments, f"{call.step.name} {name}", isolates=True, uses=call.step.uses)
    write(tasks)
    return names


def _gather(
    site: Site,
    write: components.Write,
    there: Mapping[str, Receipt],
    call: Call,
    starts: Sequence[int],
    work: Place,
    reduces: Sequence[str],
) -> list[str]:
    """What partitions found becomes verdicts, where a step gathers: the names of the files that have them."""
    how = call.step.how
    assert isinstance(how, Exchange)
    names, stars = list(reduces), False
    if how.finds_pairs:
        names, stars = components.in_rounds(write, there, work, reduces, memory=site.worker_memory // 2)
    if stars:
        return _label(write, call, starts, work, names)
    if how.gather is None:
        return names
    sources = [work.at(f"{name}.arrow") for name in names]
    gathering = (call, sources, work.at("verdicts.arrow"), None, starts)
    write({"verdicts": Task(gather_verdicts, gathering, f"{call.step.name} gather")})
    return ["verdicts"]


def _label(write: components.Write, call: Call, starts: Sequence[int], work: Place, stars: Sequence[str]) -> list[str]:
    """The verdicts on each node of stars, by partitions of nodes."""
    count = len(stars)
    names = {side: [f"label-{side}-{i:05d}" for i in range(count)] for side in ("map", "reduce")}
    places = {name: work.at(f"{name}.arrow") for side in names.values() for name in side}
    write(components.map_tasks("label", names["map"], [work.at(f"{name}.arrow") for name in stars], places))
    maps = [places[name] for name in names["map"]]
    write(
        {
            name: Task(gather_verdicts, (call, maps, places[name], (i, count), starts), f"{call.step.name} {name}")
            for i, name in enumerate(names["reduce"])
        }
    )
    return names["reduce"]


# ── what workers do ───────────────────────────────────────────────────────────────────────────────────────────────


def map_group(call: Call, parts: Mapping[int, Part], target: Place, partitions: int, *, scope: Scope) -> dict[str, Any]:
    """The map side: keys of the living rows of some parts, given by number."""
    call.check()
    how = call.step.how
    assert isinstance(how, Exchange)
    crashed: list[list[int]] = []
    emit = partial(how.emit, **call.params) if how.emit else _as_read
    made = key_rows(parts, call.reads, scope, crashed, emit, dropped_too=how.dropped_too)
    if scope.probing:
        deque(made, maxlen=0)
        return {"rows": sum(part.rows for part in parts.values())}
    cut = partial(_partitions, key=call.key, partitions=partitions)
    receipt = keys.write_keys(target, made, cut=cut, partitions=partitions)
    return keys.kept(target, replace(receipt, counts={"crashed": crashed}))


def _as_read(batch: pa.RecordBatch, rows: Any) -> tuple[pa.RecordBatch, Any]:
    return batch, rows


def _partitions(table: pa.Table, *, key: str, partitions: int) -> Any:
    return keys.partition_of(table.column(key), partitions)


def map_others(call: Call, parts: Sequence[Part], target: Place, partitions: int, *, scope: Scope) -> dict[str, Any]:
    """The map side for further inputs: keys that belong to no row of the table. A row that kills its worker has none;
    it stays in its own table."""
    call.check()
    how = call.step.how
    assert isinstance(how, Exchange)
    assert how.other_keys is not None
    reads = list(how.other_reads(call.params) if callable(how.other_reads) else how.other_reads)
    emit = partial(how.other_keys, **call.params)

    def homeless(batch: pa.RecordBatch, _: Any) -> tuple[pa.RecordBatch, Any]:
        keys_of = emit(batch)
        return keys_of, np.zeros(keys_of.num_rows, dtype=np.int64)

    made = ((batch, -1, rows) for batch, _, rows in key_rows(dict(enumerate(parts)), reads, scope, [], homeless))
    if scope.probing:
        deque(made, maxlen=0)
        return {"rows": sum(part.rows for part in parts)}
    cut = partial(_partitions, key=call.key, partitions=partitions)
    return keys.kept(target, keys.write_keys(target, made, cut=cut, partitions=partitions))


def reduce_partition(
    call: Call,
    maps: Sequence[Place],
    target: Place,
    partition: tuple[int, int],
    group_starts: Sequence[int],
    *,
    scope: Scope,
) -> dict[str, Any]:
    """The reduce side: the keys of one partition (of so many) become verdicts, or what a gather will make them of."""
    call.check()
    how = call.step.how
    assert isinstance(how, Exchange)
    pieces = keys.Pieces(maps, *partition, scope)
    if scope.window is not None:
        if scope.window[0] < scope.window[1]:
            call.step.function(pieces if how.piecewise else pieces.whole(), **call.params)
        return {"rows": pieces.rows()}
    found = call.step.function(pieces if how.piecewise else pieces.whole(), **call.params)
    receipt = keys.write_found(target, found) if how.gather else _decided(call, target, found, group_starts)
    return keys.kept(target, replace(receipt, counts={"crashed": pieces.left_out()}))


def gather_verdicts(
    call: Call,
    sources: Sequence[Place],
    target: Place,
    partition: tuple[int, int] | None,
    group_starts: Sequence[int],
) -> dict[str, Any]:
    """What was found becomes verdicts: by all partitions, in one place; or what components are of the nodes of one
    partition, where they were found in rounds."""
    call.check()
    how = call.step.how
    assert isinstance(how, Exchange)
    assert how.gather is not None
    if partition is not None:
        found = iter([components.labels(sources, partition)])
    else:
        found = keys.read_found(sources)
        found = iter([components.at_once(found)]) if how.finds_pairs else found
    return keys.kept(target, _decided(call, target, how.gather(found, **call.params), group_starts))


def _decided(call: Call, target: Place, verdicts: pa.Table, group_starts: Sequence[int]) -> Receipt:
    adds = [pa.field(name, kind) for name, kind in call.adds.items()]
    return keys.write_verdicts(target, verdicts, group_starts=group_starts, adds=adds)


def align_group(
    call: Call,
    parts: Mapping[int, Part],
    depends: Mapping[int, str],
    reduces: Sequence[Place],
    crashed: Sequence[Sequence[int]],
    folder: Place,
    group: tuple[int, int],
) -> dict[str, Any]:
    """The last pass: verdicts become the layers of some parts, given by number. `group` is the number of the group,
    and of how many."""
    how = call.step.how
    assert isinstance(how, Exchange)
    verdicts = keys.read_verdicts(reduces, *group, how.merge)
    schema, layers = call.schema, {}
    if not set(verdicts["part"].unique().to_pylist()) <= set(parts):
        raise BuildError("an exchange gave a verdict for a part that is not there", where=call.step.name)
    for number, part in parts.items():
        layer = complete(keys.spread(verdicts, number, part.rows), schema, part.rows)
        lost = np.zeros(part.rows, dtype=bool)
        lost[[row for where, row in crashed if where == number]] = True
        layer = marked(layer, lost, "crashed")
        with PartWriter(folder, part.name, schema) as writer:
            books, start = Books(), 0
            for batch, alive in batches(part, []):
                here = layer.slice(start, batch.num_rows)
                start += batch.num_rows
                books.add(filtered(batch, alive)["size"], filtered(here, alive)["reason"])
                writer.write(here)
            named = partial(_name, call.identity, depends[number])
            layers[number] = writer.close(books.counts(), call.step.code, named=named)
    return {"layers": layers}


def _name(identity: str, depends: str, sha256: str) -> str:
    return digest_of([identity, depends, sha256])
