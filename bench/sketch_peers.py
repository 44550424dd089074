"""MinHash of codemill and of its peers on one sample, each in a process of its own.

    python -m bench.sketch_peers NAME SAMPLE.parquet RESULT.json HASHES

Every one gets the same texts, five-word shingles and bands of equal size, and ends with clusters. Where a library
leaves shingling to its user it gets what its documentation shows: a set of joined words, made with `re`. Times are
those of the processor, so that a busy machine does not count.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from codemill import _core

WORD = re.compile(r"[0-9A-Za-z_\x80-\U0010ffff]+")
BANDS = 16
Hasher = Callable[[list[str]], tuple[np.ndarray, float]]
"""Texts → one row of hash values per text, and the seconds that hashing took once there were shingles."""


def shingles(text: str) -> set[str]:
    words = WORD.findall(text)
    return {" ".join(words[i : i + 5]) for i in range(len(words) - 4)}


def _hashed(texts: list[str], update: Callable[[set[str]], Any]) -> tuple[np.ndarray, float]:
    spent, rows = 0.0, []
    for text in texts:
        grams = shingles(text)
        if not grams:
            continue
        started = time.process_time()
        rows.append(update(grams))
        spent += time.process_time() - started
    return np.array(rows), spent


def rensa(hashes: int) -> Hasher:
    from rensa import RMinHash

    def update(grams: set[str]) -> list[int]:
        sketch = RMinHash(num_perm=hashes, seed=1)
        sketch.update(list(grams))
        digest: list[int] = sketch.digest()
        return digest

    return lambda texts: _hashed(texts, update)


def rensa_cminhash(hashes: int) -> Hasher:
    from rensa import CMinHash

    def update(grams: set[str]) -> list[int]:
        sketch = CMinHash(num_perm=hashes, seed=1)
        sketch.update(list(grams))
        digest: list[int] = sketch.digest()
        return digest

    return lambda texts: _hashed(texts, update)


def datasketch(hashes: int) -> Hasher:
    from datasketch import MinHash

    empty = MinHash(num_perm=hashes, seed=1)

    def update(grams: set[str]) -> np.ndarray:
        sketch = empty.copy()
        sketch.update_batch([g.encode() for g in grams])
        return np.array(sketch.hashvalues)

    return lambda texts: _hashed(texts, update)


def text_dedup(hashes: int) -> Hasher:
    """The method of text-dedup's `minhash.py`, which is a program and no library: numpy, a whole matrix per text."""
    numbers = np.random.RandomState(42)
    prime, most = np.uint64((1 << 61) - 1), np.uint64((1 << 32) - 1)
    a = numbers.randint(1, int(prime), size=hashes, dtype=np.uint64)
    b = numbers.randint(0, int(prime), size=hashes, dtype=np.uint64)

    def update(grams: set[str]) -> np.ndarray:
        each = (struct.unpack("<I", hashlib.sha1(g.encode()).digest()[:4])[0] for g in grams)
        values = np.fromiter(each, np.uint64).reshape(-1, 1)
        values = (values * a + b) % prime & most
        return np.vstack([values, np.full(hashes, most, np.uint64)]).min(axis=0).astype(np.uint32)

    return lambda texts: _hashed(texts, update)


