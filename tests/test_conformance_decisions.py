"""Judging alone: with the reference's own signal values our rules decide as it does, on every file."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import codemill as cm
from codemill.recipes._refinecode_rules import REFINECODE_RULES
from codemill.rules import RuleBook
from codemill.steps import quality

SHARED = Path(os.environ.get("CODEMILL_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))
DATA = SHARED / "data" / "conformance"
pytestmark = pytest.mark.skipif(not (DATA / "signals.jsonl").exists(), reason="the conformance data are not here")


def always_dropping() -> RuleBook:
    """RefineCode's rules with chance taken out, as the data were made."""
    return RuleBook(
        tuple(
            dataclasses.replace(s, rules=tuple(dataclasses.replace(r, drop_probability=1.0) for r in s.rules))
            for s in REFINECODE_RULES.sets
        )
    )


def reference() -> tuple[list[dict[str, Any]], dict[str, str]]:
    names = {
        row["reference_name"]: row["our_name"]
        for row in csv.DictReader((SHARED / "facts/signals.csv").read_text().splitlines())
    }
    return [json.loads(line) for line in (DATA / "signals.jsonl").read_text().splitlines()], names


def decide(files: list[dict[str, Any]], columns: dict[str, list[float | None]]) -> list[set[str]]:
    batch = pa.record_batch(
        {
            "language": pa.array([file["program_lang"] for file in files]),
            "doc_type": pa.array([file["doc_type"] for file in files]),
            "natural_language": pa.nulls(len(files), pa.string()),
            **{name: pa.array(values, pa.float64()) for name, values in columns.items()},
        }
    )
    fired = quality.judge.function(batch, rules=always_dropping())["rules_fired"].to_pylist()
    return [{entry["signal"] for entry in entries or []} for entries in fired]


def test_with_the_reference_s_values_every_decision_and_hit_is_its_own() -> None:
    files, names = reference()
    values = [{names[k]: v for k, v in file["signals"].items()} for file in files]
    columns = {
        name: [None if (v := row.get(name)) is None else float(v) for row in values]
        for name in always_dropping().signals()
    }
    decided = decide(files, columns)
    expected = [{names[hit] for hit in file["hits"]} for file in files]
    wrong = [(f["path"], d ^ e) for f, d, e in zip(files, decided, expected, strict=True) if d != e]
    assert not wrong
    assert [not hits for hits in decided] == [bool(file["effective"]) for file in files]
    assert sum(not hits for hits in decided) not in (0, len(files))


def test_with_our_own_values_at_least_98_per_cent_of_decisions_are_its_own() -> None:
    known = {signal.name for signal in cm.signals.all()}
    if missing := set(REFINECODE_RULES.signals()) - known:
        pytest.skip(f"the core does not measure {len(missing)} signals yet")
    files, _ = reference()
    texts = [(DATA / file["path"]).read_bytes().decode() for file in files]
    measured = cm.measure(
        texts,
        language=[file["program_lang"] for file in files],
        doc_type=[file["doc_type"] for file in files],
        path=[file["file_name"] for file in files],
        size=[file["size_bytes"] for file in files],
    )
    decided = decide(files, {name: measured[name].to_pylist() for name in always_dropping().signals()})
    same = sum((not d) == bool(file["effective"]) for d, file in zip(decided, files, strict=True))
    assert same >= 0.98 * len(files), f"{same} of {len(files)}"
