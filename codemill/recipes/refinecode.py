"""RefineCode, OpenCoder's pretraining corpus, from raw repositories (arXiv 2411.04905, section 2.1).

    codemill run refinecode --input ~/repositories --metadata stars.csv --out corpus

The order is the paper's: preprocess → dedup → transform → filter → sample. Dedup comes early because nearly 75 % of
crawled files are copies, and everything after it is paid per file. Each number below stands where it is decided.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from codemill import Output, Outputs, RecipeError, Table, ledger
from codemill import languages as catalogue
from codemill.document import INDEX
from codemill.errors import did_you_mean
from codemill.recipes import _budgets
from codemill.recipes import _options as options
from codemill.recipes._corrected_rules import CORRECTED_RULES as CORRECTED_RULES
from codemill.recipes._refinecode_languages import KEPT as KEPT
from codemill.recipes._refinecode_rules import REFINECODE_RULES as REFINECODE_RULES
from codemill.rules import RuleBook
from codemill.sources import Metadata, Published, Source
from codemill.steps import clean, dedup, detect, holdout, ingest, licenses, quality, sample, select
from codemill.steps.decontaminate import clear_of


def refinecode(
    inputs: Sequence[Source],
    *,
    # "Files exceeding 8 MB are predominantly non-text" (2.1.1). Decimal megabytes; the paper does not say.
    max_file_bytes: Annotated[int, "drop files larger than this (bytes)"] = 8_000_000,
    metadata: Annotated[str | None, "CSV, JSONL or Parquet of repositories: stars, license, commit time"] = None,
    license: options.License = (),
    no_license: options.NoLicense = (),
    language: options.Language = (),
    with_language: options.WithLanguage = (),
    exclude: options.Exclude = (),
    vendored: options.Vendored = "keep",  # 2.1.1 does not say; many copies of it go as duplicates
    limit: options.Limit = None,
    # Java 449 → 200 GB and HTML 474 → 64 GB (v3, 2.1.1): they would outweigh everything else.
    java_fraction: Annotated[float, "share of Java files to keep"] = 0.445,
    html_fraction: Annotated[float, "share of HTML files to keep"] = 0.135,
    budget: options.Budget = (),  # in place of the fraction, for a language that has one
    tokenizer: options.Tokenizer = None,
    level: Annotated[str, "what near-copies are copies of: file, repo or chunk"] = "file",
    verify: Annotated[str, "hold near-copies against the kept one: none, sketch or exact"] = "sketch",
    rules: Annotated[str, "refinecode, corrected, or none: measure, but drop nothing by rules"] = "refinecode",
    without_rule: options.WithoutRule = (),
    against: Annotated[tuple[str, ...], "--out folder of an earlier run: drop what it has; repeatable"] = (),
    held_out: options.HeldOut = 0.0,
    decontaminate: options.Decontaminate = (),
    index: Annotated[bool, "publish OUT/index, to hold later runs against this one"] = False,
    seed: Annotated[int, "of the sample and of rules that spare some"] = 0,
) -> Table | Outputs:
    """Repositories in, RefineCode's raw-code corpus out: languages, copies, cleaning, quality, sample."""
    repositories = Metadata(metadata) if metadata else None
    files = ingest.documents(sources=resize(inputs, max_file_bytes), metadata=repositories)
    files = licenses.spread(files)
    if license or no_license:
        files = licenses.keep(files, only=license, never=no_license)
    if exclude:
        files = select.exclude(files, patterns=exclude)

    # Its 610 languages: 469 code, 119 data, 22 text (the paper says 607). Markup such as CSV, SVG or STL is out.
    labelled = detect.language(files)
    # Notebooks, which the paper counts apart (11 B tokens), are read as text, code and output in order (appendix C.3).
    named, more = ([catalogue.get(name).name for name in names] for names in (language, with_language))
    kept = (*(named or (*KEPT, "jupyter notebook")), *more)
    programs = detect.keep(labelled, kept=kept)
    if _drops(vendored):
        programs = select.vendored(programs)
    if limit is not None:
        programs = select.limit(programs, most=limit, seed=seed)
    programs = clean.notebooks(programs, form="structured", output_chars=1000)

    # SHA-256 of the whole file, across all repositories; the copy with most stars, then latest commit, is kept.
    # Stars choose between copies and never select documents: a corpus of ≥ 5 stars had lower loss but worse
    # HumanEval and MBPP (6.3).
    earlier = [ingest.published(source=Published(path)) for path in against]
    unique = dedup.exact(programs, *earlier)

    # 5-grams of words, 2048 MinHash values in 16 bands of 128: near-identical files only, for the middle of the curve
    # is at a Jaccard similarity of 0.979. The paper does not verify; it merges whatever shares a band.
    # Files, not repositories: of 485 million Python files 2.4 % of the tokens are left, of repositories 7.5 %, half of
    # which are files that are still equal; models trained on the former are better (2.5). Chunks of 4,096 tokens on top
    # of files removed 0.1 % more, instead of files far less (Table 13).
    distinct = dedup.fuzzy(
        unique,
        *earlier,
        level=level,
        bands=16,
        rows=128,
        ngram=5,
        verify=verify,
        at_least=0.95,  # ours: a member further than this from the copy that is kept stays
        by=("source", "language"),
        most_lost=1.0,  # of a language of a source; lower it for a corpus that has been deduplicated before
        index=index,  # off: it costs as much as a second look at what is kept, and about 450 bytes a file
    )

    # Over 15 % of code files begin with a copyright notice (2.1.1), which teaches nothing.
    headless = clean.headers(distinct)

    # E-mail and IP addresses, names, passwords and keys become placeholders. The paper has <name>, <password> and
    # <email> and does not publish its expressions; the rules here are ours. Files that are equal now differed only in
    # their notice or in what was replaced.
    cleaned = clean.redact(headless)
    different = dedup.exact(cleaned, hash="clean_sha256")

    # 448 rules in 14 sets: ten languages have their own, the others are judged as code, as data, as Chinese text or as
    # text. The thresholds are the released ones, chosen to remove as much harmful data as possible without visibly
    # moving the distribution of the rest. Seven rules on code without logic and the one on Go tests spare a fifth of
    # what they meet: released with a die, here with a hash of the document's content. All signals are measured, also
    # those that no rule uses, so that a changed threshold measures nothing again. `corrected` are the same ideas over
    # signals that measure them; docs/quality.md holds both against labelled files.
    measured = quality.measure(different)
    judged = quality.judge(measured, rules=_book(rules).without(*without_rule), seed=seed)
    good = quality.keep(judged)

    # A corpus that has a benchmark's tasks makes its scores worth nothing. The paper does this for its SFT data (4.4).
    # Here, for it is the slowest look at content, at what is left. The benchmarks are the user's own files.
    unseen = clear_of(good, benchmarks=decontaminate)

    outputs: dict[str, Table | Output] = {}
    if held_out:
        # Whole repositories by a hash of their names, less near-copies of what is trained on.
        unseen, aside = holdout.split(unseen, share=held_out, seed=seed)
        outputs |= {"held_out": aside, "held_out_ledger": ledger(aside)}

    # A fraction decides about each file for itself, so a growing corpus keeps what it kept. A budget decides about
    # a whole language, so it is hit however much there is.
    budgets = _budgets.read(budget)
    budgeted = {name for named in budgets.values() for name in named}
    fractions = {"java": java_fraction, "html": html_fraction}
    kept_of = {name: share for name, share in fractions.items() if name not in budgeted}
    corpus = _budgets.kept(sample.fraction(unseen, keep=kept_of, seed=seed), budgets, folder=tokenizer, seed=seed)
    if index or earlier:
        outputs["index"] = Output(corpus, columns=INDEX)
    return {"corpus": corpus, "ledger": ledger(corpus), **outputs} if outputs else corpus


