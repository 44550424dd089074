"""Everything that can go wrong for a user, as one tree.

    CodemillError              caught by the command line: one line on stderr, exit status 1
    ├── RecipeError            a recipe or a parameter is wrong           fix the recipe
    ├── InputError             an input is missing, unreadable, malformed  fix the input
    ├── EnvironmentProblem     disk, permissions, memory, a missing extra  fix the machine
    ├── BuildError             a step broke one of its promises            our bug, or a step's
    └── TeacherError           the teacher model's end failed              fix or wait for the teacher

A message says what was wrong, with which value, where, and what to do about it. A traceback is for our own
bugs only. Documents never raise: a document that cannot be used is dropped with a reason.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CodemillError(Exception):
    """Anything a user can be told in one line.

    `what` is the sentence; `where` the file, row or parameter concerned; `remedy` what to do next. `patient` ones are
    raised when the other parts of the step have ended.
    """

    patient = False

    def __init__(self, what: str, *, where: object = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        message = what if where is None else f"{what} (at {where})"
        super().__init__(message if remedy is None else f"{message}. Hint: {remedy}")

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries, and keyword-only arguments do not survive the default pickling.
        return (
            _rebuild,
            (type(self), self.what, None if self.where is None else str(self.where), self.remedy),
        )


def _rebuild(kind: type[CodemillError], what: str, where: str | None, remedy: str | None) -> CodemillError:
    return kind(what, where=where, remedy=remedy)


class RecipeError(CodemillError, ValueError):
    """A recipe, a step's parameter or a catalogue name is wrong. Raised before any work starts."""


class InputError(CodemillError):
    """An input as a whole cannot be used: missing, not readable, changed while being read, or malformed."""


class EnvironmentProblem(CodemillError):
    """The machine is in the way: a full disk, a read-only folder, too little memory, an extra not installed."""


class BuildError(CodemillError):
    """A step broke a promise: counts that do not add up, rows out of line, a task that keeps crashing."""


class TeacherError(CodemillError):
    """The teacher model's end failed: no connection, refused key, spent budget, malformed replies."""


class WaitsForBatch(TeacherError):
    """Requests were written down to be answered elsewhere. Raised at the end, when there are no more of them."""

    patient = True


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The remedy for an unknown name: the nearest known ones first, then how many others there are.

    >>> did_you_mean("pyhton", ["python", "perl", "c"])
    'did you mean python? Known: python, perl, c'
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    rest = [k for k in known if k not in near]
    shown = near + rest[: max(0, 12 - len(near))]
    more = "" if len(shown) == len(known) else f" … {len(known) - len(shown)} more"
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{guess}Known: {', '.join(shown)}{more}"
