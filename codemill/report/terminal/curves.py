"""The curves of training in the terminal, also of a run that has not ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from codemill.model.card import curve
from codemill.report import words
from codemill.report.facts import training
from codemill.run import Run

NAMES = {"loss": "loss", "rate": "learning rate", "norm": "norm of the gradient"}


def show_data(out: str | Path) -> list[dict[str, Any]]:
    """The models of a run as plain data, those that are being trained first; none if it trains none.

    Raises: InputError if there is no run in `out`.
    """
    models = training.unfinished(out)
    return [asdict(model) for model in models or training.gather(Run.open(out)) or ()]


def show_view(models: Sequence[dict[str, Any]]) -> RenderableType:
    """`show_data` as something rich can print: a line of bars for each curve, with its first and its last value."""
    blocks: list[RenderableType] = []
    for model in models:
        under_way = model["steps"] < model["of"]
        head = Text.assemble((words.printable(model["name"]), "bold"), f"   step {words.count(model['steps'])}")
        head.append(f" of {words.count(model['of'])}" if under_way else "")
        head.append(f"   {words.plural(model['tokens'], 'token')}   {words.printable(model['ran_on'])}", "dim")
        blocks += [Text(), head]
        lines = [(name, [point[key] for point in model["points"]]) for key, name in NAMES.items()]
        if model["held"]:
            lines.insert(1, ("loss, held out", [loss for _, loss in model["held"]]))
        for name, values in lines:
            ends = f"{values[0]:>9.3g} → {values[-1]:<9.3g}"
            blocks.append(Text.assemble(f"  {name:<21}", ends, (curve(values), "dark_goldenrod")))
    return Group(*blocks[1:])
