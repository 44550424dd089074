"""Publishes outputs: plain folders that any tool can read, and the manifest that accounts for them.

Everything is written beside the result that is there and put in its place at the end, so that no reader sees a mixture
of both: OUT/manifest.json goes first and comes back last. Files that an earlier result has already are not made again.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

from codemill.errors import BuildError
from codemill.machine import tasks
from codemill.machine.engine import Task
from codemill.machine.fill import Site, at_once, fill, intact_files
from codemill.machine.identity import digest_of, shown
from codemill.machine.kinds import ADDS_A_LAYER, Folder, Source
from codemill.machine.layers import Part
from codemill.machine.places import publish_manifest, with_places
from codemill.machine.planning import Built, Plan
from codemill.machine.store import Place, Receipt, intact, seal, sealed, sweep
from codemill.machine.table import Output

OURS = re.compile(r"part-\d+\.(parquet|arrow)")


def published(plan: Plan, site: Site) -> dict[str, Any] | None:
    """The manifest in OUT, with its places, if it is this plan's and every published file is intact."""
    if not plan.published:
        return None
    manifest = sealed(plan.out.at("manifest.json").read_json())
    if manifest is None:
        return None
    for title, files in manifest["files"].items():
        folder = plan.out.at(title)
        receipts = {name: Receipt(**value) for name, value in files.items()}
        if not all(at_once(lambda item: intact(item[0], item[1]), [(folder.at(n), r) for n, r in receipts.items()])):
            return None
        if any(OURS.fullmatch(name) and name not in receipts for name in folder.names()):
            return None
    return with_places(plan.out, manifest)


def publish(
    plan: Plan,
    built: Sequence[Built],
    entries: Sequence[dict[str, Any]],
    site: Site,
    recipe: Mapping[str, Any],
    started: float,
) -> dict[str, Any]:
    """Writes every output, then the manifest, and returns it, with its places. Raises: BuildError if the ledgers say
    other than the books."""
    began = time.monotonic()
    staging = plan.out.at(".work", "publish", plan.fingerprint)
    tables = {title: built[number] for title, (_, number) in plan.outputs.items()}
    site.progress.begin("publish", total=sum(sum(b.sizes) for b in tables.values()), done=0)
    earlier = _earlier(plan.out)
    files: dict[str, dict[str, Receipt]] = {}
    with site.progress.running():
        for title, (output, number) in plan.outputs.items():
            folder = staging.at(title)
            folder.make()
            if isinstance(output.table.step.how, Folder):
                files[title] = _stage_files(built[number], folder)
            else:
                target = plan.out.at(title)
                files[title] = _stage_rows(site, output, built[number], folder, target, earlier.get(title, {}))
    manifest = _manifest(plan, entries, files, recipe, time.monotonic() - began, started)
    _swap(plan.out, staging, files, earlier)
    publish_manifest(plan.out, manifest)
    _between(plan.out).remove()
    staging.remove_folder()
    return manifest


def _earlier(out: Place) -> dict[str, dict[str, Any]]:
    """The files of the result that is there, by output and name; or of both, where a run was killed between two."""
    facts = sealed(out.at("manifest.json").read_json()) or sealed(_between(out).read_json())
    if not facts or not isinstance(facts.get("files"), dict):
        return {}
    return {
        title: {name: receipt for name, receipt in files.items() if _is_receipt(name, receipt)}
        for title, files in facts["files"].items()
        if is_below(title) and isinstance(files, dict)
    }


def _is_receipt(name: str, receipt: Any) -> bool:
    whole = isinstance(receipt, dict) and {"name", "rows", "bytes", "sha256", "counts"} <= set(receipt)
    return whole and is_below(name) and is_below(str(receipt["name"]))


def is_below(name: str) -> bool:
    """Whether a name stays in its folder. A manifest is anybody's file: what it names is copied, and removed."""
    parts = name.split("/")
    return "\\" not in name and all(part not in ("", ".", "..") for part in parts) and parts[0] != ".work"


