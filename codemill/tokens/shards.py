"""Token shards: the tokens of documents, in files that are mapped into memory and read at random.

    OUT/tokens/part-00000.arrow …    uncompressed Arrow IPC files, some thousand documents in a batch of about 16 MiB
    OUT/manifest.json                of each file its rows, bytes and SHA-256

A row is a document: `parent`, its id in the ledger; `repo`, `path`, `language`; `size`, its bytes; `num_tokens`;
`content_hash`, 64 bits of its hash; `tokens`, its ids (uint16 where they suffice), the last of which ends it; and
`heading`, those of its repository (`repo_tokens`) and of its path (`file_tokens`), which a plan may put in front.
The offsets of the batches are in the footer of the file, those of the documents in the batch: there is no index to be
made. Each batch has a SHA-256 of each column in its metadata, `sha256 NAME`: of the IPC message with that column alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc as ipc

from codemill.columns import damaged
from codemill.errors import InputError


def numbered(folder: Path) -> list[Path]:
    """The files part-00000.arrow … of a folder, by number: there may be more than five digits have."""
    return sorted(folder.glob("part-*.arrow"), key=lambda file: (len(file.name), file.name))


@dataclass
class Shards:
    """The token shards in a folder. A part is opened when it is first read, and mapped: nothing is loaded.

    Raises: InputError if there are none, or one cannot be read.
    """

    folder: Path | str
    _open: dict[int, _Part] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.files:
            raise InputError("there are no token shards", where=self.folder, remedy="give OUT/tokens of a run")

    @cached_property
    def files(self) -> list[Path]:
        """The files in the order of their numbers."""
        return numbered(Path(self.folder))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of ids: uint16 or uint32."""
        kind = self._part(0).reader.schema.field("tokens").type.value_type
        found: np.dtype[Any] = np.dtype(str(kind))
        return found

    def rows(self, part: int) -> int:
        """Documents in a part."""
        return int(self._part(part).ends[-1])

    def tokens(self, part: int, row: int) -> npt.NDArray[Any]:
        """The ids of a document: a view of the file."""
        return self._ids("tokens", part, row)

    def heading(self, part: int, row: int) -> npt.NDArray[Any]:
        """The ids of a document's heading: of the name of its repository, then of its path. A view of the file."""
        return self._ids("heading", part, row)

    def _ids(self, name: str, part: int, row: int) -> npt.NDArray[Any]:
        batch, within = self._part(part).find(row)
        column = batch.column(name)
        start, end = column.offsets[within].as_py(), column.offsets[within + 1].as_py()
        view: npt.NDArray[Any] = column.values[start:end].to_numpy()
        return view

    def row(self, part: int, row: int) -> dict[str, Any]:
        """What else is known of a document: `parent`, `repo`, `path`, and so on."""
        batch, within = self._part(part).find(row)
        names = (name for name in batch.schema.names if name not in ("heading", "tokens"))
        return {name: batch.column(name)[within].as_py() for name in names}

    def batches(self, part: int) -> list[pa.RecordBatch]:
        """The batches of a part, mapped."""
        return self._part(part).batches

    def verify(self) -> None:
        """Reads everything and holds it against its checksums. Raises: InputError if a batch is damaged."""
        for number, file in enumerate(self.files):
            for at in range(self._part(number).reader.num_record_batches):
                names = damaged(*self._part(number).reader.get_batch_with_custom_metadata(at))
                if names:
                    raise InputError(f"batch {at} is damaged in {', '.join(names)}", where=file, remedy="run again")

    def _part(self, number: int) -> _Part:
        if number not in self._open:
            if not 0 <= number < len(self.files):
                raise InputError(f"there is no shard {number}", where=self.folder)
            self._open[number] = _Part(self.files[number])
        return self._open[number]


class _Part:
    """One file, mapped: its batches cost their metadata."""

    def __init__(self, file: Path) -> None:
        try:
            self.reader = ipc.open_file(pa.memory_map(str(file)))
            self.batches = [self.reader.get_batch(i) for i in range(self.reader.num_record_batches)]
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"a token shard cannot be read: {error}", where=file, remedy="run again") from error
        self.ends = np.cumsum([0, *(batch.num_rows for batch in self.batches)])
        self.file = file

    def find(self, row: int) -> tuple[pa.RecordBatch, int]:
        at = int(np.searchsorted(self.ends, row, side="right")) - 1
        if not 0 <= row < self.ends[-1]:
            raise InputError(f"there is no document {row}", where=self.file)
        return self.batches[at], row - int(self.ends[at])
