"""Repositories that mean harm, or only look like it. Nothing in them may run, or open another one."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from codemill.sources import Folder, Git

from .source_tools import git, reasons, repository, rows


def trap(place: Path, git_directory: Path) -> Path:
    """Fills a repository's configuration with programs to run; returns the file that any of them would create."""
    sprung = place / "sprung"
    program = place / "program"
    program.write_text(f"#!/bin/sh\ntouch {sprung}\ncat\n")
    program.chmod(0o755)
    (git_directory / "config").write_text(
        textwrap.dedent(f"""\
        [core]
            repositoryformatversion = 1
            bare = {str(git_directory.suffix == ".git").lower()}
            fsmonitor = {program}
            sshCommand = {program}
            gitProxy = {program}
            pager = {program}
            editor = {program}
            hooksPath = {place}
            attributesFile = {place}/attributes
            alternateRefsCommand = {program}
        [diff]
            external = {program}
        [diff "x"]
            textconv = {program}
            command = {program}
        [filter "x"]
            smudge = {program}
            clean = {program}
            process = {program}
            required = true
        [pager]
            log = {program}
        [log]
            showSignature = true
        [gpg]
            program = {program}
        [credential]
            helper = {program}
        [alias]
            log = !{program}
            ls-tree = !{program}
            cat-file = !{program}
            rev-parse = !{program}
        [uploadpack]
            packObjectsHook = {program}
        [extensions]
            partialClone = origin
        [remote "origin"]
            url = ext::{program}
            promisor = true
            uploadpack = {program}
            vcs = {program}
        [protocol]
            allow = always
        [protocol "ext"]
            allow = always
        [include]
            path = {place}/included
        """)
    )
    (git_directory / "hooks").mkdir(exist_ok=True)
    for hook in ("post-checkout", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(program, git_directory / "hooks" / hook)
    (git_directory / "info").mkdir(exist_ok=True)
    (git_directory / "info" / "attributes").write_text("* diff=x filter=x\n")
    return sprung


def test_nothing_in_a_repository_runs(tmp_path: Path) -> None:
    original = tmp_path / "root" / "original"
    repository(original, {"a.py": b"1\n", "b.py": b"2\n", "gone.py": b"3\n"})
    signed = git(original, "cat-file", "commit", "HEAD").replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n", 1
    )
    (tmp_path / "commit").write_text(signed + "\n")
    id = git(original, "hash-object", "-t", "commit", "-w", str(tmp_path / "commit"))
    git(original, "update-ref", "HEAD", id)
    git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", "root/original", "bare.git")
    blob = git(original, "rev-parse", "HEAD:gone.py")
    for objects in (original / ".git" / "objects", tmp_path / "bare.git" / "objects"):
        (objects / blob[:2] / blob[2:]).unlink()  # missing in a partial clone: git would fetch it
    sprung = trap(tmp_path, original / ".git")
    assert {r["commit_time"] is None for r in rows(Folder(str(tmp_path / "root")))} == {False}
    trap(tmp_path, tmp_path / "bare.git")
    assert reasons(Git(str(tmp_path / "bare.git"))) == {"a.py": None, "b.py": None, "gone.py": "missing"}
    assert reasons(Git(str(tmp_path / "bare.git"), revision="HEAD~0"))["a.py"] is None
    assert not sprung.exists()
    # The trap is a real one: git itself, run there without care, springs it.
    subprocess.run(
        ["git", "-c", "safe.directory=*", "log", "-1", "--format=%H", "--name-only"],
        cwd=tmp_path / "bare.git",
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        check=False,
    )
    assert sprung.exists()


def test_a_repository_cannot_open_another_one(tmp_path: Path) -> None:
    repository(tmp_path / "private", {"secret.py": b"secret\n"})
    head = git(tmp_path / "private", "rev-parse", "HEAD")
    root = tmp_path / "root"
    for name in ("gitfile", "link", "alternates", "objects", "commondir"):
        (root / name).mkdir(parents=True)
        (root / name / "a.py").write_bytes(b"1\n")
    private = tmp_path / "private" / ".git"
    (root / "gitfile" / ".git").write_text(f"gitdir: {private}\n")
    os.symlink(private, root / "link" / ".git")
    for name in ("alternates", "objects", "commondir"):
        git(root / name, "init", "-q")
        (root / name / ".git" / "refs" / "heads" / "main").write_text(head + "\n")
    (root / "alternates" / ".git" / "objects" / "info" / "alternates").write_text(f"{private}/objects\n")
    shutil.rmtree(root / "objects" / ".git" / "objects")
    os.symlink(private / "objects", root / "objects" / ".git" / "objects")
    (root / "commondir" / ".git" / "commondir").write_text(f"{private}\n")
    source = Folder(str(root))
    assert {(r["repo"], r["revision"]) for r in rows(source)} == {(p.name, None) for p in root.iterdir()}
    _, note = source.list().notes
    assert note.startswith("5 repositories without a usable .git inside the root, so without a revision: alternates, ")
    mirrors = tmp_path / "mirrors"
    mirrors.mkdir()
    git(mirrors, "clone", "-q", "--bare", "--shared", str(tmp_path / "private"), "x.git")
    assert [(r["path"], r["reason"]) for r in rows(Git(str(mirrors)))] == [(".", "outside")]
    inside = {(r["repo"], r["path"]) for r in rows(Git(str(tmp_path)))}  # the other one is below this root
    assert {("mirrors/x", "secret.py"), ("private", "secret.py")} <= inside


@pytest.mark.parametrize(
    "head", ["ref: ../../../../etc/passwd", "ref: refs/../../../secret", "ref: HEAD", "-x", "", "\xff" * 100]
)
def test_odd_heads_name_no_revision(tmp_path: Path, head: str) -> None:
    repository(tmp_path / "root" / "r", {"a.py": b"1\n"})
    (tmp_path / "secret").write_text("0" * 40)
    (tmp_path / "root" / "r" / ".git" / "HEAD").write_text(head)
    assert [(r["path"], r["revision"]) for r in rows(Folder(str(tmp_path / "root")))] == [("a.py", None)]


def test_a_git_bomb_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten levels of ten times the same tree: 10 objects, 10^10 files."""
    monkeypatch.setattr("codemill.sources._git.MAX_FILES", 5000)
    git(tmp_path, "init", "-q", "--bare", "bomb.git")
    bare = tmp_path / "bomb.git"
    (tmp_path / "blob").write_bytes(b"1\n")
    id, kind = git(bare, "hash-object", "-w", str(tmp_path / "blob")), "100644 blob"
    for _ in range(10):
        entries = "".join(f"{kind} {id}\tf{i}\n" for i in range(10))
        done = subprocess.run(["git", "mktree"], cwd=bare, input=entries, capture_output=True, text=True, check=True)
        id, kind = done.stdout.strip(), "040000 tree"
    commit = git(bare, "commit-tree", "-m", "bomb", id)
    git(bare, "update-ref", "refs/heads/main", commit)
    found = rows(Git(str(bare)))
    assert len(found) == 5001
    assert (found[-1]["path"], found[-1]["reason"]) == (".", "too_many_files")
