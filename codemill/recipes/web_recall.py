"""OpenCoder's code-related web pages: a seed, a classifier, recall, domains, rules, and again, in rounds.

    codemill run web_recall --input crawl/ --labels seed.csv --rules rules/ --out web

Every round scores the same pages: nothing is dropped before the end. `rules/round-1.txt` says what the second round
learns besides; `codemill view` shows the domains that a round discovered and writes that file.

The last classifier then recalls what else there is: pages of other corpora, and prose files of repositories.

    codemill run web_recall:further --input fineweb:PAGES --classifier web/classifier_3 --out more
    codemill run web_recall:prose --input REPOSITORIES --classifier web/classifier_3 --out prose
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from codemill import Output, Outputs, RecipeError, Table, ledger
from codemill import languages as catalogue
from codemill.errors import did_you_mean
from codemill.recipes import _options as options
from codemill.recipes._corrected_rules import CORRECTED_RULES
from codemill.recipes._refinecode_languages import KEPT
from codemill.recipes._refinecode_rules import REFINECODE_RULES
from codemill.recipes._teachers import Prices, teacher_of
from codemill.rules import RuleBook
from codemill.sources import Source
from codemill.steps import autods, clean, dedup, detect, domains, ingest, pages, quality, recall, seeds, tokenizer
from codemill.steps.decontaminate import clear_of
from codemill.web import patterns
from codemill.web.classifier import Settings
from codemill.web.labels import Labels
from codemill.web.patterns import Rules

# Kinds of site that score unlike others, by their URLs (Seed-Coder): forums most of all.
KINDS = (
    ("forum", "%stackexchange.com/%"),
    ("forum", "%stackoverflow.com/%"),
    ("forum", "%/forum%"),
    ("forum", "%//forum%"),
    ("forum", "%discourse%/t/%"),
    ("docs", "%//docs.%"),
    ("docs", "%//doc.%"),
    ("docs", "%readthedocs%"),
    ("docs", "%/docs/%"),
    ("blog", "%/blog%"),
    ("blog", "%//blog.%"),
)


OURS = ("en", "zh")
"""Rules that come with codemill."""


def web_recall(
    inputs: Sequence[Source],
    *,
    labels: Annotated[
        str | None, "file of url or domain, and label (1 about code, 0 not) unless all are 1: csv, jsonl, parquet"
    ] = None,
    # Without labels, or besides them, a teacher chooses the seed (AutoDS); the paper's has 500,000 pages (2.1.2).
    teacher: Annotated[str | None, "model@http://…/v1 that is asked about pages, and says how sure it is"] = None,
    price: Prices = None,
    candidates: Annotated[int, "pages that the teacher is asked about"] = 2_000_000,
    best: Annotated[int, "of these, pages about code that make the seed, at most"] = 500_000,
    above: Annotated[float, "and that score more than this"] = 0.6,
    below: Annotated[float, "pages that score less are negatives"] = 0.1,
    held_out: Annotated[str | None, "the same, of domains that are never learned from; else a share of all is"] = None,
    held_out_share: Annotated[float, "share of domains held out, without --held-out"] = 0.2,
    rules: Annotated[str | None, "folder of round-1.txt, round-2.txt …; en or zh for those that come with us"] = None,
    # Three rounds over Common Crawl (2.1.2).
    rounds: Annotated[int, "how often the classifier is trained"] = 3,
    # Such as DeepSeekMath's loop, which OpenCoder's follows, is run with (its 2.1).
    dim: Annotated[int, "length of a word's vector"] = 256,
    word_ngrams: Annotated[int, "longest run of words that has a vector"] = 3,
    min_count: Annotated[int, "words that are rarer have none"] = 3,
    epochs: Annotated[int, "times that a classifier sees its examples"] = 3,
    lr: Annotated[float, "learning rate"] = 0.1,
    bucket: Annotated[int, "vectors for runs of words"] = 2_000_000,
    random_negatives: Annotated[float, "pages without a label, taken as negatives, for each positive"] = 1.0,
    # BPE keeps the vocabulary small and cuts Chinese (2.1.2); the size is ours.
    vocabulary: Annotated[int, "entries of the BPE that pages are segmented with"] = 32_768,
    sample_bytes: Annotated[int, "text that the BPE is trained on (bytes)"] = 200_000_000,
    most_tokens: Annotated[int, "tokens of a page that are looked at"] = 1024,
    precision: Annotated[float, "of recalled pages on held-out domains: sets the threshold"] = 0.95,
    # A domain is about code when more than 10 % of its pages are recalled (2.1.2).
    domain_share: Annotated[float, "share of recalled pages above which a domain is about code"] = 0.1,
    domain_pages: Annotated[int, "a domain with fewer pages is not judged"] = 10,
    confidence: Annotated[float, "that the share is above it, not by chance"] = 0.95,
    by: Annotated[str, "what a domain is: domain (as registered) or host"] = "domain",
    with_matched: Annotated[bool, "keep pages that rules of any round match, recalled or not"] = False,
    quality_rules: Annotated[str, "rules for text: refinecode, corrected or none"] = "refinecode",
    decontaminate: options.Decontaminate = (),
    seed: Annotated[int, "of draws and of training"] = 0,
) -> Outputs:
    """Pages about code, recalled from a crawl in rounds; the domains and the classifier of each round beside them."""
    if rounds < 1:
        raise RecipeError(f"there is at least 1 round, got {rounds}")
    check_rules(rules, rounds if with_matched else rounds - 1)
    # One text meets once, in whatever HTML: a copy on another domain would be learned from here and judged there.
    distinct = dedup.exact(pages.documents(sources=inputs), hash="text_sha256")
    found = pages.kinds(distinct, kinds=KINDS)
    segmenter = tokenizer.train(found, vocabulary=vocabulary, sample_bytes=sample_bytes)
    chosen: list[Table] = []
    outputs: dict[str, Table | Output] = {}
    if teacher is not None:
        made, scored = autods.seed(
            found,
            teacher=teacher_of(teacher, None, None, price=price),
            candidates=candidates,
            best=best,
            above=above,
            below=below,
            seed=seed,
        )
        chosen, outputs = [made], {"seed": scored}
    elif labels is None:
        raise RecipeError("a classifier learns from labels", remedy="give --labels, or a --teacher that is asked")
    found = seeds.label(
        found,
        *chosen,
        labels=None if labels is None else Labels(labels),
        held_out=None if held_out is None else Labels(held_out),
        held_out_share=held_out_share,
        seed=seed,
    )
    settings = Settings(dim, lr, epochs, word_ngrams, min_count, bucket, seed)
    for number in range(1, rounds + 1):
        model = recall.train(
            found,
            segmenter,
            settings=settings,
            random_negatives=random_negatives,
            precision=precision,
            most_tokens=most_tokens,
            page_seed=seed,
        )
        name = f"score_{number}"
        found = recall.judge(recall.score(found, model, name=name), model, name=name)
        counted = domains.count(found, by=by, share=domain_share, min_pages=domain_pages, confidence=confidence)
        outputs |= {f"classifier_{number}": model, f"domains_{number}": counted}
        if number < rounds or with_matched:
            some = rules_of(rules, number) if number < rounds else every_rule(rules, rounds)
            found = seeds.enlarge(found, counted, rules=some, by=by)
    kept = recall.keep(found, name=f"score_{rounds}", with_matched=with_matched)
    kept = clear_of(cleaned(kept, quality_rules), benchmarks=decontaminate)
    return {"corpus": kept, "ledger": ledger(kept), **outputs}


Classifier = Annotated[str, "classifier_N folder of a finished run of web_recall: that of its last round"]


def further(
    inputs: Sequence[Source],
    *,
    classifier: Classifier,
    by: Annotated[str, "what a domain is: domain (as registered) or host"] = "domain",
    quality_rules: Annotated[str, "rules for text: refinecode, corrected or none"] = "refinecode",
    decontaminate: options.Decontaminate = (),
) -> Outputs:
    """Pages about code of other corpora (FineWeb, SkyPile, AutoMathText), by the last classifier of an earlier run."""
    # OpenCoder took its models of Common Crawl to these as they were (2.1.2). A page without a URL has no domain.
    found = pages.kinds(dedup.exact(pages.documents(sources=inputs), hash="text_sha256"), kinds=KINDS)
    judged = _judged(found, classifier)
    kept = clear_of(cleaned(recall.keep(judged), quality_rules), benchmarks=decontaminate)
    return {"corpus": kept, "ledger": ledger(kept), "domains": domains.count(judged, by=by)}


def prose(
    inputs: Sequence[Source],
    *,
    classifier: Classifier,
    quality_rules: Annotated[str, "rules for text: refinecode, corrected or none"] = "refinecode",
    decontaminate: options.Decontaminate = (),
) -> Outputs:
    """Prose files of repositories (READMEs, documentation) that are about code, by the classifier of an earlier run."""
    # 178 GB in the paper (C.2), which looks at names as well; which names it does not say.
    text = tuple(name for name in KEPT if catalogue.get(name).doc_type == "text")
    found = detect.keep(detect.language(ingest.documents(sources=inputs)), kept=text)
    judged = _judged(pages.kinds(dedup.exact(found), kinds=()), classifier)
    kept = clear_of(cleaned(recall.keep(judged), quality_rules), benchmarks=decontaminate)
    return {"corpus": kept, "ledger": ledger(kept)}


def _judged(found: Table, classifier: str) -> Table:
    model = recall.existing(classifier=recall.Existing(classifier))
    return recall.judge(recall.score(found, model), model)


def check_rules(folder: str | None, rounds: int) -> None:
    """Raises: RecipeError if a folder of rules is not there, or has none for the rounds that read some."""
    if folder is None or folder in OURS:
        return
    if not Path(folder).is_dir():
        raise RecipeError(
            f"there is no folder of rules {folder!r}",
            remedy=f"give {' or '.join(OURS)}, or a folder of round-1.txt, round-2.txt …",
        )
    files = [f"round-{number}.txt" for number in range(1, rounds + 1)]
    if not any((Path(folder) / file).exists() for file in files):
        there = ", ".join(sorted(file.name for file in Path(folder).iterdir())[:8]) or "nothing"
        wanted = f"only {', '.join(files)} would be read" if files else "a single round reads no rules"
        raise RecipeError(f"no rules would be read: {wanted}", where=folder, remedy=f"it holds {there}")


def rules_of(folder: str | None, number: int) -> Rules:
    """The rules of a round: those of the folder's file, or ours by name; none if there is no such file."""
    if folder is None:
        return Rules()
    if folder in OURS:
        return patterns.ours(folder)
    file = Path(folder) / f"round-{number}.txt"
    return patterns.read(file) if file.exists() else Rules()


