"""What is known about repositories apart from their files: stars, licence, last commit, whether it is a fork.

It is no source of documents: `steps.ingest` asks it for each repository that a source names.
"""

from __future__ import annotations

import csv
import difflib
import functools
import gzip
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.errors import InputError
from codemill.sources._columns import as_json, integers, licenses, mapping, strings, times
from codemill.sources._places import existing
from codemill.sources._shards import Fingerprint

if TYPE_CHECKING:
    import polars as pl  # imported where it is used, to keep workers quick to start

_USUAL = {
    "repo": ("repo", "repo_name", "full_name", "nameWithOwner", "name_with_owner", "repository", "name"),
    "stars": ("stars", "stargazers_count", "star_events_count", "stargazerCount", "stargazers"),
    "license": ("license", "licenses", "license_spdx", "spdx_id", "detected_licenses"),
    "commit_time": ("commit_time", "committed_at", "pushed_at", "pushedAt", "last_commit"),
}

_FORGE = r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+$"
"""A name as forges have it, owner/name: upper and lower case are the same there. Other names are directories'."""

_SCANNED = 100_000
"""Names of the file that are held against one that was not found, to show the nearest."""

_CONVERT = {"stars": integers, "license": licenses, "commit_time": times}


class Matched(NamedTuple):
    """How many of some repositories are in the metadata."""

    matched: int
    total: int
    nearest: Mapping[str, tuple[str, ...]]
    """Of the first few that are not: the names in the file that are most like them."""

    def __str__(self) -> str:
        said = f"metadata: {self.matched} of {self.total} repositories matched"
        missing = [f"{name} (nearest: {', '.join(near) or 'none'})" for name, near in self.nearest.items()]
        more = self.total - self.matched - len(missing)
        return said + (
            f"; not in the file: {', '.join(missing)}" + (f" … {more} more" if more else "") if missing else ""
        )


