"""Turns documents into token ids, once; or counts them, for a sample with a budget in tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core, chance, languages
from codemill.errors import RecipeError
from codemill.machine.kinds import Published
from codemill.machine.reading import Reading
from codemill.machine.table import Table, rows, step
from codemill.tokens import Encoder
from codemill.tokens.encoder import Ids, Offsets
from codemill.tokens.special import END, FILE, MIDDLE, PREFIX, REPOSITORY, SUFFIX

IDS = {"uint16": pa.uint16(), "uint32": pa.uint32()}

RANKED = {"import_rank": pa.int32(), "repo_files": pa.int32(), "repo_hash": pa.uint64()}
"""What `imports.rank` adds."""

Cut = tuple[str, str, int, int]
"""How a document is put together again (psm or spm), how it was cut, and where its middle begins and ends (bytes)."""

_ENCODERS: dict[Path, Encoder] = {}
"""That of the tokenizer which this worker used last."""


def _check(
    *, dtype: str, ranked: bool, headings: bool, fim_rate: float, fim_nodes: float, spm_rate: float, seed: int
) -> None:
    if dtype not in ("auto", *IDS):
        raise RecipeError(f"ids cannot be stored as {dtype!r}", remedy=f"one of: auto, {', '.join(IDS)}")
    for name, rate in (("fim_rate", fim_rate), ("fim_nodes", fim_nodes), ("spm_rate", spm_rate)):
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
    ranked = RANKED if params["ranked"] else {}
    return ("content", "content_sha256", "size", "repo", "path", "language", *ranked)


def _adds(params: Mapping[str, Any]) -> dict[str, pa.DataType]:
    ids = pa.list_(IDS.get(params.get("dtype", ""), pa.uint32()))
    return {
        "repo": pa.string(),
        "path": pa.string(),
        "language": pa.string(),
        "content_hash": pa.uint64(),
        **RANKED,
        "num_tokens": pa.int64(),
        "fim": pa.string(),
        "fim_cut": pa.string(),
        "repo_tokens": pa.int32(),
        "file_tokens": pa.int32(),
        "heading": ids,
        "tokens": ids,
    }


@rows(
    version=2,
    reads=_reads,
    adds=_adds,
    published=Published(mapped=True),
    check=_check,
    resolve=_resolve,
    knows=languages.fingerprint,
)
def documents(
    batch: pa.RecordBatch,
    tokenizer: Reading,
    *,
    dtype: str = "auto",
    ranked: bool = False,
    headings: bool = False,
    fim_rate: float = 0.0,
    fim_nodes: float = 0.0,
    spm_rate: float = 0.5,
    seed: int = 0,
) -> pa.RecordBatch:
    """Encodes each document, and ends it with the token of an end.

    A share `fim_rate` of the documents, chosen by a hash of their content, is cut in three at two characters and put
    into another order, so that a model learns to fill in the middle: `<|fim_prefix|>`, prefix, `<|fim_suffix|>`,
    suffix, `<|fim_middle|>`, middle (`fim` says `psm`); or of these a share `spm_rate` with the suffix first:
    `<|fim_prefix|><|fim_suffix|>`, suffix, `<|fim_middle|>`, prefix, middle (`spm`). The three pieces are encoded
    apart, as they are when a model is used.

    Of those cut, in a share `fim_nodes` the middle is one of the parts of the program that a random byte is in, each as
    likely as another: nodes of the syntax tree of Python, JavaScript and TypeScript (`fim_cut` says `tree`), for other
    languages, and what does not parse, what stands between brackets (`brackets`). Where the byte is in none, two
    characters are drawn after all (`characters`).

    With `headings` the names are encoded too, as a heading that a plan may put in front: `<|repo_name|>` and the name
    of the repository, if it has one, then `<|file_sep|>`, path and a line end. Each is encoded apart.

    Shape: a row for each document: where it comes from, 64 bits of the hash of its content, its place in the order of
    imports (null unless the documents are `ranked`, by `imports.rank`), how many tokens it has, and the tokens: uint16
    if the vocabulary has at most 65,536 entries (`dtype="auto"`), else uint32; and the heading, of `repo_tokens` and
    `file_tokens`, which are not among the `num_tokens`.
    From: Bavarian et al. (arXiv 2207.14255) for the two orders, Gong et al. (arXiv 2506.00204) for nodes.
    """
    encoder = _encoder(tokenizer.folder)
    wanted = ((END,), True), ((REPOSITORY, FILE), headings), ((PREFIX, MIDDLE, SUFFIX), fim_rate > 0)
    if missing := [name for names, needed in wanted for name in names if needed and name not in encoder.special]:
        remedy = "leave headings and filling in the middle out, or train a tokenizer"
        raise RecipeError(f"this tokenizer has no special token {missing[0]}", remedy=remedy)
    offsets, ids, forms, cuts = encoded(
        batch, encoder, dtype=dtype, fim_rate=fim_rate, fim_nodes=fim_nodes, spm_rate=spm_rate, seed=seed
    )
    repo_tokens, file_tokens, names = _headings(batch, encoder) if headings else _no_headings(batch)
    ends = np.append(0, np.cumsum(repo_tokens + file_tokens))
    return pa.record_batch(
        {
            "of": np.arange(batch.num_rows),
            **{name: batch[name] for name in ("repo", "path", "language", "size")},
            "content_hash": pa.array(chance.leading(batch["content_sha256"])),
            **{name: batch[name] if ranked else pa.nulls(batch.num_rows, kind) for name, kind in RANKED.items()},
            "num_tokens": pa.array(np.diff(offsets)),
            "fim": forms,
            "fim_cut": cuts,
            "repo_tokens": pa.array(repo_tokens.astype(np.int32)),
            "file_tokens": pa.array(file_tokens.astype(np.int32)),
            "heading": _lists(ends, _fitting(names, dtype)),
            "tokens": _lists(offsets, ids),
        }
    )


def _lists(offsets: Offsets, ids: npt.NDArray[Any]) -> pa.ListArray:
    """Ids as a column."""
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(ids))


def _fitting(ids: Ids, dtype: str) -> npt.NDArray[Any]:
    """Ids as they are stored. Raises: RecipeError if one does not fit."""
    kind = np.dtype(dtype)
    if len(ids) and int(ids.max()) > np.iinfo(kind).max:
        raise RecipeError(f"an id of this tokenizer does not fit into {dtype}", remedy='give dtype="uint32"')
    return ids.astype(kind, copy=False)


def _inserted(ids: npt.NDArray[Any], places: Offsets, tokens: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Ids with tokens in front of those at some places, in order. `np.insert` took eight times as long."""
    whole = np.empty(len(ids) + len(tokens), ids.dtype)
    before = 0
    for number, (place, token) in enumerate(zip(places.tolist(), tokens.tolist(), strict=True)):
        whole[before + number : place + number] = ids[before:place]
        whole[place + number] = token
        before = place
    whole[before + len(tokens) :] = ids[before:]
    return whole


