"""Makes a tokenizer: byte-level BPE, trained on a sample of bounded size, or an existing file."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill.errors import EnvironmentProblem, InputError, RecipeError
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import folder
from codemill.tokens import Encoder
from codemill.tokens.special import CHAT, END, PAD, SPECIAL, SPLIT

BUCKETS = 1 << 16
"""Ranges of the hash by which a sample is cut: it is exact to the size of what is in one."""


def _check(*, vocabulary: int, sample_bytes: int) -> None:
    least = 256 + len(SPECIAL)
    if vocabulary < least:
        raise RecipeError(f"a vocabulary has at least {least} entries, got {vocabulary}")
    if sample_bytes < 1:
        raise RecipeError(f"the sample has at least 1 byte, got {sample_bytes}", remedy="such as 100000000")


@folder(version=1, uses="machine", check=_check, knows=lambda: [SPLIT, list(SPECIAL), CHAT])
def train(*documents: Reading, out: OutFolder, vocabulary: int, sample_bytes: int) -> dict[str, int]:
    """Trains byte-level BPE on a sample of the documents, and writes tokenizer.json and tokenizer_config.json.

    The sample are the documents whose content's hash is smallest, up to `sample_bytes` of text: it depends on no order
    and no shard, and a larger corpus keeps most of it. `vocabulary` counts the special tokens, which come last; there
    are fewer entries where no pair of a small sample occurs twice. The files are the same for any number of threads:
    equal pairs are merged in the order of their ids. Memory: the different words of the sample.

    Shape: reads content, content_sha256 and size. Raises: EnvironmentProblem if `tokenizers` is not installed.
    From: OpenCoder, table 5 (96,640 entries), with its digits split.
    """
    library = _library()
    limit = _limit(documents, sample_bytes)
    seen = {"sample_documents": 0, "sample_bytes": 0}

    def sample() -> Iterator[list[str]]:
        for table in documents:
            for batch in table.batches(["content", "content_sha256"]):
                some = batch["content"].filter(pa.array(_buckets(batch["content_sha256"]) < limit))
                seen["sample_documents"] += len(some)
                seen["sample_bytes"] += int(some.nbytes)
                yield some.to_pylist()

    made = _untrained(library)
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIAL),
        min_frequency=2,
        initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(sample(), trainer)
    made.add_special_tokens([library.AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    made.save(str(out.path / "tokenizer.json"))
    (out.path / "tokenizer_config.json").write_text(json.dumps(_config(), indent=1) + "\n", "utf-8")
    return {"vocabulary": made.get_vocab_size(), **seen}


def _library() -> Any:
    try:
        return importlib.import_module("tokenizers")
    except ImportError as error:
        raise EnvironmentProblem("tokenizers is not installed", remedy='pip install "codemill[tokens]"') from error


def _untrained(library: Any) -> Any:
    made = library.Tokenizer(library.models.BPE())
    split = library.pre_tokenizers.Split(library.Regex(SPLIT), behavior="isolated")
    to_bytes = library.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.pre_tokenizer = library.pre_tokenizers.Sequence([split, to_bytes])
    made.decoder = library.decoders.ByteLevel()
    return made


def _config() -> dict[str, Any]:
    """What `transformers` wants to know besides."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": PAD,
        "additional_special_tokens": [name for name in SPECIAL if name not in (END, PAD)],
        "clean_up_tokenization_spaces": False,
        "split_special_tokens": False,
        "chat_template": CHAT,
    }


def _buckets(hashes: pa.Array) -> npt.NDArray[np.int64]:
    """The first 16 bits of each hash."""
    width = hashes.type.byte_width
    data = np.frombuffer(hashes.buffers()[1], np.uint8)[hashes.offset * width :][: len(hashes) * width]
    first = data.reshape(-1, width)[:, :2].astype(np.int64)
    return first[:, 0] << 8 | first[:, 1]


def _limit(documents: Sequence[Reading], sample_bytes: int) -> int:
    """Buckets below this one are the sample: as many as have so many bytes, and at least one that has any."""
    held = np.zeros(BUCKETS, np.int64)
    for table in documents:
        for batch in table.batches(["size", "content_sha256"]):
            np.add.at(held, _buckets(batch["content_sha256"]), batch["size"].to_numpy())
    first = int(np.flatnonzero(held)[0]) + 1 if held.any() else 0
    return max(first, int(np.searchsorted(np.cumsum(held), sample_bytes, side="right")))


@dataclass(frozen=True)
class Existing:
    """A folder with a tokenizer.json that exists already. Its identity is that of the file.

    Raises: InputError if there is none.
    """

    path: str
    sha256: str = field(init=False)

    PLACES: ClassVar[tuple[str, ...]] = ("path",)

    def __post_init__(self) -> None:
        try:
            data = (Path(self.path) / "tokenizer.json").read_bytes()
        except OSError as error:
            raise InputError(f"there is no tokenizer.json: {error.strerror}", where=self.path) from error
        object.__setattr__(self, "sha256", hashlib.sha256(data).hexdigest())


@folder(version=1)
def existing(*, out: OutFolder, tokenizer: Existing) -> dict[str, int]:
    """A copy of a tokenizer that exists: its tokenizer.json, and tokenizer_config.json if it has one."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        file = Path(tokenizer.path) / name
        if name == "tokenizer.json" or file.exists():
            (out.path / name).write_bytes(file.read_bytes())
    return {"vocabulary": Encoder(out.path).vocabulary}
