"""The keeper of a slot: starts one program after the other, holds each to its limits, and lets nothing outlive it.

It is trusted, holds no secrets, and never reads a byte that a program wrote: pipes go from the program to the caller.
What it is told comes over one socket, as JSON with file descriptors:

    open   {files, disk_bytes}           a fresh folder, on a tmpfs of that size where mounts can be made
    step   {argv | python, …limits} + fds   runs one process to its end, then ends all that is left of it
    kill   {reason}                      while a step runs: ends it
    close  {}                            the folder goes

Python programs need no new interpreter: the child of a fork gives up its privileges and becomes the program.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import shutil
import signal
import socket
import stat
import struct
import sys
import time
from typing import Any

from . import confine

TICK = 0.05  # seconds between two looks at memory and disk
AHEAD = 10  # steps of priority by which the keeper of a superuser goes before its programs
PAGE = os.sysconf("SC_PAGE_SIZE")
HERTZ = os.sysconf("SC_CLK_TCK")
Job = dict[str, Any]


class Keeper:
    """One slot. `settings`: rung, uid or None, folder, whether to mount there, what can be read."""

    def __init__(self, control: socket.socket, settings: Job) -> None:
        self.control, self.settings = control, settings
        self.rung, self.uid, self.base = settings["rung"], settings["uid"], settings["folder"]
        self.work = os.path.join(self.base, "work")
        self.alone = os.getpid() == 1  # in a PID namespace of its own: whoever else is there belongs to the program
        self.abi = confine.landlock_abi() if self.rung == "landlock" else 0
        self.inbox = bytearray()
        self.handed: list[int] = []
        self.disk = 0
        self.mounted = False
        self.cpu = 0.0
        self.peak = 0
        self.others = (0.0, 0)  # when the processes of this user were counted, and how many there were
        if settings["mount"]:
            confine.check(int(confine.LIBC.unshare(0x20000)), "unshare(CLONE_NEWNS)")
        if not self.alone:
            confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
        self.nice = os.getpriority(os.PRIO_PROCESS, 0)
        with contextlib.suppress(OSError):  # a keeper must not wait behind the children of a program that fills memory
            os.setpriority(os.PRIO_PROCESS, 0, max(-20, self.nice - AHEAD))
        if self.rung != "rlimits":
            self.filter(False, 0), self.filter(True, 0)  # children inherit what was made before them: 0.14 ms a program

    def serve(self) -> None:
        """Answers until the caller hangs up."""
        self.send({"python": sys.version.split()[0], "landlock": self.abi, "alone": self.alone})
        while True:
            job = self.receive()
            if job is None:
                return
            fds, self.handed = self.handed, []
            try:
                kind = job["do"]
                if kind == "open":
                    self.send(self.open(job))
                elif kind == "step":
                    self.send(self.step(job, fds))
                elif kind == "close":
                    self.send(self.close())
            except OSError as error:
                self.send({"error": f"{type(error).__name__}: {error}"})
            finally:
                for fd in fds:
                    os.close(fd)

    def send(self, message: Job) -> None:
        """Sends one message."""
        data = json.dumps(message).encode()
        self.control.sendall(struct.pack("I", len(data)) + data)

    def receive(self) -> Job | None:
        """The next message; None once the caller is gone. File descriptors that came along are in `handed`."""
        while len(self.inbox) < 4 or len(self.inbox) < 4 + struct.unpack_from("I", self.inbox)[0]:
            data, fds, _, _ = socket.recv_fds(self.control, 1 << 20, 16)
            self.handed += fds
            if not data:
                return None
            self.inbox += data
        size = 4 + struct.unpack_from("I", self.inbox)[0]
        message: Job = json.loads(self.inbox[4:size])
        del self.inbox[:size]
        return message

    def open(self, job: Job) -> Job:
        """Makes the folder and puts the files there."""
        self.close()
        self.disk = job["disk_bytes"]
        if self.settings["mount"]:
            options = f"size={self.disk},nr_inodes={job['inodes']},mode=1777".encode()
            confine.check(
                int(confine.LIBC.mount(b"tmpfs", self.base.encode(), b"tmpfs", 6, options)), "mount of a tmpfs"
            )  # nosuid, nodev
            self.mounted = True
            if self.alone and os.path.isdir("/dev/shm"):
                confine.check(int(confine.LIBC.mount(b"tmpfs", b"/dev/shm", b"tmpfs", 6, options)), "mount of a tmpfs")
        os.mkdir(self.work, 0o700)
        for name, text in job["files"].items():
            path = os.path.join(self.work, name)
            if os.path.dirname(name):
                os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
                file.write(text)
        if self.uid is not None:
            for folder, _, names in os.walk(self.work):
                for path in (folder, *(os.path.join(folder, name) for name in names)):
                    os.chown(path, self.uid, self.uid)
        return {}

    def close(self) -> Job:
        """Takes the folder away, whatever was made in it."""
        if self.mounted:
            for folder in (self.base, "/dev/shm") if self.alone and os.path.isdir("/dev/shm") else (self.base,):
                confine.check(int(confine.LIBC.umount2(folder.encode(), 2)), "umount")
            self.mounted = False
        elif os.path.lexists(self.work):
            _remove(self.work)
        return {}

    def step(self, job: Job, fds: list[int]) -> Job:
        """Runs one process to its end and reports on it."""
        self.cpu, self.peak = 0.0, 0
        job["processes"] = job["processes"] + self.of_this_user()
        told, tell = os.pipe2(os.O_CLOEXEC)
        began = time.monotonic()
        pid = os.fork()
        if pid == 0:
            os.close(told)
            try:
                self.become(job, fds, tell)
            except BaseException as error:
                os.write(tell, f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:2000])
            finally:
                os._exit(126)
        os.close(tell)
        for fd in fds:  # so that the reader sees the end when the program is gone
            os.close(fd)
        fds.clear()
        try:
            reason, delay = self.watch(pid, job, began)
            status = self.reap(pid)
        finally:
            self.end_all()
        trouble = os.read(told, 2000).decode("utf-8", "replace")
        os.close(told)
        return {
            "status": status,
            "cpu": self.cpu,
            "wall": time.monotonic() - began,
            "waited": delay,
            "killed": reason,
            "peak": self.peak * 1024,
            "setup": trouble,
        }

    def become(self, job: Job, fds: list[int], tell: int) -> None:
        """In the child: gives up everything, then becomes the program."""
        os.setsid()
        os.setpriority(os.PRIO_PROCESS, 0, self.nice)
        self.control.close()
        for number, fd in enumerate(fds[:3]):
            os.dup2(fd, number)  # inheritable, the copies in `fds` are not
        os.chdir(self.work)
        landlock = None
        if self.rung == "landlock":
            own = f"/proc/{os.getpid()}"
            landlock = confine.Landlock(
                self.abi, read=[*self.settings["read"], own, *self.settings["files"]], write=[self.work]
            )
        confine.limit(job)
        confine.give_up_privileges(self.uid) if self.rung != "rlimits" or self.uid is not None else None
        if landlock is not None:
            landlock.restrict()
        if self.rung != "rlimits":
            confine.prctl(confine.PR_SET_NO_NEW_PRIVS, 1)
            confine.filter_system_calls(self.filter(job["compiles"], os.getpid()))
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        environment = {**job["env"], "HOME": self.work, "TMPDIR": self.work, "PWD": self.work}
        if job.get("python") is None:
            _close_from(3, keep=(tell,))
            os.execve(job["argv"][0], job["argv"], environment)
        kept = fds[3:]
        _close_from(3, keep=(tell, *kept))
        os.environ.clear()
        os.environ.update(environment)
        os.close(tell)
        _become_python(job["python"], kept)

    def filter(self, compiles: bool, pid: int) -> bytes:
        """The system calls of a program with this process id."""
        shared = self.rung == "landlock" and self.uid is None
        lone = shared and self.abi < 6
        return confine.seccomp_filter(
            families=() if self.rung == "landlock" else (confine.AF_UNIX, confine.AF_INET, confine.AF_INET6),
            beside_others=shared,
            files=shared and not compiles,
            truncate=self.rung == "landlock" and self.abi < 3,
            pid=pid if lone else 0,
        )

    def watch(self, pid: int, job: Job, began: float) -> tuple[str | None, float]:
        """Waits for the end; ends what is over a limit. Returns the reason and the seconds it waited for a core."""
        watched = select.poll()
        handle = os.pidfd_open(pid)
        watched.register(handle, select.POLLIN)
        watched.register(self.control, select.POLLIN)
        reason, delay = None, 0.0
        try:
            while True:
                ready = {fd for fd, _ in watched.poll(TICK * 1000)}
                if handle in ready:
                    return reason, delay
                if self.control.fileno() in ready and reason is None:
                    message = self.receive()
                    if message is None:
                        self.end_all()
                        os._exit(0)
                    reason = message.get("reason", "asked")
                if reason is None:
                    delay = _waited(pid)
                    reason = self.over(job, time.monotonic() - began - delay)
                if reason is not None:
                    self.end(pid)
        finally:
            os.close(handle)

    def over(self, job: Job, awake: float) -> str | None:
        """The limit that the program and all it started are over, if any; `awake` is time less that in a queue."""
        found = self.family()
        if len(found) > job["tasks"]:
            return "processes"
        cpu = resident = 0.0
        for pid in found:
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            cpu += (int(fields[11]) + int(fields[12])) / HERTZ
            resident += int(fields[21]) * PAGE
        if cpu + self.cpu > job["cpu"]:
            return "cpu"
        if awake - cpu > job["wall"]:
            return "wall"
        if resident > job["memory"] and _proportional(found) > job["memory"]:
            return "memory"
        if self.disk and not self.mounted and _used(self.work, self.disk) > self.disk:
            return "disk"
        return None

    def family(self) -> list[int]:
        """The program and what it started, whoever their parent is by now."""
        parents: dict[int, list[int]] = {}
        own = os.getpid()
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == own:
                continue
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            parents.setdefault(parent, []).append(int(name))
        if self.alone:
            return [pid for pids in parents.values() for pid in pids]
        found, waiting = [], [own]
        while waiting:
            children = parents.get(waiting.pop(), [])
            found += children
            waiting += children
        return found

    def reap(self, pid: int) -> int:
        """Waits for one process and adds up what it used. Returns its status, or minus the signal."""
        _, status, used = os.wait4(pid, 0)
        self.cpu += used.ru_utime + used.ru_stime
        self.peak = max(self.peak, used.ru_maxrss)
        return os.waitstatus_to_exitcode(status)

    def end(self, pid: int) -> None:
        """Kills the program, and what it started with it."""
        if self.alone:
            os.kill(-1, signal.SIGKILL)
            return
        for one in (pid, *self.family()):
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def end_all(self) -> None:
        """Kills and reaps until nothing is left: orphans come to this process."""
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is not None:
                self.reap(found.si_pid)
                continue
            if self.alone:
                os.kill(-1, signal.SIGKILL)
            elif self.uid is not None:
                self.end_user()
            else:
                for pid in self.family():  # stopped first, so that none of them can start another
                    _signal(pid, signal.SIGSTOP)
                for pid in self.family():
                    _signal(pid, signal.SIGKILL)
            time.sleep(0.0005)

    def end_user(self) -> None:
        """Kills every process of the slot's user at once, which only that user can do."""
        pid = os.fork()
        if pid == 0:
            try:
                os.setresuid(self.uid, self.uid, self.uid)
                os.kill(-1, signal.SIGKILL)  # all but the caller
            finally:
                os._exit(0)
        os.waitpid(pid, 0)

    def of_this_user(self) -> int:
        """Tasks that count against the limit of processes and are not the program's."""
        if self.uid is not None or self.alone:
            return 1 if self.alone and self.uid is None else 0
        if time.monotonic() - self.others[0] > 1:
            count, user = 0, os.getuid()
            for name in os.listdir("/proc"):
                try:
                    if name.isdigit() and os.stat(f"/proc/{name}").st_uid == user:
                        count += len(os.listdir(f"/proc/{name}/task"))
                except OSError:
                    continue
            self.others = (time.monotonic(), count)
        return self.others[1]


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _close_from(first: int, *, keep: tuple[int, ...]) -> None:
    edge = first
    for fd in sorted(keep):
        os.closerange(edge, fd)
        edge = fd + 1
    os.closerange(edge, 65536)


