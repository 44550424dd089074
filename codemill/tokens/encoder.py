"""Text to token ids: those of `tokenizers`, by gigatoken where it is installed."""

from __future__ import annotations

import importlib.util
import json
import re
import resource
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby, pairwise
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

CACHE_BYTES = 512 << 20
"""Memory after which gigatoken is made anew: it remembers every piece of text it has seen, and has no limit of its own.
(Random letters, the worst there is, take 6 bytes for each byte of text; code, a tenth of that.) When that happens
changes no id."""

NEW_LETTERS = (
    "["
    "\u088f\u0c5c\u0cdc\ua7ce-\ua7cf\ua7d2\ua7d4\ua7f1\U00010940-\U00010959\U00010ec5-\U00010ec7"
    "\U00011db0-\U00011ddb\U00011de0-\U00011de9\U00016ea0-\U00016eb8\U00016ebb-\U00016ed3"
    "\U00016ff2-\U00016ff6\U000187f8-\U000187ff\U00018d09-\U00018d1e\U00018d80-\U00018df2"
    "\U0001e6c0-\U0001e6de\U0001e6e0-\U0001e6e2\U0001e6e4-\U0001e6e5\U0001e6e7-\U0001e6ed"
    "\U0001e6f0-\U0001e6f4\U0001e6fe-\U0001e6ff\U0002b73a-\U0002b73f\U0002cea2-\U0002cead"
    "\U000323b0-\U00033479"
    "]"
)
"""The letters and numbers of Unicode 17, which gigatoken 0.10 knows and tokenizers 0.23 takes for other characters. A
line with one of them is encoded by tokenizers. (All code points were compared; `tests/test_tokens.py` compares those
that are new or may still come.)"""

PROBE = (
    "def f(x1):\r\n\treturn x1 != 0x1F  # don't, I'LL 42½ ４２ Ⅷ\n\n\n    \u3000naïve e\u0301 你好世界 "
    "😀👩‍👩‍👧 \u2028\u00a0ſ 'ſ İ'LL ﬁ ١٢٣ \ufeff\u200b\x00<|endoftext|> !-!-!- aaaaaaaaaaaaaaaa                x"
)
"""Encoded by both libraries when an encoder is made: should they ever differ, nothing is encoded."""


class Encoder:
    """Encodes texts with a folder's `tokenizer.json`.

    The text of a special token is text like any other: a document cannot write one. One core is used. Memory: see
    `CACHE_BYTES`.

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
        self._most = 0  # bytes of memory after which it is made anew
        self._check()

    def encode(self, texts: pa.Array) -> tuple[Offsets, Ids]:
        """The ids of all texts, and where each text's begin and end.

        Shape: `large_string` without nulls in; n + 1 offsets, and ids.
        """
        if not len(texts):
            return np.zeros(1, np.int64), np.zeros(0, np.uint32)
        if self._made is None or (self.library == "gigatoken" and _memory() > self._most):
            self._made = None
            self._made = _made(self.library, self._text)
            self._most = _memory() + CACHE_BYTES
        found = self._encode(self._made, texts)
        odd = _odd(texts) if self.library == "gigatoken" else []
        return self._replaced(texts, found, odd) if len(odd) else found

    def _replaced(self, texts: pa.Array, found: tuple[Offsets, Ids], odd: Sequence[int]) -> tuple[Offsets, Ids]:
        """What was found; of the lines with new letters in some texts what the reference says."""
        whole = _parts(*found)
        for row in odd:
            runs = _runs(texts[row].as_py())
            new, others = ([run for is_new, run in runs if is_new is kind] for kind in (True, False))
            theirs = iter(_parts(*_tokenizers(self._reference, pa.array(new, pa.large_string()))))
            ours = iter(_parts(*self._encode(self._made, pa.array(others, pa.large_string()))) if others else [])
            whole[row] = np.concatenate([next(theirs if is_new else ours) for is_new, _ in runs])
        return np.append(0, np.cumsum([len(ids) for ids in whole])).astype(np.int64), np.concatenate(whole)

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


_LEADS = (0xE0, 0xEA, 0xF0)
"""First bytes of `NEW_LETTERS` in UTF-8."""


def _odd(texts: pa.Array) -> list[int]:
    """The texts in which there is one of `NEW_LETTERS`."""
    starts, data = _lent(texts)
    high = np.flatnonzero(data[starts[0] : starts[-1]] >= _LEADS[0]) + starts[0]
    high = high[np.isin(data[high], _LEADS)]
    if not len(high):
        return []
    rows = np.unique(np.searchsorted(starts, high, side="right") - 1)
    hit = pc.match_substring_regex(texts.take(pa.array(rows)), NEW_LETTERS)
    return [int(row) for row in rows[hit.to_numpy(zero_copy_only=False)]]


def _lent(texts: pa.Array) -> tuple[Offsets, npt.NDArray[np.uint8]]:
    """Where each text begins and ends, and the bytes of all of them, not copied."""
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return starts, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def _parts(offsets: Offsets, ids: Ids) -> list[Ids]:
    """The ids of each text."""
    return [ids[start:end] for start, end in pairwise(offsets)]


def _runs(text: str) -> list[tuple[bool, str]]:
    """A text cut before lines that begin with a letter, digit or sign of ASCII, where nothing is merged across; lines
    with new letters apart from runs of others."""
    lines = _LINE.split(text)
    return [(new, "".join(run)) for new, run in groupby(lines, lambda line: _NEW.search(line) is not None)]


_LINE = re.compile(r"(?<=\n)(?=[!-~])")
_NEW = re.compile(NEW_LETTERS)


def _memory() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _gigatoken(made: Any, texts: pa.Array) -> tuple[Offsets, Ids]:
    """Without copying: the texts are lent as an awkward array, and an awkward array comes back."""
    ak = importlib.import_module("awkward")
    starts, bytes_ = _lent(texts)
    inner = ak.contents.NumpyArray(bytes_, parameters={"__array__": "byte"})
    outer = ak.contents.ListOffsetArray(ak.index.Index64(starts), inner, parameters={"__array__": "bytestring"})
    layout = made.encode_batch(ak.Array(outer), parallel=False).layout
    ends = np.asarray(layout.offsets.data, dtype=np.int64)
    ids = np.asarray(layout.content.data)[ends[0] : ends[-1]]
    return ends - ends[0], ids


def _tokenizers(made: Any, texts: pa.Array) -> tuple[Offsets, Ids]:
    found = [np.array(made.encode(text, add_special_tokens=False).ids, np.uint32) for text in texts.to_pylist()]
    return np.append(0, np.cumsum([len(ids) for ids in found])).astype(np.int64), np.concatenate(found)
