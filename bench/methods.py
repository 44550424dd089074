"""Accepted of attempted, by method and language, of a teacher that is asked: what docs/synthesis.md prints.

    python -m bench.methods --teacher local:smol --corpus corpus --calls .bench/methods.calls [--seeds 4]

Every method of `codemill list prompts` is asked about a few files of a corpus: code, for methods that read a file, and
prose for `diverse.clean`; snippets and multilingual questions in each of the languages of `annealing`. Methods about
what another method made, such as a textbook about a task, are asked about the one row that is recorded for tests. A
row is accepted if it has no reason to go, and its program, if it has one, passes its tests; dedup and the strength of
tests are not looked at. Answers are stored in `--calls`: stopped, and run again, it goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from codemill import catalog, installed, specification
from codemill.document import DOCUMENT
from codemill.prompts._recorded import recorded
from codemill.recipes.annealing import LANGUAGES
from codemill.run import Run
from codemill.teacher import named
from codemill.teacher.ask import Asking
from codemill.teacher.calls import Calls
from codemill.teacher.hub import Hub
from codemill.teacher.running import SANDBOX
from codemill.teacher.talk import Ended, talk

COLUMNS = pa.schema([DOCUMENT.field(name) for name in ("id", "repo", "path", "license", "language", "content")])
NAMES = ("pyarrow.array", "pyarrow.concat_tables", "numpy.argsort", "numpy.cumsum")


@dataclass(frozen=True)
class Asked:
    """One conversation that is to be had."""

    step: Asking
    language: str
    row: dict[str, Any]
    params: dict[str, Any]

    def rows(self, ended: Ended) -> list[str | None]:
        """Why each row that came of it would go; None: it would not."""
        return [_why(row) for row in ended.rows] if ended.fault is None else ["a fault of the method"]


def _why(row: dict[str, Any]) -> str | None:
    if row.get("reason"):
        return str(row["reason"])
    return None if row.get("outcome") in (None, "pass") else str(row["outcome"])


def documents(corpus: str, language: str, count: int) -> list[dict[str, Any]]:
    """So many documents of a kind, Python or Markdown, of up to two thousand characters: those with least ids."""
    table = Run.open(corpus).table("corpus", COLUMNS)
    length = pl.col("content").str.len_chars()
    return (
        table.filter((pl.col("language") == language) & length.is_between(80, 2000))
        .sort("id")
        .head(count)
        .collect()
        .to_dicts()
    )


def conversations(corpus: str, seeds: int, tries: int) -> Iterator[Asked]:
    """Everything that is asked."""
    code, prose = documents(corpus, "python", seeds), documents(corpus, "markdown", seeds)
    tasks = specification.read()
    for name, step in catalog.prompts().items():
        assert isinstance(step, Asking)
        known = dict(recorded()[name.partition(".")[0]]["row"])
        takes = set(step.method.__kwdefaults__ or {}) | set(step.method.__annotations__)
        params: dict[str, Any] = {"tries": tries} if "tries" in takes else {}
        if "specification" in takes:
            params["specification"] = tasks
        reads = step.reads(params) if callable(step.reads) else step.reads
        rows = [{**known, **one} for one in (prose if name == "diverse.clean" else code)]
        if name == "packages.ask":
            rows = [_name(path, known) for path in NAMES[:seeds]]
        elif "content" not in reads or name == "diverse.ask":
            rows = [{**known, "id": f"{number}"} for number in range(seeds)]
        for row in rows:
            if "languages" in takes:
                yield from (Asked(step, one, row, {**params, "languages": (one,)}) for one in LANGUAGES)
            else:
                writes = "program" in step.adds and name != "diverse.clean"
                yield Asked(step, str(row.get("language")) if writes else "–", row, params)


def _name(path: str, known: dict[str, Any]) -> dict[str, Any]:
    """A row about a name of a library that is installed here."""
    library = path.partition(".")[0]
    version = installed.versions((library,))[library]["version"]
    return {**known, "id": path, "repo": library, "path": path, "library_version": version, "language": "python"}


def main(argv: Sequence[str] | None = None) -> int:
    """Asks, and prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", required=True, help="MODEL@URL, local:FOLDER, script:FILE.py:FUNCTION or replay:…")
    parser.add_argument("--corpus", required=True, help="--out folder of a run such as quickstart")
    parser.add_argument("--calls", required=True, help="the store of answers")
    parser.add_argument("--seeds", type=int, default=4, help="files for each method")
    parser.add_argument("--tries", type=int, default=1, help="answers for a task, the later ones mending the earlier")
    parser.add_argument("--max-tokens", type=int, default=512, help="of one answer")
    args = parser.parse_args(argv)
    who = named(args.teacher, max_tokens=args.max_tokens).resolved()
    wanted = list(conversations(args.corpus, args.seeds, args.tries))
    found: defaultdict[tuple[str, str], Counter[str | None]] = defaultdict(Counter)
    hub = Hub(Calls(args.calls, write=True))
    try:
        waiting = [hub.start(_talk(hub, one, who)) for one in wanted]
        for one, future in zip(wanted, waiting, strict=True):
            found[one.step.name, one.language].update(one.rows(future.result()))
    finally:
        hub.close()
    print("| method | language | attempted | accepted | why not |\n|---|---|---|---|---|")
    for (name, language), said in found.items():
        why = ", ".join(f"{count} {reason}" for reason, count in said.most_common() if reason)
        print(f"| `{name}` | {language} | {said.total()} | {said[None]} | {why} |")
    counts = hub.counts
    print(f"\n{counts.asked} answers paid, {counts.stored} stored; {counts.prompt:,} + {counts.completion:,} tokens")
    return 0


def _talk(hub: Hub, one: Asked, who: Any) -> Any:
    reads = one.step.reads(one.params) if callable(one.step.reads) else one.step.reads
    row = {name: one.row.get(name) for name in reads}
    runner = installed.__name__ if one.step.name == "packages.ask" else SANDBOX
    return talk(hub, lambda: one.step.method(row, **one.params), who, runner)


if __name__ == "__main__":
    sys.exit(main())
