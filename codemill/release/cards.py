"""What a release adds to the cards of its models: the runs that they are made from, and scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codemill.errors import InputError
from codemill.evaluation.models import digest
from codemill.machine.store import seal
from codemill.model.card import UNSCORED, grid
from codemill.release.chain import Link, read_by

MODEL = "model"
"""The output of recipes of training."""


DATA = "## The data\n"


def origins(folder: Path, links: Sequence[Link]) -> None:
    """Says on the card of every model which runs of the release it was made from."""
    for link in links:
        card, names = _card(folder, link.name), read_by(link, links)
        if names and card.is_file():
            runs = ", ".join(f"`{name}`" for name in names)
            said = f"{DATA}\nMade from runs of this release, in folders beside this one: {runs}.\n"
            card.write_text(card.read_text("utf-8").replace(DATA, said, 1), "utf-8")
            _receipt(folder / link.name / "manifest.json", card)


def score(folder: Path, links: Sequence[Link], evaluations: Sequence[str]) -> list[str]:
    """Writes what evaluations of a release found on the cards of its models. Returns the runs whose card has scores.

    An evaluation is of the model whose weights it names, wherever that lay. The manifest of a run in the release says
    the hash of the card as it stands there.

    Raises: InputError for results that cannot be read.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    models = {digest(folder / link.name / MODEL): link.name for link in links if _card(folder, link.name).is_file()}
    for name in evaluations:
        try:
            results = json.loads((folder / name / "results.json").read_bytes())
            run = models.get(str((results["model"] or {}).get("sha256")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"the results cannot be read: {error!r}"
            raise InputError(what, where=f"{name}/results.json", remedy="evaluate again") from error
        if run is not None:
            found.setdefault(run, {})[name] = results
    for run, told in found.items():
        card = _card(folder, run)
        card.write_text(with_scores(card.read_text("utf-8"), run, told), "utf-8")
        _receipt(folder / run / "manifest.json", card)
    return sorted(found)


def _card(folder: Path, run: str) -> Path:
    return folder / run / MODEL / "README.md"


def _receipt(manifest: Path, card: Path) -> None:
    facts, data = json.loads(manifest.read_text("utf-8")), card.read_bytes()
    entry = facts["files"][MODEL][card.name]
    facts["files"][MODEL][card.name] = {**entry, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest.write_text(json.dumps(seal(facts), indent=1) + "\n", "utf-8")


def with_scores(card: str, name: str, evaluations: Mapping[str, Mapping[str, Any]]) -> str:
    """A card with the scores of evaluations, by their folders: a section, and `model-index` in its head, for hubs."""
    lines, index = ["## Scores", ""], list[dict[str, Any]]()
    for folder, results in evaluations.items():
        asked = "as a chat" if results["settings"]["chat"] else "to continue the prompt"
        rows = dict[str, str]()
        for suite in results["benchmarks"]:
            for one in suite.get("scores", ()):
                title = f"{one['score']} pass@{one['k']}" + (f", {one['over']}" if one["over"] != "all" else "")
                rows[title] = f"{_percent(one['value'])} ({_percent(one['low'])} to {_percent(one['high'])})"
                index.append(_entry(suite["benchmark"], f"pass@{one['k']}", title, 100 * one["value"]))
            if suite.get("bits"):
                title = f"{suite['benchmark']}, published answers, bits per byte"
                rows[title] = _bits(suite["bits"]["all"])
                index.append(_entry(suite["benchmark"], "bits_per_byte", title, suite["bits"]["all"]["bits_per_byte"]))
        if results["held_out"]:
            rows["files set aside, bits per byte"] = _bits(results["held_out"]["all"])
        how = f", asked {asked}" if any(suite.get("scores") for suite in results["benchmarks"]) else ""
        lines += [f"From `{folder}` of the release{how}; in brackets 95 % intervals.", "", *grid(rows), ""]
    head = ["model-index:", f"- name: {json.dumps(name)}", "  results:", *(f"  - {json.dumps(one)}" for one in index)]
    before, rule, after = card.removeprefix("---\n").partition("\n---\n")
    if index and rule:
        card = f"---\n{before}\n" + "\n".join(head) + rule + after
    return card.replace(UNSCORED, "\n".join(lines).rstrip())


def _entry(dataset: str, kind: str, name: str, value: float) -> dict[str, Any]:
    """One result as hubs read it."""
    return {
        "task": {"type": "text-generation"},
        "dataset": {"name": dataset, "type": dataset},
        "metrics": [{"type": kind, "name": name, "value": round(value, 4), "verified": False}],
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _bits(rate: Mapping[str, Any]) -> str:
    return f"{rate['bits_per_byte']:.4f} ({rate['low']:.4f} to {rate['high']:.4f})"
