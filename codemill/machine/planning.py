"""Plans outputs: lists the inputs, gives every table its fingerprint, looks up what is built. Builds nothing.

Whatever can be known to be wrong before work starts is an error here.

A table has two names. Its *fingerprint* is known before anything is built: step, parameters, and the fingerprints of
its inputs down to the listings. Its *key* is known once its inputs are built: step, parameters, and what it reads of
them, part by part. So a table whose inputs changed in what it does not read, or only in some parts, is found again.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codemill.errors import RecipeError, did_you_mean
from codemill.machine import keys
from codemill.machine.fill import at_once, working_files
from codemill.machine.identity import digest, digest_of
from codemill.machine.kinds import ADDS_A_LAYER, Exchange, Folder, Group, Layer, Opened, Rows, Source
from codemill.machine.layers import Part, Piece
from codemill.machine.reading import Reading
from codemill.machine.source import Listing, Shard
from codemill.machine.store import ENDINGS, Place, Receipt, intact, sealed
from codemill.machine.table import Call, Output, Outputs, Table, outputs_of

PUBLISH_VERSION = 3

log = logging.getLogger("codemill")


@dataclass(frozen=True, eq=False)
class Node:
    """A table of a plan: what is called, its inputs by number, and its fingerprint."""

    table: Table
    call: Call
    inputs: tuple[int, ...]
    fingerprint: str
    listings: tuple[Listing, ...] = ()  # of a source

    @property
    def shards(self) -> list[tuple[int, Shard]]:
        """The shards of all listings in order, each with the number of its source."""
        return [(i, shard) for i, listing in enumerate(self.listings) for shard in listing.shards]


@dataclass(frozen=True, eq=False)
class Built:
    """A table that is there: its parts with their bytes, or its folder; the receipts of its own files."""

    node: Node
    key: str
    receipts: tuple[Receipt, ...]
    parts: tuple[Part, ...] = ()
    sizes: tuple[int, ...] = ()  # bytes of each part, as listed: a weight
    place: Place | None = None
    files: Mapping[str, Receipt] = field(default_factory=dict)  # of a folder, by name
    counts: Mapping[str, Any] = field(default_factory=dict)  # of a folder: what its function returned

    @property
    def reading(self) -> Reading:
        """As a further input."""
        columns = {} if self.parts or self.place is not None else columns_of(self.node.table)
        return Reading(self.node.table.step.name, self.parts, self.place, columns)

    @property
    def holds(self) -> str:
        """Identifies all that can be read of it."""
        if self.place is not None:
            return self.key
        return digest_of(part.depends(part.columns()) for part in self.parts)


@dataclass(frozen=True)
class Named:
    """What a table's files will be called, as far as that is known before they are built."""

    key: str
    names: tuple[str, ...] | None  # None: an exchange's, which are named by what is in them
    depends: tuple[str, ...] = ()  # of each part of the first input: see Part.depends


