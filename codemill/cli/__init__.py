"""The command line: a short list of verbs, frozen by a test. Options of a recipe are its own keyword parameters.

    run          run, plan
    look         show, explain, report, view; rules, rule, compare, rank, signals
    catalogue    list, new
    cleaning     redact
    forget       forget
    release      release
    teacher      ask, calls

Exit status: 0 done, 1 failed (the message says what, where and what to do), 2 wrong usage or recipe,
130 interrupted (run again to go on).
"""

from __future__ import annotations

import logging
import sys

import click
from rich.console import Console
from rich.logging import RichHandler

from codemill.cli import catalogue, cleaning, forget, look, release, run, teacher
from codemill.cli.shared import CONTEXT
from codemill.errors import CodemillError, RecipeError


def main() -> None:
    """Entry point of the `codemill` command."""
    errors = Console(stderr=True, soft_wrap=True)
    handler = RichHandler(console=errors, show_time=False, show_path=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        errors.print("interrupted; run the same command again to go on where it stopped")
        sys.exit(130)
    except BrokenPipeError:  # the reader (head, less) has seen enough
        sys.stderr.close()
        sys.exit(0)
    except CodemillError as error:
        errors.print(f"error: {error}", markup=False, highlight=False)
        sys.exit(2 if isinstance(error, RecipeError) else 1)


@click.group(context_settings=CONTEXT)
@click.version_option(package_name="codemill")
def cli() -> None:
    """Turns source code into training data for code language models."""


for family in (run, look, catalogue, cleaning, forget, release, teacher):
    for command in family.COMMANDS:
        cli.add_command(command)