def every_rule(folder: str | None, rounds: int) -> Rules:
    """The rules of all rounds: what is matched in the end is matched by any of them."""
    each = [rules_of(folder, number) for number in range(1, rounds + 1)]
    code, other = ([pattern for one in each for pattern in getattr(one, side)] for side in ("code", "other"))
    return Rules(tuple(dict.fromkeys(code)), tuple(dict.fromkeys(other)))


def cleaned(found: Table, rules: str) -> Table:
    """What files go through, for pages: near-copies, placeholders for names and keys, rules for text."""
    # FineWeb's numbers for pages: 112 functions in 14 bands, a midpoint of 0.72. A page is a copy of another with other
    # furniture far sooner than a file is.
    distinct = dedup.fuzzy(found, bands=14, rows=8, ngram=5, at_least=0.75)
    placed = dedup.exact(clean.redact(distinct), hash="clean_sha256")
    if rules not in (*_TEXT, "none"):
        raise RecipeError(f"there are no rules called {rules!r}", remedy=did_you_mean(rules, (*_TEXT, "none")))
    looked_at = _TEXT.get(rules, _TEXT["refinecode"])
    measured = quality.measure(placed, signals=sorted({rule.signal for one in looked_at.sets for rule in one.rules}))
    return quality.keep(quality.judge(measured, rules=_TEXT.get(rules, RuleBook(()))))


