"""`codemill benchmarks`: the formats of benchmark files that are known, and which of them a folder has."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.table import Table as Grid

from codemill.cli.shared import console
from codemill.errors import RecipeError
from codemill.report import words


@click.command()
@click.argument("path", metavar="[PATH]", required=False)
@click.option("--fetch", metavar="NAME", help="Download this benchmark's files into the folder PATH.")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
def benchmarks(path: str | None, fetch: str | None, as_json: bool) -> None:
    """Lists the benchmarks whose published files can be read, or those that are in the folder or file PATH.

    No benchmark comes with codemill: download it from where it is published, and mind its licence. Where the address of
    a file is known it is listed, with the SHA-256 of what is in it, unpacked.
    """
    if fetch is not None:
        _fetch(fetch, path)
        return
    if path is not None:
        _files(Path(path), as_json)
        return
    from codemill import benchmarks as formats

    for one in formats.all():
        row = {"name": one.name, "licence": one.licence, "published": one.published}
        if as_json:
            about = {"title": one.title, "languages": one.languages, "tasks": list(one.counts), "note": one.note}
            files = [{"address": file.address, "sha256": file.sha256} for file in one.files]
            print(json.dumps({**row, **about, "files": files}))
        else:
            print("{name:22}{licence:52}{published}".format(**row))
            for file in one.files:
                print(f"{'':22}{file.address}  SHA-256 {file.sha256 or 'not known'}")


def _fetch(name: str, path: str | None) -> None:
    from codemill import benchmarks as formats
    from codemill.benchmarks import fetching

    chosen = formats.get(name)
    if path is None:
        raise RecipeError("where to?", remedy=f"codemill benchmarks --fetch {name} FOLDER")
    print(f"{chosen.title}: {chosen.licence}; {chosen.published}")
    for file in fetching.fetch(chosen, Path(path)):
        print(file)


def _files(folder: Path, as_json: bool) -> None:
    from codemill import benchmarks as formats

    grid = Grid("file", "benchmark", "tasks", "", box=None, pad_edge=False)
    for path, benchmark in formats.find(folder).items():
        count = sum(1 for _ in formats.read(path)) if benchmark else 0
        if as_json:
            print(json.dumps({"file": str(path), "benchmark": benchmark and benchmark.name, "tasks": count}))
        known = benchmark.counts if benchmark else ()
        remark = f"complete: {' or '.join(map(str, known))}" if known and count not in known else ""
        name = str(path.relative_to(folder)) if folder.is_dir() else str(path)
        grid.add_row(name, benchmark.name if benchmark else "of no known form", words.count(count), remark)
    if not as_json:
        console().print(grid)


COMMANDS = (benchmarks,)
