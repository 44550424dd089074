"""Answers whose verdict can be told beforehand, for two harnesses to grade: no model is needed.

    python -m bench.made_samples MbppPlus.jsonl.gz OUT --mutants 3 --limit 100

Of each task: its published answer, a function that does nothing, and so many programs that differ from the answer in
one place (an operator, a comparison, a constant, a condition), as `codemill.sandbox.strength` draws them. The field
`made` says which. OUT/samples.jsonl has the answers and OUT/tasks.jsonl the rows of the tasks, all or those that are
drawn by the hash of their names: EvalPlus wants an answer to each task of its file. Then see `bench.same_verdicts`.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codemill import benchmarks
from codemill.benchmarks.task import Task
from codemill.sandbox.strength import mutants, stub


def made(task: Task, most: int) -> Iterator[dict[str, Any]]:
    """The answers to one task, as lines of samples.jsonl."""
    yield {"task_id": task.id, "completion": task.solution, "made": "published answer"}
    yield {"task_id": task.id, "solution": stub(task.entry_point, "None"), "made": "returns None"}
    for name, program in mutants(task.program(), most=most):
        yield {"task_id": task.id, "solution": program, "made": name}


def main() -> None:
    """Writes both files and counts the answers."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("data", type=Path, help="a benchmark's published file, JSON lines")
    options.add_argument("out", type=Path, help="folder for samples.jsonl and tasks.jsonl")
    options.add_argument("--mutants", type=int, default=3, help="changed programs of each task at most")
    options.add_argument("--limit", type=int, help="only so many tasks")
    given = options.parse_args()
    tasks = {task.id: task for task in benchmarks.read(given.data)}
    drawn = sorted(tasks, key=lambda one: hashlib.sha256(one.encode()).digest())[: given.limit]
    rows = [row for name in drawn for row in made(tasks[name], given.mutants)]
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with (gzip.open if given.data.name.endswith(".gz") else open)(given.data, "rt", encoding="utf-8") as lines:
        kept = [line for line in lines if json.loads(line)["task_id"] in set(drawn)]
    (given.out / "tasks.jsonl").write_text("".join(kept), "utf-8")
    print(f"{len(rows)} answers to {len(drawn)} tasks, {len(rows) - 2 * len(drawn)} of them changed in one place")


if __name__ == "__main__":
    main()
