"""How surprising a text is to a small model of trusted text: for looking at both ends of a corpus.

Very low perplexity means trivial or repetitive, very high means noise: neither has a pattern to learn (OpenCoder,
appendix A.1, which used a strong LLM; anything that fits `Scorer` can take its place).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from codemill.errors import InputError, RecipeError
from codemill.machine.store import Place
from codemill.run import batches, published

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint32]

AT_MOST = 1 << 16  # bytes of a text that are looked at
_TABLE = 1 << 20
_TRUST = 4.0  # how many sightings of a context weigh as much as the shorter context
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Scorer(Protocol):
    """Anything that gives texts a score. `name` and `version` say which; another version may give other scores."""

    @property
    def name(self) -> str:
        """Which scorer it is."""
        ...

    @property
    def version(self) -> int:
        """Raised when its scores change."""
        ...

    def score(self, texts: Sequence[str]) -> Floats:
        """A finite number for each text."""
        ...


@dataclass(frozen=True, eq=False)
class NgramModel:
    """Predicts each byte from the `order - 1` bytes before it, backing off to fewer.

    p_k = (count(context_k, byte) + t p_{k-1}) / (count(context_k) + t), from p_0 = 1/256 (Dirichlet smoothing: MacKay
    and Peto 1995). Counts live in hashed tables of 2^20 cells per order, so rare contexts may share a cell, and memory
    does not grow with the training text: 8 MiB per order.
    """

    seen: tuple[Counts, ...]  # per order: sightings of a context
    followed: tuple[Counts, ...]  # per order: sightings of a context and the byte after it
    name: str = "ngram"
    version: int = 1

    def score(self, texts: Sequence[str]) -> Floats:
        """The perplexity per byte of each text's first 64 KiB: 1 = no surprise, 256 = as good as guessing (and what an
        empty text gets), more = worse than that."""
        return np.array([self._perplexity(text) for text in texts], dtype=np.float64)

    def _perplexity(self, text: str) -> float:
        data = _bytes(text)
        if not len(data):
            return 256.0
        p = np.full(len(data), 1 / 256)
        for (contexts, pairs), seen, followed in zip(
            _cells(data, len(self.seen)), self.seen, self.followed, strict=True
        ):
            p = (np.minimum(followed[pairs], seen[contexts]) + _TRUST * p) / (seen[contexts] + _TRUST)
        return float(np.exp(-np.log(p).mean()))

    def save(self, path: str | Path) -> None:
        """Writes the model to a file (.npz)."""
        tables = {f"{kind}{k}": t for kind, ts in (("s", self.seen), ("f", self.followed)) for k, t in enumerate(ts)}
        with open(path, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, version=np.array(self.version), **tables)

    @classmethod
    def load(cls, path: str | Path) -> NgramModel:
        """Reads a model. Raises: InputError if the file is not one, or of another version."""
        try:
            with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as file:
                orders = sum(name.startswith("s") for name in file.files)
                version = int(file["version"])
                seen, followed = (tuple(file[f"{kind}{k}"] for k in range(orders)) for kind in "sf")
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                f"not a model: {error}", where=path, remedy="codemill.tuning.perplexity.train(texts)"
            ) from error
        if version != cls.version or any(table.shape != (_TABLE,) for table in (*seen, *followed)):
            raise InputError(f"a model of version {version}, not {cls.version}", where=path, remedy="train it again")
        return cls(seen, followed)


def train(texts: Iterable[str], *, order: int = 6) -> NgramModel:
    """Counts the n-grams of trusted texts (the first 64 KiB of each).

    Raises: RecipeError if `order` is not between 1 and 12, or there is no text at all.

    >>> model = train(["for i in range(10):\\n    print(i)\\n"] * 50)
    >>> usual, odd = model.score(["for j in range(20):\\n    print(j)\\n", "qqzx\\u2603"])
    >>> bool(usual < 20 < odd)
    True
    """
    if not 1 <= order <= 12:
        raise RecipeError(f"order must be between 1 and 12, got {order}")
    seen, followed = ([np.zeros(_TABLE, dtype=np.uint32) for _ in range(order)] for _ in range(2))
    empty = True
    for text in texts:
        data = _bytes(text)
        empty = empty and not len(data)
        for k, (contexts, pairs) in enumerate(_cells(data, order)):
            np.add.at(seen[k], contexts, 1)
            np.add.at(followed[k], pairs, 1)
    if empty:
        raise RecipeError("a model needs some text to be trained on")
    return NgramModel(tuple(seen), tuple(followed))


def trusted(place: str | Path) -> NgramModel:
    """A model for a place: a saved one (.npz), or one trained on the corpus of an OUT folder or on a folder's files.

    Of a folder every UTF-8 file is read, in order of path; others are left out. Raises: InputError if there is nothing.
    """
    if corpus := published(Place.of(place), "corpus"):
        return train(_of_corpus(corpus))
    path = Path(place)
    if path.is_file():
        return NgramModel.load(path)
    if not path.is_dir():
        raise InputError("no such model or folder", where=place)
    files = sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink())
    if not files:
        raise InputError("there is no text to train on", where=path)
    return train(_of_files(files))


def _of_corpus(parts: Sequence[Place]) -> Iterable[str]:
    for part in parts:
        for batch in batches(part, ["content"]):
            yield from batch["content"].to_pylist()


def _of_files(files: Sequence[Path]) -> Iterable[str]:
    for path in files:
        with open(path, "rb") as file:
            data = file.read(AT_MOST)
        text = data.decode("utf-8", "ignore")
        if "\0" not in text and len(text.encode()) >= len(data) - 3:  # a character may be cut in two at the end
            yield text


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(text[:AT_MOST].encode("utf-8", "replace")[:AT_MOST], dtype=np.uint8)


def _cells(data: npt.NDArray[np.uint8], orders: int) -> Iterable[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """For each order, where the context of each byte, and the context with the byte, are counted."""
    wide = data.astype(np.uint64) + np.uint64(1)
    context = np.zeros(len(data), dtype=np.uint64)
    for order in range(orders):
        if order:
            before = np.zeros_like(wide)
            before[order:] = wide[: len(wide) - order] if order < len(wide) else 0
            context = (context * np.uint64(257) + before) * _MIX
        with_byte = (context + wide) * _MIX
        yield tuple((h >> np.uint64(44)).astype(np.int64) for h in (context * _MIX, with_byte))  # type: ignore[misc]
