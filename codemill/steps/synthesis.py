"""What every set of synthesised rows goes through: signed, proved, kept by a policy.

    sign       who wrote a row, with which prompt; what makes it a document      a layer
    keep       only rows whose programs passed, with tests that are strong       a layer
(and dedup.exact, dedup.fuzzy, decontamination, as for files)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from codemill.document import SHA256, TIME
from codemill.errors import RecipeError
from codemill.machine.table import Table, step
from codemill.teacher.ask import Asking
from codemill.teacher.running import SANDBOX

def signed(rows: Table, *, name: str) -> Table:
    """The rows of a method with the name of their set, their teacher and their prompt. See `sign`."""
    made = rows.layers()[0]
    if not isinstance(made.step, Asking):
        raise RecipeError(f"only what a method made can be signed, got a table of {made.step.name}")
    prompt = f"{made.step.name} {made.step.version} {made.step.knows() if made.step.knows else ''}".strip()
    return sign(rows, name=name, prompt=prompt, teacher=made.params["teacher"].name)


@step(
    version=1,
    reads=("content", "messages"),
    adds={
        "source": pa.string(),
        "teacher": pa.string(),
        "prompt": pa.string(),
        "doc_type": pa.string(),
        "content_sha256": SHA256,
        "stars": pa.int64(),
        "commit_time": TIME,
    },
)
def sign(rows: pa.RecordBatch, *, name: str, prompt: str, teacher: str) -> pa.RecordBatch:
    """Says of each row which set it is of, who wrote it and with which prompt, and hashes its text.

    Shape: adds source (`name`), teacher, prompt (method, version, hash of the prompt's text), and the columns of a
    document that dedup and tokenize read; stars and commit time are null.
    """
    count = rows.num_rows
    hashes = [hashlib.sha256((text or "").encode()).digest() for text in rows["content"].to_pylist()]
    kinds = pc.if_else(pc.is_valid(rows["messages"]), "text", "code")
    return pa.record_batch(
        {
            **{n: pa.repeat(pa.scalar(v, pa.string()), count) for n, v in
               (("source", name), ("teacher", teacher), ("prompt", prompt))},
            "doc_type": kinds,
            "content_sha256": pa.array(hashes, SHA256),
            "stars": pa.nulls(count, pa.int64()),
            "commit_time": pa.nulls(count, TIME),
        }
    )  # fmt: skip


def _check(*, outcomes: Sequence[str], least_strength: float, unrun: bool) -> None:
    if not 0 <= least_strength <= 1:
        raise RecipeError(f"least_strength is a share between 0 and 1, got {least_strength!r}")
    if not outcomes:
        raise RecipeError("no outcome is good enough to be kept", remedy='such as outcomes=("pass",)')


@step(
    version=1,
    reads=("outcome", "detail", "strength"),
    adds={"reason": pa.string(), "value": pa.string()},
    check=_check,
    drops={
        "not_run": "its program was not run",
        "not_passed": "its program did not pass its tests",
        "weak_tests": "its tests pass wrong programs too",
    },
)
def keep(
    rows: pa.RecordBatch, *, outcomes: Sequence[str] = ("pass",), least_strength: float = 0.0, unrun: bool = False
) -> pa.RecordBatch:
    """Keeps rows whose program came to one of the `outcomes`, with tests of at least this strength.

    `unrun` keeps rows without a program too. A strength that is null is unknown, and drops nothing.
    Why a step of its own: keeping only what passes removes hard tasks as well (OpenCodeReasoning, arXiv 2504.01943), so
    the verdict is a column and the policy is the recipe's.
    """
    reasons: list[str | None] = []
    values: list[str | None] = []
    for outcome, detail, strength in zip(*(rows[n].to_pylist() for n in ("outcome", "detail", "strength")), strict=True):
        reason, value = None, None
        if outcome is None:
            reason = None if unrun else "not_run"
        elif outcome not in outcomes:
            reason, value = "not_passed", f"{outcome}: {detail}" if detail else outcome
        elif strength is not None and strength < least_strength:
            reason, value = "weak_tests", f"{strength:.2f}"
        reasons.append(reason)
        values.append(value)
    return pa.record_batch({"reason": pa.array(reasons, pa.string()), "value": pa.array(values, pa.string())})


@step(
    version=1,
    reads=("program", "tests", "language", "outcome"),
    adds={"strength": pa.float64()},
    uses="connections",
)
def strength(rows: pa.RecordBatch, *, runner: str = SANDBOX) -> pa.RecordBatch:
    """Measures how many wrong programs the tests of a row notice: constant stubs and small changes of its own program.

    Unit: a share between 0 and 1. Null: the program did not pass, or the sandbox cannot change programs of its language.
    """
    return pa.record_batch({"strength": pa.nulls(rows.num_rows, pa.float64())})
