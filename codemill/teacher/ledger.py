"""What `codemill calls` does with a store: lists, exports, imports, prunes."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table as Grid
from rich.text import Text

from codemill.errors import InputError, RecipeError
from codemill.teacher.calls import ANSWER, KINDS, OUTCOME, Calls, key_of
from codemill.teacher.hub import usage_of

WANTED = "wanted.jsonl"
"""In the folder of a store: the requests that wait for a batch."""


def summary(folder: Path) -> list[dict[str, Any]]:
    """Answers by model and outcomes by verdict: how many, their tokens, the first and last day."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    with Calls(folder) as calls:
        for _, kind, record in calls.records():
            about = _model(record) if kind == ANSWER else str(record["outcome"].get("verdict"))
            entry = found.setdefault(
                (KINDS[kind], about),
                {
                    "kind": KINDS[kind],
                    "about": about,
                    "calls": 0,
                    "prompt": 0,
                    "completion": 0,
                    "first": "",
                    "last": "",
                },
            )
            usage = usage_of(record.get("response", {}))
            entry["calls"] += 1
            entry["prompt"] += usage.prompt
            entry["completion"] += usage.completion
            day = _day(record)
            entry["first"], entry["last"] = min(entry["first"] or day, day), max(entry["last"], day)
    return [found[key] for key in sorted(found)]


def grid(rows: list[dict[str, Any]]) -> Grid:
    """The same for people."""
    made = Grid("kind", "of", box=None, pad_edge=False)
    for title in ("calls", "tokens in", "tokens out"):
        made.add_column(title, justify="right")
    made.add_column("from")
    made.add_column("to")
    for row in rows:
        counts = (f"{row[name]:,}" for name in ("calls", "prompt", "completion"))
        made.add_row(row["kind"], Text(row["about"]), *counts, row["first"], row["last"])
    return made


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    """A line for each call."""
    with Calls(folder) as calls:
        for key, kind, record in calls.records():
            if kind == ANSWER:
                about = _asked(record["body"])
                yield {
                    "key": key.hex()[:16],
                    "kind": KINDS[kind],
                    "day": _day(record),
                    "of": _model(record),
                    "about": about,
                }
            else:
                about = " ".join(record["execute"]["program"].split())[:60]
                verdict = str(record["outcome"].get("verdict"))
                yield {"key": key.hex()[:16], "kind": KINDS[kind], "day": _day(record), "of": verdict, "about": about}


def record(folder: Path, key: str) -> dict[str, Any]:
    """The record whose key begins so. Raises: RecipeError if there is none, or several."""
    with Calls(folder) as calls:
        whole = calls.get(bytes.fromhex(key)) if len(key) == 64 and not set(key) - set("0123456789abcdef") else None
        if whole is not None:
            return {"key": key, **whole}
        found = [k for k, _, _ in calls.records() if k.hex().startswith(key)]
        if len(found) != 1 or (only := calls.get(found[0])) is None:
            raise RecipeError(f"{len(found)} calls have a key that begins with {key!r}", where=folder)
        return {"key": found[0].hex(), **only}


def export(folder: Path, out: Path, *, answered: bool) -> int:
    """Writes an OpenAI batch file: requests that wait and are not answered yet, or every answer. Returns: lines."""
    count = 0
    with Calls(folder) as calls, open(out, "w", encoding="ascii") as file:
        if answered:
            for key, _, record in calls.records(ANSWER):
                response = {"status_code": 200, "request_id": key.hex(), "body": record["response"]}
                asked = {"url": f"/v1{record['path']}", "body": record["body"], "sample": record["sample"]}
                line = {"id": key.hex(), "custom_id": key.hex(), "response": response, "error": None, "request": asked}
                file.write(json.dumps(line) + "\n")
                count += 1
        else:
            for wanted in _wanted(folder):
                if bytes.fromhex(wanted["custom_id"]) not in calls:
                    kept = {name: wanted[name] for name in ("custom_id", "url", "body")}
                    file.write(json.dumps({**kept, "method": "POST"}) + "\n")
                    count += 1
    return count


def _wanted(folder: Path) -> Iterator[dict[str, Any]]:
    """The requests that wait, each once, one at a time."""
    for start in _places(folder).values():
        yield _request(folder, start)


def _places(folder: Path) -> dict[bytes, int]:
    """Where in the file of requests that wait each of them begins, by its key: bodies stay on the disk.

    A line that was torn is left out: it is written down again.
    """
    found: dict[bytes, int] = {}
    path = folder / WANTED
    if not path.exists():
        return found
    with open(path, "rb") as lines:
        start = 0
        for line in lines:
            with contextlib.suppress(*NO_LINE):
                found.setdefault(bytes.fromhex(_checked(json.loads(line))["custom_id"]), start)
            start += len(line)
    return found


