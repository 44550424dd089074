"""Runs one command and measures it: wall time, peak memory of the whole process tree, and what became of it.

Memory is anonymous plus shared memory (not the page cache), read every 10 ms from a memory cgroup made for the run,
so that all processes count once and none is missed. The same group enforces a cap. Both versions of cgroups work
where they may be written (root, or a delegated group); elsewhere times are measured and memory is not.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_numbers = itertools.count()


@dataclass(frozen=True)
class Run:
    """One run. `outcome`: ok | killed (out of memory, by the kernel) | failed (by itself; `detail` says how)."""

    seconds: float
    cpu_seconds: float  # user and system time of all processes: steadier than `seconds` on a busy machine
    peak_bytes: int | None  # None = no cgroup to measure with
    outcome: str
    detail: str = ""


@dataclass(frozen=True)
class Group:
    """A memory cgroup of our own. `version` 1 or 2."""

    path: Path
    version: int

    def limit(self, cap: int) -> None:
        """Sets the ceiling, swap included."""
        names = ("memory.max",) if self.version == 2 else ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        for name in names:
            if (self.path / name).exists():  # without swap accounting there is no memsw
                (self.path / name).write_text(str(cap))
        if self.version == 2 and (self.path / "memory.swap.max").exists():
            (self.path / "memory.swap.max").write_text("0")

    def used(self) -> int:
        """Bytes of anonymous and shared memory now."""
        facts = dict(line.split() for line in (self.path / "memory.stat").read_text().splitlines())
        names = ("anon", "shmem") if self.version == 2 else ("total_rss", "total_shmem")
        return sum(int(facts.get(name, 0)) for name in names)

    def kills(self) -> int:
        """How many processes the kernel has killed for lack of memory."""
        file = self.path / ("memory.events" if self.version == 2 else "memory.oom_control")
        return int(dict(line.split() for line in file.read_text().splitlines()).get("oom_kill", 0))

    def stop(self) -> None:
        """Ends every process left in the group."""
        for _ in range(100):
            left = (self.path / "cgroup.procs").read_text().split()
            if not left:
                return
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.05)


@contextlib.contextmanager
def group() -> Iterator[Group | None]:
    """A new group, removed at the end; None where groups cannot be made."""
    for root, version in ((Path("/sys/fs/cgroup"), 2), (Path("/sys/fs/cgroup/memory"), 1)):
        controllers = root / "cgroup.controllers"
        if version == 2 and not (controllers.exists() and "memory" in controllers.read_text().split()):
            continue
        made = Group(root / f"codemill-bench-{os.getpid()}-{next(_numbers)}", version)
        try:
            made.path.mkdir()
        except OSError:
            continue
        if (made.path / "memory.stat").exists():
            try:
                yield made
            finally:
                made.stop()
                made.path.rmdir()
            return
        made.path.rmdir()
    yield None


def _cpu() -> float:
    """Seconds used so far by children that have ended, and by theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(command: list[str], *, cores: int, cap: int | None = None, timeout: float = 1800) -> Run:
    """Runs a command on the first `cores` CPUs, under `cap` bytes of memory if given."""
    os.sync()  # what earlier runs wrote must not be flushed at this one's cost
    with group() as within:
        if cap is not None:
            if within is None:
                return Run(0.0, 0.0, None, "skipped", "no memory cgroup can be made here to enforce a cap")
            within.limit(cap)
        peak = [0]
        done = threading.Event()

        def enter() -> None:
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
            if within is not None:
                (within.path / "cgroup.procs").write_text(str(os.getpid()))

        def sample() -> None:
            while within is not None and not done.wait(0.01):
                peak[0] = max(peak[0], within.used())

        sampler = threading.Thread(target=sample)
        sampler.start()
        started, used = time.monotonic(), _cpu()
        try:
            with subprocess.Popen(
                command, preexec_fn=enter, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ) as child:
                try:
                    said, _ = child.communicate(timeout=timeout)
                except BaseException as error:  # out of time, or this process was told to stop
                    if within is not None:
                        within.stop()
                    child.kill()
                    if not isinstance(error, subprocess.TimeoutExpired):
                        raise
                    said, _ = child.communicate()
                    said += f"\nstopped after {timeout:.0f} s"
            seconds, cpu = time.monotonic() - started, _cpu() - used
        finally:
            done.set()
            sampler.join()
        kills = within.kills() if within is not None else 0
        lines = [line for line in said.splitlines() if line.strip()] or [""]
        outcome = "ok" if child.returncode == 0 else "killed" if kills else "failed"
        detail = "" if outcome == "ok" else f"exit {child.returncode}: {lines[-1][:300]}"
        return Run(seconds, cpu, peak[0] if within is not None else None, outcome, detail)
