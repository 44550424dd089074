"""What a table's fingerprint depends on: what is computed of what, and never where anything is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import codemill as cm
from codemill import _core
from codemill.machine.identity import canonical, digest
from codemill.machine.planning import plan
from codemill.sources import Folder
from codemill.steps import chunks, clean, dedup, detect, ingest, known, quality, repos
from tests import graph_toys as graph
from tests import toys


@cm.step(version=1, reads=("size",), adds={"reason": pa.string()})
def told(documents: pa.RecordBatch, *, of: Mapping[str, Any]) -> pa.RecordBatch:
    """Takes parameters of any shape."""
    return pa.record_batch({"reason": pa.nulls(documents.num_rows, pa.string())})


@dataclass(frozen=True)
class Above:
    kind: str
    limit: int = 1


@dataclass(frozen=True)
class Below:
    kind: str
    limit: int = 1


@dataclass(frozen=True)
class Holder:
    source: Folder


def documents(*texts: str) -> cm.Table:
    return ingest.documents(sources=(toys.Literals(texts),))


def fingerprint(table: cm.Table) -> str:
    return plan({"out": table}, "/nowhere").nodes[-1].fingerprint


def test_a_source_in_a_parameter_of_any_shape_does_not_put_its_path_into_the_fingerprint(tmp_path: Path) -> None:
    def of(place: str, **more: Any) -> dict[str, Any]:
        source = Folder(str(tmp_path / place), label="code", **more)
        return {"a": source, "list": [source], "deep": {"held": Holder(source)}}

    for place in ("here", "there"):
        (tmp_path / place).mkdir()
    table = documents("a")
    assert fingerprint(told(table, of=of("here"))) == fingerprint(told(table, of=of("there")))
    assert fingerprint(told(table, of=of("here"))) != fingerprint(told(table, of=of("here", max_file_bytes=9)))
    assert str(tmp_path) not in str(canonical(of("here"), where="here"))


def test_dataclasses_whose_only_difference_is_their_type_do_not_collide_whatever_their_fields_are_called() -> None:
    above, below = Above("x"), Below("x")
    assert digest(above) != digest(below)
    assert digest(above) != digest({"kind": "x", "limit": 1})
    assert digest(above) != digest({"kind": "Above", "limit": 1})
    assert digest(above) == digest(Above("x"))
    with pytest.raises(cm.RecipeError, match="keys of a parameter must be strings"):
        canonical({"\0type": "Above", "kind": "x", "limit": 1}, where="here")
    table = documents("a")
    assert fingerprint(told(table, of={"rule": above})) != fingerprint(told(table, of={"rule": below}))


def test_a_raised_version_gives_another_fingerprint_to_a_table_and_to_all_above_it() -> None:
    table = documents("a")
    raised = dataclasses.replace(toys.length, version=2)
    assert fingerprint(raised(table)) != fingerprint(toys.length(table))
    assert fingerprint(toys.upper(raised(table))) != fingerprint(toys.upper(toys.length(table)))


@pytest.mark.parametrize("step", [detect.language, clean.headers, clean.redact, quality.measure], ids=lambda s: s.name)
def test_what_a_step_knows_is_part_of_its_fingerprint(step: cm.Step, monkeypatch: pytest.MonkeyPatch) -> None:
    table = documents("a")
    labelled = table if step is detect.language else detect.language(table)
    before, call = fingerprint(step(labelled)), step(labelled).call
    assert step.knows is not None
    knew = step.knows()
    monkeypatch.setitem(step.__dict__, "knows", lambda: [knew, "and more"])
    assert fingerprint(step(labelled)) != before
    with pytest.raises(cm.RecipeError, match="is not the same here as where the recipe was read"):
        call.check()  # as a worker that knows other tables would


SKETCH = {"bands": 4, "rows": 2, "ngram": 5, "unit": "word", "seed": 1}
SKETCHING = {
    dedup.band_keys: SKETCH,
    chunks.band_keys: {**SKETCH, "words": 64},
    repos.sketch: SKETCH,
    dedup.evidence: None,
    chunks.evidence: None,
    known.fold: None,
}
"""Steps that keep sketches or what is made of them, with the parameters of those that read documents as they are."""


@pytest.mark.parametrize("step", SKETCHING, ids=lambda step: step.name)
def test_sketches_of_an_older_kernel_are_not_used_again(step: cm.Step, monkeypatch: pytest.MonkeyPatch) -> None:
    def made() -> list[Any]:
        parameters = SKETCHING[step]
        fingerprints = [] if parameters is None else [fingerprint(step(documents("a"), **parameters))]
        return [step.identity(), *fingerprints]

    before = made()
    assert made() == before
    monkeypatch.setattr(_core, "SKETCH_VERSION", _core.SKETCH_VERSION + 1)
    assert all(new != old for new, old in zip(made(), before, strict=True))


@pytest.mark.parametrize("kind", ["layer", "exchange", "group", "folder"])
def test_a_changed_second_input_gives_another_fingerprint(kind: str) -> None:
    first = documents("a b", "c")

    def made(*texts: str) -> cm.Table:
        if kind == "exchange":
            return dedup.exact(first, documents(*texts))
        words = graph.words(documents(*texts))
        if kind == "layer":
            return graph.looked_up(first, graph.counted(words))
        step = graph.counted if kind == "group" else graph.trained
        return step(graph.words(first), words, **({"rounds": 1} if kind == "folder" else {}))

    assert fingerprint(made("d")) == fingerprint(made("d"))
    assert fingerprint(made("d")) != fingerprint(made("e"))


def test_the_order_and_the_number_of_inputs_are_part_of_the_fingerprint() -> None:
    one, two = graph.words(documents("a b")), graph.words(documents("c"))
    found = [fingerprint(graph.counted(*inputs)) for inputs in ((one, two), (two, one), (one,), (one, two, two))]
    assert len(set(found)) == 4
