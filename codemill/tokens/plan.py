"""Plans: which spans of which shards make sequence n.

    OUT/plan/part-00000.arrow …   rows of `SPAN`, sorted by sequence, in Arrow files that are mapped into memory
    OUT/mix/mix.json              length, sequences, tokens, padding, and what each input contributed

A sequence may begin in one file and end in the next.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc as ipc

from codemill.errors import InputError
from codemill.tokens.shards import numbered

SPAN = pa.schema(
    [
        pa.field("sequence", pa.int64()),
        pa.field("input", pa.int32()),  # which of the shards' folders, in the order of mix.json
        pa.field("part", pa.int32()),  # which file of it
        pa.field("row", pa.int32()),  # which document of that
        pa.field("epoch", pa.int32()),  # how often the document was there before
        pa.field("start", pa.int32()),  # its tokens before the piece; below 0, the piece begins in its heading
        pa.field("length", pa.int32()),  # tokens
        pa.field("joined", pa.bool_()),  # its end is left out: the next document goes on with the same text
    ]
)
"""A piece of a document in a sequence.

A plan with names takes the last -`start` tokens of a document's heading first: those of its path, or of the names of
its repository and its path. Of a repository that is one text all documents but the last are `joined`.
"""

Spans = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Plan:
    """A plan in the folder of a run. Its files are mapped, not loaded.

    Raises: InputError if there is none.
    """

    out: Path | str

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What mix.json says."""
        path = Path(self.out) / "mix" / "mix.json"
        try:
            facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"there is no plan: {error}", where=path, remedy="run pretraining_mix") from error
        return facts

    @property
    def length(self) -> int:
        """Tokens of a sequence."""
        return int(self.facts["length"])

    def __len__(self) -> int:
        return int(self.facts["sequences"])

    def spans(self, sequence: int) -> Spans:
        """The pieces that make a sequence, in order: the columns of `SPAN`, the first apart.

        Raises: IndexError beyond the end.
        """
        if not 0 <= sequence < len(self):
            raise IndexError(f"there are {len(self)} sequences, asked for {sequence}")
        found: list[Spans] = []
        batches, last = self._batches
        for batch in batches[bisect_left(last, sequence) :]:
            begin, end = np.searchsorted(batch["sequence"].to_numpy(), [sequence, sequence + 1])
            if begin == end:
                break
            names = [name for name in SPAN.names if name != "sequence"]
            found.append({name: batch[name][begin:end].to_numpy(zero_copy_only=False) for name in names})
        return {name: np.concatenate([spans[name] for spans in found]) for name in found[0]}

    def holding(self, source: int, part: int, row: int) -> npt.NDArray[np.int64]:
        """The sequences that hold a piece of a document, in order: that in a row of a part of an input's shards."""
        found = [np.zeros(0, np.int64)]
        for batch in self._batches[0]:
            wanted = (("input", source), ("part", part), ("row", row))
            here = np.logical_and.reduce([batch[name].to_numpy() == value for name, value in wanted])
            found.append(batch["sequence"].to_numpy()[here].astype(np.int64))
        return np.unique(np.concatenate(found))

    @cached_property
    def _batches(self) -> tuple[list[pa.RecordBatch], list[int]]:
        """All batches, mapped, and the last sequence of each."""
        found: list[pa.RecordBatch] = []
        for file in numbered(Path(self.out) / "plan"):
            try:
                reader = ipc.open_file(pa.memory_map(str(file)))
                if missing := set(SPAN.names) - set(reader.schema.names):
                    what = f"a plan lacks the column {missing.pop()}: another version made it"
                    raise InputError(what, where=file, remedy="run again")
                batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
            except (pa.ArrowException, OSError) as error:
                raise InputError(f"a plan cannot be read: {error}", where=file, remedy="run again") from error
            found += [batch for batch in batches if batch.num_rows]
        return found, [batch["sequence"][-1].as_py() for batch in found]
