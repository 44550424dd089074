"""New documents held against earlier corpora, exactly and nearly."""

from __future__ import annotations

import io
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

import codemill as cm
from codemill import near
from codemill.document import INDEX
from codemill.machine import exchange as exchange_module
from codemill.machine.kinds import Exchange
from codemill.machine.planning import plan
from codemill.recipes.refinecode import refinecode
from codemill.report.terminal.show import explain, explain_data
from codemill.run import Run
from codemill.sources import Folder, Published
from codemill.steps import dedup, ingest, known
from tests import toys
from tests.test_fuzzy import edited, words
from tests.test_machine import ledger, published

BANDS: dict[str, Any] = {"bands": 32, "rows": 8, "at_least": 0.8}


def text(seed: int, *places: int) -> str:
    return " ".join(edited(words(seed), *places))


def opened(out: Path) -> cm.Table:
    return ingest.published(source=Published(str(out)))


def build(
    texts: list[str],
    out: Path,
    *,
    against: Sequence[Path | cm.Table] = (),
    workers: int = 1,
    memory: int | None = None,
    **params: Any,
) -> Path:
    source = {k: params.pop(k) for k in ("stars", "per_part", "label") if k in params}
    files = ingest.documents(sources=(toys.Literals(tuple(texts), **source),))
    earlier = [opened(run) if isinstance(run, Path) else run for run in against]
    table = dedup.fuzzy(dedup.exact(files, *earlier), *earlier, **{**BANDS, **params})
    outputs: dict[str, cm.Table | cm.Output] = {"corpus": table, "ledger": cm.ledger(table)}
    if earlier or params.get("index"):
        outputs["index"] = cm.Output(table, columns=INDEX)
    cm.build(outputs, out=out, workers=workers, memory=memory)
    return out


def rows(out: Path) -> list[dict[str, Any]]:
    return sorted(ledger(out), key=lambda r: r["path"])


def ids(out: Path) -> dict[str, str]:
    return {r["path"]: r["id"] for r in rows(out)}


EARLIER = [text(1), text(2), text(3), "too short"]
LATER = [
    text(4),  # new
    text(2),  # there already
    text(3, 100),  # nearly there
    text(4, 7),  # nearly the first of these
    text(5),  # new
    "too short",  # there already
    "also short",
]


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(EARLIER, tmp_path_factory.mktemp("earlier"), index=True, label="earlier")


def test_what_an_earlier_corpus_has_is_dropped_and_says_for_which(earlier: Path, tmp_path: Path) -> None:
    before = published(earlier)
    # More stars do not help: what is there already stays there.
    build(LATER, tmp_path, against=[earlier], stars=(9, 9, 9, 8, 9, 9, 9))
    found = rows(tmp_path)
    theirs, mine = ids(earlier), ids(tmp_path)
    said = [(r["step"], r["reason"], r["kept_id"]) for r in found]
    assert said == [
        (None, None, None),
        ("dedup.exact", "duplicate", theirs["f00001.py"]),
        ("known.drop", "near_duplicate", theirs["f00002.py"]),
        ("dedup.drop", "near_duplicate", mine["f00000.py"]),
        (None, None, None),
        ("dedup.exact", "duplicate", theirs["f00003.py"]),
        (None, None, None),
    ]
    assert found[2]["similarity"] == pytest.approx(391 / 401, abs=0.04)
    assert published(earlier) == before


def test_two_runs_keep_what_one_would(earlier: Path, tmp_path: Path) -> None:
    both = build([*EARLIER, *LATER], tmp_path / "both", stars=tuple(range(20, 20 - len(EARLIER) - len(LATER), -1)))
    stars = tuple(range(20 - len(EARLIER), 20 - len(EARLIER) - len(LATER), -1))
    second = build(LATER, tmp_path / "second", against=[earlier], stars=stars)
    kept = [set(pq.read_table(out / "corpus")["content"].to_pylist()) for out in (both, earlier, second)]
    assert kept[0] == kept[1] | kept[2]
    assert not kept[1] & kept[2]


