"""Fetches a benchmark's published files, when it is asked for by name and never otherwise."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import urllib.error
import urllib.request
import zlib
from pathlib import Path

from codemill.benchmarks.catalogue import Benchmark, File
from codemill.errors import EnvironmentProblem, InputError, RecipeError

LARGEST = 1 << 29
"""Bytes of a file, packed and unpacked."""


def fetch(benchmark: Benchmark, folder: Path, *, seconds: float = 60.0) -> list[Path]:
    """Writes the files of a benchmark below a folder, whole or not at all; what is there and intact is not fetched.

    Raises: RecipeError if no address is known; EnvironmentProblem if it cannot be reached; InputError if what comes is
    not what is known of the file.
    """
    if not benchmark.files:
        raise RecipeError(
            f"no address of a file of {benchmark.title} is known",
            remedy=f"see {benchmark.published}, and mind its licence",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return [_one(file, folder, seconds) for file in benchmark.files]


def _one(file: File, folder: Path, seconds: float) -> Path:
    place = folder / file.address.rpartition("/")[2]
    if place.exists() and file.sha256 and _digest(place.read_bytes(), str(place)) == file.sha256:
        return place
    try:
        with urllib.request.urlopen(file.address, timeout=seconds) as answer:
            data = answer.read(LARGEST + 1)
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise EnvironmentProblem(f"it cannot be fetched: {error}", where=file.address) from error
    if len(data) > LARGEST:
        raise InputError(f"the file has more than {LARGEST:,} bytes", where=file.address)
    found = _digest(data, place.name)
    if file.sha256 and found != file.sha256:
        raise InputError(
            f"the file is another one: SHA-256 {found}, known is {file.sha256}", where=file.address,
            remedy="it was changed where it is published, or on the way; fetch it by hand and look at it",
        )  # fmt: skip
    part = place.with_name(f".{place.name}.part")
    part.write_bytes(data)
    part.replace(place)
    return place


def _digest(data: bytes, name: str) -> str:
    """Of what is in the file, unpacked: packing again changes the packed bytes."""
    if not name.endswith(".gz"):
        return hashlib.sha256(data).hexdigest()
    digest, size = hashlib.sha256(), 0
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            while piece := stream.read(1 << 20):
                size += len(piece)
                if size > LARGEST:
                    raise InputError(f"the file has more than {LARGEST:,} bytes unpacked", where=name)
                digest.update(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"the file cannot be unpacked: {error}", where=name) from error
    return digest.hexdigest()
