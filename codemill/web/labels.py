"""What people, or a teacher, said of pages: a table of URLs or domains with a label.

A file in CSV, JSON lines or Parquet. The column `url` or `domain` says of what, `label` says what: 1 for about code,
0 for not. A URL's label counts for more than its domain's. A file of `url` or `domain` alone lists what is about code.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from codemill.errors import InputError
from codemill.web.urls import domain_of, host_of

UNKNOWN = -1
Verdicts = npt.NDArray[np.int8]

_READERS: Mapping[str, Any] = {
    ".csv": lambda path: pl.read_csv(path, infer_schema=False),
    ".jsonl": pl.read_ndjson,
    ".parquet": pl.read_parquet,
}


@dataclass(frozen=True)
class Labels:
    """A file of labels. Its identity is that of the file's bytes.

    Raises: InputError if it cannot be read, lacks a column, or has another label than 0 and 1.
    """

    path: str
    sha256: str = field(init=False)

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def __post_init__(self) -> None:
        try:
            data = Path(self.path).read_bytes()
        except OSError as error:
            raise InputError(f"cannot read labels: {error.strerror}", where=self.path) from error
        object.__setattr__(self, "sha256", hashlib.sha256(data).hexdigest())
        _read(self.path, self.sha256)

    def of(self, urls: pa.Array, domains: pa.Array) -> Verdicts:
        """1, 0 or `UNKNOWN` for each page."""
        by_url, by_domain, _ = _read(self.path, self.sha256)
        pairs = zip(urls.to_pylist(), domains.to_pylist(), strict=True)
        return np.array([by_url.get(url, by_domain.get(domain, UNKNOWN)) for url, domain in pairs], np.int8)

    def domains(self) -> frozenset[str]:
        """The domains of all pages that have a label, and those that have one themselves."""
        return _read(self.path, self.sha256)[2]


@functools.lru_cache(maxsize=8)
def _read(path: str, sha256: str) -> tuple[dict[str, int], dict[str, int], frozenset[str]]:
    """Labels by URL and by domain, and all domains. A file of another content than was listed is refused."""
    reader = _READERS.get(Path(path).suffix.lower())
    if reader is None:
        raise InputError("not a file of labels by its name", where=path, remedy=f"one of: {' '.join(_READERS)}")
    if hashlib.sha256(Path(path).read_bytes()).hexdigest() != sha256:
        raise InputError("the labels changed while the run was using them", where=path, remedy="run again")
    try:
        table = reader(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"cannot read labels: {str(error)[:200]}", where=path) from error
    keys = [name for name in ("url", "domain") if name in table.columns]
    if keys and set(table.columns) == set(keys):
        table = table.with_columns(label=pl.lit(1))
    if not keys or "label" not in table.columns:
        raise InputError(
            f"labels have the columns url or domain, and label; this has {', '.join(table.columns)[:200]}", where=path
        )
    found: dict[str, dict[str, int]] = {"url": {}, "domain": {}}
    for number, row in enumerate(table.select(*keys, "label").iter_rows(named=True), 1):
        label = str(row["label"]).strip()
        if label not in ("0", "1"):
            raise InputError(f"a label is 0 or 1, got {label!r}", where=f"{path}, row {number}")
        for key in keys:
            if row[key]:
                found[key].setdefault(str(row[key]), int(label))
                break
    hosts = (host_of(url) for url in found["url"])
    domains = {domain_of(host) for host in hosts if host} | set(found["domain"])
    return found["url"], found["domain"], frozenset(domains)
