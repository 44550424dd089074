"""Rows of JSON lines, JSON lists and Parquet, packed with gzip or not: bounded, and nothing is executed."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from codemill.errors import InputError

ROW_BYTES = 1 << 28
"""The longest row or JSON list that is read: 256 MiB. One task of LiveCodeBench has tests of some ten megabytes."""

LINES = (".jsonl", ".jsonl.gz", ".json", ".json.gz")
ARCHIVES = (".tar", ".tar.gz", ".tgz")
KNOWN = (*LINES, ".parquet", *ARCHIVES)


def holds_rows(path: Path) -> bool:
    """Whether a file's name is one of those that are read row by row."""
    return path.is_file() and path.name.endswith((*LINES, ".parquet"))


def candidates(folder: Path) -> list[Path]:
    """The files below a folder that could hold tasks, sorted; a file itself. Links are not followed.

    Raises: InputError if there is nothing of that name.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise InputError("there is no such folder or file", where=folder, remedy="give a folder with benchmark files")
    found = sorted(path for path in folder.rglob("*") if path.name.endswith(KNOWN))
    return [path for path in found if path.is_file() and not path.is_symlink()]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, in order. Raises: InputError if it cannot be read or is malformed."""
    try:
        if path.name.endswith(".parquet"):
            yield from _parquet(path)
            return
        with cast("IO[bytes]", gzip.open(path, "rb") if path.name.endswith(".gz") else open(path, "rb")) as stream:
            yield from _list(stream, path) if _is_list(path, stream) else _lines(stream, path)
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise InputError(f"the file cannot be read: {error}", where=path) from error


def _is_list(path: Path, stream: IO[bytes]) -> bool:
    """Whether the file is one JSON list; the stream is at its beginning again."""
    begin = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")
    stream.seek(0)
    return begin.startswith(b"[")


def _list(stream: IO[bytes], path: Path) -> Iterator[dict[str, Any]]:
    data = stream.read(ROW_BYTES + 1)
    if len(data) > ROW_BYTES:
        raise InputError(f"the JSON list has more than {ROW_BYTES:,} bytes", where=path)
    for number, value in enumerate(_parsed(data, path), start=1):
        yield _object(value, path, number)


def _lines(stream: IO[bytes], path: Path) -> Iterator[dict[str, Any]]:
    number = 0
    while line := stream.readline(ROW_BYTES + 1):
        number += 1
        if len(line) > ROW_BYTES:
            raise InputError(f"row {number} has more than {ROW_BYTES:,} bytes", where=path)
        if line.strip():
            yield _object(_parsed(line, f"{path}, row {number}"), path, number)


def _parsed(data: bytes, where: object) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}", where=where) from error


def _object(value: Any, path: Path, number: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"row {number} is {type(value).__name__}, not an object", where=path)
    return value


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=64):
            yield from batch.to_pylist()
