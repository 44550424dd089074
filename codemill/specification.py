"""The specification of tasks: which languages, difficulties and types of tasks are asked for. A TOML file that users
edit.

    [languages]                       name = weight
    [difficulties]                    easy, medium, hard = weight
    [types.NAME]                      asks = "what the prompt says of it", weight = 1, tests = true
    [scenarios.NAME]                  says = "where the question comes from", weight = 1

See docs/task-specification.md.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from codemill import languages
from codemill.errors import InputError, RecipeError, did_you_mean

DIFFICULTIES = ("easy", "medium", "hard")
TABLES: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "types": {"asks": str, "weight": (int, float), "tests": bool},
    "scenarios": {"says": str, "weight": (int, float)},
}
OURS = "the specification of codemill"


def read(path: str | None = None) -> dict[str, Any]:
    """A specification as plain data: languages, difficulties, types and scenarios, each with its weight. None: ours.

    Raises: InputError for a file that is none, naming the table and the key.

    >>> sorted(read())
    ['difficulties', 'languages', 'scenarios', 'types']
    """
    try:
        text = (
            files("codemill").joinpath("tasks.toml").read_text("utf-8")
            if path is None
            else Path(path).read_text("utf-8")
        )
        said = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InputError(f"the task specification cannot be read: {error}", where=path or OURS) from error
    return checked(said, path or OURS)


def checked(said: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A specification whose every key is known. Raises: InputError."""
    known = ("languages", "difficulties", *TABLES)
    for name in said:
        if name not in known:
            raise InputError(f"there is no table [{name}]", where=where, remedy=did_you_mean(name, known))
        if not isinstance(said[name], dict):
            raise InputError(
                f"{name} is a table, got {said[name]!r:.60}", where=where, remedy=f"[{name}], and a line NAME = WEIGHT"
            )
    for name in ("languages", "difficulties", "types"):
        if not said.get(name):
            raise InputError(
                f"the table [{name}] is missing or empty", where=where, remedy="see docs/task-specification.md"
            )
    for name in said["languages"]:
        try:
            languages.get(name)
        except ValueError as error:
            raise InputError(str(error), where=f"{where}, [languages]") from error
    for name in said["difficulties"]:
        if name not in DIFFICULTIES:
            raise InputError(f"there is no difficulty {name!r}", where=where, remedy=did_you_mean(name, DIFFICULTIES))
    made: dict[str, Any] = {name: {key: _weight(value, f"{where}, [{name}] {key}") for key, value in said[name].items()}
            for name in ("languages", "difficulties")}  # fmt: skip
    for table, keys in TABLES.items():
        made[table] = {
            name: _entry(entry, keys, f"{where}, [{table}.{name}]") for name, entry in said.get(table, {}).items()
        }
    if any(kind["tests"] for kind in made["types"].values()):
        _check_run(made["languages"], f"{where}, [languages]")
    return made


def _check_run(names: Mapping[str, Any], where: str) -> None:
    """Raises: InputError for a language that no sandbox runs: questions in it would be paid for, and never proved."""
    from codemill.sandbox import languages as runnable

    for name in names:
        try:
            runnable.get(name)
        except RecipeError as error:
            raise InputError(error.what, where=where, remedy="leave it out, or give all types tests = false") from error


def _entry(entry: Any, keys: Mapping[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise InputError("an entry is a table", where=where, remedy=f"with {', '.join(keys)}")
    for key, value in entry.items():
        if key not in keys:
            raise InputError(f"there is no key {key!r}", where=where, remedy=did_you_mean(key, keys))
        if not isinstance(value, keys[key]) or (isinstance(value, bool) and keys[key] is not bool):
            raise InputError(f"{key} may not be {value!r}", where=where)
    words = next(iter(keys))
    if not str(entry.get(words, "")).strip():
        raise InputError(f"the key {words!r} is missing", where=where)
    filled = {"tests": True, **entry} if "tests" in keys else dict(entry)
    return {**filled, "weight": _weight(entry.get("weight", 1), f"{where} weight")}


def _weight(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise InputError(f"a weight is a number above 0, got {value!r}", where=where, remedy="leave the entry out")
    return float(value)


def drawn(id: str, specification: Mapping[str, Any]) -> dict[str, str]:
    """A language, a difficulty, a type and a scenario by their weights: the same for an id on every run.

    >>> drawn("7f", {"languages": {"go": 1}, "difficulties": {"easy": 1}, "types": {"function": {"weight": 1}}})
    {'languages': 'go', 'difficulties': 'easy', 'types': 'function'}
    """
    found = {}
    for table, entries in specification.items():
        if not entries:
            continue
        weights = {name: entry["weight"] if isinstance(entry, Mapping) else entry for name, entry in entries.items()}
        bits = int.from_bytes(hashlib.sha256(f"{table}\0{id}".encode()).digest()[:8], "big")
        left = bits * 2.0**-64 * sum(weights.values())
        for name, weight in weights.items():
            found[table] = name
            left -= weight
            if left < 0:
                break
    return found
