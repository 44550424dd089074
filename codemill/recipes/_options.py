"""Options that recipes over raw code share, with their words for `--help`; docs/steering.md has them all."""

from __future__ import annotations

from typing import Annotated

License = Annotated[tuple[str, ...], "keep only files that may be used under it: SPDX, GPL-* or unknown; repeatable"]
NoLicense = Annotated[tuple[str, ...], "drop files that need it: SPDX, GPL-* or unknown; repeatable"]
Language = Annotated[tuple[str, ...], "keep this language only, such as python or C++; repeatable"]
WithLanguage = Annotated[
    tuple[str, ...], "keep this language besides RefineCode's, such as Objective-C or V; repeatable"
]
Exclude = Annotated[
    tuple[str, ...], "drop files at paths like this, as in a .gitignore: tests/ or *.min.js; repeatable"
]
Vendored = Annotated[str, "code that a project carries but did not write: keep or drop"]
Limit = Annotated[int | None, "go on with a fair draw of so many files, for a trial"]
WithoutRule = Annotated[tuple[str, ...], "leave this rule out: SIGNAL or SET:SIGNAL; repeatable"]
Budget = Annotated[
    tuple[str, ...], "the most to keep of a language: java=200GB, java=60Btokens, or a share, java=0.445; repeatable"
]
Tokenizer = Annotated[str | None, "folder of a tokenizer.json, for budgets in tokens"]
HeldOut = Annotated[float, "share of repositories set aside as a further output, held_out, for evaluation"]
Decontaminate = Annotated[tuple[str, ...], "files of benchmarks: drop what has their tasks; repeatable"]
