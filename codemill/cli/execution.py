"""`codemill exec`: one program with its tests, in the sandbox."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from codemill.errors import InputError, RecipeError
from codemill.sandbox.outcome import Limits, Outcome

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("exec")
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--tests", required=True, type=FILE, help="Asserts or a whole test program, in the same language.")
@click.option("--language", metavar="NAME", help="Instead of the one that the path of FILE tells.")
@click.option("--entry-point", metavar="NAME", help="The function that is tested, for check(candidate).")
@click.option("--cpu", type=float, default=Limits.cpu_seconds, show_default=True, help="Seconds of CPU time.")
@click.option("--rung", metavar="NAME", help="bubblewrap or landlock, instead of the best that works here.")
@click.option("--unsafe-local-exec", is_flag=True, help="Run with limits only: files and network are open to FILE.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
def exec_(
    file: Path, tests: Path, language: str | None, entry_point: str | None, cpu: float, rung: str | None,
    unsafe_local_exec: bool, as_json: bool,
) -> None:  # fmt: skip
    """Runs FILE with its tests in the sandbox. The exit status is 0 only if every test ran and held."""
    from codemill import languages, sandbox

    program, source = _text(file), _text(tests)
    if language is None:
        language = languages.detect(file.name, program).language
        if language is None:
            raise RecipeError("the language is not known", where=file, remedy="say it with --language")
    if unsafe_local_exec and rung not in (None, "rlimits"):
        raise click.UsageError(f"--unsafe-local-exec confines nothing, --rung {rung} does: give one of them")
    if rung == "rlimits" and not unsafe_local_exec:
        raise RecipeError("the rung rlimits confines nothing", remedy="say --unsafe-local-exec if that is meant")
    with sandbox.Pool(1, rung="rlimits" if unsafe_local_exec else rung) as pool:
        outcome = pool.execute(
            program, source, language=language, entry_point=entry_point, limits=Limits(cpu_seconds=cpu)
        )
    print(json.dumps(outcome.as_dict()) if as_json else shown(outcome))
    if not outcome.passed:
        sys.exit(1)


def shown(outcome: Outcome) -> str:
    """An outcome for people: the verdict, how it came about, and what the program wrote.

    A program may write what moves the cursor or renames the window: of control characters only line ends and tabs stay.
    """
    from codemill.report.words import printable

    tests = f"{outcome.tests_run} of {outcome.tests}" if outcome.tests is not None else f"{outcome.tests_run}"
    lines = [f"{outcome.verdict}{f': {outcome.detail}' if outcome.detail else ''}"]
    ran = [f"{tests} tests ran", f"{outcome.cpu:.2f} s CPU", f"{outcome.wall:.2f} s"]
    where = [outcome.grading, outcome.rung, outcome.toolchain]
    lines.append(", ".join([*ran, *(part for part in where if part)]))
    text = "\n".join([*lines, *([outcome.output.rstrip()] if outcome.output.strip() else [])])
    return printable(text, keep="\n\t")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8", where=file, remedy="write it as UTF-8") from error


COMMANDS = (exec_,)
