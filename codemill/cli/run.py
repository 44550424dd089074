"""`codemill run` and `codemill plan`: recipes as commands."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
import time
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid
from rich.text import Text

import codemill
from codemill import catalog
from codemill.cli import shaping
from codemill.cli.empty import first_output, warnings
from codemill.cli.shared import CONTEXT
from codemill.errors import RecipeError
from codemill.machine.progress import JsonLines, Terminal


class Recipes(click.Group):
    """A group whose commands are recipes: ours by name, a user's as path/to/file.py:function."""

    def __init__(self, act: Callable[..., None], shared: Sequence[click.Parameter], **settings: Any) -> None:
        super().__init__(context_settings=CONTEXT, subcommand_metavar="RECIPE [OPTIONS]", **settings)
        self.act, self.shared = act, shared

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our own recipes."""
        return sorted(catalog.recipes())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The recipe as a command: the shared options and one for each of its keyword parameters."""
        recipe = catalog.recipe(cmd_name)
        options, hints = [], typing.get_type_hints(recipe.function, include_extras=True)
        for parameter in inspect.signature(recipe.function).parameters.values():
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                options.append(_option(parameter, hints.get(parameter.name, str), recipe.name))
        names = [p.name for p in inspect.signature(recipe.function).parameters.values()]
        for taken in {str(o.name) for o in options} & {str(p.name) for p in self.shared}:
            raise RecipeError(f"a recipe's parameter may not be called {taken!r}: --{taken} is codemill's own option")

        def act(**values: Any) -> None:
            params = {o.name: values.pop(str(o.name)) for o in options}
            self.act(recipe, {k: v for k, v in params.items() if k in names}, **values)

        description = inspect.getdoc(recipe.function) or ""
        return click.Command(cmd_name, params=[*self.shared, *options], callback=act, help=description)


def _option(parameter: inspect.Parameter, hint: Any, recipe: str) -> click.Option:
    """A recipe's keyword parameter as an option. Types: int, float, str, bool, each or None, tuples of str."""
    words = ""
    if typing.get_origin(hint) is typing.Annotated:
        hint, words = typing.get_args(hint)[0], str(hint.__metadata__[0])
    if isinstance(hint, types.UnionType):
        hint = next(t for t in typing.get_args(hint) if t is not type(None))
    several = typing.get_origin(hint) in (tuple, list)
    if several:
        hint = typing.get_args(hint)[0]
    if hint not in (int, float, str, bool):
        raise RecipeError(
            f"the parameter {parameter.name!r} of {recipe} has the type {hint}, which cannot be an option",
            remedy="use int, float, str, bool, or tuple[str, ...]",
        )
    flag = "--" + parameter.name.replace("_", "-")
    required = parameter.default is inspect.Parameter.empty
    return click.Option(
        [f"{flag}/--no-{flag[2:]}" if hint is bool else flag, parameter.name],
        type=hint,
        default=None if required else parameter.default,
        required=required,
        multiple=several,
        show_default=True,
        help=words,
    )


class Size(click.ParamType[int]):
    """A number of bytes such as 4GiB, 800MB or 2000000000."""

    name = "size"
    what = "a size"
    UNITS: typing.ClassVar[Mapping[str, int]] = {
        "": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30,
    }  # fmt: skip

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)", value.strip())
        if not match or match[2].lower() not in self.UNITS:
            self.fail(f"{value!r} is not {self.what}; write 4GiB, 800MB or a number of bytes", param, ctx)
        return int(float(match[1]) * self.UNITS[match[2].lower()])


class Memory(Size):
    """An amount of memory."""

    what = "an amount of memory"


FORMATS = ("parquet", "jsonl.zst")

