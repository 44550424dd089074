"""`codemill ask`: one conversation, turn by turn. `codemill calls`: the store of paid calls."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from codemill.cli.shared import CONTEXT, answer
from codemill.errors import InputError

# ── ask ───────────────────────────────────────────────────────────────────────────────────────────────────────────

SAMPLING: Mapping[str, type[int] | type[float]] = {"temperature": float, "top_p": float, "max_tokens": int, "seed": int}


@click.command()
@click.argument("method", metavar="METHOD")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--row", metavar="JSON", help="Columns of the row; FILE's text is its `content`, FILE's name its `path`.")
@click.option(
    "--teacher", "-t", metavar="WHO", help="MODEL, MODEL@URL, local:FOLDER, script:FILE.py:FUNCTION, replay:…"
)
@click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="A parameter of the method, or temperature, "
              "top_p, max_tokens, seed of the teacher. Repeatable.")  # fmt: skip
@click.option("--calls", metavar="DIR", help="The store of answers. [default: METHOD.calls in the current folder]")
@click.option("--runner", metavar="NAME", help="What runs programs. [default: the sandbox]")
@click.option("--price", type=(float, float), metavar="IN OUT", help="Of a million tokens, for the estimate.")
@click.option("--rows", type=click.IntRange(1), default=1000, show_default=True, help="To estimate for.")
@click.option("--dry-run", is_flag=True, help="Print the first prompt and an estimate; ask nobody.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def ask(
    method: str,
    file: Path | None,
    row: str | None,
    teacher: str | None,
    sets: tuple[str, ...],
    calls: str | None,
    runner: str | None,
    price: tuple[float, float] | None,
    rows: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Runs one method on one row and shows every turn. METHOD is path/to/file.py:function, or a step of ours."""
    from codemill.teacher import single

    step = single.method(method)
    params = dict(_set(one) for one in sets)
    sampling = {name: _number(name, params.pop(name)) for name in SAMPLING if name in params}
    given = _row(row, file)
    if missing := [name for name in single.reads(step, params) if name not in given]:
        raise click.UsageError(f"the method reads {', '.join(missing)}: give FILE, or --row '{{\"{missing[0]}\": …}}'")
    if dry_run:
        _estimate(single.first(step, given, params, sampling), price, rows, as_json)
        return
    if teacher is None:
        raise click.UsageError("who is asked? --teacher MODEL@URL, local:FOLDER or script:FILE.py:FUNCTION")
    folder = calls or f"{step.method.__name__}.calls"
    talked = single.converse(step, given, teacher, params, sampling, folder, runner)
    if as_json:
        print(json.dumps(talked.plain(), ensure_ascii=True))
    else:
        console = Console(soft_wrap=True, highlight=False)
        for number, turn in enumerate(talked.turns, 1):
            for wanted, got in zip(turn.wanted, turn.got, strict=True):
                _say(console, f"turn {number}: asked", single.text_of(wanted), "bold cyan")
                if thinking := getattr(got, "thinking", None):
                    _say(console, f"turn {number}: thought", thinking, "dim")
                _say(console, f"turn {number}: came", single.text_of(got), "bold green")
        for made in talked.ended.rows:
            _say(console, "row", json.dumps(made, ensure_ascii=False, indent=1, default=str), "bold")
        if talked.ended.fault:
            _say(console, "the method failed", talked.ended.fault, "bold red")
        console.print(Text(talked.summary(), "dim"))
    sys.exit(0 if talked.ended.accepted else 1)


