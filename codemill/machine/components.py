"""Connected components of pairs: at once where they fit the memory of a worker, else in rounds through files.

    at once   one task reads all pairs into a forest: about 60 bytes of memory for each node
    rounds    large star, small star, large star … until every node is a neighbour of its component's smallest alone

In a *large star* every node ties its larger neighbours to the smallest one it knows (itself among them); in a *small
star* its smaller ones. Neither cuts a component in two nor makes more pairs; together they end in stars after about
log² n rounds. A node's neighbours meet in one partition but need not be there at once: what is held is the smallest
and the largest of each node, and pairs stream past it, so that one huge component is no exception.

Either way a node is labelled with the smallest node of its component, so the result is the same.

From: Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii, "Connected Components in MapReduce and Beyond", 2014.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill import _core
from codemill.machine import keys
from codemill.machine.engine import Task
from codemill.machine.store import Place, Receipt

PAIR_BYTES = 100
"""Memory of a pair while all are joined at once: two nodes that are in no other pair take 16 + 2 x 28, and a batch."""

Nodes: TypeAlias = npt.NDArray[np.uint64]
Write: TypeAlias = Callable[[Mapping[str, Task]], None]

_FOLDED = 1 << 20  # pairs or nodes that wait, at least, before they are folded into what is held
_RUN = 1 << 21  # pairs that are read, sorted and written at a time


def at_once(pairs: Iterator[pa.Table]) -> pa.Table:
    """Each node of the pairs `a`, `b` as `a`, with the smallest node it is connected with as `b`.

    Memory: about 60 bytes for each node, not for each pair: pairs are folded into a forest of one per node as they
    come, whenever as many are waiting as the forest has.
    """
    forest = waiting = pa.table({"a": pa.array([], pa.uint64()), "b": pa.array([], pa.uint64())})
    for table in pairs:
        waiting = pa.concat_tables([waiting, table])
        if waiting.num_rows > max(_FOLDED, forest.num_rows):
            forest, waiting = _forest(pa.concat_tables([forest, waiting])), forest.slice(0, 0)
    return _forest(pa.concat_tables([forest, waiting]))


def _forest(pairs: pa.Table) -> pa.Table:
    nodes, roots = _core.components(pairs["a"].combine_chunks(), pairs["b"].combine_chunks())
    return pa.table({"a": nodes, "b": roots})


def in_rounds(
    write: Write, there: Mapping[str, Receipt], folder: Place, found: Sequence[str], *, memory: int
) -> tuple[list[str], bool]:
    """Rounds until the pairs are few enough for `memory` bytes, or are stars.

    `write` runs tasks by the name of the file they write, those apart that are `there`; `found` names the files of
    pairs to begin with, one for each partition. A round's files are removed when the next one's are complete, and a
    run that was killed goes on with the last complete one.

    Returns: the files that have the pairs now, and whether they are stars (each node paired with its smallest alone).
    """
    partitions = len(found)

    def names(number: int, side: str = "reduce") -> list[str]:
        if not number:
            return list(found)
        return [f"round-{number}-{side}-{i:05d}" for i in range(partitions)]

    begun = {int(name.split("-")[1]) for name in there if name.startswith("round-")}
    number = max((n for n in begun if set(names(n)) <= set(there)), default=0)
    while True:
        receipts = [there[name] for name in names(number)]
        if number % 2 and not sum(r.counts["unsettled"] for r in receipts):
            return names(number), True
        if sum(r.rows for r in receipts) * PAIR_BYTES <= memory:
            return names(number), False
        number += 1
        kind = "large" if number % 2 else "small"
        places = {n: folder.at(f"{n}.arrow") for n in (*names(number - 1), *names(number, "map"), *names(number))}
        maps = [places[name] for name in names(number, "map")]
        write(map_tasks(kind, names(number, "map"), [places[name] for name in names(number - 1)], places))
        write(
            {
                name: Task(reduce_round, (kind, maps, places[name], (i, partitions)), f"{kind} star {name}")
                for i, name in enumerate(names(number))
            }
        )
        for name in [*names(number, "map"), *(names(number - 1) if number > 1 else ())]:
            folder.at(f"{name}.json").remove()  # first: a receipt without its file would be taken for damage
            places[name].remove()


def map_tasks(
    kind: str, names: Sequence[str], sources: Sequence[Place], places: Mapping[str, Place]
) -> dict[str, Task]:
    """The map side of a round, by the name of the file that each task writes."""
    return {
        name: Task(map_round, (kind, source, places[name], len(names)), f"{kind} {name}")
        for name, source in zip(names, sources, strict=True)
    }


def map_round(kind: str, source: Place, target: Place, partitions: int) -> dict[str, Any]:
    """Sends each pair of a file to the partitions of the nodes that have a use for it, as `node`, `other`."""

    def runs() -> Iterator[tuple[pa.Table, list[int]]]:
        for pairs in _runs(keys.read_found([source])):
            node, other = _sent(kind, pairs["a"].to_numpy(), pairs["b"].to_numpy())
            where = (mixed(node) % np.uint64(partitions)).astype(np.int64)
            table = pa.table({"node": pa.array(node), "other": pa.array(other)})
            yield keys.by_partition(table, where, partitions)

    return keys.kept(target, keys.write_runs(target, runs()))


def _runs(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of `_RUN` rows, the last with fewer, one at least.

    Why: each run of a map is a piece of every partition, and each piece of a reduce was a batch of the next map:
    without this, small ones would multiply from round to round.
    """
    waiting: list[pa.Table] = []
    for table in tables:
        while sum(t.num_rows for t in waiting) + table.num_rows > _RUN:
            room = _RUN - sum(t.num_rows for t in waiting)
            yield pa.concat_tables([*waiting, table.slice(0, room)])
            waiting, table = [], table.slice(room)
        if table.num_rows or not waiting:
            waiting.append(table)
    yield pa.concat_tables(waiting)


