"""aider polyglot: 225 exercises of Exercism in six languages, each a small project (github.com/Aider-AI/aider)."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from codemill.benchmarks._row import Row, language
from codemill.benchmarks.catalogue import Benchmark
from codemill.benchmarks.task import Task
from codemill.errors import InputError

CONFIG = "/.meta/config.json"
PAGES = ("introduction", "instructions", "instructions.append")
FILE_BYTES = 1 << 24
"""The largest file of an exercise that is read: 16 MiB."""
TOTAL_BYTES = 1 << 28
"""The most that all exercises may have: 256 MiB. The published ones have 5."""


def members(path: Path) -> Iterator[Task] | None:
    """The exercises of a packed copy of the repository, by path; None: it is none. Nothing is unpacked to a disk."""
    if not path.name.endswith((".tar", ".tar.gz", ".tgz")) or not path.is_file():
        return None
    try:
        with tarfile.open(path) as archive:
            found = {one.name: one for one in archive if one.isfile() and "/exercises/practice/" in one.name}
    except (OSError, EOFError, tarfile.TarError) as error:
        raise InputError(f"the archive cannot be read: {error}", where=path) from error
    return _exercises(path, found) if any(name.endswith(CONFIG) for name in found) else None


def _exercises(path: Path, found: Mapping[str, tarfile.TarInfo]) -> Iterator[Task]:
    """Reads the archive front to back, the order in which a packed one can be read. `more` has all files as texts."""
    texts: dict[str, str] = {}
    if (total := sum(one.size for one in found.values())) > TOTAL_BYTES:
        raise InputError(f"the exercises have {total:,} bytes, more than {TOTAL_BYTES:,}", where=path)
    try:
        with tarfile.open(path) as archive:
            for one in archive:
                if one.name in found and one.size <= FILE_BYTES:
                    stream = archive.extractfile(one)
                    texts[one.name] = stream.read().decode("utf-8", "replace") if stream else ""
    except (OSError, EOFError, tarfile.TarError) as error:
        raise InputError(f"the archive cannot be read: {error}", where=path) from error
    for name in sorted(texts):
        if name.endswith(CONFIG):
            yield _exercise(name.removesuffix(CONFIG), texts, f"{path}, {name}")


def _exercise(folder: str, texts: Mapping[str, str], where: str) -> Task:
    try:
        files: dict[str, list[str]] = json.loads(texts[folder + CONFIG])["files"]
        given = {kind: [name for name in files.get(kind, ()) if isinstance(name, str)] for kind in files}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError("the exercise does not say which files it has", where=where) from error
    inside = {kind: [texts.get(f"{folder}/{name}", "") for name in names] for kind, names in given.items()}
    pages = [texts.get(f"{folder}/.docs/{page}.md", "") for page in PAGES]
    parts = PurePosixPath(folder).parts
    named = parts[parts.index("exercises") - 1]
    every = {name[len(folder) + 1 :]: text for name, text in texts.items() if name.startswith(f"{folder}/")}
    more: dict[str, Any] = {"files": given, "texts": every}
    return Task(
        benchmark="aider_polyglot",
        id=f"{named}/{parts[-1]}",
        language=language(named, where),
        kind="write",
        prompt="\n\n".join(page for page in pages if page),
        solution="\n\n".join(inside.get("example", ())),
        tests="\n\n".join(inside.get("test", ())),
        shown="\n\n".join(inside.get("solution", ())),
        more=more,
    )


def read(row: Row) -> Task:
    """Exercises are read from an archive as a whole. Raises: InputError."""
    raise InputError(
        "exercises are read from a packed copy of the repository", where=row.where, remedy="give a .tar.gz"
    )


BENCHMARK = Benchmark(
    name="aider_polyglot",
    title="aider polyglot",
    languages="C++, Go, Java, JavaScript, Python, Rust",
    published="https://github.com/Aider-AI/polyglot-benchmark",
    licence="MIT",
    shapes=(),
    read=read,
    members=members,
    counts=(225,),
    note="exercises of Exercism, whose answers are on the web in great number",
)