@dataclass(frozen=True)
class Plan:
    """What a build would do. `nodes` have inputs first; `states` says of each what is there; `published` if OUT holds
    this very result already."""

    out: Place
    nodes: tuple[Node, ...]
    outputs: Mapping[str, tuple[Output, int]]  # by name: what is published, and the number of its table
    fingerprint: str
    published: bool
    states: tuple[str, ...] = ()

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Those of all sources."""
        return tuple(listing for node in self.nodes for listing in node.listings)

    @property
    def bytes(self) -> int:
        """Of content, as listed."""
        return sum(shard.bytes for listing in self.listings for shard in listing.shards)

    def notes(self) -> list[str]:
        """What the steps that begin tables say of the repositories that were listed."""
        said: list[str] = []
        for node in self.nodes:
            if node.listings and node.table.step.listed is not None:
                names = [name for listing in node.listings for name in listing.repositories]
                said += node.table.step.listed(names, **node.table.params)
        return said


def plan(wanted: Table | Outputs, out: str | os.PathLike[str]) -> Plan:
    """Lists the inputs (without reading them) and looks up what is built. Builds nothing, writes nothing.

    Raises: InputError if an input is missing; RecipeError if a step reads a column that no step before it makes.
    """
    made = planned(wanted, out)
    return dataclasses.replace(made, states=states(made))


def states(made: Plan) -> tuple[str, ...]:
    """What is there of each table: "built", "3 of 7 parts built" or "to build"."""
    shelf, built, states = Shelf(made.out), dict[int, Built](), list[str]()
    for number, node in enumerate(made.nodes):
        if not all(i in built for i in node.inputs):
            states.append("to build")
            continue
        named = name(node, [built[i] for i in node.inputs])
        there = shelf.look(node, named, [built[i] for i in node.inputs])
        if there is not None:
            built[number] = there
        parts = (
            len(named.names)
            if named.names is not None and isinstance(node.table.step.how, Layer | Rows | Source)
            else 0
        )
        done = 0 if there else shelf.there(node, named)
        states.append("built" if there else f"{done} of {parts} parts built" if done else "to build")
    return tuple(states)


def planned(wanted: Table | Outputs, out: str | os.PathLike[str]) -> Plan:
    """A plan without the states: the graph with its fingerprints."""
    place, outputs = Place.of(out), outputs_of(wanted)
    tables = _each_once(outputs)
    for table in tables:
        _check_columns(table)
    check_places(wanted, place)
    nodes: list[Node] = []
    numbers: dict[str, int] = {}  # by fingerprint: a table made twice is built once
    where: dict[int, int] = {}  # by identity of the handle
    for table in tables:
        call = table.call
        inputs = tuple(where[id(given)] for given in table.inputs)
        sources = table.params["sources"] if isinstance(table.step.how, Source) else ()
        listings = tuple(source.list() for source in sources)
        fingerprint = digest(
            [call.identity, [nodes[i].fingerprint for i in inputs], list(sources), [li.fingerprint for li in listings]]
        )
        if fingerprint not in numbers:
            numbers[fingerprint] = len(nodes)
            nodes.append(Node(table, call, inputs, fingerprint, listings))
        where[id(table)] = numbers[fingerprint]
    numbered = {title: (output, where[id(output.table)]) for title, output in outputs.items()}
    published = [
        [title, nodes[i].fingerprint, output.ledger, _schema(output)] for title, (output, i) in sorted(numbered.items())
    ]
    fingerprint = digest(["publish", PUBLISH_VERSION, published])
    manifest = sealed(place.at("manifest.json").read_json())
    there = manifest is not None and manifest.get("fingerprint") == fingerprint
    return Plan(place, tuple(nodes), numbered, fingerprint, there)


def _schema(output: Output) -> list[str] | None:
    schema = None if isinstance(output.table.step.how, Folder) else output.schema
    return None if schema is None else [f"{f.name} {f.type}" for f in schema]


def _each_once(outputs: Mapping[str, Output]) -> list[Table]:
    tables: dict[int, Table] = {}
    for output in outputs.values():
        tables.update({id(table): table for table in output.table.graph()})
    return list(tables.values())


# ── what is there ─────────────────────────────────────────────────────────────────────────────────────────────────


def name(node: Node, inputs: Sequence[Built]) -> Named:
    """The key of a table and the names of its files, once its inputs are built."""
    call, how = node.call, node.call.step.how
    if isinstance(how, Source):
        sources = [digest(source) for source in call.params["sources"]]
        names = tuple(
            digest_of([call.identity, sources[i], shard.identity or f"{node.listings[i].fingerprint} {n}"])
            for i, listing in enumerate(node.listings)
            for n, shard in enumerate(listing.shards)
        )
        return Named(digest_of([call.identity, *names]), names)
    if isinstance(how, Opened):
        return Named(call.identity, ())
    if isinstance(how, Group):
        holds = [part.depends(_present(call.reads, part)) for built in inputs for part in built.parts]
        return Named(digest_of([call.identity, *map(str, map(len, (b.parts for b in inputs))), *holds]), None)
    if isinstance(how, Folder):
        return Named(digest_of([call.identity, *(built.holds for built in inputs)]), None)
    first, *others = inputs
    own = ["id"] if isinstance(how, Rows) else []
    depends = tuple(part.depends([*call.reads, *own, *_present(["size"], part)]) for part in first.parts)
    if isinstance(how, Exchange):
        reads = how.other_reads(call.params) if callable(how.other_reads) else how.other_reads
        theirs = [part.depends(reads) for built in others for part in built.parts]
        return Named(digest_of([call.identity, *depends, "", *theirs]), None, depends)
    read = [built.holds for built in others]
    names = tuple(digest_of([call.identity, one, *read]) for one in depends)
    return Named(digest_of([call.identity, *names]), names, depends)


def _present(columns: Sequence[str], part: Part) -> list[str]:
    known = set(part.columns())
    return [column for column in columns if column in known]


class Shelf:
    """The tables under OUT/.work: what is there. A class because a folder is listed once, however many tables ask."""

    def __init__(self, out: Place, *, verify: bool = False) -> None:
        self.work, self.verify = out.at(".work"), verify
        self._listed: dict[str, dict[str, int]] = {}

    def folder(self, node: Node) -> Place:
        """Where the files of a step's tables are."""
        return self.work.at(node.table.step.name)

    def manifest(self, node: Node, key: str) -> Place:
        """The file that says what a table is made of."""
        return self.work.at("tables", node.table.step.name, f"{key}.json")

    def look(self, node: Node, named: Named, inputs: Sequence[Built]) -> Built | None:
        """The table, if it is complete: its manifest is as it was written, and its files have their sizes."""
        if isinstance(node.table.step.how, Opened):
            return opened(node, named.key)
        facts = sealed(self.manifest(node, named.key).read_json())
        if facts is None:
            return None
        if isinstance(node.table.step.how, Folder):
            place = self.folder(node).at(named.key)
            files = {name: Receipt(**receipt) for name, receipt in facts["files"].items()}
            whole = at_once(lambda item: _there(place.at(item[0]), item[1], verify=self.verify), files.items())
            return Built(node, named.key, (), place=place, files=files, counts=facts["counts"]) if all(whole) else None
        receipts = tuple(Receipt(**receipt) for receipt in facts["files"])
        self._sizes(node)  # once, before many ask for them
        if not all(at_once(lambda receipt: self._is_there(node, receipt), receipts)):
            return None
        return built_of(node, named, inputs, receipts, self.folder(node))

    def there(self, node: Node, named: Named) -> int:
        """How many of a table's files are there, of one that is not complete."""
        names, sizes = named.names or (), self._sizes(node)
        known = self._known(node, names)  # also of those that are no file
        return sum(name in known or any(f"{name}{ending}" in sizes for ending in ENDINGS) for name in names)

    def files(self, node: Node, names: Sequence[str]) -> dict[str, Receipt]:
        """The receipts of those files of a table that are there, by name: from the manifests of other tables of the
        step, or from the files themselves. A file that is not what a manifest says is made again."""
        told = self._told(node, names)
        known = self._of_these(node, told)
        for name in set(told) - set(known):
            log.warning("%s is missing or damaged and will be rebuilt", self.folder(node).at(told[name].name).uri)
        return known | working_files(self.folder(node), [name for name in names if name not in told])

    def _known(self, node: Node, names: Sequence[str]) -> dict[str, Receipt]:
        """What the manifests of the step's tables say of these files, if they are there."""
        return self._of_these(node, self._told(node, names))

    def _told(self, node: Node, names: Sequence[str]) -> dict[str, Receipt]:
        """What the manifests of the step's tables say of these files."""
        folder, wanted = self.work.at("tables", node.table.step.name), set(names)
        manifests = at_once(lambda name: sealed(folder.at(name).read_json()), folder.names())
        receipts: dict[str, Receipt] = {}
        for facts in manifests:
            for value in facts["files"] if facts and isinstance(facts["files"], list) else ():
                receipt = Receipt(**value)
                if receipt.stem in wanted:
                    receipts[receipt.stem] = receipt
        return receipts

    def _of_these(self, node: Node, receipts: Mapping[str, Receipt]) -> dict[str, Receipt]:
        there = at_once(lambda receipt: self._is_there(node, receipt), receipts.values())
        return {name: receipt for (name, receipt), ok in zip(receipts.items(), there, strict=True) if ok}

    def _is_there(self, node: Node, receipt: Receipt) -> bool:
        if not receipt.bytes:
            return True  # there is no file where every value is null
        size = self._sizes(node).get(receipt.name, -1)
        return intact(self.folder(node).at(receipt.name), receipt, size) if self.verify else size == receipt.bytes

    def _sizes(self, node: Node) -> dict[str, int]:
        folder = self.folder(node)
        if folder.uri not in self._listed:
            self._listed[folder.uri] = folder.names()
        return self._listed[folder.uri]

    def forget(self, node: Node) -> None:
        """To be called when files were written: they are listed again."""
        self._listed.pop(self.folder(node).uri, None)


