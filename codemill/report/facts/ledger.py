"""What a report says, as plain data: every figure is computed here, from OUT's manifest, ledger and corpus.

Memory: one narrow cube (language × verdict × reason × size class) is aggregated in a single streamed pass and
holds as many rows as there are kinds of documents, never as there are documents. The two groupings whose keys
grow with the corpus (repositories, kept copies) run in slices of about `GROUPS_AT_ONCE` keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from codemill.run import Run

GROUPS_AT_ONCE = 2_000_000
"""Keys held at a time while grouping; more keys take more passes over the ledger."""

EXACT, NEAR = ("duplicate", "clean_duplicate"), "near_duplicate"  # the reasons of what was dropped as a copy
COPIES_OF = *EXACT, NEAR

EXAMPLES = 4  # files shown for each reason
SAMPLES = 6  # kept documents shown
TOP_REPOS = 12
TOP_COPIES = 12
EXCERPT_LINES = 22
EXCERPT_COLUMNS = 160

Row = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """Everything a report shows. Rows are plain dictionaries in the order in which they are shown."""

    manifest: dict[str, Any]
    ledger: Row  # found, kept, found_bytes, kept_bytes: counted in the ledger itself
    drops: tuple[Row, ...]  # step, reason, rows, bytes: likewise, most rows first
    corpus_rows: int  # counted in the corpus' own footers
    languages: tuple[Row, ...]  # language, doc_type, found, kept, found_bytes, kept_bytes
    sources: tuple[Row, ...]  # source, then as for languages
    sizes: tuple[Row, ...]  # bits (sizes in [2**(bits-1), 2**bits)), then likewise
    repos: Row  # repos, emptied: how many there are, and how many lost every file
    losers: tuple[Row, ...]  # repo, found, kept, found_bytes, kept_bytes: most files dropped first
    keepers: tuple[Row, ...]  # likewise, most files kept first
    copies: Row  # originals, copies, bytes: of what was dropped as an exact copy
    most_copied: tuple[Row, ...]  # the kept copy's ledger row with copies and copied_bytes
    near_copies: Row  # the same of near-copies: originals is the number of clusters
    largest_clusters: tuple[Row, ...]  # as most_copied, with least and most, the range of similarities
    cluster_sizes: dict[int, int]  # documents, the kept one included → clusters of this size
    similarities: dict[int | None, int]  # in half per cent, rounded down (200 = all, null = not measured) → files
    lost_languages: tuple[Row, ...]  # language, found, exact, exact_bytes, near, near_bytes: most files lost first
    lost_sources: tuple[Row, ...]  # source, then likewise
    chunks: Row | None  # see `chunk_totals`
    examples: dict[tuple[str, str], tuple[Row, ...]]  # (step, reason) → ledger rows
    samples: tuple[Row, ...]  # a kept document's ledger row with excerpt, first_line, lines


def gather(run: Run) -> Facts:
    """Reads a finished run. Raises: InputError if it has no ledger, or if that or the corpus cannot be read."""
    ledger = run.ledger()
    with run.readable():
        cube = _cube(ledger)
        drops = _drops(cube)
        kept = pl.col("verdict") == "kept"
        return Facts(
            manifest=run.manifest,
            ledger=_totals(cube),
            drops=drops,
            corpus_rows=sum(part.rows for part in run.parts("corpus")),
            languages=languages(cube),
            sources=_before_after(cube, "source", -pl.col("found")),
            sizes=_before_after(cube, "bits"),
            **_repositories(ledger),
            **_duplicates(ledger),
            similarities=_similarities(ledger),
            lost_languages=_lost(cube, "language"),
            lost_sources=_lost(cube, "source"),
            chunks=chunk_totals(ledger),
            examples=_examples(ledger, drops),
            samples=_samples(run, ledger.filter(kept), languages(cube)),
        )


def collect(frame: pl.LazyFrame) -> pl.DataFrame:
    """Runs a query on Polars' streaming engine."""
    return frame.collect(engine="streaming")


def _cube(ledger: pl.LazyFrame) -> pl.DataFrame:
    size = pl.col("size").fill_null(0)
    bits = (64 - size.clip(lower_bound=0).bitwise_leading_zeros().cast(pl.Int64)).alias("bits")
    keys = ["source", "language", "doc_type", "verdict", "step", "reason"]
    return collect(ledger.group_by(*keys, bits).agg(rows=pl.len().cast(pl.Int64), bytes=size.sum()))


def _totals(cube: pl.DataFrame) -> Row:
    return cube.select(**four()).to_dicts()[0]


def four() -> dict[str, pl.Expr]:
    """Files and bytes, before and after, as aggregates of the cube (or of anything with the same columns)."""
    kept = pl.col("verdict") == "kept"
    return {
        "found": pl.col("rows").sum(),
        "kept": pl.col("rows").filter(kept).sum(),
        "found_bytes": pl.col("bytes").sum(),
        "kept_bytes": pl.col("bytes").filter(kept).sum(),
    }


