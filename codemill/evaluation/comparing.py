"""Models side by side on the same tasks: differences with intervals, task by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from codemill.errors import InputError
from codemill.evaluation import metrics
from codemill.evaluation.metrics import Difference, Estimate
from codemill.evaluation.results import Results


@dataclass(frozen=True)
class Score:
    """One score of one model: of each task the share of its samples that pass, or of each text its bits and bytes."""

    tasks: Mapping[str, metrics.Amount]
    mean: Estimate
    is_bits: bool = False


@dataclass(frozen=True)
class Beside:
    """A score of several models. `differences` are to the first one, on the tasks that both have."""

    score: str
    models: tuple[str, ...]
    less_is_better: bool
    means: tuple[Estimate, ...]
    differences: tuple[Difference, ...]


def compare(outs: Sequence[Path | str]) -> list[Beside]:
    """Compares evaluations, the first with each other one, score by score.

    Raises: InputError if there is nothing to compare: no common score, other data of a benchmark, other trials.
    """
    read = [(Results.read(out), _scores(Path(out))) for out in outs]
    names = [_name(results, out) for (results, _), out in zip(read, outs, strict=True)]
    _same_data([results for results, _ in read], outs)
    found = []
    for score in read[0][1]:
        if not all(score in scores for _, scores in read):
            continue
        first = read[0][1][score]
        differences = []
        for _, scores in read[1:]:
            common = sorted(first.tasks.keys() & scores[score].tasks.keys())
            pair = [[one.tasks[task] for task in common] for one in (first, scores[score])]
            if first.is_bits:
                differences.append(metrics.paired_texts(*pair))
            else:
                differences.append(metrics.paired(*([value for value, _ in one] for one in pair)))
        means = tuple(scores[score].mean for _, scores in read)
        found.append(Beside(score, tuple(names), first.is_bits, means, tuple(differences)))
    if not found:
        raise InputError("these evaluations have no score in common", where=", ".join(map(str, outs)))
    return found


def _scores(out: Path) -> dict[str, Score]:
    """Values by task of each trial, each trial with all before it; and bits per byte by text."""
    return {**_passes(out), **_bits(out)}


def _bits(out: Path) -> dict[str, Score]:
    if not (out / "bits" / "part-00000.parquet").exists():
        return {}
    values: dict[str, dict[str, metrics.Amount]] = {}
    for row in pq.read_table(out / "bits").to_pylist():
        values.setdefault(f"{row['benchmark']} bits per byte", {})[row["name"]] = (row["bits"], row["bytes"])
    return {score: Score(texts, metrics.over_texts(list(texts.values())), True) for score, texts in values.items()}


def _passes(out: Path) -> dict[str, Score]:
    if not (out / "outcomes" / "part-00000.parquet").exists():
        return {}
    table = pq.read_table(out / "outcomes", columns=["benchmark", "task", "sample", "trial", "passed"])
    before: dict[tuple[str, str, int], bool] = {}
    values: dict[str, dict[str, list[bool]]] = {}
    for row in table.to_pylist():
        key = (row["benchmark"], row["task"], row["sample"])
        before[key] = before.get(key, True) and row["passed"]
        score = row["benchmark"] if row["trial"] == "pass" else f"{row['benchmark']} {row['trial']}"
        values.setdefault(score, {}).setdefault(row["task"], []).append(before[key])
    shares = {score: {task: sum(won) / len(won) for task, won in some.items()} for score, some in values.items()}
    return {
        score: Score({task: (share, 1.0) for task, share in some.items()}, metrics.over_tasks(list(some.values())))
        for score, some in shares.items()
    }


def _name(results: Results, out: Path | str) -> str:
    return str(results.model["name"]) if results.model else str(out)


def _same_data(read: Sequence[Results], outs: Sequence[Path | str]) -> None:
    known: dict[str, tuple[list[str], Path | str]] = {}
    for results, out in zip(read, outs, strict=True):
        for suite in results.benchmarks:
            files = sorted(file["sha256"] for file in suite["files"])
            other, where = known.setdefault(suite["benchmark"], (files, out))
            if files != other:
                raise InputError(
                    f"{suite['benchmark']} was evaluated on other files than in {where}", where=out,
                    remedy="evaluate both on the same files",
                )  # fmt: skip
