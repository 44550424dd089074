"""Which pages a classifier learns from: those that somebody labelled, and those that the rules of a round add.

    label     labels of pages and domains, and what is held out   a few bytes a row
    enlarge   pages of discovered domains that rules match        a few bytes a row

A page of a held-out domain is never learned from, whatever a rule says: domains are held out as a whole.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from codemill import chance
from codemill.errors import RecipeError
from codemill.machine.reading import Reading
from codemill.machine.table import step
from codemill.web import urls
from codemill.web.labels import UNKNOWN, Labels
from codemill.web.patterns import Rules, matches

TRAIN, VALID, TEST = "train", "valid", "test"


def _check(*, labels: Labels | None, held_out: Labels | None, held_out_share: float, seed: int) -> None:
    if not 0 <= held_out_share < 1:
        raise RecipeError(f"held_out_share must be at least 0 and below 1, got {held_out_share!r}")


@step(
    version=1,
    reads=("path", "domain", "repo"),
    adds={"label": pa.int8(), "split": pa.string()},
    check=_check,
    knows=urls.version,  # which domain a labelled page is of
)
def label(
    pages: pa.RecordBatch,
    *chosen: Reading,
    labels: Labels | None = None,
    held_out: Labels | None = None,
    held_out_share: float = 0.2,
    seed: int = 0,
) -> pa.RecordBatch:
    """Gives pages their labels, and says which domains are held out.

    Labels are those of a file, of the folder of `autods.choose`, or of both: then the file's count for more.

    With `held_out` its domains are; without, a share of all domains, by a draw. Half of them are `valid`, for
    thresholds, the others `test`, for figures. All other pages are `train`, also those without a label: rules may give
    them one.

    Shape: adds label (1 about code, 0 not, null unknown) and split (train, valid, test).
    """
    given = [labels] if labels is not None else []
    known = np.full(pages.num_rows, UNKNOWN, np.int8)
    for one in [*(_chosen(folder.folder) for folder in chosen), *given]:
        said = one.of(pages["path"], pages["domain"])
        known = np.where(said == UNKNOWN, known, said)
    place = pc.coalesce(pages["domain"], pages["repo"])  # a page without a URL is one of its file
    draws = chance.uniform(chance.of_names(place), seed=seed, purpose="seeds.label")
    if held_out is None:
        out = draws < held_out_share
        first = draws < held_out_share / 2
    else:
        out = pc.fill_null(pc.is_in(place, _domains(held_out)), False).to_numpy(zero_copy_only=False)
        first = draws < 0.5
        theirs = held_out.of(pages["path"], pages["domain"])
        known = np.where(out, theirs, known)
    split = np.where(out, np.where(first, VALID, TEST), TRAIN)
    return pa.record_batch(
        {
            "label": pa.array(known, mask=known == UNKNOWN),
            "split": pa.array(split.astype(object), pa.string()),
        }
    )


@functools.lru_cache(maxsize=2)
def _chosen(folder: Path) -> Labels:
    return Labels(str(folder / "labels.csv"))


@functools.lru_cache(maxsize=2)
def _domains(labels: Labels) -> pa.Array:
    return pa.array(sorted(labels.domains()), pa.string())


@step(
    version=2,
    reads=lambda params: ("path", params["by"], "label", "split", "is_recalled"),
    adds={"label": pa.int8(), "is_matched": pa.bool_()},
    edits=("label",),
)
def enlarge(pages: pa.RecordBatch, domains: Reading, *, rules: Rules, by: str = "domain") -> pa.RecordBatch:
    """Adds pages that rules match and the classifier missed to the seed, and those it took wrongly to the negatives.

    `domains` is the table of `domains.count`, with its `by`: a rule counts inside of domains (or hosts) about code
    alone. A page that has a label keeps it, and a held-out one gets none.

    Shape: changes label where it was null; adds is_matched, whether a rule says that the page is about code.
    From: OpenCoder 2.1.2, step 5.
    """
    discovered = pc.fill_null(pc.is_in(pages[by], _discovered(domains)), False).to_numpy(zero_copy_only=False)
    code = discovered & matches(pages["path"], rules.code)
    other = discovered & matches(pages["path"], rules.other)
    code &= ~other
    recalled = _true(pages["is_recalled"])
    free = pc.and_(pages["label"].is_null(), pc.equal(pages["split"], TRAIN)).to_numpy(zero_copy_only=False)
    positive, negative = free & code & ~recalled, free & other & recalled
    label = np.where(positive, 1, 0).astype(np.int8)
    return pa.record_batch(
        {"label": pa.array(label, mask=~(positive | negative)), "is_matched": pa.array(code, pa.bool_())}
    )


def _discovered(domains: Reading) -> pa.Array:
    table = domains.table(["domain", "is_code"])
    return table.filter(table["is_code"])["domain"].combine_chunks().cast(pa.string())


def _true(flags: pa.Array) -> Any:
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