def _there(place: Place, receipt: Receipt, *, verify: bool) -> bool:
    filesystem, path = place.open()
    size = filesystem.get_file_info(path).size
    return intact(place, receipt, size) if verify else size == receipt.bytes


def built_of(node: Node, named: Named, inputs: Sequence[Built], receipts: Sequence[Receipt], folder: Place) -> Built:
    """A table from the receipts of its files, in order of its parts."""
    step, columns = node.table.step, tuple(node.call.schema.names)
    edits = step.how.edits if isinstance(step.how, ADDS_A_LAYER) else ()
    published = node.table.published

    def piece(receipt: Receipt, external: Any = None) -> Piece:
        return Piece(
            receipt.stem,
            step.name,
            folder.at(receipt.name),
            columns,
            receipt.rows,
            receipt.bytes,
            receipt.sha256,
            edits,
            bool(receipt.counts["dropped"]),
            None if external is None else dict(external.__dict__),
            None if receipt.bytes else node.call.schema,
        )

    if isinstance(step.how, ADDS_A_LAYER):
        parts = [part.with_piece(piece(r)) for part, r in zip(inputs[0].parts, receipts, strict=True)]
        return Built(node, named.key, tuple(receipts), tuple(parts), inputs[0].sizes)
    shards = [shard for _, shard in node.shards]
    externals = [shard.external for shard in shards] if isinstance(step.how, Source) else [None] * len(receipts)
    parts = [
        Part(f"part-{i:05d}", (piece(receipt, external),), published.verdict, published.required)
        for i, (receipt, external) in enumerate(zip(receipts, externals, strict=True))
    ]
    weights = [shard.bytes for shard in shards] if isinstance(step.how, Source) else [r.bytes for r in receipts]
    return Built(node, named.key, tuple(receipts), tuple(parts), tuple(weights))


