"""`codemill list` and `codemill new`: what there is, and a new recipe to start from."""

from __future__ import annotations

import json
import keyword
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from codemill import catalog
from codemill.cli.shared import console
from codemill.errors import InputError, RecipeError, did_you_mean


def _recipes() -> list[dict[str, Any]]:
    return [{"name": r.name, "what": r.summary} for r in catalog.recipes().values()]


def _steps() -> list[dict[str, Any]]:
    return [
        {"name": s.name, "version": s.version, "kind": s.kind, "what": catalog.first_line(s.function)}
        for s in catalog.steps().values()
    ]


def _prompts() -> list[dict[str, Any]]:
    from codemill.teacher import single
    from codemill.teacher.ask import Asking

    return [
        {
            "name": s.name,
            "version": s.version,
            "reads": " ".join(single.reads(s, {})),
            "what": catalog.first_line(s.function),
        }
        for s in catalog.prompts().values()
        if isinstance(s, Asking)
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
    from codemill.recipes.refinecode import CORRECTED_RULES, REFINECODE_RULES

    return [
        {
            "name": rule.signal,
            "book": book,
            "set": s.name,
            "drop if": rule.limit() if rule.judges else "off",
            "chance": f"{rule.drop_probability:g}",
        }
        for book, rules in (("refinecode", REFINECODE_RULES), ("corrected", CORRECTED_RULES))
        for s in rules.sets
        for rule in s.rules
    ]


def _keys() -> list[dict[str, Any]]:
    from codemill import cleaning

    return [{"name": f["name"], "begins": ", ".join(f["anchors"]), "from": f["from"]} for f in cleaning.formats()]


def _benchmarks() -> list[dict[str, Any]]:
    from codemill import benchmarks

    return [{"name": b.name, "what": b.title, "languages": b.languages, "licence": b.licence} for b in benchmarks.all()]


CATALOGUES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "recipes": _recipes,
    "steps": _steps,
    "prompts": _prompts,
    "signals": _signals,
    "rules": _rules,
    "languages": _languages,
    "sources": _sources,
    "keys": _keys,
    "benchmarks": _benchmarks,
}


@click.command("list")
@click.argument("what", type=click.Choice(list(CATALOGUES)))
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
def list_(what: str, as_json: bool) -> None:
    """Lists a catalogue: recipes, steps, prompts (methods of synthesis), signals, rules, languages and others."""
    rows = CATALOGUES[what]()
    if as_json:
        for row in rows:
            print(json.dumps(row))
        return
    # A line each, so that it can be searched; a terminal shows as much of it as there is room for.
    names = sorted(rows[0], key=lambda name: (name != "name", name != "what"))
    lines = [names, *([str(row[name]) for name in names] for row in rows)]
    widths = [min(max(map(len, column)), 60) for column in zip(*lines, strict=True)]
    most = console().width if sys.stdout.isatty() else None
    for line in lines:
        text = "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        print(text if most is None or len(text) <= most else f"{text[: most - 1]}…")


@click.command()
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


COMMANDS = (list_, new)
