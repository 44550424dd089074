"""An ablation: OUT/ablation.json, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from codemill.errors import InputError
from codemill.report.facts.ledger import Row
from codemill.run import Run, below


@dataclass(frozen=True)
class Experiment:
    """Arms with what they read and how they fared, verdicts, and a curve of training for each arm."""

    name: str
    hypothesis: str
    cited: str
    measured: tuple[Row, ...]  # name, texts, bytes
    arms: tuple[Row, ...]  # name, documents, tokens, epochs, mean, seeds, same_as, inputs, points, page
    verdicts: tuple[Row, ...]  # on, arm, difference, low, high, noise, accuracy, words
    left_out: tuple[str, ...]


def gather(run: Run) -> Experiment | None:
    """Reads ablation.json; None if the run is no ablation. Raises: InputError if it lacks something."""
    facts = run.folder.at("ablation.json").read_json()
    if facts is None:
        return None
    try:
        return Experiment(
            facts["ablation"],
            facts["hypothesis"],
            facts["cited"],
            tuple({"name": name, **size} for name, size in facts["measured"].items()),
            tuple(_arm(run, name, arm) for name, arm in facts["arms"].items()),
            tuple(facts["verdicts"]),
            tuple(facts["left_out"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        what = f"the results cannot be read: {error!r}"
        raise InputError(what, where=below(run.out, "ablation.json"), remedy="run the ablation again") from error


def _arm(run: Run, name: str, arm: dict[str, Any]) -> Row:
    bits = [one["bits_per_byte"] for one in arm["runs"]]
    return {
        "name": name,
        **{key: arm[key] for key in ("documents", "tokens", "epochs")},
        "mean": sum(bits) / len(bits),
        "seeds": bits,
        "same_as": arm.get("same_as"),
        "inputs": arm.get("inputs", []),
        "points": [{"step": step, "loss": loss} for step, loss in arm["runs"][0]["curve"]],
        "page": run.folder.at(name, "report.html").exists(),  # the picture of its corpus
    }