def _sent(kind: str, a: Nodes, b: Nodes) -> tuple[Nodes, Nodes]:
    a, b = a[a != b], b[a != b]
    high, low = np.maximum(a, b), np.minimum(a, b)
    if kind == "large":
        return _distinct(np.concatenate([high, low]), np.concatenate([low, high]))
    if kind == "small":
        return _distinct(high, low)
    return _distinct(np.concatenate([high, low]), np.concatenate([low, low]))  # label: the smallest labels itself


def _distinct(a: Nodes, b: Nodes) -> tuple[Nodes, Nodes]:
    order = np.lexsort((b, a))
    a, b = a[order], b[order]
    new = np.ones(len(a), dtype=bool)
    new[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return a[new], b[new]


def reduce_round(kind: str, maps: Sequence[Place], target: Place, partition: tuple[int, int]) -> dict[str, Any]:
    """The pairs that the nodes of one partition make. Its receipt counts nodes that are `unsettled`: neither the
    smallest of a star nor tied to one other alone."""
    pieces = keys.Pieces(maps, *partition)
    nodes, low, high = _extremes(pieces)
    settled = (low > nodes) | ((low == high) & (low < nodes))

    def runs() -> Iterator[tuple[pa.Table, list[int]]]:
        if kind == "small":
            yield _pairs(nodes, low)
        for piece in _runs(pieces):
            node, other = piece["node"].to_numpy(), piece["other"].to_numpy()
            least = low[np.searchsorted(nodes, node)]
            here = other > node if kind == "large" else other != least
            yield _pairs(*_distinct(other[here], np.minimum(node, least)[here]))

    receipt = keys.write_runs(target, runs())
    return keys.kept(target, dataclasses.replace(receipt, counts={"unsettled": int((~settled).sum())}))


def labels(maps: Sequence[Place], partition: tuple[int, int]) -> pa.Table:
    """Each node of one partition as `a` with the smallest of its component as `b`, of stars sent as "label"."""
    nodes, low, _ = _extremes(keys.Pieces(maps, *partition))
    return _pairs(nodes, low)[0]


def _pairs(a: Nodes, b: Nodes) -> tuple[pa.Table, list[int]]:
    return pa.table({"a": pa.array(a), "b": pa.array(b)}), [0, len(a)]


def _extremes(pieces: keys.Pieces) -> tuple[Nodes, Nodes, Nodes]:
    """The nodes of a partition, ascending, and the smallest and the largest neighbour of each."""
    held = waiting = [np.empty(0, dtype=np.uint64)] * 3
    for piece in _runs(pieces):
        node, other = piece["node"].to_numpy(), piece["other"].to_numpy()
        waiting = [np.concatenate(both) for both in zip(waiting, _smallest([node, other, other]), strict=True)]
        if len(waiting[0]) > max(_FOLDED, len(held[0])):
            held = _smallest([np.concatenate(both) for both in zip(held, waiting, strict=True)])
            waiting = [column[:0] for column in waiting]
    nodes, low, high = _smallest([np.concatenate(both) for both in zip(held, waiting, strict=True)])
    return nodes, low, high


def _smallest(columns: list[Nodes]) -> list[Nodes]:
    """(node, low, high) with one row per node."""
    if not len(columns[0]):
        return columns
    order = np.argsort(columns[0], kind="stable")
    node, low, high = (column[order] for column in columns)
    starts = np.flatnonzero(np.concatenate([[True], node[1:] != node[:-1]]))
    return [node[starts], np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)]


def mixed(numbers: Nodes) -> Nodes:
    """A bijection of 64-bit numbers that looks random (splitmix64), as an exchange wants its keys."""
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
