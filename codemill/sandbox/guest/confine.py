"""What a process gives up before it runs a program: limits, capabilities, files (Landlock), system calls (seccomp).

All through ctypes, so that no package and no compiler is needed. Nothing here can be undone by the process or by what
it starts. From: landlock(7), seccomp(2), capabilities(7), and the system call tables of Linux for x86-64 and AArch64.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import resource
import struct
from collections.abc import Iterable, Mapping
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 4, 22, 24, 36, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
CAPSET = {"x86_64": 126, "aarch64": 91}
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Name: number on x86-64 and on AArch64; None where the architecture does not have the call.
DENIED: Mapping[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    # doors of the kernel that programs have no need of
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18), "syslog": (103, 116), "quotactl": (179, 60), "acct": (163, 89),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "uselib": (134, None),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162),
    # memory that outlives its process
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
}  # fmt: skip
# Landlock does not cover what changes a file without opening it, nor what one user's processes do to each other.
DENIED_BESIDE_OTHERS: Mapping[str, tuple[int | None, int | None]] = {
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
}  # fmt: skip
DENIED_ON_FILES: Mapping[str, tuple[int | None, int | None]] = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
}  # fmt: skip
TRUNCATE = {"truncate": (76, 45)}
SIGNALS = {
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424),
}  # fmt: skip
CLONE, CLONE3, SOCKET, SOCKETPAIR, PRLIMIT = (56, 220), (435, 435), (41, 198), (53, 199), (302, 261)
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
EPERM, ENOSYS, EACCES = 1, 38, 13
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def check(result: int, what: str) -> int:
    """The result of a call of libc. Raises: OSError if it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int, other: int = 0) -> int:
    """prctl(2). Returns its result, negative on failure."""
    return int(LIBC.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(other), 0, 0))


def landlock_abi() -> int:
    """The version of Landlock that the kernel speaks; 0 if it has none or it is off."""
    return max(0, int(LIBC.syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))))


