"""Builds what a plan says is missing, checks the books, publishes.

Every table's books are checked when it is done: rows and bytes in = out + dropped, and in = what the table below it
let through; at the end the ledgers are held against them. If they do not add up the build fails, because a corpus that
cannot account for a file cannot be trusted with any.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codemill.errors import BuildError, EnvironmentProblem, InputError, RecipeError
from codemill.machine import books, planning, tasks
from codemill.machine.engine import Engine, Task, engine_named
from codemill.machine.engine import run as run_tasks
from codemill.machine.exchange import Inputs, exchange
from codemill.machine.fill import Site, fill
from codemill.machine.folders import make_folder
from codemill.machine.groups import group
from codemill.machine.identity import shown
from codemill.machine.kinds import ADDS_A_LAYER, Exchange, Folder, Group, Layer, Opened, Rows, Source
from codemill.machine.output import check_output, locked
from codemill.machine.planning import Built, Named, Node, Plan, Shelf, built_of, check_places, check_settings, planned
from codemill.machine.progress import Forecast, Progress, Silent
from codemill.machine.publishing import publish, published
from codemill.machine.reading import Around, Reading
from codemill.machine.scarce import scarcity
from codemill.machine.store import Damaged, Place, Receipt, seal, sweep
from codemill.machine.table import Outputs, Table, outputs_of

log = logging.getLogger("codemill")

MAX_DAMAGED = 100
"""Damaged files that one build makes again before the disk itself is suspected."""


def build(
    wanted: Table | Outputs,
    *,
    out: str | os.PathLike[str],
    workers: int | None = None,
    memory: int | None = None,
    engine: str | Engine = "local",
    recipe: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    verify: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Builds tables and publishes them below `out` under their names, with `out/manifest.json`.

    A bare table is published as `corpus` and `ledger`. `memory` (bytes) is the ceiling for all workers together: it
    limits how many run and how finely exchanges are cut, and never what comes out. What is built already, here or by a
    run that was killed, is used; with `verify` all of it is hashed first. `settings` are told to steps that stream, see
    `reading.Around`: limits of a run, never part of what is made. With the setting `dry_run` no step is begun that has
    a forecast, nor what reads it, and nothing is published.

    Returns: the manifest, as published; of a dry run `forecasts`, of each step that was not begun, and `waiting`, those
    that stream too and wait for what it makes. Raises: RecipeError, InputError before work starts; EnvironmentProblem
    if the output folder cannot be written or is in use; BuildError if a step breaks a promise.
    """
    if os.environ.get("CODEMILL_WORKER"):
        raise RecipeError("build() was called by a worker", remedy='put the call under `if __name__ == "__main__":`')
    started = time.monotonic()
    progress = progress or Silent()
    folder = Place.of(out)
    check_places(wanted, folder)
    check_settings(wanted, settings or {})
    check_output(folder, outputs_of(wanted))
    folder.make()
    with scarcity(), _lost(folder), locked(folder):
        own = isinstance(engine, str)
        early = not folder.at("manifest.json").exists()  # else there may be nothing to do
        running = engine_named(engine, workers, memory, early=early) if isinstance(engine, str) else engine
        try:
            site = Site(running, progress, (memory or 2 << 30) // max(1, running.workers), verify, settings or {})
            plan = planned(wanted, folder.uri)
            return _until_whole(plan, site, recipe or {}, started)
        finally:
            if own:
                running.close()


@contextlib.contextmanager
def _lost(out: Place) -> Iterator[None]:
    """Says it where everything fails because somebody removed the output folder. Raises: EnvironmentProblem."""
    try:
        yield
    except (FileNotFoundError, BuildError, EnvironmentProblem, Damaged) as error:
        if out.at(".work").exists():
            raise
        remedy = "run the same command again: it begins anew, or goes on where it stopped if the folder is back"
        raise EnvironmentProblem("interrupted: the output folder is gone", where=out.uri, remedy=remedy) from error


def _until_whole(plan: Plan, site: Site, recipe: Mapping[str, Any], started: float) -> dict[str, Any]:
    """Runs the plan; a file that turns out to be damaged while it is read is removed, and made again.

    Raises: InputError if it is one of an earlier run, which is never touched.
    """
    damaged: list[str] = []
    ours = plan.out.at(".work").uri
    while True:
        try:
            return run(plan, site, recipe, started)
        except Damaged as error:
            if not error.place.uri.startswith(f"{ours}/"):
                what = f"a file of an earlier run cannot be read: {error.damage}"
                raise InputError(what, where=error.place.uri, remedy="run that again") from error
            if error.place.uri in damaged or len(damaged) >= MAX_DAMAGED:
                raise
            damaged.append(error.place.uri)
            log.warning("%s is damaged and will be rebuilt (%s)", error.place.uri, error.damage)
            error.place.remove()


def run(plan: Plan, site: Site, recipe: Mapping[str, Any], started: float) -> dict[str, Any]:
    """Builds a plan's tables in order and publishes its outputs. Returns: the manifest."""
    manifest = published(plan, site)
    if manifest is not None and set(planning.states(plan)) <= {"built"}:
        site.progress.note("nothing to do: the result is there and intact")
        return manifest
    if manifest is not None:  # someone deleted .work: report, explain and view read from there
        site.progress.note("the result is there and intact; working tables of it are gone, and are built again")
    shelf = Shelf(plan.out, verify=site.verify)
    dry = bool(site.settings.get("dry_run"))
    built: dict[int, Built] = {}  # by number: a dry run has gaps
    entries: dict[int, dict[str, Any]] = {}
    forecasts: list[dict[str, Any]] = []
    waiting: list[str] = []
    for number, node in enumerate(plan.nodes):
        began = time.monotonic()
        if not all(i in built for i in node.inputs):
            waiting += [node.table.step.name] if _streams(node) else []
            continue
        inputs = [built[i] for i in node.inputs]
        before = [entries[i] for i in node.inputs]
        named = planning.name(node, inputs)
        there = shelf.look(node, named, inputs)
        if dry and there is None and (forecast := _forecast(site, shelf, node, named, inputs)) is not None:
            site.progress.expects(node.table.step.name, forecast)
            forecasts.append({"step": node.table.step.name, "example": forecast.example, **forecast.facts})
            continue
        table = there or _make(site, shelf, node, named, inputs, before)
        _warn_of_code(node, table.receipts)
        seconds = round(time.monotonic() - began, 3)
        if there is None:
            _write_manifest(shelf, table, seconds)
        built[number] = table
        entries[number] = _entry(node, table, before, seconds, cached=there is not None)
        site.progress.step_done(entries[number])
    if dry:
        return {"forecasts": forecasts, "waiting": waiting}
    return publish(plan, list(built.values()), list(entries.values()), site, recipe, started)


def _make(
    site: Site, shelf: Shelf, node: Node, named: Named, inputs: Sequence[Built], before: Sequence[Mapping[str, Any]]
) -> Built:
    """Builds what is missing of one table."""
    call, folder, step = node.call, shelf.folder(node), node.table.step
    folder.make()
    sweep(folder)
    work = folder.at(f"work-{named.key}")
    for name in folder.folders():  # of runs that were killed, and since then went another way
        if name.startswith("work-") and name != work.name:
            folder.at(name).remove_folder()
    sizes = inputs[0].sizes if inputs else [shard.bytes for _, shard in node.shards]
    site.progress.begin(step.name, total=sum(sizes), done=0)
    with site.progress.running():
        if isinstance(step.how, Folder):
            return _make_folder(site, node, named, inputs, folder.at(named.key))
        if isinstance(step.how, Group):
            rows = sum(entry["rows_out"] for entry in before)
            receipts = group(site, call, [built.parts for built in inputs], rows, named.key, folder, work)
        elif isinstance(step.how, Exchange):
            first = inputs[0]
            others = [part for built in inputs[1:] for part in built.parts]
            came = before[0]
            reading = Inputs(
                first.parts,
                first.sizes,
                named.depends,
                others,
                came["rows_out"],
                came["bytes_out"] or 0,
                sum(entry["rows_out"] for entry in before[1:]),
            )
            receipts = exchange(site, call, reading, folder, work)
        else:
            assert named.names is not None
            if (forecast := _forecast(site, shelf, node, named, inputs)) is not None:
                site.progress.expects(step.name, forecast)
            made = _tasks(site, shelf, node, named.names, inputs, sizes)
            filled = fill(site, made, shelf.files(node, named.names))
            receipts = [filled[stem] for stem in named.names]
    shelf.forget(node)
    work.remove_folder()
    return built_of(node, named, inputs, receipts, folder)


def _tasks(
    site: Site, shelf: Shelf, node: Node, names: Sequence[str], inputs: Sequence[Built], sizes: Sequence[int]
) -> dict[str, Task]:
    """A task for each part of a source, a layer or a rows step, by the name of its file."""
    call, step, folder = node.call, node.table.step, shelf.folder(node)
    made: dict[str, Task] = {}
    if isinstance(step.how, Source):
        sources = call.params["sources"]
        for number, (stem, (source, shard)) in enumerate(zip(names, node.shards, strict=True)):
            label = f"{step.name} part-{number:05d} ({shard.label})"
            arguments = (call, sources[source], shard, folder, stem)
            made[stem] = Task(tasks.source_part, arguments, label, shard.bytes, isolates=True, uses=step.uses)
        return made
    assert isinstance(step.how, Layer | Rows)
    function = tasks.layer_part if isinstance(step.how, Layer) else tasks.rows_part
    read = [built.reading for built in inputs[1:]]
    for stem, part, size in zip(names, inputs[0].parts, sizes, strict=True):
        label = f"{step.name} {part.name}"
        around = Around(shelf.work.parent().uri, site.settings, label) if step.how.streams else None
        made[stem] = Task(
            function, (call, part, read, folder, stem, around), label, size, isolates=True, uses=step.uses
        )
    return made


def _streams(node: Node) -> bool:
    how = node.table.step.how
    return isinstance(how, Layer | Rows) and how.streams


def _forecast(site: Site, shelf: Shelf, node: Node, named: Named, inputs: Sequence[Built]) -> Forecast | None:
    """What a step that streams says it will take, of the parts that are not there."""
    step = node.table.step
    if not _streams(node) or named.names is None:
        return None
    there = shelf.files(node, named.names)
    left = tuple(part for name, part in zip(named.names, inputs[0].parts, strict=True) if name not in there)
    around = Around(shelf.work.parent().uri, site.settings, step.name, dict(site.told))
    rows = Reading(inputs[0].node.table.step.name, left)
    return step.forecast(node.call.params, rows, [built.reading for built in inputs[1:]], around)


def _make_folder(site: Site, node: Node, named: Named, inputs: Sequence[Built], place: Place) -> Built:
    result: dict[str, Any] = {}
    read = [built.reading for built in inputs]
    task = Task(make_folder, (node.call, read, place), node.table.step.name, uses=node.table.step.uses)
    run_tasks(site.engine, [task], lambda outcome: result.update(outcome.result or {}))
    return Built(node, named.key, (), place=place, files=result["files"], counts=result["counts"])


def _warn_of_code(node: Node, receipts: Sequence[Receipt]) -> None:
    step = node.table.step
    if any(receipt.code != step.code for receipt in receipts):
        log.warning(
            "%s: its code changed since parts of this table were built, its version (%d) did not; these parts are "
            "used as they are. Raise version= if the change alters results",
            step.name,
            step.version,
        )


def _write_manifest(shelf: Shelf, made: Built, seconds: float) -> None:
    """Says what a table is made of: written last, with a hash of its own."""
    node, how = made.node, made.node.table.step.how
    if isinstance(how, Opened):
        return
    target = shelf.manifest(node, made.key)
    target.parent().make()
    files = [receipt.__dict__ for receipt in made.receipts]
    externals = [part.pieces[0].external for part in made.parts] if isinstance(how, Source) else []
    facts = {
        "step": node.table.step.name,
        "version": node.table.step.version,
        "kind": node.table.step.kind,
        "key": made.key,
        "parameters": shown(node.call.params),
        "columns": list(node.call.schema.names),
        "schema": base64.b64encode(node.call.schema.serialize().to_pybytes()).decode(),
        "edits": list(how.edits) if isinstance(how, ADDS_A_LAYER) else [],
        "verdict": list(node.table.published.verdict),
        "externals": [None if external is None else dict(external) for external in externals],
        "seconds": seconds,
        "files": {n: r.__dict__ for n, r in made.files.items()} if made.place is not None else files,
        "counts": dict(made.counts),
    }
    target.write_json(seal(facts))


def _entry(
    node: Node, made: Built, before: Sequence[Mapping[str, Any]], seconds: float, *, cached: bool
) -> dict[str, Any]:
    """A table's entry in the manifest, after checking that it adds up. Raises: BuildError if it does not."""
    step = node.table.step
    if isinstance(step.how, Opened):
        rows = sum(part.rows for part in made.parts)
        counts: dict[str, Any] = {"rows_in": rows, "bytes_in": None, "rows_out": rows, "bytes_out": None, "dropped": {}}
    elif isinstance(step.how, Folder):
        size = sum(receipt.bytes for receipt in made.files.values())
        counts = {"rows_in": 0, "bytes_in": 0, "rows_out": 0, "bytes_out": 0, "dropped": {}}
        counts |= {"files": len(made.files), "file_bytes": size, "read": [e["rows_out"] for e in before]}
        counts["counts"] = dict(made.counts)
    else:
        counts = books.added_up(receipt.counts for receipt in made.receipts)
        came = {unit: before[0][f"{unit}_out"] for unit in books.UNITS} if isinstance(step.how, ADDS_A_LAYER) else {}
        books.check(counts, came, where=step.name)
        if isinstance(step.how, Rows | Group):
            expected = sum(e["rows_out"] for e in before[: 1 if isinstance(step.how, Rows) else None])
            if counts.get("parents", 0) != expected:
                raise BuildError(
                    f"the books do not add up: {expected} rows came, {counts.get('parents', 0)} were seen",
                    where=step.name,
                )
    return {
        "seconds": seconds,
        "cached": cached,
        "name": step.name,
        "kind": step.kind,
        "key": made.key,
        "fingerprint": node.fingerprint,
        "inputs": list(node.inputs),
        "version": step.version,
        "parameters": shown(node.call.params),
        "parts": len(made.parts),
        **counts,
        **step.words(counts["dropped"]),
    }
