"""The runs that a run was made of, those that were made of it, and a document followed from one into the next.

A run's manifest says which runs it read. Which were made of it nobody wrote down: the folders beside each known run are
looked at, and those that are named.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from codemill.errors import CodemillError
from codemill.lineage import runs_in
from codemill.report.facts.ledger import collect
from codemill.run import Run, named
from codemill.tokens import Shards
from codemill.tokens.plan import Plan

MOST_RUNS = 100
MOST_BESIDE = 1000  # folders beside a run that are looked at
FEW = 8  # rows of an output that are named

_ROW = ("id", "parent", "seed_id", "kept_id", "repo", "path", "language", "verdict", "step", "reason")


@dataclass(frozen=True)
class Member:
    """One run of a family."""

    key: str  # its name in addresses, the same wherever it lies
    run: Run
    out: Path
    reads: tuple[Path, ...]  # the runs that it read, as far as they are still there

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.out.name


@dataclass(frozen=True)
class Relative:
    """A row in another run."""

    page: str  # of that run: its address below the run's
    name: str
    said: str  # how it is related, or what became of it


@dataclass(frozen=True)
class Relatives:
    """The rows of one output of a run that a document came from, or became."""

    member: Member
    output: str
    rows: tuple[Relative, ...]
    total: int


class Family:
    """The runs that can be opened from one: those that it was made of, and those that were made of it."""

    def __init__(self, members: dict[Path, Member], main: Member) -> None:
        self.main = main
        self.members = {member.key: member for member in reversed(members.values())}  # the first of two alike counts
        self.by_place = members

    @classmethod
    def of(cls, run: Run, named_too: Sequence[str | os.PathLike[str]] = ()) -> Family:
        """Follows the manifests. `named_too` are runs that lie elsewhere.

        Raises: InputError if one that is named is no finished run.
        """
        given = [run, *(Run.open(out) for out in named_too)]
        found: dict[Path, Member] = {}
        for one in given:
            _add(Path(os.path.realpath(one.out)), one, found)
        looked: dict[Path, Member | None] = {}
        grown = True
        while grown and len(found) < MOST_RUNS and run.folder.local is not None:
            grown = False
            for member in list(found.values()):
                for place in member.reads:
                    grown |= place not in found and _add(place, None, found) is not None
            for parent in {out.parent for out in found}:
                for place in _beside(parent):
                    if place not in looked:
                        looked[place] = _read(place, None)
            for place, other in looked.items():
                if other is not None and place not in found and any(read in found for read in other.reads):
                    found[place] = other
                    grown = True
        return cls(found, found[Path(os.path.realpath(run.out))])

    def at(self, run: Run, path: str) -> Member | None:
        """The member that a manifest names by a path."""
        return self.by_place.get(Path(os.path.realpath(named(run.out, path))))

    def above(self, key: str) -> list[Member]:
        """The runs that a run read."""
        return [self.by_place[place] for place in self.members[key].reads if place in self.by_place]

    def below(self, key: str) -> list[Member]:
        """The runs that read a run."""
        out = self.members[key].out
        return [member for member in self.members.values() if out in member.reads]

    def address(self, origin: str, to: Member, page: str = "") -> str:
        """Where a page of another run is, from a page of the run `origin`."""
        up = "" if origin == self.main.key else "../../"
        return f"{up}of/{to.key}/{page}" if to.key != self.main.key else f"{up or './'}{page}"

    def became(self, key: str, id: str) -> list[Relatives]:
        """What a row of a run became in that run, and in the runs that read it."""
        own, others = self.members[key], self.below(key)
        found = [_found(own, output, [id], ("parent",)) for output in own.run.manifest.get("files", {})]
        found += [_made_of(one, output, id) for one in others for output in one.run.manifest.get("files", {})]
        return [relatives for relatives in found if relatives is not None]

    def came_from(self, key: str, ids: Sequence[str | None]) -> list[Relatives]:
        """The rows that have one of some ids, in the runs that a run read."""
        return self._with_ids(self.above(key), ids)

    def within(self, key: str, ids: Sequence[str | None]) -> list[Relatives]:
        """The rows that have one of some ids, in a run."""
        return self._with_ids([self.members[key]], ids)

    def _with_ids(self, members: Sequence[Member], ids: Sequence[str | None]) -> list[Relatives]:
        wanted = [id for id in dict.fromkeys(ids) if id]
        return [
            relatives
            for member in members
            for output in member.run.manifest.get("files", {})
            if (relatives := _found(member, output, wanted, ("id",))) is not None
        ]

    def sequences(self, key: str, part: int, row: int) -> list[Relatives]:
        """The sequences of plans that hold the document in a row of a run's token shards."""
        found = []
        for member in self.below(key):
            if "plan" not in member.run.manifest.get("files", {}):
                continue
            shards = [
                self.at(member.run, source["path"]) for source in sources(member.run) if source["output"] == "tokens"
            ]
            for number, of in enumerate(shards):
                if of is None or of.key != key:
                    continue
                try:
                    numbers = Plan(member.out).holding(number, part, row)
                except CodemillError:
                    continue
                rows = [Relative(f"sequence?n={n}", f"sequence {n:,}", "") for n in numbers[:FEW]]
                if len(numbers):
                    found.append(Relatives(member, "plan", tuple(rows), len(numbers)))
        return found


