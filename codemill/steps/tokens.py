"""Lays the sequences of a plan out in files, for object stores and for trainers with formats of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain, count, islice, pairwise

import numpy as np

from codemill.errors import BuildError, RecipeError
from codemill.machine.reading import OutFolder, Reading, local
from codemill.machine.table import folder
from codemill.steps import mix
from codemill.tokens import SPAN, Shards
from codemill.tokens.loader import Sequence, gathered, widest
from codemill.tokens.plan import Spans
from codemill.tokens.writing import FORMATS, megatron, parquet


def _check(*, length: int, form: str, file_tokens: int) -> None:
    if form not in FORMATS:
        raise RecipeError(f"sequences cannot be written as {form!r}", remedy=f"one of: {', '.join(FORMATS)}")
    if file_tokens < length:
        raise RecipeError(f"a file has at least one sequence, {length} tokens, got {file_tokens}")


@folder(version=1, check=_check, resolve=lambda inputs, params: mix.of_shards(inputs[1:], params))
def write(
    plan: Reading, *tokens: Reading, out: OutFolder, length: int, form: str, file_tokens: int = 1 << 28
) -> dict[str, int]:
    """Writes the sequences of a plan in order: as Megatron's bin and idx, or as Parquet.

    Files have `file_tokens` tokens each. A file that was complete when a run was killed is not written again. Memory: a
    thousand sequences.
    """
    shards = [Shards(local(table.parts[0].pieces[0].file.parent())) for table in tokens]
    dtype = widest(shards)
    each = file_tokens // length
    endings = (".bin", ".idx") if form == "megatron" else (".parquet",)
    counts = {"sequences": 0, "tokens": 0}
    for number, spans in _files(plan, each):
        names = [f"part-{number:05d}{ending}" for ending in endings]
        if not all(out.sealed(name) for name in names):
            made = _Counted(gathered(its, shards, length, dtype) for its in spans)
            written = (megatron if form == "megatron" else parquet)(made, out.path / f"part-{number:05d}", dtype)
            out.seal(*names, counts={"sequences": made.count, "tokens": written})
        receipt = out.sealed(names[0])
        assert receipt is not None
        for name in counts:
            counts[name] += int(receipt.counts[name])
    return counts


class _Counted:
    """An iterator that knows how many it gave."""

    def __init__(self, sequences: Iterator[Sequence]) -> None:
        self.sequences, self.count = sequences, 0

    def __iter__(self) -> Iterator[Sequence]:
        for one in self.sequences:
            self.count += 1
            yield one


def _files(plan: Reading, each: int) -> Iterator[tuple[int, Iterator[Spans]]]:
    """The spans of each sequence, `each` sequences to a file. What is not taken of a file is passed over."""
    spans = _checked(_sequences(plan))
    for number in count():
        first = next(spans, None)
        if first is None:
            return
        its = chain([first], islice(spans, each - 1))
        yield number, its
        deque(its, maxlen=0)


def _checked(sequences: Iterator[tuple[int, Spans]]) -> Iterator[Spans]:
    for expected, (sequence, spans) in enumerate(sequences):
        if sequence != expected:
            raise BuildError(f"sequence {expected} is missing from the plan", where="tokens.write")
        yield spans


def _sequences(plan: Reading) -> Iterator[tuple[int, Spans]]:
    """Each sequence with its spans; one may begin in one batch and end in the next."""
    open_: Spans | None = None
    at = -1
    for batch in plan.batches(SPAN.names):
        columns = {name: batch[name].to_numpy(zero_copy_only=False) for name in SPAN.names}
        numbers = columns.pop("sequence")
        edges = np.flatnonzero(np.diff(numbers, prepend=-1, append=-1)).tolist() if len(numbers) else []
        for start, end in pairwise(edges):
            piece = {name: column[start:end] for name, column in columns.items()}
            if open_ is not None and numbers[start] == at:
                open_ = {name: np.concatenate([column, piece[name]]) for name, column in open_.items()}
                continue
            if open_ is not None:
                yield at, open_
            open_, at = piece, int(numbers[start])
    if open_ is not None:
        yield at, open_
