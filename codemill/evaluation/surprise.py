"""Bits per byte: how surprised a model is by text. It tells small models apart long before they solve a task.

    bits = -log2 p(tokens of the text | what stands before)        per byte of the text, so that tokenizers compare

Measured on the published answers of a benchmark, given their prompts, and on files that were held out: of repositories
and of a time that training did not see. A file is read in windows that overlap by half, so that each token but the
first ones has at least half a window before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codemill.benchmarks.task import Task
from codemill.errors import InputError
from codemill.evaluation import metrics

if TYPE_CHECKING:
    from codemill.model.generate import Generator


@dataclass(frozen=True)
class Text:
    """A text, what stands before it, and what it is counted under."""

    text: str
    before: str = ""
    group: str = ""  # a language
    name: str = ""  # of the task or the file


@dataclass(frozen=True)
class Surprise:
    """What one text took. Unit: bits, and bytes of UTF-8 of `text`."""

    name: str
    group: str
    bits: float
    bytes: int


LogProbs = Callable[[Sequence[int], int], Sequence[float]]
"""Tokens, and how many of them are given: natural logarithms of the probabilities of the others, in order."""


def measure(texts: Iterable[Text], encode: Callable[[str], Sequence[int]], logprobs: LogProbs, *, context: int,
            begin: int | None = None) -> Iterator[Surprise]:  # fmt: skip
    """The surprise of each text. `begin` is a token that stands before everything; without one the first token of a
    text that has nothing before it costs nothing, and its bytes are not counted.

    Why `before` and text are encoded together: a model sees no border between them. A token that spans it counts as
    part of the text, and so do its bytes before the border.
    """
    for one in texts:
        whole, head = list(encode(one.before + one.text)), list(encode(one.before)) if one.before else []
        given = 0
        while given < len(head) and given < len(whole) and head[given] == whole[given]:
            given += 1
        if begin is not None:
            whole, given = [begin, *whole], given + 1
        given = max(given, 1)
        size = len(one.text.encode("utf-8", "replace"))
        if given >= len(whole) or not size:
            continue
        bits = -sum(_windows(whole, given, logprobs, context)) / math.log(2)
        yield Surprise(one.name, one.group, bits, size)


def _windows(tokens: Sequence[int], given: int, logprobs: LogProbs, context: int) -> Iterator[float]:
    at = given
    while at < len(tokens):
        first = max(0, at - context // 2)
        last = min(len(tokens), first + context)
        yield from logprobs(tokens[first:last], at - first)
        at = last


def answers(tasks: Iterable[Task]) -> Iterator[Text]:
    """The published answers of tasks, given their prompts."""
    for task in tasks:
        if task.solution:
            continues = task.kind in ("complete", "infill")
            before = task.prompt if continues else f"{task.instruction or task.prompt}\n" if task.prompt else ""
            yield Text(task.solution, before, task.language, task.id)


def files(corpus: Path, *, after: datetime | None = None, limit: int | None = None) -> Iterator[Text]:
    """Files of a corpus (its Parquet parts), newer than a time if one is given. `limit` is per language.

    Raises: InputError if there are none, or if files have no commit time and one is asked for.
    """
    import pyarrow.parquet as pq

    parts = sorted(corpus.rglob("*.parquet")) if corpus.is_dir() else [corpus]
    if not parts:
        raise InputError(
            "no Parquet files here", where=corpus, remedy="give OUT/corpus of a run, or its held-out output"
        )
    taken: dict[str, int] = {}
    dated = any_rows = False
    for part in parts:
        with pq.ParquetFile(part) as file:
            names = [n for n in ("id", "path", "language", "content", "commit_time") if n in file.schema_arrow.names]
            for batch in file.iter_batches(64, columns=names):
                for row in batch.to_pylist():
                    any_rows = True
                    time, language = row.get("commit_time"), row.get("language") or ""
                    dated = dated or time is not None
                    if after is not None and (time is None or time.replace(tzinfo=time.tzinfo or UTC) <= after):
                        continue
                    if not row["content"] or (limit is not None and taken.get(language, 0) >= limit):
                        continue
                    taken[language] = taken.get(language, 0) + 1
                    yield Text(row["content"], "", language, row.get("path") or row.get("id") or "")
    if any_rows and not taken:
        why = "no file is newer" if dated else "the files have no commit time"
        raise InputError(f"nothing to measure: {why}", where=corpus, remedy="give other files, or another --newer-than")


def summary(found: Iterable[Surprise]) -> dict[str, Any]:
    """Bits per byte over all and by group: the sum of bits over the sum of bytes, with a bootstrap over texts."""
    every = list(found)
    groups: dict[str, list[Surprise]] = {}
    for one in every:
        groups.setdefault(one.group, []).append(one)
    return {"all": _rate(every), "groups": {name: _rate(some) for name, some in sorted(groups.items())}}


def _rate(some: Sequence[Surprise]) -> dict[str, float | int]:
    bits, size = sum(one.bits for one in some), sum(one.bytes for one in some)
    low, high = metrics.ratio_interval([one.bits for one in some], [one.bytes for one in some])
    return {
        "texts": len(some),
        "bytes": size,
        "bits_per_byte": bits / size if size else math.nan,
        "low": low,
        "high": high,
    }


def of_model(generator: Generator, texts: Iterable[Text]) -> Iterator[Surprise]:
    """The surprise of a model of `codemill.model`."""
    import torch

    def logprobs(tokens: Sequence[int], given: int) -> Sequence[float]:
        tokens_BT = torch.tensor([list(tokens)], device=generator.device)
        with torch.inference_mode():
            logits_TV = generator.model.logits(generator.model.states(tokens_BT)[0, given - 1 : -1]).float()
            chosen_T = tokens_BT[0, given:]
            found: list[float] = torch.log_softmax(logits_TV, -1).gather(1, chosen_T[:, None])[:, 0].tolist()
        return found

    special: Mapping[str, int] = generator.template.special
    begin = next(
        (special[name] for name in ("<|begin_of_text|>", "<|endoftext|>", "<s>", "</s>") if name in special), None
    )
    yield from measure(texts, generator.template.ids, logprobs, context=generator.context, begin=begin)


def time_of(text: str) -> datetime:
    """A time as ISO writes it, in UTC if it does not say. Raises: InputError."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no time", remedy="write it as 2024-06-30") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
