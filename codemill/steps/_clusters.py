"""Clusters of near-copies of files, repositories or chunks: links candidates and elects the best of each cluster."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill.machine.keys import group_by_key

BEST_FIRST = (
    ("stars", "descending"),
    ("commit_time", "descending"),
    ("repo", "ascending"),
    ("path", "ascending"),
    ("id", "ascending"),  # of one repository in two revisions, or given twice
    ("part", "ascending"),
    ("row", "ascending"),
)
"""Which copy is kept: most stars, then latest commit, unknown last; then the first by repository and path, so that what
repositories share is kept of one of them and stays together."""

COPY_BYTES = 700
"""Memory of the key of a copy, about 175 bytes with repository and path, which is held in four forms."""


def linked(keys: pa.Table, nodes: npt.NDArray[np.uint64]) -> pa.Table:
    """Pairs `a`, `b` of nodes: each node is linked to the first with an equal `band_key`, never all to all."""
    table = pa.table({"band_key": keys["band_key"], "node": pa.array(nodes), "part": keys["part"]})
    table, first = group_by_key(table, "band_key", [("node", "ascending")])
    nodes = table["node"].to_numpy()
    others = first != np.arange(len(first))
    return pa.table({"a": pa.array(nodes[others]), "b": pa.array(nodes[first[others]])})


def elected(keys: pa.Table, *further: str) -> tuple[pa.Table, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Members of clusters sorted so that the best is the first of each, then by `further` columns.

    Returns: the table; for each row, which row is its cluster's best; and how many members the cluster has.
    """
    table, first = group_by_key(keys, "cluster", [*BEST_FIRST, *((name, "ascending") for name in further)])
    return table, first, np.bincount(first, minlength=table.num_rows)[first]


def keeper_numbers(ids: pa.Array) -> pa.Array:
    """The first 64 bits of ids (32 hex digits, which are a hash) as uint64.

    As a cluster number it depends only on the members. Two of n clusters have the same number with probability
    n^2 / 2^65: one in 4,000 for a hundred million.
    """
    flat = bytes.fromhex("".join(id[:16] for id in ids.to_pylist()))
    return pa.array(np.frombuffer(flat, dtype=">u8").astype(np.uint64))
