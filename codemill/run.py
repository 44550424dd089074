"""A finished run: the manifest, the published files and the working tables of an OUT folder, wherever it lies.

    Run.open(out)               the manifest, checked
      .files("corpus")          the published parts of an output
      .ledger(place=True)       every file that was found, as a Polars query
      .documents(until)         the documents as they came to a step, in batches
      .row(place, columns)      one row of the working tables
      .text(place, until)       the text of one file as a step saw it

`place` is the number of a file's row in the whole ledger, from 0. The ledger and the working tables have the same parts
and the same rows, so it finds a file in all of them. Which files a working table is made of says its own manifest,
OUT/.work/tables/<step>/<key>.json. The text of a Parquet input was never copied: it is read from the input, if that is
still there and still the same.

A run builds a graph of tables. `steps` are those that its first output is stacked on, in order; `manifest["tables"]`
are all.
"""

from __future__ import annotations

import base64
import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import accumulate, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from codemill.document import LEDGER
from codemill.errors import CodemillError, InputError
from codemill.machine.layers import Part as Working
from codemill.machine.layers import Piece
from codemill.machine.places import with_places
from codemill.machine.store import Damaged, Place, Receipt, sealed
from codemill.sources import Published

if TYPE_CHECKING:  # imported where it is used: workers import this module for an index, and have no use for Polars
    import polars as pl

ROWS = 8192  # of a batch of documents
NEEDED = ("id", "repo", "path", "size", "verdict", "step", "reason")
"""Columns without which a file is no ledger. Others of `document.LEDGER` are null where a file lacks them."""

_AGAIN = "run the recipe again"
_TEXT = ("content", "stars", "commit_time")


@dataclass(frozen=True)
class Text:
    """What can still be read of a file. `why` says why there is no `text`; null = unknown."""

    text: str | None = None
    stars: int | None = None
    commit_time: str | None = None  # ISO 8601
    why: str | None = None


@dataclass(frozen=True)
class Part:
    """One published Parquet file."""

    place: Place
    rows: int
    schema: pa.Schema

    @property
    def name(self) -> str:
        """Such as part-00000."""
        return self.place.name.removesuffix(".parquet")