INPUT = click.Option(
    ["--input", "-i", "inputs"],
    multiple=True,
    metavar="PATH",
    help="A folder of checkouts, a git mirror, an archive, Parquet or JSONL; KIND:PATH to say which. Repeatable.",
)
OUT = click.Option(["--out", "-o"], required=True, metavar="DIR", help="Where the result goes; re-runs resume there.")
RUN_OPTIONS = [
    INPUT,
    OUT,
    click.Option(["--engine"], type=click.Choice(["local", "ray"]), default="local", show_default=True),
    click.Option(["--workers", "-w"], type=click.IntRange(1), help="Processes. [default: one per core]"),
    click.Option(["--memory", "-m"], type=Memory(), help="Ceiling for all workers together, e.g. 4GiB."),
    click.Option(["--calls"], metavar="DIR", help="The store of paid calls. [default: beside --out, OUT.calls]"),
    click.Option(["--max-cost"], type=click.FloatRange(0), help="Money for teachers, in the currency of their prices."),
    click.Option(["--max-requests"], type=click.IntRange(0), help="Requests to teachers; answers stored are none."),
    click.Option(["--dry-run"], is_flag=True, help="Ask no teacher: say what it would take, and show a first prompt."),
    click.Option(["--collect"], is_flag=True, help="Ask nobody: write requests down for `codemill calls export`."),
    click.Option(["--to"], metavar="STEP", help="Build up to this step only, to look at what it leaves."),
    click.Option(
        ["--format"], type=click.Choice(FORMATS), help="Write OUT/shards besides, for other tools. [default: parquet]"
    ),
    click.Option(["--shard-size"], type=Size(), help="Content of a file of OUT/shards. [default: 256MB]"),
    click.Option(["--no-report"], is_flag=True, help="Do not write report.html; `codemill report OUT` does later."),
    click.Option(["--rehash"], is_flag=True, help="Hash what is built already before using it."),
    click.Option(["--json", "as_json"], is_flag=True, help="Events and the result as JSON lines on stdout."),
]
PLAN_OPTIONS = [
    INPUT,
    OUT,
    click.Option(["--to"], metavar="STEP", help="Up to this step only."),
    click.Option(["--json", "as_json"], is_flag=True, help="As JSON."),
]


def _labelled(opened: Sequence[Any]) -> tuple[Any, ...]:
    """Sources of one kind told apart: folder, folder-2, folder-3."""
    found: list[Any] = []
    for source in opened:
        before = sum(type(s) is type(source) for s in found)
        found.append(dataclasses.replace(source, label=f"{source.label}-{before + 1}") if before else source)
    return tuple(found)


def _outputs(
    recipe: catalog.Recipe, inputs: Sequence[str], params: Mapping[str, Any]
) -> codemill.Table | codemill.Outputs:
    from codemill import sources

    signature = inspect.signature(recipe.function)
    takes = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    if not inputs and takes and takes[0].default is inspect.Parameter.empty:
        raise click.UsageError(f"the recipe {recipe.name} needs --input PATH")
    if inputs and not takes:
        raise click.UsageError(f"the recipe {recipe.name} takes no --input")
    opened = _labelled([sources.open(text) for text in inputs])
    made = recipe.function(*([opened] if opened else []), **params)
    if not isinstance(made, codemill.Table | Mapping):
        what = f"the recipe {recipe.name} returned {type(made).__name__}, not a Table or a dict of outputs"
        raise RecipeError(what, where=recipe.file)
    return made


def _run(
    recipe: catalog.Recipe,
    params: dict[str, Any],
    *,
    inputs: Sequence[str],
    out: str,
    engine: str,
    workers: int | None,
    memory: int | None,
    calls: str | None,
    max_cost: float | None,
    max_requests: int | None,
    dry_run: bool,
    collect: bool,
    to: str | None,
    format: str | None,
    shard_size: int | None,
    no_report: bool,
    rehash: bool,
    as_json: bool,
) -> None:
    from codemill import report
    from codemill.run import below
    from codemill.teacher.ask import calls_of

    if calls is not None:
        calls = str(calls_of(out, calls))
    began = time.monotonic()
    console = Console(soft_wrap=True)
    wanted = shaping.shaped(_outputs(recipe, inputs, params), to=to, format=format, shard_size=shard_size)
    if not as_json:
        console.print(f"[bold]{recipe.name}[/bold] → {out}", highlight=False)
    manifest = codemill.build(
        wanted,
        out=out,
        workers=workers,
        memory=memory,
        engine=engine,
        verify=rehash,
        settings={
            "calls": calls,
            "max_cost": max_cost,
            "max_requests": max_requests,
            "collect": collect,
            "dry_run": dry_run,
        },
        recipe={"name": recipe.name, "parameters": params},
        progress=JsonLines(sys.stdout) if as_json else Terminal(console),
    )
    if "forecasts" in manifest:
        _rehearsed(manifest, console, as_json)
        return
    if as_json:
        summary = {k: manifest[k] for k in ("ingested", "kept", "dropped")}
        summary |= {"warnings": warnings(manifest), "report": report.write(out, page=not no_report)}
        print(json.dumps({"event": "done", **summary, "seconds": round(time.monotonic() - began, 3)}))
        return
    places = [f"{title} {below(out, title)}" for title in manifest["outputs"]]
    with console.status("writing the report"):  # of a large run it takes a while: it judges with other thresholds
        if written := report.write(out, page=not no_report):
            places.append(f"report {written}")
    found, kept, dropped = (manifest[k]["rows"] for k in ("ingested", "kept", "dropped"))
    seconds = f"{time.monotonic() - began:.1f} s"
    made_by = first_output(manifest)[-1]
    if made_by["kind"] == "folder":  # a model, or what else has no rows
        console.print(f"[bold]{made_by['name']}[/bold]  in {seconds}", highlight=False)
    else:
        total = f"[bold]{found:,} found = {kept:,} kept + {dropped:,} dropped[/bold]  in {seconds}"
        console.print(total, highlight=False)
    listed = [note for given in manifest["inputs"] for note in given["notes"]]
    for note in dict.fromkeys([*listed, *manifest.get("notes", ())]):
        console.print(f"  note: {note}", highlight=False)
    for warning in warnings(manifest):
        console.print(f"[bold yellow]warning:[/bold yellow] {escape(warning)}", highlight=False)
    console.print(" · ".join(places), highlight=False)
    if to is not None:
        console.print(shaping.how_to_look(out, to), highlight=False, markup=False)


