"""The algorithmic corpus: files about tasks with a known answer, found by what such files say.

mark      which of the words a file has                                   a layer
counted   how many there are, and that there are any                      files
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from codemill.errors import InputError, RecipeError
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import folder, step


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
