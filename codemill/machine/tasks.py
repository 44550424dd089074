"""What workers do: one function per kind of task. Each reads a part, writes a part, and returns its receipt.

All of them stream: memory is a few batches of `store.ROW_GROUP_BYTES`, whatever the size of the part.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.document import DOCUMENT, INDEX, LEDGER, VERDICT
from codemill.errors import BuildError, InputError
from codemill.machine import components, exchange
from codemill.machine.engine import Scope
from codemill.machine.layers import Stack
from codemill.machine.source import Shard
from codemill.machine.store import ROW_GROUP_BYTES, PartWriter, Place
from codemill.machine.table import Step

PUBLISH_VERSION = 2

Params = Mapping[str, Any]
Rows = npt.NDArray[np.int64]


class Books:
    """Counts rows and bytes in, out, and dropped by reason."""

    def __init__(self) -> None:
        self.rows_in = self.bytes_in = self.rows_out = self.bytes_out = 0
        self.dropped: dict[str, Counter[str]] = {}

    def add(self, sizes: pa.Array, reasons: pa.Array | None) -> None:
        """Counts one batch of rows that came in; `reasons` is null where a row stays."""
        total = int(pc.sum(sizes).as_py() or 0)
        self.rows_in += len(sizes)
        self.bytes_in += total
        lost_rows = lost_bytes = 0
        if reasons is not None and reasons.null_count < len(reasons):
            gone = reasons.is_valid()
            coded = reasons.filter(gone).dictionary_encode()
            lost = sizes.filter(gone).fill_null(0).to_numpy()
            for code, reason in enumerate(coded.dictionary.to_pylist()):
                its = lost[coded.indices.to_numpy() == code]
                self.dropped.setdefault(reason, Counter()).update(rows=len(its), bytes=int(its.sum()))
                lost_rows += len(its)
                lost_bytes += int(its.sum())
        self.rows_out += len(sizes) - lost_rows
        self.bytes_out += total - lost_bytes

    def counts(self) -> dict[str, Any]:
        """As they go into a receipt."""
        numbers = {k: getattr(self, k) for k in ("rows_in", "bytes_in", "rows_out", "bytes_out")}
        return {**numbers, "dropped": {reason: dict(c) for reason, c in sorted(self.dropped.items())}}


def ingest_part(
    step: Step, params: Params, folder: Place, part: str, source: int, shard: Shard, *, scope: Scope
) -> dict[str, Any]:
    """Reads one shard of a source into the base layer. The step's function turns raw files into documents."""
    schema = layer_schema(step, params)
    books, start = Books(), 0

    def documents() -> Iterator[pa.RecordBatch]:
        nonlocal start
        origin = params["sources"][source]
        for raw in origin.read(shard):
            blocked = scope.blocks(start, raw.num_rows)
            start += raw.num_rows
            raw = _without(raw, blocked)
            if not scope.probing or raw.num_rows > len(blocked):
                yield step.function(raw, origin, **params)

    if scope.probing:
        for _ in documents():
            pass
        return {"rows": start}
    with PartWriter(folder, part, schema) as writer:
        for batch in documents():
            books.add(batch["size"], batch["reason"])
            writer.write(_complete(_left_in_place(batch) if shard.external else batch, schema))
        return {"receipts": [writer.close(books.counts(), step.code)]}