def _between(out: Place) -> Place:
    """Where it is noted which files an older and a newer result have, while one takes the place of the other."""
    return out.at(".work", "publish", "between.json")


def _stage_rows(
    site: Site, output: Output, made: Built, folder: Place, target: Place, earlier: Mapping[str, Any]
) -> dict[str, Receipt]:
    """Writes an output's parts. One that the earlier result has under any name is copied."""
    sweep(folder)
    shape = output.table.published
    schema = output.schema
    reads = ["all"] if schema is None else [f"{f.name} {f.type}" for f in schema]
    mapped = shape.mapped and not output.ledger
    run = (
        partial(tasks.publish_ledger, schema=schema, folder=folder)
        if output.ledger
        else partial(tasks.publish_rows, columns=schema, folder=folder, mapped=mapped)
    )
    known = {value["counts"].get("id"): value for value in earlier.values()}
    todo: dict[str, Task] = {}
    form = ("reason", *shape.verdict) if output.ledger else ("mapped",) if mapped else ()
    ids = {part.name: _identity(part, reads, form) for part in made.parts}
    there = intact_files(folder, list(ids))
    for part, size in zip(made.parts, made.sizes, strict=True):
        old = known.get(ids[part.name])
        if part.name not in there and old is not None and intact(target.at(old["name"]), Receipt(**old)):
            receipt = Receipt(**{**old, "name": f"{part.name}.{old['name'].rpartition('.')[2]}"})
            target.at(old["name"]).copy_to(folder.at(receipt.name))
            there[part.name] = receipt
        todo[part.name] = Task(partial(run, identity=ids[part.name]), (part,), f"publish {part.name}", size)
    made_now = fill(site, todo, there)
    return {made_now[name].name: made_now[name] for name in ids}


def _identity(part: Part, reads: Sequence[str], form: Sequence[str]) -> str:
    """Identifies a published file: its form, what is read for it, and for a ledger every layer's word on who was
    dropped."""
    columns = part.columns() if reads == ["all"] else [name.split(" ")[0] for name in reads]
    known = set(part.columns())
    steps = [piece.step for piece in part.pieces if piece.drops] if "reason" in form else []
    return digest_of([*reads, *form, *steps, part.depends([name for name in columns if name in known])])


def _stage_files(made: Built, folder: Place) -> dict[str, Receipt]:
    """Copies a folder step's files."""
    assert made.place is not None
    there = {}
    for name, receipt in made.files.items():
        target = folder.at(name)
        if not intact(target, receipt):
            target.parent().make()
            made.place.at(name).copy_to(target)
        there[name] = receipt
    return there


def _swap(out: Place, staging: Place, files: Mapping[str, Mapping[str, Receipt]], earlier: Mapping[str, Any]) -> None:
    """Puts what was staged in its place; what an earlier result had besides goes."""
    both = {title: {**earlier.get(title, {}), **_plain(files.get(title, {}))} for title in {*earlier, *files}}
    _between(out).write_json(seal({"files": both}))
    out.at("manifest.json").remove()
    out.at("report.html").remove()  # it would show the result before this one
    for title in sorted({*earlier, *files}):
        folder, mine = out.at(title), files.get(title, {})
        stale = {name for name in folder.names() if OURS.fullmatch(name)} | set(earlier.get(title, {}))
        for name in stale - set(mine):
            folder.at(name).remove()
        if title in files:
            folder.make()
        for name in mine:
            staged = staging.at(title, name)
            if staged.exists():
                folder.at(name).parent().make()
                staged.move_to(folder.at(name))


def _plain(files: Mapping[str, Receipt]) -> dict[str, dict[str, Any]]:
    return {name: receipt.__dict__ for name, receipt in files.items()}


# ── the manifest ──────────────────────────────────────────────────────────────────────────────────────────────────


