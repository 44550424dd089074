"""Whether an earlier corpus fits what is held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codemill import _core
from codemill.errors import RecipeError
from codemill.machine.table import Table
from codemill.sources import Published


def sketch_version() -> int:
    """Of the native kernel: keys and sketches of another version never meet these."""
    return int(_core.SKETCH_VERSION)


def check_level(level: str, verify: str) -> None:
    """Raises: RecipeError for what an index is not made for."""
    if level != "file":
        what = {"repo": "repositories", "chunk": "chunks"}[level]
        raise RecipeError(f"an index is of files, not of {what}", remedy='give level="file"')
    if verify == "exact":
        raise RecipeError("an index has sketches, no shingles", remedy='give verify="sketch" or "none"')


def check_index(earlier: Sequence[Table], sketch: Mapping[str, Any]) -> None:
    """Raises: RecipeError for an index with no sketches, or with others: nothing would ever be found in it."""
    wanted = {**sketch, "version": sketch_version()}
    for table in earlier:
        source = table.params.get("source")
        if not isinstance(source, Published):
            raise RecipeError(
                f"documents are held against an earlier run, not against {table.step.name}",
                remedy='ingest.published(source=Published("the --out folder of an earlier run"))',
            )
        theirs = source.parameters("known.index") if source.output == "index" else None
        if theirs is None:
            raise RecipeError(
                "the run has no index for near-copies",
                where=source.path,
                remedy="run it again with index=True (--index)",
            )
        for name, value in wanted.items():
            if theirs.get(name) != value:
                raise RecipeError(
                    f"the index has sketches with {name}={theirs.get(name)!r}, this run has {value!r}",
                    where=source.path,
                    remedy=f"give {name} the same value in both runs",
                )
