"""A release: the whole chain in one folder, no place of this machine in it, and the same bytes made from it again."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from codemill.errors import BuildError, CodemillError, EnvironmentProblem, InputError
from codemill.lineage import runs_in
from codemill.machine.store import seal
from codemill.model.card import UNSCORED
from codemill.release import cards, checks, portable, release
from codemill.release.chain import Link, chain
from codemill.teacher import named
from codemill.teacher.calls import Calls, key_of
from codemill.tokens import Loader

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "import sys; from codemill.cli import main; sys.exit(main())"


def codemill(*words: str, cwd: Path) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=cwd, check=True, capture_output=True)


def wheel(file: Path) -> None:
    """A package of made-up code, packed the same way every time."""
    with zipfile.ZipFile(file, "w") as packed:
        for number in range(12):
            text = "".join(f"def f{number}_{i}(x):\n    return x + {i * number}\n\n" for i in range(20))
            packed.writestr(zipfile.ZipInfo(f"toy/m{number}.py", (2024, 1, 1, 0, 0, 0)), text)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs, each reading the one before, given by paths as people type them."""
    root = tmp_path_factory.mktemp("release")
    (root / "in").mkdir()
    wheel(root / "in" / "toy-1.0-py3-none-any.whl")
    codemill("run", "quickstart", "--input", "in", "--rules", "none", "--out", "corpus", cwd=root)
    codemill("run", "tokens:smoke", "--corpus", "corpus", "--out", "tokens", cwd=root)
    codemill("run", "pretraining_mix:smoke", "--code", "tokens", "--out", "mix", cwd=root)
    return root


@pytest.fixture(scope="module")
def released(made: Path) -> Path:
    assert release([str(made / "mix")], made / "r").runs == ("corpus", "tokens", "mix")
    return made / "r"


