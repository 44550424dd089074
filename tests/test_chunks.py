"""Near-copies of parts of documents: what is cut out, what is dropped, and that nothing else changes."""

from __future__ import annotations

import io
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import codemill as cm
from codemill import report
from codemill.machine import components
from codemill.machine.kinds import Exchange
from codemill.report.terminal.show import explain, explain_data, show, show_data
from codemill.steps import chunks, dedup, ingest
from tests import toys
from tests.killing import killed_and_resumed
from tests.test_fuzzy import edited, words
from tests.test_machine import ledger, published

SMALL: dict[str, Any] = {"level": "chunk", "chunk_words": 100, "bands": 32, "rows": 8, "at_least": 0.8}


def table(texts: list[str], **params: Any) -> cm.Table:
    source = {k: params.pop(k) for k in ("stars", "per_part", "per_batch", "label") if k in params}
    files = ingest.documents(sources=(toys.Literals(tuple(texts), **source),))
    return dedup.fuzzy(files, **{**SMALL, **params})


def build(texts: list[str], out: Path, *, workers: int = 1, **params: Any) -> list[dict[str, Any]]:
    cm.build(table(texts, **params), out=out, workers=workers)
    return sorted(ledger(out), key=lambda r: r["path"])


def corpus(out: Path) -> dict[str, str]:
    return {r["path"]: r["content"] for r in pq.read_table(out / "corpus").to_pylist()}


def block(seed: int, count: int = 100, *places: int) -> str:
    return " ".join(edited(words(seed, count), *places)) + " "


def counts(row: dict[str, Any]) -> tuple[int, int]:
    return row["chunks"]["total"], row["chunks"]["removed"]


def test_copied_chunks_are_cut_out_and_documents_of_which_none_is_left_are_dropped(tmp_path: Path) -> None:
    texts = [
        block(1) + block(2) + block(3),
        block(9) + block(2, 100, 50) + block(4, 50),  # one of three is copied, and edited
        block(1) + block(3),  # both are
        block(1),  # the only one is
        block(5) * 3,  # twice a copy of itself
        block(6),
    ]
    rows = build(texts, tmp_path, stars=(9, 8, 7, 6, 5, 4))
    kept = corpus(tmp_path)
    assert [r["verdict"] for r in rows] == ["kept", "kept", "dropped", "dropped", "kept", "kept"]
    assert [counts(r) for r in rows] == [(3, 0), (3, 1), (2, 2), (1, 1), (3, 2), (1, 0)]
    assert list(kept.values()) == [texts[0], block(9) + block(4, 50), block(5), texts[5]]
    removed = [r["chunks"]["bytes"] for r in rows]
    assert removed == [0, len(block(2, 100, 50)), len(texts[2]), len(texts[3]), 2 * len(block(5)), 0]
    for row in rows[2:4]:
        assert (row["step"], row["reason"]) == ("chunks.drop", "near_duplicate")
        assert (row["kept_id"], row["similarity"]) == (rows[0]["id"], 1.0)


def test_the_kept_id_has_most_chunks_and_the_similarity_is_the_least(tmp_path: Path) -> None:
    texts = [block(1), block(2) + block(3), block(1) + block(2, 100, 50) + block(3), block(2)]
    rows = build(texts, tmp_path, stars=(9, 8, 7, 6))
    assert [r["verdict"] for r in rows] == ["kept", "kept", "dropped", "dropped"]
    assert rows[2]["kept_id"] == rows[1]["id"]
    assert rows[2]["similarity"] == pytest.approx(91 / 101, abs=0.08)  # 96 shingles each, five of which are edited
    assert rows[3]["similarity"] == 1.0


