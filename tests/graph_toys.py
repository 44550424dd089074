"""Steps of every kind, and a recipe with all of them: two sources, a mix, rows, groups, a folder trained in a loop."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import codemill as cm
from codemill.steps import ingest
from tests import toys

WORD = pa.binary(8)
NO_VERDICTS = pa.schema({"part": pa.int32(), "row": pa.int32(), "reason": pa.string()}.items()).empty_table()


def hashed(texts: pa.Array) -> pa.Array:
    """8 bytes of a hash of each text."""
    return pa.array([hashlib.sha256(text.encode()).digest()[:8] for text in texts.to_pylist()], WORD)


def die_of(values: Any, word: str | bytes) -> None:
    """Kills its own process when it sees the word, as a fault in native code would."""
    if any(word in value for value in values.to_pylist() if value is not None):
        os.kill(os.getpid(), signal.SIGSEGV)


@cm.rows(
    version=1,
    reads=("content",),
    adds={"word": pa.string(), "place": pa.int64()},
    drops={"no_words": "without a word in it"},
)
def words(documents: pa.RecordBatch, *, least: int = 1) -> pa.RecordBatch:
    """A row for each word of at least so many letters; a document without any says so."""
    made: list[dict[str, Any]] = []
    die_of(documents["content"], "KILL")
    for of, text in enumerate(documents["content"].to_pylist()):
        mine = [
            {"of": of, "word": word, "place": place, "ordinal": 10 * place, "size": len(word), "reason": None}
            for place, word in enumerate(text.split())
            if len(word) >= least
        ]
        made += mine or [{"of": of, "word": None, "place": None, "ordinal": 0, "size": 0, "reason": "no_words"}]
    kinds = {"of": pa.int64(), "word": pa.string(), "place": pa.int64(), "ordinal": pa.int64(), "size": pa.int64()}
    schema = pa.schema({**kinds, "reason": pa.string()}.items())
    return pa.RecordBatch.from_pylist(made, schema=schema)


@cm.rows(version=1, reads=("content",), adds={"word": pa.string()})
def forgetful(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Makes something of every second row only, and does not say why."""
    of = np.arange(0, documents.num_rows, 2)
    return pa.record_batch({"of": of, "word": ["x"] * len(of)})