@dataclass(frozen=True)
class Run:
    """A finished run. What it holds is read when it is asked for, and the list of the ledger's parts once."""

    out: str  # as it was given: for messages
    folder: Place
    manifest: dict[str, Any]
    books: str = "ledger"  # the output whose rows `place` counts

    @classmethod
    def open(cls, out: str | os.PathLike[str]) -> Run:
        """Reads the manifest, with the places that are known here. Raises: InputError if it is missing or is none."""
        folder, where = Place.of(out), below(out, "manifest.json")
        place = folder.at("manifest.json")
        manifest = place.read_json()
        if manifest is None and place.exists():
            raise InputError("cannot read the manifest: it is damaged", where=where, remedy=_AGAIN)
        if manifest is None:
            remedy = "name the folder that was given to `codemill run --out`, and let the run finish"
            raise InputError("no finished run here", where=where, remedy=remedy)
        needed = ("codemill", "recipe", "inputs", "steps", "ingested", "kept", "dropped", "seconds")
        missing = [key for key in needed if key not in manifest] if isinstance(manifest, dict) else list(needed)
        if missing:
            what = f"the manifest of a run has no {', '.join(missing)}"
            raise InputError(what, where=where, remedy="is this the folder given to `codemill run --out`?")
        manifest = with_places(folder, manifest)
        tables = manifest["steps"]
        outputs = manifest.get("outputs") or {"": {"chain": range(len(tables))}}
        chain = next(iter(outputs.values()))["chain"]
        return cls(os.fspath(out), folder, {**manifest, "tables": tables, "steps": [tables[i] for i in chain]})

    @property
    def of_files(self) -> bool:
        """Whether its ledger, if there is one, says where each row was found; that of rows which a step made may not,
        and has no more to tell than the manifest."""
        return all(set(NEEDED) <= set(part.schema.names) for part in self.parts("ledger"))

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The manifest's entries of the steps that the first output is made by, in order."""
        return list(self.manifest["steps"])

    def of(self, output: str) -> Run:
        """The same run, where `steps` and `place` are those of another output that has a ledger of its own."""
        chain = self.manifest["outputs"][output]["chain"]
        manifest = {**self.manifest, "steps": [self.manifest["tables"][i] for i in chain]}
        return replace(self, manifest=manifest, books=self.ledger_of(output) or f"{output}_ledger")

    def ledger_of(self, output: str) -> str | None:
        """The output that is the ledger of another one: of the same table. Null: there is none."""
        outputs = self.manifest.get("outputs", {})
        table = outputs.get(output, {}).get("table")
        found = (name for name, one in outputs.items() if one.get("ledger") and one["table"] == table)
        return next((name for name in found if self.files(name)), None)

    # ── what was published ────────────────────────────────────────────────────────────────────────────────────────

    def files(self, output: str) -> list[Place]:
        """The published parts of an output such as "corpus", "ledger" or "index", in order; none if there is none."""
        return published(self.folder, output)

    def receipts(self, output: str) -> list[Receipt]:
        """What the manifest says of them: size and SHA-256."""
        return [Receipt(**entry) for entry in self.manifest.get("files", {}).get(output, {}).values()]

    def parts(self, output: str) -> list[Part]:
        """The same with what their footers say. Raises: InputError if one cannot be read."""
        with self.readable():
            return [_part(place) for place in self.files(output)]

    @cached_property
    def _ledger(self) -> list[Part]:
        found = self.parts(self.books)
        if not found:
            if self.manifest["ingested"]["rows"] == 0:
                what = "the inputs of this run held no file, so there is nothing to show"
                remedy = "`codemill plan` with the same --input counts the files it finds"
                raise InputError(what, where=self.out, remedy=remedy)
            raise InputError("no ledger here", where=below(self.out, self.books), remedy=_AGAIN)
        for part in found:
            needed = NEEDED if self.books == "ledger" else ("id",)  # that of a set has what its method knows
            if missing := [name for name in needed if name not in part.schema.names]:
                raise InputError(f"the ledger has no column {', '.join(missing)}", where=part.place.uri)
        return found

    def ledger(self, *, place: bool = False) -> pl.LazyFrame:
        """The ledger with the columns of `document.LEDGER`; with `place`, each row's number as a column of this name.

        Raises: InputError if there is none, or if it lacks a column of `NEEDED`.
        """
        return _scan(self._ledger, LEDGER, place=place)

    def table(self, output: str, columns: pa.Schema) -> pl.LazyFrame:
        """Some columns of another output, null where a part lacks them."""
        return _scan(self.parts(output), columns)

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Turns what Polars and Arrow say about damaged files into an InputError."""
        from polars.exceptions import PolarsError

        try:
            yield
        except (PolarsError, pa.ArrowException, OSError) as error:
            what = f"cannot read the ledger or the corpus: {str(error).strip().splitlines()[0]}"
            raise InputError(what, where=self.out, remedy="run the recipe again: damaged parts are rebuilt") from error

    def contents(self, ids: Sequence[str]) -> dict[str, str]:
        """The texts of a few documents of the corpus by id; those that are not there are left out."""
        found = (row for place in self.files("corpus") for row in _with_ids(place, ids, ["content"]))
        return {row["id"]: row["content"] or "" for row in found}

    def published_text(self, place: int, id: str) -> Text | None:
        """A file that was kept, from the corpus: its part has the name of its part of the ledger."""
        number, _ = self.locate(place)
        path = self.folder.at("corpus", f"{_name(number)}.parquet")
        for row in _with_ids(path, [id], _TEXT) if path.exists() else ():
            return Text(row["content"], row["stars"], _iso(row["commit_time"]))
        return None

    # ── the working tables ────────────────────────────────────────────────────────────────────────────────────────

    def locate(self, place: int) -> tuple[int, int]:
        """The number of the part that a row of the ledger is in, and the row's number there."""
        ends = list(accumulate(part.rows for part in self._ledger))
        index = bisect_right(ends, place)
        return int(self._ledger[index].name.removeprefix("part-")), place - (ends[index - 1] if index else 0)

    def schema(self, step: int) -> pa.Schema:
        """The columns that the step of this number added. Raises: InputError if its working table is gone."""
        pieces = self._pieces(step)
        there = pieces[0].file.parent().names() if pieces else {}
        if any(piece.nulls is None and piece.file.name not in there for piece in pieces):
            raise InputError("the working tables are gone", where=pieces[0].file.parent().uri, remedy=_AGAIN)
        with self._undamaged(self.folder):
            return next(pieces[0].read(list(pieces[0].columns))).schema if pieces else pa.schema([])

    def documents(self, until: int) -> Documents:
        """The documents as they came to the step of this number. Raises: InputError if working tables are gone."""
        tables = [self._pieces(number) for number in range(until)]
        for pieces in tables:
            there = pieces[0].file.parent().names() if pieces else {}
            if any(piece.nulls is None and piece.file.name not in there for piece in pieces):
                raise InputError("the working tables are gone", where=pieces[0].file.parent().uri, remedy=_AGAIN)
        parts = [Working(_name(i), pieces) for i, pieces in enumerate(zip(*tables, strict=True))]
        return Documents(self, tuple(parts))

    def row(self, place: int, columns: Iterable[str], until: int | None = None) -> pa.RecordBatch:
        """One row of the working tables, each column from the newest of the first `until` steps that has it.

        Memory: a batch of the part. Raises: InputError if one of the tables is gone or damaged, or no step has a
        column.
        """
        number, row = self.locate(place)
        columns = list(columns)
        part = self._part(number, columns, len(self.steps) if until is None else until)
        return self._nth(part, row, columns)

    def text(self, place: int, until: int) -> Text:
        """A file as the step of this number saw it. Nothing is raised: what cannot be read is `why`."""
        found: dict[str, Any] = dict.fromkeys(_TEXT)
        why = None
        for columns in (_TEXT[1:], _TEXT[:1]):  # apart: the text may be gone with its input, the others are ours
            try:
                number, row = self.locate(place)
                found |= self._nth(self._part(number, columns, until), row, columns).to_pylist()[0]
                why = "the input is damaged there" if found["content"] is None else None
            except CodemillError as error:
                why = error.what if error.where is None else f"{error.what} ({error.where})"
            except (pa.ArrowException, OSError) as error:
                why = " ".join(str(error).split())[:300]
        return Text(found["content"], found["stars"], _iso(found["commit_time"]), why)

    def dropped_by(self, place: int, step: str | None) -> int | None:
        """The number of the step that dropped a file; null if it was kept.

        Of two steps of one name it is the first whose working table has a reason there, or the last if none can be
        read.
        """
        numbers = [i for i, entry in enumerate(self.steps) if entry["name"] == step]
        for number in numbers[:-1]:
            try:
                if self.row(place, ["reason"], number + 1)["reason"][0].is_valid:
                    return number
            except CodemillError:
                continue  # gone or damaged: the last is as good a guess
        return numbers[-1] if numbers else None

    def _pieces(self, step: int) -> list[Piece]:
        """The files of a step's working table, in order of the parts. Raises: InputError if it is gone."""
        entry = self.steps[step]
        name, key = str(entry["name"]), str(entry["key"])
        if entry["kind"] == "opened":
            source = entry["parameters"]["source"]
            return Published(source["path"], source["output"]).pieces(name)
        if not re.fullmatch(r"\w+(\.\w+)*", name) or not key.isalnum():
            raise InputError(f"the manifest names a step {name!r} with the key {key!r}", where=self.out)
        place = self.folder.at(".work", "tables", name, f"{key}.json")
        facts = sealed(place.read_json())
        if facts is None:
            raise InputError("the working tables are gone", where=place.uri, remedy=_AGAIN)
        receipts = [Receipt(**receipt) for receipt in facts["files"]]
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(facts["schema"])))
        externals = facts["externals"] or [None] * len(receipts)
        return [
            Piece(
                receipt.stem,
                name,
                self.folder.at(".work", name, receipt.name),
                tuple(facts["columns"]),
                receipt.rows,
                receipt.bytes,
                receipt.sha256,
                tuple(facts["edits"]),
                bool(receipt.counts["dropped"]),
                external,
                None if receipt.bytes else schema,
            )
            for receipt, external in zip(receipts, externals, strict=True)
        ]

    def _part(self, number: int, columns: Iterable[str], until: int) -> Working:
        """The files that some columns of a part are read from, oldest first. Raises: InputError if one is gone."""
        left, found = set(columns), list[Piece]()
        try:
            for step in reversed(range(until)):
                piece = self._pieces(step)[number]
                if left & set(piece.columns) or step == 0:
                    found.insert(0, piece)
                    left -= set(piece.columns) - set(piece.edits)
                if not left:
                    break
        except InputError as error:
            raise InputError("the working tables are gone (.work in the output folder)") from error
        if left or not all(piece.nulls is not None or piece.file.exists() for piece in found):
            raise InputError("the working tables are gone (.work in the output folder)")
        return Working(_name(number), tuple(found))

    def _nth(self, part: Working, row: int, columns: Sequence[str]) -> pa.RecordBatch:
        with self._undamaged(part.pieces[-1].file):
            for batch, _ in part.batches(columns, verdicts=()):
                if row < batch.num_rows:
                    return batch.slice(row, 1)
                row -= batch.num_rows
        raise InputError("the working tables have fewer rows than the ledger")

    @contextmanager
    def _undamaged(self, folder: Place) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError, Damaged) as error:
            what = f"the working tables are damaged: {' '.join(str(error).split())[:300]}"
            raise InputError(what, where=folder.uri, remedy=_AGAIN) from error


