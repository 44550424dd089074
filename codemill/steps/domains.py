"""Counts the pages of each domain that a classifier recalls: a domain with enough of them is about code."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codemill import chance
from codemill.errors import RecipeError
from codemill.machine.table import group
from codemill.web.curves import lower_bound

EXAMPLES = 5
"""URLs of either kind that are shown for a domain."""

DOMAIN = {
    "domain_key": pa.uint64(),
    "domain": pa.string(),
    "pages": pa.int64(),
    "recalled": pa.int64(),
    "share": pa.float64(),
    "lower_bound": pa.float64(),  # of the share
    "is_code": pa.bool_(),
    "examples_recalled": pa.list_(pa.string()),
    "examples_missed": pa.list_(pa.string()),
}


def _check(*, by: str, share: float, min_pages: int, confidence: float) -> None:
    if by not in ("domain", "host"):
        raise RecipeError(f"pages are counted by domain or by host, not by {by!r}")
    for name, value in (("share", share), ("confidence", confidence)):
        if not 0 < value < 1:
            raise RecipeError(f"{name} must be between 0 and 1, got {value!r}")
    if min_pages < 1:
        raise RecipeError(f"min_pages must be at least 1, got {min_pages!r}")


def _keys(pages: pa.RecordBatch, *, by: str, **_: Any) -> pa.RecordBatch:
    # A page without a domain has a key all the same, and each another one: a corpus may have no URL at all.
    key = pa.array(chance.of_names(pc.coalesce(pages[by], pages["path"])))
    recalled = pc.fill_null(pages["is_recalled"], False)
    return pa.record_batch({"domain_key": key, "domain": pages[by], "path": pages["path"], "recalled": recalled})


@group(
    version=1,
    reads=lambda params: (params["by"], "path", "is_recalled"),
    key="domain_key",
    adds=DOMAIN,
    emit=_keys,
    check=_check,
)
def count(
    keys: pa.Table, *, by: str = "domain", share: float = 0.1, min_pages: int = 10, confidence: float = 0.95
) -> pa.Table:
    """Counts pages and recalled pages per domain (or host), and says which domains are about code.

    A domain is about code if it has `min_pages` and one may be `confidence` sure that more than `share` of its pages
    are recalled. Pages without a URL belong to no domain.

    Shape: pages with is_recalled in; one row for each domain out, with some URLs of either kind, in order.
    From: OpenCoder 2.1.2: more than 10 % of the pages; the bound is ours, as 2 of 15 pages may be chance.
    """
    rows = []
    order = [(name, "ascending") for name in ("domain_key", "domain", "path")]
    keys = keys.filter(keys["domain"].is_valid()).sort_by(order)
    ends = keys.group_by(["domain_key", "domain"], use_threads=False).aggregate(
        [([], "count_all"), ("recalled", "sum")]
    )
    ends = ends.sort_by(order[:2])  # Arrow numbers groups that it meets in one batch as it likes
    start = 0
    for key, domain, pages, recalled in zip(*(ends[name].to_pylist() for name in ends.schema.names), strict=True):
        bound = lower_bound(recalled, pages, confidence)
        mine = keys.slice(start, pages)
        start += pages
        urls = [mine.filter(flag)["path"].slice(0, EXAMPLES).to_pylist() for flag in _either(mine["recalled"])]
        is_code = pages >= min_pages and bound > share
        rows.append((key, domain, pages, recalled, recalled / pages, bound, is_code, *urls))
    columns = zip(*rows, strict=True) if rows else [[] for _ in DOMAIN]
    return pa.table([list(column) for column in columns], schema=pa.schema(DOMAIN))


def _either(flags: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    return flags, pc.invert(flags)
