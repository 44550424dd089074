"""Turns documents into token ids, once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from codemill import chance
from codemill.errors import RecipeError
from codemill.machine.kinds import Published
from codemill.machine.reading import Reading
from codemill.machine.table import Table, rows
from codemill.tokens import Encoder
from codemill.tokens.special import END, MIDDLE, PREFIX, SUFFIX

IDS = {"uint16": pa.uint16(), "uint32": pa.uint32()}

_ENCODERS: dict[Path, Encoder] = {}
"""That of the tokenizer which this worker used last."""


def _check(*, dtype: str, ranked: bool, fim_rate: float, spm_rate: float, seed: int) -> None:
    if dtype not in ("auto", *IDS):
        raise RecipeError(f"ids cannot be stored as {dtype!r}", remedy=f"one of: auto, {', '.join(IDS)}")
    for name, rate in (("fim_rate", fim_rate), ("spm_rate", spm_rate)):
        if not 0 <= rate <= 1:
            raise RecipeError(f"{name} must be between 0 and 1, got {rate!r}")


def _resolve(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    if params["dtype"] != "auto":
        return params
    tokenizer = inputs[1].params
    if "vocabulary" in tokenizer:
        size = int(tokenizer["vocabulary"])
    elif "tokenizer" in tokenizer:
        size = Encoder(tokenizer["tokenizer"].path).vocabulary
    else:
        raise RecipeError("how many entries the tokenizer has is not known", remedy='give dtype="uint32"')
    return {**params, "dtype": "uint16" if size <= 1 << 16 else "uint32"}


def _reads(params: Mapping[str, Any]) -> tuple[str, ...]:
    ranked = ("import_rank",) if params["ranked"] else ()
    return ("content", "content_sha256", "size", "repo", "path", "language", *ranked)


def _adds(params: Mapping[str, Any]) -> dict[str, pa.DataType]:
    return {
        "repo": pa.string(),
        "path": pa.string(),
        "language": pa.string(),
        "content_hash": pa.uint64(),
        "import_rank": pa.int32(),
        "num_tokens": pa.int64(),
        "fim": pa.string(),
        "tokens": pa.list_(IDS.get(params.get("dtype", ""), pa.uint32())),
    }


@rows(
    version=1,
    reads=_reads,
    adds=_adds,
    published=Published(mapped=True),
    check=_check,
    resolve=_resolve,
)
def documents(
    batch: pa.RecordBatch,
    tokenizer: Reading,
    *,
    dtype: str = "auto",
    ranked: bool = False,
    fim_rate: float = 0.0,
    spm_rate: float = 0.5,
    seed: int = 0,
) -> pa.RecordBatch:
    """Encodes each document, and ends it with the token of an end.

    A share `fim_rate` of the documents, chosen by a hash of their content, is cut in three at two characters and put
    into another order, so that a model learns to fill in the middle: `<|fim_prefix|>`, prefix, `<|fim_suffix|>`,
    suffix, `<|fim_middle|>`, middle (`fim` says `psm`); or of these a share `spm_rate` with the suffix first:
    `<|fim_prefix|><|fim_suffix|>`, suffix, `<|fim_middle|>`, prefix, middle (`spm`). The three pieces are encoded
    apart, as they are when a model is used.

    Shape: a row for each document: where it comes from, 64 bits of the hash of its content, its place in the order of
    imports (null unless the documents are `ranked`, by `imports.rank`), how many tokens it has, and the tokens: uint16
    if the vocabulary has at most 65,536 entries (`dtype="auto"`), else uint32.
    From: Bavarian et al. (arXiv 2207.14255) for the two orders.
    """
    encoder = _encoder(tokenizer.folder)
    offsets, ids, forms = encoded(batch, encoder, fim_rate=fim_rate, spm_rate=spm_rate, seed=seed)
    kind = IDS[dtype]
    if len(ids) and int(ids.max()) > np.iinfo(kind.to_pandas_dtype()).max:
        raise RecipeError(f"an id of this tokenizer does not fit into {dtype}", remedy='give dtype="uint32"')
    tokens = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(ids.astype(kind.to_pandas_dtype())))
    return pa.record_batch(
        {
            "of": np.arange(batch.num_rows),
            **{name: batch[name] for name in ("repo", "path", "language", "size")},
            "content_hash": pa.array(chance.leading(batch["content_sha256"])),
            "import_rank": batch["import_rank"] if ranked else pa.nulls(batch.num_rows, pa.int32()),
            "num_tokens": pa.array(np.diff(offsets)),
            "fim": forms,
            "tokens": tokens,
        }
    )


def _encoder(folder: Path) -> Encoder:
    if folder not in _ENCODERS:
        _ENCODERS.clear()
        _ENCODERS[folder] = Encoder(folder)
    return _ENCODERS[folder]


def encoded(
    batch: pa.RecordBatch, encoder: Encoder, *, fim_rate: float, spm_rate: float, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], pa.Array]:
    """Where each document begins, the ids of all of them with their ends, and its form (null: as it is)."""
    texts, marks, forms = _pieces(batch, encoder.special, fim_rate=fim_rate, spm_rate=spm_rate, seed=seed)
    starts, ids = encoder.encode(texts)
    positions = starts[[at for at, _ in marks]]
    whole = np.insert(ids, positions, np.array([token for _, token in marks], np.uint32))
    # A document ends after the token of its end, of which there is one for each document.
    last = np.array([token for _, token in marks]) == encoder.special[END]
    ends = (positions + np.arange(1, len(marks) + 1))[last]
    return np.append(0, ends).astype(np.int64), whole, forms


def _pieces(
    batch: pa.RecordBatch, special: Mapping[str, int], *, fim_rate: float, spm_rate: float, seed: int
) -> tuple[pa.Array, list[tuple[int, int]], pa.Array]:
    """The texts to encode, the special tokens with the number of the text that each stands in front of, and the form of
    each document."""
    content, rows = batch["content"], batch.num_rows
    forms: list[str | None] = [None] * rows
    if not fim_rate:
        return content, [(i + 1, special[END]) for i in range(rows)], pa.array(forms, pa.string())
    texts: list[str] = []
    marks: list[tuple[int, int]] = []
    hashes = chance.leading(batch["content_sha256"])
    drawn = (
        chance.uniform(hashes, seed=seed, purpose=f"tokenize.fim {name}")
        for name in ("rate", "form", "first", "second")
    )
    for row, (text, draws) in enumerate(zip(content.to_pylist(), zip(*drawn, strict=True), strict=True)):
        if draws[0] >= fim_rate:
            texts.append(text)
        else:
            first, second = sorted(int(draw * (len(text) + 1)) for draw in draws[2:])
            prefix, middle, suffix = text[:first], text[first:second], text[second:]
            at = len(texts)
            if draws[1] < spm_rate:
                forms[row] = "spm"
                marks += [(at, special[PREFIX]), (at, special[SUFFIX]), (at + 1, special[MIDDLE])]
                texts += [suffix, prefix, middle]
            else:
                forms[row] = "psm"
                marks += [(at, special[PREFIX]), (at + 1, special[SUFFIX]), (at + 2, special[MIDDLE])]
                texts += [prefix, suffix, middle]
        marks.append((len(texts), special[END]))
    return pa.array(texts, pa.large_string()), marks, pa.array(forms, pa.string())