def _waited(pid: int) -> float:
    """Seconds that the tasks of a process were ready and had no core: the longest of them. 0 where it is not known."""
    longest = 0.0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                longest = max(longest, int(file.read().split()[1]) / 1e9)
    except (OSError, IndexError, ValueError):
        return longest
    return longest


def _proportional(pids: list[int]) -> float:
    """Bytes of memory with shared pages counted once; where the kernel does not say, those of files at least."""
    total = 0
    try:
        for pid in pids:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:")) * 1024
    except (ProcessLookupError, FileNotFoundError):
        return total
    except (OSError, StopIteration):  # of a process that an ordinary user may not look into
        return _files_once(pids)
    return total


def _files_once(pids: list[int]) -> float:
    """Bytes of memory, pages that are shared with a file counted in one process alone."""
    own = shared = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                resident, of_files = map(int, file.read().split()[1:3])
        except (OSError, ValueError):
            continue
        own += resident - of_files
        shared = max(shared, of_files)
    return (own + shared) * PAGE


def _used(folder: str, enough: int) -> int:
    """Bytes that a folder takes on disk, 4 KiB for each name; stops counting at `enough`."""
    total, waiting = 0, [folder]
    while waiting and total <= enough:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    total += 4096 + found.st_blocks * 512
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append(entry.path)
        except OSError:
            continue
    return total


