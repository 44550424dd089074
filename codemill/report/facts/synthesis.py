"""What methods of synthesis made: for each set accepted and attempted by language and difficulty, reasons, tokens,
strength.

A set is an output whose ledger, NAME_ledger, has the columns of `synthetic.LEDGER`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from codemill.errors import InputError
from codemill.report.facts.ledger import Row, collect
from codemill.run import Run
from codemill.synthetic import LEDGER, REWRITTEN

EXAMPLES = 3
"""Rows that are shown of each reason."""

TELLS = ("seed_id", "outcome", "tokens_asked")
"""Columns by which a ledger of synthesised rows is known."""


@dataclass(frozen=True)
class Set:
    """What became of the rows of one set."""

    name: str
    method: str
    teacher: str
    recorded: bool  # answered from a script: an example, and no data
    attempted: int
    accepted: int
    groups: tuple[Row, ...]  # language, difficulty, attempted, accepted
    reasons: tuple[Row, ...]  # step, reason, means, rows, examples (repo, path, language, value)
    tokens_asked: int
    tokens_answered: int
    cost: float | None  # in the currency of the teacher's prices; null: they are not known
    strength: tuple[Row, ...]  # from, to, rows: of accepted rows whose strength is known
    strong: float | None  # the mean of it
    before: int | None  # bytes of the accepted rows' texts as they were; null: the set is of no rewritten files
    after: int | None
    student: Row | None  # who chose its seeds, held against the teacher on repositories that were held out: files,
    # agreement, precision, recall; null: no student did


def gather(run: Run) -> tuple[Set, ...] | None:
    """The sets of a run in the order of its outputs; None if it has none. Raises: InputError if one cannot be read."""
    names = [name for name in run.manifest.get("outputs", {}) if run.files(f"{name}_ledger")]
    found = [made for name in names if (made := _set(run, name)) is not None]
    return tuple(found) or None


def books(run: Run, name: str) -> pl.LazyFrame | None:
    """The ledger of a set; None if the output has another ledger or none."""
    parts = run.parts(f"{name}_ledger")
    if not parts or not set(TELLS) <= set(parts[0].schema.names):
        return None
    return run.table(f"{name}_ledger", LEDGER)


def _set(run: Run, name: str) -> Set | None:
    with run.readable():
        scanned = books(run, name)
        if scanned is None:
            return None
        # A row for every row of a set: millions of narrow rows at most, of which a few hundred are left.
        ledger = collect(scanned)
    entries = [run.manifest["tables"][i] for i in run.manifest["outputs"][name]["chain"]]
    method = entries[0]
    teacher = method["parameters"].get("teacher") or {}
    kept = ledger.filter(pl.col("verdict") == "kept")
    asked, answered = (int(ledger[column].sum() or 0) for column in ("tokens_asked", "tokens_answered"))
    known = kept["strength"].drop_nulls()
    return Set(
        name,
        str(method["name"]),
        _teacher(teacher),
        teacher.get("kind") == "Scripted",
        ledger.height,
        kept.height,
        tuple(_groups(ledger)),
        tuple(_reasons(ledger, entries)),
        asked,
        answered,
        _cost(teacher.get("price"), asked, answered),
        tuple(_shares(known.to_list())),
        None if known.is_empty() else float(known.mean()),  # type: ignore[arg-type]
        *_sizes(run, name),
        _student(run, run.manifest["outputs"][name]["chain"][0]),
    )


def _sizes(run: Run, name: str) -> tuple[int | None, int | None]:
    """Bytes of texts before they were rewritten, and after."""
    parts = run.parts(name)
    if not parts or not {"content", "output"} <= set(parts[0].schema.names):
        return None, None
    texts = run.table(name, REWRITTEN).select("output", "content")
    sizes = collect(texts.select(pl.all().str.len_bytes().sum()))
    return int(sizes["output"][0] or 0), int(sizes["content"][0] or 0)


def _student(run: Run, number: int) -> Row | None:
    """What the student is worth that chose the seeds of a table; None: no student did.

    Raises: InputError if it cannot be read.
    """
    tables = run.manifest["tables"]
    while tables[number]["name"] != "student.keep":
        if not tables[number]["inputs"]:
            return None
        number = tables[number]["inputs"][0]
    model = tables[number]["inputs"][1]
    names = [name for name, output in run.manifest["outputs"].items() if output["table"] == model]
    if not names:
        return None  # it was not published
    place = run.folder.at(names[0], "classifier.json")
    try:
        worth = place.read_json()["test"]["all"]
        return {"files": worth["pages"], **{name: worth[name] for name in ("agreement", "precision", "recall")}}
    except (KeyError, TypeError) as error:
        raise InputError("it does not say how far a student agrees", where=place, remedy="run again") from error


def _teacher(said: Mapping[str, Any]) -> str:
    of = said.get("of") or said
    return str(of.get("model") or of.get("digest") or of.get("kind") or "unknown")


def _cost(price: Mapping[str, Any] | None, asked: int, answered: int) -> float | None:
    if not price:
        return None
    return (asked * float(price["prompt"]) + answered * float(price["completion"])) / 1e6


def _groups(ledger: pl.DataFrame) -> list[Row]:
    grouped = ledger.group_by("language", "difficulty").agg(
        attempted=pl.len(), accepted=(pl.col("verdict") == "kept").sum()
    )
    rows: list[Row] = grouped.sort("language", "difficulty", nulls_last=True).to_dicts()
    return rows


def _reasons(ledger: pl.DataFrame, entries: Sequence[Mapping[str, Any]]) -> list[Row]:
    means = {(entry["name"], reason): words for entry in entries for reason, words in entry["drops"].items()}
    lost = ledger.filter(pl.col("verdict") == "dropped")
    counted = Counter(zip(lost["step"].to_list(), lost["reason"].to_list(), strict=True))
    rows: list[Row] = []
    for (step, reason), count in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        some = lost.filter((pl.col("step") == step) & (pl.col("reason") == reason)).sort("id").head(EXAMPLES)
        examples = some.select("id", "repo", "path", "language", "value").to_dicts()
        means_it = means.get((step, reason), "")
        rows.append({"step": step, "reason": reason, "means": means_it, "rows": count, "examples": examples})
    return rows


def _shares(strengths: Sequence[float]) -> list[Row]:
    """How many rows have tests of which strength, in fifths; 1 is in the last."""
    counted = Counter(min(int(strength * 5), 4) for strength in strengths)
    return [{"from": i / 5, "to": (i + 1) / 5, "rows": counted[i]} for i in range(5)] if strengths else []
