"""Working files of a run, whichever of their two forms they have."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from codemill.machine.store import ENDINGS


def files(out: Path, step: str = "*") -> list[Path]:
    """The files that a step's tables are made of, sorted by name."""
    return sorted(p for p in (out / ".work").glob(f"{step}/*") if p.suffix in ENDINGS and p.parent.name != "tables")


def read(file: Path) -> pa.Table:
    """The rows of one of them."""
    if file.suffix == ".parquet":
        return pq.read_table(file)
    with pa.memory_map(str(file)) as source:
        return ipc.open_file(source).read_all()