def _before_after(cube: pl.DataFrame, key: str, *order: pl.Expr) -> tuple[Row, ...]:
    frame = cube.group_by(key).agg(**four())
    return tuple(frame.sort(*order, key, nulls_last=True).to_dicts())


def languages(cube: pl.DataFrame) -> tuple[Row, ...]:
    """A row per language, with its type; files dropped before detection have neither."""
    frame = cube.group_by("language").agg(pl.col("doc_type").max(), **four())
    return tuple(frame.sort(-pl.col("found"), "language", nulls_last=True).to_dicts())


def language_rows(ledger: pl.LazyFrame) -> tuple[Row, ...]:
    """`languages` straight from the ledger, for the terminal."""
    return languages(_cube(ledger))


def _drops(cube: pl.DataFrame) -> tuple[Row, ...]:
    dropped = cube.filter(pl.col("verdict") != "kept").group_by("step", "reason")
    frame = dropped.agg(pl.col("rows").sum(), pl.col("bytes").sum())
    return tuple(frame.sort(-pl.col("rows"), "step", "reason", nulls_last=True).to_dicts())


def _slices(frame: pl.LazyFrame, key: str) -> Iterator[pl.LazyFrame]:
    """The frame in slices that share no key, each with about `GROUPS_AT_ONCE` keys at most."""
    distinct = collect(frame.select(pl.col(key).approx_n_unique())).item() or 0
    slices = distinct // GROUPS_AT_ONCE + 1
    for i in range(slices):
        yield frame if slices == 1 else frame.filter(pl.col(key).hash(0) % slices == i)


def _repositories(ledger: pl.LazyFrame) -> dict[str, Any]:
    rows = ledger.select("repo", "verdict", rows=pl.lit(1, pl.Int64), bytes=pl.col("size").fill_null(0))
    repos = emptied = 0
    losers: list[pl.DataFrame] = []
    keepers: list[pl.DataFrame] = []
    lost = pl.col("found") - pl.col("kept")
    for piece in _slices(rows, "repo"):
        frame = collect(piece.group_by("repo").agg(**four()))
        repos += len(frame)
        emptied += frame.filter(pl.col("kept") == 0).height
        losers.append(frame.filter(lost > 0).sort(-lost, "repo").head(TOP_REPOS))
        keepers.append(frame.filter(pl.col("kept") > 0).sort(-pl.col("kept"), "repo").head(TOP_REPOS))
    return {
        "repos": {"repos": repos, "emptied": emptied},
        "losers": tuple(pl.concat(losers).sort(-lost, "repo").head(TOP_REPOS).to_dicts()),
        "keepers": tuple(pl.concat(keepers).sort(-pl.col("kept"), "repo").head(TOP_REPOS).to_dicts()),
    }


def _duplicates(ledger: pl.LazyFrame) -> dict[str, Any]:
    copies = ledger.filter(pl.col("kept_id").is_not_null())
    exact, top, _ = _clusters(ledger, copies.filter(pl.col("reason").ne_missing(NEAR)))
    near, largest, sizes = _clusters(ledger, copies.filter(pl.col("reason") == NEAR))
    return {
        "copies": exact,
        "most_copied": top,
        "near_copies": near,
        "largest_clusters": largest,
        "cluster_sizes": sizes,
    }


def _clusters(ledger: pl.LazyFrame, copies: pl.LazyFrame) -> tuple[Row, tuple[Row, ...], dict[int, int]]:
    """Copies by the document that was kept for them: totals, those with the most, and how many there are of a size."""
    rows = copies.select("kept_id", "size", "similarity")
    total = {"originals": 0, "copies": 0, "bytes": 0}
    tops: list[pl.DataFrame] = []
    sizes: Counter[int] = Counter()
    similarity = pl.col("similarity")
    for piece in _slices(rows, "kept_id"):
        counts = {"copies": pl.len().cast(pl.Int64), "copied_bytes": pl.col("size").sum()}
        frame = collect(piece.group_by("kept_id").agg(**counts, least=similarity.min(), most=similarity.max()))
        total["originals"] += len(frame)
        total["copies"] += int(frame["copies"].sum())
        total["bytes"] += int(frame["copied_bytes"].sum())
        tops.append(frame.sort(-pl.col("copies"), -pl.col("copied_bytes"), "kept_id").head(TOP_COPIES))
        sizes.update(dict(frame.group_by(pl.col("copies") + 1).len().iter_rows()))
    order = [-pl.col("copies"), -pl.col("copied_bytes"), pl.col("kept_id")]
    top = pl.concat(tops).sort(order).head(TOP_COPIES)
    kept = collect(ledger.filter(pl.col("id").is_in(top["kept_id"].to_list())))
    named = top.join(kept.drop("kept_id"), left_on="kept_id", right_on="id", how="left").sort(order)
    return total, tuple(named.rename({"kept_id": "id"}).to_dicts()), dict(sorted(sizes.items()))


