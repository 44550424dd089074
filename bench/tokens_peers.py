"""Encodes in an environment of its own, for peers that ask for other versions.

    PYTHON bench/tokens_peers.py tokenizers|dolma FOLDER

It imports nothing of codemill, and prints what `bench.tokens` prints for a library. dolma's own reader strips each text
first, which changes it; so its tokenizer is asked, a text at a time as that reader does.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

END = "<|endoftext|>"
Run = Callable[[list[str]], list[list[int]]]


def tokenizers(folder: Path) -> Run:
    import tokenizers

    def run(texts: list[str]) -> list[list[int]]:
        made = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        if hasattr(made, "encode_batch_fast"):  # before 1.0
            made.encode_special_tokens = True
            return [one.ids for one in made.encode_batch_fast(texts, add_special_tokens=False)]
        found = made.encode_batch(texts, add_special_tokens=False, encode_special_tokens=True)
        return [list(one.ids) for one in found]

    return run


def dolma(folder: Path) -> Run:
    from dolma.tokenizer.tokenizer import Tokenizer

    facts = json.loads((folder / "tokenizer.json").read_text())
    end = next(token["id"] for token in facts["added_tokens"] if token["content"] == END)
    # It asks for tokenizers 0.19, which knows merges as one string each.
    facts["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in facts["model"]["merges"]]
    own = folder / "tokenizer-0.19.json"
    own.write_text(json.dumps(facts))

    def run(texts: list[str]) -> list[list[int]]:
        made = Tokenizer.from_file(str(own), eos_token_id=end, pad_token_id=end, encode_special_tokens=True)
        return [made.encode(text)[:-1] for text in texts]

    return run


PEERS: dict[str, Callable[[Path], Run]] = {"tokenizers": tokenizers, "dolma": dolma}


def timed(run: Callable[[Any], Any], one: Any, texts: Any) -> tuple[Any, dict[str, Any]]:
    """What an encoder makes of texts, and its seconds, those of a call for one letter, and its peak memory (bytes)."""
    run(one)
    started = time.process_time()
    run(one)
    making = time.process_time() - started
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    made = run(texts)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return made, {"seconds": seconds, "making": making, "peak": peak * 1024}


def main(name: str, folder: Path) -> None:
    """Prints seconds, peak memory, tokens, the version and a hash for the ids of each document."""
    texts = pq.read_table(folder / "unseen.parquet")["content"].to_pylist()
    run = PEERS[name](folder)
    made, facts = timed(run, ["x"], texts)
    hashes = [hashlib.sha256(np.asarray(ids, np.uint32).tobytes()).hexdigest()[:16] for ids in made]
    print(json.dumps({**facts, "ids": hashes, "tokens": sum(map(len, made)), "version": _version(name)}))


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
