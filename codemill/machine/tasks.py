"""What workers do with the parts of a table: each task reads a part, writes a part, and returns its receipt.

All of them stream: memory is a few batches of `store.ROW_GROUP_BYTES`, whatever the size of the part. What workers do
for exchanges and groups is in `exchange`, for folders in `folders`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codemill import _core
from codemill.columns import one
from codemill.errors import BuildError, InputError
from codemill.machine.books import Books
from codemill.machine.engine import Scope
from codemill.machine.layers import Mask, Part, living
from codemill.machine.reading import Around, Reading
from codemill.machine.source import Shard
from codemill.machine.store import ROW_GROUP_BYTES, PartWriter, Place
from codemill.machine.table import Call

Read = Sequence[Reading]


def source_part(call: Call, source: Any, shard: Shard, folder: Place, name: str, *, scope: Scope) -> dict[str, Any]:
    """Reads one shard of a source. The step's function turns raw rows into those of its table."""
    call.check()
    schema, books, start = call.schema, Books(), 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal start
        for raw in source.read(shard):
            blocked = scope.blocks(start, raw.num_rows)
            start += raw.num_rows
            if scope.probing and raw.num_rows == len(blocked):
                continue
            yield call.step.function(_emptied(raw, blocked), source, **call.params)

    if scope.probing:
        for _ in batches():
            pass
        return {"rows": start}
    with PartWriter(folder, name, schema) as writer:
        for batch in batches():
            books.add(batch["size"], batch["reason"])
            writer.write(complete(_left_in_place(batch, shard), schema))
        return {"receipts": [writer.close(books.counts(), call.step.code)]}


def _left_in_place(batch: pa.RecordBatch, shard: Shard) -> pa.RecordBatch:
    """Without the columns that can be read from the input as they are. What had to be decoded is kept: where a source
    keeps a column in place, its function gives in `<column>_in_place` the rows whose value is that of the input."""
    for name in shard.external.columns if shard.external else ():
        same = batch[f"{name}_in_place"]
        if same.true_count == batch.num_rows:
            values = pa.nulls(batch.num_rows, batch[name].type)
        else:  # taken, because if_else would hold on to the memory of what is null
            rows = pa.array(np.arange(batch.num_rows), mask=same.to_numpy(zero_copy_only=False))
            values = batch[name].take(rows)
        batch = batch.set_column(batch.schema.get_field_index(name), name, values)
    return batch


def _emptied(raw: pa.RecordBatch, blocked: Sequence[int]) -> pa.RecordBatch:
    """Raw rows with the bytes of some of them gone: they are never touched, and dropped as `crashed`."""
    if not blocked:
        return raw
    hit = np.zeros(raw.num_rows, dtype=bool)
    hit[list(blocked)] = True
    mask = pa.array(hit)
    columns = {name: raw[name] for name in raw.schema.names}
    for field in raw.schema:
        if pa.types.is_large_binary(field.type) or pa.types.is_large_string(field.type):
            columns[field.name] = pc.if_else(mask, pa.scalar(None, field.type), raw[field.name])
    columns["reason"] = pc.if_else(mask, "crashed", raw["reason"])
    return pa.record_batch(columns, schema=raw.schema)


def layer_part(
    call: Call, part: Part, read: Read, folder: Place, name: str, around: Around | None = None, *, scope: Scope
) -> dict[str, Any]:
    """Runs a layer's function over the living rows of one part and writes its columns, aligned with all rows."""
    call.check()
    schema, reads = call.schema, list(call.reads)
    if scope.probing:
        return _probed(call, part, read, reads, scope, around)
    with PartWriter(folder, name, schema) as writer:
        books = Books()
        for (batch, alive, blocked), added in _called(call, scoped(part, reads, scope), read, around):
            seen = alive & ~blocked
            layer = _scatter(_kept_promises(call, added, int(seen.sum())), seen, schema)
            layer = marked(layer, alive & blocked, "crashed")
            books.add(filtered(batch, alive)["size"], filtered(layer, alive)["reason"])
            writer.write(layer)
        return {"receipts": [writer.close(books.counts(), call.step.code)]}


