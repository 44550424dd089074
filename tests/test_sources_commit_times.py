"""Commit times against git itself: what `git log -1 --format=%ct -- PATH` says of each file."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from codemill.sources import Git, _git

from .source_tools import by_path, git, repository

FILES = [f"{folder}{name}" for folder in ("", "dir/", "dir/deep/", "\n") for name in ("a", "b", "c")]


def history(place: Path, seed: int, commits: int, *, parents: int = 2) -> None:
    """A bare repository of random commits, merges and merges of merges, with clocks that go wrong."""
    chosen = random.Random(seed)
    git(place.parent, "init", "-q", "--bare", place.name)
    trees: list[dict[str, str]] = []
    lines: list[str] = []
    for i in range(commits):
        at_most = min(i, chosen.choice([1, 1, 1, parents]))
        mine = chosen.sample(range(max(0, i - 6), i), min(at_most, min(i, 6))) if i else []
        if i == commits - 1:
            mine = list(range(i - parents, i))
        tree = dict(trees[mine[0]]) if mine else {}
        for parent in mine[1:]:
            for name in FILES:  # from either side, as people resolve conflicts and as `git merge -s ours` does
                if chosen.random() < 0.4:
                    tree.pop(name, None)
                    if name in trees[parent]:
                        tree[name] = trees[parent][name]
        for name in FILES:
            if chosen.random() < (0.15 if len(mine) < 2 else 0.05):
                tree[name] = f"{chosen.randrange(4)}"  # few values: changes are undone and made again
            elif chosen.random() < 0.03:
                tree.pop(name, None)
        trees.append(tree)
        time = 1_600_000_000 + 1000 * i + chosen.choice([0, 0, -5000, 500_000]) + i
        lines += [
            f"commit refs/heads/c{i}",
            f"mark :{i + 1}",
            f"committer a <a@example.org> {time} +0000",
            "data 1",
            "x",
        ]
        lines += [f"{'merge' if n else 'from'} :{parent + 1}" for n, parent in enumerate(mine)]
        lines += ["deleteall"]
        for name, value in tree.items():
            mode = "100755" if value == "3" else "100644"
            quoted = '"' + name.replace("\n", "\\n") + '"'
            lines += [f"M {mode} inline {quoted}", f"data {len(value)}", value]
        lines += [""]
    script = "\n".join(lines)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=place, input=script.encode(), check=True)
    git(place, "symbolic-ref", "HEAD", f"refs/heads/c{commits - 1}")


def as_git_says(place: Path, commit: str = "HEAD") -> dict[bytes, int]:
    listed = subprocess.run(["git", "ls-tree", "-r", "-z", "--name-only", commit], cwd=place, capture_output=True)
    names = listed.stdout.decode().split("\0")[:-1]
    said = {n: git(place, "--literal-pathspecs", "log", "-1", "--format=%ct", commit, "--", n) for n in names}
    return {os.fsencode(name): int(time) for name, time in said.items()}


def ours(place: Path, revision: str = "HEAD") -> dict[bytes, int]:
    found = _git.locate(str(place), str(place))
    assert found is not None
    commit = _git.resolve(found, revision)
    assert commit is not None
    return dict(_git.commit_times(found, commit))


@pytest.mark.parametrize("seed", range(12))
def test_histories_with_merges(tmp_path: Path, seed: int) -> None:
    history(tmp_path / "x.git", seed, 40)
    assert ours(tmp_path / "x.git") == as_git_says(tmp_path / "x.git")


@pytest.mark.parametrize("seed", range(4))
def test_histories_with_merges_of_many(tmp_path: Path, seed: int) -> None:
    history(tmp_path / "x.git", seed, 25, parents=5)
    assert ours(tmp_path / "x.git") == as_git_says(tmp_path / "x.git")


def test_a_side_branch_that_was_merged_later_and_one_that_was_not_taken(tmp_path: Path) -> None:
    place = tmp_path / "repo"
    repository(place, {"same": b"0\n", "theirs": b"0\n", "ours": b"0\n"}, date="2020-01-01T00:00:00+00:00")
    git(place, "checkout", "-q", "-b", "side")
    repository(place, {"theirs": b"1\n", "ours": b"1\n"}, date="2020-06-01T00:00:00+00:00")
    git(place, "checkout", "-q", "main")
    repository(place, {"same": b"1\n"}, date="2020-03-01T00:00:00+00:00")
    git(place, "merge", "-q", "--no-commit", "side", date="2020-09-01T00:00:00+00:00")
    (place / "ours").write_bytes(b"0\n")  # the side's change is not taken
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "merge", date="2020-09-01T00:00:00+00:00")
    times = {p: r["commit_time"].strftime("%Y-%m") for p, r in by_path(Git(str(tmp_path))).items()}
    assert times == {"same": "2020-03", "theirs": "2020-06", "ours": "2020-01"}
    assert ours(place) == as_git_says(place)


def test_both_sides_made_the_same_change(tmp_path: Path) -> None:
    """git follows the first parent, also where the second one had the change earlier."""
    place = tmp_path / "repo"
    repository(place, {"a": b"0\n", "b": b"0\n"}, date="2020-01-01T00:00:00+00:00")
    git(place, "checkout", "-q", "-b", "side")
    repository(place, {"a": b"1\n"}, date="2020-02-01T00:00:00+00:00")
    git(place, "checkout", "-q", "main")
    repository(place, {"a": b"1\n"}, date="2020-03-01T00:00:00+00:00")
    git(place, "merge", "-q", "side", "-m", "merge", date="2020-04-01T00:00:00+00:00")
    assert ours(place) == as_git_says(place)
    assert ours(place)[b"a"] == int(git(place, "log", "-1", "--format=%ct", "main~1"))


def test_a_history_that_cannot_be_read_gives_what_it_can(tmp_path: Path) -> None:
    place = tmp_path / "repo"
    repository(place, {"old": b"0\n"}, date="2020-01-01T00:00:00+00:00")
    repository(place, {"middle": b"0\n"}, date="2020-02-01T00:00:00+00:00")
    first = git(place, "rev-parse", "HEAD~1")
    repository(place, {"new": b"0\n"})
    (place / ".git" / "objects" / first[:2] / first[2:]).unlink()
    assert set(ours(place)) <= {b"new", b"middle", b"old"}
    assert {r["reason"] for r in by_path(Git(str(tmp_path))).values()} == {None}


def test_an_old_git_is_refused_instead_of_giving_no_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\necho git version 2.25.1\n")
    program.chmod(0o755)
    monkeypatch.setattr(_git, "program", lambda: str(program))
    with pytest.raises(_git.EnvironmentProblem, match=r"need git 2.31 or newer, this is 2.25"):
        _git._require_version.__wrapped__()