def datatrove(hashes: int) -> Hasher:
    """datatrove's `get_shingles` and `get_signature`; SHA-1, and words by `re` for a tokenizer that must be fetched."""
    from datatrove.pipeline.dedup import minhash
    from datatrove.utils.hashing import HashConfig, create_hash_func

    class Words:
        def word_tokenize(self, text: str) -> list[str]:
            return WORD.findall(text)

    step = minhash.MinhashDedupSignature.__new__(minhash.MinhashDedupSignature)
    hashing = HashConfig(precision=32, hash_fc="sha1")
    step.config = minhash.MinhashConfig(num_buckets=BANDS, hashes_per_bucket=hashes // BANDS, hash_config=hashing)
    step.num_hashes, step._parameters, step.word_tokenizer = hashes, None, Words()
    step._hash_func = create_hash_func(hashing)

    def run(texts: list[str]) -> tuple[np.ndarray, float]:
        spent, rows = 0.0, []
        for text in texts:
            grams = step.get_shingles(text)
            started = time.process_time()
            if grams.size:
                rows.append(np.ravel(step.get_signature(grams)))
            spent += time.process_time() - started
        return np.array(rows), spent

    return run


def daft(sample: str, hashes: int) -> tuple[np.ndarray, float]:
    """Daft's own expression over its own reader; it splits at spaces, and does not tell hashing from shingling."""
    import daft as engine

    frame = engine.read_parquet(sample)
    column = engine.col("content").minhash(num_hashes=hashes, ngram_size=5, seed=1)
    found = frame.select(column.alias("sketch")).to_arrow()["sketch"].combine_chunks()
    return np.asarray(found.flatten()).reshape(-1, hashes), float("nan")


def codemill(sample: str, hashes: int) -> tuple[np.ndarray, float]:
    keys = []
    for batch in pq.ParquetFile(sample, memory_map=True).iter_batches(1000, columns=["content"]):
        content = batch["content"].cast(pa.large_string())
        keys.append(
            _core.band_keys(content, bands=BANDS, rows=hashes // BANDS, ngram=5, unit="word", seed=0).drop_null()
        )
    joined = pa.concat_arrays(keys)
    return np.frombuffer(joined.buffers()[1], "<u8")[: len(joined) * BANDS].reshape(-1, BANDS), float("nan")


HASHERS: dict[str, Callable[[int], Hasher]] = {
    "rensa RMinHash": rensa,
    "rensa CMinHash": rensa_cminhash,
    "datasketch": datasketch,
    "text-dedup's method": text_dedup,
    "datatrove": datatrove,
}
READERS: dict[str, Callable[[str, int], tuple[np.ndarray, float]]] = {"codemill": codemill, "daft": daft}
MODULES = {"rensa RMinHash": "rensa", "rensa CMinHash": "rensa", "text-dedup's method": "numpy"}
MEGABYTES = {"codemill": 500.0, "rensa RMinHash": 20.0, "rensa CMinHash": 10.0, "daft": 10.0, "datasketch": 6.0}
"""Text for each; the others get 2 MB, at which they take as long."""


def clusters(values: np.ndarray) -> tuple[int, int]:
    """How many texts are in clusters of two and more, and how many clusters: the same code for everyone."""
    width = values.shape[1] // BANDS
    rows = np.arange(len(values))
    pairs = []
    for band in range(BANDS):
        part = np.ascontiguousarray(values[:, band * width : (band + 1) * width])
        keys = part.view(np.dtype((np.void, part.dtype.itemsize * width))).ravel() if width > 1 else part.ravel()
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        leaders = first[inverse]
        pairs.append(np.stack([rows[leaders != rows], leaders[leaders != rows]]))
    a, b = np.concatenate(pairs, axis=1).astype(np.uint64)
    _, roots = _core.components(pa.array(a), pa.array(b))
    return len(roots), len(roots.unique())


def main(argv: list[str]) -> None:
    name, sample, result, hashes = argv[0], argv[1], argv[2], int(argv[3])
    if name == "nothing":  # what Python, numpy and pyarrow need by themselves
        return
    hasher = HASHERS[name](hashes) if name in HASHERS else None  # imports before the clock starts
    if name in READERS:
        __import__(name)
    started = time.process_time()
    if hasher is None:
        values, hashing = READERS[name](sample, hashes)
    else:
        texts = pq.read_table(sample, columns=["content"])["content"].to_pylist()
        values, hashing = hasher(texts)
    sketched = time.process_time() - started
    members, groups = clusters(values)
    facts = {
        "sketched": sketched,
        "hashing": None if np.isnan(hashing) else hashing,
        "all": time.process_time() - started,
        "members": members,
        "clusters": groups,
    }
    with open(result, "w", encoding="utf-8") as file:
        json.dump(facts, file)


if __name__ == "__main__":
    main(sys.argv[1:])
