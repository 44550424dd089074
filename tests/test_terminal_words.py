"""What is said at the terminal when something is in the way: signals, lost folders, limits of the process."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import codemill as cm
from codemill.machine.builder import _lost
from codemill.machine.scarce import check_limits, scarcity
from codemill.machine.store import Place
from codemill.steps import ingest
from tests import toys


def codemill(*arguments: str, limit: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "codemill.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=limit)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    for path, text in {"app/a.py": "x = 1\n", "app/b.cc": "int b;\n", "lib/a.py": "y = 2\n"}.items():
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_text(text)
    return tmp_path / "in"


def started(code: Path, out: Path) -> subprocess.Popen[str]:
    """A run that is at work."""
    for i in range(3000):
        (code / f"{i}.py").write_text(f"x = {i}\n" * 50)
    command = [sys.executable, "-m", "codemill.cli", "run", "refinecode", "--input", str(code), "--out", str(out)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    for _ in range(600):
        if list((out / ".work").glob("detect.language/*")):
            break
        time.sleep(0.1)
    return process


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_say_that_the_run_can_go_on(code: Path, tmp_path: Path, sent: signal.Signals, status: int) -> None:
    process = started(code, tmp_path / "out")
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert "interrupted; run the same command again to go on where it stopped" in said
    assert "Traceback" not in said


def test_a_lost_output_folder_is_said_to_be_lost(tmp_path: Path) -> None:
    (tmp_path / "out" / ".work").mkdir(parents=True)
    place = Place.of(tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="other"), _lost(place):
        raise FileNotFoundError("other")  # the folder is there: it is something else
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(cm.EnvironmentProblem, match="interrupted: the output folder is gone") as error, _lost(place):
        raise FileNotFoundError("a part")
    assert "run the same command again" in str(error.value)


def test_a_run_whose_output_folder_is_removed_says_so_or_makes_all_of_it_again(code: Path, tmp_path: Path) -> None:
    """Which of the two: a worker that writes a part just then makes the folder anew, and the run goes on."""
    process = started(code, tmp_path / "out")
    os.killpg(process.pid, signal.SIGSTOP)
    shutil.rmtree(tmp_path / "out")
    os.killpg(process.pid, signal.SIGCONT)
    _, said = process.communicate(timeout=100)
    assert "Traceback" not in said
    if process.returncode:
        assert process.returncode == 1
        assert "interrupted: the output folder is gone" in said
        return
    fresh = codemill("run", "refinecode", "--input", str(code), "--out", str(tmp_path / "fresh"))
    assert fresh.returncode == 0, fresh.stderr
    made, again = (json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("out", "fresh"))
    hashes = [[receipt["sha256"] for files in m["files"].values() for receipt in files.values()] for m in (made, again)]
    assert hashes[0] == hashes[1]
    assert made["ingested"]["rows"] == 3003
    for name, files in made["files"].items():
        assert {file.name for file in (tmp_path / "out" / name).iterdir()} == set(files)


def test_too_few_open_files_are_an_error_with_a_remedy(code: Path, tmp_path: Path) -> None:
    done = codemill(
        "run", "refinecode", "--input", str(code), "--out", str(tmp_path / "out"), "--workers", "2",
        limit=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "only 40 files may be open at once, and 2 workers need 80" in done.stderr
    assert "ulimit -n 4096" in done.stderr


def test_too_little_address_space_is_an_error_with_a_remedy(code: Path, tmp_path: Path) -> None:
    space = 2 << 30
    done = codemill(
        "run", "refinecode", "--input", str(code), "--out", str(tmp_path / "out"),
        limit=lambda: resource.setrlimit(resource.RLIMIT_AS, (space, space)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "the address space is limited to 2048 MiB" in done.stderr
    assert "ulimit -v unlimited" in done.stderr


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (OSError(errno.EMFILE, "many"), "too many open files.*ulimit -n"),
        (OSError(errno.ENOMEM, "none"), "out of memory"),
        (MemoryError(), "out of memory.*--workers"),
        (RuntimeError("can't start new thread"), "no more processes or threads"),
    ],
)
def test_what_a_process_is_short_of_is_said(raised: Exception, said: str) -> None:
    with pytest.raises(cm.EnvironmentProblem, match=said), scarcity():
        raise raised
    for other in (OSError(errno.EIO, "io"), RuntimeError("other"), BlockingIOError(errno.EAGAIN, "lock")):
        with pytest.raises(type(other)), scarcity():
            raise other


def test_limits_that_suffice_say_nothing() -> None:
    check_limits(1)


def test_memory_is_answered_as_typed(tmp_path: Path) -> None:
    done = codemill("run", "quickstart", "--out", str(tmp_path / "out"), "--memory", "3")
    assert done.returncode == 2
    assert "3 bytes of memory are less than one worker needs" in done.stderr
    assert "a number alone is bytes" in done.stderr


def test_piped_warnings_are_lines_of_their_own(tmp_path: Path) -> None:
    script = tmp_path / "warns.py"
    script.write_text(
        "import logging\nfrom codemill.errors import RecipeError\n\n\ndef warns(*, of: str = 'x'):\n"
        "    logging.getLogger('codemill').warning('w ' * 200)\n    raise RecipeError('enough')\n"
    )
    done = codemill("run", f"{script}:warns", "--out", str(tmp_path / "out"))
    assert "warning: " + "w " * 200 in done.stderr.splitlines()


def test_a_run_stops_at_a_step_and_says_how_to_look(code: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    common = ("run", "refinecode", "--input", str(code), "--out", str(out), "--rules", "none")
    done = codemill(*common, "--to", "dedup.exact", "--no-report")
    assert done.returncode == 0, done.stderr
    assert f"codemill explain {out} PATH" in done.stdout
    assert not (out / "report.html").exists()
    manifest = json.loads((out / "manifest.json").read_text())
    assert [entry["name"] for entry in manifest["steps"]][-1] == "dedup.exact"
    assert codemill("show", str(out)).returncode == 0
    rest = codemill(*common)
    assert "cached" in rest.stdout
    assert (out / "report.html").exists()
    wrong = codemill(*common, "--to", "dedup.exat")
    assert wrong.returncode == 2
    assert "did you mean dedup.exact" in wrong.stderr
    second = json.loads(codemill("plan", *common[1:], "--to", "dedup.exact@2", "--json").stdout)
    assert [step["step"] for step in second["steps"]].count("dedup.exact") == 2


@pytest.mark.parametrize("format", ["jsonl.zst", "parquet"])
def test_documents_lie_in_files_of_the_size_and_format_asked_for(tmp_path: Path, format: str) -> None:
    import polars as pl

    texts = tuple(f"text {i} " + "é" * 100 for i in range(40))
    from codemill.steps import export

    documents = ingest.documents(sources=(toys.Literals(texts),))
    shards = export.shards(documents, format=format, shard_bytes=1000)
    for name in ("one", "two"):
        manifest = cm.build({"corpus": documents, "shards": shards}, out=tmp_path / name, workers=1)
    files = sorted((tmp_path / "one" / "shards").iterdir())
    assert [file.name for file in files] == [f"documents-{i:05d}.{format}" for i in range(len(files))]
    assert len(files) == 8  # five texts of 207 bytes or more in each
    assert [f.read_bytes() for f in files] == [f.read_bytes() for f in sorted((tmp_path / "two" / "shards").iterdir())]
    read = [pl.read_ndjson(f) if format == "jsonl.zst" else pl.read_parquet(f) for f in files]
    corpus = pq.read_table(tmp_path / "one" / "corpus")
    assert [text for frame in read for text in frame["content"].to_list()] == corpus["content"].to_pylist()
    assert manifest["steps"][-1]["counts"]["documents"] == 40


def test_shards_of_nothing_are_one_empty_file(tmp_path: Path) -> None:
    from codemill.steps import export

    documents = ingest.documents(sources=(toys.Literals(()),))
    cm.build({"corpus": documents, "shards": export.shards(documents, format="parquet", shard_bytes=1)}, out=tmp_path)
    assert pq.read_table(tmp_path / "shards" / "documents-00000.parquet").num_rows == 0
    for wrong in ({"format": "csv", "shard_bytes": 1}, {"format": "parquet", "shard_bytes": 0}):
        with pytest.raises(cm.RecipeError):
            export.shards(documents, **wrong)


def test_a_shard_ends_behind_the_document_that_fills_it(tmp_path: Path) -> None:
    from codemill.steps import export

    documents = ingest.documents(sources=(toys.Literals(tuple(f"text {number:05}" for number in range(5))),))
    cm.build({"shards": export.shards(documents, format="parquet", shard_bytes=11)}, out=tmp_path)  # each has 10 bytes
    shards = sorted((tmp_path / "shards").glob("*.parquet"))
    assert [pq.read_table(path).num_rows for path in shards] == [2, 2, 1]
    documents = ingest.documents(sources=(toys.Literals(("123456789", "ab"), per_batch=1),))
    cm.build({"shards": export.shards(documents, format="parquet", shard_bytes=10)}, out=tmp_path / "over batches")
    assert [path.name for path in (tmp_path / "over batches" / "shards").glob("*.parquet")] == [
        "documents-00000.parquet"
    ]


def test_twins_are_told_apart(code: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (code / "app" / "b.cc").write_text("int other;\n")
    again = tmp_path / "again"
    shutil.copytree(code, again)
    (again / "app" / "a.py").write_text("x = 3\n")
    inputs = ("--input", str(code), "--input", str(again))
    assert codemill("run", "refinecode", *inputs, "--out", str(out), "--rules", "none").returncode == 0
    said = codemill("explain", str(out), "app/a.py").stdout
    assert "(source folder, id " in said
    assert "(source folder-2, id " in said
    data = json.loads(codemill("explain", str(out), "b.cc", "--json").stdout)
    assert data["total"] == 2
    assert len(data["matches"][0]["ledger"]["content_sha256"]) == 64
    assert os.path.isdir(out / "corpus")
