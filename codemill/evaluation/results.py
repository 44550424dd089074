"""Results as files: results.json, outcomes as Parquet, samples for other harnesses, a manifest for the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from codemill.benchmarks.task import Task
from codemill.errors import InputError
from codemill.evaluation import samples
from codemill.evaluation.grading import Verdict
from codemill.evaluation.samples import Sample
from codemill.evaluation.surprise import Surprise

SCHEMA = pa.schema(
    [
        ("benchmark", pa.string()),
        ("task", pa.string()),
        ("language", pa.string()),
        ("sample", pa.int32()),
        ("trial", pa.string()),  # "base", "plus"; "pass" where there is one
        ("passed", pa.bool_()),
        ("verdict", pa.string()),
        ("detail", pa.string()),
        ("prompt", pa.large_string()),
        ("reply", pa.large_string()),  # as the model gave it
        ("answer", pa.large_string()),  # what was taken out of it
        ("whole", pa.bool_()),  # stands alone
        ("program", pa.large_string()),  # without tests
        ("output", pa.large_string()),
        ("tests_run", pa.int32()),
        ("cpu", pa.float64()),  # seconds
        ("wall", pa.float64()),
        ("memory", pa.int64()),  # bytes
        ("grading", pa.string()),
        ("toolchain", pa.string()),
    ]
)
"""Columns of OUT/outcomes."""


@dataclass(frozen=True)
class Results:
    """All that results.json says. `benchmarks` are plain data, one entry a suite."""

    model: Mapping[str, Any] | None
    settings: Mapping[str, Any]
    environment: Mapping[str, Any]
    benchmarks: tuple[Mapping[str, Any], ...]
    held_out: Mapping[str, Any] | None = None  # bits per byte

    @classmethod
    def read(cls, out: Path | str) -> Results:
        """Reads OUT/results.json. Raises: InputError if it is not there or is damaged."""
        place = Path(out) / "results.json"
        try:
            facts = json.loads(place.read_text("utf-8"))
            suites = tuple(facts["benchmarks"])
            return cls(facts["model"], facts["settings"], facts["environment"], suites, facts["held_out"])
        except FileNotFoundError as error:
            raise InputError("no evaluation here", where=out, remedy="give the --out of `codemill evaluate`") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"the results cannot be read: {error!r}", where=place) from error


BITS = pa.schema(
    [
        ("benchmark", pa.string()),
        ("name", pa.string()),
        ("group", pa.string()),
        ("bits", pa.float64()),
        ("bytes", pa.int64()),
    ]
)
"""Columns of OUT/bits."""

Judged = tuple[str, Mapping[str, Task], list[Verdict]]
"""A suite's name, its tasks, and the verdicts of its samples."""


def publish(
    results: Results, verdicts: Sequence[Judged], exported: Mapping[str, list[Sample]],
    measured: Sequence[tuple[str, Surprise]], out: Path, *, seconds: float,
) -> None:  # fmt: skip
    """Writes OUT, the manifest last."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "manifest.json").unlink(missing_ok=True)
    tables = {
        "outcomes": ([_row(name, tasks, one) for name, tasks, judged in verdicts for one in judged], SCHEMA),
        "bits": ([{"benchmark": name, **asdict(one)} for name, one in measured], BITS),
    }
    files = {}
    for name, (rows, schema) in tables.items():
        place = out / name / "part-00000.parquet"
        place.unlink(missing_ok=True)
        if rows:
            place.parent.mkdir(exist_ok=True)
            pq.write_table(pa.Table.from_pylist(rows, schema), place, compression="zstd")
            files[name] = {place.name: {"rows": len(rows), "bytes": place.stat().st_size}}
    for old in (out / "samples").glob("*.jsonl"):
        old.unlink()
    for name, given in exported.items():
        (out / "samples").mkdir(exist_ok=True)
        samples.write(out / "samples" / f"{name.replace(':', '-')}.jsonl", given)
    _write(out / "results.json", asdict(results))
    nothing = {"rows": 0, "bytes": 0}
    _write(
        out / "manifest.json",
        {
            "codemill": results.environment["codemill"],
            "recipe": {"name": "evaluate", "parameters": {}},
            "inputs": [],
            "steps": [],
            "outputs": {name: {"chain": []} for name in files} or {"outcomes": {"chain": []}},
            "files": files,
            "ingested": nothing,
            "kept": nothing,
            "dropped": nothing,
            "seconds": round(seconds, 3),
        },
    )


def _row(name: str, tasks: Mapping[str, Task], one: Verdict) -> dict[str, Any]:
    outcome, sample = one.outcome, one.sample
    texts = {"prompt": sample.prompt, "reply": sample.reply, "answer": sample.answer.text, "program": one.program,
             "detail": outcome.detail, "output": outcome.output}  # fmt: skip
    return {
        "benchmark": name,
        "task": sample.task,
        "language": tasks[sample.task].language,
        "sample": sample.number,
        "trial": one.trial,
        "passed": one.passed,
        "whole": sample.answer.whole,
        **{key: text.encode("utf-8", "replace").decode() for key, text in texts.items()},
        **{field: getattr(outcome, field) for field in ("verdict", "tests_run", "cpu", "wall")},
        **{field: getattr(outcome, field) for field in ("memory", "grading", "toolchain")},
    }


def _write(place: Path, facts: Any) -> None:
    part = place.with_name(f".{place.name}.part")
    part.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    part.replace(place)
