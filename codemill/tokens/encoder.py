"""Text to token ids: those of `tokenizers`, by gigatoken where it is installed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.errors import EnvironmentProblem, InputError

Ids = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]

LIBRARIES = ("gigatoken", "tokenizers")
"""Fastest first."""

RENEW_BYTES = 64 << 20
"""Text after which gigatoken is made anew: it remembers every piece of text it has seen, and has no limit. On random
letters, the worst there is, it holds 0.6 GB after so much; making it takes 30 ms with 8,000 entries."""

NEW_LETTERS = (
    r"["
    r"\x{88f}\x{c5c}\x{cdc}\x{a7ce}-\x{a7cf}\x{a7d2}\x{a7d4}\x{a7f1}\x{10940}-\x{10959}\x{10ec5}-\x{10ec7}"
    r"\x{11db0}-\x{11ddb}\x{11de0}-\x{11de9}\x{16ea0}-\x{16eb8}\x{16ebb}-\x{16ed3}\x{16ff2}-\x{16ff6}"
    r"\x{187f8}-\x{187ff}\x{18d09}-\x{18d1e}\x{18d80}-\x{18df2}\x{1e6c0}-\x{1e6de}\x{1e6e0}-\x{1e6e2}"
    r"\x{1e6e4}-\x{1e6e5}\x{1e6e7}-\x{1e6ed}\x{1e6f0}-\x{1e6f4}\x{1e6fe}-\x{1e6ff}\x{2b73a}-\x{2b73f}"
    r"\x{2cea2}-\x{2cead}\x{323b0}-\x{33479}"
    r"]"
)
"""The letters and numbers of Unicode 17, which gigatoken 0.10 knows and tokenizers 0.23 takes for other characters. A
text with one of them is encoded by tokenizers. (All code points were compared; `tests/test_tokens.py` compares those
that are new or may still come.)"""

PROBE = (
    "def f(x1):\r\n\treturn x1 != 0x1F  # don't, I'LL 42½ ４２ Ⅷ\n\n\n    \u3000naïve e\u0301 你好世界 "
    "😀👩‍👩‍👧 \u2028\u00a0ſ 'ſ İ'LL ﬁ ١٢٣ \ufeff\u200b\x00<|endoftext|> !-!-!- aaaaaaaaaaaaaaaa                x"
)
"""Encoded by both libraries when an encoder is made: should they ever differ, nothing is encoded."""


class Encoder:
    """Encodes texts with a folder's `tokenizer.json`.

    The text of a special token is text like any other: a document cannot write one. One core is used. Memory: see
    `RENEW_BYTES`.

    Raises: InputError if there is no tokenizer in the folder; EnvironmentProblem if a library is not installed, or the
    two give different ids.
    """

    def __init__(self, folder: Path | str, library: str | None = None) -> None:
        self._path = Path(folder) / "tokenizer.json"
        facts, self.special = _plain(self._path)
        self.vocabulary = 1 + max([*self.special.values(), *facts["model"]["vocab"].values()], default=-1)
        self._text = json.dumps(facts)
        self.library = library or next((name for name in LIBRARIES if _there(name)), LIBRARIES[-1])
        for needed in (self.library, "tokenizers"):
            if not _there(needed):
                raise EnvironmentProblem(f"{needed} is not installed", remedy='pip install "codemill[tokens]"')
        self._encode = _gigatoken if self.library == "gigatoken" else _tokenizers
        self._made: Any = None
        self._decoder: Any = None
        self._seen = 0
        self._check()

    def encode(self, texts: pa.Array) -> tuple[Offsets, Ids]:
        """The ids of all texts, and where each text's begin and end.

        Shape: `large_string` without nulls in; n + 1 offsets, and ids.
        """
        if not len(texts):
            return np.zeros(1, np.int64), np.zeros(0, np.uint32)
        if self._made is None or self._seen > RENEW_BYTES:
            self._made, self._seen = _made(self.library, self._text), 0
        self._seen += texts.nbytes
        found = self._encode(self._made, texts)
        odd = _odd(texts) if self.library == "gigatoken" else []
        return self._replaced(texts, found, odd) if len(odd) else found

    def _replaced(self, texts: pa.Array, found: tuple[Offsets, Ids], odd: Sequence[int]) -> tuple[Offsets, Ids]:
        """What was found, and of some texts what the reference says."""
        offsets, ids = found
        pieces = [ids[start:end] for start, end in pairwise(offsets)]
        starts, theirs = _tokenizers(self._reference, texts.take(pa.array(odd)))
        for row, (start, end) in zip(odd, pairwise(starts), strict=True):
            pieces[row] = theirs[start:end]
        return np.append(0, np.cumsum([len(piece) for piece in pieces])).astype(np.int64), np.concatenate(pieces)

    @cached_property
    def _reference(self) -> Any:
        return _made("tokenizers", self._text)

    def decode(self, ids: npt.NDArray[Any]) -> str:
        """The text of ids, special tokens as they are written. Bytes of half a character become `�`."""
        if self._decoder is None:
            self._decoder = _made(self.library, self._path.read_text("utf-8"))
        if self.library == "gigatoken":
            return str(self._decoder.decode(ids.astype(np.uint32)).decode("utf-8", "replace"))
        return str(self._decoder.decode(ids.tolist(), skip_special_tokens=False))

    def _check(self) -> None:
        if self.library == "tokenizers":
            return
        probe = pa.array([PROBE], pa.large_string())
        if not np.array_equal(self.encode(probe)[1], _tokenizers(self._reference, probe)[1]):
            raise EnvironmentProblem(
                f"{self.library} and tokenizers give different ids",
                remedy=f"install the versions of constraints.txt, or uninstall {self.library}",
            )


def _plain(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """A tokenizer.json without its special tokens, so that none is found in a text; and their ids."""
    try:
        facts = json.loads(path.read_text("utf-8"))
        special = {token["content"]: int(token["id"]) for token in facts["added_tokens"]}
        vocabulary = {token: int(id) for token, id in facts["model"]["vocab"].items() if token not in special}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"there is no tokenizer.json that can be read: {error}", where=path) from error
    plain = {**facts, "added_tokens": [], "post_processor": None, "model": {**facts["model"], "vocab": vocabulary}}
    return plain, special


def _there(library: str) -> bool:
    return importlib.util.find_spec(library) is not None


def _made(library: str, text: str) -> Any:
    if library == "gigatoken":
        gigatoken = importlib.import_module("gigatoken")
        try:
            return gigatoken.Tokenizer.from_json(text)
        except ValueError as error:
            what = f"gigatoken does not take this tokenizer: {error}"
            raise EnvironmentProblem(what, remedy="uninstall gigatoken, or cut text by `SPLIT`") from error
    return importlib.import_module("tokenizers").Tokenizer.from_str(text)


def _odd(texts: pa.Array) -> list[int]:
    """The texts in which there is one of `NEW_LETTERS`."""
    rows = np.flatnonzero(~pc.string_is_ascii(texts).to_numpy(zero_copy_only=False))
    if not len(rows):
        return []
    hit = pc.match_substring_regex(texts.take(pa.array(rows)), NEW_LETTERS)
    return [int(row) for row in rows[hit.to_numpy(zero_copy_only=False)]]


def _gigatoken(made: Any, texts: pa.Array) -> tuple[Offsets, Ids]:
    """Without copying: the texts are lent as an awkward array, and an awkward array comes back."""
    ak = importlib.import_module("awkward")
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    bytes_ = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    inner = ak.contents.NumpyArray(bytes_, parameters={"__array__": "byte"})
    outer = ak.contents.ListOffsetArray(ak.index.Index64(starts), inner, parameters={"__array__": "bytestring"})
    layout = made.encode_batch(ak.Array(outer), parallel=False).layout
    ends = np.asarray(layout.offsets.data, dtype=np.int64)
    ids = np.asarray(layout.content.data)[ends[0] : ends[-1]]
    return ends - ends[0], ids


def _tokenizers(made: Any, texts: pa.Array) -> tuple[Offsets, Ids]:
    found = [np.array(made.encode(text, add_special_tokens=False).ids, np.uint32) for text in texts.to_pylist()]
    return np.append(0, np.cumsum([len(ids) for ids in found])).astype(np.int64), np.concatenate(found)
