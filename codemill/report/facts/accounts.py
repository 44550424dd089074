"""The accounting: found = kept + dropped, per step and overall, and the same in every file that says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from codemill.report.facts.ledger import Facts
from codemill.report.words import count, printable, size


@dataclass(frozen=True)
class Check:
    """One sum: `what` is being compared, `sum` spells it out in numbers, `ok` says whether it holds."""

    what: str
    sum: str
    ok: bool


def manifest_checks(manifest: dict[str, Any]) -> list[Check]:
    """What the manifest alone can show: each step and the whole run, in files and in bytes."""
    ingested, kept, dropped = manifest["ingested"], manifest["kept"], manifest["dropped"]
    checks = [_split("the whole run", ingested, kept, dropped)]
    for step in manifest["steps"]:
        before = {"rows": step["rows_in"], "bytes": step["bytes_in"]}
        after = {"rows": step["rows_out"], "bytes": step["bytes_out"]}
        checks.append(_split(printable(step["name"]), before, after, _total(step["dropped"].values())))
    if manifest["steps"]:
        first = manifest["steps"][0]["rows_in"]
        checks.append(_same("files found, files that entered the first step", ingested["rows"], first))
        drops = _total(drop for step in manifest["steps"] for drop in step["dropped"].values())
        checks.append(_same("files dropped by the run, by its steps together", dropped["rows"], drops["rows"]))
    return checks


def checks(facts: Facts) -> list[Check]:
    """Every check: the manifest against itself, the ledger against the manifest, the corpus against both."""
    manifest, ledger = facts.manifest, facts.ledger
    results = [
        *manifest_checks(manifest),
        _same("rows of the ledger, files found", ledger["found"], manifest["ingested"]["rows"]),
        _same("bytes in the ledger, bytes found", ledger["found_bytes"], manifest["ingested"]["bytes"]),
        _same("rows kept in the ledger, in the manifest", ledger["kept"], manifest["kept"]["rows"]),
        _same("rows of the corpus, rows kept", facts.corpus_rows, manifest["kept"]["rows"]),
    ]
    stated: Counter[tuple[str, str]] = Counter()
    for step in manifest["steps"]:  # summed: two steps may have one name
        stated.update(
            {(step["name"], reason): drop["rows"] for reason, drop in step["dropped"].items() if drop["rows"]}
        )
    counted = {(drop["step"], drop["reason"]): drop["rows"] for drop in facts.drops}
    for name, reason in sorted({*stated, *counted}, key=str):
        what = f"{printable(str(name))}, {printable(str(reason))}: dropped in the ledger, in the manifest"
        results.append(_same(what, counted.get((name, reason), 0), stated[name, reason]))
    return results


def _total(drops: Any) -> dict[str, int]:
    drops = list(drops)
    return {key: sum(drop[key] for drop in drops) for key in ("rows", "bytes")}


def _split(what: str, before: dict[str, int], after: dict[str, int], dropped: dict[str, int]) -> Check:
    ok = all(before[key] == after[key] + dropped[key] for key in ("rows", "bytes"))
    sign = "=" if ok else "≠"
    files = f"{count(before['rows'])} {sign} {count(after['rows'])} + {count(dropped['rows'])} files"
    if before["rows"] == after["rows"] + dropped["rows"] and not ok:
        files = f"{before['bytes']:,} ≠ {after['bytes']:,} + {dropped['bytes']:,} bytes"
    return Check(what, f"{files} ({size(before['bytes'])})", ok)


def _same(what: str, left: int, right: int) -> Check:
    return Check(what, f"{count(left)} {'=' if left == right else '≠'} {count(right)}", left == right)