def normal(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@pytest.mark.parametrize("seed", range(3))
def test_what_goes_is_what_a_dictionary_of_chunks_says(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    pool = [block(i) for i in range(30)]
    texts = ["".join(rng.choices(pool, k=rng.randrange(1, 7))) for _ in range(120)]
    texts = [text + (block(1000 + i, rng.randrange(5, 99)) if i % 3 else "") for i, text in enumerate(texts)]
    stars = tuple(rng.choice([None, 0, 1, 2]) for _ in texts)
    verify = ("none", "sketch", "exact")[seed]
    rows = build(texts, tmp_path, stars=stars, per_part=17, workers=2, verify=verify, bands=1, rows=64)
    cut = [[" ".join(normal(t)[i : i + 100]) for i in range(0, len(normal(t)), 100)] for t in texts]
    best: dict[str, tuple[Any, ...]] = {}
    for row, parts in zip(rows, cut, strict=True):
        number = int(row["path"][1:6])
        worse = -1 if stars[number] is None else stars[number]
        for at, chunk in enumerate(parts):
            best[chunk] = min(best.get(chunk, (9,)), (-worse, row["path"], row["id"], at))
    for row, parts in zip(rows, cut, strict=True):
        left = [chunk for at, chunk in enumerate(parts) if best[chunk][2:] == (row["id"], at)]
        assert counts(row) == (len(parts), len(parts) - len(left))
        assert row["verdict"] == ("kept" if left else "dropped")
        if left:
            assert normal(corpus(tmp_path)[row["path"]]) == normal(" ".join(left))
        else:
            owners = [best[chunk][2] for chunk in parts]
            most = Counter(owners).most_common(1)[0][1]
            assert row["kept_id"] == next(o for o in owners if owners.count(o) == most)


@pytest.mark.parametrize("verify", ["none", "sketch", "exact"])
def test_documents_of_one_chunk_are_treated_as_at_level_file(tmp_path: Path, verify: str) -> None:
    texts = [t for i in range(12) for t in (block(i, 90), block(i, 90, 5), block(i, 90) + "tail", "w" * (i + 1))]
    by_chunk = build(texts, tmp_path / "chunk", per_part=7, verify=verify)
    by_file = build(texts, tmp_path / "file", per_part=7, verify=verify, level="file", chunk_words=4096)
    for one, other in zip(by_chunk, by_file, strict=True):
        assert one["chunks"]["total"] == 1
        assert "chunks" not in other
        same = ("id", "verdict", "reason", "kept_id", "similarity")
        assert [one[n] for n in same] == [other[n] for n in same]
    assert sum(r["verdict"] == "dropped" for r in by_chunk) == 24
    assert corpus(tmp_path / "chunk") == corpus(tmp_path / "file")


def test_hostile_documents(tmp_path: Path) -> None:
    line = "".join(block(6, 1000) for _ in range(1600))[:8_000_000].rstrip()
    assert len(line) > 7_900_000
    texts = ["x", "()" * 5000, "\n" * 10_000, "漢字かな" * 500, "é " * 300, "💥" * 900, line, line + " end", "a b c d"]
    rows = build([*texts, "漢字かな" * 500], tmp_path, stars=tuple(range(10, 0, -1)))
    kept = corpus(tmp_path)
    alone = ["x", "()" * 5000, "\n" * 10_000, "a b c d"]
    assert [kept[f"f0000{i}.py"] for i in (0, 1, 2, 8)] == alone, "without a shingle: left to exact"
    assert kept["f00003.py"] == "漢字かな" * 25, "twenty equal chunks, of which the first stays"
    assert kept["f00005.py"] == "💥" * 100
    assert kept["f00006.py"].startswith(block(6, 100))
    rest = len(line.split()) % 100
    assert kept["f00006.py"].split() == words(6, 1000) + line.split()[-rest:], "the same ten chunks, and a rest"
    assert rows[7]["verdict"] == rows[9]["verdict"] == "dropped"
    assert rows[9]["kept_id"] == rows[3]["id"]


@pytest.mark.parametrize("verify", ["none", "sketch", "exact"])
@pytest.mark.parametrize("texts", [[], [""], ["x"], [block(1) + block(2), block(3), "x", "y"]])
def test_where_nothing_is_a_copy_nothing_changes(tmp_path: Path, texts: list[str], verify: str) -> None:
    rows = build(texts, tmp_path, verify=verify)
    assert [r["reason"] for r in rows] == ["empty" if not text else None for text in texts]
    assert list(corpus(tmp_path).values()) == [text for text in texts if text]


WORDS = st.text(st.sampled_from("ab_9é漢😀 \n(.\0\u0301"), max_size=400)


def shingles_see(text: str) -> int:
    """How many words a text has, by the definition in docs/near-duplicates.md."""
    count, inside = 0, False
    for character in text:
        word = character == "_" or (character.isascii() and character.isalnum()) or not character.isascii()
        count += word and (not inside or len(character.encode()) >= 3)
        inside = word
    return count


@settings(max_examples=200, deadline=None)
@given(st.lists(st.none() | WORDS, max_size=5), st.integers(1, 30), st.integers(1, 30), st.integers(0, 2))
def test_chunks_are_the_text(texts: list[str | None], size: int, least: int, start: int) -> None:
    least = min(least, size)
    content = pa.array(texts, pa.large_string()).slice(start)
    found, numbers = chunks.cut(content, words=size, ngram=least)
    pieces = found.to_pylist()
    for text, count in zip(content.to_pylist(), numbers, strict=True):
        mine, pieces = pieces[:count], pieces[count:]
        assert "".join(mine) == (text or "")
        assert (count == 0) == (text is None)
        seen = [shingles_see(piece) for piece in mine]
        assert all(n == size for n in seen[:-1])
        assert not seen[1:] or least <= seen[-1] < size + least
    assert not pieces


def test_nothing_depends_on_workers_or_on_how_the_input_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [block(i % 5) + block(i % 7 + 10, 100, i) + block(i, 60) for i in range(40)]
    one = build(texts, tmp_path / "one")
    build(texts, tmp_path / "two", workers=2)
    assert published(tmp_path / "one") == published(tmp_path / "two")
    small = build(texts, tmp_path / "small", per_part=3, per_batch=1)
    assert one == small
    assert corpus(tmp_path / "one") == corpus(tmp_path / "small")
    for exchanged in (chunks.cluster, chunks.elect, chunks.compare):
        monkeypatch.setitem(exchanged.how.__dict__, "bytes_per_key", 200 << 20)  # many partitions
    monkeypatch.setattr(components, "PAIR_BYTES", 1 << 40)  # and components in rounds
    build(texts, tmp_path / "many", workers=2)
    assert published(tmp_path / "one") == published(tmp_path / "many")
    removed = sum(r["chunks"]["removed"] for r in one)
    assert 60 < removed < 120
    assert not list((tmp_path / "many" / ".work").glob("chunks.cluster/work-*"))


def test_partitions_follow_from_chunks_not_from_documents() -> None:
    params = {"words": 4096, "bands": 16}
    assert isinstance(chunks.cluster.how, Exchange)
    assert isinstance(dedup.cluster.how, Exchange)
    assert chunks.cluster.how.keys_of(params, 1000, 8192 * 10**6) == 1000 + 10**6
    assert dedup.cluster.how.keys_of({}, 1000, 8192 * 10**6) == 1000


def test_the_books_and_the_guard_count_chunks(tmp_path: Path) -> None:
    texts = [block(1) + block(2), block(1) + block(3), block(1) + block(4), block(1)]
    with pytest.raises(cm.BuildError, match=r"near-duplicates are 43% of literals \(3 of 7 chunks\)"):
        build(texts, tmp_path / "no", most_lost=0.4)
    assert not (tmp_path / "no" / "ledger").exists()
    manifest = cm.build(table(texts, most_lost=0.5), out=tmp_path / "yes", workers=1)
    (entry,) = [s for s in manifest["steps"] if s["name"] == "chunks.drop"]
    assert (entry["rows_in"], entry["rows_out"], entry["parameters"]["level"]) == (4, 3, "chunk")
    assert entry["dropped"] == {"near_duplicate": {"rows": 1, "bytes": len(texts[3])}}


def test_a_document_with_more_chunks_than_a_node_has_room_for_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MOST_CHUNKS", 4)
    documents = pa.record_batch({"content": pa.array([block(1) * 6], pa.large_string())})
    sketch = {"bands": 2, "rows": 4, "ngram": 5, "unit": "word", "seed": 0}
    keyed = chunks.band_keys.function(documents, words=100, **sketch)
    assert isinstance(chunks.cluster.how, Exchange)
    assert chunks.cluster.how.emit is not None
    keys, rows = chunks.cluster.how.emit(keyed, np.array([7]))
    assert keys["chunk"].to_pylist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert rows.tolist() == [7] * 8
    crowded = pa.table({**{n: keys[n] for n in keys.schema.names}, "part": [0] * 8, "row": [1 << 26] * 8})
    with pytest.raises(cm.BuildError, match=r"more than 67,108,864 rows of a part"):
        chunks.cluster.function(crowded, words=100, bands=2)


def test_wrong_parameters_are_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(cm.RecipeError, match="at least 64 words, got 63"):
        table(["a"], chunk_words=63)
    with pytest.raises(cm.RecipeError, match="at least 80 words, got 70"):
        table(["a"], chunk_words=70, ngram=80)
    with pytest.raises(cm.RecipeError, match="no chunks at level 'file'"):
        table(["a"], level="file")
    with pytest.raises(cm.RecipeError, match="an index is of files, not of chunks"):
        table(["a"], index=True)


def test_the_plan_says_how_far_chunks_may_be_shifted() -> None:
    layers = table(["a"], chunk_words=4096, bands=16, rows=128).layers()
    (keyed,) = [layer for layer in layers if layer.step.name == "chunks.band_keys"]
    assert keyed.step.notes is not None
    first, *curve = keyed.step.notes(**keyed.params)
    assert first.startswith("chunks of 4,096 words")
    assert first.endswith("0.979 at k = 44")
    assert "16 bands x 128 rows" in curve[0]


def many() -> cm.Table:
    """Twenty parts of documents that share chunks across all of them."""
    texts = [block(i % 90) + block(i % 150 + 200, 100, i % 90) + block(1000 + i, 30) for i in range(400)]
    return table(texts, per_part=20)


@pytest.mark.slow
def test_killed_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    seen = ("band_keys/*.arrow", "cluster/work-*/*", "elect/*.arrow", "compare/work-*/*", "drop/*.arrow")
    killed_and_resumed("tests.test_chunks.many", [f"chunks.{files}" for files in seen], tmp_path)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """f00001 has lost its second chunk of three to f00000, f00002 both; f00003 is alone."""
    path = tmp_path_factory.mktemp("out")
    lines = ["\n".join(block(seed).split()) + "\n" for seed in range(9)]
    texts = [lines[0] + lines[1] + lines[2], lines[3] + lines[1] + lines[4], lines[2] + lines[0], lines[5]]
    cm.build(table(texts, stars=(9, 8, 7, 6)), out=path, workers=1, recipe={"name": "toy", "parameters": {}})
    return path


def test_explain_says_which_chunks_went_and_for_which(out: Path) -> None:
    (match,) = explain_data(out, "f00001.py")["matches"]
    assert match["verdict"] == "Kept: it passed every step, and lost 1 of its 3 chunks."
    (chunk,) = match["chunks"].pop("chunks")
    assert match["chunks"] == {"total": 3, "removed": 1, "bytes": len(block(1)), "why": None}
    assert (chunk["first_line"], chunk["last_line"], chunk["starts_with"]) == (101, 200, words(1)[0])
    assert (chunk["kept"], chunk["kept_chunk"], chunk["similarity"]) == ("toy/f00000.py", 2, 1.0)
    (dropped,) = explain_data(out, "f00002.py")["matches"]
    assert dropped["kept"]["path"] == "f00000.py"
    assert [c["kept_chunk"] for c in dropped["chunks"]["chunks"]] == [3, 1]
    assert dropped["comparison"]["alike"].startswith("of each of its chunks with one that is kept: ")
    (alone,) = explain_data(out, "f00003.py")["matches"]
    assert (alone["chunks"], alone["verdict"]) == (None, "Kept: it passed every step.")
    file = io.StringIO()
    Console(file=file, width=100).print(explain(out, "f00001.py"))
    assert "1 of 3 chunks cut out, 5" in file.getvalue()
    assert "kept instead: chunk 2 of toy/f00000.py  100 %" in file.getvalue()


def test_explain_says_when_chunks_are_not_known_any_more(out: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    shutil.rmtree(copy / ".work")
    (match,) = explain_data(copy, "f00001.py")["matches"]
    assert match["chunks"]["removed"] == 1
    assert match["chunks"]["why"] == "the working tables are gone (.work in the output folder)"


def test_the_report_says_how_many_chunks_went(out: Path) -> None:
    said = "3 of 9 chunks went: 2 with files of which none was left, 1 (578 B) out of 1 file of which others were left."
    assert show_data(out)["chunks"] == {"total": 9, "removed": 3, "documents": 1, "cut": 1, "bytes": 578}
    assert said in report.render(out)
    file = io.StringIO()
    Console(file=file, width=200).print(show(out))
    assert said in file.getvalue()
