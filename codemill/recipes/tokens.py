"""A corpus becomes token shards: a tokenizer trained on it, and every document encoded once.

    codemill run tokens --corpus corpus --out tokens

What trains on them is decided afterwards, by plans over the shards: see `pretraining_mix`.
"""

from __future__ import annotations

from typing import Annotated

from codemill import Outputs
from codemill.sources import Published
from codemill.steps import imports, ingest, tokenize, tokenizer


def tokens(
    *,
    corpus: Annotated[str, "--out folder of the run that made the corpus"],
    output: Annotated[str, "which of its outputs: corpus, or a set such as snippets"] = "corpus",
    # OpenCoder's vocabulary (table 5). Digits are split: numbers are read digit by digit, whatever their length.
    vocabulary: Annotated[int, "entries of the vocabulary, with 32 special tokens"] = 96_640,
    # More text hardly changes the merges, and takes memory: each different word of the sample is held.
    sample_bytes: Annotated[int, "text that the tokenizer is trained on (bytes)"] = 2_000_000_000,
    existing: Annotated[str | None, "folder of a tokenizer.json to use instead of training one"] = None,
    # So that a plan may lay a repository out as one text, what is imported first (DeepSeek-Coder, Seed-Coder).
    ranked: Annotated[bool, "store the order of imports within each repository"] = True,
    # So that a plan may put names in front of documents and repositories; one that does not is the same without.
    headings: Annotated[bool, "store names of repository and file as tokens, for plans that want them"] = True,
    # OpenCoder's report says nothing of it. Half the documents is what InCoder's and StarCoder's successors settled on:
    # less teaches too little, and more costs completion from the left (Bavarian et al. 2022).
    fim_rate: Annotated[float, "share of documents rearranged to fill in the middle"] = 0.5,
    # People ask for a call, an argument, a body, not for half a word to half a word. Nodes alone would leave out what a
    # cursor within a line needs.
    fim_nodes: Annotated[float, "of those, share cut at nodes of the syntax, not at characters"] = 0.5,
    spm_rate: Annotated[float, "of those rearranged, share with the suffix first"] = 0.5,
    seed: Annotated[int, "of which documents are rearranged, and where they are cut"] = 0,
) -> Outputs:
    """Token shards of a corpus, and the tokenizer they are made with."""
    documents = ingest.published(source=Published(corpus, output))
    if existing is None:
        made = tokenizer.train(documents, vocabulary=vocabulary, sample_bytes=sample_bytes)
    else:
        made = tokenizer.existing(tokenizer=tokenizer.Existing(existing))
    if ranked:
        documents = imports.rank(documents)
    encoded = tokenize.documents(
        documents,
        made,
        ranked=ranked,
        headings=headings,
        fim_rate=fim_rate,
        fim_nodes=fim_nodes,
        spm_rate=spm_rate,
        seed=seed,
    )
    return {"tokens": encoded, "tokenizer": made}


def laptop(*, corpus: Annotated[str, "--out folder of the run that made the corpus"], seed: int = 0) -> Outputs:
    """For a model of a few million parameters: 8,192 entries, of which a model of that size sees each often enough."""
    return tokens(corpus=corpus, vocabulary=8192, sample_bytes=50_000_000, seed=seed)


def smoke(*, corpus: Annotated[str, "--out folder of the run that made the corpus"]) -> Outputs:
    """The same shape for a handful of files."""
    return tokens(corpus=corpus, vocabulary=1024, sample_bytes=1_000_000)