def _rehearsed(found: Mapping[str, Any], console: Console, as_json: bool) -> None:
    """What a dry run found, besides the forecasts that it told."""
    from codemill.report.words import printable

    if as_json:
        print(json.dumps({"event": "done", **found}))
        return
    for one in found["forecasts"]:
        console.print(Text(f"── {one['step']} would ask ", "bold cyan"))
        console.print(Text(printable(one["example"], keep="\n\t")))
    if not found["forecasts"]:
        console.print("no teacher would be asked")
    if later := list(dict.fromkeys(found["waiting"])):
        console.print(f"what these ask depends on the answers: {', '.join(later)}", highlight=False, markup=False)


def _plan(
    recipe: catalog.Recipe,
    params: dict[str, Any],
    *,
    inputs: Sequence[str],
    out: str,
    to: str | None,
    as_json: bool,
) -> None:
    wanted = shaping.shaped(_outputs(recipe, inputs, params), to=to, format=None, shard_size=None)
    planned = codemill.plan(wanted, out)
    steps = []
    for node, state in zip(planned.nodes, planned.states, strict=True):
        step = node.table.step
        notes = list(step.notes(**node.table.params)) if step.notes else []
        steps.append({"step": step.name, "fingerprint": node.fingerprint, "state": state, "notes": notes})
    parts = sum(len(listing.shards) for listing in planned.listings)
    result = {
        "files": sum(s.files for listing in planned.listings for s in listing.shards),
        "bytes": planned.bytes,
        "parts": parts,
        "notes": [*(note for listing in planned.listings for note in listing.notes), *planned.notes()],
        "steps": [*steps, {"step": "publish", "fingerprint": planned.fingerprint,
                           "state": "published" if planned.published else "to publish", "notes": []}],
        # Source code compresses to about a quarter with zstd-1, and is stored twice: as ingested and as published.
        "disk_estimate": planned.bytes // 2,
    }  # fmt: skip
    if as_json:
        print(json.dumps(result))
        return
    console = Console(soft_wrap=True)
    console.print(
        f"[bold]{recipe.name}[/bold]: {result['files']:,} files, {planned.bytes / 1e6:,.1f} MB in "
        f"{parts} parts; roughly {planned.bytes / 2e6:,.1f} MB on disk",
        highlight=False,
    )
    for note in typing.cast(list[str], result["notes"]):
        console.print(f"  note: {note}", highlight=False)
    grid = Grid("step", "fingerprint", "state", box=None, pad_edge=False)
    for row in typing.cast(list[dict[str, Any]], result["steps"]):
        grid.add_row(row["step"], row["fingerprint"], row["state"])
    console.print(grid)
    for row in typing.cast(list[dict[str, Any]], result["steps"]):
        for note in row["notes"]:
            console.print(f"  {row['step']}: {note}", highlight=False)


COMMANDS = (
    Recipes(
        _run,
        RUN_OPTIONS,
        name="run",
        help="Runs a recipe: `codemill run RECIPE --help` for options; RECIPE:smoke is its small variant.",
    ),
    Recipes(_plan, PLAN_OPTIONS, name="plan", help="Shows what a run would build; builds nothing."),
)