def _remove(folder: str) -> None:
    """Removes a folder that may be very deep, or closed to its owner. Raises: OSError if it is still there."""
    with contextlib.suppress(OSError):  # a few files, as most programs leave: a millisecond less than a program of rm
        names = os.listdir(folder)
        for name in names[:16]:
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
        return
    for command in (["rm", "-rf"], ["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        program = shutil.which(command[0], path="/usr/bin:/bin") or f"/bin/{command[0]}"
        silent = [(os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)]
        os.waitpid(os.posix_spawn(program, [*command, "--", folder], {}, file_actions=silent), 0)
        if not os.path.lexists(folder):
            return
    raise OSError(f"{folder} could not be removed")


def _become_python(what: Job, fds: list[int]) -> None:
    """The child of a fork as a Python program; does not return."""
    from . import by_call, in_process, script

    gc.enable()
    ways = {"by_call": by_call.main, "in_process": in_process.main, "script": script.main}
    ways[what["way"]](fds)


def main() -> None:
    """Serves on the socket that the settings name."""
    settings = json.loads(sys.argv[1])
    from . import by_call, in_process, script  # loaded once; children have them

    for module in (by_call, in_process, script):
        module.preload()
    gc.collect()
    gc.freeze()  # children touch fewer pages
    gc.disable()
    control = socket.socket(fileno=settings["fd"])
    control.set_inheritable(False)
    Keeper(control, settings).serve()
