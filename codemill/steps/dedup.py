"""Removes copies, keeping the best one.

Nearly three quarters of the files of a large crawl are exact copies of others (OpenCoder 2.1.1), so this comes
before anything that is expensive per file.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from codemill.exchange import group_by_key
from codemill.table import VERDICT, exchange

BEST_FIRST = (
    ("stars", "descending"),
    ("commit_time", "descending"),
    ("id", "ascending"),
    ("part", "ascending"),  # two rows can have one id if an input is given twice
    ("row", "ascending"),
)
"""Which copy is kept: most stars, then latest commit, unknown last; then an order that depends on nothing else."""


@exchange(
    version=1,
    reads=lambda params: (params["hash"], "id", "stars", "commit_time"),
    key="$hash",
    adds={name: VERDICT[name] for name in ("reason", "kept_id", "similarity")},
)
def exact(keys: pa.Table, *, hash: str = "content_sha256") -> pa.Table:
    """Drops all but the best of the documents whose `hash` is equal (reason `duplicate`).

    Shape: one key row per living document in; one verdict row per dropped document out. `kept_id` names the copy
    that was kept, `similarity` is 1.0. From: OpenCoder 2.1.1 (SHA-256; highest stars, then latest commit time).
    """
    table, first = group_by_key(keys, hash, BEST_FIRST)
    lost = first != np.arange(table.num_rows)
    dropped = table.filter(pa.array(lost))
    rows = dropped.num_rows
    return pa.table(
        {
            "part": dropped["part"],
            "row": dropped["row"],
            "reason": pa.array(["duplicate"] * rows, pa.string()),
            "kept_id": table["id"].take(pa.array(first[lost])),
            "similarity": pa.array(np.ones(rows, dtype=np.float32)),
        }
    )
