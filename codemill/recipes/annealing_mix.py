"""OpenCoder's annealing mix as a plan over token shards: 84 % of what the model knows, the rest proved and explained.

    codemill run annealing_mix --original tokens --algorithmic … --snippets … --textbooks … --out mix

Each input is the --out folder of `tokens`, all with one tokenizer: `codemill run tokens --corpus annealing --output
snippets --existing tokens/tokenizer`.
"""

from __future__ import annotations

from typing import Annotated

from codemill import Outputs, RecipeError
from codemill.sources import Published
from codemill.steps import ingest, mix, pack

# Table 3 of arXiv 2411.04905 v3, in billions of tokens of 100. 84 % of the original distribution guards against
# forgetting; the authors add that the ratio may not be ideal.
SHARES = {"original": 83.94, "algorithmic": 12.44, "snippets": 2.71, "textbooks": 0.91}


def annealing_mix(
    *,
    original: Annotated[str, "--out folder of `tokens` over the corpus of pretraining"],
    algorithmic: Annotated[str | None, "the same over the algorithmic corpus"] = None,
    snippets: Annotated[str | None, "the same over snippets"] = None,
    textbooks: Annotated[str | None, "the same over textbooks"] = None,
    budget: Annotated[int | None, "tokens in all; by default as many as the inputs have"] = None,
    # The paper's sets are large enough for one epoch. More of a small proved set is the ablation "quality over
    # quantity": the same tokens, a few good rows read several times.
    epochs: Annotated[float, "times that a synthetic input may be repeated"] = 1,
    original_epochs: Annotated[float, "times that the original may be repeated, of a small corpus"] = 1,
    short: Annotated[str, "if an input is too small: shrink the total, or stop"] = "shrink",
    length: Annotated[int, "tokens of a sequence"] = 4096,
    seed: Annotated[int, "of the choice and of the order"] = 0,
) -> Outputs:
    """A plan: which spans of which shards make sequence n, by the shares of the paper's annealing."""
    given = {"original": original, "algorithmic": algorithmic, "snippets": snippets, "textbooks": textbooks}
    runs = {name: run for name, run in given.items() if run is not None}
    known = {name: Published(run, "tokenizer").fingerprint for name, run in runs.items()}
    for name, fingerprint in known.items():
        if fingerprint != known["original"]:
            raise RecipeError(
                f"{name} and original were encoded with different tokenizers",
                where=runs[name],
                remedy=f"run tokens over it again with --existing {original}/tokenizer",
            )
    shards = [ingest.published(source=Published(run, "tokens")) for run in runs.values()]
    taken, shares = mix.take_all(
        *shards,
        names=list(runs),
        weights=[SHARES[name] for name in runs],
        budget=budget,
        epochs=[original_epochs if name == "original" else epochs for name in runs],
        short=short,
        seed=seed,
    )
    return pack.plan(taken, shares, length=length, seed=seed)


def proved(
    *,
    original: Annotated[str, "--out folder of `tokens` over the corpus of pretraining"],
    algorithmic: Annotated[str, "the same over the algorithmic corpus"],
    snippets: Annotated[str, "the same over a small set of snippets that are proved by strong tests"],
    textbooks: Annotated[str | None, "the same over textbooks"] = None,
    budget: Annotated[int | None, "tokens in all; by default as many as the inputs have"] = None,
    epochs: Annotated[float, "times that a synthetic input is repeated"] = 4,
    seed: Annotated[int, "of the choice and of the order"] = 0,
) -> Outputs:
    """The same shares and tokens from a small proved set over several epochs: quality over quantity."""
    return annealing_mix(
        original=original, algorithmic=algorithmic, snippets=snippets, textbooks=textbooks, budget=budget,
        epochs=epochs, seed=seed,
    )  # fmt: skip


def smoke(*, original: Annotated[str, "--out folder of `tokens`"], snippets: str) -> Outputs:
    """The same shape for a handful of files."""
    return annealing_mix(original=original, snippets=snippets, epochs=3, length=128)
