"""Reading git repositories that nobody vouches for: objects and commit times, and nothing ever runs.

A repository's own configuration can name programs that git starts (`core.fsmonitor`, `gpg.program`,
`core.sshCommand`, a promisor remote that fetches what is missing …). Listing them all would be a race against git's
releases, so git never sees that configuration: each call gets a directory of our own as `GIT_DIR`, with three lines of
configuration, and of the repository only its object store. Refs are read here, in Python.

Not covered: errors in git's own parser of objects and packs; refs kept as `reftable` (the repository is then reported
as having no such revision).
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import resource
import shutil
import stat
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, islice
from typing import NamedTuple

from codemill.errors import EnvironmentProblem

MAX_FILES = 1_000_000
"""Files of one revision that are listed. Few real ones come near; a "git bomb" of 1 KB unfolds to billions."""

MAX_LOG_NAMES = 50_000_000
"""Names of changed files that are read from one history; the times of files not met until then are unknown."""

MAX_OCTOPUSES = 2000
"""Parents of merges of three and more that are looked at one by one; of further ones the last is taken."""

MAX_MEMORY = 2 << 30
"""Bytes that a git command may take. Comparing two trees holds every difference: a "git bomb" has billions."""

_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REVISION = re.compile(r"(?P<base>[^~^:@{}\s\\*?\[]+)(?P<steps>(?:[~^]\d*)*)")


@dataclass(frozen=True)
class Repository:
    """Where a repository's data lies. The two differ for a linked worktree only."""

    git: str  # holds HEAD
    common: str  # holds objects and refs


@dataclass(frozen=True)
class Entry:
    """A file of a revision. `size` is None unless it is a blob whose header can be read."""

    mode: str
    id: str
    size: int | None
    path: bytes


def locate(directory: str, within: str) -> Repository | None:
    """The repository of a checkout (its `.git`) or the bare one that a directory is, if any.

    None also if any of its data lies outside `within` (a gitfile, a link, an alternate object store): what a
    directory says about itself must not open another one.
    """
    dot = os.path.join(directory, ".git")
    git = dot if os.path.lexists(dot) else directory
    if os.path.isfile(git):
        pointer = _first_line(git)
        if pointer is None or not pointer.startswith("gitdir: "):
            return None
        git = os.path.join(directory, pointer[len("gitdir: ") :])
    common = git
    if pointer := _first_line(os.path.join(git, "commondir")):
        common = os.path.join(git, pointer)
    if not (os.path.isfile(os.path.join(git, "HEAD")) and os.path.isdir(os.path.join(common, "objects"))):
        return None
    parts = [os.path.join(git, "HEAD")]
    parts += [os.path.join(common, p) for p in ("objects", "objects/pack", "objects/info", "refs", "packed-refs")]
    inside = os.path.realpath(within)
    if not all(_is_inside(p, inside) for p in [git, common, *parts]) or not _alternates_inside(common, inside):
        return None
    return Repository(os.path.abspath(git), os.path.abspath(common))


def looks_bare(directory: str) -> bool:
    """Whether a directory has the shape of a bare repository."""
    return os.path.isfile(os.path.join(directory, "HEAD")) and all(
        os.path.isdir(os.path.join(directory, name)) for name in ("objects", "refs")
    )


def _is_inside(path: str, inside: str) -> bool:
    real = os.path.realpath(path)
    return real == inside or real.startswith(inside.rstrip("/") + "/")


def _alternates_inside(common: str, inside: str) -> bool:
    waiting, seen = [os.path.join(common, "objects")], set()
    while waiting:
        store = waiting.pop()
        seen.add(os.path.realpath(store))
        listed = os.path.join(store, "info", "alternates")
        if not os.path.lexists(listed):
            continue
        text = _small_file(listed, 1 << 16)
        if text is None or not _is_inside(listed, inside):
            return False
        for line in text.splitlines():
            other = os.path.join(store, line)
            if line.startswith('"') or not _is_inside(other, inside):
                return False
            if line and not line.startswith("#") and os.path.realpath(other) not in seen:
                waiting.append(other)
    return True


