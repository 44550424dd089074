"""Before and after: how far languages, sizes and every signal moved between what came in and what was kept.

Values are counted in classes that are 1/32 of a power of two wide, on one fixed scale for every signal, so memory does
not grow with the corpus, and neither the order of documents nor where parts end makes a difference. From: OpenCoder
2.1.1, which chose thresholds that remove harmful data without visibly moving the distribution of the rest; the classes
are those of HdrHistogram and, but for their exact bounds, of DDSketch (Masson, Rim and Lee, VLDB 2019).

What is not covered: documents that were dropped before they were measured have no signals. The distance is of one
signal at a time: two that moved together count twice. Nothing is said of significance: what is kept is a part of what
came in, no second sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from codemill.errors import CodemillError, InputError, RecipeError, did_you_mean
from codemill.report.facts.ledger import Row, collect
from codemill.rules import Values, values_of
from codemill.run import Documents, Run

Counts = npt.NDArray[np.int64]

FINE = 5  # bits: classes per power of two are 2**FINE. Whole numbers up to 64 have a class of their own
LEAST, MOST = -16, 32  # powers of two: what is nearer to 0 than the first counts as 0, what is beyond the last as that
TOP = (MOST - LEAST) << FINE  # the class of the largest values; -TOP is that of the lowest
CLASSES = 2 * TOP + 1
LANGUAGES = 8  # shown by themselves: those with the most documents
FEW = 100  # documents with a value: signals with fewer move by chance, and come last

_SHIFT = 52 - FINE  # of the bits of a float64, which rise with its value
_FIRST = int(np.float64(2.0**LEAST).view(np.int64)) >> _SHIFT


def classes(values: Values) -> Counts:
    """The class of each value, from -TOP to TOP. NaN is not allowed.

    >>> classes(np.array([0.0, 1e-9, 1.0, -1.0, np.inf])).tolist()
    [0, 0, 513, -513, 1536]
    """
    bits = np.abs(values).view(np.int64) >> _SHIFT
    numbers: Counts = np.copysign(np.clip(bits - _FIRST + 1, 0, TOP), values).astype(np.int64)
    return numbers


def value(number: int) -> float:
    """The end of a class that is nearer to 0: what its values are at least, and at most 1/32 more.

    >>> [value(int(classes(np.array([v]))[0])) for v in (0.0, 0.5, 1.0, 63.0, -3.0, 1000.0)]
    [0.0, 0.5, 1.0, 63.0, -3.0, 992.0]
    """
    if not number:
        return 0.0
    size = np.int64((abs(number) - 1 + _FIRST) << _SHIFT).view(np.float64)
    return float(np.copysign(size, number))


def quantile(counts: Counts, q: float) -> float | None:
    """The value that a share `q` of those counted do not exceed, as `value` has it; None of nothing.

    Shape: `counts` (CLASSES,), the lowest class first.
    """
    sums = np.cumsum(counts)
    if not sums[-1]:
        return None
    return value(int(np.searchsorted(sums, max(np.ceil(q * sums[-1]), 1))) - TOP)


def distance(before: Counts, after: Counts) -> float | None:
    """The two-sample Kolmogorov-Smirnov distance: the largest gap between the two cumulative shares, 0 to 1.

    Null: one of the two is empty. Read at the ends of classes, so it is never more than the exact one, and less only
    where the largest gap lies within a class. From: Smirnov, Annals of Mathematical Statistics 19, 1948.
    """
    if not before.any() or not after.any():
        return None
    gap = np.cumsum(before) / before.sum() - np.cumsum(after) / after.sum()
    return float(np.abs(gap).max())


@dataclass(frozen=True)
class Shift:
    """One signal before and after."""

    signal: str
    before: Counts
    after: Counts

    @property
    def distance(self) -> float | None:
        """See `distance`."""
        return distance(self.before, self.after)

    @property
    def moved(self) -> str:
        """The same in words."""
        if self.distance is None:
            return "none left" if self.before.any() else "–"
        return f"{self.distance:.3f}"

    @property
    def is_flag(self) -> bool:
        """Whether all values are 0 or 1, and some 1."""
        return bool(self.before[ONE]) and int(self.before[[TOP, ONE]].sum()) == int(self.before.sum())

    def plain(self) -> Row:
        """As data: how many documents have it, and its 5 %, 50 % and 95 % points, before and after; of a
        flag also how many `ones`."""
        row: Row = {"signal": self.signal, "distance": self.distance}
        for side, counts in (("before", self.before), ("after", self.after)):
            points = {name: quantile(counts, q) for name, q in (("p5", 0.05), ("median", 0.5), ("p95", 0.95))}
            row[side] = {"have": int(counts.sum()), **points}
            if self.is_flag:
                row[side]["ones"] = int(counts[ONE])
        return row

    def shape(self, bins: int) -> tuple[Values, Values, float, float]:
        """Both distributions as shares in `bins` even classes, and the ends of the axis.

        Even in the value if it reaches no further than 2, else in log2(1 + value). The axis ends where all but 1 % of
        what was there before lies within; what is beyond counts at its ends.
        """
        low, high = (quantile(self.before, q) or 0.0 for q in (0.005, 0.995))
        if self.is_flag:
            low, high = 0.0, 1.0
        doubling = low >= 0 and high > 2
        places = np.log2(1 + np.array([low, high])) if doubling else np.array([low, high])
        ends = np.linspace(places[0], max(places[1], places[0] + 1e-3), bins + 1)[1:-1]
        ends = 2**ends - 1 if doubling else ends
        both = []
        for counts in (self.before, self.after):
            sums = np.concatenate([[0.0], np.interp(ends, _ENDS, np.cumsum([0, *counts])), [counts.sum()]])
            both.append(np.diff(sums) / max(int(counts.sum()), 1))
        return both[0], both[1], low, high


ONE = TOP + int(classes(np.array([1.0]))[0])  # where 1 is counted, and nothing else if all values are 0 or 1
_UPPER = np.array([value(n) for n in range(1, TOP + 1)] + [2.0**MOST])
_ENDS = np.concatenate([-_UPPER[::-1], _UPPER])  # the ends of all classes, the lowest first


@dataclass(frozen=True)
class Group:
    """The signals of all documents (`language` is None) or of those in one language: those that moved most first."""

    language: str | None
    before: int  # documents that were measured
    after: int  # of these, kept in the end
    shifts: tuple[Shift, ...]

    def plain(self) -> Row:
        """As data."""
        signals = [shift.plain() for shift in self.shifts]
        return {"language": self.language, "before": self.before, "after": self.after, "signals": signals}


@dataclass(frozen=True)
class Distribution:
    """What the report shows as before and after."""

    languages: tuple[Row, ...]  # language, before and after (shares of files), points: the largest shift first
    variation: float  # between the two: half the sum of what each language gained or lost, 0 to 1
    sizes: Shift  # bytes as ingested, of the files found and kept
    groups: tuple[Group, ...]  # all documents first
    why: str | None  # why there are no groups


def gather(run: Run, languages: Sequence[Row]) -> Distribution:
    """Reads a finished run; `languages` are those of `ledger.gather`. Passes once over the ledger and once over the
    signals, after a look at the languages.

    Raises: InputError if the ledger cannot be read.
    """
    try:
        groups, why = compare(run), None
    except CodemillError as error:
        groups, why = [], error.what
    rows, variation = _languages(languages)
    return Distribution(rows, variation, sizes(run), tuple(groups), why)


def _languages(languages: Sequence[Row]) -> tuple[tuple[Row, ...], float]:
    """Shares of the files whose language is known."""
    named = [row for row in languages if row["language"] is not None]
    all_found, all_kept = (max(sum(row[side] for row in named), 1) for side in ("found", "kept"))
    rows = []
    for row in named:
        before, after = row["found"] / all_found, row["kept"] / all_kept
        rows.append({"language": row["language"], "before": before, "after": after, "points": 100 * (after - before)})
    rows.sort(key=lambda row: (-round(abs(row["points"]), 9), row["language"]))
    return tuple(rows), sum(abs(row["points"]) for row in rows) / 200


def sizes(run: Run) -> Shift:
    """Bytes of the files found, and of those kept. Memory: a row per class. Raises: InputError for a damaged ledger."""
    size = pl.col("size").clip(lower_bound=0)
    bits = 64 - size.bitwise_leading_zeros().cast(pl.Int64)
    ends = size - size % pl.lit(2, pl.Int64).pow((bits - FINE - 1).clip(lower_bound=0))  # the lower end of its class
    kept = (pl.col("verdict") == "kept").alias("kept")
    ledger = run.ledger().filter(pl.col("size").is_not_null())
    with run.readable():
        rows = collect(ledger.group_by(ends.alias("end"), kept).agg(rows=pl.len().cast(pl.Int64)))
    counts = np.zeros((2, CLASSES), dtype=np.int64)
    where = classes(rows["end"].cast(pl.Float64).to_numpy()) + TOP
    np.add.at(counts, (rows["kept"].to_numpy().astype(np.int64), where), rows["rows"].to_numpy())
    return _shift("size", [counts])


def compare(run: Run, languages: Sequence[str] | None = None) -> list[Group]:
    """Every signal of a run, of the documents that were measured and of those that were kept in the end: of all of
    them, and of each of `languages` (by default those with the most documents).

    A part of the working tables is read at a time. Memory: up to 49 kB for each signal of each language.
    Raises: InputError if the run measured nothing or its working tables are gone, RecipeError for a language that no
    document was in.
    """
    documents, names = _measured(run)
    spoken = Counter[str]()
    for batch in documents.batches(["language"]):
        spoken.update(name for name in batch["language"].to_pylist() if name is not None)
    for language in languages or ():
        if language not in spoken:
            remedy = did_you_mean(language, spoken)
            raise RecipeError(f"no document that was measured is in {language!r}", where=run.out, remedy=remedy)
    if languages is None:
        languages = sorted(spoken, key=lambda name: (-spoken[name], name))[:LANGUAGES]
    shown = pa.array(list(languages), pa.string())
    others = len(languages)  # the group of all other documents
    counted = np.zeros((others + 1, 2), dtype=np.int64)
    counts: dict[str, dict[int, Counts]] = {name: {} for name in names}
    for batch in documents.batches(["language", "verdict", *names]):
        group = pc.fill_null(pc.index_in(batch["language"], shown), others).to_numpy(zero_copy_only=False)
        group, kept = group.astype(np.int64), _kept(batch)
        counted += np.bincount(group * 2 + kept, minlength=counted.size).reshape(counted.shape)
        for name in names:
            _count(counts[name], values_of(batch, name), kept, group)
    every = [_shift(name, list(counts[name].values())) for name in names]
    groups = [Group(None, int(counted.sum()), int(counted[:, 1].sum()), _ordered(every))]
    for g, language in enumerate(languages):
        shifts = [_shift(name, [counts[name][g]]) for name in names if g in counts[name]]
        groups.append(Group(language, int(counted[g].sum()), int(counted[g, 1]), _ordered(shifts)))
    return groups


def _measured(run: Run) -> tuple[Documents, list[str]]:
    """The documents as they came out of the last quality.measure, and the names of the signals."""
    steps = [i for i, step in enumerate(run.steps) if step["name"] == "quality.measure"]
    if not steps:
        raise InputError(
            "no signals were measured in this run", where=run.out, remedy="run a recipe with quality.measure"
        )
    documents = run.documents(steps[-1] + 1)
    fields = [field for i in steps for field in run.schema(i)]
    return documents, list(dict.fromkeys(field.name for field in fields if pa.types.is_floating(field.type)))


def _kept(batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    kept: npt.NDArray[np.bool_] = pc.equal(batch["verdict"], "kept").to_numpy(zero_copy_only=False)
    return kept


def _count(totals: dict[int, Counts], values: Values, kept: npt.NDArray[np.bool_], group: Counts) -> None:
    """Adds values to the counts of their groups. Shape: (2, CLASSES), dropped and kept."""
    valid = ~np.isnan(values)
    if not valid.any():
        return
    keys = (group[valid] * 2 + kept[valid]) * CLASSES + classes(values[valid]) + TOP
    size = 2 * CLASSES * (int(group[valid].max()) + 1)
    for g, counts in enumerate(np.bincount(keys, minlength=size).reshape(-1, 2, CLASSES)):
        if counts.any():
            totals[g] = totals[g] + counts if g in totals else counts.copy()


def _shift(signal: str, groups: Sequence[Counts]) -> Shift:
    both = sum(groups, np.zeros((2, CLASSES), dtype=np.int64))
    return Shift(signal, both.sum(axis=0), both[1])


def _ordered(shifts: Sequence[Shift]) -> tuple[Shift, ...]:
    """Those of which nothing is left, then those that moved most; then those that few documents have, or none."""

    def key(shift: Shift) -> tuple[bool, bool, float, str]:
        have, moved = int(shift.before.sum()), shift.distance
        return not have, have < FEW, -2.0 if moved is None else -moved, shift.signal

    return tuple(sorted(shifts, key=key))
