"""Checks that the index of an earlier corpus fits the new run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codemill import _core
from codemill.errors import RecipeError
from codemill.machine.table import Table
from codemill.sources import Published


def sketch_version() -> int:
    """The version of the native kernel. Keys and sketches of different versions do not match."""
    return int(_core.SKETCH_VERSION)


def check_level(level: str, verify: str) -> None:
    """Raises: RecipeError for a level or a verification that an index does not support."""
    if level != "file":
        what = {"repo": "repositories", "chunk": "chunks"}[level]
        raise RecipeError(f"an index is of files, not of {what}", remedy='give level="file"')
    if verify == "exact":
        raise RecipeError("an index has sketches, no shingles", remedy='give verify="sketch" or "none"')


def check_index(earlier: Sequence[Table], sketch: Mapping[str, Any]) -> None:
    """Raises: RecipeError for an index without sketches, or with other parameters: no pair would ever match."""
    wanted = {**sketch, "version": sketch_version()}
    for table in earlier:
        source = table.params.get("source")
        if not isinstance(source, Published):
            raise RecipeError(
                f"documents are held against an earlier run, not against {table.step.name}",
                remedy='ingest.published(source=Published("the --out folder of an earlier run"))',
            )
        parameters = source.parameters("known.index") if source.output == "index" else None
        if parameters is None:
            raise RecipeError(
                "the run has no index for near-copies",
                where=source.path,
                remedy="run it again with index=True (--index)",
            )
        for name, value in wanted.items():
            if parameters.get(name) != value:
                raise RecipeError(
                    f"the index has sketches with {name}={parameters.get(name)!r}, this run has {value!r}",
                    where=source.path,
                    remedy=f"give {name} the same value in both runs",
                )