def test_an_index_has_what_was_kept_and_a_later_run_is_held_against_both(earlier: Path, tmp_path: Path) -> None:
    second = build(LATER, tmp_path / "second", against=[earlier])
    table = pq.read_table(second / "index")
    assert table.column_names == ["id", "content_sha256", "band_keys", "sketch_bits"]
    assert table["id"].to_pylist() == pq.read_table(second / "corpus")["id"].to_pylist()
    assert table["sketch_bits"].null_count == table["band_keys"].null_count == 0, "the short one has them too"
    against = (earlier, second)
    third = build([text(1, 3), text(5, 3), text(6)], tmp_path / "third", against=against, label="third")
    kept_ids = [r["kept_id"] for r in rows(third)]
    assert kept_ids == [ids(earlier)["f00000.py"], ids(second)["f00004.py"], None]


def test_no_index_is_published_unless_asked_for(tmp_path: Path) -> None:
    build(EARLIER, tmp_path, index=True)
    assert list((tmp_path / "index").iterdir())
    build(EARLIER, tmp_path)
    assert not list((tmp_path / "index").glob("*")), "that of another result may not stay"
    with pytest.raises(cm.RecipeError, match="has no index for near-copies"):
        build(LATER, tmp_path / "later", against=[tmp_path])


def test_exact_copies_need_no_index(tmp_path: Path) -> None:
    build(EARLIER, tmp_path / "plain")
    files = ingest.documents(sources=(toys.Literals(tuple(LATER)),))
    cm.build(dedup.exact(files, opened(tmp_path / "plain")), out=tmp_path / "out", workers=1)
    assert [r["reason"] for r in rows(tmp_path / "out")] == [None, "duplicate", None, None, None, "duplicate", None]


def test_bytes_do_not_depend_on_workers_memory_or_parts_of_the_index(tmp_path: Path) -> None:
    rng = random.Random(0)
    old = [text(i) for i in range(40)]
    new = [text(rng.randrange(60), rng.randrange(390)) for _ in range(60)]
    a = build(old, tmp_path / "a", index=True, per_part=3, label="old")
    b = build(old, tmp_path / "b", index=True, per_part=40, label="old")
    one = build(new, tmp_path / "one", against=[a])
    two = build(new, tmp_path / "two", against=[a], workers=2)
    whole = build(new, tmp_path / "whole", against=[b])
    assert published(one) == published(two) == published(whole)
    assert any(r["step"] == "known.drop" for r in rows(one))
    keys = sorted((tmp_path / "one" / "index").iterdir())
    assert [p.read_bytes() for p in keys] == [(tmp_path / "two" / "index" / p.name).read_bytes() for p in keys]