def opened(node: Node, key: str) -> Built:
    """A table of an earlier run, from where it lies."""
    pieces = node.call.params["source"].pieces(node.table.step.name)
    published = node.table.published
    parts = [Part(f"part-{i:05d}", (piece,), published.verdict, published.required) for i, piece in enumerate(pieces)]
    return Built(node, key, (), tuple(parts), tuple(piece.bytes for piece in pieces))


# ── what can be wrong ─────────────────────────────────────────────────────────────────────────────────────────────


def columns_of(table: Table) -> dict[str, Any]:
    """The columns of a table with their types, verdicts apart: what a step above it may read."""
    hidden = {"reason", *table.published.verdict}
    known: dict[str, Any] = {}
    for layer in table.layers():
        known |= {c: kind for c, kind in layer.call.adds.items() if c not in hidden}
    return known


def _check_columns(table: Table) -> None:
    call, how = table.call, table.step.how
    if isinstance(how, Source | Opened | Folder):
        return
    read = [(table.inputs[0], call.reads)]
    if isinstance(how, Group):
        read = [(given, call.reads) for given in table.inputs]
    if isinstance(how, Exchange):
        others = how.other_reads(call.params) if callable(how.other_reads) else how.other_reads
        read += [(given, others) for given in table.inputs[1:]]
    for given, columns in read:
        known, first = columns_of(given), given.layers()[0]
        if isinstance(first.step.how, Opened) and not first.call.adds:
            continue  # an earlier run that published no row: its columns are not known, and nothing is read
        for column in (*columns, *(("id",) if isinstance(how, Rows) else ())):
            if column not in known:
                raise RecipeError(
                    f"{table.step.name} reads the column {column!r}, which no step before it makes",
                    remedy=did_you_mean(column, sorted(known)),
                )
    if isinstance(how, ADDS_A_LAYER) and "size" in call.adds:
        raise RecipeError(f"{table.step.name} adds the column 'size', in which the books are kept")
    if isinstance(how, Exchange | Group) and how.emit is None:
        kind = columns_of(table.inputs[0]).get(call.key)
        if kind is None or not keys.is_key(kind):
            raise RecipeError(
                f"{table.step.name} cannot use the column {call.key!r} as a key: it is {kind}",
                remedy="a key is a hash: uint64, or binary of a fixed size of 8 bytes or more",
            )


def _reads(value: Any) -> Iterator[Any]:
    """Everything that says where it is, in parameters of any shape: sources, earlier runs."""
    if getattr(value, "PLACES", ()):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _reads(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _reads(inner)


def check_settings(wanted: Table | Outputs, settings: Mapping[str, Any]) -> None:
    """Asks every step whether it can keep what the settings of a run promise. Raises: RecipeError."""
    for table in _each_once(outputs_of(wanted)):
        table.step.check_settings(table.params, settings)


def check_places(wanted: Table | Outputs, out: Place) -> None:
    """Refuses an input inside the output folder, which publishing would replace, and the other way around: a run
    would read what the run before it wrote."""
    if out.local is None:
        return
    target = out.local.resolve()
    for source in (read for table in _each_once(outputs_of(wanted)) for read in _reads(table.params)):
        for field_name in source.PLACES:
            given = getattr(source, field_name)
            place = Place.of(given).local if isinstance(given, str) and given else None
            if place is None:  # remote, or no place: how many at once, which device
                continue
            place = place.resolve()
            if place == target or target in place.parents or place in target.parents:
                inside, outside = (place, target) if target in [place, *place.parents] else (target, place)
                what = "an input is inside the output folder" if inside == place else "the output is inside an input"
                raise RecipeError(f"{what}: {inside} in {outside}", remedy="choose another --out")