def chain(entries: Sequence[Mapping[str, Any]], number: int) -> list[int]:
    """The numbers of the tables that one is stacked on, itself last."""
    kinds = {kind.__name__.lower() for kind in ADDS_A_LAYER}
    found = [number]
    while entries[found[0]]["kind"] in kinds:
        found.insert(0, entries[found[0]]["inputs"][0])
    return found


def _manifest(
    plan: Plan,
    entries: Sequence[dict[str, Any]],
    files: Mapping[str, Mapping[str, Receipt]],
    recipe: Mapping[str, Any],
    seconds: float,
    started: float,
) -> dict[str, Any]:
    for title, (output, number) in plan.outputs.items():
        if output.ledger:
            _check_ledger(title, entries, chain(entries, number), files[title])
        elif not isinstance(output.table.step.how, Folder):
            rows = sum(receipt.rows for receipt in files[title].values())
            if rows != entries[number]["rows_out"]:
                raise BuildError(
                    f"the books do not add up: {entries[number]['rows_out']} kept and {rows} in {title}",
                    where="publish",
                )
    main = next(iter(plan.outputs))
    stack = chain(entries, plan.outputs[main][1])
    first, last = entries[stack[0]], entries[stack[-1]]
    found = {unit: first[f"{unit}_in"] or 0 for unit in ("rows", "bytes")}
    kept = {unit: last[f"{unit}_out"] or 0 for unit in ("rows", "bytes")}
    return {
        "codemill": version("codemill"),
        "fingerprint": plan.fingerprint,
        "recipe": dict(recipe),
        "inputs": _inputs(plan),
        "notes": plan.notes(),
        "steps": list(entries),
        "outputs": {
            title: {
                "table": number,
                "ledger": output.ledger,
                "chain": chain(entries, number),
                "rows": sum(receipt.rows for receipt in files[title].values()),
            }
            for title, (output, number) in plan.outputs.items()
        },
        "ingested": found,
        "kept": kept,
        "dropped": {unit: found[unit] - kept[unit] for unit in found},
        "publish_seconds": round(seconds, 3),
        "seconds": round(time.monotonic() - started, 3),
        "files": {title: _plain(its) for title, its in sorted(files.items())},
    }


def _inputs(plan: Plan) -> list[dict[str, Any]]:
    """The sources of all tables, each once."""
    found: dict[str, dict[str, Any]] = {}
    for node in plan.nodes:
        if not isinstance(node.table.step.how, Source):
            continue
        for source, listing in zip(node.call.params["sources"], node.listings, strict=True):
            found[f"{source!r} {listing.fingerprint}"] = {
                "source": shown({"": source})[""],
                "fingerprint": listing.fingerprint,
                "files": sum(shard.files for shard in listing.shards),
                "bytes": sum(shard.bytes for shard in listing.shards),
                "notes": list(listing.notes),
            }
    return list(found.values())


def _check_ledger(
    title: str, entries: Sequence[Mapping[str, Any]], stack: Sequence[int], files: Mapping[str, Receipt]
) -> None:
    """Holds a ledger against what the steps counted: its rows, and of each step and reason how many."""
    written: Counter[tuple[str | None, str | None]] = Counter()
    for receipt in files.values():
        written.update({(step, reason): n for step, reason, n in receipt.counts["verdicts"]})
    counted: Counter[tuple[str | None, str | None]] = Counter({(None, None): entries[stack[-1]]["rows_out"]})
    for number in stack:  # summed: two steps may have one name, as dedup.exact in refinecode
        entry = entries[number]
        counted.update({(entry["name"], reason): d["rows"] for reason, d in entry["dropped"].items()})
    if +written != +counted:
        wrong = sorted((k for k in {*written, *counted} if written[k] != counted[k]), key=str)
        said = ", ".join(
            f"{step} {reason}: {written[step, reason]} for {counted[step, reason]}" for step, reason in wrong
        )
        raise BuildError(f"the {title} does not say what the steps counted: {said}", where="publish")