def test_partitions_change_nothing(earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = build(LATER, tmp_path / "few", against=[earlier])
    cut = []
    for step in (known.meet, known.drop, dedup.exact):
        monkeypatch.setitem(step.how.__dict__, "bytes_per_key", 200 << 20)

    def watched(*arguments: Any) -> list[Any]:
        made = usual(*arguments)
        cut.append(arguments[-1].at("partitions.json").read_json())
        return made

    usual = exchange_module.exchange
    monkeypatch.setattr("codemill.machine.builder.exchange", watched)
    many = build(LATER, tmp_path / "many", against=[earlier])
    assert published(few) == published(many)
    assert max(cut) > 1


def test_the_identity_of_a_run_is_that_of_what_is_in_the_index(earlier: Path, tmp_path: Path) -> None:
    def fingerprint(index: Path) -> str:
        files = ingest.documents(sources=(toys.Literals(tuple(LATER)),))
        return plan(dedup.fuzzy(files, opened(index), **BANDS), tmp_path / "out").fingerprint

    same = build(EARLIER, tmp_path / "same", index=True, label="earlier")
    other = build([*EARLIER, text(4)], tmp_path / "other", index=True, label="earlier")
    assert fingerprint(same) == fingerprint(earlier), "where it is does not count"
    assert fingerprint(other) != fingerprint(earlier)


def test_without_verification_whatever_shares_a_band_goes(earlier: Path, tmp_path: Path) -> None:
    build([text(1, 5), text(9)], tmp_path, against=[earlier], verify="none")
    first, second = rows(tmp_path)
    assert (first["reason"], first["kept_id"], first["similarity"]) == (
        "near_duplicate",
        ids(earlier)["f00000.py"],
        None,
    )
    assert second["verdict"] == "kept"


def test_indexes_that_cannot_be_used_are_told(earlier: Path, tmp_path: Path) -> None:
    with pytest.raises(cm.InputError, match=r"no finished run.*--out folder"):
        Published(str(tmp_path))
    (tmp_path / "manifest.json").write_text('{"name": "of another program"}')
    with pytest.raises(cm.InputError, match="no finished run"):
        Published(str(tmp_path))
    index = opened(earlier)
    files = ingest.documents(sources=(toys.Literals(tuple(LATER)),))
    with pytest.raises(cm.RecipeError, match="the index has sketches with bands=32, this run has 16"):
        dedup.fuzzy(files, index)
    with pytest.raises(cm.RecipeError, match="the index has sketches with seed=0, this run has 1"):
        dedup.fuzzy(files, index, seed=1, **BANDS)
    with pytest.raises(cm.RecipeError, match="not of repositories"):
        dedup.fuzzy(files, index, level="repo", **BANDS)
    with pytest.raises(cm.RecipeError, match="sketches, no shingles"):
        dedup.fuzzy(files, index, verify="exact", **BANDS)
    with pytest.raises(cm.RecipeError, match="takes tables as positional arguments, got str"):
        dedup.exact(files, str(earlier))  # type: ignore[arg-type]
    with pytest.raises(cm.RecipeError, match="choose another --out"):
        plan(dedup.exact(files, index), earlier)


def test_an_index_that_was_damaged_is_told(tmp_path: Path) -> None:
    out = build(EARLIER, tmp_path / "earlier", index=True)
    index = opened(out)
    part = out / "index" / "part-00000.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[: len(whole) // 2] + bytes(8) + whole[len(whole) // 2 + 8 :])
    with pytest.raises(cm.InputError, match="cannot be read"):
        build(LATER, tmp_path / "later", against=[index])
    assert part.exists(), "a file of another run is never removed"
    part.write_bytes(whole[:-1])
    with pytest.raises(cm.InputError, match=r"cannot be read.*part-00000.*run that again"):
        build(LATER, tmp_path / "later", against=[index])
    assert part.read_bytes() == whole[:-1]
    with pytest.raises(cm.InputError, match=r"missing or changed.*part-00000"):
        Published(str(out))


def test_one_bit_of_each_value_tells_the_similarity() -> None:
    base = words(1, 2000)
    texts = [" ".join(edited(base, *range(0, 10 * n, 10))) for n in (0, 1, 5, 10, 20, 40, 100, 200)] + [text(2)]
    content = pa.array([*texts, None, "short"], pa.large_string())
    made = {"hashes": 2048, "ngram": 5, "unit": "word", "seed": 0}
    bits = known.bits_of(content, **made)
    assert bits.is_null().to_pylist() == [False] * 9 + [True, False]  # a text of one word is a shingle of its own
    first = bits.take(pa.array([0] * 9))
    told = known.alike(first, bits.slice(0, 9), hashes=2048)
    sets = [near_set(t) for t in texts]
    exact = np.array([len(sets[0] & s) / len(sets[0] | s) for s in sets])
    errors = np.sqrt((1 - exact**2) / 2048)
    assert told[0] == 1
    assert np.all(np.abs(told - exact) <= 4 * errors), (told, exact)


def near_set(text: str) -> set[tuple[str, ...]]:
    found = text.split(" ")
    return {tuple(found[i : i + 5]) for i in range(len(found) - 4)}


def test_sketches_of_other_sizes_and_slices() -> None:
    content = pa.array([text(1), text(2), None, text(1)], pa.large_string())
    made: dict[str, Any] = {"hashes": 100, "ngram": 5, "unit": "word", "seed": 0}
    bits = known.bits_of(content, **made)
    assert len(bits[0].as_py()) == 13
    assert known.bits_of(content.slice(1), **made).equals(bits.slice(1))
    assert known.bits_of(content.slice(0, 0), **made).equals(bits.slice(0, 0))
    assert known.alike(bits.slice(0, 1), bits.slice(3, 1), hashes=100).tolist() == [1.0]
    assert near.sketch([text(1)], hashes=100).null_count == 0


def test_a_band_that_thousands_share_offers_a_few_candidates() -> None:
    count = 3000
    numbers = pa.array([bytes([i >> 8, i & 255] * 8) for i in range(count)], pa.binary(16))
    keys = pa.table(
        {
            "band_key": pa.array([7] * (2 * count), pa.uint64()),
            "indexed_id": pa.concat_arrays([numbers, pa.nulls(count, pa.binary(16))]),
            "part": pa.array([-1] * count + [0] * count, pa.int32()),
            "row": pa.array([0] * count + list(range(count)), pa.int32()),
        }
    )
    found = known.meet.function(keys, bands=1)
    assert found.num_rows == count * known.CANDIDATES
    assert isinstance(known.meet.how, Exchange)
    assert known.meet.how.merge is not None
    settled = known.meet.how.merge(found)
    assert settled.num_rows == count
    assert set(settled["candidates"].to_pylist()) == {b"".join(numbers[: known.CANDIDATES].to_pylist())}


def test_the_manifest_says_what_was_held_against_what(earlier: Path, tmp_path: Path) -> None:
    build(LATER, tmp_path, against=[earlier])
    manifest = Run.open(tmp_path).manifest
    steps = manifest["tables"]
    (entry,) = [s for s in steps if s["name"] == "known.drop"]
    held = [steps[number] for number in entry["inputs"][1:]]
    assert [(one["name"], one["kind"], one["parameters"]["source"]["path"]) for one in held] == [
        ("ingest.published", "opened", str(earlier))
    ]
    assert entry["dropped"]["near_duplicate"]["rows"] == 1
    assert sum(r["rows"] for r in manifest["files"]["index"].values()) == manifest["kept"]["rows"]


def test_the_recipe_takes_an_earlier_run(tmp_path: Path) -> None:
    def run(day: str, files: dict[str, str], **params: Any) -> dict[str, str | None]:
        (tmp_path / day / "repo").mkdir(parents=True)
        for name, content in files.items():
            (tmp_path / day / "repo" / name).write_text(content)
        table = refinecode((Folder(str(tmp_path / day)),), rules="none", **params)
        cm.build(table, out=tmp_path / f"{day}-out", workers=1)
        return {r["path"]: r["reason"] for r in rows(tmp_path / f"{day}-out")}

    program = "\n".join(f"def f{i}(a, b):\n    return a * {i} + b" for i in range(300))
    assert run("monday", {"a.py": program}, index=True) == {"a.py": None}
    later = {"b.py": program, "c.py": f"{program}\n# the end\n", "d.py": program.replace("f", "other_")}
    found = run("tuesday", later, against=(str(tmp_path / "monday-out"),))
    assert found == {"b.py": "duplicate", "c.py": "near_duplicate", "d.py": None}


def explained(out: Path, query: str) -> dict[str, Any]:
    data = explain_data(out, query)
    assert json.loads(json.dumps(data)) == data
    (match,) = data["matches"]
    return dict(match)


def test_explain_knows_a_copy_of_an_earlier_corpus(earlier: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(earlier, index)
    again = [LATER[0], LATER[1], LATER[2], LATER[3]]
    build(again, tmp_path / "out", against=[index], stars=(9, 9, 9, 8))
    exact, near, own = (explained(tmp_path / "out", f"f0000{i}.py") for i in (1, 2, 3))
    assert exact["verdict"].endswith(f"Kept instead: toy/f00001.py, in the earlier corpus {index}.")
    assert (near["kept"]["path"], near["kept_in"]) == ("f00002.py", str(index))
    assert near["comparison"]["preferred"] == "it was there before"
    assert [row["kind"] for row in near["comparison"]["diff"]["rows"]] == ["changed"], "a text of one line"
    assert (own["kept"]["path"], own["kept_in"]) == ("f00000.py", None)
    file = io.StringIO()
    Console(file=file, width=400).print(explain(tmp_path / "out", "f00002.py"))
    assert f"in the earlier corpus {index}" in file.getvalue()
    shutil.rmtree(index / "corpus")
    assert "earlier corpus is gone" in explained(tmp_path / "out", "f00002.py")["comparison"]["why"]
    shutil.rmtree(index / "ledger")
    less = explained(tmp_path / "out", "f00002.py")
    assert (less["kept"], less["kept_in"], less["comparison"]) == (None, str(index), None)
    assert less["verdict"].endswith(
        f"in the earlier corpus {index} (its ledger is gone, so no more than the id is known)."
    )
    shutil.rmtree(index)
    none = explained(tmp_path / "out", "f00002.py")
    assert "is not in the ledger, nor found in the earlier corpora (" in none["verdict"]
    assert f"{index}: there is no finished run" in none["verdict"]


def test_explain_of_a_document_that_comes_again(earlier: Path, tmp_path: Path) -> None:
    build(EARLIER, tmp_path, against=[earlier], label="earlier")
    match = explained(tmp_path, "f00001.py")
    assert match["kept"]["id"] == match["ledger"]["id"]
    assert match["verdict"].endswith(f"Kept instead: toy/f00001.py, in the earlier corpus {earlier}.")