def _headings(batch: pa.RecordBatch, encoder: Encoder) -> tuple[Offsets, Offsets, Ids]:
    """Of each document the tokens of its repository's name, those of its path, and the ids of both."""
    repos, paths = batch["repo"].to_pylist(), batch["path"].to_pylist()
    texts = [text for repo, path in zip(repos, paths, strict=True) for text in (repo or "", f"{path or ''}\n")]
    starts, ids = encoder.encode(pa.array(texts, pa.large_string()))
    has = np.array([mark for repo in repos for mark in (repo is not None, True)], np.bool_)
    marks = np.tile(np.array([encoder.special[REPOSITORY], encoder.special[FILE]], np.uint32), batch.num_rows)
    lengths = (np.diff(starts) + has).reshape(-1, 2)
    return lengths[:, 0], lengths[:, 1], _inserted(ids, starts[:-1][has], marks[has])


def _no_headings(batch: pa.RecordBatch) -> tuple[Offsets, Offsets, Ids]:
    none = np.zeros(batch.num_rows, np.int64)
    return none, none, np.zeros(0, np.uint32)


def _encoder(folder: Path) -> Encoder:
    if folder not in _ENCODERS:
        _ENCODERS.clear()
        _ENCODERS[folder] = Encoder(folder)
    return _ENCODERS[folder]


