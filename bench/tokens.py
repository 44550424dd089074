"""Encoding on one core beside tokenizers, tiktoken, gigatoken and datatrove, on text that none of them has seen.

    python -m bench.tokens [--out .bench | --folder SRC …] [--megabytes 40] [--peer NAME=PYTHON …]
    python -m bench.tokens memory [--documents 20000]     peak memory, also over 20 times as many: see tokens_memory.py

Distinct files; of every five one trains the tokenizer, the others are encoded. Each library gets its own process, one
thread, and the same tokenizer: tokenizers and gigatoken its tokenizer.json, tiktoken the ranks in it, datatrove the
file. They get Python texts, as their users have them; codemill's step gets the Arrow column that it has, and makes
the column that is published. MB is 10^6 bytes of UTF-8; times are those of the processor, median of the rounds. The
first rate counts making the encoder, `once made` does not: a worker makes one and encodes many parts. (It is taken
from encoding one letter with a second encoder, the text is encoded with a third.) Peak memory is what it grows by. The
ids of each document are held against those of tokenizers: its end, which two of them add, apart. The last lines are
whole runs of codemill with one worker, from a published corpus to published shards, and to a plan over them: all
processes, starting them too.

Peers that ask for other versions run in environments of their own, given as `--peer NAME=PYTHON`: `tokenizers`, of
another version, and `dolma`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import tokens_memory
from bench.signals import of_corpus, sample
from bench.tokens_peers import timed
from codemill.tokens.special import END, SPLIT

Lists = tuple[np.ndarray, np.ndarray]  # n + 1 offsets, ids
BATCH = 16 << 20  # bytes of text in a batch of the machine


def batches(texts: pa.Array) -> list[pa.Array]:
    """The texts in pieces as the machine hands them to a step."""
    sizes = np.cumsum(pa.compute.binary_length(texts).to_numpy()) // BATCH
    edges = [0, *(np.flatnonzero(np.diff(sizes)) + 1).tolist(), len(texts)]
    return [texts.slice(a, b - a) for a, b in pairwise(edges)]


def joined(parts: Sequence[Any]) -> Lists:
    """Lists of ids as one array."""
    lengths = [len(part) for part in parts]
    return np.append(0, np.cumsum(lengths)), np.concatenate([np.asarray(part, np.uint32) for part in parts])


def tokenizers_(folder: Path) -> Callable[[pa.Array], Any]:
    import tokenizers

    def run(texts: pa.Array) -> Any:
        made = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        made.encode_special_tokens = True
        return [
            one.ids
            for batch in batches(texts)
            for one in made.encode_batch_fast(batch.to_pylist(), add_special_tokens=False)
        ]

    return run


def tiktoken_(folder: Path) -> Callable[[pa.Array], Any]:
    import tiktoken

    facts = json.loads((folder / "tokenizer.json").read_text())
    added = {token["content"] for token in facts["added_tokens"]}
    byte = letters()
    ranks = {bytes(byte[letter] for letter in t): id for t, id in facts["model"]["vocab"].items() if t not in added}

    def run(texts: pa.Array) -> Any:
        made = tiktoken.Encoding("own", pat_str=SPLIT, mergeable_ranks=ranks, special_tokens={})
        return [ids for batch in batches(texts) for ids in made.encode_ordinary_batch(batch.to_pylist(), num_threads=1)]

    return run


def letters() -> dict[str, int]:
    """The letters that stand for bytes in a byte-level vocabulary (GPT-2's table)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {chr(256 + i): byte for i, byte in enumerate(others)}


def gigatoken_(folder: Path) -> Callable[[pa.Array], Any]:
    import awkward  # noqa: F401  (it imports it when it first encodes)
    import gigatoken

    facts = json.loads((folder / "tokenizer.json").read_text())

    def run(texts: pa.Array) -> Any:
        made = gigatoken.Tokenizer.from_json(json.dumps({**facts, "added_tokens": []}))
        return [made.encode_batch(batch.to_pylist(), parallel=False) for batch in batches(texts)]

    return run


def datatrove_(folder: Path) -> Callable[[pa.Array], Any]:
    from datatrove.data import Document
    from datatrove.pipeline.tokens import DocumentTokenizer

    def run(texts: pa.Array) -> Any:
        target = Path(tempfile.mkdtemp())
        step = DocumentTokenizer(
            str(target), tokenizer_name_or_path=str(folder / "tokenizer.json"), eos_token=END, shuffle_documents=False
        )
        step.run((Document(text=text, id=str(i)) for i, text in enumerate(texts.to_pylist())), 0, 1)
        return target

    return run


def encoder_(folder: Path) -> Callable[[pa.Array], Any]:
    import awkward  # noqa: F401
    import gigatoken  # noqa: F401

    from codemill.tokens import Encoder

    def run(texts: pa.Array) -> Any:
        made = Encoder(folder)
        return [made.encode(batch) for batch in batches(texts)]

    return run


def step_(folder: Path) -> Callable[[pa.Array], Any]:
    import awkward  # noqa: F401
    import gigatoken  # noqa: F401

    from codemill.machine.reading import Reading
    from codemill.machine.store import Place
    from codemill.steps import tokenize

    reading = Reading("tokenizer.train", place=Place.of(folder))

    def run(texts: pa.Array) -> Any:
        tokenize._ENCODERS.clear()
        return [
            tokenize.documents.function(table, reading, dtype="uint16")["tokens"]
            for table in map(_rows, batches(texts))
        ]

    def _rows(batch: pa.Array) -> pa.RecordBatch:
        nothing = pa.nulls(len(batch), pa.string())
        hashes = pa.array([bytes(32)] * len(batch), pa.binary(32))
        size = pa.compute.binary_length(batch)
        columns = {"content": batch, "content_sha256": hashes, "size": size}
        return pa.record_batch({**columns, "repo": nothing, "path": nothing, "language": nothing})

    return run


LIBRARIES: dict[str, tuple[str, Callable[[Path], Callable[[pa.Array], Any]]]] = {
    "tokenizers": ("tokenizers", tokenizers_),
    "datatrove": ("datatrove", datatrove_),
    "tiktoken": ("tiktoken", tiktoken_),
    "gigatoken": ("gigatoken", gigatoken_),
    "codemill Encoder": ("gigatoken", encoder_),
    "codemill tokenize.documents": ("gigatoken", step_),
}


def plain(name: str, made: Any) -> Lists:
    """What a library returned, as one array."""
    if name == "datatrove":
        (file,) = made.glob("*.ds")
        ids = np.fromfile(file, np.uint16)
        ends = np.fromfile(file.with_suffix(".ds.index"), np.uint64).astype(np.int64)
        return np.append(0, ends), ids.astype(np.uint32)
    if name == "codemill Encoder":
        return joined([ids[a:b] for offsets, ids in made for a, b in pairwise(offsets)])
    if name == "codemill tokenize.documents":
        return joined([one.values.to_numpy() for batch in made for one in batch])
    if name == "gigatoken":
        return joined([np.asarray(one) for batch in made for one in batch])
    return joined(made)


def worker(name: str, folder: Path) -> None:
    """Encodes in this process, and prints seconds, peak memory and a hash for the ids of each document."""
    texts = pq.read_table(folder / "unseen.parquet")["content"].combine_chunks()
    run = LIBRARIES[name][1](folder)
    made, facts = timed(run, pa.array(["x"], pa.large_string()), texts)
    offsets, ids = plain(name, made)
    ends = 1 if name in ("datatrove", "codemill tokenize.documents") else 0
    hashes = [
        hashlib.sha256(np.ascontiguousarray(ids[a : b - ends]).tobytes()).hexdigest()[:16] for a, b in pairwise(offsets)
    ]
    print(json.dumps({**facts, "tokens": int(len(ids) - ends * len(hashes)), "ids": hashes}))


def measured(name: str, folder: Path, rounds: int) -> dict[str, Any]:
    """A library in processes of its own."""
    env = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    found = []
    for _ in range(rounds):
        command = [sys.executable, "-m", "bench.tokens", "--worker", name, "--prepared", str(folder)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            return {"error": done.stderr.strip().splitlines()[-1]}
        found.append(json.loads(done.stdout.splitlines()[-1]))
        if found[-1]["seconds"] > 10:
            break  # what is slow is measured once
    return {**found[0], **{n: statistics.median(one[n] for one in found) for n in ("seconds", "making")}}


def elsewhere(name: str, python: str, folder: Path) -> dict[str, Any]:
    """A peer in its own environment, once."""
    env = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [python, str(Path(__file__).with_name("tokens_peers.py")), name, str(folder)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["it says nothing"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def prepared(texts: Sequence[str], folder: Path, vocabulary: int) -> int:
    """Trains a tokenizer on a fifth of the texts and writes the others. Returns: their bytes."""
    from codemill.machine.reading import OutFolder
    from codemill.machine.store import Place
    from codemill.steps import tokenizer

    class Table:
        def batches(self, columns: Sequence[str]) -> Any:
            some = texts[::5]
            hashes = pa.array([hashlib.sha256(text.encode()).digest() for text in some], pa.binary(32))
            content = pa.array(some, pa.large_string())
            size = pa.compute.binary_length(content)
            yield pa.record_batch({"content": content, "content_sha256": hashes, "size": size}).select(list(columns))

    tokenizer.train.function(Table(), out=OutFolder(Place.of(folder)), vocabulary=vocabulary, sample_bytes=1 << 40)
    unseen = [text for i, text in enumerate(texts) if i % 5]
    columns = {
        "repo": pa.array([f"repo-{i % 100}" for i in range(len(unseen))]),
        "path": pa.array([f"{i}.py" for i in range(len(unseen))]),
        "content": pa.array(unseen, pa.large_string()),
    }
    pq.write_table(pa.table(columns), folder / "unseen.parquet")
    return sum(len(text.encode()) for text in unseen)


def whole(folder: Path) -> dict[str, float]:
    """CPU seconds of everything: a corpus in Parquet becomes published shards (`tokens`), these a plan (`pack`)."""
    import codemill as cm
    from codemill.machine.builder import build
    from codemill.sources import Parquet, Published
    from codemill.steps import detect, ingest, mix, pack, tokenize, tokenizer

    def timed(outputs: Any, out: Path) -> float:
        before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        build(outputs, out=out, workers=1)
        after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after, strict=True))

    documents = detect.language(ingest.documents(sources=(Parquet(str(folder / "unseen.parquet")),)))
    build(documents, out=folder / "corpus", workers=1)
    corpus = ingest.published(source=Published(str(folder / "corpus"), "corpus"))
    (folder / "existing").mkdir()
    shutil.copy(folder / "tokenizer.json", folder / "existing")
    made = tokenizer.existing(tokenizer=tokenizer.Existing(str(folder / "existing")))
    outputs: cm.Outputs = {"tokens": tokenize.documents(corpus, made), "tokenizer": made}
    encoded = timed(outputs, folder / "tokens")
    shards = ingest.published(source=Published(str(folder / "tokens"), "tokens"))
    taken, shares = mix.take_all(shards, names=["code"])
    return {"shards": encoded, "plan": timed(pack.plan(taken, shares, length=4096), folder / "plan")}


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the table. Raises: AssertionError if the ids of a document differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("speed", "memory"), default="speed")
    parser.add_argument("--documents", type=int, default=20_000, help="of the smaller corpus of `memory`")
    parser.add_argument("--memory", type=int, default=2 << 30, help="what a run of `memory` may take (bytes)")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help="tokenizers or dolma")
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="folder of the bench corpus")
    parser.add_argument("--folder", type=Path, nargs="*", help="take files from here instead")
    parser.add_argument("--small", action="store_true", help="3 MB and one round: does it work at all")
    parser.add_argument("--megabytes", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--vocabulary", type=int, default=32_768)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--prepared", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.worker:
        worker(args.worker, args.prepared)
        return
    if args.what == "memory":
        tokens_memory.main(args.documents, args.memory)
        return
    most = (3 if args.small else args.megabytes) * 10**6
    rows = sample(args.folder, most) if args.folder else of_corpus(args.out, most)
    texts = list(dict.fromkeys(row[3] for row in rows))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = prepared(texts, folder, 2048 if args.small else args.vocabulary)
        built = whole(folder)
        results = {one: measured(one, folder, 1 if args.small else args.rounds) for one in LIBRARIES}
        for name, python in (peer.split("=", 1) for peer in args.peer):
            found = elsewhere(name, python, folder)
            results[f"{name} {found.get('version', 'elsewhere')}"] = found
    print(f"{len(texts) - len(texts[::5]):,} files, {size / 1e6:.1f} MB, not seen before; one core")
    reference = results["tokenizers"]
    peers = [r for n, r in results.items() if "seconds" in r and not n.startswith("codemill")]
    fastest = max(size / 1e6 / (r["seconds"] - r["making"]) for r in peers)
    heads = f"{'MB/s':>7} {'once made':>10} {'of the fastest peer':>20} {'peak MB':>8} {'documents with other ids':>25}"
    print(f"{'':28} {heads}")
    wrong = 0
    for one, found in results.items():
        if "error" in found:
            print(f"{one:28} not measured: {found['error']}")
            continue
        differ = sum(a != b for a, b in zip(found["ids"], reference["ids"], strict=True))
        wrong += differ if one.startswith("codemill") else 0
        speed, warm = size / 1e6 / found["seconds"], size / 1e6 / (found["seconds"] - found["making"])
        share = warm / fastest
        print(f"{one:28} {speed:7.1f} {warm:10.1f} {share:20.2f} {found['peak'] / 1e6:8.0f} {differ:25}")
    for one, seconds in (("shards", built["shards"]), ("shards and a plan", sum(built.values()))):
        print(f"{'corpus to ' + one:28} {size / 1e6 / seconds:7.1f}")
    print(f"{reference['tokens']:,} tokens, {size / reference['tokens']:.2f} bytes each")
    assert not wrong, f"our ids of {wrong} documents differ from those of tokenizers"


if __name__ == "__main__":
    main()
