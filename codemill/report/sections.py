"""The report's sections on what a run published beside files: add one here, and page/sections/NAME.html.j2 beside it.

A section has facts, computed from a finished run, and a template that shows them as `facts`. It is on the page of every
run that has such facts, also of one that has no ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from codemill.report.facts import ablation, evaluation, lineage, mix, recall, synthesis, tokens, training
from codemill.run import Run


@dataclass(frozen=True)
class Section:
    """One section of the page."""

    name: str  # of its anchor and its template
    title: str
    gather: Callable[[Run], Any]  # the facts, or None if the run has none


SECTIONS = (
    Section("synthesis", "Synthesis", synthesis.gather),
    Section("tokens", "Tokens", tokens.gather),
    Section("mix", "Mix", mix.gather),
    Section("recall", "Web recall", recall.gather),
    Section("training", "Training", training.gather),
    Section("evaluation", "Evaluation", evaluation.gather),
    Section("ablation", "Ablation", ablation.gather),
    Section("lineage", "Made of", lineage.gather),
)


@dataclass(frozen=True)
class Filled:
    """A section of one run."""

    name: str
    title: str
    facts: Any


def gather(run: Run) -> tuple[Filled, ...]:
    """The sections that a run has something to say in. Raises: InputError if its files cannot be read."""
    found = ((section, section.gather(run)) for section in SECTIONS)
    return tuple(Filled(section.name, section.title, facts) for section, facts in found if facts is not None)
