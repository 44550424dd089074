"""Times judging again after one threshold changed: `python -m bench.rejudge [--documents 100000]`.

The corpus is small real files of this machine, made different from each other by a comment.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import codemill as cm
from codemill.recipes._refinecode_rules import REFINECODE_RULES
from codemill.rules import Rule, RuleBook
from codemill.sources import Parquet
from codemill.steps import detect, ingest, quality


def corpus(folder: Path, documents: int) -> None:
    """A Parquet file of that many documents of 300 to 1,200 bytes."""
    found = sorted(Path(sysconfig.get_path("purelib")).rglob("*.py"))
    small = [path.read_text("utf-8", "replace") for path in found if 300 <= path.stat().st_size <= 1200]
    texts = [f"{text}\n# {i}\n" for i, text in zip(range(documents), itertools.cycle(small))]
    table = pa.table({"content": texts, "path": [f"{i // 1000}/{i}.py" for i in range(documents)]})
    pq.write_table(table.append_column("repo", pa.array(["bench"] * documents)), folder / "code.parquet")


def judged(folder: Path, rules: RuleBook) -> cm.Table:
    """What is built: no sampling, no dedup, only quality."""
    documents = detect.language(ingest.documents(sources=(Parquet(str(folder / "code.parquet")),)))
    return quality.keep(quality.judge(quality.measure(documents), rules=rules))


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the seconds of a first build and of one after a threshold changed, and what each step took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--out", type=Path, help="accepted, without effect: the documents are made up here")
    parser.add_argument("--small", action="store_true", help="5,000 documents: does it work at all")
    args = parser.parse_args(argv)
    documents = 5_000 if args.small else args.documents
    known = {signal.name for signal in cm.signals.all()}
    rules = RuleBook(tuple(s for s in REFINECODE_RULES.sets if {r.signal for r in s.rules} <= known))
    if not rules.sets:
        sys.exit("the native core does not measure the signals of refinecode")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus(folder, documents)
        for title, book in (("first build", rules), ("one threshold changed", looser(rules))):
            table = judged(folder, book)
            plan = cm.plan(table, folder / "out")
            todo = [n.table.step.name for n, state in zip(plan.nodes, plan.states, strict=True) if state != "built"]
            began = time.monotonic()
            manifest = cm.build(table, out=folder / "out")
            print(f"{title}: {time.monotonic() - began:.2f} s, {manifest['kept']['rows']:,} of {documents:,} kept")
            print(f"  to build: {', '.join(todo)} and publishing ({manifest['publish_seconds']:.2f} s)")
            for step in manifest["steps"]:
                print(f"  {step['name']:18}{step['seconds']:8.2f} s{'  cached' if step['cached'] else ''}")


def looser(rules: RuleBook) -> RuleBook:
    """The same with another number for one rule."""
    name = "python" if any(s.name == "python" for s in rules.sets) else "others"  # the set that judges the corpus
    return rules.with_rule(name, Rule("num_words", below=45))


if __name__ == "__main__":
    main()
