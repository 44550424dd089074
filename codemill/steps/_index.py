"""Earlier corpora, as recipes name them: what is read of them, and whether that fits what is held against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from codemill import _core
from codemill.errors import InputError, RecipeError
from codemill.machine.exchange import Beside
from codemill.machine.store import Place, Receipt
from codemill.machine.table import digest
from codemill.run import Run


@dataclass(frozen=True)
class Index:
    """The result folder of a finished run, to hold new documents against.

    Near-copies need its `index/` (see `dedup.fuzzy`); for exact copies any `corpus/` will do. Its identity is that of
    its files: an index that was built anew from other documents makes another table, one that was moved does not.

    Raises: InputError if there is no finished run in `path`, or files of it are missing.
    """

    path: str
    fingerprint: str = field(init=False)

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def __post_init__(self) -> None:
        receipts = self._receipts()
        there = self._folder().names()
        for receipt in receipts:
            if there.get(receipt.name) != receipt.bytes:
                where = self._folder().at(receipt.name).uri
                raise InputError("a file of the index is missing or changed", where=where, remedy=_AGAIN)
        identity = [self.sketched(), [receipt.sha256 for receipt in receipts]]
        object.__setattr__(self, "fingerprint", digest(identity))

    def sketched(self) -> Mapping[str, Any] | None:
        """The parameters of its sketches. Null: it has none, only exact copies can be found."""
        steps = [entry for entry in self._run().steps if entry["name"] == "known.index"]
        return dict(steps[-1]["parameters"]) if steps else None

    def read(self, *columns: str) -> list[tuple[int, partial[Iterator[pa.RecordBatch]]]]:
        """For each of its files the number of rows, and a function that reads the columns of it."""
        found = []
        for receipt in self._receipts():
            found.append((receipt.rows, partial(_batches, self._folder().at(receipt.name), receipt.bytes, columns)))
        return found

    def _run(self) -> Run:
        try:
            return Run.open(self.path)
        except InputError as error:
            what = f"there is no finished run to hold documents against: {error.what}"
            raise InputError(what, where=self.path, remedy=_AGAIN) from error

    def _name(self) -> str:
        return "index" if self._run().receipts("index") else "corpus"

    def _folder(self) -> Place:
        return Place.of(self.path).at(self._name())

    def _receipts(self) -> list[Receipt]:
        return self._run().receipts(self._name())


_AGAIN = "give the --out folder of a run that ended; run that again if it was changed since"


def _batches(place: Place, size: int, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """One file of an index, one batch at least. Raises: InputError if it is not what it was when the run began."""
    filesystem, path = place.open()
    try:
        with filesystem.open_input_file(path) as stream:
            if stream.size() != size:
                raise InputError("the index changed while the run was using it", where=path, remedy="run again")
            file = pq.ParquetFile(stream, page_checksum_verification=True, pre_buffer=False)
            schema = pa.schema([file.schema_arrow.field(name) for name in columns])
            yield pa.RecordBatch.from_pylist([], schema=schema)
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=list(columns), use_threads=False)
                yield from table.select(list(columns)).combine_chunks().to_batches()
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InputError(f"a file of the index cannot be read: {error}", where=path, remedy=_AGAIN) from error


def indexes(against: Index | Sequence[Index]) -> tuple[Index, ...]:
    """One or several, as several. Raises: RecipeError for anything else."""
    found = (against,) if isinstance(against, Index) else tuple(against)
    for one in found:
        if not isinstance(one, Index):
            raise RecipeError(
                f"documents are held against an Index, not {type(one).__name__}",
                remedy='against=dedup.Index("the --out folder of an earlier run")',
            )
    return found


def check_level(level: str, verify: str) -> None:
    """Raises: RecipeError for what an index is not made for."""
    if level != "file":
        what = {"repo": "repositories", "chunk": "chunks"}[level]
        raise RecipeError(f"an index is of files, not of {what}", remedy='give level="file"')
    if verify == "exact":
        raise RecipeError("an index has sketches, no shingles", remedy='give verify="sketch" or "none"')


def check_index(against: Sequence[Index], sketch: Mapping[str, Any]) -> None:
    """Raises: RecipeError for an index with no sketches, or with others: nothing would ever be found in it."""
    wanted = {**sketch, "version": _core.SKETCH_VERSION}
    for one in against:
        theirs = one.sketched()
        if theirs is None:
            raise RecipeError(
                "the run has no index for near-copies", where=one.path, remedy="run it again with index=True (--index)"
            )
        for name, value in wanted.items():
            if theirs.get(name) != value:
                raise RecipeError(
                    f"the index has sketches with {name}={theirs.get(name)!r}, this run has {value!r}",
                    where=one.path,
                    remedy=f"give {name} the same value in both runs",
                )


def equal_keys(against: Sequence[Index], empty: pa.Schema) -> list[Beside]:
    """What `dedup.exact` meets: hashes and ids of indexed documents, with nulls for the other columns of `empty`."""
    return [
        Beside(rows, partial(_equal_keys, read, empty))
        for one in against
        for rows, read in one.read("content_sha256", "id")
    ]


def _equal_keys(read: partial[Iterator[pa.RecordBatch]], empty: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in read():
        known = set(batch.schema.names)
        columns = [batch[f.name] if f.name in known else pa.nulls(batch.num_rows, f.type) for f in empty]
        yield pa.RecordBatch.from_arrays(columns, schema=empty)
