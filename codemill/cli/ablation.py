"""`codemill ablate`: one decision about data changed, and what small models say of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click
from rich.table import Table as Grid

from codemill.cli.shared import console


@click.command()
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--input", "inputs", multiple=True, metavar="PATH", help="As for `codemill run`. Repeat it.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for all of it.")
@click.option("--scale", default="laptop", show_default=True, help="smoke, laptop (two cores) or gpu (an hour a run).")
@click.option("--seeds", type=click.IntRange(2), help="Models of each arm, instead of the scale's.")
@click.option("--tokens", type=click.IntRange(1), help="Of pretraining, instead of the scale's; a quarter goes on.")
@click.option("--teacher", metavar="NAME", help="Who writes synthetic rows: MODEL@URL, local:FOLDER, replay:… .")
@click.option("--data", "data", multiple=True, metavar="FILE", help="A benchmark's file: its answers are measured too.")
@click.option("-w", "--workers", type=click.IntRange(1), help="Processes. [default: as many as cores]")
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def ablate(
    name: str | None, inputs: tuple[str, ...], out: Path | None, scale: str, seeds: int | None, tokens: int | None,
    teacher: str | None, data: tuple[str, ...], workers: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Runs the ablation NAME: its arms, some seeds each, judged on files that no arm has. Without NAME: lists them."""
    from codemill.ablations import ablation, running
    from codemill.errors import RecipeError, did_you_mean
    from codemill.model import job

    if name is None:
        for one in ablation.all().values():
            print(f"{one.name:14}{one.hypothesis}")
        return
    chosen = ablation.get(name)
    if scale not in ablation.SCALES:
        raise RecipeError(f"there is no scale {scale!r}", remedy=did_you_mean(scale, ablation.SCALES))
    if not inputs or out is None:
        raise RecipeError("an ablation needs --input and --out")
    job.need("torch", "safetensors", "tokenizers")
    size = ablation.SCALES[scale]
    size = dataclasses.replace(size, seeds=seeds) if seeds else size
    size = dataclasses.replace(size, tokens=tokens, further=tokens // 4) if tokens else size

    screen = console()
    found = running.run(
        chosen, ablation.Given(_opened(inputs), teacher, data), out, scale=size, workers=workers,
        said=(lambda line: None) if as_json else lambda line: screen.print(line, style="dim"),
    )  # fmt: skip
    from codemill import report

    for folder in (*(out / arm for arm in ("base", *found["arms"]) if (out / arm / "ledger").is_dir()), out):
        report.write(folder)
    if as_json:
        print(json.dumps(found))
    else:
        show(found)
        screen.print(f"The report: {out / 'report.html'}", soft_wrap=True)


def _opened(inputs: tuple[str, ...]) -> list[Any]:
    """The inputs as sources, each with a label of its own."""
    from codemill import sources

    opened: list[Any] = [sources.open(text) for text in inputs]
    if len(opened) == 1:
        return opened
    return [dataclasses.replace(one, label=f"{one.label}-{number}") for number, one in enumerate(opened)]


def show(found: dict[str, Any]) -> None:
    """The table of an ablation in the terminal."""
    grid = Grid("arm", "documents", "tokens", "epochs", "bits per byte", "seeds", box=None, pad_edge=False)
    for arm, facts in found["arms"].items():
        bits = [run["bits_per_byte"] for run in facts["runs"]]
        each = " ".join(f"{one:.4f}" for one in bits)
        mean = f"{sum(bits) / len(bits):.4f}"
        if "same_as" in facts:
            mean, each = "", f"the same documents as {facts['same_as']}: not trained again"
        grid.add_row(arm, f"{facts['documents']:,}", f"{facts['tokens']:,}", f"{facts['epochs']:.2f}", mean, each)
    screen = console()
    screen.print(f"Hypothesis: {found['hypothesis']} ({found['cited']})", soft_wrap=True)
    screen.print(grid)
    for arm, facts in found["arms"].items():
        if read := facts.get("inputs"):
            parts = (f"{one['name']} {one['read']:,.0f} tokens in {one['epochs']:.2f} epochs" for one in read)
            screen.print(f"{arm} read {', '.join(parts)}", soft_wrap=True)
    for name in found["left_out"]:
        screen.print(f"{name}: left out, for one of its sets is empty or there is no teacher", soft_wrap=True)
    for one in found["verdicts"]:
        screen.print(
            f"{one['on']}, {one['arm']}: {one['difference']:+.4f} bits per byte beside the first arm "
            f"({one['low']:+.4f} to {one['high']:+.4f}), noise {one['noise']:.4f}, "
            f"decision accuracy {one['accuracy']:.2f}: {one['words']}",
            soft_wrap=True,
        )


COMMANDS = (ablate,)
