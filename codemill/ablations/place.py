"""Where an ablation is built, and how large: everything is built by recipes, so a run that was stopped goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from codemill import Outputs, Table
from codemill.ablations.ablation import Scale
from codemill.machine.builder import build


@dataclass(frozen=True)
class Place:
    """The folder of an ablation."""

    out: Path
    scale: Scale
    workers: int | None = None
    said: Callable[[str], None] = lambda line: None

    def made(self, name: str, wanted: Table | Outputs) -> Path:
        """Builds it in OUT/NAME, or what of it is not there."""
        self.said(name)
        build(wanted, out=self.out / name, workers=self.workers)
        return self.out / name