@dataclass(frozen=True)
class Documents:
    """The documents of a finished run as they came to one of its steps."""

    run: Run
    parts: tuple[Working, ...]

    def columns(self) -> set[str]:
        """The columns that can be read."""
        return {"verdict", *(column for part in self.parts[:1] for column in part.columns())}

    def batches(self, columns: Sequence[str], *, rows: int = ROWS) -> Iterator[pa.RecordBatch]:
        """The living documents in batches, each with the number in the ledger of its rows as the column `place`.

        Of the columns `verdict` is the final one, and `content` is read wherever it was left. Batches are joined until
        they have `rows` rows: what is done per batch costs more than what is done per row.
        Raises: InputError if a working table is damaged, or an input that the text was left in is gone or has changed.
        """
        waiting: list[pa.RecordBatch] = []
        for batch in self._batches(columns):
            waiting.append(batch)
            if sum(b.num_rows for b in waiting) >= rows:
                yield pa.concat_batches(waiting)
                waiting = []
        if waiting:
            yield pa.concat_batches(waiting)

    def _batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        place = 0
        ledger = {receipt.stem: receipt for receipt in self.run.receipts("ledger")} if "verdict" in columns else {}
        for part in self.parts:
            if part.name in ledger:  # the ledger is row for row as the working tables
                receipt, step = ledger[part.name], "the ledger"
                file = self.run.folder.at("ledger", receipt.name)
                verdicts = Piece("", step, file, ("verdict",), receipt.rows, receipt.bytes, receipt.sha256)
                part = part.with_piece(verdicts)
            with self.run._undamaged(part.pieces[-1].file):
                for batch, alive in part.living(columns):
                    places = np.flatnonzero(alive) + place
                    place += batch.num_rows
                    yield batch.filter(pa.array(alive)).append_column("place", pa.array(places))


