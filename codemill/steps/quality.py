"""Measures documents, judges them by rules, and keeps the good ones.

    measure   adds signals                         expensive: reads every text once
    judge     lists the rules that fire            cheap: reads the signals its rules use
    keep      drops documents on which one fired   cheap

A changed threshold does not measure again. From: OpenCoder 2.1.1 and its released filters, which measure, judge and
drop in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from codemill import languages, signals
from codemill.chance import draws
from codemill.document import RULE_FIRED, VERDICT
from codemill.errors import RecipeError, did_you_mean
from codemill.machine.table import Table, step
from codemill.rules import Rule, RuleBook, RuleSet, Values, check_book, values_of
from codemill.signals.custom import Custom
from codemill.signals.measuring import measure_batch

Rows = npt.NDArray[np.int64]


def _named(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    """Signals as a manifest records them: built-in ones with their versions, custom ones with their code."""
    given = params["signals"]
    names = [s.name for s in signals.all()] if given is None else list(dict.fromkeys(given))
    resolved = [spec if isinstance(spec, Custom) else signals.resolve(spec) for spec in params["custom"]]
    for i, custom in enumerate(resolved):
        if custom.name in [s.name for s in signals.all()] or custom.name in [c.name for c in resolved[:i]]:
            raise RecipeError(
                f"there is a signal {custom.name!r} already", where=custom.file, remedy="rename the function"
            )
    versions = {name: signals.get(name).version for name in names}
    return {"signals": versions, "custom": resolved}


def _measured(params: Mapping[str, Any]) -> dict[str, pa.DataType]:
    names = [*params["signals"], *(custom.name for custom in params["custom"])]
    return {**dict.fromkeys(names, pa.float64()), "signal_errors": pa.uint32(), "natural_language": pa.string()}


@step(
    version=2,  # 2: lines of carriage returns alone are lines
    reads=("content", "language", "doc_type", "path", "size"),
    adds=_measured,
    resolve=_named,
    knows=languages.fingerprint,
)
def measure(
    documents: pa.RecordBatch,
    *,
    signals: Mapping[str, int] | Sequence[str] | None = None,
    custom: Sequence[str] | Sequence[Custom] = (),
) -> pa.RecordBatch:
    """Measures signals of each document; drops nothing.

    `signals` names built-in signals, all by default; `custom` names custom ones as `path/to/file.py:name`. The manifest
    records both with their versions, and custom ones with their code: a signal that changed is measured again.
    Shape: a float64 column per signal; `signal_errors`, how many failed on this document; `natural_language`, from its
    script: zh or ja for text in Chinese or Japanese, else en. Null: the signal does not apply, or cannot be computed.
    Raises: RecipeError for an unknown signal, or if the versions here differ from the recipe's.
    """
    params = _named((), {"signals": signals, "custom": custom})
    if isinstance(signals, Mapping) and signals != params["signals"]:
        raise RecipeError(f"the signals here are {params['signals']}, the recipe's are {dict(signals)}")
    return measure_batch(documents, list(params["signals"]), params["custom"])


def _known_signals(inputs: tuple[Table, ...], params: dict[str, Any]) -> dict[str, Any]:
    """Refuses a rule on a signal that no step before it measures."""
    check_book(params["rules"])
    measured = {c for t in inputs for la in t.layers() for c, k in la.call.adds.items() if _number(k)}
    for rules in params["rules"].sets:
        for rule in rules.rules:
            if rule.signal not in measured:
                raise RecipeError(
                    f"a rule is on the signal {rule.signal!r}, which no step before quality.judge measures",
                    where=f"rule set {rules.name!r}",
                    remedy=did_you_mean(rule.signal, sorted(measured)),
                )
    return params


def _number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


@step(
    version=2,
    reads=lambda params: ("content_sha256", "language", "doc_type", "natural_language", *params["rules"].signals()),
    adds={"rules_fired": VERDICT["rules"]},
    resolve=_known_signals,
)
def judge(documents: pa.RecordBatch, *, rules: RuleBook, seed: int = 0) -> pa.RecordBatch:
    """Lists the rules that fire on each document; drops nothing.

    Shape: reads the signals that active rules use; adds `rules_fired`, a list of struct(rule, signal, value, limit) in
    the order of the rule set. A rule with a `drop_probability` fires where a draw by (seed, signal, the hash of the
    content as ingested) is below it: copies, forks and later crawls meet the same fate.
    Null: no rule fired. A rule does not fire on a null signal.
    Raises: RecipeError for a rule on a signal that no earlier step measures, two rules on one signal in a set, and the
    like.
    """
    where: list[Rows] = []
    verdicts: list[dict[str, Any]] = []
    for _, rule, rows, values in fired(documents, rules, seed):
        where.append(rows)
        for value in values.tolist():
            entry = {"rule": rule.reason(value), "signal": rule.signal, "value": value, "limit": rule.limit(value)}
            verdicts.append(entry)
    return pa.record_batch({"rules_fired": _lists(where, verdicts, documents.num_rows)})


def fired(documents: pa.RecordBatch, rules: RuleBook, seed: int) -> Iterator[tuple[RuleSet, Rule, Rows, Values]]:
    """Yields each active rule in order: its set, the rule, the rows on which it fires, and the values of those rows."""
    assigned = rules.assign(documents)
    values = {name: values_of(documents, name) for name in rules.signals()}
    for number in np.unique(assigned[assigned >= 0]):
        judged = np.flatnonzero(assigned == number)
        for rule in rules.sets[number].rules:
            if not rule.judges:
                continue
            rows = judged[rule.fires(values[rule.signal][judged])]
            if rule.drop_probability < 1:
                purpose = f"quality.judge {rule.signal}"
                drawn = draws(documents["content_sha256"].take(pa.array(rows)), seed=seed, purpose=purpose)
                rows = rows[drawn < rule.drop_probability]
            yield rules.sets[number], rule, rows, values[rule.signal][rows]


def _lists(where: Sequence[Rows], verdicts: Sequence[dict[str, Any]], rows: int) -> pa.Array:
    """One list per row of its verdicts, in their order; null for a row without verdicts."""
    all_rows = np.concatenate(where) if where else np.array([], dtype=np.int64)
    order = np.argsort(all_rows, kind="stable")
    counts = np.bincount(all_rows, minlength=rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    entries = pa.array(verdicts, RULE_FIRED).take(pa.array(order))
    return pa.ListArray.from_arrays(pa.array(offsets), entries, mask=pa.array(counts == 0))


@step(
    version=1,
    reads=("rules_fired",),
    adds={name: VERDICT[name] for name in ("reason", "value", "rules")},
    drops={
        "num_lines_too_low": "too few lines to learn from",
        "num_chars_too_high": "longer than its kind of file may be",
        "is_autogenerated": "written by a program, as its first lines say",
        "has_xml_declaration": "an XML file",
    },
)
def keep(documents: pa.RecordBatch) -> pa.RecordBatch:
    """Drops the documents on which a rule fired.

    `reason` is the first rule that fired (`num_lines_too_low`, `is_autogenerated`, `not_python_parses`), `value` is the
    measured value and the limit it broke (`3 < 10`), and `rules` lists all rules that fired.
    """
    fired = documents["rules_fired"]
    first = pc.list_element(_never_empty(fired), 0)
    measured = [None if v is None else f"{v:.12g}" for v in first.field("value").to_pylist()]
    value = pc.binary_join_element_wise(pa.array(measured, pa.string()), first.field("limit"), " ")
    gone = fired.is_valid()
    null = pa.scalar(None, pa.string())
    return pa.record_batch(
        {
            "reason": pc.if_else(gone, first.field("rule"), null),
            "value": pc.if_else(gone, value, null),
            "rules": fired,
        }
    )


def _never_empty(fired: pa.Array) -> pa.Array:
    """Replaces each null list by a list with one empty entry, because `list_element` refuses an empty list."""
    none = pa.scalar([dict.fromkeys(("rule", "signal", "value", "limit"))], fired.type)
    return pc.if_else(fired.is_valid(), fired, none)
