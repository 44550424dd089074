"""Builds what a plan says is missing, checks the books, publishes.

Every step's books are checked when it is done: rows and bytes in = out + dropped, and in = what the step before let
through; at the end the ledger is held against them. If they do not add up the build fails, because a corpus that
cannot account for a file cannot be trusted with any.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

from codemill.errors import BuildError, RecipeError
from codemill.machine import components, exchange, tasks
from codemill.machine.engine import Engine, Outcome, Task, engine_named, run
from codemill.machine.layers import Layer, Stack
from codemill.machine.output import check_output, locked
from codemill.machine.planning import Plan, PlannedTable, check_places, plan, shown
from codemill.machine.progress import Progress, Silent
from codemill.machine.store import (
    Place,
    Receipt,
    intact,
    read_receipts,
    sweep,
    write_manifest,
    write_receipt,
)
from codemill.machine.table import Table

log = logging.getLogger("codemill")

_OURS = re.compile(r"part-\d+\.parquet")


def build(
    table: Table,
    *,
    out: str | os.PathLike[str],
    workers: int | None = None,
    memory: int | None = None,
    engine: str | Engine = "local",
    recipe: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Builds a table and publishes it as `out/corpus`, `out/ledger` and `out/manifest.json`.

    `memory` (bytes) is the ceiling for all workers together: it limits how many run and how finely exchanges are
    cut, and never what comes out. What is built already, here or by a run that was killed, is verified and used.

    Returns: the manifest, as published. Raises: RecipeError, InputError before work starts; EnvironmentProblem
    if the output folder cannot be written or is in use; BuildError if a step breaks a promise.
    """
    if os.environ.get("CODEMILL_WORKER"):
        raise RecipeError("build() was called by a worker", remedy='put the call under `if __name__ == "__main__":`')
    started = time.monotonic()
    progress = progress or Silent()
    folder = Place.of(out)
    check_places(table, folder)
    check_output(folder)
    folder.make()
    with locked(folder):
        own = isinstance(engine, str)
        running = engine_named(engine, workers, memory) if isinstance(engine, str) else engine
        try:
            return _Build(plan(table, folder.uri), running, memory, recipe or {}, progress, started).run()
        finally:
            if own:
                running.close()


