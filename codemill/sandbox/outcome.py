"""What goes into a run and what comes out of it, as plain values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codemill.errors import RecipeError

VERDICTS: dict[str, str] = {
    "pass": "every test ran and held",
    "fail": "a test did not hold, or the program raised an error",
    "timeout_cpu": "more CPU time than allowed",
    "timeout_wall": "more time than allowed without using it, also when run alone",
    "memory": "more memory than allowed",
    "output_limit": "more output, or larger files, than allowed",
    "crashed": "ended by a signal, or by a limit on processes",
    "no_verdict": "ended before the tests did, or took steps to look as if they had passed",
    "compile_error": "the program does not compile",
    "tests_error": "the tests cannot run, whatever the program",
    "toolchain_missing": "no compiler or interpreter for the language",
    "sandbox_error": "the sandbox failed",
}
"""Every verdict and what it means. The last three say nothing about the program."""

NOT_THE_PROGRAM = frozenset(("tests_error", "toolchain_missing", "sandbox_error"))


@dataclass(frozen=True)
class Limits:
    """What a run may use.

    Unit: seconds and bytes. `wall_seconds` is the time that a program may take without using a core, four times
    `cpu_seconds` if it is not given; time in which it is ready and has no core does not count. `memory_bytes` is for
    all processes together, `file_bytes` for one file, `disk_bytes` for all of them, `output_bytes` for both streams.
    """

    cpu_seconds: float = 10.0
    wall_seconds: float | None = None
    memory_bytes: int = 2 << 30
    disk_bytes: int = 64 << 20
    file_bytes: int = 64 << 20
    output_bytes: int = 1 << 20
    processes: int = 32
    open_files: int = 256
    compile_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Raises: RecipeError for a limit that is not a positive number."""
        for limit in dataclasses.fields(self):
            value = getattr(self, limit.name)
            if limit.name == "wall_seconds" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1 << 50:
                raise RecipeError(f"{limit.name}={value!r} is no limit", remedy="give a positive number")

    @property
    def wall(self) -> float:
        """Seconds that a program may take without using a core."""
        return 4 * self.cpu_seconds if self.wall_seconds is None else self.wall_seconds


@dataclass(frozen=True)
class Call:
    """A test of a Python function: call the entry point with these, compare what it returns.

    Numbers are equal within `absolute` or `relative` if one is given; otherwise values are equal as `==` says.
    """

    args: Sequence[Any] = ()
    expected: Any = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    absolute: float = 0.0
    relative: float = 0.0


@dataclass(frozen=True)
class Stdio:
    """A test of a whole program: what it reads, what it should write. Lines are compared without surrounding blanks.

    With `decimals` lines of numbers are equal too if their numbers are: 1 and 1.0.
    """

    stdin: str
    stdout: str
    decimals: bool = False


Tests = str | Sequence[Call] | Sequence[Stdio]


@dataclass(frozen=True)
class Task:
    """A program and its tests, as `execute` takes them."""

    program: str
    tests: Tests
    language: str = "python"
    entry_point: str | None = None
    limits: Limits = Limits()


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    `tests_run` counts tests (asserts, calls, cases) that were evaluated; `tests` how many there are, if it is known.
    `cpu` and `wall` are seconds, without compiling; `grading` is `by_call`, `in_process`, `stdio`, `script` or
    `exit_status`; `output` is an excerpt of both streams. `rung` and `toolchain` say where and with what it ran.
    """

    verdict: str
    detail: str = ""
    tests_run: int = 0
    tests: int | None = None
    cpu: float = 0.0
    wall: float = 0.0
    memory: int = 0
    output: str = ""
    language: str = "python"
    grading: str = ""
    rung: str = ""
    toolchain: str = ""

    @property
    def passed(self) -> bool:
        """Whether every test ran and held."""
        return self.verdict == "pass"

    @property
    def counts(self) -> bool:
        """Whether the verdict says something about the program."""
        return self.verdict not in NOT_THE_PROGRAM

    def as_dict(self) -> dict[str, Any]:
        """The fields, as JSON has them."""
        return dataclasses.asdict(self)


def excerpt(stdout: bytes, stderr: bytes, most: int = 4000) -> str:
    """Both streams as text, each shortened in the middle to half of `most` bytes."""
    parts = []
    for stream in (stdout, stderr):
        half = most // 4
        if len(stream) > 2 * half:
            stream = stream[:half] + f"\n… {len(stream) - 2 * half} bytes …\n".encode() + stream[-half:]
        if stream:
            parts.append(stream.decode("utf-8", "replace"))
    return "\n".join(parts)