def _set(text: str) -> tuple[str, Any]:
    """NAME=VALUE; the value is JSON if it can be, else text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise click.UsageError(f"--set takes NAME=VALUE, got {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _number(name: str, value: Any) -> int | float:
    """A setting of the teacher. Raises: UsageError if it is no number of its kind."""
    kind = SAMPLING[name]
    wanted = int if kind is int else int | float
    if isinstance(value, bool) or not isinstance(value, wanted) or not math.isfinite(value):
        raise click.UsageError(f"--set {name} takes {'a whole number' if kind is int else 'a number'}, got {value!r}")
    return kind(value)


def _row(given: str | None, file: Path | None) -> dict[str, Any]:
    row: dict[str, Any] = {"id": "one row", **dict.fromkeys(("seed_id", "repo", "path", "license"))}
    if file is not None:
        from codemill.languages import detect

        try:
            content = file.read_text("utf-8")
            row |= {"content": content, "path": str(file), "size": file.stat().st_size}
            row["language"] = detect(str(file), content).language
        except ValueError as error:
            raise InputError("the file is not UTF-8 text", where=file) from error
    if given is not None:
        try:
            columns = json.loads(given)
        except ValueError as error:
            raise click.UsageError(f"--row is not JSON: {error}") from error
        if not isinstance(columns, dict):
            raise click.UsageError("--row is a JSON object: column by name")
        row |= columns
    return row


def _say(console: Console, title: str, text: str, style: str) -> None:
    from codemill.report.words import printable

    console.print(Text(f"── {title} ", style))
    console.print(Text(printable(text, keep="\n\t")))


def _estimate(first: Any, price: tuple[float, float] | None, rows: int, as_json: bool) -> None:
    """The first prompt, and what it would take for so many rows. A token is reckoned as 3.5 bytes."""
    from codemill.teacher import single

    tokens = single.tokens_of(first)
    data: dict[str, Any] = {"first": [single.plain_of(one) for one in first], "rows": rows, **tokens}
    lines = [f"first turn, {rows:,} rows: about {tokens['prompt_tokens'] * rows:,} tokens of prompt"]
    if tokens["max_tokens"] is not None:
        lines[0] += f", at most {tokens['max_tokens'] * rows:,} of answer"
    if price is not None:
        most = (tokens["prompt_tokens"] * price[0] + (tokens["max_tokens"] or 0) * price[1]) * rows / 1e6
        data["cost"] = round(most, 6)
        lines.append(f"cost {'at most' if tokens['max_tokens'] is not None else 'of the prompts'} {most:,.2f}")
    lines.append("later turns depend on the answers: run a few rows with --max-requests, and see what they took")
    if as_json:
        print(json.dumps(data, ensure_ascii=True))
        return
    console = Console(soft_wrap=True, highlight=False)
    for one in first:
        _say(console, "would ask", single.text_of(one), "bold cyan")
    for line in lines:
        console.print(Text(line))


# ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CALLS = click.argument("folder", metavar="CALLS", type=click.Path(exists=True, file_okay=False, path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group(context_settings=CONTEXT)
def calls() -> None:
    """The store of paid calls, which a run keeps beside its output: OUT.calls."""


@calls.command("list")
@CALLS
@click.option("--key", metavar="KEY", help="The whole record of one call; the beginning of its key is enough.")
@click.option("--each", is_flag=True, help="A line for each call, oldest first.")
@JSON
def list_calls(folder: Path, key: str | None, each: bool, as_json: bool) -> None:
    """What is in a store: answers by model, outcomes by verdict; or one call, or a line for each."""
    from codemill.report.words import printable
    from codemill.teacher import ledger

    if key is not None:
        found = ledger.record(folder, key)
        print(json.dumps(found, ensure_ascii=True, indent=None if as_json else 1))
    elif each:
        for line in ledger.lines(folder):
            print(json.dumps(line) if as_json else printable("  ".join(str(value) for value in line.values())))
    else:
        rows = ledger.summary(folder)
        answer(rows, ledger.grid(rows), as_json)


@calls.command("export")
@CALLS
@click.option("--out", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="JSONL to write.")
@click.option("--answered", is_flag=True, help="The answers instead of the requests that wait for one.")
def export_calls(folder: Path, out: Path, answered: bool) -> None:
    """Writes requests that wait (of `codemill run --collect`) as an OpenAI batch file, for `vllm run-batch` and others.

    With --answered: every answer, in the form in which `import` reads them.
    """
    from codemill.report import words
    from codemill.teacher import ledger

    count = ledger.export(folder, out, answered=answered)
    print(f"{out}: {words.plural(count, 'answer' if answered else 'request')}")


@calls.command("import")
@CALLS
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_calls(folder: Path, file: Path) -> None:
    """Reads answers: the output of a batch, or what `export --answered` wrote."""
    from codemill.teacher import ledger

    done = ledger.read_batch(folder, file)
    print(", ".join(f"{count:,} {name}" for name, count in done.items()))


@calls.command("prune")
@CALLS
@click.option("--model", metavar="NAME", help="Answers of this model.")
@click.option("--before", metavar="DATE", help="Older than this, such as 2026-11-01.")
@click.option("--truncated", is_flag=True, help="Answers that ended at max_tokens.")
@click.option("--outcomes", is_flag=True, help="Outcomes of executions, which cost nothing but time.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
def prune_calls(
    folder: Path, model: str | None, before: str | None, truncated: bool, outcomes: bool, dry_run: bool
) -> None:
    """Deletes calls for which everything that is said holds. They are paid again if they are wanted again."""
    from codemill.teacher import ledger

    if not (model or before or truncated or outcomes):
        raise click.UsageError("say which: --model, --before, --truncated or --outcomes")
    if outcomes and (model or truncated):
        raise click.UsageError("--outcomes are of no model, and are not truncated")
    count, size = ledger.prune(
        folder, model=model, before=before, truncated=truncated, outcomes=outcomes, dry_run=dry_run
    )
    print(f"{count:,} calls, {size:,} bytes: {'can go' if dry_run else 'deleted'}")


COMMANDS = (ask, calls)
