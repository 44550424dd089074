"""Where tables live: Parquet parts, written atomically, with a receipt for each and the manifest last.

    .work/<step>/<fingerprint>/part-00000.parquet    written as *.tmp, renamed when complete
                               part-00000.json       the receipt: rows, bytes, SHA-256 of the file, counts
                               manifest.json         written last: its presence means that all parts are there

A part counts as built only if its file has the size and the SHA-256 of its receipt, so a truncated or bit-flipped
part is noticed before it is used, and rebuilt. While parts are read, Parquet's own page checksums are verified as
well. Not covered: two machines writing to one object-store folder at once (on a local disk a lock prevents it).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from codemill.errors import EnvironmentProblem, InputError, RecipeError

ROW_GROUP_BYTES = 16 << 20
"""Content of one row group and so of one batch in memory."""

_REPEATING = {
    "source",
    "repo",
    "language",
    "doc_type",
    "encoding",
    "reason",
    "step",
    "verdict",
    "license",
    "strategy",
}
"""Columns that gain from a dictionary. For the others trying one only costs time."""


@dataclass(frozen=True)
class Place:
    """A folder on any file system that pyarrow knows. Plain data: it travels to workers."""

    uri: str

    def at(self, *names: str) -> Place:
        """A folder or file below this one. The query of an address (`s3://bucket/out?region=…`) stays at its end."""
        address, mark, query = self.uri.partition("?") if "://" in self.uri else (self.uri, "", "")
        return Place("/".join([address.rstrip("/"), *names]) + mark + query)

    @property
    def name(self) -> str:
        """The last part of the path."""
        address = self.uri.partition("?")[0] if "://" in self.uri else self.uri
        return address.rstrip("/").rpartition("/")[2]

    def open(self) -> tuple[pafs.FileSystem, str]:
        """The file system and the path on it. Raises: InputError for an unknown kind of address."""
        if "://" not in self.uri:
            return pafs.LocalFileSystem(), self.uri
        try:
            filesystem, path = pafs.FileSystem.from_uri(self.uri)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"cannot open storage: {error}", where=self.uri) from error
        return filesystem, path

    @property
    def local(self) -> Path | None:
        """The path if it is on this machine's disk."""
        return Path(self.uri) if "://" not in self.uri else None

    @staticmethod
    def of(place: str | os.PathLike[str]) -> Place:
        """From what a user typed: a path (made absolute) or an address such as `s3://bucket/folder`."""
        text = os.fspath(place)
        if not text:
            raise RecipeError("the name of a file or folder is empty", remedy="is a variable of the shell unset?")
        if text.startswith("file://"):
            text = text[len("file://") :]
        return Place(text.rstrip("/") if "://" in text else os.path.abspath(text))

    def exists(self) -> bool:
        """Whether there is a file or folder here."""
        filesystem, path = self.open()
        with storage_errors(self.uri):
            return bool(filesystem.get_file_info(path).type != pafs.FileType.NotFound)

    def make(self) -> None:
        """Creates the folder and those above it. Raises: EnvironmentProblem if that is not possible."""
        filesystem, path = self.open()
        with storage_errors(self.uri):
            try:
                filesystem.create_dir(path, recursive=True)
            except FileNotFoundError as error:  # of a file system that holds no folders of ours, such as /proc
                raise EnvironmentProblem(
                    "the folder cannot be made there", where=self.uri, remedy="choose another --out"
                ) from error

    def remove(self) -> None:
        """Deletes the file, if it is there. A folder of that name is never deleted: it is not ours."""
        filesystem, path = self.open()
        with storage_errors(self.uri):
            if filesystem.get_file_info(path).type == pafs.FileType.File:
                filesystem.delete_file(path)

    def remove_folder(self) -> None:
        """Deletes a folder with all that is in it, if it is there. Only for folders below `.work`."""
        assert ".work" in PurePosixPath(self.uri).parts
        filesystem, path = self.open()
        with storage_errors(self.uri):
            if filesystem.get_file_info(path).type == pafs.FileType.Directory:
                filesystem.delete_dir(path)

    def names(self) -> dict[str, int]:
        """Files directly in the folder and their sizes, sorted by name; empty if the folder is not there."""
        filesystem, path = self.open()
        selector = pafs.FileSelector(path, allow_not_found=True)
        with storage_errors(self.uri):
            files = [i for i in filesystem.get_file_info(selector) if i.type == pafs.FileType.File]
        return {PurePosixPath(i.path).name: i.size for i in sorted(files, key=lambda i: str(i.path))}

    def read_json(self) -> Any:
        """The parsed file, or None if it is missing or damaged."""
        filesystem, path = self.open()
        try:
            with storage_errors(self.uri), filesystem.open_input_stream(path) as stream:
                return json.loads(stream.readall())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None

    def write_json(self, value: Any) -> None:
        """Writes atomically, readable by people."""
        self.write_bytes((json.dumps(value, indent=1) + "\n").encode())

    def write_bytes(self, data: bytes) -> None:
        """Writes atomically: to a temporary name, then renames."""
        with atomic(self) as stream:
            stream.write(data)


