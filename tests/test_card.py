"""The dataset card: read by YAML, by `datasets`, DuckDB and Polars; text of strangers stays text."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml

import codemill as cm
from codemill import report
from codemill.machine.store import ROW_GROUP_BYTES
from codemill.recipes import quickstart
from codemill.report import card
from codemill.run import Run
from codemill.sources import Folder
from codemill.steps import ingest
from tests.report_fixture import row_of, write_ledger, write_out


def head_of(out: Path) -> dict[str, Any]:
    before, head, _ = (out / "README.md").read_text("utf-8").split("---\n", 2)
    assert not before
    return dict(yaml.safe_load(head))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write_out(tmp_path_factory.mktemp("card"), rows=600)
    report.write(made)
    return made


def test_the_head_says_what_the_hub_wants(out: Path) -> None:
    head = head_of(out)
    assert head["configs"] == [
        {"config_name": "corpus", "default": True, "data_files": [{"split": "train", "path": "corpus/part-*.parquet"}]},
        {"config_name": "ledger", "data_files": [{"split": "train", "path": "ledger/part-*.parquet"}]},
    ]
    assert (head["license"], head["language"], head["size_categories"]) == (["unknown"], ["code"], ["n<1K"])
    assert head["task_categories"] == ["text-generation"]


def test_the_text_accounts_for_every_file(out: Path) -> None:
    manifest, text = json.loads((out / "manifest.json").read_text()), (out / "README.md").read_text("utf-8")
    kept = manifest["kept"]["rows"]
    assert f"{kept} of 600 files were kept" in text
    assert "| dedup.exact | duplicate: a byte-for-byte copy of a file that was kept |" in text
    assert f"| unknown | {kept} |" in text
    assert f"The licence of {kept} documents (100 %) is not known" in text
    assert "Personal data and secrets were not looked for." in text
    assert "lib/python3.11" not in text  # where a source lies on somebody's machine


def test_datasets_loads_the_folder_and_its_parts(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    datasets = pytest.importorskip("datasets")
    kept = json.loads((out / "manifest.json").read_text())["kept"]["rows"]
    for arguments in ({"path": str(out)}, {"path": "parquet", "data_dir": str(out / "corpus")}):
        corpus = datasets.load_dataset(**arguments, split="train", cache_dir=str(tmp_path))
        assert (corpus.num_rows, "content" in corpus.column_names) == (kept, True)
    ledger = datasets.load_dataset(str(out), "ledger", split="train", cache_dir=str(tmp_path))
    assert ledger.num_rows == 600
    assert ledger.unique("verdict") == ["dropped", "kept"] or ledger.unique("verdict") == ["kept", "dropped"]


def test_duckdb_polars_and_datasets_read_the_same_rows_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = pytest.importorskip("datasets")
    out = tmp_path / "out"
    cm.build(quickstart.smoke(), out=out, workers=1)
    report.write(out)  # with the card, which tells `datasets` where the corpus is
    corpus, ledger = str(out / "corpus" / "part-*.parquet"), str(out / "ledger" / "part-*.parquet")
    rows = sorted(pq.read_table(out / "corpus").to_pylist(), key=lambda row: row["id"])
    assert len(rows) > 3
    with duckdb.connect() as database:
        found = database.sql("SELECT * FROM read_parquet(?) ORDER BY id", params=[corpus]).to_arrow_table()
        joined = database.execute(
            "SELECT count(*) FROM read_parquet(?) JOIN read_parquet(?) USING (id) WHERE verdict = 'kept'",
            [ledger, corpus],
        ).fetchone()
    assert found.to_pylist() == rows
    assert joined == (len(rows),), "each document has its row of the ledger"
    assert pl.scan_parquet(corpus).sort("id").collect().to_dicts() == rows
    loaded = datasets.load_dataset(str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert sorted(loaded, key=lambda row: row["id"]) == rows


def test_a_run_writes_flat_rows_in_small_row_groups(tmp_path: Path) -> None:
    code, out = tmp_path / "code" / "repo", tmp_path / "out"
    code.mkdir(parents=True)
    for i in range(12):  # 48 MB in one part
        (code / f"f{i}.py").write_bytes(random.Random(i).randbytes(2_000_000).hex().encode())
    cm.build(ingest.documents(sources=(Folder(str(tmp_path / "code")),)), out=out, workers=1)
    (file,) = [pq.ParquetFile(path) for path in (out / "corpus").glob("*.parquet")]
    sizes = [file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups)]
    assert len(sizes) >= 2
    assert max(sizes) <= 2 * ROW_GROUP_BYTES
    assert pl.scan_parquet(out / "corpus" / "*.parquet").select(pl.len()).collect().item() == 12


def test_licences_are_counted_one_by_one(tmp_path: Path) -> None:
    rows = [row_of(id=str(i) * 32, path=f"{i}.py", language="python") for i in range(3)]
    out = write_ledger(tmp_path, rows)
    file = out / "corpus" / "part-00000.parquet"
    table = pl.read_parquet(file).with_columns(license=pl.Series([["MIT", "Vim"], ["MIT"], None]))
    table.write_parquet(file)
    report.write(out)
    assert head_of(out)["license"] == ["mit", "other", "unknown"]
    text = (out / "README.md").read_text("utf-8")
    assert "| MIT | 2 |\n| Vim | 1 |\n| unknown | 1 |" in text.replace(
        "| unknown | 1 |\n| Vim | 1 |", "| Vim | 1 |\n| unknown | 1 |"
    )


def test_names_of_strangers_stay_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>|\n---\n[x](http://evil)`\u202e"
    rows = [row_of(id="1" * 32, language=evil), row_of(id="2" * 32, step=evil, reason=evil, language=None)]
    out = write_ledger(tmp_path, rows)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["recipe"]["name"] = evil
    (out / "manifest.json").write_text(json.dumps(manifest))
    report.write(out)
    text = (out / "README.md").read_text("utf-8")
    body = text.split("---\n", 2)[2]
    assert "<script" not in body
    assert not re.search(r"(?<!\\)\]\(http", body)
    assert "\u202e" not in text
    assert head_of(out)["pretty_name"].startswith("<script>alert(1)</script>|\\x0a")  # a string in YAML, nothing more
    assert text.count("\n---\n") == 1  # the end of the head
    rows_of_tables = [line for line in text.splitlines() if line.startswith("| &lt;script")]
    assert len(rows_of_tables) >= 2
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows_of_tables)


def test_a_card_that_people_wrote_is_left_alone(out: Path) -> None:
    written = (out / "README.md").read_text("utf-8")
    (out / "README.md").write_text(written.replace(card.MARK + "\n", "") + "My own words.\n")
    report.write(out)
    assert (out / "README.md").read_text("utf-8").endswith("My own words.\n")
    (out / "README.md").unlink()
    report.write(out)
    assert (out / "README.md").read_text("utf-8") == written
    assert card.is_ours(Run.open(out).folder.at("README.md"))
