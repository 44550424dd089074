"""RefineCode over this machine's own real code, with the corrected rules: no download, one or two minutes.

codemill run quickstart --out demo-out
"""

from __future__ import annotations

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from codemill import Outputs, Table
from codemill.recipes import _options as options
from codemill.recipes import refinecode
from codemill.sources import Folder, Source


def quickstart(
    inputs: Sequence[Source] = (),
    *,
    max_file_bytes: Annotated[int, "drop files larger than this (bytes)"] = 8_000_000,
    license: options.License = (),
    no_license: options.NoLicense = (),
    language: options.Language = (),
    with_language: options.WithLanguage = (),
    exclude: options.Exclude = (),
    vendored: options.Vendored = "keep",
    limit: options.Limit = None,
    # Three of four of its drops are right, of the released rules' one of three: docs/quality.md, "Two books".
    rules: Annotated[str, "corrected, refinecode, or none: measure, but drop nothing by rules"] = "corrected",
    without_rule: options.WithoutRule = (),
    budget: options.Budget = (),
    tokenizer: options.Tokenizer = None,
    held_out: options.HeldOut = 0.0,
    decontaminate: options.Decontaminate = (),
) -> Table | Outputs:
    """RefineCode, from raw files to a judged corpus, over the code on this machine (or --input).

    Without --input it reads the Python standard library, the installed Python packages and the Rust crates that
    were compiled for the native core: tens of thousands of files in dozens of languages, many of them copies.
    """
    return refinecode.refinecode(
        inputs or here(),
        max_file_bytes=max_file_bytes,
        license=license,
        no_license=no_license,
        language=language,
        with_language=with_language,
        exclude=exclude,
        vendored=vendored,
        limit=limit,
        java_fraction=1.0,
        html_fraction=1.0,
        budget=budget,
        tokenizer=tokenizer,
        rules=rules,
        without_rule=without_rule,
        held_out=held_out,
        decontaminate=decontaminate,
    )


def smoke(inputs: Sequence[Source] = ()) -> Table | Outputs:
    """The same on a handful of files, all of them good enough, in a second."""
    json = Folder(str(Path(sysconfig.get_path("stdlib")) / "json"), label="python", skip=("__pycache__",))
    return quickstart(inputs or (json,), rules="none")


def here() -> tuple[Source, ...]:
    """Real code that any machine with codemill on it has."""
    registries = sorted((Path.home() / ".cargo" / "registry" / "src").glob("*/"))
    skip = ("__pycache__", "site-packages")  # the interpreter's own packages are inside its library
    return (
        Folder(sysconfig.get_path("stdlib"), label="python", skip=skip),
        Folder(sysconfig.get_path("purelib"), label="packages", skip=skip),
        *(Folder(str(registry), label="crates") for registry in registries),
    )
