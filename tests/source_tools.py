"""What the tests of all sources share."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa

from codemill.document import RAW
from codemill.sources import Source
from codemill.sources._batches import BATCH_BYTES, BATCH_ROWS

DATE = "2024-03-01T12:00:00+00:00"


def rows(source: Source) -> list[dict[str, Any]]:
    """Every row a source yields; checks on the way what every source promises."""
    found: list[dict[str, Any]] = []
    for shard in source.list().shards:
        for batch in source.read(shard):
            batch.validate(full=True)
            assert batch.schema == RAW
            assert 0 < batch.num_rows <= BATCH_ROWS
            content = sum(len(raw) for raw in batch["raw"].to_pylist() if raw is not None)
            assert content <= BATCH_BYTES or batch.num_rows == 1
            for row in batch.to_pylist():
                assert (row["raw"] is None) == (row["reason"] is not None), row
                found.append(row)
    names = [(row["repo"], row["path"], row["revision"]) for row in found if row["reason"] != "duplicate_name"]
    assert len(names) == len(set(names))
    return found


def by_name(source: Source) -> list[dict[str, Any]]:
    """The rows in the order of repositories and paths: that of the shards is by a hash."""
    return sorted(rows(source), key=lambda row: (row["repo"], row["path"]))


def by_path(source: Source) -> dict[str, dict[str, Any]]:
    return {row["path"]: row for row in rows(source)}


def reasons(source: Source) -> dict[str, str | None]:
    return {row["path"]: row["reason"] for row in rows(source)}


def table(source: Source) -> pa.Table:
    return pa.Table.from_batches([b for s in source.list().shards for b in source.read(s)], RAW)


def git(place: Path, *arguments: str, date: str = DATE) -> str:
    """Runs git on a repository of the test's own, with nothing of the machine's configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
    }
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *arguments],
        cwd=place,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def repository(place: Path, files: dict[str, bytes], *, date: str = DATE) -> str:
    """A checkout with one commit more, of these files; returns the commit's id."""
    place.mkdir(parents=True, exist_ok=True)
    if not (place / ".git").exists():
        git(place, "init", "-q")
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "commit", date=date)
    return git(place, "rev-parse", "HEAD")
