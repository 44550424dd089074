"""Near-duplicates through the machine: who is kept, who is dropped and how similar, chains, verification, guards."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.machine import components
from codemill.machine.kinds import Exchange
from codemill.steps import _evidence, dedup, ingest
from tests import toys
from tests.killing import killed_and_resumed
from tests.test_machine import ledger, published


def words(seed: int, count: int = 400) -> list[str]:
    """A text of its own, the same for a seed on every machine."""
    rng = random.Random(seed)
    return [f"w{rng.randrange(5000)}" for _ in range(count)]


def edited(text: list[str], *places: int) -> list[str]:
    """A copy with single words replaced: each touches five shingles."""
    return ["edited" + str(i) if i in places else w for i, w in enumerate(text)]


def build(texts: list[list[str]], out: Path, **params: Any) -> list[dict[str, Any]]:
    source = {k: params.pop(k) for k in ("stars", "per_part") if k in params}
    workers = params.pop("workers", 1)
    files = ingest.documents(sources=(toys.Literals(tuple(" ".join(t) for t in texts), **source),))
    cm.build(dedup.fuzzy(files, **params), out=out, workers=workers)
    return sorted(ledger(out), key=lambda r: r["path"])


def test_the_copy_with_most_stars_is_kept_and_the_ledger_says_how_similar(tmp_path: Path) -> None:
    text = words(1, 4000)
    rows = build([text, edited(text, 7), words(2), edited(text, 3900)], tmp_path, stars=(1, 9, 5, None))
    by_path = {r["path"]: r for r in rows}
    assert [r["verdict"] for r in rows] == ["dropped", "kept", "kept", "dropped"]
    kept = by_path["f00001.py"]
    for path, exact in (("f00000.py", 0.9975), ("f00003.py", 0.995)):
        row = by_path[path]
        assert (row["step"], row["reason"], row["kept_id"]) == ("dedup.drop", "near_duplicate", kept["id"])
        assert row["similarity"] == pytest.approx(exact, abs=0.006)


def test_exact_verification_measures_jaccard(tmp_path: Path) -> None:
    text = words(1, 4000)
    rows = build([text, edited(text, 7)], tmp_path, stars=(2, 1), verify="exact")
    # 3,996 shingles each; one edited word changes five: 3,991 of 4,001 are shared.
    assert rows[1]["similarity"] == pytest.approx(3991 / 4001, abs=1e-4)


@pytest.mark.parametrize("verify", ["sketch", "exact"])
def test_comparing_a_little_at_a_time_changes_nothing(verify: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [" ".join(edited(words(i % 3), 9 * (i // 3))) for i in range(12)] + [";"]
    content = pa.array(texts, pa.large_string())
    made = _evidence.evidence_of(content, verify=verify, hashes=64, ngram=5, unit="word", seed=0)
    table = pa.table(
        {
            "cluster": pa.array([i % 3 for i in range(13)], pa.uint64()),
            "is_keeper": [i < 3 for i in range(13)],
            "evidence": made,
            "part": pa.array([0] * 13, pa.int32()),
            "row": pa.array(range(13), pa.int32()),
        }
    )
    pieces = [table.slice(8), table.slice(0, 5), table.slice(5, 3)]
    whole = dedup.compare.function(pieces, verify=verify)
    monkeypatch.setattr(_evidence, "HELD_BYTES", 100)
    little = dedup.compare.function([table.slice(i, 1) for i in range(13)], verify=verify)
    assert little.sort_by("row").equals(whole.sort_by("row"))
    assert whole.num_rows == 10
    similarity = dict(zip(whole["row"].to_pylist(), whole["keeper_similarity"].to_pylist(), strict=True))
    assert similarity[12] is None, "what has no word has no similarity"
    assert min(v for v in similarity.values() if v is not None) > 0.5


def chain(length: int) -> list[list[str]]:
    """Each a small edit away from the one before, the last far from the first."""
    texts = [words(3, 1000)]
    for i in range(1, length):
        texts.append(edited(texts[-1], 17 * i))
    return texts


def test_a_chain_is_merged_without_verification_and_cut_with_it(tmp_path: Path) -> None:
    stars = tuple(range(100, 60, -1))
    merged = build(chain(40), tmp_path / "none", stars=stars, verify="none", bands=64, rows=8)
    assert [r["verdict"] for r in merged] == ["kept"] + ["dropped"] * 39
    cut = build(chain(40), tmp_path / "exact", stars=stars, verify="exact", at_least=0.9, bands=64, rows=8)
    dropped = [r for r in cut if r["verdict"] == "dropped"]
    assert 8 <= len(dropped) < 15
    assert min(r["similarity"] for r in dropped) >= 0.9
    assert max(int(r["path"][1:6]) for r in dropped) == len(dropped), "the nearest of the chain are the ones dropped"


def test_clusters_do_not_depend_on_workers_or_on_how_the_input_is_cut(tmp_path: Path) -> None:
    texts = [t for i in range(12) for t in (words(i), edited(words(i), 5), [*words(i), "tail"])]
    one = build(texts, tmp_path / "one", workers=1, bands=32, rows=8, at_least=0.8)
    two = build(texts, tmp_path / "two", workers=2, bands=32, rows=8, at_least=0.8)
    assert published(tmp_path / "one") == published(tmp_path / "two")
    small = build(texts, tmp_path / "small", per_part=5, bands=32, rows=8, at_least=0.8)
    assert one == two == small
    assert sum(r["verdict"] == "kept" for r in one) == 12


def test_documents_without_words_are_left_alone(tmp_path: Path) -> None:
    rows = build([["{}"], ["{}"], ["one", "two"], ["one", "two"], ["one", "three"]], tmp_path)
    assert [r["verdict"] for r in rows] == ["kept", "kept", "kept", "dropped", "kept"]


def test_a_bucket_of_identical_sketches_is_linear(tmp_path: Path) -> None:
    text = words(4, 30)
    rows = build([text] * 3000, tmp_path, per_part=500)
    assert sum(r["verdict"] == "kept" for r in rows) == 1
    assert {r["kept_id"] for r in rows if r["verdict"] == "dropped"} == {
        r["id"] for r in rows if r["verdict"] == "kept"
    }


def test_the_guard_counts_what_verification_lets_go(tmp_path: Path) -> None:
    # A chain whose members share bands, of which only some are near the one that is kept.
    params: dict[str, Any] = {"stars": tuple(range(100, 60, -1)), "verify": "exact", "bands": 64, "rows": 8}
    rows = build(chain(40), tmp_path / "calm", at_least=0.9, most_lost=0.5, **params)
    assert 0 < sum(r["verdict"] == "dropped" for r in rows) <= 20
    with pytest.raises(cm.BuildError, match="near-duplicates are"):
        build(chain(40), tmp_path / "stopped", at_least=0.5, most_lost=0.5, **params)


def test_the_guard_stops_before_anything_is_dropped(tmp_path: Path) -> None:
    text = words(5)
    with pytest.raises(cm.BuildError, match=r"near-duplicates are 75% of literals \(3 of 4 files\)"):
        build([text] * 4, tmp_path, most_lost=0.5)
    assert not (tmp_path / "ledger").exists()


def test_wrong_parameters_are_told_before_any_work() -> None:
    files = ingest.documents(sources=(toys.Literals(("a",)),))
    with pytest.raises(cm.RecipeError, match="did you mean exact"):
        dedup.fuzzy(files, verify="exat")
    with pytest.raises(cm.RecipeError, match="bands must be at least 1"):
        dedup.fuzzy(files, bands=0)
    with pytest.raises(cm.RecipeError, match="did you mean word"):
        dedup.fuzzy(files, unit="words")


def test_the_corpus_keeps_what_is_not_a_near_copy(tmp_path: Path) -> None:
    build([words(i) for i in range(30)], tmp_path)
    assert pq.read_table(tmp_path / "corpus").num_rows == 30


def test_a_bucket_of_200_000_members_has_as_many_edges_not_their_square() -> None:
    members = 200_000
    keys = pa.table(
        {
            "band_key": pa.array(np.full(members, 7, dtype=np.uint64)),
            "part": pa.array(np.arange(members, dtype=np.int32) // 1000),
            "row": pa.array(np.arange(members, dtype=np.int32) % 1000),
        }
    )
    edges = dedup.cluster.function(keys)
    assert edges.num_rows == members - 1
    assert edges["b"].unique().to_pylist() == [0], "all are linked to one of them"
    assert isinstance(dedup.cluster.how, Exchange)
    assert dedup.cluster.how.gather is not None
    clusters = dedup.cluster.how.gather(iter([components.at_once(iter([edges]))]))
    assert (clusters.num_rows, len(clusters["cluster"].unique())) == (members, 1)


def test_components_do_not_depend_on_how_edges_are_folded() -> None:
    # Three chains of 700,000 whose links are scattered over 40 tables: edges are folded several times on the way.
    nodes = np.arange(2_100_000, dtype=np.uint64)
    order = np.random.default_rng(0).permutation(len(nodes) - 3)
    tables = [
        pa.table({"a": pa.array(nodes[piece]), "b": pa.array(nodes[piece] + np.uint64(3))})
        for piece in np.array_split(order, 40)
    ]
    labels = components.at_once(iter(tables))
    assert labels.num_rows == len(nodes)
    numbers = labels["b"].to_numpy()
    assert len(np.unique(numbers)) == 3
    assert all(len(np.unique(numbers[i::3])) == 1 for i in range(3))


def test_a_document_of_8_mb_on_one_line_and_one_without_words(tmp_path: Path) -> None:
    line = words(6, 1000) * 1600
    assert 7_900_000 < len(" ".join(line)) < 10_000_000
    line = line[: len(line) * 8_000_000 // len(" ".join(line)) - 10]
    rows = build([line, line[:-1], ["()" * 1000]], tmp_path, stars=(3, 2, 1))
    assert [r["verdict"] for r in rows] == ["kept", "dropped", "kept"]


def many() -> cm.Table:
    """Twenty parts with near-copies across all of them."""
    texts = tuple(" ".join(edited(words(i % 150), i % 390)) for i in range(600))
    files = ingest.documents(sources=(toys.Literals(texts, per_part=30),))
    return dedup.fuzzy(files, bands=32, rows=8, at_least=0.8)


@pytest.mark.slow
def test_killed_while_clustering_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    seen = ("band_keys/*.arrow", "cluster/work-*/*", "cluster/*.arrow", "elect/*.arrow", "compare/work-*/*")
    killed_and_resumed("tests.test_fuzzy.many", [f"dedup.{files}" for files in seen], tmp_path)