@cm.rows(version=1, reads=("content",), adds={"word": pa.string()})
def same_ordinal(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Gives two rows of one parent the same ordinal."""
    of = np.repeat(np.arange(documents.num_rows), 2)
    return pa.record_batch({"of": of, "word": ["x"] * len(of), "ordinal": np.zeros(len(of), dtype=np.int64)})


def _short_keys(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.record_batch({"key": hashed(batch["word"]), "word": batch["word"]})


def _word_keys(batch: pa.RecordBatch, **_: Any) -> pa.RecordBatch:
    die_of(batch["word"], "KILL")
    return pa.record_batch({"key": hashed(batch["word"]), "word": batch["word"], "size": batch["size"]})


@cm.group(
    version=1,
    reads=("word", "size"),
    key="key",
    adds={"key": WORD, "word": pa.string(), "copies": pa.int64(), "letters_before": pa.int64()},
    emit=_word_keys,
    before=("size",),
)
def counted(keys: pa.Table, *, before: dict[str, int]) -> pa.Table:
    """How often each word is there; and how many letters all smaller keys have."""
    table = keys.group_by(["key", "word"], use_threads=False).aggregate([([], "count_all"), ("size", "sum")])
    table = table.sort_by([("key", "ascending"), ("word", "ascending")])
    letters = table["size_sum"].to_numpy()
    start = before["size"]
    return pa.table(
        {
            "key": table["key"],
            "word": table["word"],
            "copies": table["count_all"],
            "letters_before": pa.array(start + np.cumsum(letters) - letters),
        }
    )


def _draws(batch: pa.RecordBatch, *, seed: int) -> pa.RecordBatch:
    return pa.record_batch({"key": hashed(pc.binary_join_element_wise(batch["id"], str(seed), "|"))})


@cm.group(
    version=1,
    reads=("id",),
    key="key",
    adds={"key": WORD, "input": pa.int32(), "part": pa.int32(), "row": pa.int32()},
    emit=_draws,
)
def mixed(keys: pa.Table, *, seed: int) -> pa.Table:
    """An order of the rows of several tables that copies none of them."""
    return keys.select(["key", "input", "part", "row"])


@cm.folder(version=1, uses="machine")
def trained(words: Any, *more: Any, out: Any, rounds: int) -> dict[str, int]:
    """Writes how often each letter is there, in as many checkpoints as rounds; goes on from one that is whole."""
    counts: dict[str, int] = {}
    for number in range(rounds):
        name = f"checkpoint-{number}.json"
        if out.sealed(name) is None:
            for batch in words.batches(["word"]):
                for word in batch["word"].to_pylist():
                    counts[word[number % len(word)]] = counts.get(word[number % len(word)], 0) + 1
            counts |= {f"{given.name} {number}": given.rows() for given in more}
            (out.path / name).write_text(json.dumps(counts, sort_keys=True))
            out.seal(name)
        counts = json.loads((out.path / name).read_text())
    return {"letters": sum(counts.values())}


@cm.step(version=1, reads=("word",), adds={"score": pa.int64(), "reason": pa.string()}, drops={"rare": "too rare"})
def scored(words: pa.RecordBatch, model: Any, *, least: int) -> pa.RecordBatch:
    """Scores words by the counts of the last checkpoint of a folder; the rare ones go."""
    counts = json.loads(max(model.folder.glob("checkpoint-*.json")).read_text())
    scores = [sum(counts.get(letter, 0) for letter in word) for word in words["word"].to_pylist()]
    reasons = ["rare" if score < least else None for score in scores]
    return pa.record_batch({"score": pa.array(scores, pa.int64()), "reason": pa.array(reasons, pa.string())})


@cm.step(version=1, reads=("content",), adds={"known": pa.int64()})
def looked_up(documents: pa.RecordBatch, table: Any) -> pa.RecordBatch:
    """How many words of each document are in a small table."""
    known = set(table.table(["word"])["word"].to_pylist())
    counts = [sum(word in known for word in text.split()) for text in documents["content"].to_pylist()]
    return pa.record_batch({"known": pa.array(counts, pa.int64())})


def _killing(batch: pa.RecordBatch, rows: Any) -> Any:
    die_of(batch["content"], "KILL")
    return pa.record_batch({"content_sha256": batch["content_sha256"]}), rows


@cm.exchange(
    version=1,
    reads=("content", "content_sha256"),
    key="content_sha256",
    adds={"reason": pa.string()},
    emit=_killing,
)
def kills_in_map(keys: pa.Table) -> pa.Table:
    """Kills its process where keys are made."""
    return NO_VERDICTS


@cm.exchange(version=1, reads=("content_sha256", "path"), key="content_sha256", adds={"reason": pa.string()})
def kills_in_reduce(keys: pa.Table) -> pa.Table:
    """Kills its process where keys meet, when it sees the thirteenth file."""
    die_of(keys["path"], "f00013.py")
    return NO_VERDICTS


def _killing_others(batch: pa.RecordBatch) -> pa.RecordBatch:
    die_of(batch["content"], "KILL")
    return pa.record_batch({"content_sha256": batch["content_sha256"]})


@cm.exchange(
    version=1,
    reads=("content_sha256",),
    key="content_sha256",
    adds={"reason": pa.string()},
    other_reads=("content", "content_sha256"),
    other_keys=_killing_others,
    drops={"known": "in a further input"},
)
def kills_in_others(keys: pa.Table) -> pa.Table:
    """Kills its process where keys of a further input are made; drops what that input has."""
    known = keys.filter(pc.equal(keys["part"], -1))["content_sha256"].combine_chunks()
    mine = keys.filter(pc.and_(pc.greater_equal(keys["part"], 0), pc.is_in(keys["content_sha256"], known)))
    reason = pa.repeat(pa.scalar("known"), mine.num_rows)
    return pa.table({"part": mine["part"], "row": mine["row"], "reason": reason})


@cm.source(version=1, adds={**ingest.BASE, "reason": pa.string(), "value": pa.string()}, published=ingest.DOCUMENTS)
def kills_in_source(raw: pa.RecordBatch, source: Any, *, sources: Any) -> pa.RecordBatch:
    """Kills its process where raw files become documents."""
    die_of(raw["raw"], b"KILL")
    return ingest.files.function(raw, source, sources=sources)


@cm.group(version=1, reads=("word",), key="key", adds={"key": WORD, "word": pa.string()}, emit=_short_keys)
def kills_in_group(keys: pa.Table) -> pa.Table:
    """Kills its process where the rows of a range become rows."""
    die_of(keys["word"], "KILL")
    return keys.select(["key", "word"])


def texts(start: int, count: int) -> tuple[str, ...]:
    """Texts of a few words each; some of no word."""
    return tuple("x" if i % 17 == 3 else f"word{i % 7} number{i} of many{i % 3}" for i in range(start, start + count))


def everything(count: int = 60) -> dict[str, cm.Table | cm.Output]:
    """The recipe."""
    one = ingest.documents(sources=(toys.Literals(texts(0, count), label="one", per_part=9),))
    two = ingest.documents(sources=(toys.Literals(texts(1000, count // 2), label="two", per_part=7),))
    made = words(toys.length(one, at_most=60), least=2)
    more = words(two, least=3)
    model = trained(made, more, rounds=2)
    kept = made
    for number in range(3):
        kept = scored(made, model, least=150 * number)
        vocabulary = counted(kept, more)
        model = trained(kept, vocabulary, rounds=2 + number)
    order = mixed(kept, more, seed=7)
    return {
        "corpus": kept,
        "ledger": cm.ledger(kept),
        "vocabulary": vocabulary,
        "order": order,
        "model": model,
        "documents": looked_up(one, vocabulary),
    }


def many() -> dict[str, cm.Table | cm.Output]:
    """The recipe over enough documents that a kill lands somewhere in the middle."""
    return everything(600)


def files(out: Any) -> dict[str, bytes]:
    """Every published file's bytes, the manifest apart."""
    found: Iterator[Any] = (p for p in out.rglob("*") if p.is_file() and ".work" not in p.parts)
    return {str(p.relative_to(out)): p.read_bytes() for p in found if p.name != "manifest.json"}
