"""Seeds by AutoDS: a teacher answers yes or no to questions about pages, and how sure it is makes the score.

    draw        which pages are asked about              files: a limit
    candidates  those pages                              begins a table
    probe       one page: does the teacher say how sure it is?
    score       the questions, multiplied                a layer, paid
    choose      the best are positives, the worst negatives   files: labels by URL

A base or chat model answers with one token; the score of a question is the softmax of the log-probabilities of YES and
NO. From: AutoDS (arXiv 2402.07625); OpenCoder 2.1.2, which took 500,000 pages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from codemill import chance
from codemill.errors import InputError, RecipeError, TeacherError
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import Table, folder, rows
from codemill.teacher.ask import ask
from codemill.teacher.conversation import Conversation, Drop, Reply, Request
from codemill.teacher.teachers import Teacher

QUESTIONS = (
    "Is this web page about programming: does it explain, discuss or show source code, commands or an interface?",
    "Would it help somebody who learns to write software?",
)
BUCKET_BITS = 20
ALTERNATIVES = 20
"""Tokens whose probabilities are asked for; servers give as many at most."""


def seed(
    pages: Table,
    *,
    teacher: Teacher,
    candidates: int,
    best: int,
    above: float,
    below: float,
    questions: Sequence[str] = QUESTIONS,
    seed: int = 0,
) -> tuple[Table, Table]:
    """Labels of pages as a folder, for `seeds.label`, and the table of candidates with their scores."""
    drawn = candidates_of(pages, draw(pages, candidates=candidates, seed=seed), seed=seed)
    probed = probe(drawn, teacher=teacher, questions=list(questions))
    scored = score(probed, teacher=teacher, questions=list(questions))
    return choose(scored, best=best, above=above, below=below), scored


def _check_draw(*, candidates: int, seed: int) -> None:
    if candidates < 1:
        raise RecipeError(f"there is at least 1 candidate, got {candidates!r}")


@folder(version=1, check=_check_draw)
def draw(pages: Reading, *, out: OutFolder, candidates: int, seed: int = 0) -> dict[str, int]:
    """Finds below which draw about so many pages lie: exact to the pages of a millionth of all draws."""
    held = np.zeros(1 << BUCKET_BITS, np.int64)
    for batch in pages.batches(["content_sha256"]):
        np.add.at(held, _buckets(batch, seed), 1)
    limit = int(np.searchsorted(np.cumsum(held), candidates, side="right"))
    limit = max(limit, int(np.flatnonzero(held)[0]) + 1 if held.any() else 0)
    probe = int(np.flatnonzero(held)[0]) if held.any() else 0
    (out.path / "draw.json").write_text(json.dumps({"limit": limit, "probe": probe}) + "\n", "utf-8")
    return {"candidates": int(held[:limit].sum())}


def _buckets(batch: pa.RecordBatch, seed: int) -> Any:
    draws = chance.bits(chance.leading(batch["content_sha256"]), seed=seed, purpose="autods.draw")
    return (draws >> np.uint64(64 - BUCKET_BITS)).astype(np.int64)


@rows(
    version=1,
    reads=("path", "content", "content_sha256", "size"),
    adds={"url": pa.string(), "content": pa.large_string(), "is_probe": pa.bool_(), "reason": pa.string()},
    drops={"not_drawn": "not among the pages that the teacher is asked about"},
)
def candidates_of(pages: pa.RecordBatch, drawn: Reading, *, seed: int = 0) -> pa.RecordBatch:
    """The pages that the teacher is asked about, and the one that it is probed with."""
    facts = json.loads((drawn.folder / "draw.json").read_text("utf-8"))
    buckets = _buckets(pages, seed)
    taken = pa.array(buckets < facts["limit"])
    return pa.record_batch(
        {
            "of": pa.array(np.arange(pages.num_rows)),
            "url": pages["path"],
            "content": pc.if_else(taken, pages["content"].cast(pa.large_string()), pa.scalar("", pa.large_string())),
            "is_probe": pa.array(buckets == facts["probe"]),
            "size": pages["size"],
            "reason": pc.if_else(taken, pa.scalar(None, pa.string()), "not_drawn"),
        }
    )


def asked(row: dict[str, Any], question: str, most_chars: int) -> Request:
    """A question about a page, to be answered with one token."""
    prompt = f"Web page {row['url']}\n\n{row['content'][:most_chars]}\n\nQuestion: {question}\nAnswer YES or NO."
    return Request(prompt, max_tokens=1, temperature=0.0, logprobs=ALTERNATIVES, cut_short=True)


def sureness(reply: Reply) -> float | None:
    """How likely YES is against NO. Null: neither is among the likeliest tokens.

    Raises: TeacherError if the answer has no log-probabilities.
    """
    if not reply.logprobs:
        raise TeacherError(
            "the teacher gives no log-probabilities, by which AutoDS scores",
            where=reply.model,
            remedy="ask a server that answers `logprobs`, or give --labels",
        )
    first = reply.logprobs[0]
    found = {"YES": -math.inf, "NO": -math.inf}
    for text, logprob in {first.text: first.logprob, **dict(first.top)}.items():
        word = text.strip().strip("▁Ġ").upper()
        if word in found:
            found[word] = float(np.logaddexp(found[word], logprob))
    if max(found.values()) == -math.inf:
        return None
    return float(1 / (1 + math.exp(min(700.0, found["NO"] - found["YES"])))) if found["YES"] > -math.inf else 0.0


@ask(version=1, reads=("url", "content", "is_probe"), adds={"probed": pa.bool_()})
def probe(row: dict[str, Any], *, questions: Sequence[str], most_chars: int = 4000) -> Conversation:
    """Asks about one page, before anything else is paid for. Raises: TeacherError without log-probabilities."""
    if row["is_probe"]:
        sureness((yield asked(row, questions[0], most_chars)))
    return {"probed": row["is_probe"]}


@ask(
    version=1,
    reads=("url", "content", "probed"),
    adds={"autods": pa.float32()},
    drops={"no_answer": "the teacher answered neither yes nor no"},
)
def score(row: dict[str, Any], *, questions: Sequence[str], most_chars: int = 4000) -> Conversation:
    """The product of how likely a yes is to each question."""
    replies = yield [asked(row, question, most_chars) for question in questions]
    sure = [sureness(reply) for reply in replies if reply is not None]
    known = [value for value in sure if value is not None]
    if len(known) < len(questions):
        return Drop("no_answer")
    return {"autods": math.prod(known)}


def _check_choice(*, best: int, above: float, below: float) -> None:
    if best < 1:
        raise RecipeError(f"best must be at least 1, got {best!r}")
    if not 0 <= below < above <= 1:
        raise RecipeError(f"0 <= below < above <= 1 does not hold for below={below!r}, above={above!r}")


@folder(version=1, check=_check_choice)
def choose(scored: Reading, *, out: OutFolder, best: int, above: float, below: float) -> dict[str, int]:
    """Labels the `best` pages that score more than `above` as about code, and all below `below` as not: labels.csv.

    Raises: InputError if either are none.
    """
    table = pl.DataFrame(pl.from_arrow(scored.table(["url", "autods"]))).unique().drop_nulls()
    high = table.filter(pl.col("autods") > above).sort("autods", "url", descending=[True, False]).head(best)
    low = table.filter(pl.col("autods") < below).sort("url")
    if high.is_empty() or low.is_empty():
        raise InputError(
            f"{len(high)} pages score above {above} and {len(low)} below {below}",
            where="autods.choose",
            remedy="take more candidates, or other limits",
        )
    labelled = pl.concat([high.select("url", label=pl.lit(1)), low.select("url", label=pl.lit(0))])
    labelled.write_csv(Path(out.path) / "labels.csv")
    return {"positives": len(high), "negatives": len(low)}
