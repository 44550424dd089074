"""RefineCode, OpenCoder's pretraining corpus, from raw repositories (arXiv 2411.04905, section 2.1).

    codemill run refinecode --input ~/repositories --metadata stars.csv --out corpus

The order is the paper's: preprocess → dedup → … → sample. Dedup comes early because nearly 75 % of crawled files
are copies, and everything after it is paid per file. Each number below stands where it is decided.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from codemill import Table
from codemill.recipes._refinecode_languages import KEPT
from codemill.sources import Metadata, Source
from codemill.steps import dedup, detect, ingest, sample


def refinecode(
    inputs: Sequence[Source],
    *,
    # "Files exceeding 8 MB are predominantly non-text" (2.1.1). Decimal megabytes; the paper does not say.
    max_file_bytes: Annotated[int, "drop files larger than this (bytes)"] = 8_000_000,
    metadata: Annotated[str | None, "CSV, JSONL or Parquet of repositories: stars, license, commit time"] = None,
    # Java 449 → 200 GB and HTML 474 → 64 GB (v3, 2.1.1): they would outweigh everything else.
    java_fraction: Annotated[float, "share of Java files to keep"] = 0.445,
    html_fraction: Annotated[float, "share of HTML files to keep"] = 0.135,
    seed: Annotated[int, "of the sample"] = 0,
) -> Table:
    """Repositories in, RefineCode's raw-code corpus out: detect, keep its languages, deduplicate, sample."""
    repositories = Metadata(metadata) if metadata else None
    files = ingest.documents(sources=resize(inputs, max_file_bytes), metadata=repositories)

    # Its 610 languages: 469 code, 119 data, 22 text (the paper says 607). Markup such as CSV, SVG or STL is out.
    labelled = detect.language(files)
    programs = detect.keep(labelled, kept=KEPT)

    # SHA-256 of the whole file, across all repositories; the copy with most stars, then latest commit, is kept.
    # Stars choose between copies and never select documents: a corpus of ≥ 5 stars had lower loss but worse
    # HumanEval and MBPP (6.3).
    unique = dedup.exact(programs)

    return sample.fraction(unique, keep={"java": java_fraction, "html": html_fraction}, seed=seed)


def smoke(inputs: Sequence[Source]) -> Table:
    """The same shape with everything kept, for a handful of files."""
    return refinecode(inputs, java_fraction=1.0, html_fraction=1.0)


def resize(inputs: Sequence[Source], max_file_bytes: int) -> tuple[Source, ...]:
    """The sources with the recipe's limit on file size, so that larger files are never read."""
    return tuple(dataclasses.replace(source, max_file_bytes=max_file_bytes) for source in inputs)  # type: ignore[type-var]