def _left_in_place(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without the content that can be read from the input as it is; what had to be decoded is kept."""
    as_it_is = pc.fill_null(pc.equal(batch["encoding"], "utf-8"), True)
    if as_it_is.true_count == batch.num_rows:
        content = pa.nulls(batch.num_rows, pa.large_string())
    else:  # taken, because if_else would hold on to the memory of what is null
        rows = pa.array(np.arange(batch.num_rows), mask=as_it_is.to_numpy(zero_copy_only=False))
        content = batch["content"].take(rows)
    return batch.set_column(batch.schema.get_field_index("content"), "content", content)


def _without(raw: pa.RecordBatch, blocked: Sequence[int]) -> pa.RecordBatch:
    """Raw rows with some of them emptied: their bytes are never touched, and they are dropped as `crashed`."""
    if not blocked:
        return raw
    hit = np.zeros(raw.num_rows, dtype=bool)
    hit[list(blocked)] = True
    mask = pa.array(hit)
    columns = {name: raw[name] for name in raw.schema.names}
    columns["raw"] = pc.if_else(mask, pa.scalar(None, pa.large_binary()), raw["raw"])
    columns["reason"] = pc.if_else(mask, "crashed", raw["reason"])
    return pa.record_batch(columns, schema=raw.schema)


def batch_part(step: Step, params: Params, stack: Stack, folder: Place, part: str, *, scope: Scope) -> dict[str, Any]:
    """Runs a batchwise step over the living rows of one part and writes its layer, aligned with all rows."""
    schema, reads, start = layer_schema(step, params), list(step.columns_read(params)), 0
    if scope.probing:
        for batch, living in _batches(stack, part, reads):
            touched = living & ~_blocked(scope, start, batch.num_rows)
            start += batch.num_rows
            if touched.any():
                step.function(_filter(batch, touched).select(reads), **params)
        return {"rows": start}
    with PartWriter(folder, part, schema) as writer:
        books = Books()
        for batch, living in _batches(stack, part, reads):
            blocked = _blocked(scope, start, batch.num_rows)
            start += batch.num_rows
            seen = living & ~blocked
            layer = _scatter(_apply(step, params, _filter(batch, seen).select(reads)), seen, schema)
            layer = _mark(layer, living & blocked, "crashed")
            books.add(_filter(batch, living)["size"], _filter(layer, living)["reason"])
            writer.write(layer)
        return {"receipts": [writer.close(books.counts(), step.code)]}


def map_group(
    step: Step, params: Params, stack: Stack, target: Place, parts: Mapping[int, str], partitions: int, *, scope: Scope
) -> dict[str, Any]:
    """The map side of an exchange: keys of the living rows of some parts, given by number and name."""
    reads = list(step.columns_read(params))
    emit = partial(step.emit, **params) if step.emit else None

    def keys() -> Iterator[tuple[pa.RecordBatch, int, Rows]]:
        for number, part in parts.items():
            start = 0
            for batch, living in _batches(stack, part, reads):
                rows = np.flatnonzero(living) + start
                start += batch.num_rows
                batch = _filter(batch, living).select(reads)
                batch, rows = emit(batch, rows) if emit else (batch, rows)
                yield batch, number, rows

    return {"receipts": [exchange.write_keys(target, keys(), key=key_of(step, params), partitions=partitions)]}


def map_beside(
    step: Step, params: Params, others: Sequence[exchange.Beside], target: Place, partitions: int, *, scope: Scope
) -> dict[str, Any]:
    """The map side of an exchange for keys that belong to no row of its table."""
    keys = ((batch, -1, np.zeros(batch.num_rows, dtype=np.int64)) for other in others for batch in other.read())
    return {"receipts": [exchange.write_keys(target, keys, key=key_of(step, params), partitions=partitions)]}


def reduce_partition(
    step: Step,
    params: Params,
    maps: Sequence[Place],
    target: Place,
    partition: tuple[int, int],
    group_starts: Sequence[int],
    *,
    scope: Scope,
) -> dict[str, Any]:
    """The reduce side of an exchange: the keys of one partition (of so many) become verdicts, or what a gather will
    make them of."""
    pieces = exchange.Pieces(maps, *partition)
    found = step.function(pieces if step.piecewise else pieces.whole(), **params)
    if step.gather is not None:
        return {"receipts": [exchange.write_found(target, found)]}
    return _decided(step, params, target, found, group_starts)


def gather_verdicts(
    step: Step,
    params: Params,
    sources: Sequence[Place],
    target: Place,
    partition: tuple[int, int] | None,
    group_starts: Sequence[int],
    *,
    scope: Scope,
) -> dict[str, Any]:
    """What was found becomes verdicts: by all partitions, in one place; or what components are of the nodes of one
    partition, where they were found in rounds."""
    assert step.gather is not None
    if partition is not None:
        found = iter([components.labels(sources, partition)])
    else:
        found = exchange.read_found(sources)
        found = iter([components.at_once(found)]) if step.connects else found
    return _decided(step, params, target, step.gather(found, **params), group_starts)


def _decided(
    step: Step, params: Params, target: Place, verdicts: pa.Table, group_starts: Sequence[int]
) -> dict[str, Any]:
    adds = [pa.field(name, kind) for name, kind in step.columns_added(params).items()]
    return {"receipts": [exchange.write_verdicts(target, verdicts, group_starts=group_starts, adds=adds)]}


def align_group(
    step: Step,
    params: Params,
    stack: Stack,
    reduces: Sequence[Place],
    folder: Place,
    parts: Mapping[int, str],
    group: tuple[int, int],
    *,
    scope: Scope,
) -> dict[str, Any]:
    """The last pass of an exchange: verdicts become the layers of some parts, given by number and name. `group` is
    the number of the group, and of how many."""
    verdicts = exchange.read_verdicts(reduces, *group, step.settle)
    schema, receipts = layer_schema(step, params), []
    if not set(verdicts["part"].unique().to_pylist()) <= set(parts):
        raise BuildError("an exchange gave a verdict for a part that is not there", where=step.name)
    for number, part in parts.items():
        batches = list(_batches(stack, part, []))
        layer = exchange.spread(verdicts, number, sum(b.num_rows for b, _ in batches))
        with PartWriter(folder, part, schema) as writer:
            books, start = Books(), 0
            for batch, living in batches:
                here = _complete(layer.slice(start, batch.num_rows), schema)
                start += batch.num_rows
                books.add(_filter(batch, living)["size"], _filter(here, living)["reason"])
                writer.write(here)
            receipts.append(writer.close(books.counts(), step.code))
    return {"receipts": receipts}


def publish_part(stack: Stack, folders: Mapping[str, Place], part: str, *, scope: Scope) -> dict[str, Any]:
    """Writes the living rows of one part as Documents and, if there is one, into the index, and one ledger row for
    every row of it."""
    known = stack.columns()
    indexing = "index" in folders
    wanted = [*DOCUMENT.names, *(INDEX.names if indexing else ()), *(n for n in LEDGER.names if n not in VERDICT)]
    columns = [c for c in dict.fromkeys(wanted) if c in known]
    with contextlib.ExitStack() as files:
        documents = files.enter_context(PartWriter(folders["corpus"], part, DOCUMENT, gather=ROW_GROUP_BYTES))
        entries = files.enter_context(PartWriter(folders["ledger"], part, LEDGER, gather=ROW_GROUP_BYTES))
        index = files.enter_context(PartWriter(folders["index"], part, INDEX)) if indexing else None
        verdicts: Counter[str] = Counter()
        for batch, reasons in stack.batches(part, columns, VERDICT):
            living = _living(reasons, batch.num_rows)
            _check_content(batch, living, part, stack)
            kept = _filter(batch, living)
            documents.write(_complete(kept, DOCUMENT))
            if index:
                index.write(_complete(kept, INDEX))
            entry = _ledger(batch, reasons, stack)
            said = pc.binary_join_element_wise(entry["step"].fill_null("None"), entry["reason"].fill_null("None"), " ")
            verdicts.update({v["values"]: v["counts"] for v in pc.value_counts(said).to_pylist()})
            entries.write(entry)
        receipts = {"corpus": documents.close({}), "ledger": entries.close(dict(verdicts))}
        return {"receipts": {**receipts, **({"index": index.close({})} if index else {})}}


def layer_schema(step: Step, params: Params) -> pa.Schema:
    """The columns of a step's layer. Every layer can drop rows: any document may crash a worker."""
    return pa.schema([pa.field(n, t) for n, t in {**step.columns_added(params), "reason": pa.string()}.items()])


def key_of(step: Step, params: Params) -> str:
    """The column that an exchange brings rows together by."""
    assert step.key is not None
    return str(params[step.key[1:]]) if step.key.startswith("$") else step.key


def _batches(stack: Stack, part: str, columns: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.bool_]]]:
    """All rows of a part with `columns` and `size`, and which of them are living."""
    for batch, reasons in stack.batches(part, dict.fromkeys([*columns, "size"])):
        living = _living(reasons, batch.num_rows)
        _check_content(batch, living, part, stack)
        yield batch, living


