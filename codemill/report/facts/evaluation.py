"""Scores of a model: OUT/results.json, held against itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from codemill.errors import InputError
from codemill.report.facts.ledger import Row
from codemill.run import Run, below


@dataclass(frozen=True)
class Evaluation:
    """What was scored, what of it was proved, and how it was asked."""

    model: str | None
    scores: tuple[Row, ...]  # suite, score, k, over, tasks, known, solved, value, low, high
    proofs: tuple[Row, ...]  # suite, references, rejected, broken, missing, unproved, not_run
    languages: tuple[Row, ...]  # suite, language, tasks, value, low, high
    bits: tuple[Row, ...]  # what, group, texts, bytes, bits_per_byte, low, high
    asked: tuple[tuple[str, str], ...]  # settings, for people
    environment: tuple[tuple[str, str], ...]  # language, what it ran with; library, its version


def gather(run: Run) -> Evaluation | None:
    """Reads results.json; None if the run is no evaluation. Raises: InputError if it lacks something."""
    facts = run.folder.at("results.json").read_json()
    if facts is None:
        return None
    try:
        return _evaluation(facts)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"the results cannot be read: {error!r}"
        raise InputError(what, where=below(run.out, "results.json"), remedy="evaluate again") from error


def _evaluation(facts: dict[str, Any]) -> Evaluation:
    scores, proofs, languages = list[Row](), list[Row](), list[Row]()
    bits = list[Row]()
    for suite in facts["benchmarks"]:
        if suite.get("bits"):
            bits.append({**suite["bits"]["all"], "what": f"{suite['benchmark']}: published answers", "group": ""})
        if "selftest" not in suite:
            continue
        proof = suite["selftest"]
        proofs.append(
            {
                "suite": suite["benchmark"],
                "references": proof["references"],
                "rejected": proof["rejected"],
                "broken": {**proof["broken"], **proof["open"]},
                "known": proof["known"],
                "missing": len(proof["missing"]),
                "unproved": len(proof["unproved"]),
                "not_run": suite["not_run"],
                "rule": suite["rule"],
            }
        )
        for score in suite["scores"]:
            scores.append({**score, "suite": suite["benchmark"], "known": suite["tasks_known"]})
            for name, one in score.get("languages", {}).items():
                languages.append({**one, "suite": score["score"], "language": name})
    if facts["held_out"]:
        bits.append({**facts["held_out"]["all"], "what": "held-out files", "group": ""})
        groups = facts["held_out"]["groups"].items()
        bits += [{**rate, "what": "held-out files", "group": name} for name, rate in groups]
    sampling = facts["settings"]["sampling"]
    asked = [
        ("asked", "as a chat" if facts["settings"]["chat"] else "to continue the prompt"),
        ("style", facts["settings"]["style"]),
        ("samples", str(sampling["samples"])),
        ("temperature", str(sampling["temperature"])),
        ("top-p", str(sampling["top_p"])),
    ]
    if facts["settings"]["imported"]:
        asked = [("answers", "from elsewhere"), ("style", facts["settings"]["style"])]
    model = facts["model"]
    return Evaluation(
        None if model is None else str(model["name"]),
        tuple(scores),
        tuple(proofs),
        tuple(languages),
        tuple(bits),
        tuple(asked),
        _environment(facts["environment"]),
    )


def _environment(facts: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Toolchains, then libraries: those that tests import and those that ran the model."""
    libraries = {**facts.get("modules", {}), **facts.get("libraries", {})}
    named = [(name, f"{name} {version}") for name, version in sorted(libraries.items())]
    return (*sorted(facts["languages"].items()), *named)
