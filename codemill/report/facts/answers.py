"""The answers to `codemill show` and `codemill explain`, as plain dictionaries: also what `--json` prints."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from codemill.report.facts import chunks as cut
from codemill.report.facts import earlier
from codemill.report.facts.accounts import manifest_checks
from codemill.report.facts.diffs import diff
from codemill.report.facts.judged import judged
from codemill.report.facts.ledger import (
    COPIES_OF,
    Row,
    chunk_totals,
    collect,
    language_rows,
)
from codemill.report.words import alike, drop_words, percent, plural, printable, seeds
from codemill.run import Run, Text

MATCHES = 20  # ledger rows an answer holds when several files have the same path
COPIES = 10  # copies of a kept file that are named
DIFFS = 3  # near-copies of an answer that are compared, line by line, with the copy that was kept
SUGGESTIONS = 8
_ID = re.compile(r"[0-9a-f]{8,32}")


def show_data(out: str | Path, target: int | None = None) -> dict[str, Any]:
    """What a run found, kept and dropped: totals, steps, languages, chunks (see `chunk_totals`), whether it adds up;
    and how many seeds `target` rows take, if its rows were made of others. Rows that are no files have no languages.

    Raises: InputError if there is no finished run in `out`.
    """
    run = Run.open(out)
    manifest = run.manifest
    ledger = run.ledger() if run.of_files else None
    wrong = [check for check in manifest_checks(manifest) if not check.ok]
    with run.readable():
        chunks, spoken = (None, ()) if ledger is None else (chunk_totals(ledger), language_rows(ledger))
    return {
        "out": str(out),
        "codemill": manifest["codemill"],
        "recipe": manifest["recipe"],
        "seconds": manifest["seconds"],
        "found": manifest["ingested"],
        "kept": manifest["kept"],
        "dropped": manifest["dropped"],
        "steps": manifest["steps"],
        "languages": list(spoken),
        "seeds": seeds(manifest["steps"], manifest["kept"]["rows"], target),
        "chunks": chunks,
        "adds_up": not wrong,
        "wrong": [{"what": check.what, "sum": check.sum} for check in wrong],
    }


def explain_data(out: str | Path, query: str) -> dict[str, Any]:
    """Why a file is in or out.

    `query` is an id (or its first 8 digits or more), a path, or `repo/path`; where no file has it, the end of paths,
    whole names only (`app.py` for `src/app.py`). When nothing matches, `suggestions` holds paths that end in a part of
    it, or else that contain its last name.

    `matches` hold up to 20 files, each with: `ledger` its row; `verdict` one sentence; `step` the manifest's entry of
    the step that dropped it (its parameters are the thresholds); `kept` the ledger row of the copy kept in its place;
    `kept_in` the folder of the earlier run whose copy that is, null if it is one of this run; `copies` up to ten files
    dropped in favour of it, `copies_total` how many there are, and `copies_by_reason`; for a copy or near-copy,
    `others`, `others_total` and `others_by_reason` the same of the further files dropped in favour of the copy that was
    kept, and `comparison` (see `_compared`); `quality` its signals beside the thresholds, if it came so far (see
    `judged.judged`); `chunks`, those that were cut out of it (see `chunks.removed`), `cleaned`, what cleaning changed
    in the text, from as it was ingested to as it was last seen (see `diffs.diff`; `kept` is before, `dropped` after):
    of the first files, null if nothing, or if a text cannot be read any more.

    Raises: InputError if there is no finished run in `out`.
    """
    run = Run.open(out)
    ledger = run.ledger(place=True)
    with run.readable():
        matches = ledger.filter(_matches(query))
        total = collect(matches.select(pl.len())).item()
        if not total and query.strip("/"):
            matches = ledger.filter(_ends(query))
            total = collect(matches.select(pl.len())).item()
        rows = _first(matches, MATCHES)
        return {
            "out": str(out),
            "query": query,
            "found": bool(rows),
            "total": total,
            "matches": explained(run, ledger, rows),
            "suggestions": [] if rows else _suggestions(ledger, query),
        }


def _matches(query: str) -> pl.Expr:
    by_id = pl.col("id").str.starts_with(query) if _ID.fullmatch(query) else pl.col("id") == query
    path = query.removeprefix("./")
    return by_id | (pl.col("path") == path) | (pl.concat_str("repo", pl.lit("/"), "path") == path)


def _ends(query: str) -> pl.Expr:
    """Files whose path, or repository and path, ends with these names."""
    full = pl.concat_str(pl.lit("/"), "repo", pl.lit("/"), "path")
    return full.str.ends_with("/" + query.removeprefix("./").lstrip("/"))


def explained(run: Run, ledger: pl.LazyFrame, rows: list[Row]) -> list[dict[str, Any]]:
    """The `matches` of `explain_data` for some rows of the ledger, each with its `place`.

    `ledger` may be a part of it that has every row these lead to: what was kept instead, and what was dropped for both.
    Raises: InputError if the ledger cannot be read.
    """
    wanted = {row["kept_id"] for row in rows if row["kept_id"] is not None}
    # Should one id stand in two rows, the one that was kept comes last ("dropped" < "kept") and counts.
    others = ledger.filter(pl.col("id").is_in(sorted(wanted))).sort("verdict", "place")
    kept = {row["id"]: row for row in collect(others).to_dicts()}
    copies = ledger.filter(pl.col("kept_id").is_in(sorted(wanted | {row["id"] for row in rows})))
    counts: dict[str, dict[str, int]] = {}
    for id, reason, n in collect(copies.group_by("kept_id", "reason").len().sort("kept_id", "reason")).iter_rows():
        counts.setdefault(id, {})[str(reason)] = n
    elsewhere = earlier.find(run, [row["kept_id"] for row in rows if _is_earlier(row, kept)])
    answers: list[dict[str, Any]] = []
    compared = 0
    for row in rows:
        before = elsewhere.get(row["kept_id"]) if _is_earlier(row, kept) else None
        number = run.dropped_by(row["place"], row["step"])
        instead = before.row if before else kept.get(row["kept_id"])
        step = None if number is None else run.steps[number]
        answer = {
            "ledger": _shown(row),
            "verdict": _verdict(row, instead, step, before),
            "step": step,
            "kept": instead and _shown(instead),
            "kept_in": (before and before.out) or None,
            **_copies("copies", copies, counts, row["id"], None),
            **_copies("others", copies, counts, row["kept_id"], row),
            "comparison": None,
            "quality": judged(run, row["place"]),
            "chunks": cut.removed(run, row, ledger) if len(answers) < DIFFS else None,
            "cleaned": _cleaned(run, row, number) if len(answers) < DIFFS else None,
        }
        if instead is not None and row["reason"] in COPIES_OF:
            with_text = row["reason"] == "near_duplicate" and compared < DIFFS
            compared += with_text
            where = before.out if before else None
            answer["comparison"] = _compared(run, row, instead, number, where, with_text=with_text)
        answers.append(answer)
    return answers


def _is_earlier(row: Row, kept: dict[str, Row]) -> bool:
    """Whether the kept copy is from an earlier run. A document that comes again was dropped for its own id."""
    there = kept.get(row["kept_id"])
    return row["kept_id"] is not None and (there is None or there["kept_id"] == there["id"])


def _shown(row: Row) -> Row:
    """A row as JSON can have it: times in ISO 8601, bytes in hex."""
    return {name: _jsonable(value) for name, value in row.items() if name != "place"}


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


def _copies(
    name: str, copies: pl.LazyFrame, counts: dict[str, dict[str, int]], id: str | None, but: Row | None
) -> dict[str, Any]:
    """The files dropped in favour of `id`, except `but`."""
    by_reason = dict(counts.get(id or "", {}))
    if but is not None and but["reason"] in by_reason:
        by_reason[but["reason"]] -= 1
    by_reason = {reason: n for reason, n in by_reason.items() if n}
    total = sum(by_reason.values())
    group = copies.filter(pl.col("kept_id") == pl.lit(id, pl.String))
    if but is not None:
        group = group.filter(pl.col("place") != but["place"])
    listed = [_shown(row) for row in _first(group, COPIES)] if total else []
    return {f"{name}_total": total, name: listed, f"{name}_by_reason": by_reason}


def _compared(
    run: Run,
    row: Row,
    kept: Row,
    number: int | None,
    where: str | None,
    *,
    with_text: bool,
) -> dict[str, Any]:
    """Compares a dropped copy with the kept one, of this run or (`where`) of an earlier one.

    Returns: `alike` their similarity in words; `preferred` why the other was kept, if that is known; `kept` and
    `dropped`, the `stars` and `commit_time` of each; `diff` (see `diffs.diff`), for near-copies; `why`, if there
    is no diff where one would be expected.
    """
    step = None if number is None else run.steps[number]
    dropped = run.text(row["place"], number or 0)
    if where:
        chosen = Run.open(where).published_text(kept["place"], kept["id"]) or Text(why="the earlier corpus is gone")
    else:
        chosen = run.text(kept["place"], number or 0)
        if chosen.text is None and kept["verdict"] == "kept":
            chosen = run.published_text(kept["place"], kept["id"]) or chosen
    answer: dict[str, Any] = {
        "alike": alike(row["similarity"], row["reason"], step["parameters"] if step else {}),
        "preferred": "it was there before" if where else _preferred(dropped, chosen),
        "kept": {"stars": chosen.stars, "commit_time": chosen.commit_time},
        "dropped": {"stars": dropped.stars, "commit_time": dropped.commit_time},
        "diff": None,
        "why": None,
    }
    if row["reason"] != "near_duplicate":
        return answer
    if dropped.text is None:
        answer["why"] = f"No diff: the text of the dropped file cannot be read any more: {dropped.why}."
    elif chosen.text is None:
        answer["why"] = f"No diff: the text of the kept copy cannot be read any more: {chosen.why}."
    elif not with_text:
        answer["why"] = f"Only the first {DIFFS} near-copies are compared: give the repo too, or the id."
    else:
        answer["diff"] = diff(chosen.text, dropped.text)
    return answer


def _cleaned(run: Run, row: Row, number: int | None) -> dict[str, Any] | None:
    """The diff of what steps named `clean.…` changed in a file. `number` is the step that dropped it."""
    cleaning = [i for i, step in enumerate(run.steps) if str(step["name"]).startswith("clean.")]
    if not cleaning or (number is not None and number <= cleaning[0]):
        return None
    before = run.text(row["place"], cleaning[0])
    published = run.published_text(row["place"], row["id"]) if number is None else None
    after = published or (Text() if number is None else run.text(row["place"], number))
    if before.text is None or after.text is None or before.text == after.text:
        return None
    return diff(before.text, after.text)


def _preferred(dropped: Text, kept: Text) -> str | None:
    """The criterion of dedup that decided: stars, then the latest commit. None if neither did."""
    if dropped.stars != kept.stars:
        stars = [plural(text.stars, "star") if text.stars is not None else "unknown" for text in (kept, dropped)]
        better = kept.stars is not None and (dropped.stars is None or kept.stars > dropped.stars)
        return f"more stars: {stars[0]} against {stars[1]}" if better else None
    times = (kept.commit_time or "", dropped.commit_time or "")  # in ISO 8601 and UTC the later one is greater
    return f"a later commit: {times[0]} against {times[1] or 'unknown'}" if times[0] > times[1] else None


def _first(rows: pl.LazyFrame, n: int) -> list[Row]:
    return collect(rows.sort("repo", "path", "id", "place").head(n)).to_dicts()


def _verdict(row: Row, kept: Row | None, step: Row | None, before: earlier.Earlier | None) -> str:
    if row["verdict"] == "kept":
        chunks = row["chunks"] or {"removed": 0}
        lost = f", and lost {chunks['removed']} of its {chunks['total']} chunks" if chunks["removed"] else ""
        return f"Kept: it passed every step{lost}."
    reason = str(row["reason"])
    words = printable(reason).replace("_", " ")
    said = drop_words({"steps": [step]}).get((str(row["step"]), reason)) if step else None
    because = f"{words} ({said})" if said else words
    sentence = f"Dropped by {printable(str(row['step']))}: {because}"
    if row["value"] is not None:
        sentence += f"; measured: {printable(row['value'])}"
    if row["kept_id"] is None:
        return sentence + "."
    exact = row["similarity"] is None or (row["similarity"] == 1 and row["reason"] != "near_duplicate")
    alike = "" if exact else f", {percent(row['similarity'])} alike"
    if before is not None and before.out:
        name = f"{printable(kept['repo'])}/{printable(kept['path'])}" if kept else printable(row["kept_id"])
        more = f" ({before.why})" if before.why else ""
        return f"{sentence}. Kept instead: {name}{alike}, in the earlier corpus {printable(before.out)}{more}."
    if kept is None:
        sentence += f". The copy kept instead, {printable(row['kept_id'])}{alike}, is not in the ledger"
        if step and len(step["inputs"]) > 1 and before and before.why:
            sentence += f", nor found in the earlier corpora ({printable(before.why)})"
        return sentence + "."
    sentence += f". Kept instead: {printable(kept['repo'])}/{printable(kept['path'])}{alike}"
    if kept["verdict"] != "kept":
        sentence += f", which {kept['step']} dropped later: {printable(str(kept['reason'])).replace('_', ' ')}"
    return sentence + "."


def _suggestions(ledger: pl.LazyFrame, query: str) -> list[str]:
    """Paths with the longest common ending; then the same name in other letters, or containing the query."""
    full = pl.concat_str("repo", pl.lit("/"), "path").alias("full")
    pieces = [piece for piece in query.strip("/").split("/") if piece]
    for i in range(len(pieces)):
        ending = "/" + "/".join(pieces[i:])
        near = ledger.select(full).filter((pl.lit("/") + pl.col("full")).str.ends_with(ending))
        if names := collect(near.sort("full").head(SUGGESTIONS))["full"].to_list():
            return names
    if not pieces:
        return []
    # Both sides go through Polars' idea of lower case, which is not Python's in every script.
    word = pl.lit(pieces[-1]).str.to_lowercase()
    near = ledger.select(full).filter(pl.col("full").str.to_lowercase().str.contains(word, literal=True))
    return collect(near.sort("full").head(SUGGESTIONS))["full"].to_list()
