"""The command line: its verbs are frozen, its options come from recipes, its errors name the remedy."""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from codemill import catalog, signals
from codemill.cli import cli
from codemill.machine import progress
from codemill.machine.progress import per_second
from tests.benchmark_rows import ROWS, write

LENIENT = ("--rules", "none", "-w", "1")  # these files are far too small for RefineCode's rules
LOOKING = ["compare", "explain", "rank", "report", "rule", "rules", "show", "signals"]
MODELS = ["chat", "generate", "masks", "serve"]
TEACHING = ["ask", "calls", "exec"]
JUDGING = ["ablate", "benchmarks", "evaluate"]
VERBS = sorted(
    [*LOOKING, *MODELS, *TEACHING, *JUDGING, "forget", "list", "new", "plan", "redact", "release", "run", "view"]
)


def codemill(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command as a user would, in its own process, 100 columns wide."""
    passed = {name: value for name, value in os.environ.items() if name.startswith(("PYTHONPATH", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-m", "codemill.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "100", "HOME": str(cwd or "/"), **passed},
        check=False,
    )


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two repositories that share a file."""
    root = tmp_path_factory.mktemp("code")
    for name, files in {
        "one": {"a.py": "import os\nprint(os.name)\n", "shared.c": "int main(void) { return 0; }\n", "e.py": ""},
        "two": {"shared.c": "int main(void) { return 0; }\n", "Main.java": "class Main {}\n", "x.bin": "\0\1"},
    }.items():
        (root / name).mkdir()
        for path, text in files.items():
            (root / name / path).write_text(text)
    return root


@pytest.fixture(scope="module")
def result(code: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `run refinecode` makes of them."""
    out = tmp_path_factory.mktemp("out")
    done = codemill("run", "refinecode", "--input", str(code), "--out", str(out), "--java-fraction", "0", *LENIENT)
    assert done.returncode == 0, done.stderr
    assert "6 found = 2 kept + 4 dropped" in done.stdout
    return out


def test_the_verbs_are_frozen() -> None:
    assert sorted(cli.commands) == VERBS


def test_show_and_report(result: Path) -> None:
    shown = codemill("show", str(result))
    assert "6 found = 2 kept + 4 dropped" in shown.stdout
    assert json.loads(codemill("show", str(result), "--json").stdout)["kept"]["rows"] == 2
    (result / "report.html").unlink()
    assert codemill("report", str(result)).stdout.strip() == str(result / "report.html")
    assert (result / "report.html").exists()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("one/a.py", "Kept"),
        ("e.py", "empty"),
        ("x.bin", "binary"),
        ("Main.java", "not sampled"),
    ],
)
def test_explain_says_why(result: Path, path: str, words: str) -> None:
    explained = codemill("explain", str(result), path)
    assert explained.returncode == 0
    assert words.lower() in explained.stdout.lower(), explained.stdout


def test_explain_names_the_copy_that_was_kept(result: Path) -> None:
    data = json.loads(codemill("explain", str(result), "shared.c", "--json").stdout)
    text = json.dumps(data)
    assert "duplicate" in text
    assert "kept_id" in text


def test_plan_builds_nothing(code: Path, tmp_path: Path) -> None:
    planned = codemill(
        "plan", "refinecode", "--input", str(code), "--out", str(tmp_path / "out"), "--rules", "none", "--json"
    )
    value = json.loads(planned.stdout)
    assert (value["files"], value["parts"]) == (6, 2)  # two repositories
    *before, last = [s["state"] for s in value["steps"]]
    assert (set(before), last) == ({"to build"}, "to publish")
    assert not (tmp_path / "out").exists()


def test_plan_says_what_the_bands_of_a_recipe_mean(code: Path, tmp_path: Path) -> None:
    arguments = ("plan", "refinecode", "--input", str(code), "--out", str(tmp_path / "out"))
    shown = codemill(*arguments).stdout
    assert "16 bands x 128 rows: pairs meet with probability 1 % at J = 0.944, 50 % at 0.976, 99 % at 0.989" in shown
    assert "effective threshold J = 0.979" in shown
    steps = {s["step"]: s["notes"] for s in json.loads(codemill(*arguments, "--json").stdout)["steps"]}
    assert len(steps["dedup.band_keys"]) == 2
    assert steps["dedup.exact"] == []


@pytest.mark.parametrize("verb", [("plan",), ("run", "--to", "ingest.files", "--no-report", "-w", "1")])
def test_plan_and_run_say_how_many_repositories_the_metadata_knows(
    verb: tuple[str, ...], code: Path, tmp_path: Path
) -> None:
    stars = tmp_path / "stars.csv"
    stars.write_text("repo,stars\nnobody/nothing,3\n")
    given = ("--input", str(code), "--metadata", str(stars), "--out", str(tmp_path / "out"))
    done = codemill(verb[0], "refinecode", *given, *verb[1:])
    assert "metadata: 0 of 2 repositories matched; not in the file: one (nearest: " in done.stdout


def test_json_lines_for_machines(code: Path, tmp_path: Path) -> None:
    done = codemill("run", "quickstart", "--input", str(code), "--out", str(tmp_path), "--json", "-w", "1")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "done"
    assert events[-1]["ingested"]["rows"] == 6
    steps = [e["name"] for e in events if e["event"] == "step"]
    assert steps[:5] == ["ingest.files", "ingest.twins", "licenses.spread", "detect.language", "detect.keep"]
    assert steps[-1] == "sample.fraction"


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("run", "refinecod", "--out", "x"), 2, "did you mean refinecode?"),
        (("run", "refinecode", "--out", "x"), 2, "needs --input PATH"),
        (("run", "refinecode", "--input", "nowhere", "--out", "x"), 1, "nowhere"),
        (("run", "refinecode", "--input", ".", "--out", "x", "--seed", "one"), 2, "'one' is not a valid integer"),
        (
            ("run", "refinecode", "--input", ".", "--out", "x", "--rules", "none", "--java-fraction", "7"),
            2,
            "between 0 and 1",
        ),
        (("run", "refinecode", "--input", ".", "--out", "x", "--rules", "none"), 2, "the output is inside an input"),
        (("run", "refinecode", "--input", ".", "--out", "x", "--rules", "non"), 2, "did you mean none"),
        (("run", "clashing.py", "--input", ".", "--out", "/x"), 2, "may not be called 'workers'"),
        (("run", "refinecode", "--input", ".", "--out", "x", "--metadata", "no.csv"), 1, "no.csv"),
        (("run", "quickstart", "--out", "x", "--memory", "lots"), 2, "is not an amount of memory"),
        (("run", "quickstart", "--out", "x", "--memory", "1MiB"), 2, "less than one worker needs"),
        (("run", "refinecode", "--input", ".", "--out", "/proc/x"), 1, "the folder cannot be made there (at /proc/x)"),
        (("plan", "quickstart", "--out", "/x", "--max-file-bytes", "-1"), 2, "must be at least 1, got -1"),
        (("run", "nothing.py", "--out", "x"), 2, "no such Python file"),
        (("show", "nowhere"), 1, "nowhere"),
        (("list", "spells"), 2, "spells"),
        (("frobnicate",), 2, "No such command"),
    ],
)
def test_wrong_usage_names_the_value_and_the_remedy(
    tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    (tmp_path / "a.py").write_text("pass\n")
    (tmp_path / "clashing.py").write_text("def clashing(inputs, *, workers: int = 1): ...\n")
    done = codemill(*arguments, cwd=tmp_path)
    assert message in " ".join(done.stderr.split()), done.stderr
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_a_run_over_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    arguments = ("run", "refinecode", "--input", str(tmp_path / "in"), "--out", str(tmp_path / "out"))
    done = codemill(*arguments, *LENIENT)
    assert done.returncode == 0, done.stderr
    assert "0 found = 0 kept" in done.stdout
    assert f"warning: an input held no file: {tmp_path / 'in'}\n" in done.stdout
    assert "warning: the corpus is empty: the inputs held no file" in done.stdout
    told = json.loads(codemill(*arguments, *LENIENT, "--json").stdout.splitlines()[-1])
    assert told["warnings"] == [
        f"an input held no file: {tmp_path / 'in'}",
        "the corpus is empty: the inputs held no file",
    ]
    shown = codemill("show", str(tmp_path / "out"))
    assert "the inputs of this run held no file" in shown.stderr
    assert "`codemill plan`" in shown.stderr
    assert shown.returncode == 1


def test_an_empty_corpus_is_a_warning_with_its_most_frequent_reasons(code: Path, tmp_path: Path) -> None:
    drop = ("--java-fraction", "0", "--rules", "refinecode", "-w", "1")
    arguments = ("run", "refinecode", "--input", str(code), "--out", str(tmp_path), *drop)
    done = codemill(*arguments)
    most = "3 num_words_too_low (quality.keep), 1 binary (ingest.files), 1 empty (ingest.files), 1 for other reasons"
    words = f"of 6 files all were dropped: {most}"
    assert f"warning: the corpus is empty: {words}" in done.stdout, done.stdout
    told = json.loads(codemill(*arguments, "--json").stdout.splitlines()[-1])
    assert words in told["warnings"][0]


def test_a_recipe_of_ones_own(code: Path, tmp_path: Path) -> None:
    made = codemill("new", "mine", "--from", "refinecode", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert codemill("new", "mine", cwd=tmp_path).returncode == 1
    text = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(text.replace("= 0.445", "= 0.0"))
    done = codemill("run", "mine.py", "--input", str(code), "--out", "out", *LENIENT, cwd=tmp_path)
    assert "6 found = 2 kept + 4 dropped" in done.stdout, done.stderr
    helped = codemill("run", "mine.py", "--help", cwd=tmp_path)
    assert "share of Java files to keep" in helped.stdout
    assert "[default: 0.0]" in helped.stdout


@pytest.mark.parametrize("name", ["quickstart:smoke", "refinecode:smoke"])
def test_the_smoke_variant_of_every_recipe(code: Path, tmp_path: Path, name: str) -> None:
    done = codemill("run", name, "--input", str(code), "--input", str(code / "one"), "--out", str(tmp_path), "-w", "1")
    assert "9 found = 3 kept + 6 dropped" in done.stdout, done.stdout + done.stderr
    labels = {row["source"] for row in pq.read_table(tmp_path / "ledger").to_pylist()}
    assert labels == {"folder", "folder-2"}


def test_every_catalogue_can_be_listed() -> None:
    for what in ("recipes", "steps", "prompts", "signals", "rules", "languages", "sources"):
        rows = [json.loads(line) for line in codemill("list", what, "--json").stdout.splitlines()]
        assert len(rows) >= 2
        assert all(row["name"] for row in rows)
    listed = {line.split(" ")[0] for line in codemill("list", "signals").stdout.splitlines()}
    assert {s.name for s in signals.all()} <= listed  # a name is never cut short
    assert len(catalog.steps()) == len({s.name for s in catalog.steps().values()})


def test_every_step_and_recipe_says_what_it_does() -> None:
    for thing in [*catalog.steps().values(), *catalog.recipes().values()]:
        assert catalog.first_line(thing.function).endswith("."), thing.name


def test_the_formats_of_benchmarks_are_listed_and_files_recognised(tmp_path: Path) -> None:
    listed = codemill("benchmarks")
    assert "https://github.com/openai/human-eval" in listed.stdout
    rows = [json.loads(line) for line in codemill("benchmarks", "--json").stdout.splitlines()]
    assert len(rows) >= 17
    assert all(row["published"] and row["licence"] for row in rows)
    files = {row["name"]: row["files"] for row in rows}
    assert [len(file["sha256"]) for file in files["human_eval_infilling"]] == [64] * 4
    assert all(f"{file['address']}  SHA-256 " in listed.stdout for some in files.values() for file in some)
    write(tmp_path / "some.jsonl", ROWS["humaneval"])
    write(tmp_path / "chat.jsonl", [{"instruction": "Hi", "output": "Hello"}])
    found = codemill("benchmarks", str(tmp_path)).stdout
    assert "humaneval" in found
    assert "complete: 164" in found
    assert "of no known form" in found


@pytest.mark.parametrize("as_json", [False, True])
def test_the_seconds_printed_include_planning_and_the_report(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    clock = types.SimpleNamespace(now=0.0, monotonic=lambda: clock.now)

    def taking(seconds: float, function: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*given: Any, **more: Any) -> Any:
            clock.now += seconds
            return function(*given, **more)

        return slow

    for seconds, name in ((1, "sources.open"), (20, "machine.builder.planned"), (300, "report.write")):
        room, _, function = name.rpartition(".")
        module = importlib.import_module(f"codemill.{room}")
        monkeypatch.setattr(module, function, taking(seconds, getattr(module, function)))
    monkeypatch.setattr("codemill.cli.run.time", clock)
    arguments = ["run", "quickstart", "--input", str(code), "--out", str(tmp_path), "-w", "1"]
    cli.main([*arguments, *(["--json"] if as_json else [])], standalone_mode=False)
    said = capsys.readouterr().out
    if as_json:
        assert json.loads(said.splitlines()[-1])["seconds"] == 321.0
    else:
        assert re.search(r"dropped\s+in 321\.0 s$", said, re.MULTILINE)


def test_rates_are_told_in_units_that_fit() -> None:
    rates = [123_456_789, 10_000_000, 9_960_000, 1_000_000, 999_000, 56_000, 9_800, 70]
    told = ["123 MB/s", "10 MB/s", "10 MB/s", "1 MB/s", "999 kB/s", "56 kB/s", "9.8 kB/s", "0.07 kB/s"]
    assert [per_second(rate) for rate in rates] == told


def test_without_a_terminal_a_line_says_how_far_a_step_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    told = io.StringIO()
    speaking = progress.Terminal(Console(file=told, width=100))
    speaking.begin("clean", total=100_000_000, done=20_000_000)
    with speaking.running():
        for at, size in ((5, 10_000_000), (11, 10_000_000), (20, 10_000_000), (22, 10_000_000), (40, 40_000_000)):
            now[0] = at
            speaking.advance(size)
    # At most every ten seconds; what was there before is no speed; at the end nothing is left to be said.
    assert told.getvalue().split("\n") == [
        "  clean: 40%, 1.8 MB/s, about 33 s left",
        "  clean: 60%, 1.8 MB/s, about 22 s left",
        "",
    ]


def test_a_step_that_is_done_says_what_came_of_it() -> None:
    told = io.StringIO()
    entry = {"name": "dedup.exact", "rows_in": 1200, "rows_out": 1000, "bytes_in": 3_000_000, "bytes_out": 2_500_000}
    dropped = {"duplicate": {"rows": 150}, "empty": {"rows": 50}}
    progress.Terminal(Console(file=told, width=100)).step_done(
        {**entry, "dropped": dropped, "seconds": 0.5, "cached": False, "counts": {"clusters": 7}}
    )
    assert [line.split() for line in told.getvalue().splitlines()] == [
        ["dedup.exact", "1,000", "files", "2.5", "MB", "0.5", "s", "6", "MB/s", "−200", "(duplicate", "…)"],
        ["clusters", "7"],
    ]