class _Build:
    """One run of a plan. A class only because its methods share the engine, the progress and the clock."""

    def __init__(
        self,
        plan: Plan,
        engine: Engine,
        memory: int | None,
        recipe: Mapping[str, Any],
        progress: Progress,
        started: float,
    ) -> None:
        self.plan, self.engine, self.recipe, self.progress, self.started = (
            plan,
            engine,
            recipe,
            progress,
            started,
        )
        self.worker_memory = (memory or 2 << 30) // max(1, engine.workers)
        self.layers: list[Layer] = []
        self.entries: list[dict[str, Any]] = []

    def run(self) -> dict[str, Any]:
        published = self._published()
        if published is not None:
            self.progress.note("nothing to do: the result is there and intact")
            return published
        for planned in self.plan.tables:
            receipts = self._layer(planned)
            self._account(planned, receipts)
        return self._publish()

    # each layer

    def _layer(self, planned: PlannedTable) -> list[Receipt]:
        step, began = planned.table.step, time.monotonic()
        planned.folder.make()
        sweep(planned.folder)
        receipts = self._verified(planned.folder, planned.receipts, self.plan.parts)
        missing = [p for p in self.plan.parts if p not in receipts]
        if any(r.code != step.code for r in receipts.values()):
            log.warning(
                "%s: its code changed since parts of this table were built, its version (%d) did not; these parts are "
                "used as they are. Raise version= if the change alters results",
                step.name,
                step.version,
            )
        if missing:
            for receipt in receipts.values():  # the manifest has them now; a killed rebuild must not lose them
                write_receipt(planned.folder, receipt)
            planned.folder.at("manifest.json").remove()
            how = {"ingest": self._ingest, "batch": self._batch, "exchange": self._exchange}[step.kind]
            self.progress.begin(step.name, total=self._bytes(self.plan.parts), done=self._bytes(receipts))
            with self.progress.running():
                how(planned, missing, receipts)
        ordered = [receipts[p] for p in self.plan.parts]
        externals = self._externals() if step.kind == "ingest" else {}
        columns = tuple(tasks.layer_schema(step, planned.table.params).names)
        self.layers.append(Layer(step.name, planned.folder, columns, externals, step.edits))
        seconds = round(time.monotonic() - began, 3)
        if missing or not planned.complete:
            facts = {
                "step": step.name,
                "version": step.version,
                "fingerprint": planned.fingerprint,
                "parameters": shown(planned.table.params),
                "edits": list(step.edits),
                "seconds": seconds,
            }
            write_manifest(planned.folder, facts, ordered)
        self.entries.append({"seconds": seconds, "cached": not missing})
        return ordered

    def _externals(self) -> dict[str, dict[str, Any]]:
        """Where the parts' content is that was left in place: as listed now, for the input may have been moved."""
        shards = [shard for listing in self.plan.listings for shard in listing.shards]
        return {p: s.external.__dict__ for p, s in zip(self.plan.parts, shards, strict=True) if s.external}

    def _ingest(self, planned: PlannedTable, missing: Sequence[str], receipts: dict[str, Receipt]) -> None:
        shards = [(s, shard) for s, listing in enumerate(self.plan.listings) for shard in listing.shards]
        numbered = dict(zip(self.plan.parts, shards, strict=True))
        self._write_parts(
            planned,
            [
                Task(
                    tasks.ingest_part,
                    (planned.table.step, planned.table.params, planned.folder, part, *numbered[part]),
                    label=f"{planned.table.step.name} {part} ({numbered[part][1].label})",
                    size=numbered[part][1].bytes,
                    isolates=True,
                )
                for part in missing
            ],
            receipts,
        )

    def _batch(self, planned: PlannedTable, missing: Sequence[str], receipts: dict[str, Receipt]) -> None:
        stack = Stack(tuple(self.layers))
        self._write_parts(
            planned,
            [
                Task(
                    tasks.batch_part,
                    (planned.table.step, planned.table.params, stack, planned.folder, part),
                    label=f"{planned.table.step.name} {part}",
                    size=self._bytes([part]),
                    isolates=True,
                )
                for part in missing
            ],
            receipts,
        )

    def _exchange(self, planned: PlannedTable, missing: Sequence[str], receipts: dict[str, Receipt]) -> None:
        table, parts = planned.table, self.plan.parts
        beside = list(table.step.beside(table.params)) if table.step.beside else []
        before = self.entries[-1]
        rows = table.step.key_rows(table.params, before["rows_out"], before["bytes_out"])
        rows += sum(other.rows for other in beside)
        partitions = max(1, -(-rows * table.step.weight_of(table.params) // max(1, self.worker_memory // 2)))
        per_group = exchange.parts_per_group(len(parts), table.step.weight_of(table.params))
        starts = list(range(0, len(parts), per_group))
        groups = [{i: parts[i] for i in range(s, min(s + per_group, len(parts)))} for s in starts]
        per_other = exchange.parts_per_group(len(beside), table.step.weight_of(table.params))
        others = [beside[s : s + per_other] for s in range(0, len(beside), per_other)]
        folder = planned.folder.at("exchange")
        if folder.at("partitions.json").read_json() != partitions:
            folder.remove_folder()  # half a run with another --memory is of no use to this one
        folder.make()
        folder.at("partitions.json").write_json(partitions)
        sweep(folder)
        stack = Stack(tuple(self.layers))
        maps = [f"map-{i:05d}" for i in range(len(groups) + len(others))]
        reduces = [f"reduce-{i:05d}" for i in range(partitions)]
        known = read_receipts(folder)
        there = self._verified(folder, known, list(known))
        places = {name: folder.at(f"{name}.arrow") for name in (*maps, *reduces, "verdicts")}
        weight = self._bytes(parts)

        def write(todo: dict[str, Task]) -> None:
            def done(outcome: Outcome) -> None:
                assert outcome.result is not None
                for receipt in outcome.result["receipts"]:
                    write_receipt(folder, receipt)
                    there[receipt.part] = receipt
                self.progress.advance(outcome.task.size)

            self.progress.advance(sum(task.size for name, task in todo.items() if name in there))
            run(self.engine, [task for name, task in todo.items() if name not in there], done)

        write(
            {
                name: Task(
                    tasks.map_group,
                    (table.step, table.params, stack, places[name], group, partitions),
                    label=f"{table.step.name} {name}",
                    size=self._bytes(group.values()) // 2,
                )
                for name, group in zip(maps, groups, strict=False)
            }
        )
        write(
            {
                name: Task(
                    tasks.map_beside,
                    (table.step, table.params, some, places[name], partitions),
                    label=f"{table.step.name} {name}",
                )
                for name, some in zip(maps[len(groups) :], others, strict=True)
            }
        )
        found = [places[name] for name in maps]
        write(
            {
                name: Task(
                    tasks.reduce_partition,
                    (table.step, table.params, found, places[name], (i, partitions), starts),
                    label=f"{table.step.name} {name}",
                    size=weight // partitions // 4,
                )
                for i, name in enumerate(reduces)
            }
        )
        verdicts = [places[name] for name in reduces]
        stars = False
        if table.step.connects:
            pairs, stars = components.in_rounds(write, there, folder, reduces, memory=self.worker_memory // 2)
            verdicts = [folder.at(f"{name}.arrow") for name in pairs]
        if stars:
            verdicts = self._label(planned, verdicts, starts, write)
        elif table.step.gather is not None:
            gathering = (table.step, table.params, verdicts, places["verdicts"], None, starts)
            write({"verdicts": Task(tasks.gather_verdicts, gathering, label=f"{table.step.name} gather")})
            verdicts = [places["verdicts"]]
        self._write_parts(
            planned,
            [
                Task(
                    tasks.align_group,
                    (table.step, table.params, stack, verdicts, planned.folder, group, (i, len(groups))),
                    label=f"{table.step.name} align {i}",
                    size=self._bytes(group.values()) // 4,
                )
                for i, group in enumerate(groups)
                if not set(missing).isdisjoint(group.values())
            ],
            receipts,
        )
        folder.remove_folder()

    def _label(
        self, planned: PlannedTable, stars: Sequence[Place], starts: Sequence[int], write: components.Write
    ) -> list[Place]:
        """The verdicts on each node of stars, by partitions of nodes."""
        table, folder, count = planned.table, planned.folder.at("exchange"), len(stars)
        names = {side: [f"label-{side}-{i:05d}" for i in range(count)] for side in ("map", "reduce")}
        places = {name: folder.at(f"{name}.arrow") for side in names.values() for name in side}
        maps = [places[name] for name in names["map"]]
        write(components.map_tasks("label", names["map"], stars, places))
        write(
            {
                name: Task(
                    tasks.gather_verdicts,
                    (table.step, table.params, maps, places[name], (i, count), starts),
                    label=f"{table.step.name} {name}",
                )
                for i, name in enumerate(names["reduce"])
            }
        )
        return [places[name] for name in names["reduce"]]

    def _write_parts(self, planned: PlannedTable, todo: Sequence[Task], receipts: dict[str, Receipt]) -> None:
        def done(outcome: Outcome) -> None:
            assert outcome.result is not None
            for receipt in outcome.result["receipts"]:
                write_receipt(planned.folder, receipt)
                receipts[receipt.part] = receipt
            self.progress.advance(outcome.task.size)

        run(self.engine, todo, done)

    def _verified(self, folder: Place, receipts: Mapping[str, Receipt], wanted: Sequence[str]) -> dict[str, Receipt]:
        """The wanted receipts whose files are intact; damaged files are reported and left out, so that they are
        built again."""
        known = [receipts[name] for name in wanted if name in receipts]
        sizes = folder.names()
        with ThreadPoolExecutor(max(1, min(8, self.engine.workers))) as pool:
            verdicts = pool.map(lambda r: intact(folder, r, sizes.get(r.name, -1)), known)
            good = {r.part: r for r, ok in zip(known, verdicts, strict=True) if ok}
        for receipt in known:
            if receipt.part not in good:
                log.warning("%s is missing or damaged and will be rebuilt", folder.at(receipt.name).uri)
        return good

    def _bytes(self, parts: Any) -> int:
        size = dict(zip(self.plan.parts, self.plan.sizes, strict=True))
        return sum(size[p] for p in parts)

    # the books

    def _account(self, planned: PlannedTable, receipts: Sequence[Receipt]) -> None:
        """Adds the step's entry to the books, after checking that it adds up."""
        name = planned.table.step.name
        entry = self.entries[-1]
        dropped: dict[str, Counter[str]] = {}
        totals: Counter[str] = Counter()
        for receipt in receipts:
            for key in ("rows_in", "bytes_in", "rows_out", "bytes_out"):
                totals[key] += receipt.counts[key]
            for reason, amount in receipt.counts["dropped"].items():
                dropped.setdefault(reason, Counter()).update(amount)
        before = (
            self.entries[-2] if len(self.entries) > 1 else {f"{u}_out": totals[f"{u}_in"] for u in ("rows", "bytes")}
        )
        for unit in ("rows", "bytes"):
            came, seen, kept = before[f"{unit}_out"], totals[f"{unit}_in"], totals[f"{unit}_out"]
            lost = sum(d[unit] for d in dropped.values())
            if not came == seen == kept + lost:
                raise BuildError(
                    f"the books do not add up: {came} {unit} came, {seen} were seen, {kept} kept, {lost} dropped",
                    where=name,
                )
        entry.update(
            name=name,
            fingerprint=planned.fingerprint,
            version=planned.table.step.version,
            parameters=shown(planned.table.params),
            **planned.table.step.words(dropped),
            parts=len(receipts),
            **{k: totals[k] for k in ("rows_in", "bytes_in", "rows_out", "bytes_out")},
            dropped={
                reason: {"rows": d["rows"], "bytes": d["bytes"]}
                for reason, d in sorted(dropped.items(), key=lambda item: (-item[1]["rows"], item[0]))
            },
        )
        self.progress.step_done(entry)

    # publishing

    def _published(self) -> dict[str, Any] | None:
        """The manifest in OUT, if it is this plan's and every published file is intact."""
        out = self.plan.out
        if not self.plan.published:
            return None
        manifest = out.at("manifest.json").read_json()
        for folder, values in manifest["parts"].items():
            receipts = {r.part: r for r in (Receipt(**v) for v in values)}
            there = {n.removesuffix(".parquet") for n in out.at(folder).names() if n.endswith(".parquet")}
            if len(self._verified(out.at(folder), receipts, list(receipts))) < len(there | set(self.plan.parts)):
                return None
        return dict(manifest)

    def _publish(self) -> dict[str, Any]:
        out, stack, began = self.plan.out, Stack(tuple(self.layers)), time.monotonic()
        books = out.at(".work", "publish", self.plan.fingerprint)
        indexing = "sketch_bits" in stack.columns()
        folders = {name: out.at(name) for name in ("corpus", "ledger", *(("index",) if indexing else ()))}
        for file in () if indexing else out.at("index").names():
            if _OURS.fullmatch(file):
                out.at("index", file).remove()  # of an earlier recipe
        for folder in (books, *folders.values()):
            folder.make()
            sweep(folder)
        out.at("manifest.json").remove()
        out.at("report.html").remove()  # it would show the result before this one
        receipts: dict[str, dict[str, Receipt]] = {}
        for name, folder in folders.items():
            books.at(name).make()
            receipts[name] = self._verified(folder, read_receipts(books.at(name)), self.plan.parts)
            for file in folder.names():
                if _OURS.fullmatch(file) and file.removesuffix(".parquet") not in receipts[name]:
                    folder.at(file).remove()  # of an earlier recipe
        missing = [p for p in self.plan.parts if not all(p in receipts[name] for name in folders)]
        done_before = self._bytes(p for p in self.plan.parts if p not in set(missing))
        self.progress.begin("publish", total=self._bytes(self.plan.parts), done=done_before)

        def done(outcome: Outcome) -> None:
            assert outcome.result is not None
            for name, receipt in outcome.result["receipts"].items():
                write_receipt(books.at(name), receipt)
                receipts[name][receipt.part] = receipt
            self.progress.advance(outcome.task.size)

        with self.progress.running():
            run(
                self.engine,
                [
                    Task(
                        tasks.publish_part,
                        (stack, folders, p),
                        f"publish {p}",
                        self._bytes([p]),
                    )
                    for p in missing
                ],
                done,
            )
        manifest = self._manifest(receipts, time.monotonic() - began)
        out.at("manifest.json").write_json(manifest)
        books.remove_folder()
        return manifest

    def _manifest(self, receipts: Mapping[str, Mapping[str, Receipt]], seconds: float) -> dict[str, Any]:
        first, last = self.entries[0], self.entries[-1]
        rows = {name: sum(r.rows for r in parts.values()) for name, parts in receipts.items()}
        if rows["corpus"] != last["rows_out"] or rows["ledger"] != first["rows_in"]:
            raise BuildError(
                f"the books do not add up: {first['rows_in']} found and {rows['ledger']} in the ledger, "
                f"{last['rows_out']} kept and {rows['corpus']} in the corpus",
                where="publish",
            )
        self._check_verdicts(receipts["ledger"])
        return {
            "codemill": version("codemill"),
            "fingerprint": self.plan.fingerprint,
            "recipe": dict(self.recipe),
            "inputs": [
                {
                    "source": shown({"": source})[""],
                    "fingerprint": listing.fingerprint,
                    "files": sum(s.files for s in listing.shards),
                    "bytes": sum(s.bytes for s in listing.shards),
                    "notes": list(listing.notes),
                }
                for source, listing in zip(self.plan.tables[0].table.params["sources"], self.plan.listings, strict=True)
            ],
            "steps": self.entries,
            "ingested": {"rows": first["rows_in"], "bytes": first["bytes_in"]},
            "kept": {"rows": last["rows_out"], "bytes": last["bytes_out"]},
            "dropped": {
                "rows": first["rows_in"] - last["rows_out"],
                "bytes": first["bytes_in"] - last["bytes_out"],
            },
            "publish_seconds": round(seconds, 3),
            "seconds": round(time.monotonic() - self.started, 3),
            "parts": {name: [parts[p].__dict__ for p in self.plan.parts] for name, parts in sorted(receipts.items())},
        }

    def _check_verdicts(self, ledger: Mapping[str, Receipt]) -> None:
        """Holds the ledger's verdicts against what the steps counted when they dropped."""
        written: Counter[str] = Counter()
        for receipt in ledger.values():
            written.update(receipt.counts)
        counted = Counter({"None None": self.entries[-1]["rows_out"]})
        for entry in self.entries:  # summed: two steps may have one name, as dedup.exact in refinecode
            counted.update({f"{entry['name']} {reason}": d["rows"] for reason, d in entry["dropped"].items()})
        if +written != +counted:
            wrong = sorted(k for k in {*written, *counted} if written[k] != counted[k])
            raise BuildError(f"the ledger does not say what the steps counted: {', '.join(wrong)}", where="publish")


__all__ = ["Plan", "PlannedTable", "build", "plan"]
