"""Which of an input's columns means what: presets, a guess by name, and the conversion to `document.RAW`."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codemill.document import RAW, TIME
from codemill.errors import InputError, RecipeError, did_you_mean

THE_STACK_V2 = {
    "content": "content",
    "repo": "repo_name",
    "path": "path",
    "revision": "revision_id",
    "stars": "star_events_count",
    "commit_time": "committer_date",
    "license": "detected_licenses",
    "size": "length_bytes",
}
"""The Stack v2 as published, and as hydrated: the public table has no `content`, only blob ids."""

THE_STACK = {
    "content": "content",
    "repo": "max_stars_repo_name",
    "path": "max_stars_repo_path",
    "revision": "max_stars_repo_head_hexsha",
    "stars": "max_stars_count",
    "commit_time": "max_stars_repo_stars_event_max_datetime",
    "license": "max_stars_repo_licenses",
    "size": "size",
}
"""The Stack v1 and what was made of it. It has no commit time; the last star's stands in."""

REFINECODE_META = {"repo": "repo_name", "path": "sub_path", "size": "file_size_in_byte"}
"""RefineCode's published metadata, which has no content."""

FINEWEB = {"content": "text", "path": "url", "commit_time": "date"}
"""FineWeb and what is made like it; its dump goes to `meta`. A page's path is its URL."""

SKYPILE = {"content": "text"}
"""SkyPile, which has no URLs: a page is one of its file."""

AUTOMATHTEXT = {"content": "text", "path": "url", "commit_time": "date"}
"""AutoMathText's pages of the web. The scores that a model gave them (`lm_q1q2_score` and others) go to `meta`."""

PRESETS: Mapping[str, Mapping[str, str]] = {
    "the_stack_v2": THE_STACK_V2,
    "the_stack": THE_STACK,
    "refinecode_meta": REFINECODE_META,
    "fineweb": FINEWEB,
    "skypile": SKYPILE,
    "automathtext": AUTOMATHTEXT,
}

OURS = ("content", "repo", "path", "revision", "stars", "commit_time", "license", "size")
"""What a mapping may name; all other columns of an input go to `meta`."""

_USUAL = {
    "content": ("content", "text", "code", "source_code"),
    "repo": ("repo", "repo_name", "repository", "repository_name", "max_stars_repo_name", "repo_path"),
    "path": ("path", "file_path", "filepath", "sub_path", "max_stars_repo_path", "filename", "file_name", "url"),
    "revision": ("revision", "revision_id", "commit", "commit_id", "sha", "max_stars_repo_head_hexsha"),
    "stars": ("stars", "star_events_count", "max_stars_count", "stargazers_count", "stargazers"),
    "commit_time": ("commit_time", "committer_date", "commit_date", "date", "timestamp"),
    "license": ("license", "licenses", "detected_licenses", "max_stars_repo_licenses", "license_spdx"),
    "size": ("size", "length_bytes", "file_size_in_byte", "size_bytes"),
}


