"""Recall over the rounds on held-out sites of Debian's documentation, for several seeds.

    python scripts/debian_crawl.py CRAWL
    python -m bench.recall CRAWL OUT [--seeds 3]

It runs `web_recall:laptop` with the rules of examples/debian_crawl_rules and prints, for each round, the recall at 95 %
precision on the held-out test sites: the mean over seeds and a 95 % interval by Student's t. A seed changes the
training and which held-out sites set the threshold.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}
"""The quantile of 97.5 % by degrees of freedom."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crawl", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args(arguments)
    rules = Path(__file__).parents[1] / "examples" / "debian_crawl_rules"
    found: dict[tuple[int, str], list[float]] = {}
    for seed in range(given.seeds):
        out = given.out / f"seed-{seed}"
        command = [
            sys.executable,
            "-m",
            "codemill.cli",
            "run",
            "web_recall:laptop",
            "--input",
            str(given.crawl / "crawl"),
        ]
        command += ["--labels", str(given.crawl / "seed.csv"), "--held-out", str(given.crawl / "held_out.csv")]
        subprocess.run([*command, "--rules", str(rules), "--seed", str(seed), "--out", str(out)], check=True)
        for number in (1, 2, 3):
            facts = json.loads((out / f"classifier_{number}" / "classifier.json").read_text())
            for name in ("recall_at_precision", "average_precision", "precision", "recall"):
                found.setdefault((number, name), []).append(facts["test"]["all"][name])
            print(f"seed {seed}, round {number}: {facts['examples']} {facts['test']['all']}")
    for (number, name), values in found.items():
        print(f"round {number} {name:20} {100 * statistics.mean(values):6.1f} % ± {100 * half_width(values):.1f}")
    return 0


def half_width(values: Sequence[float]) -> float:
    """Half of the 95 % interval of the mean."""
    if len(values) < 2:
        return math.nan
    return STUDENT[len(values) - 1] * statistics.stdev(values) / math.sqrt(len(values))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