def test_a_release_is_whole_and_names_no_place(made: Path, released: Path) -> None:
    names = ["corpus", "tokens", "mix"]
    assert checks.missing(released, names) == []
    for file in released.rglob("*"):
        if file.is_file() and file.suffix not in (".parquet", ".arrow"):
            assert str(made).encode() not in file.read_bytes(), file
    facts = json.loads((released / "release.json").read_text())
    (one,) = facts["inputs"]
    assert one["sha256"] == hashlib.sha256((made / "in" / one["name"]).read_bytes()).hexdigest()
    assert (released / "inputs" / "corpus.txt").read_text() == f"toy==1.0 --hash=sha256:{one['sha256']}\n"
    loader = Loader(released / "mix", [released / "tokens" / "tokens"])  # it is read as any run
    assert len(loader) > 0


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `codemill` is the one under test."""
    command = tmp_path / "bin" / "codemill"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PROGRAM}" "$@"\n')
    command.chmod(0o755)
    return {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def test_a_stranger_makes_the_same_bytes(made: Path, released: Path, tmp_path: Path, shell: dict[str, str]) -> None:
    stranger = tmp_path / "r"
    shutil.copytree(released, stranger)
    script = (stranger / "rebuild.sh").read_text().splitlines()
    (fetch,) = (line for line in script if "pip download" in line)  # the package is in no registry: it is put there
    (stranger / "rebuild.sh").write_text("\n".join(line for line in script if line != fetch) + "\n")
    (stranger / "rebuilt" / "inputs").mkdir(parents=True)
    shutil.copytree(made / "in", stranger / "rebuilt" / "inputs" / "corpus")
    done = subprocess.run(["sh", stranger / "rebuild.sh"], env=shell, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("the same bytes\n")
    assert "copied" not in done.stderr + done.stdout
    sums = (stranger / "checksums.txt").read_text()
    assert {line.split("/")[0].split()[-1] for line in sums.splitlines()} == {"corpus", "tokens", "mix"}
    changed = sums.replace(sums[0], "f" if sums[0] != "f" else "0", 1)
    (stranger / "checksums.txt").write_text(changed)
    refused = subprocess.run(["sh", stranger / "rebuild.sh"], env=shell, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "These files are not those of the release" in refused.stderr
    every = (stranger / "files.txt").read_text()
    was, is_now = (hashlib.sha256(text.encode()).hexdigest() for text in (sums, changed))
    (stranger / "files.txt").write_text(every.replace(was, is_now))
    again = subprocess.run(["sh", stranger / "rebuild.sh"], env=shell, capture_output=True, text=True, check=False)
    assert again.returncode != 0
    assert "the same bytes" not in again.stdout
    assert "Are the packages those of environment.txt?" in again.stderr


def test_a_download_can_be_checked(released: Path, tmp_path: Path) -> None:
    shutil.copytree(released, tmp_path / "r")
    listed = {line.split("  ", 1)[1] for line in (tmp_path / "r" / "files.txt").read_text().splitlines()}
    there = {str(path.relative_to(released)) for path in released.rglob("*") if path.is_file()}
    assert listed == there - {"files.txt"}
    check = ["sha256sum", "--check", "--quiet", "files.txt"]
    assert f"`{' '.join(check)}`" in (released / "README.md").read_text()
    assert subprocess.run(check, cwd=tmp_path / "r", capture_output=True, check=True).stdout == b""
    with (tmp_path / "r" / "mix" / "manifest.json").open("a") as stream:
        stream.write(" ")
    assert subprocess.run(check, cwd=tmp_path / "r", capture_output=True, check=False).returncode != 0


def test_what_a_stranger_has_no_input_for_is_copied_and_named(
    released: Path, tmp_path: Path, shell: dict[str, str]
) -> None:
    stranger = tmp_path / "r"
    shutil.copytree(released, stranger)
    script = (stranger / "rebuild.sh").read_text()
    (fetch,) = (line for line in script.splitlines() if "pip download" in line)
    (stranger / "rebuild.sh").write_text(script.replace(fetch, ""))
    done = subprocess.run(["sh", stranger / "rebuild.sh"], env=shell, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "corpus: copied as it was published, for its input is not in rebuilt/inputs/corpus" in done.stderr
    assert done.stdout.endswith("copied, not made again: corpus\nthe same bytes\n")
    assert (stranger / "rebuilt" / "tokens" / "report.html").is_file()


def test_only_the_wheel_that_runs_comes_with_a_release(made: Path, tmp_path: Path) -> None:
    (tmp_path / "codemill-0.0.1-cp311-abi3-linux_x86_64.whl").write_bytes(b"old")
    with pytest.raises(InputError, match="no wheel of the codemill that runs"):
        release([str(made / "corpus")], tmp_path / "r", wheel=tmp_path / "codemill-0.0.1-cp311-abi3-linux_x86_64.whl")
    this = tmp_path / f"codemill-{version('codemill')}-cp311-abi3-linux_x86_64.whl"
    this.write_bytes(b"new")
    release([str(made / "corpus")], tmp_path / "r", wheel=this)
    assert (tmp_path / "r" / this.name).read_bytes() == b"new"
    assert f"pip install -c environment.txt './{this.name}[web]'" in (tmp_path / "r" / "README.md").read_text()


def test_what_is_damaged_or_told_is_found(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    release([str(made / "tokens")], folder)
    links = chain([str(made / "tokens")])
    (folder / "notes.md").write_text(f"see {made}/corpus\n" + 'token = "ghp_' + "a1B2" * 9 + '"\n')
    said = checks.told(folder, links, [])
    assert any("names" in sentence for sentence in said)
    assert any("key or a password" in sentence for sentence in said)
    shard = next((folder / "tokens" / "tokens").iterdir())
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    assert any("is not what the manifest says" in sentence for sentence in checks.missing(folder, ["tokens"]))
    shard.unlink()
    assert any("is missing" in sentence for sentence in checks.missing(folder, ["tokens"]))


def test_a_card_with_a_secret_is_not_released(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "corpus", tmp_path / "corpus", symlinks=True)
    (tmp_path / "corpus" / "README.md").write_text('token = "ghp_' + "a1B2" * 9 + '"\n')
    with pytest.raises(BuildError, match=r"corpus/README\.md seems to have a key or a password"):
        release([str(tmp_path / "corpus")], tmp_path / "r")


def test_paid_answers_are_read_for_keys_and_places(made: Path, tmp_path: Path) -> None:
    key = "gh" + "p_" + "a1B2" * 9
    shutil.copytree(made / "mix", made / "paid")
    with Calls(made / "paid.calls", write=True) as calls:
        calls.put(key_of("one"), {"request": {}, "response": {"content": "password = 'hunter2'"}})
        calls.put(key_of("two"), {"request": {}, "response": {"content": f"import x\n{key}\n"}})
        calls.put(key_of("three"), {"request": {"content": f"{made}/x.py"}, "response": {}})
    with pytest.raises(BuildError) as error:
        release([str(made / "paid")], tmp_path / "r")
    assert f"paid.calls names {made}; 1 answers of paid.calls seem to have a key in them" in str(error.value)
    assert key not in str(error.value)


def test_what_cannot_be_released_says_why(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        release([str(tmp_path / "nothing")], tmp_path / "r")
    with pytest.raises(EnvironmentProblem, match="not empty"):
        release([str(made / "corpus")], made)
    shutil.copytree(made / "corpus", tmp_path / "corpus", symlinks=True)
    manifest = json.loads((tmp_path / "corpus" / "manifest.json").read_text())
    (tmp_path / "corpus" / "manifest.json").write_text(json.dumps({**manifest, "seconds": 1}))
    with pytest.raises(InputError, match="was changed"):
        release([str(tmp_path / "corpus")], tmp_path / "r")
    (tmp_path / "corpus" / "manifest.json").write_text(json.dumps(seal({**manifest, "recipe": {}})))
    with pytest.raises(InputError, match="not made by a recipe"):
        release([str(tmp_path / "corpus")], tmp_path / "r")
    gone = json.loads((made / "tokens" / "manifest.json").read_text())
    for step in gone["steps"]:
        if step["kind"] == "opened":
            step["parameters"]["source"]["path"] = str(tmp_path / "moved-away")
    with pytest.raises(InputError, match="is gone"):
        runs_in(made / "tokens", gone)
    (tmp_path / "other").mkdir()
    shutil.copytree(made / "corpus", tmp_path / "other" / "corpus", symlinks=True)
    with pytest.raises(CodemillError, match="two runs have the name 'corpus'"):
        release([str(made / "tokens"), str(tmp_path / "other" / "corpus")], tmp_path / "r2")


def test_the_command_says_what_it_made(made: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, "release", str(made / "corpus"), "--out", str(tmp_path / "r"), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told = json.loads(io.StringIO(done.stdout).readline())
    assert told["runs"] == ["corpus"]
    assert told["bytes"] == sum(file.stat().st_size for file in (tmp_path / "r").rglob("*") if file.is_file())
    assert told["unknown"] == []
    assert told["at"] is None


def test_a_release_holds_the_model_its_scores_and_a_way_to_ask_it(made: Path, tmp_path: Path) -> None:
    root = tmp_path / "chain"
    shutil.copytree(made, root, symlinks=True, ignore=shutil.ignore_patterns("r", "paid*"))
    codemill("run", "pretrain:smoke", "--mix", "mix", "--out", "base", cwd=root)
    codemill("evaluate", "base", "--held-out", "corpus/corpus", "--out", "scores", cwd=root)
    released = release([str(root / "base"), str(root / "scores")], tmp_path / "r")
    assert released.evaluations == ("scores",)
    assert released.runs[-1] == "base"
    results = json.loads((tmp_path / "r" / "scores" / "results.json").read_text())
    assert results["held_out"]["all"]["texts"] == 12
    assert json.loads((tmp_path / "r" / "release.json").read_text())["evaluations"] == ["scores"]
    assert any((tmp_path / "r" / "base" / "model" / "checkpoints").glob("step-*/model.safetensors"))
    assert "base/model" not in (tmp_path / "r" / "checksums.txt").read_text()
    said = results["held_out"]["all"]["bits_per_byte"]
    model_card = (tmp_path / "r" / "base" / "model" / "README.md").read_text()
    assert f"| files set aside, bits per byte | {said:.4f} (" in model_card
    assert "From `scores` of the release; in brackets" in model_card
    assert "not measured" not in model_card
    assert "Made from runs of this release, in folders beside this one: `mix`, `tokens`.\n" in model_card
    assert "not measured" in (root / "base" / "model" / "README.md").read_text()
    card = (tmp_path / "r" / "README.md").read_text()
    assert "[scores](scores/)" in card
    assert "| [base](base/) | `pretrain:smoke` | `model` | mix, tokens |" in card
    assert "pip install -c environment.txt 'codemill[web,train]==" in card
    environment = (tmp_path / "r" / "environment.txt").read_text().splitlines()
    assert {f"pyarrow=={version('pyarrow')}", f"torch=={version('torch')}"} <= set(environment)
    assert not any(line.startswith(("codemill", "mypy", "pytest")) for line in environment)
    assert "ask.py" in card
    elsewhere = tmp_path / "moved"
    (tmp_path / "r").rename(elsewhere)
    asked = subprocess.run([sys.executable, str(elsewhere / "ask.py"), "def f"], capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
    shutil.copytree(root / "scores", tmp_path / "again" / "base")
    with pytest.raises(CodemillError, match="two folders have the name 'base'"):
        release([str(root / "base"), str(tmp_path / "again" / "base")], tmp_path / "r2")


def test_a_card_has_scores_as_hubs_read_them() -> None:
    rate = {"bits_per_byte": 0.598, "low": 0.56, "high": 0.635}
    score = {"score": "HumanEval", "k": 1, "over": "all", "value": 8 / 164, "low": 0.025, "high": 0.093}
    suite = {"benchmark": "humaneval_plus", "scores": [score], "bits": {"all": rate}}
    results = {"settings": {"chat": True}, "benchmarks": [suite], "held_out": None}
    card = cards.with_scores(f"---\ntags: [a]\n---\n\n# A\n\n{UNSCORED}\n", "base", {"scores": results})
    _, head, text = card.split("---\n", 2)
    (model,) = yaml.safe_load(head)["model-index"]
    assert model["name"] == "base"
    assert [one["metrics"][0] for one in model["results"]] == [
        {"type": "pass@1", "name": "HumanEval pass@1", "value": 4.878, "verified": False},
        {"type": "bits_per_byte", "name": "humaneval_plus, published answers, bits per byte", "value": 0.598,
         "verified": False},
    ]  # fmt: skip
    assert "asked as a chat" in text
    assert "| HumanEval pass@1 | 4.9 % (2.5 % to 9.3 %) |" in text
    assert UNSCORED not in text


@pytest.mark.parametrize("results", [b"", b"\xff", b"[]", b"{}"])
def test_results_that_cannot_be_read_are_an_error(results: bytes, tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "results.json").write_bytes(results)
    with pytest.raises(InputError, match="the results cannot be read"):
        cards.score(tmp_path, [], ["scores"])


def test_a_local_teacher_is_replayed_by_its_digest() -> None:
    recipe = {"name": "annealing", "parameters": {"corpus": "c", "teacher": "local:/somewhere/smol"}}
    step = {"parameters": {"teacher": {"kind": "Local", "folder": "smol", "digest": "0123456789abcdef"}}}
    command = portable.command(Link("a", Path("/a"), {"recipe": recipe, "steps": [step], "inputs": []}), [])
    assert "--teacher replay:local:sha256:0123456789abcdef" in command
    teacher = named("replay:local:sha256:0123456789abcdef").resolved()
    assert teacher.name == "local:0123456789abcdef:float32"
    with pytest.raises(InputError, match="only the digest is known"):
        named("local:sha256:0123456789abcdef").resolved()


def test_files_that_parameters_name_come_with_it(made: Path, tmp_path: Path) -> None:
    root = tmp_path / "chain"
    shutil.copytree(made / "in", root / "in")
    (root / "stars.csv").write_text("repo,stars\ntoy,7\n")
    (root / "none").mkdir()  # a folder of the name of a choice
    words = ("--input", "in", "--metadata", "stars.csv", "--rules", "none", "--exclude", "x/" + "y" * 300)
    codemill("run", "refinecode", *words, "--out", "starred", cwd=root)
    assert release([str(root / "starred")], tmp_path / "r").unknown == ()
    (carried,) = (tmp_path / "r" / "inputs").glob("starred.*.stars.csv")
    assert carried.read_text() == "repo,stars\ntoy,7\n"
    (line,) = [line for line in (tmp_path / "r" / "rebuild.sh").read_text().splitlines() if "codemill run" in line]
    assert f"--metadata ../inputs/{carried.name}" in line
    assert "--rules none" in line
    link = Link("a", root / "starred", {})
    # two files of one name
    names = {portable.carried(link, str(root / folder / "tasks.jsonl")) for folder in ("one", "two")}
    assert len(names) == 2
    assert all(name.endswith(".tasks.jsonl") for name in names)


def test_a_run_that_only_the_command_names_comes_with_it(made: Path) -> None:
    given = {
        "snippets": str(made / "tokens"),
        "stage1": [f"{made}/corpus:corpus"],
        "budget": 5,
        "name": "",
        "web": None,
    }
    assert runs_in(made / "mix", {"steps": [], "recipe": {"parameters": given}}) == [made / "tokens", made / "corpus"]


def test_a_place_behind_its_kind_is_moved_too(made: Path) -> None:
    links = chain([str(made / "mix")])
    given = ["local:/models/small", f"parquet:{made}/corpus/corpus", "small@http://127.0.0.1:8000/v1", "a:b"]
    moved = ["local:small", "parquet:corpus/corpus", "small@http://127.0.0.1:8000/v1", "a:b"]
    assert portable.moved(given, links[-1], links) == moved
