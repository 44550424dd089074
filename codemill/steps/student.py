"""A student of the teacher: it learns from the files that the teacher graded, and says which of the others to take.

    grades   graded files → which of them are of value              files
    label    those labels on all files, and what is held out        a few bytes a row
    train    a classifier, the one of web recall, and its worth     files
    keep     drops files that the student would not take            a layer

A call for each file of a large corpus is dear; a classifier reads all of it for nothing. Repositories are held out as a
whole: on half of them the threshold is set, on the others classifier.json says how far the student agrees.
From: FineWeb-Edu (arXiv 2406.17557); OpenCoder 4.1, whose scorer is not published.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from codemill import chance
from codemill.errors import InputError, RecipeError
from codemill.machine.reading import OutFolder, Reading
from codemill.machine.table import Table, folder, step
from codemill.steps import recall, tokenizer
from codemill.steps.seeds import TEST, TRAIN, VALID
from codemill.web.classifier import Settings

# A corpus of files is smaller than a crawl: shorter vectors, more passes.
SETTINGS = Settings(dim=64, lr=0.3, epoch=10, word_ngrams=2, min_count=2, bucket=200_000, seed=0)


def choose(
    documents: Table,
    graded: Table,
    *,
    least: float,
    precision: float,
    column: str = "educational_value",
    held_out_share: float = 0.2,
    seed: int = 0,
) -> tuple[Table, Table]:
    """The documents that a student takes who learned what of `graded` has at least `least`; and the student.

    `precision` is the share of what the student takes that the teacher would take as well, on held-out repositories.
    """
    marked = label(documents, grades(graded, column=column, least=least), held_out_share=held_out_share, seed=seed)
    segmenter = tokenizer.train(marked, vocabulary=8192, sample_bytes=20_000_000)
    model = recall.train(marked, segmenter, settings=SETTINGS, random_negatives=0.0, precision=precision)
    return keep(recall.score(marked, model, name="student_score"), model), model


def _check_grades(*, column: str, least: float) -> None:
    if not column:
        raise RecipeError("grades are in a column", remedy="such as educational_value")


@folder(version=1, check=_check_grades)
def grades(graded: Reading, *, out: OutFolder, column: str, least: float) -> dict[str, int]:
    """Writes which graded files are of value to grades.parquet: id, and label (1 if its grade is at least `least`).

    Raises: InputError if all of them are, or none: nothing can be learned from that.
    """
    table = pl.DataFrame(pl.from_arrow(graded.table(["id", column]))).drop_nulls()
    made = table.select("id", label=(pl.col(column) >= least).cast(pl.Int8)).sort("id")
    high = int(made["label"].sum())
    if high in (0, len(made)):
        raise InputError(
            f"of {len(made):,} graded files {high:,} have a grade of at least {least}",
            where="student.grades",
            remedy="have more files graded, or another limit",
        )
    made.write_parquet(Path(out.path) / "grades.parquet")
    return {"graded": len(made), "of_value": high}


def _check_share(*, held_out_share: float, seed: int) -> None:
    if not 0 < held_out_share < 1:
        raise RecipeError(f"held_out_share must be between 0 and 1, got {held_out_share!r}")


@step(
    version=1,
    reads=("id", "repo"),
    adds={"label": pa.int8(), "split": pa.string(), "site_kind": pa.string()},
    check=_check_share,
)
def label(documents: pa.RecordBatch, graded: Reading, *, held_out_share: float, seed: int = 0) -> pa.RecordBatch:
    """Gives graded files their label, and says which repositories are held out.

    Shape: adds label (null: not graded), split (train, valid, test) and site_kind (null), which `recall.train` reads.
    """
    known = _grades(graded.folder)
    found = pa.array([known.get(id) for id in documents["id"].to_pylist()], pa.int8())
    draws = chance.uniform(chance.of_names(documents["repo"]), seed=seed, purpose="student.label")
    split = np.where(draws < held_out_share, np.where(draws < held_out_share / 2, VALID, TEST), TRAIN)
    none = pa.nulls(documents.num_rows, pa.string())
    return pa.record_batch({"label": found, "split": pa.array(split.astype(object), pa.string()), "site_kind": none})


@functools.lru_cache(maxsize=2)
def _grades(folder: Path) -> Mapping[str, int]:
    table = pl.read_parquet(folder / "grades.parquet")
    return dict(zip(table["id"].to_list(), table["label"].to_list(), strict=True))


@step(
    version=1,
    reads=("student_score",),
    adds={"reason": pa.string(), "value": pa.string()},
    drops={"not_taken": "the student thinks that the teacher would not take it"},
)
def keep(documents: pa.RecordBatch, student: Reading) -> pa.RecordBatch:
    """Drops files that score below the student's threshold."""
    facts: dict[str, Any] = json.loads((student.folder / "classifier.json").read_text("utf-8"))
    scores = documents["student_score"]
    gone = pc.less(scores, pa.scalar(facts["thresholds"]["all"], pa.float32()))
    null = pa.scalar(None, pa.string())
    value = pa.array([f"{s:.4f}" for s in scores.to_pylist()], pa.string())
    return pa.record_batch({"reason": pc.if_else(gone, "not_taken", null), "value": pc.if_else(gone, value, null)})
