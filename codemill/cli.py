"""The command line: a short list of verbs, frozen by a test. Options of a recipe are its own keyword parameters.

Exit status: 0 done, 1 failed (the message says what, where and what to do), 2 wrong usage or recipe,
130 interrupted (run again to go on).
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import keyword
import logging
import os
import re
import shutil
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table as Grid

import codemill
from codemill import catalog
from codemill.errors import CodemillError, InputError, RecipeError, did_you_mean
from codemill.machine.progress import JsonLines, Terminal

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


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


# ── run and plan ──────────────────────────────────────────────────────────────────────────────────────────────────


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


class Memory(click.ParamType[int]):
    """An amount of memory such as 4GiB, 800MB or 2000000000."""

    name = "size"
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
            self.fail(f"{value!r} is not an amount of memory; write 4GiB, 800MB or a number of bytes", param, ctx)
        return int(float(match[1]) * self.UNITS[match[2].lower()])


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
    click.Option(["--json", "as_json"], is_flag=True, help="Events and the result as JSON lines on stdout."),
]
PLAN_OPTIONS = [INPUT, OUT, click.Option(["--json", "as_json"], is_flag=True, help="As JSON.")]


def _console() -> Console:
    """Where tables go: as wide as the terminal; wider than most in a pipe, so that no name is broken there."""
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160)


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
    as_json: bool,
) -> None:
    from codemill import report
    from codemill.run import below

    console = Console(soft_wrap=True)
    wanted = _outputs(recipe, inputs, params)
    if not as_json:
        console.print(f"[bold]{recipe.name}[/bold] → {out}", highlight=False)
    manifest = codemill.build(
        wanted,
        out=out,
        workers=workers,
        memory=memory,
        engine=engine,
        recipe={"name": recipe.name, "parameters": params},
        progress=JsonLines(sys.stdout) if as_json else Terminal(console),
    )
    if as_json:
        summary = {k: manifest[k] for k in ("ingested", "kept", "dropped", "seconds")}
        print(json.dumps({"event": "done", **summary, "report": report.write(out)}))
        return
    found, kept, dropped = (manifest[k]["rows"] for k in ("ingested", "kept", "dropped"))
    total = f"[bold]{found:,} found = {kept:,} kept + {dropped:,} dropped[/bold]  in {manifest['seconds']:.1f} s"
    console.print(total, highlight=False)
    with console.status("writing the report"):  # of a large run it takes a while, for it judges with other thresholds
        page = report.write(out)
    console.print(f"corpus {below(out, 'corpus')} · ledger {below(out, 'ledger')} · report {page}", highlight=False)


def _plan(recipe: catalog.Recipe, params: dict[str, Any], *, inputs: Sequence[str], out: str, as_json: bool) -> None:
    planned = codemill.plan(_outputs(recipe, inputs, params), out)
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
        "notes": [note for listing in planned.listings for note in listing.notes],
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


RUN_HELP = "Runs a recipe: `codemill run RECIPE --help` for options; RECIPE:smoke is its small variant."
cli.add_command(Recipes(_run, RUN_OPTIONS, name="run", help=RUN_HELP))
cli.add_command(Recipes(_plan, PLAN_OPTIONS, name="plan", help="Shows what a run would build; builds nothing."))


# ── looking at a result ───────────────────────────────────────────────────────────────────────────────────────────


@cli.command()
@click.argument("dir", metavar="DIR")
@click.option("--rules", is_flag=True, help="Each rule: hits, and what it alone removes.")
@click.option("--rule", metavar="[SET:]SIGNAL", help="One rule: values, and files on either side of its threshold.")
@click.option("--if", "change", metavar="[SET:]SIGNAL<N", help="What another threshold would do; also > and =.")
@click.option("--rank", metavar="TRUSTED", help="Files by perplexity under a model, or under trusted files or a DIR.")
@click.option("--signals", is_flag=True, help="Each signal before and after: what was measured, what was kept.")
@click.option("--language", metavar="NAME", help="With --signals: of the files in one language.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(
    dir: str,
    rules: bool,
    rule: str | None,
    change: str | None,
    rank: str | None,
    signals: bool,
    language: str | None,
    as_json: bool,
) -> None:
    """Funnel and counts of a result, in the terminal; or what its rules do, for tuning them."""
    from codemill.report import terminal, tuned

    if sum(map(bool, (rules, rule, change, rank, signals))) > 1:
        raise click.UsageError("--rules, --rule, --if, --rank and --signals are looked at one at a time")
    if language and not signals:
        raise click.UsageError("--language is of --signals")
    if rules or rule or change or rank or signals:
        looked = tuned.signals(dir, language) if signals else tuned.look(dir, rule=rule, change=change, rank=rank)
        data, view = looked
        if as_json:
            print(json.dumps(data))
        else:
            _console().print(view)
    elif as_json:
        print(json.dumps(terminal.show_data(dir)))
    else:
        _console().print(terminal.show(dir))


@cli.command()
@click.argument("dir", metavar="DIR")
@click.argument("document", metavar="ID|PATH")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def explain(dir: str, document: str, as_json: bool) -> None:
    """Why a file is in or out: by id, by path, or by the end of its path."""
    from codemill.report import terminal

    data = terminal.explain_data(dir, document)
    if as_json:
        print(json.dumps(data))
    else:
        _console().print(terminal.explain_view(data))
    sys.exit(0 if data["found"] else 1)


@cli.command()
@click.argument("dir", metavar="DIR")
def report(dir: str) -> None:
    """Writes DIR/report.html again."""
    from codemill import report as page

    with Console().status("writing the report"):
        written = page.write(dir)
    print(written)


@cli.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--language", help="Instead of the one that its path and content tell.")
@click.option("--json", "as_json", is_flag=True, help="What was found, as JSON lines: line, column, kind and rule.")
def redact(file: Path, language: str | None, as_json: bool) -> None:
    """Prints FILE with placeholders for personal data and secrets, and on stderr how many."""
    import pyarrow as pa

    from codemill import _core, cleaning, languages

    row = _core.decode(pa.array([file.read_bytes()], pa.large_binary())).to_pylist()[0]
    decoded = row["content"]
    if decoded is None:
        raise InputError(f"the file is {row['reason']}, not text", where=file)
    language = languages.get(language).name if language else languages.detect(file.name, decoded).language
    if as_json:
        for row in cleaning.findings(decoded, language=language):
            print(json.dumps(row))
        return
    done = cleaning.redact(decoded, language=language)
    sys.stdout.write(done.content)
    sys.stdout.flush()
    counted = ", ".join(f"{n} {kind}" for kind, n in done.counts.items())
    print(f"{file}: {counted or 'nothing found'}", file=sys.stderr)


# ── catalogues ────────────────────────────────────────────────────────────────────────────────────────────────────


def _recipes() -> list[dict[str, Any]]:
    return [{"name": r.name, "what": r.summary} for r in catalog.recipes().values()]


def _steps() -> list[dict[str, Any]]:
    return [
        {"name": s.name, "version": s.version, "kind": s.kind, "what": catalog.first_line(s.function)}
        for s in catalog.steps().values()
    ]


def _languages() -> list[dict[str, Any]]:
    from codemill import languages

    return [
        {"name": la.name, "title": la.title, "type": la.doc_type, "extensions": " ".join(la.extensions)}
        for la in languages.all()
    ]


def _sources() -> list[dict[str, Any]]:
    from codemill import sources

    return [{"name": kind.name, "what": kind.summary} for kind in sources.all()]


def _signals() -> list[dict[str, Any]]:
    from codemill import signals

    return [
        {"name": s.name, "version": s.version, "documents": ", ".join(s.documents), "unit": s.unit, "what": s.what}
        for s in signals.all()
    ]


def _rules() -> list[dict[str, Any]]:
    from codemill.recipes._refinecode_rules import REFINECODE_RULES

    return [
        {
            "name": rule.signal,
            "set": s.name,
            "drop if": rule.limit() if rule.judges else "off",
            "chance": f"{rule.drop_probability:g}",
        }
        for s in REFINECODE_RULES.sets
        for rule in s.rules
    ]


def _keys() -> list[dict[str, Any]]:
    from codemill import cleaning

    return [{"name": f["name"], "begins": ", ".join(f["anchors"]), "from": f["from"]} for f in cleaning.formats()]


CATALOGUES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "recipes": _recipes,
    "steps": _steps,
    "signals": _signals,
    "rules": _rules,
    "languages": _languages,
    "sources": _sources,
    "keys": _keys,
}


@cli.command("list")
@click.argument("what", type=click.Choice(list(CATALOGUES)))
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
def list_(what: str, as_json: bool) -> None:
    """Lists a catalogue: recipes, steps, signals, rules (of refinecode), languages, sources or formats of keys."""
    rows = CATALOGUES[what]()
    if as_json:
        for row in rows:
            print(json.dumps(row))
        return
    # A line each, so that it can be searched; a terminal shows as much of it as there is room for.
    names = sorted(rows[0], key=lambda name: (name != "name", name != "what"))
    lines = [names, *([str(row[name]) for name in names] for row in rows)]
    widths = [min(max(map(len, column)), 60) for column in zip(*lines, strict=True)]
    most = _console().width if sys.stdout.isatty() else None
    for line in lines:
        text = "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        print(text if most is None or len(text) <= most else f"{text[: most - 1]}…")


@cli.command()
@click.argument("name")
@click.option("--from", "origin", default="refinecode", show_default=True, metavar="RECIPE", help="What to start from.")
def new(name: str, origin: str) -> None:
    """Writes NAME.py: a copy of a recipe, to edit and to run."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise click.UsageError(f"{name!r} cannot be a function's name; use letters, digits and underscores")
    known = catalog.recipes()
    if origin not in known:
        raise RecipeError(f"there is no recipe {origin!r}", remedy=did_you_mean(origin, known))
    target = Path(f"{name}.py")
    if target.exists():
        raise InputError("the file is there already", where=target, remedy="choose another name")
    shutil.copyfile(known[origin].file, target)
    text = target.read_text()
    text = re.sub(rf"\bdef {origin}\(", f"def {name}(", text)
    text = re.sub(rf"\breturn {origin}\(", f"return {name}(", text)
    text = re.sub(rf"codemill run {origin}\b", f"codemill run {name}.py", text)
    target.write_text(text)
    print(f"{target}: edit it, then run\n  codemill run {target} --input PATH --out DIR")


if __name__ == "__main__":
    main()
