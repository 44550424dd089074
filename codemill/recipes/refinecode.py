"""RefineCode, OpenCoder's pretraining corpus, from raw repositories (arXiv 2411.04905, section 2.1).

    codemill run refinecode --input ~/repositories --metadata stars.csv --out corpus

The order is the paper's: preprocess → dedup → transform → … → sample. Dedup comes early because nearly 75 % of crawled
files are copies, and everything after it is paid per file. Each number below stands where it is decided.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from codemill import Table
from codemill.recipes._refinecode_languages import KEPT
from codemill.sources import Metadata, Source
from codemill.steps import clean, dedup, detect, ingest, sample


def refinecode(
    inputs: Sequence[Source],
    *,
    # "Files exceeding 8 MB are predominantly non-text" (2.1.1). Decimal megabytes; the paper does not say.
    max_file_bytes: Annotated[int, "drop files larger than this (bytes)"] = 8_000_000,
    metadata: Annotated[str | None, "CSV, JSONL or Parquet of repositories: stars, license, commit time"] = None,
    # Java 449 → 200 GB and HTML 474 → 64 GB (v3, 2.1.1): they would outweigh everything else.
    java_fraction: Annotated[float, "share of Java files to keep"] = 0.445,
    html_fraction: Annotated[float, "share of HTML files to keep"] = 0.135,
    verify: Annotated[str, "hold near-copies against the kept one: none, sketch or exact"] = "sketch",
    seed: Annotated[int, "of the sample"] = 0,
) -> Table:
    """Repositories in, RefineCode's raw-code corpus out: languages, exact and near copies, redaction, sample."""
    repositories = Metadata(metadata) if metadata else None
    files = ingest.documents(sources=resize(inputs, max_file_bytes), metadata=repositories)

    # Its 610 languages: 469 code, 119 data, 22 text (the paper says 607). Markup such as CSV, SVG or STL is out.
    labelled = detect.language(files)
    programs = detect.keep(labelled, kept=KEPT)

    # SHA-256 of the whole file, across all repositories; the copy with most stars, then latest commit, is kept.
    # Stars choose between copies and never select documents: a corpus of ≥ 5 stars had lower loss but worse
    # HumanEval and MBPP (6.3).
    unique = dedup.exact(programs)

    # 5-grams of words, 2048 MinHash values in 16 bands of 128: near-identical files only, for the middle of the curve
    # is at a Jaccard similarity of 0.979. The paper does not verify; it merges whatever shares a band.
    distinct = dedup.fuzzy(
        unique,
        bands=16,
        rows=128,
        ngram=5,
        verify=verify,
        at_least=0.95,  # ours: a member further than this from the copy that is kept stays
        by=("source", "language"),
        most_lost=1.0,  # of a language of a source; lower it for a corpus that has been deduplicated before
    )

    # E-mail and IP addresses, names, passwords and keys become placeholders. The paper has <name>, <password> and
    # <email> and does not publish its expressions; the rules here are ours. Files that are equal now differed only in
    # what was replaced.
    cleaned = clean.redact(distinct)
    different = dedup.exact(cleaned, hash="clean_sha256")

    return sample.fraction(different, keep={"java": java_fraction, "html": html_fraction}, seed=seed)


def smoke(inputs: Sequence[Source]) -> Table:
    """The same shape with everything kept, for a handful of files."""
    return refinecode(inputs, java_fraction=1.0, html_fraction=1.0)


def resize(inputs: Sequence[Source], max_file_bytes: int) -> tuple[Source, ...]:
    """The sources with the recipe's limit on file size or their own lower one, so that larger files are never read."""
    limits = [min(max_file_bytes, getattr(source, "max_file_bytes", max_file_bytes)) for source in inputs]
    return tuple(
        dataclasses.replace(source, max_file_bytes=limit)  # type: ignore[type-var]
        for source, limit in zip(inputs, limits, strict=True)
    )
