"""What a process is short of, in words: open files, address space, threads."""

from __future__ import annotations

import contextlib
import errno
import resource
from collections.abc import Iterator

from codemill.errors import EnvironmentProblem

FILES = 64
"""Open files that the process that builds needs besides those of its workers."""

FILES_OF_A_WORKER = 8

ADDRESS_SPACE = 4 << 30
"""Bytes of address space below which a process does not even load its libraries with their threads: they reserve far
more than they use."""

_SHORT = {
    errno.EMFILE: ("too many open files", "raise the limit: ulimit -n 4096"),
    errno.ENFILE: ("too many open files on this machine", "close other programs, or raise fs.file-max"),
    errno.ENOMEM: ("out of memory", "lower --workers, or raise the limit: ulimit -v unlimited"),
    errno.EAGAIN: ("no more processes or threads", "lower --workers, or raise the limit: ulimit -u"),
}


@contextlib.contextmanager
def scarcity() -> Iterator[None]:
    """Turns errors of a process that is short of something into ones a user can act on. Raises: EnvironmentProblem."""
    try:
        yield
    except MemoryError as error:
        what, remedy = _SHORT[errno.ENOMEM]
        raise EnvironmentProblem(what, remedy=remedy) from error
    except OSError as error:
        if error.errno not in _SHORT or isinstance(error, BlockingIOError):
            raise
        what, remedy = _SHORT[error.errno]
        raise EnvironmentProblem(what, where=error.filename, remedy=remedy) from error
    except RuntimeError as error:
        if "start new thread" not in str(error):
            raise
        what, remedy = _SHORT[errno.EAGAIN]
        raise EnvironmentProblem(what, remedy=remedy) from error


def check_limits(workers: int) -> None:
    """Raises: EnvironmentProblem if this process may open too few files for its workers, or has too little address
    space."""
    wanted = FILES + FILES_OF_A_WORKER * workers
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < wanted:
        what = f"only {files} files may be open at once, and {workers} workers need {wanted}"
        raise EnvironmentProblem(what, remedy="raise the limit (ulimit -n 4096), or lower --workers")
    check_address_space()


def check_address_space() -> None:
    """Raises: EnvironmentProblem if there is less of it than `ADDRESS_SPACE`.

    Beforehand, because libraries that get none end the process without a word that helps.
    """
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if space != resource.RLIM_INFINITY and space < ADDRESS_SPACE:
        what = f"the address space is limited to {space >> 20} MiB; a process needs {ADDRESS_SPACE >> 20} MiB of it"
        raise EnvironmentProblem(what, remedy="raise the limit: ulimit -v unlimited; --memory limits what is used")