def mapping(
    columns: str | Mapping[str, str] | None,
    names: Iterable[str],
    where: object,
    usual: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[str, str]:
    """Our columns → theirs, only those that the input has.

    `columns` is the name of a preset, a mapping, or None to guess by the usual names (with `text` and `url` and no
    repository it is a table of pages, as FineWeb). A preset's columns may be
    missing; one of a mapping of one's own may not.

    Raises: RecipeError for an unknown preset or one of our columns that there is not; InputError for a missing one.
    """
    names = list(names)
    if columns is None and usual is None and _are_pages(names):
        columns = "fineweb"
    if columns is None:
        guessed = {ours: next((n for n in guesses if n in names), None) for ours, guesses in (usual or _USUAL).items()}
        return {ours: theirs for ours, theirs in guessed.items() if theirs is not None}
    wanted = preset(columns) if isinstance(columns, str) else columns
    for ours in wanted:
        if ours not in OURS:
            raise RecipeError(f"no column of a document: {ours!r}", where="columns", remedy=did_you_mean(ours, OURS))
    if wanted not in PRESETS.values():
        for theirs in wanted.values():
            if theirs not in names:
                raise InputError(f"there is no column {theirs!r}", where=where, remedy=did_you_mean(theirs, names))
    return {ours: theirs for ours, theirs in wanted.items() if theirs in names}


def _are_pages(names: Sequence[str]) -> bool:
    """Whether columns are those of web pages: FineWeb's `file_path` is the archive that a page was in."""
    return {"text", "url"} <= set(names) and not set(_USUAL["repo"]) & set(names)


def preset(name: str) -> Mapping[str, str]:
    """A preset by name. Raises: RecipeError if there is no such preset."""
    if name not in PRESETS:
        raise RecipeError(f"no preset of columns: {name!r}", where="columns", remedy=did_you_mean(name, PRESETS))
    return PRESETS[name]


def plain(columns: str | Mapping[str, str] | None) -> object:
    """What the user said of columns, in a form that does not depend on the order in which he said it."""
    return tuple(sorted(columns.items())) if isinstance(columns, Mapping) else columns


# ── Arrow columns ─────────────────────────────────────────────────────────────────────────────────────────────────


def strings(array: pa.Array) -> pa.Array:
    """Any column as valid UTF-8 strings. Null: what cannot be shown as text. Bad bytes become `\\xHH`.

    Parquet does not say whether its strings are UTF-8, and readers do not look.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_nested(array.type):
        return pa.nulls(len(array), pa.string())
    binary = pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)
    with_text = (
        array.cast(pa.string(), safe=False)
        if not binary
        else pa.Array.from_buffers(
            pa.string(), len(array), array.cast(pa.binary()).buffers(), offset=array.cast(pa.binary()).offset
        )
    )
    try:
        with_text.validate(full=True)
        return with_text
    except pa.ArrowInvalid:
        raw = with_text.cast(pa.binary()).to_pylist()
        return pa.array([None if r is None else r.decode("utf-8", "backslashreplace") for r in raw], pa.string())


def integers(array: pa.Array) -> pa.Array:
    """Any column of numbers, or of text that is digits, as int64. Null: what is neither, negative or NaN."""
    kind = array.type
    if pa.types.is_integer(kind) and kind != pa.uint64():
        numbers = array.cast(pa.int64())
    elif pa.types.is_floating(kind):
        sound = pc.and_kleene(pc.is_finite(array), pc.less(array, 2.0**62))
        numbers = pc.if_else(sound, array, pa.scalar(None, kind)).cast(pa.int64(), safe=False)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        digits = pc.match_substring_regex(array, r"^[0-9]{1,18}$")
        numbers = pc.if_else(digits, array, pa.scalar(None, kind)).cast(pa.int64())
    else:
        return pa.nulls(len(array), pa.int64())
    return pc.if_else(pc.greater_equal(numbers, 0), numbers, pa.scalar(None, pa.int64()))


def times(array: pa.Array) -> pa.Array:
    """Any column of times as UTC: timestamps, dates, ISO 8601 text, Unix time in s, ms or µs by its magnitude.

    Null: what is none of these. A time without a zone counts as UTC.
    """
    kind = array.type
    if pa.types.is_timestamp(kind):
        return array.cast(pa.timestamp("us", tz=kind.tz), safe=False).cast(TIME)
    if pa.types.is_date(kind):
        return array.cast(pa.timestamp("us"), safe=False).cast(TIME)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.array([iso_time(text) for text in array.to_pylist()], pa.int64()).cast(TIME)
    numbers = integers(array)
    values = numbers.fill_null(0).to_numpy(zero_copy_only=False)
    scale = np.where(values < 10**11, 10**6, np.where(values < 10**14, 10**3, 1))
    return pa.array(values * scale, pa.int64(), mask=numbers.is_null().to_numpy(zero_copy_only=False)).cast(TIME)


_FRACTION = re.compile(r"(\.\d{6})\d+")


def iso_time(text: object) -> int | None:
    """ISO 8601 text as microseconds since 1970. Null: anything else."""
    if not isinstance(text, str) or len(text) > 64:
        return None
    try:
        time = datetime.datetime.fromisoformat(_FRACTION.sub(r"\1", text.strip().removesuffix(" UTC")))
    except ValueError:
        return None
    time = time if time.tzinfo else time.replace(tzinfo=datetime.UTC)
    return (time - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1)


def licenses(array: pa.Array) -> pa.Array:
    """A list of names, or one name, as list<string>. Null: nothing, an empty list or an empty name."""
    wanted = pa.list_(pa.string())
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        lists = [v and [str(n) for n in v if n is not None] for v in array.to_pylist()]
    else:
        lists = [v and [v] for v in strings(array).to_pylist()]
    return pa.array([v or None for v in lists], wanted)


def as_json(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """Columns as one JSON object per row. Binary ones are left out: JSON has no bytes."""
    shown = {n: _for_json(a) for n, a in columns.items() if not _has_bytes(a.type)}
    if not shown:
        return pa.nulls(rows, pa.string())
    import polars as pl  # here, because importing it takes time and most inputs do not need it

    frame = pl.DataFrame({n: pl.from_arrow(a) for n, a in shown.items()})
    encoded: Any = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series().to_arrow()
    return encoded.cast(pa.string())


def _for_json(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        return strings(array)
    if pa.types.is_decimal(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind):
        return array.cast(pa.string())
    return array


def _has_bytes(kind: pa.DataType) -> bool:
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    if any(test(kind) for test in binary):
        return True
    return any(_has_bytes(kind.field(i).type) for i in range(kind.num_fields))


def to_raw(
    columns: Mapping[str, pa.Array],
    rest: Mapping[str, pa.Array],
    rows: int,
    *,
    names: tuple[str, str],
    first_row: int,
    most: int,
    corrupt: str | None = None,
) -> pa.RecordBatch:
    """A batch of `document.RAW` from mapped columns, sharing the content's memory.

    `names` are what stands in for a missing repo, and before `#row` for a missing path. With `corrupt`, the rows are
    dropped for that reason, with this detail.
    """
    columns = {name: _plain(array) for name, array in columns.items()}
    rest = {name: _plain(array) for name, array in rest.items()}
    repo = strings(columns["repo"]) if "repo" in columns else pa.nulls(rows, pa.string())
    path = strings(columns["path"]) if "path" in columns else pa.nulls(rows, pa.string())
    path = pc.utf8_ltrim(path, "/")
    raw = content_bytes(columns["content"]) if "content" in columns else pa.nulls(rows, pa.large_binary())
    length = pc.binary_length(raw).cast(pa.int64())
    size = integers(columns["size"]) if "size" in columns else pa.nulls(rows, pa.int64())
    size = pc.coalesce(length, size, pa.scalar(0, pa.int64()))
    big = pc.fill_null(pc.greater(length, most), False)
    none = pa.scalar(None, pa.string())
    if corrupt is not None:
        reason, detail = pa.repeat("corrupt", rows), pa.repeat(corrupt, rows)
    else:
        reason = pc.if_else(raw.is_null(), "no_content", pc.if_else(big, "too_large", none))
        detail = pc.if_else(big, size.cast(pa.string()), none)
    if pc.any(big).as_py():
        raw = pc.if_else(big, pa.scalar(None, pa.large_binary()), raw)
    made = {
        "repo": pc.coalesce(repo, pa.scalar(names[0])),
        "path": _numbered(path, names[1], first_row),
        "revision": strings(columns["revision"]) if "revision" in columns else None,
        "stars": integers(columns["stars"]) if "stars" in columns else None,
        "commit_time": times(columns["commit_time"]) if "commit_time" in columns else None,
        "license": licenses(columns["license"]) if "license" in columns else None,
        "size": size,
        "raw": raw,
        "reason": reason,
        "detail": detail,
        "meta": as_json(rest, rows) if rest else None,
    }
    arrays = [pa.nulls(rows, f.type) if made[f.name] is None else made[f.name] for f in RAW]
    return pa.RecordBatch.from_arrays(arrays, schema=RAW)


def _plain(array: pa.Array) -> pa.Array:
    """A column without dictionary or views, which few of Arrow's functions take."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_string_view(array.type):
        return array.cast(pa.large_string())
    return array.cast(pa.large_binary()) if pa.types.is_binary_view(array.type) else array


def _numbered(path: pa.Array, name: str, first_row: int) -> pa.Array:
    """Paths, where a missing one is `name#row`."""
    missing = pc.fill_null(pc.equal(path, ""), True)
    if not pc.any(missing).as_py():
        return path
    return pc.if_else(missing, pa.array([f"{name}#{first_row + i}" for i in range(len(path))], pa.string()), path)


def content_bytes(array: pa.Array) -> pa.Array:
    """A plain column of text or bytes as large_binary, without copying the bytes."""
    if pa.types.is_string(array.type):
        array = array.cast(pa.binary())
    return array.cast(pa.large_binary())


def is_text(kind: pa.DataType) -> bool:
    """Whether a column's type is a string, also as a dictionary."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def is_content(kind: pa.DataType) -> bool:
    """Whether a column's type can be content: text or bytes."""
    if pa.types.is_dictionary(kind):
        return is_content(kind.value_type)
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return is_text(kind) or any(test(kind) for test in binary)