def _check_content(batch: pa.RecordBatch, living: npt.NDArray[np.bool_], part: str, stack: Stack) -> None:
    """Raises: InputError or BuildError if a living row has no content: its input was damaged, or a step dropped it."""
    if "content" not in batch.schema.names or not batch["content"].null_count:
        return
    lost = int((batch["content"].is_null().to_numpy(zero_copy_only=False) & living).sum())
    if not lost:
        return
    layer = stack.layers[stack.homes("content")[-1]]
    if part in layer.externals:
        where = layer.externals[part]["path"]
        raise InputError(
            f"the content of {lost} documents can no longer be read", where=where, remedy="check the input"
        )
    raise BuildError(f"{layer.step} left {lost} living documents without content", where=part)


def _living(reasons: Sequence[pa.RecordBatch], rows: int) -> npt.NDArray[np.bool_]:
    living = np.ones(rows, dtype=bool)
    for verdict in reasons:
        if verdict["reason"].null_count < rows:
            living &= verdict["reason"].is_null().to_numpy(zero_copy_only=False)
    return living


def _blocked(scope: Scope, start: int, rows: int) -> npt.NDArray[np.bool_]:
    blocked = np.zeros(rows, dtype=bool)
    blocked[scope.blocks(start, rows)] = True
    return blocked


