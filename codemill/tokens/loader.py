"""The loader: tokens of sequence n, by a plan over shards. Needs numpy and nothing else; what is read is mapped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codemill.errors import InputError
from codemill.tokens.plan import Plan, Spans
from codemill.tokens.shards import Shards


@dataclass(frozen=True)
class Sequence:
    """One sequence of a plan.

    Shape: `tokens` has the plan's length, of which the first `real` are tokens of documents and the rest padding;
    `starts` (int64) are the places where another text begins, or goes on that began in an earlier sequence: the first
    is 0. A text is a document, or a whole repository where the plan has names. A model that must not look from one text
    into another masks by them. `spans` say where each piece came from.
    """

    tokens: npt.NDArray[Any]
    real: int
    starts: npt.NDArray[np.int64]
    spans: Spans


class Loader:
    """Follows a plan: `loader[n]` is sequence n. The state of a training run is one number.

    `out` is the folder of the run that made the plan, `shards` the folders of its inputs, in the order of mix.json.

    Raises: InputError if a folder has other shards than the plan was made over.
    """

    def __init__(self, out: Path | str, shards: Many[Path | str]) -> None:
        self.plan = Plan(out)
        inputs = self.plan.facts["inputs"]
        if len(shards) != len(inputs):
            raise InputError(f"the plan has {len(inputs)} inputs, got {len(shards)} folders of shards", where=out)
        for folder, given in zip(shards, inputs, strict=True):
            if digest(Path(folder)) != given["shards"]:
                what = f"these are not the shards that the plan was made over as {given['name']!r}"
                raise InputError(what, where=folder, remedy="give the folders in the order of mix/mix.json")
        self.shards = [Shards(folder) for folder in shards]
        self.dtype = widest(self.shards)

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, number: int) -> Sequence:
        """Sequence `number`. Raises: IndexError beyond the end."""
        return gathered(self.plan.spans(number), self.shards, self.plan.length, self.dtype)

    def follows(self, number: int) -> int | None:
        """The token that follows a sequence, if its last text goes on in the next one."""
        if number + 1 >= len(self):
            return None
        here, there = self.plan.spans(number), self.plan.spans(number + 1)
        same = all(here[name][-1] == there[name][0] for name in ("input", "part", "row", "epoch"))
        if not (same or here["joined"][-1]):
            return None
        first = {**{name: column[:1] for name, column in there.items()}, "length": np.ones(1, np.int32)}
        return int(gathered(first, self.shards, 1, self.dtype).tokens[0])

    def __iter__(self) -> Iterator[Sequence]:
        return (self[number] for number in range(len(self)))


def gathered(spans: Spans, shards: Many[Shards], length: int, dtype: np.dtype[Any]) -> Sequence:
    """The sequence of `length` tokens that these spans make."""
    lengths = spans["length"].astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    real = int(lengths.sum())
    tokens = np.empty(length, dtype)
    places = zip(*(spans[name].tolist() for name in ("input", "part", "row", "start")), strict=True)
    for (source, part, row, start), at, count in zip(places, starts.tolist(), lengths.tolist(), strict=True):
        head = min(count, max(0, -start))
        if head:
            heading = shards[source].heading(part, row)
            first = len(heading) + start
            tokens[at : at + head] = heading[first : first + head]
        if head < count:
            tokens[at + head : at + count] = shards[source].tokens(part, row)[start + head : start + count]
    tokens[real:] = tokens[real - 1]  # the token of an end: padding is no text
    begins = np.append(True, ~spans["joined"][:-1])
    return Sequence(tokens, real, starts[begins], spans)


def widest(shards: Many[Shards]) -> np.dtype[Any]:
    """The type that holds the ids of all of them."""
    return max((one.dtype for one in shards), key=lambda dtype: dtype.itemsize)


def digest(folder: Path) -> str:
    """Identifies shards by the hashes that the manifest beside their folder has of them."""
    manifest = folder.parent / "manifest.json"
    try:
        files = json.loads(manifest.read_text("utf-8"))["files"][folder.name]
        hashes = [receipt["sha256"] for receipt in files.values()]
    except (OSError, ValueError, KeyError) as error:
        what = f"there is no manifest of these shards: {error!r}"
        raise InputError(what, where=manifest, remedy="copy the folder of the run as a whole") from error
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