@dataclass(frozen=True)
class Receipt:
    """What is known of a part once it is written. `counts` is what its task counted: rows and bytes by reason."""

    name: str  # "part-00000.parquet"
    rows: int
    bytes: int  # of the file
    sha256: str  # of the file
    counts: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""  # of the step that wrote it: see Step.code

    @property
    def part(self) -> str:
        """The name without its ending."""
        return self.name.partition(".")[0]


class PartWriter:
    """Writes one Parquet part, hashing its bytes on the way; `close` renames it into place.

    Row groups are the batches given, gathered up to about `gather` bytes: 1 MiB keeps batches of content as they are
    and makes groups of thousands of rows of narrow layers (a row group of each batch took twice as long to
    write and to read). Leaving without `close` leaves nothing.
    """

    def __init__(self, folder: Place, name: str, schema: pa.Schema, *, gather: int = 1 << 20) -> None:
        self.folder, self.name, self.schema, self.gather = folder, name, schema, gather
        self.rows = 0
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_bytes = 0
        self._stack = contextlib.ExitStack()
        self._hashing = self._stack.enter_context(atomic(folder.at(f"{name}.parquet")))
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._hashing, mode="w"),
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[f.name for f in schema if f.name in _REPEATING],
            write_statistics=[f.name for f in schema if f.name not in ("content", "content_sha256", "meta")],
            write_page_checksum=True,
            store_schema=True,
        )

    def write(self, batch: pa.RecordBatch) -> None:
        """Adds rows; the batch must have the part's schema."""
        self.rows += batch.num_rows
        self._waiting.append(batch)
        self._waiting_bytes += batch.nbytes
        if self._waiting_bytes >= self.gather:
            self._flush()

    def _flush(self) -> None:
        table = pa.Table.from_batches(self._waiting, self.schema)
        self._waiting, self._waiting_bytes = [], 0
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)

    def close(self, counts: Mapping[str, Any], code: str = "") -> Receipt:
        """Completes the file and returns its receipt (not yet written)."""
        self._flush()
        self._writer.close()
        self._stack.close()
        return self._hashing.receipt(f"{self.name}.parquet", self.rows, counts, code)

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if kind is not None:
            with contextlib.suppress(Exception):  # the first error is the one to report
                self._writer.close()
            self._stack.__exit__(kind, error, trace)


class Hashing(io.RawIOBase):
    """A write-only file that hashes what passes."""

    def __init__(self, stream: Any, where: str) -> None:
        self.stream, self.where, self.hash, self.written = stream, where, hashlib.sha256(), 0

    def writable(self) -> bool:
        """See `io.RawIOBase`."""
        return True

    def write(self, data: Any) -> int:
        """Writes and hashes. Raises: EnvironmentProblem, for the disk may be full."""
        view = memoryview(data)
        self.hash.update(view)
        with storage_errors(self.where):
            self.stream.write(view)
        self.written += view.nbytes
        return view.nbytes

    def receipt(self, name: str, rows: int, counts: Mapping[str, Any] | None = None, code: str = "") -> Receipt:
        """What was written, as a receipt."""
        return Receipt(name, rows, self.written, self.hash.hexdigest(), counts or {}, code)