@functools.lru_cache(maxsize=8)
def seccomp_filter(
    *, families: tuple[int, ...], beside_others: bool = False, files: bool = False, truncate: bool = False, pid: int = 0
) -> bytes:
    """A filter of system calls as BPF instructions, for this architecture.

    `families` are the sockets that may be opened. `beside_others` is for programs that run with the user id of others:
    priorities are denied too; with `files`, changes of files that need no opening; with `truncate`, that call; with a
    `pid`, signals to anyone but that process.

    Raises: OSError on an architecture whose system calls are not known.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(ENOSYS, f"no table of system calls for {machine}")
    column = list(ARCHITECTURES).index(machine)
    denied = dict(DENIED)
    if beside_others:
        denied.update(DENIED_BESIDE_OTHERS)
    if files:
        denied.update(DENIED_ON_FILES)
    if truncate:
        denied.update(TRUNCATE)
    rows = []

    def op(code: int, value: int, yes: int = 0, no: int = 0) -> None:
        rows.append(struct.pack("HBBI", code, yes, no, value & 0xFFFFFFFF))

    def when(call: tuple[int | None, int | None], *then: tuple[int, int, int, int]) -> None:
        number = call[column]
        if number is not None:
            op(EQUAL, number, 0, len(then))
            for code, value, yes, no in then:
                op(code, value, yes, no)

    deny, argument = ERRNO | EPERM, 16  # of the first argument's low half in struct seccomp_data
    op(LOAD, 4)
    op(EQUAL, ARCHITECTURES[machine], 1, 0)
    op(RETURN, KILL)
    op(LOAD, 0)
    if machine == "x86_64":  # the x32 calls, which are the same under other numbers
        op(AT_LEAST, 0x40000000, 0, 1)
        op(RETURN, deny)
    for number in denied.values():
        when(number, (RETURN, deny, 0, 0))
    when(CLONE3, (RETURN, ERRNO | ENOSYS, 0, 0))  # its flags are in memory; libc then uses clone
    when(CLONE, (LOAD, argument, 0, 0), (ANY_BIT, NEW_NAMESPACES, 0, 1), (RETURN, deny, 0, 0), (RETURN, ALLOW, 0, 0))
    several = [(EQUAL, family, len(families) - i, 0) for i, family in enumerate(families)]
    when(SOCKET, (LOAD, argument, 0, 0), *several, (RETURN, ERRNO | EACCES, 0, 0), (RETURN, ALLOW, 0, 0))
    when(SOCKETPAIR, (LOAD, argument, 0, 0), (EQUAL, AF_UNIX, 1, 0), (RETURN, deny, 0, 0), (RETURN, ALLOW, 0, 0))
    when(PRLIMIT, (LOAD, argument, 0, 0), (EQUAL, 0, 1, 0), (RETURN, deny, 0, 0), (RETURN, ALLOW, 0, 0))
    if pid:
        for number in SIGNALS.values():
            when(number, (LOAD, argument, 0, 0), (EQUAL, pid, 1, 0), (RETURN, deny, 0, 0), (RETURN, ALLOW, 0, 0))
    op(RETURN, ALLOW)
    return b"".join(rows)


def filter_system_calls(program: bytes) -> None:
    """Installs a filter. Raises: OSError if the kernel has no seccomp."""
    held = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    check(
        int(LIBC.prctl(PR_SET_SECCOMP, ctypes.c_ulong(2), ctypes.create_string_buffer(head, len(head)), 0, 0)),
        "seccomp",
    )


class Landlock:
    """Which files can be reached: some to read and execute, one folder to write, a few devices."""

    EXECUTE, WRITE, READ, LIST, TRUNCATE, DEVICE_CONTROL = 1, 2, 4, 8, 1 << 14, 1 << 15
    MAKE_DEVICES = 1 << 6 | 1 << 11
    ALL = (0, 0x1FFF, 0x3FFF, 0x7FFF, 0x7FFF, 0xFFFF)

    def __init__(self, abi: int, *, read: Iterable[str], write: Iterable[str]) -> None:
        """Opens a rule set. Files of `read` that are not there are left out. Raises: OSError."""
        everything = self.ALL[min(abi, len(self.ALL) - 1)]
        # bind and connect over TCP (ABI 4); abstract sockets and signals (ABI 6)
        parts = [everything, *([3] if abi >= 4 else []), *([3] if abi >= 6 else [])]
        wanted = struct.pack(f"{len(parts)}Q", *parts)
        self.everything = everything
        self.fd = check(
            int(LIBC.syscall(LANDLOCK_CREATE, ctypes.create_string_buffer(wanted, len(wanted)), len(wanted), 0)),
            "landlock_create_ruleset",
        )
        for path in read:
            self.allow(path, self.EXECUTE | self.READ | self.LIST)
        for path in write:
            self.allow(path, everything & ~self.MAKE_DEVICES)
        for path in ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"):
            self.allow(path, self.READ | self.WRITE)

    def allow(self, path: str, rights: int) -> None:
        """Allows these rights below a path."""
        try:
            target = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            if not os.path.isdir(f"/proc/self/fd/{target}"):
                rights &= self.EXECUTE | self.WRITE | self.READ | self.TRUNCATE | self.DEVICE_CONTROL
            rule = struct.pack("=Qi", rights & self.everything, target)
            given = ctypes.create_string_buffer(rule, len(rule))
            check(int(LIBC.syscall(LANDLOCK_ADD, self.fd, 1, given, 0)), f"landlock_add_rule {path}")
        finally:
            os.close(target)

    def restrict(self) -> None:
        """Holds this process and all it starts to the rules, for good."""
        check(int(LIBC.syscall(LANDLOCK_RESTRICT, self.fd, 0)), "landlock_restrict_self")
        os.close(self.fd)


def limit(step: Mapping[str, Any]) -> None:
    """Sets the limits of resources that a step names. Bytes; of CPU a second more than the keeper allows."""

    def both(which: int, value: int) -> None:
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))

    both(resource.RLIMIT_CORE, 0)
    both(resource.RLIMIT_CPU, int(-(-step["cpu"] // 1)) + 1)
    both(resource.RLIMIT_FSIZE, step["file_bytes"])
    both(resource.RLIMIT_NOFILE, step["open_files"])
    both(resource.RLIMIT_NPROC, step["processes"])
    both(resource.RLIMIT_MEMLOCK, 1 << 20)
    if step.get("address_space"):
        both(resource.RLIMIT_AS, step["address_space"])


def give_up_privileges(uid: int | None) -> None:
    """Drops all capabilities, takes the user id of the slot if there is one, and no way leads back. Raises: OSError."""
    if os.geteuid() == 0 or uid is None:
        for capability in range(64):
            if prctl(PR_CAPBSET_DROP, capability) < 0:
                break  # past the last one, or not allowed to: then there is none to drop
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    machine = platform.machine()
    if machine in CAPSET:
        header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0), 8)
        check(int(LIBC.syscall(CAPSET[machine], header, ctypes.create_string_buffer(24))), "capset")
    check(prctl(PR_SET_NO_NEW_PRIVS, 1), "no_new_privs")
