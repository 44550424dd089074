"""The one way to build anything: files with receipts, made by tasks. What is there is not made again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from codemill.machine.engine import Engine, Outcome, Task, run
from codemill.machine.progress import Progress
from codemill.machine.store import ENDINGS, Place, Receipt, intact, read_receipt, receipt_inside

log = logging.getLogger("codemill")

THREADS = 8  # small files are read at once: on an object store each takes tens of milliseconds

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Site:
    """Where a build happens: what runs its tasks, who is told, and what a worker may hold."""

    engine: Engine
    progress: Progress
    worker_memory: int  # bytes
    verify: bool = False  # whether files that are there are hashed before they are trusted
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the run: see `reading.Around`
    told: dict[str, float] = field(default_factory=dict)  # what its steps told last


def fill(site: Site, tasks: Mapping[str, Task], there: dict[str, Receipt]) -> dict[str, Receipt]:
    """Makes the files that are not `there`, and returns the receipts of all, by name without ending.

    A task makes the file of its name and gives its receipt, which is added to `there`. Raises: as `engine.run`.
    """
    site.progress.advance(sum(task.size for name, task in tasks.items() if name in there))

    def done(outcome: Outcome) -> None:
        assert outcome.result is not None
        there.update({receipt.stem: receipt for receipt in outcome.result["receipts"]})
        site.progress.advance(outcome.task.size)

    def told(outcome: Outcome) -> None:
        site.told.update(outcome.told or {})
        site.progress.told(outcome.task.label, outcome.told or {})

    run(site.engine, [task for name, task in tasks.items() if name not in there], done, told)
    return there


def intact_files(folder: Place, names: Sequence[str]) -> dict[str, Receipt]:
    """The receipts of those files that are, by their hash, what a receipt beside them says; others are reported."""
    sizes = folder.names()
    known = [name for name in dict.fromkeys(names) if f"{name}.json" in sizes]
    receipts = [r for r in at_once(lambda name: read_receipt(folder, name), known) if r is not None and r.name]

    def whole(receipt: Receipt) -> bool:
        return intact(folder.at(receipt.name), receipt, sizes.get(receipt.name, -1))

    good = {}
    for receipt, ok in zip(receipts, at_once(whole, receipts), strict=True):
        if ok:
            good[receipt.stem] = receipt
        else:
            log.warning("%s is missing or damaged and will be rebuilt", folder.at(receipt.name).uri)
    return good


def working_files(folder: Place, names: Sequence[str]) -> dict[str, Receipt]:
    """The receipts of those working files of a folder that are there, by name: each is read for it.

    Why not only looked at: a run that was killed has left no list of them, and their hashes are wanted.
    """
    there = folder.names()
    known = [f"{name}{ending}" for name in dict.fromkeys(names) for ending in ENDINGS if f"{name}{ending}" in there]
    receipts = at_once(lambda file: receipt_inside(folder.at(file)), known)
    for file, receipt in zip(known, receipts, strict=True):
        if receipt is None:
            log.warning("%s is damaged and will be rebuilt", folder.at(file).uri)
    return {receipt.stem: receipt for receipt in receipts if receipt is not None}


def at_once(function: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """What a function that waits for storage says of each item, in order."""
    items = list(items)
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(THREADS, len(items))) as pool:
        return list(pool.map(function, items))
