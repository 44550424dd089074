"""`codemill forget`: gives back the disk that earlier parameters and inputs took."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table as Grid

from codemill.cli.shared import answer
from codemill.machine.forgetting import forget as delete
from codemill.machine.forgetting import stale
from codemill.machine.store import Place
from codemill.report import words


@click.command()
@click.argument("dir", metavar="DIR")
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def forget(dir: str, dry_run: bool, as_json: bool) -> None:
    """Deletes working files that the result in DIR does not need: those of older parameters and inputs.

    The result, and all that `show`, `explain` and `report` read, stay. A run with the older parameters builds anew.
    """
    out = Place.of(dir)
    gone = stale(out) if dry_run else delete(out)
    files, size = sum(len(entry.files) for entry in gone), sum(entry.bytes for entry in gone)
    data = {
        "deleted": not dry_run,
        "files": files,
        "bytes": size,
        "steps": [{"step": entry.step, "files": len(entry.files), "bytes": entry.bytes} for entry in gone],
    }
    grid = Grid("step", "files", "size", box=None, pad_edge=False)
    for entry in sorted(gone, key=lambda entry: -entry.bytes):
        grid.add_row(entry.step, words.count(len(entry.files)), words.size(entry.bytes))
    if gone and not as_json:
        Console(soft_wrap=True).print(grid)
    verb = "can go" if dry_run else "deleted"
    answer(data, f"{words.plural(files, 'file')}, {words.size(size)}: {verb}" if gone else "nothing to forget", as_json)


COMMANDS = (forget,)