def _similarities(ledger: pl.LazyFrame) -> dict[int | None, int]:
    # A float32 of 0.955 is a little less than that, hence the 0.001.
    half = (pl.col("similarity").cast(pl.Float64) * 200 + 0.001).floor().cast(pl.Int64)
    near = ledger.filter(pl.col("reason") == NEAR).group_by(half.alias("half")).len()
    return dict(collect(near.sort("half", nulls_last=True)).iter_rows())


def chunk_totals(ledger: pl.LazyFrame) -> Row | None:
    """How many chunks there were (`total`) and went (`removed`); of how many `documents` that others were left of, and
    how many chunks (`cut`) and `bytes` went there. None where no run looked for chunks."""
    total, removed, size = (pl.col("chunks").struct.field(name) for name in ("total", "removed", "bytes"))
    part = (removed > 0) & (removed < total)
    row = collect(
        ledger.filter(pl.col("chunks").is_not_null()).select(
            rows=pl.len(),
            total=total.sum().cast(pl.Int64),
            removed=removed.sum().cast(pl.Int64),
            documents=part.sum().cast(pl.Int64),
            cut=removed.filter(part).sum().cast(pl.Int64),
            bytes=size.filter(part).sum(),
        )
    ).to_dicts()[0]
    return row if row.pop("rows") else None


def _lost(cube: pl.DataFrame, key: str) -> tuple[Row, ...]:
    near = pl.col("reason") == NEAR
    exact = pl.col("reason").is_in(EXACT)
    counts = {"exact": pl.col("rows").filter(exact), "exact_bytes": pl.col("bytes").filter(exact)}
    counts |= {"near": pl.col("rows").filter(near), "near_bytes": pl.col("bytes").filter(near)}
    sums = {name: expression.sum() for name, expression in counts.items()}
    frame = cube.group_by(key).agg(found=pl.col("rows").sum(), found_bytes=pl.col("bytes").sum(), **sums)
    lost = pl.col("exact") + pl.col("near")
    return tuple(frame.filter(lost > 0).sort(-lost, key, nulls_last=True).to_dicts())


def _pick(rows: pl.LazyFrame, groups: list[tuple[Row, int]], wanted: int) -> list[Row]:
    """For each group (its key, its rows): the `wanted` rows with the smallest id, read from its end.

    Why: an id is a hash, so this is a fair sample, the same on every run. Ties in dedup go to the smallest id
    read from its start, so its end is the independent half. Rows that cannot be among the smallest are left
    out while streaming: of n rows about 40 stay.
    """
    picked: list[Row] = []
    if not groups:
        return picked
    tail = pl.col("id").str.tail(12)
    near = pl.lit(False)
    for key, n in groups:
        limit = f"{min(16**12 - 1, 40 * 16**12 // max(n, 1)):012x}"
        near = near | (_equals(key) & (tail <= limit))
    pool = collect(rows.filter(near)).sort(tail, "id")
    for key, n in groups:
        rows_of_key = pool.filter(_equals(key)).head(wanted)
        if len(rows_of_key) < min(wanted, n):  # e.g. ids that are not hexadecimal: look at all of them
            rows_of_key = collect(rows.filter(_equals(key)).sort(tail, "id").head(wanted))
        picked += rows_of_key.to_dicts()
    return picked


def _equals(key: Row) -> pl.Expr:
    return pl.all_horizontal(pl.col(name).eq_missing(pl.lit(value, pl.String)) for name, value in key.items())


def _examples(ledger: pl.LazyFrame, drops: tuple[Row, ...]) -> dict[tuple[str, str], tuple[Row, ...]]:
    groups = [({"step": drop["step"], "reason": drop["reason"]}, int(drop["rows"])) for drop in drops]
    examples: dict[tuple[str, str], tuple[Row, ...]] = {}
    for row in _pick(ledger.filter(pl.col("verdict") != "kept"), groups, EXAMPLES):
        key = (row["step"], row["reason"])
        examples[key] = (*examples.get(key, ()), row)
    return examples


def _samples(run: Run, kept: pl.LazyFrame, spoken: tuple[Row, ...]) -> tuple[Row, ...]:
    most = sorted((row for row in spoken if row["kept"]), key=lambda row: -row["kept"])[:SAMPLES]
    groups = [({"language": row["language"]}, int(row["kept"])) for row in most]
    chosen = _pick(kept, groups, -(-SAMPLES // len(groups)) if groups else 0)[:SAMPLES]
    texts = run.contents([row["id"] for row in chosen])
    return tuple({**row, **_excerpt(texts[row["id"]])} for row in chosen if row["id"] in texts)


def _excerpt(text: str) -> Row:
    """Some lines from within, since files often begin with a licence. Lines are cut at `EXCERPT_COLUMNS`."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
    first = 0 if len(lines) <= EXCERPT_LINES else (len(lines) - EXCERPT_LINES) // 3
    shown = [line[:EXCERPT_COLUMNS] + "…" * (len(line) > EXCERPT_COLUMNS) for line in lines[first:][:EXCERPT_LINES]]
    return {
        "excerpt": "\n".join(shown),
        "first_line": first + 1,
        "last_line": first + len(shown),
        "lines": len(lines),
    }
