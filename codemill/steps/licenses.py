"""Licences: what the licence files and manifests of a repository say is recorded for each of its files.

    spread   LICENSE, COPYING, package.json … → the licence of every file below their folders   exchange of narrow keys
    keep     drops files by licence                                                             a layer

What a file of the repository says comes before what the source or the metadata say: it is nearer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import licenses
from codemill.columns import hexed, one
from codemill.licenses import Said
from codemill.machine.table import exchange, step
from codemill.steps.repos import UNIT, units

Rows = npt.NDArray[np.int64]

LICENSE = pa.list_(pa.string())
SAID = pa.struct({"folder": pa.string(), "licenses": LICENSE, "manifest": pa.bool_(), "package": pa.list_(pa.string())})


def _emit(documents: pa.RecordBatch, rows: Rows) -> tuple[pa.RecordBatch, Rows]:
    """A key for each file: its repository, its folder and, where it speaks of a licence, what it says."""
    path = documents["path"]
    folder = pc.replace_substring_regex(path, r"(^|/)[^/]*$", "")
    said: list[Said | None] = [None] * documents.num_rows
    for row in pc.indices_nonzero(pc.match_substring_regex(path, licenses.FILES)).to_pylist():
        place = path[row].as_py()
        if licenses.speaks(place):
            said[row] = licenses.what_it_says(place, documents["content"][row].as_py())
    known = documents["license"].is_valid()
    plain = [None if one is None else one.__dict__ for one in said]
    keys = {"unit": units(documents), "folder": folder, "known": known, "said": pa.array(plain, SAID)}
    return pa.record_batch(keys), rows


@exchange(
    version=2,
    reads=(*UNIT, "path", "license", "content"),
    key="unit",
    adds={"license": LICENSE},
    edits=("license",),
    emit=_emit,
    dropped_too=True,
    knows=licenses.fingerprint,
)
def spread(keys: pa.Table) -> pa.Table:
    """Records for every file the licence that the nearest licence file or manifest above it states.

    Several files of one folder are taken together (see `licenses.together`). A text that was not recognised hides what
    is stated further up, and its folder has `NOASSERTION`; one in the root of a repository does so only where nothing
    else is known, of the source or the metadata.

    Shape: a row for every file in, dropped or not; of those with a licence file above them `license`, a list of SPDX
    expressions all of which apply, out. From: REUSE and Debian's copyright format (the nearest statement counts).
    """
    keys = keys.set_column(keys.schema.get_field_index("unit"), "unit", hexed(one(keys["unit"])))
    spoken = keys.filter(keys["said"].is_valid())
    stated: dict[str, list[Said]] = defaultdict(list)
    for unit, said in zip(spoken["unit"].to_pylist(), spoken["said"].to_pylist(), strict=True):
        what = Said(said["folder"], tuple(said["licenses"]), said["manifest"], tuple(said["package"]))
        stated[unit].append(what)
    under = {unit: licenses.by_folder(its) for unit, its in stated.items()}

    keys = keys.filter(pc.is_in(keys["unit"], pa.array(list(under), pa.string())))
    known = pc.if_else(keys["known"], "known", "")
    places = one(pc.binary_join_element_wise(keys["unit"], known, keys["folder"], "/")).dictionary_encode()
    split = [place.split("/", 2) for place in places.dictionary.to_pylist()]
    found = [_nearest(folder, under[unit], bool(known)) for unit, known, folder in split]
    license = pa.array(found, LICENSE).take(places.indices)
    there = license.is_valid()
    return pa.table(
        {"part": keys["part"].filter(there), "row": keys["row"].filter(there), "license": license.filter(there)}
    )


def _nearest(folder: str, under: dict[str, tuple[str, ...]], known: bool) -> list[str] | None:
    """What the nearest folder that something is stated of is under. None: there is none."""
    while folder not in under:
        if not folder:
            return None
        folder = folder.rpartition("/")[0]
    unrecognised = under[folder] == (licenses.NO_ASSERTION,)
    return None if unrecognised and not folder and known else list(under[folder])


def _check(*, only: Sequence[str], never: Sequence[str]) -> None:
    licenses.check_names(only, where="only")
    licenses.check_names(never, where="never")


@step(
    version=1,
    reads=("license",),
    adds={"reason": pa.string(), "value": pa.string()},
    check=_check,
    knows=licenses.fingerprint,
    drops={
        "license_unknown": "under a licence that nobody states or that was not recognised",
        "license_not_kept": "under a licence that is not among those asked for",
    },
)
def keep(documents: pa.RecordBatch, *, only: Sequence[str] = (), never: Sequence[str] = ()) -> pa.RecordBatch:
    """Keeps files that may be used under licences that `only` names (all, if it names none) and `never` does not.

    Names are SPDX ids or patterns such as `GPL-*`; "unknown" is what is not stated or not recognised. Of `MIT OR X` one
    is enough, of `MIT AND X` and of two entries both are needed.

    Shape: reads license; adds reason and value, the licences. The reasons: `license_unknown`, `license_not_kept`.
    Raises: RecipeError for a name that is no SPDX id, with the nearest.
    """
    choice = licenses.Choice(licenses.check_names(only, where="only"), licenses.check_names(never, where="never"))
    column = documents["license"]
    spelled = pc.binary_join(column.cast(LICENSE), "\n")
    each = {text: _verdict(choice, text) for text in spelled.unique().to_pylist()}
    said = [each[text] for text in spelled.to_pylist()]
    return pa.record_batch(
        {
            "reason": pa.array([reason for reason, _ in said], pa.string()),
            "value": pa.array([value for _, value in said], pa.string()),
        }
    )


def _verdict(choice: licenses.Choice, text: str | None) -> tuple[str | None, str | None]:
    stated = text.split("\n") if text else []
    if choice.takes(stated):
        return None, None
    known = any(licenses.normal(each) for each in stated)
    return ("license_not_kept" if known else "license_unknown"), (", ".join(stated) or None)
