"""`codemill evaluate`: a model's answers to benchmarks, judged."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table as Grid

from codemill.cli.shared import console
from codemill.errors import RecipeError

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("model", metavar="[MODEL]", required=False)
@click.option("--data", "files", multiple=True, type=FILE, help="A benchmark's published file. Repeat it.")
@click.option("--benchmark", multiple=True, metavar="NAME", help="Only this one, as cruxeval or cruxeval:output.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the results.")
@click.option("--chat", is_flag=True, help="Ask as a chat, instead of letting the model continue the prompt.")
@click.option("--style", default="official", show_default=True, help="official, evalplus, bigcode, lm-eval, opencoder.")
@click.option("--name", metavar="NAME", help="Of the model at an endpoint.")
@click.option("--samples", type=click.IntRange(1), default=1, show_default=True, help="Answers to each task.")
@click.option("--temperature", type=click.FloatRange(0), default=0.0, show_default=True)
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True)
@click.option("--max-tokens", type=click.IntRange(1), help="Of a reply, instead of the benchmark's.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("-k", "ks", multiple=True, type=click.IntRange(1), help="pass@k. Repeat it. [default: 1]")
@click.option("--limit", type=click.IntRange(1), help="Only so many tasks, chosen by the hash of their names.")
@click.option("--witnesses", type=FILE, help="Right answers (samples.jsonl) for a benchmark that publishes none.")
@click.option("--without-broken", is_flag=True, help="Leave out tasks that fail the self-test; both numbers are given.")
@click.option(
    "--held-out",
    type=click.Path(exists=True, path_type=Path),
    help="Files the model has not seen, as Parquet: bits per byte.",
)
@click.option("--newer-than", metavar="TIME", help="Of --held-out only files with a later commit time.")
@click.option("--bits-only", is_flag=True, help="No answers: bits per byte of published answers and --held-out alone.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--python", metavar="PATH", help="Interpreter whose packages Python programs see.")
@click.option("-w", "--workers", type=click.IntRange(1), help="Programs at a time. [default: as many as cores]")
@click.option("--json", "as_json", is_flag=True, help="The results as JSON.")
def evaluate(
    model: str | None, files: tuple[Path, ...], benchmark: tuple[str, ...], out: Path, witnesses: Path | None,
    name: str | None, as_json: bool, ks: tuple[int, ...], held_out: Path | None, newer_than: str | None, device: str,
    **options: Any,
) -> None:  # fmt: skip
    """Asks MODEL for answers and judges them: a folder in Hugging Face's format, an endpoint's address, or answers
    from elsewhere (samples.jsonl). Without MODEL the benchmark is only proved.

    A benchmark whose own answers fail here, or whose tests pass for an answer that does nothing, gets no score.
    """
    from codemill import evaluation
    from codemill.evaluation import HeldOut, Sampling, Settings, surprise
    from codemill.evaluation.watching import Shown

    if not files and held_out is None:
        raise RecipeError("there is nothing to evaluate on", remedy="give --data, --held-out, or both")
    since = surprise.time_of(newer_than) if newer_than else None
    unseen = HeldOut(held_out, since) if held_out is not None else None
    drawn = {field.name: options.pop(field.name) for field in dataclasses.fields(Sampling)}
    if drawn["samples"] > 1 and not drawn["temperature"]:
        raise RecipeError("at temperature 0 all samples are the same", remedy="give a --temperature, or one sample")
    settings = Settings(sampling=Sampling(**drawn), k=ks or (1,), **options)
    asked, imported = _model(model, name, device)
    told = Console(stderr=True, soft_wrap=True)
    if files and not (settings.chat or settings.bits_only) and getattr(asked, "chats", False):
        told.print("This model has a chat template: with --chat it is asked as it was tuned.", highlight=False)
    results = evaluation.evaluate(
        files, out, model=asked, imported=imported, witnesses=witnesses, benchmark=benchmark, settings=settings,
        held_out=unseen, watch=Shown(told),
    )  # fmt: skip
    if as_json:
        print(json.dumps(dataclasses.asdict(results)))
    else:
        show(results)


def _model(model: str | None, name: str | None, device: str) -> tuple[Any, Path | None]:
    if model is None:
        return None, None
    if model.endswith((".jsonl", ".jsonl.gz")):
        return None, Path(model)
    from codemill.evaluation import models

    return models.named(model, name, device), None


def show(results: Any) -> None:
    """Scores in the terminal, and what the self-test named."""
    grid = Grid("", "tasks", "solved", "", "95 %", "", box=None, pad_edge=False)
    for suite in results.benchmarks:
        if suite.get("bits"):
            _bits(grid, f"{suite['benchmark']}, published answers", suite["bits"]["all"])
        if "selftest" not in suite:
            continue
        proof = suite["selftest"]
        proved = f"{proof['references']} references pass, {proof['rejected']} wrong answers fail"
        if not suite["scores"]:
            grid.add_row(suite["benchmark"], str(suite["able"]), "", "", "", proved)
        for score in suite["scores"]:
            over = "" if score["over"] == "all" else f" ({score['over']} tasks)"
            solved = "" if score["solved"] is None else str(score["solved"])
            interval = f"{100 * score['low']:.1f} to {100 * score['high']:.1f}"
            title = f"{score['score']} pass@{score['k']}{over}"
            grid.add_row(title, str(score["tasks"]), solved, f"{100 * score['value']:.1f}", interval, proved)
    for group, rate in results.held_out["groups"].items() if results.held_out else ():
        _bits(grid, f"held out, {group}", rate)
    if results.held_out:
        _bits(grid, "held out", results.held_out["all"])
    screen = console()
    screen.print(grid)
    for suite in results.benchmarks:
        if "selftest" not in suite:
            continue
        proof = suite["selftest"]
        named = {**{what: proof[what] for what in ("broken", "open", "missing")}, "not judged": suite["not_run"]}
        for what, tasks in named.items():
            for task, why in list(tasks.items())[:20]:
                known = f"; known: {proof['known'][task]}" if task in proof["known"] else ""
                screen.print(f"{what}: {task}: {why}{known}", markup=False, soft_wrap=True)
            if len(tasks) > 20:
                screen.print(f"{what}: {len(tasks) - 20} more, in results.json")
        for what in ("unproved", "unanswered"):
            if left := suite.get(what) or proof.get(what):
                screen.print(f"{what}: {len(left)} tasks")


def _bits(grid: Grid, title: str, rate: Any) -> None:
    interval = f"{rate['low']:.4f} to {rate['high']:.4f}"
    grid.add_row(title, str(rate["texts"]), "", f"{rate['bits_per_byte']:.4f}", interval, "bits per byte")


COMMANDS = (evaluate,)
