"""Measures signals of texts in memory, for notebooks. `steps/quality.py` measures tables of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import pyarrow as pa

from codemill import _core, languages
from codemill.columns import Column, column
from codemill.signals import catalogue
from codemill.signals.custom import Custom, measure_custom, resolve


@overload
def measure(
    texts: str,
    *,
    language: str | Column | None = None,
    doc_type: str | Column | None = None,
    path: str | Column | None = None,
    size: Column | None = None,
    signals: Sequence[str] | None = None,
    custom: Sequence[str] = (),
    natural_language: str | None = None,
) -> dict[str, float | int | str | None]: ...
@overload
def measure(
    texts: Column,
    *,
    language: str | Column | None = None,
    doc_type: str | Column | None = None,
    path: str | Column | None = None,
    size: Column | None = None,
    signals: Sequence[str] | None = None,
    custom: Sequence[str] = (),
    natural_language: str | None = None,
) -> pa.RecordBatch: ...
def measure(
    texts: str | Column,
    *,
    language: str | Column | None = None,
    doc_type: str | Column | None = None,
    path: str | Column | None = None,
    size: Column | None = None,
    signals: Sequence[str] | None = None,
    custom: Sequence[str] = (),
    natural_language: str | None = None,
) -> pa.RecordBatch | dict[str, float | int | str | None]:
    """Measures built-in signals (all, or those in `signals`) and custom ones (`path/to/file.py:name`) of texts.

    `language` is one for all texts or one for each, by any of its names; without it the language is detected as a
    recipe does, from the content and from `path`. `doc_type` (code, data, text) follows from the language unless given.
    `size` is the size of the file in bytes, by default the length of the text in UTF-8. `natural_language` (en, zh, ja)
    applies to all texts. By default it is en for code, and follows from the script for text.
    Shape: one row per text; a float64 column per signal, `signal_errors` (uint32), how many signals failed, and
    `natural_language` (en, zh, ja). For one text a dict of these.
    Null: the signal does not apply or cannot be computed, or the text is null.
    Raises: RecipeError for an unknown signal or language; ValueError if columns differ in length.

    >>> measure(["é = 1\\n", None], language="Python", signals=["num_chars"])["num_chars"].to_pylist()
    [6.0, None]
    >>> measure("fn main() {}\\n", path="main.rs", signals=["num_lines"])["num_lines"]
    1.0
    """
    single = isinstance(texts, str)
    content = column([texts] if single else texts, pa.large_string())
    rows = len(content)
    spoken = languages.spoken(content, language=language, path=path)
    kind = _doc_types(spoken) if doc_type is None else column(doc_type, pa.string(), repeat=rows)
    lengths = pa.compute.binary_length(content).cast(pa.int64())
    batch = pa.record_batch(
        {
            "content": content,
            "language": spoken,
            "doc_type": kind,
            "path": column("" if path is None else path, pa.string(), repeat=rows),
            "size": lengths if size is None else column(size, pa.int64(), repeat=rows),
        }
    )
    names = [signal.name for signal in catalogue.all()] if signals is None else [catalogue.get(n).name for n in signals]
    measured = measure_batch(batch, names, [resolve(spec) for spec in custom], natural_language)
    return measured.to_pylist()[0] if single else measured


def measure_batch(
    batch: pa.RecordBatch, names: Sequence[str], custom: Sequence[Custom], natural_language: str | None = None
) -> pa.RecordBatch:
    """Measures a batch with content, language, doc_type, path and size. Columns come in the order of `names`."""
    measured = pa.RecordBatch.from_struct_array(
        _core.measure(
            batch["content"],
            language=batch["language"],
            doc_type=batch["doc_type"],
            path=batch["path"],
            size=batch["size"],
            syntaxes=languages.syntaxes(),
            signals=list(names),
            natural_language=natural_language,
        )
    )
    columns, failed = measure_custom(custom, batch)
    errors = measured["signal_errors"]
    if columns:
        errors = pa.compute.add(errors, pa.array(failed, pa.uint32()))
    values = {name: measured[name] for name in names} | columns
    return pa.record_batch({**values, "signal_errors": errors, "natural_language": measured["natural_language"]})


def _doc_types(spoken: pa.Array) -> pa.Array:
    doc_types = {name: languages.get(name).doc_type for name in spoken.unique().to_pylist() if name is not None}
    return pa.array([doc_types.get(name) for name in spoken.to_pylist()], pa.string())
