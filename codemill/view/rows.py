"""Every file of a run as narrow columns in memory: what lists are filtered, counted and sorted by.

A filter over a million files has to answer while people wait, and Parquet takes longer to decode than that. So what
lists need is read once: names, kinds, sizes, ids, some 200 bytes a file; what a document's own page needs
is read when it is opened. `place` is the number of a file's row in the ledger, as in `codemill.run`.

Where there is no ledger, the corpus takes its place: its documents, all of them kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from codemill.document import LEDGER
from codemill.errors import InputError
from codemill.report.facts.ledger import Row, collect
from codemill.run import Part, Run

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

FACETS = ("verdict", "language", "step", "reason", "license")
"""What lists are filtered by, value by value. No value is "", in addresses as well."""

_LICENSE = pa.schema([LEDGER.field("id"), pa.field("license", pa.list_(pa.string()))])
_CORPUS = pa.schema([LEDGER.field(name) for name in ("id", "source", "repo", "path", "language", "doc_type", "size")])


@dataclass(frozen=True)
class Facet:
    """A column of few different values: a number for each file, and what the numbers mean."""

    codes: npt.NDArray[np.uint32]
    names: tuple[str, ...]

    def where(self, wanted: Sequence[str]) -> Mask:
        """The files that have one of some values."""
        hit = np.array([name in wanted for name in self.names], dtype=bool)
        return hit[self.codes]

    def counts(self, mask: Mask) -> dict[str, int]:
        """How many files of a mask have each value, the most frequent first; values without any are left out."""
        counted = np.bincount(self.codes[mask], minlength=len(self.names))
        order = np.argsort(-counted, kind="stable")
        return {self.names[i]: int(counted[i]) for i in order.tolist() if counted[i]}


@dataclass(frozen=True)
class Rows:
    """The narrow columns. Shape of each: a value per file, in the order of the ledger."""

    run: Run
    accounted: bool  # whether they are the ledger; else the corpus
    names: pl.Series  # repo/path
    lowered: pl.Series  # the same in lower case
    repo_lengths: npt.NDArray[np.int64]  # characters of the repo in it
    sizes: npt.NDArray[np.int64]  # bytes as ingested
    ids: pl.Series
    id_hashes: npt.NDArray[np.uint64]
    kept_ids: npt.NDArray[np.uint64]  # hashes of the ids of what was kept instead; 0 = nothing
    facets: dict[str, Facet]

    @classmethod
    def load(cls, run: Run) -> Rows:
        """Reads them. Raises: InputError if there is neither a ledger nor a corpus of documents, or it is damaged."""
        accounted = bool(run.files("ledger")) or not run.files("corpus")
        output = "ledger" if accounted else "corpus"
        columns = [pl.concat_str(pl.col("repo").fill_null(""), pl.lit("/"), pl.col("path").fill_null("")).alias("name"),
                   pl.col("repo").fill_null("").str.len_chars().alias("repo_length"),
                   pl.col("size").fill_null(0), pl.col("id").fill_null(""),
                   pl.col("kept_id").hash().fill_null(0) * pl.col("kept_id").is_not_null().cast(pl.UInt64),
                   *(_category(name) for name in FACETS if name != "license")]  # fmt: skip
        with run.readable():
            if not accounted and not {"id", "path"} <= set(run.parts("corpus")[0].schema.names):
                remedy = "view looks at runs that publish documents"
                raise InputError("neither a ledger nor a corpus of documents", where=run.out, remedy=remedy)
            frame = collect(_frame(run, accounted).select(columns))
            joined = _category("license", pl.col("license").list.join(", "))
            licences = collect(run.table(output, _LICENSE).select(joined, pl.col("id").is_null()))
        facets = {name: _facet((licences if name == "license" else frame)[name]) for name in FACETS}
        lengths, sizes, kept = (frame[name].to_numpy() for name in ("repo_length", "size", "kept_id"))
        ids = frame["id"]
        names, hashes = frame["name"], ids.hash().to_numpy()
        lowered = names.str.to_lowercase()
        return cls(run, accounted, names, lowered, lengths.astype(np.int64), sizes, ids, hashes, kept, facets)

    def __len__(self) -> int:
        return len(self.names)

    def named(self, words: str) -> Mask:
        """Files with every one of some words in repo/path, in any case; a whole id finds that file."""
        found = np.ones(len(self), dtype=bool)
        for word in pl.Series(words.split(), dtype=pl.String).str.to_lowercase():  # Polars' idea of it on both sides
            found &= self.lowered.str.contains(word, literal=True).to_numpy()
        if re.fullmatch(r"[0-9a-f]{32}", words):
            found[self.find(words)] = True
        return found

    def find(self, id: str) -> Places:
        """The rows of an id: one, as a rule."""
        return np.array([at for at in np.flatnonzero(self.id_hashes == _hash(id)) if self.ids[int(at)] == id], np.int64)

    def copies(self, id: str) -> Places:
        """The rows that were dropped in favour of a document."""
        return np.flatnonzero(self.kept_ids == _hash(id))

    def rows(self, places: Sequence[int] | Places) -> list[Row]:
        """Whole ledger rows, each with its `place`. Where the corpus takes its place, what that has of them.

        Memory: a row group. Raises: InputError if the file is damaged.
        """
        found: dict[int, Row] = {}
        with self.run.readable():
            for part, first in zip(self._parts, self._firsts, strict=True):
                wanted = [int(place) for place in places if first <= place < first + part.rows]
                found |= {first + at: row for at, row in _read(part, [place - first for place in wanted])}
        kept = {} if self.accounted else {"verdict": "kept"}
        return [{**found[int(place)], **kept, "place": int(place)} for place in places]

    @cached_property
    def _parts(self) -> list[Part]:
        return self.run.parts("ledger" if self.accounted else "corpus")

    @cached_property
    def _firsts(self) -> list[int]:
        return [0, *accumulate(part.rows for part in self._parts)][:-1]

    def short(self, place: int) -> dict[str, Any]:
        """What a list shows of a file, without reading anything."""
        name, length = self.names[place], int(self.repo_lengths[place])
        kinds = {facet: column.names[column.codes[place]] for facet, column in self.facets.items()}
        return {
            "place": place,
            "id": self.ids[place],
            "repo": name[:length],
            "path": name[length + 1 :],
            "size": int(self.sizes[place]),
            **kinds,
        }

    def places_of(self, ids: pa.Array) -> Places:
        """The row of each of some ids, -1 where there is none."""
        order, ordered = self._order
        wanted = pl.Series(ids).hash().to_numpy()
        at = np.minimum(np.searchsorted(ordered, wanted), max(len(ordered) - 1, 0))
        return np.where(ordered[at] == wanted, order[at], -1) if len(ordered) else np.full(len(wanted), -1)

    @cached_property
    def _order(self) -> tuple[Places, npt.NDArray[np.uint64]]:
        order = np.argsort(self.id_hashes, kind="stable")
        return order, self.id_hashes[order]


def _frame(run: Run, accounted: bool) -> pl.LazyFrame:
    if accounted:
        return run.ledger()
    nulls = [pl.lit(None, pl.String).alias(name) for name in ("step", "reason", "kept_id")]
    return run.table("corpus", _CORPUS).with_columns(pl.lit("kept").alias("verdict"), *nulls)


def _read(part: Part, at: Sequence[int]) -> Iterator[tuple[int, Row]]:
    """Some rows of a part with the columns of a ledger, null where it has none, each with its number there."""
    if not at:
        return
    filesystem, path = part.place.open()
    names = [name for name in LEDGER.names if name in part.schema.names]
    with filesystem.open_input_file(path) as stream:
        file, first = pq.ParquetFile(stream), 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            here = [n - first for n in at if first <= n < first + rows]
            if here:
                table = file.read_row_group(group, columns=names, use_threads=False).take(here)
                for n, row in zip(here, table.to_pylist(), strict=True):
                    yield first + n, dict.fromkeys(LEDGER.names) | row
            first += rows


def _category(name: str, values: pl.Expr | None = None) -> pl.Expr:
    return (pl.col(name) if values is None else values).fill_null("").cast(pl.Categorical).alias(name)


def _facet(column: pl.Series) -> Facet:
    names = column.unique().cast(pl.String).sort().to_list()
    return Facet(column.cast(pl.Enum(names)).to_physical().cast(pl.UInt32).to_numpy(), tuple(names))


def _hash(id: str) -> np.uint64:
    return np.uint64(pl.Series([id]).hash()[0])
