"""Keeps a part of the documents of some languages, the same ones on every run and every machine.

    fraction   a share of the documents: each is decided for itself              a layer
    budget     bytes, or another measure, of each language: content_bytes → spread → limit → within
               (`spread` is a group of narrow keys, `limit` one row for each language)

Both draw by the hash of a document's content as it was ingested, so copies, forks and later crawls meet one fate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import languages
from codemill.chance import draws
from codemill.errors import RecipeError
from codemill.machine.components import mixed
from codemill.machine.reading import Reading
from codemill.machine.table import Table, group, step

PURPOSE = "sample"
"""One draw for all ways to sample: what is left by one of them is as it would be left by another."""


def _check(*, keep: Mapping[str, float], seed: int) -> None:
    for language, share in keep.items():
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise RecipeError(f"a fraction must be between 0 and 1, got {share!r}", where=f"keep[{language!r}]")
        languages.get(language)


def _by_key(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    """Languages by their keys, however they were named."""
    return {**params, "keep": _keyed(params["keep"])}


def _keyed(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        key = languages.get(name).name
        if key in found:
            raise RecipeError(f"{key} is named twice, once as {name!r}", remedy="name it once")
        found[key] = value
    return found


@step(
    version=2,
    reads=("content_sha256", "language"),
    adds={"reason": pa.string(), "value": pa.string()},
    check=_check,
    resolve=_by_key,
    drops={"not_sampled": "left out by the sample of its language"},
)
def fraction(documents: pa.RecordBatch, *, keep: Mapping[str, float], seed: int = 0) -> pa.RecordBatch:
    """Keeps about the given fraction of each language's documents; languages that are not named are kept whole.

    A document stays if a draw by (seed, the hash of its content as ingested) falls below the fraction. So the sample
    does not depend on order, shards, workers or commits that left the file alone; a smaller fraction is a subset of a
    larger one; and a growing corpus keeps what it kept. The reason is `not_sampled`, the value the fraction.
    Raises: RecipeError for a fraction outside 0…1 or an unknown language. From: OpenCoder 2.1.1, sampling.
    """
    limits = np.array([keep.get(language or "", 1.0) for language in documents["language"].to_pylist()])
    lost = draws(documents["content_sha256"], seed=seed, purpose=PURPOSE) >= limits
    return pa.record_batch(
        {
            "reason": pa.array(["not_sampled" if gone else None for gone in lost], pa.string()),
            "value": pa.array([f"{limits[i]:g}" if gone else None for i, gone in enumerate(lost)], pa.string()),
        }
    )


# ── budgets ───────────────────────────────────────────────────────────────────────────────────────────────────────


def budget(
    documents: Table,
    *,
    amounts: Mapping[str, int] | None = None,
    shares: Mapping[str, float] | None = None,
    of: str = "bytes",
    favour: str | None = None,
    seed: int = 0,
) -> Table:
    """Keeps of each language as many documents as its budget holds; languages that are not named are kept whole.

    `amounts` are budgets in units of `of`, `shares` in parts of what the language has. `of="bytes"` counts the UTF-8 of
    the content as it stands; else it names a column of numbers that an earlier step adds, such as a count of tokens.
    `favour` names a column of numbers by which documents are preferred: one with twice the number is kept twice as
    often, as far as it is not kept anyway. Null: counts nothing in `of`, and 1 in `favour`.

    Documents are taken in the order of their draws, by the hash of their content, until the next 0.1 % would not fit:
    a budget is never exceeded. What is promised:

    - The choice is the same for any order, shards and workers.
    - A larger budget keeps all that a smaller one keeps.
    - When a language grows and its budget does not, what is kept of the old documents is a part of what was kept
      before: some go to make room for new ones, and none that was left out comes back. `fraction` keeps all it kept.

    The reason is `over_budget`, the value the budget.
    Raises: RecipeError for a budget that is none, or an unknown language.
    From: OpenCoder 2.1.1 (Java 449 → 200 GB, HTML 474 → 64 GB). Duffield, Lund, Thorup, "Priority sampling for
    estimation of arbitrary subset sums", J. ACM 2007 (draw / weight, the smallest are kept).
    """
    amounts, shares = _keyed(amounts or {}), _keyed(shares or {})
    wanted = {**amounts, **shares}
    _check_budgets(amounts, shares)
    if of == "bytes":
        documents, of = content_bytes(documents), "content_bytes"
    drawn = {"languages": sorted(wanted), "favour": favour, "seed": seed}
    limits = limit(spread(documents, of=of, **drawn), languages=sorted(wanted), amounts=amounts, shares=shares)
    return within(documents, limits, **drawn)


def _check_budgets(amounts: Mapping[str, int], shares: Mapping[str, float]) -> None:
    _check(keep=shares, seed=0)
    for language, amount in amounts.items():
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
            raise RecipeError(f"a budget must be a whole number, got {amount!r}", where=f"amounts[{language!r}]")
        languages.get(language)
        if language in shares:
            raise RecipeError(f"{language} has two budgets", remedy="give it in amounts or in shares, not in both")
    if not amounts and not shares:
        raise RecipeError("there is no budget", remedy='such as shares={"java": 0.45}')


@step(version=1, reads=("content",), adds={"content_bytes": pa.int64()})
def content_bytes(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Measures the bytes of UTF-8 of each document's content as it stands, after all cleaning."""
    return pa.record_batch({"content_bytes": pc.binary_length(documents["content"]).cast(pa.int64())})


BUCKET_BITS = 42
"""Of a draw's 52 bits of fraction these are left out of its bucket: 1024 buckets between a number and its double, so
that a bucket on the border holds about 0.1 % of what is kept, whatever share that is. A language has at most some ten
thousand of them that are not empty."""

