"""Searches the contents of the corpus, part by part, and yields what it finds as it finds it.

Nothing is indexed: a search reads what it searches. Its memory is a batch of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from codemill.run import Run
from codemill.view.rows import Mask, Rows

AT_ONCE = 1024  # rows of a batch
AROUND = 60  # characters shown before and after what was found


@dataclass(frozen=True)
class Hit:
    """A document that holds what was looked for: the line where it stands first, cut around it."""

    place: int
    seen: int  # rows of the corpus up to it, itself included
    line: int
    before: str
    found: str
    after: str


@dataclass(frozen=True)
class Seen:
    """How far a search came."""

    seen: int  # rows of the corpus


def search(rows: Rows, words: str, among: Mask, after: int = 0) -> Iterator[Hit | Seen]:
    """Hits among some files, in the order of the corpus from row `after` on, and after each batch how far it came.

    Capitals count only if there are some in `words`. Raises: InputError if the corpus is damaged.
    """
    ignore = words == words.lower()
    seen = 0
    with rows.run.readable():
        for batch in _batches(rows.run, after):
            if isinstance(batch, int):
                seen += batch
                continue
            numbers = np.arange(seen, seen + batch.num_rows) + 1
            seen += batch.num_rows
            places = rows.places_of(batch["id"])
            looked_at = (numbers > after) & (places >= 0) & among[np.maximum(places, 0)]
            texts, places, numbers = batch["content"].filter(pa.array(looked_at)), places[looked_at], numbers[looked_at]
            found = pc.match_substring(texts, words, ignore_case=ignore).fill_null(False)
            for at in np.flatnonzero(found.to_numpy(zero_copy_only=False)).tolist():
                yield _hit(int(places[at]), int(numbers[at]), texts[at].as_py(), words, ignore)
            yield Seen(seen)


def _batches(run: Run, after: int) -> Iterator[pa.RecordBatch | int]:
    """Ids and contents of the corpus; in the place of parts and row groups before `after`, their numbers of rows."""
    seen = 0
    for place in run.files("corpus"):
        filesystem, path = place.open()
        with filesystem.open_input_file(path) as stream:
            file = pq.ParquetFile(stream, pre_buffer=True)
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                seen += rows
                if seen <= after:
                    yield rows
                else:
                    yield from file.iter_batches(AT_ONCE, row_groups=[group], columns=["id", "content"])


def _hit(place: int, seen: int, text: str, words: str, ignore: bool) -> Hit:
    at = text.find(words)
    if at < 0 and ignore:
        at = max(text.lower().find(words), 0)
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at + len(words))
    end = len(text) if end < 0 else end
    first, last = max(start, at - AROUND), min(end, at + len(words) + AROUND)
    before = "…" * (first > start) + text[first:at].lstrip()
    after = text[at + len(words) : last] + "…" * (last < end)
    return Hit(place, seen, text.count("\n", 0, at) + 1, before, text[at : at + len(words)], after)