def _made_of(member: Member, output: str, id: str) -> Relatives | None:
    if output == "tokens":
        return _tokens(member, id)
    return _found(member, output, [id], ("id", "parent", "seed_id", "kept_id"))


def _found(member: Member, output: str, ids: Sequence[str], columns: Sequence[str]) -> Relatives | None:
    """Rows of a table of a run that have one of the ids in one of the columns. Of a set its ledger is asked."""
    run = member.run
    if run.ledger_of(output) not in (None, output):
        return None
    try:
        names = run.parts(output)[0].schema.names if run.files(output) else []
        asked = [name for name in columns if name in names]
        if "id" not in names or not asked:
            return None
        shape = pa.schema([(name, pa.string()) for name in _ROW if name in names])
        with run.readable():
            hits = collect(run.table(output, shape).filter(pl.any_horizontal(pl.col(asked).is_in(ids))))
    except CodemillError:
        return None  # what cannot be read of another run says so on that run's own pages
    rows = tuple(_relative(member, output, row, ids) for row in hits.head(FEW).to_dicts())
    return Relatives(member, whose(run, output), rows, hits.height) if rows else None


def _relative(member: Member, output: str, row: dict[str, Any], ids: Sequence[str]) -> Relative:
    of = whose(member.run, output)
    is_file = of == "corpus" and not is_chats(member.run, of)
    page = f"document?{urlencode({'id': row['id']})}" if is_file else f"row?{urlencode({'set': of, 'id': row['id']})}"
    verdict = row.get("verdict") or ""
    said = f"dropped: {str(row.get('reason')).replace('_', ' ')}" if verdict == "dropped" else verdict
    if row.get("kept_id") in ids and row["id"] not in ids:
        said = f"{said} in its favour"
    name = f"{row.get('repo') or ''}/{row['path']}" if row.get("path") else str(row["id"])
    return Relative(page, name, said)


def _tokens(member: Member, id: str) -> Relatives | None:
    rows = []
    for part, row, count in _token_rows(member.out / "tokens", id):
        page = f"document?input=0&part={part}&row={row}"
        rows.append(Relative(page, f"{count:,} tokens", ""))
    return Relatives(member, "tokens", tuple(rows[:FEW]), len(rows)) if rows else None


def whose(run: Run, output: str) -> str:
    """The output that a ledger is of; any other output is its own."""
    outputs = run.manifest.get("outputs", {})
    if not outputs.get(output, {}).get("ledger"):
        return output
    table = outputs[output].get("table")
    return next((name for name, one in outputs.items() if not one.get("ledger") and one.get("table") == table), output)


def is_chats(run: Run, output: str) -> bool:
    """Whether an output holds chats, and no files."""
    return bool(run.files(output)) and "messages" in run.parts(output)[0].schema.names


def sources(run: Run) -> list[dict[str, Any]]:
    """The outputs of other runs that a run read, in order: `path` and `output` of each."""
    given = (table["parameters"].get("source") for table in run.manifest["tables"] if table["kind"] == "opened")
    return [source for source in given if isinstance(source, dict)]


def _token_rows(folder: Path, id: str) -> Iterator[tuple[int, int, int]]:
    """Part, row and number of tokens of what is made of a document."""
    try:
        shards = Shards(folder)
        for part in range(len(shards.files)):
            first = 0
            for batch in shards.batches(part):
                for at in np.flatnonzero(pc.equal(batch["parent"], id).to_numpy(zero_copy_only=False)).tolist():
                    yield part, first + at, int(batch["num_tokens"][at].as_py())
                first += batch.num_rows
    except CodemillError:
        return


def _add(place: Path, run: Run | None, found: dict[Path, Member]) -> Member | None:
    member = _read(place, run)
    if member is not None:
        found.setdefault(place, member)
    return member


def _read(place: Path, run: Run | None) -> Member | None:
    """A folder as a member; None if it is no finished run, or cannot be read."""
    try:
        run = run or Run.open(place)
        reads = runs_in(place, {"steps": run.manifest["tables"]}, strict=False)
    except (CodemillError, KeyError, TypeError):
        return None
    identity = str(run.manifest.get("fingerprint") or place)
    return Member(hashlib.sha256(identity.encode()).hexdigest()[:12], run, place, tuple(r for r in reads if r != place))


def _beside(parent: Path) -> list[Path]:
    try:
        with os.scandir(parent) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))[:MOST_BESIDE]
    except OSError:
        return []
    return [parent / name for name in names if (parent / name / "manifest.json").is_file()]
