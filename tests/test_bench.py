"""The benchmarks run, and their engines agree, on a corpus made of a few local files."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bench import __main__ as bench_main
from bench import corpus as bench_corpus
from bench import exact_dedup, made_samples, measure, web_pass
from bench.engines import ENGINES, PLAIN, kept
from tests.benchmark_rows import ROWS, write

INSTALLED = [name for name, (_, module) in ENGINES.items() if importlib.util.find_spec(module) is not None]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("files")
    for number in range(40):
        file = root / f"package_{number % 4}" / f"module_{number}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"x = {number // 3}\n" * (number // 3 + 1))  # 14 contents, 3 paths each
        os.utime(file, (1_600_000_000 + number % 2, 1_600_000_000 + number % 2))
    (root / "binary.dat").write_bytes(b"\x00\x01\x02")
    (root / "latin.c").write_bytes("// Größe\n".encode("latin-1"))
    return bench_corpus.from_folder(root, tmp_path_factory.mktemp("corpus"), copies=3)


def test_corpus_holds_text_only(corpus: Path) -> None:
    table = pq.read_table(corpus)
    assert table.num_rows == 3 * 40
    assert set(table["repo"].to_pylist()) == {"local/copy-0", "local/copy-1", "local/copy-2"}
    assert table["stars"][0].as_py() == bench_corpus.stars(table["repo"][0].as_py())


def test_pyarrow_keeps_the_best_copies(corpus: Path, tmp_path: Path) -> None:
    ENGINES["pyarrow"][0](corpus, tmp_path, 1, None)
    rows = pq.read_table(corpus).to_pylist()
    best: dict[str, dict[str, object]] = {}
    for row in sorted(rows, key=lambda r: (-r["stars"], -r["commit_time"].timestamp(), r["repo"], r["path"])):
        best.setdefault(row["content"], row)
    assert len(best) == 14
    assert kept("pyarrow", tmp_path) == sorted(f"{row['repo']}/{row['path']}" for row in best.values())
    assert pq.read_table(tmp_path).schema.equals(pq.read_table(corpus).schema)


def test_all_engines_keep_the_same_rows(corpus: Path, tmp_path: Path) -> None:
    assert {"codemill", "pyarrow"} <= set(INSTALLED)
    found = exact_dedup.compare(corpus, tmp_path / "s", engines=INSTALLED, threads=[2], rounds=1, cap=None)
    outcomes = {name: (runs[0]["outcome"], runs[0]["detail"]) for name, runs in found["timed"]["2"].items()}
    assert outcomes == {name: ("ok", "") for name in INSTALLED if name not in PLAIN}
    assert found["kept_rows"] == 14
    assert found["agreed"] == sorted(outcomes)
    assert "| codemill |" in exact_dedup.table(found, raw_bytes=1000)


@pytest.mark.parametrize("name", [name for name in PLAIN if name in INSTALLED])
def test_untuned_variants_keep_the_same_rows(corpus: Path, tmp_path: Path, name: str) -> None:
    for engine in (name, "pyarrow"):
        (tmp_path / engine).mkdir()
        ENGINES[engine][0](corpus, tmp_path / engine, 1, None)
    assert kept(name, tmp_path / name) == kept("pyarrow", tmp_path / "pyarrow")


def test_different_rows_are_noticed(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact_dedup, "kept", lambda name, out: [name])
    with pytest.raises(AssertionError, match=r"pyarrow kept 1 rows .* codemill 1"):
        exact_dedup.compare(corpus, tmp_path / "s", engines=["codemill", "pyarrow"], threads=[1], rounds=1, cap=None)


def test_archives_are_streamed_and_shares_keep_copies_together(tmp_path: Path) -> None:
    def pack(name: str, share: float) -> list[str]:
        archive = bench_corpus.Archive(name, "", "debian/x", name, share)
        bench_corpus.pack(archive, tmp_path / name, tmp_path / "piece.parquet")
        return pq.read_table(tmp_path / "piece.parquet")["path"].to_pylist()

    for version in ("1.0", "1.1"):
        with tarfile.open(tmp_path / f"x-{version}.tar.gz", "w:gz") as tar:
            for path in [f"x-{version}/src/{i}.c" for i in range(100)]:
                member = tarfile.TarInfo(path)
                member.size = 7
                tar.addfile(member, io.BytesIO(b"int a;\n"))
            link = tarfile.TarInfo(f"x-{version}/src/link.c")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
    assert pack("x-1.0.tar.gz", 1.0) == [f"src/{i}.c" for i in range(100)]
    assert pack("x-1.0.tar.gz", 0.5) == pack("x-1.1.tar.gz", 0.5)
    assert 25 < len(pack("x-1.0.tar.gz", 0.5)) < 75


def test_measure_sees_memory_and_enforces_a_cap() -> None:
    python = ["python3", "-c"]
    done = measure.measure([*python, "import time; x = b'x' * 300_000_000; time.sleep(0.3)"], cores=1)
    assert done.outcome == "ok"
    if done.peak_bytes is None:
        pytest.skip("no memory cgroup can be made here")
    assert 300_000_000 < done.peak_bytes < 400_000_000
    capped = measure.measure([*python, "x = b'x' * 300_000_000; print(len(x))"], cores=1, cap=100_000_000)
    assert capped.outcome == "killed"
    failed = measure.measure([*python, "raise MemoryError('by myself')"], cores=1, cap=100_000_000)
    assert (failed.outcome, failed.detail) == ("failed", "exit 1: MemoryError: by myself")


@pytest.mark.parametrize("name", ["lex", "signals", "headers", "redact"])
def test_small_benchmarks_take_the_small_corpus(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"bench.{name}")
    options = ["--out", str(tmp_path), "--small", *(["--lines"] if name == "redact" else [])]
    with pytest.raises(bench_corpus.BenchError, match="corpus"):
        module.main(options)
    bench_corpus.from_folder(Path(json.__file__).parent, tmp_path / "small")
    module.main(options)
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in bench_main.SELF_MADE if name != "licenses"])
def test_benchmarks_that_make_what_they_measure_on_run_anywhere(name: str, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "bench", name, "--small"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"== {name}\n")
    assert len(done.stdout.splitlines()) > 1
    assert list(tmp_path.iterdir()) == []


def test_answers_are_made_whose_verdicts_can_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**ROWS["humaneval_plus"][0], "task_id": f"HumanEval/{n}"} for n in range(5)]
    data = write(tmp_path / "tasks.jsonl", rows)
    monkeypatch.setattr(
        "sys.argv", ["made_samples", str(data), str(tmp_path / "out"), "--mutants", "2", "--limit", "3"]
    )
    made_samples.main()
    told = [json.loads(line) for line in (tmp_path / "out" / "samples.jsonl").read_text("utf-8").splitlines()]
    kept = [json.loads(line)["task_id"] for line in (tmp_path / "out" / "tasks.jsonl").read_text("utf-8").splitlines()]
    assert len(kept) == 3
    assert {one["task_id"] for one in told} == set(kept)
    assert len(told) == 3 * 4
    first = [one for one in told if one["task_id"] == kept[0]]
    assert first[0]["completion"] == rows[0]["canonical_solution"]
    assert [ast.parse(one["solution"]) is not None for one in first[1:]] == [True] * 3
    assert len({one.get("solution") for one in first}) == 4


@pytest.mark.slow
def test_the_pass_over_pages_makes_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("datatrove")
    assert web_pass.main(["--small", "--pages", "40", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "40 pages, " in said
    assert re.search(r"the whole pass, 40 pages .* s of CPU, peak", said)
    assert re.search(r"the whole pass, 400 pages .* s of CPU, peak", said)
    with pytest.raises(bench_corpus.BenchError, match="the pass over 40 pages failed"):
        web_pass.whole(tmp_path / "web" / "pages-40", tmp_path, 40)
