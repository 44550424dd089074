"""The command line: a short list of verbs, frozen by a test. Options of a recipe are its own keyword parameters.

    run          run, plan
    look         show, explain, report, view; rules, rule, compare, rank, signals
    catalogue    list, new
    cleaning     redact
    execution    exec
    benchmarks   benchmarks
    evaluation   evaluate
    ablation     ablate
    model        generate, chat, serve, masks
    forget       forget
    release      release
    teacher      ask, calls

Exit status: 0 done, 1 failed (the message says what, where and what to do), 2 wrong usage or recipe,
130 interrupted, 143 by SIGTERM (run again to go on).
"""

from __future__ import annotations

import logging
import signal
import sys

import click
from rich.console import Console
from rich.logging import RichHandler

from codemill.cli import (
    ablation,
    benchmarks,
    catalogue,
    cleaning,
    evaluation,
    execution,
    forget,
    look,
    model,
    release,
    run,
    teacher,
)
from codemill.cli.shared import CONTEXT
from codemill.errors import CodemillError, RecipeError
from codemill.machine.scarce import check_address_space, scarcity


def main() -> None:
    """Entry point of the `codemill` command."""
    errors = Console(stderr=True, soft_wrap=True)
    # Rich's handler lays messages out in a table, which breaks lines where there is no terminal to fit.
    rich = RichHandler(console=errors, show_time=False, show_path=False, markup=False)
    handler = rich if errors.is_terminal else _Plain()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with scarcity():
            check_address_space()
            sys.exit(cli.main(standalone_mode=False) or 0)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort) as interrupted:
        errors.print("interrupted; run the same command again to go on where it stopped")
        sys.exit(143 if _Terminated in map(type, (interrupted, interrupted.__cause__)) else 130)  # click wraps it
    except BrokenPipeError:  # the reader (head, less) has seen enough
        sys.stderr.close()
        sys.exit(0)
    except CodemillError as error:
        errors.print(f"error: {error}", markup=False, highlight=False)
        sys.exit(2 if isinstance(error, RecipeError) else 1)


class _Terminated(KeyboardInterrupt):
    """SIGTERM: a batch system's time is over, say. It is met like Ctrl-C."""


def _terminated(*_: object) -> None:
    raise _Terminated


class _Plain(logging.Handler):
    """Warnings as lines of their own, whole, for logs and pipes."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one."""
        print(f"{record.levelname.lower()}: {self.format(record)}", file=sys.stderr, flush=True)


SECTIONS = {
    "Make data": (run, catalogue, forget),
    "Look at a result": (look,),
    "Ask a teacher, run programs": (teacher, execution),
    "Use a model": (model,),
    "Evaluate and release": (benchmarks, evaluation, ablation, release),
    "Without a run": (cleaning,),
}
"""The families of verbs under the headings that `codemill --help` shows them by."""


class _Sections(click.Group):
    """Help with the verbs under headings, each with its first sentence whole."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes a list for each of `SECTIONS`."""
        for title, families in SECTIONS.items():
            verbs = [verb for family in families for verb in family.COMMANDS]
            with formatter.section(title):
                formatter.write_dl([(verb.name or "", verb.get_short_help_str(limit=200)) for verb in verbs])


@click.group(cls=_Sections, context_settings=CONTEXT)
@click.version_option(package_name="codemill")
def cli() -> None:
    """Makes the training data of code language models, and the models themselves."""


for _families in SECTIONS.values():
    for _family in _families:
        for _command in _family.COMMANDS:
            cli.add_command(_command)