def below(out: str | os.PathLike[str], *names: str) -> str:
    """The address of something in an OUT folder, written as OUT was: for people."""
    return Place.of(out).at(*names).uri if "://" in os.fspath(out) else os.path.join(os.fspath(out), *names)


def named(out: str | os.PathLike[str], path: str) -> Path:
    """A path as a run's manifest has it: as it was given to that run, so from here, or else from beside its folder.

    It need not exist.
    """
    beside = Path(os.path.realpath(out)).parent / path
    there = os.path.exists(beside) and not os.path.exists(path)  # Path.exists raises where a name is too long
    return beside if there else Path(os.path.abspath(path))


def published(folder: Place, output: str) -> list[Place]:
    """The published parts of an output below a folder, also where no manifest stands beside them."""
    below = folder.at(output)
    return [below.at(name) for name in below.names() if re.fullmatch(r"part-.*\.parquet", name)]


def batches(place: Place, columns: Sequence[str], rows: int = 256) -> Iterator[pa.RecordBatch]:
    """Some columns of a published part, a batch at a time."""
    filesystem, path = place.open()
    with filesystem.open_input_file(path) as stream:
        yield from pq.ParquetFile(stream, pre_buffer=True).iter_batches(rows, columns=list(columns))


def _name(number: int) -> str:
    return f"part-{number:05d}"


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(sep=" ", timespec="seconds")