def _filter(batch: pa.RecordBatch, mask: npt.NDArray[np.bool_]) -> pa.RecordBatch:
    return batch if mask.all() else batch.filter(pa.array(mask))


def _apply(step: Step, params: Params, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The step's own function, held to its promises. Raises: BuildError if it breaks one."""
    if not batch.num_rows:
        return batch
    added = step.function(batch, **params)
    promised = step.columns_added(params)
    missing = set(promised) - set(added.schema.names)
    if missing or added.num_rows != batch.num_rows:
        raise BuildError(
            f"the step promised {batch.num_rows} rows of {list(promised)}, "
            f"it returned {added.num_rows} rows of {added.schema.names}",
            where=step.name,
        )
    return added


def _scatter(added: pa.RecordBatch, seen: npt.NDArray[np.bool_], schema: pa.Schema) -> pa.RecordBatch:
    """Rows computed for the seen ones only, put back among all rows, null elsewhere."""
    added = _complete(added, schema)
    if seen.all():
        return added
    index = np.where(seen, np.cumsum(seen) - 1, -1)
    return added.take(pa.array(index, mask=~seen))


def _mark(layer: pa.RecordBatch, rows: npt.NDArray[np.bool_], reason: str) -> pa.RecordBatch:
    if not rows.any():
        return layer
    marked = pc.if_else(pa.array(rows), reason, layer["reason"])
    return layer.set_column(layer.schema.get_field_index("reason"), layer.schema.field("reason"), marked)


def _complete(batch: pa.RecordBatch | pa.Table, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with exactly the schema's columns: missing ones are null. Raises: BuildError on a wrong type."""
    rows = batch.num_rows
    columns = []
    for field in schema:
        if field.name not in batch.schema.names:
            columns.append(pa.nulls(rows, field.type))
            continue
        column = batch.column(field.name)
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise BuildError(f"the column {field.name} should be {field.type}: {error}") from error
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _ledger(batch: pa.RecordBatch, reasons: Sequence[pa.RecordBatch], stack: Stack) -> pa.RecordBatch:
    """For each row the first layer that dropped it, and what that layer said."""
    rows = batch.num_rows
    columns = {name: batch[name] for name in LEDGER.names if name in batch.schema.names}
    columns["step"] = pa.nulls(rows, pa.string())
    for name, kind in VERDICT.items():
        columns[name] = pa.nulls(rows, kind)
    undecided = np.ones(rows, dtype=bool)
    for layer, verdict in zip(stack.layers, reasons, strict=True):
        here = undecided & verdict["reason"].is_valid().to_numpy(zero_copy_only=False)
        if not here.any():
            continue
        undecided &= ~here
        mask = pa.array(here)
        columns["step"] = pc.if_else(mask, layer.step, columns["step"])
        for name in verdict.schema.names:
            columns[name] = pc.if_else(mask, verdict[name], columns[name])
    columns["verdict"] = pc.if_else(pa.array(undecided), "kept", "dropped")
    return _complete(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)), LEDGER)
