"""A fastText classifier over the tokens of a page: its text is segmented by BPE first.

So Chinese and code are cut as well, and the vocabulary stays bounded. The model is an ordinary `.bin`, which the
original program reads. From: OpenCoder 2.1.2; Joulin et al., "Bag of Tricks for Efficient Text Classification", 2016.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill import _core
from codemill.errors import InputError
from codemill.tokens import Encoder
from codemill.tokens.encoder import Ids, Offsets
from codemill.web import _training

LABELS = ("other", "code")
Scores = npt.NDArray[np.float32]

SHUFFLED = 64
"""Files that a training set is shuffled through: one at a time is held in memory."""


@dataclass(frozen=True)
class Settings:
    """How a classifier is trained; the names are fastText's."""

    dim: int = 256
    lr: float = 0.1
    epoch: int = 3
    word_ngrams: int = 3
    min_count: int = 3
    bucket: int = 2_000_000
    seed: int = 0


class Segmenter:
    """Cuts texts into the tokens of a folder's tokenizer.json, as words of a line."""

    def __init__(self, folder: Path) -> None:
        self._encoder = Encoder(folder)
        facts = json.loads((folder / "tokenizer.json").read_text("utf-8"))
        words = np.full(self._encoder.vocabulary, "", object)
        for word, number in facts["model"]["vocab"].items():
            # What begins so would be read as a label.
            words[number] = word.replace("__label__", "__label_")
        self._words = words

    def lines(self, texts: pa.Array, most: int) -> list[str]:
        """A line for each text: its first `most` tokens, with a blank between them. No token has a blank in it."""
        return [" ".join(words) for words in self.words(texts, most)]

    def words(self, texts: pa.Array, most: int) -> Iterator[npt.NDArray[Any]]:
        """The first `most` tokens of each text, as they are written."""
        offsets, ids = self._encode(texts, most)
        for start, stop in pairwise(offsets):
            yield self._words[ids[start : min(stop, start + most)]]

    def ids(self, texts: pa.Array, most: int) -> pa.LargeListArray:
        """The tokens of each text as numbers: at least its first `most`, if it has so many."""
        offsets, ids = self._encode(texts, most)
        return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(ids))

    def written(self) -> pa.Array:
        """How each token is written in a line, by its number."""
        return pa.array(self._words, pa.large_string())

    def _encode(self, texts: pa.Array, most: int) -> tuple[Offsets, Ids]:
        # A token has at most a few dozen bytes of text on average: what lies far behind is not encoded.
        short = pa.compute.utf8_slice_codeunits(texts.cast(pa.large_string()), 0, most * 8)
        return self._encoder.encode(short)


def train(examples: Iterable[tuple[int, str, int]], settings: Settings, target: Path) -> tuple[int, int]:
    """Trains on `(label, line, draw)` in the order of the draws, and writes a model. Returns: examples of each label.

    One thread: the same examples and seed give the same model. Memory: the model, and 1 / `SHUFFLED` of the lines.
    Raises: EnvironmentProblem if fastText is not installed.
    """
    counts = [0, 0]
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".examples-") as folder, contextlib.ExitStack() as stack:
        names = [Path(folder) / str(i) for i in range(SHUFFLED)]
        shuffled = [stack.enter_context(open(name, "w", encoding="utf-8")) for name in names]
        for label, line, draw in examples:
            counts[label] += 1
            shuffled[draw % SHUFFLED].write(f"{draw:020d} __label__{LABELS[label]} {line}\n")
        for file in shuffled:
            file.close()
        whole = Path(folder) / "all"
        with open(whole, "w", encoding="utf-8") as file:
            for name in names:
                file.writelines(line[21:] for line in sorted(name.read_text("utf-8").splitlines(keepends=True)))
        if not min(counts):
            return counts[0], counts[1]
        _training.train(
            os.fspath(target),
            input=str(whole),
            dim=settings.dim,
            lr=settings.lr,
            epoch=settings.epoch,
            wordNgrams=settings.word_ngrams,
            minCount=settings.min_count,
            bucket=settings.bucket,
            seed=settings.seed,
            thread=1,
            verbose=0,
        )
    return counts[0], counts[1]


class Model:
    """A trained classifier and its segmenter, from a folder with model.bin and tokenizer.json.

    Memory: the vectors are read where the file is mapped, which all processes share.
    Raises: InputError for a model that the core does not read: see core/src/web/fasttext.rs.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._path = folder / "model.bin"
        self._segmenter = Segmenter(folder)
        self._most = most
        data = pa.memory_map(os.fspath(self._path)).read_buffer()
        try:
            self._core = _core.FastText(
                pa.Array.from_buffers(pa.uint8(), data.size, [None, data]), self._segmenter.written()
            )
        except ValueError as error:
            raise InputError(f"cannot read this classifier: {error}", where=self._path) from error

    def scores(self, texts: pa.Array) -> Scores:
        """How likely each text is about code, between 0 and 1: what fastText says of its line of tokens.

        Shape: `large_string` without nulls in, float32 out. A text without a known token has the share of code among
        the examples, as far as the model knows it.
        """
        return self.scores_of(self._segmenter.ids(texts, self._most))

    def scores_of(self, ids: pa.LargeListArray) -> Scores:
        """The same for texts that are cut already, by `Segmenter.ids`."""
        return np.asarray(self._core.scores(ids, label=f"__label__{LABELS[1]}", most=self._most), np.float32)

    def telling(self, count: int) -> dict[str, list[tuple[str, float]]]:
        """The words that speak most for either label: by what one of them alone adds to the logit.

        As a person reads them: tokens are bytes in disguise, and a blank before a word is left out.
        Raises: EnvironmentProblem if fastText is not installed.
        """
        from tokenizers.decoders import ByteLevel

        plain = ByteLevel()
        model = _training.library().load_model(os.fspath(self._path))
        words = model.get_words()
        if not words:
            return {label: [] for label in LABELS}
        labels = [label.removeprefix("__label__") for label in model.get_labels()]
        rows = model.get_output_matrix()
        away = rows[labels.index(LABELS[1])] - rows[labels.index(LABELS[0])]
        pull = np.array([float(model.get_input_vector(i) @ away) for i in range(len(words))])
        order = np.argsort(pull, kind="stable")
        shown = {LABELS[0]: order[:count], LABELS[1]: order[::-1][:count]}

        def read(word: str) -> str:
            text = plain.decode([word])
            return text.strip() or repr(text)

        return {label: [(read(words[i]), round(float(pull[i]), 4)) for i in some] for label, some in shown.items()}
