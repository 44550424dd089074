"""Runs programs that nobody has read, with their tests, and says what came of it: docs/sandbox.md.

execute        one program           outcome.py     limits, tests and outcomes as values
execute_many   many, in order        grading.py     from a task to a verdict
Pool           slots of one's own    asserts.py     tests that are calls with literals
strength       do tests notice?      rungs.py       how programs are confined, slot.py by whom
                                     guest/         what runs inside
"""

from codemill.sandbox.outcome import VERDICTS, Call, Limits, Outcome, Stdio, Task
from codemill.sandbox.pool import Pool, execute, execute_many, shared


def described(language: str = "python") -> str:
    """What outcomes of `execute` depend on besides program, tests and limits; belongs into the key of stored ones."""
    return shared().described(language)


__all__ = [
    "VERDICTS",
    "Call",
    "Limits",
    "Outcome",
    "Pool",
    "Stdio",
    "Task",
    "described",
    "execute",
    "execute_many",
]