UNLIMITED = 1 << 62


def _buckets(documents: pa.RecordBatch, favour: str | None, seed: int) -> npt.NDArray[np.int64]:
    """The bucket of each document's draw: the leading bits of a positive float, which sort as the float does.

    Why a division and no logarithm: its result is the same on every machine.
    """
    positions = draws(documents["content_sha256"], seed=seed, purpose=PURPOSE)
    if favour is not None:
        weights = pc.fill_null(documents[favour].cast(pa.float64()), 1.0).to_numpy(zero_copy_only=False)
        positive = np.where(weights > 0, weights, 1.0)  # NaN is not positive
        with np.errstate(over="ignore"):
            positions = np.where(weights > 0, positions / positive, np.inf)
    return (positions.view(np.uint64) >> np.uint64(BUCKET_BITS)).astype(np.int64)


def _numbered(language: pa.Array, named: Sequence[str]) -> npt.NDArray[np.int64]:
    """The number of each document's language among those named; -1: not named, or unknown."""
    where = pc.index_in(language, value_set=pa.array(named, pa.string()))
    numbers: npt.NDArray[np.int64] = pc.fill_null(where, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _columns_drawn(params: Mapping[str, Any]) -> tuple[str, ...]:
    favour = params["favour"]
    return ("content_sha256", "language", *([favour] if favour else []))


def _by_bucket(
    documents: pa.RecordBatch, *, of: str, languages: Sequence[str], favour: str | None, seed: int
) -> pa.RecordBatch:
    number, bucket = _numbered(documents["language"], languages), _buckets(documents, favour, seed)
    amount = pc.fill_null(documents[of].cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False)
    key = mixed(((number + 1) << 22 | bucket).astype(np.uint64))  # a bucket has 22 bits
    return pa.record_batch(
        {"bucket_key": key, "number": number, "bucket": bucket, "amount": np.floor(amount).astype(np.int64)}
    )


@group(
    version=1,
    reads=lambda params: (*_columns_drawn(params), params["of"]),
    key="bucket_key",
    adds={"bucket_key": pa.uint64(), "number": pa.int64(), "bucket": pa.int64(), "amount": pa.int64()},
    emit=_by_bucket,
)
def spread(keys: pa.Table, *, of: str, languages: Sequence[str], favour: str | None, seed: int) -> pa.Table:
    """Sums for each language how much of it has draws in which bucket.

    Shape: a narrow key for each document in; one row for each language that is named and bucket out.
    """
    keys = keys.filter(pc.greater_equal(keys["number"], 0))
    summed = keys.group_by(["bucket_key", "number", "bucket"], use_threads=False).aggregate([("amount", "sum")])
    return summed.rename_columns(["bucket_key", "number", "bucket", "amount"]).sort_by("bucket_key")


LIMITS = {
    "language_key": pa.uint64(),
    "language": pa.string(),
    "found": pa.int64(),  # how much there is of the language
    "budget": pa.int64(),
    "kept": pa.int64(),  # how much of it is kept
    "limit": pa.int64(),  # the first bucket that is not
}


def _by_language(buckets: pa.RecordBatch, **_: Any) -> pa.RecordBatch:
    key = mixed(buckets["number"].to_numpy().astype(np.uint64))
    return buckets.append_column("language_key", pa.array(key))


@group(
    version=1,
    reads=("number", "bucket", "amount"),
    key="language_key",
    adds=LIMITS,
    emit=_by_language,
)
def limit(
    keys: pa.Table, *, languages: Sequence[str], amounts: Mapping[str, int], shares: Mapping[str, float]
) -> pa.Table:
    """Finds for each language the bucket at which its budget is full.

    Shape: the buckets of all languages in; one row for each language out: what it has, its budget, what is kept.
    """
    rows = []
    for number in pc.unique(keys["number"]).to_pylist():  # in the order of their keys
        mine = keys.filter(pc.equal(keys["number"], number)).sort_by("bucket")
        buckets, sums = mine["bucket"].to_numpy(), np.cumsum(mine["amount"].to_numpy())
        name, found = languages[number], int(sums[-1])
        allowed = amounts[name] if name in amounts else int(found * shares[name])
        fit = int(np.searchsorted(sums, allowed, "right"))
        end = int(buckets[fit]) if fit < len(buckets) else UNLIMITED
        kept = int(sums[fit - 1]) if fit else 0
        rows.append((mine["language_key"][0].as_py(), name, found, allowed, kept, end))
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(LIMITS)}, schema=pa.schema(LIMITS))


@step(
    version=1,
    reads=_columns_drawn,
    adds={"reason": pa.string(), "value": pa.string()},
    drops={"over_budget": "left out because the budget of its language was full"},
)
def within(
    documents: pa.RecordBatch, limits: Reading, *, languages: Sequence[str], favour: str | None, seed: int
) -> pa.RecordBatch:
    """Drops the documents beyond the limits of their languages (see `budget`)."""
    found = {row["language"]: row for row in limits.table(["language", "limit", "budget"]).to_pylist()}
    none = {"limit": UNLIMITED, "budget": ""}
    rows = [found.get(language, none) for language in (*languages, None)]
    number = _numbered(documents["language"], languages) % len(rows)  # the last: not named
    gone = pa.array(_buckets(documents, favour, seed) >= np.array([row["limit"] for row in rows])[number])
    said = pa.array([str(row["budget"]) for row in rows]).take(pa.array(number))
    null = pa.scalar(None, pa.string())
    return pa.record_batch(
        {
            "reason": pc.if_else(gone, "over_budget", null),
            "value": pc.if_else(gone, said, null),
        }
    )
