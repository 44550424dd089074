"""That a release is whole, and says nothing that it must not: places of this machine, secrets."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from codemill.cleaning import redact
from codemill.machine.store import Place, Receipt, sealed
from codemill.release.chain import Link
from codemill.teacher.calls import Calls

TEXTS = (".json", ".jsonl", ".md", ".txt", ".sh", ".html", ".py", ".toml", ".csv", ".jinja")
UNREAD = ("tokenizer.json", "report.html")  # pieces of words; texts that were redacted before
MOST_BYTES = 64 << 20  # of a text file that is read for places and secrets


def missing(folder: Path, names: Sequence[str]) -> list[str]:
    """What is wrong with the files of the runs in a release: those that are absent, or not what their manifest says."""
    wrong = []
    for name in names:
        manifest = sealed(Place.of(folder / name).at("manifest.json").read_json())
        if manifest is None:
            wrong.append(f"{name}/manifest.json is missing or changed")
            continue
        for output, files in manifest["files"].items():
            for below, entry in files.items():
                receipt, file = Receipt(**entry), folder / name / output / below
                if not file.is_file():
                    wrong.append(f"{name}/{output}/{below} is missing")
                elif _sha256(file) != receipt.sha256:
                    wrong.append(f"{name}/{output}/{below} is not what the manifest says")
    return wrong


def every(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of each file of a release, in order."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), _sha256(file)


def told(folder: Path, links: Sequence[Link], data: Sequence[Path]) -> list[str]:
    """Where a text of the release names a place of this machine, or has a secret in it: a sentence each.

    `data` are the folders of published documents: their texts are others', and cleaned by the recipe that made them.
    """
    places = {str(link.out.parent) for link in links} | {os.path.expanduser("~")} | {os.getcwd()}
    for link in links:
        sources = (given["source"] for given in link.manifest["inputs"])
        paths = (str(source.get("path") or source.get("root") or "") for source in sources)
        places |= {os.path.dirname(os.path.abspath(path)) for path in paths if path}
    places = {place for place in places if place.strip("/")}
    wrong = []
    for file in _texts(folder, data):
        name, text = file.relative_to(folder).as_posix(), file.read_text("utf-8", "replace")
        wrong += [f"{name} names {place}" for place in _named(places, text)]
        if file.name not in UNREAD and _secrets(text, "key", "password"):
            wrong.append(f"{name} seems to have a key or a password in it")
    for store in sorted(folder.glob("*.calls")):
        wrong += _told_by_answers(store, places)
    return wrong


def _told_by_answers(store: Path, places: Collection[str]) -> list[str]:
    """As `told`, of paid answers. Passwords are not asked for: code that a teacher makes up is full of made-up ones."""
    named, keys = set[str](), 0
    with Calls(store) as calls:
        for _, _, record in calls.records():
            text = "\n".join(_strings(record))
            named.update(_named(places, text))
            keys += bool(_secrets(text, "key"))
    wrong = [f"{store.name} names {place}" for place in sorted(named)]
    return wrong + [f"{keys:,} answers of {store.name} seem to have a key in them"] * bool(keys)


def _strings(value: Any) -> Iterator[str]:
    """The texts in a record as they are: in JSON a key after a line feed would begin with the n of its escape."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _named(places: Collection[str], text: str) -> list[str]:
    return [place for place in sorted(places) if place + os.sep in text or f'"{place}"' in text]


def _secrets(text: str, *kinds: str) -> int:
    counts = redact(text).counts
    return sum(counts.get(kind, 0) for kind in kinds)


def _texts(folder: Path, data: Sequence[Path]) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        inside = any(place in file.parents for place in data)
        if file.suffix in TEXTS and not inside and file.is_file() and file.stat().st_size <= MOST_BYTES:
            yield file


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
