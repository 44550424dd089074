"""What is still known of a file that was dropped: its text, its stars, its last commit.

A ledger row has neither, but it lies in the same part and row as the file's in the working tables
(OUT/.work/<step>/<fingerprint>/), which keep everything that was read. The text of a Parquet input was never
copied: it is read from the input, if that is still there and still the same.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from codemill import sources
from codemill.errors import CodemillError
from codemill.machine.layers import Layer, Stack, edits_of
from codemill.machine.store import Place
from codemill.report.facts import parts


@dataclass(frozen=True)
class Known:
    """What can still be read of a file. `why` says why there is no `text`; null = unknown."""

    text: str | None = None
    stars: int | None = None
    commit_time: str | None = None  # ISO 8601
    why: str | None = None


def read_back(out: str | Path, manifest: Mapping[str, Any], place: int, step: int) -> Known:
    """A file as the step of this number saw it. `place` is the number of its row in the whole ledger, from 0.

    Memory: a batch of the part. Nothing is raised: what cannot be read is `why`.
    """
    part, row = _locate(out, place)
    found: dict[str, Any] = {"content": None, "stars": None, "commit_time": None}
    why = None
    try:
        layers = _layers(out, manifest, part, step)
        if not layers:
            return Known(why="the working tables are gone (.work in the output folder)")
        found = _row(layers, part, row)
        if found["content"] is None:
            base = Layer(layers[0].step, layers[0].folder, layers[0].columns, {part: _external(manifest, part)})
            found = _row([base, *layers[1:]], part, row)
            why = "the input is damaged there" if found["content"] is None else None
    except CodemillError as error:
        why = error.what if error.where is None else f"{error.what} ({error.where})"
    except (pa.ArrowException, OSError) as error:
        why = " ".join(str(error).split())[:300]
    return Known(found["content"], found["stars"], _iso(found["commit_time"]), why)


def dropped_by(out: str | Path, manifest: Mapping[str, Any], place: int, step: str | None) -> int | None:
    """The number of the step that dropped a file; null if it was kept.

    Of two steps of one name it is the first whose working table has a reason there, or the last if none can be read.
    """
    found = [i for i, entry in enumerate(manifest["steps"]) if entry["name"] == step]
    for i in found[:-1]:
        part, row = _locate(out, place)
        name, fingerprint = str(manifest["steps"][i]["name"]), str(manifest["steps"][i]["fingerprint"])
        folder = Place.of(out).at(".work", name, fingerprint).local
        try:
            reasons = pq.read_table(folder / f"{part}.parquet", columns=["reason"])["reason"] if folder else None
            if reasons is not None and reasons[row].is_valid:
                return i
        except (pa.ArrowException, OSError, IndexError):
            continue  # gone or damaged: the last is as good a guess
    return found[-1] if found else None


def _locate(out: str | Path, place: int) -> tuple[str, int]:
    """The part of a row of the ledger, and its number there."""
    ledger = parts(out, "ledger")
    ends = list(accumulate(pq.read_metadata(part).num_rows for part in ledger))
    index = bisect_right(ends, place)
    return ledger[index].stem, place - (ends[index - 1] if index else 0)


def value(out: str | Path, manifest: Mapping[str, Any], place: int, column: str) -> Any:
    """The elements of a column of lists in the newest working table that has it, in one row; None if it is gone."""
    part, row = _locate(out, place)
    for entry in reversed(manifest["steps"]):
        folder = Place.of(out).at(".work", str(entry["name"]), str(entry["fingerprint"])).local
        path = folder and folder / f"{part}.parquet"
        try:
            if not path or not path.exists():
                return None
            if column not in pq.read_schema(path).names:
                continue
            found = pq.read_table(path, columns=[column])[column].slice(row, 1).combine_chunks()
            return found.flatten() if len(found) and found[0].is_valid else None
        except (pa.ArrowException, OSError):
            return None
    return None


def published(out: str | Path, place: int, id: str) -> Known | None:
    """The same from the corpus, for a file that was kept: its part has the name of its part of the ledger."""
    path = Path(out) / "corpus" / f"{_locate(out, place)[0]}.parquet"
    if not path.exists():
        return None
    names = ["id", "content", "stars", "commit_time"]
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            if not pc.any(pc.equal(file.read_row_group(group, columns=["id"])["id"], id)).as_py():
                continue
            for batch in file.iter_batches(64, row_groups=[group], columns=names):
                for row in batch.filter(pc.equal(batch["id"], id)).to_pylist():
                    return Known(row["content"], row["stars"], _iso(row["commit_time"]))
    return None


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(sep=" ", timespec="seconds")


def _layers(out: str | Path, manifest: Mapping[str, Any], part: str, step: int) -> list[Layer]:
    """The base layer and those before `step` that changed the text; none if one of them is gone."""
    before = manifest["steps"][:step]
    found: list[Layer] = []
    for entry in before:
        name, fingerprint = str(entry["name"]), str(entry["fingerprint"])
        folder = Place.of(out).at(".work", name, fingerprint)
        path = folder.local and folder.local / f"{part}.parquet"
        if not re.fullmatch(r"\w+(\.\w+)*", name) or not fingerprint.isalnum() or not path or not path.exists():
            return []
        columns = set(pq.read_schema(path).names) & {"content", "stars", "commit_time"}
        if columns and (not found or "content" in columns):
            found.append(Layer(name, folder, tuple(sorted(columns)), edits=edits_of(folder)))
    return found


def _row(layers: list[Layer], part: str, row: int) -> dict[str, Any]:
    for batch, _ in Stack(tuple(layers)).batches(part, ["content", "stars", "commit_time"]):
        if row < batch.num_rows:
            return dict(batch.slice(row, 1).to_pylist()[0])
        row -= batch.num_rows
    raise _Gone("the working tables have fewer rows than the ledger")


def _external(manifest: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Where the text of a part lies that was left in its input. Raises: as `externals`; _Gone if it was not read."""
    found = externals(manifest, [part])
    if part not in found:
        raise _Gone("its text was not read")
    return found[part]


def externals(manifest: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Where the texts of parts lie that were left in their inputs: known from listing these again, as a run does.

    Raises: InputError if an input is gone; another CodemillError if it is not the same, or no kind that we know.
    """
    shards: list[sources.Shard] = []
    for given in manifest["inputs"]:
        source = dict(given["source"])
        kind = getattr(sources, str(source.pop("kind", "")), None)
        if kind not in (sources.Archive, sources.Folder, sources.Git, sources.Jsonl, sources.Parquet):
            raise _Gone("its text was left in an input of a kind that codemill does not know")
        listing = kind(**source).list()
        if listing.fingerprint != given["fingerprint"]:
            raise _Gone("its text was left in an input that has changed since")
        shards += listing.shards
    numbered = {part: int(part.removeprefix("part-")) for part in wanted}
    there = {part: shards[n].external for part, n in numbered.items() if n < len(shards)}
    return {part: dict(external.__dict__) for part, external in there.items() if external is not None}


class _Gone(CodemillError):
    """The text of a file cannot be had any more. Always caught here."""
