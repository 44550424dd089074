"""Sets whole repositories aside, so that a model can be evaluated on code it has not seen.

    split      → training, and held out:
    training   drops the files of repositories that are set aside                a layer
    held_out   drops all others                                                  a layer
    newer      drops held-out files from before a time, where theirs is known    a layer
               then those of which training has a copy (`dedup.exact`) or a near-copy (`known.drop`)

Files of one repository are alike, so a split by file would test memory. A repository is set aside by a hash of its
name: it is on the same side in every run, whatever else is in the corpus and whatever was committed since.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill.chance import draws
from codemill.document import VERDICT
from codemill.errors import RecipeError
from codemill.machine.table import Table, step
from codemill.steps import _index, dedup, known


def split(
    documents: Table,
    *,
    share: float,
    newer_than: str | None = None,
    bands: int = 16,
    rows: int = 128,
    ngram: int = 5,
    unit: str = "word",
    seed: int = 0,
    verify: str = "sketch",
    at_least: float = 0.95,
) -> tuple[Table, Table]:
    """Training documents, and those held out: all of about `share` of the repositories, less what training knows.

    What is held out has no copy and no near-copy in training, as `dedup.fuzzy` understands these parameters; training
    is left as it is. With `newer_than` (ISO 8601) it also has nothing that was committed before; what has no commit
    time stays. Both are tables of all documents, so each has a ledger that says of every file why it is not there.

    `seed` is of the sketches and of the choice of repositories.
    Raises: RecipeError for values out of range, or a time that is none.
    """
    _index.check_level("file", verify)
    seen, unseen = training(documents, share=share, seed=seed), held_out(documents, share=share, seed=seed)
    if newer_than is not None:
        unseen = newer(unseen, than=newer_than)
    sketch = {"ngram": ngram, "unit": unit, "seed": seed}
    banded, hashes = {"bands": bands, "rows": rows, **sketch}, bands * rows
    index = known.index(dedup.band_keys(seen, **banded), **banded)
    unseen = dedup.band_keys(dedup.exact(unseen, seen), **banded)
    unseen = known.fold(known.meet(unseen, index, bands=bands), hashes=hashes, **sketch)
    return seen, known.drop(unseen, index, hashes=hashes, verify=verify, at_least=at_least)


def _check(*, share: float, seed: int) -> None:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise RecipeError(f"a share of repositories is between 0 and 1, got {share!r}", where="holdout")


def set_aside(repo: pa.Array, *, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Whether each repository is held out: a draw by the hash of its name, without regard to case, as forges have it.

    Null: a row without a repository is not.
    """
    coded = repo.dictionary_encode()
    names = [hashlib.sha256(name.lower().encode()).digest() for name in coded.dictionary.to_pylist()]
    drawn = draws(pa.array(names, pa.binary(32)), seed=seed, purpose="holdout.repositories") < share
    chosen = pa.array(drawn, pa.bool_()).take(coded.indices)
    aside: npt.NDArray[np.bool_] = pc.fill_null(chosen, False).to_numpy(zero_copy_only=False)
    return aside


@step(
    version=1,
    reads=("repo",),
    adds={"reason": VERDICT["reason"]},
    check=_check,
    drops={"held_out": "its repository is set aside for evaluation"},
)
def training(documents: pa.RecordBatch, *, share: float, seed: int = 0) -> pa.RecordBatch:
    """Drops the documents of about `share` of all repositories: those that `held_out` keeps."""
    return _dropped("held_out", set_aside(documents["repo"], share=share, seed=seed))


@step(
    version=1,
    reads=("repo",),
    adds={"reason": VERDICT["reason"]},
    check=_check,
    drops={"in_training": "its repository is not set aside for evaluation"},
)
def held_out(documents: pa.RecordBatch, *, share: float, seed: int = 0) -> pa.RecordBatch:
    """Keeps only the documents of about `share` of all repositories: those that `training` drops."""
    return _dropped("in_training", ~set_aside(documents["repo"], share=share, seed=seed))


def _time(than: str) -> datetime:
    try:
        time = datetime.fromisoformat(than)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"no time: {than!r}", where="holdout.newer", remedy="such as 2024-06-01") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _check_time(*, than: str) -> None:
    _time(than)


@step(
    version=1,
    reads=("commit_time",),
    adds={"reason": VERDICT["reason"], "value": VERDICT["value"]},
    check=_check_time,
    drops={"too_old": "last changed before the time from which on files are held out"},
)
def newer(documents: pa.RecordBatch, *, than: str) -> pa.RecordBatch:
    """Drops documents whose last commit is before a time (ISO 8601; without a zone: UTC).

    Null: a document without a commit time stays. `value` is its time.
    """
    times = documents["commit_time"]
    old = pc.fill_null(pc.less(times, pa.scalar(_time(than), times.type)), False)
    said = pc.strftime(times, format="%Y-%m-%d")
    batch = _dropped("too_old", old.to_numpy(zero_copy_only=False))
    return batch.append_column("value", pc.if_else(old, said, pa.scalar(None, pa.string())))


def _dropped(reason: str, rows: npt.NDArray[np.bool_]) -> pa.RecordBatch:
    return pa.record_batch({"reason": pc.if_else(pa.array(rows), reason, pa.scalar(None, pa.string()))})
