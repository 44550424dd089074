"""The main job at laptop scale, on this machine's own real code: no download, under a minute.

codemill run quickstart --out demo-out
"""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from codemill import Table
from codemill.recipes.refinecode import resize
from codemill.sources import Folder, Source
from codemill.steps import dedup, detect, ingest


def quickstart(
    inputs: Sequence[Source] = (),
    *,
    max_file_bytes: Annotated[int, "drop files larger than this (bytes)"] = 8_000_000,
) -> Table:
    """Deduplicates and labels the code on this machine (or --input): a first look at the whole way.

    Without --input it reads the Python standard library, the installed Python packages and the Rust crates that
    were compiled for the native core: tens of thousands of files in dozens of languages, many of them copies.
    """
    files = ingest.documents(sources=resize(inputs or here(), max_file_bytes))
    labelled = detect.language(files)
    known = detect.keep(labelled)  # only what is in no language at all is dropped
    unique = dedup.exact(known)
    return dedup.fuzzy(unique, by=("source", "language"))


def smoke(inputs: Sequence[Source] = ()) -> Table:
    """The same on a handful of files, in a second."""
    return quickstart(inputs or (Folder(str(Path(sysconfig.get_path("stdlib")) / "json"), label="python"),))


def here() -> tuple[Source, ...]:
    """Real code that any machine with codemill on it has."""
    registries = sorted((Path.home() / ".cargo" / "registry" / "src").glob("*/"))
    return (
        Folder(sysconfig.get_path("stdlib"), label="python"),
        Folder(sysconfig.get_path("purelib"), label="packages"),
        *(Folder(str(registry), label="crates") for registry in registries),
    )