def rows_part(
    call: Call, part: Part, read: Read, folder: Place, name: str, around: Around | None = None, *, scope: Scope
) -> dict[str, Any]:
    """Runs a rows step over the living rows of one part and writes what it made of them: a table's first layer."""
    call.check()
    schema, reads = call.schema, list(call.reads)
    if scope.probing:
        return _probed(call, part, read, [*reads, "id"], scope, around)
    with PartWriter(folder, name, schema) as writer:
        books, parents = Books(), 0
        for (batch, alive, blocked), result in _called(call, scoped(part, [*reads, "id"], scope), read, around):
            parents += int(alive.sum())
            seen = filtered(batch, alive & ~blocked)
            made = [_made_of(call, seen, result)] if seen.num_rows else []
            lost = filtered(batch, alive & blocked)["id"]
            if len(lost):
                none = {"of": np.arange(len(lost)), "reason": ["crashed"] * len(lost)}
                made.append(_named(call, pa.record_batch(none), lost))
            for rows in made:
                books.add(rows["size"], rows["reason"])
                writer.write(rows)
        return {"receipts": [writer.close(books.counts(parents=parents), call.step.code)]}


def _probed(
    call: Call, part: Part, read: Read, columns: Sequence[str], scope: Scope, around: Around | None
) -> dict[str, Any]:
    """A dry run over the rows of a window, to find one that kills."""
    for _ in _called(call, scoped(part, columns, scope), read, around):
        pass
    return {"rows": part.rows}


Scoped = tuple[pa.RecordBatch, Mask, Mask]


def _called(
    call: Call, batches: Iterator[tuple[pa.RecordBatch, Mask, Mask, int]], read: Read, around: Around | None
) -> Iterator[tuple[Scoped, pa.RecordBatch]]:
    """What the step's function makes of the rows of each batch that are living and not blocked; of none, none.

    A step that streams gets all batches and gives one for each, in order; it may read ahead. Raises: BuildError if it
    gives more or fewer.
    """
    reads = list(call.reads)
    if around is None:
        for batch, alive, blocked, _ in batches:
            seen = filtered(batch, alive & ~blocked).select(reads)
            made = call.step.function(seen, *read, **call.params) if seen.num_rows else seen
            yield (batch, alive, blocked), made
        return
    ahead: deque[Scoped] = deque()

    def given() -> Iterator[pa.RecordBatch]:
        for batch, alive, blocked, _ in batches:
            ahead.append((batch, alive, blocked))
            if (seen := filtered(batch, alive & ~blocked).select(reads)).num_rows:
                yield seen

    def without() -> Iterator[tuple[Scoped, pa.RecordBatch]]:
        while ahead and not (ahead[0][1] & ~ahead[0][2]).any():
            scoped = ahead.popleft()
            yield scoped, scoped[0].slice(0, 0).select(reads)

    for made in call.step.function(given(), *read, around=around, **call.params):
        yield from without()
        if not ahead:
            raise BuildError("the step returned more batches than it was given", where=call.step.name)
        yield ahead.popleft(), made
    yield from without()
    if ahead:
        raise BuildError("the step returned fewer batches than it was given", where=call.step.name)


def _made_of(call: Call, batch: pa.RecordBatch, made: pa.RecordBatch) -> pa.RecordBatch:
    """What the step's function made of a batch, held to its promises. Raises: BuildError if it breaks one."""
    promised = set(call.adds) - {"id", "parent", "size"}
    missing = {*promised, "of"} - set(made.schema.names)
    if missing:
        raise BuildError(f"the step did not return the columns {sorted(missing)}", where=call.step.name)
    of = made["of"].cast(pa.int64()).to_numpy()
    if len(of) and not 0 <= of.min() <= of.max() < batch.num_rows:
        raise BuildError(f"`of` must name rows of the batch, 0 to {batch.num_rows - 1}", where=call.step.name)
    silent = int((np.bincount(of, minlength=batch.num_rows) == 0).sum())
    if silent:
        raise BuildError(
            f"nothing was made of {silent} of {batch.num_rows} rows, and the step does not say why",
            where=call.step.name,
            remedy="return a row with `of` and a `reason` for each of them",
        )
    return _named(call, made, batch["id"])


def _named(call: Call, made: pa.RecordBatch, parents: pa.Array) -> pa.RecordBatch:
    """Rows with `parent` and `id`, and the schema of the table. Raises: BuildError if two rows have one ordinal."""
    of = made["of"].cast(pa.int64())
    names = made.schema.names
    ordinal = made["ordinal"].cast(pa.int64()) if "ordinal" in names else pa.array(numbers_within(of.to_numpy()))
    parent = parents.take(of)
    columns = {name: made[name] for name in names if name not in ("of", "ordinal")}
    columns |= {"parent": parent, "id": ids(call, parent, ordinal)}
    columns.setdefault("size", pa.array(np.zeros(made.num_rows, dtype=np.int64)))
    if pc.count_distinct(columns["id"]).as_py() != made.num_rows:
        raise BuildError("two rows of one parent have the same ordinal", where=call.step.name)
    return complete(pa.record_batch(columns), call.schema)


