"""Corpora of arms: `refinecode` with one decision changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from codemill import Output, Table, step
from codemill.machine.source import Source
from codemill.recipes.refinecode import KEPT, refinecode, resize
from codemill.steps import choose, dedup, detect, ingest


def corpus(inputs: Sequence[Source], *, rules: str = "refinecode", level: str = "file", least_stars: int = 0) -> Table:
    """RefineCode without its samples of Java and HTML, which would make arms differ in more than one decision."""
    made = refinecode(inputs, rules=rules, level=level, java_fraction=1.0, html_fraction=1.0)
    if isinstance(made, Mapping):
        first = made["corpus"]
        made = first.table if isinstance(first, Output) else first
    return starred(made, least=least_stars) if least_stars else made


def unfiltered(inputs: Sequence[Source]) -> Table:
    """All code of the inputs in RefineCode's languages, each file once, as it was found.

    Why: what an arm's decision leaves in is like what that arm trains on. Models are measured on what no arm chose.
    Larger files are left out, for one of some megabytes would outweigh all others in the sum of bits.
    """
    files = ingest.documents(sources=resize(inputs, 100_000))
    code = choose.kinds(detect.keep(detect.language(files), kept=KEPT), of=("code",))
    return dedup.exact(code)


@step(version=1, reads=("stars",), adds={"reason": pa.string()}, drops={"few_stars": "too few stars"})
def starred(documents: pa.RecordBatch, *, least: int) -> pa.RecordBatch:
    """Drops files of repositories with fewer stars than `least`. Null: unknown stars are none."""
    few = pc.less(pc.fill_null(documents["stars"], 0), least)
    return pa.record_batch({"reason": pc.if_else(few, "few_stars", pa.scalar(None, pa.string()))})
