"""A fastText classifier over the tokens of a page: its text is segmented by BPE first.

So Chinese and code are cut as well, and the vocabulary stays bounded. The model is an ordinary `.bin`, which the
original program reads. From: OpenCoder 2.1.2; Joulin et al., "Bag of Tricks for Efficient Text Classification", 2016.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill.tokens import Encoder
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
        # A token has at most a few dozen bytes of text on average: what lies far behind is not encoded.
        short = pa.compute.utf8_slice_codeunits(texts.cast(pa.large_string()), 0, most * 8)
        offsets, ids = self._encoder.encode(short)
        for start, stop in pairwise(offsets):
            yield self._words[ids[start : min(stop, start + most)]]


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
    """A trained classifier and its segmenter, from a folder with model.bin and tokenizer.json."""

    def __init__(self, folder: Path, most: int) -> None:
        self._segmenter = Segmenter(folder)
        self._most = most
        self._model = _training.library().load_model(os.fspath(folder / "model.bin"))
        self._code = f"__label__{LABELS[1]}"

    def scores(self, texts: pa.Array) -> Scores:
        """How likely each text is about code, between 0 and 1.

        Shape: `large_string` without nulls in, float32 out. A text without a known token has the share of code among
        the examples, as far as the model knows it.
        """
        lines = self._segmenter.lines(texts, self._most)
        if not lines:
            return np.zeros(0, np.float32)
        found = self._model.f.multilinePredict([f"{line}\n" for line in lines], len(LABELS), 0.0, "strict")
        return np.array([_of(self._code, *one) for one in zip(*found, strict=True)], np.float32)

    def telling(self, count: int) -> dict[str, list[tuple[str, float]]]:
        """The words that speak most for either label: by what one of them alone adds to the logit.

        As a person reads them: tokens are bytes in disguise, and a blank before a word is left out.
        """
        from tokenizers.decoders import ByteLevel

        plain = ByteLevel()
        words = self._model.get_words()
        if not words:
            return {label: [] for label in LABELS}
        labels = [label.removeprefix("__label__") for label in self._model.get_labels()]
        rows = self._model.get_output_matrix()
        away = rows[labels.index(LABELS[1])] - rows[labels.index(LABELS[0])]
        pull = np.array([float(self._model.get_input_vector(i) @ away) for i in range(len(words))])
        order = np.argsort(pull, kind="stable")
        shown = {LABELS[0]: order[:count], LABELS[1]: order[::-1][:count]}

        def read(word: str) -> str:
            text = plain.decode([word])
            return text.strip() or repr(text)

        return {label: [(read(words[i]), round(float(pull[i]), 4)) for i in some] for label, some in shown.items()}


def _of(label: str, labels: Sequence[str], probabilities: Sequence[float]) -> float:
    return min(1.0, float(dict(zip(labels, probabilities, strict=True)).get(label, 0.0)))
