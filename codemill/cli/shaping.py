"""What a run makes of a recipe that the user shapes from outside: how far it goes, and in which files it lies."""

from __future__ import annotations

import codemill
from codemill.errors import RecipeError, did_you_mean
from codemill.machine.table import outputs_of

SHARD_BYTES = 256_000_000


def upto(wanted: codemill.Table | codemill.Outputs, name: str) -> codemill.Table:
    """The table of a recipe's first output as the step of this name leaves it; `NAME@2` is the second of that name.

    Raises: RecipeError for a step that is none of them, with the nearest.
    """
    layers = next(iter(outputs_of(wanted).values())).table.layers()
    known: dict[str, codemill.Table] = {}
    for layer in layers:
        times = sum(key.partition("@")[0] == layer.step.name for key in known)
        known[f"{layer.step.name}@{times + 1}" if times else layer.step.name] = layer
    if name not in known:
        raise RecipeError(f"the recipe has no step {name!r}", where="--to", remedy=did_you_mean(name, known))
    return known[name]


def shaped(
    wanted: codemill.Table | codemill.Outputs, *, to: str | None, format: str | None, shard_size: int | None
) -> codemill.Table | codemill.Outputs:
    """The outputs of a recipe, up to a step, and its documents once more in files of another size or format."""
    if to is not None:
        wanted = upto(wanted, to)
    if format is None and shard_size is None:
        return wanted
    from codemill.steps import export

    outputs: dict[str, codemill.Table | codemill.Output] = dict(outputs_of(wanted))
    main = next(iter(outputs.values()))
    assert isinstance(main, codemill.Output)
    if "shards" in outputs:
        raise RecipeError("the recipe has an output called shards", remedy="run it without --format and --shard-size")
    if main.table.step.kind == "folder":
        raise RecipeError("the recipe makes files of its own kind", remedy="run it without --format and --shard-size")
    size = SHARD_BYTES if shard_size is None else shard_size
    return {**outputs, "shards": export.shards(main.table, format=format or "parquet", shard_bytes=size)}


def how_to_look(out: str, to: str) -> str:
    """Where to look at what a step left, in commands."""
    return (
        f"as {to} leaves them; look: codemill show {out} · codemill explain {out} PATH · codemill view {out}; "
        "the same command without --to goes on from here"
    )