@dataclass(frozen=True)
class Metadata:
    """A CSV, TSV, JSONL or Parquet file with a row for every repository. Of two for the same one the later counts.

    `columns`: a mapping from `repo`, `stars`, `license`, `commit_time` to the file's names, or None to guess by the
    usual names. All other columns (`fork` …) are carried in `meta`, under "repository".

    Raises: InputError if the file is missing.
    """

    path: str
    columns: Mapping[str, str] | None = None
    fingerprint: str = field(init=False)  # of the file's size and time: part of a table's identity, unlike its path

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", _fingerprint(existing(self.path)))

    def lookup(self, repo: pa.Array) -> pa.StructArray:
        """What is known of repositories, by their names; of "owner/name" upper and lower case are the same.

        Shape: strings in; as many structs out, with `stars` (int64), `license` (list<string>), `commit_time`
        (timestamp) and `meta` (a JSON object of the other columns).
        Null: a repository that is not in the file has null in every field.
        Raises: InputError if the file has no column of names, has stars that are no counts, or is malformed.
        """
        known = self._known()
        names = pc.dictionary_encode(repo.cast(pa.large_string()))
        rows = known.find(names.dictionary).take(names.indices)
        return known.at(rows)

    def matched(self, names: Iterable[str], *, shown: int = 3) -> Matched:
        """How many of these names are in the file, and what is nearest to the first `shown` that are not.

        Raises: as `lookup`.
        """
        known = self._known()
        wanted = sorted(set(names))
        found = known.find(pa.array(wanted, pa.large_string()))
        missing = [name for name, row in zip(wanted, found, strict=True) if not row.is_valid]
        nearest = {name: known.nearest(name) for name in missing[:shown]}
        return Matched(len(wanted) - len(missing), len(wanted), nearest)

    def _known(self) -> _Known:
        columns = None if self.columns is None else tuple(sorted(self.columns.items()))
        return _load(existing(self.path), self.fingerprint, columns)

    def fill(self, repo: pa.Array, known: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """`stars`, `commit_time` and `license` where they are null, and `meta` with what else is known."""
        found = self.lookup(repo)
        filled = {n: pc.coalesce(known[n], found.field(n)) for n in ("stars", "commit_time")}
        missing = known["license"].is_null()
        filled["license"] = pc.if_else(missing, found.field("license"), known["license"])
        return {**known, **filled, "meta": _nested(known["meta"], found.field("meta"))}


def _nested(meta: pa.Array, extra: pa.Array) -> pa.Array:
    """A JSON object with another one added under "repository"."""
    inner = pc.binary_join_element_wise('"repository":', extra, "}", "")
    bare = pc.fill_null(pc.equal(meta, "{}"), True)
    begin = pc.if_else(bare, "{", pc.binary_join_element_wise(pc.utf8_slice_codeunits(meta, 0, -1), ",", ""))
    return pc.if_else(extra.is_null(), meta, pc.binary_join_element_wise(begin, inner, ""))


@dataclass(frozen=True)
class _Known:
    """The file in memory, found by hash. 10 million repositories with stars and licence: see docs/sources/metadata."""

    hashes: npt.NDArray[np.uint64]  # sorted
    order: npt.NDArray[np.int32]  # the row of each hash; rows of equal hashes in the file's order
    names: pa.Array  # as `_keys` has them
    columns: Mapping[str, pa.Array]  # as they are in the file: only what is looked up is converted
    rest: Mapping[str, pa.Array]

    def find(self, wanted: pa.Array) -> pa.Array:
        """The row of each name. Null: there is none."""
        wanted = _keys(wanted)
        hashes = _hash(wanted)
        first = np.searchsorted(self.hashes, hashes, "left")
        place = np.searchsorted(self.hashes, hashes, "right") - 1
        row = np.full(len(wanted), -1, np.int64)
        while (open_ := (row < 0) & (place >= first)).any():
            candidates = self.order[place[open_]]
            same = pc.equal(self.names.take(pa.array(candidates)), wanted.filter(pa.array(open_)))
            row[open_] = np.where(same.to_numpy(zero_copy_only=False).astype(bool), candidates, -1)
            place[open_] -= 1  # two names with one hash: hardly ever
        return pa.array(row, mask=row < 0)

    def nearest(self, name: str) -> tuple[str, ...]:
        """Up to three names like this one: those that end alike ("name" and "owner/name") before others."""
        last = name.rstrip("/").rpartition("/")[2].removesuffix(".git").lower()
        ends = pc.match_substring_regex(self.names, f"(?i)(^|/){re.escape(last)}(\\.git)?/?$")
        alike = self.names.filter(ends.fill_null(False)).slice(0, _SCANNED).to_pylist()
        close = difflib.get_close_matches(name.lower(), set(alike), 3, 0.0)
        if len(close) < 3:
            others = set(self.names.slice(0, _SCANNED).drop_null().to_pylist()) - set(close)
            close += difflib.get_close_matches(name.lower(), others, 3 - len(close), 0.6)
        return tuple(close)

    def at(self, rows: pa.Array) -> pa.StructArray:
        """The columns at some rows, null where the row is."""
        nothing = pa.nulls(len(rows), pa.string())
        taken = {name: self.columns[name].take(rows) if name in self.columns else nothing for name in _CONVERT}
        extra = {name: column.take(rows) for name, column in self.rest.items()}
        meta = as_json(extra, len(rows)) if extra else pa.nulls(len(rows), pa.string())
        meta = pc.if_else(rows.is_null(), pa.scalar(None, pa.string()), meta)
        arrays = [convert(taken[name]) for name, convert in _CONVERT.items()]
        return pa.StructArray.from_arrays([*arrays, meta], names=[*_CONVERT, "meta"])


def _keys(names: pa.Array) -> pa.Array:
    """Names in the form in which they are compared."""
    return pc.if_else(pc.match_substring_regex(names, _FORGE), pc.ascii_lower(names), names)


def _hash(names: pa.Array) -> npt.NDArray[np.uint64]:
    """64 bits of each name. Only compared within one process: polars may change it from version to version."""
    import polars as pl

    return pl.Series(names).hash(seed=1).to_numpy()


@functools.lru_cache(maxsize=2)
def _load(path: str, fingerprint: str, columns: tuple[tuple[str, str], ...] | None) -> _Known:
    frame = _read(path)
    if _fingerprint(path) != fingerprint:
        raise InputError("the metadata changed while the run was using it", where=path, remedy="run again")
    ours = mapping(None if columns is None else dict(columns), frame.columns, path, _USUAL)
    if "repo" not in ours:
        raise InputError(
            f"no column is the repository's name; there are {', '.join(frame.columns)}",
            where=path,
            remedy='say which: columns={"repo": …}',
        )
    column = {name: _arrow(frame, theirs) for name, theirs in ours.items()}
    if "stars" in column:
        column["stars"] = _counts(column["stars"], path)
    names = _keys(strings(column["repo"]).cast(pa.large_string()))
    hashes = _hash(names)
    order = np.argsort(hashes, kind="stable").astype(np.int32)
    rest = {name: _arrow(frame, name) for name in frame.columns if name not in ours.values()}
    del column["repo"]
    return _Known(hashes[order], order, names, column, rest)


def _counts(stars: pa.Array, path: str) -> pa.Array:
    """Stars as int64. Null: none are given. Raises: InputError for the first that are not a count."""
    if pa.types.is_integer(stars.type):
        given, numbers = stars.is_valid(), integers(stars)
        sound = numbers.is_valid()
    elif pa.types.is_floating(stars.type):
        given, numbers = pc.invert(pc.is_null(stars, nan_is_null=True)), integers(stars)
        sound = pc.equal(numbers, stars).fill_null(False)
    elif pa.types.is_boolean(stars.type) or pa.types.is_nested(stars.type):
        given, sound, numbers = stars.is_valid(), pa.repeat(False, len(stars)), pa.nulls(len(stars), pa.int64())
    else:
        text = pc.utf8_trim_whitespace(strings(stars))
        given = pc.not_equal(text, "").fill_null(False)
        numbers = integers(pc.replace_substring_regex(text, r"\.0*$", ""))  # "12.0": pandas, where some are unknown
        sound = numbers.is_valid()
    wrong = pc.and_not(given, sound)
    if pc.any(wrong).as_py():
        row = pc.index(wrong, True).as_py()
        raise InputError(
            f"stars are a count, not {str(stars[row].as_py())[:80]!r}",
            where=f"{path}, {_line(path, row)}",
            remedy="correct it, or leave it empty if it is unknown",
        )
    return numbers


def _line(path: str, row: int) -> str:
    """Where a row of the file is, for people."""
    name = path.lower()
    opened = gzip.open if name.endswith(".gz") else open
    if name.endswith((".csv", ".tsv", ".csv.gz", ".tsv.gz")):
        with opened(path, "rt", encoding="utf-8", errors="replace", newline="") as file:
            records = csv.reader(file, delimiter="\t" if ".tsv" in name else ",")
            try:
                for _ in islice(records, row + 2):  # the names of the columns are a record too
                    pass
                return f"line {records.line_num}"
            except csv.Error:
                pass
    return f"row {row + 1}"


def _arrow(frame: pl.DataFrame, name: str) -> pa.Array:
    column = frame.get_column(name).rechunk().to_arrow()
    return column.cast(pa.large_string()) if pa.types.is_string_view(column.type) else column


def _fingerprint(path: str) -> str:
    facts = os.stat(path)
    return Fingerprint("metadata", 2, facts.st_size, facts.st_mtime_ns).hex()


def _read(path: str) -> pl.DataFrame:
    """The whole file. CSV is read as text, and `_columns` makes numbers and times of it."""
    import polars as pl

    name = path.lower()
    try:
        if name.endswith((".parquet", ".pq")):
            return pl.read_parquet(path, glob=False)
        if name.endswith((".jsonl", ".ndjson")):
            return pl.read_ndjson(path, infer_schema_length=None)
        if name.endswith((".csv", ".tsv", ".csv.gz", ".tsv.gz", ".csv.zst", ".tsv.zst")):
            separator = "\t" if ".tsv" in name else ","
            return pl.read_csv(path, separator=separator, infer_schema=False, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        what = " ".join(str(error).split())[:200]
        raise InputError(f"cannot read this metadata: {what}", where=path) from error
    raise InputError("metadata is .csv, .tsv, .jsonl or .parquet", where=path, remedy="rename or convert it")