def encoded(
    batch: pa.RecordBatch,
    encoder: Encoder,
    *,
    dtype: str,
    fim_rate: float,
    fim_nodes: float,
    spm_rate: float,
    seed: int,
) -> tuple[Offsets, npt.NDArray[Any], pa.Array, pa.Array]:
    """Where each document begins, the ids of all of them with their ends, its form and how it was cut (null: as it
    is). Raises: RecipeError if an id does not fit into `dtype`."""
    cuts = _cuts(batch, fim_rate=fim_rate, fim_nodes=fim_nodes, spm_rate=spm_rate, seed=seed)
    texts, marks = _pieces(batch["content"], cuts, encoder.special)
    starts, ids = encoder.encode(texts)
    positions = starts[[at for at, _ in marks]]
    tokens = np.array([token for _, token in marks], np.uint32)
    whole = _inserted(_fitting(ids, dtype), positions, _fitting(tokens, dtype))
    # A document ends after the token of its end, of which there is one for each document.
    last = tokens == encoder.special[END]
    ends = (positions + np.arange(1, len(marks) + 1))[last]
    forms, ways = ([None if cut is None else cut[at] for cut in cuts] for at in (0, 1))
    return np.append(0, ends).astype(np.int64), whole, pa.array(forms, pa.string()), pa.array(ways, pa.string())


def _cuts(batch: pa.RecordBatch, *, fim_rate: float, fim_nodes: float, spm_rate: float, seed: int) -> list[Cut | None]:
    """How each document is cut in three; None: it is not."""
    cuts: list[Cut | None] = [None] * batch.num_rows
    if not fim_rate:
        return cuts
    hashes = chance.leading(batch["content_sha256"])
    rate, form, first, second, nodes = (
        chance.uniform(hashes, seed=seed, purpose=f"tokenize.fim {name}")
        for name in ("rate", "form", "first", "second", "nodes")
    )
    content = batch["content"]
    size = pc.binary_length(content).to_numpy()
    parts = _core.node_at(
        content,
        batch["language"].cast(pa.string()),
        pa.array((first * size).astype(np.uint64), mask=(rate >= fim_rate) | (nodes >= fim_nodes)),
        pa.array(second),
        languages.syntaxes(),
    ).to_pylist()
    for row in np.flatnonzero(rate < fim_rate).tolist():
        order = "spm" if form[row] < spm_rate else "psm"
        part = parts[row]
        if part["how"] is not None:
            cuts[row] = order, part["how"], part["start"], part["end"]
            continue
        text = content[row].as_py()
        begin, end = sorted(int(draw * (len(text) + 1)) for draw in (first[row], second[row]))
        start = len(text[:begin].encode())
        cuts[row] = order, "characters", start, start + len(text[begin:end].encode())
    return cuts


def _pieces(
    content: pa.Array, cuts: Sequence[Cut | None], special: Mapping[str, int]
) -> tuple[pa.Array, list[tuple[int, int]]]:
    """The texts to encode, and the special tokens with the number of the text that each stands in front of."""
    if not any(cuts):
        return content, [(i + 1, special[END]) for i in range(len(content))]
    texts: list[str] = []
    marks: list[tuple[int, int]] = []
    for text, cut in zip(content.to_pylist(), cuts, strict=True):
        if cut is None:
            texts.append(text)
        else:
            order, _, start, end = cut
            data = text.encode()
            prefix, middle, suffix = (part.decode() for part in (data[:start], data[start:end], data[end:]))
            at = len(texts)
            if order == "spm":
                marks += [(at, special[PREFIX]), (at, special[SUFFIX]), (at + 1, special[MIDDLE])]
                texts += [suffix, prefix, middle]
            else:
                marks += [(at, special[PREFIX]), (at + 1, special[SUFFIX]), (at + 2, special[MIDDLE])]
                texts += [prefix, suffix, middle]
        marks.append((len(texts), special[END]))
    return pa.array(texts, pa.large_string()), marks


def _by_key(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    return {**params, "languages": sorted({languages.get(name).name for name in params["languages"]})}


@step(version=1, reads=("content", "language"), adds={"num_tokens": pa.int64()}, resolve=_by_key)
def count(batch: pa.RecordBatch, tokenizer: Reading, *, languages: Sequence[str]) -> pa.RecordBatch:
    """Counts the tokens of each document in some languages, its end with them, as `documents` has them uncut.

    Null: a document in another language, which is not encoded.
    """
    mine = pc.fill_null(pc.is_in(batch["language"], value_set=pa.array(languages, pa.string())), False)
    offsets, _ = _encoder(tokenizer.folder).encode(batch["content"].filter(mine).cast(pa.large_string()))
    places = np.cumsum(mine.to_numpy(zero_copy_only=False)) - 1
    counted = pa.array(np.diff(offsets) + 1, pa.int64())
    return pa.record_batch({"num_tokens": counted.take(pa.array(places, mask=~mine.to_numpy(zero_copy_only=False)))})
