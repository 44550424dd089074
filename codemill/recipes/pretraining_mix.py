"""OpenCoder's pretraining mix as a plan over token shards: no token is copied, and none is dropped.

codemill run pretraining_mix --code tokens --web web-tokens --out mix
"""

from __future__ import annotations

from typing import Annotated

from codemill import Outputs, RecipeError
from codemill.sources import Published
from codemill.steps import ingest, mix, pack, tokens

# Table 2 of arXiv 2411.04905, in billions of tokens of 960: code from GitHub 755 and The Stack v2 120; notebooks 11;
# pages of Common Crawl 13, SkyPile 3 and FineWeb 55, and AutoMathText 3.
SHARES = {"code": 755 + 120, "notebooks": 11, "web": 13 + 3 + 55 + 3}


def pretraining_mix(
    *,
    code: Annotated[str, "--out folder of `tokens` over raw code"],
    notebooks: Annotated[str | None, "the same over notebooks"] = None,
    web: Annotated[str | None, "the same over web pages about code"] = None,
    # The 1.5B model saw its corpus 4 times, the 8B model 3.5 times (table 5).
    epochs: Annotated[int, "times that an input may be repeated"] = 4,
    budget: Annotated[int | None, "tokens in all; by default as many as the inputs have"] = None,
    # A mix whose shares do not hold is another mix: rather a smaller one, and mix.json says how much smaller.
    short: Annotated[str, "if an input is too small: shrink the total, or stop"] = "shrink",
    # The context of the 1.5B model; the 8B model went on to 8192.
    length: Annotated[int, "tokens of a sequence"] = 4096,
    unit: Annotated[str, "what is shuffled: document, or repository (its files stay together)"] = "document",
    # OpenCoder's report says nothing of names. StarCoder2 gives them to half of the repositories, so that a model does
    # with and without; with unit=repository these are one text, files in the order of their imports.
    names: Annotated[float, "share of the units that begin with the names of repository and file"] = 0.0,
    # A plan is enough for our loader; other trainers want files.
    write: Annotated[str, "also lay the sequences out: none, megatron (bin and idx) or parquet"] = "none",
    seed: Annotated[int, "of the choice and of the order"] = 0,
) -> Outputs:
    """A plan: which spans of which shards make sequence n, by the shares of the paper's Table 2."""
    given = {"code": code, "notebooks": notebooks, "web": web}
    runs = {name: run for name, run in given.items() if run is not None}
    _check_tokenizers(runs)
    shards = [ingest.published(source=Published(run, "tokens")) for run in runs.values()]
    taken, shares = mix.take_all(
        *shards,
        names=list(runs),
        weights=[SHARES[name] for name in runs],
        budget=budget,
        epochs=epochs,
        short=short,
        unit=unit,
        seed=seed,
    )
    outputs = pack.plan(taken, shares, length=length, unit=unit, names=names, seed=seed)
    if write == "none":
        return outputs
    return {**outputs, "sequences": tokens.write(outputs["plan"], *shards, length=length, form=write)}


def smoke(*, code: Annotated[str, "--out folder of `tokens` over raw code"]) -> Outputs:
    """The same shape for a handful of files."""
    return pretraining_mix(code=code, epochs=2, length=128)


def _check_tokenizers(runs: dict[str, str]) -> None:
    """Raises: RecipeError if two inputs were encoded with different tokenizers."""
    known = {name: Published(run, "tokenizer").fingerprint for name, run in runs.items()}
    for name, fingerprint in known.items():
        if fingerprint != known["code"]:
            raise RecipeError(
                f"{name} and code were encoded with different tokenizers",
                where=runs[name],
                remedy=f"run tokens over it again with --existing {runs['code']}/tokenizer",
            )
