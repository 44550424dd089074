"""What every set of synthesised rows goes through: signed, proved, kept by a policy.

    sign       who wrote a row, with which prompt; what makes it a document      a layer
    strength   do its tests notice wrong programs                                a layer
    keep       only rows whose programs passed, with tests that are strong       a layer
(and dedup.exact, dedup.fuzzy, decontamination, as for files)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codemill import installed
from codemill.document import SHA256, TIME
from codemill.errors import RecipeError
from codemill.machine.table import Table, step
from codemill.sandbox.outcome import NOT_THE_PROGRAM
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


def _check(*, outcomes: Sequence[str], least_strength: float, stubs: bool, unrun: bool) -> None:
    if not 0 <= least_strength <= 1:
        raise RecipeError(f"least_strength is a share between 0 and 1, got {least_strength!r}")
    if not outcomes:
        raise RecipeError("no outcome is good enough to be kept", remedy='such as outcomes=("pass",)')


SANDBOX_FAILED = "the sandbox failed on it, which says nothing of its program: run again with another `again`"


@step(
    version=2,
    reads=("outcome", "detail", "strength", "strong"),
    adds={"reason": pa.string(), "value": pa.string()},
    check=_check,
    drops={
        "not_run": "its program was not run",
        "not_tested": "its tests cannot run, or its language is not on this machine",
        "sandbox_failed": SANDBOX_FAILED,
        "not_passed": "its program did not pass its tests",
        "weak_tests": "its tests pass wrong programs too",
    },
)
def keep(
    rows: pa.RecordBatch,
    *,
    outcomes: Sequence[str] = ("pass",),
    least_strength: float = 0.0,
    stubs: bool = True,
    unrun: bool = False,
) -> pa.RecordBatch:
    """Keeps rows whose program came to one of the `outcomes`, with tests of at least this strength.

    `stubs` asks that all constant functions fail the tests. `unrun` keeps rows without a program too. A strength that
    is null is unknown, and drops nothing.
    Why a step of its own: keeping only what passes removes hard tasks as well (OpenCodeReasoning, arXiv 2504.01943), so
    the verdict is a column and the policy is the recipe's.
    """
    reasons: list[str | None] = []
    values: list[str | None] = []
    names = ("outcome", "detail", "strength", "strong")
    for outcome, detail, strength, strong in zip(*(rows[name].to_pylist() for name in names), strict=True):
        reason, value = None, None
        if outcome is None:
            reason = None if unrun else "not_run"
        elif outcome == "sandbox_error":
            reason, value = "sandbox_failed", detail
        elif outcome in NOT_THE_PROGRAM:
            reason, value = "not_tested", f"{outcome}: {detail}" if detail else outcome
        elif outcome not in outcomes:
            reason, value = "not_passed", f"{outcome}: {detail}" if detail else outcome
        elif stubs and strong is False:
            reason, value = "weak_tests", "constant functions pass"
        elif strength is not None and strength < least_strength:
            reason, value = "weak_tests", f"{strength:.2f}"
        reasons.append(reason)
        values.append(value)
    return pa.record_batch({"reason": pa.array(reasons, pa.string()), "value": pa.array(values, pa.string())})


@step(
    version=3,
    reads=("program", "tests", "language", "outcome"),
    adds={"strength": pa.float64(), "strong": pa.bool_(), "reason": pa.string(), "value": pa.string()},
    uses="connections",
    drops={"sandbox_failed": "the sandbox failed while its tests were tried, so nobody knows what they are worth"},
)
def strength(rows: pa.RecordBatch, *, most: int = 12, runner: str = SANDBOX) -> pa.RecordBatch:
    """Measures whether the tests of a row notice wrong programs: constant stubs, and changes of its own in one place.

    Shape: adds strength, the share of up to `most` changed programs that fail, and strong, whether all stubs do and the
    tests reach the function. Null: the program did not pass, is in a language for which there are no changes
    (`strength.known`), has nothing to change, or the runner is no sandbox of ours.
    A row on which the sandbox itself fails is dropped: kept, it would look as if its tests had been tried.
    See `codemill.sandbox.strength`.
    """
    kinds = {"strength": pa.float64(), "strong": pa.bool_(), "reason": pa.string(), "value": pa.string()}
    found = [_strength(row, most, runner) for row in rows.to_pylist()]
    return pa.record_batch({name: pa.array([one.get(name) for one in found], kind) for name, kind in kinds.items()})


def _strength(row: dict[str, Any], most: int, runner: str) -> dict[str, Any]:
    from codemill.sandbox import Task
    from codemill.sandbox.strength import known
    from codemill.sandbox.strength import strength as measured

    language, name = row["language"], None
    if row["outcome"] != "pass" or runner not in POOLS or not known(language):
        return {}
    if language == "python" and (name := entry_point(row["program"], row["tests"])) is None:
        return {}
    found = measured(Task(row["program"], row["tests"], language, name), most=most, pool=POOLS[runner]())
    if found.trouble:
        return {"reason": "sandbox_failed", "value": found.trouble}
    return {"strength": found.score, "strong": found.strong}


def entry_point(program: str | None, tests: str | None) -> str | None:
    """The last function of a Python program that its tests name; null: they name none.

    >>> entry_point("def a(): pass\\ndef b(): pass\\n", "assert a() is None")
    'a'
    """
    named = set(re.findall(r"\w+", tests or ""))
    return next((name for name in reversed(_DEFINED.findall(program or "")) if name in named), None)


_DEFINED = re.compile(r"^def[ \t]+(\w+)", re.MULTILINE)
POOLS: Mapping[str, Callable[[], Any]] = {SANDBOX: lambda: None, installed.__name__: installed.pool}
"""The runners whose programs can be changed and run again, each with its pool; None: the shared one."""