def _part(place: Place) -> Part:
    filesystem, path = place.open()
    with filesystem.open_input_file(path) as stream:
        file = pq.ParquetFile(stream)
        return Part(place, file.metadata.num_rows, file.schema_arrow)


def _with_ids(place: Place, ids: Sequence[str], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows with these ids: the ids are read first, and the columns only of the row groups that hold some."""
    wanted = pa.array(ids, pa.string())
    filesystem, path = place.open()
    with filesystem.open_input_file(path) as stream:
        file = pq.ParquetFile(stream)
        for group in range(file.num_row_groups):
            here = file.read_row_group(group, columns=["id"])["id"].cast(pa.string())
            if pc.any(pc.is_in(here, wanted)).as_py():
                for batch in file.iter_batches(64, row_groups=[group], columns=["id", *columns]):
                    yield from batch.filter(pc.is_in(batch["id"].cast(pa.string()), wanted)).to_pylist()


def _scan(parts: Sequence[Part], columns: pa.Schema, *, place: bool = False) -> pl.LazyFrame:
    """Parts as one query: those with the same columns at once, null in the others."""
    import polars as pl

    types = pl.DataFrame(columns.empty_table()).schema
    index = "place" if place else None
    frames, first = [pl.LazyFrame(schema={**types, **({"place": pl.UInt32} if place else {})})], 0
    for names, group in groupby(parts, key=lambda part: set(part.schema.names)):
        alike = list(group)
        paths = [part.place.local for part in alike if part.place.local is not None]
        if len(paths) == len(alike):
            frame = pl.scan_parquet(paths, glob=False, row_index_name=index, row_index_offset=first)
        else:
            known = pl.Schema({n: dtype for n, dtype in types.items() if n in names})
            frame = _streamed(alike, known)
            frame = frame.with_row_index(index, first) if index else frame
        first += sum(part.rows for part in alike)
        wanted = [pl.col(n) if n in names else pl.lit(None, dtype).alias(n) for n, dtype in types.items()]
        frames.append(frame.select(*wanted, *([index] if index else [])))
    return frames[1] if len(frames) == 2 else pl.concat(frames)


def _streamed(parts: Sequence[Part], types: pl.Schema) -> pl.LazyFrame:
    """Parts on another file system than the local disk, read by Arrow a row group at a time."""
    import polars as pl
    from polars.io.plugins import register_io_source

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        for part in parts:
            for batch in batches(part.place, list(types) if columns is None else columns, size or 1 << 16):
                frame = pl.DataFrame(batch)
                if rows is not None:
                    frame, rows = frame.head(rows), rows - min(rows, len(frame))
                yield frame if predicate is None else frame.filter(predicate)
                if rows == 0:
                    return

    return register_io_source(read, schema=types, is_pure=True)
