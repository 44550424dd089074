"""A large run over made-up documents, for `bench.view`: built by the machine as any other, from a source that invents.

Each document is a few hundred bytes of made-up code; one in five repeats an earlier one byte for byte. The signals are
drawn, not measured: what is timed is looking at them. Everything follows from the number of the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import codemill as cm
from codemill.document import RAW
from codemill.machine.source import Listing, Shard
from codemill.rules import Rule, RuleBook, RuleSet
from codemill.steps import dedup, ingest, quality

PART = 20_000  # documents
BATCH = 4_000
NEEDLES = 5_000  # one document in so many holds the word that is searched for
LANGUAGES = ("python", "c", "javascript", "cpp", "java", "go", "typescript", "rust", "shell", "html")
LICENCES = (["MIT"], ["Apache-2.0"], ["BSD-3-Clause"], ["MIT", "Apache-2.0"], None)
SIGNALS = tuple(f"drawn_{i}" for i in range(12))
RULES = RuleBook((
    RuleSet("python", tuple(Rule(name, above=0.985) for name in SIGNALS), languages=("python",)),
    RuleSet("code", tuple(Rule(name, above=0.99) for name in SIGNALS)),
))  # fmt: skip


@dataclass(frozen=True)
class MadeUp:
    """A source of `documents` made-up files, 20 to a repository."""

    documents: int
    label: str = "made-up"
    max_file_bytes: int = 1 << 20

    def list(self) -> Listing:
        """Parts of `PART` documents."""
        shards = []
        for first in range(0, self.documents, PART):
            n = min(PART, self.documents - first)
            shards.append(Shard(f"made up {first}", n, n * 600, first, f"{first} {n}"))
        return Listing(f"made up {self.documents}", tuple(shards))

    def read(self, shard: Shard) -> Iterator[pa.RecordBatch]:
        """Raw rows of a part."""
        first = int(shard.what)
        last = min(first + PART, self.documents)
        for start in range(first, last, BATCH):
            yield _raw(np.arange(start, min(start + BATCH, last)))


def _raw(numbers: npt.NDArray[np.int64]) -> pa.RecordBatch:
    texts = [_text(int(n) if mixed(n) % 5 else int(n) // 7 * 5) for n in numbers]
    columns: dict[str, Any] = {name: [None] * len(numbers) for name in RAW.names}
    columns |= {
        "repo": [f"owner-{n // 20 % 977}/project-{n // 20}" for n in numbers],
        "path": [f"src/module_{n % 13}/part_{n % 101}/file_{n}.py" for n in numbers],
        "license": [LICENCES[int(mixed(n // 20) % len(LICENCES))] for n in numbers],
        "size": [len(text) for text in texts],
        "raw": texts,
    }
    return pa.record_batch([pa.array(columns[f.name], f.type) for f in RAW], schema=RAW)


def _text(n: int) -> bytes:
    rows = [f"def function_{n}_{i}(value):\n    return value * {mixed(n * 31 + i) % 9973} + {i}\n" for i in range(8)]
    if n % NEEDLES == 17:
        rows.append("# the needle of this haystack\n")
    return "\n".join(rows).encode()


def mixed(n: int) -> int:
    """SplitMix64's last step: a number that looks random, from one that does not."""
    a = int(n) & 0xFFFFFFFFFFFFFFFF
    a = (a ^ (a >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    a = (a ^ (a >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return a ^ (a >> 31)


@cm.step(
    version=1,
    reads=("id",),
    adds={
        "language": pa.string(),
        "doc_type": pa.string(),
        "natural_language": pa.string(),
        **dict.fromkeys(SIGNALS, pa.float64()),
    },
)
def drawn(documents: pa.RecordBatch) -> pa.RecordBatch:
    """A language and signals for each document, drawn by its id."""
    seeds = np.array([int(id[:12], 16) for id in documents["id"].to_pylist()], dtype=np.int64)
    values = {name: (seeds * (2 * i + 3) % 999_983) / 999_983 for i, name in enumerate(SIGNALS)}
    return pa.record_batch(
        {
            "language": pa.array(LANGUAGES).take(pa.array(seeds % 97 % len(LANGUAGES))),
            "doc_type": pa.array(["code"] * len(seeds)),
            "natural_language": pa.array(["en"] * len(seeds)),
            **values,
        }
    )


def recipe(documents: int) -> cm.Table:
    """Made-up documents, copies dropped, judged by 24 rules."""
    files = ingest.documents(sources=(MadeUp(documents),), metadata=None)
    unique = dedup.exact(drawn(files))
    return quality.keep(quality.judge(unique, rules=RULES))