def ids(call: Call, parents: pa.Array, ordinals: pa.Array) -> pa.Array:
    """hash(step with its parameters, parent, ordinal): 32 hex digits."""
    step = pa.repeat(pa.scalar(call.identity), len(parents))
    return _core.document_ids(step, parents, ordinals.cast(pa.string()), pa.nulls(len(parents), pa.string()))


def numbers_within(groups: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """0, 1, 2 … for the rows of each group, in their order; equal rows need not be neighbours.

    >>> numbers_within(np.array([5, 7, 5, 5])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else ordered
    within = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.append(starts, len(ordered))))
    found = np.empty(len(groups), dtype=np.int64)
    found[order] = within
    return found


# ── publishing ────────────────────────────────────────────────────────────────────────────────────────────────────


def publish_rows(
    part: Part, *, columns: pa.Schema | None, folder: Place, mapped: bool, identity: str
) -> dict[str, Any]:
    """Writes the living rows of one part. `identity`, of what is read for them, goes into the receipt."""
    known = part.columns()
    schema = columns if columns is not None else _schema_of(part)
    wanted = [name for name in schema.names if name in known]
    with PartWriter(folder, part.name, schema, gather=ROW_GROUP_BYTES, published=True, mapped=mapped) as writer:
        for batch, alive in batches(part, wanted):
            writer.write(complete(filtered(batch, alive), schema))
        return {"receipts": [writer.close({"id": identity})]}


def publish_ledger(part: Part, *, schema: pa.Schema, folder: Place, identity: str) -> dict[str, Any]:
    """Writes an entry for every row of one part: kept, or dropped by which step for which reason."""
    known = part.columns()
    wanted = [name for name in schema.names if name in known]
    said: Counter[tuple[str | None, str | None]] = Counter()
    with PartWriter(folder, part.name, schema, gather=ROW_GROUP_BYTES, published=True) as writer:
        for batch, verdicts in part.batches(wanted, ("reason", *part.verdict)):
            entry = _entry(batch, verdicts, part, schema)
            pairs = pa.table({"step": entry["step"], "reason": entry["reason"]}).group_by(["step", "reason"])
            counted = pairs.aggregate([([], "count_all")]).to_pylist()
            said.update({(row["step"], row["reason"]): row["count_all"] for row in counted})
            writer.write(entry)
        rows = [[step, reason, n] for (step, reason), n in sorted(said.items(), key=str)]
        return {"receipts": [writer.close({"id": identity, "verdicts": rows})]}


def _schema_of(part: Part) -> pa.Schema:
    fields = {}
    for piece in part.pieces:
        for batch in piece.read(list(piece.columns)):
            fields.update({f.name: f for f in batch.schema})
            break
    return pa.schema([fields[name] for name in part.columns()])


def _entry(
    batch: pa.RecordBatch, verdicts: Sequence[pa.RecordBatch | None], part: Part, schema: pa.Schema
) -> pa.RecordBatch:
    """For each row the first piece that dropped it, and what that piece said."""
    rows = batch.num_rows
    columns = {name: batch[name] for name in batch.schema.names}
    for name in ("step", "reason", *part.verdict):
        columns[name] = pa.nulls(rows, schema.field(name).type if name in schema.names else pa.string())
    undecided = np.ones(rows, dtype=bool)
    for piece, verdict in zip(part.pieces, verdicts, strict=True):
        if verdict is None:
            continue
        here = undecided & verdict["reason"].is_valid().to_numpy(zero_copy_only=False)
        if not here.any():
            continue
        undecided &= ~here
        mask = pa.array(here)
        columns["step"] = pc.if_else(mask, piece.step, columns["step"])
        for name in verdict.schema.names:
            columns[name] = pc.if_else(mask, verdict[name], columns[name])
    columns["verdict"] = pc.if_else(pa.array(undecided), "kept", "dropped")
    return complete(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), schema)


# ── what tasks share ──────────────────────────────────────────────────────────────────────────────────────────────


def batches(part: Part, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, Mask]]:
    """All rows of a part with `columns` and `size`, and which of them are living."""
    wanted = list(dict.fromkeys([*columns, "size"]))
    known = part.columns()
    for batch, verdicts in part.batches([name for name in wanted if name in known]):
        alive = living(verdicts, batch.num_rows)
        if "size" not in known:
            batch = batch.append_column("size", pa.array(np.zeros(batch.num_rows, dtype=np.int64)))
        _check_required(batch, alive, part)
        yield batch, alive


def _check_required(batch: pa.RecordBatch, alive: Mask, part: Part) -> None:
    """Raises: InputError or BuildError if a living row lacks what it must have: its input was damaged, or a step lost
    it."""
    for name in part.required:
        if name not in batch.schema.names or not batch[name].null_count:
            continue
        lost = int((batch[name].is_null().to_numpy(zero_copy_only=False) & alive).sum())
        if not lost:
            continue
        home = part.pieces[part.homes(name)[-1]]
        if home.external is not None and name in home.external["columns"]:
            raise InputError(
                f"the {name} of {lost} documents can no longer be read",
                where=home.external["path"],
                remedy="check the input",
            )
        raise BuildError(f"{home.step} left {lost} living documents without {name}", where=part.name)


def scoped(
    part: Part, columns: Sequence[str], scope: Scope, before: int = 0
) -> Iterator[tuple[pa.RecordBatch, Mask, Mask, int]]:
    """The batches of a part: each with which rows are living, which the scope blocks, and the number of its first row.

    `before`: rows of earlier parts that the scope counts too.
    """
    row = 0
    for batch, alive in batches(part, columns):
        blocked = np.zeros(batch.num_rows, dtype=bool)
        blocked[scope.blocks(before + row, batch.num_rows)] = True
        yield batch, alive, blocked, row
        row += batch.num_rows


def key_rows(
    parts: Mapping[int, Part],
    columns: Sequence[str],
    scope: Scope,
    crashed: list[list[int]],
    make: Callable[[pa.RecordBatch, Any], tuple[pa.RecordBatch, Any]],
    *,
    dropped_too: bool = False,
) -> Iterator[tuple[pa.RecordBatch, int, Any]]:
    """What `make(batch, rows)` makes of the living rows of parts, which are given by number, and where they live.

    Rows that the scope skips are added to `crashed`, as `[part, row]`. With `dropped_too`, of rows that were dropped as
    well.
    """
    before = 0
    for number, part in parts.items():
        for batch, alive, blocked, first in scoped(part, columns, scope, before):
            if not scope.probing:
                crashed += [[number, first + int(row)] for row in np.flatnonzero(alive & blocked)]
            seen = ~blocked if dropped_too else alive & ~blocked
            if seen.any() or not scope.probing:
                made, rows = make(filtered(batch, seen).select(list(columns)), np.flatnonzero(seen) + first)
                yield made, number, rows
        before += part.rows


def filtered(batch: pa.RecordBatch, mask: Mask) -> pa.RecordBatch:
    """The rows of a batch where the mask is true."""
    return batch if mask.all() else batch.filter(pa.array(mask))


def _kept_promises(call: Call, added: pa.RecordBatch, rows: int) -> pa.RecordBatch:
    """What the layer's function returned for so many rows. Raises: BuildError if it breaks a promise."""
    promised = call.adds
    missing = set(promised) - set(added.schema.names)
    if rows and (missing or added.num_rows != rows):
        raise BuildError(
            f"the step promised {rows} rows of {list(promised)}, "
            f"it returned {added.num_rows} rows of {added.schema.names}",
            where=call.step.name,
        )
    return added


def _scatter(added: pa.RecordBatch, seen: Mask, schema: pa.Schema) -> pa.RecordBatch:
    """Rows computed for the seen ones only, put back among all rows, null elsewhere."""
    added = complete(added, schema)
    if seen.all():
        return added
    index = np.where(seen, np.cumsum(seen) - 1, -1)
    return added.take(pa.array(index, mask=~seen))


def marked(layer: pa.RecordBatch, rows: Mask, reason: str) -> pa.RecordBatch:
    """The layer with a reason for some rows."""
    if not rows.any():
        return layer
    marked = pc.if_else(pa.array(rows), reason, layer["reason"])
    return layer.set_column(layer.schema.get_field_index("reason"), layer.schema.field("reason"), marked)


def complete(batch: pa.RecordBatch | pa.Table, schema: pa.Schema, rows: int | None = None) -> pa.RecordBatch:
    """The batch with exactly the schema's columns: missing ones are null. Raises: BuildError on a wrong type."""
    rows = batch.num_rows if rows is None else rows  # a table without columns has forgotten how many it has
    columns, given = [], dict(zip(batch.schema.names, batch.columns, strict=True))
    for field in schema:
        if field.name not in given:
            columns.append(pa.nulls(rows, field.type))
            continue
        column = one(given[field.name])
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise BuildError(f"the column {field.name} should be {field.type}: {error}") from error
    return pa.RecordBatch.from_arrays(columns, schema=schema)