@contextlib.contextmanager
def atomic(target: Place) -> Iterator[Hashing]:
    """A stream whose file appears under its name only when complete. The temporary name is unique, so that a
    worker orphaned by a killed run cannot meet the one of the run after it."""
    filesystem, path = target.open()
    temporary = f"{path}.{uuid.uuid4().hex[:8]}.tmp"
    with storage_errors(target.uri):
        stream = filesystem.open_output_stream(temporary)
    try:
        yield Hashing(stream, target.uri)
        with storage_errors(target.uri):
            stream.close()
            filesystem.move(temporary, path)
    except BaseException:
        with contextlib.suppress(Exception):  # the disk may be full or gone; the first error is reported
            stream.close()
        with contextlib.suppress(Exception):
            filesystem.delete_file(temporary)
        raise


_REMEDIES = {
    errno.ENOSPC: ("the disk is full", "free some space and run again: finished parts are kept"),
    errno.EDQUOT: ("the disk quota is used up", "free some space and run again: finished parts are kept"),
    errno.EROFS: ("the folder is on a read-only file system", "choose another --out"),
    errno.EACCES: ("no permission", "choose another --out or change its permissions"),
    errno.EPERM: ("no permission", "choose another --out or change its permissions"),
    errno.ENOTDIR: ("part of the path is a file, not a folder", "choose another --out"),
    errno.EEXIST: ("there is a file where a folder is needed", "choose another --out"),
    errno.EISDIR: ("there is a folder where a file is needed", "choose another --out"),
    errno.ENAMETOOLONG: ("the path is too long", "choose a shorter --out"),
    errno.EMFILE: ("too many open files", "raise the limit with ulimit -n"),
}


@contextlib.contextmanager
def storage_errors(where: object) -> Iterator[None]:
    """Turns errors of the storage, and only these, into ones a user can act on.

    Raises: EnvironmentProblem. A file that is not there stays a FileNotFoundError: it is for the caller to say
    what that means.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except UnicodeEncodeError as error:
        raise EnvironmentProblem("the path is not UTF-8", where=repr(where), remedy="choose another --out") from error
    except OSError as error:
        number = error.errno
        if number is None and "No space left" in str(error):
            number = errno.ENOSPC
        what, remedy = _REMEDIES.get(number or 0, (error.strerror or " ".join(str(error).split()), None))
        raise EnvironmentProblem(what, where=where, remedy=remedy) from error


# ── receipts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def write_receipt(folder: Place, receipt: Receipt) -> None:
    """Writes a part's receipt, which makes the part count as built."""
    folder.at(f"{receipt.part}.json").write_json(receipt.__dict__)


def write_manifest(folder: Place, facts: Mapping[str, Any], receipts: Sequence[Receipt]) -> None:
    """Writes the manifest of a complete table, and then removes the receipts that it now holds."""
    parts = [r.__dict__ for r in receipts]
    folder.at("manifest.json").write_json({**facts, "sha256": _digest(parts), "parts": parts})
    for receipt in receipts:
        folder.at(f"{receipt.part}.json").remove()


def read_receipts(folder: Place) -> dict[str, Receipt]:
    """The receipts in a folder by part: all at once from the manifest if it is there, else from their own files.

    What is damaged is no receipt: the part is rebuilt.
    """
    manifest = folder.at("manifest.json").read_json()
    found: Iterable[Any]
    if isinstance(manifest, dict) and manifest.get("sha256") == _digest(manifest.get("parts")):
        found = manifest["parts"]
    else:
        found = (folder.at(n).read_json() for n in folder.names() if _RECEIPT.fullmatch(n))
    receipts = {}
    for value in found:
        with contextlib.suppress(TypeError):
            receipt = Receipt(**value)
            receipts[receipt.part] = receipt
    return receipts


_RECEIPT = re.compile(r"(part|((round-\d+|label)-)?(map|reduce))-\d+\.json|verdicts\.json")


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def intact(folder: Place, receipt: Receipt, size: int | None = None) -> bool:
    """Whether the part's file is what its receipt says. Reads the whole file (1.6 GB/s per core with SHA-NI)."""
    filesystem, path = folder.at(receipt.name).open()
    if size is not None and size != receipt.bytes:
        return False
    hash = hashlib.sha256()
    try:
        with filesystem.open_input_stream(path) as stream:
            while chunk := stream.read(1 << 20):
                hash.update(chunk)
    except OSError:  # it is not there, or cannot be read: then it is built again
        return False
    return hash.hexdigest() == receipt.sha256


def sweep(folder: Place) -> None:
    """Removes what a killed run left half-written."""
    for name in folder.names():
        if name.endswith(".tmp"):
            folder.at(name).remove()
