"""`codemill redact`: cleaning of one file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from codemill.errors import InputError


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--language", help="Instead of the one that its path and content tell.")
@click.option("--json", "as_json", is_flag=True, help="What was found, as JSON lines: line, column, kind and rule.")
def redact(file: Path, language: str | None, as_json: bool) -> None:
    """Prints FILE with placeholders for personal data and secrets, and on stderr how many."""
    import pyarrow as pa

    from codemill import _core, cleaning

    row = _core.decode(pa.array([file.read_bytes()], pa.large_binary())).to_pylist()[0]
    decoded = row["content"]
    if decoded is None:
        raise InputError(f"the file is {row['reason']}, not text", where=file)
    if as_json:
        for row in cleaning.findings(decoded, language=language, path=file.name):
            print(json.dumps(row))
        return
    done = cleaning.redact(decoded, language=language, path=file.name)
    sys.stdout.write(done.content)
    sys.stdout.flush()
    counted = ", ".join(f"{n} {kind}" for kind, n in done.counts.items())
    print(f"{file}: {counted or 'nothing found'}", file=sys.stderr)


COMMANDS = (redact,)
