"""A slot: one keeper, which runs one program after the other; here is its end that may hold secrets."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codemill.errors import EnvironmentProblem
from codemill.sandbox import homes, languages, rungs
from codemill.sandbox.outcome import Limits

PATIENCE = 120.0  # seconds beyond its limits until a keeper that says nothing is taken for dead
ENVIRONMENT = {"PATH": languages.SYSTEM_PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class SlotDied(Exception):
    """The keeper is gone or says nothing."""


@dataclass(frozen=True)
class Run:
    """What one process came to. `killed` names the limit that ended it; `cpu`, `wall` and `waited` are seconds."""

    status: int
    cpu: float
    wall: float
    waited: float
    killed: str | None
    memory: int
    trouble: str
    stdout: bytes
    stderr: bytes
    told: bytes  # what came on the channel of the grader

    @property
    def text(self) -> str:
        """Standard output."""
        return self.stdout.decode("utf-8", "replace")


class Slot:
    """A keeper on a rung. Not for two threads at once."""

    def __init__(self, rung: str, *, python: str | None, folders: Sequence[str], hash_seed: int, site: bool) -> None:
        """Starts the keeper. Raises: EnvironmentProblem if this machine cannot have that rung."""
        self.rung = rung
        self.inbox = bytearray()
        self.resources = contextlib.ExitStack()
        try:
            self._start(python, folders, hash_seed, site)
        except BaseException:
            self.resources.close()
            raise

    def _start(self, python: str | None, folders: Sequence[str], hash_seed: int, site: bool) -> None:
        root = os.geteuid() == 0
        uid = self.resources.enter_context(user()) if root else None
        mounts = self.rung == "bubblewrap"
        chosen, needed = homes.shown(python or rungs.interpreter(reachable=root and not mounts))
        folder = tempfile.mkdtemp(prefix="codemill-sandbox-")
        # Not shutil.rmtree, which is recursive: a keeper that was killed may leave a folder deeper than Python's stack.
        self.resources.callback(subprocess.run, ["rm", "-rf", "--", folder], check=False, stderr=subprocess.DEVNULL)
        os.chmod(folder, 0o711)  # other users may pass, not look
        ours, theirs = socket.socketpair()
        self.control = self.resources.enter_context(ours)
        with theirs:
            start = rungs.start(
                self.rung, python=chosen, folders=[*folders, *needed], folder=folder,
                fd=theirs.fileno(), uid=uid, site=site,
            )  # fmt: skip
            self.process = subprocess.Popen(
                start.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/",
                env={**ENVIRONMENT, "PYTHONHASHSEED": str(hash_seed)}, pass_fds=[theirs.fileno()], umask=0o022,
            )  # fmt: skip
        self.resources.callback(self._end)
        try:
            self.python = str(self._receive(time.monotonic() + PATIENCE)["python"])
        except SlotDied as error:
            self.process.kill()
            assert self.process.stderr is not None
            said = self.process.stderr.read().decode("utf-8", "replace").strip().splitlines()
            raise EnvironmentProblem(said[-1] if said else "the sandbox did not start") from error

    def _end(self) -> None:
        self.control.close()  # the keeper goes when it notices
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def close(self) -> None:
        """Ends the keeper and gives back its user and folder."""
        self.resources.close()

    def open(self, files: Mapping[str, str], limits: Limits) -> None:
        """A fresh folder with these files. Raises: SlotDied, OSError."""
        inodes = max(1024, limits.disk_bytes // 4096)
        self._send({"do": "open", "files": dict(files), "disk_bytes": limits.disk_bytes, "inodes": inodes})
        self._answer()

    def close_folder(self) -> None:
        """Takes the folder away. Raises: SlotDied, OSError."""
        self._send({"do": "close"})
        self._answer()

    def run(
        self, limits: Limits, *, argv: Sequence[str] = (), python: str | None = None, payload: Any = None,
        key: bytes = b"", stdin: bytes = b"", address_space: bool = True, processes: int = 0,
        env: Mapping[str, str] | None = None, compiles: bool = False,
    ) -> Run:  # fmt: skip
        """Runs a command, or Python in one of its ways with a payload and a key. Raises: SlotDied, OSError."""
        cpu = limits.compile_seconds if compiles else limits.cpu_seconds
        tasks = limits.processes + processes
        job = {
            "do": "step",
            "argv": list(argv),
            "python": None if python is None else {"way": python},
            "cpu": cpu,
            "wall": 4 * cpu if compiles else limits.wall,
            "memory": max(limits.memory_bytes, 2 << 30) if compiles else limits.memory_bytes,
            "address_space": limits.memory_bytes if address_space and not compiles else 0,
            "file_bytes": max(limits.file_bytes, 64 << 20) if compiles else limits.file_bytes,
            "open_files": max(limits.open_files, 1024) if compiles else limits.open_files,
            "processes": tasks,
            "tasks": tasks + 8,
            "compiles": compiles,
            "env": {**ENVIRONMENT, **(env or {})},
        }
        with contextlib.ExitStack() as open_here:
            given = [_held(open_here, stdin)]
            read = []
            for _ in range(2 if python is None or python == "script" else 3):
                reader, writer = os.pipe()
                open_here.callback(os.close, reader)
                read.append(reader)
                given.append(writer)
            if python is not None:
                given.insert(3, _held(open_here, json.dumps(payload).encode()))
                if key:
                    reader, writer = os.pipe()
                    os.write(writer, key)
                    os.close(writer)
                    open_here.callback(os.close, reader)
                    given.append(reader)
            try:
                self._send(job, given)
            finally:
                for fd in given[1:3] + ([given[4]] if len(read) == 3 else []):
                    os.close(fd)
            return self._collect(read, job, limits)

    def _collect(self, read: list[int], job: Mapping[str, Any], limits: Limits) -> Run:
        taken: dict[int, bytearray] = {fd: bytearray() for fd in read}
        watched = select.poll()
        for fd in (*read, self.control.fileno()):
            watched.register(fd, select.POLLIN)
        report, asked, pending = None, None, set(read)
        deadline = time.monotonic() + 20 * float(job["wall"]) + PATIENCE
        while report is None or pending:
            ready = watched.poll(1000)
            for fd, _ in ready:
                if fd == self.control.fileno():
                    watched.unregister(fd)
                    report = self._receive(deadline)
                    continue
                data = os.read(fd, 1 << 18)
                if not data:
                    watched.unregister(fd)
                    pending.discard(fd)
                most = 1 << 24 if len(read) == 3 and fd == read[2] else limits.output_bytes
                room = most - len(taken[fd])
                taken[fd] += data[:room]
                if len(data) > room and asked is None and report is None:
                    asked = "output"
                    self._send({"do": "kill", "reason": asked})
            if time.monotonic() > deadline:
                raise SlotDied("no answer")
        if "error" in report:
            raise OSError(report["error"])
        stdout, stderr, told = (bytes(taken[fd]) for fd in (*read, read[0])[:3])
        return Run(
            status=report["status"], cpu=report["cpu"], wall=report["wall"], waited=report["waited"],
            killed=report["killed"] or asked, memory=report["peak"], trouble=report["setup"], stdout=stdout,
            stderr=stderr, told=told if len(read) == 3 else b"",
        )  # fmt: skip

    def _send(self, message: Mapping[str, Any], fds: Sequence[int] = ()) -> None:
        data = json.dumps(message).encode()
        data = struct.pack("I", len(data)) + data
        try:
            sent = socket.send_fds(self.control, [data], list(fds)) if fds else 0
            self.control.sendall(data[sent:])
        except OSError as error:
            raise SlotDied(str(error)) from error

    def _receive(self, deadline: float) -> dict[str, Any]:
        while len(self.inbox) < 4 or len(self.inbox) < 4 + struct.unpack_from("I", self.inbox)[0]:
            self.control.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.control.recv(1 << 16)
            except OSError as error:
                raise SlotDied(str(error)) from error
            finally:
                self.control.settimeout(None)
            if not data:
                raise SlotDied("the keeper ended")
            self.inbox += data
        size = 4 + struct.unpack_from("I", self.inbox)[0]
        message: dict[str, Any] = json.loads(self.inbox[4:size])
        del self.inbox[:size]
        return message

    def _answer(self) -> None:
        answer = self._receive(time.monotonic() + PATIENCE)
        if "error" in answer:
            raise OSError(answer["error"])


def _held(stack: contextlib.ExitStack, data: bytes) -> int:
    """A file in memory with these bytes, to be read from its start."""
    fd = os.memfd_create("codemill", os.MFD_CLOEXEC)
    stack.callback(os.close, fd)
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


@contextlib.contextmanager
def user() -> Iterator[int]:
    """A user id that no other slot of this machine has. Raises: EnvironmentProblem if all are taken."""
    folder = "/run/lock" if os.path.isdir("/run/lock") else tempfile.gettempdir()
    for uid in range(rungs.FIRST_UID, rungs.FIRST_UID + rungs.UIDS):
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(f"{folder}/codemill-sandbox-{uid}.lock", flags, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield uid
            return
        finally:
            os.close(fd)
    raise EnvironmentProblem(f"all {rungs.UIDS} users of sandbox slots are taken", remedy="use fewer workers")
