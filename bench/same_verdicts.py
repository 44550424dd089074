"""Verdicts of `codemill evaluate` beside EvalPlus's, sample by sample.

    codemill evaluate samples.jsonl --data HumanEvalPlus.jsonl.gz --out OUT
    evalplus.evaluate humaneval --samples samples.jsonl          (with HUMANEVAL_OVERRIDE_PATH set to the same file)
    python -m bench.same_verdicts OUT samples_eval_results.json

Prints both counts and every sample on which they differ, with ours in words.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq

STATUS = {"base": "base_status", "plus": "plus_status"}


def theirs(path: Path) -> dict[tuple[str, int, str], bool]:
    """EvalPlus's verdicts by task, sample and trial; plus counts only where base passed, as ours does."""
    data = path.read_bytes()
    data = gzip.decompress(data) if path.name.endswith(".gz") else data
    found = {}
    for task, samples in json.loads(data)["eval"].items():
        for number, sample in enumerate(samples):
            base = sample["base_status"] == "pass"
            found[task, number, "base"] = base
            found[task, number, "plus"] = base and sample["plus_status"] == "pass"
    return found


def main(out: str, results: str) -> None:
    """Compares and prints."""
    columns = ["task", "sample", "trial", "passed", "verdict", "detail"]
    rows = pq.read_table(Path(out) / "outcomes", columns=columns).to_pylist()
    told = {(row["task"], row["sample"], row["trial"]): row for row in rows}
    ours = {
        key: row["passed"] and (key[2] == "base" or told[key[0], key[1], "base"]["passed"]) for key, row in told.items()
    }
    other = theirs(Path(results))
    common = sorted(ours.keys() & other.keys())
    for trial in STATUS:
        keys = [key for key in common if key[2] == trial]
        print(f"{trial}: {len(keys)} samples, ours {sum(ours[k] for k in keys)}, theirs {sum(other[k] for k in keys)}")
    for key in common:
        if ours[key] != other[key]:
            row = told[key]
            words = "passes" if ours[key] else f"{row['verdict']}: {row['detail'][:120]}"
            print(f"  {key[0]} sample {key[1]} {key[2]}: ours {words}, theirs {'passes' if other[key] else 'fails'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
