"""The ladder: which way of confining a program this machine has. Probed by running a program that tries to get out.

bubblewrap   namespaces: its own file system, processes, network and users; seccomp; a user of its own as root
landlock     files by Landlock, sockets and the rest by seccomp; a user of its own as root
rlimits      limits only: files and network are open. Never taken unless it is asked for by name
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codemill.errors import EnvironmentProblem, RecipeError, did_you_mean
from codemill.sandbox.guest import confine

RUNGS = ("bubblewrap", "landlock", "rlimits")
SAFE = RUNGS[:2]
GUEST = Path(__file__).parent / "guest"
INSIDE = "/run/codemill"
BOOT = (
    "import sys; sys.path[:] = [p for p in sys.path if p]; sys.path.insert(0, sys.argv[2]); "
    "from guest import keeper; del sys.path[0]; keeper.main()"
)
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
CONFIGURATION = (
    "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime",
    "/etc/mime.types", "/etc/java-17-openjdk", "/etc/java-21-openjdk", "/etc/java-11-openjdk", "/etc/R", "/etc/mono",
    "/etc/perl", "/etc/ssl/openssl.cnf", "/var/lib/ghc/package.conf.d",
)  # fmt: skip
MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu")
FIRST_UID, UIDS = 60720, 240  # a range that Debian and systemd give to nobody


@dataclass(frozen=True)
class Start:
    """How the keeper of a slot is started: the command, and whether it mounts."""

    command: tuple[str, ...]
    folder: str
    mount: bool


def check(rung: str | None) -> tuple[str, ...]:
    """The rungs to try, best first. Raises: RecipeError for an unknown name."""
    if rung is None:
        return SAFE
    if rung not in RUNGS:
        raise RecipeError(f"there is no rung {rung!r} of the sandbox", remedy=did_you_mean(rung, RUNGS))
    return (rung,)


def refusal(why: dict[str, str]) -> EnvironmentProblem:
    """What to say when no rung holds: each with its reason, and what would help."""
    said = "; ".join(f"{rung}: {reason}" for rung, reason in why.items())
    return EnvironmentProblem(
        f"programs cannot be run safely on this machine ({said})",
        remedy="`apt-get install bubblewrap` (in a container also --security-opt seccomp=unconfined, or Podman), or a "
        'kernel >= 5.13 with Landlock. Without either, --unsafe-local-exec (in Python, rung="rlimits") runs programs '
        "with nothing but limits on what they use",
    )


def start(
    rung: str, *, python: str, folders: Sequence[str], folder: str, fd: int, uid: int | None, site: bool
) -> Start:
    """The command that starts a keeper on a rung, its socket being `fd`.

    `folders` are read-only besides the system's; `folder` is where programs work on rungs without mounts.

    Raises: EnvironmentProblem if the machine cannot have that rung.
    """
    if platform.system() != "Linux" or platform.machine() not in confine.ARCHITECTURES:
        raise EnvironmentProblem(f"no sandbox on {platform.system()} {platform.machine()}")
    flags = ["-s", "-B", *([] if site else ["-S"])]
    mount = rung == "bubblewrap"
    place = "/tmp" if mount else folder
    guest = INSIDE if mount else str(GUEST.parent)
    settings = {
        "fd": fd,
        "rung": rung,
        "uid": uid,
        "folder": place,
        "mount": mount,
        "read": [path for path in (*SYSTEM, *CONFIGURATION, *folders) if os.path.exists(path)],
        "files": [path for path in MACHINE if os.path.exists(path)],
    }
    keeper = [python, *flags, "-c", BOOT, json.dumps(settings), guest]
    if rung == "landlock" and confine.landlock_abi() == 0:
        raise EnvironmentProblem("the kernel has no Landlock, or it is off")
    if rung != "bubblewrap":
        return Start(tuple(keeper), place, mount)
    bwrap = shutil.which("bwrap", path="/usr/local/bin:/usr/bin:/bin")
    if bwrap is None:
        raise EnvironmentProblem("bubblewrap is not installed")
    return Start((bwrap, *_bubblewrap(folders), "--", *keeper), place, mount)


def _bubblewrap(folders: Sequence[str]) -> list[str]:
    """The options: a file system of read-only parts, and nothing of the machine's network, processes and users."""
    options = ["--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    options += ["--as-pid-1", "--die-with-parent", "--new-session", "--hostname", "sandbox"]
    if os.geteuid() != 0:  # the keeper may mount, programs may not
        options += ["--unshare-user", "--uid", "60000", "--gid", "60000", "--cap-add", "CAP_SYS_ADMIN"]
    for folder in SYSTEM:
        if os.path.islink(folder):
            options += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            options += ["--ro-bind", folder, folder]
    made = set[str]()
    for path in (*CONFIGURATION, *folders):
        if not os.path.exists(path) or path.startswith("/usr/"):
            continue
        for parent in reversed(Path(path).parents):  # as they would have mode 0700 otherwise
            if str(parent) != "/" and str(parent) not in made:
                made.add(str(parent))
                options += ["--perms", "0755", "--dir", str(parent)]
        options += ["--ro-bind", path, path]
    options += ["--perms", "0755", "--dir", "/run", "--perms", "0755", "--dir", INSIDE]
    options += ["--ro-bind", str(GUEST), f"{INSIDE}/guest"]
    options += ["--proc", "/proc", "--dev", "/dev", "--size", "4096", "--tmpfs", "/tmp", "--chdir", "/"]
    return [*options, "--remount-ro", "/dev", "--remount-ro", "/"]


def interpreter(reachable: bool) -> str:
    """The Python that programs run on: this one without its packages, else the system's.

    With `reachable`, every folder on the way must be open to other users.

    Raises: EnvironmentProblem if there is none.
    """
    ours = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    for place in (ours, Path("/usr/bin/python3").resolve()):
        if place.exists() and (not reachable or _open_to_all(place)):
            return str(place)
    raise EnvironmentProblem(
        f"{ours} cannot be reached by the user that programs run as", remedy="apt-get install python3"
    )


def _open_to_all(place: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in place.parents)
