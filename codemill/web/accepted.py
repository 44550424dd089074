"""Rules that a person accepts, written into the file of a round: a line each, below what stands there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from codemill.errors import EnvironmentProblem, InputError, RecipeError
from codemill.web import patterns
from codemill.web.patterns import Rules


def file_of(folder: str | os.PathLike[str], number: int) -> Path:
    """The file of the rules that are learned from after a round: the next one reads it."""
    return Path(folder) / f"round-{number}.txt"


def rules_in(file: Path) -> Rules:
    """What a file holds; nothing if it is not there. Raises: InputError for a line that is no rule."""
    return patterns.read(file) if file.exists() else Rules()


def line_of(sign: str, pattern: str) -> str:
    """A rule as a line of a file: `+` pages about code, `-` others.

    Raises: RecipeError if it would not be read back as that.

    >>> line_of("+", " %://docs.example/% ")
    '+ %://docs.example/%'
    """
    pattern = pattern.strip()
    if sign not in ("+", "-"):
        raise RecipeError(f"a rule begins with + or -, not with {sign[:20]!r}")
    patterns.check_pattern(pattern)
    line = f"{sign} {pattern}"
    wanted = Rules((pattern,), ()) if sign == "+" else Rules((), (pattern,))
    try:
        same = line.isprintable() and patterns.parse(line, "the rule") == wanted
    except InputError:
        same = False
    if not same:
        raise RecipeError(
            f"the pattern {pattern[:80]!r} is no line of a file", remedy="leave out ends of lines and ' #'"
        )
    return line


def accept(file: Path, sign: str, pattern: str) -> bool:
    """Writes a rule into a file, which is made if it is not there; the rest of the file stays as it is.

    Returns: False if the file has the rule.
    Raises: RecipeError as `line_of` does; InputError if the file holds a line that is no rule; EnvironmentProblem if it
    cannot be written.
    """
    line = line_of(sign, pattern)
    there = rules_in(file)
    if pattern.strip() in (there.code if sign == "+" else there.other):
        return False
    text = file.read_text("utf-8") if file.exists() else ""
    _write(file, text + "\n" * (bool(text) and not text.endswith("\n")) + line + "\n")
    return True


def withdraw(file: Path, sign: str, pattern: str) -> bool:
    """Takes the lines with a rule out of a file. Returns: whether there was one. Raises: as `accept` does."""
    line_of(sign, pattern)
    rules_in(file)
    lines = file.read_text("utf-8").splitlines(keepends=True) if file.exists() else []
    gone = Rules((pattern.strip(),), ()) if sign == "+" else Rules((), (pattern.strip(),))
    left = [line for line in lines if patterns.parse(line, str(file)) != gone]
    if len(left) < len(lines):
        _write(file, "".join(left))
    return len(left) < len(lines)


def _write(file: Path, text: str) -> None:
    """Whole or not at all, where a link leads."""
    try:
        file = file.resolve()
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
        with tempfile.NamedTemporaryFile("w", dir=file.parent, encoding="utf-8", newline="", delete=False) as new:
            new.write(text)
        os.chmod(new.name, mode)
        os.replace(new.name, file)
    except OSError as error:
        raise EnvironmentProblem(f"cannot write the rules: {error.strerror}", where=file) from error
