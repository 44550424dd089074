"""Puts the files of a repository into the order of their imports, for those who train on whole repositories."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill import chance
from codemill.columns import one
from codemill.machine.table import exchange
from codemill.steps import _imports

KEY = pa.binary(8)


def _lines(
    documents: pa.RecordBatch, rows: npt.NDArray[np.int64], **_: Any
) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]]:
    """A key for each file: the hash of its repository's name, with its path and its import lines."""
    names = [f"{s}\0{r}" for s, r in zip(documents["source"].to_pylist(), documents["repo"].to_pylist(), strict=True)]
    hashed = {name: hashlib.sha256(name.encode()).digest()[:8] for name in set(names)}
    found = _imports.lines(documents["content"].to_pylist(), documents["language"].to_pylist())
    columns = {
        "repository": pa.array([hashed[name] for name in names], KEY),
        "path": documents["path"],
        "language": documents["language"],
        "imports": pa.array(found, pa.list_(pa.string())),
    }
    return pa.record_batch(columns), rows


@exchange(
    version=2,
    reads=("source", "repo", "path", "language", "content"),
    key="repository",
    adds={"import_rank": pa.int32(), "repo_files": pa.int32(), "repo_hash": pa.uint64()},
    emit=_lines,
    bytes_per_key=2000,
)
def rank(keys: pa.Table) -> pa.Table:
    """Numbers the files of each repository so that a file comes after those that it imports; drops nothing.

    Python, JavaScript, TypeScript, Java, Go, C and C++; other files are numbered by path among them. Circles are cut
    where fewest imports are left.

    Shape: adds import_rank, from 0 in each repository, repo_files, how many files it has, and repo_hash, 64 bits of the
    hash of its source and name. Memory: paths and import lines of the repositories of a partition.
    From: DeepSeek-Coder 2.2 (arXiv 2401.14196), dependency parsing.
    """
    table = keys.sort_by([(name, "ascending") for name in ("repository", "path", "part", "row")])
    coded = table["repository"].combine_chunks().dictionary_encode().indices.to_numpy()
    edges = np.flatnonzero(np.diff(coded, prepend=-1, append=-1))
    ranks = np.zeros(table.num_rows, np.int32)
    files = np.repeat(np.diff(edges), np.diff(edges)).astype(np.int32)
    for start, end in pairwise(edges.tolist()):
        some = table.slice(start, end - start)
        columns = (some[name].to_pylist() for name in ("path", "language", "imports"))
        ranks[start:end] = _imports.ordered(*columns)
    return pa.table(
        {
            "part": table["part"],
            "row": table["row"],
            "import_rank": pa.array(ranks),
            "repo_files": pa.array(files),
            "repo_hash": pa.array(chance.leading(one(table["repository"]))),
        }
    )
