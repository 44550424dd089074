"""Whether two results have the same rows, however they are cut into files: what a refactor must show.

    python -m bench.same_rows OLD NEW

OLD and NEW are `--out` folders, of two versions of codemill over the same inputs and recipe. Corpus and ledger are
compared as sorted rows; a column that only one of them has counts as equal where it is null throughout. Exit status 1
if they differ.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

ORDER = ("id", "source", "repo", "path")


def compare(old: Path, new: Path, name: str) -> list[str]:
    """What differs between two outputs of that name; nothing if they have the same rows."""
    one, other = (pl.read_parquet(sorted((out / name).glob("part-*.parquet"))) for out in (old, new))
    wrong = []
    for frame, rest, where in ((one, other, "old"), (other, one, "new")):
        for column in set(frame.columns) - set(rest.columns):
            if frame[column].null_count() < len(frame):
                wrong.append(f"{name}: only the {where} result has values in {column!r}")
    shared = [column for column in one.columns if column in other.columns]
    one, other = (frame.select(shared).sort(*ORDER, maintain_order=True) for frame in (one, other))
    if len(one) != len(other):
        return [*wrong, f"{name}: {len(one):,} rows before, {len(other):,} after"]
    for column in shared:
        if not one[column].equals(other[column], null_equal=True):
            wrong.append(f"{name}: {column!r} differs")
    if not wrong:
        print(f"{name}: the same {len(one):,} rows, {len(shared)} columns")
    return wrong


def main() -> None:
    """Compares the two folders that are named on the command line."""
    old, new = map(Path, sys.argv[1:3])
    wrong = [line for name in ("corpus", "ledger") for line in compare(old, new, name)]
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