def smoke(inputs: Sequence[Source]) -> Table | Outputs:
    """The same shape with everything kept, for a handful of files."""
    return refinecode(inputs, java_fraction=1.0, html_fraction=1.0, rules="none")


def _book(name: str) -> RuleBook:
    books = {"refinecode": REFINECODE_RULES, "corrected": CORRECTED_RULES, "none": RuleBook(())}
    if name not in books:
        raise RecipeError(f"there are no rules called {name!r}", remedy=did_you_mean(name, books))
    return books[name]


def _drops(vendored: str) -> bool:
    choices = {"keep": False, "drop": True}
    if vendored not in choices:
        raise RecipeError(f"vendored is keep or drop, not {vendored!r}", remedy=did_you_mean(vendored, choices))
    return choices[vendored]


def resize(inputs: Sequence[Source], max_file_bytes: int) -> tuple[Source, ...]:
    """The sources with the recipe's limit on file size, so that larger files are never read.

    A lower limit that a source was given stays; the one that sources have by default does not, so that the recipe's can
    be higher as well.
    """
    if max_file_bytes < 1:
        raise RecipeError(f"max_file_bytes must be at least 1, got {max_file_bytes}", remedy="such as 8000000")

    def limit(source: Source) -> int:
        own = getattr(source, "max_file_bytes", max_file_bytes)
        return max_file_bytes if own == getattr(type(source), "max_file_bytes", own) else min(own, max_file_bytes)

    return tuple(
        dataclasses.replace(source, max_file_bytes=limit(source))  # type: ignore[type-var]
        for source in inputs
    )
