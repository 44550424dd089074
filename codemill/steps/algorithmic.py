"""The algorithmic corpus: files about tasks with a known answer, found by what such files say.

mark      which of the words a file has                                   a layer
draw      at most so many of them, chosen by their content                an exchange of narrow keys
counted   how many there are, and that there are any                      files
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.chance import draws
from codemill.errors import InputError, RecipeError
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import exchange, folder, step

Rows = npt.NDArray[np.int64]
PURPOSE = "algorithmic.draw"


def _check_words(*, words: Sequence[str]) -> None:
    if not words or not all(isinstance(word, str) and word.strip() for word in words):
        raise RecipeError(f"there are no words to look for: {list(words)!r}", remedy='such as words=("leetcode",)')


@step(
    version=1,
    reads=("content",),
    adds={"seed_word": pa.string(), "reason": pa.string()},
    check=_check_words,
    drops={"no_seed": "has none of the words of files about algorithms"},
)
def mark(documents: pa.RecordBatch, *, words: Sequence[str]) -> pa.RecordBatch:
    """Keeps documents that hold one of the words, upper and lower case alike.

    Shape: adds seed_word, the first of `words` that the document has; the others are dropped as `no_seed`.
    From: OpenCoder 2.2: "leetcode", "def solution", "class solution".
    """
    found = pa.nulls(documents.num_rows, pa.string())
    for word in words:
        has = pc.fill_null(pc.match_substring(documents["content"], word, ignore_case=True), False)
        found = pc.if_else(pc.and_(pc.is_null(found), has), word, found)
    return pa.record_batch({"seed_word": found, "reason": pc.if_else(pc.is_null(found), "no_seed", None)})


def _check_most(*, most: int, seed: int) -> None:
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise RecipeError(f"most is a number of documents, got {most!r}", remedy="0 keeps them all")


def _by_content(documents: pa.RecordBatch, rows: Rows, *, seed: int, **_: Any) -> tuple[pa.RecordBatch, Rows]:
    drawn = draws(documents["content_sha256"], seed=seed, purpose=PURPOSE)
    return pa.record_batch({"content_sha256": documents["content_sha256"], "draw": drawn}), rows


def _beyond(found: Sequence[pa.Table], *, most: int, seed: int) -> pa.Table:
    keys = pa.concat_tables(found)
    order = [(name, "ascending") for name in ("draw", "content_sha256", "part", "row")]
    gone = keys.sort_by(order).slice(most if most else keys.num_rows)
    reasons = pa.array(["over_sample"] * gone.num_rows, pa.string())
    values = pa.array([str(most)] * gone.num_rows, pa.string())
    return pa.table({"part": gone["part"], "row": gone["row"], "reason": reasons, "value": values})


@exchange(
    version=1,
    reads=("content_sha256",),
    key="content_sha256",
    adds={"reason": pa.string(), "value": pa.string()},
    emit=_by_content,
    gather=_beyond,
    bytes_per_key=200,
    check=_check_most,
    drops={"over_sample": "left out by the sample of seeds"},
)
def draw(keys: pa.Table, *, most: int = 0, seed: int = 0) -> pa.Table:
    """Keeps the `most` documents with the smallest draws of their content; 0 keeps them all.

    A larger sample holds a smaller one, so that asking for more seeds asks nothing again. Memory: a key of about 50
    bytes for each document.
    """
    return keys.select(["part", "row", "content_sha256", "draw"])


@folder(version=1)
def counted(documents: Reading, *, out: OutFolder, remedy: str) -> dict[str, int]:
    """Writes how many seeds there are, by language and by word, to seeds.json.

    Raises: InputError with the `remedy` if there is none: synthesis would make nothing, and say nothing.
    """
    languages, words = Counter[str](), Counter[str]()
    for batch in documents.batches(["language", "seed_word"]):
        languages.update(name or "unknown" for name in batch["language"].to_pylist())
        words.update(batch["seed_word"].to_pylist())
    total = sum(words.values())
    if not total:
        raise InputError("no file of the corpus is a seed of the algorithmic corpus", remedy=remedy)
    facts = {"seeds": total, "languages": dict(languages.most_common()), "words": dict(words.most_common())}
    (out.path / "seeds.json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    return {"seeds": total}
