"""`codemill release`: a result with everything it came from, for others."""

from __future__ import annotations

import click

from codemill.cli.shared import answer
from codemill.report import words


@click.command()
@click.argument("dirs", metavar="DIR...", nargs=-1, required=True)
@click.option("--out", "-o", required=True, metavar="DIR", help="A new folder for the release.")
@click.option("--wheel", metavar="FILE", help="Codemill itself, as `make dist` builds it, comes with it. [default: no]")
@click.option("--push", metavar="NAME", help="Upload it to a hub as this data set, such as ann/corpus. [default: no]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def release(dirs: tuple[str, ...], out: str, wheel: str | None, push: str | None, as_json: bool) -> None:
    """Puts finished runs, and all that they were made of, into one folder that others can rebuild.

    Give the last runs, for those that they read are found, and folders of `codemill evaluate`. The release is checked:
    nothing is missing, no path of this machine and no secret is in it.
    """
    from codemill.release import release as make
    from codemill.release.push import push as upload

    made = make(dirs, out, wheel=wheel)
    address = upload(made.folder, push) if push else None
    data = {
        "folder": str(made.folder),
        "runs": made.runs,
        "evaluations": made.evaluations,
        "bytes": made.bytes,
        "unknown": made.unknown,
        "at": address,
    }
    lines = [f"{made.folder}: {words.plural(len(made.runs), 'run')} ({', '.join(made.runs)}), {words.size(made.bytes)}"]
    lines += [f"not to be fetched: {sentence}" for sentence in made.unknown]
    lines += [f"uploaded: {address}"] if address else [f"try it: sh {made.folder}/rebuild.sh"]
    answer(data, "\n".join(lines), as_json)


COMMANDS = (release,)