def _request(folder: Path, start: int) -> dict[str, Any]:
    with open(folder / WANTED, "rb") as lines:
        lines.seek(start)
        return dict(json.loads(lines.readline()))


def read_batch(folder: Path, file: Path) -> dict[str, int]:
    """Puts the answers of a batch's output into the store. Returns: how many, by what became of them.

    An answer is put under the request that it is an answer to: the one that waits under its `custom_id`, or the one
    that stands in its line. Memory: an answer, and some bytes for each request that waits.

    Raises: InputError at the first line that is no answer; those before it are stored, and are not asked again.
    """
    wanted = _places(folder)
    done = {"read": 0, "there already": 0, "failed": 0, "unknown": 0}
    with Calls(folder, write=True) as calls, open(file, "rb") as lines:
        for number, text in enumerate(lines, 1):
            if not text.strip():
                continue
            try:
                line = json.loads(text)
                asked = line.get("request") or _waiting(folder, wanted, str(line["custom_id"]))
                body = _body(line)
                exact = None if asked is None else _exact(asked)
            except NO_LINE as error:
                calls.sync()
                raise InputError(
                    "the line is no answer of a batch",
                    where=f"{file}:{number}",
                    remedy="give the output of the batch, a line of JSON with custom_id and response for each request",
                ) from error
            if exact is None:
                done["unknown"] += 1
            elif body is None:
                done["failed"] += 1
            elif (key := key_of(exact)) in calls:
                done["there already"] += 1
            else:
                calls.put(key, {**exact, "response": body, "at": round(time.time(), 3), "seconds": 0.0, "by": "batch"})
                done["read"] += 1
        calls.sync()
    return done


NO_LINE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading a line raises that is not what it should be."""


def _waiting(folder: Path, wanted: Mapping[bytes, int], name: str) -> dict[str, Any] | None:
    """The request that waits under a name; None if there is none: a batch may hold those of others."""
    try:
        start = wanted.get(bytes.fromhex(name))
    except ValueError:
        return None
    return None if start is None else _request(folder, start)


def _checked(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """A request as it was written down. Raises: TypeError, KeyError if it is none."""
    if not isinstance(asked["url"], str) or not isinstance(asked["body"], dict):
        raise TypeError("no request")
    return asked


def _exact(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the key of an answer is made of."""
    asked = _checked(asked)
    return {"path": asked["url"].removeprefix("/v1"), "body": asked["body"], "sample": int(asked.get("sample", 0))}


def _body(line: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The answer in a line of a batch; None if the server gave none."""
    response = line.get("response") or {}
    if line.get("error") or response.get("status_code", 200) != 200:
        return None
    body = response.get("body")
    return body if _is_answer(body) else None


def _is_answer(body: Any) -> bool:
    return isinstance(body, Mapping) and bool(_choices(body)) and len(_choices(body)) == len(body["choices"])


def _choices(body: Any) -> list[Mapping[str, Any]]:
    """Those of an answer's choices that are some."""
    choices = body.get("choices") if isinstance(body, Mapping) else None
    return [one for one in choices if isinstance(one, Mapping)] if isinstance(choices, list) else []


def prune(
    folder: Path, *, model: str | None, before: str | None, truncated: bool, outcomes: bool, dry_run: bool
) -> tuple[int, int]:
    """Deletes calls of which all that is said holds. Returns: how many, and their bytes (dry run: of their JSON)."""
    limit = _time(before) if before else None

    def gone(kind: int, record: Mapping[str, Any]) -> bool:
        if (kind == OUTCOME) != outcomes and (outcomes or model or truncated):
            return False
        if limit is not None and record.get("at", 0) >= limit:
            return False
        if model is not None and _model(record) != model:
            return False
        return not truncated or any(c.get("finish_reason") == "length" for c in _choices(record.get("response")))

    if not dry_run:
        with Calls(folder, write=True) as calls:
            return calls.prune(gone)
    with Calls(folder) as calls:
        sizes = [len(json.dumps(record)) for _, kind, record in calls.records() if gone(kind, record)]
    return len(sizes), sum(sizes)


def _time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise RecipeError(f"{text!r} is not a date", remedy="such as 2026-11-01") from error


def _day(record: Mapping[str, Any]) -> str:
    return datetime.fromtimestamp(record.get("at", 0), UTC).strftime("%Y-%m-%d")


def _model(record: Mapping[str, Any]) -> str:
    return str(record.get("body", {}).get("model", ""))


def _asked(body: Mapping[str, Any]) -> str:
    text = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
    return str(text)
