"""The whole cookbook over a few files, with recorded answers: every command of it, twice, and after kills."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from codemill.tokens import Encoder, Loader
from tests.web_tools import crawl

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ["sh", str(ROOT / "examples" / "cookbook.sh")]
SITES = {f"{kind}{i}.test": (30, 0.95 if kind == "code" else 0.0) for kind in ("code", "other") for i in range(6)}
STEPS = (
    *("corpus", "web", "tokens", "web-tokens", "mix", "untrained", "base", "algorithms"),
    *("annealing", "algorithmic-tokens", "snippets-tokens", "textbooks-tokens", "annealing-mix", "annealed", "taught"),
    *("chats", "best-chats", "instruct", "untrained-scores", "instruct-scores", "release.part"),
)
"""What the cookbook makes, in the order in which it begins with it."""


def given(out: Path) -> None:
    """What the cookbook would download: packages about algorithms, and a crawl with labels."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    (out / "code").mkdir(parents=True)
    packages = [stdlib / name for name in ("email", "json", "asyncio", "logging", "html", "http", "unittest", "xml")]
    packages.append(ROOT / "codemill")  # which calls installed libraries: the teacher is asked about their names
    for package in packages:
        with zipfile.ZipFile(out / "code" / f"{package.name}-1.0-py3-none-any.whl", "w") as packed:
            for file in sorted(package.rglob("*.py")):
                packed.write(file, file.relative_to(package.parent))
    (out / "algorithm-packages").mkdir()
    with zipfile.ZipFile(out / "algorithm-packages" / "toy-1.0-py3-none-any.whl", "w") as packed:
        for n in range(4):
            packed.writestr(f"toy/m{n}.py", f"# leetcode {n}\n\n\ndef add_{n}(a, b):\n    return a + b + {n}\n")
    crawl(out / "crawl" / "crawl", SITES, paragraphs=8)  # the rules drop pages of few lines
    for file, numbers in (("seed.csv", (0, 1)), ("held_out.csv", (2, 3))):
        rows = [f"{kind}{i}.test,{label}\n" for kind, label in (("code", 1), ("other", 0)) for i in numbers]
        (out / "crawl" / file).write_text("domain,label\n" + "".join(rows))


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    command = tmp_path / "bin" / "codemill"
    command.parent.mkdir()
    program = "import sys; from codemill.cli import main; sys.exit(main())"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{program}" "$@"\n')
    command.chmod(0o755)
    given(tmp_path / "out")
    return {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OUT": "out",
        "INPUT": "out/code",
        "TEACHER": "script:codemill.prompts._recorded:answer",
        "STEPS": "24",
        "HELD_OUT": "0.3",
    }


def test_the_cookbook_runs_from_top_to_bottom_and_goes_on_where_it_stopped(tmp_path: Path, env: dict[str, str]) -> None:
    out = tmp_path / "out"
    # Killed when a step has begun, each in turn, it goes on.
    for begun in STEPS:
        going = subprocess.Popen(SCRIPT, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, start_new_session=True)
        while going.poll() is None and not (out / begun).exists():
            with contextlib.suppress(subprocess.TimeoutExpired):
                going.wait(0.05)
        assert going.poll() is None, f"it ended before {begun}"
        os.killpg(going.pid, signal.SIGKILL)
        going.wait()
    for expected in ("rebuild.sh", "nothing to do"):
        done = subprocess.run(SCRIPT, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        assert expected in done.stdout
    facts = json.loads((out / "mix" / "mix" / "mix.json").read_text())
    assert [given["name"] for given in facts["inputs"]] == ["code", "web"]
    loader = Loader(out / "mix", [out / "tokens" / "tokens", out / "web-tokens" / "tokens"])
    assert sum(sequence.real for sequence in loader) == facts["tokens"] > 10_000
    encoder = Encoder(out / "tokens" / "tokenizer")
    assert "import" in "".join(encoder.decode(sequence.tokens) for sequence in loader)
    model = json.loads((out / "instruct" / "model" / "config.json").read_text())
    assert model["vocab_size"] == encoder.vocabulary
    # The teacher's rows are trained on.
    annealing = json.loads((out / "annealing-mix" / "mix" / "mix.json").read_text())
    taken = {given["name"]: given["taken"] for given in annealing["inputs"]}
    assert set(taken) == {"original", "algorithmic", "snippets", "textbooks"}
    assert all(taken.values())
    assert pq.read_table(out / "taught" / "stage_2").num_rows > 0
    assert (out / "instruct" / "stage2_ledger_2").is_dir()
    # Training helps, and the release has all of it.
    bits = {}
    for name in ("untrained", "base", "annealed", "instruct"):
        results = json.loads((out / "release" / f"{name}-scores" / "results.json").read_text())
        bits[name] = results["held_out"]["all"]["bits_per_byte"]
    assert bits["annealed"] < bits["base"] < bits["untrained"]
    released = json.loads((out / "release" / "release.json").read_text())
    names = [run["name"] for run in released["runs"]]
    assert {"corpus", "web", "tokens", "mix", "base", "annealing", "annealed", "taught", "instruct"} <= set(names)
    assert (out / "release" / "taught.calls").is_dir()


def test_a_scale_that_is_none_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    done = subprocess.run([*SCRIPT, "--scale", "moon"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "--scale is laptop, gpu or node, not moon\n")