def _small_file(path: str, most: int) -> str | None:
    """The text of a regular file of at most `most` bytes; None if it is anything else."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        data = file.read(most + 1)
    return os.fsdecode(data) if len(data) <= most else None


def _first_line(path: str) -> str | None:
    text = _small_file(path, 4096)
    return None if text is None else text.partition("\n")[0].strip()


def resolve(repository: Repository, revision: str = "HEAD") -> str | None:
    """The object id that a revision names: HEAD, a branch, tag or other ref, an id (also abbreviated), with `~n ^n`.

    None if there is no such revision, as in a repository without commits.
    """
    match = _REVISION.fullmatch(revision)
    if match is None:
        return None
    base, steps = match["base"], match["steps"]
    found = _read_ref(repository, base)
    if _OBJECT_ID.fullmatch(found or "") and base == "HEAD" and not steps:
        return found
    if found is None and not re.fullmatch(r"[0-9a-f]{4,64}", base):
        return None
    answer = run(repository, ["rev-parse", "--verify", "--quiet", f"{found or base}{steps}^{{commit}}"])
    return answer.decode().strip() or None


def _read_ref(repository: Repository, name: str) -> str | None:
    for full in (name, f"refs/{name}", f"refs/tags/{name}", f"refs/heads/{name}", f"refs/remotes/{name}"):
        if full == name and not (name == "HEAD" or name.startswith("refs/")):
            continue
        found: str | None = full
        for _ in range(6):  # HEAD → refs/heads/main; git itself follows five
            if found is None or _OBJECT_ID.fullmatch(found):
                break
            found = _follow(repository, found)
        if found is not None and _OBJECT_ID.fullmatch(found):
            return found
    return None


def _follow(repository: Repository, name: str) -> str | None:
    if ".." in name.split("/") or not (name == "HEAD" or name.startswith("refs/")):
        return None
    line = _first_line(os.path.join(repository.git if name == "HEAD" else repository.common, name))
    if line is not None:
        return line[len("ref: ") :].strip() if line.startswith("ref: ") else line
    packed = os.path.join(repository.common, "packed-refs")
    wanted = os.fsencode(name)
    with contextlib.suppress(FileNotFoundError), open(packed, "rb") as file:
        for entry in iter(lambda: file.readline(4096), b""):
            id, _, ref = entry.rstrip(b"\n").partition(b" ")
            if ref == wanted:
                return id.decode("ascii", "replace")
    return None


def why_none(repository: Repository, revision: str = "HEAD") -> str:
    """Why `resolve` finds nothing, in words. For anything but HEAD: the revision that was asked for."""
    if revision != "HEAD":
        return revision
    if _is_empty(repository):
        return "no commits"
    line = _first_line(os.path.join(repository.git, "HEAD")) or ""
    target = line.removeprefix("ref: ").strip()
    if line.startswith("ref: refs/") and target.isprintable() and len(target) < 256:
        return f"HEAD names {target}, which is not there"
    return "HEAD names nothing"


def _is_empty(repository: Repository) -> bool:
    """Whether HEAD names a branch that has no commit yet, and there is no other ref."""
    line = _first_line(os.path.join(repository.git, "HEAD")) or ""
    packed = os.path.join(repository.common, "packed-refs")
    listed = _small_file(packed, 4096) if os.path.lexists(packed) else ""
    loose = any(files for _, _, files in os.walk(os.path.join(repository.common, "refs")))
    if listed is None or loose:
        return False
    return line.startswith("ref: refs/") and all(text.startswith("#") for text in listed.splitlines())


@contextlib.contextmanager
def _isolated(repository: Repository) -> Iterator[dict[str, str]]:
    """The environment of a git command that sees the repository's objects and nothing else of it."""
    id = _read_ref(repository, "HEAD")
    sha256 = id is not None and len(id) == 64
    shallow = _small_file(os.path.join(repository.common, "shallow"), 64 << 20)
    with tempfile.TemporaryDirectory(prefix="codemill-git-") as place:
        os.mkdir(os.path.join(place, "objects"))
        os.mkdir(os.path.join(place, "refs"))
        files = {
            "HEAD": "ref: refs/heads/none\n",
            "config": f"[core]\nrepositoryformatversion = {int(sha256)}\nbare = true\n"
            + ("[extensions]\nobjectFormat = sha256\n" if sha256 else ""),
        }
        if shallow and all(_OBJECT_ID.fullmatch(line) for line in shallow.split()):
            files["shallow"] = shallow
        for name, text in files.items():
            with open(os.path.join(place, name), "w") as file:
                file.write(text)
        yield {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": place,
            "LC_ALL": "C",
            "GIT_DIR": place,
            "GIT_OBJECT_DIRECTORY": os.path.join(repository.common, "objects"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
        }


@contextlib.contextmanager
def started(repository: Repository, arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A running git command, with pipes for input and output; killed on leaving if it has not ended.

    Raises: EnvironmentProblem if there is no git.
    """
    # An index or a commit graph only saves time, and is one more thing that can be forged.
    options = ["--no-pager", "-c", "core.commitGraph=false", "-c", "core.multiPackIndex=false"]
    with _isolated(repository) as environment:
        process = subprocess.Popen(
            [program(), *options, *arguments],
            env=environment,
            cwd=environment["GIT_DIR"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=1 << 17,
        )
        if hasattr(resource, "prlimit"):  # Linux; set from outside, as code between fork and exec is not thread-safe
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
        try:
            yield process
        finally:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    if pipe is not None:
                        pipe.close()
            process.wait()


@functools.cache
def program() -> str:
    """The path of git. Raises: EnvironmentProblem if it is not installed."""
    found = shutil.which("git")
    if found is None:
        raise EnvironmentProblem("there are git repositories to read, but no git", remedy="install git")
    return found


@functools.cache
def _require_version() -> None:
    """Raises: EnvironmentProblem if git cannot show merges as they are needed: it would give no times, silently."""
    said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"(\d+)\.(\d+)", said)
    if match is not None and (int(match[1]), int(match[2])) < (2, 31):
        raise EnvironmentProblem(
            f"commit times need git 2.31 or newer, this is {match[0]}", remedy="update git, or say commit_times=False"
        )


def run(repository: Repository, arguments: list[str]) -> bytes:
    """The output of a git command that says little; empty if it fails."""
    with started(repository, arguments) as process:
        output, _ = process.communicate()
        return output if process.returncode == 0 else b""


def _fields(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """The NUL-separated fields of a command's output, as they come."""
    assert process.stdout is not None
    rest = b""
    while chunk := process.stdout.read1(1 << 16):  # type: ignore[attr-defined]
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest


def entries(repository: Repository, commit: str) -> Iterator[Entry | str]:
    """The files of a commit, sorted by path bytewise. Then, if not all could be listed, why: a reason."""
    with started(repository, ["ls-tree", "-r", "-z", "-l", "--full-tree", commit]) as process:
        for number, field in enumerate(_fields(process)):
            if number == MAX_FILES:
                yield "too_many_files"
                return
            facts, tab, path = field.partition(b"\t")
            words = facts.split()
            if not tab or len(words) != 4:
                yield "corrupt"
                return
            mode, _, id, size = (word.decode("ascii", "replace") for word in words)
            yield Entry(mode, id, int(size) if size.isdigit() else None, path)
        if process.wait() != 0:
            yield "corrupt"


GROUP = 32
"""Ids that are sent to git at once."""


class Objects:
    """Blobs read in the order in which they were asked for, through one `git cat-file --batch`.

    git ends at an object that it cannot read; it is then started again for the ones after it. At most a few dozen
    requests may be open, so that they fit into the pipe.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._asked: deque[str] = deque()
        self._unsent: list[str] = []
        self._running = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def ask(self, id: str) -> None:
        """Asks for a blob."""
        self._asked.append(id)
        self._unsent.append(id)
        if len(self._unsent) == GROUP:
            self._send()

    def _send(self) -> None:
        if self._process is None:
            self._process = self._running.enter_context(started(self._repository, ["cat-file", "--batch"]))
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: the next answer will say so
            self._process.stdin.write("".join(f"{id}\n" for id in self._unsent).encode())
            self._process.stdin.flush()
        self._unsent = []

    def next(self, size: int) -> bytes | str:
        """The next blob asked for, which must have this size; or why there is none: "missing" or "corrupt"."""
        if len(self._asked) == len(self._unsent):
            self._send()
        id = self._asked.popleft()
        assert self._process is not None
        assert self._process.stdout is not None
        words = self._process.stdout.readline(256).split()
        if words == [id.encode(), b"missing"]:
            return "missing"
        if words == [id.encode(), b"blob", str(size).encode()]:
            data = self._process.stdout.read(size + 1)
            if len(data) == size + 1:
                return data[:-1]
        self._running.close()
        self._process = None
        self._unsent = list(self._asked)
        return "corrupt"


@functools.lru_cache(maxsize=2)
def commit_times(repository: Repository, commit: str) -> Mapping[bytes, int]:
    """For each file of a commit, when the last commit that changed it was made: what `git log -1 --format=%ct -- PATH`
    says, with git's default simplification of history, in one pass over the history for all files.

    So a file is followed backwards from the commit: where it is as in one of the parents, to the first such parent;
    where it is as in none, the change is found. A merge that took a file from one side has not changed it, and a side
    branch whose change was not taken does not count. A changed mode is a change; renames are not followed. In a shallow
    clone the oldest commits have made all files they have.

    Unit: seconds since 1970. Null: a file is missing if its history cannot be read.
    Raises: EnvironmentProblem if git is older than 2.31.
    """
    _require_version()
    files = set()
    for entry in entries(repository, commit):
        if entry == "too_many_files":
            return {}
        if isinstance(entry, Entry):
            files.add(entry.path)
    times: dict[bytes, int] = {}
    held = {commit.encode(): files}  # files that are followed, by the commit they have come to: each file once

    def move(paths: set[bytes], parent: bytes) -> None:
        there = held.get(parent, set())
        more, fewer = (there, paths) if len(there) > len(paths) else (paths, there)
        more |= fewer
        if more:
            held[parent] = more

    with _log(repository, commit, "--diff-merges=first-parent") as history, _Merges(repository, commit) as merges:
        for made, names in history:
            if not held:
                break
            mine = held.pop(made.id, None)
            if not mine:
                continue
            changed = {name for name in names if name in mine}
            mine -= changed
            if made.parents:
                move(mine, made.parents[0])
            if len(made.parents) > 1 and changed:
                changed = merges.split(made, changed, move)
            times.update(dict.fromkeys(changed, made.time))
    return times


class _Commit(NamedTuple):
    id: bytes
    time: int
    parents: tuple[bytes, ...]


_HEADER = re.compile(rb"\x01([0-9a-f]{40,64}) (\d+) ([0-9a-f ]*)")


@contextlib.contextmanager
def _log(repository: Repository, commit: str, *options: str) -> Iterator[Iterator[tuple[_Commit, Iterator[bytes]]]]:
    """The history from a commit on, children before parents: each commit and the names of what it changed."""
    arguments = ["log", "--topo-order", "--format=%x01%H %ct %P", "-z", "--name-only", "--no-renames", "--no-ext-diff"]
    arguments += ["--no-textconv", "--no-show-signature", "--no-mailmap", "--no-color", *options, commit, "--"]
    with started(repository, arguments) as process:
        yield _commits(islice(_fields(process), MAX_LOG_NAMES))


def _commits(fields: Iterator[bytes]) -> Iterator[tuple[_Commit, Iterator[bytes]]]:
    number = 0

    def ordinal(field: bytes) -> int:
        nonlocal number
        number += field.startswith(b"\x01") and _HEADER.fullmatch(field) is not None
        return number

    for _, group in groupby(fields, ordinal):
        header = _HEADER.fullmatch(next(group))
        if header is None:
            return
        made = _Commit(header[1], int(header[2]), tuple(header[3].split()))
        yield made, (name if i else name.removeprefix(b"\n") for i, name in enumerate(group))


class _Merges:
    """What merges took from where: a second `git log`, of merges only, read beside the first one."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self._repository, self._commit = repository, commit
        self._running = contextlib.ExitStack()
        self._history: Iterator[tuple[_Commit, Iterator[bytes]]] | None = None
        self._octopuses = 0

    def __enter__(self) -> _Merges:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def split(self, merge: _Commit, changed: set[bytes], move: Callable[[set[bytes], bytes], None]) -> set[bytes]:
        """Those of some files that are as in none of the parents. The others, not as in the first, are moved on."""
        if self._history is None:
            self._history = self._running.enter_context(_log(self._repository, self._commit, "--merges", "-c"))
        for made, names in self._history:
            if made.id == merge.id:
                made_here = {name for name in names if name in changed}
                break
        else:
            return set()  # it cannot be read on: unknown
        taken = changed - made_here
        for parent in merge.parents[1:-1]:
            differ = self._differ(parent, merge.id, taken)
            move(taken - differ, parent)
            taken = differ
        move(taken, merge.parents[-1])
        return made_here

    def _differ(self, parent: bytes, merge: bytes, names: set[bytes]) -> set[bytes]:
        """Which of some files are not as in one parent: for a merge of three and more, so hardly ever."""
        self._octopuses += 1
        if not names or self._octopuses > MAX_OCTOPUSES:
            return names
        arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff"]
        with started(self._repository, [*arguments, parent.decode(), merge.decode(), "--"]) as process:
            return {name for name in islice(_fields(process), MAX_LOG_NAMES) if name in names}
