"""What the rounds of a web recall found: examples, thresholds, figures on held-out domains, and domains."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import polars as pl

from codemill.errors import InputError
from codemill.report.facts.ledger import Row
from codemill.run import Run

DOMAINS = 60  # shown by name
TELLING = 20


@dataclass(frozen=True)
class Round:
    """One round: what it learned from, what it is worth on held-out domains, and what it found."""

    number: int
    code: int  # examples
    other: int
    thresholds: tuple[tuple[str, float], ...]  # of all, of languages and of kinds of site
    less_precise: bool  # its threshold for all is not as precise as was asked for: none was
    test: Row  # pages, code, precision, recall, recall_at_precision, average_precision
    recalled: int  # pages of the crawl that have a domain
    pages: int
    domains: int  # about code
    new_domains: int  # that no earlier round found


@dataclass(frozen=True)
class Recall:
    """All rounds, and of the last one the curve, the calibration, telling words and domains."""

    precision: float
    rounds: tuple[Round, ...]
    curve: tuple[Row, ...]  # threshold, precision, recall
    calibration: tuple[Row, ...]  # from, pages, score, code
    telling: Row  # code, other: words and what they weigh
    domains: tuple[Row, ...]  # about code first, then by recalled pages
    others: int  # domains that are not shown


def gather(run: Run) -> Recall | None:
    """Reads what the rounds published; None if the run has none. Raises: InputError if a file cannot be read."""
    outputs = run.manifest.get("files", {})
    numbers = sorted(int(m[1]) for name in outputs if (m := re.fullmatch(r"classifier_(\d+)", name)))
    if not numbers:
        return None
    rounds: list[Round] = []
    known: set[str] = set()
    for number in numbers:
        facts = run.folder.at(f"classifier_{number}", "classifier.json").read_json()
        if not isinstance(facts, dict):
            raise InputError("cannot read what a classifier is worth", where=f"classifier_{number}", remedy="run again")
        domains = domains_of(run, number)
        found = set(domains.filter("is_code")["domain"])
        rounds.append(
            Round(
                number,
                facts["examples"]["code"],
                facts["examples"]["other"],
                tuple(facts["thresholds"].items()),
                "all" in facts.get("less_precise", ()),  # earlier runs do not say it
                facts["test"]["all"],
                int(domains["recalled"].sum()),
                int(domains["pages"].sum()),
                len(found),
                len(found - known),
            )
        )
        known |= found
    order = domains.sort("is_code", "recalled", "domain", descending=[True, True, False])
    telling = {label: words[:TELLING] for label, words in facts["telling"].items()}
    return Recall(
        facts["precision"],
        tuple(rounds),
        tuple(facts["curve"]),
        tuple(facts["calibration"]),
        json.loads(json.dumps(telling)),
        tuple(order.head(DOMAINS).to_dicts()),
        max(0, len(order) - DOMAINS),
    )


def rounds_of(run: Run) -> list[int]:
    """The numbers of the rounds whose domains a run published, in order."""
    return sorted(int(m[1]) for name in run.manifest.get("files", {}) if (m := re.fullmatch(r"domains_(\d+)", name)))


def domains_of(run: Run, number: int) -> pl.DataFrame:
    """The domains of a round. Raises: InputError if they cannot be read.

    Shape: domain, pages, recalled, share, lower_bound, is_code, examples_recalled, examples_missed.
    """
    folder = run.folder.at(f"domains_{number}")
    counts = {"domain": pl.String(), "pages": pl.Int64(), "recalled": pl.Int64()}
    judged = {"share": pl.Float64(), "lower_bound": pl.Float64(), "is_code": pl.Boolean()}
    examples = {name: pl.List(pl.String) for name in ("examples_recalled", "examples_missed")}
    columns = {**counts, **judged, **examples}
    with run.readable():
        files = [folder.at(name) for name in sorted(folder.names()) if name.endswith(".parquet")]
        frames = [pl.read_parquet(file.local or file.uri, columns=list(columns)) for file in files]
    return pl.concat(frames) if frames else pl.DataFrame(schema=columns)