def _of_pages(book: RuleBook) -> RuleBook:
    """The sets that judge pages, whose paths are addresses and say nothing of vendors."""
    paths = {"has_vendored_path", "has_generated_path"}
    pages = RuleBook(tuple(one for one in book.sets if "web" in one.doc_types))
    return pages.without(*(paths & set(pages.signals())))


_TEXT = {"refinecode": _of_pages(REFINECODE_RULES), "corrected": _of_pages(CORRECTED_RULES)}


def laptop(
    inputs: Sequence[Source],
    *,
    labels: Annotated[
        str | None, "file of url or domain, and label (1 about code, 0 not) unless all are 1: csv, jsonl, parquet"
    ] = None,
    teacher: Annotated[str | None, "MODEL@URL or local:FOLDER that is asked about pages, besides labels"] = None,
    candidates: Annotated[int, "pages that the teacher is asked about"] = 300,
    held_out: Annotated[str | None, "the same, of domains that are never learned from; else a share of all is"] = None,
    rules: Annotated[str | None, "folder of round-1.txt, round-2.txt …"] = None,
    seed: Annotated[int, "of draws and of training"] = 0,
) -> Outputs:
    """For some thousand pages, such as scripts/debian_crawl.py makes: a small model, more passes over the seed."""
    return web_recall(
        inputs,
        labels=labels,
        teacher=teacher,
        candidates=candidates,
        best=candidates // 3,
        held_out=held_out,
        rules=rules,
        dim=64,
        word_ngrams=2,
        epochs=10,
        lr=0.3,
        bucket=100_000,
        # In a crawl of the web a page taken at random is hardly ever about code; in one of manuals it is.
        random_negatives=0,
        vocabulary=8192,
        sample_bytes=20_000_000,
        seed=seed,
    )


def smoke(
    inputs: Sequence[Source],
    *,
    labels: Annotated[
        str, "file of url or domain, and label (1 about code, 0 not) unless all are 1: csv, jsonl, parquet"
    ],
) -> Outputs:
    """The same shape for a handful of pages."""
    return web_recall(
        inputs,
        labels=labels,
        held_out_share=0.3,
        rounds=2,
        dim=8,
        word_ngrams=1,
        min_count=1,
        epochs=20,
        lr=0.5,
        bucket=1000,
        vocabulary=512,
        sample_bytes=1_000_000,
        domain_pages=3,
        quality_rules="none",
    )
