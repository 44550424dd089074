"""Plans a table: lists the inputs, gives every table its fingerprint, looks up what is built. Builds nothing.

Whatever can be known to be wrong before work starts is an error here.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codemill.document import VERDICT
from codemill.errors import RecipeError, did_you_mean
from codemill.machine import exchange, tasks
from codemill.machine.source import Listing
from codemill.machine.store import Place, Receipt, read_receipts
from codemill.machine.table import Table, canonical, digest


@dataclass(frozen=True)
class PlannedTable:
    """One table of a plan: its identity, where it is or will be, and what is there already."""

    table: Table
    fingerprint: str
    folder: Place
    receipts: Mapping[str, Receipt]  # parts already built, not yet verified
    complete: bool
    listing: Mapping[str, Any] | None = None  # the base layer's: see `tasks.list_inputs`


@dataclass(frozen=True)
class Plan:
    """What a build would do. `tables` from the base layer up; `published` if OUT holds this very result already."""

    out: Place
    tables: tuple[PlannedTable, ...]
    parts: tuple[str, ...]
    sizes: tuple[int, ...]  # bytes of content of each part, as listed
    listings: tuple[Listing, ...]
    fingerprint: str
    published: bool


def plan(table: Table, out: str | os.PathLike[str]) -> Plan:
    """Lists the inputs (without reading them) and looks up what is built. Builds nothing, writes nothing.

    Raises: InputError if an input is missing; RecipeError if a step reads a column that no step before it makes.
    """
    folder = Place.of(out)
    layers = table.layers()
    _check_columns(layers)
    check_places(table, folder)
    base = layers[0]
    sources = base.params["sources"]
    listings = tuple(source.list() for source in sources)
    shards = [(s, shard) for s, listing in enumerate(listings) for shard in listing.shards]
    parts = tuple(f"part-{i:05d}" for i in range(len(shards)))
    fingerprints: list[str] = []
    planned = []
    for layer in layers:
        identity = {
            **layer.step.identity(),
            "parameters": identity_of(layer.params),
            "inputs": fingerprints[-1:] or [listing.fingerprint for listing in listings],
        }
        fingerprints.append(digest(identity))
        where = folder.at(".work", layer.step.name, fingerprints[-1])
        receipts = read_receipts(where)
        complete = where.at("manifest.json").exists() and set(receipts) == set(parts)
        planned.append(PlannedTable(layer, fingerprints[-1], where, receipts, complete))
    fingerprint = digest(["publish", tasks.PUBLISH_VERSION, fingerprints[-1]])
    manifest = folder.at("manifest.json").read_json()
    published = isinstance(manifest, dict) and manifest.get("fingerprint") == fingerprint
    return Plan(
        folder,
        tuple(planned),
        parts,
        tuple(shard.bytes for _, shard in shards),
        listings,
        fingerprint,
        published,
    )


def identity_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they enter a fingerprint: without the places where sources happen to be."""

    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            places = getattr(value, "PLACES", ())  # the fields of a source that say where, not what
            kept = [f.name for f in dataclasses.fields(value) if f.name not in places]
            return {"kind": type(value).__name__, **{n: plain(getattr(value, n)) for n in kept}}
        if isinstance(value, list | tuple):
            return [plain(v) for v in value]
        return value

    return {name: plain(value) for name, value in params.items()}


def shown(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as people see them in a manifest: everything, as plain JSON."""
    return {name: canonical(value, where=name) for name, value in params.items()}


def _check_columns(layers: Sequence[Table]) -> None:
    if layers[0].step.kind != "ingest":
        raise RecipeError(f"a recipe starts with ingest.documents, not {layers[0].step.name}")
    known = {c: kind for c, kind in layers[0].step.columns_added(layers[0].params).items() if c not in VERDICT}
    for layer in layers[1:]:
        for column in layer.step.columns_read(layer.params):
            if column not in known:
                raise RecipeError(
                    f"{layer.step.name} reads the column {column!r}, which no step before it makes",
                    remedy=did_you_mean(column, sorted(known)),
                )
        added = layer.step.columns_added(layer.params)
        if "size" in added:
            raise RecipeError(f"{layer.step.name} adds the column 'size', in which the books are kept")
        if layer.step.kind == "exchange" and layer.step.emit is None:
            key = tasks.key_of(layer.step, layer.params)
            if not exchange.is_key(known[key]):
                raise RecipeError(
                    f"{layer.step.name} cannot use the column {key!r} as a key: it is {known[key]}",
                    remedy="a key is a hash: uint64, or binary of a fixed size of 8 bytes or more",
                )
        known |= {c: kind for c, kind in added.items() if c not in VERDICT}


def _reads(params: Mapping[str, Any]) -> list[Any]:
    """What a step reads from elsewhere: sources, or earlier corpora that documents are held against."""
    values = [params.get("sources", ()), params.get("against", ())]
    return [one for value in values for one in (value if isinstance(value, list | tuple) else [value])]


def check_places(table: Table, out: Place) -> None:
    """Refuses an input inside the output folder, which publishing would replace, and the other way around: a run
    would read what the run before it wrote."""
    if out.local is None:
        return
    target = out.local.resolve()
    for source in (read for layer in table.layers() for read in _reads(layer.params)):
        for name in getattr(source, "PLACES", ()):
            place = Place.of(str(getattr(source, name))).local
            if place is None:
                continue
            place = place.resolve()
            if place == target or target in place.parents or place in target.parents:
                inside, outside = (place, target) if target in [place, *place.parents] else (target, place)
                what = "an input is inside the output folder" if inside == place else "the output is inside an input"
                raise RecipeError(f"{what}: {inside} in {outside}", remedy="choose another --out")
