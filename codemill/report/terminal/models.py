"""Models side by side in the terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.table import Table as Grid

from codemill.evaluation.comparing import compare as compared


def compare(outs: Sequence[str]) -> tuple[Any, Grid]:
    """Evaluations as plain data and as a table: each model beside the first."""
    found = compared(outs)
    grid = Grid("score", "model", "value", "95 %", "difference", "95 %", "p", "tasks", box=None, pad_edge=False)
    for beside in found:
        scale, digits = (1.0, 4) if beside.less_is_better else (100.0, 1)
        for number, (model, mean) in enumerate(zip(beside.models, beside.means, strict=True)):
            row = [beside.score if not number else "", model, f"{scale * mean.value:.{digits}f}"]
            row.append(f"{scale * mean.low:.{digits}f} to {scale * mean.high:.{digits}f}")
            if number:
                gain = beside.differences[number - 1]
                row += [
                    f"{scale * gain.value:+.{digits}f}",
                    f"{scale * gain.low:+.{digits}f} to {scale * gain.high:+.{digits}f}",
                    f"{gain.p:.3f}",
                    f"{gain.tasks}: {gain.first} less, {gain.second} more" if not beside.less_is_better
                    else f"{gain.tasks}: {gain.second} more, {gain.first} less",
                ]  # fmt: skip
            grid.add_row(*row)
    return [dataclasses.asdict(beside) for beside in found], grid
