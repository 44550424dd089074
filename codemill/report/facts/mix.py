"""What a mix is made of: its file mix.json, held against itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from codemill.errors import InputError
from codemill.report.facts.ledger import Row
from codemill.run import Run, below


@dataclass(frozen=True)
class Mix:
    """A plan in numbers; inputs in the order of the recipe."""

    length: int  # tokens of a sequence
    sequences: int
    tokens: int
    padding: int  # tokens
    headings: int  # tokens of names of repositories and files
    wanted: int | None  # tokens that were asked for
    possible: int  # tokens that the inputs have at their weights and epochs
    inputs: tuple[Row, ...]  # name, share (of what is taken), has, taken, epochs (times it is read), documents


def gather(run: Run) -> Mix | None:
    """Reads mix.json; None if the run made no mix. Raises: InputError if it lacks something."""
    facts = run.folder.at("mix", "mix.json").read_json()
    if facts is None:
        return None
    try:
        return _mix(facts)
    except (KeyError, TypeError, ZeroDivisionError) as error:
        what = f"the mix cannot be read: {error!r}"
        raise InputError(what, where=below(run.out, "mix", "mix.json"), remedy="run the recipe again") from error


def _mix(facts: dict[str, Any]) -> Mix:
    taken = int(facts["taken"])
    inputs = [
        {
            "name": str(given["name"]),
            "share": given["taken"] / taken if taken else 0.0,
            "has": int(given["tokens"]),
            "taken": int(given["taken"]),
            "epochs": given["taken"] / given["tokens"] if given["tokens"] else 0.0,
            "documents": sum(int(one["documents"]) for one in given["by_epoch"]),
        }
        for given in facts["inputs"]
    ]
    return Mix(
        int(facts["length"]),
        int(facts["sequences"]),
        int(facts["tokens"]),
        int(facts["padding"]),
        sum(int(given.get("headings", 0)) for given in facts["inputs"]),
        facts["wanted"],
        int(facts["possible"]),
        tuple(inputs),
    )
