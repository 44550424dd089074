"""The self-test of every benchmark file below a folder: references that pass, answers that do nothing that do not.

    python -m bench.proofs FOLDER [--witnesses FOLDER] [--python PATH] [--only WORD …] [--done FILE]

Each file is proved by itself, as `codemill evaluate --data FILE` does before it scores. `--witnesses` has right answers
for benchmarks that publish none, as samples.jsonl, by the name of the file they are for (humaneval-js.jsonl). Results
are kept in `--done`, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from codemill import benchmarks, sandbox
from codemill.benchmarks.protocol import STYLES
from codemill.errors import CodemillError
from codemill.evaluation import samples
from codemill.evaluation.running import suites
from codemill.evaluation.selftest import selftest

MOST_NAMED = 3


def main() -> None:
    """Prints a line for each file and benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--witnesses", type=Path)
    parser.add_argument("--python", help="interpreter whose packages Python programs see")
    parser.add_argument("--only", nargs="*", default=[], help="files whose path has one of these words")
    parser.add_argument("--done", type=Path, default=Path("/tmp/bench-proofs.jsonl"))
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    done = {one["file"]: one for one in map(json.loads, given.done.open())} if given.done.exists() else {}
    print("| file | tasks | right pass | wrong fail | known faults | other faults | no reference | not here |")
    print("|---|---|---|---|---|---|---|---|")
    with sandbox.Pool(given.workers, python=given.python) as pool:
        for path in benchmarks.find(given.folder):
            name = str(path.relative_to(given.folder))
            if given.only and not any(word in name for word in given.only):
                continue
            if name not in done:
                done[name] = {"file": name, "rows": proofs(path, given.witnesses, pool)}
                with given.done.open("a") as stream:
                    stream.write(json.dumps(done[name]) + "\n")
            for row in done[name]["rows"]:
                print(line(name, row), flush=True)


def proofs(path: Path, witnesses: Path | None, pool: sandbox.Pool) -> list[dict[str, Any]]:
    """What is proved of each suite of a file."""
    beside = witnesses / path.name.removesuffix(".gz") if witnesses else None
    right = samples.read(beside) if beside and beside.exists() else []
    try:
        found = suites([path])
    except CodemillError as error:
        return [{"error": str(error)}]
    rows = []
    for suite in found:
        begin = time.perf_counter()
        it = selftest(suite.protocol, suite.tasks, style=STYLES["official"], witnesses=right, run=pool.map)
        rows.append(
            {
                "suite": suite.name,
                "tasks": len(suite.tasks),
                "references": it.references,
                "rejected": it.rejected,
                "known": sorted(it.known),
                "unsound": it.unsound,
                "unproved": len(it.unproved),
                "missing": dict(it.missing),
                "seconds": round(time.perf_counter() - begin),
            }
        )
    return rows


def line(name: str, row: dict[str, Any]) -> str:
    """One row of the table."""
    if "error" in row:
        return f"| {name} | {row['error']} |"
    unsound, missing = dict(row["unsound"]), dict(row["missing"])
    named = "".join(f"; {task}: {why[:80]}" for task, why in list(unsound.items())[:MOST_NAMED])
    why = "".join(f"; {reason}" for reason in sorted(set(missing.values()))[:MOST_NAMED])
    cells = (
        f"{name} ({row['suite']})",
        f"{row['tasks']:,}",
        f"{row['references']:,}",
        f"{row['rejected']:,}",
        str(len(row["known"])),
        f"{len(unsound)}{named}",
        str(row["unproved"]),
        f"{len(missing)}{why}",
    )
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    main()
