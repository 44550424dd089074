"""Bits per byte: how surprised a model is by text. It tells small models apart long before they solve a task.

    bits = -log2 p(tokens of the text | what stands before)        per byte of the text, so that tokenizers compare
    of several texts: the sum of their bits over the sum of their bytes, wherever bits per byte are given or compared

Measured on the published answers of a benchmark, given their prompts, and on files that were held out: of repositories
and of a time that training did not see. A file is read in windows that overlap by half, so that each token but the
first ones has at least half a window before it.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from codemill import chance
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
            begin: int) -> Iterator[Surprise]:  # fmt: skip
    """The surprise of each text. `begin` is the token that stands before everything, so that no token of a text comes
    for nothing, whatever the tokenizer makes of its beginning.

    Why `before` and text are encoded together: a model sees no border between them. A token that spans it counts as
    part of the text, although not all of its bytes do.
    """
    for one in texts:
        whole, head = list(encode(one.before + one.text)), list(encode(one.before)) if one.before else []
        given = 0
        while given < len(head) and given < len(whole) and head[given] == whole[given]:
            given += 1
        size = len(one.text.encode("utf-8", "replace"))
        if given >= len(whole) or not size:
            continue
        bits = -sum(_windows([begin, *whole], given + 1, logprobs, context)) / math.log(2)
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


Place = tuple[int, int]
"""A part of a corpus, and a row of it."""


def files(corpus: Path, *, after: datetime | None = None, limit: int | None = None) -> Iterator[Text]:
    """Files of a corpus (its Parquet parts), newer than a time if one is given.

    `limit` is per language: so many are drawn, each by its content, so that any other order or part of the same files
    gives the same ones. A text is named by its id, else by its content: a path may be that of many repositories.

    Raises: InputError if there is nothing to measure.
    """
    parts = sorted(corpus.rglob("*.parquet")) if corpus.is_dir() else [corpus]
    if not parts:
        raise InputError(
            "no Parquet files here", where=corpus, remedy="give OUT/corpus of a run, or its held-out output"
        )
    drawn = None if limit is None else _drawn(_rows(parts, after), limit)
    found = False
    for place, row in _rows(parts, after):
        if drawn is None or place in drawn:
            found = True
            yield Text(row["content"], "", row.get("language") or "", row.get("id") or _sha256(row).hex())
    if not found:
        times = [row.get("commit_time") for _, row in _rows(parts)]
        why = "no file is newer" if any(times) else "the files have no commit time" if times else "no file has a text"
        raise InputError(f"nothing to measure: {why}", where=corpus, remedy="give other files, or another --newer-than")


def _rows(parts: Sequence[Path], after: datetime | None = None) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Rows that have a text, and were committed after a time if one is given."""
    import pyarrow.parquet as pq

    wanted = ("id", "content_sha256", "language", "content", "commit_time")
    for part, path in enumerate(parts):
        with pq.ParquetFile(path) as file:
            names = [name for name in wanted if name in file.schema_arrow.names]
            if "content" not in names:
                raise InputError("the files have no column `content`", where=path)
            rows = (row for batch in file.iter_batches(64, columns=names) for row in batch.to_pylist())
            for number, row in enumerate(rows):
                if row["content"] and (after is None or _newer(row.get("commit_time"), after)):
                    yield (part, number), row


def _newer(time: datetime | None, after: datetime) -> bool:
    return time is not None and time.replace(tzinfo=time.tzinfo or UTC) > after


def _sha256(row: Mapping[str, Any]) -> bytes:
    given = row.get("content_sha256")
    return given if given else hashlib.sha256(row["content"].encode("utf-8", "surrogatepass")).digest()


def _drawn(rows: Iterable[tuple[Place, dict[str, Any]]], limit: int) -> set[Place]:
    """The places of at most so many files of each language, by a draw of their content."""
    places, languages, hashes = list[Place](), list[str](), list[bytes]()
    for place, row in rows:
        places.append(place)
        languages.append(row.get("language") or "")
        hashes.append(_sha256(row))
    found, taken = set[Place](), Counter[str]()
    draw = chance.draws(pa.array(hashes, pa.binary(32)), seed=0, purpose="surprise.files")
    for at in draw.argsort(kind="stable").tolist():
        if taken[languages[at]] < limit:
            taken[languages[at]] += 1
            found.add(places[at])
    return found


def summary(found: Iterable[Surprise]) -> dict[str, Any]:
    """Bits per byte over all and by group, as `metrics.over_texts` has them."""
    every = list(found)
    groups: dict[str, list[Surprise]] = {}
    for one in every:
        groups.setdefault(one.group, []).append(one)
    return {"all": _rate(every), "groups": {name: _rate(some) for name, some in sorted(groups.items())}}


def _rate(some: Sequence[Surprise]) -> dict[str, float | int]:
    rate = metrics.over_texts([(one.bits, one.bytes) for one in some])
    size = sum(one.bytes for one in some)
    return {"texts": len(some), "bytes": size, "bits_per_byte": rate.value, "low": rate.low, "high": rate.high}


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

    yield from measure(texts, generator.template.ids, logprobs, context=generator.context, begin=_begin(generator))


def _begin(generator: Generator) -> int:
    """The token that the model has seen before a text: that of a beginning, else one that ended the text before it."""
    special: Mapping[str, int] = generator.template.special
    named = [special[name] for name in ("<|begin_of_text|>", "<|endoftext|>", "<s>", "</s>") if name in special]
    tokens = [*named, *generator.ends]
    if not tokens:
        raise InputError("the tokenizer has no token that begins or ends a text", where=generator.template.folder)
    return tokens[0]


def time_of(text: str) -> datetime:
    """A time as ISO writes it, in UTC if it does not say. Raises: InputError."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no time", remedy="write it as 2024-06-30") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
